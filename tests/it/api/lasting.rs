//! What outlives the request that asked for it: answers that go on, changes that go
//! on, and the ends of pages.

use std::time::Duration;

use axum::http::{Method, Request};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use provost::access::{Reach, Right, Role, TokenRecord};
use provost::device::{EventCode, Labels, RpcOutcome, RpcRecord, SessionRecord};
use provost::http::{ClientConnection, Host};
use provost::store::{Batch, BulkRecord, OfficeRecord, Record};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Answer, NOW, Rig, device, id};

/// A token's text, by its id.
fn text(id: &str) -> String {
    format!("pv_the-token-{id}-0123456789abcdef0123456789abcdef")
}

fn token(id: &str, reach: Reach) -> TokenRecord {
    TokenRecord {
        id: id.into(),
        revision: 1,
        name: id.into(),
        user: None,
        hash: Sha256::digest(text(id).as_bytes()).into(),
        role: Role::Admin,
        rights: None,
        reach,
        created_at: NOW,
        created_by: "admin".into(),
        expires_at: None,
        revoked_at: None,
    }
}

fn at_sites(tenant: Option<&str>, sites: &[&str]) -> Reach {
    let sites = sites.iter().map(|site| (*site).into()).collect();
    Reach { tenant: tenant.map(Into::into), sites }
}

async fn put_token(rig: &Rig, token: TokenRecord) {
    rig.put(Record::Office(OfficeRecord::Token(Box::new(token)))).await;
}

async fn ask(rig: &Rig, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {}", text(token));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    rig.bare(method, &format!("/api/v1{path}"), &[("authorization", &bearer)], body).await
}

async fn put_labels(rig: &Rig, serial: &str, tenant: &str, site: &str) {
    let labels =
        Labels { revision: 1, tenant: tenant.into(), site: site.into(), ..Labels::default() };
    rig.put(Record::Labels(id(serial), labels)).await;
}

/// Ten devices of the tenant `north`, `0004` and `0005` at the site `hq`.
async fn house() -> Rig {
    let rig = Rig::open();
    rig.put_devices((0..10).map(|serial| device(&format!("{serial:04}")))).await;
    for serial in 0..10 {
        let site = if matches!(serial, 4 | 5) { "hq" } else { "branch" };
        put_labels(&rig, &format!("{serial:04}"), "north", site).await;
    }
    rig
}

/// A change that a token asked for when it saw all of `north`, and that was done for
/// four of ten devices; what is told of it when it is over.
async fn gone_on(rig: &Rig, token: TokenRecord) -> (Rig, Value) {
    let asked =
        json!({"which": {}, "ids": null, "action": {"task": {"action": "reboot"}}, "wake": false});
    let bulk = BulkRecord {
        id: 7,
        created_by: token.name.clone(),
        token: token.id.clone(),
        rights: Right::ALL.to_vec(),
        reach: Reach::of_tenant("north"),
        created_at: NOW,
        expires_at: NOW.after(Duration::from_secs(3600)),
        asked: asked.to_string().into(),
        page: None,
        after: Some(id("0003")),
        total: 10,
        done: 4,
        failed: 0,
        problems: Vec::new(),
        ended_at: None,
        cancelled: false,
        left_out: 0,
        stopped: "".into(),
    };
    rig.end().await;
    put_token(rig, token).await;
    rig.put(Record::Office(OfficeRecord::Bulk(Box::new(bulk)))).await;
    let again = rig.restart();
    let told = loop {
        let told = again.get("/bulk/00000000-0000-0000-0000-000000000007").await.json;
        if told["state"] != "running" {
            break told;
        }
        tokio::task::yield_now().await;
    };
    (again, told)
}

#[tokio::test]
async fn a_change_goes_on_no_longer_than_its_token() {
    for (why, spoil) in [
        ("the token that asked was revoked", (|token| token.revoked_at = Some(NOW)) as Spoil),
        ("the token that asked has expired", |token| token.expires_at = Some(NOW)),
        ("the token that asked may do this no longer", |token| token.role = Role::Viewer),
        ("the token that asked may do this no longer", |token| {
            token.rights = Some(vec![Right::TasksDisrupt, Right::TasksRead]);
        }),
        ("the token that asked sees none of these devices any more", |token| {
            token.reach = Reach::of_tenant("south");
        }),
        ("the token that asked opens nothing any more", |token| token.user = Some("gone".into())),
    ] {
        let rig = house().await;
        let mut token = token("t", Reach::of_tenant("north"));
        spoil(&mut token);
        let (again, told) = gone_on(&rig, token).await;
        assert_eq!((&told["state"], &told["stopped"]), (&json!("stopped"), &json!(why)));
        assert_eq!((&told["done"], &told["total"]), (&json!(4), &json!(10)), "{why}");
        assert!(again.store.tasks(None, None, 100).await.unwrap().is_empty(), "{why}");
    }
}

