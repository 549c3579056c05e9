//! `/tasks`: asking something of a device.

use axum::http::Method;
use provost::device::{FaultRecord, Outcome, Phase, Task, TaskState};
use provost::store::Record;
use serde_json::{Value, json};

use super::rig::NOW;
use super::{Rig, device, id};

async fn rig() -> Rig {
    let rig = Rig::open();
    rig.put_devices([device("1"), device("2")]).await;
    rig
}

async fn queue(rig: &Rig, body: Value) -> Task {
    let answer = rig.post(&format!("/devices/{}/tasks", id("1")), body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json["state"], "queued");
    let task = answer.json["id"].as_str().unwrap().parse().unwrap();
    rig.store.task(task).await.unwrap().unwrap()
}

/// What a device's session would write.
async fn advance(rig: &Rig, mut task: Task, state: TaskState) {
    task.revision += 1;
    task.state = state;
    rig.put(Record::Task(Box::new(task))).await;
}

#[tokio::test]
async fn each_action_is_stored_as_it_was_asked() {
    let rig = rig().await;
    let upload = rig.raw(Method::POST, "/api/v1/files?name=fw.bin&version=2", &[], "x");
    let sha256 = upload.await.json["sha256"].as_str().unwrap().to_owned();
    for (body, word) in [
        (json!({"action": "get", "names": ["Device.", "Device.X_A"]}), "get"),
        (json!({"action": "set", "values": [{"name": "Device.X_A", "value": "1"}]}), "set"),
        (json!({"action": "refresh"}), "refresh"),
        (json!({"action": "refresh", "path": "Device.WiFi."}), "refresh"),
        (json!({"action": "add_object", "path": "Device.X_T."}), "add_object"),
        (json!({"action": "delete_object", "path": "Device.X_T.3."}), "delete_object"),
        (json!({"action": "download", "file": sha256}), "download"),
        (json!({"action": "reboot", "deadline": 60}), "reboot"),
        (json!({"action": "factory_reset"}), "factory_reset"),
        (json!({"action": "get_rpc_methods"}), "get_rpc_methods"),
    ] {
        let task = queue(&rig, body.clone()).await;
        assert_eq!(task.action.word(), word);
        let life = task.expires_at.since(NOW).as_secs();
        assert_eq!(life, body["deadline"].as_u64().unwrap_or(86_400));
        let shown = rig.get(&format!("/tasks/{}", task.id)).await;
        for key in ["action", "names", "path"] {
            assert_eq!(shown.json[key], body[key], "{key} of {body}");
        }
    }
    let open =
        rig.get(&format!("/tasks?device={}&state=open&limit=4", "00D09E-HG%252D100-1")).await;
    assert_eq!(open.json["items"].as_array().unwrap().len(), 4);
    let next = open.json["next"].as_str().unwrap();
    let rest = rig.get(&format!("/tasks?limit=100&after={next}")).await;
    assert_eq!(rest.json["items"].as_array().unwrap().len(), 6);
    assert_eq!(rest.json["next"], json!(null));
}

