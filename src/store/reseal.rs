//! Sealing anew what older keys sealed, and what was written before its kind was
//! sealed, a page of records at a time.
//!
//! A record is replaced only if it is still the one that was read: the batch that
//! does so stands alone in its group, and is checked against the index. Revisions
//! stay, so that nobody who edits a record is told of a change.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::embedded::Embedded;
use super::index::{Index, behind};
use super::record::{self, HEAD, Head, SEALED, Stored};
use super::step::{Prepared, Step};
use super::vault::SEALING;
use super::{KeyId, StoreError, Vault, keys};
use crate::device::{Credentials, Sealed};
use crate::news::WebhookRecord;
use crate::phone::{Phone, Site};

/// The kinds of records in which nothing is sealed, by their letters, and parts of
/// others. Whatever is not named here is looked at, and is sealed whole.
const PLAIN: &[u8] = b"dnuqrvaxANEFIfgmsk12DQXyYzo";

/// The one kind that is looked at and is not sealed whole: its fields are.
const BY_FIELDS: u8 = b'c';

/// A page ends when so many bytes are to be written: it is one batch, and trees may
/// be large.
const PAGE_BYTES: usize = 8 << 20;

/// How far a walk over all records is that are sealed or hold what is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Where it goes on; `None` at the end.
    pub next: Option<Vec<u8>>,
    /// Records that were looked at.
    pub looked: u64,
    /// Records that were sealed anew, or for the first time.
    pub resealed: u64,
    /// Records that lay open and should not, as they were found.
    pub open: u64,
    /// How many records each key seals, as they were found.
    pub by_key: BTreeMap<KeyId, u64>,
    /// Records that cannot be opened.
    pub lost: u64,
}

impl Resealed {
    /// Counts the seals of a record; whether it has all that it should have, and
    /// the present key made them.
    fn count(&mut self, key: &[u8], bytes: &[u8], vault: &Vault) -> Result<bool, StoreError> {
        let (head, _) = split(key, bytes)?;
        let open = key.first() != Some(&BY_FIELDS) && head.flags & SEALED == 0;
        self.open += u64::from(open);
        let mut fresh = !open;
        for sealed in seals(key, bytes, vault)? {
            fresh &= vault.is_fresh(&sealed);
            if let Some(id) = vault.key_of(&sealed) {
                *self.by_key.entry(id).or_default() += 1;
            }
        }
        Ok(fresh)
    }
}

/// A record as it was found.
struct Found {
    key: Vec<u8>,
    /// What lies under its key: all of it, or its first part.
    first: Vec<u8>,
}

impl<I: Index> Embedded<I> {
    /// Looks at the next records, at most `limit`; with `write` those that an
    /// older key sealed, or none, are sealed by the present one.
    pub(super) fn reseal_page(
        &self,
        from: Option<&[u8]>,
        limit: usize,
        write: bool,
    ) -> Result<(Resealed, Prepared), StoreError> {
        let (found, next) = self.sealed_records(from, limit)?;
        let mut page = Resealed { next, ..Resealed::default() };
        let mut prepared = Prepared::default();
        let mut bytes = 0;
        for Found { key, first } in found {
            if bytes >= PAGE_BYTES {
                page.next = Some(key);
                break;
            }
            page.looked += 1;
            let Some(whole) = self.whole(&key)? else { continue };
            // Of another writing meanwhile, which the present key sealed.
            if !same_head(&whole, &first) {
                continue;
            }
            let anew = match page.count(&key, &whole, self.vault()) {
                Ok(true) => continue,
                Ok(false) if !write => continue,
                Ok(false) => sealed_anew(&key, &whole, self.vault()),
                Err(error) => Err(error),
            };
            match anew {
                Ok(value) => {
                    bytes += value.len();
                    prepared.steps.push(Step::Reseal { key, first, value });
                    page.resealed += 1;
                }
                Err(error) => {
                    // One record that cannot be opened holds up no other.
                    let what = keys::describe(&key);
                    tracing::error!(what, %error, "a record cannot be sealed anew");
                    page.lost += 1;
                }
            }
        }
        Ok((page, prepared))
    }

    /// The next records that may be sealed, in the order of their keys.
    fn sealed_records(
        &self,
        from: Option<&[u8]>,
        limit: usize,
    ) -> Result<(Vec<Found>, Option<Vec<u8>>), StoreError> {
        let mut found = Vec::new();
        let mut from = from.map(<[u8]>::to_vec).unwrap_or_default();
        while let Some(begin) = next_kind(&from) {
            let begin = begin.max(from);
            let letter = begin.first().copied().unwrap_or(u8::MAX);
            let end = letter.checked_add(1).map(|next| vec![next]);
            let mut last = None;
            self.index()?.scan(&begin, end.as_deref(), &mut |key, value| {
                found.push(Found { key: key.to_vec(), first: value.to_vec() });
                if found.len() < limit {
                    return ControlFlow::Continue(());
                }
                last = Some(behind(key));
                ControlFlow::Break(())
            })?;
            if let Some(last) = last {
                return Ok((found, Some(last)));
            }
            match end {
                Some(end) => from = end,
                None => break,
            }
        }
        Ok((found, None))
    }
}

/// Where the kinds that may be sealed go on, from a key on.
fn next_kind(from: &[u8]) -> Option<Vec<u8>> {
    let first = from.first().copied().unwrap_or(0);
    (first..=u8::MAX).find(|letter| !PLAIN.contains(letter)).map(|letter| vec![letter])
}

/// Whether a whole record begins with what was found under its key.
fn same_head(whole: &[u8], first: &[u8]) -> bool {
    whole.get(..first.len()) == Some(first)
}

