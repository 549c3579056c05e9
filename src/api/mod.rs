//! Northbound: REST for operators and their programs.
