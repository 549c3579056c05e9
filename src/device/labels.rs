//! What operators attach to a device.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What operators attach to a device: by this, and by what it says of itself,
/// profiles and campaigns find it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// Free tags.
    pub tags: BTreeSet<Box<str>>,
    /// The tenant that it belongs to; may be empty.
    pub tenant: Box<str>,
    /// The site where it stands; may be empty.
    pub site: Box<str>,
    /// What is known of the subscriber: `id`, `name`, `pppoe_username`, … A name
    /// that says so (`…password`, `…secret`) is one of a secret.
    pub subscriber: BTreeMap<Box<str>, Box<str>>,
}
