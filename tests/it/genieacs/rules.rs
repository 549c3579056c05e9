//! Who may do what, what takes effect, and what is refused.

use axum::http::Method;
use provost::config::Config;
use serde_json::{Value, json};

use super::{ID, Rig, call, escaped, header, put_device, with_device};

#[tokio::test]
async fn it_can_be_switched_off() {
    let mut config = Config::default();
    config.northbound.genieacs = false;
    let rig = Rig::with(config);
    for path in ["/devices", "/tasks", "/presets/x", "/nosuch", "/"] {
        let answer = call(&rig, "GET", path, "").await;
        assert_eq!((answer.status, header(&answer, "genieacs-version")), (404, ""), "{path}");
    }
    assert_eq!(rig.get("/devices").await.status, 200);
}

#[tokio::test]
async fn our_own_interface_says_what_it_always_said() {
    let rig = with_device().await;
    for (method, path, code) in [
        ("GET", "/api/v1/nosuch", "no-route"),
        ("PUT", "/api/v1/devices", "wrong-method"),
        ("GET", "/api/v1/devices/", "no-route"),
    ] {
        let answer = call(&rig, method, path, "").await;
        assert_eq!(answer.json["code"], code, "{path}");
        assert_eq!(header(&answer, "genieacs-version"), "", "{path}");
    }
}

/// The profile that a preset became, if any.
async fn profile(rig: &Rig, name: &str) -> Option<Value> {
    let answer = rig.get(&format!("/profiles/{name}")).await;
    (answer.status == 200).then(|| answer.json["profile"].clone())
}

#[tokio::test]
async fn a_preset_that_can_be_said_as_a_profile_takes_effect() {
    let rig = with_device().await;
    assert_eq!(
        call(
            &rig,
            "PUT",
            "/objects/pm",
            &json!({"_keys": ["ExternalPort"], "ExternalPort": 80}).to_string()
        )
        .await
        .status,
        200
    );
    let preset = json!({
        "weight": 7, "channel": "default", "schedule": "", "events": {},
        "precondition": "DeviceID.ProductClass = \"SIM300\" AND Tags.gold IS NOT NULL",
        "configurations": [
            {"type": "value", "name": "InternetGatewayDevice.ManagementServer.PeriodicInformInterval", "value": "300"},
            {"type": "value", "name": "InternetGatewayDevice.ManagementServer.ConnectionRequestPassword", "value": "s3cret"},
            {"type": "age", "name": "InternetGatewayDevice.DeviceInfo", "age": "3600"},
            {"type": "add_tag", "tag": "seen"},
            {"type": "add_object", "name": "InternetGatewayDevice.X_A.Table", "object": "pm"},
        ],
    });
    let stored = call(&rig, "PUT", "/presets/inform", &preset.to_string()).await;
    assert_eq!(
        (stored.status, header(&stored, "x-provost-note")),
        (200, "in force as the profile genieacs-inform")
    );
    let made = profile(&rig, "genieacs-inform").await.unwrap();
    assert_eq!(made["priority"], 7);
    assert_eq!(made["match"], "(device.product_class == \"SIM300\" && has_tag(\"gold\"))");
    assert_eq!(made["tags"]["set"], json!(["seen"]));
    assert_eq!(made["refresh"], json!({"InternetGatewayDevice.DeviceInfo.": 3600}));
    assert_eq!(made["tables"][0]["rows"][0]["values"], json!({"ExternalPort": 80}));

    // Its secret is not shown, and stays what it is when what was shown comes back.
    let shown = call(&rig, "GET", "/presets", "").await;
    assert!(!shown.text.contains("s3cret"), "{}", shown.text);
    let mut back = shown.json[0].clone();
    back["weight"] = json!(8);
    assert_eq!(call(&rig, "PUT", "/presets/inform", &back.to_string()).await.status, 200);
    let text = rig.store.fleet().profile("genieacs-inform").await.unwrap().unwrap();
    assert!(text.text.contains("s3cret") && text.version == 2, "{}", text.text);

    // An object that changes changes what is made of it.
    call(
        &rig,
        "PUT",
        "/objects/pm",
        &json!({"_keys": ["ExternalPort"], "ExternalPort": 81}).to_string(),
    )
    .await;
    assert_eq!(
        profile(&rig, "genieacs-inform").await.unwrap()["tables"][0]["rows"][0]["values"],
        json!({"ExternalPort": 81})
    );
    call(&rig, "DELETE", "/objects/pm", "").await;
    assert_eq!(profile(&rig, "genieacs-inform").await, None);
    call(
        &rig,
        "PUT",
        "/objects/pm",
        &json!({"_keys": ["ExternalPort"], "ExternalPort": 82}).to_string(),
    )
    .await;
    assert!(profile(&rig, "genieacs-inform").await.is_some());

    // What cannot be said is stored, and said to be.
    let mut odd = back.clone();
    odd["events"] = json!({"1 BOOT": true});
    let stored = call(&rig, "PUT", "/presets/inform", &odd.to_string()).await;
    assert_eq!(stored.status, 200);
    assert!(
        header(&stored, "x-provost-note").starts_with("stored only: "),
        "{}",
        header(&stored, "x-provost-note")
    );
    assert_eq!(profile(&rig, "genieacs-inform").await, None);
    assert_eq!(call(&rig, "GET", "/presets", "").await.json[0]["events"], json!({"1 BOOT": true}));

    call(&rig, "PUT", "/presets/inform", &back.to_string()).await;
    assert!(profile(&rig, "genieacs-inform").await.is_some());
    assert_eq!(call(&rig, "DELETE", "/presets/inform", "").await.status, 200);
    assert_eq!(profile(&rig, "genieacs-inform").await, None);
    assert_eq!(call(&rig, "DELETE", "/presets/inform", "").await.status, 200);
}

