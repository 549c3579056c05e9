//! Tests of `api` from outside.
