//! Tests of `wake` from outside.
