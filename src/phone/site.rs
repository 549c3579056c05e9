//! Sites, and the layers of settings above and beside them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Allow, Settings, Vendor, VendorError};
use crate::device::Sealed;

/// A place with phones that share settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The key.
    pub name: Box<str>,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// Whose it is: names the layer `tenant/…`; nobody's if empty.
    pub tenant: Box<str>,
    /// The key for common files, 64 hex digits; unencrypted if `None`.
    pub common_key: Option<Sealed>,
    /// Settings for all its phones.
    pub settings: Settings,
    /// Whether secrets may leave over TFTP, FTP and plain HTTP in unencrypted
    /// files.
    pub plain_secrets: bool,
    /// Who may fetch, and how.
    pub access: Access,
    /// What its phones' phone book holds.
    pub contacts: Vec<Contact>,
}

/// Who may fetch the files of a site's phones, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Whether a file may be asked for by name alone, without a token in the
    /// path: what TFTP, a bare DHCP option and `/phoneprov/` need.
    pub tokenless: bool,
    /// Where phones may ask from; anywhere if empty.
    pub allow: Vec<Allow>,
    /// Whether a phone's own file is given only once without a token, until
    /// an operator opens the lock again.
    pub lock: bool,
    /// Logins of which one is needed where there is no token (Basic, Digest,
    /// FTP); several are good at once, so that a password can be changed. None
    /// is needed if empty.
    pub logins: Vec<SiteLogin>,
}

impl Default for Access {
    fn default() -> Self {
        Self { tokenless: false, allow: Vec::new(), lock: true, logins: Vec::new() }
    }
}

/// A login for the phones of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteLogin {
    /// The user name.
    pub user: Box<str>,
    /// The password.
    pub password: Sealed,
}

/// An entry of a site's phone book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Who.
    pub name: Box<str>,
    /// The number.
    pub number: Box<str>,
    /// The group; none if empty.
    pub group: Box<str>,
}

/// Settings for more than one site, or for one model everywhere.
///
/// Layers, each winning over those before it: global, tenant, site, model,
/// phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Whose settings.
    pub scope: Scope,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// The settings.
    pub settings: Settings,
}

/// Whose settings a [`Layer`] holds; written `global`, `tenant/acme`,
/// `model/fanvil/X4`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Everybody's.
    Global,
    /// A tenant's.
    Tenant(Box<str>),
    /// A model's, at all sites.
    Model(Vendor, Box<str>),
}

/// A text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a layer is `global`, `tenant/NAME` or `model/VENDOR/MODEL`")]
pub struct ScopeError;

impl From<VendorError> for ScopeError {
    fn from(_: VendorError) -> Self {
        Self
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Tenant(name) => write!(f, "tenant/{name}"),
            Self::Model(vendor, model) => write!(f, "model/{vendor}/{model}"),
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let named = |name: &str| {
            let sound = (1..=64).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || " -_.+".contains(c));
            if sound { Ok(Box::<str>::from(name)) } else { Err(ScopeError) }
        };
        match text.split_once('/') {
            None if text == "global" => Ok(Self::Global),
            Some(("tenant", name)) => Ok(Self::Tenant(named(name)?)),
            Some(("model", rest)) => {
                let (vendor, model) = rest.split_once('/').ok_or(ScopeError)?;
                Ok(Self::Model(vendor.parse()?, named(model)?))
            }
            _ => Err(ScopeError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for text in ["global", "tenant/acme", "model/fanvil/X6U Pro", "model/audiocodes/450HD"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "Global", "tenant/", "tenant/a/b", "model/X4", "model/snom/320", "site/x"]
        {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError), "{text}");
        }
    }
}
