//! The commands and their exit codes.
//!
//! Each command is a file with its arguments and a `run`. Those that talk to a
//! running server do so through its northbound, like any other client.
//!
//! Exit codes: 0 done; 2 wrong usage or settings; otherwise the class of the
//! error, see [`crate::class::Class::exit_code`].

pub mod demo;
pub mod fanvil;
pub mod inspect;
pub mod serve;
pub mod simulate;

mod audit;
mod backup;
mod bulk;
mod campaign;
mod client;
mod datamodel;
mod device;
mod dhcp;
mod diagnose;
mod error;
mod events;
mod file;
mod fleet;
mod global;
mod intent;
mod key;
mod label;
mod list;
mod massdeploy;
mod model;
mod output;
mod people;
mod phone;
mod preload;
mod remembered;
mod reports;
mod run;
mod secret;
mod seeing;
mod sheet;
mod stranger;
mod task;
mod token;
mod wake;
mod webhook;
mod which;

pub use datamodel::DatamodelError;
pub use error::CliError;
pub use global::Global;
pub use run::{main, no_runtime};
