//! `provost layer`: settings for everybody, a tenant or a model.

use axum::http::Method;
use clap::Subcommand;
use serde_json::json;

use super::read_settings;
use crate::cli::CliError;
use crate::cli::client::{Client, clean, encode};
use crate::cli::output::{Column, Output};

const LAYERS: &[Column] = &[("SCOPE", "scope"), ("SETTINGS", "settings"), ("REVISION", "revision")];

/// Settings for everybody, a tenant's sites or a model
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LayerCommand {
    /// List layers
    List,
    /// Show a layer
    Show {
        /// global, tenant/NAME or model/VENDOR/MODEL
        scope: String,
    },
    /// Set all settings of a layer
    Set {
        /// global, tenant/NAME or model/VENDOR/MODEL
        scope: String,
        /// A setting; `vendor:name` is for one vendor, `provost:…` a directive
        #[arg(long = "setting", value_name = "NAME=VALUE", required = true)]
        settings: Vec<String>,
    },
    /// Forget a layer
    Remove {
        /// global, tenant/NAME or model/VENDOR/MODEL
        scope: String,
    },
}

/// The path of a layer.
fn of(scope: &str) -> String {
    let parts: Vec<String> = scope.split('/').map(encode).collect();
    format!("/layers/{}", parts.join("/"))
}

pub(in crate::cli) async fn run(
    command: LayerCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        LayerCommand::List => Ok(output.list(&client.get("/layers").await?, LAYERS)?),
        LayerCommand::Show { scope } => Ok(output.record(&client.get(&of(&scope)).await?)?),
        LayerCommand::Set { scope, settings } => {
            let body = json!({"settings": read_settings(&settings)?});
            Ok(output.record(&client.send(Method::PUT, &of(&scope), &body).await?)?)
        }
        LayerCommand::Remove { scope } => {
            let answer = client.delete(&of(&scope)).await?;
            Ok(output.said(&answer, &format!("{} is forgotten", clean(&scope)))?)
        }
    }
}
