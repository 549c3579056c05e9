//! Tests of campaigns at work.
