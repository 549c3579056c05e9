//! Tests from outside, one module a room, in one binary so that linking stays
//! cheap.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests end with a panic when something is missing"
)]

mod acs;
mod admission;
mod api;
mod audiocodes;
mod bulk;
mod campaign;
mod cli;
mod collect;
mod cwmp;
mod datamodels;
mod demo;
mod dhcp;
mod diagnostics;
mod digium;
mod docs;
mod doors;
mod events;
mod fanvil;
mod files;
mod fleet;
mod genieacs;
mod history;
mod http;
mod intents;
mod lab;
mod massdeploy;
mod phones;
mod profiles;
mod running;
mod secrets;
mod security;
mod seeing;
mod simulate;
mod store;
mod stun;
mod wake;
mod xmpp;
