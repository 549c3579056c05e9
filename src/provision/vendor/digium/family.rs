//! Digium and Sangoma D series, behind the seam that all vendors share.

use std::borrow::Cow;

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

    fn agent(&self, _user_agent: &str) -> Option<AgentClaim> {
        None
    }

    fn takes(&self, _name: &str) -> bool {
        false
    }

    fn check_setting(&self, _name: &str, _value: &str) -> Result<(), RenderError> {
        Ok(())
    }

    fn check_account(
        &self,
        _account: &Account,
        _password: Option<&Secret>,
    ) -> Result<(), RenderError> {
        Ok(())
    }

    fn is_secret(&self, _name: &str) -> bool {
        true
    }

    fn resolve(&self, name: &str, subject: &Subject<'_>) -> Option<Wanted> {
        let own = format!("{}.cfg", subject.mac?);
        own.eq_ignore_ascii_case(name).then(|| Wanted { kind: Kind::Own, name: own.into() })
    }

    fn files(&self, _subject: &Subject<'_>) -> Vec<Wanted> {
        Vec::new()
    }

    fn render(&self, _wanted: &Wanted, _inputs: &Inputs<'_>) -> Result<Draft, RenderError> {
        let body = Vec::new();
        Ok(Draft { body, media: "text/plain", versioned: Versioned::Not, withheld: false })
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

    fn address<'a>(&self, folder: &'a str, _subject: &Subject<'_>) -> Cow<'a, str> {
        Cow::Borrowed(folder)
    }
}
