//! `provost plan` and `provost apply`: what a change of profiles would do, and
//! doing it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::super::CliError;
use super::super::client::{Client, clean, encode};
use super::super::list::{Listing, pages};
use super::super::output::{Output, grid};
use super::{number, profile, read, source, text};

/// How long one request lets the server go on with a plan.
const ONE_WAIT: Duration = Duration::from_secs(1);

/// Changes of devices that are shown unless all are asked for.
const SHOWN: usize = 20;

/// Paths that are shown.
const SHOWN_PATHS: usize = 20;

/// Show what a change of profiles would do, on which devices, by which RPCs;
/// nothing is sent and nothing is changed
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PlanArgs {
    /// Profiles to be made or changed: TOML, or JSON if it ends in .json. None:
    /// what the profiles in force will do
    files: Vec<PathBuf>,
    /// Profiles to be forgotten
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// Profiles to be put in force
    #[arg(long, value_name = "NAME")]
    enable: Vec<String>,
    /// Profiles to be taken out of force
    #[arg(long, value_name = "NAME")]
    disable: Vec<String>,
    /// Only for these devices: a rule as profiles have one
    #[arg(long = "match", value_name = "CEL")]
    rule: Option<String>,
    /// Take parameters that no data model knows, and values that they would not take
    #[arg(long)]
    unchecked: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// List every device
    #[arg(long)]
    devices: bool,
    /// Print the plan's id and nothing else, for `provost apply`
    #[arg(long, conflicts_with = "devices")]
    id: bool,
}

/// Apply a plan: the profiles are changed, all or none
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ApplyArgs {
    /// The plan, as `provost plan` printed it
    plan: String,
    /// Wake the devices that change, instead of waiting until they come
    #[arg(long)]
    wake: bool,
    /// Devices that are woken in a second
    #[arg(long, value_name = "N", requires = "wake")]
    rate: Option<u32>,
}

pub(in crate::cli) async fn plan(
    args: PlanArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut changes: Vec<Value> = Vec::new();
    for file in &args.files {
        let (name, profile) = read::profile(file, None)?;
        changes.push(json!({"name": name, "profile": profile}));
    }
    changes.extend(args.remove.iter().map(|name| json!({"name": name, "profile": null})));
    changes.extend(args.enable.iter().map(|name| json!({"name": name, "enabled": true})));
    changes.extend(args.disable.iter().map(|name| json!({"name": name, "enabled": false})));
    let body = json!({
        "changes": changes,
        "match": args.rule.unwrap_or_default(),
        "unchecked": args.unchecked,
        "why": args.why,
    });
    let first = client.waiting(Method::POST, "/plans?wait=1", Some(&body), ONE_WAIT).await;
    let mut plan = ready(client, profile::told(first, output)?).await?;
    if args.id {
        return Ok(output.said(&json!({"id": plan["id"]}), &id_of(&plan))?);
    }
    if args.devices {
        let path = format!("/plans/{}/devices", encode(&id_of(&plan)));
        plan["devices"] = pages(client, &path, &[], Listing::ALL).await?["items"].take();
    }
    let most = if args.devices { usize::MAX } else { SHOWN };
    Ok(output.print(&plan, |out, plan| show(out, plan, most))?)
}

pub(in crate::cli) async fn apply(
    args: ApplyArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut body = json!({"wake": args.wake});
    if let Some(rate) = args.rate {
        body["rate"] = rate.into();
    }
    let path = format!("/plans/{}/apply", encode(&args.plan));
    let plan = client.send(Method::POST, &path, &body).await?;
    let changed = plan["changes"].as_array().map_or(0, Vec::len);
    let how = if args.wake {
        "the devices that change are woken"
    } else {
        "each device is brought there when it comes"
    };
    let profiles = match changed {
        0 => "no profile was changed".to_owned(),
        1 => "1 profile was changed".to_owned(),
        many => format!("{many} profiles were changed"),
    };
    let sentence = format!(
        "plan {} is applied: {profiles}; {how}\n`provost drift` tells which are not there yet",
        clean(&args.plan)
    );
    Ok(output.said(&plan, &sentence)?)
}

/// Waits until a plan is made, with a bar over the devices.
async fn ready(client: &Client, mut plan: Value) -> Result<Value, CliError> {
    let bar = devices_bar();
    let path = format!("/plans/{}?wait={}", encode(&id_of(&plan)), ONE_WAIT.as_secs());
    while plan["state"] == "making" {
        bar.set_length(number(&plan["progress"]["of"]));
        bar.set_position(number(&plan["progress"]["devices"]));
        plan = client.waiting(Method::GET, &path, None, ONE_WAIT).await?;
    }
    bar.finish_and_clear();
    Ok(plan)
}

/// A bar over devices; nothing is drawn unless stderr is a terminal.
fn devices_bar() -> ProgressBar {
    let bar = ProgressBar::new(0).with_message("planning");
    match ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} devices") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn id_of(plan: &Value) -> String {
    plan["id"].as_str().unwrap_or_default().to_owned()
}

