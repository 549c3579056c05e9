//! `provost bulk`: the same change over many devices.

use std::time::Duration;

use axum::http::Method;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, encode};
use super::device::rpc;
use super::list::{Listing, pages};
use super::output::{Column, Output, cell};
use super::which::Which;

/// How often a change that is watched is looked at.
const LOOK: Duration = Duration::from_secs(1);

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("ACTION", "action"),
    ("TASK", "task"),
    ("STATE", "state"),
    ("TOTAL", "total"),
    ("DONE", "done"),
    ("FAILED", "failed"),
    ("LEFT OUT", "left_out"),
    ("MADE", "created_at"),
    ("BY", "created_by"),
];

/// Which devices, and whether to go on.
#[derive(Debug, clap::Args)]
pub(super) struct Meant {
    #[command(flatten)]
    which: Which,
    /// This device; may be repeated, in place of conditions
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// All devices, where no condition is given
    #[arg(long)]
    all: bool,
    /// Only tell how many there are, and the first of them
    #[arg(long)]
    dry_run: bool,
    /// Go on; without it the number of devices is told and nothing is done
    #[arg(long)]
    yes: bool,
    /// Do not wait until it is over
    #[arg(long)]
    no_wait: bool,
}

/// The same change over many devices, which goes on by itself
#[derive(Debug, Subcommand)]
pub(super) enum BulkCommand {
    /// Ask something of each device
    Task {
        /// The action, as docs/API.md names it
        action: String,
        /// Its fields, each NAME=VALUE; a value that is JSON is taken as such
        #[arg(value_name = "NAME=VALUE")]
        fields: Vec<String>,
        /// Do not wake the devices: they do it when they come by themselves
        #[arg(long)]
        no_wake: bool,
        #[command(flatten)]
        meant: Box<Meant>,
    },
    /// Change the labels of each device, as a JSON body of PATCH /devices/{id}
    Label {
        /// As in '{"add_tags": ["vip"]}'
        change: String,
        #[command(flatten)]
        meant: Box<Meant>,
    },
    /// Wake each device
    Wake {
        #[command(flatten)]
        meant: Box<Meant>,
    },
    /// Forget each device with all that is known of it
    Forget {
        #[command(flatten)]
        meant: Box<Meant>,
    },
    /// List changes over many devices
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Tell how far a change is
    Show {
        /// The change
        id: String,
    },
    /// Let a change go no further; what was done stays done
    Cancel {
        /// The change
        id: String,
    },
}

pub(super) async fn run(
    command: BulkCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    use BulkCommand as B;
    let (action, wake, meant) = match command {
        B::Task { action, fields, no_wake, meant } => {
            (json!({"task": rpc(&action, &fields)?}), !no_wake, meant)
        }
        B::Label { change, meant } => {
            let change: Value = serde_json::from_str(&change).map_err(|_| {
                CliError::BadArgument { argument: change, problem: "write it as JSON" }
            })?;
            (json!({"labels": change}), false, meant)
        }
        B::Wake { meant } => (json!("wake"), true, meant),
        B::Forget { meant } => (json!("forget"), false, meant),
        B::List { listing } => {
            return Ok(output.list(&pages(client, "/bulk", &[], listing).await?, COLUMNS)?);
        }
        B::Show { id } => {
            return Ok(output.record(&client.get(&format!("/bulk/{}", encode(&id))).await?)?);
        }
        B::Cancel { id } => {
            let path = format!("/bulk/{}/cancel", encode(&id));
            return Ok(output.record(&client.send(Method::POST, &path, &Value::Null).await?)?);
        }
    };
    begin(action, wake, *meant, client, output).await
}

/// Asks how many there are, and for the change if it was said to go on.
async fn begin(
    action: Value,
    wake: bool,
    meant: Meant,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let query = meant.which.query();
    let mut body = json!({"action": action, "wake": wake, "dry_run": true});
    match (meant.ids.is_empty(), query.is_empty(), meant.all) {
        (false, true, false) => body["ids"] = json!(meant.ids),
        (true, false, false) | (true, true, true) => body["query"] = query.into(),
        _ => {
            return Err(CliError::BadArgument {
                argument: "--all".to_owned(),
                problem: "say which devices: by conditions, by --id, or --all of them",
            });
        }
    }
    let before = client.send(Method::POST, "/bulk", &body).await?;
    if meant.dry_run {
        return Ok(output.record(&before)?);
    }
    if !meant.yes {
        let told = format!("{} devices are meant; say --yes to go on", cell(&before["total"]));
        return Ok(output.said(&before, &told)?);
    }
    body["dry_run"] = json!(false);
    body["expected"] = before["total"].clone();
    let mut bulk = client.send(Method::POST, "/bulk", &body).await?;
    if !meant.no_wait {
        bulk = watch(bulk, client).await?;
    }
    let failed = bulk["failed"].as_u64().unwrap_or_default();
    output.record(&bulk)?;
    match failed {
        0 if bulk["state"] == "stopped" => Err(CliError::BulkStopped {
            why: bulk["stopped"].as_str().unwrap_or_default().to_owned(),
        }),
        0 => Ok(()),
        failed => Err(CliError::BulkFailed { failed, total: bulk["total"].as_u64().unwrap_or(0) }),
    }
}

/// Looks at a change until it is over.
async fn watch(mut bulk: Value, client: &Client) -> Result<Value, CliError> {
    let path = format!("/bulk/{}", bulk["id"].as_str().unwrap_or_default());
    let bar = ProgressBar::new(bulk["total"].as_u64().unwrap_or_default());
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} devices, {eta} left {msg}");
    let bar = match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    };
    while bulk["state"] == "running" {
        tokio::time::sleep(LOOK).await;
        bulk = client.get(&path).await?;
        let count = |key: &str| bulk[key].as_u64().unwrap_or_default();
        bar.set_position(count("done") + count("failed") + count("left_out"));
        if count("failed") > 0 {
            bar.set_message(format!("{} failed", count("failed")));
        }
    }
    bar.finish_and_clear();
    Ok(bulk)
}
