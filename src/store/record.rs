//! Typed records as bytes: a head of eight bytes, then postcard.
//!
//! ```text
//! version u8 · flags u8 · parts u16 · revision u32 · body
//! ```
//!
//! The version is that of the record's kind. A record of the version before is
//! migrated when it is read, and is written in the present form when it is next
//! put. The head is the same for all kinds, so that the committer can check
//! revisions without knowing types.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FileRecord, StoreError, Vault, before};
use crate::device::{
    Association, ChangeSet, Compliance, Credentials, Device, DeviceBackup, Event, Labels,
    ModelRecord, ModelWishes, Preload, Report, SessionRecord, Stranger, Task, TraceEntry,
    WrittenValues,
};
use crate::phone::{FetchLog, FileVersion, Layer, Phone, Seen, Site};
use crate::profile::{PlanRecord, ProfileRecord};
use crate::rollout::{CampaignRecord, Member};
use crate::schema::LearnedParameters;
use crate::term::print_of_device;

/// Bytes before the body.
pub(super) const HEAD: usize = 8;

/// The flag of a task that is ended.
pub(super) const ENDED: u8 = 1;

/// The flag of a body that is sealed by the vault.
pub(super) const SEALED: u8 = 2;

/// What stands before the body of every record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The version of the record's form.
    pub(super) version: u8,
    /// [`ENDED`], [`SEALED`].
    pub(super) flags: u8,
    /// Further parts that lie under keys of their own.
    pub(super) parts: u16,
    /// The record's revision; 0 if it has none. Of a hot record the print of its
    /// terms; 0 if it was never indexed.
    pub(super) revision: u32,
}

impl Head {
    /// Appends the head.
    pub(super) fn put(self, out: &mut Vec<u8>) {
        out.push(self.version);
        out.push(self.flags);
        out.extend_from_slice(&self.parts.to_le_bytes());
        out.extend_from_slice(&self.revision.to_le_bytes());
    }

    /// Takes a head and the body behind it apart.
    pub(super) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ([version, flags, p0, p1, r0, r1, r2, r3], body) = bytes.split_first_chunk::<HEAD>()?;
        let head = Self {
            version: *version,
            flags: *flags,
            parts: u16::from_le_bytes([*p0, *p1]),
            revision: u32::from_le_bytes([*r0, *r1, *r2, *r3]),
        };
        Some((head, body))
    }
}

/// A kind of record that is stored.
pub(super) trait Stored: Serialize + DeserializeOwned {
    /// What it is called in errors.
    const NAME: &'static str;
    /// The version of its form; raised by one when the form changes, and
    /// `migrate` then learns the form before.
    const VERSION: u8 = 1;
    /// Whether the body is sealed: kinds in which an operator's secrets or the
    /// values of a device may stand among other things. One that was written
    /// before its kind was sealed is read as it is.
    const SEALED: bool = false;

    /// The record's revision, if its kind has any.
    fn revision(&self) -> u32 {
        0
    }

    /// The record's flags.
    fn flags(&self) -> u8 {
        0
    }

    /// Reads the body of the version before [`Stored::VERSION`].
    fn migrate(body: &[u8]) -> Option<Self> {
        let _ = body;
        None
    }
}

/// A record as bytes; sealed, if its kind is.
///
/// # Errors
/// [`StoreError::TooLarge`] if it cannot be encoded, which no record of the
/// house is.
pub(super) fn encode<T: Stored>(record: &T, vault: &Vault) -> Result<Vec<u8>, StoreError> {
    if !T::SEALED {
        return encode_plain(record);
    }
    let mut bytes = Vec::with_capacity(512);
    head_for(record, SEALED).put(&mut bytes);
    vault.seal_onto(&mut bytes, |out| {
        *out = postcard::to_extend(record, std::mem::take(out))
            .map_err(|_| StoreError::TooLarge(T::NAME.to_owned()))?;
        Ok::<(), StoreError>(())
    })?;
    Ok(bytes)
}

