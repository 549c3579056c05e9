//! `provost campaign`: changes over many devices.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::Method;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output, cell, grid};

/// How often a campaign that is watched is looked at.
const LOOK: Duration = Duration::from_secs(1);

const COLUMNS: &[Column] = &[
    ("NAME", "name"),
    ("STATE", "state"),
    ("ACTION", "action"),
    ("DEVICES", "devices"),
    ("PERCENT", "progress"),
    ("MADE", "made_at"),
    ("BY", "made_by"),
];

const MEMBER_COLUMNS: &[Column] = &[
    ("DEVICE", "device"),
    ("WAVE", "wave"),
    ("STATE", "state"),
    ("AT", "at"),
    ("ASKS", "asks"),
    ("WHY", "why"),
];

/// The counts of a wave, in the order in which devices go through them.
const COUNTS: [&str; 12] = [
    "wave",
    "devices",
    "waiting",
    "at_work",
    "done",
    "already",
    "failed",
    "unreached",
    "skipped",
    "undoing",
    "undone",
    "not_undone",
];

/// Campaigns: changes over many devices, in waves
#[derive(Debug, Subcommand)]
pub(super) enum CampaignCommand {
    /// Make a draft of a file (TOML or JSON); nothing is asked of devices
    Create(Draft),
    /// Tell what a file would do, and record nothing
    Plan(Draft),
    /// List campaigns
    List,
    /// Show where a campaign stands
    Show {
        /// The campaign
        name: String,
        /// Go on showing it until nothing more happens by itself
        #[arg(long)]
        watch: bool,
    },
    /// List the devices of a campaign
    Members {
        /// The campaign
        name: String,
        /// Only those that stand there: waiting, at_work, done, already, failed, unreached, skipped, undoing, undone, not_undone
        #[arg(long)]
        state: Option<String>,
        /// Only those of this wave, from 1
        #[arg(long)]
        wave: Option<u32>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Start a campaign; a large one then waits to be approved
    Start(Named),
    /// Approve a campaign that waits for it
    Approve(Named),
    /// Hold a campaign: what was not sent is withdrawn
    Pause(Named),
    /// Let a campaign go on that was paused or has halted
    Resume(Named),
    /// End a campaign before its time
    Stop(Named),
    /// Bring the devices that a campaign changed back to what they were
    Rollback(Named),
    /// Forget a campaign that is over or was never started
    Remove {
        /// The campaign
        name: String,
    },
}

/// What a campaign is to be, and whose.
#[derive(Debug, clap::Args)]
pub(super) struct Draft {
    /// The file; `-` reads standard input
    file: PathBuf,
    /// The tenant whose it is to be, and whose devices alone it asks
    #[arg(long)]
    tenant: Option<String>,
}

impl Draft {
    /// Where it is sent to.
    fn path(&self, preview: bool) -> String {
        let tenant = self.tenant.as_ref().map(|tenant| format!("&tenant={}", encode(tenant)));
        format!("/campaigns?preview={preview}{}", tenant.unwrap_or_default())
    }
}

/// A campaign, and why something is done with it.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The campaign
    name: String,
    /// Stands in its history
    #[arg(long)]
    why: Option<String>,
}

pub(super) async fn run(
    command: CampaignCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        CampaignCommand::Create(draft) => {
            let made = client.send(Method::POST, &draft.path(false), &read(&draft.file)?).await?;
            let name = clean(made["name"].as_str().unwrap_or_default());
            let sentence = format!(
                "campaign {name} is a draft over {} devices; at most {} can be harmed before it halts\nstart it with: provost campaign start {name}",
                cell(&made["devices"]),
                cell(&made["at_most_harmed"])
            );
            Ok(output.said(&made, &sentence)?)
        }
        CampaignCommand::Plan(draft) => {
            let plan = client.send(Method::POST, &draft.path(true), &read(&draft.file)?).await?;
            Ok(output.print(&plan, planned)?)
        }
        CampaignCommand::List => {
            let campaigns = client.get("/campaigns").await?;
            Ok(output.list(&campaigns, COLUMNS)?)
        }
        CampaignCommand::Show { name, watch } => {
            let path = format!("/campaigns/{}", encode(&name));
            let mut campaign = client.get(&path).await?;
            if watch && !rests(&campaign) {
                campaign = until_it_rests(client, &path, campaign).await?;
            }
            Ok(output.print(&campaign, shown)?)
        }
        CampaignCommand::Members { name, state, wave, listing } => {
            let path = format!("/campaigns/{}/members", encode(&name));
            let filters = [("state", state), ("wave", wave.map(|wave| wave.to_string()))];
            let members = pages(client, &path, &filters, listing).await?;
            Ok(output.list(&members, MEMBER_COLUMNS)?)
        }
        CampaignCommand::Start(named) => step(client, output, named, "start").await,
        CampaignCommand::Approve(named) => step(client, output, named, "approve").await,
        CampaignCommand::Pause(named) => step(client, output, named, "pause").await,
        CampaignCommand::Resume(named) => step(client, output, named, "resume").await,
        CampaignCommand::Stop(named) => step(client, output, named, "stop").await,
        CampaignCommand::Rollback(named) => step(client, output, named, "rollback").await,
        CampaignCommand::Remove { name } => {
            let path = format!("/campaigns/{}", encode(&name));
            let gone = client.send(Method::DELETE, &path, &Value::Null).await?;
            Ok(output.said(&gone, &format!("campaign {} is forgotten", clean(&name)))?)
        }
    }
}

