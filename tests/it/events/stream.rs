//! The list and the stream of events, over a real door.

use axum::http::Method;
use provost::config::Config;
use provost::store::{OfficeRecord, Record};
use serde_json::Value;

use super::{Listening, boots, label, token, token_of, two_tenants};
use crate::api::{NOW, Rig, id};

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn who_connects_again_goes_on_where_it_was() {
    let rig = Rig::open();
    label(&*rig.store, "1", "north", "hq").await;
    let mut listening = Listening::open(&rig, "", None).await;
    boots(&*rig.store, "1", 3, NOW).await;
    let told = listening.next().await.unwrap();
    assert_eq!((&*told.id, &*told.kind), ("1", "device.boot"));
    assert_eq!(told.data["id"], "1");
    assert_eq!(told.data["device"], id("1").as_str());
    assert_eq!((&told.data["tenant"], &told.data["site"]), (&"north".into(), &"hq".into()));
    assert_eq!(told.data["at"], "2026-11-20T20:05:00Z");
    assert_eq!(listening.ids(2).await, numbers(2..=3));
    drop(listening);
    boots(&*rig.store, "1", 300, NOW).await;
    let mut again = Listening::open(&rig, "", Some("3")).await;
    assert_eq!(again.ids(300).await, numbers(4..=303));
    boots(&*rig.store, "1", 2, NOW).await;
    assert_eq!(again.ids(2).await, numbers(304..=305));
}

#[tokio::test]
async fn what_is_no_longer_kept_is_told() {
    let mut config = Config::default();
    config.store.news_entries = 10;
    let rig = Rig::with(config);
    boots(&*rig.store, "1", 30, NOW).await;
    let mut listening = Listening::open(&rig, "?after=0", None).await;
    let gap = listening.next().await.unwrap();
    assert_eq!((&*gap.kind, &*gap.id), ("gap", "20"));
    assert_eq!((&gap.data["first"], &gap.data["last"]), (&"1".into(), &"20".into()));
    assert_eq!(listening.ids(10).await, numbers(21..=30));
    // By a server that had more of them.
    let mut listening = Listening::open(&rig, "", Some("99")).await;
    assert_eq!(listening.next().await.unwrap().kind, "gap");
    boots(&*rig.store, "1", 1, NOW).await;
    assert_eq!(listening.next().await.unwrap().id, "31");
}

