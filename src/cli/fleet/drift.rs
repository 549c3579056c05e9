//! `provost drift`: devices that are not as they are wanted.

use serde_json::{Value, json};

use super::super::CliError;
use super::super::client::Client;
use super::super::list::{Listing, pages};
use super::super::output::{Output, grid};
use super::super::task::{self, Waiting};
use super::{number, source, text};

/// List devices that are not as they are wanted: in what, and since when
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DriftArgs {
    /// Only what this profile wants
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Only this parameter, or all below this object with its trailing dot
    #[arg(long)]
    path: Option<String>,
    /// Only devices that are repairing, waiting or held
    #[arg(long)]
    state: Option<String>,
    /// Only devices that had what is wanted, and strayed from it
    #[arg(long)]
    strayed: bool,
    /// Only what differs since this time or longer (RFC 3339)
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(in crate::cli) async fn drift(
    args: DriftArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let filters = [
        ("profile", args.profile),
        ("path", args.path),
        ("state", args.state),
        ("strayed", args.strayed.then(|| "true".to_owned())),
        ("before", args.before),
    ];
    let found = pages(client, "/drift", &filters, args.listing).await?;
    output.print(&found, |out, found| {
        let items = found["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            return writeln!(out, "every device is as it is wanted, as far as that is known");
        }
        let rows: Vec<Vec<String>> = items.iter().flat_map(rows).collect();
        grid(out, &["DEVICE", "STATE", "PATH", "WANTED", "FOUND", "SINCE", "BY"], &rows)?;
        for item in items.iter().filter(|item| item["why"] != "") {
            writeln!(out, "{}: {}", text(&item["device"]), text(&item["why"]))?;
        }
        if !found["next"].is_null() {
            writeln!(out, "… and more; see --limit")?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Brings a device to what is wanted of it now.
pub(in crate::cli) async fn repair(
    device: &str,
    wake: bool,
    waiting: Waiting,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let task = task::ask_at(client, device, "apply", &json!({"wake": wake}), waiting).await?;
    if waiting.no_wait() { task::queued(&task, output) } else { task::report(&task, output) }
}

/// One row for each thing that differs; one at least.
fn rows(item: &Value) -> Vec<Vec<String>> {
    let mut drifts = item["drifts"].as_array().cloned().unwrap_or_default();
    if let Some(version) = item["firmware"]["version"].as_str() {
        drifts.push(json!({"path": "firmware", "wanted": version, "since": item["at"]}));
    }
    if drifts.is_empty() {
        drifts.push(json!({"since": item["at"]}));
    }
    let row = |drift: &Value| {
        let found = if drift["found"].is_null() { "-".to_owned() } else { text(&drift["found"]) };
        let by = if number(&drift["version"]) == 0 { String::new() } else { source(drift) };
        vec![
            text(&item["device"]),
            text(&item["state"]),
            text(&drift["path"]),
            text(&drift["wanted"]),
            found,
            text(&drift["since"]),
            by,
        ]
    };
    drifts.iter().map(row).collect()
}
