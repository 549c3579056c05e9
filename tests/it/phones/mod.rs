//! Phones at the door, and Fanvil's formats against other people's tools.

mod door;
mod openssl;
pub(crate) mod rig;
