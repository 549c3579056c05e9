//! `/bulk`: the same change over many devices.

use axum::http::Method;
use provost::access::Reach;
use provost::config::Config;
use provost::device::Labels;
use provost::store::{BulkRecord, OfficeRecord, Record};
use provost::time::Timestamp;
use serde_json::{Value, json};

use super::{NOW, Rig, device, id};

/// A rig with so many devices, the first half of which has a tag.
async fn rig(count: usize) -> Rig {
    let rig = Rig::open();
    rig.put_devices((0..count).map(|serial| device(&format!("{serial:04}")))).await;
    for serial in 0..count / 2 {
        let mut labels = Labels { revision: 1, ..Labels::default() };
        labels.tags.insert("old".into());
        rig.put(Record::Labels(id(&format!("{serial:04}")), labels)).await;
    }
    rig
}

/// The change when it is over.
async fn over(rig: &Rig, key: &str) -> Value {
    let mut notices = rig.store.watch();
    loop {
        let bulk = rig.get(&format!("/bulk/{key}")).await;
        assert_eq!(bulk.status, 200, "{}", bulk.text);
        if bulk.json["state"] != "running" {
            return bulk.json;
        }
        let _ = notices.recv().await;
    }
}

#[tokio::test]
async fn a_task_for_each_device_that_a_search_finds() {
    let rig = rig(60).await;
    let body = json!({"query": {"tag": "old"}, "action": {"task": {"action": "reboot"}},
        "wake": false, "expected": 30});
    let dry = rig.post("/bulk", merged(&body, "dry_run", json!(true))).await;
    assert_eq!((dry.status, &dry.json["total"]), (200, &json!(30)), "{}", dry.text);
    assert_eq!(dry.json["devices"].as_array().unwrap().len(), 20);
    assert!(rig.store.tasks(None, None, 100).await.unwrap().is_empty());
    let asked = rig.post("/bulk", body).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let key = asked.json["id"].as_str().unwrap();
    assert_eq!(asked.headers["location"], format!("/api/v1/bulk/{key}"));
    let told = over(&rig, key).await;
    assert_eq!(
        (&told["state"], &told["done"], &told["failed"]),
        (&json!("done"), &json!(30), &json!(0))
    );
    assert_eq!((&told["action"], &told["task"]), (&json!("task"), &json!("reboot")));
    let tasks = rig.store.tasks(None, None, 100).await.unwrap();
    assert_eq!(tasks.len(), 30);
    assert!(tasks.iter().all(|task| task.device < id("0030")));
    assert_eq!(rig.get("/bulk").await.json["items"][0]["id"], *key);
}

#[tokio::test]
async fn labels_are_changed_and_devices_forgotten() {
    let rig = rig(40).await;
    let body = json!({"filter": "\"old\" in tags", "action": {"labels": {"add_tags": ["new"], "remove_tags": ["old"]}}});
    let asked = rig.post("/bulk", body).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let told = over(&rig, asked.json["id"].as_str().unwrap()).await;
    assert_eq!(told["done"], 20, "{told}");
    assert_eq!(rig.get("/devices?tag=new&count=true").await.json["total"], 20);
    let ids = [id("0000").to_string(), id("0039").to_string()];
    let asked = rig.post("/bulk", json!({"ids": ids, "action": "forget"})).await;
    let told = over(&rig, asked.json["id"].as_str().unwrap()).await;
    assert_eq!((&told["done"], &told["action"]), (&json!(2), &json!("forget")));
    assert_eq!(rig.get("/devices?count=true").await.json["total"], 38);
}

#[tokio::test]
async fn what_is_not_meant_is_not_begun() {
    let rig = rig(4).await;
    let reboot = json!({"task": {"action": "reboot"}});
    for (body, status, code) in [
        (json!({"query": {}, "action": reboot, "expected": 3}), 409, "other-count"),
        (json!({"action": reboot}), 400, "bad-value"),
        (json!({"query": {}, "filter": "true", "action": reboot}), 400, "bad-value"),
        (json!({"filter": "tru", "action": reboot}), 400, "bad-value"),
        (json!({"ids": [], "action": reboot}), 400, "bad-value"),
        (json!({"ids": [id("9")], "action": reboot}), 404, "not-found"),
        (json!({"query": {}, "action": {"task": {"action": "get"}}}), 400, "bad-value"),
        (json!({"query": {}, "action": "explode"}), 400, "bad-value"),
        (json!({"query": {"colour": "red"}, "action": "wake"}), 400, "malformed"),
        (json!({"query": {}, "action": "wake", "deadline": 0}), 400, "bad-value"),
    ] {
        let refused = rig.post("/bulk", body.clone()).await;
        let told = (refused.status, refused.json["code"].as_str());
        assert_eq!(told, (status, Some(code)), "{body}: {}", refused.text);
    }
    assert_eq!(rig.get("/bulk").await.json["items"], json!([]));
}