/// A record of a kind that is not sealed as bytes.
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_plain<T: Stored>(record: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(512);
    head_for(record, 0).put(&mut bytes);
    postcard::to_extend(record, bytes).map_err(|_| StoreError::TooLarge(T::NAME.to_owned()))
}

fn head_for<T: Stored>(record: &T, sealed: u8) -> Head {
    let flags = record.flags() | sealed;
    Head { version: T::VERSION, flags, parts: 0, revision: record.revision() }
}

/// A record from its bytes, opened if it is sealed, migrated if it has the form
/// before the present one.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are no such record, or were sealed
/// under another key.
pub(super) fn decode<T: Stored>(bytes: &[u8], vault: &Vault) -> Result<T, StoreError> {
    match Head::split(bytes) {
        Some((head, body)) if head.flags & SEALED != 0 => parse(head, &vault.unseal_bytes(body)?),
        _ => decode_plain(bytes),
    }
}

/// A record of a kind that is not sealed from its bytes.
///
/// # Errors
/// As [`decode`].
pub(super) fn decode_plain<T: Stored>(bytes: &[u8]) -> Result<T, StoreError> {
    let (head, body) = Head::split(bytes)
        .ok_or_else(|| StoreError::Damaged(format!("{} is cut short", T::NAME)))?;
    parse(head, body)
}

fn parse<T: Stored>(head: Head, body: &[u8]) -> Result<T, StoreError> {
    let damaged = |why: &str| StoreError::Damaged(format!("{} cannot be read: {why}", T::NAME));
    if head.version == T::VERSION {
        return postcard::from_bytes(body).map_err(|error| damaged(&error.to_string()));
    }
    if head.version.checked_add(1) == Some(T::VERSION) {
        return T::migrate(body).ok_or_else(|| damaged("the version before is not understood"));
    }
    Err(damaged(&format!(
        "it has version {}, and this program reads {}; a newer program wrote it",
        head.version,
        T::VERSION
    )))
}

impl Stored for Device {
    const NAME: &'static str = "a device";
    const VERSION: u8 = 3;

    fn revision(&self) -> u32 {
        print_of_device(self)
    }

    fn migrate(body: &[u8]) -> Option<Self> {
        before::device(body)
    }
}

impl Stored for Labels {
    const NAME: &'static str = "the labels of a device";
    const VERSION: u8 = 2;
    const SEALED: bool = true;

    fn migrate(body: &[u8]) -> Option<Self> {
        before::labels(body)
    }

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Stored for Credentials {
    const NAME: &'static str = "the credentials of a device";
}

impl Stored for Task {
    const NAME: &'static str = "a task";
    const VERSION: u8 = 2;
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.revision
    }

    fn flags(&self) -> u8 {
        if self.state.is_ended() { ENDED } else { 0 }
    }

    fn migrate(body: &[u8]) -> Option<Self> {
        before::task(body)
    }
}

impl Stored for SessionRecord {
    const NAME: &'static str = "a session";
}

impl Stored for Report {
    const NAME: &'static str = "a report";
    const SEALED: bool = true;
}

impl Stored for TraceEntry {
    const NAME: &'static str = "a traced message";
    const SEALED: bool = true;
}

impl Stored for ModelRecord {
    const NAME: &'static str = "what was learned of a model";
}

impl Stored for ModelWishes {
    const NAME: &'static str = "what an operator says of a model";

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Stored for ChangeSet {
    const NAME: &'static str = "a change of values";
    const SEALED: bool = true;
}

impl Stored for Compliance {
    const NAME: &'static str = "the compliance of a device";
    const SEALED: bool = true;
}

impl Stored for WrittenValues {
    const NAME: &'static str = "what was written to a device";
    const SEALED: bool = true;
}

impl Stored for ProfileRecord {
    const NAME: &'static str = "a profile";
    const VERSION: u8 = 2;
    const SEALED: bool = true;

