//! What all HTTP faces share: listener, TLS with reload, Digest, Basic, limits,
//! timeouts, a small client.
//!
//! A [`Door`] listens, keeps the limits of `[limits]` and hands each request to
//! its face's [`Handler`]. [`Challenger`] judges `Authorization` headers,
//! [`DigestClient`] writes them. [`ClientConnection`] speaks to one peer. What
//! a request means, who may do what, and every body's content belong to the
//! faces.

mod answer;
mod authorization;
mod body;
mod caps;
mod certificate;
mod challenge;
mod client;
mod collect;
mod connection;
mod cookie;
mod digest;
mod door;
mod error;
mod made;
mod outbound;
mod pieces;
mod roots;
mod target;
mod tls;
mod trust;
mod watched;
mod words;

pub use answer::{DigestClient, Offer};
pub use authorization::{Authorization, DigestAnswer};
pub use body::Body;
pub use caps::{Caps, Full, Place};
pub use certificate::mac_in_certificate;
pub use challenge::{Challenger, Verdict};
pub use client::{ClientConnection, ClientError, client_tls};
pub use collect::{BodyError, collect, collect_decoded, read_limited};
pub use cookie::cookie;
pub use digest::Algorithm;
pub use door::{Door, Handler, Peer, listen};
pub use error::HttpError;
pub use outbound::{is_named, is_near, is_public, reaches_many};
pub use pieces::Pieces;
pub use roots::system_tls;
pub use target::{Host, Target, TargetError};
pub use tls::TlsMaterial;
pub use trust::{Authority, ClientCertificate, TrustStores};
