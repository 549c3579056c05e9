//! `provost model`: what models of devices can take.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Map, Value};

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output};

const MODELS: &[Column] = &[
    ("OUI", "oui"),
    ("CLASS", "product_class"),
    ("SOFTWARE", "software_version"),
    ("LEARNED", "known"),
    ("SAID", "said"),
];

/// Models of devices: what they can take, as learned and as you say
#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// List models of which something is known
    List {
        /// Only this OUI
        #[arg(long)]
        oui: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a model, with the exchanges that taught it
    Show(Model),
    /// Say what a model can take; it goes before what is learned
    Set {
        #[command(flatten)]
        model: Model,
        /// What it can take, as in `read_batch=16`; `read_batch=` goes back to
        /// what is learned
        #[arg(long = "take", value_name = "NAME=VALUE", required = true)]
        take: Vec<String>,
    },
    /// Forget what was learned of a model, or what you said of it
    Forget {
        #[command(flatten)]
        model: Model,
        /// Forget what you said, and keep what was learned
        #[arg(long)]
        said: bool,
    },
    /// Print what is known of all models, without a trace of any device
    Export,
    /// Take over what is known of models elsewhere
    Import {
        /// A file that `provost model export` printed; `-` reads stdin
        file: PathBuf,
    },
}

/// Which model.
#[derive(Debug, clap::Args)]
pub(super) struct Model {
    /// The OUI
    oui: String,
    /// The product class; empty if it has none
    #[arg(default_value = "")]
    product_class: String,
    /// The software version; none, in what you say, is any
    #[arg(default_value = "")]
    software_version: String,
}

impl Model {
    fn query(&self) -> String {
        format!(
            "?oui={}&product_class={}&software_version={}",
            encode(&self.oui),
            encode(&self.product_class),
            encode(&self.software_version)
        )
    }

    fn words(&self) -> String {
        let parts = [&self.oui, &self.product_class, &self.software_version];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        clean(&parts.join(" "))
    }
}

pub(super) async fn run(
    command: ModelCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        ModelCommand::List { oui, listing } => {
            let mut models = pages(client, "/models", &[("oui", oui)], listing).await?;
            if !output.json {
                for model in models["items"].as_array_mut().into_iter().flatten() {
                    model["known"] = model["learned"].as_array().map_or(0, Vec::len).into();
                    model["said"] = model["wishes"].as_object().map_or(0, Map::len).into();
                }
            }
            output.list(&models, MODELS)?;
        }
        ModelCommand::Show(model) => {
            let shown = client.get(&format!("/model{}", model.query())).await?;
            output.print(&shown, show)?;
        }
        ModelCommand::Set { model, take } => {
            let path = format!("/model/wishes{}", model.query());
            let before = client.get(&format!("/model{}", model.query())).await;
            let mut wishes = match before {
                Ok(before) => before["wishes"].as_object().cloned().unwrap_or_default(),
                Err(error) if error.class() == crate::class::Class::NotFound => Map::new(),
                Err(error) => return Err(error),
            };
            for one in take {
                let (name, value) = one.split_once('=').ok_or_else(|| CliError::BadArgument {
                    argument: one.clone(),
                    problem: "write it as NAME=VALUE",
                })?;
                if value.is_empty() {
                    wishes.remove(name);
                } else {
                    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
                    wishes.insert(name.to_owned(), value);
                }
            }
            let shown = client.send(Method::PUT, &path, &wishes.into()).await?;
            output.print(&shown, show)?;
        }
        ModelCommand::Forget { model, said } => {
            let what = if said { "wishes" } else { "lessons" };
            let answer = client.delete(&format!("/model/{what}{}", model.query())).await?;
            let words = if said { "what you said" } else { "what was learned" };
            output.said(&answer, &format!("{words} of {} is forgotten", model.words()))?;
        }
        ModelCommand::Export => {
            let exported = client.get("/models/export").await?;
            writeln!(output.out, "{exported:#}")?;
        }
        ModelCommand::Import { file } => {
            let text = read(&file)?;
            let exported: Value =
                serde_json::from_str(&text).map_err(|_| CliError::BadArgument {
                    argument: file.display().to_string(),
                    problem: "it is no file that `provost model export` printed",
                })?;
            let answer = client.send(Method::POST, "/models/import", &exported).await?;
            output.said(&answer, &format!("{} models are taken over", answer["models"]))?;
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|source| CliError::File { path: file.to_owned(), source })?;
    Ok(text)
}

fn show(out: &mut dyn std::io::Write, model: &Value) -> std::io::Result<()> {
    let text = |value: &Value| clean(value.as_str().unwrap_or_default());
    writeln!(
        out,
        "{} {} {}",
        text(&model["oui"]),
        text(&model["product_class"]),
        text(&model["software_version"])
    )?;
    for (name, value) in model["wishes"].as_object().into_iter().flatten() {
        writeln!(out, "you said      {name} = {value}")?;
    }
    for (list, words) in [("learned", "learned"), ("heard", "one device")] {
        for lesson in model[list].as_array().into_iter().flatten() {
            writeln!(
                out,
                "{words:<13} {} = {}: {} ({})",
                text(&lesson["ability"]),
                lesson["value"],
                text(&lesson["words"]),
                text(&lesson["at"])
            )?;
        }
    }
    Ok(())
}
