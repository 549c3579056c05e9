//! Calls as published clients make them.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{ID, Rig, TOKEN, call, escaped, header, put_device, with_device};

#[tokio::test]
async fn a_url_with_credentials_is_enough() {
    let rig = with_device().await;
    let basic = format!("Basic {}", STANDARD.encode(format!("anybody:{TOKEN}")));
    let headers = [("authorization", basic.as_str())];
    assert_eq!(rig.bare(Method::GET, "/devices", &headers, "").await.status, 200);
    for headers in [vec![], vec![("authorization", "Basic YTpi")]] {
        assert_eq!(rig.bare(Method::GET, "/devices", &headers, "").await.status, 401);
    }
}

#[tokio::test]
async fn a_device_is_found_by_whatever_way_its_id_is_spelled() {
    let rig = Rig::open();
    put_device(&rig, "HG-100", "A.1 x").await;
    let id = "0A1B2C-HG%2D100-A.1%20x";
    for spelled in [
        // As it stands in the document, and escaped once more, as a client should.
        id.to_owned(),
        escaped(id),
        // Escaped twice; with what some libraries take out; without any escapes.
        escaped(&escaped(id)),
        "0A1B2C-HG-100-A.1%20x".to_owned(),
        "0A1B2C-HG-100-A.1%2520x".to_owned(),
        // As the original would have called it, in both ways.
        "0A1B2C-HG%2D100-A%2E1%20x".to_owned(),
        escaped("0A1B2C-HG%2D100-A%2E1%20x"),
        "0a1b2c-HG-100-A.1%20x".to_owned(),
    ] {
        let path = format!("/devices/{spelled}/tags/t");
        let answer = call(&rig, "POST", &path, "").await;
        assert_eq!(answer.status, 200, "{spelled}: {}", answer.text);
    }
    // Two that are meant alike are told apart by nobody.
    put_device(&rig, "HG", "100-A.1 x").await;
    let answer = call(&rig, "POST", "/devices/0A1B2C-HG-100-A.1%20x/tags/t", "").await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    // What is spelled right is.
    for right in [id.to_owned(), escaped("0A1B2C-HG-100%2DA.1%20x")] {
        assert_eq!(call(&rig, "POST", &format!("/devices/{right}/tags/u"), "").await.status, 200);
    }
    let found = call(
        &rig,
        "GET",
        &format!("/devices?query={}", escaped(&json!({"_id": id}).to_string())),
        "",
    )
    .await;
    assert_eq!(header(&found, "total"), "1");
}

#[tokio::test]
async fn headers_and_flags_are_taken_as_they_come() {
    let rig = with_device().await;
    // A content type without a body, and none where there is a body.
    let json = [("content-type", "application/json")];
    assert_eq!(rig.raw(Method::GET, "/devices", &json, "").await.status, 200);
    assert_eq!(
        rig.raw(Method::DELETE, &format!("/devices/{ID}/tags/x"), &json, "").await.status,
        200
    );
    let body = json!({"name": "reboot"}).to_string();
    for flag in [
        "connection_request",
        "connection_request=",
        "connection_request=1",
        "timeout=3000&connection_request",
    ] {
        let path = format!("/devices/{ID}/tasks?{flag}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answer = rig.raw(Method::POST, &path, &form, body.clone()).await;
        // It cannot be woken: the flag was understood.
        assert_eq!(
            (answer.status, answer.reason.as_deref()),
            (202, Some("Invalid connection request URL")),
            "{flag}"
        );
        assert!(answer.json["_id"].is_string());
    }
    // Waking alone, with an empty body of any kind.
    for body in ["", " \n"] {
        let path = format!("/devices/{ID}/tasks?timeout=3000&connection_request=");
        assert_eq!(rig.raw(Method::POST, &path, &json, body).await.status, 504);
    }
    // One client posts presets; the original does not know that either.
    let posted = call(&rig, "POST", "/presets/x", "{}").await;
    assert_eq!((posted.status, header(&posted, "allow")), (405, "PUT, DELETE"));
}

#[tokio::test]
async fn searches_of_published_clients_are_answered() {
    let rig = Rig::open();
    for serial in ["S1", "S2", "S3"] {
        put_device(&rig, "SIM300", serial).await;
    }
    let found = async |query: &str, rest: &str| {
        let path = format!("/devices/?query={}{rest}", escaped(query));
        let answer = call(&rig, "GET", &path, "").await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        let ids = answer.json.as_array().unwrap().iter();
        let serials: Vec<String> =
            ids.map(|one| one["_deviceId"]["_SerialNumber"].as_str().unwrap().to_owned()).collect();
        (header(&answer, "total").to_owned(), serials.join(" "))
    };
    let all = ("3".to_owned(), "S1 S2 S3".to_owned());
    assert_eq!(found("{}", "").await, all);
    assert_eq!(found(r#"{"_lastInform":{"$gt":"2026-11-19 20:00:00 +0000"}}"#, "").await.0, "0");
    assert_eq!(found(r#"{"_lastInform":{"$gt":"2026-11-19T20:00:00+00:00"}}"#, "").await, all);
    assert_eq!(found(r#"{"_id":{"$regex":"S[12]$"}}"#, "").await, ("2".into(), "S1 S2".into()));
    let either =
        r#"{"$or":[{"_deviceId._SerialNumber":"S3"},{"_id":{"$regex":"s1","$options":"i"}}]}"#;
    assert_eq!(found(either, "").await, ("2".into(), "S1 S3".into()));
    let sort = format!("&sort={}&skip=1&limit=1", escaped(r#"{"_deviceId._SerialNumber":-1}"#));
    assert_eq!(found("{}", &sort).await, ("3".into(), "S2".into()));
    assert_eq!(found("{}", "&skip=1&limit=1").await, ("3".into(), "S2".into()));
    let number = r#"{"InternetGatewayDevice.DeviceInfo.UpTime":{"$gte":"3600"},"_deviceId._SerialNumber":{"$ne":"S2"}}"#;
    assert_eq!(found(number, "&limit=1").await, ("2".into(), "S1".into()));
    // A secret is not found by guessing, nor shown.
    assert_eq!(
        found(r#"{"InternetGatewayDevice.ManagementServer.Password":"s3cret"}"#, "").await.0,
        "0"
    );
    let shown = call(&rig, "GET", "/devices", "").await;
    assert!(!shown.text.contains("s3cret"));
    let password = &shown.json[0]["InternetGatewayDevice"]["ManagementServer"]["Password"];
    assert_eq!(password["_value"], "***");
}
