//! `provost webhook`: where events are sent.

use std::io::{self, Write};

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::CliError;
use super::client::{Client, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output, cell};

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("URL", "url"),
    ("KINDS", "kinds"),
    ("TENANT", "tenant"),
    ("ENABLED", "enabled"),
];

/// A webhook that is to be.
#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// Where events are sent
    url: String,
    /// What it is for
    #[arg(long, default_value = "")]
    name: String,
    /// Only these kinds: device.boot, device.offline and the like
    #[arg(long, value_delimiter = ',', value_name = "KIND")]
    kind: Vec<String>,
    /// Only what happens to this tenant's devices
    #[arg(long)]
    tenant: Option<String>,
    /// Only what happens at these sites
    #[arg(long, value_delimiter = ',')]
    site: Vec<String>,
    /// The secret, in place of one that is made; `-` reads it from standard input
    #[arg(long)]
    secret: Option<String>,
}

/// Webhooks: where events are sent
#[derive(Debug, Subcommand)]
pub(super) enum WebhookCommand {
    /// Make a webhook; its secret is printed once
    Add(AddArgs),
    /// List webhooks
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a webhook and how its deliveries go
    Show {
        /// The webhook
        id: String,
    },
    /// Send it a ping
    Test {
        /// The webhook
        id: String,
    },
    /// Send it events again, or none
    Enable {
        /// The webhook
        id: String,
        /// Send none
        #[arg(long)]
        off: bool,
    },
    /// Remove a webhook with its dead letters
    Remove {
        /// The webhook
        id: String,
    },
    /// List the events that it did not take
    DeadLetters {
        /// The webhook
        id: String,
        #[command(flatten)]
        listing: Listing,
    },
    /// Send dead letters again
    Redeliver {
        /// The webhook
        id: String,
        /// Only this event
        event: Option<String>,
    },
    /// Forget dead letters
    Discard {
        /// The webhook
        id: String,
        /// Only this event
        event: Option<String>,
    },
}

pub(super) async fn run(
    command: WebhookCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let of = |id: &str| format!("/webhooks/{}", encode(id));
    match command {
        WebhookCommand::Add(args) => add(args, client, output).await,
        WebhookCommand::List { listing } => {
            Ok(output.list(&pages(client, "/webhooks", &[], listing).await?, COLUMNS)?)
        }
        WebhookCommand::Show { id } => Ok(output.record(&client.get(&of(&id)).await?)?),
        WebhookCommand::Test { id } => {
            let path = format!("{}/test", of(&id));
            let pinged = client.send(Method::POST, &path, &json!({})).await?;
            let sentence = match pinged["taken"].as_bool() {
                Some(true) => format!("the receiver took it ({})", cell(&pinged["status"])),
                _ => format!("the receiver did not take it: {}", cell(&pinged["problem"])),
            };
            output.said(&pinged, &sentence)?;
            // Upstream's exit code, so that scripts see it.
            if pinged["taken"] == true {
                Ok(())
            } else {
                Err(CliError::Ended(crate::class::Class::Upstream.exit_code()))
            }
        }
        WebhookCommand::Enable { id, off } => {
            let changed = client.send(Method::PATCH, &of(&id), &json!({"enabled": !off})).await?;
            let word = if off { "nothing is sent any more" } else { "events are sent" };
            Ok(output.said(&changed, word)?)
        }
        WebhookCommand::Remove { id } => {
            let gone = client.delete(&of(&id)).await?;
            Ok(output.said(&gone, "the webhook is removed")?)
        }
        WebhookCommand::DeadLetters { id, listing } => {
            let path = format!("{}/dead-letters", of(&id));
            let found = pages(client, &path, &[], listing).await?;
            Ok(output.print(&found, letters)?)
        }
        WebhookCommand::Redeliver { id, event } => {
            let path = match event {
                Some(event) => format!("{}/dead-letters/{}/redeliver", of(&id), encode(&event)),
                None => format!("{}/dead-letters/redeliver", of(&id)),
            };
            let done = client.send(Method::POST, &path, &json!({})).await?;
            let mut sentence =
                format!("{} delivered, {} left", cell(&done["delivered"]), cell(&done["left"]));
            if let Some(problem) = done["problem"].as_str() {
                sentence.push_str(&format!(": {problem}"));
            }
            Ok(output.said(&done, &sentence)?)
        }
        WebhookCommand::Discard { id, event } => {
            let path = match event {
                Some(event) => format!("{}/dead-letters/{}", of(&id), encode(&event)),
                None => format!("{}/dead-letters", of(&id)),
            };
            let gone = client.delete(&path).await?;
            Ok(output.said(&gone, "forgotten")?)
        }
    }
}

async fn add(args: AddArgs, client: &Client, output: &mut Output<'_>) -> Result<(), CliError> {
    let mut body = Map::new();
    body.insert("url".to_owned(), args.url.into());
    body.insert("name".to_owned(), args.name.into());
    body.insert("kinds".to_owned(), json!(args.kind));
    body.insert("sites".to_owned(), json!(args.site));
    body.extend(args.tenant.map(|tenant| ("tenant".to_owned(), tenant.into())));
    let secret = match args.secret.as_deref() {
        Some("-") => Some(line_of_input()?),
        _ => args.secret,
    };
    body.extend(secret.map(|secret| ("secret".to_owned(), secret.into())));
    let made = client.send(Method::POST, "/webhooks", &Value::from(body)).await?;
    let told = match made["secret"].as_str() {
        Some(_) => format!("; its secret, told once: {}", cell(&made["secret"])),
        None => String::new(),
    };
    Ok(output.said(&made, &format!("webhook {}{told}", cell(&made["id"])))?)
}

/// Dead letters, a line each.
fn letters(out: &mut dyn Write, found: &Value) -> io::Result<()> {
    for letter in found["items"].as_array().into_iter().flatten() {
        let event = &letter["event"];
        writeln!(
            out,
            "{}  {}  {:16}  {}: {}",
            cell(&event["id"]),
            cell(&letter["at"]),
            cell(&event["kind"]),
            cell(&event["text"]),
            cell(&letter["problem"]),
        )?;
    }
    Ok(())
}

/// The next line of standard input.
fn line_of_input() -> Result<String, CliError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
