//! Settings that are meant for Provost itself: `provost:…`.
//!
//! They choose among what a vendor's formats offer, or say in one word what each
//! vendor spells in its own way. They stand in the layers like any setting, so
//! that a site or a model can have its own.

use crate::class::Class;
use crate::device::Secret;
use crate::phone::Settings;

/// What stands before the name of a directive.
pub const PREFIX: &str = "provost:";

/// The directives for a phone, typed. What is `None` is left to the vendor's
/// own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `provost:dialect`: how Fanvil files are written; by model if `None`.
    pub dialect: Option<Dialect>,
    /// `provost:firmware.version`: the version to run, as the vendor spells it.
    pub firmware_version: Option<Box<str>>,
    /// `provost:firmware.file`: the name of the uploaded image.
    pub firmware_file: Option<Box<str>>,
    /// `provost:acs`: whether the phone is moved to CWMP by its file.
    pub acs: Option<AcsMode>,
    /// `provost:interval`: hours between looks for a new file; 0 is at boot only.
    pub interval: Option<u16>,
    /// `provost:resync`: how the phone is told of a change.
    pub resync: ResyncWay,
    /// `provost:ntp-server`.
    pub ntp_server: Option<Box<str>>,
    /// `provost:time-zone`, as the vendor's phones know it.
    pub time_zone: Option<Box<str>>,
    /// `provost:language`, as the vendor's phones know it.
    pub language: Option<Box<str>>,
    /// `provost:admin-password`: of the phone's own pages and menu.
    pub admin_password: Option<Secret>,
    /// `provost:vlan`: the VLAN of the phone's own traffic; 0 is none.
    pub vlan: Option<u16>,
    /// `provost:phonebook`: whether the phone gets the site's phone book.
    pub phonebook: bool,
}

/// How a Fanvil file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// `<<VOIP CONFIG FILE>>`, the text that all firmware reads.
    Text,
    /// `<VOIP_CONFIG_FILE>`, the older XML.
    Xml,
    /// `<sysConf>`, the newer XML.
    SysConf,
}

/// Which kind of CWMP server a Fanvil phone is told that Provost is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AcsMode {
    /// CWMP is switched off.
    Off,
    /// Parameters, configuration and firmware.
    Common,
    /// Configuration in XML by Download.
    Ctc,
}

/// How a phone is told that it has a new file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResyncWay {
    /// By whatever the phone takes: CWMP if it speaks it, else NOTIFY, else the
    /// action URI.
    #[default]
    Auto,
    /// SIP NOTIFY `check-sync`.
    Notify,
    /// Fanvil's action URI.
    ActionUri,
    /// A connection request, then a Download of its configuration.
    Cwmp,
}

/// A directive is none, or has no such value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectiveError {
    /// There is no directive of this name.
    #[error("`provost:{0}` is no directive; docs/PHONES.md lists them")]
    Unknown(String),
    /// It does not take this value.
    #[error("`provost:{name}` takes {takes}")]
    Value {
        /// The directive, without its prefix.
        name: &'static str,
        /// What it takes.
        takes: &'static str,
    },
}

impl DirectiveError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Directives {
    /// Checks one directive, by its name without the prefix.
    ///
    /// # Errors
    /// [`DirectiveError`].
    pub fn check(name: &str, value: &str) -> Result<(), DirectiveError> {
        Self::default().set(name, value)
    }

    /// Takes the directives out of merged settings. What cannot be read was
    /// refused when it was set; it is left out here.
    pub fn take(settings: &mut Settings) -> Self {
        let mut directives = Self::default();
        settings.retain(|name, value| {
            let Some(name) = name.strip_prefix(PREFIX) else { return true };
            let _ = directives.set(name, value);
            false
        });
        directives
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), DirectiveError> {
        let text = |name, takes| {
            let sound = (1..=128).contains(&value.len()) && !value.contains(char::is_control);
            if sound { Ok(Some(value.into())) } else { Err(DirectiveError::Value { name, takes }) }
        };
        let number = |name, takes, most: u16| {
            let number = value.parse().ok().filter(|number| *number <= most);
            number.map(Some).ok_or(DirectiveError::Value { name, takes })
        };
        let wrong = |name, takes| Err(DirectiveError::Value { name, takes });
        match name {
            "dialect" => {
                self.dialect = match value {
                    "text" => Some(Dialect::Text),
                    "xml" => Some(Dialect::Xml),
                    "sysconf" => Some(Dialect::SysConf),
                    _ => return wrong("dialect", "text, xml or sysconf"),
                }
            }
            "firmware.version" => {
                self.firmware_version =
                    text("firmware.version", "a version of 1 to 128 characters")?;
            }
            "firmware.file" => {
                self.firmware_file = text("firmware.file", "the name of an uploaded file")?;
            }
            "acs" => {
                self.acs = match value {
                    "off" => Some(AcsMode::Off),
                    "common" => Some(AcsMode::Common),
                    "ctc" => Some(AcsMode::Ctc),
                    _ => return wrong("acs", "off, common or ctc"),
                }
            }
            "interval" => self.interval = number("interval", "hours, from 0 to 8760", 8760)?,
            "resync" => {
                self.resync = match value {
                    "auto" => ResyncWay::Auto,
                    "notify" => ResyncWay::Notify,
                    "action-uri" => ResyncWay::ActionUri,
                    "cwmp" => ResyncWay::Cwmp,
                    _ => return wrong("resync", "auto, notify, action-uri or cwmp"),
                }
            }
            "ntp-server" => self.ntp_server = text("ntp-server", "a host name or an address")?,
            "time-zone" => self.time_zone = text("time-zone", "a time zone as the phones know it")?,
            "language" => self.language = text("language", "a language as the phones know it")?,
            "admin-password" => {
                let password: Option<Box<str>> =
                    text("admin-password", "a password of 1 to 128 characters")?;
                self.admin_password = password.map(|password| Secret::new(&*password));
            }
            "vlan" => self.vlan = number("vlan", "a VLAN from 0 (none) to 4094", 4094)?,
            "phonebook" => {
                self.phonebook = match value {
                    "on" => true,
                    "off" => false,
                    _ => return wrong("phonebook", "on or off"),
                }
            }
            other => return Err(DirectiveError::Unknown(other.chars().take(64).collect())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_leave_the_settings_and_become_typed() {
        let pairs =
            [("provost:vlan", "5"), ("provost:dialect", "sysconf"), ("SIP/SIP  Port", "5060")];
        let mut settings: Settings =
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let directives = Directives::take(&mut settings);
        assert_eq!((directives.vlan, directives.dialect), (Some(5), Some(Dialect::SysConf)));
        assert_eq!(settings.len(), 1);
    }

    #[test]
    fn what_is_none_is_refused_in_words() {
        for (name, value) in [("vlan", "4095"), ("vlan", ""), ("acs", "on"), ("interval", "-1")] {
            let error = Directives::check(name, value).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`provost:{name}` takes")), "{error}");
        }
        assert!(Directives::check("no-such", "1").is_err());
    }
}
