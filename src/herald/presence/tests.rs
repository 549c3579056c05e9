//! When devices are told to be away, and when to be back.

use std::net::Ipv4Addr;

use super::*;
use crate::config::StoreConfig;
use crate::device::{DeviceIdentity, Lessons, Settlement};
use crate::ledger::Ledger;
use crate::param::{ParamPath, Tree, Value};
use crate::time::ManualClock;

const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);
const HOUR: Duration = Duration::from_secs(3600);

fn device(serial: &str, last_inform: Timestamp) -> Device {
    let identity = DeviceIdentity::new("Example", "00D09E", "HG", serial).unwrap();
    Device {
        settlement: Settlement::default(),
        id: identity.id(),
        identity,
        root: "Device.".into(),
        namespace: "".into(),
        first_seen: NOW,
        last_inform,
        last_boot: None,
        last_bootstrap: None,
        last_events: Vec::new(),
        address: Some(Ipv4Addr::LOCALHOST.into()),
        connection_request_url: "".into(),
        software_version: "".into(),
        hardware_version: "".into(),
        provisioning_code: "".into(),
        inform_hash: 0,
        tree_read_at: None,
        parameter_count: 0,
        sessions: 1,
        lessons: Lessons::default(),
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
