//! `ETag`, `If-None-Match`, `If-Match`.

use axum::http::Method;
use serde_json::json;

use super::{Rig, device, id};

#[tokio::test]
async fn what_people_edit_has_a_tag_and_is_not_told_twice() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let device = format!("/devices/{}", id("1"));
    rig.put_json("/sites/hq", json!({})).await;
    rig.put_json("/phones/0c383e07e16c", json!({"model": "X4", "site": "hq"})).await;
    rig.put_json("/layers/global", json!({"settings": {}})).await;
    rig.put_json("/preloads/serial/7", json!({"tags": ["a"]})).await;
    let profile = json!({"profile": {"match": "true", "tags": {"set": ["x"]}}, "why": "w"});
    let made = rig.put_json("/profiles/time", profile).await;
    for path in [
        device.as_str(),
        "/sites/hq",
        "/phones/0c383e07e16c",
        "/layers/global",
        "/preloads/serial/7",
        "/profiles/time",
    ] {
        if path == "/profiles/time" && made.status != 201 {
            panic!("{}", made.text);
        }
        let first = rig.get(path).await;
        assert_eq!(first.status, 200, "{path}: {}", first.text);
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let revision = first.json["revision"].as_u64().or(first.json["version"].as_u64()).unwrap();
        assert!(tag.starts_with(&format!("\"{revision}-")), "{path}: {tag}");
        let whole = format!("/api/v1{path}");
        let known = rig.raw(Method::GET, &whole, &[("if-none-match", &tag)], "").await;
        assert_eq!((known.status, known.text.as_str()), (304, ""), "{path}");
        assert_eq!(known.headers["etag"].to_str().unwrap(), tag);
        let other = rig.raw(Method::GET, &whole, &[("if-none-match", "\"x\"")], "").await;
        assert_eq!(other.status, 200);
    }
}

#[tokio::test]
async fn a_tag_is_good_for_if_match_and_an_old_one_is_not() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let path = format!("/api/v1/devices/{}", id("1"));
    let tag = |answer: &super::Answer| answer.headers["etag"].to_str().unwrap().to_owned();
    let first = tag(&rig.raw(Method::GET, &path, &[], "").await);
    let change = |tag: String| {
        let (rig, path) = (&rig, &path);
        let body = json!({"add_tags": ["a"]}).to_string();
        async move { rig.raw(Method::PATCH, path, &[("if-match", &tag)], body).await }
    };
    assert_eq!(change(first.clone()).await.status, 200);
    let stale = change(first.clone()).await;
    assert_eq!((stale.status, &stale.json["code"]), (412, &json!("other-revision")));
    let second = tag(&rig.raw(Method::GET, &path, &[], "").await);
    assert_ne!(first, second);
    assert_eq!(change(second).await.status, 200);
}
