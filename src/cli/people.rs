//! `provost user` and `provost tenant`.

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output};
use super::token::ReachArgs;

const USERS: &[Column] = &[
    ("NAME", "name"),
    ("FULL NAME", "full_name"),
    ("ROLE", "role"),
    ("TENANT", "tenant"),
    ("SITES", "sites"),
    ("DISABLED", "disabled"),
    ("TOKENS", "tokens"),
];

const TENANTS: &[Column] =
    &[("NAME", "name"), ("TITLE", "title"), ("SITES", "sites"), ("DEVICES", "devices")];

/// People who hold tokens
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make a user, or change one; what is not said stays as it is
    Put {
        /// The name; name@tenant for one of a tenant
        name: String,
        /// viewer, agent, operator or admin; a new user needs one
        #[arg(long)]
        role: Option<String>,
        /// The name as people write it
        #[arg(long)]
        full_name: Option<String>,
        /// An address for mail
        #[arg(long)]
        email: Option<String>,
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// List users
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a user
    Show {
        /// The name
        name: String,
    },
    /// Shut all tokens of a user until enabled again
    Disable {
        /// The name
        name: String,
    },
    /// Have the tokens of a user open again
    Enable {
        /// The name
        name: String,
    },
    /// Forget a user, and revoke all tokens of the person
    Delete {
        /// The name
        name: String,
    },
}

/// Whose devices, sites and phones are kept apart
#[derive(Debug, Subcommand)]
pub(super) enum TenantCommand {
    /// Make a tenant, or change one; what is not said stays as it is
    Put {
        /// The name, as it stands in labels and at sites
        name: String,
        /// The name as people write it
        #[arg(long)]
        title: Option<String>,
        /// Anything
        #[arg(long)]
        note: Option<String>,
    },
    /// List tenants
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a tenant
    Show {
        /// The name
        name: String,
    },
    /// Forget a tenant that has nothing any more
    Delete {
        /// The name
        name: String,
    },
}

pub(super) async fn run_user(
    command: UserCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    use UserCommand as U;
    let path = |name: &str| format!("/users/{}", encode(name));
    match command {
        U::Put { name, role, full_name, email, reach } => {
            let mut body = said([("role", role), ("full_name", full_name), ("email", email)]);
            reach.add_to(&mut body);
            Ok(output.record(&client.send(Method::PUT, &path(&name), &body.into()).await?)?)
        }
        U::List { listing } => {
            Ok(output.list(&pages(client, "/users", &[], listing).await?, USERS)?)
        }
        U::Show { name } => Ok(output.record(&client.get(&path(&name)).await?)?),
        U::Disable { name } => {
            let answer = disable(client, &path(&name), true).await?;
            Ok(output.said(&answer, &format!("all tokens of {} are shut", clean(&name)))?)
        }
        U::Enable { name } => {
            let answer = disable(client, &path(&name), false).await?;
            Ok(output.said(&answer, &format!("the tokens of {} open again", clean(&name)))?)
        }
        U::Delete { name } => {
            let answer = client.delete(&path(&name)).await?;
            let sentence = format!("{} is forgotten, all tokens are revoked", clean(&name));
            Ok(output.said(&answer, &sentence)?)
        }
    }
}

pub(super) async fn run_tenant(
    command: TenantCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    use TenantCommand as T;
    let path = |name: &str| format!("/tenants/{}", encode(name));
    match command {
        T::Put { name, title, note } => {
            let body = said([("title", title), ("note", note)]).into();
            Ok(output.record(&client.send(Method::PUT, &path(&name), &body).await?)?)
        }
        T::List { listing } => {
            Ok(output.list(&pages(client, "/tenants", &[], listing).await?, TENANTS)?)
        }
        T::Show { name } => Ok(output.record(&client.get(&path(&name)).await?)?),
        T::Delete { name } => {
            let answer = client.delete(&path(&name)).await?;
            Ok(output.said(&answer, &format!("tenant {} is forgotten", clean(&name)))?)
        }
    }
}

/// Disabling a user that is not there must make none: it is read first.
async fn disable(client: &Client, path: &str, disabled: bool) -> Result<Value, CliError> {
    client.get(path).await?;
    client.send(Method::PUT, path, &json!({"disabled": disabled})).await
}

/// What was said, as members of a request.
fn said<const N: usize>(members: [(&str, Option<String>); N]) -> Map<String, Value> {
    let said = |(name, text): (&str, Option<String>)| Some((name.to_owned(), text?.into()));
    members.into_iter().filter_map(said).collect()
}
