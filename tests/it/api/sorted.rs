//! Lists in another order than that of their keys, page by page.

use axum::http::Method;
use serde_json::{Value, json};

use super::Rig;

/// One member of every item of a list, page after page.
async fn all(rig: &Rig, path: &str, member: &str) -> Vec<String> {
    let (mut told, mut next) = (Vec::new(), String::new());
    loop {
        let page = rig.get(&format!("{path}{next}")).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        let items = page.json["items"].as_array().unwrap();
        told.extend(items.iter().map(|item| item[member].as_str().unwrap_or_default().to_owned()));
        match page.json["next"].as_str() {
            Some(cursor) => next = format!("&after={cursor}"),
            None => return told,
        }
    }
}

async fn with_phones() -> Rig {
    let rig = Rig::open();
    for site in ["hq", "Attic"] {
        assert_eq!(rig.put_json(&format!("/sites/{site}"), json!({})).await.status, 201);
    }
    for (mac, model, site) in
        [("01", "X6", "hq"), ("02", "x4", "Attic"), ("03", "X4", "hq"), ("04", "X210", "hq")]
    {
        let body = json!({"model": model, "site": site});
        assert_eq!(rig.put_json(&format!("/phones/0c383e0000{mac}"), body).await.status, 201);
    }
    rig
}

#[tokio::test]
async fn phones_are_sorted_by_what_is_asked_page_by_page() {
    let rig = with_phones().await;
    for (sort, expected) in [
        ("mac", ["01", "02", "03", "04"]),
        ("-mac", ["04", "03", "02", "01"]),
        // In any case; of two alike the lower address first, whatever the order.
        ("model", ["04", "02", "03", "01"]),
        ("-model", ["01", "02", "03", "04"]),
        ("site", ["02", "01", "03", "04"]),
        ("last_seen", ["01", "02", "03", "04"]),
    ] {
        for limit in [1, 3, 100] {
            let told = all(&rig, &format!("/phones?sort={sort}&limit={limit}"), "mac").await;
            let expected = expected.map(|mac| format!("0c383e0000{mac}"));
            assert_eq!(told, expected, "{sort} by {limit}");
        }
    }
    let told = all(&rig, "/phones?sort=-model&site=hq&limit=1", "model").await;
    assert_eq!(told, ["X6", "X4", "X210"], "conditions hold as well");
}

#[tokio::test]
async fn what_a_list_is_not_sorted_by_is_refused_with_what_it_is() {
    let rig = with_phones().await;
    for path in [
        "/phones",
        "/sites",
        "/profiles",
        "/campaigns",
        "/files",
        "/tokens",
        "/users",
        "/tenants",
        "/webhooks",
        "/models",
    ] {
        let refused = rig.get(&format!("{path}?sort=colour")).await;
        assert_eq!((refused.status, &refused.json["code"]), (400, &json!("bad-value")), "{path}");
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(detail.starts_with("sort: this list is not sorted by that; by "), "{detail}");
        // All that is named can be asked for, either way.
        for column in detail.rsplit_once("; by ").unwrap().1.split(", ") {
            for sort in [column.to_owned(), format!("-{column}")] {
                let told = rig.get(&format!("{path}?sort={sort}")).await;
                assert_eq!(told.status, 200, "{path} {sort}: {}", told.text);
            }
        }
    }
    let near = rig.get("/phones?sort=modell").await;
    assert!(near.text.contains("did you mean `model`?"), "{}", near.text);
    // A cursor is for the order in which it was told, and for no other.
    let page = rig.get("/phones?sort=model&limit=1").await;
    let next = page.json["next"].as_str().unwrap();
    for query in ["sort=-model", "sort=site", "q="] {
        let refused = rig.get(&format!("/phones?{query}&limit=1&after={next}")).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.text);
    }
}

#[tokio::test]
async fn other_lists_are_sorted_the_same_way() {
    let rig = with_phones().await;
    assert_eq!(all(&rig, "/sites?sort=-name", "name").await, ["hq", "Attic"]);
    for (name, role, full) in
        [("ada", "viewer", "Zoe"), ("bob", "admin", "adam"), ("eve", "agent", "Mia")]
    {
        let body = json!({"role": role, "full_name": full});
        assert_eq!(rig.put_json(&format!("/users/{name}"), body).await.status, 201);
    }
    assert_eq!(all(&rig, "/users?sort=full_name&limit=1", "name").await, ["bob", "eve", "ada"]);
    assert_eq!(all(&rig, "/users?sort=-role&limit=2", "name").await, ["ada", "eve", "bob"]);
    for (name, seconds) in [("late", Value::Null), ("soon", json!(60)), ("later", json!(600))] {
        let body = json!({"name": name, "role": "viewer", "expires_in": seconds});
        assert_eq!(rig.post("/tokens", body).await.status, 201);
    }
    let told = all(&rig, "/tokens?sort=expires_at&state=active&limit=1", "name").await;
    assert_eq!(told, ["late", "soon", "later"], "what has no end comes first");
    for (name, enabled) in [("a", true), ("b", false), ("c", true)] {
        let body = json!({"profile": {}, "enabled": enabled});
        assert_eq!(rig.put_json(&format!("/profiles/{name}"), body).await.status, 201);
    }
    assert_eq!(all(&rig, "/profiles?sort=enabled&limit=1", "name").await, ["b", "a", "c"]);
    for (name, body) in [("one.bin", "123"), ("two.bin", "1"), ("three.bin", "12")] {
        let path = format!("/api/v1/files?name={name}");
        let made = rig.raw(Method::POST, &path, &[], body.to_owned()).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let told = all(&rig, "/files?sort=-size&limit=2", "name").await;
    assert_eq!(told, ["one.bin", "three.bin", "two.bin"]);
}
