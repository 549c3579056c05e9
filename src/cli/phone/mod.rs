//! `provost phone`, `provost site` and `provost layer`: what is provisioned by
//! file.

mod arguments;
mod files;
mod layer;
mod site;

pub(super) use layer::{LayerCommand, run as run_layer};
pub(super) use site::{SiteCommand, run as run_site};

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Map, Value};

use self::arguments::{AccountArguments, ChangeArguments, KeyArguments};
use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output};
use super::sheet::Import;

const PHONES: &[Column] = &[
    ("MAC", "mac"),
    ("VENDOR", "vendor"),
    ("MODEL", "model"),
    ("SITE", "site"),
    ("ENABLED", "enabled"),
    ("KEY", "config_key"),
    ("REVISION", "revision"),
];

const FETCHES: &[Column] = &[
    ("AT", "at"),
    ("FROM", "address"),
    ("DOOR", "door"),
    ("FILE", "file"),
    ("VERSION", "version"),
    ("ENDED", "ended"),
    ("BYTES", "bytes"),
    ("WHY", "reason"),
];

const FILES: &[Column] = &[("NAME", "name"), ("KIND", "kind")];

/// Phones that are provisioned by file
#[derive(Debug, Subcommand)]
pub(super) enum PhoneCommand {
    /// List phones
    List {
        /// Only this vendor's
        #[arg(long)]
        vendor: Option<String>,
        /// Only those at this site
        #[arg(long)]
        site: Option<String>,
        /// Only this model
        #[arg(long)]
        model: Option<String>,
        /// Only those with this in MAC, model, names or accounts
        #[arg(long, value_name = "TEXT")]
        q: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a phone
    Show {
        /// The hardware address
        mac: String,
    },
    /// Make a phone known, or change one
    Add {
        /// The hardware address
        mac: String,
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Set the account of a line, or take it away
    Account(AccountArguments),
    /// Set a programmable key, or take it away
    Key(KeyArguments),
    /// List the files that a phone asks for
    Files {
        /// The hardware address
        mac: String,
    },
    /// Show a file as the phone would get it now
    Render(files::Render),
    /// Show what a change would change in a phone's file, or compare two phones
    Diff(files::Diff),
    /// Tell a phone to fetch its files
    Resync(files::Resync),
    /// Open a phone's first-fetch lock for one more fetch without its token
    Unlock {
        /// The hardware address
        mac: String,
    },
    /// Renew the token in a phone's provisioning URL
    Token {
        /// The hardware address
        mac: String,
    },
    /// Show what a phone fetched, and its first-fetch lock
    Fetches {
        /// The hardware address
        mac: String,
    },
    /// Show a phone's provisioning URL, token included
    Url {
        /// The hardware address
        mac: String,
    },
    /// Take phones from a file: all of them, or none if anything is wrong
    /// Take phones from a file: all of them, or none if anything is wrong
    Import(Import),
    /// Write phones into a file, as an import takes them
    Export(files::Export),
    /// Forget a phone
    Remove {
        /// The hardware address
        mac: String,
    },
}

/// The path of a phone.
fn of(mac: &str) -> String {
    format!("/phones/{}", encode(mac))
}

pub(super) async fn run(
    command: PhoneCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        PhoneCommand::List { vendor, site, model, q, listing } => {
            let filters = [("vendor", vendor), ("site", site), ("model", model), ("q", q)];
            let phones = pages(client, "/phones", &filters, listing).await?;
            Ok(output.list(&phones, PHONES)?)
        }
        PhoneCommand::Show { mac } => Ok(output.record(&client.get(&of(&mac)).await?)?),
        PhoneCommand::Add { mac, change } => {
            let body = change.body()?;
            Ok(output.record(&client.send(Method::PUT, &of(&mac), &body).await?)?)
        }
        PhoneCommand::Account(account) => account.run(client, output).await,
        PhoneCommand::Key(key) => key.run(client, output).await,
        PhoneCommand::Files { mac } => {
            Ok(output.list(&client.get(&format!("{}/files", of(&mac))).await?, FILES)?)
        }
        PhoneCommand::Render(render) => render.run(client, output).await,
        PhoneCommand::Diff(diff) => diff.run(client, output).await,
        PhoneCommand::Resync(resync) => resync.run(client, output).await,
        PhoneCommand::Unlock { mac } => {
            let path = format!("{}/unlock", of(&mac));
            let phone = client.send(Method::POST, &path, &Value::Null).await?;
            let sentence =
                format!("{} may fetch its file once more without its token", clean(&mac));
            Ok(output.said(&phone, &sentence)?)
        }
        PhoneCommand::Token { mac } => {
            let path = format!("{}/token", of(&mac));
            let urls = client.send(Method::POST, &path, &Value::Null).await?;
            Ok(output.said(&urls, &clean(urls["url"].as_str().unwrap_or_default()))?)
        }
        PhoneCommand::Fetches { mac } => fetches(&mac, client, output).await,
        PhoneCommand::Url { mac } => {
            let urls = client.get(&format!("{}/url", of(&mac))).await?;
            Ok(output.said(&urls, &clean(urls["url"].as_str().unwrap_or_default()))?)
        }
        PhoneCommand::Import(import) => {
            import.run("/phones/import", "phones", client, output).await
        }
        PhoneCommand::Export(export) => export.run(client, output).await,
        PhoneCommand::Remove { mac } => {
            let answer = client.delete(&of(&mac)).await?;
            Ok(output.said(&answer, &format!("{} is forgotten", clean(&mac)))?)
        }
    }
}

async fn fetches(mac: &str, client: &Client, output: &mut Output<'_>) -> Result<(), CliError> {
    let fetches = client.get(&format!("{}/fetches", of(mac))).await?;
    output.list(&fetches, FETCHES)?;
    if !output.json {
        let lock = &fetches["lock"];
        let sentence = match lock["closed"].as_bool() {
            Some(true) => format!(
                "the first-fetch lock was closed by {} at {}",
                clean(lock["closed_by"].as_str().unwrap_or("somebody")),
                clean(lock["closed_at"].as_str().unwrap_or("some time"))
            ),
            _ => "the first-fetch lock is open".to_owned(),
        };
        writeln!(output.out, "{sentence}")?;
    }
    Ok(())
}

/// Puts a field into a body if it was given.
fn put(body: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(key.to_owned(), value.into());
    }
}

/// A secret from the command line, or for `-` the first line of stdin, where no
/// list of processes shows it.
fn secret(argument: String) -> Result<String, CliError> {
    if argument != "-" {
        return Ok(argument);
    }
    Ok(crate::cli::secret::read("secret")?)
}

/// Settings as an object; none if there are none, which leaves them alone.
fn read_settings(texts: &[String]) -> Result<Option<Value>, CliError> {
    if texts.is_empty() {
        return Ok(None);
    }
    let mut settings = Map::new();
    for text in texts {
        let (key, value) = text.split_once('=').ok_or_else(|| CliError::BadArgument {
            argument: clean(text),
            problem: "write it as NAME=VALUE",
        })?;
        settings.insert(key.to_owned(), Value::from(value));
    }
    Ok(Some(settings.into()))
}
