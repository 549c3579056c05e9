//! `provost key`: the keys with which secrets are sealed at rest.

use axum::http::Method;
use clap::Subcommand;
use serde_json::json;

use super::CliError;
use super::client::{Client, clean, encode};
use super::output::{Column, Output};

const KEYS: &[Column] = &[
    ("ID", "id"),
    ("NUMBER", "number"),
    ("SEALS", "current"),
    ("DERIVES", "derives"),
    ("IN USE", "seals"),
];

/// The keys with which secrets are sealed at rest
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// List the keys, and how far the sealing anew is
    List,
    /// Make a new key and seal all secrets anew with it
    Rotate {
        /// Derive links, addresses and accounts from it as well, from the next start
        /// on: what was given out before is then no longer good
        #[arg(long)]
        derived: bool,
    },
    /// Remove a key with which nothing is sealed any more
    Retire {
        /// Its id
        id: String,
    },
}

pub(super) async fn run(
    command: KeyCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        KeyCommand::List => {
            let keys = client.get("/keys").await?;
            output.list(&keys, KEYS)?;
            let walk = &keys["walk"];
            if !output.json && walk["running"].as_bool() == Some(true) {
                writeln!(
                    output.out,
                    "sealing anew: {} of {} records so far",
                    walk["resealed"], walk["looked"]
                )?;
            }
            if let Some(problem) = walk["problem"].as_str().filter(|_| !output.json) {
                writeln!(output.out, "{}", clean(problem))?;
            }
            Ok(())
        }
        KeyCommand::Rotate { derived } => {
            let body = json!({"derived": derived});
            let keys = client.send(Method::POST, "/keys/rotate", &body).await?;
            let current = keys["items"].as_array().and_then(|keys| keys.last());
            let id = current.and_then(|key| key["id"].as_str()).unwrap_or_default();
            let said = format!(
                "the key {} seals from now on; `provost key list` tells when nothing needs the others",
                clean(id)
            );
            Ok(output.said(&keys, &said)?)
        }
        KeyCommand::Retire { id } => {
            let answer = client.delete(&format!("/keys/{}", encode(&id))).await?;
            Ok(output.said(&answer, &format!("the key {} is removed", clean(&id)))?)
        }
    }
}
