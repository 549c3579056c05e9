//! The device's door (TR-069 §3.4): endpoint, authentication, live sessions,
//! and the driver of one session.
//!
//! - `endpoint`: HTTP in, HTTP out; admission; which session a message is for.
//!   Who is calling is judged by [`crate::gate`].
//! - `answers`: what goes back over HTTP.
//! - `sessions`: the table of live sessions; never two of one device.
//! - `driver`: one session; the only place that knows both the order of the
//!   protocol ([`crate::cwmp::Session`]) and the intent ([`crate::plan`]).
//! - `asking`: what the server asks in a session; `told`: what the device tells
//!   by RPCs of its own.
//! - `desiring`: what profiles want of the device; `freshness`: what is read for it
//!   again; `tagging`, `upgrading`: tags and firmware; `settling`: what is recorded of
//!   it.
//! - `wanted`: what is given to a device that asks for a file.
//! - `backups`: what a reset is about to take is kept.
//! - `changes`: what a session finds changed on a device, and who changed it.
//! - `diary`: what is kept of a session: its RPCs, and how it ended.
//! - `onboarding`: giving a device credentials of its own.
//! - `identity`: who a device is by the operator's rules.
//! - `inventory`: what an Inform changes in the device's record.
//! - `lobby`: devices that wait and are about to end their sessions.
//! - `learning`: what a session teaches of a vendor's own parameters.
//! - `links`: where a device fetches the file that a Download names.
//! - `recording`: making durable what a session has to record.
//! - `redirecting`: sending a device to another server.
//! - `sightings`: from where devices call; clones.
//! - `stun`: telling devices behind NAT of the STUN server.
//! - `sweep`: giving up silent sessions and overdue tasks.
//! - `welcome`: whether a device that nobody knows is taken in, and what it is given.
//!
//! What a promise needs is durable before the reply leaves: the Inform before
//! its response, a TransferComplete before its response, a once-only RPC
//! before it is sent, an outcome as soon as it is known.

mod admission;
mod answers;
mod asking;
mod backups;
mod changes;
mod claiming;
mod counting;
mod desiring;
mod diary;
mod driver;
mod endpoint;
mod freshness;
mod identity;
mod inventory;
mod learning;
mod links;
mod lobby;
mod onboarding;
mod recording;
mod redirecting;
mod sessions;
mod settling;
mod sightings;
mod stun;
mod sweep;
mod tagging;
#[cfg(test)]
mod tests;
mod told;
mod upgrading;
mod wanted;
mod welcome;

pub use endpoint::{Acs, AcsParts};
pub use links::{FileLinks, FolderOf, PhoneFolders};
pub use stun::StunOffer;
