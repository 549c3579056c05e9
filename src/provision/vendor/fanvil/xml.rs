//! The two XML forms of a configuration file, written.
//!
//! The older one names modules and keys as the text does, with `_` for blanks,
//! and numbered keys stand in entries with an `ID`:
//!
//! ```xml
//! <VOIP_CONFIG_FILE>
//! <version>2.0003</version>
//! <SIP_CONFIG_MODULE>
//! <SIP_Line_List>
//! <SIP_Line_List_Entry>
//! <ID>SIP1</ID>
//! <Phone_Number>1001</Phone_Number>
//! </SIP_Line_List_Entry>
//! ```
//!
//! The newer one, `<sysConf>`, has short groups for modules and leaves blanks out:
//!
//! ```xml
//! <sysConf>
//! <Version>2.0000000012</Version>
//! <sip>
//! <line index="1">
//! <PhoneNumber>1001</PhoneNumber>
//! ```
//!
//! Both are known from working configurations, not from the vendor's documents.

use std::collections::BTreeSet;

use super::sections::{
    Entry, SOFT_KEYS, Section, element_of, group_of, numbered, page_of, subgroup_of,
};
use super::text::{TextError, is_key, is_value, is_version, shown};
use crate::provision::Dialect;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n";

/// A whole file of a version and a body.
pub(super) fn assemble(dialect: Dialect, version: &str, body: &str) -> Result<Vec<u8>, TextError> {
    if !is_version(version) {
        return Err(TextError::Version(shown(version)));
    }
    let (root, element) = match dialect {
        Dialect::SysConf => ("sysConf", "Version"),
        Dialect::Xml | Dialect::Text => ("VOIP_CONFIG_FILE", "version"),
    };
    let file =
        format!("{DECLARATION}<{root}>\r\n<{element}>{version}</{element}>\r\n{body}</{root}>\r\n");
    Ok(file.into_bytes())
}

/// The older form's elements after the version.
pub(super) fn older(sections: &[Section<'_>]) -> Result<String, TextError> {
    let mut out = Writer::default();
    for section in sections {
        let module = name(&section.header, '_')?;
        out.open(&module)?;
        for (list, entries) in lists(&section.entries) {
            let (plain, groups) = by_id(entries, list.is_some());
            for entry in plain {
                out.leaf(&name(&entry.key, '_')?, entry)?;
            }
            if groups.is_empty() {
                continue;
            }
            let list = name(list.unwrap_or_default().trim_matches('-').trim(), '_')?;
            out.open(&list)?;
            for (id, entries) in groups {
                out.open_again(&format!("{list}_Entry"));
                out.text("ID", id);
                for (rest, entry) in entries {
                    out.leaf(&name(rest, '_')?, entry)?;
                }
                out.close();
            }
            out.close();
        }
        out.close();
    }
    Ok(out.text)
}

/// The newer form's elements after the version.
pub(super) fn newer(sections: &[Section<'_>]) -> Result<String, TextError> {
    let mut out = Writer::default();
    for section in sections {
        // A module of which no group is known keeps its name; such are seen.
        match group_of(&section.header) {
            Some(group) => out.open(group)?,
            None => out.open(&name(&section.header, '_')?)?,
        }
        for (list, entries) in lists(&section.entries) {
            let marker = list.unwrap_or_default();
            let opened = match (subgroup_of(marker), page_of(marker)) {
                (Some(element), _) => Some(out.open(element)?),
                (None, Some((element, page))) => {
                    out.open_index(element, page);
                    Some(())
                }
                (None, None) => None,
            };
            let (plain, groups) = by_id(entries, list.is_some());
            for entry in plain {
                out.leaf(&name(&entry.key, '\0')?, entry)?;
            }
            for (id, entries) in groups {
                let (element, number) = element_of(id);
                let element = if marker == SOFT_KEYS.0 { SOFT_KEYS.1 } else { element };
                out.open_index(&name(element, '\0')?, number);
                for (rest, entry) in entries {
                    out.leaf(&name(rest, '\0')?, entry)?;
                }
                out.close();
            }
            if opened.is_some() {
                out.close();
            }
        }
        out.close();
    }
    Ok(out.text)
}

/// The entries list by list.
fn lists<'e, 'a>(
    entries: &'e [Entry<'a>],
) -> impl Iterator<Item = (Option<&'e str>, &'e [Entry<'a>])> {
    entries
        .chunk_by(|one, two| one.list == two.list)
        .map(|part| (part.first().and_then(|entry| entry.list.as_deref()), part))
}

/// Entries under an ID: what stands behind it, and the entry.
type Group<'e, 'a> = (&'e str, Vec<(&'e str, &'e Entry<'a>)>);

/// What is not numbered, and what is, by ID in the order of the first of each.
fn by_id<'e, 'a>(
    entries: &'e [Entry<'a>],
    listed: bool,
) -> (Vec<&'e Entry<'a>>, Vec<Group<'e, 'a>>) {
    let mut plain = Vec::new();
    let mut groups: Vec<Group<'e, 'a>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for entry in entries {
        match numbered(&entry.key).filter(|_| listed) {
            Some((id, rest)) => {
                let place = *places.entry(id).or_insert(groups.len());
                match groups.get_mut(place) {
                    Some((_, group)) => group.push((rest, entry)),
                    None => groups.push((id, vec![(rest, entry)])),
                }
            }
            None => plain.push(entry),
        }
    }
    (plain, groups)
}

