//! Lightweight notifications: which are believed.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use provost::collect::{Dropped, Lightweight, LightweightDeps};
use provost::config::StoreConfig;
use provost::device::ReportSource;
use provost::store::{Store, Vault};
use provost::time::{ManualClock, Timestamp};

use super::{id, two_devices};
use crate::api::rig::NOW;
use crate::bulk::lightweight::sign;

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

struct Rig {
    store: Arc<dyn Store>,
    deps: LightweightDeps,
    clock: Arc<ManualClock>,
    door: Lightweight,
}

impl Rig {
    async fn open() -> Self {
        let store: Arc<dyn Store> = provost::store::memory(&StoreConfig::default());
        let vault = Vault::ephemeral();
        two_devices(&*store, &vault).await;
        let clock = Arc::new(ManualClock::at(NOW));
        let deps = LightweightDeps { store: Arc::clone(&store), vault, clock: clock.clone() };
        Self { store, door: Lightweight::new(deps.clone()), deps, clock }
    }

    async fn take(&self, datagram: &str) -> Result<(), Dropped> {
        self.door.take(SOURCE, datagram.as_bytes()).await
    }
}

/// A signed notification of device `serial`, `late` seconds after now.
pub(super) fn notification(serial: &str, password: &str, late: i64, cnonce: &str) -> String {
    let made = NOW.as_secs() + late;
    let body = format!(
        "<lwn:Notification xmlns:lwn=\"urn:broadband-forum-org:cwmp:lwnotif-1-0\"><TS>{made}</TS>\
         <UN>{}</UN><CN>{cnonce}</CN><OUI>00D09E</OUI><ProductClass>HG-100</ProductClass>\
         <SerialNumber>{serial}</SerialNumber><Param><Name>Device.WiFi.Radio.1.Channel</Name>\
         <Value>11</Value></Param><Param><Name>Device.Users.User.1.Password</Name>\
         <Value>canary</Value></Param></lwn:Notification>",
        id(serial)
    );
    format!(
        "POST /HTTPS/1.1\r\nContent-Lenght: 1\r\nSignature: {}\r\n\r\n{body}",
        sign(&body, password)
    )
}

#[tokio::test]
async fn t19_a_good_notification_is_kept_as_a_report() {
    let rig = Rig::open().await;
    rig.take(&notification("1", "canary-1", 0, "a")).await.unwrap();
    let [report] = &rig.store.reports(&id("1"), 10).await.unwrap()[..] else { panic!() };
    assert_eq!(report.source, ReportSource::LightweightNotification);
    assert_eq!(report.collected_at, Some(Timestamp::from_millis(NOW.as_secs() * 1000)));
    assert_eq!(report.values, [("Device.WiFi.Radio.1.Channel".into(), "11".into())]);
    assert_eq!(report.left_out, 1, "the password");
    // The tree is the session's alone.
    assert!(rig.store.tree(&id("1")).await.unwrap().is_none());
    assert_eq!(rig.door.counts(), (1, 0));
}

#[tokio::test]
async fn t19_a_bad_signature_is_dropped_and_counted() {
    let rig = Rig::open().await;
    let good = notification("1", "canary-1", 0, "a");
    for (datagram, why) in [
        (notification("1", "canary-2", 0, "a"), "the other's password"),
        (good.replace("<Value>11", "<Value>12"), "a changed value"),
        (good.replace("<SerialNumber>1", "<SerialNumber>2"), "another device"),
    ] {
        assert!(matches!(rig.take(&datagram).await, Err(Dropped::Unsigned)), "{why}");
    }
    let other_user = good.replace("HG%2D100-1</UN>", "HG%2D100-2</UN>");
    assert!(matches!(rig.take(&other_user).await, Err(Dropped::Unsigned)));
    let unknown = notification("3", "canary-1", 0, "a");
    assert!(matches!(rig.take(&unknown).await, Err(Dropped::Unknown)));
    assert!(matches!(rig.take("hello").await, Err(Dropped::NotOne(_))));
    assert_eq!(rig.door.counts(), (0, 6));
    for serial in ["1", "2"] {
        assert!(rig.store.reports(&id(serial), 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn t19_a_replay_is_dropped_also_after_a_restart() {
    let rig = Rig::open().await;
    let first = notification("1", "canary-1", 0, "a");
    rig.take(&first).await.unwrap();
    assert!(matches!(rig.take(&first).await, Err(Dropped::Replayed)));
    // Several in one second are told apart by what was chosen at random.
    rig.take(&notification("1", "canary-1", 0, "b")).await.unwrap();
    let older = notification("1", "canary-1", -1, "c");
    assert!(matches!(rig.take(&older).await, Err(Dropped::Replayed)));
    rig.take(&notification("1", "canary-1", 1, "a")).await.unwrap();
    assert!(matches!(rig.take(&first).await, Err(Dropped::Replayed)));
    // One device's time says nothing of another's.
    rig.take(&notification("2", "canary-2", -9, "a")).await.unwrap();
    let restarted = Lightweight::new(rig.deps.clone());
    for old in [&first, &notification("1", "canary-1", 1, "a")] {
        let taken = restarted.take(SOURCE, old.as_bytes()).await;
        assert!(matches!(taken, Err(Dropped::Replayed)));
    }
    let new = notification("1", "canary-1", 2, "a");
    restarted.take(SOURCE, new.as_bytes()).await.unwrap();
    assert_eq!(rig.store.reports(&id("1"), 10).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_locks_nobody_out() {
    let rig = Rig::open().await;
    let ahead = notification("1", "canary-1", 86_401, "a");
    assert!(matches!(rig.take(&ahead).await, Err(Dropped::Time)));
    rig.take(&notification("1", "canary-1", 0, "a")).await.unwrap();
    // A device without a clock counts from 1970, and is believed until it has one.
    let young = notification("2", "canary-2", 100 - NOW.as_secs(), "a");
    rig.take(&young).await.unwrap();
    assert!(matches!(rig.take(&young).await, Err(Dropped::Replayed)));
}

#[tokio::test]
async fn a_flood_of_one_source_is_dropped_before_it_is_read() {
    let rig = Rig::open().await;
    let mut dropped = 0;
    for _ in 0..300 {
        if matches!(rig.take("hello").await, Err(Dropped::TooMany)) {
            dropped += 1;
        }
    }
    assert_eq!(dropped, 100);
    let other = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
    let good = notification("1", "canary-1", 0, "a");
    rig.door.take(other, good.as_bytes()).await.unwrap();
    rig.clock.advance(Duration::from_secs(60));
    rig.take(&notification("1", "canary-1", 1, "a")).await.unwrap();
}
