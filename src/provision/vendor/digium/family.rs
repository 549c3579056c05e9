//! Digium and Sangoma D series, behind the seam that all vendors share.

use std::borrow::Cow;

use super::names::{blf_name, files, resolve};
use super::render::{blf, check_account, contacts, own, small};
use super::values::{check_setting, is_secret};
use crate::device::Secret;
use crate::phone::{Account, Vendor};
use crate::provision::{
    AgentClaim, Ciphers, Draft, Family, Inputs, Kind, RenderError, Subject, Versioned, Wanted,
};

/// The formats of Digium and Sangoma D series.
pub static FAMILY: Digium = Digium;

/// Digium and Sangoma D series.
#[derive(Debug)]
pub struct Digium;

impl Family for Digium {
    fn vendor(&self) -> Vendor {
        Vendor::Digium
    }

    fn ouis(&self) -> &'static [[u8; 3]] {
        &[[0x00, 0x0f, 0xd3], [0x00, 0x50, 0x58]]
    }

    fn agent(&self, user_agent: &str) -> Option<AgentClaim> {
        super::agent::agent(user_agent)
    }

    fn takes(&self, name: &str) -> bool {
        !name.contains('/') && super::Name::parse(name).is_ok()
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
        files(subject)
    }

    fn render(&self, wanted: &Wanted, inputs: &Inputs<'_>) -> Result<Draft, RenderError> {
        let keys = inputs.subject.mac.map(blf_name);
        let made = match wanted.kind {
            Kind::Side if keys.as_deref() == Some(&wanted.name) => blf(inputs)?,
            Kind::Side => contacts(inputs)?,
            Kind::Common => small(inputs)?,
            Kind::Own | Kind::Image => own(inputs)?,
        };
        let (body, withheld) = (made.text.into_bytes(), made.withheld);
        Ok(Draft { body, media: "text/xml", versioned: Versioned::Not, withheld })
    }

    fn version(&self, _draft: &Draft, _counter: u64) -> Result<String, RenderError> {
        Ok(String::new())
    }

    fn finish(&self, draft: &Draft, _version: &str) -> Result<Vec<u8>, RenderError> {
        Ok(draft.body.clone())
    }

    fn encrypt(
        &self,
        _ciphers: &Ciphers,
        _key: &Secret,
        _plain: Vec<u8>,
    ) -> Result<Vec<u8>, RenderError> {
        Err(RenderError::Incomplete("files of this vendor have no encryption".to_owned()))
    }

    /// The folder itself: the phone asks in it for the names that it knows.
    fn address<'a>(&self, folder: &'a str, _subject: &Subject<'_>) -> Cow<'a, str> {
        Cow::Borrowed(folder)
    }
}

#[cfg(test)]
mod tests;
