//! `provost device sessions`, `trace`, `events` and `export-tree`: what happened
//! to a device, and what is known of it.

use std::io::{self, Write};
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::output::{Output, cell};

/// How often `--follow` looks for more.
const LOOK: Duration = Duration::from_secs(1);

/// Arguments of `provost device trace`.
#[derive(Debug, clap::Args)]
pub(super) struct TraceArgs {
    /// The device id
    id: String,
    /// Record messages from now on, for so long: 30m, 2h
    #[arg(long, value_name = "TIME", value_parser = minutes)]
    start: Option<u32>,
    /// End the trace and forget what it recorded
    #[arg(long, conflicts_with_all = ["start", "raw", "follow"])]
    stop: bool,
    /// Print the messages, their secrets masked, in place of the story
    #[arg(long)]
    raw: bool,
    /// Go on printing until Ctrl-C
    #[arg(long)]
    follow: bool,
}

/// Arguments of `provost device events`.
#[derive(Debug, clap::Args)]
pub(super) struct EventArgs {
    /// The device id
    id: String,
    /// Only events of this kind: inform, alarm, told and the like
    #[arg(long)]
    kind: Option<String>,
    /// Only events since (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Events at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Arguments of `provost device export-tree`.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The device id
    id: String,
    /// Leave out serial numbers, addresses, names of networks and numbers of
    /// telephones
    #[arg(long)]
    anonymous: bool,
}

/// Reads `30m`, `2h` or a plain number of minutes.
fn minutes(text: &str) -> Result<u32, String> {
    let (number, factor) = match text.strip_suffix('h') {
        Some(hours) => (hours, 60),
        None => (text.strip_suffix('m').unwrap_or(text), 1),
    };
    let minutes = number.parse::<u32>().ok().and_then(|number| number.checked_mul(factor));
    minutes.filter(|minutes| *minutes > 0).ok_or_else(|| "write it as 30m or 2h".to_owned())
}

pub(super) async fn events(
    args: EventArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut path = format!("/devices/{}/events?limit={}", encode(&args.id), args.limit);
    for (key, value) in [("kind", args.kind), ("since", args.since)] {
        if let Some(value) = value {
            path.push_str(&format!("&{key}={}", encode(&value)));
        }
    }
    let events = client.get(&path).await?;
    output.print(&events, |out, events| {
        for event in items(events) {
            let text = |key: &str| clean(event[key].as_str().unwrap_or_default());
            let what = match event["kind"].as_str() {
                Some("inform") => cell(&event["codes"]),
                Some("software_changed") => format!("{} → {}", text("from"), text("to")),
                _ => text("text"),
            };
            writeln!(out, "{}  {:16}  {what}", text("at"), text("kind"))?;
        }
        Ok(())
    })?;
    Ok(())
}

