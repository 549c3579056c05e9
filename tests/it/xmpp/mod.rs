//! Tests of `xmpp` from outside, and of waking devices through a real XMPP
//! server.

mod hostile;
mod prosody;
mod survives;
mod wake;
