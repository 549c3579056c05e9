//! Tests of the planner against hand-made devices.
