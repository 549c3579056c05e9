//! `/phones` and `/sites`.

use provost::device::Secret;
use provost::phone::{DoorKind, Ended, FetchLog, Fetched, Lock, Scope};
use provost::store::Record;
use serde_json::json;

use super::rig::NOW;
use super::{Rig, device, id};

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

    // Each vendor has keys of its own kind, and some have none.
    let secret = json!({"model": "450HD", "config_key": "correct-horse"});
    let audiocodes = "/phones/00908f000001";
    assert_eq!(rig.put_json(audiocodes, secret.clone()).await.status, 201);
    assert_eq!(rig.delete(audiocodes).await.status, 204);
    for mac in ["000fd3000001", "0c383e000009"] {
        let refused = rig.put_json(&format!("/phones/{mac}"), secret.clone()).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }

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
        ("/phones/020000000001", json!({"model": "X4"})),
        ("/phones/0c383e07e16c", json!({"model": "X4", "settings": {"digium:x": "1"}})),
        ("/phones/0c383e07e16c", json!({"model": "X4", "settings": {"provost:vlan": "5000"}})),
        ("/phones/0c383e07e16c", json!({"model": "X4", "names": ["../x"]})),
        ("/phones/0c383e07e16c", json!({"model": "X4", "names": ["a", "A"]})),
        ("/phones/0c383e07e16c", json!({"model": "X4", "template": "../x"})),
        ("/phones/0c383e07e16c", json!({"model": "X4", "keys": [{"position": 0, "kind": "line"}]})),
        ("/sites/hq", json!({"settings": {"what nobody knows": "x"}})),
        ("/sites/hq", json!({"access": {"allow": ["10.0.0.0/64"]}})),
        ("/sites/hq", json!({"access": {"logins": [{"user": "new"}]}})),
        ("/sites/hq", json!({"contacts": [{"name": "Anna", "number": ""}]})),
        ("/layers/tenant/a%2Fb", json!({"settings": {}})),
        ("/layers/model/snom/320", json!({"settings": {}})),
        ("/layers/model/fanvil/X4", json!({"settings": {"NoModule": "x"}})),
    ] {
        let answer = rig.put_json(path, body.clone()).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text);
    }
}

