//! Northbound: REST for operators and their programs.
//!
//! Everything lives below `/api/v1` and is answered only with a bearer token;
//! [`router`] holds the one table of routes, [`problem`] the one place that
//! turns errors into answers. Each resource is a file: its views, its handlers,
//! their part of the OpenAPI document.

pub mod tokens;
