//! `Idempotency-Key`: what is asked for twice is done once.

use std::sync::Arc;

use axum::http::Method;
use provost::api::routes;
use provost::config::Config;
use provost::store::{OfficeRecord, Record, Reply};
use serde_json::json;

use super::{NOW, Rig, device, id};

const KEY: (&str, &str) = ("idempotency-key", "6f1c3a0e-one");

fn reboot() -> String {
    json!({"action": "reboot"}).to_string()
}

#[tokio::test]
async fn a_change_that_is_asked_for_twice_is_made_once_and_answered_alike() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let path = format!("/api/v1/devices/{}/tasks", id("1"));
    let first = rig.raw(Method::POST, &path, &[KEY], reboot()).await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert!(first.headers.get("idempotency-replayed").is_none());
    let second = rig.raw(Method::POST, &path, &[KEY], reboot()).await;
    assert_eq!((second.status, &second.text), (first.status, &first.text));
    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(second.headers["location"], first.headers["location"]);
    assert_eq!(second.headers["content-type"], "application/json");
    assert_eq!(rig.store.open_tasks(&id("1")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let path = format!("/api/v1/devices/{}/tasks", id("1"));
    assert_eq!(rig.raw(Method::POST, &path, &[KEY], reboot()).await.status, 202);
    let query = format!("{path}?wait=0");
    let other = json!({"action": "factory_reset"}).to_string();
    for (path, body) in [(&path, other), (&query, reboot())] {
        let refused = rig.raw(Method::POST, path, &[KEY], body).await;
        assert_eq!((refused.status, &refused.json["code"]), (422, &json!("key-reused")));
    }
    let long = "x".repeat(256);
    for key in ["", "two words", long.as_str()] {
        let refused = rig.raw(Method::POST, &path, &[("idempotency-key", key)], reboot()).await;
        assert_eq!(refused.status, 400, "{key:?}: {}", refused.text);
    }
    assert_eq!(rig.store.open_tasks(&id("1")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_that_refuses_is_kept_as_well() {
    let rig = Rig::open();
    let path = format!("/api/v1/devices/{}/tasks", id("1"));
    let first = rig.raw(Method::POST, &path, &[KEY], reboot()).await;
    assert_eq!(first.status, 404);
    rig.put_devices([device("1")]).await;
    let second = rig.raw(Method::POST, &path, &[KEY], reboot()).await;
    assert_eq!((second.status, &second.text), (404, &first.text));
    assert_eq!(second.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn what_a_crash_left_open_is_not_done_again() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let path = format!("/api/v1/devices/{}/tasks", id("1"));
    assert_eq!(rig.raw(Method::POST, &path, &[KEY], reboot()).await.status, 202);
    // The same record as it lay there while the request was worked on.
    let mut reply = rig.store.office().reply("", KEY.1).await.unwrap().unwrap();
    (reply.status, reply.body) = (0, Vec::new());
    put(&rig, reply).await;
    let again = rig.raw(Method::POST, &path, &[KEY], reboot()).await;
    assert_eq!((again.status, &again.json["code"]), (409, &json!("outcome-unknown")));
    assert!(again.json["hint"].as_str().unwrap().contains("look whether"));
    assert_eq!(rig.store.open_tasks(&id("1")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_hours() {
    let mut config = Config::default();
    config.northbound.idempotency_hours = 1;
    let rig = Rig::with(config);
    rig.put_devices([device("1")]).await;
    let path = format!("/api/v1/devices/{}/tasks", id("1"));
    assert_eq!(rig.raw(Method::POST, &path, &[KEY], reboot()).await.status, 202);
    let mut reply = rig.store.office().reply("", KEY.1).await.unwrap().unwrap();
    reply.at = provost::time::Timestamp::from_millis(NOW.as_millis() - 3_600_000);
    put(&rig, reply).await;
    let again = rig.raw(Method::POST, &path, &[KEY], reboot()).await;
    assert_eq!(again.status, 202);
    assert!(again.headers.get("idempotency-replayed").is_none());
    assert_eq!(rig.store.open_tasks(&id("1")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn two_at_once_are_one() {
    let rig = Arc::new(Rig::open());
    rig.put_devices([device("1")]).await;
    let path = format!("/api/v1/devices/{}/tasks?wait=2", id("1"));
    let ask = || rig.raw(Method::POST, &path, &[KEY], reboot());
    let (one, two) = tokio::join!(ask(), ask());
    let mut codes = [one.status, two.status];
    codes.sort_unstable();
    assert_eq!(codes, [202, 409], "{} {}", one.text, two.text);
    assert_eq!(rig.store.open_tasks(&id("1")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn reading_and_uploads_take_no_key() {
    let rig = Rig::open();
    for path in ["/api/v1/health", "/api/v1/devices"] {
        assert_eq!(rig.raw(Method::GET, path, &[("idempotency-key", "")], "").await.status, 200);
    }
    let path = "/api/v1/files?name=x&type=1+Firmware+Upgrade+Image";
    for status in [201, 201] {
        let brought = rig.raw(Method::POST, path, &[KEY], "content").await;
        assert_eq!(brought.status, status, "{}", brought.text);
        assert!(brought.headers.get("idempotency-replayed").is_none());
    }
    assert_eq!(rig.store.office().reply("", KEY.1).await.unwrap(), None);
}

#[tokio::test]
async fn every_change_of_the_table_takes_a_key() {
    let rig = Rig::open();
    let mut asked = 0;
    for (method, path, _) in routes() {
        let path = path.replace(['{', '}'], "");
        if method == Method::GET || !path.starts_with("/api/v1/") || path == "/api/v1/files" {
            continue;
        }
        let key = format!("key-{asked}");
        let headers = [("idempotency-key", key.as_str())];
        let first = rig.raw(method.clone(), &path, &headers, "{}").await;
        let second = rig.raw(method.clone(), &path, &headers, "{}").await;
        if ![408, 429, 503].contains(&first.status) {
            assert_eq!(second.headers["idempotency-replayed"], "true", "{method} {path}");
            assert_eq!(second.status, first.status, "{method} {path}");
        }
        asked += 1;
    }
    assert!(asked > 40, "{asked}");
}

async fn put(rig: &Rig, reply: Reply) {
    rig.put(Record::Office(OfficeRecord::Reply(Box::new(reply)))).await;
}
