//! `Kicked`, deprecated: the subscriber's browser asks for a session
//! (TR-069 §A.4.2.1).

use super::read::{ReadError, Scanner};
use super::write::Writer;

/// `Kicked`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kicked {
    /// What the web site asks for.
    pub command: Box<str>,
    /// The web site.
    pub referer: Box<str>,
    /// Arguments of the command.
    pub arg: Box<str>,
    /// Where the browser is to go next.
    pub next: Box<str>,
}

/// `KickedResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KickedResponse {
    /// Where the browser is to go next.
    pub next_url: Box<str>,
}

impl Kicked {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "Command" => one.command = xml.text()?,
                "Referer" => one.referer = xml.text()?,
                "Arg" => one.arg = xml.text()?,
                "Next" => one.next = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("Command", &self.command);
        xml.text("Referer", &self.referer);
        xml.text("Arg", &self.arg);
        xml.text("Next", &self.next);
    }
}

impl KickedResponse {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            if tag.local() == "NextURL" {
                one.next_url = xml.text()?;
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("NextURL", &self.next_url);
    }
}
