//! The TFTP door (RFC 1350), reads only, with options (RFC 2347): block size
//! (RFC 2348), time-out and size (RFC 2349), windows (RFC 7440).
//!
//! - `packet`: bytes to requests and back; pure.
//! - `terms`: what is agreed on with a client; pure.
//! - `transfer`: when which block is sent, and when it is given up; pure, with
//!   the time since the transfer began as an argument.
//! - `netascii`: the text mode's line ends; pure.
//! - `door`: sockets, caps, the [`crate::files::Source`].
//!
//! TFTP has no login and no handshake, so whoever asks may not be who asked.
//! A request gets one small datagram, which is sent three times at most until
//! its source has answered; only then does anything larger leave.

mod door;
mod netascii;
mod packet;
mod terms;
mod transfer;

pub use door::TftpDoor;
pub use packet::{Mode, Packet, PacketError, Request};
