//! Phone + account + site → file; the version gate; the vendors' formats.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
