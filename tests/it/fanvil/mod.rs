//! Fanvil's readers under any input.

mod hostile;
mod survives;
