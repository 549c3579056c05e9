//! What was written to a device that it does not tell again: secrets, and what it
//! is to notify about.
//!
//! A secret reads back empty or masked (TR-069 §A.3.2.1), so that reading cannot
//! tell whether it still has to be written. What can be known is whether this
//! very value was written before, and the device not reset since.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::context::is_mask;
use crate::device::AttributeWish;

/// Makes a number of a parameter's path and its value; keyed, so that the number
/// tells nobody the value.
pub type Digest = Arc<dyn Fn(&str, &str) -> u64 + Send + Sync>;

/// What stands behind a path to say that its attributes are meant, and not its
/// value.
const ATTRIBUTES: &str = "#attributes";

/// The most values of one device that are remembered.
const MAX_KNOWN: usize = 10_000;

/// The values that were written and cannot be read.
///
/// The default knows nothing and remembers nothing: for sessions in which
/// nobody asks.
#[derive(Clone, Default)]
pub struct Written {
    known: BTreeMap<Box<str>, u64>,
    digest: Option<Digest>,
    changed: bool,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written({} values)", self.known.len())
    }
}

impl Written {
    /// Of which this much is known.
    pub const fn new(known: BTreeMap<Box<str>, u64>, digest: Digest) -> Self {
        Self { known, digest: Some(digest), changed: false }
    }

    /// Whether this value was the last that was written, or told in clear.
    pub fn is(&self, path: &str, value: &str) -> bool {
        let Some(digest) = &self.digest else { return false };
        self.known.get(path).is_some_and(|known| *known == digest(path, value.trim_end()))
    }

    /// This value was written, and the device took it.
    pub fn note(&mut self, path: &str, value: &str) {
        let Some(digest) = &self.digest else { return };
        let digest = digest(path, value.trim_end());
        if self.known.len() < MAX_KNOWN || self.known.contains_key(path) {
            self.changed |= self.known.insert(path.into(), digest) != Some(digest);
        }
    }

    /// The device told a secret. Some tell it in clear; what they tell is then
    /// what they have, whoever wrote it. An empty or masked text says nothing.
    pub fn hear(&mut self, path: &str, text: &str) {
        if !text.trim().is_empty() && !is_mask(text.trim()) {
            self.note(path, text);
        }
    }

    /// Whether these attributes were the last that were set.
    pub fn is_notified(&self, wish: &AttributeWish) -> bool {
        !self.known.is_empty() && self.is(&format!("{}{ATTRIBUTES}", wish.path), &in_text(wish))
    }

    /// These attributes were set, and the device took them.
    pub fn note_attributes(&mut self, wish: &AttributeWish) {
        self.note(&format!("{}{ATTRIBUTES}", wish.path), &in_text(wish));
    }

    /// Nothing is known any more of a parameter, or of all below an object.
    pub fn forget(&mut self, path: &str) {
        let before = self.known.len();
        self.known.retain(|known, _| {
            if path.ends_with('.') {
                !known.starts_with(path)
            } else {
                known.strip_prefix(path).is_none_or(|rest| !matches!(rest, "" | ATTRIBUTES))
            }
        });
        self.changed |= self.known.len() != before;
    }

    /// What is to be recorded, if it changed since this was last called.
    pub fn take_news(&mut self) -> Option<BTreeMap<Box<str>, u64>> {
        std::mem::take(&mut self.changed).then(|| self.known.clone())
    }
}

/// Attributes as one text.
fn in_text(wish: &AttributeWish) -> String {
    let notification = wish.notification.map_or_else(String::new, |number| number.to_string());
    let list = wish.access_list.as_ref().map_or_else(String::new, |list| list.join(","));
    format!("{notification};{};{list}", u8::from(wish.access_list.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::ParamPath;

    fn written() -> Written {
        let digest: Digest = Arc::new(|path, value| {
            path.bytes()
                .chain(value.bytes())
                .fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
        });
        Written::new(BTreeMap::new(), digest)
    }

    #[test]
    fn what_was_written_last_is_known_and_told_once_as_news() {
        let mut written = written();
        written.note("D.Password", "one");
        assert!(written.is("D.Password", "one") && !written.is("D.Password", "two"));
        assert_eq!(written.take_news().map(|news| news.len()), Some(1));
        written.note("D.Password", "one");
        assert_eq!(written.take_news(), None);
        written.forget("D.");
        assert!(!written.is("D.Password", "one"));
        assert_eq!(written.take_news().map(|news| news.len()), Some(0));
    }

    #[test]
    fn a_secret_told_in_clear_is_what_the_device_has_and_a_mask_says_nothing() {
        let mut written = written();
        written.note("D.Password", "one");
        for silent in ["", " ", "********"] {
            written.hear("D.Password", silent);
            assert!(written.is("D.Password", "one"), "{silent:?}");
        }
        written.hear("D.Password", "another  ");
        assert!(!written.is("D.Password", "one") && written.is("D.Password", "another"));
    }

    #[test]
    fn attributes_are_remembered_beside_the_value() {
        let mut written = written();
        let path = ParamPath::parse("D.X").unwrap();
        let wish = AttributeWish { path, notification: Some(2), access_list: None };
        assert!(!written.is_notified(&wish));
        written.note_attributes(&wish);
        assert!(written.is_notified(&wish));
        assert!(!written.is_notified(&AttributeWish { notification: Some(1), ..wish.clone() }));
        written.forget("D.X");
        assert!(!written.is_notified(&wish));
    }

    #[test]
    fn without_a_key_nothing_is_remembered() {
        let mut written = Written::default();
        written.note("D.Password", "one");
        assert!(!written.is("D.Password", "one"));
        assert_eq!(written.take_news(), None);
    }
}
