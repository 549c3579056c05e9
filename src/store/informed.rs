//! When devices last informed, in order: in memory alone, because it changes with
//! every session.
//!
//! The committer keeps it; after a start it is filled from the hot records in the
//! background, and what the committer says meanwhile goes before.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use serde::Deserialize;

use super::record::HEAD;
use crate::device::DeviceId;
use crate::time::Timestamp;

/// A place in the order; without a device it stands before all of that time.
type Place = (Timestamp, Option<DeviceId>);

/// Between two times.
pub(super) type Span = (Bound<Timestamp>, Bound<Timestamp>);

/// All devices by the time of their last Inform.
#[derive(Debug)]
pub(super) struct Informed {
    order: BTreeSet<Place>,
    times: HashMap<DeviceId, Timestamp>,
    /// Devices forgotten while the rest is being read; `None` once it is.
    gone: Option<HashSet<DeviceId>>,
}

impl Informed {
    /// Of a store whose hot records are still to be read, or that has none.
    pub(super) fn new(is_empty: bool) -> Self {
        let gone = if is_empty { None } else { Some(HashSet::new()) };
        Self { order: BTreeSet::new(), times: HashMap::new(), gone }
    }

    /// A device informed.
    pub(super) fn set(&mut self, device: &DeviceId, at: Timestamp) {
        let before = self.times.get_mut(device).map(|before| std::mem::replace(before, at));
        match before {
            Some(before) if before == at => {}
            Some(before) => {
                // Both hold the text that came first, so that there is one of each.
                if let Some((_, id)) = self.order.take(&(before, Some(device.clone()))) {
                    self.order.insert((at, id));
                }
            }
            None => {
                self.times.insert(device.clone(), at);
                self.order.insert((at, Some(device.clone())));
            }
        }
    }

    /// A device is forgotten.
    pub(super) fn forget(&mut self, device: &DeviceId) {
        if let Some(at) = self.times.remove(device) {
            self.order.remove(&(at, Some(device.clone())));
        }
        if let Some(gone) = &mut self.gone {
            gone.insert(device.clone());
        }
    }

    /// Takes what was read of the hot records; whatever is known goes before.
    pub(super) fn fill(&mut self, read: Vec<(DeviceId, Timestamp)>) {
        for (device, at) in read {
            let is_gone = self.gone.as_ref().is_some_and(|gone| gone.contains(&device));
            if !is_gone && !self.times.contains_key(&device) {
                self.set(&device, at);
            }
        }
    }

    /// All hot records were read.
    pub(super) fn is_filled(&mut self) {
        self.gone = None;
    }

    /// Devices between two times, strictly behind a place, in order.
    pub(super) fn page(
        &self,
        span: Span,
        after: Option<(Timestamp, &DeviceId)>,
        descending: bool,
        limit: usize,
    ) -> Vec<(DeviceId, Timestamp)> {
        let (mut from, mut to) = (lower(span.0), upper(span.1));
        if let Some((at, id)) = after {
            let place = (at, Some(id.clone()));
            let bound = if descending { &mut to } else { &mut from };
            let is_within = match &*bound {
                Bound::Unbounded => true,
                Bound::Included(known) | Bound::Excluded(known) => (place > *known) != descending,
            };
            if is_within {
                *bound = Bound::Excluded(place);
            }
        }
        if let (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) =
            (&from, &to)
            && a >= b
        {
            return Vec::new();
        }
        let told = |(at, id): &Place| id.clone().map(|id| (id, *at));
        let between = self.order.range((from, to));
        if descending {
            between.rev().filter_map(told).take(limit).collect()
        } else {
            between.filter_map(told).take(limit).collect()
        }
    }

    /// How many devices informed between two times, counted up to `most`.
    pub(super) fn count(&self, span: Span, most: usize) -> usize {
        if matches!(span, (Bound::Unbounded, Bound::Unbounded)) {
            return self.order.len();
        }
        self.page(span, None, false, most).len()
    }
}

