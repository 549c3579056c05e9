//! CSV into rows, and a row into what a phone is to be.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::change::{LineAccount, PhoneChange, PositionKey};
use super::super::import::Row;
use super::{AccountPart, Column, EMPTY, KeyPart};
use crate::api::mask::MASK;
use crate::api::sheet::{self, Faults, unguarded};
use crate::phone::{Account, Key, KeyKind, Phone};

/// Columns at most.
const MAX_COLUMNS: usize = 4000;

/// The heading and the rows of a table. What is wrong goes to `faults`; there
/// are rows for what can be told further then.
pub(in crate::api::phones) fn read(
    text: &[u8],
    most: usize,
    faults: &mut Faults,
) -> (Vec<Column>, Vec<(Row, Vec<String>)>) {
    let (columns, cells) = sheet::rows(text, most, "phones", faults, columns);
    let mut rows = Vec::with_capacity(cells.len());
    for (line, cells) in cells {
        let mac = columns.iter().zip(&cells).find(|(column, _)| **column == Column::Mac);
        match mac.map(|(_, cell)| cell.trim().parse()) {
            Some(Ok(mac)) => rows.push((Row { line, mac }, cells)),
            Some(Err(error)) => faults.add(line, Some("mac".to_owned()), format!("{error}")),
            None => {}
        }
    }
    (columns, rows)
}

fn columns(heading: &csv::ByteRecord, faults: &mut Faults) -> Vec<Column> {
    let columns = sheet::columns(heading, MAX_COLUMNS, Column::parse, "docs/PHONES.md", faults);
    if !columns.contains(&Column::Mac) {
        faults.add(1, Some("mac".to_owned()), "a table of phones needs this column");
    }
    columns
}

/// What a row makes of a phone, given what is stored of it.
pub(in crate::api::phones) fn change(
    columns: &[Column],
    cells: &[String],
    stored: Option<&Phone>,
    line: u64,
    faults: &mut Faults,
) -> PhoneChange {
    let mut change = PhoneChange::default();
    let mut accounts: BTreeMap<u8, Vec<(AccountPart, &str)>> = BTreeMap::new();
    let mut keys: BTreeMap<u16, Vec<(KeyPart, &str)>> = BTreeMap::new();
    let mut settings: Option<BTreeMap<String, String>> = None;
    for (column, raw) in columns.iter().zip(cells) {
        let cell = unguarded(raw);
        let told = (!cell.trim().is_empty()).then(|| cell.trim().to_owned());
        match column {
            Column::Mac => {}
            Column::Vendor => change.vendor = told,
            Column::Model => change.model = told,
            Column::Site => change.site = told,
            Column::Template => change.template = Some(cell.trim().to_owned()),
            Column::Enabled => match cell.trim().to_ascii_lowercase().as_str() {
                "" => {}
                "true" | "yes" | "1" => change.enabled = Some(true),
                "false" | "no" | "0" => change.enabled = Some(false),
                _ => faults.add(line, Some(column.to_string()), "true or false"),
            },
            Column::ConfigKey => change.config_key = told.map(Some),
            Column::Names => {
                change.names = Some(cell.split_whitespace().map(str::to_owned).collect());
            }
            Column::Account(of, part) => accounts.entry(*of).or_default().push((*part, cell)),
            Column::Key(of, part) => keys.entry(*of).or_default().push((*part, cell)),
            Column::Setting(name) => {
                let settings = settings.get_or_insert_with(|| match stored {
                    Some(phone) => {
                        let pairs = phone.settings.iter();
                        pairs.map(|(name, value)| (name.to_string(), value.to_string())).collect()
                    }
                    None => BTreeMap::new(),
                });
                match raw.as_str() {
                    "" => settings.remove(name),
                    EMPTY => settings.insert(name.clone(), String::new()),
                    _ => settings.insert(name.clone(), cell.to_owned()),
                };
            }
        }
    }
    change.settings = settings;
    let parse = &mut Parse { line, faults };
    if !accounts.is_empty() {
        change.accounts = Some(accounts_of(accounts, stored, parse));
    }
    if !keys.is_empty() {
        change.keys = Some(keys_of(keys, stored, parse));
    }
    change
}

/// Reads cells that are no free text.
struct Parse<'a> {
    line: u64,
    faults: &'a mut Faults,
}

