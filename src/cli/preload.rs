//! `provost preload`: devices that are known before they appear.

use std::path::PathBuf;

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::label::Labels;
use super::list::{Listing, pages};
use super::output::{Column, Output};
use super::sheet::{self, Import};

const PRELOADS: &[Column] = &[
    ("KIND", "kind"),
    ("KEY", "key"),
    ("TAGS", "tags"),
    ("TENANT", "tenant"),
    ("SITE", "site"),
    ("SUBSCRIBER", "subscriber"),
    ("TAKEN BY", "taken_by"),
];

/// Devices that are known before they appear, and what they are given then
#[derive(Debug, Subcommand)]
pub(super) enum PreloadCommand {
    /// List devices that are expected
    List {
        /// A part of the key or of what is known of the subscriber
        #[arg(long, value_name = "TEXT")]
        q: Option<String>,
        /// Only device, serial, mac or login
        #[arg(long)]
        kind: Option<String>,
        /// Only those that a device took up (true), or that none did (false)
        #[arg(long)]
        taken: Option<bool>,
        /// Only those with this tag
        #[arg(long)]
        tag: Option<String>,
        /// Only this tenant's
        #[arg(long)]
        tenant: Option<String>,
        /// Only those at this site
        #[arg(long)]
        site: Option<String>,
        /// Only this subscriber's: a value, or NAME=VALUE
        #[arg(long)]
        subscriber: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a device that is expected
    Show {
        /// device/ID, serial/NUMBER, mac/ADDRESS or login/NAME
        key: String,
    },
    /// Expect a device, or say anew what it will be given
    Put {
        /// device/ID, serial/NUMBER, mac/ADDRESS or login/NAME
        key: String,
        #[command(flatten)]
        labels: Labels,
    },
    /// Expect a device no longer
    Remove {
        /// device/ID, serial/NUMBER, mac/ADDRESS or login/NAME
        key: String,
    },
    /// Let a replacement take over what a device was given
    Move {
        /// As what the device was expected, or device/ID of one that is here
        from: String,
        /// As what its replacement is expected, or device/ID of one that is here
        to: String,
    },
    /// Take expected devices from a file: all of them, or none if anything is wrong
    Import(Import),
    /// Write expected devices into a file, as an import takes them
    Export {
        /// The file, readable for its owner only; standard output if not given
        file: Option<PathBuf>,
        /// csv or json; by the file's name if not given
        #[arg(long)]
        format: Option<String>,
        /// Write the subscribers' secrets in clear
        #[arg(long)]
        secrets: bool,
    },
}

/// The path of one.
fn of(key: &str) -> Result<String, CliError> {
    let (kind, text) = key.split_once('/').ok_or_else(|| CliError::BadArgument {
        argument: clean(key),
        problem: "write it as device/ID, serial/NUMBER, mac/ADDRESS or login/NAME",
    })?;
    Ok(format!("/preloads/{}/{}", encode(kind), encode(text)))
}

pub(super) async fn run(
    command: PreloadCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    use PreloadCommand as P;
    match command {
        P::List { q, kind, taken, tag, tenant, site, subscriber, listing } => {
            let taken = taken.map(|taken| taken.to_string());
            let filters = [
                ("q", q),
                ("kind", kind),
                ("taken", taken),
                ("tag", tag),
                ("tenant", tenant),
                ("site", site),
                ("subscriber", subscriber),
            ];
            let found = pages(client, "/preloads", &filters, listing).await?;
            Ok(output.list(&found, PRELOADS)?)
        }
        P::Show { key } => Ok(output.record(&client.get(&of(&key)?).await?)?),
        P::Put { key, labels } => {
            let body = Value::from(labels.body()?);
            Ok(output.record(&client.send(Method::PUT, &of(&key)?, &body).await?)?)
        }
        P::Remove { key } => {
            let answer = client.delete(&of(&key)?).await?;
            Ok(output.said(&answer, &format!("{} is expected no longer", clean(&key)))?)
        }
        P::Move { from, to } => {
            let body = json!({"from": from, "to": to});
            Ok(output.record(&client.send(Method::POST, "/preloads/move", &body).await?)?)
        }
        P::Import(import) => import.run("/preloads/import", "devices", client, output).await,
        P::Export { file, format, secrets } => {
            let format = sheet::format(format.as_deref(), file.as_deref(), output);
            let secrets = if secrets { "show" } else { "hide" };
            let path = format!("/preloads/export?format={}&secrets={secrets}", encode(&format));
            let text = client.text(&path).await?;
            sheet::save(&text, file.as_deref(), output)
        }
    }
}
