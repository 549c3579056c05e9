//! Logging by tracing: human at a terminal, JSON otherwise.
