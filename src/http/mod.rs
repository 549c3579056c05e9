//! What all HTTP faces share: listener, TLS with reload, Digest, Basic, limits, timeouts, a small client.
