//! The seam between what serves phones and what knows their formats.
//!
//! A [`Family`] is a vendor's formats as pure functions: which of a phone's files
//! a name means, what stands in it, how a version gets into it. Whoever serves
//! ([`crate::supply`]) opens the secrets, merges the layers, keeps the version
//! gate, and knows no vendor; a family knows no store, no vault and no door.

use std::borrow::Cow;

use super::template::Templates;
use super::{Directives, RenderError};
use crate::device::Secret;
use crate::phone::{Account, Contact, Key, Mac, Settings, Vendor};

/// A vendor's formats.
pub trait Family: Sync {
    /// Whose they are.
    fn vendor(&self) -> Vendor;

    /// The first three bytes of the addresses of its phones.
    fn ouis(&self) -> &'static [[u8; 3]];

    /// What a User-Agent says of the phone, if it is one of this vendor's.
    fn agent(&self, user_agent: &str) -> Option<AgentClaim>;

    /// Whether a setting's name is of this vendor's grammar, so that a bare name
    /// in a layer that vendors share is meant for its phones.
    fn takes(&self, name: &str) -> bool;

    /// Checks a setting before it is taken into the inventory.
    ///
    /// # Errors
    /// [`RenderError`], in words for an operator.
    fn check_setting(&self, name: &str, value: &str) -> Result<(), RenderError>;

    /// Checks an account before it is taken into the inventory.
    ///
    /// # Errors
    /// [`RenderError`], in words for an operator.
    fn check_account(
        &self,
        account: &Account,
        password: Option<&Secret>,
    ) -> Result<(), RenderError>;

    /// Whether a setting holds a secret: it is masked, and left out of files
    /// that anybody could read on the way.
    fn is_secret(&self, name: &str) -> bool;

    /// Which file a phone of this vendor means by a name, spelled exactly first,
    /// then in any case; `None` if none.
    fn resolve(&self, name: &str, subject: &Subject<'_>) -> Option<Wanted>;

    /// The files that a phone will ask for, in its order, by the names to show.
    fn files(&self, subject: &Subject<'_>) -> Vec<Wanted>;

    /// Makes the body of a file. Never called for [`Kind::Image`].
    ///
    /// # Errors
    /// [`RenderError`] for what cannot be written without becoming something
    /// else.
    fn render(&self, wanted: &Wanted, inputs: &Inputs<'_>) -> Result<Draft, RenderError>;

    /// The version of a file as the phone is told it; empty if the format has
    /// none.
    ///
    /// # Errors
    /// [`RenderError::Version`] when the counter no longer fits the form.
    fn version(&self, draft: &Draft, counter: u64) -> Result<String, RenderError>;

    /// Puts the version into the body.
    ///
    /// # Errors
    /// [`RenderError`] if the file became larger than the vendor's phones take.
    fn finish(&self, draft: &Draft, version: &str) -> Result<Vec<u8>, RenderError>;

    /// A key for files in the form in which it is kept in the inventory.
    ///
    /// # Errors
    /// [`RenderError`], in words for an operator; always, if files of this vendor
    /// cannot be encrypted.
    fn key(&self, _key: &str) -> Result<Secret, RenderError> {
        Err(RenderError::Word {
            what: "the key".to_owned(),
            problem: "files of this vendor have no encryption",
        })
    }

    /// Whether a file of this vendor is encrypted where there is a key for it.
    fn encrypts(&self, _wanted: &Wanted) -> bool {
        false
    }

    /// Encrypts a finished file under the key of its scope: the phone's for its
    /// own, the site's for a common one.
    ///
    /// # Errors
    /// [`RenderError::Key`] for a key that is none.
    fn encrypt(
        &self,
        ciphers: &Ciphers,
        key: &Secret,
        plain: Vec<u8>,
    ) -> Result<Vec<u8>, RenderError>;

    /// What DHCP, PnP or a person tells a phone to fetch from, made of the folder
    /// that holds its files (ends with `/`): the folder itself, or a form with
    /// the vendor's macros in it.
    fn address<'a>(&self, folder: &'a str, subject: &Subject<'_>) -> Cow<'a, str>;
}

/// What a User-Agent says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentClaim {
    /// The model; may be empty.
    pub model: Box<str>,
    /// The firmware version; may be empty.
    pub firmware: Box<str>,
    /// The address, if it says one.
    pub mac: Option<Mac>,
}

/// Whom a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The phone; `None` for files that phones of a model share and anybody of
    /// them may ask for without saying who it is.
    pub mac: Option<Mac>,
    /// Its model; may be empty.
    pub model: &'a str,
    /// Further names of its own file.
    pub names: &'a [Box<str>],
    /// Its template; empty for the vendor's.
    pub template: &'a str,
    /// The directives, which may choose a dialect or name a firmware.
    pub directives: &'a Directives,
}

/// A file that a name means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// What kind of file.
    pub kind: Kind,
    /// Its name as the documentation spells it; shown to operators, and part of
    /// the key of its version gate.
    pub name: Box<str>,
}

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The phone's own: its accounts, keys and settings.
    Own,
    /// One that all phones of a model at a site share. Made without a phone.
    Common,
    /// One that a phone's own file refers to, and that is made for the phone:
    /// contacts, lamp fields.
    Side,
    /// A firmware image: an uploaded file, named by the directives.
    Image,
}