/// The first place of a span.
fn lower(from: Bound<Timestamp>) -> Bound<Place> {
    match from {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(at) => Bound::Included((at, None)),
        Bound::Excluded(at) => Bound::Included((next(at), None)),
    }
}

/// The place behind a span.
fn upper(to: Bound<Timestamp>) -> Bound<Place> {
    match to {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(at) => Bound::Excluded((next(at), None)),
        Bound::Excluded(at) => Bound::Excluded((at, None)),
    }
}

fn next(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(1))
}

/// How a hot record begins: what is read of it without the rest. All its forms
/// begin so.
#[derive(Deserialize)]
struct Front<'a> {
    #[serde(borrow)]
    id: &'a str,
    _identity: [&'a str; 4],
    _root: &'a str,
    _namespace: &'a str,
    _first_seen: i64,
    last_inform: i64,
}

/// Whose a hot record is, and when it last informed.
pub(super) fn front_of(value: &[u8]) -> Option<(DeviceId, Timestamp)> {
    let front: Front<'_> = postcard::from_bytes(value.get(HEAD..)?).ok()?;
    Some((DeviceId::parse(front.id).ok()?, Timestamp::from_millis(front.last_inform)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, DeviceIdentity};

    fn id(n: u32) -> DeviceId {
        DeviceId::parse(&format!("00D09E-{n}")).unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn numbers(page: Vec<(DeviceId, Timestamp)>) -> Vec<i64> {
        page.into_iter().map(|(_, at)| at.as_millis()).collect()
    }

    const ALL: Span = (Bound::Unbounded, Bound::Unbounded);

    #[test]
    fn the_front_of_a_hot_record_is_read_without_the_rest() {
        let identity = DeviceIdentity::new("Acme", "00D09E", "HG-100", "1").unwrap();
        let device = Device {
            root: "Device.".into(),
            namespace: "urn:dslforum-org:cwmp-1-2".into(),
            last_inform: at(1_795_205_100_000),
            software_version: "1".into(),
            ..Device::new(identity, at(-7))
        };
        let bytes = crate::store::record::encode_plain(&device).unwrap();
        assert_eq!(front_of(&bytes), Some((device.id, device.last_inform)));
        assert_eq!(front_of(&bytes[..20]), None);
    }

    #[test]
    fn pages_follow_each_other_in_both_directions() {
        let mut informed = Informed::new(true);
        for n in 0..10 {
            informed.set(&id(n), at(0));
            informed.set(&id(n), at(i64::from(n / 2)));
        }
        let span = (Bound::Excluded(at(0)), Bound::Included(at(3)));
        assert_eq!(numbers(informed.page(span, None, false, 9)), [1, 1, 2, 2, 3, 3]);
        assert_eq!(numbers(informed.page(span, None, true, 3)), [3, 3, 2]);
        let (id_of_two, _) = informed.page(span, None, true, 3).pop().unwrap();
        let after = Some((at(2), &id_of_two));
        assert_eq!(numbers(informed.page(span, after, true, 9)), [2, 1, 1]);
        assert_eq!(numbers(informed.page(span, after, false, 9)), [3, 3]);
        assert_eq!(numbers(informed.page(ALL, None, false, 2)), [0, 0]);
        let empty = (Bound::Included(at(3)), Bound::Excluded(at(3)));
        assert!(informed.page(empty, None, false, 9).is_empty());
        let last = (at(9), &id(0));
        assert!(informed.page(span, Some(last), false, 9).is_empty());
        assert_eq!(informed.count(span, 4), 4);
    }

    #[test]
    fn what_happens_while_the_rest_is_read_goes_before() {
        let mut informed = Informed::new(false);
        informed.set(&id(1), at(9));
        informed.forget(&id(2));
        informed.fill(vec![(id(1), at(1)), (id(2), at(2)), (id(3), at(3))]);
        informed.is_filled();
        assert_eq!(numbers(informed.page(ALL, None, false, 9)), [3, 9]);
        informed.forget(&id(1));
        assert_eq!(numbers(informed.page(ALL, None, false, 9)), [3]);
    }
}
