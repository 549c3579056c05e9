//! `/tasks`: the RPCs beside the parameters, as they are asked and shown.

use axum::http::Method;
use provost::device::{Outcome, Phase, Task, TaskResult, TaskState};
use provost::store::Record;
use serde_json::{Value, json};

use super::rig::NOW;
use super::{Rig, device, id};

const UUID: &str = "00010203-0405-0607-0809-0a0b0c0d0e0f";

async fn rig() -> (Rig, String) {
    let rig = Rig::open();
    rig.put_devices([device("1"), device("2")]).await;
    let upload = rig.raw(Method::POST, "/api/v1/files?name=fw.bin&version=2", &[], "x").await;
    let sha256 = upload.json["sha256"].as_str().unwrap().to_owned();
    (rig, sha256)
}

async fn asked(rig: &Rig, body: &Value) -> Task {
    let answer = rig.post(&format!("/devices/{}/tasks", id("1")), body.clone()).await;
    assert_eq!(answer.status, 202, "{body}: {}", answer.text);
    let task = answer.json["id"].as_str().unwrap().parse().unwrap();
    rig.store.task(task).await.unwrap().unwrap()
}

async fn advance(rig: &Rig, task: &mut Task, state: TaskState) {
    task.revision += 1;
    task.state = state;
    rig.put(Record::Task(Box::new(task.clone()))).await;
}

#[tokio::test]
async fn each_rpc_is_stored_as_it_was_asked_and_shown_without_secrets() {
    let (rig, sha256) = rig().await;
    let canary = "Canary-Password-1";
    for body in [
        json!({"action": "set_attributes", "attributes": [
            {"name": "Device.X_A", "notification": 2},
            {"name": "Device.X_B.", "notification": 6, "access_list": ["Subscriber"]},
            {"name": "Device.X_C", "access_list": []}]}),
        json!({"action": "get_attributes", "names": ["Device.X_A", "Device.X_B."]}),
        json!({"action": "upload", "file_type": "3 Vendor Configuration File 1", "delay": 60}),
        json!({"action": "upload", "file_type": "X EXAMPLE Core Dump", "delay": 0}),
        json!({"action": "schedule_inform", "delay": 3600}),
        json!({"action": "get_queued_transfers"}),
        json!({"action": "get_all_queued_transfers"}),
        json!({"action": "get_options", "option": "VPN"}),
        json!({"action": "get_options"}),
    ] {
        let task = asked(&rig, &body).await;
        assert_eq!(task.action.word(), body["action"]);
        let shown = rig.get(&format!("/tasks/{}", task.id)).await.json;
        for (key, value) in body.as_object().unwrap() {
            assert_eq!(&shown[key], value, "{key} of {body}");
        }
    }
    let task = asked(
        &rig,
        &json!({"action": "schedule_download", "file": sha256,
            "windows": [{"start": 0, "end": 60}, {"start": 60, "end": 90, "mode": "3 When Idle", "max_retries": 2}]}),
    )
    .await;
    let shown = rig.get(&format!("/tasks/{}", task.id)).await.json;
    assert_eq!(shown["file"]["name"], "fw.bin");
    assert_eq!(shown["windows"][0]["mode"], "1 At Any Time");
    assert_eq!(shown["windows"][1]["max_retries"], 2);

    let body = json!({"action": "change_du_state", "operations": [
        {"operation": "install", "url": "https://units.example.net/a", "username": "u", "password": canary},
        {"operation": "update"},
        {"operation": "uninstall", "uuid": UUID}]});
    let task = asked(&rig, &body).await;
    let shown = rig.get(&format!("/tasks/{}", task.id)).await;
    assert!(!shown.text.contains(canary));
    assert_eq!(shown.json["operations"][0]["password"], "***");
    assert_eq!(shown.json["operations"][2]["uuid"], UUID);

    let voucher = "Q2FuYXJ5LVZvdWNoZXI=";
    let task = asked(&rig, &json!({"action": "set_vouchers", "vouchers": [voucher]})).await;
    let shown = rig.get(&format!("/tasks/{}", task.id)).await;
    assert!(!shown.text.contains(voucher));
    assert_eq!(shown.json["vouchers"], json!(["***"]));
}

#[tokio::test]
async fn results_are_shown_by_name() {
    let (rig, _) = rig().await;
    let mut task = asked(&rig, &json!({"action": "get_options"})).await;
    task.results = vec![TaskResult::new("VPN", "enabled"), TaskResult::new("url", "http://u:p@h/")];
    advance(&rig, &mut task, TaskState::Ended { at: NOW, outcome: Outcome::Applied }).await;
    let shown = rig.get(&format!("/tasks/{}", task.id)).await.json;
    assert_eq!(shown["results"][0], json!({"name": "VPN", "value": "enabled"}));
    assert!(!shown["results"][1]["value"].as_str().unwrap().contains("u:p"));
}

