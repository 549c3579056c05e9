//! E5: who did something is named to those alone who see whoever it was.

use axum::http::Method;
use provost::access::{Reach, Role};
use provost::device::{
    Action, Cause, ChangeSet, Event, EventKind, Task, TaskId, TaskState, ValueChange,
};
use provost::store::Record;
use serde_json::{Value, json};

use super::world::{World, give_token};
use crate::api::NOW;

/// Somebody of the installation does everything that can be done about what is a
/// tenant's; the names that the tenant must not read.
pub(super) async fn oversee(world: &World) -> Vec<String> {
    give_token(&world.rig, "overseer", Role::Admin, Reach::WHOLE).await;
    let alpha = &world.alpha;
    let device = format!("/devices/{}", alpha.device);
    let campaign = format!("/campaigns/{}", alpha.campaign);
    let hidden = json!({"name": "hidden-roll", "target": {"match": "true"},
        "action": {"reboot": {}}});
    let changed = json!({"profile": {"match": "true", "parameters": {"Device.X_Y.Owner": "x"}}});
    let mut task = Value::Null;
    for (method, path, body) in [
        (Method::PUT, "/tenants/alpha", json!({"title": "Alpha"})),
        (Method::POST, "/campaigns", hidden),
        (Method::POST, &*format!("{campaign}/start"), json!({})),
        (Method::POST, &*format!("{campaign}/pause"), json!({})),
        (Method::POST, &*format!("{campaign}/stop"), json!({})),
        (Method::PUT, &*format!("/profiles/{}", alpha.profile), changed),
        (Method::PUT, &*format!("/preloads/serial/{}", alpha.preload), json!({"tags": ["x"]})),
        (Method::POST, "/tokens", json!({"name": "given", "role": "viewer", "tenant": "alpha"})),
        (
            Method::POST,
            "/webhooks",
            json!({"name": "given", "url": "https://hooks.example.net/",
            "tenant": "alpha", "enabled": false}),
        ),
        (Method::PATCH, &*device, json!({"add_tags": ["seen"]})),
        (Method::POST, &*format!("{device}/tasks"), json!({"action": "reboot"})),
    ] {
        let answer = world.ask("overseer", method, path, Some(body)).await;
        assert!(matches!(answer.status, 200..=202), "{path}: {}", answer.text);
        task = answer.json;
    }
    // Its end is news.
    let path = format!("/tasks/{}/cancel", task["id"].as_str().unwrap());
    assert_eq!(world.ask("overseer", Method::POST, &path, None).await.status, 200);
    for (number, by) in [(7, "profile everybody"), (8, "campaign hidden-roll"), (9, "overseer")] {
        world.rig.put(Record::Task(Box::new(task_by(world, number, by)))).await;
    }
    let changes = vec![ValueChange {
        path: "Device.X_Y.Name".into(),
        before: None,
        after: Some("x".into()),
        cause: Cause::Task(TaskId(9), "overseer".into()),
    }];
    let device = alpha.device.clone();
    world.rig.put(Record::Changes(Box::new(ChangeSet { device, at: NOW, changes }))).await;
    let kind = EventKind::TakenIn("adopted by overseer".into());
    world.rig.put(Record::Event(Event { device: alpha.device.clone(), at: NOW, kind })).await;
    ["overseer", "profile everybody", "hidden-roll"].map(str::to_owned).to_vec()
}

fn task_by(world: &World, number: u128, by: &str) -> Task {
    Task {
        id: TaskId(number),
        device: world.alpha.device.clone(),
        revision: 1,
        action: Action::Reboot,
        created_at: NOW,
        created_by: by.into(),
        expires_at: NOW,
        state: TaskState::Queued,
        notes: Vec::new(),
        results: Vec::new(),
    }
}

#[tokio::test]
async fn e05_whoever_is_not_seen_is_told_as_the_installation() {
    let world = World::new().await;
    let names = oversee(&world).await;
    let makers = async |name: &str, path: &str| {
        let answer = world.get(name, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let items = answer.json["items"].as_array().unwrap().clone();
        let mut by: Vec<String> = items
            .iter()
            .map(|item| ["created_by", "made_by", "by", "actor"].map(|key| item[key].as_str()))
            .map(|by| by.into_iter().flatten().next().unwrap_or_default().to_owned())
            .collect();
        by.sort();
        by.dedup();
        by
    };
    assert_eq!(makers("alpha", "/tasks").await, ["alpha", "the installation"]);
    assert_eq!(makers("site", "/tasks").await, ["the installation", "the tenant"]);
    let all = makers("overseer", "/tasks").await;
    let expected = ["alpha", "beta_", "campaign hidden-roll", "overseer", "profile everybody"];
    assert_eq!(all, expected);
    let empty: [&str; 0] = [];
    for path in ["/tasks?by=overseer", "/audit?actor=overseer"] {
        assert_eq!(makers("alpha", path).await, empty, "{path}: nor can they be guessed");
    }
    assert_eq!(makers("alpha", "/tasks?by=the%20installation").await, ["the installation"]);
    assert_eq!(makers("alpha", "/audit?actor=the%20installation").await, ["the installation"]);
    assert_eq!(makers("alpha", "/campaigns").await, ["alpha"]);
    let campaign = world.get("alpha", &format!("/campaigns/{}", world.alpha.campaign)).await;
    let told = &campaign.json["history"];
    assert_eq!((&told[0]["by"], &told[1]["by"]), (&json!("alpha"), &json!("the installation")));
    assert_eq!(campaign.json["reason"], "stopped by the installation");
    let export = world.get("alpha", "/audit/export").await;
    assert!(export.text.contains("the installation"), "{}", export.text);
    for line in export.text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let body = line["body"].as_str().unwrap();
        let is_hidden = line.to_string().contains("the installation");
        assert_eq!(body.is_empty(), is_hidden, "{line}");
        assert!(!is_hidden || line["actor"] != "the installation" || line["token"] == "");
    }
    let news = world.get("alpha", "/events?kind=task.outcome").await;
    assert_eq!(news.json["items"][0]["details"]["by"], "the installation", "{}", news.text);
    for (name, line) in
        names.iter().flat_map(|name| export.text.lines().map(move |line| (name, line)))
    {
        assert!(!line.contains(name.as_str()), "{name}: {line}");
    }
}

#[tokio::test]
async fn e05_a_tenant_that_has_anything_stays() {
    let world = World::new().await;
    let rig = &world.rig;
    assert_eq!(rig.put_json("/tenants/gamma", json!({"title": "g"})).await.status, 201);
    let gone = async || rig.delete("/tenants/gamma").await;
    let file = rig.raw(Method::POST, "/api/v1/files?name=x&tenant=gamma", &[], "x").await;
    assert_eq!(file.status, 201, "{}", file.text);
    let answer = gone().await;
    assert!(answer.status == 409 && answer.text.contains("file "), "{}", answer.text);
    let path = format!("/files/{}", file.json["sha256"].as_str().unwrap());
    assert_eq!(rig.delete(&path).await.status, 204);
    let profile = json!({"profile": {"match": "true"}, "tenant": "gamma"});
    assert_eq!(rig.put_json("/profiles/of-gamma", profile).await.status, 201);
    let answer = gone().await;
    assert!(answer.status == 409 && answer.text.contains("of-gamma"), "{}", answer.text);
    assert_eq!(rig.delete("/profiles/of-gamma").await.status, 204);
    assert_eq!(gone().await.status, 204);
}
