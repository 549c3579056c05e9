//! No answer shows a secret.

use axum::http::Method;
use provost::api::routes;
use provost::device::{Cause, ChangeSet, Credentials, DeviceBackup, Secret, Stage, ValueChange};
use provost::param::{ParamPath, Tree, Value};
use provost::store::Record;
use serde_json::json;

use super::rig::NOW;
use super::{Rig, device, id};

const CANARY: &str = "c4n4ry";

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "what is planted, and where it is looked for")]
async fn a_planted_canary_is_in_no_answer() {
    let rig = Rig::open();
    let mut device = device("1");
    device.connection_request_url = format!("http://u:{CANARY}@127.0.0.1/").into();
    rig.put_devices([device]).await;
    let mut tree = Tree::new();
    for name in [
        "Device.ManagementServer.Password",
        "Device.ManagementServer.ConnectionRequestPassword",
        "Device.WiFi.AccessPoint.1.Security.KeyPassphrase",
        "Device.WiFi.AccessPoint.1.Security.PreSharedKey",
        "Device.Users.User.1.Password",
        "Device.X_EXAMPLE_Vpn.SecretKey",
    ] {
        tree.learn_value(&ParamPath::parse(name).unwrap(), Value::string(CANARY), NOW);
    }
    let url = format!("ftp://u:{CANARY}@host/x");
    let name = ParamPath::parse("Device.ManagementServer.ConnectionRequestURL").unwrap();
    tree.learn_value(&name, Value::string(url), NOW);
    rig.put(Record::Tree(id("1"), tree.into())).await;
    rig.put(Record::Credentials(Box::new(Credentials {
        device: id("1"),
        username: "u".into(),
        password: rig.vault.seal(&Secret::new(CANARY)),
        connection_request_username: "u".into(),
        connection_request_password: rig.vault.seal(&Secret::new(CANARY)),
        stage: Stage::Confirmed,
        made_at: NOW,
        offers: 1,
    })))
    .await;

    let task = json!({"action": "set", "values": [{"name": "Device.Users.User.1.Password", "value": CANARY}]});
    let asked = rig.post(&format!("/devices/{}/tasks", id("1")), task).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    assert_eq!(asked.json["values"][0]["value"], "***");
    let task_id: provost::device::TaskId = asked.json["id"].as_str().unwrap().parse().unwrap();
    let mut stored = rig.store.task(task_id).await.unwrap().unwrap();
    stored.revision += 1;
    stored.notes.push(format!("Device.Users.User.1.Password = {CANARY}").into());
    rig.put(Record::Task(Box::new(stored))).await;
    let row = json!({"action": "add_object", "path": "Device.Users.User.", "values": [{"name": "Password", "value": CANARY}]});
    let asked_row = rig.post(&format!("/devices/{}/tasks", id("1")), row).await;
    assert_eq!(asked_row.json["values"][0]["value"], "***", "{}", asked_row.text);

    let key = hex::encode(CANARY.repeat(6).get(..32).unwrap());
    plant_in_phones(&rig, &key).await;
    plant_in_history(&rig).await;
    plant_in_labels(&rig).await;

    let plan = plant_in_profiles(&rig).await;
    let (token_id, token) = plant_in_people(&rig).await;
    let bulk = plant_in_bulk(&rig).await;
    let webhook = plant_in_webhooks(&rig).await;

    let mut looked_at = 0;
    for (method, path, _) in routes() {
        if method != Method::GET || path.starts_with("/ping/") {
            continue;
        }
        let key_of_path = match path {
            _ if path.contains("/tasks/") => task_id.to_string(),
            _ if path.contains("/plans/") => plan.clone(),
            _ if path.contains("/tokens/") => token_id.clone(),
            _ if path.contains("/bulk/") => bulk.clone(),
            _ if path.contains("/webhooks/") => webhook.clone(),
            _ => id("1").to_string(),
        };
        let path = path
            .replace("{id}", &key_of_path)
            .replace("{kind}/{key}", "serial/0123")
            .replace("{mac}", "0c383e07e16c")
            .replace("{number}", "0")
            .replace("{name}", "hq")
            .replace("{vendor}", "fanvil")
            .replace("{model}", "X4")
            .replace("{backup}", "latest")
            .replace("{version}", "1")
            .replace("{sha256}", "0");
        let path = match path.rsplit('/').next() {
            Some("diff") if path.contains("/devices/") => {
                format!("{path}?from=2020-01-01T00:00:00Z")
            }
            Some("diff") => format!("{path}?against=0c383e07e16d"),
            Some("model" | "learned") => format!("{path}?oui=00D09E"),
            Some("datamodel") => format!("{path}?path=Device.Users.User.1."),
            // All that is kept, and then its end.
            Some("stream") => format!("{path}?after=0&follow=false"),
            Some("dhcp") => format!("{path}?for=kea&site=hq"),
            _ => path,
        };
        let answer = rig.raw(method, &path, &[], "").await;
        assert!(answer.status == 200 || path.contains("/files/"), "{path}: {}", answer.text);
        let around = |part: &str| {
            let at = answer.text.find(part)?;
            answer.text.get(at.saturating_sub(600)..(at + 100).min(answer.text.len()))
        };
        assert_eq!(around(CANARY).or(around(&key)), None, "{path}");
        assert!(!answer.text.contains(&token), "{path}");
        looked_at += 1;
    }
    assert!(looked_at >= 25, "{looked_at}");
}

