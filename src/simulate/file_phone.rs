//! A simulated phone that is provisioned by one file: Digium, AudioCodes, and
//! what AstLinux describes.
//!
//! It asks for names in its vendor's order until one is there, reads what came
//! and keeps it. How a file is read is handed in: this room knows no formats.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::sync::Arc;

/// Reads a file into settings; the error says in words why it cannot be read.
pub type ReadFile = Arc<dyn Fn(&[u8]) -> Result<PhoneSettings, Box<str>> + Send + Sync>;

/// Settings as name and value, in the order of the file.
pub type PhoneSettings = Vec<(Box<str>, Box<str>)>;

/// What a phone did with the file that it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilePhoneVerdict {
    /// It says something else than the one before, or is the first: applied.
    Applied {
        /// The name under which it was there.
        name: Box<str>,
    },
    /// It says what is in force.
    Unchanged {
        /// The name under which it was there.
        name: Box<str>,
    },
    /// It could not be read.
    Unreadable {
        /// The name under which it was there.
        name: Box<str>,
        /// Why.
        reason: Box<str>,
    },
}

/// A phone, and what it applied.
pub struct FilePhone {
    names: Vec<String>,
    image: Option<String>,
    agent: Box<str>,
    read: ReadFile,
    settings: Option<PhoneSettings>,
}

impl FilePhone {
    /// A phone fresh from the factory that asks for these names in turn and says
    /// who it is by this User-Agent.
    pub fn new(names: Vec<String>, agent: &str, read: ReadFile) -> Self {
        Self { names, image: None, agent: agent.into(), read, settings: None }
    }

    /// The same, looking first at the header of a firmware image of this name
    /// and closing early, as AudioCodes phones do.
    #[must_use]
    pub fn with_image(self, name: &str) -> Self {
        Self { image: Some(name.to_owned()), ..self }
    }

    /// The names that it asks for, in turn.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The image that it looks at first.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// Who it says it is.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// A setting that is in force.
    pub fn setting(&self, name: &str) -> Option<&str> {
        let mut settings = self.settings.iter().flatten().rev();
        settings.find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// Takes a file that was fetched.
    pub fn receive(&mut self, name: &str, bytes: &[u8]) -> FilePhoneVerdict {
        let name = Box::<str>::from(name);
        match (self.read)(bytes) {
            Err(reason) => FilePhoneVerdict::Unreadable { name, reason },
            Ok(settings) if self.settings.as_ref() == Some(&settings) => {
                FilePhoneVerdict::Unchanged { name }
            }
            Ok(settings) => {
                self.settings = Some(settings);
                FilePhoneVerdict::Applied { name }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_is_not_applied_again() {
        let read: ReadFile = Arc::new(|bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| Box::<str>::from("no text"))?;
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            Ok(pairs.map(|(name, value)| (name.into(), value.into())).collect())
        });
        let mut phone = FilePhone::new(vec!["a.cfg".to_owned()], "x", read);
        let applied = FilePhoneVerdict::Applied { name: "a.cfg".into() };
        assert_eq!(phone.receive("a.cfg", b"id=1\n"), applied);
        let unchanged = FilePhoneVerdict::Unchanged { name: "a.cfg".into() };
        assert_eq!(phone.receive("a.cfg", b"id=1"), unchanged);
        assert_eq!(phone.receive("a.cfg", b"id=1\nid=2"), applied);
        assert_eq!(phone.setting("id"), Some("2"));
        assert!(matches!(phone.receive("a.cfg", b"\xff"), FilePhoneVerdict::Unreadable { .. }));
    }
}
