//! The phone's doors besides HTTP, before a source in memory and real clients.

mod ftp;
mod hostile;
mod pnp;
mod server;
mod source;
mod survives;
mod tftp;
mod unicast;
