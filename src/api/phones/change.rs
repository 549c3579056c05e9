//! What a phone is to be: bodies of requests and rows of imports, applied to a
//! record with everything that is wrong told at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use utoipa::ToSchema;

use super::super::extract::{plain_text, present};
use super::super::mask::{self, MASK};
use super::super::problem::ApiError;
use super::super::settings::{Meant, Wrong};
use super::super::sites::check_site_name;
use crate::device::{Sealed, Secret};
use crate::phone::{Account, Key, KeyKind, Phone, Transport, Vendor};
use crate::provision::family;
use crate::store::Vault;

/// The highest line of a phone.
pub(super) const MAX_LINE: u8 = 64;

/// The highest position of a key: more than any phone with all its side cars.
pub(super) const MAX_POSITION: u16 = 1000;

/// Further names of a phone's own file at most.
const MAX_NAMES: usize = 16;

/// SIP's ports (RFC 3261 §18.1.1, §26.2.2).
const SIP_PORT: u16 = 5060;
const SIPS_PORT: u16 = 5061;

/// What a phone is to be; a field that is absent stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PhoneChange {
    /// `fanvil`, `digium`, `audiocodes` or `astlinux`. A new phone without it
    /// gets the vendor whose block its address is of.
    pub(super) vendor: Option<String>,
    /// As the vendor names it: `X4`. Needed for a new phone.
    pub(super) model: Option<String>,
    /// A site that exists; `default` is made by itself.
    pub(super) site: Option<String>,
    /// Whether it is served at all.
    pub(super) enabled: Option<bool>,
    /// The template that its own file is made with; empty for the vendor's.
    pub(super) template: Option<String>,
    /// All further names of its own file from now on.
    pub(super) names: Option<Vec<String>>,
    /// The key for its own file, 64 hex digits; `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) config_key: Option<Option<String>>,
    /// All accounts from now on; a password that is absent stays as it is.
    pub(super) accounts: Option<Vec<LineAccount>>,
    /// All keys from now on.
    pub(super) keys: Option<Vec<PositionKey>>,
    /// All settings from now on; a masked value (`***`) keeps what is stored.
    pub(super) settings: Option<BTreeMap<String, String>>,
}

/// A SIP account as it is to be; a password that is absent or `***` stays as it
/// is.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AccountChange {
    /// The SIP user.
    pub(super) user: String,
    /// The user name for authentication; the SIP user if absent.
    pub(super) auth_user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) display_name: Option<String>,
    /// The registrar's host name or address.
    pub(super) server: String,
    /// 5060 if absent, 5061 over TLS.
    pub(super) port: Option<u16>,
    /// `udp`, `tcp` or `tls`; `udp` if absent.
    #[schema(value_type = Option<String>)]
    pub(super) transport: Option<Transport>,
    /// `host` or `host:port`.
    pub(super) outbound_proxy: Option<String>,
    /// The number that reaches the voice mail.
    pub(super) voicemail: Option<String>,
    /// What stands at the line's key; the display name if absent.
    pub(super) label: Option<String>,
}

/// An account with its line.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct LineAccount {
    /// From 1 to 64.
    pub(super) line: u8,
    /// The SIP user.
    pub(super) user: String,
    /// The user name for authentication; the SIP user if absent.
    pub(super) auth_user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) display_name: Option<String>,
    /// The registrar's host name or address.
    pub(super) server: String,
    /// 5060 if absent, 5061 over TLS.
    pub(super) port: Option<u16>,
    /// `udp`, `tcp` or `tls`; `udp` if absent.
    #[schema(value_type = Option<String>)]
    pub(super) transport: Option<Transport>,
    /// `host` or `host:port`.
    pub(super) outbound_proxy: Option<String>,
    /// The number that reaches the voice mail.
    pub(super) voicemail: Option<String>,
    /// What stands at the line's key; the display name if absent.
    pub(super) label: Option<String>,
}

impl From<LineAccount> for AccountChange {
    fn from(account: LineAccount) -> Self {
        Self {
            user: account.user,
            auth_user: account.auth_user,
            password: account.password,
            display_name: account.display_name,
            server: account.server,
            port: account.port,
            transport: account.transport,
            outbound_proxy: account.outbound_proxy,
            voicemail: account.voicemail,
            label: account.label,
        }
    }
}

