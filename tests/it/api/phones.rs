//! `/phones` and `/sites`.

use provost::device::Secret;
use serde_json::json;

use super::Rig;

const MAC: &str = "0c383e07e16c";

#[tokio::test]
async fn a_phone_is_made_changed_and_forgotten() {
    let rig = Rig::open();
    let path = "/phones/0C:38:3E:07:E1:6C";
    assert_eq!(rig.put_json(path, json!({})).await.status, 400, "a new phone needs a model");
    let made = rig.put_json(path, json!({"model": "X4"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["mac"], MAC);
    assert_eq!(made.json["site"], "default");
    assert_eq!(made.json["config_key"], json!(null));
    assert_eq!(rig.get("/sites/default").await.status, 200, "made with its first phone");

    let key = "A".repeat(64);
    let changed = rig.put_json(path, json!({"config_key": key, "settings": {"SIP/X": "1"}})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.json["config_key"], "set");
    assert_eq!(changed.json["model"], "X4", "what is absent stays");
    let stored = rig.store.phone(MAC.parse().unwrap()).await.unwrap().unwrap();
    let sealed = stored.config_key.unwrap();
    assert_eq!(rig.vault.unseal(&sealed).unwrap(), Secret::new("a".repeat(64)));

    let cleared = rig.put_json(path, json!({"config_key": null})).await;
    assert_eq!(cleared.json["config_key"], json!(null));
    assert_eq!(cleared.json["settings"], json!({"SIP/X": "1"}));
    assert_eq!(rig.get("/phones").await.json["items"], json!([cleared.json]));
    assert_eq!(rig.delete(path).await.status, 204);
    assert_eq!(rig.get(path).await.status, 404);
}

#[tokio::test]
async fn accounts_keep_their_password_until_told_another() {
    let rig = Rig::open();
    let phone = format!("/phones/{MAC}");
    rig.put_json(&phone, json!({"model": "X4"})).await;
    let path = format!("{phone}/accounts/2");
    let account = json!({"user": "20", "password": "first", "server": "pbx.example.net"});
    let made = rig.put_json(&path, account).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let change =
        json!({"user": "20", "display_name": "Anna", "server": "pbx.example.net", "port": 5080});
    let changed = rig.put_json(&path, change).await;
    assert_eq!(changed.json["accounts"][0]["display_name"], "Anna");
    assert_eq!(changed.json["accounts"][0]["port"], 5080);
    assert_eq!(changed.json["accounts"].as_array().unwrap().len(), 1);
    let stored = rig.store.phone(MAC.parse().unwrap()).await.unwrap().unwrap();
    let password = rig.vault.unseal(&stored.accounts[0].password).unwrap();
    assert_eq!(password, Secret::new("first"));
    assert_eq!(rig.delete(&path).await.status, 204);
    assert_eq!(rig.delete(&path).await.status, 404);
    for (line, body) in [
        ("0", json!({"user": "1", "server": "s"})),
        ("65", json!({"user": "1", "server": "s"})),
        ("x", json!({"user": "1", "server": "s"})),
        ("1", json!({"user": "", "server": "s"})),
        ("1", json!({"user": "1", "server": "a b"})),
        ("1", json!({"user": "1", "server": "s", "port": 0})),
        ("1", json!({"user": "1", "server": "s", "display_name": "a\r\nSIP1 Pwd :x"})),
    ] {
        let path = format!("{phone}/accounts/{line}");
        assert_eq!(rig.put_json(&path, body.clone()).await.status, 400, "{line} {body}");
    }
}

#[tokio::test]
async fn the_provisioning_url_is_told_only_when_asked_for() {
    let rig = Rig::open();
    let phone = format!("/phones/{MAC}");
    let made = rig.put_json(&phone, json!({"model": "X4"})).await;
    let urls = rig.get(&format!("{phone}/url")).await;
    let url = urls.json["url"].as_str().unwrap();
    assert_eq!(urls.json["config"], format!("{url}{MAC}.cfg"));
    let token = url.trim_end_matches('/').rsplit('/').next().unwrap();
    assert!(token.len() >= 32, "{token}");
    assert!(!made.text.contains(token));
    let before = rig.get(&format!("{phone}/url")).await.text;
    rig.put_json(&phone, json!({"model": "X5"})).await;
    assert_eq!(rig.get(&format!("{phone}/url")).await.text, before, "a change keeps the URL");
}

#[tokio::test]
async fn what_was_shown_masked_can_be_sent_back() {
    let rig = Rig::open();
    let settings = json!({"WEB/Admin Password": "hunter2", "SIP/Register Addr": "pbx"});
    let made = rig.put_json("/sites/hq", json!({"settings": settings})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["settings"]["WEB/Admin Password"], "***");
    let mut shown = made.json["settings"].clone();
    shown["SIP/Register Addr"] = json!("pbx2");
    let changed = rig.put_json("/sites/hq", json!({"settings": shown})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let stored = rig.store.site("hq").await.unwrap().unwrap();
    assert_eq!(&*stored.settings["WEB/Admin Password"], "hunter2");
    assert_eq!(&*stored.settings["SIP/Register Addr"], "pbx2");
    let lost = rig.put_json("/sites/new", json!({"settings": {"WEB/Password": "***"}})).await;
    assert_eq!(lost.status, 400, "a mask is no password");
}

#[tokio::test]
async fn sites_and_keys_have_their_forms() {
    let rig = Rig::open();
    for (path, body) in [
        ("/sites/..", json!({})),
        ("/sites/a%2Fb", json!({})),
        ("/sites/hq", json!({"common_key": "00"})),
        ("/sites/hq", json!({"common_key": "g".repeat(64)})),
        ("/sites/hq", json!({"settings": {"NoModule": "x"}})),
        ("/sites/hq", json!({"settings": {"A/B": "x\ny"}})),
        ("/sites/hq", json!({"revision": 7})),
        ("/phones/0c383e07e16c", json!({"model": "X4", "site": "nowhere"})),
        ("/phones/0c383e07e16c", json!({"model": "X4", "vendor": "other"})),
        ("/phones/000000000000", json!({"model": "X4"})),
    ] {
        let answer = rig.put_json(path, body.clone()).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text);
    }
}
