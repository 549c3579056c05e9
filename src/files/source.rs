//! Where the doors get what they serve: a name in, bytes out.
//!
//! HTTP, TFTP and FTP stand before one [`Source`]. A door knows how its protocol
//! asks and answers, and no vendor, no phone and no rule of who may have what.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::device::Secret;
use crate::phone::{DoorKind, Ended, Mac};

/// What a door was asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// By which door.
    pub door: DoorKind,
    /// From where.
    pub source: IpAddr,
    /// The name as it came, without the query and with percent signs decoded
    /// once where the protocol has them; begins with `/` or not.
    pub path: &'a str,
    /// The User-Agent; empty where the protocol has none.
    pub agent: &'a str,
    /// The MAC address in the client certificate, if one was shown and is good.
    pub certificate: Option<Mac>,
    /// The user of the login that the door has checked.
    pub login: Option<&'a str>,
}

/// A login that opens a path.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user name.
    pub user: Box<str>,
    /// The password.
    pub password: Secret,
}

/// A file on its way out.
pub struct Found {
    /// Its name, for logs.
    pub name: Box<str>,
    /// Its bytes.
    pub content: Content,
    /// Its media type.
    pub media: &'static str,
    /// The entity tag, with its quotes.
    pub tag: Box<str>,
    /// What the source wants back when the fetch has ended.
    pub ticket: Ticket,
}

/// Bytes at hand or on disk.
pub enum Content {
    /// At hand.
    Bytes(Bytes),
    /// On disk, with its size in bytes.
    File(tokio::fs::File, u64),
}

impl Content {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, size) => *size,
        }
    }
}

/// What a source remembers of a fetch; opaque to doors.
pub struct Ticket(pub Option<Box<dyn Any + Send + Sync>>);

/// Why there is no file. Says no more than this to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// There is no such file, or not for this phone, or not from there: one
    /// answer for all.
    #[error("there is no such file")]
    Nowhere,
    /// The source of the requests asks too often.
    #[error("too many requests; try again later")]
    TooMany,
    /// Something of ours failed; the log says what.
    #[error("the file cannot be had at present; try again later")]
    Unavailable,
}

/// A name in, bytes out.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The logins of which the door must check one before it opens this path;
    /// none is needed if empty. Does not depend on whether there is such a
    /// file.
    async fn logins(&self, ask: &Ask<'_>) -> Result<Vec<Login>, NotFound>;

    /// Opens a file.
    async fn open(&self, ask: &Ask<'_>) -> Result<Found, NotFound>;

    /// Tells how the fetch of a file ended; called once for each file that was
    /// opened, also when the connection is lost.
    async fn ended(&self, ticket: Ticket, ended: Ended);
}

/// The one source that the doors share.
pub type SharedSource = Arc<dyn Source>;
