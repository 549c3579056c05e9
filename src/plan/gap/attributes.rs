//! What the device is to notify about.

use super::known::lacks;
use super::values::names_rows;
use super::{Comparison, Notice, attributes_of};
use crate::device::{AttributeWish, WantedAttribute};
use crate::param::{ParamPath, is_match};

impl Comparison<'_> {
    /// Which attributes are to be set. What a device notifies about is in no
    /// tree; what counts is whether it was set before.
    pub(super) fn attributes(&mut self) {
        let desired = self.desired;
        for (position, wanted) in desired.attributes.iter().enumerate() {
            if names_rows(wanted.wish.path.as_str()) {
                for name in self.spread(&wanted.wish.path) {
                    if let Ok(path) = ParamPath::parse(&name) {
                        let wish = AttributeWish { path, ..wanted.wish.clone() };
                        self.notice(position, wanted, &wish);
                    }
                }
            } else {
                self.notice(position, wanted, &wanted.wish);
            }
        }
    }

    fn notice(&mut self, position: usize, wanted: &WantedAttribute, wish: &AttributeWish) {
        let path = &wish.path;
        if (wish.notification.is_none() && wish.access_list.is_none())
            || self.written.is_notified(wish)
            || self.experience.settled.contains(&attributes_of(path))
            || self.is_said_before(position, path)
        {
            return;
        }
        if self.tree.get(path.as_str()).is_none() && lacks(self.tree, path.as_str()) {
            if !names_rows(wanted.wish.path.as_str()) {
                self.never(path.as_str(), "the device has no such parameter to notify about");
            }
            return;
        }
        self.gap.notices.push(Notice { wish: wish.clone(), source: wanted.source });
    }

    /// Whether another wish is about the same path: the plain one counts, and of
    /// two alike the first.
    fn is_said_before(&self, position: usize, path: &ParamPath) -> bool {
        let here = self.desired.attributes.get(position).map(|wanted| &wanted.wish.path);
        let is_plain = here == Some(path);
        self.desired.attributes.iter().enumerate().any(|(other, wanted)| {
            let said = &wanted.wish.path;
            if said == path {
                other < position || (!is_plain && other != position)
            } else {
                !is_plain && other < position && is_match(said.as_str(), path.as_str())
            }
        })
    }
}
