//! Phones into CSV.

use std::collections::BTreeSet;

use super::{AccountPart, Column, EMPTY, KeyPart};
use crate::api::mask::{self, MASK};
use crate::api::settings::Meant;
use crate::api::sheet::{self, guarded};
use crate::phone::{KeyKind, Phone, Transport};
use crate::store::{StoreError, Vault};

/// What a table must have columns for.
#[derive(Debug, Default)]
pub(in crate::api::phones) struct Needs {
    lines: BTreeSet<u8>,
    positions: BTreeSet<u16>,
    settings: BTreeSet<Box<str>>,
}

impl Needs {
    /// Notes what a phone needs.
    pub(in crate::api::phones) fn add(&mut self, phone: &Phone) {
        self.lines.extend(phone.accounts.iter().map(|account| account.line));
        self.positions.extend(phone.keys.iter().map(|key| key.position));
        for name in phone.settings.keys() {
            if !self.settings.contains(&**name) {
                self.settings.insert((**name).into());
            }
        }
    }

    /// Whether a phone was noted, or needs no more than those that were.
    pub(in crate::api::phones) fn cover(&self, phone: &Phone) -> bool {
        phone.accounts.iter().all(|account| self.lines.contains(&account.line))
            && phone.keys.iter().all(|key| self.positions.contains(&key.position))
            && phone.settings.keys().all(|name| self.settings.contains(&**name))
    }

    /// The columns, in their order.
    pub(in crate::api::phones) fn columns(&self) -> Vec<Column> {
        let mut columns = vec![
            Column::Mac,
            Column::Vendor,
            Column::Model,
            Column::Site,
            Column::Template,
            Column::Enabled,
            Column::ConfigKey,
            Column::Names,
        ];
        for line in &self.lines {
            columns.extend(AccountPart::ALL.map(|part| Column::Account(*line, part)));
        }
        for position in &self.positions {
            columns.extend(KeyPart::ALL.map(|part| Column::Key(*position, part)));
        }
        columns.extend(self.settings.iter().map(|name| Column::Setting(name.to_string())));
        columns
    }
}

/// The heading of a table.
pub(in crate::api::phones) fn heading(columns: &[Column]) -> Vec<u8> {
    sheet::row(columns.iter().map(Column::to_string))
}

/// A phone as a row of a table.
///
/// # Errors
/// [`StoreError`] if a secret cannot be opened, which is done for `secrets` only.
pub(in crate::api::phones) fn line(
    columns: &[Column],
    phone: &Phone,
    vault: &Vault,
    secrets: bool,
) -> Result<Vec<u8>, StoreError> {
    let cells = columns.iter().map(|column| match cell(column, phone, vault, secrets)? {
        text if text.is_empty() && is_empty_setting(column, phone) => Ok(EMPTY.to_owned()),
        text => Ok(guarded(&text)),
    });
    Ok(sheet::plain_row(cells.collect::<Result<Vec<String>, StoreError>>()?))
}

fn is_empty_setting(column: &Column, phone: &Phone) -> bool {
    let Column::Setting(name) = column else { return false };
    phone.settings.get(name.as_str()).is_some_and(|value| value.is_empty())
}

fn cell(
    column: &Column,
    phone: &Phone,
    vault: &Vault,
    secrets: bool,
) -> Result<String, StoreError> {
    let opened = |sealed| match secrets {
        true => vault.unseal(sealed).map(|secret| secret.expose().to_owned()),
        false => Ok(MASK.to_owned()),
    };
    let shown = |url: &str| if secrets { url.to_owned() } else { mask::url(url).into_owned() };
    Ok(match column {
        Column::Mac => phone.mac.to_string(),
        Column::Vendor => phone.vendor.to_string(),
        Column::Model => phone.model.to_string(),
        Column::Site => phone.site.to_string(),
        Column::Template => phone.template.to_string(),
        Column::Enabled => phone.enabled.to_string(),
        Column::ConfigKey => phone.config_key.as_ref().map(opened).transpose()?.unwrap_or_default(),
        Column::Names => phone.names.join(" "),
        Column::Account(line, part) => {
            let account = phone.accounts.iter().find(|account| account.line == *line);
            let Some(account) = account else { return Ok(String::new()) };
            match part {
                AccountPart::User => account.user.to_string(),
                AccountPart::Password => opened(&account.password)?,
                AccountPart::Server => account.server.to_string(),
                AccountPart::Port => account.port.to_string(),
                AccountPart::AuthUser => account.auth_user.to_string(),
                AccountPart::DisplayName => account.display_name.to_string(),
                AccountPart::Transport => transport(account.transport).to_owned(),
                AccountPart::OutboundProxy => account.outbound_proxy.to_string(),
                AccountPart::Voicemail => account.voicemail.to_string(),
                AccountPart::Label => account.label.to_string(),
            }
        }
        Column::Key(position, part) => {
            let key = phone.keys.iter().find(|key| key.position == *position);
            let Some(key) = key else { return Ok(String::new()) };
            match part {
                KeyPart::Kind => kind(key.kind).to_owned(),
                KeyPart::Value => shown(&key.value),
                KeyPart::Label => key.label.to_string(),
                KeyPart::Line => key.line.to_string(),
                KeyPart::Pickup => key.pickup.to_string(),
            }
        }
        Column::Setting(name) => match phone.settings.get(name.as_str()) {
            Some(value) if secrets => value.to_string(),
            Some(value) => Meant::Vendor(phone.vendor).shown(name, value).into_owned(),
            None => String::new(),
        },
    })
}

/// A transport as it is spelled everywhere.
const fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

const fn kind(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Line => "line",
        KeyKind::SpeedDial => "speed-dial",
        KeyKind::Blf => "blf",
        KeyKind::Park => "park",
        KeyKind::Dtmf => "dtmf",
        KeyKind::Url => "url",
    }
}
