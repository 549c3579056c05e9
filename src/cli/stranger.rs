//! `provost stranger`: unknown devices, and what is decided on them.

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output, cell};

const STRANGERS: &[Column] = &[
    ("ID", "id"),
    ("MANUFACTURER", "manufacturer"),
    ("CLASS", "product_class"),
    ("SOFTWARE", "software_version"),
    ("ADDRESS", "address"),
    ("VOUCHED BY", "vouched"),
    ("LAST SEEN", "last_seen"),
    ("DECISION", "decision"),
];

/// Unknown devices that wait, and what is decided on them
#[derive(Debug, Subcommand)]
pub(super) enum StrangerCommand {
    /// List unknown devices
    List {
        /// A part of id, serial number, manufacturer, class, version or address
        #[arg(long, value_name = "TEXT")]
        q: Option<String>,
        /// Only this OUI
        #[arg(long)]
        oui: Option<String>,
        /// Only this product class
        #[arg(long)]
        product_class: Option<String>,
        /// Only waiting, adopted or denied
        #[arg(long)]
        decision: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show an unknown device
    Show {
        /// The id that it will have
        id: String,
    },
    /// Take unknown devices in when they come next
    Adopt(Chosen),
    /// Turn unknown devices away from now on
    Deny(Chosen),
    /// Forget an unknown device, and what was decided on it
    Forget {
        /// Its id
        id: String,
    },
}

/// One device, or all that a rule is about.
#[derive(Debug, clap::Args)]
pub(super) struct Chosen {
    /// Its id
    #[arg(required_unless_present = "rule", conflicts_with = "rule")]
    id: Option<String>,
    /// All that wait and that this rule (CEL) is about
    #[arg(long = "match", value_name = "RULE")]
    rule: Option<String>,
    /// Tell only how many that would be
    #[arg(long, requires = "rule")]
    dry_run: bool,
}

pub(super) async fn run(
    command: StrangerCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    use StrangerCommand as S;
    match command {
        S::List { q, oui, product_class, decision, listing } => {
            let filters =
                [("q", q), ("oui", oui), ("product_class", product_class), ("decision", decision)];
            let found = pages(client, "/strangers", &filters, listing).await?;
            Ok(output.list(&found, STRANGERS)?)
        }
        S::Show { id } => {
            Ok(output.record(&client.get(&format!("/strangers/{}", encode(&id))).await?)?)
        }
        S::Adopt(chosen) => chosen.decide("adopt", client, output).await,
        S::Deny(chosen) => chosen.decide("deny", client, output).await,
        S::Forget { id } => {
            let answer = client.delete(&format!("/strangers/{}", encode(&id))).await?;
            Ok(output.said(&answer, &format!("{} is forgotten", clean(&id)))?)
        }
    }
}

impl Chosen {
    async fn decide(
        self,
        verb: &str,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        if let Some(id) = self.id {
            let path = format!("/strangers/{}/{verb}", encode(&id));
            let decided = client.send(Method::POST, &path, &Value::Null).await?;
            let sentence = match verb {
                "adopt" => format!("{} is taken in when it comes next", clean(&id)),
                _ => format!("{} is turned away from now on", clean(&id)),
            };
            return Ok(output.said(&decided, &sentence)?);
        }
        let body = json!({"match": self.rule, "dry_run": self.dry_run});
        let told = client.send(Method::POST, &format!("/strangers/{verb}"), &body).await?;
        output.print(&told, |out, told| {
            let number = |key: &str| told[key].as_u64().unwrap_or_default();
            let (matched, decided, not_told) =
                (number("matched"), number("decided"), number("not_told"));
            match self.dry_run {
                true => writeln!(out, "the rule is about {matched} that wait")?,
                false => {
                    writeln!(out, "the rule is about {matched} that wait; decided on {decided}")?
                }
            }
            if not_told > 0 {
                writeln!(out, "of {not_told} it could not be told")?;
            }
            for id in told["examples"].as_array().into_iter().flatten() {
                writeln!(out, "  {}", cell(id))?;
            }
            Ok(())
        })?;
        Ok(())
    }
}
