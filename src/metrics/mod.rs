//! What the server counts of itself, and how Prometheus reads it.
//!
//! Every metric is a static with a fixed set of series: rooms count by a place in
//! an array of atomics, which costs some nanoseconds and never allocates. No label
//! has a word from outside in it: never a device, a serial number, an address or a
//! user; methods, faults and routes are those of a table, or `other`.
//!
//! Any room may count here. What is not counted but looked at when it is asked for
//! (how full the store is, how many listeners there are) the northbound adds to the
//! text by [`gauge`].
//!
//! The crates `metrics` and `metrics-exporter-prometheus` were looked at and left:
//! they look each handle up by its labels or keep it in an `Arc`, keep histograms as
//! lists until somebody asks, and bring a dozen crates for what stands here in
//! `family` and `histogram`.

mod family;
mod histogram;
mod process;
mod routes;
mod table;

pub use family::Family;
pub use histogram::Histogram;
pub use process::began;
pub use routes::route_answered;
pub use table::{
    ACTIONS, BYTES, COMMIT_SECONDS, COMMITS, CONNECTIONS, CONNECTIONS_OPEN, DELIVERIES,
    DELIVERY_SECONDS, Direction, Door, FAULTS, FILE_VERSIONS, GROUP_BATCHES, JOURNAL_SYNC_SECONDS,
    JOURNAL_WRITTEN, NEWS, NORTHBOUND_SECONDS, Occasion, PHONE_FILES, PHONE_REFUSALS, QUEUE,
    REFUSALS, RELOADS, REQUESTS, RPCS, Reason, SESSION_SECONDS, SESSIONS, SESSIONS_LIVE,
    SNAPSHOT_SECONDS, SessionEnd, TASKS_ENDED, TASKS_OPEN, TLS_HANDSHAKES, WAKES,
};

use std::fmt::Write as _;

/// One metric with all its series.
pub trait Metric: Sync {
    /// Appends it in the text format of Prometheus.
    fn write(&self, out: &mut String);
}

/// Everything that is counted, in the text format of Prometheus, version 0.0.4.
pub fn render() -> String {
    let mut out = String::with_capacity(16 << 10);
    for metric in table::ALL {
        metric.write(&mut out);
    }
    routes::write(&mut out);
    process::write(&mut out);
    out
}

/// Appends a value that is looked at and not counted.
pub fn gauge(out: &mut String, name: &str, help: &str, value: f64) {
    head(out, name, help, "gauge");
    let _ = writeln!(out, "{name} {value}");
}

/// Appends what stands before the series of a metric.
fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_metric_is_told_once_with_its_help_and_by_the_rules_of_names() {
        let text = render();
        let mut names = BTreeSet::new();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("# TYPE ") else { continue };
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            assert!(text.contains(&format!("# HELP {name} ")), "{name}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
            assert!(name.starts_with("provost_") || name.starts_with("process_"), "{name}");
        }
        assert!(names.len() > 30, "{names:?}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = series.split('{').next().unwrap();
            let stem = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(names.contains(name) || names.contains(stem.unwrap_or_default()), "{line}");
        }
    }

    #[test]
    fn every_action_of_a_task_has_a_series_of_its_own() {
        // The words as they stand in the source: a new action that is not in the
        // table would be counted as `other`.
        let source = include_str!("../device/task.rs");
        let words = source.split("impl Action {").nth(1).unwrap().split("\n    }").next().unwrap();
        let mut count = 0;
        for word in words.lines().filter_map(|line| line.split_once("=> \"")) {
            let word = word.1.trim_end_matches("\",");
            assert!(ACTIONS.contains(&word), "{word} is not in metrics::ACTIONS");
            count += 1;
        }
        assert_eq!(count + 1, ACTIONS.len(), "and `other`");
    }
}
