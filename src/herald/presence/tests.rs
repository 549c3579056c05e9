//! When devices are told to be away, and when to be back.

use std::net::Ipv4Addr;

use super::*;
use crate::config::StoreConfig;
use crate::device::DeviceIdentity;
use crate::ledger::Ledger;
use crate::param::{ParamPath, Tree, Value};
use crate::time::ManualClock;

const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);
const HOUR: Duration = Duration::from_secs(3600);

fn device(serial: &str, last_inform: Timestamp) -> Device {
    let identity = DeviceIdentity::new("Example", "00D09E", "HG", serial).unwrap();
    Device {
        root: "Device.".into(),
        last_inform,
        address: Some(Ipv4Addr::LOCALHOST.into()),
        sessions: 1,
        ..Device::new(identity, NOW)
    }
}

struct House {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    presence: Presence,
}

impl House {
    fn open() -> Self {
        let store = crate::store::memory(&StoreConfig::default());
        let clock = Arc::new(ManualClock::at(NOW));
        store.accompany(Ledger::new(clock.clone()));
        let presence = Presence::new(store.clone(), clock.clone(), EventsConfig::default());
        Self { store, clock, presence }
    }

    async fn put(&self, device: Device, interval: Option<(&str, &str)>) {
        let mut batch = Batch::new();
        if let Some((enable, seconds)) = interval {
            let mut tree = Tree::new();
            for (name, text) in [("Enable", enable), ("Interval", seconds)] {
                let path = format!("Device.ManagementServer.PeriodicInform{name}");
                tree.learn_value(&ParamPath::parse(&path).unwrap(), Value::string(text), NOW);
            }
            batch.put(Record::Tree(device.id.clone(), tree.into()));
        }
        batch.put(Record::Device(Box::new(device)));
        self.store.commit(batch).await.unwrap();
    }

    /// Goes on until a round is over; all that was told until then.
    async fn round(&mut self) -> Vec<(NewsKind, String)> {
        while !self.presence.step().await.unwrap() {}
        let news = self.store.office().news(0, 10_000).await.unwrap();
        let told = |id: Option<DeviceId>| id.map(|id| id.as_str().to_owned()).unwrap_or_default();
        news.into_iter().map(|news| (news.draft.kind, told(news.draft.device))).collect()
    }
}

#[tokio::test]
async fn a_device_is_given_its_own_intervals() {
    let mut house = House::open();
    house.put(device("fast", NOW), Some(("1", "300"))).await;
    house.put(device("slow", NOW), Some(("1", "7200"))).await;
    house.put(device("never", NOW), Some(("0", "300"))).await;
    house.put(device("unknown", NOW), None).await;
    let mut seen = Vec::new();
    for (after, gone) in [
        (Duration::from_secs(900), None),
        (Duration::from_secs(31), Some("fast")),
        (HOUR * 5, None),
        (HOUR, Some("slow")),
        (HOUR * 65, None),
        (HOUR, Some("never")),
    ] {
        house.clock.advance(after);
        let told = house.round().await;
        let fresh: Vec<_> = told.iter().filter(|told| !seen.contains(*told)).cloned().collect();
        match gone {
            None => assert_eq!(fresh, []),
            Some(serial) => {
                assert!(fresh.contains(&(
                    NewsKind::DeviceOffline,
                    device(serial, NOW).id.as_str().to_owned()
                )));
            }
        }
        seen = told;
    }
    assert_eq!(seen.len(), 4, "each once: {seen:?}");
}

#[tokio::test]
async fn an_inform_brings_it_back_and_it_may_go_again() {
    let mut house = House::open();
    house.put(device("1", NOW), Some(("1", "300"))).await;
    for _ in 0..2 {
        house.clock.advance(HOUR);
        house.round().await;
        let back = house.clock.now();
        house.put(device("1", back), None).await;
    }
    let kinds: Vec<_> = house.round().await.into_iter().map(|(kind, _)| kind).collect();
    use NewsKind::{DeviceOffline, DeviceOnline};
    assert_eq!(kinds, [DeviceOffline, DeviceOnline, DeviceOffline, DeviceOnline]);
}

