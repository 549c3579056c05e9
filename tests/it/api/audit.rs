//! The audit: every change has its entry, nothing secret is in any, nobody sees
//! another tenant's, and what was touched is found.

use std::process::Command;

use axum::http::Method;
use provost::access::{Reach, Role, TokenRecord};
use provost::device::Labels;
use provost::store::{OfficeRecord, Record};
use serde_json::{Value, json};
use sha2::Digest as _;

use super::{NOW, Rig, device, id};

const SECRET: &str = "s3cret-of-the-audit";

/// The entries, newest first.
async fn entries(rig: &Rig, query: &str) -> Vec<Value> {
    let answer = rig.get(&format!("/audit{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(!answer.text.contains(SECRET), "{}", answer.text);
    answer.json["items"].as_array().unwrap().clone()
}

async fn newest(rig: &Rig) -> Value {
    entries(rig, "?limit=1").await.remove(0)
}

/// A device, and four changes by the admin.
async fn worked_on() -> Rig {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    assert!(entries(&rig, "").await.is_empty(), "what nobody asked for is no entry");
    let device = format!("/devices/{}", id("1"));
    let labels = json!({"tags": ["gold"], "subscriber": {"id": "7", "pppoe_password": SECRET}});
    assert_eq!(rig.send(Method::PATCH, &device, Some(labels)).await.status, 200);
    let url = format!("http://u:{SECRET}@acs/");
    let task = json!({"action": "set", "values": [
        {"name": "Device.Users.User.1.Password", "value": SECRET},
        {"name": "Device.ManagementServer.URL", "value": url},
        {"name": "Device.ManagementServer.PeriodicInformInterval", "value": "900"}]});
    assert_eq!(rig.post(&format!("{device}/tasks"), task).await.status, 202);
    let site = json!({"settings": {"SIP/Register Pswd": SECRET, "LANG/Default": "en"},
        "access": {"logins": [{"user": "phones", "password": SECRET}]}});
    assert_eq!(rig.put_json("/sites/hq", site.clone()).await.status, 201);
    let mut other = site;
    other["settings"]["LANG/Default"] = "de".into();
    assert_eq!(rig.put_json("/sites/hq", other).await.status, 200);
    rig
}

#[tokio::test]
async fn every_change_is_told_with_who_and_what_and_no_secret() {
    let rig = worked_on().await;
    let all = entries(&rig, "").await;
    let [changed, made, task, labels] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!(labels["action"], "labels.change");
    assert_eq!((&labels["kind"], &labels["key"]), (&json!("device"), &json!(id("1").as_str())));
    assert_eq!(
        labels["sentence"],
        format!(
            "admin labelled device {}: set the tags to gold; changed id, pppoe_password of the \
             subscriber",
            id("1")
        )
    );
    assert_eq!(labels["after"]["subscriber"], json!({"id": "7", "pppoe_password": "***"}));
    assert_eq!((&labels["actor"], &labels["address"]), (&json!("admin"), &json!("127.0.0.1")));
    assert_eq!(task["action"], "task.create");
    let values = task["after"]["action"]["Set"].as_array().unwrap();
    assert_eq!(values[0], json!(["Device.Users.User.1.Password", "***"]));
    assert_eq!(values[1][1]["text"], "http://***@acs/");
    assert_eq!(values[2][1]["text"], "900");
    assert!(task["sentence"].as_str().unwrap().contains("to set 3 values: "), "{task}");
    assert_eq!(made["action"], "site.create");
    assert!(made.get("before").is_none());
    assert_eq!(changed["action"], "site.change");
    assert_eq!(changed["before"]["settings"], json!({"LANG/Default": "en"}));
    assert_eq!(changed["after"]["settings"], json!({"LANG/Default": "de"}));
    assert_eq!(rig.get("/audit/0").await.json, *labels);
    assert_eq!(rig.get("/audit/4").await.status, 404);
    assert_eq!(rig.get("/audit/x").await.status, 404);
}

#[tokio::test]
async fn what_is_removed_is_told_as_it_was() {
    let rig = worked_on().await;
    assert_eq!(rig.delete("/sites/hq").await.status, 204);
    let entry = newest(&rig).await;
    assert_eq!(entry["sentence"], "admin removed the site hq");
    assert_eq!(entry["before"]["settings"]["LANG/Default"], "de");
    assert!(entry.get("after").is_none());
    assert_eq!(rig.delete(&format!("/devices/{}", id("1"))).await.status, 204);
    assert_eq!(newest(&rig).await["action"], "device.remove");
}

#[tokio::test]
async fn a_request_that_changes_no_record_has_an_entry_too_and_reading_has_none() {
    let rig = worked_on().await;
    let before = entries(&rig, "").await.len();
    let trace = format!("/devices/{}/trace", id("1"));
    let begun = rig.post(&trace, json!({"minutes": 5})).await;
    assert!(begun.status < 300, "{}", begun.text);
    let entry = newest(&rig).await;
    assert_eq!(entry["action"], "trace.start", "{entry}");
    assert_eq!(entry["key"], id("1").as_str());
    assert!(rig.delete(&trace).await.status < 300);
    assert_eq!(newest(&rig).await["action"], "trace.stop");
    rig.get("/devices").await;
    rig.get("/preloads/export").await;
    rig.post("/devices/x/trace", json!({})).await;
    rig.put_json("/sites/hq", json!({"nonsense": 1})).await;
    assert_eq!(entries(&rig, "").await.len(), before + 2, "reading and refusals are no entries");
    rig.get("/preloads/export?secrets=show").await;
    let entry = newest(&rig).await;
    assert!(entry["sentence"].as_str().unwrap().contains("with secrets in clear"), "{entry}");
}

#[tokio::test]
async fn entries_are_found_by_all_that_they_say() {
    let rig = worked_on().await;
    let first = rig.get("/audit/0").await.json;
    let request = first["request"].as_str().unwrap();
    for (query, count) in [
        ("?action=site".to_owned(), 2),
        ("?action=site.change".to_owned(), 1),
        ("?action=sit".to_owned(), 0),
        ("?kind=device".to_owned(), 2),
        (format!("?kind=device&key={}", id("1").as_str().replace('%', "%25")), 2),
        ("?actor=admin".to_owned(), 4),
        ("?actor=ada".to_owned(), 0),
        ("?token=x".to_owned(), 0),
        ("?tenant=north".to_owned(), 0),
        (format!("?request={request}"), 1),
        (format!("?since={NOW}"), 4),
        ("?since=2031-01-01T00:00:00Z".to_owned(), 0),
        ("?until=2020-01-01T00:00:00Z".to_owned(), 0),
    ] {
        assert_eq!(entries(&rig, &query).await.len(), count, "{query}");
    }
    assert_eq!(rig.get("/audit?request=x").await.status, 400);
    assert_eq!(rig.get("/audit?limit=0").await.status, 400);
    let mut numbers = Vec::new();
    let mut after = String::new();
    loop {
        let page = rig.get(&format!("/audit?limit=1{after}")).await.json;
        numbers
            .extend(page["items"].as_array().unwrap().iter().map(|item| item["number"].as_u64()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(numbers, [Some(3), Some(2), Some(1), Some(0)]);
}

/// A token of an admin of one tenant.
async fn tenants_token(rig: &Rig, tenant: &str) -> String {
    let text = format!("pv_token-of-{tenant}-0123456789abcdefghijkl");
    let token = TokenRecord {
        id: "00112233".into(),
        revision: 1,
        name: "north".into(),
        user: None,
        hash: sha2::Sha256::digest(text.as_bytes()).into(),
        role: Role::Admin,
        rights: None,
        reach: Reach::of_tenant(tenant),
        created_at: NOW,
        created_by: "admin".into(),
        expires_at: None,
        revoked_at: None,
    };
    rig.put(Record::Office(OfficeRecord::Token(Box::new(token)))).await;
    text
}

#[tokio::test]
async fn a_tenants_admin_sees_the_tenants_entries_and_no_others() {
    let rig = worked_on().await;
    let of = |tenant: &str| Labels { revision: 1, tenant: tenant.into(), ..Labels::default() };
    rig.put_devices([device("n"), device("s"), device("moved")]).await;
    rig.put(Record::Labels(id("n"), of("north"))).await;
    rig.put(Record::Labels(id("s"), of("south"))).await;
    rig.put(Record::Labels(id("moved"), of("south"))).await;
    for (serial, labels) in [
        ("n", json!({"tags": ["a"]})),
        ("s", json!({"tags": ["a"]})),
        ("moved", json!({"tenant": "north"})),
    ] {
        let path = format!("/devices/{}", id(serial));
        assert_eq!(rig.send(Method::PATCH, &path, Some(labels)).await.status, 200);
    }
    let token = tenants_token(&rig, "north").await;
    let bearer = format!("Bearer {token}");
    let ask = async |path: &str| {
        let headers = [("authorization", bearer.as_str())];
        rig.bare(Method::GET, &format!("/api/v1{path}"), &headers, "").await
    };
    let seen = ask("/audit").await;
    let keys: Vec<&str> = seen.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, [id("n").as_str()], "{}", seen.text);
    let number = seen.json["items"][0]["number"].as_u64().unwrap();
    assert_eq!(ask(&format!("/audit/{number}")).await.status, 200);
    for other in [number - 1, number + 1, number + 2] {
        assert_eq!(ask(&format!("/audit/{other}")).await.status, 404, "{other}");
    }
    assert!(ask("/audit?tenant=south").await.json["items"].as_array().unwrap().is_empty());
    let export = ask("/audit/export").await;
    assert_eq!(export.text.lines().count(), 1);
    assert_eq!(ask("/audit/verify").await.status, 404);
}

/// `provost audit verify --file`: the exit code and what it printed.
fn verify(rig: &Rig, text: &str, more: &[&str]) -> (Option<i32>, String) {
    let file = rig.data.path().join("audit-export");
    std::fs::write(&file, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_provost"))
        .args(["audit", "verify", "--file"])
        .arg(file)
        .args(more)
        .output()
        .unwrap();
    let all = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(all).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_checked_without_a_server_and_shows_what_was_touched() {
    let rig = worked_on().await;
    let told = rig.get("/audit/verify").await.json;
    assert_eq!((&told["sound"], &told["entries"]), (&json!(true), &json!(4)));
    let hash = told["hash"].as_str().unwrap();
    let noted = format!("3:{hash}");
    let again = rig.get(&format!("/audit/verify?number=3&hash={hash}")).await.json;
    assert_eq!(again["sound"], true);
    let other = rig.get(&format!("/audit/verify?number=2&hash={hash}")).await.json;
    assert_eq!(other["sound"], false);
    for format in ["ndjson", "csv"] {
        let export = rig.get(&format!("/audit/export?format={format}")).await;
        assert_eq!(export.status, 200, "{}", export.text);
        assert!(!export.text.contains(SECRET));
        let (code, said) = verify(&rig, &export.text, &["--noted", &noted]);
        assert_eq!(code, Some(0), "{format}: {said}");
        assert!(said.contains(&noted), "{said}");
        let forged = export.text.replace("set the tags to gold", "set the tags to lead");
        assert_ne!(forged, export.text);
        assert_eq!(verify(&rig, &forged, &[]).0, Some(1), "{format}");
        let lines: Vec<&str> = export.text.lines().collect();
        let without = |gone: usize| {
            let kept = lines.iter().enumerate().filter(|(at, _)| *at != gone);
            kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
        };
        let middle = without(lines.len() - 2);
        assert_eq!(verify(&rig, &middle, &[]).0, Some(1), "{format}");
        assert_eq!(verify(&rig, &middle, &["--part"]).0, Some(0), "{format}");
        let cut = without(lines.len() - 1);
        assert_eq!(verify(&rig, &cut, &[]).0, Some(0), "a cut end needs a noted hash to be seen");
        assert_eq!(verify(&rig, &cut, &["--noted", &noted]).0, Some(1), "{format}");
    }
    assert_eq!(rig.get("/audit/export?format=xml").await.status, 400);
}

#[tokio::test]
async fn a_cell_of_an_export_is_never_a_formula() {
    let rig = worked_on().await;
    let site = json!({"settings": {"LANG/Default": "x"}});
    rig.put_json("/sites/%3Dcmd", site.clone()).await;
    rig.put_json("/layers/tenant/-x", site).await;
    let export = rig.get("/audit/export?format=csv").await;
    let mut rows = csv::Reader::from_reader(export.text.as_bytes());
    for row in rows.records() {
        let row = row.unwrap();
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
    }
}
