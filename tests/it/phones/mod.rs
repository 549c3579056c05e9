//! Phones at the door, and Fanvil's formats against other people's tools.

mod command;
mod door;
mod openssl;
pub(crate) mod rig;