pub(super) async fn sessions(
    id: &str,
    limit: usize,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let path = format!("/devices/{}/sessions?limit={limit}", encode(id));
    let sessions = client.get(&path).await?;
    output.print(&sessions, |out, sessions| {
        let mut first = true;
        for session in items(sessions) {
            if !std::mem::take(&mut first) {
                writeln!(out)?;
            }
            one_session(out, session)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn one_session(out: &mut dyn Write, session: &Value) -> io::Result<()> {
    writeln!(
        out,
        "{}  {} from {}, {}: {}",
        cell(&session["began_at"]),
        cell(&session["events"]),
        cell(&session["address"]),
        lasted(&session["took_ms"]),
        cell(&session["end"]),
    )?;
    for rpc in session["rpcs"].as_array().into_iter().flatten() {
        let outcome = match rpc["outcome"].as_str() {
            Some("fault") => {
                format!("fault {} {}", cell(&rpc["fault_code"]), cell(&rpc["fault_text"]))
            }
            _ => cell(&rpc["outcome"]),
        };
        let way = if rpc["by"] == "device" { "←" } else { "→" };
        let task = match &rpc["task"] {
            Value::Null => String::new(),
            task => format!("  (task {})", cell(task)),
        };
        writeln!(
            out,
            "  {:>9}  {way} {:28} {:>8}  {outcome}{task}",
            format!("+{}", lasted(&rpc["after_ms"])),
            cell(&rpc["method"]),
            lasted(&rpc["took_ms"]),
        )?;
    }
    if session["left_out"].as_u64().is_some_and(|more| more > 0) {
        writeln!(out, "  … and {} more", cell(&session["left_out"]))?;
    }
    Ok(())
}

pub(super) async fn trace(
    args: TraceArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let path = format!("/devices/{}/trace", encode(&args.id));
    if args.stop {
        let answer = client.delete(&path).await?;
        return Ok(output.said(&answer, "the trace is stopped and forgotten")?);
    }
    if let Some(minutes) = args.start {
        let state = client.send(Method::POST, &path, &json!({"minutes": minutes})).await?;
        output.said(&state, &format!("messages are recorded until {}", cell(&state["until"])))?;
        if !args.follow {
            return Ok(());
        }
    }
    let mut shown = Shown::default();
    loop {
        let kind = if args.raw { "messages" } else { "story" };
        let found = client.get(&format!("{path}/{kind}")).await?;
        if output.json {
            output.print(&found, |_, _| Ok(()))?;
        } else if args.raw {
            raw(output.out, &found, &mut shown)?;
        } else {
            story(output.out, &found, &mut shown)?;
        }
        if !args.follow {
            if shown == Shown::default() && !output.json {
                return nothing(&path, client, output).await;
            }
            return Ok(());
        }
        output.out.flush()?;
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Says why there is nothing to show.
async fn nothing(path: &str, client: &Client, output: &mut Output<'_>) -> Result<(), CliError> {
    let state = client.get(path).await?;
    let why = match state["on"].as_bool() {
        Some(true) => format!("nothing came yet; recording until {}", cell(&state["until"])),
        _ => "nothing is recorded; begin with --start 30m".to_owned(),
    };
    Ok(output.said(&state, &why)?)
}

/// What was printed last: the session, and the time and number of its lines.
#[derive(Default, PartialEq, Eq)]
struct Shown {
    session: String,
    last: String,
    /// Lines of that time.
    same: usize,
}

impl Shown {
    /// Whether a line of this time is new.
    fn is_new(&mut self, at: &str, seen: &mut usize) -> bool {
        if at < self.last.as_str() {
            return false;
        }
        if at == self.last {
            *seen += 1;
            if *seen <= self.same {
                return false;
            }
            self.same = *seen;
            return true;
        }
        self.last = at.to_owned();
        self.same = 1;
        *seen = 1;
        true
    }

    /// Prints the heading of a session that is not the last one's.
    fn heading(&mut self, out: &mut dyn Write, began_at: &str) -> io::Result<()> {
        if self.session == began_at {
            return Ok(());
        }
        if !self.session.is_empty() {
            writeln!(out)?;
        }
        began_at.clone_into(&mut self.session);
        writeln!(out, "session of {began_at}")
    }
}

fn story(out: &mut dyn Write, found: &Value, shown: &mut Shown) -> io::Result<()> {
    let mut seen = 0;
    for session in items(found) {
        for line in session["lines"].as_array().into_iter().flatten() {
            let at = cell(&line["at"]);
            if !shown.is_new(&at, &mut seen) {
                continue;
            }
            shown.heading(out, &cell(&session["began_at"]))?;
            let after = match line["after_ms"].as_u64() {
                Some(after) if after > 0 => format!(" (after {})", lasted(&line["after_ms"])),
                _ => String::new(),
            };
            writeln!(out, "  {} {}{after}", time_of_day(&at), cell(&line["text"]))?;
        }
    }
    Ok(())
}

fn raw(out: &mut dyn Write, found: &Value, shown: &mut Shown) -> io::Result<()> {
    let mut seen = 0;
    for message in items(found) {
        let at = cell(&message["at"]);
        if !shown.is_new(&at, &mut seen) {
            continue;
        }
        shown.heading(out, &cell(&message["session"]))?;
        writeln!(
            out,
            "\n{at}  from {}, {} bytes: {}",
            cell(&message["from"]),
            cell(&message["size"]),
            cell(&message["text"]),
        )?;
        for line in message["body"].as_str().unwrap_or_default().lines() {
            writeln!(out, "  {}", clean(line))?;
        }
        if message["whole"] == false {
            writeln!(out, "  … the rest is not shown")?;
        }
    }
    Ok(())
}

pub(super) async fn export_tree(
    args: ExportArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let path = format!("/devices/{}/tree?anonymous={}", encode(&args.id), args.anonymous);
    let text = client.text(&path).await?;
    output.out.write_all(&text)?;
    writeln!(output.out)?;
    Ok(())
}

fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["items"].as_array().into_iter().flatten()
}

/// Hours, minutes and seconds of a time.
fn time_of_day(at: &str) -> &str {
    at.get(11..19).unwrap_or(at)
}

/// Milliseconds as a person says them.
fn lasted(millis: &Value) -> String {
    match millis.as_u64().unwrap_or(0) {
        millis @ 0..1000 => format!("{millis} ms"),
        millis => {
            let tenths = millis / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(minutes("30m"), Ok(30));
        assert_eq!(minutes("2h"), Ok(120));
        assert_eq!(minutes("5"), Ok(5));
        for bad in ["", "m", "0", "-1m", "3d", "99999999h"] {
            assert!(minutes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_is_a_table() {
        let session = json!({"began_at": "2026-01-02T10:03:21Z", "took_ms": 1530, "address": "192.0.2.7",
        "events": ["1 BOOT", "4 VALUE CHANGE"], "left_out": 2, "end": "the device fell silent",
        "rpcs": [
            {"method": "TransferComplete", "by": "device", "after_ms": 3, "took_ms": 12, "outcome": "answered"},
            {"method": "GetParameterValues", "by": "server", "after_ms": 40, "took_ms": 1200,
                "outcome": "fault", "fault_code": 9005, "fault_text": "no\u{1b}such", "task": "T"},
        ]});
        let mut out = Vec::new();
        one_session(&mut out, &session).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "2026-01-02T10:03:21Z  1 BOOT, 4 VALUE CHANGE from 192.0.2.7, 1.5 s: the device fell silent\n\
             \x20     +3 ms  ← TransferComplete                12 ms  answered\n\
             \x20    +40 ms  → GetParameterValues              1.2 s  fault 9005 no such  (task T)\n\
             \x20 … and 2 more\n"
        );
    }

    #[test]
    fn what_was_shown_is_not_shown_again() {
        let line = |at: &str, text: &str| json!({"at": at, "text": text, "after_ms": 0});
        let of = |lines: Vec<Value>| json!({"items": [{"began_at": "2026-01-02T10:00:00.000Z", "lines": lines}]});
        let (a, b, c) = (
            line("2026-01-02T10:00:00.000Z", "one"),
            line("2026-01-02T10:00:00.000Z", "two"),
            line("2026-01-02T10:00:01.000Z", "three"),
        );
        let mut shown = Shown::default();
        let mut out = Vec::new();
        for lines in [vec![a.clone()], vec![a.clone(), b.clone()], vec![a, b, c]] {
            story(&mut out, &of(lines), &mut shown).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "session of 2026-01-02T10:00:00.000Z\n  10:00:00 one\n  10:00:00 two\n  10:00:01 three\n"
        );
    }
}