/// A programmable key as it is to be.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KeyChange {
    /// `line`, `speed-dial`, `blf`, `park`, `dtmf` or `url`.
    #[schema(value_type = String)]
    pub(super) kind: KeyKind,
    /// The number, extension, digits or URL; a key of the kind `line` needs none.
    #[serde(default)]
    pub(super) value: String,
    #[serde(default)]
    pub(super) label: String,
    /// The line that it uses; 1 if absent.
    pub(super) line: Option<u8>,
    /// What picks a ringing call up, dialled before the number.
    #[serde(default)]
    pub(super) pickup: String,
}

/// A key with its position.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PositionKey {
    /// From 1, as the vendor counts the keys.
    pub(super) position: u16,
    /// `line`, `speed-dial`, `blf`, `park`, `dtmf` or `url`.
    #[schema(value_type = String)]
    pub(super) kind: KeyKind,
    /// The number, extension, digits or URL; a key of the kind `line` needs none.
    #[serde(default)]
    pub(super) value: String,
    #[serde(default)]
    pub(super) label: String,
    /// The line that it uses; 1 if absent.
    pub(super) line: Option<u8>,
    /// What picks a ringing call up, dialled before the number.
    #[serde(default)]
    pub(super) pickup: String,
}

impl From<PositionKey> for KeyChange {
    fn from(key: PositionKey) -> Self {
        let PositionKey { position: _, kind, value, label, line, pickup } = key;
        Self { kind, value, label, line, pickup }
    }
}

/// Applies changes to phones, and gathers what is wrong.
pub(in crate::api) struct Applier<'a> {
    pub(in crate::api) vault: &'a Vault,
    pub(in crate::api) wrong: Vec<Wrong>,
}

impl<'a> Applier<'a> {
    pub(in crate::api) const fn new(vault: &'a Vault) -> Self {
        Self { vault, wrong: Vec::new() }
    }

    fn note(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.wrong.push(Wrong::new(field, problem));
    }

    /// Checks a text; `false` if it cannot be taken.
    fn sound(&mut self, field: &str, text: &str, longest: usize) -> bool {
        match plain_text(field, text, longest) {
            Ok(()) => true,
            Err(ApiError::BadValue { field, problem }) => {
                self.note(field, problem);
                false
            }
            Err(other) => {
                self.note(field, other.to_string());
                false
            }
        }
    }

    /// Makes a phone what it is to be. Where something is wrong the phone is
    /// left half changed, and must not be kept.
    pub(in crate::api) fn apply(&mut self, change: PhoneChange, phone: &mut Phone) {
        let vendor_before = phone.vendor;
        if let Some(vendor) = change.vendor {
            match vendor.parse() {
                Ok(vendor) => phone.vendor = vendor,
                Err(error) => self.note("vendor", format!("{error}")),
            }
        }
        if let Some(model) = change.model
            && self.sound("model", &model, 64)
        {
            phone.model = model.trim().into();
        }
        if phone.model.is_empty() && !self.wrong.iter().any(|wrong| wrong.field == "model") {
            self.note("model", "as the vendor names it, as in X4");
        }
        if let Some(site) = change.site {
            match check_site_name("site", &site) {
                Ok(()) => phone.site = site.into(),
                Err(error) => self.note("site", words(error)),
            }
        }
        phone.enabled = change.enabled.unwrap_or(phone.enabled);
        if let Some(template) = change.template {
            if is_template(&template) {
                phone.template = template.into();
            } else {
                self.note("template", "a name of letters, digits, `-`, `_`, `.` and one `/`");
            }
        }
        if let Some(names) = change.names {
            self.names(names, phone);
        }
        if let Some(key) = change.config_key {
            self.config_key(key, phone);
        }
        if let Some(accounts) = change.accounts {
            self.accounts(accounts, phone);
        } else if vendor_before != phone.vendor {
            for account in &phone.accounts {
                let checked = family(phone.vendor).check_account(account, None);
                if let Err(error) = checked {
                    self.wrong.push(Wrong::new("vendor", error.to_string()));
                }
            }
        }
        if let Some(keys) = change.keys {
            self.keys(keys, phone);
        }
        let meant = Meant::Vendor(phone.vendor);
        if let Some(settings) = change.settings {
            phone.settings = meant.take(settings, &phone.settings, &mut self.wrong);
        } else if vendor_before != phone.vendor {
            for (name, value) in &phone.settings {
                if let Err(problem) = meant.check(name, value) {
                    self.wrong.push(Wrong::new(format!("settings[{name}]"), problem));
                }
            }
        }
    }

