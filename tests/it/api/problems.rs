//! The shape of errors.

use axum::http::Method;
use provost::config::Config;
use serde_json::json;

use super::{Rig, device, id};

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let known = format!("/api/v1/devices/{}", id("1"));
    let deep = "[".repeat(1000);
    for (method, path, body, status, code) in [
        (Method::GET, "/api/v1/nothing", "", 404, "no-route"),
        (Method::PUT, "/api/v1/devices", "", 405, "wrong-method"),
        (Method::GET, "/api/v1/devices/00D09E-2", "", 404, "not-found"),
        (Method::GET, "/api/v1/devices/x", "", 400, "bad-value"),
        (Method::GET, "/api/v1/devices?limit=0", "", 400, "bad-value"),
        (Method::GET, "/api/v1/devices?limit=1001", "", 400, "bad-value"),
        (Method::GET, "/api/v1/devices?after=%21", "", 400, "bad-value"),
        (Method::GET, "/api/v1/devices?invented=1", "", 400, "malformed"),
        (Method::GET, "/api/v1/tasks/x", "", 400, "bad-value"),
        (Method::GET, "/api/v1/tasks?state=lost", "", 400, "bad-value"),
        (Method::PATCH, known.as_str(), "{", 400, "malformed"),
        (Method::PATCH, known.as_str(), deep.as_str(), 400, "malformed"),
        (Method::PATCH, known.as_str(), r#"{"tags":[],"revision":9}"#, 400, "malformed"),
        (Method::GET, "/api/v1/phones/x", "", 400, "bad-value"),
        (Method::GET, "/api/v1/files/00", "", 404, "not-found"),
    ] {
        let answer = rig.raw(method.clone(), path, &[], body.to_owned()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        assert_eq!(answer.json["code"], code, "{method} {path}");
        assert_eq!(answer.json["status"], status, "{path}");
        assert_eq!(answer.json["type"], format!("urn:provost:problem:{code}"));
        for key in ["title", "detail"] {
            assert!(answer.json[key].as_str().is_some_and(|text| !text.is_empty()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let mut config = Config::default();
    config.northbound.max_body = 1000;
    let rig = Rig::with(config);
    rig.put_devices([device("1")]).await;
    let path = format!("/devices/{}", id("1"));
    let tags = json!({"tags": ["x".repeat(2000)]});
    let answer = rig.send(Method::PATCH, &path, Some(tags)).await;
    assert_eq!((answer.status, answer.json["code"].as_str()), (413, Some("too-large")));
}

#[tokio::test]
async fn the_server_describes_and_reports_itself() {
    let rig = Rig::open();
    let document = rig.get("/openapi.json").await;
    assert_eq!(document.status, 200);
    assert!(document.json["paths"]["/api/v1/devices"]["get"].is_object());
    let health = rig.get("/health").await;
    assert_eq!(health.json["status"], "ok", "{}", health.text);
    assert_eq!(health.json["time"], "2026-11-20T20:05:00Z");
}

#[tokio::test]
async fn what_is_too_long_is_told_what_to_do() {
    let rig = Rig::open();
    let long = format!("/devices?q={}", "x".repeat(9000));
    let refused = rig.get(&long).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (414, Some("query-too-long")));
    assert!(refused.json["hint"].is_string());
    let deep = format!("{}true{}", "(".repeat(200), ")".repeat(200));
    for filter in
        [deep, "true && ".repeat(600) + "true", "tags.exists(t, t.matches('('))".to_owned()]
    {
        let body = json!({"filter": filter, "action": "wake"});
        let refused = rig.post("/bulk", body).await;
        assert_eq!((refused.status, refused.json["code"].as_str()), (400, Some("bad-value")));
    }
    let fields = vec!["id"; 201].join(",");
    assert_eq!(rig.get(&format!("/devices?fields={fields}")).await.status, 200, "one field");
    let many: Vec<String> = (0..201).map(|n| format!("parameters.Device.A{n}")).collect();
    let refused = rig.get(&format!("/devices?fields={}", many.join(","))).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (400, Some("bad-value")));
}

/// Every code that the northbound can answer has a row of `docs/API.md`.
#[test]
fn every_code_is_explained() {
    let source = include_str!("../../../src/api/problem/mod.rs");
    let codes = source.split("const fn code").nth(1).unwrap().split("fn hint").next().unwrap();
    let words = include_str!("../../../src/class.rs").split("const fn word").nth(1).unwrap();
    let words = words.split("    }\n").next().unwrap();
    let quoted = |text: &str| -> Vec<String> {
        text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let known: Vec<String> = quoted(codes).into_iter().chain(quoted(words)).collect();
    assert!(known.len() > 50, "{known:?}");
    let page = include_str!("../../../docs/API.md");
    for code in &known {
        assert!(page.contains(&format!("\n| `{code}` | ")), "docs/API.md does not explain {code}");
    }
    let table = page.split("| code | status | what |").nth(1).unwrap();
    for row in table.lines().skip(2).take_while(|line| line.starts_with("| `")) {
        let code = row.split('`').nth(1).unwrap();
        assert!(known.iter().any(|known| known == code), "nothing answers {code}");
    }
}
