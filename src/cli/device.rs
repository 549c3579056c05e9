//! `provost device`: the inventory, and what is asked of one device.

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::label::Labels;
use super::list::{Listing, pages};
use super::output::{Column, Output};
use super::task::{self, Waiting};
use super::{intent, remembered, reports, seeing, which};

const PARAMETERS: &[Column] =
    &[("NAME", "name"), ("VALUE", "value"), ("TYPE", "type"), ("WRITABLE", "writable")];

/// Devices: the inventory, and what is asked of one
#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// List devices
    List(Box<which::ListArgs>),
    /// Write devices into a file, however many
    Export(Box<which::ExportArgs>),
    /// Show a device
    Show {
        /// The device id
        id: String,
    },
    /// List a device's parameters as last read
    Parameters {
        /// The device id
        id: String,
        /// Only names that begin so
        #[arg(default_value = "")]
        path: String,
        #[command(flatten)]
        listing: Listing,
    },
    /// Read parameters from the device now
    Get {
        /// The device id
        id: String,
        /// Full names, or objects with their trailing dot
        #[arg(required = true)]
        names: Vec<String>,
        /// Ask it whatever is known of its data model
        #[arg(long)]
        unchecked: bool,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Tell what a device can do, and how it stands, without a path
    Abilities {
        /// The device id
        id: String,
    },
    /// Want something of a device without a path (wifi, pppoe, vlan, …); or write
    /// parameters, all or none, and read them back
    #[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = false)]
    Set {
        /// The device id
        id: String,
        /// What to write
        #[arg(required = true, value_name = "NAME=VALUE")]
        values: Vec<String>,
        /// Ask it whatever is known of its data model
        #[arg(long)]
        unchecked: bool,
        #[command(flatten)]
        waiting: Waiting,
        #[command(subcommand)]
        wish: Option<intent::Wish>,
    },
    /// Read the tree, or a part of it, again
    Refresh {
        /// The device id
        id: String,
        /// An object with its trailing dot
        path: Option<String>,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Add a row to a table
    Add {
        /// The device id
        id: String,
        /// The table with its trailing dot
        table: String,
        /// Values of the row, by name relative to it
        #[arg(value_name = "NAME=VALUE")]
        values: Vec<String>,
        /// Ask it whatever is known of its data model
        #[arg(long)]
        unchecked: bool,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Delete a row
    Delete {
        /// The device id
        id: String,
        /// The row with its trailing dot
        row: String,
        /// Ask it whatever is known of its data model
        #[arg(long)]
        unchecked: bool,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Let a device fetch an uploaded file
    Download {
        /// The device id
        id: String,
        /// The file's SHA-256, or its name if only one file has it
        file: String,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Bring a device to what is wanted of it now, whatever was tried before
    Apply {
        /// The device id
        id: String,
        /// Do not wake it: it is brought there when it comes by itself
        #[arg(long)]
        no_wake: bool,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Ask a device to open a session, and tell what came of each way
    Wake {
        /// The device id
        id: String,
        /// Seconds to wait for a device that only datagrams lead to
        #[arg(long, default_value_t = 30, value_name = "SECONDS")]
        wait: u32,
    },
    /// Reboot a device
    Reboot {
        /// The device id
        id: String,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Set a device back to factory settings
    FactoryReset {
        /// The device id
        id: String,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Answer a device's next Inform by a redirect to another server
    Redirect {
        /// The device id
        id: String,
        /// The other server's URL
        url: String,
        /// 302 or 307
        #[arg(long, default_value_t = 307)]
        status: u16,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Ask any RPC of a device by its name in the northbound: set_attributes,
    /// get_attributes, upload, schedule_inform, schedule_download,
    /// cancel_transfer, get_all_queued_transfers, change_du_state, get_options, …
    Rpc {
        /// The device id
        id: String,
        /// The action, as docs/CWMP.md names it
        action: String,
        /// Its fields, each NAME=VALUE; a value that is JSON is taken as such
        #[arg(value_name = "NAME=VALUE")]
        fields: Vec<String>,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Let a device run a diagnostic, wait until it is complete, print its results
    Diagnose(super::diagnose::Arguments),
    /// List the gateway of a device and the devices behind it, as they say themselves
    Associations {
        /// The device id
        id: String,
    },
    /// List what happened to a device, newest first
    Events(seeing::EventArgs),
    /// Show the last sessions of a device with every RPC, newest first
    Sessions {
        /// The device id
        id: String,
        /// Sessions at most
        #[arg(long, default_value_t = 10)]
        limit: usize,
    },
    /// List what a device reported outside of sessions, newest first
    Reports {
        /// The device id
        id: String,
        /// Reports at most
        #[arg(long, default_value_t = 10)]
        limit: usize,
    },
    /// List which values changed on a device, when and by whom, newest first
    History(remembered::HistoryArgs),
    /// Compare a device at two times
    Diff(remembered::DiffArgs),
    /// Backups of a device's configuration
    #[command(subcommand)]
    Backup(remembered::BackupCommand),
    /// Bring a device back to a backup, of itself or of the device that it replaces
    Restore(remembered::RestoreArgs),
    /// Record a device's messages for a while, and tell them as a story
    Trace(seeing::TraceArgs),
    /// Write what is known of a device's tree, for `provost simulate --tree`
    ExportTree(seeing::ExportArgs),
    /// Set a device's tags, in place of those before
    Tag {
        /// The device id
        id: String,
        /// The tags; none takes all away
        tags: Vec<String>,
    },
    /// Change a device's tags, tenant, site and what is known of its subscriber
    Label {
        /// The device id
        id: String,
        #[command(flatten)]
        labels: Labels,
    },
    /// Forget a device with all that is known of it
    Forget {
        /// The device id
        id: String,
    },
}

pub(super) async fn run(
    command: DeviceCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    use DeviceCommand as D;
    let (id, body, waiting) = match command {
        D::List(args) => return which::list(*args, client, output).await,
        D::Export(args) => return which::export(*args, client, output).await,
        D::Show { id } => {
            let device = client.get(&format!("/devices/{}", encode(&id))).await?;
            return Ok(output.record(&device)?);
        }
        D::Parameters { id, path, listing } => {
            let resource = format!("/devices/{}/parameters", encode(&id));
            let found = pages(client, &resource, &[("path", Some(path))], listing).await?;
            return Ok(output.list(&found, PARAMETERS)?);
        }
        D::Diagnose(args) => return super::diagnose::run(args, client, output).await,
        D::Apply { id, no_wake, waiting } => {
            return super::fleet::repair(&id, !no_wake, waiting, client, output).await;
        }
        D::Wake { id, wait } => return super::wake::run(client, &id, wait, output).await,
        D::Associations { id } => return associations(client, &id, output).await,
        D::Events(args) => return seeing::events(args, client, output).await,
        D::Reports { id, limit } => return reports::run(&id, limit, client, output).await,
        D::Sessions { id, limit } => return seeing::sessions(&id, limit, client, output).await,
        D::History(args) => return remembered::history(args, client, output).await,
        D::Diff(args) => return remembered::diff(args, client, output).await,
        D::Backup(command) => return remembered::backup(command, client, output).await,
        D::Restore(args) => return remembered::restore(args, client, output).await,
        D::Trace(args) => return seeing::trace(args, client, output).await,
        D::ExportTree(args) => return seeing::export_tree(args, client, output).await,
        D::Tag { id, tags } => {
            let path = format!("/devices/{}", encode(&id));
            let device = client.send(Method::PATCH, &path, &json!({"tags": tags})).await?;
            return Ok(output.record(&device)?);
        }
        D::Label { id, labels } => {
            let path = format!("/devices/{}", encode(&id));
            let body = Value::from(labels.body()?);
            return Ok(output.record(&client.send(Method::PATCH, &path, &body).await?)?);
        }
        D::Forget { id } => {
            let answer = client.delete(&format!("/devices/{}", encode(&id))).await?;
            return Ok(output.said(&answer, &format!("{} is forgotten", clean(&id)))?);
        }
        D::Abilities { id } => return intent::abilities(&id, client, output).await,
        D::Set { id, wish: Some(wish), .. } => return intent::run(&id, wish, client, output).await,
        D::Get { id, names, unchecked, waiting } => {
            let body = json!({"action": "get", "names": names, "unchecked": unchecked});
            return read(client, &id, (&names, &body), waiting, output).await;
        }
        D::Set { id, values, unchecked, waiting, wish: None } => {
            let values = assignments(&values)?;
            (id, json!({"action": "set", "values": values, "unchecked": unchecked}), waiting)
        }
        D::Refresh { id, path, waiting } => {
            (id, json!({"action": "refresh", "path": path}), waiting)
        }
        D::Add { id, table, values, unchecked, waiting } => {
            let values = assignments(&values)?;
            let mut body = json!({"action": "add_object", "path": table, "values": values});
            body["unchecked"] = unchecked.into();
            (id, body, waiting)
        }
        D::Delete { id, row, unchecked, waiting } => {
            (id, json!({"action": "delete_object", "path": row, "unchecked": unchecked}), waiting)
        }
        D::Download { id, file, waiting } => {
            let sha256 = super::file::hash_of(client, file).await?;
            (id, json!({"action": "download", "file": sha256}), waiting)
        }
        D::Reboot { id, waiting } => (id, json!({"action": "reboot"}), waiting),
        D::FactoryReset { id, waiting } => (id, json!({"action": "factory_reset"}), waiting),
        D::Rpc { id, action, fields, waiting } => (id, rpc(&action, &fields)?, waiting),
        D::Redirect { id, url, status, waiting } => {
            (id, json!({"action": "redirect", "url": url, "status": status}), waiting)
        }
    };
    let asked = task::ask(client, &id, &body, waiting).await?;
    if waiting.no_wait() { task::queued(&asked, output) } else { task::report(&asked, output) }
}

/// The body for an action with its fields.
pub(super) fn rpc(action: &str, fields: &[String]) -> Result<Value, CliError> {
    let mut body = serde_json::Map::new();
    for field in fields {
        let (name, value) = field.split_once('=').ok_or_else(|| CliError::BadArgument {
            argument: field.clone(),
            problem: "write it as NAME=VALUE, as in delay=60",
        })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        body.insert(name.to_owned(), value);
    }
    body.insert("action".to_owned(), Value::from(action));
    Ok(Value::Object(body))
}

/// Reads parameters from the device, then prints what it said.
async fn read(
    client: &Client,
    id: &str,
    (names, body): (&[String], &Value),
    waiting: Waiting,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut asked = task::ask(client, id, body, waiting).await?;
    if waiting.no_wait() {
        return task::queued(&asked, output);
    }
    if task::verdict(&asked).is_err() {
        return task::report(&asked, output);
    }
    let resource = format!("/devices/{}/parameters", encode(id));
    let mut items: Vec<Value> = Vec::new();
    for name in names {
        let found = pages(client, &resource, &[("path", Some(name.clone()))], Listing::ALL).await?;
        // A full name is the beginning of others as well.
        let meant = |item: &&Value| {
            name.ends_with('.') || name.contains(['[', '*']) || item["name"] == name.as_str()
        };
        items.extend(found["items"].as_array().into_iter().flatten().filter(meant).cloned());
    }
    let found = json!({"items": items, "next": null});
    if output.json {
        asked["parameters"] = found["items"].clone();
        return task::report(&asked, output);
    }
    Ok(output.list(&found, PARAMETERS)?)
}

/// Prints the devices around a device, the gateways first.
async fn associations(client: &Client, id: &str, output: &mut Output<'_>) -> Result<(), CliError> {
    let found = client.get(&format!("/devices/{}/associations", encode(id))).await?;
    output.print(&found, |out, found| {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (side, role) in [("gateways", "gateway"), ("members", "member")] {
            for one in found[side].as_array().into_iter().flatten() {
                let cells = ["device", "kinship", "standing", "since"].map(|key| &one[key]);
                let known = if one["known"] == true { "yes" } else { "no" };
                let mut row = vec![role.to_owned()];
                row.extend(cells.iter().map(|value| super::output::cell(value)));
                row.insert(2, known.to_owned());
                rows.push(row);
            }
        }
        let headings = ["ROLE", "DEVICE", "KNOWN", "KINSHIP", "STANDING", "SINCE"];
        super::output::grid(out, &headings, &rows)
    })?;
    Ok(())
}

/// Reads `NAME=VALUE` arguments.
fn assignments(texts: &[String]) -> Result<Vec<Value>, CliError> {
    let read = |text: &String| {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = pair.ok_or_else(|| CliError::BadArgument {
            argument: text.clone(),
            problem: "write it as NAME=VALUE",
        })?;
        Ok(json!({"name": name, "value": value}))
    };
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_equals_signs_and_be_empty() {
        let read = assignments(&["A.B=x=y".to_owned(), "A.C=".to_owned()]).unwrap();
        assert_eq!(read[0], json!({"name": "A.B", "value": "x=y"}));
        assert_eq!(read[1], json!({"name": "A.C", "value": ""}));
        for bad in ["A.B", "=x", ""] {
            assert!(assignments(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
