//! The phone's doors besides HTTP, before a source in memory and real clients.

mod source;
mod tftp;