#[tokio::test]
async fn phones_of_all_vendors_have_keys_names_and_a_template() {
    let rig = Rig::open();
    let body = json!({"vendor": "audiocodes", "model": "450HD", "enabled": false,
        "template": "own", "names": ["lobby.cfg"],
        "keys": [{"position": 2, "kind": "blf", "value": "1002", "label": "Anna", "pickup": "*8"}],
        "accounts": [{"line": 1, "user": "20", "server": "pbx", "transport": "tls",
            "outbound_proxy": "sbc:5061", "voicemail": "*97", "label": "Lobby"}]});
    let made = rig.put_json("/phones/00908f000001", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for (field, value) in [
        ("vendor", json!("audiocodes")),
        ("enabled", json!(false)),
        ("template", json!("own")),
        ("names", json!(["lobby.cfg"])),
    ] {
        assert_eq!(made.json[field], value);
    }
    assert_eq!(made.json["accounts"][0]["port"], 5061, "SIP over TLS has a port of its own");
    assert_eq!(made.json["accounts"][0]["transport"], "tls");
    let key = json!({"kind": "speed-dial", "value": "110"});
    let keyed = rig.put_json("/phones/00908f000001/keys/1", key).await;
    assert_eq!(keyed.json["keys"][0]["position"], 1, "{}", keyed.text);
    assert_eq!(keyed.json["keys"][1]["pickup"], "*8");
    assert_eq!(rig.delete("/phones/00908f000001/keys/1").await.status, 204);
    assert_eq!(rig.delete("/phones/00908f000001/keys/1").await.status, 404);
    for (query, found) in [
        ("vendor=audiocodes", 1),
        ("vendor=fanvil", 0),
        ("model=450hd", 1),
        ("site=elsewhere", 0),
        ("q=00:90:8F", 1),
        ("q=lobby", 1),
        ("q=20", 1),
        ("q=nobody", 0),
    ] {
        let list = rig.get(&format!("/phones?{query}")).await;
        assert_eq!(list.json["items"].as_array().map(Vec::len), Some(found), "{query}");
    }
    assert_eq!(rig.get("/phones?vendor=snom").await.status, 400);
    let missing = rig.put_json("/phones/00908f000001", json!({"template": "no-such"})).await;
    assert_eq!((missing.status, &missing.json["code"]), (400, &json!("not-renderable")));
}

#[tokio::test]
async fn a_phone_and_its_device_are_one_record() {
    let rig = Rig::open();
    rig.put_devices([device("00100400FV02001000000C383E07E16C")]).await;
    rig.put_json(&format!("/phones/{MAC}"), json!({"model": "X4"})).await;
    let shown = rig.get(&format!("/phones/{MAC}")).await;
    assert_eq!(shown.json["device"]["id"], "00D09E-HG%2D100-00100400FV02001000000C383E07E16C");
    assert_eq!(shown.json["device"]["software_version"], "1.0");
    let gone = id("00100400FV02001000000C383E07E16C").to_string().replace('%', "%25");
    assert_eq!(rig.delete(&format!("/devices/{gone}")).await.status, 204);
    assert_eq!(rig.get(&format!("/phones/{MAC}")).await.json["device"], json!(null));
}

#[tokio::test]
async fn locks_are_opened_and_tokens_renewed() {
    let rig = Rig::open();
    let path = format!("/phones/{MAC}");
    rig.put_json(&path, json!({"model": "X4"})).await;
    let fetched = |ended| Fetched {
        at: NOW,
        address: [10, 0, 0, 7].into(),
        door: DoorKind::Tftp,
        file: format!("{MAC}.cfg").into(),
        version: "2.0000000001".into(),
        ended,
    };
    rig.put(Record::FetchLog(Box::new(FetchLog {
        mac: MAC.parse().unwrap(),
        lock: Some(Lock { at: NOW, address: [10, 0, 0, 7].into(), unlocks: 0 }),
        fetches: vec![fetched(Ended::Whole), fetched(Ended::Refused("the lock is closed".into()))],
    })))
    .await;
    let told = rig.get(&format!("{path}/fetches")).await.json;
    assert_eq!(told["items"][0]["reason"], "the lock is closed", "newest first: {told}");
    assert_eq!(told["items"][1]["ended"], "whole");
    assert_eq!(told["items"][1]["door"], "tftp");
    assert_eq!(told["lock"]["closed"], true);
    assert_eq!(rig.post(&format!("{path}/unlock"), json!(null)).await.status, 200);
    let told = rig.get(&format!("{path}/fetches")).await.json;
    assert_eq!(
        (told["lock"]["closed"].clone(), told["lock"]["unlocks"].clone()),
        (json!(false), json!(1))
    );
    let before = rig.get(&format!("{path}/url")).await.json;
    let renewed = rig.post(&format!("{path}/token"), json!(null)).await.json;
    assert_ne!(before, renewed);
    assert_eq!(rig.get(&format!("{path}/url")).await.json, renewed);
}

#[tokio::test]
async fn sites_say_who_may_fetch_and_hold_a_phone_book() {
    let rig = Rig::open();
    let body = json!({"tenant": "acme",
        "access": {"tokenless": true, "allow": ["10.10.50.*", "10.0.0.0/8"], "lock": false,
            "logins": [{"user": "phones", "password": "first"}]},
        "contacts": [{"name": "Anna", "number": "20", "group": "Desk"}]});
    let made = rig.put_json("/sites/hq", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["access"]["allow"], json!(["10.10.50.*", "10.0.0.0/8"]));
    assert_eq!(made.json["access"]["logins"], json!([{"user": "phones", "password": "set"}]));
    let kept =
        json!({"access": {"logins": [{"user": "phones"}, {"user": "new", "password": "b"}]}});
    let changed = rig.put_json("/sites/hq", kept).await;
    assert_eq!(changed.json["access"]["tokenless"], true, "what is absent stays: {}", changed.text);
    assert_eq!(changed.json["contacts"][0]["name"], "Anna");
    let site = rig.store.site("hq").await.unwrap().unwrap();
    assert_eq!(rig.vault.unseal(&site.access.logins[0].password).unwrap().expose(), "first");
    rig.put_json(&format!("/phones/{MAC}"), json!({"model": "X4", "site": "hq"})).await;
    let refused = rig.delete("/sites/hq").await;
    assert_eq!((refused.status, refused.json["code"].clone()), (409, json!("in-use")));
    rig.delete(&format!("/phones/{MAC}")).await;
    assert_eq!(rig.delete("/sites/hq").await.status, 204);
    assert_eq!(rig.delete("/sites/hq").await.status, 404);
}

#[tokio::test]
async fn layers_are_made_changed_and_forgotten() {
    let rig = Rig::open();
    for path in ["/layers/global", "/layers/tenant/acme", "/layers/model/fanvil/X6U%20Pro"] {
        assert_eq!(rig.get(path).await.status, 404);
        let body = json!({"settings": {"WEB/Password": "hunter2", "provost:vlan": "5"}});
        let made = rig.put_json(path, body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.json["settings"], json!({"WEB/Password": "***", "provost:vlan": "5"}));
        let again = rig.put_json(path, json!({"settings": made.json["settings"]})).await;
        assert_eq!((again.status, again.json["revision"].clone()), (200, json!(2)));
    }
    let scopes = rig.get("/layers").await.json;
    let scopes: Vec<_> = scopes["items"].as_array().unwrap().iter().map(|l| &l["scope"]).collect();
    assert_eq!(scopes, ["global", "model/fanvil/X6U Pro", "tenant/acme"]);
    let layer = rig.store.layer(&Scope::Global).await.unwrap().unwrap();
    assert_eq!(&*layer.settings["WEB/Password"], "hunter2", "the mask kept it");
    assert_eq!(rig.delete("/layers/global").await.status, 204);
    assert_eq!(rig.delete("/layers/global").await.status, 404);
}
