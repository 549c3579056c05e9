//! The phone's and the file doors: HTTP(S), TFTP ([`tftp`]) and FTP(S) ([`ftp`]).
//!
//! `GET|HEAD /f/<token>/<name>` is a file for a device that a Download RPC sent
//! here, under a signed link with credentials of its own ([`crate::files::Links`]).
//! `GET|HEAD /p/<token>/<name>` is a configuration file for a phone, under the
//! phone's own unguessable folder ([`crate::provision::PhoneLinks`]).
//!
//! Whatever is wrong with a path — no such token, another's, an unknown name —
//! is answered by one and the same 404; the log says what it was. Uploads and
//! everything that an operator does go through [`crate::api`].

mod answer;
mod cache;
mod complaint;
mod door;
mod firmware;
pub mod ftp;
mod phone;
mod range;
pub mod tftp;
mod throttle;

pub use door::{Fetch, FetchDeps};
