//! `provost phone` and `provost site`: what is provisioned by file.

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output};

const PHONES: &[Column] = &[
    ("MAC", "mac"),
    ("VENDOR", "vendor"),
    ("MODEL", "model"),
    ("SITE", "site"),
    ("KEY", "config_key"),
    ("REVISION", "revision"),
];

const SITES: &[Column] = &[
    ("NAME", "name"),
    ("KEY", "common_key"),
    ("PLAIN SECRETS", "plain_secrets"),
    ("REVISION", "revision"),
];

/// Phones that are provisioned by file
#[derive(Debug, Subcommand)]
pub(super) enum PhoneCommand {
    /// List phones
    List {
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
        /// The model as the vendor names it; needed for a new phone
        #[arg(long)]
        model: Option<String>,
        /// The site it stands at
        #[arg(long)]
        site: Option<String>,
        /// The key for its own file, 64 hex digits; `-` reads it from stdin
        #[arg(long, value_name = "HEX")]
        config_key: Option<String>,
        /// A setting in the vendor's own keys; may be repeated, and takes the
        /// place of all settings before
        #[arg(long = "setting", value_name = "MODULE/Key=VALUE")]
        settings: Vec<String>,
    },
    /// Set the account of a line
    Account {
        /// The hardware address
        mac: String,
        /// The line, from 1
        line: u8,
        /// The SIP user
        #[arg(long)]
        user: String,
        /// The registrar's host name or address
        #[arg(long)]
        sip_server: String,
        /// The registrar's port
        #[arg(long)]
        port: Option<u16>,
        /// The user name for authentication; the SIP user if not given
        #[arg(long)]
        auth_user: Option<String>,
        /// The password; `-` reads it from stdin; what is stored if not given
        #[arg(long)]
        password: Option<String>,
        /// The display name
        #[arg(long)]
        display_name: Option<String>,
    },
    /// Show a phone's provisioning URL, token included
    Url {
        /// The hardware address
        mac: String,
    },
    /// Forget a phone
    Remove {
        /// The hardware address
        mac: String,
    },
}

/// Places whose phones share settings
#[derive(Debug, Subcommand)]
pub(super) enum SiteCommand {
    /// List sites
    List,
    /// Show a site
    Show {
        /// The site
        name: String,
    },
    /// Make a site, or change one
    Set {
        /// The site
        name: String,
        /// The key for common files, 64 hex digits; `-` reads it from stdin
        #[arg(long, value_name = "HEX")]
        common_key: Option<String>,
        /// A setting for all its phones; may be repeated, and takes the place
        /// of all settings before
        #[arg(long = "setting", value_name = "MODULE/Key=VALUE")]
        settings: Vec<String>,
        /// Whether secrets may leave over plain HTTP in unencrypted files
        #[arg(long, value_name = "BOOL")]
        plain_secrets: Option<bool>,
    },
}

pub(super) async fn run(
    command: PhoneCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let of = |mac: &str| format!("/phones/{}", encode(mac));
    match command {
        PhoneCommand::List { listing } => {
            let phones = pages(client, "/phones", &[], listing).await?;
            Ok(output.list(&phones, PHONES)?)
        }
        PhoneCommand::Show { mac } => Ok(output.record(&client.get(&of(&mac)).await?)?),
        PhoneCommand::Add { mac, model, site, config_key, settings } => {
            let mut body = Map::new();
            put(&mut body, "model", model);
            put(&mut body, "site", site);
            put(&mut body, "config_key", config_key.map(secret).transpose()?);
            put(&mut body, "settings", read_settings(&settings)?);
            let phone = client.send(Method::PUT, &of(&mac), &body.into()).await?;
            Ok(output.record(&phone)?)
        }
        PhoneCommand::Account {
            mac,
            line,
            user,
            sip_server,
            port,
            auth_user,
            password,
            display_name,
        } => {
            let mut body = Map::new();
            put(&mut body, "user", Some(user));
            put(&mut body, "server", Some(sip_server));
            put(&mut body, "port", port);
            put(&mut body, "auth_user", auth_user);
            put(&mut body, "password", password.map(secret).transpose()?);
            put(&mut body, "display_name", display_name);
            let path = format!("{}/accounts/{line}", of(&mac));
            let phone = client.send(Method::PUT, &path, &body.into()).await?;
            Ok(output.record(&phone)?)
        }
        PhoneCommand::Url { mac } => {
            let urls = client.get(&format!("{}/url", of(&mac))).await?;
            let url = clean(urls["url"].as_str().unwrap_or_default());
            Ok(output.said(&urls, &url)?)
        }
        PhoneCommand::Remove { mac } => {
            let answer = client.delete(&of(&mac)).await?;
            Ok(output.said(&answer, &format!("{} is forgotten", clean(&mac)))?)
        }
    }
}

pub(super) async fn run_site(
    command: SiteCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        SiteCommand::List => Ok(output.list(&client.get("/sites").await?, SITES)?),
        SiteCommand::Show { name } => {
            Ok(output.record(&client.get(&format!("/sites/{}", encode(&name))).await?)?)
        }
        SiteCommand::Set { name, common_key, settings, plain_secrets } => {
            let mut body = Map::new();
            put(&mut body, "common_key", common_key.map(secret).transpose()?);
            put(&mut body, "settings", read_settings(&settings)?);
            put(&mut body, "plain_secrets", plain_secrets);
            let path = format!("/sites/{}", encode(&name));
            let site = client.send(Method::PUT, &path, &body.into()).await?;
            Ok(output.record(&site)?)
        }
    }
}

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
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
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
            problem: "write it as MODULE/Key=VALUE",
        })?;
        settings.insert(key.to_owned(), json!(value));
    }
    Ok(Some(settings.into()))
}