#[tokio::test]
async fn a_profile_of_somebody_else_is_left_alone() {
    let rig = with_device().await;
    let own = json!({"profile": {"parameters": {"InternetGatewayDevice.Time.Enable": true}}});
    assert_eq!(rig.put_json("/profiles/genieacs-x", own).await.status, 201);
    let stored =
        call(&rig, "PUT", "/presets/x", r#"{"configurations":[{"type":"add_tag","tag":"a"}]}"#)
            .await;
    assert!(header(&stored, "x-provost-note").contains("not made of it"));
    call(&rig, "DELETE", "/presets/x", "").await;
    assert!(profile(&rig, "genieacs-x").await.is_some());
}

#[tokio::test]
async fn ping_runs_a_program_and_no_shell() {
    let rig = with_device().await;
    for host in [";id", "$(id)", "-f", "--help", "-I eth0", "a b", "a\nb", "`id`"] {
        let answer = call(&rig, "GET", &format!("/ping/{}", escaped(host)), "").await;
        assert_eq!(answer.status, 400, "{host}: {}", answer.text);
    }
    let data = tempfile::tempdir().unwrap();
    let program = data.path().join("ping");
    std::fs::write(&program, "#!/bin/sh\nprintf '%s\\n' \"$*\"\n").unwrap();
    let mut permissions = std::fs::metadata(&program).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(&program, permissions).unwrap();
    let mut config = Config::default();
    config.northbound.ping = program;
    let rig = Rig::with(config);
    let answer = call(&rig, "GET", "/ping/192.0.2.1", "").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "-n -c 3 -w 3 -- 192.0.2.1\n"));
    assert!(header(&answer, "content-type").starts_with("text/plain"));

    let mut config = Config::default();
    config.northbound.ping = "/nowhere/ping".into();
    let rig = Rig::with(config);
    let answer = call(&rig, "GET", "/ping/192.0.2.1", "").await;
    assert_eq!(answer.status, 500);
    assert!(
        answer.text.starts_with("Error: the ping program /nowhere/ping cannot be run"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_long_list_is_sent_whole_in_order() {
    let rig = Rig::open();
    for serial in 0..450 {
        put_device(&rig, "SIM300", &format!("S{serial:04}")).await;
    }
    let whole = call(&rig, "GET", "/devices?projection=_id", "").await;
    assert_eq!(header(&whole, "total"), "450");
    let ids: Vec<&str> =
        whole.json.as_array().unwrap().iter().map(|one| one["_id"].as_str().unwrap()).collect();
    assert!(ids.len() == 450 && ids.is_sorted());
    let window = call(&rig, "GET", "/devices?projection=_id&skip=199&limit=3", "").await;
    let part: Vec<&str> =
        window.json.as_array().unwrap().iter().map(|one| one["_id"].as_str().unwrap()).collect();
    assert_eq!(part, ids[199..202]);
    // One that a filter alone cannot answer.
    let query =
        escaped(r#"{"InternetGatewayDevice.DeviceInfo.UpTime":3600,"_id":{"$regex":"[05]$"}}"#);
    let found =
        call(&rig, "GET", &format!("/devices?query={query}&projection=_id&limit=2&skip=88"), "")
            .await;
    assert_eq!(header(&found, "total"), "90");
    assert_eq!(found.json, json!([{"_id": "0A1B2C-SIM300-S0440"}, {"_id": "0A1B2C-SIM300-S0445"}]));
}

#[tokio::test]
async fn odd_requests_are_answered_and_the_next_one_too() {
    let rig = with_device().await;
    for path in [
        "/devices?limit=abc",
        "/devices?skip=999999999",
        "/devices?sort=%7B",
        "/devices?sort=%7B%22a%22%3A%22b%22%7D",
        "/devices?projection=,,,",
        "/devices?query=%FF",
        "/tasks?query=%7B%22_id%22%3A5%7D",
        "/faults?query=%7B%22_id%22%3A%7B%22%24regex%22%3A%22(%22%7D%7D",
        "/presets?query=%7B%22%24where%22%3A%221%22%7D",
        "/devices//",
        "/%ff",
        "/devices/%ff",
        "/devices/..%2f..%2fetc%2fpasswd/tasks",
    ] {
        for method in
            [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS]
        {
            let answer = rig.raw(method.clone(), path, &[], "{}").await;
            assert!(answer.status < 500, "{method} {path}: {}", answer.text);
        }
    }
    let devices = call(&rig, "HEAD", "/devices", "").await;
    assert_eq!(header(&devices, "total"), "1", "{ID} is still there");
}