/// A tenant, a user and a token, whose id and random part are told.
async fn plant_in_people(rig: &Rig) -> (String, String) {
    assert_eq!(rig.put_json("/tenants/hq", json!({})).await.status, 201);
    assert_eq!(rig.put_json("/users/hq", json!({"role": "viewer"})).await.status, 201);
    let draft = json!({"name": "x", "role": "viewer", "user": "hq"});
    let made = rig.post("/tokens", draft).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let text = made.json["token"].as_str().unwrap();
    let random = text.rsplit_once(made.json["id"].as_str().unwrap()).unwrap().1;
    (made.json["id"].as_str().unwrap().to_owned(), random.replacen('_', "", 1))
}

/// A secret that is to be written to many devices.
async fn plant_in_bulk(rig: &Rig) -> String {
    let task = json!({"action": "set", "values": [{"name": "Device.Users.User.1.Password", "value": CANARY}]});
    let asked = rig.post("/bulk", json!({"query": {}, "action": {"task": task}})).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    assert!(!asked.text.contains(CANARY));
    asked.json["id"].as_str().unwrap().to_owned()
}

/// Secrets of subscribers, and an unknown device, so that there is one to be shown.
async fn plant_in_labels(rig: &Rig) {
    let body = json!({"subscriber": {"pppoe_password": CANARY, "wifi_psk": CANARY, "id": "7"}});
    let made = rig.put_json("/preloads/serial/0123", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        made.json["subscriber"],
        json!({"id": "7", "pppoe_password": "***", "wifi_psk": "***"})
    );
    let path = format!("/devices/{}", id("1"));
    assert_eq!(rig.send(Method::PATCH, &path, Some(body)).await.status, 200);
    rig.put_stranger("1").await;
}

