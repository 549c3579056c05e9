//! Tests of `api` from outside: over a real door, on a store in memory.

mod access;
mod admission;
mod audit;
mod bulk;
mod devices;
mod diagnostics;
mod etag;
mod files;
mod import;
mod keys;
mod lasting;
mod matrix;
mod models;
mod once;
mod phones;
mod problems;
mod render;
mod resync;
pub(crate) mod rig;
mod rpcs;
mod schemathesis;
mod secrets;
mod seeing;
mod sorted;
mod tasks;

pub(crate) use rig::{Answer, NOW, Rig, TOKEN, device, id};