#[tokio::test]
async fn who_informs_while_it_is_told_to_be_away_is_put_right() {
    let mut house = House::open();
    let mut there = device("1", NOW);
    house.put(there.clone(), Some(("1", "300"))).await;
    house.clock.advance(HOUR);
    // The Inform is committed when the device was looked at already.
    there.last_inform = house.clock.now();
    house.put(there.clone(), None).await;
    let gone = Record::Office(OfficeRecord::Away(there.id.clone(), NOW));
    house.store.commit(gone.into()).await.unwrap();
    house.presence.told.push((there.id.clone(), NOW));
    let told = house.round().await;
    assert_eq!(told.last().map(|(kind, _)| *kind), Some(NewsKind::DeviceOnline));
    assert_eq!(house.store.office().away().await.unwrap(), []);
}

#[tokio::test]
async fn after_a_restart_nothing_is_told_twice_and_devices_are_given_time() {
    let mut house = House::open();
    house.put(device("1", NOW), Some(("1", "300"))).await;
    house.put(device("2", NOW), Some(("1", "7200"))).await;
    house.clock.advance(HOUR);
    assert_eq!(house.round().await.len(), 1);
    // A week later the server starts again.
    house.clock.advance(HOUR * 24 * 7);
    let (store, clock) = (house.store.clone(), house.clock.clone());
    house.presence = Presence::new(store, clock, EventsConfig::default());
    assert_eq!(house.round().await.len(), 1);
    house.clock.advance(HOUR * 6);
    assert_eq!(house.round().await.len(), 1, "the other one has its three intervals");
    house.clock.advance(HOUR);
    assert_eq!(house.round().await.len(), 2);
}

#[tokio::test]
async fn a_fleet_is_looked_at_page_by_page() {
    let mut house = House::open();
    for n in 0..PAGE + 50 {
        house.put(device(&n.to_string(), NOW), Some(("1", "300"))).await;
    }
    house.clock.advance(HOUR);
    assert!(!house.presence.step().await.unwrap());
    assert!(house.presence.step().await.unwrap());
    assert_eq!(house.round().await.len(), PAGE + 50);
}

/// How often each kind of news was told, whatever else happened.
async fn told(store: &dyn Store) -> (usize, usize) {
    let (mut offline, mut online, mut next) = (Vec::new(), Vec::new(), 0);
    loop {
        let page = store.office().news(next, 1000).await.unwrap();
        let Some(last) = page.last() else { break };
        next = last.number + 1;
        for news in page {
            match news.draft.kind {
                NewsKind::DeviceOffline => offline.push(news.draft.device.unwrap()),
                NewsKind::DeviceOnline => online.push(news.draft.device.unwrap()),
                _ => {}
            }
        }
    }
    (offline.len(), online.len())
}

/// Devices of a fleet inform, five hundred in one commit.
async fn inform(house: &House, serials: impl Iterator<Item = usize>, at: Timestamp) {
    let serials: Vec<usize> = serials.collect();
    for some in serials.chunks(500) {
        let mut batch = Batch::new();
        for n in some {
            batch.put(Record::Device(Box::new(device(&n.to_string(), at))));
        }
        house.store.commit(batch).await.unwrap();
    }
}

/// Steps until a round is over: how many, and how many devices were looked at.
async fn steps(house: &mut House) -> (usize, u64) {
    let (mut steps, before) = (1, house.presence.looked);
    while !house.presence.step().await.unwrap() {
        steps += 1;
    }
    (steps, house.presence.looked - before)
}

