//! Every listener hears each number once and in order, or is told of a gap.

use std::sync::Arc;

use proptest::prelude::*;
use provost::config::{EventsConfig, StoreConfig};
use provost::herald::{Heard, Hub, Listener};
use provost::ledger::Ledger;
use provost::store::Store;
use provost::time::ManualClock;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::boots;
use crate::api::NOW;

struct House {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    _stop: DropGuard,
}

impl House {
    fn open(kept: u32) -> Self {
        let config = StoreConfig { news_entries: kept, ..StoreConfig::default() };
        let store = provost::store::memory(&config);
        store.accompany(Ledger::new(Arc::new(ManualClock::at(NOW))));
        let hub = Hub::new(store.clone(), [0; 32], EventsConfig::default());
        let stop = CancellationToken::new();
        tokio::spawn(hub.clone().run(stop.clone()));
        Self { store, hub, _stop: stop.drop_guard() }
    }

    async fn happen(&self, times: usize) {
        boots(&*self.store, "1", times, NOW).await;
    }
}

/// Hears everything up to a number; what is missing must have been told, and only
/// what is kept no longer may be missing.
async fn hear(listener: &mut Listener, from: u64, end: u64) -> u64 {
    let (mut next, mut missing) = (from, 0);
    while next < end {
        match listener.next().await.unwrap().unwrap() {
            Heard::News(told) => {
                assert_eq!(told.number, next);
                next += 1;
            }
            Heard::Gap { first, last } => {
                assert!(first == next && last >= first && last < end, "{next}: {first} to {last}");
                missing += last - first + 1;
                next = last + 1;
            }
        }
    }
    missing
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_number_once_or_a_gap(
        kept in 1_u32..400,
        before in 0_usize..600,
        from in 0_u64..600,
        bursts in proptest::collection::vec(0_usize..400, 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::open(kept);
            house.happen(before).await;
            let end = before as u64;
            let from = from.min(end);
            let mut replaying = house.hub.listen(Some(from)).await.unwrap();
            let mut live = house.hub.listen(None).await.unwrap();
            let mut slow = house.hub.listen(Some(from)).await.unwrap();
            let (mut at, mut live_at) = (from, end);
            let mut all = end;
            for burst in bursts {
                house.happen(burst).await;
                all += burst as u64;
                hear(&mut replaying, at, all).await;
                hear(&mut live, live_at, all).await;
                (at, live_at) = (all, all);
            }
            // One that took nothing meanwhile has lost no more than is kept no longer.
            let missing = hear(&mut slow, from, all).await;
            let gone = all.saturating_sub(u64::from(kept)).saturating_sub(from);
            assert_eq!(missing, gone);
        });
    }
}

#[tokio::test]
async fn who_falls_behind_reads_what_was_missed() {
    let house = House::open(10_000);
    let mut slow = house.hub.listen(None).await.unwrap();
    let mut quick = house.hub.listen(None).await.unwrap();
    // More than the hub holds for anybody.
    for round in 0..50 {
        house.happen(100).await;
        assert_eq!(hear(&mut quick, round * 100, (round + 1) * 100).await, 0);
    }
    assert_eq!(hear(&mut slow, 0, 5000).await, 0);
}

#[tokio::test]
async fn an_id_that_was_never_given_is_a_gap() {
    let house = House::open(100);
    house.happen(3).await;
    let mut listener = house.hub.listen(Some(10)).await.unwrap();
    let heard = listener.next().await.unwrap().unwrap();
    assert!(matches!(heard, Heard::Gap { first: 3, last: 9 }));
    house.happen(1).await;
    let heard = listener.next().await.unwrap().unwrap();
    assert!(matches!(heard, Heard::News(told) if told.number == 3));
}

#[tokio::test]
async fn listeners_are_counted_and_end_with_the_hub() {
    let config = EventsConfig { listeners: 3, listeners_per_token: 2, ..EventsConfig::default() };
    let store = provost::store::memory(&StoreConfig::default());
    let hub = Hub::new(store, [0; 32], config);
    let stop = CancellationToken::new();
    let running = tokio::spawn(hub.clone().run(stop.clone()));
    let (one, two) = ("one".into(), "two".into());
    let seats = [hub.seat(&one).unwrap(), hub.seat(&one).unwrap()];
    assert!(hub.seat(&one).is_err());
    let third = hub.seat(&two).unwrap();
    assert!(hub.seat(&two).is_err());
    drop(seats);
    assert_eq!(hub.listeners(), 1);
    assert!(hub.seat(&one).is_ok());
    drop(third);
    let mut listener = hub.listen(None).await.unwrap();
    stop.cancel();
    running.await.unwrap();
    assert!(listener.next().await.unwrap().is_none());
}
