//! `provost events`: what happens, as a list and as it happens.

use std::io::{self, Write};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Output, cell};
use crate::class::Class;

/// Before a stream that ended is opened again.
const AGAIN: Duration = Duration::from_secs(2);

/// The longest event that is taken, in bytes.
const MAX_EVENT: usize = 1 << 20;

/// What happened to devices, tasks and campaigns
#[derive(Debug, clap::Args)]
pub(super) struct EventsArgs {
    /// Go on printing what happens until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// With --follow: begin after the event with this id; 0 for all that is kept
    #[arg(long, value_name = "ID", requires = "follow")]
    after: Option<String>,
    /// Only these kinds, with commas between: device.boot,device.offline
    #[arg(long)]
    kind: Option<String>,
    /// Only of this device
    #[arg(long, value_name = "ID")]
    device: Option<String>,
    /// Only of this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Only from this site
    #[arg(long)]
    site: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(super) async fn run(
    args: EventsArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let filters = [
        ("kind", args.kind),
        ("device", args.device),
        ("tenant", args.tenant),
        ("site", args.site),
    ];
    if !args.follow {
        let found = pages(client, "/events", &filters, args.listing).await?;
        output.print(&found, |out, found| {
            // The newest are asked for; people read downwards.
            let items = found["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().rev().try_for_each(|event| line(out, event))
        })?;
        return Ok(());
    }
    let mut query = String::from("follow=true");
    for (key, value) in filters {
        if let Some(value) = value {
            query.push_str(&format!("&{key}={}", encode(&value)));
        }
    }
    let path = format!("/events/stream?{query}");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        ended = follow(&path, args.after, client, output) => ended,
    }
}

/// Prints what happens; a stream that ends is opened again where it ended.
async fn follow(
    path: &str,
    mut last: Option<String>,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut was_open = false;
    loop {
        match client.stream(path, last.as_deref()).await {
            Ok((body, driver)) => {
                was_open = true;
                read(body, &mut last, output).await?;
                driver.abort();
            }
            // A server that is being started again; one that was never there is told.
            Err(error) if was_open && is_passing(&error) => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn is_passing(error: &CliError) -> bool {
    matches!(error, CliError::NoServer { .. } | CliError::Timeout(_) | CliError::Exchange(_))
        || error.class() == Class::Unavailable
}

/// Reads a stream to its end.
async fn read(
    mut body: Incoming,
    last: &mut Option<String>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut pending: Vec<u8> = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(piece) = frame.into_data() else { continue };
        pending.extend_from_slice(&piece);
        while let Some(end) = pending.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = pending.drain(..end + 2).collect();
            let event = Block::read(&String::from_utf8_lossy(&block));
            if let Some(id) = event.id {
                *last = Some(id);
            }
            let Some(json) = event.data else { continue };
            let event: Value = serde_json::from_str(&json).unwrap_or_default();
            if output.json {
                // One line each, as they come.
                writeln!(output.out, "{event}")?;
            } else {
                line(output.out, &event)?;
            }
        }
        if pending.len() > MAX_EVENT {
            return Ok(());
        }
        output.out.flush()?;
    }
    Ok(())
}

/// One event as it comes (WHATWG HTML, server-sent events).
#[derive(Default)]
struct Block {
    id: Option<String>,
    data: Option<String>,
}

impl Block {
    fn read(text: &str) -> Self {
        let mut block = Self::default();
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "id" => block.id = Some(value),
                "data" => block.data = Some(value),
                _ => {}
            }
        }
        block
    }
}

fn line(out: &mut dyn Write, event: &Value) -> io::Result<()> {
    let text = |key: &str| clean(event[key].as_str().unwrap_or_default());
    if event["kind"] == "gap" {
        return writeln!(out, "… events {} to {} are no longer kept", text("first"), text("last"));
    }
    let about = match &event["device"] {
        Value::Null => String::new(),
        device => format!("{}  ", cell(device)),
    };
    writeln!(out, "{}  {:16}  {about}{}", text("at"), text("kind"), text("text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_and_signs_of_life_move_the_place() {
        let event = Block::read("id: 7\nevent: device.boot\ndata: {\"a\":1}\n\n");
        assert_eq!((event.id.as_deref(), event.data.as_deref()), (Some("7"), Some("{\"a\":1}")));
        let life = Block::read(":\nid: 9\n\n");
        assert_eq!((life.id.as_deref(), life.data), (Some("9"), None));
        assert!(Block::read("retry: 3000\n\n").id.is_none());
    }
}
