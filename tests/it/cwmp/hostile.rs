//! Bodies that mean harm, and bodies that were damaged on the way.
