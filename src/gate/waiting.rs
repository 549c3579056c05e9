//! Who waits in quarantine: the places, who holds them, and who loses one.
//!
//! In memory and pure; what is durable of it stands in the store. Whoever comes
//! back keeps his place, so that no crowd pushes out a device that waits; a place
//! whose holder was not seen for long goes to whoever comes when there is none
//! left.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::config::AdmissionConfig;
use crate::device::DeviceId;
use crate::time::Timestamp;

/// Devices that are forgotten for their age at one entry, so that no entry does
/// the work of many.
const FORGOTTEN_AT_ONCE: usize = 4;

/// Stale places that are looked at for one of the same source.
const LOOKED_AT: usize = 256;

/// There is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// As many wait as may.
    Full,
    /// As many wait as may of this source.
    SourceFull,
}

/// One place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    source: IpAddr,
    seen: Timestamp,
}

/// All places.
#[derive(Debug)]
pub(super) struct Waiting {
    cap: usize,
    cap_per_source: usize,
    stale: Duration,
    forgotten: Duration,
    places: HashMap<DeviceId, Place>,
    by_age: BTreeSet<(Timestamp, DeviceId)>,
    sources: HashMap<IpAddr, usize>,
}

impl Waiting {
    /// No one yet.
    pub(super) fn new(config: &AdmissionConfig) -> Self {
        const HOUR: u64 = 3600;
        Self {
            cap: config.cap,
            cap_per_source: config.cap_per_source,
            stale: Duration::from_secs(u64::from(config.stale_hours) * HOUR),
            forgotten: Duration::from_secs(u64::from(config.forget_days) * 24 * HOUR),
            places: HashMap::new(),
            by_age: BTreeSet::new(),
            sources: HashMap::new(),
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether as many wait as may.
    pub(super) fn is_full(&self) -> bool {
        self.places.len() >= self.cap
    }

    /// Notes that a device was seen; `false` if it holds no place.
    pub(super) fn sees(&mut self, id: &DeviceId, now: Timestamp) -> bool {
        let Some(place) = self.places.get_mut(id) else { return false };
        if now > place.seen {
            self.by_age.remove(&(place.seen, id.clone()));
            place.seen = now;
            self.by_age.insert((now, id.clone()));
        }
        true
    }

    /// Gives a device a place. Those that lose theirs are to be forgotten: long
    /// unseen ones, or the stalest if there was no other place.
    pub(super) fn enter(
        &mut self,
        id: &DeviceId,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Vec<(DeviceId, Place)>, NoPlace> {
        if self.sees(id, now) {
            return Ok(Vec::new());
        }
        let source = network_of(address);
        let mut gone = Vec::new();
        let forgotten = self.unseen_for(self.forgotten, now).take(FORGOTTEN_AT_ONCE);
        let forgotten: Vec<DeviceId> = forgotten.cloned().collect();
        for oldest in forgotten {
            gone.extend(self.leave(&oldest).map(|place| (oldest, place)));
        }
        let of_source = self.sources.get(&source).copied().unwrap_or_default();
        let mut stale = self.unseen_for(self.stale, now).take(LOOKED_AT);
        let (gives_way, otherwise) = if of_source >= self.cap_per_source {
            let is_there =
                |id: &&DeviceId| self.places.get(*id).is_some_and(|place| place.source == source);
            (stale.find(is_there).cloned(), Some(NoPlace::SourceFull))
        } else if self.is_full() {
            (stale.next().cloned(), Some(NoPlace::Full))
        } else {
            (None, None)
        };
        drop(stale);
        match (gives_way, otherwise) {
            (Some(stale), _) => gone.extend(self.leave(&stale).map(|place| (stale, place))),
            (None, Some(why)) => return self.refuse(gone, why),
            (None, None) => {}
        }
        self.put(id, Place { source, seen: now });
        Ok(gone)
    }

    /// Gives places back, and says why there is none.
    fn refuse<T>(&mut self, gone: Vec<(DeviceId, Place)>, why: NoPlace) -> Result<T, NoPlace> {
        for (id, place) in gone {
            self.put(&id, place);
        }
        Err(why)
    }

    /// Those that were not seen for so long, the stalest first.
    fn unseen_for(&self, time: Duration, now: Timestamp) -> impl Iterator<Item = &DeviceId> {
        self.by_age.iter().take_while(move |(seen, _)| now.since(*seen) > time).map(|(_, id)| id)
    }

    /// Takes a device from its place; `None` if it holds none.
    pub(super) fn leave(&mut self, id: &DeviceId) -> Option<Place> {
        let place = self.places.remove(id)?;
        self.by_age.remove(&(place.seen, id.clone()));
        if let Some(count) = self.sources.get_mut(&place.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.sources.remove(&place.source);
            }
        }
        Some(place)
    }

    /// Gives a device the place that it held: what was to be done with it could
    /// not be recorded.
    pub(super) fn put(&mut self, id: &DeviceId, place: Place) {
        if self.places.insert(id.clone(), place).is_none() {
            self.by_age.insert((place.seen, id.clone()));
            *self.sources.entry(place.source).or_default() += 1;
        }
    }

    /// A device of which the store knows that it waits, whatever the caps.
    pub(super) fn restore(&mut self, id: &DeviceId, address: IpAddr, seen: Timestamp) {
        self.put(id, Place { source: network_of(address), seen });
    }
}

/// What counts as one source: an address, or a /64 of IPv6, which is one
/// subscriber's.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn id(number: u32) -> DeviceId {
        DeviceId::parse(&format!("00D09E-{number}")).unwrap()
    }

