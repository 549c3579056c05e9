//! How events are named to those who are told of them.
//!
//! The store numbers all news of an installation. Whoever sees all of it is told
//! these numbers, from 1. Whoever sees one tenant's must not learn from them how
//! much happens elsewhere: for them the number is encrypted.

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};

use crate::access::Reach;

/// Turns the places of the news into ids and back.
///
/// An id stands for the place behind its news: it is where somebody who was told
/// of it goes on. `0` stands for the very beginning.
pub struct EventIds(Aes256);

impl EventIds {
    /// Ids under a key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Aes256::new(&key.into()))
    }

    /// The id of the news with a number, for whoever sees this far.
    pub fn of(&self, number: u64, reach: &Reach) -> String {
        if reach.is_whole() { plain(number) } else { self.hidden(number) }
    }

    /// The id of the news with a number, for whoever does not see everything.
    pub(super) fn hidden(&self, number: u64) -> String {
        let mut block = [0; 16];
        let (head, _) = block.split_at_mut(8);
        head.copy_from_slice(&number.saturating_add(1).to_be_bytes());
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        hex::encode(block)
    }

    /// The number of the news behind the one that an id names; `None` if it is no
    /// id for whoever sees this far.
    pub fn behind(&self, id: &str, reach: &Reach) -> Option<u64> {
        if id == "0" {
            return Some(0);
        }
        if reach.is_whole() {
            return id.parse().ok();
        }
        let bytes: [u8; 16] = hex::decode(id).ok()?.try_into().ok()?;
        let mut block = bytes.into();
        self.0.decrypt_block(&mut block);
        let (number, zeros) = block.split_at(8);
        let number = u64::from_be_bytes(number.try_into().ok()?);
        zeros.iter().all(|byte| *byte == 0).then_some(number)
    }
}

impl std::fmt::Debug for EventIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventIds")
    }
}

/// The id for whoever sees everything.
pub(super) fn plain(number: u64) -> String {
    number.saturating_add(1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_behind_their_news_and_tell_a_tenant_nothing() {
        let ids = EventIds::new([7; 32]);
        let (whole, tenant) = (Reach::WHOLE, Reach::of_tenant("a"));
        for number in [0, 1, 41, 1 << 40] {
            assert_eq!(ids.behind(&ids.of(number, &whole), &whole), Some(number + 1));
            assert_eq!(ids.behind(&ids.of(number, &tenant), &tenant), Some(number + 1));
        }
        assert_eq!(ids.of(41, &whole), "42");
        assert_eq!(ids.of(41, &tenant).len(), 32);
        assert_ne!(EventIds::new([8; 32]).of(41, &tenant), ids.of(41, &tenant));
        for wrong in ["42", "", "x", "00000000000000000000000000000000"] {
            assert_eq!(ids.behind(wrong, &tenant), None, "{wrong}");
        }
        assert_eq!(ids.behind("x", &whole), None);
        assert_eq!((ids.behind("0", &whole), ids.behind("0", &tenant)), (Some(0), Some(0)));
    }
}
