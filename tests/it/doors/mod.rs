//! The phone's doors besides HTTP, before a source in memory and real clients.

mod ftp;
mod source;
mod tftp;
