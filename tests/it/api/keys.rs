//! Keys of secrets at rest, over the northbound.

use serde_json::json;

use super::{Rig, device, id};
use crate::lab::Lab;

#[tokio::test]
async fn a_key_is_made_listed_and_retired_when_nothing_needs_it() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let site = json!({"access": {"logins": [{"user": "phones", "password": "s3cret"}]}});
    assert_eq!(rig.put_json("/sites/hq", site).await.status, 201);
    let keys = rig.get("/keys").await.json;
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
    let first = keys["items"][0]["id"].as_str().unwrap().to_owned();
    let made = rig.post("/keys/rotate", json!({"derived": true})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let current = &made.json["items"][1];
    assert_eq!((&current["current"], &current["derives"]), (&json!(true), &json!(true)));
    let refused = rig.delete(&format!("/keys/{first}")).await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (409, &json!("in-use")),
        "{}",
        refused.text
    );
    // What the server does in the background.
    rig.keys.keep_up().await.unwrap();
    let keys = rig.get("/keys").await.json;
    assert_eq!(keys["items"][0]["seals"], 0, "{keys}");
    assert_eq!(keys["walk"]["running"], false, "{keys}");
    assert_eq!(rig.delete(&format!("/keys/{first}")).await.status, 204);
    assert_eq!(rig.delete(&format!("/keys/{first}")).await.status, 404);
    assert_eq!(rig.delete("/keys/x").await.status, 404);
    assert_eq!(rig.get("/sites/hq").await.status, 200);
    let actions: Vec<String> = rig.get("/audit?limit=3").await.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(actions, ["key.retire", "key.rotate", "site.create"]);
    assert_eq!(rig.post("/keys/rotate", json!({"x": 1})).await.status, 400);
    assert!(!rig.get(&format!("/devices/{}", id("1"))).await.text.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_written_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::create_dir(&keys).unwrap();
    let set = format!("store.key_file={}", keys.join("secrets.key").display());
    let lab = Lab::with(&[&set]).await;
    let away = folder.path().join("away");
    std::fs::rename(&keys, &away).unwrap();
    let (status, refused) = lab.call("POST", "/api/v1/keys/rotate", "{}").await;
    assert_eq!((status, &refused["code"]), (503, &json!("keys-not-writable")), "{refused}");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.starts_with("the keys cannot be written: "), "{detail}");
    assert!(refused["hint"].as_str().unwrap().contains("folder"), "{refused}");
    let (_, listed) = lab.call("GET", "/api/v1/keys", "").await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    // It goes as soon as the folder is there again.
    std::fs::rename(&away, &keys).unwrap();
    let (status, made) = lab.call("POST", "/api/v1/keys/rotate", "{}").await;
    assert_eq!((status, made["items"].as_array().map(Vec::len)), (201, Some(2)), "{made}");
}
