//! Settings of phones as they come in and are shown: checked by the vendor that
//! a name is meant for, secrets masked.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::extract::plain_text;
use super::mask::{self, MASK};
use super::problem::{ApiError, bad_value};
use crate::device::{Sealed, Secret};
use crate::phone::{Settings, Vendor};
use crate::provision::{DIRECTIVE_PREFIX, Directives, Family, family};
use crate::store::Vault;

/// Settings of one phone, site or layer at most.
const MAX_SETTINGS: usize = 2000;

/// The longest name of a setting, in characters.
const MAX_NAME: usize = 128;

/// The longest value of a setting, in characters.
const MAX_VALUE: usize = 4096;

/// For whom settings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// Phones of one vendor: names are the vendor's own.
    Vendor(Vendor),
    /// Phones of any: a bare name is for those whose grammar takes it,
    /// `vendor:name` for one vendor.
    Shared,
}

/// What a name of a setting stands for.
enum Name<'a> {
    Directive(&'a str),
    /// A setting, and the families whose phones it reaches.
    Setting(&'a str, Vec<&'static dyn Family>),
}

impl Meant {
    /// Takes a name apart.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn name(self, name: &str) -> Result<Name<'_>, String> {
        if let Some(directive) = name.strip_prefix(DIRECTIVE_PREFIX) {
            return Ok(Name::Directive(directive));
        }
        let addressed = name
            .split_once(':')
            .and_then(|(vendor, rest)| vendor.parse::<Vendor>().ok().map(|vendor| (vendor, rest)));
        match (self, addressed) {
            (Self::Vendor(own), Some((vendor, _))) if own != vendor => {
                Err(format!("it is meant for {vendor}, and this is {own}"))
            }
            (Self::Vendor(_), Some((vendor, rest))) | (Self::Shared, Some((vendor, rest))) => {
                Ok(Name::Setting(rest, vec![family(vendor)]))
            }
            (Self::Vendor(own), None) => Ok(Name::Setting(name, vec![family(own)])),
            (Self::Shared, None) => {
                let takers: Vec<_> = Vendor::ALL
                    .into_iter()
                    .map(family)
                    .filter(|family| family.takes(name))
                    .collect();
                if takers.is_empty() {
                    return Err(
                        "no vendor's phones know it; write VENDOR:NAME to say whose it is, \
                                or MODULE/Key for Fanvil"
                            .to_owned(),
                    );
                }
                Ok(Name::Setting(name, takers))
            }
        }
    }

    /// Checks a setting before it is kept: refused here rather than when a
    /// phone asks for its file.
    ///
    /// # Errors
    /// What is wrong with it, in words; never the value.
    pub(super) fn check(self, name: &str, value: &str) -> Result<(), String> {
        match self.name(name)? {
            Name::Directive(directive) => {
                Directives::check(directive, value).map_err(|error| error.to_string())
            }
            Name::Setting(name, families) => families.iter().try_for_each(|family| {
                family.check_setting(name, value).map_err(|error| error.to_string())
            }),
        }
    }

    /// Whether a setting holds a secret. What cannot be told is one.
    pub(super) fn is_secret(self, name: &str) -> bool {
        match self.name(name) {
            Ok(Name::Directive(directive)) => mask::is_secret_setting(directive),
            Ok(Name::Setting(name, families)) => {
                mask::is_secret_setting(name)
                    || families.iter().any(|family| family.is_secret(name))
            }
            Err(_) => true,
        }
    }

    /// A setting as it may be shown.
    pub(super) fn shown<'a>(self, name: &str, value: &'a str) -> Cow<'a, str> {
        if !value.is_empty() && self.is_secret(name) {
            Cow::Borrowed(MASK)
        } else {
            mask::url(value)
        }
    }

    /// Settings with their secrets masked.
    pub(super) fn all_shown(self, settings: &Settings) -> BTreeMap<String, String> {
        let shown = |name: &str, value: &str| self.shown(name, value).into_owned();
        settings.iter().map(|(name, value)| (name.to_string(), shown(name, value))).collect()
    }

    /// Settings from a request; masked values keep what is stored, so that what
    /// was shown can be sent back. What is wrong goes to `wrong` by field.
    pub(super) fn take(
        self,
        settings: BTreeMap<String, String>,
        stored: &Settings,
        wrong: &mut Vec<Wrong>,
    ) -> Settings {
        let mut taken = Settings::new();
        if settings.len() > MAX_SETTINGS {
            wrong.push(Wrong::new("settings", format!("at most {MAX_SETTINGS}")));
            return taken;
        }
        for (name, value) in settings {
            match self.take_one(&name, value, stored) {
                Ok(value) => {
                    taken.insert(name.into(), value);
                }
                Err(problem) => {
                    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
                    wrong.push(Wrong::new(format!("settings[{name}]"), problem));
                }
            }
        }
        taken
    }

    fn take_one(self, name: &str, value: String, stored: &Settings) -> Result<Box<str>, String> {
        told(plain_text("", name, MAX_NAME))?;
        told(plain_text("", &value, MAX_VALUE))?;
        let value: Box<str> = match stored.get(name) {
            Some(stored) if value.contains(MASK) && *self.shown(name, stored) == value => {
                stored.clone()
            }
            _ if value == MASK => {
                return Err("nothing is stored that `***` could keep".to_owned());
            }
            _ => value.into(),
        };
        self.check(name, &value)?;
        Ok(value)
    }
}