fn show(out: &mut dyn Write, plan: &Value, most: usize) -> io::Result<()> {
    let summary = &plan["summary"];
    let count = |key: &str| number(&summary[key]);
    writeln!(out, "devices looked at: {}, concerned: {}", count("devices"), count("concerned"))?;
    for (key, words) in [
        ("changing", "would change"),
        ("satisfied", "with everything already"),
        ("reading", "to be read first"),
        ("never_read", "never read"),
        ("impossible", "that cannot have a part of it"),
        ("reboots", "would restart"),
        ("troubled", "of which something cannot be told"),
    ] {
        if count(key) > 0 {
            writeln!(out, "{:>8}  {words}", count(key))?;
        }
    }
    for (what, devices) in summary["outages"].as_object().into_iter().flatten() {
        writeln!(out, "{:>8}  would lose for a while: {}", number(devices), clean(what))?;
    }
    counts(out, summary)?;
    let items = plan["devices"].as_array().map(Vec::as_slice).unwrap_or_default();
    show_devices(out, items, most)?;
    for problem in summary["problems"].as_array().into_iter().flatten() {
        writeln!(out, "cannot be told: {}", text(problem))?;
    }
    writeln!(out)?;
    let has_changes = plan["changes"].as_array().is_some_and(|changes| !changes.is_empty());
    match (has_changes, count("changing")) {
        (true, 0) => writeln!(out, "no device would change; apply it with")?,
        (true, _) => writeln!(out, "nothing was sent; apply it with")?,
        (false, 0) => return writeln!(out, "no device would change"),
        (false, _) => {
            writeln!(out, "the devices are brought there when they come; to wake them now")?;
        }
    }
    let wake = if has_changes { "" } else { " --wake" };
    writeln!(out, "  provost apply {}{wake}", text(&plan["id"]))
}

/// By profile, by path and by RPC.
fn counts(out: &mut dyn Write, summary: &Value) -> io::Result<()> {
    let list = |key: &str| summary[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let profiles: Vec<Vec<String>> = list("profiles")
        .iter()
        .map(|share| {
            let count = |key: &str| number(&share[key]).to_string();
            vec![text(&share["profile"]), count("devices"), count("changes")]
        })
        .collect();
    if !profiles.is_empty() {
        writeln!(out)?;
        grid(out, &["PROFILE", "DEVICES", "CHANGES"], &profiles)?;
    }
    let paths = list("paths");
    if !paths.is_empty() {
        let row = |path: &Value| vec![text(&path["path"]), number(&path["devices"]).to_string()];
        let rows: Vec<Vec<String>> = paths.iter().take(SHOWN_PATHS).map(row).collect();
        writeln!(out)?;
        grid(out, &["WHAT CHANGES", "DEVICES"], &rows)?;
        if paths.len() > SHOWN_PATHS {
            writeln!(out, "… and {} more", paths.len() - SHOWN_PATHS)?;
        }
    }
    let rpcs: Vec<Vec<String>> = summary["rpcs"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(method, count)| vec![clean(method), number(count).to_string()])
        .collect();
    if !rpcs.is_empty() {
        writeln!(out)?;
        grid(out, &["RPC", "TIMES"], &rpcs)?;
    }
    Ok(())
}

/// What changes on each device, at most so many lines.
fn show_devices(out: &mut dyn Write, items: &[Value], most: usize) -> io::Result<()> {
    let rows: Vec<Vec<String>> = items.iter().flat_map(rows).collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let shown = rows.get(..most.min(rows.len())).unwrap_or_default();
    grid(out, &["DEVICE", "PATH", "FROM", "TO", "BY"], shown)?;
    if rows.len() > most {
        writeln!(out, "… and more; see --devices")?;
    }
    Ok(())
}

/// What changes on one device, one row each.
fn rows(device: &Value) -> Vec<Vec<String>> {
    let id = text(&device["device"]);
    let cell = |value: &Value| if value.is_null() { "-".to_owned() } else { text(value) };
    let list = |key: &str| device[key].as_array().cloned().unwrap_or_default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |path: String, from: String, to: String, by: String| {
        rows.push(vec![id.clone(), path, from, to, by]);
    };
    for change in list("changes") {
        let (from, to) = (cell(&change["from"]), cell(&change["to"]));
        row(text(&change["path"]), from, to, source(&change));
    }
    let firmware = &device["firmware"];
    if firmware.is_object() {
        let (from, to) = (text(&firmware["from"]), text(&firmware["to"]));
        row("firmware".to_owned(), from, to, source(firmware));
    }
    let nothing = String::new;
    for tag in device["tags"]["given"].as_array().into_iter().flatten() {
        row("tag".to_owned(), "-".to_owned(), text(tag), nothing());
    }
    for tag in device["tags"]["lost"].as_array().into_iter().flatten() {
        row("tag".to_owned(), text(tag), "-".to_owned(), nothing());
    }
    for path in list("unknown") {
        row(text(&path), "has to be read".to_owned(), nothing(), nothing());
    }
    for one in list("impossible") {
        row(text(&one["path"]), "cannot be had".to_owned(), text(&one["why"]), nothing());
    }
    rows
}
