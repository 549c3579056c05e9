//! The entries of the audit, and the chain that they stand in.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::time::Timestamp;

/// One change, as it is handed to the store; the store numbers and chains it.
///
/// Nothing in it is secret: values that are were masked when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDraft {
    /// When.
    pub at: Timestamp,
    /// Who, by name.
    pub actor: Box<str>,
    /// With which token; empty for the one in `admin.token` and for the server
    /// itself.
    pub token: Box<str>,
    /// From where.
    pub address: Option<IpAddr>,
    /// The request; the same for all changes of one.
    pub request: u128,
    /// What was done, as a word for filters: `labels.change`, `task.create`.
    pub action: Box<str>,
    /// The kind of what it was done to: `device`, `profile`, `token`.
    pub kind: Box<str>,
    /// Its key.
    pub key: Box<str>,
    /// Whose it is; empty for nobody's.
    pub tenant: Box<str>,
    /// The site where it stands; may be empty.
    pub site: Box<str>,
    /// What was done, in words.
    pub sentence: Box<str>,
    /// What differs, as it was before: JSON, masked; `None` if it is new.
    pub before: Option<Box<str>>,
    /// What differs, as it is now: JSON, masked; `None` if it is gone.
    pub after: Option<Box<str>>,
}

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 0, without gaps.
    pub number: u64,
    /// What it says.
    pub draft: AuditDraft,
    /// What it says as it was stored and hashed.
    pub body: Vec<u8>,
    /// [`chained`] over the entry before it, its number and its body.
    pub hash: [u8; 32],
}

impl AuditDraft {
    /// Reads the body of an entry, as it lies in the store and in exports.
    pub fn of_body(body: &[u8]) -> Option<Self> {
        postcard::from_bytes(body).ok()
    }
}

/// The hash of an entry: SHA-256 over the hash of the entry before it (zeros for
/// the first), its number (big-endian) and its body.
pub fn chained(previous: &[u8; 32], number: u64, body: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(previous);
    digest.update(number.to_be_bytes());
    digest.update(body);
    digest.finalize().into()
}

/// Where a chain of entries is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// Entries are missing between two.
    #[error("entry {expected} is missing: after it comes {found}")]
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// An entry is not the one that was made there.
    #[error(
        "entry {0} is not what was written: its hash does not follow from the entry before and its body"
    )]
    Altered(u64),
    /// An entry is not the one that somebody noted.
    #[error("entry {0} is there with another hash than the one that was noted")]
    Other(u64),
    /// An entry that somebody noted is no longer there, or never was.
    #[error("entry {0}, whose hash was noted, is not there")]
    Missing(u64),
}

/// The check of a chain, entry by entry in their order.
///
/// The first entry is believed if it is not the very first (number 0): what came
/// before it was trimmed. Whoever noted the hash of an entry elsewhere can have
/// it compared ([`Chain::noted`]): then neither can the whole be made anew, nor
/// its end be cut off.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    noted: Option<(u64, [u8; 32])>,
    met: bool,
    first: Option<u64>,
    last: Option<(u64, [u8; 32])>,
    entries: u64,
}

impl Chain {
    /// A check that compares one entry's hash with one that was noted.
    pub fn noted(noted: Option<(u64, [u8; 32])>) -> Self {
        Self { noted, ..Self::default() }
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// The break, if there is one here; nothing after it says anything.
    pub fn take(&mut self, number: u64, body: &[u8], hash: &[u8; 32]) -> Result<(), ChainBreak> {
        let previous = match self.last {
            None if number == 0 => Some([0; 32]),
            None => None,
            Some((last, before)) => {
                let expected = last.saturating_add(1);
                if number != expected {
                    return Err(ChainBreak::Gap { expected, found: number });
                }
                Some(before)
            }
        };
        if previous.is_some_and(|previous| chained(&previous, number, body) != *hash) {
            return Err(ChainBreak::Altered(number));
        }
        if let Some((noted, known)) = self.noted
            && noted == number
        {
            if known != *hash {
                return Err(ChainBreak::Other(number));
            }
            self.met = true;
        }
        self.first.get_or_insert(number);
        self.last = Some((number, *hash));
        self.entries = self.entries.saturating_add(1);
        Ok(())
    }

    /// Ends the check.
    ///
    /// # Errors
    /// [`ChainBreak::Missing`] if the noted entry did not come.
    pub fn end(&self) -> Result<(), ChainBreak> {
        match self.noted {
            Some((number, _)) if !self.met => Err(ChainBreak::Missing(number)),
            _ => Ok(()),
        }
    }

    /// How many entries were taken.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// The number of the first entry that was taken.
    pub const fn first(&self) -> Option<u64> {
        self.first
    }

    /// The number and the hash of the last entry that was taken: worth noting
    /// elsewhere.
    pub const fn last(&self) -> Option<(u64, [u8; 32])> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Entries = Vec<(u64, Vec<u8>, [u8; 32])>;

    fn made(count: u64) -> Entries {
        let mut previous = [0; 32];
        (0..count)
            .map(|number| {
                let body = format!("entry {number}").into_bytes();
                previous = chained(&previous, number, &body);
                (number, body, previous)
            })
            .collect()
    }

    fn checked(entries: &Entries, noted: Option<(u64, [u8; 32])>) -> Result<u64, ChainBreak> {
        let mut chain = Chain::noted(noted);
        for (number, body, hash) in entries {
            chain.take(*number, body, hash)?;
        }
        chain.end().map(|()| chain.entries())
    }

    #[test]
    fn a_sound_chain_is_sound_wherever_it_was_trimmed() {
        let all = made(9);
        for from in 0..9 {
            assert_eq!(checked(&all[from..].to_vec(), None), Ok(9 - from as u64));
        }
        assert_eq!(checked(&Vec::new(), None), Ok(0));
    }

    #[test]
    fn the_first_break_is_told() {
        let mut altered = made(9);
        altered[4].1[0] ^= 1;
        altered[7].1[0] ^= 1;
        assert_eq!(checked(&altered, None), Err(ChainBreak::Altered(4)));
        let mut shortened = made(9);
        shortened.remove(3);
        let gap = ChainBreak::Gap { expected: 3, found: 4 };
        assert_eq!(checked(&shortened, None), Err(gap));
        let mut swapped = made(9);
        swapped.swap(5, 6);
        assert_eq!(checked(&swapped, None), Err(ChainBreak::Gap { expected: 5, found: 6 }));
        let mut numbered = made(2);
        numbered[0].0 = 1;
        numbered[1].0 = 2;
        assert_eq!(checked(&numbered, None), Err(ChainBreak::Altered(2)));
    }

    #[test]
    fn what_was_made_anew_or_cut_off_is_seen_by_a_noted_hash() {
        let all = made(9);
        let noted = Some((7, all[7].2));
        assert_eq!(checked(&all, noted), Ok(9));
        assert_eq!(checked(&all[..7].to_vec(), noted), Err(ChainBreak::Missing(7)));
        let mut previous = [0; 32];
        let forged: Entries = all
            .iter()
            .map(|(number, body, _)| {
                let body = if *number == 2 { b"forged".to_vec() } else { body.clone() };
                previous = chained(&previous, *number, &body);
                (*number, body, previous)
            })
            .collect();
        assert_eq!(checked(&forged, None), Ok(9), "a chain alone does not show it");
        assert_eq!(checked(&forged, noted), Err(ChainBreak::Other(7)));
    }
}
