//! The phone's and the file door: HTTP(S).
