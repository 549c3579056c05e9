//! Tests of `files` from outside.
