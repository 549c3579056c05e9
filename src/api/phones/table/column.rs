//! The names of columns.

use std::fmt;

use super::super::change::{MAX_LINE, MAX_POSITION};

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api::phones) enum Column {
    Mac,
    Vendor,
    Model,
    Site,
    Template,
    Enabled,
    ConfigKey,
    Names,
    Account(u8, AccountPart),
    Key(u16, KeyPart),
    Setting(String),
}

/// A part of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api::phones) enum AccountPart {
    User,
    Password,
    Server,
    Port,
    AuthUser,
    DisplayName,
    Transport,
    OutboundProxy,
    Voicemail,
    Label,
}

/// A part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api::phones) enum KeyPart {
    Kind,
    Value,
    Label,
    Line,
    Pickup,
}

impl AccountPart {
    pub(super) const ALL: [Self; 10] = [
        Self::User,
        Self::Password,
        Self::Server,
        Self::Port,
        Self::AuthUser,
        Self::DisplayName,
        Self::Transport,
        Self::OutboundProxy,
        Self::Voicemail,
        Self::Label,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Password => "password",
            Self::Server => "server",
            Self::Port => "port",
            Self::AuthUser => "auth_user",
            Self::DisplayName => "display_name",
            Self::Transport => "transport",
            Self::OutboundProxy => "outbound_proxy",
            Self::Voicemail => "voicemail",
            Self::Label => "label",
        }
    }
}

impl KeyPart {
    pub(super) const ALL: [Self; 5] =
        [Self::Kind, Self::Value, Self::Label, Self::Line, Self::Pickup];

    const fn word(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Value => "value",
            Self::Label => "label",
            Self::Line => "line",
            Self::Pickup => "pickup",
        }
    }
}

impl Column {
    /// Reads a heading; `None` if it is none. Names of settings keep their case.
    pub(super) fn parse(heading: &str) -> Option<Self> {
        let heading = heading.trim();
        if let Some(name) = heading.strip_prefix("setting:") {
            return (!name.is_empty()).then(|| Self::Setting(name.to_owned()));
        }
        let heading = heading.to_ascii_lowercase();
        Some(match heading.as_str() {
            "mac" => Self::Mac,
            "vendor" => Self::Vendor,
            "model" => Self::Model,
            "site" => Self::Site,
            "template" => Self::Template,
            "enabled" => Self::Enabled,
            "config_key" => Self::ConfigKey,
            "names" => Self::Names,
            numbered => return Self::numbered(numbered),
        })
    }

    fn numbered(heading: &str) -> Option<Self> {
        let (before, part) = heading.split_once('_')?;
        if let Some(line) = before.strip_prefix("line") {
            let line = line.parse().ok().filter(|line| (1..=MAX_LINE).contains(line))?;
            let part = AccountPart::ALL.into_iter().find(|known| known.word() == part)?;
            return Some(Self::Account(line, part));
        }
        let position = before.strip_prefix("key")?.parse().ok();
        let position = position.filter(|position| (1..=MAX_POSITION).contains(position))?;
        let part = KeyPart::ALL.into_iter().find(|known| known.word() == part)?;
        Some(Self::Key(position, part))
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac => f.write_str("mac"),
            Self::Vendor => f.write_str("vendor"),
            Self::Model => f.write_str("model"),
            Self::Site => f.write_str("site"),
            Self::Template => f.write_str("template"),
            Self::Enabled => f.write_str("enabled"),
            Self::ConfigKey => f.write_str("config_key"),
            Self::Names => f.write_str("names"),
            Self::Account(line, part) => write!(f, "line{line}_{}", part.word()),
            Self::Key(position, part) => write!(f, "key{position}_{}", part.word()),
            Self::Setting(name) => write!(f, "setting:{name}"),
        }
    }
}
