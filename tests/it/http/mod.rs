//! Tests of `http` from outside.
