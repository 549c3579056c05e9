//! `provost file`: firmware and other files for devices.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output, bytes_bar};

const COLUMNS: &[Column] = &[
    ("SHA-256", "sha256"),
    ("NAME", "name"),
    ("SIZE", "size"),
    ("TYPE", "type"),
    ("VERSION", "version"),
    ("UPLOADED", "uploaded_at"),
    ("FROM", "from"),
];

/// Files: firmware and other files for devices
#[derive(Debug, Subcommand)]
pub(super) enum FileCommand {
    /// List files
    List {
        /// Only what this device sent; `operator` or `devices` for all of theirs
        #[arg(long, value_name = "ID")]
        from: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Upload a file
    Add {
        /// The file
        path: PathBuf,
        /// Its name for devices; the file's own if not given
        #[arg(long)]
        name: Option<String>,
        /// FileType as the standard spells it
        #[arg(long = "type", default_value = "1 Firmware Upgrade Image", value_name = "TYPE")]
        kind: String,
        /// The software version that it brings
        #[arg(long)]
        version: Option<String>,
        /// What it must hash to
        #[arg(long, value_name = "HEX")]
        sha256: Option<String>,
        /// The tenant whose it is to be
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Fetch a file's content
    Get {
        /// Its SHA-256, or its name if only one file has it
        file: String,
        /// Where to write it; a file that is there is replaced
        to: PathBuf,
    },
    /// Remove a file
    Remove {
        /// Its SHA-256, or its name if only one file has it
        file: String,
    },
}

pub(super) async fn run(
    command: FileCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        FileCommand::List { from, listing } => {
            let files = pages(client, "/files", &[("from", from)], listing).await?;
            Ok(output.list(&files, COLUMNS)?)
        }
        FileCommand::Get { file, to } => {
            let sha256 = hash_of(client, file).await?;
            let path = format!("/files/{}/content", encode(&sha256));
            let bar = bytes_bar(&to.to_string_lossy());
            let size = client.download(&path, &to, bar.clone()).await;
            bar.finish_and_clear();
            let answer = json!({"sha256": sha256, "size": size?});
            Ok(output.said(&answer, &format!("{sha256} lies in {}", to.display()))?)
        }
        FileCommand::Add { path, name, kind, version, sha256, tenant } => {
            let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.or(own).unwrap_or_default();
            let mut query = format!("?name={}&type={}", encode(&name), encode(&kind));
            for (key, value) in [("version", version), ("sha256", sha256), ("tenant", tenant)] {
                if let Some(value) = value {
                    query.push_str(&format!("&{key}={}", encode(&value)));
                }
            }
            let bar = bytes_bar(&name);
            let file = client.upload(&format!("/files{query}"), &path, bar.clone()).await;
            bar.finish_and_clear();
            Ok(output.record(&file?)?)
        }
        FileCommand::Remove { file } => {
            let sha256 = hash_of(client, file).await?;
            let answer = client.delete(&format!("/files/{}", encode(&sha256))).await?;
            Ok(output.said(&answer, &format!("{sha256} is removed"))?)
        }
    }
}

/// The SHA-256 of a file that is named by it, or by a name that only it has.
pub(super) async fn hash_of(client: &Client, file: String) -> Result<String, CliError> {
    if file.len() == 64 && file.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(file.to_ascii_lowercase());
    }
    let files = pages(client, "/files", &[], Listing::ALL).await?;
    let mut named = files["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|item| item["name"].as_str() == Some(&file))
        .filter_map(|item: &Value| item["sha256"].as_str());
    let problem = match (named.next(), named.next()) {
        (Some(sha256), None) => return Ok(sha256.to_owned()),
        (Some(_), Some(_)) => "several files have this name; say which by SHA-256",
        (None, _) => "no file has this name; see `provost file list`",
    };
    Err(CliError::BadArgument { argument: clean(&file), problem })
}
