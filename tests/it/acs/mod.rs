//! Tests of `acs` from outside.
