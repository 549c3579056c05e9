//! Tests of `cwmp` from outside.