/// A webhook with secrets in all that it is made of; its id.
async fn plant_in_webhooks(rig: &Rig) -> String {
    let secret = format!("{CANARY}-0123456789abcdef");
    let url = format!("https://hooks.example.net/x?key={CANARY}");
    let body = json!({"url": url, "secret": secret, "enabled": false});
    let made = rig.post("/webhooks", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(!made.text.contains(CANARY), "{}", made.text);
    made.json["id"].as_str().unwrap().to_owned()
}

/// A change and a backup with secrets that nobody should have put there.
async fn plant_in_history(rig: &Rig) {
    let path = "Device.Users.User.1.Password";
    let change = ValueChange {
        path: path.into(),
        before: Some(CANARY.into()),
        after: Some(format!("{CANARY}2").into()),
        cause: Cause::Device,
    };
    rig.put(Record::Changes(Box::new(ChangeSet {
        device: id("1"),
        at: NOW,
        changes: vec![change],
    })))
    .await;
    rig.put(Record::DeviceBackup(Box::new(DeviceBackup {
        id: 1,
        device: id("1"),
        at: NOW,
        by: "admin".into(),
        why: "".into(),
        root: device("1").root,
        model: ("00D09E".into(), "".into()),
        software_version: "1".into(),
        values: vec![(path.into(), Some(Value::string(CANARY)))],
    })))
    .await;
}

/// A profile with two versions, and a plan to change it; the plan's id.
async fn plant_in_profiles(rig: &Rig) -> String {
    let password = "Device.Users.User.1.Password";
    let url = "Device.ManagementServer.URL";
    let profile = |secret: &str| json!({"parameters": {password: secret, url: format!("http://u:{secret}@acs/")}});
    let one = json!({"profile": profile(CANARY), "why": "a test"});
    let made = rig.put_json("/profiles/hq", one).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(!made.text.contains(CANARY), "{}", made.text);
    let two = json!({"profile": profile(&format!("{CANARY}2"))});
    assert_eq!(rig.put_json("/profiles/hq", two).await.status, 200);
    let change = json!({"changes": [{"name": "hq", "profile": profile(&format!("{CANARY}3"))}]});
    let plan = rig.post("/plans?wait=10", change).await;
    assert_eq!(plan.status, 201, "{}", plan.text);
    assert!(!plan.text.contains(CANARY), "{}", plan.text);
    plan.json["id"].as_str().unwrap().to_owned()
}

/// Phones, a site and layers with secrets wherever there can be any.
async fn plant_in_phones(rig: &Rig, key: &str) {
    let settings =
        json!({"WEB/Password": CANARY, "AUTOUPDATE/Url": format!("http://u:{CANARY}@h/")});
    let body = json!({"model": "X4", "config_key": key, "settings": settings});
    assert_eq!(rig.put_json("/phones/0c383e07e16c", body).await.status, 201);
    let account = json!({"user": "20", "password": CANARY, "server": "pbx"});
    assert_eq!(rig.put_json("/phones/0c383e07e16c/accounts/1", account).await.status, 200);
    let other = json!({"model": "X4", "settings": {"WEB/Password": format!("{CANARY}2")}});
    assert_eq!(rig.put_json("/phones/0c383e07e16d", other).await.status, 201);
    let speed = json!({"kind": "url", "value": format!("http://u:{CANARY}@host/")});
    assert_eq!(rig.put_json("/phones/0c383e07e16c/keys/1", speed).await.status, 200);
    let wishes = json!({"read_batch": 8});
    assert_eq!(rig.put_json("/model/wishes?oui=00D09E", wishes).await.status, 201);
    let site = json!({
        "common_key": key,
        "settings": {"SIP/Register Pswd": CANARY, "provost:admin-password": CANARY},
        "access": {"logins": [{"user": "phones", "password": CANARY}]},
    });
    assert_eq!(rig.put_json("/sites/hq", site).await.status, 201);
    let url = format!("https://u:{CANARY}@acs.example.net/");
    let migrate = json!({"url": url, "username": "u", "password": CANARY, "quiet": "2h"});
    let target = json!({"devices": [id("1")]});
    let campaign = json!({"name": "hq", "target": target, "action": {"migrate": migrate}});
    let made = rig.post("/campaigns", campaign).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(!made.text.contains(CANARY), "{}", made.text);
    let settings = json!({"settings": {"fanvil:SIP/Register Pswd": CANARY}});
    for path in ["/layers/global", "/layers/tenant/hq", "/layers/model/fanvil/X4"] {
        assert_eq!(rig.put_json(path, settings.clone()).await.status, 201, "{path}");
    }
}
