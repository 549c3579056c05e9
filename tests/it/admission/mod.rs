//! Devices that are expected, devices that nobody knows, and labels: through the
//! northbound and the command line, and at the door of the real server.

mod door;
mod northbound;
