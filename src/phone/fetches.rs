//! What a phone has fetched, and whether it may do so once more by name alone.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Mac;
use crate::time::Timestamp;

/// The door that a file left by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DoorKind {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// TFTP (RFC 1350).
    Tftp,
    /// Plain FTP (RFC 959).
    Ftp,
    /// FTP over TLS (RFC 4217).
    Ftps,
    /// A Download RPC of CWMP.
    Cwmp,
}

impl DoorKind {
    /// Whether what leaves by it can be read on the way.
    pub const fn is_plain(self) -> bool {
        matches!(self, Self::Http | Self::Tftp | Self::Ftp)
    }

    /// The lower-case word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tftp => "tftp",
            Self::Ftp => "ftp",
            Self::Ftps => "ftps",
            Self::Cwmp => "cwmp",
        }
    }
}

/// How a fetch ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// All of it went out.
    Whole,
    /// The phone had it already.
    Unchanged,
    /// The phone asked for a part of it, or closed early, which is what it does
    /// with a firmware image of the version that it runs; so many bytes went.
    Part(u64),
    /// The connection failed after so many bytes.
    Broken(u64),
    /// It was refused; why is for the operator alone.
    Refused(Box<str>),
}

/// One fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// When it began.
    pub at: Timestamp,
    /// From where.
    pub address: IpAddr,
    /// By which door.
    pub door: DoorKind,
    /// The file's name.
    pub file: Box<str>,
    /// The version that went; empty if there is none.
    pub version: Box<str>,
    /// How it ended.
    pub ended: Ended,
}

/// The first-fetch lock of a phone, closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// When it was closed.
    pub at: Timestamp,
    /// By a fetch from here.
    pub address: IpAddr,
    /// [`super::Phone::unlocks`] at that time; the lock counts while they are
    /// equal.
    pub unlocks: u32,
}

/// The fetch log of a phone. Written by whoever serves it, and by nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchLog {
    /// The phone.
    pub mac: Mac,
    /// Its first-fetch lock, if it was ever closed.
    pub lock: Option<Lock>,
    /// The last fetches, newest last, [`FetchLog::KEPT`] at most.
    pub fetches: Vec<Fetched>,
}

impl FetchLog {
    /// Fetches kept of each phone.
    pub const KEPT: usize = 64;

    /// An empty log.
    pub const fn new(mac: Mac) -> Self {
        Self { mac, lock: None, fetches: Vec::new() }
    }

    /// Adds a fetch and drops the oldest if there are too many.
    pub fn add(&mut self, fetched: Fetched) {
        self.fetches.push(fetched);
        let excess = self.fetches.len().saturating_sub(Self::KEPT);
        self.fetches.drain(..excess);
    }
}
