//! What is to be queued is held against what is known of the device.

use provost::device::ModelKey;
use provost::param::{ParamPath, Tree, Value};
use provost::schema::{LearnedParameter, LearnedParameters};
use provost::store::Record;
use serde_json::{Value as Json, json};

use crate::api::rig::NOW;
use crate::api::{Rig, device, id};

async fn rig() -> Rig {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    rig
}

async fn ask(rig: &Rig, body: Json) -> (u16, Json) {
    let answer = rig.post(&format!("/devices/{}/tasks", id("1")), body).await;
    (answer.status, answer.json)
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_with_the_nearest_name() {
    let rig = rig().await;
    let (status, problem) = ask(
        &rig,
        json!({"action": "set", "values": [
            {"name": "Device.WiFi.SSID.1.SSDI", "value": "home"},
            {"name": "Device.WiFi.Radio.1.Channel", "value": "900"},
            {"name": "Device.DeviceInfo.UpTime", "value": "1"},
            {"name": "Device.WiFi.SSID.1.Enable", "value": "canary-value"},
            {"name": "Device.WiFi.SSID.1.SSID", "value": "fine"},
        ]}),
    )
    .await;
    assert_eq!((status, &problem["code"]), (400, &json!("not-fitting")), "{problem}");
    let told: Vec<(&str, &str)> = problem["misfits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["field"].as_str().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    let expected = [
        ("values[0].name", "unknown-path"),
        ("values[1].value", "out-of-range"),
        ("values[2].name", "read-only"),
        ("values[3].value", "wrong-type"),
    ];
    assert_eq!(told, expected);
    assert_eq!(problem["misfits"][0]["nearest"], "Device.WiFi.SSID.{i}.SSID");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("Device.WiFi.SSID.1.SSDI is not known"), "{detail}");
    assert!(detail.contains("and 1 more"), "{detail}");
    assert!(!problem.to_string().contains("canary-value"), "values are never told");
    let queued = rig.get("/tasks").await;
    assert_eq!(queued.json["items"], json!([]), "nothing was queued");
}

#[tokio::test]
async fn every_action_on_parameters_is_checked() {
    let rig = rig().await;
    for (body, field) in [
        (json!({"action": "get", "names": ["Device.Nothing"]}), "names[0]"),
        (json!({"action": "get_attributes", "names": ["Device.Wifi."]}), "names[0]"),
        (
            json!({"action": "set_attributes", "attributes": [
                {"name": "Device.Nothing", "notification": 2}]}),
            "attributes[0]",
        ),
        (json!({"action": "add_object", "path": "Device.DeviceInfo."}), "path"),
        (
            json!({"action": "add_object", "path": "Device.NAT.PortMapping.", "values": [
                {"name": "ExternalPort", "value": "70000"}]}),
            "values[0].value",
        ),
        (json!({"action": "delete_object", "path": "Device.Ethernet.Interface.1."}), "path"),
    ] {
        let (status, problem) = ask(&rig, body.clone()).await;
        assert_eq!((status, &problem["misfits"][0]["field"]), (400, &json!(field)), "{problem}");
        let mut unchecked = body;
        unchecked["unchecked"] = true.into();
        let (status, task) = ask(&rig, unchecked).await;
        assert_eq!(status, 202, "{task}");
    }
}

#[tokio::test]
async fn what_the_device_or_its_model_told_is_taken() {
    let rig = rig().await;
    let set = |name: &str, value: &str| json!({"action": "set", "values": [{"name": name, "value": value}]});
    assert_eq!(ask(&rig, set("Device.Own.Level", "1")).await.0, 400);
    assert_eq!(ask(&rig, set("Device.X_ACME_Any", "1")).await.0, 202);
    let mut tree = Tree::new();
    let own = ParamPath::parse("Device.Own.Level").unwrap();
    tree.learn_value(&own, Value::unsigned(3), NOW);
    rig.put(Record::Tree(id("1"), tree.into())).await;
    assert_eq!(ask(&rig, set("Device.Own.Level", "1")).await.0, 202);
    assert_eq!(ask(&rig, set("Device.Own.Level", "high")).await.0, 400, "it calls it a number");
    let key = ModelKey::of(&device("1"));
    let learned = LearnedParameter {
        path: "Device.X_ACME_Power".into(),
        kind: "int".into(),
        writable: Some(true),
    };
    let learned = LearnedParameters { key: key.clone(), parameters: vec![learned] };
    rig.put(Record::LearnedParameters(Box::new(learned))).await;
    assert_eq!(ask(&rig, set("Device.X_ACME_Power", "much")).await.0, 400, "others told its type");
    let told = rig.get("/datamodel/learned?oui=00D09E&product_class=HG-100&software_version=1.0");
    let told = told.await;
    assert_eq!(told.json["parameters"][0]["path"], "Device.X_ACME_Power", "{}", told.text);
}

#[tokio::test]
async fn the_models_can_be_looked_up() {
    let rig = rig().await;
    let shown = rig.get("/datamodel?path=Device.WiFi.Radio.1.Channel").await;
    assert_eq!(shown.json["described"]["range"], "1..255", "{}", shown.text);
    let object = rig.get("/datamodel?path=Device.NAT.PortMapping.").await;
    assert_eq!(object.json["described"]["creatable"], true, "{}", object.text);
    assert!(object.json["described"]["parameters"].as_array().unwrap().len() > 5);
    let found = rig.get("/datamodel?search=nat%20externalport&model=Device:2.19").await;
    assert_eq!(found.json["items"][0]["path"], "Device.NAT.PortMapping.{i}.ExternalPort");
    let cut = rig.get("/datamodel?search=Enable&limit=3").await;
    assert_eq!(cut.json["items"].as_array().unwrap().len(), 3);
    assert_eq!(cut.json["more"], true);
    let none = rig.get("/datamodel?path=Device.WiFi.Radio.1.Chanel").await;
    assert_eq!(none.status, 404);
    assert!(none.text.contains("Device.WiFi.Radio.{i}.Channel"), "{}", none.text);
    for wrong in ["", "?path=Device.&search=x", "?search=%20", "?path=a%20b"] {
        assert_eq!(rig.get(&format!("/datamodel{wrong}")).await.status, 400, "{wrong}");
    }
}
