//! `provost explain`: who wants what of a device, what it has, and what stands
//! between.

use std::io::{self, Write};

use serde_json::Value;

use super::super::CliError;
use super::super::client::{Client, encode};
use super::super::output::{Output, grid};
use super::{number, source, text};

/// Explain what is wanted of a device: who wants it, what it has, what stands between
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExplainArgs {
    /// The device id
    device: String,
    /// Only this parameter, or all below this object with its trailing dot
    path: Option<String>,
}

pub(in crate::cli) async fn explain(
    args: ExplainArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut path = format!("/devices/{}/explain", encode(&args.device));
    if let Some(below) = &args.path {
        path.push_str(&format!("?path={}", encode(below)));
    }
    let answer = client.get(&path).await?;
    Ok(output.print(&answer, show)?)
}

fn show(out: &mut dyn Write, answer: &Value) -> io::Result<()> {
    writeln!(out, "{}: {}", text(&answer["device"]), text(&answer["state"]))?;
    let list = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let items = list("items");
    if !items.is_empty() {
        let rows: Vec<Vec<String>> = items.iter().flat_map(rows).collect();
        writeln!(out)?;
        grid(out, &["PATH", "STATE", "WANTED", "FOUND", "READ", "BY"], &rows)?;
    }
    for item in items.iter().filter(|item| item["why"] != "") {
        write!(out, "{}: {}", text(&item["path"]), text(&item["why"]))?;
        match item["retry_at"].as_str() {
            Some(_) => writeln!(out, "; tried again at {}", text(&item["retry_at"]))?,
            None => writeln!(out)?,
        }
    }
    let profiles: Vec<Vec<String>> = list("profiles").iter().map(profile).collect();
    if profiles.is_empty() {
        writeln!(out, "there are no profiles; make one with `provost plan FILE`")?;
    } else {
        writeln!(out)?;
        grid(out, &["PROFILE", "MEANS IT", "WHY NOT"], &profiles)?;
    }
    for path in list("unread") {
        writeln!(out, "never read: {}", text(&path))?;
    }
    for problem in list("problems") {
        writeln!(out, "cannot be told: {}", text(&problem))?;
    }
    Ok(())
}

/// An item, and below it those whom somebody stronger overrides.
fn rows(item: &Value) -> Vec<Vec<String>> {
    let said = item["said"].as_array().cloned().unwrap_or_default();
    let counts = said.iter().rev().find(|said| said["overridden"] == false);
    let cell = |key: &str| match &item[key] {
        Value::Null => "-".to_owned(),
        value => text(value),
    };
    let mut rows = vec![vec![
        text(&item["path"]),
        text(&item["state"]),
        text(&item["wanted"]),
        cell("found"),
        cell("read_at"),
        counts.map(source).unwrap_or_default(),
    ]];
    for weaker in said.iter().rev().filter(|said| said["overridden"] == true) {
        let by = format!("{}, overridden", source(weaker));
        let nothing = String::new;
        rows.push(vec![nothing(), nothing(), text(&weaker["value"]), nothing(), nothing(), by]);
    }
    rows
}

fn profile(profile: &Value) -> Vec<String> {
    let name = format!("{}@{}", text(&profile["name"]), number(&profile["version"]));
    let means = if profile["matches"] == true { "yes" } else { "no" };
    vec![name, means.to_owned(), text(&profile["reason"])]
}