type Spoil = fn(&mut TokenRecord);

#[tokio::test]
async fn what_a_token_sees_no_longer_is_left_out_of_its_change() {
    let rig = house().await;
    let (again, told) = gone_on(&rig, token("t", at_sites(Some("north"), &["hq"]))).await;
    assert_eq!(
        (&told["state"], &told["done"], &told["left_out"], &told["failed"]),
        (&json!("done"), &json!(6), &json!(4), &json!(0)),
        "{told}"
    );
    let tasks = again.store.tasks(None, None, 100).await.unwrap();
    let mut devices: Vec<_> = tasks.iter().map(|task| task.device.clone()).collect();
    devices.sort();
    assert_eq!(devices, [id("0004"), id("0005")]);
    // A token that is as it was goes on to the end.
    let rig = house().await;
    let (_, told) = gone_on(&rig, token("t", Reach::of_tenant("north"))).await;
    assert_eq!((&told["done"], &told["left_out"]), (&json!(10), &json!(0)), "{told}");
}

#[tokio::test]
async fn labels_of_many_are_kept_in_sight_as_those_of_one() {
    let rig = house().await;
    put_token(&rig, token("tenant", Reach::of_tenant("north"))).await;
    put_token(&rig, token("site", at_sites(None, &["hq"]))).await;
    let one = format!("/devices/{}", id("0004").as_str().replace('%', "%25"));
    for (who, labels) in [
        ("tenant", json!({"tenant": "south"})),
        ("tenant", json!({"tenant": ""})),
        ("site", json!({"tenant": "south"})),
        ("site", json!({"site": "branch"})),
    ] {
        let alone = ask(&rig, who, Method::PATCH, &one, labels.clone()).await;
        let body = json!({"query": {}, "action": {"labels": labels}});
        let many = ask(&rig, who, Method::POST, "/bulk", body).await;
        assert_eq!((alone.status, many.status), (403, 403), "{who}: {} {}", alone.text, many.text);
        assert_eq!(alone.json["code"], many.json["code"], "{who} {labels}");
        assert_eq!(alone.json["detail"], many.json["detail"], "{who} {labels}");
    }
}

