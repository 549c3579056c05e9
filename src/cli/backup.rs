//! `provost backup` and `provost restore`.

use std::path::PathBuf;

use axum::http::Method;
use serde_json::{Value, json};

use super::client::{Client, clean};
use super::output::{Output, wheel};
use super::{CliError, Global};

/// A backup to be restored
#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// The backup's file
    backup: PathBuf,
}

/// Has the running server write a backup into its data folder.
pub(super) async fn backup(
    global: &Global,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let wheel = wheel("writing the backup".to_owned());
    let answer = client.waiting(Method::POST, "/backup", Some(&Value::Null), LONGEST).await;
    wheel.finish_and_clear();
    let answer = answer?;
    let path = global.data.join("backups").join(answer["name"].as_str().unwrap_or_default());
    let sentence = format!(
        "{}: {} records, {} bytes",
        clean(&path.display().to_string()),
        answer["records"],
        answer["bytes"]
    );
    Ok(output.said(&answer, &sentence)?)
}

/// The longest that a backup may take.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(3600);

/// Restores a backup into an empty data folder; no server may run on it.
pub(super) async fn restore(
    args: RestoreArgs,
    global: &Global,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let (backup, data) = (args.backup, global.data.clone());
    // Told apart from a damaged backup: the name was typed.
    std::fs::metadata(&backup).map_err(|source| CliError::File { path: backup.clone(), source })?;
    let keys = crate::store::KeyPlace::of(&global.config()?.store, &data);
    let restore = move || crate::store::restore_with(&backup, &data, &keys);
    let report = tokio::task::spawn_blocking(restore).await.map_err(std::io::Error::other)??;
    let answer = json!({"records": report.records, "bytes": report.bytes});
    let sentence = format!(
        "{} records restored into {}",
        report.records,
        clean(&global.data.display().to_string())
    );
    Ok(output.said(&answer, &sentence)?)
}
