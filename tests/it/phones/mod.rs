//! Phones at the door, and Fanvil's formats against other people's tools.

mod access;
mod certificate;
mod command;
mod counting;
mod cwmp;
mod door;
mod fanvil;
mod hostile;
mod openssl;
pub(crate) mod rig;
mod templates;
