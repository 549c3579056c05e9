//! The only place that knows all rooms: builds them from the configuration, starts and stops them.
