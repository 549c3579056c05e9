//! Plans: what they say, that they change nothing, and that they are applied once.

use provost::device::{Compliance, Drift, Source};
use provost::store::Record;
use serde_json::{Value, json};

use super::{CANARY, NTP, PASSPHRASE, fleet, path_of, plan, put_device, time};
use crate::api::{Rig, id};

async fn devices(rig: &Rig, plan: &Value) -> Vec<Value> {
    let answer = rig.get(&format!("{}/devices", path_of(plan))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_plan_says_what_would_change_and_changes_nothing() {
    let rig = fleet(3).await;
    let wanted = json!({"parameters": {NTP: "new.example.net", "Device.WiFi.SSID.1.SSID": "Home"}});
    let made = plan(&rig, json!([{"name": "time", "profile": wanted}])).await;
    let summary = &made["summary"];
    assert_eq!((&summary["devices"], &summary["changing"]), (&json!(3), &json!(3)), "{made}");
    assert_eq!(summary["profiles"], json!([{"profile": "time", "devices": 3, "changes": 3}]));
    assert_eq!(summary["paths"], json!([{"path": NTP, "devices": 3}]));
    assert_eq!(summary["outages"], json!({}), "the name of the Wi-Fi stays as it is");
    assert_eq!(summary["rpcs"]["SetParameterValues"], 3, "{summary}");
    assert_eq!((&made["state"], &made["why"]), (&json!("ready"), &json!("a test")));
    let change = &made["devices"][0]["changes"][0];
    assert_eq!((&change["path"], &change["from"]), (&json!(NTP), &json!("old.example.net")));
    assert_eq!((&change["to"], &change["profile"]), (&json!("new.example.net"), &json!("time")));
    assert_eq!(change["version"], 1);

    assert_eq!(rig.get("/profiles/time").await.status, 404);
    let open = rig.store.waiting_tasks(None, 10).await.unwrap();
    assert!(open.is_empty(), "nothing is asked of any device: {open:?}");
}

#[tokio::test]
async fn a_plan_is_applied_once_and_all_of_it_together() {
    let rig = fleet(2).await;
    let changes = json!([
        {"name": "time", "profile": time("new.example.net")},
        {"name": "name", "profile": {"match": "device.serial == '001'",
            "parameters": {"Device.WiFi.SSID.1.SSID": "Office"}}},
    ]);
    let made = plan(&rig, changes).await;
    assert_eq!(made["summary"]["outages"], json!({"wifi": 1}), "{made}");
    let path = path_of(&made);
    let applied = rig.post(&format!("{path}/apply"), json!({})).await;
    assert_eq!((applied.status, &applied.json["state"]), (200, &json!("applied")));
    for name in ["time", "name"] {
        let profile = rig.get(&format!("/profiles/{name}")).await;
        assert_eq!((profile.status, &profile.json["why"]), (200, &json!("a test")));
    }
    let twice = rig.post(&format!("{path}/apply"), json!({})).await;
    assert_eq!((twice.status, &twice.json["code"]), (409, &json!("plan-applied")));
    let shown = rig.get(&path).await.json;
    assert_eq!((&shown["state"], &shown["applied_by"]), (&json!("applied"), &json!("admin")));
    let same = plan(&rig, json!([{"name": "time", "profile": time("new.example.net")}])).await;
    let summary = &same["summary"];
    assert_eq!(summary["changing"], 2, "the devices have not been here yet: {same}");

    let gone = plan(&rig, json!([{"name": "name", "profile": null}])).await;
    assert_eq!(rig.post(&format!("{}/apply", path_of(&gone)), json!({})).await.status, 200);
    assert_eq!(rig.get("/profiles/name").await.status, 404);
    assert_eq!(rig.delete(&path).await.status, 204);
    assert_eq!(rig.get(&path).await.status, 404);
    assert_eq!(rig.get("/profiles/time").await.status, 200, "what was applied stays");
}

#[tokio::test]
async fn a_plan_made_for_other_profiles_is_not_applied() {
    let rig = fleet(1).await;
    let made = plan(&rig, json!([{"name": "time", "profile": time("a.example.net")}])).await;
    let meanwhile = json!({"profile": time("b.example.net")});
    assert_eq!(rig.put_json("/profiles/other", meanwhile).await.status, 201);
    let path = path_of(&made);
    let late = rig.post(&format!("{path}/apply"), json!({})).await;
    assert_eq!((late.status, &late.json["code"]), (409, &json!("plan-outdated")), "{}", late.text);
    assert!(late.json["hint"].as_str().unwrap().contains("again"), "{}", late.text);
    assert_eq!(rig.get(&path).await.json["state"], "outdated");
    assert_eq!(rig.get(&format!("{path}/devices")).await.status, 409);
    assert_eq!(rig.get("/profiles/time").await.status, 404, "nothing of it was applied");
    // Taken out of force counts as a change as well.
    let made = plan(&rig, json!([{"name": "time", "profile": time("a.example.net")}])).await;
    assert_eq!(rig.post("/profiles/other/disable", json!({})).await.status, 200);
    assert_eq!(rig.post(&format!("{}/apply", path_of(&made)), json!({})).await.status, 409);
}

#[tokio::test]
async fn only_devices_that_a_change_concerns_are_in_a_plan() {
    let rig = fleet(5).await;
    let one = json!({"match": "device.serial == '003'", "parameters": {NTP: "x.example.net"}});
    let made = plan(&rig, json!([{"name": "one", "profile": one}])).await;
    assert_eq!(
        (&made["summary"]["devices"], &made["summary"]["concerned"]),
        (&json!(5), &json!(1))
    );
    let listed = devices(&rig, &made).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["device"], id("003").as_str());

    // What a stronger profile overrides everywhere concerns nobody.
    let strong = json!({"priority": 9, "parameters": {NTP: "strong.example.net"}});
    assert_eq!(rig.put_json("/profiles/strong", json!({"profile": strong})).await.status, 201);
    let weak = plan(&rig, json!([{"name": "weak", "profile": time("weak.example.net")}])).await;
    assert_eq!(weak["summary"]["concerned"], 0, "{weak}");
    let off = plan(&rig, json!([{"name": "strong", "enabled": false}])).await;
    assert_eq!((&off["summary"]["concerned"], &off["summary"]["changing"]), (&json!(5), &json!(0)));

    let part = json!({"changes": [{"name": "all", "profile": {"priority": 10, "parameters": {NTP: "y"}}}],
        "match": "device.serial == '001' || device.serial == '002'"});
    let part = rig.post("/plans?wait=20", part).await.json;
    assert_eq!(part["summary"]["concerned"], 2, "{part}");
    let bad = rig.post("/plans", json!({"match": "tags."})).await;
    assert_eq!((bad.status, &bad.json["code"]), (400, &json!("bad-value")), "{}", bad.text);
}

#[tokio::test]
async fn what_is_not_known_and_what_cannot_be_is_told() {
    let rig = fleet(1).await;
    let mut stranger = crate::api::device("never");
    stranger.tree_read_at = None;
    rig.put_devices([stranger]).await;
    let wanted = json!({
        "parameters": {NTP: "new.example.net"},
        "firmware": {"version": "9.9"},
        "tags": {"set": ["gold"]},
    });
    let made = plan(&rig, json!([{"name": "all", "profile": wanted}])).await;
    let summary = &made["summary"];
    assert_eq!((&summary["never_read"], &summary["reading"]), (&json!(1), &json!(1)), "{made}");
    assert_eq!(summary["impossible"], 2, "no file brings the firmware: {made}");
    assert_eq!((&summary["reboots"], &summary["kinds"]["tags"]), (&json!(0), &json!(2)));
    let listed = devices(&rig, &made).await;
    assert_eq!(listed[0]["tags"]["given"], json!(["gold"]));
    assert!(listed[0]["impossible"].to_string().contains("9.9"), "{listed:?}");
    assert_eq!(listed[1]["unknown"], json!([NTP]));
}

#[tokio::test]
async fn the_devices_of_a_plan_come_in_pages() {
    let rig = fleet(300).await;
    let made = plan(&rig, json!([{"name": "time", "profile": time("new.example.net")}])).await;
    assert_eq!(made["summary"]["changing"], 300, "{}", made["summary"]);
    assert_eq!(made["devices"].as_array().unwrap().len(), 20);
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = rig.get(&format!("{}/devices?limit=110{after}", path_of(&made))).await.json;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["device"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..300).map(|n| id(&format!("{n:03}")).to_string()).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn no_answer_of_a_plan_shows_a_secret() {
    let rig = fleet(1).await;
    let wanted = json!({"parameters": {
        PASSPHRASE: CANARY,
        "Device.ManagementServer.URL": format!("http://u:{CANARY}@acs.example.net/"),
    }});
    let made = plan(&rig, json!([{"name": "wifi", "profile": wanted}])).await;
    assert_eq!(made["summary"]["outages"]["wifi"], 1, "{made}");
    let path = path_of(&made);
    let mut texts = vec![made.to_string()];
    for path in [path.clone(), format!("{path}/devices"), "/plans".to_owned()] {
        texts.push(rig.get(&path).await.text);
    }
    texts.push(rig.post(&format!("{path}/apply"), json!({})).await.text);
    for below in ["explain".to_owned(), format!("explain?path={PASSPHRASE}")] {
        texts.push(rig.get(&format!("/devices/{}/{below}", id("000"))).await.text);
    }
    for text in texts {
        assert!(!text.contains(CANARY), "{text}");
        assert!(text.contains("***"), "{text}");
    }
}

#[tokio::test]
async fn explain_tells_who_wants_what_and_why_a_profile_does_not_match() {
    let rig = fleet(1).await;
    let weak = json!({"layer": "global", "parameters": {NTP: "weak.example.net"}});
    let other = json!({"match": "device.serial == 'x'", "parameters": {NTP: "x"}});
    for (name, profile) in
        [("weak", weak), ("strong", time("old.example.net")), ("other", other), ("off", time("o"))]
    {
        let body = json!({"profile": profile, "enabled": name != "off"});
        let made = rig.put_json(&format!("/profiles/{name}"), body).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let told = rig.get(&format!("/devices/{}/explain?path=Device.Time.", id("000"))).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let item = &told.json["items"][0];
    assert_eq!(
        (&item["path"], &item["state"]),
        (&json!(NTP), &json!("satisfied")),
        "{}",
        told.text
    );
    assert_eq!((&item["wanted"], &item["found"]), (&json!("old.example.net"), &item["wanted"]));
    let said = item["said"].as_array().unwrap();
    assert_eq!((&said[0]["profile"], &said[0]["overridden"]), (&json!("weak"), &json!(true)));
    assert_eq!((&said[1]["profile"], &said[1]["overridden"]), (&json!("strong"), &json!(false)));
    let profiles = told.json["profiles"].as_array().unwrap();
    let matches: Vec<(&str, bool)> = profiles
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["matches"].as_bool().unwrap()))
        .collect();
    assert_eq!(matches, [("off", false), ("other", false), ("strong", true), ("weak", true)]);
    assert_eq!(profiles[0]["reason"], "it is not in force");
    assert!(profiles[1]["reason"].as_str().unwrap().contains("device.serial == 'x'"));
    let nothing = rig.get(&format!("/devices/{}/explain?path=Device.X", id("000"))).await.json;
    assert_eq!((&nothing["state"], &nothing["items"]), (&json!("nothing"), &json!([])));
    assert_eq!(rig.get("/devices/00D09E-1/explain").await.status, 404);
}

#[tokio::test]
async fn drift_is_listed_by_who_wants_it_and_since_when() {
    let rig = fleet(3).await;
    put_device(&rig, "003").await;
    let now = crate::api::device("0").last_inform;
    for (serial, path, profile, held) in
        [("000", NTP, "time", ""), ("001", PASSPHRASE, "wifi", "it is only told")]
    {
        let drift = Drift {
            path: path.into(),
            wanted: "***".into(),
            found: Some("x".into()),
            since: now,
            source: Source { layer: "profile".into(), name: profile.into(), version: 2 },
            strayed: true,
            held: held.into(),
            digest: 1,
        };
        rig.put(Record::Compliance(Box::new(Compliance {
            device: id(serial),
            at: now,
            drifts: vec![drift],
            attempts: 0,
            retry_at: None,
            why: "".into(),
            task: None,
            software_version: "".into(),
            firmware: None,
        })))
        .await;
    }
    let listed = async |query: &str| {
        let answer = rig.get(&format!("/drift{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let items = answer.json["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["device"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (first, second) = (id("000").to_string(), id("001").to_string());
    assert_eq!(listed("").await, [first.clone(), second.clone()]);
    assert_eq!(listed("?profile=time").await, std::slice::from_ref(&first));
    assert_eq!(listed("?path=Device.WiFi.").await, std::slice::from_ref(&second));
    assert_eq!(listed("?state=repairing").await, std::slice::from_ref(&first));
    assert_eq!(listed("?state=held").await, [second]);
    assert_eq!(listed("?before=2020-01-01T00:00:00Z").await, Vec::<String>::new());
    assert_eq!(rig.get("/drift?state=x").await.status, 400);
    let page = rig.get("/drift?limit=1").await.json;
    assert_eq!(page["items"][0]["drifts"][0]["found"], "x");
    assert_eq!(page["items"][0]["drifts"][0]["version"], 2);
    let next = page["next"].as_str().unwrap();
    assert_eq!(listed(&format!("?after={next}")).await.len(), 1);
}
