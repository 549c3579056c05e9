//! What the northbound answers when a device can, cannot, or was never asked.

use provost::device::{Action, Outcome, Task, TaskState};
use provost::param::{ParamPath, Tree, Value};
use provost::store::{Notice, Record};
use provost::time::Timestamp;
use serde_json::json;

use crate::api::{Rig, device, id};

const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);
const CANARY: &str = "c4n4ry-passphrase";

/// A device with two radios, whose whole tree was read if `whole`.
async fn rig(whole: bool) -> Rig {
    let rig = Rig::open();
    let mut known = device("1");
    known.root = "Device.".into();
    known.tree_read_at = whole.then_some(NOW);
    rig.put_devices([known]).await;
    rig.put(Record::Tree(id("1"), tree().into())).await;
    rig
}

fn tree() -> Tree {
    let mut tree = Tree::new();
    for number in [1, 2] {
        for (name, value) in [
            (format!("Radio.{number}.OperatingFrequencyBand"), ["2.4GHz", "5GHz"][number - 1]),
            (format!("SSID.{number}.SSID"), ["Two", "Five"][number - 1]),
            (format!("SSID.{number}.LowerLayers"), &*format!("Device.WiFi.Radio.{number}.")),
            (
                format!("AccessPoint.{number}.SSIDReference"),
                &*format!("Device.WiFi.SSID.{number}."),
            ),
            (format!("AccessPoint.{number}.Security.KeyPassphrase"), CANARY),
        ] {
            let name = ParamPath::parse(&format!("Device.WiFi.{name}")).unwrap();
            tree.learn_value(&name, Value::string(value), NOW);
        }
    }
    tree
}

async fn tasks(rig: &Rig) -> Vec<Task> {
    rig.store.open_tasks(&id("1")).await.unwrap()
}

