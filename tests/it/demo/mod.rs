//! Tests of `demo` from outside.