    fn from(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0x0a00_0000 + number).into()
    }

    fn places(cap: usize, cap_per_source: usize) -> Waiting {
        Waiting::new(&AdmissionConfig { cap, cap_per_source, ..AdmissionConfig::default() })
    }

    #[test]
    fn a_crowd_pushes_out_nobody_who_comes_back() {
        let mut waiting = places(10, 10);
        let mut now = NOW;
        waiting.enter(&id(0), from(0), now).unwrap();
        for round in 0..100 {
            now = now.after(Duration::from_secs(12 * 3600));
            assert!(waiting.sees(&id(0), now), "round {round}");
            for number in 1..50 {
                let _ = waiting.enter(&id(round * 100 + number), from(round * 100 + number), now);
            }
            assert!(waiting.len() <= 10);
        }
    }

    #[test]
    fn whoever_is_long_unseen_gives_way_when_there_is_no_other_place() {
        let mut waiting = places(2, 2);
        waiting.enter(&id(1), from(1), NOW).unwrap();
        waiting.enter(&id(2), from(2), NOW.after(HOUR)).unwrap();
        let soon = NOW.after(HOUR * 48);
        assert_eq!(waiting.enter(&id(3), from(3), soon), Err(NoPlace::Full));
        let later = soon.after(Duration::from_secs(1));
        let gone = waiting.enter(&id(3), from(3), later).unwrap();
        assert_eq!(gone[0].0, id(1), "the stalest");
        assert_eq!(waiting.enter(&id(4), from(4), later), Err(NoPlace::Full));
    }

    #[test]
    fn one_source_takes_no_more_than_its_share() {
        let mut waiting = places(100, 3);
        for number in 0..3 {
            waiting.enter(&id(number), from(7), NOW).unwrap();
        }
        assert_eq!(waiting.enter(&id(3), from(7), NOW), Err(NoPlace::SourceFull));
        assert!(waiting.enter(&id(3), from(8), NOW).is_ok(), "others have places");
        let six = |text: &str| text.parse().unwrap();
        for number in 10..13 {
            waiting.enter(&id(number), six(&format!("2001:db8::{number}")), NOW).unwrap();
        }
        let same = waiting.enter(&id(13), six("2001:db8::ffff:1"), NOW);
        assert_eq!(same, Err(NoPlace::SourceFull));
        let late = NOW.after(HOUR * 49);
        let gone = waiting.enter(&id(13), six("2001:db8::ffff:1"), late).unwrap();
        assert_eq!(gone.len(), 1, "its own stale place, and no other's");
        assert!(waiting.sees(&id(0), late));
    }

    #[test]
    fn whoever_is_not_seen_for_a_month_is_forgotten_a_few_at_a_time() {
        let mut waiting = places(1000, 1000);
        for number in 0..20 {
            waiting.enter(&id(number), from(number), NOW).unwrap();
        }
        let late = NOW.after(HOUR * (24 * 30 + 1));
        assert_eq!(waiting.enter(&id(100), from(100), late).unwrap().len(), FORGOTTEN_AT_ONCE);
    }

    proptest! {
        #[test]
        fn places_are_never_more_than_the_caps_and_counts_agree(
            steps in prop::collection::vec((0..40_u32, 0..6_u32, 0..200_u64, 0..4_u8), 1..300),
        ) {
            let mut waiting = places(12, 5);
            let mut now = NOW;
            for (number, source, hours, what) in steps {
                now = now.after(HOUR * u32::try_from(hours).unwrap() / 10);
                match what {
                    0 => drop(waiting.leave(&id(number))),
                    1 => drop(waiting.sees(&id(number), now)),
                    _ => drop(waiting.enter(&id(number), from(source), now)),
                }
                prop_assert!(waiting.len() <= 12);
                prop_assert_eq!(waiting.by_age.len(), waiting.places.len());
                prop_assert_eq!(waiting.sources.values().sum::<usize>(), waiting.len());
                prop_assert!(waiting.sources.values().all(|count| (1..=5).contains(count)));
            }
        }
    }
}
