//! From a dossier to finished bytes: the version gate, encryption, the tag.

use bytes::Bytes;

use super::deps::Supply;
use super::dossier::Dossier;
use super::error::SupplyError;
use crate::metrics::FILE_VERSIONS;
use crate::phone::{DoorKind, FileVersion, Vendor};
use crate::provision::{self, Kind, Wanted};
use crate::store::{Record, StoreError};

/// How often a version is tried again after somebody else raised it.
pub(super) const TRIES: usize = 4;

/// A file as it goes out.
#[derive(Debug)]
pub(super) struct Served {
    /// The bytes, encrypted if they are to be.
    pub(super) bytes: Bytes,
    /// The media type.
    pub(super) media: &'static str,
    /// The version, for people.
    pub(super) version: Box<str>,
    /// The entity tag, with its quotes.
    pub(super) tag: Box<str>,
    /// What kind of file, and the name that is shown to operators.
    pub(super) wanted: Wanted,
    /// Whose phones take it.
    pub(super) vendor: Vendor,
    /// Whether the bytes are encrypted.
    pub(super) encrypted: bool,
}

impl Served {
    /// Whether phones share it.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self.wanted.kind, Kind::Common)
    }
}

impl Supply {
    /// Whether secrets may be in a file.
    pub(super) fn may_tell(dossier: &Dossier, wanted: &Wanted, door: DoorKind) -> bool {
        // The zeroes file is anybody's, and stays without secrets even where
        // it would be encrypted: whoever asks for it has proven nothing.
        if is_zeroes(&wanted.name) {
            return false;
        }
        let public = dossier.phone.is_none() || door.is_plain();
        dossier.key(wanted).is_some() || !public || dossier.site.plain_secrets
    }

    /// Renders, gates, finishes and encrypts a file. Never called for
    /// [`Kind::Image`].
    pub(super) async fn make(
        &self,
        dossier: &Dossier,
        wanted: Wanted,
        door: DoorKind,
    ) -> Result<Served, SupplyError> {
        let secrets = Self::may_tell(dossier, &wanted, door);
        let draft = dossier.draft(&wanted, door, secrets, &self.templates())?;
        if draft.withheld {
            tracing::warn!(
                phone.mac = dossier.mac().map(tracing::field::display),
                site.name = %dossier.site.name,
                phone.file = %wanted.name,
                door = door.word(),
                "the file goes where anybody could read it and has no key: secrets are left out"
            );
        }
        let fingerprint = provision::fingerprint(&self.fingerprint_key, &draft.body);
        let counter = self.raise(&gate(dossier, &wanted), fingerprint).await?.counter;
        let version = dossier.family.version(&draft, counter)?;
        let mut bytes = dossier.family.finish(&draft, &version)?;
        let mut media = draft.media;
        let mut encrypted = false;
        if let Some(key) = dossier.key(&wanted) {
            bytes = dossier.family.encrypt(&self.ciphers, &self.open_secret(key)?, bytes)?;
            media = "application/octet-stream";
            encrypted = true;
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let tag = hex::encode(digest.as_ref().get(..16).unwrap_or_default());
        Ok(Served {
            bytes: Bytes::from(bytes),
            media,
            version: told(&version, counter),
            tag: format!("\"{tag}\"").into(),
            wanted,
            vendor: dossier.family.vendor(),
            encrypted,
        })
    }

    /// The version of a body, durable before anybody sees it.
    async fn raise(&self, gate: &str, fingerprint: [u8; 32]) -> Result<FileVersion, StoreError> {
        let mut tries = 0;
        loop {
            let previous = self.deps.store.file_version(gate).await?;
            let next = provision::advance(gate, previous.as_ref(), fingerprint);
            if previous.as_ref() == Some(&next) {
                return Ok(next);
            }
            match self.deps.store.commit(Record::FileVersion(next.clone()).into()).await {
                Ok(()) => {
                    FILE_VERSIONS.count(1);
                    return Ok(next);
                }
                Err(StoreError::Conflict(_)) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

/// The version as people see it: what the phone is told, else the counter.
pub(super) fn told(version: &str, counter: u64) -> Box<str> {
    if version.is_empty() { counter.to_string().into() } else { version.into() }
}

/// The key of a file's version gate. A phone's first own file has the short key,
/// under which counters have always been kept.
pub(super) fn gate(dossier: &Dossier, wanted: &Wanted) -> String {
    let (vendor, name) = (dossier.family.vendor(), &wanted.name);
    let Some(mac) = dossier.mac().filter(|_| wanted.kind != Kind::Common) else {
        return format!("{vendor}/common/{}/{name}", dossier.site.name);
    };
    let files = dossier.family.files(&dossier.subject());
    let first = files.iter().find(|file| file.kind == Kind::Own).map(|file| &file.name);
    if wanted.kind == Kind::Own && first.is_none_or(|first| first == name) {
        return format!("{vendor}/mac/{mac}");
    }
    format!("{vendor}/mac/{mac}/{name}")
}

/// Whether a name stands for all phones of a vendor (`000000000000.cfg`).
pub(super) fn is_zeroes(name: &str) -> bool {
    name.rsplit('/').next().unwrap_or_default().starts_with("000000000000")
}
