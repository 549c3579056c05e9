//! The phone's doors besides HTTP, before a source in memory and real clients.

mod ftp;
mod pnp;
mod server;
mod source;
mod tftp;
