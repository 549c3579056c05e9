//! Who is calling at a device's door (TR-069 §3.4.4), and whether that fits the
//! device that the message names.
//!
//! [`Gate::identify`] judges what a request brings and says who sent it: a
//! [`Principal`]. [`Gate::challenges`] is what a 401 asks for. [`Gate::fits`] says
//! whether a principal may speak for a device. Two doors stand behind one gate:
//! that of CWMP and that of bulk data.
//!
//! - `judge`: certificates, Digest and Basic, one after the other.
//! - `certificate`: what a certificate says of who shows it.
//! - `failures`: failed logins, counted by address and by name.
//! - `replays`: answers to challenges that were seen before.
//!
//! What becomes of a device that nobody knows is judged by [`AdmissionRules`];
//! those that are to wait do so in [`Strangers`].
//!
//! - `rules`: the operator's rules.
//! - `strangers`: who waits, and what was decided; `waiting`: the places.

mod certificate;
mod failures;
mod judge;
mod replays;
mod rules;
mod strangers;
#[cfg(test)]
mod tests;
mod waiting;

pub use certificate::{CertificateProblem, Certificates};
pub use judge::{Denied, Gate, Mismatch, OnboardingAccount, Principal};
pub use rules::{AdmissionRuleError, AdmissionRules, Ruling};
pub use strangers::{Lodging, Occupancy, Strangers};
