//! `provost audit`: who changed what.

mod check;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output, bytes_bar};

const ENTRIES: &[Column] = &[
    ("NUMBER", "number"),
    ("AT", "at"),
    ("FROM", "address"),
    ("ACTION", "action"),
    ("WHAT", "sentence"),
];

/// Which entries
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Only this one's, by name
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only what was done with this token, by its id
    #[arg(long = "token-id", value_name = "ID")]
    token_id: Option<String>,
    /// Only this: task.create, or task for all about tasks
    #[arg(long, value_name = "WORD")]
    action: Option<String>,
    /// Only what was done to things of this kind: device, site, token
    #[arg(long)]
    kind: Option<String>,
    /// Only what was done to this one
    #[arg(long)]
    key: Option<String>,
    /// Only what was done to this tenant's things
    #[arg(long)]
    tenant: Option<String>,
    /// Only what one request did, by its id
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Nothing older (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Nothing newer (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl Filter {
    fn pairs(self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("actor", self.actor),
            ("token", self.token_id),
            ("action", self.action),
            ("kind", self.kind),
            ("key", self.key),
            ("tenant", self.tenant),
            ("request", self.request),
            ("since", self.since),
            ("until", self.until),
        ]
    }
}

/// See who changed what, and check that nothing of it was touched
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List entries, newest first
    List {
        #[command(flatten)]
        filter: Box<Filter>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show one entry
    Show {
        /// Its number
        number: u64,
    },
    /// Write entries into a file, oldest first
    Export {
        /// The file, readable for its owner only; standard output if not given
        file: Option<PathBuf>,
        /// ndjson or csv; by the file's name if not given
        #[arg(long)]
        format: Option<String>,
        #[command(flatten)]
        filter: Box<Filter>,
    },
    /// Check that no entry was changed, removed or slipped in
    Verify {
        /// Check an export instead, without a server
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// The export holds a part of the entries: gaps are no fault
        #[arg(long, requires = "file")]
        part: bool,
        /// An entry that was noted earlier, as `verify` told it: its number and hash
        #[arg(long, value_name = "NUMBER:HASH")]
        noted: Option<String>,
    },
}

pub(super) async fn run(
    command: AuditCommand,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        AuditCommand::List { filter, listing } => {
            let found = pages(&client()?, "/audit", &filter.pairs(), listing).await?;
            Ok(output.list(&found, ENTRIES)?)
        }
        AuditCommand::Show { number } => {
            Ok(output.record(&client()?.get(&format!("/audit/{number}")).await?)?)
        }
        AuditCommand::Export { file, format, filter } => {
            export(&client()?, file.as_deref(), format, *filter, output).await
        }
        AuditCommand::Verify { file: Some(file), part, noted } => {
            let noted = noted.as_deref().map(noted_entry).transpose()?;
            let told = check::file(&file, part, noted)?;
            verdict(&told, output)
        }
        AuditCommand::Verify { file: None, noted, .. } => {
            let query = match noted.as_deref().map(noted_entry).transpose()? {
                Some((number, hash)) => format!("?number={number}&hash={}", hex::encode(hash)),
                None => String::new(),
            };
            let told = client()?.get(&format!("/audit/verify{query}")).await?;
            verdict(&told, output)
        }
    }
}

/// The number and the hash of an entry that was noted.
fn noted_entry(text: &str) -> Result<(u64, [u8; 32]), CliError> {
    let parsed = text.split_once(':').and_then(|(number, hash)| {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hash.trim(), &mut bytes).ok()?;
        Some((number.trim().parse().ok()?, bytes))
    });
    parsed.ok_or_else(|| CliError::BadArgument {
        argument: clean(text),
        problem: "write it as NUMBER:HASH, as `provost audit verify` told it",
    })
}

/// Tells what a check found; a break ends the command as failed.
fn verdict(told: &Value, output: &mut Output<'_>) -> Result<(), CliError> {
    let sentence = match told["problem"].as_str() {
        Some(problem) => clean(problem),
        None => match (told["last"].as_u64(), told["hash"].as_str()) {
            (Some(last), Some(hash)) => {
                format!(
                    "{} entries are sound; the last one: {last}:{}",
                    told["entries"],
                    clean(hash)
                )
            }
            _ => "there are no entries".to_owned(),
        },
    };
    output.said(told, &sentence)?;
    if told["sound"].as_bool() == Some(true) { Ok(()) } else { Err(CliError::Ended(1)) }
}

async fn export(
    client: &Client,
    file: Option<&Path>,
    format: Option<String>,
    filter: Filter,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let named = file.and_then(Path::extension).is_some_and(|ending| ending == "csv");
    let format = format.unwrap_or_else(|| if named { "csv" } else { "ndjson" }.to_owned());
    let mut path = format!("/audit/export?format={}", encode(&format));
    for (key, value) in filter.pairs() {
        if let Some(value) = value {
            path.push_str(&format!("&{key}={}", encode(&value)));
        }
    }
    let Some(file) = file else {
        return Ok(output.out.write_all(&client.text(&path).await?)?);
    };
    let bar = bytes_bar("audit");
    let size = client.download(&path, file, bar.clone()).await;
    bar.finish_and_clear();
    let answer = json!({"file": file.display().to_string(), "size": size?});
    Ok(output
        .said(&answer, &format!("the audit lies in {}", clean(&file.display().to_string())))?)
}
