//! Tasks: what they may ask, how they are waited for, what becomes of their faults.

use axum::http::Method;
use provost::device::{FaultRecord, Outcome, Task, TaskState};
use provost::store::Record;
use serde_json::{Value, json};

use super::{ID, Rig, call, escaped, header, put_device, with_device};
use crate::api::rig::NOW;

async fn ask(rig: &Rig, task: Value) -> super::Answer {
    call(rig, "POST", &format!("/devices/{ID}/tasks"), &task.to_string()).await
}

/// The task that was made last.
async fn last(rig: &Rig) -> Task {
    rig.store.tasks(None, None, 1000).await.unwrap().pop().unwrap()
}

/// Ends a task, as a session does.
async fn end(rig: &Rig, mut task: Task, outcome: Outcome) {
    task.revision += 1;
    task.state = TaskState::Ended { at: NOW, outcome };
    rig.put(Record::Task(Box::new(task))).await;
}

fn fault() -> Outcome {
    let refused = ("InternetGatewayDevice.Time.NTPServer1".into(), 9007, "too long".into());
    Outcome::Failed(FaultRecord {
        code: 9003,
        text: "Invalid arguments".into(),
        parameters: vec![refused],
    })
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table of tasks")]
async fn each_task_is_one_of_our_actions() {
    let rig = with_device().await;
    let igd = "InternetGatewayDevice";
    for (task, action, shown) in [
        (json!({"name": "refreshObject", "objectName": ""}), "refresh", json!({"objectName": ""})),
        (
            json!({"name": "refreshObject", "objectName": format!("{igd}.DeviceInfo")}),
            "refresh",
            json!({"objectName": format!("{igd}.DeviceInfo")}),
        ),
        // A parameter is read; an object that is known as one is read below.
        (
            json!({"name": "refreshObject", "objectName": format!("{igd}.DeviceInfo.UpTime")}),
            "get",
            json!({"name": "getParameterValues"}),
        ),
        (
            json!({"name": "getParameterValues", "parameterNames": [format!("{igd}.Time")]}),
            "get",
            json!({"parameterNames": [format!("{igd}.Time")]}),
        ),
        (
            json!({"name": "setParameterValues", "parameterValues": [[format!("{igd}.DeviceInfo.UpTime"), 5], ["InternetGatewayDevice.Time.Enable", true, "xsd:boolean"]]}),
            "set",
            json!({"parameterValues": [[format!("{igd}.DeviceInfo.UpTime"), 5, "xsd:unsignedInt"], ["InternetGatewayDevice.Time.Enable", true, "xsd:boolean"]]}),
        ),
        (
            json!({"name": "setParameterValues", "parameterValues": [[format!("{igd}.ManagementServer.Password"), "n3w"]]}),
            "set",
            json!({"parameterValues": [[format!("{igd}.ManagementServer.Password"), "***", "xsd:string"]]}),
        ),
        (
            json!({"name": "addObject", "objectName": format!("{igd}.X_A.Table")}),
            "add_object",
            json!({"objectName": format!("{igd}.X_A.Table")}),
        ),
        (
            json!({"name": "addObject", "objectName": format!("{igd}.X_A.Table"), "parameterValues": [["Name", "x"]]}),
            "add_object",
            json!({"parameterValues": [["Name", "x", "xsd:string"]]}),
        ),
        (
            json!({"name": "deleteObject", "objectName": format!("{igd}.X_A.Table.3")}),
            "delete_object",
            json!({"objectName": format!("{igd}.X_A.Table.3")}),
        ),
        (
            json!({"name": "provisions", "provisions": [["refresh", format!("{igd}.Time")]]}),
            "refresh",
            json!({}),
        ),
        (
            json!({"name": "provisions", "provisions": [["value", "InternetGatewayDevice.Time.NTPServer1", "a"], ["value", "InternetGatewayDevice.Time.NTPServer2", "value", "b"]]}),
            "set",
            json!({}),
        ),
        (
            json!({"name": "provisions", "provisions": [["instances", format!("{igd}.X_A.Table.*"), "+1"]]}),
            "add_object",
            json!({}),
        ),
        (
            json!({"name": "provisions", "provisions": [["instances", format!("{igd}.X_A.Table.2"), 0]]}),
            "delete_object",
            json!({}),
        ),
        (
            json!({"name": "provisions", "provisions": [["reboot"]]}),
            "reboot",
            json!({"name": "reboot"}),
        ),
        (
            json!({"name": "provisions", "provisions": [["reset"]]}),
            "factory_reset",
            json!({"name": "factoryReset"}),
        ),
    ] {
        let answer = ask(&rig, task.clone()).await;
        assert_eq!(answer.status, 202, "{task}: {}", answer.text);
        assert_eq!(last(&rig).await.action.word(), action, "{task}");
        for (member, value) in shown.as_object().unwrap() {
            assert_eq!(answer.json[member], *value, "{task}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn what_crashes_the_original_is_refused_and_nothing_is_queued() {
    let rig = with_device().await;
    for task in [
        json!({}),
        json!([]),
        json!("reboot"),
        json!({"name": 5}),
        json!({"name": "nosuch"}),
        json!({"name": "getParameterValues"}),
        json!({"name": "getParameterValues", "parameterNames": []}),
        json!({"name": "getParameterValues", "parameterNames": [5]}),
        json!({"name": "getParameterValues", "parameterNames": ["a b", ".."]}),
        json!({"name": "setParameterValues"}),
        json!({"name": "setParameterValues", "parameterValues": [["A.B"]]}),
        json!({"name": "setParameterValues", "parameterValues": [["A.B", {}]]}),
        json!({"name": "setParameterValues", "parameterValues": [["A.B", 1, "xsd:evil"]]}),
        json!({"name": "setParameterValues", "parameterValues": [["A.B.", 1]]}),
        json!({"name": "refreshObject"}),
        json!({"name": "addObject"}),
        json!({"name": "deleteObject", "objectName": "InternetGatewayDevice.Time"}),
        json!({"name": "deleteObject"}),
        json!({"name": "download"}),
        json!({"name": "provisions"}),
        json!({"name": "provisions", "provisions": []}),
        json!({"name": "provisions", "provisions": [[]]}),
        json!({"name": "provisions", "provisions": [["own-script", 1]]}),
        json!({"name": "provisions", "provisions": [["tag", "x", true]]}),
        json!({"name": "provisions", "provisions": [["reboot"], ["reset"]]}),
        json!({"name": "provisions", "provisions": [["instances", "A.B.*", 7]]}),
        json!({"name": "reboot", "expiry": "never"}),
        json!({"name": "reboot", "expiry": "2020-01-01T00:00:00Z"}),
        json!({"name": "reboot", "timestamp": "2030-01-01T00:00:00Z"}),
        json!({"name": "reboot", "uniqueKey": 5}),
    ] {
        let answer = ask(&rig, task.clone()).await;
        assert_eq!(answer.status, 400, "{task}: {}", answer.text);
        assert!(!answer.text.is_empty());
    }
    assert!(rig.store.tasks(None, None, 10).await.unwrap().is_empty());
    let script = ask(&rig, json!({"name": "provisions", "provisions": [["own-script"]]})).await;
    assert!(script.text.contains("stored here and not run"), "{}", script.text);
}

#[tokio::test]
async fn a_task_takes_the_place_of_an_older_one_with_its_key() {
    let rig = with_device().await;
    for _ in 0..3 {
        assert_eq!(ask(&rig, json!({"name": "reboot", "uniqueKey": "k"})).await.status, 202);
    }
    assert_eq!(ask(&rig, json!({"name": "reboot", "uniqueKey": "other"})).await.status, 202);
    assert_eq!(ask(&rig, json!({"name": "reboot"})).await.status, 202);
    let listed = call(&rig, "GET", "/tasks", "").await;
    let keys: Vec<&Value> =
        listed.json.as_array().unwrap().iter().map(|task| &task["uniqueKey"]).collect();
    assert_eq!(keys, [&json!("k"), &json!("other"), &Value::Null]);
}

#[tokio::test]
async fn a_fault_is_a_task_that_failed_until_it_is_let_go() {
    let rig = with_device().await;
    let made = ask(&rig, json!({"name": "reboot"})).await;
    let oid = made.json["_id"].as_str().unwrap().to_owned();
    end(&rig, last(&rig).await, fault()).await;
    let faults = call(&rig, "GET", "/faults", "").await;
    assert_eq!(
        faults.json,
        json!([{"_id": format!("{ID}:task_{oid}"), "device": ID, "channel": format!("task_{oid}"), "code": "cwmp.9003",
            "message": "Invalid arguments", "retries": 0, "timestamp": "2026-11-20T20:05:00.000Z",
            "detail": {"faultCode": "9003", "faultString": "Invalid arguments", "setParameterValuesFault": [
                {"parameterName": "InternetGatewayDevice.Time.NTPServer1", "faultCode": "9007", "faultString": "too long"}]}}])
    );
    for (query, total) in [
        (json!({"device": ID}), "1"),
        (json!({"_id": format!("{ID}:task_{oid}")}), "1"),
        (json!({"device": {"$regex": "^0A1B2C"}, "code": "cwmp.9003"}), "1"),
        (json!({"device": "nosuch"}), "0"),
        (json!({"timestamp": {"$gt": "2026-11-21"}}), "0"),
    ] {
        let found =
            call(&rig, "HEAD", &format!("/faults?query={}", escaped(&query.to_string())), "").await;
        assert_eq!(header(&found, "total"), total, "{query}");
    }
    // The task stays as long as its fault.
    assert_eq!(call(&rig, "GET", "/tasks", "").await.json[0]["_id"], oid.as_str());
    // Trying again makes a new one of it.
    let retried = call(&rig, "POST", &format!("/tasks/{oid}/retry"), "").await;
    assert_eq!(retried.status, 200);
    let new = call(&rig, "GET", "/tasks", "").await.json[0]["_id"].as_str().unwrap().to_owned();
    assert!(new != oid && header(&retried, "x-provost-note").contains(&new));
    assert_eq!(call(&rig, "GET", "/faults", "").await.json, json!([]));

    // Deleted by its fault, in any spelling, and by its task.
    for by_task in [false, true] {
        let made = ask(&rig, json!({"name": "reboot"})).await;
        let oid = made.json["_id"].as_str().unwrap().to_owned();
        end(&rig, last(&rig).await, fault()).await;
        let path = if by_task {
            format!("/tasks/{oid}")
        } else {
            format!("/faults/{}", escaped(&format!("{ID}:task_{oid}")))
        };
        assert_eq!(call(&rig, "DELETE", &path, "").await.status, 200);
        assert_eq!(call(&rig, "GET", "/faults", "").await.json, json!([]));
        assert_eq!(call(&rig, "DELETE", &format!("/tasks/{oid}"), "").await.status, 404);
    }
    // What was done is not listed.
    ask(&rig, json!({"name": "reboot"})).await;
    end(&rig, last(&rig).await, Outcome::Applied).await;
    assert_eq!(
        call(
            &rig,
            "GET",
            &format!("/tasks?query={}", escaped(&json!({"_id": new}).to_string())),
            ""
        )
        .await
        .json[0]["name"],
        "reboot"
    );
    assert_eq!(header(&call(&rig, "HEAD", "/tasks", "").await, "total"), "1");
}

#[tokio::test]
async fn a_device_that_is_woken_does_the_task_while_it_is_waited_for() {
    for (outcome, status, reason) in [
        (Outcome::Applied, 200, None),
        (fault(), 202, Some("Task faulted")),
        (Outcome::Cancelled, 202, Some("Task queued but not processed")),
    ] {
        let rig = std::sync::Arc::new(Rig::open());
        let mut device = put_device(&rig, "SIM300", "PROBED0000000").await;
        let cpe = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        device.connection_request_url = format!("http://{}/", cpe.local_addr().unwrap()).into();
        rig.put_devices([device.clone()]).await;
        let credentials = super::credentials(&rig, &device);
        rig.put(credentials).await;
        let session = tokio::spawn({
            let (rig, outcome) = (rig.clone(), outcome.clone());
            async move {
                super::answer_connection_request(&cpe).await;
                device.sessions += 1;
                rig.put_devices([device]).await;
                end(&rig, last(&rig).await, outcome).await;
            }
        });
        let path = format!("/devices/{ID}/tasks?connection_request");
        let answer = rig.raw(Method::POST, &path, &[], json!({"name": "reboot"}).to_string()).await;
        session.await.unwrap();
        assert_eq!(
            (answer.status, answer.reason.as_deref()),
            (status, reason),
            "{outcome:?}: {}",
            answer.text
        );
        assert_eq!(answer.json["name"], "reboot");
    }
}

#[tokio::test]
async fn a_device_that_does_not_come_leaves_the_task_where_it_is() {
    let rig = std::sync::Arc::new(Rig::open());
    let mut device = put_device(&rig, "SIM300", "PROBED0000000").await;
    let cpe = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    device.connection_request_url = format!("http://{}/", cpe.local_addr().unwrap()).into();
    rig.put_devices([device.clone()]).await;
    rig.put(super::credentials(&rig, &device)).await;
    let answering = tokio::spawn(async move { super::answer_connection_request(&cpe).await });
    let path = format!("/devices/{ID}/tasks?timeout=1&connection_request");
    let answer = rig.raw(Method::POST, &path, &[], json!({"name": "reboot"}).to_string()).await;
    answering.await.unwrap();
    assert_eq!(
        (answer.status, answer.reason.as_deref()),
        (202, Some("Task queued but not processed"))
    );
    assert_eq!(header(&answer, "x-reason"), "Task queued but not processed");
}
