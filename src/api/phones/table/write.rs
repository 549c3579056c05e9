//! Phones into CSV.

use std::collections::BTreeSet;

use super::{AccountPart, Column, EMPTY, KeyPart};
use crate::api::mask::{self, MASK};
use crate::api::settings::Meant;
use crate::api::sheet::guarded;
use crate::phone::{KeyKind, Phone, Transport};
use crate::store::{StoreError, Vault};

/// A table of phones, with the columns that these phones need.
///
/// # Errors
/// [`StoreError`] if a secret cannot be opened, which is done for `secrets` only.
pub(in crate::api::phones) fn write(
    phones: &[Phone],
    vault: &Vault,
    secrets: bool,
) -> Result<Vec<u8>, StoreError> {
    let columns = columns(phones);
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let failed = |error: csv::Error| StoreError::Io(std::io::Error::other(error));
    let heading = columns.iter().map(|column| guarded(&column.to_string()));
    writer.write_record(heading).map_err(failed)?;
    for phone in phones {
        let cells = columns.iter().map(|column| match cell(column, phone, vault, secrets)? {
            text if text.is_empty() && is_empty_setting(column, phone) => Ok(EMPTY.to_owned()),
            text => Ok(guarded(&text)),
        });
        let cells = cells.collect::<Result<Vec<String>, StoreError>>()?;
        writer.write_record(&cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| StoreError::Io(std::io::Error::other(error.to_string())))
}

fn is_empty_setting(column: &Column, phone: &Phone) -> bool {
    let Column::Setting(name) = column else { return false };
    phone.settings.get(name.as_str()).is_some_and(|value| value.is_empty())
}

fn columns(phones: &[Phone]) -> Vec<Column> {
    let lines: BTreeSet<u8> =
        phones.iter().flat_map(|phone| phone.accounts.iter().map(|account| account.line)).collect();
    let positions: BTreeSet<u16> =
        phones.iter().flat_map(|phone| phone.keys.iter().map(|key| key.position)).collect();
    let settings: BTreeSet<&str> =
        phones.iter().flat_map(|phone| phone.settings.keys().map(|name| &**name)).collect();
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
    for line in lines {
        columns.extend(AccountPart::ALL.map(|part| Column::Account(line, part)));
    }
    for position in positions {
        columns.extend(KeyPart::ALL.map(|part| Column::Key(position, part)));
    }
    columns.extend(settings.into_iter().map(|name| Column::Setting(name.to_owned())));
    columns
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
