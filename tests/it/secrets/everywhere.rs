//! A canary wherever a secret can enter, and a look at everything that comes out:
//! each route that can be read, exports, streams, errors, the audit, the log, the
//! disk.

use std::path::Path;

use http::Method;
use serde_json::{Value, json};

use crate::lab::{Lab, unpacked};

/// In every secret that is planted, each with an ending of its own.
const CANARY: &str = "c4nary-of-everywhere";

/// The same as a key has it.
const KEY: &str = "c4a7c4a702030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d";

const ID: &str = "00D09E-SimGateway-EVERYWHERE";
const SERIAL: &str = "EVERYWHERE";
const MAC: &str = "0c383e00000a";

fn secret(place: &str) -> String {
    format!("{CANARY}-{place}")
}

fn url(place: &str) -> String {
    format!("http://user:{}@host.example/", secret(place))
}

/// What is planted, and where.
fn plants() -> Vec<(&'static str, String, Value)> {
    let password = "Device.Users.User.1.Password";
    let subscriber = |place| json!({"subscriber": {"id": "7", "pppoe_password": secret(place), "wifi_psk": secret(place)}});
    let profile = json!({"parameters": {password: secret("profile"), "Device.ManagementServer.URL": url("profile")}});
    let task = json!({"action": "set", "values": [
        {"name": password, "value": secret("task")},
        {"name": "Device.ManagementServer.UpgradesManaged", "value": "true"}]});
    let row = json!({"action": "add_object", "path": "Device.Users.User.", "unchecked": true, "values": [{"name": "Password", "value": secret("row")}]});
    let site = json!({"common_key": KEY,
        "settings": {"MMI/Account1 Password": secret("site"), "AUTOUPDATE/Url": url("site")},
        "access": {"logins": [{"user": "phones", "password": secret("login")}]}});
    let phone = json!({"model": "X6", "site": "office", "config_key": KEY,
        "settings": {"WEB/Password": secret("phone"), "AUTOUPDATE/Url": url("phone")}});
    let account = json!({"user": "1", "server": "pbx", "password": secret("account")});
    let speed = json!({"kind": "url", "value": url("key")});
    let layer = json!({"settings": {"provost:admin-password": secret("layer"), "fanvil:SIP/Register Pswd": secret("layer")}});
    let device = json!({"manufacturer": "m", "oui": "00D09E", "product_class": "c", "serial_number": "s", "password": secret("device")});
    let migrate = json!({"migrate": {"url": "https://acs.example/", "username": "u", "password": secret("campaign"), "quiet": "2h"}});
    let campaign = json!({"name": "office", "target": {"devices": [ID]}, "action": migrate});
    let values = json!({"parameters": {"values": {password: secret("campaign-value")}}});
    let other = json!({"name": "other", "target": {"devices": [ID]}, "action": values});
    let webhook = json!({"url": format!("https://hooks.example.net/?key={}", secret("webhook-url")), "enabled": false, "secret": secret("webhook-that-is-long-enough")});
    vec![
        ("PUT", "/sites/office".to_owned(), site),
        ("PUT", format!("/phones/{MAC}"), phone),
        ("PUT", format!("/phones/{MAC}/accounts/1"), account),
        ("PUT", format!("/phones/{MAC}/keys/1"), speed),
        ("PUT", "/layers/global".to_owned(), layer.clone()),
        ("PUT", "/layers/tenant/office".to_owned(), layer.clone()),
        ("PUT", "/layers/model/fanvil/X6".to_owned(), layer),
        ("POST", "/devices".to_owned(), device),
        ("PATCH", format!("/devices/{ID}"), subscriber("labels")),
        ("PUT", format!("/preloads/serial/{SERIAL}2"), subscriber("preload")),
        ("PUT", "/profiles/office".to_owned(), json!({"profile": profile, "why": "a test"})),
        (
            "POST",
            "/plans?wait=20".to_owned(),
            json!({"changes": [{"name": "next", "profile": profile}]}),
        ),
        ("POST", "/campaigns".to_owned(), campaign),
        ("POST", "/campaigns".to_owned(), other),
        ("POST", format!("/devices/{ID}/tasks?wait=20"), task),
        ("POST", format!("/devices/{ID}/tasks"), row),
        ("POST", "/webhooks".to_owned(), webhook),
        ("POST", "/tokens".to_owned(), json!({"name": "machine", "role": "viewer"})),
    ]
}

/// Requests that fail with a secret in them.
fn wrong() -> Vec<(&'static str, String, String)> {
    let text = secret("wrong");
    vec![
        ("PUT", "/sites/office2".to_owned(), format!("{{\"common_key\": \"{text}\"}}")),
        ("PUT", format!("/phones/{MAC}/accounts/99"), format!("{{\"password\": \"{text}\"}}")),
        ("POST", format!("/devices/{ID}/tasks"), json!({"action": "set", "values": [
            {"name": "Device.WiFi.Radio.1.Enable", "value": text},
            {"name": "Device.Users.User.1.Password", "value": text}]}).to_string()),
        ("PATCH", format!("/devices/{ID}"), json!({"subscriber": {"pppoe_password": "x".repeat(2000) + &text}}).to_string()),
        ("PUT", "/profiles/wrong".to_owned(), json!({"profile": {"parameters": {"Device.Users.User.1.Password": {"template": text}}}}).to_string()),
        ("POST", "/campaigns".to_owned(), json!({"name": "w", "target": {}, "action": {"migrate": {"password": text}}}).to_string()),
    ]
}

