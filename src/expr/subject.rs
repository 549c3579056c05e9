//! The device that a rule is asked about.

use crate::device::{Device, Labels};
use crate::param::Tree;
use crate::phone::Phone;
use crate::time::Timestamp;

/// All that a rule can look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The hot record.
    pub device: &'a Device,
    /// What operators attached to it.
    pub labels: &'a Labels,
    /// Its parameters; `None` if nobody needed to load them, and then no
    /// parameter is known.
    pub tree: Option<&'a Tree>,
    /// The phone that it is as well, if it is one and somebody loaded it.
    pub phone: Option<&'a Phone>,
    /// The time.
    pub now: Timestamp,
}
