//! Tests of `campaign` from outside: the service over a store, killed again and
//! again, and the real server with simulated devices.

mod fleet;
mod kill;
mod rig;
mod service;
mod tenants;