/// The record of a change that a former run of the server left.
fn left(key: u128, after: Option<&str>, reach: Reach) -> BulkRecord {
    let asked =
        json!({"which": {}, "ids": null, "action": {"task": {"action": "reboot"}}, "wake": false});
    BulkRecord {
        id: key,
        created_by: "admin".into(),
        token: "".into(),
        rights: provost::access::Right::ALL.to_vec(),
        reach,
        created_at: NOW,
        expires_at: Timestamp::from_millis(NOW.as_millis() + 1000),
        asked: asked.to_string().into(),
        page: None,
        after: after.map(id),
        total: 10,
        done: 4,
        failed: 0,
        problems: Vec::new(),
        ended_at: None,
        cancelled: false,
        left_out: 0,
        stopped: "".into(),
    }
}

#[tokio::test]
async fn a_change_goes_on_behind_the_last_device_after_a_restart() {
    let rig = rig(10).await;
    let bulk = left(7, Some("0003"), Reach::WHOLE);
    rig.end().await;
    rig.put(Record::Office(OfficeRecord::Bulk(Box::new(bulk)))).await;
    let again = rig.restart();
    let told = over(&again, "00000000-0000-0000-0000-000000000007").await;
    assert_eq!((&told["done"], &told["state"]), (&json!(10), &json!("done")));
    let tasks = again.store.tasks(None, None, 100).await.unwrap();
    let mut devices: Vec<_> = tasks.iter().map(|task| task.device.clone()).collect();
    devices.sort();
    assert_eq!(devices, (4..10).map(|serial| id(&format!("{serial:04}"))).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_change_reaches_no_further_than_whoever_asked() {
    let rig = rig(4).await;
    let mut labels = Labels { revision: 1, tenant: "north".into(), ..Labels::default() };
    labels.tags.insert("x".into());
    rig.put(Record::Labels(id("0003"), labels)).await;
    let bulk = left(7, None, Reach::of_tenant("north"));
    rig.end().await;
    rig.put(Record::Office(OfficeRecord::Bulk(Box::new(bulk)))).await;
    let again = rig.restart();
    over(&again, "00000000-0000-0000-0000-000000000007").await;
    let tasks = again.store.tasks(None, None, 100).await.unwrap();
    assert_eq!(tasks.iter().map(|task| task.device.clone()).collect::<Vec<_>>(), [id("0003")]);
}

#[tokio::test]
async fn a_change_can_be_cancelled() {
    let mut config = Config::default();
    config.northbound.bulk_per_second = 1;
    let rig = Rig::with(config);
    rig.put_devices((0..60).map(|serial| device(&format!("{serial:04}")))).await;
    let body = json!({"query": {}, "action": {"task": {"action": "reboot"}}, "wake": false});
    let asked = rig.post("/bulk", body).await;
    let path = format!("/bulk/{}/cancel", asked.json["id"].as_str().unwrap());
    // The first devices are dealt with at once, and the next half a minute later.
    let cancelled = rig.send(Method::POST, &path, None).await;
    assert_eq!((cancelled.status, &cancelled.json["state"]), (200, &json!("cancelled")));
    let done = cancelled.json["done"].as_u64().unwrap();
    assert!(done <= 25, "{done}");
    assert_eq!(rig.store.tasks(None, None, 100).await.unwrap().len() as u64, done);
    for absent in ["/bulk/x", "/bulk/00000000-0000-0000-0000-000000000008"] {
        assert_eq!(rig.get(absent).await.status, 404);
    }
}

fn merged(body: &Value, name: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[name] = value;
    body
}