#[tokio::test]
async fn nonsense_never_reaches_a_device() {
    let rig = rig().await;
    let value = |name: &str, value: &str, kind: &str| json!({"action": "set", "values": [{"name": name, "value": value, "type": kind}]});
    let many: Vec<String> = (0..1001).map(|number| format!("Device.P{number}")).collect();
    for (body, field) in [
        (json!({"action": "get", "names": []}), "names"),
        (json!({"action": "get"}), "names"),
        (json!({"action": "get", "names": many}), "names"),
        (json!({"action": "get", "names": ["A.B", "A.B"]}), "names[1]"),
        (json!({"action": "get", "names": ["A B"]}), "names[0]"),
        (json!({"action": "get", "names": ["A..B"]}), "names[0]"),
        (json!({"action": "get", "names": ["A.B"], "path": "A."}), "path"),
        (json!({"action": "set", "values": []}), "values"),
        (json!({"action": "set", "values": [{"name": "A.", "value": ""}]}), "values[0].name"),
        (
            json!({"action": "set", "values": [{"name": "A.B", "value": "1"}, {"name": "A.B", "value": "2"}]}),
            "values[1].name",
        ),
        (value("A.B", "x", "int"), "values[0].value"),
        (value("A.B", "-1", "unsignedInt"), "values[0].value"),
        (value("A.B", "maybe", "boolean"), "values[0].value"),
        (value("A.B", "x", "json"), "values[0].value"),
        (value("A.B", "\u{1}", "string"), "values[0].value"),
        (json!({"action": "add_object", "path": "Device.X_T"}), "path"),
        (json!({"action": "delete_object", "path": "Device.X_T."}), "path"),
        (json!({"action": "download"}), "file"),
        (json!({"action": "reboot", "names": ["A.B"]}), "names"),
        (json!({"action": "reboot", "deadline": 0}), "deadline"),
    ] {
        let answer = rig.post(&format!("/devices/{}/tasks", id("1")), body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("{field}: ")), "{body}: {detail}");
    }
    for (path, body) in [
        (format!("/devices/{}/tasks", id("3")), json!({"action": "reboot"})),
        (format!("/devices/{}/tasks", id("1")), json!({"action": "download", "file": "00"})),
    ] {
        assert_eq!(rig.post(&path, body).await.status, 404);
    }
    assert!(rig.store.tasks(None, None, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn waiting_ends_with_the_task_that_another_commit_ends() {
    let rig = rig().await;
    let body = json!({"action": "reboot"});
    let path = format!("/devices/{}/tasks?wait=60", id("1"));
    let mut notices = rig.store.watch();
    let device = async {
        // The task appears: the device's session ends it.
        loop {
            notices.recv().await.unwrap();
            if let Some(task) = rig.store.open_tasks(&id("1")).await.unwrap().pop() {
                let ended = TaskState::Ended { at: NOW, outcome: Outcome::Applied };
                return advance(&rig, task, ended).await;
            }
        }
    };
    let (answer, ()) = tokio::join!(rig.post(&path, body), device);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json["state"], "applied");
    assert_eq!(answer.json["ended"], true);
    assert_eq!(answer.json["wake"]["result"], "no_way_in", "{}", answer.text);
}

#[tokio::test]
async fn a_waiting_reader_is_told_too_and_time_runs_out_for_the_rest() {
    let rig = rig().await;
    let task = queue(&rig, json!({"action": "reboot"})).await;
    let open = rig.get(&format!("/tasks/{}?wait=0", task.id)).await;
    assert_eq!((open.status, open.json["state"].as_str()), (200, Some("queued")));
    let path = format!("/tasks/{}?wait=60", task.id);
    let fault = FaultRecord {
        code: 9002,
        text: "Internal error".into(),
        parameters: vec![("Device.X_A".into(), 9007, "no".into())],
    };
    let failed = TaskState::Ended { at: NOW, outcome: Outcome::Failed(fault) };
    let (answer, ()) = tokio::join!(rig.get(&path), advance(&rig, task.clone(), failed));
    assert_eq!(answer.json["state"], "failed");
    assert_eq!(
        answer.json["fault"],
        json!({"code": 9002, "text": "Internal error", "parameters": [{"name": "Device.X_A", "code": 9007, "text": "no"}]})
    );
}

#[tokio::test]
async fn only_what_was_not_sent_can_be_cancelled() {
    let rig = rig().await;
    let task = queue(&rig, json!({"action": "reboot"})).await;
    let path = format!("/tasks/{}/cancel", task.id);
    let cancelled = rig.post(&path, Value::Null).await;
    assert_eq!((cancelled.status, cancelled.json["state"].as_str()), (200, Some("cancelled")));
    let again = rig.post(&path, Value::Null).await;
    assert_eq!((again.status, again.json["code"].as_str()), (409, Some("task-over")));

    let task = queue(&rig, json!({"action": "reboot"})).await;
    let path = format!("/tasks/{}/cancel", task.id);
    advance(&rig, task, TaskState::Sent { at: NOW, phase: Phase::Boot }).await;
    let sent = rig.post(&path, Value::Null).await;
    assert_eq!((sent.status, sent.json["code"].as_str()), (409, Some("task-sent")));
    let unknown = format!("/tasks/{}/cancel", uuid::Uuid::nil());
    assert_eq!(rig.post(&unknown, Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_queue_is_bounded() {
    let rig = rig().await;
    for _ in 0..256 {
        queue(&rig, json!({"action": "reboot"})).await;
    }
    let path = format!("/devices/{}/tasks", id("1"));
    let full = rig.post(&path, json!({"action": "reboot"})).await;
    assert_eq!((full.status, full.json["code"].as_str()), (429, Some("queue-full")));
    let other = format!("/devices/{}/tasks", id("2"));
    assert_eq!(rig.post(&other, json!({"action": "reboot"})).await.status, 202);
}

#[tokio::test]
async fn a_phone_under_cwmp_is_told_to_fetch_its_own_file() {
    use provost::device::{Action, DeviceIdentity};
    let rig = Rig::open();
    let answer = rig.post("/devices/00D09E-HG%252D100-1/tasks", json!({"action": "provision"}));
    assert_eq!(answer.await.status, 404);
    let serial = "00100400FV02001000000C383E07E16C";
    let identity = DeviceIdentity::new("Fanvil", "0C383E", "X6", serial).unwrap();
    let id = identity.id();
    let phone = provost::device::Device { identity, id: id.clone(), ..device("1") };
    rig.put_devices([phone, device("1")]).await;
    let path = format!("/devices/{id}/tasks");
    let refused = rig.post(&path, json!({"action": "provision"})).await;
    assert!(refused.text.contains("no phone that is provisioned"), "{}", refused.text);
    let site = rig.put_json("/sites/hq", json!({"settings": {"provost:acs": "ctc"}})).await;
    assert!(site.status < 300, "{}", site.text);
    let body = json!({"vendor": "fanvil", "model": "X6", "site": "hq"});
    let made = rig.put_json("/phones/0c383e07e16c", body).await;
    assert!(made.status < 300, "{}", made.text);
    let asked = rig.post(&path, json!({"action": "provision"})).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let task = asked.json["id"].as_str().unwrap().parse().unwrap();
    let task = rig.store.task(task).await.unwrap().unwrap();
    let Action::Provision(file) = task.action else { panic!("{task:?}") };
    assert_eq!(
        (&*file.name, &*file.file_type),
        ("0c383e07e16c.xml", "3 Vendor Configuration File")
    );
}
