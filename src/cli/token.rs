//! `provost token` and `provost whoami`: what opens the northbound.

use std::io::Write as _;

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::CliError;
use super::client::{Client, clean, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output};
use crate::rollout::Span;

const TOKENS: &[Column] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("USER", "user"),
    ("ROLE", "role"),
    ("TENANT", "tenant"),
    ("SITES", "sites"),
    ("STATE", "state"),
    ("EXPIRES", "expires_at"),
    ("LAST USED", "last_used_at"),
    ("FROM", "last_used_from"),
];

/// Tokens that open the northbound, for people and machines
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token; its text is printed once and kept nowhere
    Create(CreateArgs),
    /// List tokens
    List {
        /// Only those of this user
        #[arg(long)]
        user: Option<String>,
        /// Only active, expired, revoked or shut ones
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a token, but not its text
    Show {
        /// Its id
        id: String,
    },
    /// Change what a token may do
    Change(ChangeArgs),
    /// Shut a token for good; it stays in the list
    Revoke {
        /// Its id
        id: String,
    },
    /// Give a token another text; the one before opens nothing from then on
    Rotate {
        /// Its id
        id: String,
    },
    /// Forget a token, which shuts it
    Delete {
        /// Its id
        id: String,
    },
}

/// Whose things are seen.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct ReachArgs {
    /// Only this tenant's things
    #[arg(long)]
    tenant: Option<String>,
    /// Only what stands at this site; may be repeated
    #[arg(long = "site")]
    sites: Vec<String>,
}

impl ReachArgs {
    /// The members of a request that say so; nothing said, nothing in it.
    pub(super) fn add_to(self, body: &mut Map<String, Value>) {
        body.extend(self.tenant.map(|tenant| ("tenant".to_owned(), tenant.into())));
        if !self.sites.is_empty() {
            body.insert("sites".to_owned(), self.sites.into());
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// What it is for
    name: String,
    /// viewer, agent, operator or admin
    #[arg(long, default_value = "viewer")]
    role: String,
    /// Only this right of the role's; may be repeated
    #[arg(long = "right", value_name = "RIGHT")]
    rights: Vec<String>,
    /// Whose it is; a machine's without one
    #[arg(long)]
    user: Option<String>,
    #[command(flatten)]
    reach: ReachArgs,
    /// In which time it ends, as in 12h or 90d; never without
    #[arg(long, value_name = "TIME")]
    expires: Option<Span>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ChangeArgs {
    /// Its id
    id: String,
    /// What it is for
    #[arg(long)]
    name: Option<String>,
    /// viewer, agent, operator or admin
    #[arg(long)]
    role: Option<String>,
    /// Only this right of the role's from now on; may be repeated
    #[arg(long = "right", value_name = "RIGHT", conflicts_with = "all_rights")]
    rights: Vec<String>,
    /// All rights of the role from now on
    #[arg(long)]
    all_rights: bool,
    #[command(flatten)]
    reach: ReachArgs,
}

pub(super) async fn run(
    command: TokenCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    use TokenCommand as T;
    let path = |id: &str, verb: &str| format!("/tokens/{}{verb}", encode(id));
    match command {
        T::Create(args) => {
            let made = client.send(Method::POST, "/tokens", &args.body()).await?;
            tell(output, &made)
        }
        T::List { user, state, listing } => {
            let filters = [("user", user), ("state", state)];
            Ok(output.list(&pages(client, "/tokens", &filters, listing).await?, TOKENS)?)
        }
        T::Show { id } => Ok(output.record(&client.get(&path(&id, "")).await?)?),
        T::Change(args) => {
            let to = path(&args.id, "");
            Ok(output.record(&client.send(Method::PATCH, &to, &args.body()).await?)?)
        }
        T::Revoke { id } => {
            let answer = client.send(Method::POST, &path(&id, "/revoke"), &Value::Null).await?;
            Ok(output.said(&answer, &format!("token {} opens nothing any more", clean(&id)))?)
        }
        T::Rotate { id } => {
            let made = client.send(Method::POST, &path(&id, "/rotate"), &Value::Null).await?;
            tell(output, &made)
        }
        T::Delete { id } => {
            let answer = client.delete(&path(&id, "")).await?;
            Ok(output.said(&answer, &format!("token {} is forgotten", clean(&id)))?)
        }
    }
}

/// Tells who asks, and what that one may do.
pub(super) async fn whoami(client: &Client, output: &mut Output<'_>) -> Result<(), CliError> {
    Ok(output.record(&client.get("/me").await?)?)
}

/// Prints the text of a token alone on its line, so that a script can take it.
fn tell(output: &mut Output<'_>, made: &Value) -> Result<(), CliError> {
    output.print(made, |out, made| {
        writeln!(out, "{}", clean(made["token"].as_str().unwrap_or_default()))
    })?;
    if !output.json {
        let id = clean(made["id"].as_str().unwrap_or_default());
        let mut err = std::io::stderr();
        writeln!(err, "token {id}: this is its text, which is shown once and kept nowhere")?;
    }
    Ok(())
}

impl CreateArgs {
    fn body(self) -> Value {
        let mut body = Map::new();
        body.insert("name".to_owned(), self.name.into());
        body.insert("role".to_owned(), self.role.into());
        if !self.rights.is_empty() {
            body.insert("rights".to_owned(), self.rights.into());
        }
        body.extend(self.user.map(|user| ("user".to_owned(), user.into())));
        body.extend(
            self.expires.map(|span| ("expires_in".to_owned(), span.duration().as_secs().into())),
        );
        self.reach.add_to(&mut body);
        body.into()
    }
}

impl ChangeArgs {
    fn body(self) -> Value {
        let mut body = Map::new();
        body.extend(self.name.map(|name| ("name".to_owned(), name.into())));
        body.extend(self.role.map(|role| ("role".to_owned(), role.into())));
        if self.all_rights {
            body.insert("rights".to_owned(), Value::Null);
        } else if !self.rights.is_empty() {
            body.insert("rights".to_owned(), json!(self.rights));
        }
        self.reach.add_to(&mut body);
        body.into()
    }
}
