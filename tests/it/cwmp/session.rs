//! The order of a session.
