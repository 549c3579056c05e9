//! Files that are kept by content, and who has them.

use serde::{Deserialize, Serialize};

use crate::device::{DeviceId, TaskId};
use crate::time::Timestamp;

/// A file that is kept by content, as the inventory knows it; the bytes lie in
/// [`crate::files`].
///
/// Several may have brought the same content: each knows it by its own name, and
/// none learns of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// SHA-256 of the content in lower-case hex: the key.
    pub sha256: Box<str>,
    /// The name under which it was uploaded.
    pub name: Box<str>,
    /// Its size in bytes.
    pub size: u64,
    /// `FileType` as the standard spells it: `1 Firmware Upgrade Image`.
    pub file_type: Box<str>,
    /// The software version that it brings, if it was told.
    pub version: Option<Box<str>>,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
    /// The device that sent it, and the task that asked for it; `None` if an
    /// operator brought it.
    pub from: Option<(DeviceId, TaskId)>,
    /// The tenant that brought it; empty for the installation, and for what a
    /// device sent.
    pub tenant: Box<str>,
    /// Others that brought the same content.
    pub shares: Vec<FileShare>,
}

/// The same content as another brought it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileShare {
    /// The tenant; empty for the installation.
    pub tenant: Box<str>,
    /// See [`FileRecord::name`].
    pub name: Box<str>,
    /// See [`FileRecord::file_type`].
    pub file_type: Box<str>,
    /// See [`FileRecord::version`].
    pub version: Option<Box<str>>,
    /// See [`FileRecord::uploaded_at`].
    pub uploaded_at: Timestamp,
}

impl FileRecord {
    /// The file as a tenant brought it, or the installation, if empty; `None` if it
    /// did not. What a device sent nobody brought.
    pub fn brought_by(&self, tenant: &str) -> Option<Self> {
        if self.from.is_none() && *self.tenant == *tenant {
            return Some(Self { shares: Vec::new(), ..self.clone() });
        }
        let share = self.shares.iter().find(|share| *share.tenant == *tenant)?;
        Some(self.as_shared(share, Vec::new()))
    }

    /// The file as it is meant for a tenant's devices: as the tenant brought it, or
    /// else the installation.
    pub fn meant_for(&self, tenant: &str) -> Option<Self> {
        self.brought_by(tenant).or_else(|| self.brought_by(""))
    }

    /// The record of content that somebody has brought, be it known already or not.
    /// What a device sent becomes the installation's when that brings it.
    pub fn with(known: Option<Self>, sha256: Box<str>, size: u64, new: FileShare) -> Self {
        match known {
            Some(known) if known.from.is_none() || !new.tenant.is_empty() => known.brought(new),
            known => {
                let shares = known.map(|known| known.shares).unwrap_or_default();
                let FileShare { tenant, name, file_type, version, uploaded_at } = new;
                let from = None;
                Self { sha256, name, size, file_type, version, uploaded_at, from, tenant, shares }
            }
        }
    }

    /// Whether it is a firmware image (TR-069 §A.3.2.8).
    pub fn is_firmware(&self) -> bool {
        self.file_type.starts_with("1 ")
    }

    /// All who brought it.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        let first = self.from.is_none().then_some(&*self.tenant);
        first.into_iter().chain(self.shares.iter().map(|share| &*share.tenant))
    }

    /// The record when one more has brought the content, or the same one anew.
    #[must_use]
    pub fn brought(mut self, new: FileShare) -> Self {
        if self.from.is_none() && self.tenant == new.tenant {
            let shares = std::mem::take(&mut self.shares);
            return self.as_shared(&new, shares);
        }
        self.shares.retain(|share| share.tenant != new.tenant);
        self.shares.push(new);
        self
    }

    /// The record without what a tenant brought; `None` if nobody has it any more.
    #[must_use]
    pub fn without(mut self, tenant: &str) -> Option<Self> {
        if self.from.is_some() || *self.tenant != *tenant {
            self.shares.retain(|share| *share.tenant != *tenant);
            return Some(self);
        }
        self.handed_on()
    }

    /// The record without the device or the tenant that it is first of: as the next
    /// one brought it; `None` if nobody did.
    #[must_use]
    pub fn handed_on(mut self) -> Option<Self> {
        let mut shares = std::mem::take(&mut self.shares);
        let first = if shares.is_empty() { None } else { Some(shares.remove(0)) };
        first.map(|first| self.as_shared(&first, shares))
    }

    fn as_shared(&self, share: &FileShare, shares: Vec<FileShare>) -> Self {
        let FileShare { tenant, name, file_type, version, uploaded_at } = share.clone();
        let (sha256, size) = (self.sha256.clone(), self.size);
        Self { sha256, name, size, file_type, version, uploaded_at, from: None, tenant, shares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(tenant: &str, name: &str) -> FileShare {
        FileShare {
            tenant: tenant.into(),
            name: name.into(),
            file_type: "1 Firmware Upgrade Image".into(),
            version: Some(name.into()),
            uploaded_at: Timestamp::from_millis(1),
        }
    }

    fn file(tenant: &str, name: &str) -> FileRecord {
        let FileShare { tenant, name, file_type, version, uploaded_at } = share(tenant, name);
        let (sha256, shares) = ("ab".into(), Vec::new());
        FileRecord {
            sha256,
            name,
            size: 1,
            file_type,
            version,
            uploaded_at,
            from: None,
            tenant,
            shares,
        }
    }

    #[test]
    fn each_knows_the_same_content_by_its_own_name() {
        let file = file("a", "1").brought(share("b", "2")).brought(share("b", "3"));
        let name = |tenant: &str| file.brought_by(tenant).map(|file| file.name.to_string());
        assert_eq!(name("a").as_deref(), Some("1"));
        assert_eq!(name("b").as_deref(), Some("3"));
        assert_eq!((name("c"), name("")), (None, None));
        assert!(file.brought_by("b").unwrap().shares.is_empty());
        assert!(file.meant_for("c").is_none());
        let with_all = file.clone().brought(share("", "0"));
        assert_eq!(&*with_all.meant_for("c").unwrap().name, "0");
        let rest = file.without("a").unwrap();
        assert_eq!(rest.tenants().collect::<Vec<_>>(), ["b"]);
        assert_eq!(rest.without("b"), None);
    }

    #[test]
    fn what_a_device_sent_nobody_brought() {
        let device = DeviceId::parse("00D09E-1").unwrap();
        let sent = FileRecord { from: Some((device, TaskId(1))), ..file("", "x") };
        assert!(sent.brought_by("").is_none() && sent.meant_for("a").is_none());
        let both = sent.brought(share("a", "1"));
        assert!(both.from.is_some() && both.brought_by("a").unwrap().from.is_none());
        assert_eq!(&*both.clone().handed_on().unwrap().tenant, "a");
        assert!(both.without("a").unwrap().from.is_some());
    }
}
