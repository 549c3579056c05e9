//! The commands for what is wanted of the fleet: `provost profile`, `plan`,
//! `apply`, `explain` and `drift`.

mod drift;
mod explain;
mod plan;
mod profile;
mod read;

pub(super) use drift::{DriftArgs, drift, repair};
pub(super) use explain::{ExplainArgs, explain};
pub(super) use plan::{ApplyArgs, PlanArgs, apply, plan};
pub(super) use profile::{ProfileCommand, run as run_profile};

use std::io::{self, Write};

use serde_json::Value;

use super::client::clean;

/// A text of an answer, safe for a terminal.
fn text(value: &Value) -> String {
    clean(value.as_str().unwrap_or_default())
}

/// A number of an answer.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// `profile@version`, as sources are shown.
fn source(value: &Value) -> String {
    let (name, layer) = (text(&value["profile"]), text(&value["layer"]));
    let by = format!("{name}@{}", number(&value["version"]));
    if layer.is_empty() || layer == "profile" { by } else { format!("{by} ({layer})") }
}

/// What a request to change profiles said that is wrong, all of it: one a line.
fn faults(out: &mut dyn Write, faults: &[Value]) -> io::Result<()> {
    for fault in faults {
        writeln!(out, "{}: {}", text(&fault["column"]), text(&fault["problem"]))?;
    }
    Ok(())
}