#[tokio::test]
async fn only_what_is_wanted_is_told() {
    let rig = Rig::open();
    label(&*rig.store, "1", "north", "hq").await;
    boots(&*rig.store, "1", 2, NOW).await;
    boots(&*rig.store, "2", 1, NOW).await;
    let device = format!("device={}", id("2").as_str().replace('%', "%25"));
    for (query, count) in [
        ("", 3),
        ("kind=device.boot,alarm", 3),
        ("kind=alarm", 0),
        (&device, 1),
        ("tenant=north", 2),
        ("site=hq", 2),
        ("site=elsewhere", 0),
    ] {
        let stream = format!("?after=0&follow=false&{query}");
        let mut listening = Listening::open(&rig, stream.trim_end_matches('&'), None).await;
        assert_eq!(listening.rest().await.len(), count, "{query}");
        for order in ["newest", "oldest"] {
            let list =
                rig.get(format!("/events?order={order}&{query}").trim_end_matches('&')).await;
            assert_eq!(list.json["items"].as_array().unwrap().len(), count, "{query}");
        }
    }
    for wrong in ["?kind=bogus", "?device=x", "?after=x", "?order=up", "?invented=1", "?limit=0"] {
        let path = format!("/events{wrong}");
        assert_eq!(rig.get(&path).await.status, 400, "{path}");
    }
    for (query, last) in [("?kind=bogus", None), ("", Some("x")), ("?after=-1", None)] {
        assert_eq!(Listening::open(&rig, query, last).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn the_list_is_paged_from_both_ends() {
    let rig = Rig::open();
    boots(&*rig.store, "1", 25, NOW).await;
    for (order, all) in [
        ("oldest", numbers(1..=25)),
        ("newest", numbers(1..=25).into_iter().rev().collect::<Vec<_>>()),
    ] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = rig.get(&format!("/events?limit=10&order={order}{after}")).await;
            assert_eq!(page.status, 200, "{}", page.text);
            let items = page.json["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.json["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, all, "{order}");
    }
    assert_eq!(Rig::open().get("/events").await.json["items"], Value::Array(Vec::new()));
}

/// security: E5.
#[tokio::test]
async fn a_tenant_hears_its_own_and_learns_nothing_of_others() {
    let rig = Rig::open();
    two_tenants(&rig).await;
    let mut own = Listening::with(&rig, &token_of("a"), "", None).await;
    for _ in 0..3 {
        boots(&*rig.store, "1", 1, NOW).await;
        boots(&*rig.store, "2", 5, NOW).await;
        boots(&*rig.store, "nobody's", 5, NOW).await;
    }
    let mut told = Vec::new();
    for _ in 0..3 {
        let one = own.next().await.unwrap();
        assert_eq!(
            (&one.data["tenant"], &one.data["device"]),
            (&"a".into(), &id("1").as_str().into())
        );
        // No number tells how much happens elsewhere.
        assert_eq!(one.id.len(), 32);
        assert_eq!(one.data["id"], one.id);
        told.push(one);
    }
    // The replay, after an id of its own, and from the beginning.
    let replay = format!("?follow=false&after={}", told[0].id);
    let rest = Listening::with(&rig, &token_of("a"), &replay, None).await.rest().await;
    assert_eq!(rest, told[1..]);
    let all =
        Listening::with(&rig, &token_of("a"), "?follow=false&after=0", None).await.rest().await;
    assert_eq!(all, told);
    for asked in ["&tenant=b", "&device=00D09E-HG%252D100-2"] {
        let query = format!("?follow=false&after=0{asked}");
        let rest = Listening::with(&rig, &token_of("a"), &query, None).await.rest().await;
        assert_eq!(rest, [], "{asked}");
    }
    let bearer = format!("Bearer {}", token_of("a"));
    for order in ["newest", "oldest"] {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/events?limit=1&order={order}{after}");
            let headers = [("authorization", bearer.as_str())];
            let page = rig.bare(Method::GET, &path, &headers, "").await;
            let items = page.json["items"].as_array().unwrap().clone();
            ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.json["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let mut expected: Vec<_> = told.iter().map(|told| told.id.clone()).collect();
        if order == "newest" {
            expected.reverse();
        }
        assert_eq!(ids, expected, "{order}");
    }
    // A number is no id for a tenant.
    assert_eq!(Listening::with(&rig, &token_of("a"), "", Some("5")).await.status, 400);
}

#[tokio::test]
async fn a_token_that_is_revoked_ends_its_streams() {
    let rig = Rig::open();
    two_tenants(&rig).await;
    let mut own = Listening::with(&rig, &token_of("a"), "", None).await;
    let mut other = Listening::with(&rig, &token_of("b"), "", None).await;
    boots(&*rig.store, "1", 1, NOW).await;
    assert!(own.next().await.is_some());
    let mut revoked = token(&token_of("a"), "a");
    (revoked.revision, revoked.revoked_at) = (2, Some(NOW));
    rig.put(Record::Office(OfficeRecord::Token(Box::new(revoked)))).await;
    boots(&*rig.store, "1", 1, NOW).await;
    boots(&*rig.store, "2", 1, NOW).await;
    assert_eq!(own.next().await, None, "not even what it had the right to hear before");
    assert_eq!(other.next().await.unwrap().data["tenant"], "b");
}

#[tokio::test]
async fn a_token_that_ends_ends_its_streams_by_time_alone() {
    let rig = Rig::open();
    two_tenants(&rig).await;
    let mut ending = token(&token_of("a"), "a");
    ending.revision = 2;
    ending.expires_at = Some(NOW.after(std::time::Duration::from_secs(60)));
    rig.put(Record::Office(OfficeRecord::Token(Box::new(ending)))).await;
    let mut own = Listening::with(&rig, &token_of("a"), "", None).await;
    boots(&*rig.store, "1", 1, NOW).await;
    assert!(own.next().await.is_some());
    // Nobody changes a token, and no heart beats.
    rig.clock.advance(std::time::Duration::from_secs(60));
    boots(&*rig.store, "1", 1, NOW).await;
    assert_eq!(own.next().await, None);
}

#[tokio::test]
async fn a_stream_in_which_nothing_happens_ends_with_its_token() {
    let rig = Rig::open();
    two_tenants(&rig).await;
    let mut ending = token(&token_of("a"), "a");
    ending.revision = 2;
    // Long before the heart beats.
    ending.expires_at = Some(NOW.after(std::time::Duration::from_millis(50)));
    rig.put(Record::Office(OfficeRecord::Token(Box::new(ending)))).await;
    let mut own = Listening::with(&rig, &token_of("a"), "", None).await;
    rig.clock.advance(std::time::Duration::from_millis(50));
    assert_eq!(own.block().await, None);
}

#[tokio::test]
async fn a_token_that_sees_less_hears_less() {
    let rig = Rig::open();
    two_tenants(&rig).await;
    let mut own = Listening::with(&rig, &token_of("a"), "", None).await;
    let mut moved = token(&token_of("a"), "b");
    (moved.id, moved.revision) = ("a".into(), 2);
    rig.put(Record::Office(OfficeRecord::Token(Box::new(moved)))).await;
    boots(&*rig.store, "1", 3, NOW).await;
    boots(&*rig.store, "2", 1, NOW).await;
    assert_eq!(own.next().await.unwrap().data["tenant"], "b");
}

#[tokio::test]
async fn streams_give_signs_of_life_and_end_with_the_server() {
    let mut config = Config::default();
    config.events.heartbeat = 1;
    config.events.listeners_per_token = 1;
    let rig = Rig::with(config);
    boots(&*rig.store, "1", 2, NOW).await;
    let mut listening = Listening::open(&rig, "", None).await;
    let full = Listening::open(&rig, "", None).await;
    assert_eq!(full.status, 429);
    // A client that is told nothing does not stay behind.
    assert_eq!(listening.block().await.unwrap(), ":\nid: 2");
    rig.stop.cancel();
    while listening.block().await.is_some() {}
}