#[tokio::test]
async fn an_export_breaks_off_when_its_token_ends_or_sees_less() {
    for (spoil, is_whole) in [
        ((|_| ()) as Spoil, true),
        (|token| token.name = "renamed".into(), true),
        (|token| token.revoked_at = Some(NOW), false),
        (|token| token.expires_at = Some(NOW), false),
        (|token| token.reach = at_sites(Some("north"), &["hq"]), false),
    ] {
        let rig = Rig::open();
        // More than what lies between a server and who does not read.
        let (mut batch, long) = (Batch::new(), "x".repeat(16 << 10));
        for serial in 0..1500 {
            let device = device(&format!("{serial:04}"));
            let mut labels = Labels { revision: 1, tenant: "north".into(), ..Labels::default() };
            labels.tags.insert(long.as_str().into());
            batch.put(Record::Labels(device.id.clone(), labels));
            batch.put(Record::Device(Box::new(device)));
        }
        rig.store.commit(batch).await.unwrap();
        let mut token = token("t", Reach::of_tenant("north"));
        put_token(&rig, token.clone()).await;
        let host = Host::Address(rig.address.ip());
        let patience = Duration::from_secs(10);
        let mut connection =
            ClientConnection::connect(&host, rig.address.port(), None, patience).await.unwrap();
        let request = Request::get("/api/v1/devices/export?fields=id,tags&format=ndjson")
            .header("host", rig.address.to_string())
            .header("authorization", format!("Bearer {}", text("t")))
            .body(Full::new(Bytes::new()))
            .unwrap();
        let answer = connection.send(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        token.revision = 2;
        spoil(&mut token);
        put_token(&rig, token).await;
        let body = answer.into_body().collect().await;
        assert_eq!(body.is_ok(), is_whole);
        if let Ok(body) = body {
            assert_eq!(body.to_bytes().iter().filter(|byte| **byte == b'\n').count(), 1500);
        }
    }
}

/// A session in which something was asked.
fn session(serial: &str) -> Record {
    let rpc = RpcRecord {
        method: "Reboot".into(),
        by_device: false,
        after: 1,
        took: 1,
        outcome: RpcOutcome::Answered,
        task: None,
    };
    Record::Session(Box::new(SessionRecord {
        device: id(serial),
        began_at: NOW,
        took: 9,
        address: None,
        events: vec![EventCode::Boot],
        rpcs: vec![rpc],
        left_out: 0,
        end: "ended".into(),
    }))
}

#[tokio::test]
async fn the_end_of_a_page_is_of_use_to_those_alone_who_see_as_much() {
    let rig = house().await;
    for serial in 0..10 {
        rig.put(session(&format!("{serial:04}"))).await;
    }
    put_token(&rig, token("north", Reach::of_tenant("north"))).await;
    put_token(&rig, token("same", Reach::of_tenant("north"))).await;
    put_token(&rig, token("hq", at_sites(Some("north"), &["hq"]))).await;
    for list in
        ["/devices?limit=3", "/devices?limit=3&sort=-serial_number", "/sessions?limit=1&each=1"]
    {
        let next = async |who: &str| {
            let page = ask(&rig, who, Method::GET, list, Value::Null).await;
            assert_eq!(page.status, 200, "{list}: {}", page.text);
            page.json["next"].as_str().unwrap().to_owned()
        };
        let with = async |who: &str, after: &str| {
            let path = format!("{list}&after={after}");
            ask(&rig, who, Method::GET, &path, Value::Null).await.status
        };
        let own = next("north").await;
        assert_eq!((with("north", &own).await, with("same", &own).await), (200, 200), "{list}");
        assert_eq!(with("hq", &own).await, 400, "{list}");
        assert_eq!(rig.get(&format!("{list}&after={own}")).await.status, 400, "{list}");
        let whole = rig.get(list).await.json["next"].as_str().unwrap().to_owned();
        assert_eq!(with("north", &whole).await, 400, "{list}");
        // Not a letter of it can be another one, and it says nothing in clear.
        for place in [1, own.len() / 2, own.len() - 2] {
            let mut altered = own.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(with("north", &altered).await, 400, "{list}");
        }
        assert_ne!(next("north").await, own, "{list}: sealed anew each time");
        // All pages together hold each device once.
        let (mut seen, mut after) = (0, String::new());
        loop {
            let page =
                ask(&rig, "north", Method::GET, &format!("{list}{after}"), Value::Null).await;
            seen += page.json["items"].as_array().unwrap().len();
            let Some(next) = page.json["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, 10, "{list}");
    }
}

#[tokio::test]
async fn what_was_waited_for_is_told_to_whoever_is_let_in_still() {
    for (spoil, status) in [
        ((|_| ()) as Spoil, 200),
        (|token| token.revoked_at = Some(NOW), 401),
        (|token| token.reach = Reach::of_tenant("south"), 401),
    ] {
        let rig = house().await;
        let mut token = token("t", Reach::of_tenant("north"));
        put_token(&rig, token.clone()).await;
        let mut notices = rig.store.watch();
        let path = format!("/devices/{}/tasks?wait=30", id("0001").as_str().replace('%', "%25"));
        let task = json!({"action": "reboot"});
        let waiting = ask(&rig, "t", Method::POST, &path, task);
        let meanwhile = async {
            // It is let in: there is a task.
            let key = loop {
                if let provost::store::Notice::Task { id, .. } = notices.recv().await.unwrap() {
                    break id;
                }
            };
            token.revision = 2;
            spoil(&mut token);
            put_token(&rig, token).await;
            let cancelled = rig.send(Method::POST, &format!("/tasks/{key}/cancel"), None).await;
            assert_eq!(cancelled.status, 200, "{}", cancelled.text);
        };
        let (answer, ()) = tokio::join!(waiting, meanwhile);
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}
