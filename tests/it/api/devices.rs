//! `/devices`.

use axum::http::Method;
use provost::device::{Event, EventKind, Secret, Stage};
use provost::param::{ParamPath, Tree, Value};
use provost::store::Record;
use serde_json::json;

use super::rig::NOW;
use super::{Rig, device, id};

#[tokio::test]
async fn pages_over_250_devices_are_complete_and_ordered() {
    let rig = Rig::open();
    rig.put_devices((0..250).map(|serial| device(&format!("{serial:04}")))).await;
    for limit in [1000, 100, 99, 7] {
        let mut found: Vec<String> = Vec::new();
        let mut after = String::new();
        loop {
            let page = rig.get(&format!("/devices?limit={limit}{after}")).await;
            assert_eq!(page.status, 200, "{}", page.text);
            let items = page.json["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            found.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            match page.json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let all: Vec<String> =
            (0..250).map(|serial| id(&format!("{serial:04}")).to_string()).collect();
        assert_eq!(found, all, "limit {limit}");
    }
}

#[tokio::test]
async fn filters_find_what_is_meant() {
    let rig = Rig::open();
    let mut odd = device("0042");
    odd.software_version = "9.9-beta".into();
    odd.last_inform = NOW.after(std::time::Duration::from_secs(60));
    rig.put_devices([device("0001"), odd, device("0003")]).await;
    let tags = json!({"tags": ["vip", "Köln"]});
    let path = format!("/devices/{}", id("0003"));
    assert_eq!(rig.send(Method::PATCH, &path, Some(tags)).await.status, 200);
    for (query, serials) in [
        ("", vec!["0001", "0042", "0003"]),
        ("q=BETA", vec!["0042"]),
        ("q=0003", vec!["0003"]),
        ("serial=0001", vec!["0001"]),
        ("oui=00d09e&software_version=1.0", vec!["0001", "0003"]),
        ("product_class=HG-100&manufacturer=example", vec!["0001", "0042", "0003"]),
        ("tag=vip", vec!["0003"]),
        ("tag=K%C3%B6ln&q=hg", vec!["0003"]),
        ("informed_since=2026-11-20T20:06:00Z", vec!["0042"]),
        ("q=nowhere", vec![]),
    ] {
        let answer = rig.get(&format!("/devices?{query}")).await;
        let mut found: Vec<&str> = answer.json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["serial_number"].as_str().unwrap())
            .collect();
        let mut serials = serials;
        found.sort_unstable();
        serials.sort_unstable();
        assert_eq!(found, serials, "{query}");
    }
}

#[tokio::test]
async fn an_id_may_be_pasted_or_encoded() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    assert_eq!(id("1").as_str(), "00D09E-HG%2D100-1");
    for path in ["/devices/00D09E-HG%2D100-1", "/devices/00D09E-HG%252D100-1"] {
        let answer = rig.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.json["id"], "00D09E-HG%2D100-1");
    }
    // Another device, not this one spelled otherwise.
    assert_eq!(rig.get("/devices/00D09E-HG-100-1").await.status, 400);
}

#[tokio::test]
async fn tags_change_by_revision() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let path = format!("/api/v1/devices/{}", id("1"));
    let change = |tag: &str, revision: &'static str| {
        let body = json!({"tags": [tag]}).to_string();
        let (rig, path) = (&rig, &path);
        async move { rig.raw(Method::PATCH, path, &[("if-match", revision)], body).await }
    };
    let first = change("a", "\"0\"").await;
    assert_eq!((first.status, &first.json["revision"]), (200, &json!(1)));
    let stale = change("b", "\"0\"").await;
    assert_eq!((stale.status, stale.json["code"].as_str()), (412, Some("other-revision")));
    assert_eq!(change("b", "\"1\"").await.json["tags"], json!(["b"]));
    assert_eq!(change("c", "*").await.json["revision"], 3);
    assert_eq!(change("c", "newest").await.status, 400);
}

#[tokio::test]
async fn parameters_are_listed_by_prefix_and_page() {
    let rig = Rig::open();
    let device = device("1");
    let mut tree = Tree::new();
    for number in 0..30 {
        let path = ParamPath::parse(&format!("Device.Hosts.Host.{number:02}.Name")).unwrap();
        tree.learn_value(&path, Value::string(format!("h{number}")), NOW);
    }
    tree.learn_name(&ParamPath::parse("Device.Hosts.Host.").unwrap(), true, NOW);
    tree.learn_value(&ParamPath::parse("Device.X").unwrap(), Value::boolean(true), NOW);
    let path = format!("/devices/{}/parameters", device.id);
    let tree_record = Record::Tree(device.id.clone(), tree.into());
    rig.put_devices([device]).await;
    rig.put(tree_record).await;
    let page = rig.get(&format!("{path}?path=Device.Hosts.&limit=20")).await;
    assert_eq!(page.json["items"].as_array().unwrap().len(), 20);
    assert_eq!(page.json["items"][0]["name"], "Device.Hosts.Host.");
    assert_eq!(page.json["items"][0]["value"], json!(null));
    let next = page.json["next"].as_str().unwrap();
    let rest = rig.get(&format!("{path}?path=Device.Hosts.&limit=20&after={next}")).await;
    assert_eq!(rest.json["items"].as_array().unwrap().len(), 11);
    assert_eq!(rest.json["next"], json!(null));
    let one = rig.get(&format!("{path}?path=Device.X")).await;
    assert_eq!(one.json["items"][0]["value"], "1");
    assert_eq!(one.json["items"][0]["type"], "boolean");
}

#[tokio::test]
async fn credentials_can_be_made_known_before_the_first_contact() {
    let rig = Rig::open();
    let body = json!({"oui": "00d09e", "serial_number": "77", "password": "known before"});
    let made = rig.post("/devices", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json, json!({"id": "00D09E-77", "username": "00D09E-77"}));
    let stored = rig.store.credentials(&"00D09E-77".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.stage, Stage::Confirmed);
    assert_eq!(rig.vault.unseal(&stored.password).unwrap(), Secret::new("known before"));
    assert_eq!(rig.post("/devices", body).await.status, 409);
    assert_eq!(rig.delete("/devices/00D09E-77").await.status, 204);
    assert_eq!(rig.delete("/devices/00D09E-77").await.status, 404);
    for bad in [
        json!({"oui": "", "serial_number": "1", "password": "x"}),
        json!({"oui": "00D09E", "serial_number": " ", "password": "x"}),
        json!({"oui": "00D09E", "serial_number": "1", "password": ""}),
        json!({"oui": "00D09E", "serial_number": "1", "password": "a\nb"}),
    ] {
        assert_eq!(rig.post("/devices", bad.clone()).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn history_is_told_newest_first() {
    let rig = Rig::open();
    let device = device("1");
    let kinds = [
        EventKind::FirstContact,
        EventKind::SoftwareChanged { from: "1".into(), to: "2".into() },
        EventKind::Alarm("look".into()),
    ];
    let id = device.id.clone();
    rig.put_devices([device]).await;
    for (minute, kind) in (0..).zip(kinds) {
        let at = NOW.after(std::time::Duration::from_secs(minute * 60));
        rig.put(Record::Event(Event { device: id.clone(), at, kind })).await;
    }
    let events = rig.get(&format!("/devices/{id}/events?limit=2")).await;
    assert_eq!(
        events.json["items"],
        json!([
            {"at": "2026-11-20T20:07:00Z", "kind": "alarm", "text": "look"},
            {"at": "2026-11-20T20:06:00Z", "kind": "software_changed", "from": "1", "to": "2"},
        ])
    );
}
