//! Who may do what in the northbound, and what is remembered of it: roles and
//! rights, tokens, users, tenants, the entries of the audit.
//!
//! Pure: nothing here reads a request or a store. `api` finds out who asks and
//! about what, and asks here whether it may be.
//!
//! A [`Right`] is one kind of action, a [`Role`] a set of rights, a [`Reach`] the
//! tenant and the sites whose things are seen. A [`Principal`] is whoever holds a
//! token: what the token gives, and never more than its user has. A [`Grant`] is what is
//! given away, which is never more than its maker has.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod asking;
mod audit;
mod grant;
mod people;
mod principal;
mod reach;
mod right;
mod token;

pub use asking::right_of;
pub use audit::{AuditDraft, AuditEntry, Chain, ChainBreak, chained};
pub use grant::{Excess, Grant};
pub use people::{TenantRecord, UserRecord};
pub use principal::Principal;
pub use reach::Reach;
pub use right::{Right, Rights, Role, UnknownWord};
pub use token::{TokenRecord, TokenUse};
