//! Intents from outside: over the northbound on a store in memory, and with the
//! real binary and simulated devices of both data models.

mod devices;
mod northbound;
