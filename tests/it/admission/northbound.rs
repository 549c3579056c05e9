//! Preloads, strangers and labels through the northbound.

use axum::http::Method;
use provost::config::{AdmissionConfig, Config};
use provost::device::{Labels, PreloadKey};
use serde_json::{Value, json};

use crate::api::{Answer, Rig, device, id};

async fn import(rig: &Rig, query: &str, file: &str) -> Answer {
    let path = format!("/api/v1/preloads/import?{query}");
    rig.raw(Method::POST, &path, &[], file.to_owned()).await
}

/// The faults as `line column problem`.
fn faults(answer: &Answer) -> Vec<String> {
    assert_eq!((answer.status, &answer.json["code"]), (400, &json!("bad-import")));
    let told = |fault: &Value| {
        let column = fault["column"].as_str().unwrap_or("-");
        format!("{} {column} {}", fault["line"], fault["problem"].as_str().unwrap())
    };
    answer.json["errors"].as_array().unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn labels_change_in_part_and_their_secrets_are_never_shown() {
    let rig = Rig::open();
    rig.put_devices([device("1"), device("2")]).await;
    let path = format!("/devices/{}", id("1"));
    let change = async |body: Value| rig.send(Method::PATCH, &path, Some(body)).await;
    let whole = json!({"tags": ["a", "b"], "tenant": "north", "site": "hq",
        "subscriber": {"id": "4711", "name": "Änne", "pppoe_password": "s3cret"}});
    let first = change(whole).await;
    assert_eq!((first.status, &first.json["revision"]), (200, &json!(1)), "{}", first.text);
    assert_eq!(first.json["subscriber"]["pppoe_password"], "***");
    let part = json!({"add_tags": ["c"], "remove_tags": ["a"], "site": null,
        "subscriber": {"id": null, "pppoe_password": "***", "contract": "x"}});
    let second = change(part).await;
    assert_eq!(second.json["tags"], json!(["b", "c"]), "{}", second.text);
    assert_eq!((&second.json["tenant"], &second.json["site"]), (&json!("north"), &json!("")));
    let stored: Labels = rig.store.labels(&id("1")).await.unwrap().unwrap();
    assert_eq!(&*stored.subscriber["pppoe_password"], "s3cret", "*** keeps it");
    assert_eq!(
        stored.subscriber.keys().map(|name| &**name).collect::<Vec<_>>(),
        ["contract", "name", "pppoe_password"]
    );
    for (body, field) in [
        (json!({"tags": [""]}), "tags"),
        (json!({"tenant": "a\nb"}), "tenant"),
        (json!({"subscriber": {"wi fi": "x"}}), "subscriber.wi fi"),
        (json!({"subscriber": {"wifi_psk": "***"}}), "subscriber.wifi_psk"),
        (json!({"colour": 1}), "colour"),
    ] {
        let refused = change(body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains(field), "{field}: {}", refused.text);
    }
    for (query, found) in [
        ("tenant=north", 1),
        ("tenant=south", 0),
        ("site=", 2),
        ("tag=c&tenant=north", 1),
        ("subscriber=%C3%84NNE", 1),
        ("subscriber=contract=X", 1),
        ("subscriber=name=x", 0),
        ("subscriber=s3cret", 0),
        ("q=s3cret", 0),
        ("q=%C3%A4nn", 1),
    ] {
        let listed = rig.get(&format!("/devices?{query}")).await;
        assert_eq!(listed.json["items"].as_array().unwrap().len(), found, "{query}");
        assert!(!listed.text.contains("s3cret"));
    }
    assert_eq!(change(json!({"subscriber": null})).await.json["subscriber"], json!({}));
}

#[tokio::test]
async fn an_expected_device_is_put_changed_by_revision_and_removed() {
    let rig = Rig::open();
    let body = json!({"tags": ["gold"], "subscriber": {"id": "7", "password": "x"}});
    let made = rig.put_json("/preloads/mac/0C-38-3E-00-00-01", body.clone()).await;
    assert_eq!((made.status, &made.json["key"]), (201, &json!("0c383e000001")), "{}", made.text);
    let again = rig.put_json("/preloads/mac/0c383e000001", body).await;
    assert_eq!((again.status, &again.json["revision"]), (200, &json!(1)), "the same is no change");
    let path = "/api/v1/preloads/mac/0c383e000001";
    let other = json!({"site": "hq", "subscriber": {"password": "***"}}).to_string();
    let stale = rig.raw(Method::PUT, path, &[("if-match", "\"7\"")], other.clone()).await;
    assert_eq!(stale.json["code"], "other-revision");
    let changed = rig.raw(Method::PUT, path, &[("if-match", "\"1\"")], other).await;
    assert_eq!((&changed.json["tags"], &changed.json["site"]), (&json!([]), &json!("hq")));
    let key: PreloadKey = "mac/0c383e000001".parse().unwrap();
    let stored = rig.store.fleet().preload(&key).await.unwrap().unwrap();
    assert_eq!(stored.labels.subscriber.len(), 1);
    assert_eq!(&*stored.labels.subscriber["password"], "x");
    assert_eq!(rig.delete("/preloads/mac/0c383e000001").await.status, 204);
    assert_eq!(rig.delete("/preloads/mac/0c383e000001").await.status, 404);
    for bad in ["/preloads/phone/1", "/preloads/mac/xyz", "/preloads/device/nothing"] {
        assert_eq!(rig.put_json(bad, json!({})).await.status, 400, "{bad}");
    }
    rig.put_devices([device("1")]).await;
    let here = format!("/preloads/device/{}", id("1").as_str().replace('%', "%25"));
    let late = rig.put_json(&here, json!({"site": "hq"})).await;
    assert_eq!((late.status, &late.json["code"]), (409, &json!("is-here")), "{}", late.text);
}

#[tokio::test]
async fn a_replacement_takes_over_what_the_device_has_now() {
    let rig = Rig::open();
    rig.put_devices([device("1"), device("2")]).await;
    let (old, new) = (id("1").to_string(), id("2").to_string());
    let body = json!({"tags": ["gold"], "site": "hq", "subscriber": {"id": "7", "password": "x"}});
    rig.send(Method::PATCH, &format!("/devices/{old}"), Some(body)).await;
    let asked = |from: &str, to: &str| json!({"from": from, "to": to});
    let waits = rig.post("/preloads/move", asked(&format!("device/{old}"), "serial/new")).await;
    assert_eq!((waits.status, &waits.json["key"]), (200, &json!("NEW")), "{}", waits.text);
    let left = rig.get(&format!("/devices/{old}")).await;
    assert_eq!((&left.json["tags"], &left.json["subscriber"]), (&json!([]), &json!({})));
    let events = rig.get(&format!("/devices/{old}/events")).await;
    assert!(events.text.contains("went to serial/NEW"), "{}", events.text);
    let here = rig.post("/preloads/move", asked("serial/NEW", &format!("device/{new}"))).await;
    assert_eq!(here.json["taken_by"], new, "{}", here.text);
    let labels = rig.store.labels(&id("2")).await.unwrap().unwrap();
    assert_eq!((&*labels.site, &*labels.subscriber["password"]), ("hq", "x"));
    assert_eq!(rig.get("/preloads/serial/NEW").await.status, 404);
    assert_eq!(rig.post("/preloads/move", asked("serial/NEW", "serial/1")).await.status, 404);
    assert_eq!(rig.post("/preloads/move", asked("NEW", "serial/1")).await.status, 400);
}

#[tokio::test]
async fn everything_wrong_in_a_table_is_told_with_its_line_and_nothing_is_taken() {
    let rig = Rig::open();
    rig.put_devices([device("here")]).await;
    let table = format!(
        "serial,device,mac,tags,site,subscriber.id,subscriber.wifi_psk\n\
         A1,,,gold;silver,hq,7,secret\n\
         ,,,gold,hq,7,\n\
         B1,,0c383e000001,,,,\n\
         ,,nonsense,,,,\n\
         a1,,,,,,\n\
         ,{},,,,8,\n\
         C1,,,,,,***\n\
         D1,,\n",
        id("here")
    );
    let told = faults(&import(&rig, "format=csv", &table).await);
    for begins in [
        "3 - fill one of device, serial, mac, login",
        "4 mac a row has one key",
        "5 mac a MAC address",
        "6 serial A1 stands on line 2 too",
        "7 device device/",
        "8 subscriber.wifi_psk *** keeps",
        "9 - 3 cells where the heading has 7",
    ] {
        assert!(told.iter().any(|fault| fault.starts_with(begins)), "{begins}: {told:#?}");
    }
    assert_eq!(told.len(), 7, "{told:#?}");
    assert_eq!(rig.get("/preloads").await.json["items"], json!([]));
    for (table, words) in [
        ("", "line of column names"),
        ("tags\nx\n", "needs one of the columns"),
        ("serial,colour\n", "no such column"),
        ("serial,Serial\n", "twice"),
    ] {
        let told = faults(&import(&rig, "format=csv", table).await);
        assert!(told[0].contains(words), "{table}: {told:?}");
    }
    let json =
        "[\n{\"serial\": \"1\", \"mac\": \"0c383e000001\"},\n{\"serial\": \"2\", \"x\": 1}\n]";
    let told = faults(&import(&rig, "format=json", json).await);
    assert!(told[0].starts_with("2 ") && told[1].starts_with("3 "), "{told:?}");
}

#[tokio::test]
async fn ten_thousand_expected_devices_are_one_commit_and_an_export_reads_back() {
    let rig = Rig::open();
    let mut table = "serial,tags,subscriber.id,subscriber.pppoe_password\n".to_owned();
    for number in 0..10_000 {
        table.push_str(&format!("CPE{number:05},gold,{number},secret{number}\n"));
    }
    let dry = import(&rig, "format=csv&dry_run=true", &table).await;
    assert_eq!((&dry.json["new"], &dry.json["dry_run"]), (&json!(10_000), &json!(true)));
    assert_eq!(rig.get("/preloads").await.json["items"], json!([]));
    let done = import(&rig, "format=csv", &table).await;
    assert_eq!(done.json["new"], 10_000, "{}", done.text);
    let found = rig.get("/preloads?subscriber=id=9999").await;
    assert_eq!(found.json["items"][0]["key"], "CPE09999", "{}", found.text);
    assert_eq!(import(&rig, "format=csv", &table).await.json["unchanged"], 10_000);
    let more = table.clone() + "cpe09999,,,\n";
    assert!(faults(&import(&rig, "format=csv", &more).await)[0].starts_with("10002 serial"));
    for format in ["csv", "json"] {
        let hidden = rig.get(&format!("/preloads/export?format={format}")).await;
        assert!(!hidden.text.contains("secret9"), "{format}");
        let again = import(&rig, &format!("format={format}"), &hidden.text).await;
        assert_eq!(again.json["unchanged"], 10_000, "masks keep what is stored: {}", again.text);
        let clear = rig.get(&format!("/preloads/export?format={format}&secrets=show")).await;
        let to = Rig::open();
        let moved = import(&to, &format!("format={format}"), &clear.text).await;
        assert_eq!(moved.json["new"], 10_000, "{}", moved.text);
        let path = format!("/preloads/export?format={format}&secrets=show");
        assert_eq!(to.get(&path).await.text, clear.text);
    }
}

#[tokio::test]
async fn those_that_wait_are_listed_and_decided_on_singly_and_by_rule() {
    let admission = AdmissionConfig { cap: 5, ..AdmissionConfig::default() };
    let config = Config { admission, ..Config::default() };
    let rig = Rig::with(config);
    for serial in ["A1", "A2", "A3", "B1", "B2"] {
        rig.put_stranger(serial).await;
    }
    let health = rig.get("/health").await.json;
    assert_eq!(health["quarantine"], json!({"waiting": 5, "cap": 5}));
    let page = rig.get("/strangers?limit=2").await.json;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let next = page["next"].as_str().unwrap();
    let rest = rig.get(&format!("/strangers?limit=100&after={next}")).await.json;
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
    assert_eq!(rest["items"][0]["vouched"], "shared");
    let path = format!("/strangers/{}", id("A1"));
    let adopted = rig.post(&format!("{path}/adopt"), Value::Null).await;
    assert_eq!(adopted.json["decision"], "adopted", "{}", adopted.text);
    assert_eq!(adopted.json["decided_by"], "admin");
    let rule = json!({"match": "device.serial.startsWith('A')", "dry_run": true});
    let dry = rig.post("/strangers/adopt", rule).await;
    assert_eq!(
        (&dry.json["matched"], &dry.json["decided"]),
        (&json!(2), &json!(0)),
        "{}",
        dry.text
    );
    let rule = json!({"match": "device.serial.startsWith('A')"});
    assert_eq!(rig.post("/strangers/adopt", rule).await.json["decided"], 2);
    let denied = rig.post("/strangers/deny", json!({"match": "true"})).await;
    assert_eq!(denied.json["decided"], 2, "{}", denied.text);
    for (decision, count) in [("adopted", 3), ("denied", 2), ("waiting", 0)] {
        let listed = rig.get(&format!("/strangers?decision={decision}")).await.json;
        assert_eq!(listed["items"].as_array().unwrap().len(), count, "{decision}");
    }
    assert_eq!(rig.delete(&path).await.status, 204);
    assert_eq!(rig.get(&path).await.status, 404);
    for bad in [json!({"match": ""}), json!({"match": "device."}), json!({})] {
        assert_eq!(rig.post("/strangers/adopt", bad.clone()).await.status, 400, "{bad}");
    }
    assert_eq!(rig.get("/strangers?decision=maybe").await.status, 400);
}
