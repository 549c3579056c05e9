//! What was written to a device that it does not tell again: secrets.
//!
//! A secret reads back empty or masked (TR-069 §A.3.2.1), so that reading cannot
//! tell whether it still has to be written. What can be known is whether this
//! very value was written before, and the device not reset since.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Makes a number of a parameter's path and its value; keyed, so that the number
/// tells nobody the value.
pub type Digest = Arc<dyn Fn(&str, &str) -> u64 + Send + Sync>;

/// The values that were written and cannot be read.
#[derive(Clone)]
pub struct Written {
    known: BTreeMap<Box<str>, u64>,
    digest: Digest,
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
        Self { known, digest, changed: false }
    }

    /// Whether this value was the last that was written.
    pub fn is(&self, path: &str, value: &str) -> bool {
        self.known.get(path).is_some_and(|known| *known == (self.digest)(path, value))
    }

    /// This value was written, and the device took it.
    pub fn note(&mut self, path: &str, value: &str) {
        let digest = (self.digest)(path, value);
        self.changed |= self.known.insert(path.into(), digest) != Some(digest);
    }

    /// Nothing is known any more of a parameter, or of all below an object.
    pub fn forget(&mut self, path: &str) {
        let before = self.known.len();
        self.known.retain(|known, _| {
            if path.ends_with('.') { !known.starts_with(path) } else { **known != *path }
        });
        self.changed |= self.known.len() != before;
    }

    /// What is to be recorded, if it changed since this was last called.
    pub fn take_news(&mut self) -> Option<BTreeMap<Box<str>, u64>> {
        std::mem::take(&mut self.changed).then(|| self.known.clone())
    }
}
