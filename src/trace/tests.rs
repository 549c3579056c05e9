//! What is on, for how long, and what is kept of it.

use super::*;
use crate::config::StoreConfig;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).after(Duration::from_secs(seconds))
}

fn id(n: usize) -> DeviceId {
    DeviceId::parse(&format!("00D09E-T{n}")).unwrap()
}

fn from_device(body: &[u8]) -> Message<'_> {
    Message { direction: TraceDirection::FromDevice, at: at(1), body, charset: None }
}

#[tokio::test]
async fn a_trace_ends_by_itself_survives_a_restart_and_is_forgotten_when_stopped() {
    let store = crate::store::memory(&StoreConfig::default());
    let traces = Traces::open(store.clone()).await.unwrap();
    traces.record(&id(1), at(0), at(1), &[from_device(b"")]).await;
    assert!(store.trace(&id(1), 10).await.unwrap().is_empty(), "nothing is on");

    assert_eq!(traces.start(&id(1), 30, at(0)).await.unwrap(), at(1800));
    let traces = Traces::open(store.clone()).await.unwrap();
    assert!(traces.is_on(&id(1), at(1799)) && !traces.is_on(&id(1), at(1800)));
    assert!(!traces.is_on(&id(2), at(1)));
    traces.record(&id(1), at(0), at(1), &[from_device(b"junk"), from_device(b"<a><b>")]).await;
    let kept = store.trace(&id(1), 10).await.unwrap();
    let told: Vec<_> = kept.iter().map(|entry| (&*entry.sentence, &*entry.body)).collect();
    assert_eq!(told[1], ("a message of 4 bytes that is no XML", ""));
    assert!(told[0].0.contains("no CWMP") && told[0].1.starts_with("<a>"), "{told:?}");
    assert!(kept.iter().all(|entry| !entry.is_whole));

    traces.stop(&id(1)).await.unwrap();
    assert!(store.trace(&id(1), 10).await.unwrap().is_empty());
    assert!(!Traces::open(store).await.unwrap().is_on(&id(1), at(1)));
}

#[tokio::test]
async fn only_so_many_devices_and_minutes() {
    let store = crate::store::memory(&StoreConfig::default());
    let traces = Traces::open(store).await.unwrap();
    for minutes in [0, MAX_MINUTES + 1] {
        assert!(matches!(traces.start(&id(0), minutes, at(0)).await, Err(TraceError::Minutes)));
    }
    for n in 0..MAX_TRACED {
        traces.start(&id(n), 1, at(0)).await.unwrap();
    }
    assert!(matches!(traces.start(&id(99), 1, at(0)).await, Err(TraceError::TooMany)));
    traces.start(&id(3), 5, at(30)).await.unwrap();
    assert!(traces.start(&id(99), 1, at(61)).await.is_ok(), "the others are over");
}

#[tokio::test]
async fn the_largest_entry_is_stored() {
    let store = crate::store::memory(&StoreConfig::default());
    let traces = Traces::open(store.clone()).await.unwrap();
    traces.start(&id(1), 1, at(0)).await.unwrap();
    let names: String = (0..9000).map(|n| format!("<string>Device.X.{n}\u{e9}</string>")).collect();
    let body = format!("<a><ParameterNames>{names}</ParameterNames></a>");
    traces.record(&id(1), at(0), at(1), &[from_device(body.as_bytes())]).await;
    let kept = store.trace(&id(1), 10).await.unwrap();
    assert_eq!(kept[0].size as usize, body.len());
    assert!(!kept[0].is_whole && kept[0].body.len() > 40 << 10, "{}", kept[0].body.len());
}