/// A path with every parameter filled in.
fn filled(path: &str, found: &[(String, String)]) -> String {
    let id = found.iter().find(|(part, _)| path.contains(part.as_str())).map(|(_, id)| id.as_str());
    let path = path
        .replace("{id}", id.unwrap_or(ID))
        .replace("{kind}/{key}", &format!("serial/{SERIAL}2"))
        .replace("{mac}", MAC)
        .replace("{name}", "office")
        .replace("{vendor}", "fanvil")
        .replace("{model}", "X6")
        .replace("{backup}", "latest")
        .replace("{version}", "1")
        .replace("{number}", "0")
        .replace("{host}", "127.0.0.1")
        .replace("{sha256}", "0");
    match path.rsplit('/').next() {
        Some("diff") if path.contains("/devices/") => format!("{path}?from=2020-01-01T00:00:00Z"),
        Some("diff") => format!("{path}?against={MAC}"),
        Some("model" | "learned") => format!("{path}?oui=00D09E"),
        Some("datamodel") => format!("{path}?path=Device.Users.User.1."),
        Some("dhcp") => format!("{path}?for=kea&site=office"),
        _ => path,
    }
}

/// Looks for the canaries in a text.
fn search(place: &str, text: &str, more: &[String]) {
    for found in more.iter().map(String::as_str).chain([CANARY, KEY]) {
        if let Some(at) = text.find(found) {
            let around: String = text
                .get(at.saturating_sub(200)..)
                .map_or_else(|| text.to_owned(), |rest| rest.chars().take(400).collect());
            panic!("{place} shows a secret: …{around}");
        }
    }
}

/// Looks for the canaries in files, also where they are compressed; returns how many
/// texts were looked into.
fn search_files(folder: &Path, more: &[String]) -> usize {
    // Files whose purpose is to hold a secret.
    const OWN: [&str; 3] = ["admin.token", "onboarding.txt", "tls"];
    let mut looked_into = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if OWN.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            looked_into += search_files(&path, more);
        } else {
            let texts = unpacked(&std::fs::read(&path).unwrap_or_default());
            looked_into += texts.len();
            for text in texts {
                search(&path.display().to_string(), &text, more);
            }
        }
    }
    looked_into
}

/// The value of a key of the first item of a list.
async fn first(lab: &Lab, list: &str, key: &str) -> Option<String> {
    let (_, answer) = lab.call("GET", list, "").await;
    Some(answer["items"].as_array()?.first()?[key].as_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_planted_everywhere_comes_out_nowhere() {
    let lab = Lab::with(&["log.level=debug,provost=trace", "log.format=json"]).await;
    let _gateway = lab.gateway(SERIAL, 120).await;
    let mut texts = Vec::new();
    for (number, (method, path, body)) in plants().into_iter().enumerate() {
        let key = format!("key-{number}");
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let target = format!("/api/v1{path}");
        let (status, text) = lab.whole(method, &target, &headers, &body.to_string()).await;
        let later = path == "/webhooks" && matches!(status, 404 | 405);
        assert!((200..300).contains(&status) || later, "{method} {path}: {status} {text}");
        if path == "/tokens" {
            let body = text.split_once('\n').unwrap().1;
            let told: Value = serde_json::from_str(body).unwrap();
            // Told once, here; it may be told to nobody else.
            texts.push(told["token"].as_str().or(told["text"].as_str()).unwrap().to_owned());
        } else {
            search(&path, &text, &texts);
        }
    }
    let (_, onboarding) = lab.onboarding();
    texts.push(onboarding.expose().to_owned());
    texts.push(std::fs::read_to_string(lab.data().join("admin.token")).unwrap().trim().to_owned());
    for (method, path, body) in wrong() {
        let headers = [("content-type", "application/json")];
        let (status, text) = lab.whole(method, &format!("/api/v1{path}"), &headers, &body).await;
        assert!((400..500).contains(&status), "{method} {path}: {status} {text}");
        search(&path, &text, &texts);
    }

    let mut found = Vec::new();
    for (part, list, key) in [
        ("/tasks/", "/api/v1/tasks", "id"),
        ("/plans/", "/api/v1/plans", "id"),
        ("/tokens/", "/api/v1/tokens", "id"),
        ("/webhooks/", "/api/v1/webhooks", "id"),
    ] {
        found.extend(first(&lab, list, key).await.map(|id| (part.to_owned(), id)));
    }
    let mut looked_at = 0;
    for (method, path, _) in provost::api::routes() {
        if method != Method::GET {
            continue;
        }
        // A ping needs a program that need not be here.
        let may_fail = path.starts_with("/ping/");
        let path = filled(path, &found);
        let more: &[&str] = match path.rsplit('/').next() {
            Some("export") => &["?format=csv", "?format=ndjson", "?format=json", ""],
            _ => &[""],
        };
        for query in more {
            let path = format!("{path}{query}");
            let (status, text) = lab.whole("GET", &path, &[("last-event-id", "0")], "").await;
            assert!(status < 500 || may_fail, "{path}: {status} {text}");
            search(&path, &text, &texts);
            looked_at += usize::from(status == 200);
        }
    }
    assert!(looked_at >= 60, "{looked_at}");
    for arguments in [
        &["audit", "list", "--all", "--json"][..],
        &["task", "list", "--all", "--json"],
        &["device", "show", ID],
        &["profile", "show", "office"],
        &["phone", "export"],
        &["print-config"],
    ] {
        let (_, out, err) = lab.provost(arguments).await;
        search(&arguments.join(" "), &(out + &err), &texts);
    }

    let log = lab.log();
    assert!(log.contains("inform.events"), "the log is loud enough to be worth a search");
    search("the log", &log, &texts);
    let (status, _) = lab.call("POST", "/api/v1/backup", "null").await;
    assert_eq!(status, 201);
    let looked_into = search_files(&lab.data(), &texts);
    // Each block of the backup is a text of its own.
    assert!(looked_into >= 20, "{looked_into}");
}
