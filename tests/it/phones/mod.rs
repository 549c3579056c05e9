//! Tests of `phones` from outside.
