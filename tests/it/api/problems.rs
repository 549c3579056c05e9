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
