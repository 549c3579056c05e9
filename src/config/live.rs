//! Settings that can change while the server runs.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

/// A setting as it is at present; clones see changes.
///
/// Whoever has read it goes on with what he read. What was in force before is kept
/// in memory until the process ends, so that this can be a plain reference: some
/// kilobytes for each time that an operator changes settings.
#[derive(Debug)]
pub struct Live<T: 'static>(Arc<RwLock<&'static T>>);

impl<T> Live<T> {
    /// A setting that begins as this.
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Box::leak(Box::new(value)))))
    }

    /// Puts another value in force.
    pub fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Box::leak(Box::new(value));
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<T> for Live<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Deref for Live<T> {
    type Target = T;

    fn deref(&self) -> &T {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_see_changes_and_what_was_read_stays() {
        let setting = Live::new(1);
        let clone = setting.clone();
        let read: &i32 = &clone;
        setting.set(2);
        assert_eq!((*read, *clone), (1, 2));
    }
}
