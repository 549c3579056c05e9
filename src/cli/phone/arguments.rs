//! What may be said of a phone, an account and a key.

use axum::http::Method;
use serde_json::{Map, Value};

use super::{of, put, read_settings, secret};
use crate::cli::CliError;
use crate::cli::client::{Client, clean};
use crate::cli::output::Output;

/// What a phone is to be; what is not given stays as it is.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ChangeArguments {
    /// fanvil, digium, audiocodes or astlinux; by the block of the address if not
    /// given for a new phone
    #[arg(long)]
    vendor: Option<String>,
    /// The model as the vendor names it; needed for a new phone
    #[arg(long)]
    model: Option<String>,
    /// The site it stands at
    #[arg(long)]
    site: Option<String>,
    /// Whether it is served at all
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
    /// The template that its own file is made with
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// A further name of its own file; may be repeated, and takes the place of
    /// all names before
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// The key for its own file, 64 hex digits; `-` reads it from stdin
    #[arg(long, value_name = "HEX")]
    config_key: Option<String>,
    /// A setting in the vendor's own names, or a directive (`provost:…`); may be
    /// repeated, and takes the place of all settings before
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
}

impl ChangeArguments {
    /// As the northbound takes it.
    pub(super) fn body(self) -> Result<Value, CliError> {
        let mut body = Map::new();
        put(&mut body, "vendor", self.vendor);
        put(&mut body, "model", self.model);
        put(&mut body, "site", self.site);
        put(&mut body, "enabled", self.enabled);
        put(&mut body, "template", self.template);
        put(&mut body, "names", (!self.names.is_empty()).then_some(self.names));
        put(&mut body, "config_key", self.config_key.map(secret).transpose()?);
        put(&mut body, "settings", read_settings(&self.settings)?);
        Ok(body.into())
    }
}

/// An account as it is to be.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AccountArguments {
    /// The hardware address
    mac: String,
    /// The line, from 1
    line: u8,
    /// Take the account away
    #[arg(long, conflicts_with_all = ["user", "sip_server"])]
    remove: bool,
    /// The SIP user
    #[arg(long, required_unless_present = "remove")]
    user: Option<String>,
    /// The registrar's host name or address
    #[arg(long, required_unless_present = "remove")]
    sip_server: Option<String>,
    /// The registrar's port; 5060, or 5061 over TLS, if not given
    #[arg(long)]
    port: Option<u16>,
    /// The user name for authentication; the SIP user if not given
    #[arg(long)]
    auth_user: Option<String>,
    /// The password; `-` reads it from stdin; what is stored if not given
    #[arg(long)]
    password: Option<String>,
    /// The display name
    #[arg(long)]
    display_name: Option<String>,
    /// udp, tcp or tls
    #[arg(long)]
    transport: Option<String>,
    /// The outbound proxy
    #[arg(long, value_name = "HOST[:PORT]")]
    outbound_proxy: Option<String>,
    /// The number that reaches the voice mail
    #[arg(long, value_name = "NUMBER")]
    voicemail: Option<String>,
    /// What stands at the line's key
    #[arg(long)]
    label: Option<String>,
}

impl AccountArguments {
    pub(super) async fn run(
        self,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        let path = format!("{}/accounts/{}", of(&self.mac), self.line);
        if self.remove {
            let answer = client.delete(&path).await?;
            let sentence = format!("line {} of {} has no account", self.line, clean(&self.mac));
            return Ok(output.said(&answer, &sentence)?);
        }
        let mut body = Map::new();
        put(&mut body, "user", self.user);
        put(&mut body, "server", self.sip_server);
        put(&mut body, "port", self.port);
        put(&mut body, "auth_user", self.auth_user);
        put(&mut body, "password", self.password.map(secret).transpose()?);
        put(&mut body, "display_name", self.display_name);
        put(&mut body, "transport", self.transport);
        put(&mut body, "outbound_proxy", self.outbound_proxy);
        put(&mut body, "voicemail", self.voicemail);
        put(&mut body, "label", self.label);
        Ok(output.record(&client.send(Method::PUT, &path, &body.into()).await?)?)
    }
}

/// A key as it is to be.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct KeyArguments {
    /// The hardware address
    mac: String,
    /// The position, from 1, as the vendor counts the keys
    position: u16,
    /// Take the key away
    #[arg(long, conflicts_with = "kind")]
    remove: bool,
    /// line, speed-dial, blf, park, dtmf or url
    #[arg(long, required_unless_present = "remove")]
    kind: Option<String>,
    /// The number, extension, digits or URL
    #[arg(long)]
    value: Option<String>,
    /// What stands beside it
    #[arg(long)]
    label: Option<String>,
    /// The line that it uses; 1 if not given
    #[arg(long)]
    line: Option<u8>,
    /// What picks a ringing call up
    #[arg(long, value_name = "DIGITS")]
    pickup: Option<String>,
}

impl KeyArguments {
    pub(super) async fn run(
        self,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        let path = format!("{}/keys/{}", of(&self.mac), self.position);
        if self.remove {
            let answer = client.delete(&path).await?;
            let sentence = format!("key {} of {} is gone", self.position, clean(&self.mac));
            return Ok(output.said(&answer, &sentence)?);
        }
        let mut body = Map::new();
        put(&mut body, "kind", self.kind);
        put(&mut body, "value", self.value);
        put(&mut body, "label", self.label);
        put(&mut body, "line", self.line);
        put(&mut body, "pickup", self.pickup);
        Ok(output.record(&client.send(Method::PUT, &path, &body.into()).await?)?)
    }
}