    fn names(&mut self, names: Vec<String>, phone: &mut Phone) {
        if names.len() > MAX_NAMES {
            self.note("names", format!("at most {MAX_NAMES}"));
            return;
        }
        let wanted = "1 to 128 letters, digits, `-`, `_`, `.` and `/`, no part beginning with `.`";
        let mut taken: Vec<Box<str>> = Vec::with_capacity(names.len());
        for name in names {
            if !is_file_name(&name) {
                self.note("names", wanted);
            } else if taken.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
                self.note("names", "each once");
            } else {
                taken.push(name.into());
            }
        }
        phone.names = taken;
    }

    fn config_key(&mut self, key: Option<String>, phone: &mut Phone) {
        phone.config_key = match key.as_deref() {
            Some(MASK) if phone.config_key.is_some() => return,
            Some(key) => match family(phone.vendor).key(key) {
                Ok(key) => Some(self.sealed(key, phone.config_key.take())),
                Err(error) => return self.note("config_key", error.to_string()),
            },
            None => None,
        };
    }

    /// A secret sealed; what is stored if it is the same, so that nothing
    /// changes where nothing is new.
    fn sealed(&self, secret: Secret, stored: Option<Sealed>) -> Sealed {
        match stored {
            Some(stored) if self.vault.unseal(&stored).is_ok_and(|known| known == secret) => stored,
            _ => self.vault.seal(&secret),
        }
    }

    fn accounts(&mut self, accounts: Vec<LineAccount>, phone: &mut Phone) {
        let mut before = std::mem::take(&mut phone.accounts);
        let mut lines = BTreeSet::new();
        for account in accounts {
            let line = account.line;
            if !lines.insert(line) {
                self.note(format!("accounts[{line}].line"), "each line has one account");
                continue;
            }
            let at = before.iter().position(|account| account.line == line);
            let stored = at.map(|at| before.swap_remove(at));
            let prefix = format!("accounts[{line}].");
            let vendor = phone.vendor;
            phone.accounts.extend(self.account(&prefix, vendor, line, account.into(), stored));
        }
        phone.accounts.sort_by_key(|account| account.line);
    }

    /// One account as it is to be; fields of errors begin with `prefix`.
    pub(super) fn account(
        &mut self,
        prefix: &str,
        vendor: Vendor,
        line: u8,
        change: AccountChange,
        stored: Option<Account>,
    ) -> Option<Account> {
        let so_far = self.wrong.len();
        if !(1..=MAX_LINE).contains(&line) {
            self.note(format!("{prefix}line"), format!("from 1 to {MAX_LINE}"));
        }
        let password = change.password.filter(|password| stored.is_none() || password != MASK);
        if password.as_deref() == Some(MASK) {
            self.note(format!("{prefix}password"), "nothing is stored that `***` could keep");
        }
        let auth_user = change.auth_user.unwrap_or_default();
        let display_name = change.display_name.unwrap_or_default();
        let outbound_proxy = change.outbound_proxy.unwrap_or_default();
        let voicemail = change.voicemail.unwrap_or_default();
        let label = change.label.unwrap_or_default();
        for (field, text) in [
            ("user", &*change.user),
            ("auth_user", &*auth_user),
            ("password", password.as_deref().unwrap_or_default()),
            ("display_name", &*display_name),
            ("server", &*change.server),
            ("outbound_proxy", &*outbound_proxy),
            ("voicemail", &*voicemail),
            ("label", &*label),
        ] {
            self.sound(&format!("{prefix}{field}"), text, 128);
        }
        for (field, text) in [("user", &change.user), ("server", &change.server)] {
            if text.is_empty() || text.contains(char::is_whitespace) {
                self.note(format!("{prefix}{field}"), "not empty, without blanks");
            }
        }
        if outbound_proxy.contains(char::is_whitespace) {
            self.note(format!("{prefix}outbound_proxy"), "without blanks");
        }
        let transport = change.transport.unwrap_or_default();
        let default_port = if transport == Transport::Tls { SIPS_PORT } else { SIP_PORT };
        let port = change.port.unwrap_or(default_port);
        if port == 0 {
            self.note(format!("{prefix}port"), "from 1 to 65535");
        }
        if self.wrong.len() > so_far {
            return None;
        }
        let told = password.map(Secret::new);
        let sealed = match (told.clone(), stored.map(|account| account.password)) {
            (None, Some(stored)) => stored,
            (told, stored) => self.sealed(told.unwrap_or_default(), stored),
        };
        let account = Account {
            line,
            user: change.user.into(),
            auth_user: auth_user.into(),
            password: sealed,
            display_name: display_name.into(),
            server: change.server.into(),
            port,
            transport,
            outbound_proxy: outbound_proxy.into(),
            voicemail: voicemail.into(),
            label: label.into(),
        };
        // Refused here rather than when the phone asks for its file.
        match family(vendor).check_account(&account, told.as_ref()) {
            Ok(()) => Some(account),
            Err(error) => {
                self.note(format!("{prefix}account"), error.to_string());
                None
            }
        }
    }

    fn keys(&mut self, keys: Vec<PositionKey>, phone: &mut Phone) {
        let before = std::mem::take(&mut phone.keys);
        let mut positions = BTreeSet::new();
        for key in keys {
            let position = key.position;
            if !positions.insert(position) {
                self.note(format!("keys[{position}].position"), "each position has one key");
                continue;
            }
            let stored = before.iter().find(|key| key.position == position);
            let prefix = format!("keys[{position}].");
            phone.keys.extend(self.key(&prefix, position, key.into(), stored));
        }
        phone.keys.sort_by_key(|key| key.position);
    }

    /// One key as it is to be; fields of errors begin with `prefix`.
    pub(super) fn key(
        &mut self,
        prefix: &str,
        position: u16,
        mut change: KeyChange,
        stored: Option<&Key>,
    ) -> Option<Key> {
        let so_far = self.wrong.len();
        if let Some(stored) = stored
            && change.value.contains(MASK)
            && *mask::url(&stored.value) == change.value
        {
            change.value = stored.value.to_string();
        }
        if !(1..=MAX_POSITION).contains(&position) {
            self.note(format!("{prefix}position"), format!("from 1 to {MAX_POSITION}"));
        }
        for (field, text, longest) in [
            ("value", &change.value, 512),
            ("label", &change.label, 64),
            ("pickup", &change.pickup, 32),
        ] {
            self.sound(&format!("{prefix}{field}"), text, longest);
        }
        if change.value.is_empty() && change.kind != KeyKind::Line {
            self.note(format!("{prefix}value"), "the number, extension, digits or URL");
        }
        let line = change.line.unwrap_or(1);
        if !(1..=MAX_LINE).contains(&line) {
            self.note(format!("{prefix}line"), format!("from 1 to {MAX_LINE}"));
        }
        (self.wrong.len() == so_far).then(|| Key {
            position,
            kind: change.kind,
            value: change.value.into(),
            label: change.label.into(),
            line,
            pickup: change.pickup.into(),
        })
    }
}

/// What is wrong, without the field.
fn words(error: ApiError) -> String {
    match error {
        ApiError::BadValue { problem, .. } => problem,
        other => other.to_string(),
    }
}

/// Whether a text names a template, or none if it is empty.
fn is_template(text: &str) -> bool {
    text.len() <= 128
        && !text.starts_with(['.', '/'])
        && text.matches('/').count() <= 1
        && !text.contains("..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
}

/// Whether a text may be a further name of a file.
fn is_file_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        })
}
