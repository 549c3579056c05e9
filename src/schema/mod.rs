//! What is known of data models.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
