//! What real devices do wrong: one test a quirk.