/// What a file is made of, all secrets opened.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Whom it is for. In a common file only the model says anything.
    pub subject: Subject<'a>,
    /// The site's name.
    pub site: &'a str,
    /// All layers merged, in the vendor's own names. Secrets are in it; a family
    /// leaves them out when `secrets` is false.
    pub settings: &'a Settings,
    /// What of it stands in the phone's own layer.
    pub own: &'a Settings,
    /// The accounts by line; none in a common file.
    pub lines: &'a [Line<'a>],
    /// The programmable keys by position; none in a common file.
    pub keys: &'a [Key],
    /// The site's phone book.
    pub contacts: &'a [Contact],
    /// Where the phone finds its files.
    pub folders: &'a Folders,
    /// The firmware that the phone is to run, if there is one.
    pub firmware: Option<&'a Firmware>,
    /// The CWMP server to move to, if the directives say so.
    pub acs: Option<&'a AcsLogin>,
    /// Whether secrets may be in it.
    pub secrets: bool,
    /// The templates, those of the operator before the shipped ones.
    pub templates: &'a Templates,
}

/// One account with its password opened.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The account.
    pub account: &'a Account,
    /// Its password; `None` leaves it out of the file.
    pub password: Option<&'a Secret>,
}

/// Where a phone finds its files; each ends with `/` and holds the phone's
/// token. Empty where there is no such door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// Over plain HTTP.
    pub http: String,
    /// Over TLS.
    pub https: String,
    /// The one by which this file leaves, for references within it.
    pub this: String,
}

/// A firmware image for phones of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// The version that it brings, as the vendor spells it.
    pub version: Box<str>,
    /// The name under which phones fetch it, below their folder.
    pub name: Box<str>,
    /// SHA-256 of its bytes in lower-case hex; empty while it is not uploaded.
    pub sha256: Box<str>,
    /// Its size in bytes.
    pub size: u64,
}

/// How a phone logs in to the CWMP server that it is moved to.
#[derive(Clone, Debug)]
pub struct AcsLogin {
    /// `ManagementServer.URL`.
    pub url: String,
    /// `ManagementServer.Username`.
    pub username: String,
    /// `ManagementServer.Password`; `None` leaves it out of the file.
    pub password: Option<Secret>,
}

/// How files are encrypted, where the vendor has not said it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ciphers {
    /// Mode, IV and padding of Fanvil files.
    pub fanvil: super::fanvil::Profile,
    /// The digest that makes keys of AudioCodes secrets.
    pub audiocodes: super::audiocodes::KeyDigest,
}

/// A file's body before it has a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The body, without what depends on the version.
    pub body: Vec<u8>,
    /// Its media type.
    pub media: &'static str,
    /// How the version is written into it.
    pub versioned: Versioned,
    /// Whether anything secret was left out.
    pub withheld: bool,
}

/// How a version is written into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioned {
    /// Not at all: the format has none.
    Not,
    /// In the first line or element of a Fanvil file, with so many digits.
    Fanvil(super::fanvil::VersionForm, super::Dialect),
    /// In a Fanvil boot file, which says it before the address of the phone's
    /// own file; of the body only the first line is served, and the rest is
    /// what the version follows.
    FanvilBoot(super::fanvil::VersionForm),
}

/// The formats of a vendor.
pub fn family(vendor: Vendor) -> &'static dyn Family {
    match vendor {
        Vendor::Fanvil => &super::fanvil::FAMILY,
        Vendor::Digium => &super::digium::FAMILY,
        Vendor::AudioCodes => &super::audiocodes::FAMILY,
        Vendor::AstLinux => &super::astlinux::FAMILY,
    }
}
