//! `provost device history`, `diff`, `backup` and `restore`: what a device was,
//! and how to get back to it.

use std::io::{self, Write};

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::output::{Column, Output, cell, grid};
use super::task::{self, Waiting};

const BACKUPS: &[Column] = &[
    ("ID", "id"),
    ("AT", "at"),
    ("BY", "by"),
    ("SOFTWARE", "software_version"),
    ("PARAMETERS", "parameters"),
    ("ROWS", "rows"),
    ("WHY", "why"),
];

/// Arguments of `provost device history`.
#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    /// The device id
    id: String,
    /// Only names that begin so; `*` stands for all rows
    #[arg(default_value = "")]
    path: String,
    /// Only changes since (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only changes before (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Changes at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Arguments of `provost device diff`.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// The device id
    id: String,
    /// The first time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: String,
    /// The second time; now if it is not given
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only names that begin so; `*` stands for all rows
    #[arg(default_value = "")]
    path: String,
}

/// Backups of a device's configuration
#[derive(Debug, Subcommand)]
pub(super) enum BackupCommand {
    /// Keep what can be written on a device, as it was last read
    Take {
        /// The device id
        id: String,
        /// Why
        #[arg(long, default_value = "")]
        why: String,
        /// Read the device first
        #[arg(long)]
        read: bool,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// List the backups of a device
    List {
        /// The device id
        id: String,
    },
    /// Show a backup with its values
    Show {
        /// The device id
        id: String,
        /// The backup's id, or `latest`
        #[arg(default_value = "latest")]
        backup: String,
    },
    /// Delete a backup
    Remove {
        /// The device id
        id: String,
        /// The backup's id, or `latest`
        backup: String,
    },
}

/// Arguments of `provost device restore`.
#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// The device id
    id: String,
    /// The backup's id, or `latest`
    #[arg(default_value = "latest")]
    backup: String,
    /// The device that this one replaces, whose backup it is
    #[arg(long, value_name = "ID")]
    of: Option<String>,
    /// Remove rows that came since
    #[arg(long)]
    exact: bool,
    /// Tell what would be done, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    waiting: Waiting,
}

pub(super) async fn history(
    args: HistoryArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut path = format!("/devices/{}/history?limit={}", encode(&args.id), args.limit);
    query(&mut path, &[("path", Some(args.path)), ("since", args.since), ("until", args.until)]);
    let changes = client.get(&path).await?;
    output.print(&changes, |out, changes| {
        let rows: Vec<Vec<String>> = items(changes)
            .map(|change| {
                let by = change["by"].as_str().map(|by| format!(" ({})", clean(by)));
                vec![
                    cell(&change["at"]),
                    cell(&change["path"]),
                    cell(&change["before"]),
                    cell(&change["after"]),
                    format!("{}{}", cell(&change["cause"]), by.unwrap_or_default()),
                ]
            })
            .collect();
        grid(out, &["AT", "PATH", "BEFORE", "AFTER", "BY"], &rows)
    })?;
    Ok(())
}

pub(super) async fn diff(
    args: DiffArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut path = format!("/devices/{}/diff?from={}", encode(&args.id), encode(&args.from));
    query(&mut path, &[("path", Some(args.path)), ("to", args.to)]);
    let differs = client.get(&path).await?;
    output.print(&differs, |out, differs| {
        let rows: Vec<Vec<String>> = items(differs)
            .map(|one| ["path", "from", "to"].iter().map(|key| cell(&one[*key])).collect())
            .collect();
        grid(out, &["PATH", "FROM", "TO"], &rows)?;
        if differs["complete"] == false {
            writeln!(out, "The history does not reach back to {}.", cell(&differs["from"]))?;
        }
        Ok(())
    })?;
    Ok(())
}

pub(super) async fn backup(
    command: BackupCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        BackupCommand::Take { id, why, read, waiting } => {
            if read {
                let asked = task::ask(client, &id, &json!({"action": "refresh"}), waiting).await?;
                task::verdict(&asked)?;
            }
            let path = format!("/devices/{}/backups", encode(&id));
            let taken = client.send(Method::POST, &path, &json!({"why": why})).await?;
            Ok(output.record(&taken)?)
        }
        BackupCommand::List { id } => {
            let found = client.get(&format!("/devices/{}/backups", encode(&id))).await?;
            Ok(output.list(&found, BACKUPS)?)
        }
        BackupCommand::Show { id, backup } => {
            let path = format!("/devices/{}/backups/{}", encode(&id), encode(&backup));
            let found = client.get(&path).await?;
            output.print(&found, |out, found| {
                for (path, value) in found["values"].as_object().into_iter().flatten() {
                    match value.as_str() {
                        Some(text) => writeln!(out, "{} = {}", clean(path), clean(text))?,
                        None => writeln!(out, "{}", clean(path))?,
                    }
                }
                Ok(())
            })?;
            Ok(())
        }
        BackupCommand::Remove { id, backup } => {
            let path = format!("/devices/{}/backups/{}", encode(&id), encode(&backup));
            let answer = client.delete(&path).await?;
            Ok(output.said(&answer, "the backup is deleted")?)
        }
    }
}

pub(super) async fn restore(
    args: RestoreArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let of = args.of.as_deref().unwrap_or(&args.id);
    let path = format!(
        "/devices/{}/backups/{}/preview?to={}&exact={}",
        encode(of),
        encode(&args.backup),
        encode(&args.id),
        args.exact
    );
    let preview = client.get(&path).await?;
    if args.dry_run {
        return Ok(output.print(&preview, print_preview)?);
    }
    if !output.json {
        // What will not come back is told before anything is done.
        output.print(&preview, print_left_out)?;
    }
    let body = json!({"backup": args.backup, "of": of, "exact": args.exact});
    let asked = task::ask_at(client, &args.id, "restore", &body, args.waiting).await?;
    if args.waiting.no_wait() { task::queued(&asked, output) } else { task::report(&asked, output) }
}

fn print_preview(out: &mut dyn Write, preview: &Value) -> io::Result<()> {
    let rows: Vec<Vec<String>> = items(preview)
        .map(|one| ["path", "from", "to"].iter().map(|key| cell(&one[*key])).collect())
        .collect();
    grid(out, &["PATH", "FROM", "TO"], &rows)?;
    for path in preview["unknown"].as_array().into_iter().flatten() {
        writeln!(out, "{}: not known yet, would be read first", cell(path))?;
    }
    print_left_out(out, preview)
}

fn print_left_out(out: &mut dyn Write, preview: &Value) -> io::Result<()> {
    for one in preview["left_out"].as_array().into_iter().flatten() {
        writeln!(out, "{}: left out, {}", cell(&one["path"]), cell(&one["why"]))?;
    }
    Ok(())
}

fn query(path: &mut String, pairs: &[(&str, Option<String>)]) {
    for (key, value) in pairs {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            path.push_str(&format!("&{key}={}", encode(value)));
        }
    }
}

fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["items"].as_array().into_iter().flatten()
}
