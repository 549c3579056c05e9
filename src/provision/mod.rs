//! Phone + account + site → file; the version gate; the vendors' formats.
