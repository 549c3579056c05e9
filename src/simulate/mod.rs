//! Simulated CPEs and phones, for staging, demonstrations and load.