#[tokio::test]
async fn nonsense_never_reaches_a_device() {
    let (rig, sha256) = rig().await;
    let operations = |one: Value| json!({"action": "change_du_state", "operations": [one]});
    let windows =
        |list: Value| json!({"action": "schedule_download", "file": sha256, "windows": list});
    let attributes = |one: Value| json!({"action": "set_attributes", "attributes": [one]});
    for (body, field) in [
        (json!({"action": "set_attributes"}), "attributes"),
        (json!({"action": "set_attributes", "attributes": []}), "attributes"),
        (attributes(json!({"name": "Device.X_A"})), "attributes[0]"),
        (
            attributes(json!({"name": "Device.X_A", "notification": 7})),
            "attributes[0].notification",
        ),
        (attributes(json!({"name": "A B", "notification": 1})), "attributes[0].name"),
        (
            json!({"action": "set_attributes", "attributes": [
                {"name": "A.B", "notification": 1}, {"name": "A.B", "notification": 2}]}),
            "attributes[1].name",
        ),
        (json!({"action": "get_attributes"}), "names"),
        (json!({"action": "upload"}), "file_type"),
        (json!({"action": "upload", "file_type": "logs"}), "file_type"),
        (json!({"action": "upload", "file_type": "4 Log", "delay": 99_999_999}), "delay"),
        (json!({"action": "schedule_inform"}), "delay"),
        (json!({"action": "schedule_inform", "delay": 0}), "delay"),
        (json!({"action": "reboot", "delay": 1}), "delay"),
        (json!({"action": "schedule_download", "file": sha256}), "windows"),
        (windows(json!([])), "windows"),
        (windows(json!([{"start": 5, "end": 5}])), "windows"),
        (windows(json!([{"start": 0, "end": 9}, {"start": 8, "end": 10}])), "windows"),
        (windows(json!([{"start": 0, "end": 9, "mode": "whenever"}])), "windows"),
        (json!({"action": "cancel_transfer"}), "task"),
        (json!({"action": "change_du_state", "operations": []}), "operations"),
        (operations(json!({"operation": "install"})), "operations[0].url"),
        (
            operations(json!({"operation": "install", "url": "file:///etc/passwd"})),
            "operations[0].url",
        ),
        (operations(json!({"operation": "install", "url": "http://u:p@h/"})), "operations[0].url"),
        (operations(json!({"operation": "uninstall"})), "operations[0].uuid"),
        (operations(json!({"operation": "uninstall", "uuid": "x"})), "operations[0].uuid"),
        (
            operations(json!({"operation": "uninstall", "uuid": UUID, "password": "x"})),
            "operations[0].password",
        ),
        (json!({"action": "set_vouchers", "vouchers": ["not base64!"]}), "vouchers[0]"),
        (json!({"action": "get_options", "option": "a\u{0}b"}), "option"),
    ] {
        let answer = rig.post(&format!("/devices/{}/tasks", id("1")), body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("{field}: ")), "{body}: {detail}");
    }
    assert!(rig.store.tasks(None, None, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_a_transfer_that_runs_can_be_cancelled() {
    let (rig, sha256) = rig().await;
    let cancel = |task: String| json!({"action": "cancel_transfer", "task": task});
    let path = |serial| format!("/devices/{}/tasks", id(serial));
    let mut transfer = asked(&rig, &json!({"action": "download", "file": sha256})).await;
    let reboot = asked(&rig, &json!({"action": "reboot"})).await;
    let name = transfer.id.to_string();
    assert_eq!(rig.post(&path("1"), cancel(name.clone())).await.status, 400, "not sent yet");
    assert_eq!(rig.post(&path("1"), cancel(reboot.id.to_string())).await.status, 400);
    assert_eq!(rig.post(&path("1"), cancel("nonsense".into())).await.status, 404);
    advance(&rig, &mut transfer, TaskState::Sent { at: NOW, phase: Phase::Transfer }).await;
    assert_eq!(rig.post(&path("2"), cancel(name.clone())).await.status, 404, "another device");
    let task = asked(&rig, &cancel(name.clone())).await;
    assert_eq!(rig.get(&format!("/tasks/{}", task.id)).await.json["task"], *name);
    advance(&rig, &mut transfer, TaskState::Ended { at: NOW, outcome: Outcome::Applied }).await;
    assert_eq!(rig.post(&path("1"), cancel(name)).await.status, 409, "it is over");
}
