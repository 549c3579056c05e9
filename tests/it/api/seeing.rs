//! History, sessions, traces and trees in the northbound.

use std::time::Duration;

use provost::device::{
    Event, EventCode, EventKind, RpcOutcome, RpcRecord, SessionRecord, TaskId, TraceDirection,
    TraceEntry,
};
use provost::param::{ParamPath, Tree, Value};
use provost::store::Record;
use serde_json::json;

use super::rig::NOW;
use super::{Rig, device, id};

async fn rig() -> (Rig, String) {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    (rig, format!("/devices/{}", id("1")))
}

#[tokio::test]
async fn events_are_filtered_by_kind_and_time() {
    let (rig, at) = rig().await;
    for (minute, kind) in [
        (0, EventKind::FirstContact),
        (1, EventKind::Inform(vec![EventCode::Boot])),
        (2, EventKind::Alarm("see http://u:c4n4ry@h/".into())),
        (3, EventKind::Inform(vec![EventCode::Boot])),
    ] {
        let at = NOW.after(Duration::from_secs(minute * 60));
        rig.put(Record::Event(Event { device: id("1"), at, kind })).await;
    }
    let count = async |query: &str| {
        let answer = rig.get(&format!("{at}/events{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        assert!(!answer.text.contains("c4n4ry"));
        answer.json["items"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 4);
    assert_eq!(count("?kind=inform").await, 2);
    assert_eq!(count("?kind=inform&limit=1").await, 1);
    assert_eq!(count(&format!("?since={}", NOW.after(Duration::from_secs(90)))).await, 2);
    for bad in ["?kind=nothing", "?since=yesterday", "?limit=0"] {
        let answer = rig.get(&format!("{at}/events{bad}")).await;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.text);
    }
}

#[tokio::test]
async fn sessions_are_shown_with_their_rpcs() {
    let (rig, at) = rig().await;
    let rpc = |method: &str, by_device, outcome| RpcRecord {
        method: method.into(),
        by_device,
        after: 5,
        took: 7,
        outcome,
        task: Some(TaskId(3)),
    };
    let session = SessionRecord {
        device: id("1"),
        began_at: NOW,
        took: 90,
        address: Some("192.0.2.7".parse().unwrap()),
        events: vec![EventCode::Boot],
        rpcs: vec![
            rpc("TransferComplete", true, RpcOutcome::Answered),
            rpc("Reboot", false, RpcOutcome::Fault(9001, "no".into())),
            rpc("Reboot", false, RpcOutcome::Unanswered),
        ],
        left_out: 2,
        end: "the device fell silent".into(),
    };
    rig.put(Record::Session(Box::new(session))).await;
    let answer = rig.get(&format!("{at}/sessions?limit=1")).await;
    let session = &answer.json["items"][0];
    assert_eq!(session["end"], "the device fell silent", "{}", answer.text);
    assert_eq!(session["rpcs"][0]["by"], "device");
    assert_eq!(session["rpcs"][1]["fault_code"], 9001);
    assert_eq!(session["rpcs"][2]["outcome"], "unanswered");
    assert_eq!(rig.get("/devices/00D09E-NONE/sessions").await.status, 404);
}

#[tokio::test]
async fn traces_have_their_limits_and_tell_a_story() {
    let (rig, at) = rig().await;
    let trace = format!("{at}/trace");
    assert_eq!(rig.get(&trace).await.json, json!({"on": false, "until": null, "messages": 0}));
    for minutes in [0, 1441] {
        let refused = rig.post(&trace, json!({"minutes": minutes})).await;
        assert_eq!((refused.status, &refused.json["code"]), (400, &json!("bad-value")));
    }
    assert_eq!(rig.post("/devices/00D09E-NONE/trace", json!({"minutes": 1})).await.status, 404);
    let on = rig.post(&trace, json!({"minutes": 30})).await;
    assert_eq!((on.status, &on.json["on"]), (200, &json!(true)), "{}", on.text);

    for (millis, direction, text) in [
        (0, TraceDirection::FromDevice, "the device informs"),
        (40, TraceDirection::ToDevice, "we acknowledge"),
    ] {
        let entry = TraceEntry {
            device: id("1"),
            session: NOW,
            at: NOW.after(Duration::from_millis(millis)),
            direction,
            sentence: text.into(),
            body: "<a></a>".into(),
            size: 7,
            is_whole: true,
        };
        rig.put(Record::Trace(Box::new(entry))).await;
    }
    let story = rig.get(&format!("{trace}/story")).await;
    let lines = &story.json["items"][0]["lines"];
    assert_eq!((&lines[0]["from"], &lines[1]["after_ms"]), (&json!("device"), &json!(40)));
    let messages = rig.get(&format!("{trace}/messages")).await;
    assert_eq!(messages.json["items"][1]["body"], "<a></a>", "{}", messages.text);

    rig.put_devices((2..22).map(|n| device(&n.to_string()))).await;
    for n in 2..21 {
        let path = format!("/devices/{}/trace", id(&n.to_string()));
        assert_eq!(rig.post(&path, json!({"minutes": 1})).await.status, 200, "{n}");
    }
    let path = format!("/devices/{}/trace", id("21"));
    let refused = rig.post(&path, json!({"minutes": 1})).await;
    assert_eq!((refused.status, &refused.json["code"]), (409, &json!("traces-full")));
    assert_eq!(rig.delete(&trace).await.status, 204);
    assert_eq!(rig.get(&format!("{trace}/story")).await.json, json!({"items": []}));
    assert_eq!(rig.post(&path, json!({"minutes": 1})).await.status, 200);
}

#[tokio::test]
async fn a_tree_is_exported_without_secrets() {
    let (rig, at) = rig().await;
    let mut tree = Tree::new();
    for (name, text) in [
        ("Device.Users.User.1.Password", "c4n4ry"),
        ("Device.WiFi.SSID.1.SSID", "home"),
        ("Device.DeviceInfo.SoftwareVersion", "1.0"),
    ] {
        tree.learn_value(&ParamPath::parse(name).unwrap(), Value::string(text), NOW);
    }
    rig.put(Record::Tree(id("1"), tree.into())).await;
    let plain = rig.get(&format!("{at}/tree")).await;
    assert!(plain.text.contains("home") && !plain.text.contains("c4n4ry"), "{}", plain.text);
    assert_eq!(plain.json["format"], "provost-tree");
    let anonymous = rig.get(&format!("{at}/tree?anonymous=true")).await;
    assert!(!anonymous.text.contains("home") && anonymous.text.contains("\"1.0\""));
    assert_eq!(anonymous.json["device"]["serial_number"], "ANONYMOUS");
}
