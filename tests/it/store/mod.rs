//! Tests of `store` from outside.