    fn migrate(body: &[u8]) -> Option<Self> {
        before::profile(body)
    }

    fn revision(&self) -> u32 {
        self.version
    }
}

impl Stored for PlanRecord {
    const NAME: &'static str = "a plan";
    const VERSION: u8 = 2;
    const SEALED: bool = true;

    fn migrate(body: &[u8]) -> Option<Self> {
        before::plan(body)
    }
}

impl Stored for CampaignRecord {
    const NAME: &'static str = "a campaign";
    const VERSION: u8 = 2;
    const SEALED: bool = true;

    fn migrate(body: &[u8]) -> Option<Self> {
        before::campaign(body)
    }

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Stored for Member {
    const NAME: &'static str = "a device of a campaign";
    const SEALED: bool = true;
}

impl Stored for Preload {
    const NAME: &'static str = "an expected device";
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.labels.revision
    }
}

impl Stored for Stranger {
    const NAME: &'static str = "an unknown device";
}

impl Stored for DeviceBackup {
    const NAME: &'static str = "a backup of a device";
    const SEALED: bool = true;
}

impl Stored for LearnedParameters {
    const NAME: &'static str = "what was learned of a model's own parameters";
}

impl Stored for Association {
    const NAME: &'static str = "an association";
}

impl Stored for Event {
    const NAME: &'static str = "an event";
    const SEALED: bool = true;
}

impl Stored for Phone {
    const NAME: &'static str = "a phone";
    const VERSION: u8 = 2;
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.revision
    }

    fn migrate(body: &[u8]) -> Option<Self> {
        before::phone(body)
    }
}

impl Stored for Seen {
    const NAME: &'static str = "what a phone was last seen doing";
}

impl Stored for Site {
    const NAME: &'static str = "a site";
    const VERSION: u8 = 2;
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.revision
    }

    fn migrate(body: &[u8]) -> Option<Self> {
        before::site(body)
    }
}

impl Stored for FetchLog {
    const NAME: &'static str = "what a phone fetched";
}

impl Stored for Layer {
    const NAME: &'static str = "a layer of settings";
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Stored for FileVersion {
    const NAME: &'static str = "the version of a file";
}

impl Stored for FileRecord {
    const NAME: &'static str = "a file";
    const VERSION: u8 = 3;

    fn migrate(body: &[u8]) -> Option<Self> {
        before::file(body)
    }
}

/// A small setting.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Setting(pub(super) Vec<u8>);

impl Stored for Setting {
    const NAME: &'static str = "a setting";
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Before {
        name: Box<str>,
    }

    impl Stored for Before {
        const NAME: &'static str = "an example";
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Now {
        count: u32,
        name: Box<str>,
    }

    impl Stored for Now {
        const NAME: &'static str = "an example";
        const VERSION: u8 = 2;

        fn migrate(body: &[u8]) -> Option<Self> {
            let before: Before = postcard::from_bytes(body).ok()?;
            Some(Self { count: 1, name: before.name })
        }
    }

    #[test]
    fn the_version_before_is_migrated_and_others_are_refused() {
        let old = encode_plain(&Before { name: "x".into() }).unwrap();
        assert_eq!(decode_plain::<Now>(&old).unwrap(), Now { count: 1, name: "x".into() });
        let new = encode_plain(&Now { count: 5, name: "y".into() }).unwrap();
        assert_eq!(decode_plain::<Now>(&new).unwrap().count, 5);
        let error = decode_plain::<Before>(&new).unwrap_err().to_string();
        assert!(error.contains("newer program"), "{error}");
        assert!(decode_plain::<Now>(&[0; HEAD]).is_err());
    }

    #[test]
    fn every_cut_is_refused() {
        let bytes = encode_plain(&Now { count: 300, name: "name".into() }).unwrap();
        for cut in 0..bytes.len() {
            assert!(decode_plain::<Now>(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