/// A field with what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) problem: String,
}

impl Wrong {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

impl From<Wrong> for ApiError {
    fn from(wrong: Wrong) -> Self {
        Self::BadValue { field: wrong.field, problem: wrong.problem }
    }
}

/// The first thing that is wrong, as the answer to a request.
pub(super) fn none_wrong(wrong: Vec<Wrong>) -> Result<(), ApiError> {
    wrong.into_iter().next().map_or(Ok(()), |wrong| Err(wrong.into()))
}

/// The words of a check that names its own field.
fn told(checked: Result<(), ApiError>) -> Result<(), String> {
    checked.map_err(|error| match error {
        ApiError::BadValue { problem, .. } => problem,
        other => other.to_string(),
    })
}

/// Settings from a request, or the first thing that is wrong with them.
pub(super) fn taken(
    meant: Meant,
    settings: BTreeMap<String, String>,
    stored: &Settings,
) -> Result<Settings, ApiError> {
    let mut wrong = Vec::new();
    let settings = meant.take(settings, stored, &mut wrong);
    none_wrong(wrong)?;
    Ok(settings)
}

/// Seals an encryption key after a look at its form.
pub(super) fn seal_key(
    vault: &Vault,
    field: &str,
    key: Option<String>,
) -> Result<Option<Sealed>, ApiError> {
    let Some(key) = key else { return Ok(None) };
    let key = sound_key(&key).map_err(|problem| bad_value(field, problem))?;
    Ok(Some(vault.seal(&key)))
}

/// A key as it is kept.
fn sound_key(key: &str) -> Result<Secret, &'static str> {
    if key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(Secret::new(key.to_ascii_lowercase()))
    } else {
        Err("an AES-256 key: 64 hex digits")
    }
}

/// All that is shown of a secret: that there is one.
pub(super) fn shown_secret(secret: Option<&Sealed>) -> Option<&'static str> {
    secret.map(|_| "set")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FANVIL: Meant = Meant::Vendor(Vendor::Fanvil);

    #[test]
    fn names_are_checked_by_the_vendor_that_they_are_meant_for() {
        assert_eq!(FANVIL.check("SIP/X", "1"), Ok(()));
        assert_eq!(FANVIL.check("fanvil:SIP/X", "1"), Ok(()));
        assert!(FANVIL.check("NoModule", "1").is_err());
        assert!(FANVIL.check("digium:x", "1").unwrap_err().contains("digium"));
        assert_eq!(Meant::Shared.check("SIP/X", "1"), Ok(()));
        assert_eq!(Meant::Shared.check("provost:vlan", "5"), Ok(()));
        assert!(Meant::Shared.check("provost:vlan", "x").unwrap_err().contains("VLAN"));
        assert!(Meant::Shared.check("provost:no-such", "x").is_err());
        assert!(Meant::Shared.check("fanvil:NoModule", "1").is_err());
        assert!(Meant::Shared.check("what nobody knows", "1").unwrap_err().contains("VENDOR:NAME"));
    }

    #[test]
    fn secrets_are_known_by_name_in_every_layer() {
        for meant in [FANVIL, Meant::Shared] {
            for name in ["SIP/Register Pswd", "fanvil:WEB/Admin Password", "provost:admin-password"]
            {
                assert!(meant.is_secret(name), "{name}");
                assert_eq!(meant.shown(name, "x"), MASK);
                assert_eq!(meant.shown(name, ""), "");
            }
            for name in ["SIP/Register Addr", "provost:vlan", "fanvil:PHONE/Menu Language"] {
                assert!(!meant.is_secret(name), "{name}");
            }
        }
    }
}
