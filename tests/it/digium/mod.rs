//! Digium's readers and templates under any input.

mod hostile;
mod server;
mod survives;
