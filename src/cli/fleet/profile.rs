//! `provost profile`: what is wanted of devices, by rules over the fleet.

use std::io::{self, Write};
use std::path::PathBuf;

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use super::super::CliError;
use super::super::client::{Client, clean, encode};
use super::super::list::{Listing, pages};
use super::super::output::{Column, Output};
use super::{faults, number, read, text};

const PROFILES: &[Column] = &[
    ("NAME", "name"),
    ("VERSION", "version"),
    ("IN FORCE", "enabled"),
    ("SINCE", "at"),
    ("BY", "by"),
    ("WHY", "why"),
];

const VERSIONS: &[Column] =
    &[("VERSION", "version"), ("IN FORCE", "enabled"), ("AT", "at"), ("BY", "by"), ("WHY", "why")];

/// Profiles: what is wanted of devices, by rules over the fleet
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ProfileCommand {
    /// List the profiles
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Print a profile as a file that `profile put` takes; secrets are masked
    Show {
        /// The profile
        name: String,
        /// An older version
        #[arg(long, value_name = "N")]
        version: Option<u32>,
    },
    /// Make or change a profile at once; `provost plan` tells before what it would do
    Put {
        /// The profile in TOML, or JSON if it ends in .json; `-` reads stdin
        file: PathBuf,
        /// Its name, if neither the file nor its name says so
        #[arg(long)]
        name: Option<String>,
        /// Do not put it in force
        #[arg(long)]
        disabled: bool,
        /// Take parameters that no data model knows, and values that they would not take
        #[arg(long)]
        unchecked: bool,
        /// Why
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
    /// List the versions of a profile: when, who, why
    History {
        /// The profile
        name: String,
        #[command(flatten)]
        listing: Listing,
    },
    /// Go back to what an older version says
    Rollback {
        /// The profile
        name: String,
        /// The version
        version: u32,
        /// Why
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
    /// Put a profile in force
    Enable {
        /// The profile
        name: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
    /// Take a profile out of force; it wants nothing then
    Disable {
        /// The profile
        name: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
    /// Forget a profile with all its versions; devices stay as they are
    Remove {
        /// The profile
        name: String,
    },
}

pub(in crate::cli) async fn run(
    command: ProfileCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        ProfileCommand::List { listing } => {
            let profiles = pages(client, "/profiles", &[], listing).await?;
            Ok(output.list(&profiles, PROFILES)?)
        }
        ProfileCommand::Show { name, version } => {
            let mut path = at(&name);
            if let Some(version) = version {
                path.push_str(&format!("/versions/{version}"));
            }
            let profile = client.get(&path).await?;
            Ok(output.print(&profile, as_file)?)
        }
        ProfileCommand::Put { file, name, disabled, unchecked, why } => {
            let (name, profile) = read::profile(&file, name)?;
            let mut body = json!({"profile": profile, "unchecked": unchecked, "why": why});
            if disabled {
                body["enabled"] = false.into();
            }
            let answer = client.send(Method::PUT, &at(&name), &body).await;
            let answer = told(answer, output)?;
            said(&answer, output)
        }
        ProfileCommand::History { name, listing } => {
            let versions = pages(client, &format!("{}/versions", at(&name)), &[], listing).await?;
            Ok(output.list(&versions, VERSIONS)?)
        }
        ProfileCommand::Rollback { name, version, why } => {
            let body = json!({"version": version, "why": why});
            let answer =
                client.send(Method::POST, &format!("{}/rollback", at(&name)), &body).await?;
            said(&answer, output)
        }
        ProfileCommand::Enable { name, why } => {
            let path = format!("{}/enable", at(&name));
            said(&client.send(Method::POST, &path, &json!({"why": why})).await?, output)
        }
        ProfileCommand::Disable { name, why } => {
            let path = format!("{}/disable", at(&name));
            said(&client.send(Method::POST, &path, &json!({"why": why})).await?, output)
        }
        ProfileCommand::Remove { name } => {
            let answer = client.delete(&at(&name)).await?;
            Ok(output.said(&answer, &format!("profile {} is forgotten", clean(&name)))?)
        }
    }
}

fn at(name: &str) -> String {
    format!("/profiles/{}", encode(name))
}

fn said(answer: &Value, output: &mut Output<'_>) -> Result<(), CliError> {
    let force = if answer["enabled"] == true { "in force" } else { "not in force" };
    let (name, version) = (text(&answer["name"]), number(&answer["version"]));
    Ok(output.said(answer, &format!("profile {name} has version {version} and is {force}"))?)
}

/// An answer; if it was refused for faults, all of them are printed first.
pub(super) fn told(
    answer: Result<Value, CliError>,
    output: &mut Output<'_>,
) -> Result<Value, CliError> {
    match answer {
        Err(CliError::Refused { class, detail, hint, faults: wrong }) => {
            if wrong.len() > 1 && !output.json {
                faults(output.out, &wrong)?;
            } else if output.json && !wrong.is_empty() {
                output.print(&json!({"errors": wrong}), |_, _| Ok(()))?;
            }
            Err(CliError::Refused { class, detail, hint, faults: wrong })
        }
        answer => answer,
    }
}

/// A profile as a file, with what is known of it as a remark.
fn as_file(out: &mut dyn Write, answer: &Value) -> io::Result<()> {
    let force = if answer["enabled"] == true { "in force" } else { "not in force" };
    let (at, by) = (text(&answer["at"]), text(&answer["by"]));
    writeln!(out, "# version {}, {force}; {at} by {by}", number(&answer["version"]))?;
    let why = text(&answer["why"]);
    if !why.is_empty() {
        writeln!(out, "# {why}")?;
    }
    writeln!(out, "name = {}", toml::Value::from(text(&answer["name"])))?;
    if answer["enabled"] == false {
        writeln!(out, "enabled = false")?;
    }
    match toml::to_string(&answer["profile"]) {
        // TOML escapes what could steer a terminal but what is beyond ASCII.
        Ok(profile) => {
            let safe =
                |letter: char| if letter.is_control() && letter != '\n' { ' ' } else { letter };
            write!(out, "{}", profile.chars().map(safe).collect::<String>())
        }
        Err(_) => writeln!(out, "{:#}", answer["profile"]),
    }
}
