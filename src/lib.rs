//! Provost: a TR-069 (CWMP) auto-configuration server and an IP-phone
//! provisioning server in one binary, with one inventory and one desired state.
//!
//! This page is the tour of the house. Seven floors; a room may name rooms on
//! lower floors only, never a higher one and never a neighbour (`tests/floors.rs`
//! holds the table and fails on any other). Rooms marked (P) are pure: they open
//! no socket, read no clock and no file; `now` and bytes are arguments.
//!
//! **Floor 1, words.** [`class`] what an error means to whoever asked; [`time`];
//! [`metrics`] what the server counts of itself;
//! [`param`] (P) paths, values, trees; [`device`] (P) devices, tasks, outcomes;
//! [`phone`] (P) phones, accounts, sites. Each may use those before it.
//!
//! **Floor 2, languages.** [`access`] (P) who may do what in the northbound; [`news`] (P)
//! what happened, as others are told; [`cwmp`] (P) messages and the order of a session;
//! [`schema`] (P) what is known of data models; [`sip`] (P) the messages of SIP
//! that phones need; [`stun`] (P) how devices behind NAT learn where they are;
//! [`xmpp`] (P) a stream to an XMPP server; [`bulk`] (P) bulk data reports;
//! [`expr`] (P) which devices a rule is about; [`intent`] (P) what an operator wants
//! without knowing a path; [`term`] (P) by which texts devices are searched; [`profile`] (P) what is wanted of a fleet; [`rollout`] (P)
//! how a campaign goes on; [`config`] the settings; [`log`] logging.
//!
//! **Floor 3, decide, hold, carry.** [`plan`] (P) what to ask of a device next;
//! [`store`] what survives; [`files`] firmware by content; [`http`] what all
//! HTTP faces share; [`link`] carries XMPP over sockets.
//!
//! **Floor 4, services.** [`provision`] (P) phone files; [`wake`] connection
//! requests and NOTIFYs; [`fleet`] the profiles in force, and plans over all devices;
//! [`campaign`] campaigns at work; [`find`] which devices a query is about; [`ledger`] audit and news with
//! every commit; [`herald`] event streams and webhooks;
//! [`keyring`] keys of secrets at work; [`simulate`] simulated CPEs and phones; [`trace`] which
//! devices' messages are recorded, masked.
//!
//! **Floor 4½.** [`supply`] which phone gets which file, who may have it, and
//! what is logged of it: what all phone doors stand before; [`dhcp`] (P) what DHCP
//! servers are to say, and what phones make of it; [`gate`] who is calling at a device's
//! door.
//!
//! **Floor 5, faces.** [`acs`] the device's door; [`collect`] what devices report
//! outside of sessions; [`fetch`] the phone's doors and
//! the file door; [`announce`] how phones find them; [`api`] the northbound.
//!
//! **Floor 6.** [`server`] builds all rooms and starts them.
//! **Floor 7.** [`cli`] the commands and their exit codes.
//!
//! The seam that keeps the heart testable: the CWMP session knows the order of
//! the protocol and no intent; the planner knows intent and no session; only
//! `acs::driver` knows both.

pub mod access;
pub mod acs;
pub mod announce;
pub mod api;
pub mod bulk;
pub mod campaign;
pub mod class;
pub mod cli;
pub mod collect;
pub mod config;
pub mod cwmp;
pub mod device;
pub mod dhcp;
pub mod expr;
pub mod fetch;
pub mod files;
pub mod find;
pub mod fleet;
pub mod gate;
pub mod herald;
pub mod http;
pub mod intent;
pub mod keyring;
pub mod ledger;
pub mod link;
pub mod log;
pub mod metrics;
pub mod news;
pub mod param;
pub mod phone;
pub mod plan;
pub mod profile;
pub mod provision;
pub mod rollout;
pub mod schema;
pub mod server;
pub mod simulate;
pub mod sip;
pub mod store;
pub mod stun;
pub mod supply;
pub mod term;
pub mod time;
pub mod trace;
pub mod wake;
pub mod xmpp;
