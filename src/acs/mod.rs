//! The device's door: endpoint, authentication, live sessions, the driver of one session.