/// The name of an element: blanks become `blank`, or nothing if that is NUL.
fn name(words: &str, blank: char) -> Result<String, TextError> {
    let name: String =
        words.chars().map(|c| if c == ' ' { blank } else { c }).filter(|c| *c != '\0').collect();
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    // XML 1.0 §2.3: names that begin so are reserved. A list of the vendor's
    // begins with XML- all the same, but becomes no element by that name.
    let reserved = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
    // It would read back as a blank at the end, which no key has.
    let frayed = blank == '_' && (words.starts_with('_') || words.ends_with('_'));
    if !first || !rest || reserved || frayed || name.len() > 128 {
        return Err(TextError::Element(shown(words)));
    }
    Ok(name)
}

/// Writes elements, each with names of its own among its brothers.
#[derive(Default)]
struct Writer {
    text: String,
    open: Vec<(String, BTreeSet<String>)>,
    top: BTreeSet<String>,
}

impl Writer {
    /// Opens an element that must be the only one of its name here.
    fn open(&mut self, name: &str) -> Result<(), TextError> {
        self.once(name)?;
        self.open_again(name);
        Ok(())
    }

    /// Opens one of several.
    fn open_again(&mut self, name: &str) {
        for part in ["<", name, ">\r\n"] {
            self.text.push_str(part);
        }
        self.open.push((name.to_owned(), BTreeSet::new()));
    }

    /// Opens one of several, which have numbers. A number is digits.
    fn open_index(&mut self, name: &str, number: &str) {
        for part in ["<", name, " index=\"", number, "\">\r\n"] {
            self.text.push_str(part);
        }
        self.open.push((name.to_owned(), BTreeSet::new()));
    }

    fn close(&mut self) {
        let Some((name, _)) = self.open.pop() else { return };
        for part in ["</", &name, ">\r\n"] {
            self.text.push_str(part);
        }
    }

    fn leaf(&mut self, name: &str, entry: &Entry<'_>) -> Result<(), TextError> {
        if !is_key(&entry.key) {
            return Err(TextError::Name(shown(&entry.key)));
        }
        let value = &*entry.value;
        // XML 1.0 §2.2: these can stand in no document, escaped or not.
        if !is_value(value) || value.contains(['\u{fffe}', '\u{ffff}']) {
            return Err(TextError::Value(shown(&entry.key)));
        }
        self.once(name)?;
        self.text(name, value);
        Ok(())
    }

    fn text(&mut self, name: &str, value: &str) {
        for part in ["<", name, ">"] {
            self.text.push_str(part);
        }
        let mut rest = value;
        while let Some(at) = rest.find(['<', '>', '&']) {
            let (before, after) = rest.split_at(at);
            self.text.push_str(before);
            self.text.push_str(match after.as_bytes().first() {
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                _ => "&amp;",
            });
            rest = after.get(1..).unwrap_or_default();
        }
        self.text.push_str(rest);
        for part in ["</", name, ">\r\n"] {
            self.text.push_str(part);
        }
    }

    /// Two keys that become one element would hide each other.
    fn once(&mut self, name: &str) -> Result<(), TextError> {
        let names = self.open.last_mut().map_or(&mut self.top, |(_, names)| names);
        match names.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(TextError::Element(shown(name))),
        }
    }
}