/// The head and the body of a record that may be sealed.
fn split<'a>(key: &[u8], bytes: &'a [u8]) -> Result<(Head, &'a [u8]), StoreError> {
    let cut = || StoreError::Damaged(format!("{} is cut short", keys::describe(key)));
    Head::split(bytes).ok_or_else(cut)
}

/// All that is sealed of a record: the whole of it, or its fields, or both.
fn seals(key: &[u8], bytes: &[u8], vault: &Vault) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut seals = Vec::new();
    let (head, body) = split(key, bytes)?;
    if head.flags & SEALED != 0 {
        // Who sealed it stands at its beginning.
        seals.push(body.get(..SEALING).unwrap_or(body).to_vec());
    }
    let fields = match key.first() {
        Some(b'c') => fields_of::<Credentials>(bytes, vault)?,
        Some(b'h') => fields_of::<Phone>(bytes, vault)?,
        Some(b'i') => fields_of::<Site>(bytes, vault)?,
        Some(b'W') => fields_of::<WebhookRecord>(bytes, vault)?,
        _ => Vec::new(),
    };
    seals.extend(fields.into_iter().filter(|sealed| !sealed.is_empty()));
    Ok(seals)
}

fn fields_of<T: SealedFields>(bytes: &[u8], vault: &Vault) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut record: T = record::decode(bytes, vault)?;
    Ok(record.sealed_fields().into_iter().map(|sealed| sealed.0.clone()).collect())
}

/// A record sealed by the present key, whole and field by field.
fn sealed_anew(key: &[u8], bytes: &[u8], vault: &Vault) -> Result<Vec<u8>, StoreError> {
    match key.first() {
        Some(b'c') => fields_anew::<Credentials>(bytes, vault),
        Some(b'h') => fields_anew::<Phone>(bytes, vault),
        Some(b'i') => fields_anew::<Site>(bytes, vault),
        Some(b'W') => fields_anew::<WebhookRecord>(bytes, vault),
        _ => {
            let (head, body) = split(key, bytes)?;
            let opened;
            let body = if head.flags & SEALED == 0 {
                body
            } else {
                opened = vault.unseal_bytes(body)?;
                &opened
            };
            let mut value = Vec::with_capacity(HEAD + SEALING + body.len());
            Head { flags: head.flags | SEALED, ..head }.put(&mut value);
            vault.seal_onto(&mut value, |out| out.extend_from_slice(body));
            Ok(value)
        }
    }
}

fn fields_anew<T: SealedFields>(bytes: &[u8], vault: &Vault) -> Result<Vec<u8>, StoreError> {
    let mut record: T = record::decode(bytes, vault)?;
    for sealed in record.sealed_fields() {
        if !sealed.0.is_empty() && !vault.is_fresh(&sealed.0) {
            let plain = vault.unseal_bytes(&sealed.0)?;
            sealed.0 = vault.seal_bytes(&plain);
        }
    }
    record::encode(&record, vault)
}

/// A kind of record with fields that are sealed one by one.
trait SealedFields: Stored {
    fn sealed_fields(&mut self) -> Vec<&mut Sealed>;
}

impl SealedFields for Credentials {
    fn sealed_fields(&mut self) -> Vec<&mut Sealed> {
        vec![&mut self.password, &mut self.connection_request_password]
    }
}

impl SealedFields for Phone {
    fn sealed_fields(&mut self) -> Vec<&mut Sealed> {
        let accounts = self.accounts.iter_mut().map(|account| &mut account.password);
        accounts.chain([&mut self.token]).chain(self.config_key.as_mut()).collect()
    }
}

impl SealedFields for Site {
    fn sealed_fields(&mut self) -> Vec<&mut Sealed> {
        let logins = self.access.logins.iter_mut().map(|login| &mut login.password);
        logins.chain(self.common_key.as_mut()).collect()
    }
}

impl SealedFields for WebhookRecord {
    fn sealed_fields(&mut self) -> Vec<&mut Sealed> {
        vec![&mut self.secret]
    }
}

/// Whether what lies under a key now is what was read.
pub(super) fn unchanged(now: &[u8], first: &[u8]) -> bool {
    now == first
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Whoever adds a field that is sealed adds it to `SealedFields`, and this test
    /// notices that a file holds another one.
    #[test]
    fn every_sealed_field_is_known() {
        fn sources(folder: &Path, found: &mut Vec<(String, usize)>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    sources(&path, found);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let field = |line: &&str| {
                        let line = line.trim();
                        line.starts_with("pub ")
                            && (line.ends_with(": Sealed,")
                                || line.ends_with(": Option<Sealed>,")
                                || line.contains("<Sealed>,"))
                    };
                    let count = text.lines().filter(field).count();
                    if count > 0 {
                        found.push((path.file_name().unwrap().to_string_lossy().into(), count));
                    }
                }
            }
        }
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        found.sort();
        let known = [("credentials.rs", 2), ("record.rs", 3), ("site.rs", 2), ("webhook.rs", 1)];
        assert_eq!(found, known.map(|(file, count)| (file.to_owned(), count)));
    }

    #[test]
    fn kinds_are_walked_in_order_and_plain_ones_passed_over() {
        assert_eq!(next_kind(b""), Some(vec![0]));
        assert_eq!(next_kind(b"A"), Some(b"B".to_vec()));
        assert_eq!(next_kind(b"d/x"), Some(b"e".to_vec()));
        assert_eq!(next_kind(b"c/x"), Some(b"c".to_vec()));
    }
}
