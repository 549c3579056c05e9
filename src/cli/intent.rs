//! `provost device set DEVICE wifi …`: what is wanted of a device without a
//! path; and `provost device abilities`.
//!
//! The commands are made from the table of intents: one of each, with an option
//! for each field.

use std::io::{self, Write};

use axum::http::Method;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches, Subcommand};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::CliError;
use super::client::{Client, clean, encode};
use super::output::{Output, cell, grid, wheel};
use super::secret;
use super::task::{self, Waiting};
use crate::intent::{FieldWord, Form, INTENTS, IntentWord};

/// An intent as the command line has it.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    intent: &'static IntentWord,
    fields: Vec<(&'static FieldWord, String)>,
    dry_run: bool,
    waiting: Waiting,
}

impl Subcommand for Wish {
    fn augment_subcommands(command: Command) -> Command {
        INTENTS.iter().fold(command, |command, intent| command.subcommand(command_of(intent)))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        IntentWord::of(name).is_some()
    }
}

impl FromArgMatches for Wish {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let intent = IntentWord::of(name).ok_or_else(missing)?;
        let value = |field: &'static FieldWord| {
            Some((field, matches.get_one::<String>(field.name)?.clone()))
        };
        Ok(Self {
            intent,
            fields: intent.fields.iter().filter_map(value).collect(),
            dry_run: matches.get_flag("dry_run"),
            waiting: Waiting::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn command_of(intent: &'static IntentWord) -> Command {
    let command = Command::new(intent.word).about(sentence(intent.about));
    let command = intent.fields.iter().fold(command, |command, field| {
        let option = Arg::new(field.name).long(option(field.name)).value_name(shape(field));
        command.arg(option.help(help(field)))
    });
    let dry_run = Arg::new("dry_run")
        .long("dry-run")
        .action(ArgAction::SetTrue)
        .help("Only tell what would be written");
    Waiting::augment_args(command.arg(dry_run))
}

/// A field's name as an option.
fn option(name: &'static str) -> &'static str {
    match name {
        "auto_channel" => "auto-channel",
        "registrar_port" => "registrar-port",
        "proxy_port" => "proxy-port",
        "dhcp_first" => "dhcp-first",
        "dhcp_last" => "dhcp-last",
        name => name,
    }
}

/// A text as the beginning of a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

fn help(field: &FieldWord) -> String {
    let about = sentence(field.about);
    match field.form {
        Form::Which(words, _) if !words.is_empty() => format!("{about}: {}", words.join(", ")),
        Form::Choice(words) => format!("{about}: {}", words.join(", ")),
        _ if field.is_secret() => format!("{about}; - reads it from standard input"),
        _ => about,
    }
}

/// What stands for a value in the help.
const fn shape(field: &FieldWord) -> &'static str {
    match field.form {
        Form::Switch => "ON|OFF",
        Form::Number(..) => "NUMBER",
        Form::Address | Form::Mask => "ADDRESS",
        Form::Addresses(_) => "ADDRESS,…",
        Form::Servers(_) => "SERVER,…",
        Form::Zone => "ZONE",
        Form::Which(..) | Form::WhichName => "WHICH",
        Form::Choice(_) => "WORD",
        Form::Text(..) | Form::Secret(..) | Form::Passphrase => "TEXT",
    }
}

/// Wants something of a device, and prints what is touched and what became of
/// it.
pub(super) async fn run(
    id: &str,
    wish: Wish,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let patience = wish.waiting.patience();
    let deadline = Instant::now() + patience;
    let body = body(&wish)?;
    let first = patience.min(task::ONE_WAIT);
    let path = format!("/devices/{}/intents?wait={}", encode(id), first.as_secs());
    let wheel = wheel(format!("waiting for {}", clean(id)));
    let asked = client.waiting(Method::POST, &path, Some(&body), first).await;
    let mut asked = match asked {
        Ok(asked) => asked,
        Err(error) => {
            wheel.finish_and_clear();
            return Err(error);
        }
    };
    if !asked["task"].is_null() && !wish.waiting.no_wait() {
        let over = task::until_over(client, asked["task"].take(), deadline).await;
        wheel.finish_and_clear();
        asked["task"] = over?;
    }
    wheel.finish_and_clear();
    if output.json {
        output.print(&asked, |_, _| Ok(()))?;
        return match &asked["task"] {
            Value::Null => Ok(()),
            _ if wish.waiting.no_wait() => Ok(()),
            task => task::verdict(task),
        };
    }
    touched(output.out, &asked)?;
    match &asked["task"] {
        Value::Null => Ok(()),
        task if wish.waiting.no_wait() => task::queued(task, output),
        task => task::report(task, output),
    }
}

fn body(wish: &Wish) -> Result<Value, CliError> {
    let mut body = Map::new();
    body.insert("intent".to_owned(), wish.intent.word.into());
    body.insert("learn".to_owned(), (!wish.waiting.no_wait()).into());
    body.insert("dry_run".to_owned(), wish.dry_run.into());
    for (field, text) in &wish.fields {
        let text =
            if field.is_secret() && text == "-" { secret::read(field.name)? } else { text.clone() };
        body.insert(field.name.to_owned(), text.into());
    }
    Ok(Value::Object(body))
}

/// Prints what is touched, one row each.
fn touched(out: &mut dyn Write, answer: &Value) -> io::Result<()> {
    let rows: Vec<Vec<String>> = answer["touched"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| vec![which(&one["which"]), cell(&one["field"]), cell(&one["paths"])])
        .collect();
    grid(out, &["WHICH", "FIELD", "PARAMETERS"], &rows)?;
    if answer["basis"] == "reported" {
        writeln!(
            out,
            "  these parameters are the vendor's own, as others use them; whether they do it, the \
             read-back tells"
        )?;
    }
    Ok(())
}

/// `5GHz main`, `1`, or `-`.
fn which(which: &Value) -> String {
    let parts: Vec<String> =
        which.as_object().into_iter().flatten().map(|(_, value)| cell(value)).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(" ") }
}

/// Prints what a device can do.
pub(super) async fn abilities(
    id: &str,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let told = client.get(&format!("/devices/{}/abilities", encode(id))).await?;
    output.print(&told, |out, told| {
        let mut rows = Vec::new();
        for ability in told["items"].as_array().into_iter().flatten() {
            let before = rows.len();
            for row in ability["rows"].as_array().into_iter().flatten() {
                for field in row["fields"].as_array().into_iter().flatten() {
                    if field["state"] == "not_supported" {
                        continue;
                    }
                    let line = vec![
                        cell(&ability["intent"]),
                        which(&row["which"]),
                        cell(&field["field"]),
                        cell(&field["value"]),
                        state(&field["state"], &field["basis"]),
                    ];
                    // Another way to the same thing.
                    let is_told = |told: &Vec<String>| {
                        told.get(2) == line.get(2) && told.get(3) == line.get(3)
                    };
                    if line.get(1).is_some_and(|which| which == "-")
                        && rows.iter().skip(before).any(is_told)
                    {
                        continue;
                    }
                    rows.push(line);
                }
            }
            if rows.len() == before {
                let why =
                    if ability["reason"].is_null() { &ability["read"] } else { &ability["reason"] };
                rows.push(vec![
                    cell(&ability["intent"]),
                    "-".to_owned(),
                    "-".to_owned(),
                    cell(why),
                    state(&ability["state"], &Value::Null),
                ]);
            }
        }
        grid(out, &["INTENT", "WHICH", "FIELD", "VALUE", "STATE"], &rows)
    })?;
    Ok(())
}

fn state(state: &Value, basis: &Value) -> String {
    let word = cell(state).replace('_', " ");
    if basis == "reported" { format!("{word} (reported)") } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Wish, clap::Error> {
        let command = Wish::augment_subcommands(Command::new("set"));
        let matches = command.try_get_matches_from([&["set"], arguments].concat())?;
        Wish::from_arg_matches(&matches)
    }

    #[test]
    fn each_intent_is_a_command_with_its_fields() {
        let wish =
            parse(&["wifi", "--band", "5", "--name", "Home", "--auto-channel", "on"]).unwrap();
        assert_eq!(wish.intent.word, "wifi");
        let body = body(&wish).unwrap();
        assert_eq!(body["intent"], "wifi");
        assert_eq!(body["auto_channel"], "on");
        assert_eq!(body["learn"], true);
        for intent in INTENTS {
            assert!(parse(&[intent.word]).unwrap().fields.is_empty());
            assert!(intent.fields.iter().all(|field| !option(field.name).contains('_')));
        }
        assert!(parse(&["wifi", "--username", "x"]).is_err());
        assert!(parse(&["fly"]).is_err());
    }
}
