//! Files with a thing a row: taken whole or not at all, and written.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::output::{Output, bytes_bar};

/// Take all of a file, or nothing if anything in it is wrong
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The file
    file: PathBuf,
    /// csv or json; by the file's name if not given
    #[arg(long)]
    format: Option<String>,
    /// Tell only what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    /// Sends the file to a resource of `what`.
    pub(super) async fn run(
        self,
        resource: &str,
        what: &str,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        let format = self.format.unwrap_or_else(|| format_of(&self.file).to_owned());
        let path = format!("{resource}?format={}&dry_run={}", encode(&format), self.dry_run);
        let bar = bytes_bar(what);
        let report = client.upload(&path, &self.file, bar.clone()).await;
        bar.finish_and_clear();
        match report {
            Ok(report) => Ok(output.print(&report, |out, report| {
                let number = |key: &str| report[key].as_u64().unwrap_or_default();
                let (new, changed) = (number("new"), number("changed"));
                let would = if self.dry_run { "would be " } else { "" };
                let unchanged = number("unchanged");
                writeln!(out, "{would}new {new}, {would}changed {changed}, unchanged {unchanged}")
            })?),
            Err(CliError::Refused { class, detail, hint, faults }) => {
                if output.json {
                    output.print(&json!({"errors": faults}), |_, _| Ok(()))?;
                } else {
                    faults
                        .iter()
                        .try_for_each(|fault| writeln!(output.out, "{}", fault_line(fault)))?;
                }
                Err(CliError::Refused { class, detail, hint, faults })
            }
            Err(error) => Err(error),
        }
    }
}

/// `line 3, model: …`.
fn fault_line(fault: &Value) -> String {
    let problem = clean(fault["problem"].as_str().unwrap_or_default());
    let line = fault["line"].as_u64().unwrap_or_default();
    match fault["column"].as_str() {
        Some(column) => format!("line {line}, {}: {problem}", clean(column)),
        None => format!("line {line}: {problem}"),
    }
}

fn format_of(file: &Path) -> &'static str {
    let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if is_json { "json" } else { "csv" }
}

/// The format of an export: as asked, else by the file's name, else CSV for people
/// and JSON with `--json`.
pub(super) fn format(asked: Option<&str>, file: Option<&Path>, output: &Output<'_>) -> String {
    match (asked, file) {
        (Some(format), _) => format.to_owned(),
        (None, Some(file)) => format_of(file).to_owned(),
        (None, None) if output.json => "json".to_owned(),
        (None, None) => "csv".to_owned(),
    }
}

/// Writes an export into a file that only its owner can read, or to standard
/// output.
pub(super) fn save(
    text: &[u8],
    file: Option<&Path>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let Some(file) = file else { return Ok(output.out.write_all(text)?) };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut opened| opened.write_all(text));
    written.map_err(|source| CliError::File { path: file.to_owned(), source })
}
