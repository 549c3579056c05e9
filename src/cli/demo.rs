//! `provost demo`: the main job on loopback, step by step.
