//! What devices report outside of sessions: the doors that take it.
//!
//! - `bulk`: bulk data over HTTP (TR-069 Annex N), on a path of the CWMP doors.
//! - `lightweight`: lightweight notifications over UDP (Annex M).
//! - `kept`: what of a report is kept.
//! - `pace`: how often one may report.
//!
//! A report is history and nothing else. Its values do not go into the device's
//! tree: that is written by the device's session alone, which holds it in memory
//! while it runs, so that a second writer would lose what the session learned or
//! have its own values lost. Whoever wants a value in the tree reads it.

mod bulk;
mod kept;
mod lightweight;
mod pace;

pub use bulk::{Bulk, BulkDeps};
pub use lightweight::{Dropped, Lightweight, LightweightDeps, LightweightDoor};
