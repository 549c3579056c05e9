//! `/audit`: who changed what, told, exported, checked.
//!
//! What lies outside a principal's reach is left out. The numbers of entries have
//! gaps for those who do not see all.

mod export;
mod note;
mod read;
mod verify;
mod view;

pub(super) use export::{__path_export, export};
pub(super) use note::{Request as Noted, did, note};
pub(super) use read::{__path_list, __path_show, list, show};
pub(super) use verify::{__path_verify, verify};
