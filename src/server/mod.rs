//! The only place that knows all rooms: builds them from the configuration,
//! starts and stops them.
//!
//! - `addresses`: where the doors listen.
//! - `bound`: the doors, bound before and serving after the store is opened.
//! - `data`: the data folder: its lock, the onboarding credential, the address
//!   file that commands read.
//! - `datamodels`: the operator's data models.
//! - `device_door`: bulk data and sessions behind one door.
//! - `herald`: those who tell others what happens.
//! - `house`: the rooms, built and wired.
//! - `parts`: what stands behind the doors.
//! - `phone_doors`: the phone's doors besides HTTP.
//! - `provisioning`: the operator's templates, and the addresses that phones are told.
//! - `notify`: what systemd is told.
//! - `reload`: the settings, read again.
//! - `stop`: the end.
//! - `xmpp`: the way to devices through an XMPP server.
//!
//! Neighbours that must tell each other something do it through the store, or
//! through what this room hands to both.

mod addresses;
mod bound;
mod data;
mod datamodels;
mod device_door;
mod error;
mod herald;
mod history;
mod house;
mod notify;
mod parts;
mod phone_doors;
mod provisioning;
mod reload;
mod stop;
mod xmpp;

pub use addresses::Addresses;
pub use data::{ADDRESSES, NORTHBOUND_URL, ONBOARDING};
pub use datamodels::{DatamodelFileError, datamodel_files, read_datamodel};
pub use error::ServerError;
pub use house::Server;
pub use notify::ServiceManager;
pub use provisioning::TEMPLATES;
pub use reload::LIVE;
