//! `provost fanvil`: encrypts and decrypts Fanvil files.
