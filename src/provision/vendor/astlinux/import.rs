//! A mass deployment as phones of the inventory.

use std::collections::{BTreeMap, HashMap};

use super::entry::{Entry, EntryError};
use super::mass::{MassError, rows};
use super::mode::Mode;
use super::phone::{Phone, PhoneFile, RenderError, Server, render_phone};
use super::template::Template;
use crate::class::Class;
use crate::device::Secret;
use crate::phone::{Mac, MacError, Settings};

/// One phone of a mass deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The number of its line in the text, from 1.
    pub number: usize,
    /// Its address.
    pub mac: Mac,
    /// The name of its template.
    pub template: Box<str>,
    /// Its model, as the template says it.
    pub model: Box<str>,
    /// Its lines, those about which something was said.
    pub lines: Vec<ImportedLine>,
    /// What else was said, as settings of a phone of this family: `mac_addr` as it
    /// was typed, and `cid_num/<line>` where it is not the extension.
    pub settings: Settings,
    /// Its own file; `None` if the template has no `[phoneprov]`.
    pub file: Option<PhoneFile>,
}

/// One line of a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedLine {
    /// The line, from 1.
    pub number: u8,
    /// The extension.
    pub ext: Box<str>,
    /// The caller's name.
    pub cid_name: Box<str>,
    /// The caller's number.
    pub cid_num: Box<str>,
    /// The SIP password.
    pub password: Secret,
    /// The SIP account, given or made by the template; the name to log in with.
    pub account: Box<str>,
}

/// Why a mass deployment cannot be imported. All but the first begin with the
/// number of the line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The text is none.
    #[error(transparent)]
    Mass(#[from] MassError),
    /// A row is no phone.
    #[error("line {number}: {source}")]
    Entry {
        /// The line.
        number: usize,
        /// Why.
        source: EntryError,
    },
    /// The MAC address has other characters than hex digits.
    #[error("line {number}: {source}")]
    Mac {
        /// The line.
        number: usize,
        /// What would be right.
        source: MacError,
    },
    /// There is no such template.
    #[error("line {number}: there is no template `{template}`")]
    NoTemplate {
        /// The line.
        number: usize,
        /// Its name.
        template: Box<str>,
    },
    /// The phone's file cannot be rendered.
    #[error("line {number}: {source}")]
    Render {
        /// The line.
        number: usize,
        /// Why.
        source: RenderError,
    },
    /// Two lines are about the same phone, or write the same file.
    #[error("line {number}: the same phone or file as line {first}")]
    Twice {
        /// The second line.
        number: usize,
        /// The first one.
        first: usize,
    },
}

impl ImportError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Mass(error) => error.class(),
            Self::Render { source, .. } => source.class(),
            Self::NoTemplate { .. } => Class::NotFound,
            Self::Entry { .. } | Self::Mac { .. } | Self::Twice { .. } => Class::Invalid,
        }
    }
}

/// Reads a mass deployment and renders each phone's own file: all or nothing.
///
/// # Errors
/// [`ImportError`] of the first line that is wrong.
pub fn import(
    text: &[u8],
    templates: &BTreeMap<Box<str>, Template>,
    server: &Server,
) -> Result<Vec<Imported>, ImportError> {
    let mut phones: Vec<Imported> = Vec::new();
    let (mut macs, mut paths) = (HashMap::new(), HashMap::new());
    for row in rows(text, Mode::Right)? {
        let number = row.number;
        let entry = Entry::new(&row, Mode::Right)
            .map_err(|source| ImportError::Entry { number, source })?;
        let mac: Mac = entry.mac.parse().map_err(|source| ImportError::Mac { number, source })?;
        let template = templates
            .get(&entry.template)
            .ok_or_else(|| ImportError::NoTemplate { number, template: entry.template.clone() })?;
        let file = render_phone(template, &entry, server)
            .map_err(|source| ImportError::Render { number, source })?;
        let same_path = file.as_ref().and_then(|file| paths.insert(file.path.clone(), number));
        if let Some(first) = macs.insert(mac, number).or(same_path) {
            return Err(ImportError::Twice { number, first });
        }
        let phone = Phone::new(template, &entry, server);
        let lines = entry.given_lines().map(|(number, line)| ImportedLine {
            number,
            ext: line.ext.clone(),
            cid_name: line.cid_name.clone(),
            cid_num: line.cid_num.clone(),
            password: line.password.clone(),
            account: phone.account(usize::from(number) - 1).into(),
        });
        let lines: Vec<_> = lines.collect();
        let mut settings = Settings::from([("mac_addr".into(), entry.mac.clone())]);
        for line in lines.iter().filter(|line| line.cid_num != line.ext) {
            settings.insert(format!("cid_num/{}", line.number).into(), line.cid_num.clone());
        }
        let template = entry.template.clone();
        let model = phone.model().into();
        phones.push(Imported { number, mac, template, model, lines, settings, file });
    }
    Ok(phones)
}
