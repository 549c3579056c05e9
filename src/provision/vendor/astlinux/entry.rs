//! One phone of a mass deployment.

use super::mass::Row;
use super::mode::Mode;
use crate::class::Class;
use crate::device::Secret;

/// How many lines a phone has.
pub(super) const LINES: usize = 6;

/// One phone: a row with its lists taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number of its line, from 1; 0 if it stands in no text.
    pub number: usize,
    /// The name of its template.
    pub template: Box<str>,
    /// The MAC address as it was typed, with colons.
    pub mac: Box<str>,
    /// Its six lines. Those that were not given are as the first one: see
    /// [`Entry::own_lines`].
    pub lines: [Line; LINES],
}

/// One line of a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The extension.
    pub ext: Box<str>,
    /// The caller's name; the extension if none was given.
    pub cid_name: Box<str>,
    /// The caller's number; the extension if none was given.
    pub cid_num: Box<str>,
    /// The SIP password.
    pub password: Secret,
    /// The SIP account, if one was given; else the template makes it.
    pub account: Option<Box<str>>,
}

impl Line {
    /// What a line is of which nothing is said: the first one's extension and
    /// password, and neither its caller's words nor its account.
    pub fn like(first: &Self) -> Self {
        let ext = &first.ext;
        Self {
            ext: ext.clone(),
            cid_name: ext.clone(),
            cid_num: ext.clone(),
            password: first.password.clone(),
            account: None,
        }
    }
}

/// Why a row is no phone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The MAC address or the extension is missing.
    #[error("a phone needs a template, a MAC address and an extension")]
    TooShort,
    /// The MAC address is none.
    #[error("Invalid MAC address: {0}")]
    Mac(Box<str>),
    /// There is no password.
    #[error("no password defined.")]
    NoPassword,
    /// The extension is a word that means something else to `phoneprov-build`.
    #[error("`{0}` cannot be an extension")]
    Reserved(Box<str>),
}

impl EntryError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Entry {
    /// Takes a row apart.
    ///
    /// [`Mode::Original`] takes any characters for digits of the MAC address;
    /// [`Mode::Right`] all but a slash, for the address becomes a file's name.
    ///
    /// # Errors
    /// [`EntryError`]; the first that the original would tell.
    pub fn new(row: &Row<'_>, mode: Mode) -> Result<Self, EntryError> {
        let [Some(template), Some(mac), Some(exts), password, accounts] = row.words else {
            return Err(EntryError::TooShort);
        };
        if mode == Mode::Right && Self::is_init(exts) {
            return Err(EntryError::Reserved(exts.into()));
        }
        if !is_mac(mac) || (mode == Mode::Right && mac.contains('/')) {
            return Err(EntryError::Mac(mac.into()));
        }
        let passwords = password.ok_or(EntryError::NoPassword)?;
        let first_ext = split_cid(item(exts, 0)).0;
        let first_password = item(passwords, 0);
        let line = |at: usize| {
            let (given, cid) = split_cid(item(exts, at));
            let ext = if given.is_empty() { first_ext } else { given };
            let (cid_name, cid_num) = caller(cid, ext);
            let password = item(passwords, at);
            let password = if password.is_empty() { first_password } else { password };
            let account = item(accounts.unwrap_or_default(), at);
            Line {
                ext: ext.into(),
                cid_name,
                cid_num,
                password: Secret::new(password),
                account: (!account.is_empty()).then(|| account.into()),
            }
        };
        let lines = [0, 1, 2, 3, 4, 5].map(line);
        Ok(Self { number: row.number, template: template.into(), mac: mac.into(), lines })
    }

    /// The lines about which something of their own was said, with their numbers
    /// from 1: the others are what [`Line::like`] makes of the first.
    pub fn given_lines(&self) -> impl Iterator<Item = (u8, &Line)> {
        let [first, ..] = &self.lines;
        let usual = Line::like(first);
        (1..).zip(&self.lines).filter(move |(number, line)| *number == 1 || **line != usual)
    }

    /// What stands for a phone where only the heads of files are written: the
    /// word that asks for it in the place of the extension, and no address.
    pub fn init(template: &str, word: &str) -> Self {
        let line = || Line {
            ext: word.into(),
            cid_name: word.into(),
            cid_num: word.into(),
            password: Secret::default(),
            account: None,
        };
        Self {
            number: 0,
            template: template.into(),
            mac: "00:00:00:00:00:00".into(),
            lines: [(); LINES].map(|()| line()),
        }
    }

    /// Whether the word in the place of the extensions asks for the files'
    /// heads alone.
    pub fn is_init(word: &str) -> bool {
        matches!(word, "init" | "init-dialplan" | "init-sip")
    }

    /// The lines that the phone has of its own, with their numbers from 1: the
    /// first, and each whose extension differs from it.
    pub fn own_lines(&self) -> impl Iterator<Item = (u8, &Line)> {
        let [first, ..] = &self.lines;
        (1..).zip(&self.lines).filter(|(number, line)| *number == 1 || line.ext != first.ext)
    }
}

/// `??:??:??:??:??:??`, with any characters.
fn is_mac(text: &str) -> bool {
    let mut count = 0;
    let sound = text.chars().zip(1..).all(|(c, at)| {
        count = at;
        at % 3 != 0 || c == ':'
    });
    sound && count == 17
}

fn item(list: &str, at: usize) -> &str {
    list.split(';').nth(at).unwrap_or_default()
}

/// The extension and the caller's words after the first slash.
fn split_cid(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap_or((text, ""))
}

/// The caller's name and number: `Alice_DECT<101>`.
fn caller(words: &str, ext: &str) -> (Box<str>, Box<str>) {
    let words = words.replace('_', " ");
    let name = words.split('<').next().unwrap_or_default();
    let name = name.strip_suffix(' ').unwrap_or(name);
    let name = if name.is_empty() { ext } else { name };
    let number = words.split('<').skip(1).find_map(number).unwrap_or(ext);
    (name.into(), number.into())
}

/// The number at the begin of what follows a `<`, if a `>` ends it.
fn number(text: &str) -> Option<&str> {
    let inside = text.split_once('>')?.0.trim_matches(' ');
    let digit = |c: char| c.is_ascii_digit() || matches!(c, '#' | '*');
    (!inside.is_empty() && inside.chars().all(digit)).then_some(inside)
}
