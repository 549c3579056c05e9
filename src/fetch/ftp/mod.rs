//! The FTP door (RFC 959), reads only, with its extensions for firewalls and
//! IPv6 (RFC 2428), sizes and restarts (RFC 3659) and TLS (RFC 4217).
//!
//! - `command`: lines to commands; pure.
//! - `path`: names and folders, which are text and nothing on a disk; pure.
//! - `wire`: the control connection: lines with a limit, the change to TLS.
//! - `data`: passive data connections.
//! - `session`: one client, from greeting to farewell.
//! - `door`: the listener and its caps.
//!
//! Data connections are passive only: the server never connects anywhere, so
//! that nobody can make it (FTP bounce). Nothing is listed. Anybody may log in;
//! which files need a login, and which, is known when a file is asked for.

mod command;
mod data;
mod door;
mod path;
mod session;
mod wire;

pub use command::{Command, CommandError, Protection};
pub use door::FtpDoor;
