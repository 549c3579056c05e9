//! AudioCodes 400HD, behind the seam that all vendors share.

use std::borrow::Cow;

use super::cipher::{checked, encrypt_cfx};
use super::names::{image, own_name, resolve};
use super::parameters::is_secret;
use super::render::{check_account, check_setting, render_own};
use crate::device::Secret;
use crate::phone::{Account, Vendor};
use crate::provision::{
    AgentClaim, Ciphers, Draft, Family, Inputs, Kind, RenderError, Subject, Versioned, Wanted,
};

/// The formats of AudioCodes 400HD.
pub static FAMILY: AudioCodes = AudioCodes;

/// The first words of all paths.
const ROOTS: [&str; 11] = [
    "conferencephone",
    "ems_server",
    "kernel",
    "lync",
    "management",
    "network",
    "personal_settings",
    "provisioning",
    "security",
    "system",
    "voip",
];

/// AudioCodes 400HD.
#[derive(Debug)]
pub struct AudioCodes;

impl Family for AudioCodes {
    fn vendor(&self) -> Vendor {
        Vendor::AudioCodes
    }

    fn ouis(&self) -> &'static [[u8; 3]] {
        &[[0x00, 0x90, 0x8f]]
    }

    fn agent(&self, user_agent: &str) -> Option<AgentClaim> {
        super::agent::agent(user_agent)
    }

    fn takes(&self, name: &str) -> bool {
        let root = name.split_once('/').map(|(root, _)| root);
        root.is_some_and(|root| ROOTS.contains(&root))
    }

    fn check_setting(&self, name: &str, value: &str) -> Result<(), RenderError> {
        check_setting(name, value)
    }

    fn check_account(
        &self,
        account: &Account,
        password: Option<&Secret>,
    ) -> Result<(), RenderError> {
        check_account(account, password)
    }

    fn is_secret(&self, name: &str) -> bool {
        is_secret(name)
    }

    fn resolve(&self, name: &str, subject: &Subject<'_>) -> Option<Wanted> {
        resolve(name, subject)
    }

    fn files(&self, subject: &Subject<'_>) -> Vec<Wanted> {
        // A phone looks at the firmware first.
        let own = subject.mac.map(|mac| Wanted { kind: Kind::Own, name: own_name(mac).into() });
        image(subject).into_iter().chain(own).collect()
    }

    fn render(&self, _wanted: &Wanted, inputs: &Inputs<'_>) -> Result<Draft, RenderError> {
        let (text, withheld) = render_own(inputs)?;
        let body = text.into_bytes();
        Ok(Draft { body, media: "text/plain", versioned: Versioned::Not, withheld })
    }

    fn version(&self, _draft: &Draft, _counter: u64) -> Result<String, RenderError> {
        Ok(String::new())
    }

    fn finish(&self, draft: &Draft, _version: &str) -> Result<Vec<u8>, RenderError> {
        Ok(draft.body.clone())
    }

    fn key(&self, key: &str) -> Result<Secret, RenderError> {
        checked(key).map(Secret::new).map_err(|_| bad_key())
    }

    fn encrypts(&self, wanted: &Wanted) -> bool {
        wanted.kind == Kind::Own
    }

    fn encrypt(
        &self,
        ciphers: &Ciphers,
        key: &Secret,
        plain: Vec<u8>,
    ) -> Result<Vec<u8>, RenderError> {
        encrypt_cfx(ciphers.audiocodes, key, &plain).map_err(|_| bad_key())
    }

    /// `FOLDER[firmware];<MAC>.cfg`, a form of option 160: the phone puts its own
    /// address in place of `<MAC>`.
    fn address<'a>(&self, folder: &'a str, subject: &Subject<'_>) -> Cow<'a, str> {
        let firmware = subject.directives.firmware_file.as_deref().unwrap_or_default();
        Cow::Owned(format!("{folder}{firmware};<MAC>.cfg"))
    }
}

/// Told in place of a key that is none.
fn bad_key() -> RenderError {
    RenderError::Word {
        what: "the key".to_owned(),
        problem: "a secret for .cfx files has 8 to 128 printable ASCII characters",
    }
}

#[cfg(test)]
mod tests;
