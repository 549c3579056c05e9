//! `provost site`.

use std::path::PathBuf;

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{put, read_settings, secret};
use crate::cli::CliError;
use crate::cli::client::{Client, clean, encode};
use crate::cli::output::{Column, Output};

const SITES: &[Column] = &[
    ("NAME", "name"),
    ("TENANT", "tenant"),
    ("KEY", "common_key"),
    ("PLAIN SECRETS", "plain_secrets"),
    ("REVISION", "revision"),
];

/// Places whose phones share settings
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SiteCommand {
    /// List sites
    List,
    /// Show a site
    Show {
        /// The site
        name: String,
    },
    /// Make a site, or change one
    Set(Box<Set>),
    /// Set a site's phone book from a CSV file: name, number, group
    Contacts {
        /// The site
        name: String,
        /// The file, with a line `name,number,group` at its head
        file: PathBuf,
    },
    /// Show the folder that all phones of a site share, token included
    Url {
        /// The site
        name: String,
    },
    /// Forget a site at which no phone stands
    Remove {
        /// The site
        name: String,
    },
}

/// What a site is to be; what is not given stays as it is.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Set {
    /// The site
    name: String,
    /// Whose it is
    #[arg(long)]
    tenant: Option<String>,
    /// The key for common files, 64 hex digits; `-` reads it from stdin
    #[arg(long, value_name = "HEX")]
    common_key: Option<String>,
    /// A setting for all its phones; `vendor:name` is for one vendor. May be
    /// repeated, and takes the place of all settings before
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Whether secrets may leave over TFTP, FTP and plain HTTP in unencrypted
    /// files
    #[arg(long, value_name = "BOOL")]
    plain_secrets: Option<bool>,
    /// Whether a file may be asked for by name alone, without a token
    #[arg(long, value_name = "BOOL")]
    tokenless: Option<bool>,
    /// Whether a phone's own file is given only once without a token
    #[arg(long, value_name = "BOOL")]
    lock: Option<bool>,
    /// Where phones may ask from: an address, a network or a pattern; may be
    /// repeated, and takes the place of all before
    #[arg(long, value_name = "SOURCE")]
    allow: Vec<String>,
    /// Let phones ask from anywhere
    #[arg(long, conflicts_with = "allow")]
    allow_all: bool,
    /// A login for phones without a token; `USER=-` reads the password from stdin,
    /// `USER` keeps the one that is stored. May be repeated, and takes the place of
    /// all before
    #[arg(long = "login", value_name = "USER=PASSWORD")]
    logins: Vec<String>,
}

impl Set {
    fn body(self) -> Result<Value, CliError> {
        let mut access = Map::new();
        put(&mut access, "tokenless", self.tokenless);
        put(&mut access, "lock", self.lock);
        if self.allow_all || !self.allow.is_empty() {
            access.insert("allow".to_owned(), self.allow.into());
        }
        if !self.logins.is_empty() {
            let mut logins = Vec::new();
            for login in self.logins {
                logins.push(match login.split_once('=') {
                    Some((user, password)) => {
                        json!({"user": user, "password": secret(password.to_owned())?})
                    }
                    None => json!({"user": login}),
                });
            }
            access.insert("logins".to_owned(), logins.into());
        }
        let mut body = Map::new();
        put(&mut body, "tenant", self.tenant);
        put(&mut body, "common_key", self.common_key.map(secret).transpose()?);
        put(&mut body, "settings", read_settings(&self.settings)?);
        put(&mut body, "plain_secrets", self.plain_secrets);
        put(&mut body, "access", (!access.is_empty()).then_some(access));
        Ok(body.into())
    }
}

pub(in crate::cli) async fn run(
    command: SiteCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let of = |name: &str| format!("/sites/{}", encode(name));
    match command {
        SiteCommand::List => Ok(output.list(&client.get("/sites").await?, SITES)?),
        SiteCommand::Show { name } => Ok(output.record(&client.get(&of(&name)).await?)?),
        SiteCommand::Set(set) => {
            let path = of(&set.name);
            Ok(output.record(&client.send(Method::PUT, &path, &set.body()?).await?)?)
        }
        SiteCommand::Contacts { name, file } => {
            let contacts = contacts(&file)?;
            let count = contacts.len();
            let body = json!({"contacts": contacts});
            let site = client.send(Method::PUT, &of(&name), &body).await?;
            let sentence = format!("the phone book of {} has {count} entries", clean(&name));
            Ok(output.said(&site, &sentence)?)
        }
        SiteCommand::Url { name } => {
            let urls = client.get(&format!("{}/url", of(&name))).await?;
            Ok(output.said(&urls, &clean(urls["url"].as_str().unwrap_or_default()))?)
        }
        SiteCommand::Remove { name } => {
            let answer = client.delete(&of(&name)).await?;
            Ok(output.said(&answer, &format!("{} is forgotten", clean(&name)))?)
        }
    }
}

/// The entries of a phone book in CSV.
fn contacts(file: &PathBuf) -> Result<Vec<Value>, CliError> {
    let failed = |source| CliError::File { path: file.clone(), source };
    let text = std::fs::read(file).map_err(failed)?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let wrong = |error: csv::Error| failed(std::io::Error::other(error));
    let heading = reader.headers().map_err(wrong)?.clone();
    let known = |name: &str| matches!(name, "name" | "number" | "group");
    if !heading.iter().all(known) {
        let problem = "the first line is `name,number,group`";
        return Err(failed(std::io::Error::other(problem)));
    }
    let mut contacts = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let fields = heading.iter().zip(&record);
        let fields = fields.map(|(name, cell)| (name.to_owned(), Value::from(cell)));
        contacts.push(Value::Object(fields.collect()));
    }
    Ok(contacts)
}
