//! Another tenant's things are not there, whatever is asked.

use axum::http::Method;
use provost::device::{FaultRecord, Labels, Outcome, TaskState};
use provost::store::Record;
use serde_json::{Value, json};

use super::{Answer, NOW, Rig, call, escaped, header, put_device};

const OURS: &str = "0A1B2C-SIM300-OURS";
const THEIRS: &str = "0A1B2C-SIM300-THEIRS";

/// A rig with a device of each of two tenants, each with a task that waits and one
/// that failed; and a token of the first tenant with this role.
async fn house(role: &str) -> (Rig, String) {
    let rig = Rig::open();
    for (tenant, serial) in [("acme", "OURS"), ("other", "THEIRS")] {
        assert_eq!(rig.put_json(&format!("/tenants/{tenant}"), json!({})).await.status, 201);
        let mut device = put_device(&rig, "SIM300", serial).await;
        device.address =
            Some(if tenant == "acme" { [192, 0, 2, 1] } else { [192, 0, 2, 2] }.into());
        rig.put_devices([device.clone()]).await;
        let labels = Labels { revision: 1, tenant: tenant.into(), ..Labels::default() };
        rig.put(Record::Labels(device.id.clone(), labels)).await;
        for _ in 0..2 {
            let path = format!("/devices/{}/tasks", device.id);
            assert_eq!(call(&rig, "POST", &path, r#"{"name":"reboot"}"#).await.status, 202);
        }
        let mut failed = rig.store.open_tasks(&device.id).await.unwrap().remove(0);
        failed.revision += 1;
        let fault = FaultRecord { code: 9002, text: "no".into(), parameters: Vec::new() };
        failed.state = TaskState::Ended { at: NOW, outcome: Outcome::Failed(fault) };
        rig.put(Record::Task(Box::new(failed))).await;
    }
    let draft = json!({"name": "panel", "role": role, "tenant": "acme"});
    let made = rig.post("/tokens", draft).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.json["token"].as_str().unwrap().to_owned();
    (rig, token)
}

async fn ask(rig: &Rig, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let method: Method = method.parse().unwrap();
    rig.bare(method, path, &[("authorization", &bearer)], body.to_owned()).await
}

#[tokio::test]
async fn e5_lists_and_totals_hold_ones_own_things_only() {
    let (rig, token) = house("operator").await;
    for path in [
        "/devices",
        "/devices?projection=_id&sort=%7B%22_id%22%3A-1%7D",
        "/devices?query=%7B%22InternetGatewayDevice.DeviceInfo.UpTime%22%3A3600%7D",
        "/devices?query=%7B%22_deviceId._OUI%22%3A%220A1B2C%22%7D",
        "/faults",
    ] {
        let answer = ask(&rig, &token, "GET", path, "").await;
        assert_eq!(
            (answer.status, header(&answer, "total")),
            (200, "1"),
            "{path}: {}",
            answer.text
        );
        assert!(answer.text.contains("OURS") && !answer.text.contains("THEIRS"), "{path}");
    }
    let tasks = ask(&rig, &token, "GET", "/tasks", "").await;
    assert_eq!(header(&tasks, "total"), "2");
    for query in [json!({"_id": THEIRS}), json!({"device": THEIRS})] {
        for list in ["devices", "tasks", "faults"] {
            let path = format!("/{list}?query={}", escaped(&query.to_string()));
            let answer = ask(&rig, &token, "GET", &path, "").await;
            assert_eq!((answer.text.as_str(), header(&answer, "total")), ("[\n\n]", "0"), "{path}");
        }
    }
}

#[tokio::test]
async fn e5_anothers_things_are_answered_as_if_they_were_not_there() {
    let (rig, token) = house("admin").await;
    let theirs = THEIRS.parse().unwrap();
    let all = rig.store.tasks(Some(&theirs), None, 10).await.unwrap();
    let ids: Vec<String> = all.iter().map(|task| format!("{:024x}", task.id.0 >> 32)).collect();
    let waiting = &ids[all.iter().position(|task| !task.state.is_ended()).unwrap()];
    let failed = &ids[all.iter().position(|task| task.state.is_ended()).unwrap()];
    let nobodys = "0".repeat(24);
    for (method, path, like, body) in [
        (
            "POST",
            format!("/devices/{THEIRS}/tasks"),
            "/devices/nosuch/tasks".to_owned(),
            r#"{"name":"reboot"}"#,
        ),
        (
            "POST",
            format!("/devices/{THEIRS}/tasks?connection_request"),
            "/devices/nosuch/tasks?connection_request".to_owned(),
            "",
        ),
        ("POST", format!("/devices/{THEIRS}/tags/x"), "/devices/nosuch/tags/x".to_owned(), ""),
        ("DELETE", format!("/devices/{THEIRS}/tags/x"), "/devices/nosuch/tags/x".to_owned(), ""),
        ("DELETE", format!("/devices/{THEIRS}"), "/devices/nosuch".to_owned(), ""),
        ("DELETE", format!("/tasks/{waiting}"), format!("/tasks/{nobodys}"), ""),
        ("DELETE", format!("/tasks/{failed}"), format!("/tasks/{nobodys}"), ""),
        ("POST", format!("/tasks/{failed}/retry"), format!("/tasks/{nobodys}/retry"), ""),
        (
            "DELETE",
            format!("/faults/{THEIRS}:task_{failed}"),
            "/faults/nosuch:default".to_owned(),
            "",
        ),
        ("GET", "/ping/192.0.2.2".to_owned(), "/ping/192.0.2.9".to_owned(), ""),
        ("GET", "/ping/localhost".to_owned(), "/ping/192.0.2.9".to_owned(), ""),
    ] {
        let (theirs, nothing) = (
            ask(&rig, &token, method, &path, body).await,
            ask(&rig, &token, method, &like, body).await,
        );
        assert_eq!(
            (theirs.status, &theirs.text),
            (nothing.status, &nothing.text),
            "{method} {path}"
        );
    }
    assert!(rig.store.device(&theirs).await.unwrap().is_some());
    assert_eq!(rig.store.tasks(Some(&theirs), None, 10).await.unwrap(), all);
    // What belongs to the whole house is not theirs either.
    for (method, path) in [
        ("GET", "/presets"),
        ("PUT", "/presets/x"),
        ("DELETE", "/presets/x"),
        ("GET", "/objects"),
        ("PUT", "/objects/x"),
        ("GET", "/provisions"),
        ("PUT", "/provisions/x"),
        ("GET", "/virtual_parameters"),
        ("GET", "/virtualParameters"),
        ("PUT", "/files/x"),
        ("DELETE", "/files/x"),
    ] {
        assert_eq!(ask(&rig, &token, method, path, "{}").await.status, 404, "{method} {path}");
    }
    // One's own is there.
    let ours = ask(&rig, &token, "POST", &format!("/devices/{OURS}/tags/x"), "").await;
    assert_eq!(ours.status, 200, "{}", ours.text);
}

#[tokio::test]
async fn each_task_takes_the_right_that_its_harm_takes() {
    let tasks: [(Value, &str); 6] = [
        (
            json!({"name": "getParameterValues", "parameterNames": ["InternetGatewayDevice.Time.Status"]}),
            "agent",
        ),
        (json!({"name": "reboot"}), "agent"),
        (
            json!({"name": "setParameterValues", "parameterValues": [["InternetGatewayDevice.Time.NTPServer1", "x"]]}),
            "agent",
        ),
        (json!({"name": "factoryReset"}), "operator"),
        (json!({"name": "provisions", "provisions": [["reset"]]}), "operator"),
        (
            json!({"name": "setParameterValues", "parameterValues": [["InternetGatewayDevice.ManagementServer.URL", "http://x/"]]}),
            "operator",
        ),
    ];
    for role in ["viewer", "agent", "operator"] {
        let (rig, token) = house(role).await;
        for (task, least) in &tasks {
            let path = format!("/devices/{OURS}/tasks");
            let answer = ask(&rig, &token, "POST", &path, &task.to_string()).await;
            let may = role == "operator" || role == *least;
            assert_eq!(
                answer.status,
                if may { 202 } else { 403 },
                "{role} {task}: {}",
                answer.text
            );
        }
        let forgotten = ask(&rig, &token, "DELETE", &format!("/devices/{OURS}"), "").await;
        assert_eq!(forgotten.status, if role == "operator" { 200 } else { 403 }, "{role}");
    }
}