#[tokio::test]
async fn of_a_large_fleet_only_silent_devices_are_looked_at_and_told_of_once() {
    const FLEET: usize = 20_000;
    let mut house = House::open();
    let config = EventsConfig { unknown_interval: 300, ..EventsConfig::default() };
    house.presence = Presence::new(house.store.clone(), house.clock.clone(), config.clone());
    inform(&house, 0..FLEET, NOW).await;
    // All but a hundred inform as they should.
    house.clock.advance(Duration::from_secs(1200));
    inform(&house, 100..FLEET, house.clock.now()).await;
    assert_eq!(steps(&mut house).await, (1, 100));
    assert_eq!(told(&*house.store).await, (100, 0));
    assert_eq!(steps(&mut house).await, (1, 0), "those that are away are known");
    // Half of these come back.
    house.clock.advance(Duration::from_secs(300));
    inform(&house, 0..50, house.clock.now()).await;
    assert_eq!(steps(&mut house).await, (1, 0));
    assert_eq!(told(&*house.store).await, (100, 50));
    // A power cut: all others go at once. They are told of in bounded commits, those
    // that are longest away first.
    house.clock.advance(Duration::from_secs(700));
    let rest = FLEET - 50;
    assert_eq!(steps(&mut house).await, (rest.div_ceil(PAGE), u64::try_from(rest).unwrap()));
    assert_eq!(told(&*house.store).await, (FLEET, 50), "the fifty have their time yet");
    assert_eq!(steps(&mut house).await, (1, 0));
    // After a restart each is looked at once more, and none is told of again.
    let (store, clock) = (house.store.clone(), house.clock.clone());
    house.presence = Presence::new(store, clock, config);
    assert_eq!(steps(&mut house).await, (1, 0), "they are given their time");
    house.clock.advance(Duration::from_secs(935));
    assert_eq!(steps(&mut house).await.1, u64::try_from(FLEET).unwrap());
    assert_eq!(told(&*house.store).await, (FLEET + 50, 50), "the fifty went again");
    inform(&house, 0..FLEET, house.clock.now()).await;
    assert_eq!(steps(&mut house).await, (1, 0));
    assert_eq!(told(&*house.store).await, (FLEET + 50, FLEET + 50));
    assert_eq!(house.store.office().away().await.unwrap(), []);
}

#[tokio::test]
async fn who_has_its_time_is_looked_at_again_when_it_is_over_and_not_before() {
    let mut house = House::open();
    for n in 0..10 {
        house.put(device(&n.to_string(), NOW), Some(("1", "3600"))).await;
    }
    house.clock.advance(Duration::from_secs(601));
    assert_eq!(steps(&mut house).await, (1, 10));
    assert_eq!(house.presence.watch.waiting(), 10);
    // Also when all are gone through from the first one again.
    for _ in 0..2 {
        house.clock.advance(HOUR);
        assert_eq!(steps(&mut house).await, (1, 0));
    }
    // One of them informs, with a shorter interval.
    house.put(device("3", house.clock.now()), Some(("1", "200"))).await;
    house.clock.advance(Duration::from_secs(631));
    assert_eq!(steps(&mut house).await, (1, 1));
    assert_eq!(told(&*house.store).await, (1, 0));
    house.clock.advance(Duration::from_secs(2400));
    assert_eq!(steps(&mut house).await, (1, 9));
    assert_eq!(told(&*house.store).await, (10, 0));
    assert_eq!(house.presence.watch.waiting(), 0);
}

#[tokio::test]
async fn one_that_comes_to_stand_behind_the_place_is_found_within_the_hour() {
    let mut house = House::open();
    house.put(device("1", NOW), Some(("1", "300"))).await;
    house.clock.advance(HOUR);
    assert_eq!(steps(&mut house).await, (1, 1));
    // Brought from another server, with what is known of it there.
    house.put(device("2", NOW.before(HOUR)), Some(("1", "300"))).await;
    house.clock.advance(HOUR);
    steps(&mut house).await;
    assert_eq!(told(&*house.store).await, (2, 0));
}

#[tokio::test]
async fn without_an_order_all_are_looked_at_page_by_page() {
    let mut house = House::open();
    inform(&house, 0..PAGE + 50, NOW).await;
    house.clock.advance(HOUR * 24 * 4);
    let now = house.clock.now();
    assert!(!house.presence.look_at_all(now).await.unwrap());
    assert!(house.presence.look_at_all(now).await.unwrap());
    assert_eq!(told(&*house.store).await, (PAGE + 50, 0));
    // The order is there: nobody is told of again.
    assert_eq!(house.round().await.len(), PAGE + 50);
}

#[tokio::test]
async fn other_settings_count_at_once() {
    let mut house = House::open();
    let config: Live<EventsConfig> = EventsConfig::default().into();
    let (store, clock) = (house.store.clone(), house.clock.clone());
    house.presence = Presence::new(store, clock, config.clone());
    house.put(device("1", NOW), Some(("1", "3600"))).await;
    house.clock.advance(HOUR * 2);
    steps(&mut house).await;
    assert_eq!(told(&*house.store).await, (0, 0));
    config.set(EventsConfig { offline_after_intervals: 1, ..EventsConfig::default() });
    steps(&mut house).await;
    assert_eq!(told(&*house.store).await, (1, 0));
}