async fn step(
    client: &Client,
    output: &mut Output<'_>,
    named: Named,
    step: &str,
) -> Result<(), CliError> {
    let mut path = format!("/campaigns/{}/{step}", encode(&named.name));
    if let Some(why) = named.why.filter(|_| step != "start") {
        path.push_str(&format!("?why={}", encode(&why)));
    }
    let campaign = client.send(Method::POST, &path, &Value::Null).await?;
    let state = clean(campaign["state"].as_str().unwrap_or_default());
    let mut sentence = format!("campaign {} is {state}", clean(&named.name));
    if state == "needs_approval" {
        let name = clean(&named.name);
        sentence.push_str(&format!("\napprove it with: provost campaign approve {name}"));
    }
    Ok(output.said(&campaign, &sentence)?)
}

/// A campaign's file as JSON.
fn read(file: &Path) -> Result<Value, CliError> {
    let name = file.display().to_string();
    let text =
        if name == "-" { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|source| CliError::File { path: file.to_owned(), source })?;
    let unreadable = |problem: String| CliError::BadFile { path: file.to_owned(), problem };
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()));
    }
    let table: toml::Table =
        toml::from_str(&text).map_err(|error| unreadable(error.to_string().replace('\n', " ")))?;
    Ok(json!(table))
}

/// Whether nothing more happens by itself.
fn rests(campaign: &Value) -> bool {
    let at_work = ["at_work", "undoing"].iter().any(|key| campaign["totals"][*key] != 0);
    match campaign["state"].as_str() {
        Some("running" | "rolling_back" | "gathering" | "removing") => false,
        // It may be about to roll back by itself.
        Some("halted") => campaign["spec"]["abort"]["rollback"] != "automatic" && !at_work,
        _ => !at_work,
    }
}

/// Shows how far a campaign is, where there is a terminal to show it on.
async fn until_it_rests(
    client: &Client,
    path: &str,
    mut campaign: Value,
) -> Result<Value, CliError> {
    let bar = ProgressBar::new(campaign["devices"].as_u64().unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    while !rests(&campaign) {
        let count = |key: &str| campaign["totals"][key].as_u64().unwrap_or(0);
        let turns = count("waiting") + count("at_work");
        bar.set_position(count("devices").saturating_sub(turns));
        let state = clean(campaign["state"].as_str().unwrap_or_default());
        let (done, failed, at_work) = (count("done"), count("failed"), count("at_work"));
        bar.set_message(format!("{state}: {done} done, {failed} failed, {at_work} at work"));
        tokio::time::sleep(LOOK).await;
        campaign = client.get(path).await?;
    }
    bar.finish_and_clear();
    Ok(campaign)
}

fn planned(out: &mut dyn Write, plan: &Value) -> io::Result<()> {
    let waves: Vec<String> = plan["waves"].as_array().into_iter().flatten().map(cell).collect();
    writeln!(out, "devices            {}", cell(&plan["devices"]))?;
    writeln!(out, "waves              {}", waves.join(", "))?;
    writeln!(
        out,
        "harmed at most     {} before it halts by itself",
        cell(&plan["at_most_harmed"])
    )?;
    writeln!(out, "state not known    {}", cell(&plan["state_unknown"]))?;
    writeln!(out, "cannot be undone   {}", cell(&plan["cannot_undo"]))?;
    if plan["undecided"] != 0 {
        writeln!(
            out,
            "left out           {}, for which the rule cannot be decided",
            cell(&plan["undecided"])
        )?;
    }
    writeln!(out, "ends not before    {}", cell(&plan["ends_not_before"]))?;
    if plan["needs_approval"] == true {
        writeln!(out, "it has to be approved after it was started")?;
    }
    Ok(())
}

fn shown(out: &mut dyn Write, campaign: &Value) -> io::Result<()> {
    let word = |key: &str| cell(&campaign[key]);
    writeln!(
        out,
        "{}: {}, {}, {} %",
        word("name"),
        word("action"),
        word("state"),
        word("progress")
    )?;
    for (label, key) in [("reason", "reason"), ("why", "why"), ("approved by", "approved_by")] {
        if campaign[key].as_str().is_some_and(|text| !text.is_empty()) {
            writeln!(out, "{label}: {}", word(key))?;
        }
    }
    writeln!(out, "harmed at most: {} of {} devices", word("at_most_harmed"), word("devices"))?;
    writeln!(out)?;
    let headings: Vec<String> = COUNTS.iter().map(|key| key.to_uppercase()).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let waves = campaign["waves"].as_array().into_iter().flatten();
    let all = std::iter::once(&campaign["totals"]);
    let row = |counts: &Value| {
        let cells = COUNTS.iter().map(|key| match (*key, &counts[*key]) {
            ("wave", Value::Null) => "all".to_owned(),
            (_, count) => cell(count),
        });
        cells.collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = waves.chain(all).map(row).collect();
    grid(out, &headings, &rows)?;
    writeln!(out)?;
    for line in campaign["history"].as_array().into_iter().flatten() {
        writeln!(out, "{}  {}  {}", cell(&line["at"]), cell(&line["by"]), cell(&line["what"]))?;
    }
    Ok(())
}
