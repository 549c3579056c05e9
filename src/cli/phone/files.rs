//! A phone's files, and phones into files.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use super::arguments::ChangeArguments;
use super::of;
use crate::cli::CliError;
use crate::cli::client::{Client, clean, encode};
use crate::cli::output::{Output, wheel};
use crate::cli::sheet;

/// Show a file as the phone would get it now
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Render {
    /// The hardware address
    mac: String,
    #[command(flatten)]
    view: View,
}

/// Which file, and how it is shown.
#[derive(Debug, clap::Args)]
struct View {
    /// The name of the file; the phone's own if not given
    file: Option<String>,
    /// Show passwords and tokens in clear
    #[arg(long)]
    secrets: bool,
    /// By which door it leaves: https, http, tftp, ftp, ftps or cwmp
    #[arg(long, default_value = "https")]
    door: String,
}

impl View {
    fn query(&self) -> String {
        let mut query = format!("door={}", encode(&self.door));
        if let Some(file) = &self.file {
            query.push_str(&format!("&file={}", encode(file)));
        }
        if self.secrets {
            query.push_str("&secrets=show");
        }
        query
    }
}

impl Render {
    pub(super) async fn run(
        self,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        let path = format!("{}/render?{}", of(&self.mac), self.view.query());
        let rendered = client.get(&path).await?;
        if output.json {
            return Ok(output.record(&rendered)?);
        }
        print_text(output, rendered["text"].as_str().unwrap_or_default())
    }
}

/// Show what a change would change
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Diff {
    /// The hardware address
    mac: String,
    #[command(flatten)]
    view: View,
    /// Compare with this phone instead of a change
    #[arg(long, value_name = "MAC")]
    against: Option<String>,
    #[command(flatten)]
    change: ChangeArguments,
}

impl Diff {
    pub(super) async fn run(
        self,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        let path = format!("{}/diff?{}", of(&self.mac), self.view.query());
        let told = match &self.against {
            Some(other) => client.get(&format!("{path}&against={}", encode(other))).await?,
            None => client.send(Method::POST, &path, &self.change.body()?).await?,
        };
        if output.json {
            return Ok(output.record(&told)?);
        }
        match told["same"].as_bool() {
            Some(true) => Ok(writeln!(output.out, "nothing differs")?),
            _ => print_text(output, told["diff"].as_str().unwrap_or_default()),
        }
    }
}

/// Prints a text line by line; control characters could steer a terminal.
fn print_text(output: &mut Output<'_>, text: &str) -> Result<(), CliError> {
    for line in text.lines() {
        writeln!(output.out, "{}", clean(line))?;
    }
    Ok(())
}

/// Tell a phone to fetch its files
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Resync {
    /// The hardware address
    mac: String,
    /// auto, notify, action-uri or cwmp; what `provost:resync` says if not given
    #[arg(long)]
    way: Option<String>,
    /// Seconds to wait until the phone has fetched a file
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u32,
}

impl Resync {
    pub(super) async fn run(
        self,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        let wheel = wheel(format!("{} is told to fetch its files", clean(&self.mac)));
        let path = format!("{}/resync?wait={}", of(&self.mac), self.wait);
        let body = self.way.map_or_else(|| json!({}), |way| json!({"way": way}));
        let wait = Duration::from_secs(self.wait.into());
        let told = client.waiting(Method::POST, &path, Some(&body), wait).await;
        wheel.finish_and_clear();
        let told = told?;
        output.print(&told, |out, told| {
            for attempt in told["attempts"].as_array().into_iter().flatten() {
                let text = |key: &str| clean(attempt[key].as_str().unwrap_or_default());
                writeln!(out, "{}: {}", text("way"), text("words"))?;
            }
            writeln!(out, "{}", clean(told["words"].as_str().unwrap_or_default()))
        })?;
        let accepted = told["accepted"].as_bool() == Some(true);
        if accepted && (self.wait == 0 || !told["fetched"].is_null()) {
            return Ok(());
        }
        let words = clean(told["words"].as_str().unwrap_or_default());
        Err(CliError::NotResynced { mac: clean(&self.mac), words })
    }
}

/// Write phones into a file
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    /// The file, readable for its owner only; standard output if not given
    file: Option<PathBuf>,
    /// csv or json; by the file's name if not given
    #[arg(long)]
    format: Option<String>,
    /// Write passwords and keys in clear
    #[arg(long)]
    secrets: bool,
    /// Only this vendor's
    #[arg(long)]
    vendor: Option<String>,
    /// Only those at this site
    #[arg(long)]
    site: Option<String>,
}

impl Export {
    pub(super) async fn run(
        self,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        let format = sheet::format(self.format.as_deref(), self.file.as_deref(), output);
        let mut path = format!("/phones/export?format={}", encode(&format));
        for (key, value) in [("vendor", &self.vendor), ("site", &self.site)] {
            if let Some(value) = value {
                path.push_str(&format!("&{key}={}", encode(value)));
            }
        }
        if self.secrets {
            path.push_str("&secrets=show");
        }
        let text = client.text(&path).await?;
        sheet::save(&text, self.file.as_deref(), output)
    }
}
