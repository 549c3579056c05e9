//! `provost serve`: runs the server.
