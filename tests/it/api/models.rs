//! What models can take: shown, overridden, exported, imported, forgotten.

use axum::http::Method;
use provost::device::{Ability, Lesson, ModelKey, ModelRecord, Proof};
use provost::store::Record;
use serde_json::json;

use super::rig::NOW;
use super::{Rig, id};

const VERSION: &str = "1.0/b%20 ?&=#";

/// A model whose version holds everything that a path cannot.
async fn learned(rig: &Rig) -> String {
    let mut record = ModelRecord::new(ModelKey::new("00D09E", "HG-100", VERSION).unwrap());
    let words = "GetParameterValues of 128 names was answered with fault 9004";
    for serial in ["1", "2"] {
        let lesson = Lesson::new(Ability::ReadBatch(64), Proof::Answer, words, NOW);
        assert!(record.hear(&id(serial), &lesson));
    }
    let single = Lesson::new(Ability::XmlDeclaration(false), Proof::Answer, "silence", NOW);
    assert!(record.hear(&id("3"), &single));
    rig.put(Record::Model(Box::new(record))).await;
    let version: String = VERSION.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("?oui=00d09e&product_class=HG-100&software_version={version}")
}

#[tokio::test]
async fn a_lesson_says_which_exchange_taught_it() {
    let rig = Rig::open();
    let query = learned(&rig).await;
    let shown = rig.get(&format!("/model{query}")).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(shown.json["software_version"], VERSION);
    assert_eq!(shown.json["learned"][0]["ability"], "read_batch");
    assert_eq!(shown.json["learned"][0]["value"], 64);
    let words = shown.json["learned"][0]["words"].as_str().unwrap();
    assert!(words.contains("answered with fault 9004"), "{words}");
    assert_eq!(shown.json["heard"][0]["value"], false, "one device alone");
    let list = rig.get("/models?oui=00D09E&limit=1").await;
    assert_eq!(list.json["items"][0], shown.json);
    assert!(list.json["next"].is_null());
    assert_eq!(rig.get("/models?oui=FFFFFF").await.json["items"], json!([]));
    assert_eq!(rig.get("/model?oui=FFFFFF").await.status, 404);
    assert_eq!(rig.get("/model").await.status, 400);

    assert_eq!(rig.delete(&format!("/model/lessons{query}")).await.status, 204);
    assert_eq!(rig.get(&format!("/model{query}")).await.status, 404);
}

#[tokio::test]
async fn an_operators_word_is_revisioned_and_checked() {
    let rig = Rig::open();
    let query = learned(&rig).await;
    let path = format!("/model/wishes{query}");
    let put = rig.put_json(&path, json!({"read_batch": 8, "root": "Device."})).await;
    assert_eq!(put.status, 201, "{}", put.text);
    assert_eq!(put.json["wishes"], json!({"read_batch": 8, "root": "Device."}));
    let stale =
        rig.raw(Method::PUT, &format!("/api/v1{path}"), &[("if-match", "\"7\"")], "{}").await;
    assert!(matches!(stale.status, 409 | 412), "{}", stale.text);
    assert_eq!(rig.put_json(&path, json!({"silence": 600})).await.json["revision"], 2);
    for bad in [
        json!({"read_batch": 0}),
        json!({"silence": 601}),
        json!({"root": "De vice"}),
        json!({"invented": 1}),
    ] {
        let answer = rig.put_json(&path, bad.clone()).await;
        assert!(matches!(answer.status, 400 | 422), "{bad}: {}", answer.text);
    }
    assert_eq!(rig.delete(&path).await.status, 204);
    assert_eq!(rig.delete(&path).await.status, 404);
    assert_eq!(rig.get(&format!("/model{query}")).await.json["revision"], 0);
}

#[tokio::test]
async fn an_export_names_no_device_and_is_taken_elsewhere() {
    let rig = Rig::open();
    let query = learned(&rig).await;
    let _ = rig.put_json(&format!("/model/wishes{query}"), json!({"max_value": 3072})).await;
    let exported = rig.get("/models/export").await;
    assert_eq!(exported.status, 200);
    for serial in ["1", "2", "3"] {
        assert!(!exported.text.contains(id(serial).as_str()), "{}", exported.text);
    }
    let before = rig.get(&format!("/model{query}")).await.json;

    let elsewhere = Rig::open();
    for _ in 0..2 {
        let taken = elsewhere.post("/models/import", exported.json.clone()).await;
        assert_eq!((taken.status, &taken.json["models"]), (200, &json!(1)), "{}", taken.text);
    }
    let after = elsewhere.get(&format!("/model{query}")).await.json;
    assert_eq!(after["learned"], before["learned"]);
    assert_eq!(after["wishes"], before["wishes"]);
    assert_eq!(after["heard"], json!([]), "what one device said is not passed on");

    let mut broken = exported.json.clone();
    broken["models"][0]["learned"][0]["value"] = json!(0);
    assert!(matches!(elsewhere.post("/models/import", broken).await.status, 400 | 422));
}
