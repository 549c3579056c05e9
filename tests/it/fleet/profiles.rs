//! Profiles: versions, roll-back, what is wrong with them, and their secrets.

use axum::http::Method;
use serde_json::json;

use super::{CANARY, NTP, PASSPHRASE, fleet, time};

#[tokio::test]
async fn every_change_is_a_version_and_each_can_come_back() {
    let rig = fleet(0).await;
    let made = rig.put_json("/profiles/time", json!({"profile": time("a"), "why": "first"})).await;
    assert_eq!((made.status, &made.json["version"]), (201, &json!(1)), "{}", made.text);
    assert_eq!((&made.json["by"], &made.json["why"]), (&json!("admin"), &json!("first")));
    let changed = rig.put_json("/profiles/time", json!({"profile": time("b")})).await;
    assert_eq!((changed.status, &changed.json["version"]), (200, &json!(2)), "{}", changed.text);
    let same = rig.put_json("/profiles/time", json!({"profile": time("b")})).await;
    assert_eq!(same.json["version"], 2, "what changes nothing makes no version");

    let back = json!({"version": 1});
    let back = rig.post("/profiles/time/rollback", back).await;
    assert_eq!((back.status, &back.json["version"]), (200, &json!(3)), "{}", back.text);
    assert_eq!(back.json["profile"]["parameters"][NTP], "a");
    assert_eq!(back.json["why"], "back to version 1");
    let versions = rig.get("/profiles/time/versions?limit=2").await.json;
    assert_eq!(versions["items"].as_array().unwrap().len(), 2);
    let next = versions["next"].as_str().unwrap();
    let rest = rig.get(&format!("/profiles/time/versions?after={next}")).await.json;
    assert_eq!((&rest["items"][0]["version"], &rest["next"]), (&json!(3), &json!(null)));
    let second = rig.get("/profiles/time/versions/2").await.json;
    assert_eq!(second["profile"]["parameters"][NTP], "b");

    let off = rig.post("/profiles/time/disable", json!({"why": "rest"})).await.json;
    assert_eq!((&off["enabled"], &off["version"]), (&json!(false), &json!(4)));
    let again = rig.post("/profiles/time/disable", json!({})).await.json;
    assert_eq!(again["version"], 4);
    assert_eq!(rig.post("/profiles/time/enable", json!({})).await.json["enabled"], true);
    assert_eq!(rig.get("/profiles").await.json["items"][0]["name"], "time");

    for (path, status) in [
        ("/profiles/none", 404),
        ("/profiles/time/versions/9", 404),
        ("/profiles/time/versions/x", 404),
        ("/profiles/%20", 404),
    ] {
        assert_eq!(rig.get(path).await.status, status, "{path}");
    }
    assert_eq!(rig.delete("/profiles/time").await.status, 204);
    assert_eq!(rig.delete("/profiles/time").await.status, 404);
    assert_eq!(rig.get("/profiles/time/versions").await.status, 404);
}

#[tokio::test]
async fn two_operators_do_not_overwrite_each_other() {
    let rig = fleet(0).await;
    let put = async |server: &str, version: &str| {
        let body = json!({"profile": time(server)}).to_string();
        rig.raw(Method::PUT, "/api/v1/profiles/time", &[("if-match", version)], body).await
    };
    assert_eq!(put("a", "\"1\"").await.status, 412, "there is none yet");
    assert_eq!(put("a", "\"0\"").await.status, 201);
    assert_eq!(put("b", "\"1\"").await.status, 200);
    let late = put("c", "\"1\"").await;
    assert_eq!((late.status, &late.json["code"]), (412, &json!("other-revision")));
    assert_eq!(rig.get("/profiles/time").await.json["profile"]["parameters"][NTP], "b");
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_and_nothing_is_taken() {
    let rig = fleet(0).await;
    let wrong = json!({
        "match": "tags.",
        "colour": "blue",
        "parameters": {NTP: [], "no path": "x", "Device.Time.Enable": {"rows": 1}},
    });
    let refused = rig.put_json("/profiles/time", json!({"profile": wrong})).await;
    assert_eq!((refused.status, &refused.json["code"]), (400, &json!("bad-profile")));
    let errors = refused.json["errors"].as_array().unwrap();
    for part in ["match", "colour", NTP, "no path", "Device.Time.Enable"] {
        let told = errors.iter().any(|one| one["problem"].as_str().unwrap().contains(part));
        assert!(told, "{part}: {}", refused.text);
    }
    assert_eq!(rig.get("/profiles/time").await.status, 404);
    let both = json!({"changes": [
        {"name": "a", "profile": {"colour": "blue"}},
        {"name": "b", "profile": {"shape": "round"}},
        {"name": "c", "profile": null},
    ]});
    let refused = rig.post("/plans", both).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert_eq!(refused.json["errors"].as_array().unwrap().len(), 3, "{}", refused.text);
    let name = rig.put_json("/profiles/a%20b", json!({"profile": {}})).await;
    assert_eq!((name.status, &name.json["code"]), (400, &json!("bad-value")));
}

#[tokio::test]
async fn a_secret_is_never_shown_and_survives_what_was_shown() {
    let rig = fleet(0).await;
    let secret = json!({
        "parameters": {PASSPHRASE: CANARY, NTP: "a"},
        "tables": [{"table": "Device.Users.User.", "keys": ["Username"], "rows": [
            {"values": {"Username": "one", "Password": format!("{CANARY}-one")}},
            {"values": {"Username": "two", "Password": format!("{CANARY}-two")}},
        ]}],
    });
    let made = rig.put_json("/profiles/wifi", json!({"profile": secret})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mut shown = rig.get("/profiles/wifi").await.json["profile"].clone();
    assert_eq!(shown["parameters"][PASSPHRASE], "***");
    shown["parameters"][NTP] = json!("b");
    let back = rig.put_json("/profiles/wifi", json!({"profile": shown})).await;
    assert_eq!((back.status, &back.json["version"]), (200, &json!(2)), "{}", back.text);
    for path in
        ["/profiles", "/profiles/wifi", "/profiles/wifi/versions", "/profiles/wifi/versions/1"]
    {
        assert!(!rig.get(path).await.text.contains(CANARY), "{path}");
    }
    let stored = rig.store.fleet().profile("wifi").await.unwrap().unwrap();
    for kept in [CANARY.to_owned(), format!("{CANARY}-one"), format!("{CANARY}-two")] {
        assert!(stored.text.contains(&format!("\"{kept}\"")), "{kept} is kept");
    }
    let invented = json!({"parameters": {"Device.Users.User.1.Password": "***"}});
    let refused = rig.put_json("/profiles/other", json!({"profile": invented})).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.contains("nothing is stored"), "{}", refused.text);
}
