//! The phone's and the file doors: HTTP(S), TFTP ([`tftp`]) and FTP(S) ([`ftp`]).
//!
//! `GET|HEAD /f/<token>/<name>` is a file for a device that a Download RPC sent
//! here, under a signed link with credentials of its own ([`crate::files::Links`]).
//! `PUT /u/<token>/<name>` takes the file that an Upload RPC asked a device for.
//! Every other path is a phone's, and is asked of the [`crate::files::Source`]
//! behind the doors. This room knows what the protocols need: logins, entity tags,
//! ranges, blocks, and when a file has really gone out.
//!
//! Whatever is wrong with a path — no such token, another's, an unknown name —
//! is answered by one and the same 404; the log says what it was. Everything that
//! an operator does goes through [`crate::api`].

mod answer;
mod complaint;
mod counted;
mod door;
mod firmware;
pub mod ftp;
mod login;
mod phone;
mod range;
mod receiving;
pub mod tftp;
mod upload;

pub use door::{Fetch, FetchDeps};