#[tokio::test]
async fn abilities_tell_what_is_and_mask_what_is_secret() {
    let rig = rig(true).await;
    let told = rig.get(&format!("/devices/{}/abilities", id("1"))).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert!(!told.text.contains(CANARY));
    let items = told.json["items"].as_array().unwrap();
    let wifi = items.iter().find(|one| one["intent"] == "wifi").unwrap();
    assert_eq!(wifi["state"], "supported");
    let five = &wifi["rows"][1];
    assert_eq!(five["which"], json!({"band": "5GHz", "network": "main"}));
    let field = |name: &str| {
        five["fields"].as_array().unwrap().iter().find(|one| one["field"] == name).unwrap()
    };
    assert_eq!(field("name")["value"], "Five");
    assert_eq!(field("name")["basis"], "standard");
    assert_eq!(field("password")["value"], "***");
    let sip = items.iter().find(|one| one["intent"] == "sip").unwrap();
    assert_eq!((&sip["state"], &sip["rows"]), (&json!("not_supported"), &json!([])));
    let missing = rig.get("/devices/00D09E-none/abilities").await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn what_is_wanted_becomes_one_task_that_says_what_it_touches() {
    let rig = rig(true).await;
    let path = format!("/devices/{}/intents", id("1"));
    let wish = json!({"intent": "wifi", "band": "5GHz", "name": "Home", "password": CANARY});
    let mut dry = wish.clone();
    dry["dry_run"] = json!(true);
    let told = rig.post(&path, dry).await;
    assert_eq!((told.status, &told.json["task"]), (200, &json!(null)), "{}", told.text);
    assert_eq!(tasks(&rig).await.len(), 0);

    let asked = rig.post(&path, wish).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    assert!(!asked.text.contains(CANARY));
    let touched: Vec<&str> = asked.json["touched"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["paths"][0].as_str().unwrap())
        .collect();
    assert_eq!(
        touched,
        ["Device.WiFi.SSID.2.SSID", "Device.WiFi.AccessPoint.2.Security.KeyPassphrase"]
    );
    let [task] = &*tasks(&rig).await else { panic!("one task") };
    assert_eq!(asked.json["task"]["id"], task.id.to_string());
    let Action::Converge(desired) = &task.action else { panic!("{task:?}") };
    assert_eq!(desired.values.len(), 2);
    assert_eq!(&*desired.sources[0].layer, "operator");
}

#[tokio::test]
async fn what_a_device_cannot_do_is_a_problem_and_no_task() {
    let rig = rig(true).await;
    let path = format!("/devices/{}/intents", id("1"));
    for (wish, status, code) in [
        (json!({"intent": "wifi", "band": "6GHz", "name": "x"}), 409, "not-supported"),
        (json!({"intent": "pppoe", "username": "x"}), 409, "not-supported"),
        (json!({"intent": "wifi", "password": "short"}), 400, "bad-value"),
        (json!({"intent": "wifi", "nane": "x"}), 400, "bad-value"),
        (json!({"intent": "fly"}), 400, "bad-value"),
        (json!({"intent": "wifi", "name": "x", "deadline": 0}), 400, "bad-value"),
        (json!({"name": "x"}), 400, "malformed"),
    ] {
        let refused = rig.post(&path, wish.clone()).await;
        assert_eq!((refused.status, &refused.json["code"]), (status, &json!(code)), "{wish}");
    }
    assert_eq!(tasks(&rig).await.len(), 0);
}

#[tokio::test]
async fn what_was_never_asked_is_read_once_and_told() {
    let rig = rig(false).await;
    let path = format!("/devices/{}/intents", id("1"));
    let wish = json!({"intent": "pppoe", "username": "x"});
    for _ in 0..2 {
        let told = rig.post(&path, wish.clone()).await;
        assert_eq!((told.status, &told.json["code"]), (409, &json!("not-known-yet")));
        assert!(told.json["detail"].as_str().unwrap().contains("Device.PPP."), "{}", told.text);
    }
    let [task] = &*tasks(&rig).await else { panic!("read once") };
    let below = ParamPath::parse("Device.PPP.").unwrap();
    assert_eq!(task.action, Action::Refresh(Some(below)));
}

#[tokio::test]
async fn with_learn_it_goes_on_when_what_is_missing_was_read() {
    let rig = rig(false).await;
    let path = format!("/devices/{}/intents?wait=30", id("1"));
    let wish = json!({"intent": "wifi", "band": "5GHz", "name": "Home", "learn": true});
    let device_reads = async {
        let mut notices = rig.store.watch();
        loop {
            let Notice::Task { id: key, ended: false, .. } = notices.recv().await.unwrap() else {
                continue;
            };
            let mut task = rig.store.task(key).await.unwrap().unwrap();
            let done = matches!(task.action, Action::Converge(_));
            if matches!(task.action, Action::Refresh(_)) {
                // All names of its Wi-Fi are told now.
                let mut tree = tree();
                for name in ["", "Radio.", "Radio.1.", "Radio.2.", "SSID.", "SSID.1.", "SSID.2."]
                    .into_iter()
                    .chain(["AccessPoint.", "AccessPoint.1.", "AccessPoint.2."])
                {
                    let name = ParamPath::parse(&format!("Device.WiFi.{name}")).unwrap();
                    tree.learn_name(&name, true, NOW);
                }
                for (name, _) in self::tree().iter() {
                    tree.learn_name(name, true, NOW);
                }
                rig.put(Record::Tree(id("1"), tree.into())).await;
            }
            task.revision += 1;
            task.state = TaskState::Ended { at: task.created_at, outcome: Outcome::Applied };
            rig.put(Record::Task(Box::new(task))).await;
            if done {
                return;
            }
        }
    };
    let (asked, ()) = tokio::join!(rig.post(&path, wish), device_reads);
    assert_eq!(asked.status, 200, "{}", asked.text);
    assert_eq!(asked.json["task"]["state"], "applied");
}
