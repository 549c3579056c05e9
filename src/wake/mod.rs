//! Waking devices: connection requests over HTTP (TR-069 §3.2.2), with the SSRF guard.
