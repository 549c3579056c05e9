//! Simulated CPEs and phones, for staging, demonstrations, tests and load.
//!
//! [`Cpe`] is a device without a socket or a clock: it follows TR-069 to the
//! letter and is thereby the reference client of the house. [`Model`] is the
//! data model that it answers from, made by a [`Blueprint`]. [`FanvilPhone`] and
//! [`FilePhone`] are phones that are provisioned by files. [`start`] runs one `Cpe` over real
//! sockets; [`load`] runs very many cheaply and measures.
//!
//! What an ACS wants of a device is not known here, and nothing of Provost's
//! own server is used: these devices can be set on any ACS.

mod aliases;
mod attributes;
mod blueprint;
mod client;
mod cpe;
mod diagnostics;
mod events;
mod fanvil;
mod fetcher;
mod file_phone;
mod gateway;
mod image;
mod licences;
mod listener;
pub mod load;
mod model;
mod modules;
mod own;
pub mod personality;
mod phone_model;
mod relations;
mod rpc;
mod runner;
mod stun;
mod talk;
mod transfers;
mod tree;
mod xmpp;

#[cfg(test)]
mod tests;

pub use blueprint::Blueprint;
pub use client::ClientAuth;
pub use cpe::{Cpe, Next, SimEvent};
pub use fanvil::{Decode, FanvilPhone, PhoneFetchError, PhoneFile, PhoneFileKind, PhoneVerdict};
pub use file_phone::{FilePhone, FilePhoneVerdict, PhoneSettings, ReadFile};
pub use image::{ImageError, firmware_image, read_firmware_image};
pub use model::{Check, Model, ModelFault, Parameter};
pub use runner::{RunnerSettings, SimError, SimHandle, start};
pub use talk::{Action, Reply, SessionFailure};
pub use transfers::{Fetch, FetchFailure};