impl Parse<'_> {
    fn number<T: std::str::FromStr>(&mut self, column: &Column, cell: &str) -> Option<T> {
        if cell.is_empty() {
            return None;
        }
        let number = cell.trim().parse().ok();
        if number.is_none() {
            self.faults.add(self.line, Some(column.to_string()), "a number in its range");
        }
        number
    }

    fn word<T: DeserializeOwned>(&mut self, column: &Column, cell: &str, words: &str) -> Option<T> {
        if cell.is_empty() {
            return None;
        }
        let word = serde_json::from_value(Value::from(cell.trim().to_ascii_lowercase())).ok();
        if word.is_none() {
            self.faults.add(self.line, Some(column.to_string()), words);
        }
        word
    }
}

fn accounts_of(
    told: BTreeMap<u8, Vec<(AccountPart, &str)>>,
    stored: Option<&Phone>,
    parse: &mut Parse<'_>,
) -> Vec<LineAccount> {
    let stored = stored.map(|phone| &*phone.accounts).unwrap_or_default();
    let mut accounts: Vec<LineAccount> = stored.iter().map(LineAccount::from).collect();
    for (line, cells) in told {
        let empty = cells.iter().all(|(_, cell)| cell.is_empty());
        let decides = cells.iter().any(|(part, _)| *part == AccountPart::User);
        if empty && decides {
            accounts.retain(|account| account.line != line);
        }
        if empty {
            continue;
        }
        let at = accounts.iter().position(|account| account.line == line);
        let mut account = at.map(|at| accounts.swap_remove(at)).unwrap_or_default();
        account.line = line;
        for (part, cell) in cells {
            let column = Column::Account(line, part);
            let text = Some(cell.to_owned());
            match part {
                AccountPart::User => account.user = cell.to_owned(),
                AccountPart::Password if cell.is_empty() => {}
                AccountPart::Password => account.password = text,
                AccountPart::Server => account.server = cell.to_owned(),
                AccountPart::Port => account.port = parse.number(&column, cell),
                AccountPart::AuthUser => account.auth_user = text,
                AccountPart::DisplayName => account.display_name = text,
                AccountPart::Transport => {
                    account.transport = parse.word(&column, cell, "udp, tcp or tls");
                }
                AccountPart::OutboundProxy => account.outbound_proxy = text,
                AccountPart::Voicemail => account.voicemail = text,
                AccountPart::Label => account.label = text,
            }
        }
        accounts.push(account);
    }
    accounts
}

fn keys_of(
    told: BTreeMap<u16, Vec<(KeyPart, &str)>>,
    stored: Option<&Phone>,
    parse: &mut Parse<'_>,
) -> Vec<PositionKey> {
    let stored = stored.map(|phone| &*phone.keys).unwrap_or_default();
    let mut keys: Vec<PositionKey> = stored.iter().map(PositionKey::from).collect();
    for (position, cells) in told {
        let empty = cells.iter().all(|(_, cell)| cell.is_empty());
        let decides = cells.iter().any(|(part, _)| *part == KeyPart::Kind);
        let at = keys.iter().position(|key| key.position == position);
        if empty {
            if let (true, Some(at)) = (decides, at) {
                keys.swap_remove(at);
            }
            continue;
        }
        let mut key = at.map(|at| keys.swap_remove(at)).unwrap_or(PositionKey {
            position,
            kind: KeyKind::SpeedDial,
            value: String::new(),
            label: String::new(),
            line: None,
            pickup: String::new(),
        });
        for (part, cell) in cells {
            let column = Column::Key(position, part);
            match part {
                KeyPart::Kind => {
                    let words = "line, speed-dial, blf, park, dtmf or url";
                    key.kind = parse.word(&column, cell, words).unwrap_or(key.kind);
                }
                KeyPart::Value => key.value = cell.to_owned(),
                KeyPart::Label => key.label = cell.to_owned(),
                KeyPart::Line => key.line = parse.number(&column, cell),
                KeyPart::Pickup => key.pickup = cell.to_owned(),
            }
        }
        keys.push(key);
    }
    keys
}

impl From<&Account> for LineAccount {
    /// The account as it is; its password stays.
    fn from(account: &Account) -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            line: account.line,
            user: account.user.to_string(),
            auth_user: text(&account.auth_user),
            password: text(MASK),
            display_name: text(&account.display_name),
            server: account.server.to_string(),
            port: Some(account.port),
            transport: Some(account.transport),
            outbound_proxy: text(&account.outbound_proxy),
            voicemail: text(&account.voicemail),
            label: text(&account.label),
        }
    }
}

impl From<&Key> for PositionKey {
    fn from(key: &Key) -> Self {
        Self {
            position: key.position,
            kind: key.kind,
            value: key.value.to_string(),
            label: key.label.to_string(),
            line: Some(key.line),
            pickup: key.pickup.to_string(),
        }
    }
}
