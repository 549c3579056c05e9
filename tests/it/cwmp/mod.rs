//! Tests of `cwmp` from outside.

mod golden;
mod hostile;
mod quirks;
mod roundtrip;
mod samples;
mod session;
