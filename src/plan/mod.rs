//! Known state + tasks → the next RPC, or satisfied, or blocked and why.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
