//! Who may do what: tokens, users, tenants, and the door.

use std::time::Duration;

use axum::http::{Method, header};
use provost::access::{Right, Rights, Role};
use provost::config::Config;
use serde_json::{Value, json};

use super::rig::NOW;
use super::{Answer, Rig, TOKEN};

/// A rig with two tenants and their sites.
async fn house() -> Rig {
    let rig = Rig::open();
    for tenant in ["acme", "other"] {
        assert_eq!(rig.put_json(&format!("/tenants/{tenant}"), json!({})).await.status, 201);
        let site = json!({"tenant": tenant});
        assert_eq!(rig.put_json(&format!("/sites/{tenant}-hq"), site).await.status, 201);
    }
    rig
}

/// Makes a token, as the first token's holder; its id and its text.
async fn token(rig: &Rig, draft: Value) -> (String, String) {
    let made = rig.post("/tokens", draft).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let text = |key: &str| made.json[key].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

/// Asks with a token.
async fn ask(rig: &Rig, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    rig.bare(method, &format!("/api/v1{path}"), &[("authorization", &bearer)], body).await
}

async fn status(rig: &Rig, token: &str) -> u16 {
    ask(rig, token, Method::GET, "/me", Value::Null).await.status
}

#[tokio::test]
async fn a_token_is_shown_once_and_opens_what_it_says() {
    let rig = house().await;
    let draft = json!({"name": "monitor", "role": "viewer", "rights": ["devices:read", "own"],
        "tenant": "acme", "sites": ["acme-hq"], "expires_in": 3600});
    let made = rig.post("/tokens", draft).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.headers[header::CACHE_CONTROL], "no-store");
    let (id, text) = (made.json["id"].as_str().unwrap(), made.json["token"].as_str().unwrap());
    assert!(text.starts_with(&format!("pv_{id}_")) && text.len() > 60, "{text}");
    let me = ask(&rig, text, Method::GET, "/me", Value::Null).await;
    assert_eq!(me.status, 200, "{}", me.text);
    let expected = json!({"name": "monitor", "token": id, "token_name": "monitor", "user": null,
        "role": "viewer", "rights": ["devices:read", "own"], "tenant": "acme",
        "sites": ["acme-hq"], "expires_at": NOW.after(Duration::from_secs(3600)).to_string()});
    assert_eq!(me.json, expected);
    assert_eq!(ask(&rig, text, Method::GET, "/tasks", Value::Null).await.status, 403);
    let basic = base64_of(&format!("anybody:{text}"));
    let basic = rig.bare(Method::GET, "/api/v1/me", &[("authorization", &basic)], "").await;
    assert_eq!(basic.json, expected);

    let shown = rig.get(&format!("/tokens/{id}")).await;
    assert_eq!(
        (shown.json["state"].as_str(), &shown.json["created_by"]),
        (Some("active"), &json!("admin"))
    );
    let listed = rig.get("/tokens").await;
    assert_eq!(listed.json["items"], json!([shown.json]));
    let stored = rig.store.office().token(id).await.unwrap().unwrap();
    assert!(!format!("{stored:?}").contains(text.rsplit_once(id).unwrap().1), "{stored:?}");
    assert!(!listed.text.contains(text) && !shown.text.contains(text));

    rig.clock.advance(Duration::from_secs(3600));
    assert_eq!(status(&rig, text).await, 401, "it has expired");
    assert_eq!(rig.get("/tokens?state=expired").await.json["items"][0]["id"], id);
}

#[tokio::test]
async fn an_answer_with_a_token_is_not_kept_for_a_repetition() {
    let rig = house().await;
    let headers = [("idempotency-key", "1")];
    let draft = json!({"name": "x", "role": "viewer"}).to_string();
    let made = rig.raw(Method::POST, "/api/v1/tokens", &headers, draft.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let kept = rig.store.office().reply("", "1").await.unwrap().unwrap();
    assert!(kept.body.is_empty(), "{kept:?}");
    let again = rig.raw(Method::POST, "/api/v1/tokens", &headers, draft).await;
    assert!(again.status >= 400 && !again.text.contains("pv_"), "{}", again.text);
    assert_eq!(rig.get("/tokens").await.json["items"].as_array().unwrap().len(), 1);
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

#[tokio::test]
async fn e09_what_is_revoked_rotated_or_deleted_opens_nothing_at_once() {
    let rig = house().await;
    let (id, first) = token(&rig, json!({"name": "x", "role": "viewer"})).await;
    assert_eq!(status(&rig, &first).await, 200);
    let rotated = rig.post(&format!("/tokens/{id}/rotate"), Value::Null).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    let second = rotated.json["token"].as_str().unwrap();
    assert_eq!((status(&rig, &first).await, status(&rig, second).await), (401, 200));
    let revoked = rig.post(&format!("/tokens/{id}/revoke"), Value::Null).await;
    assert_eq!((revoked.status, &revoked.json["state"]), (200, &json!("revoked")));
    assert_eq!(status(&rig, second).await, 401);
    let again = rig.post(&format!("/tokens/{id}/revoke"), Value::Null).await;
    assert_eq!(again.json, revoked.json, "twice is once");
    let rotated = rig.post(&format!("/tokens/{id}/rotate"), Value::Null).await;
    assert_eq!((rotated.status, &rotated.json["code"]), (409, &json!("token-revoked")));

    let (id, text) = token(&rig, json!({"name": "x", "role": "viewer"})).await;
    assert_eq!(rig.delete(&format!("/tokens/{id}")).await.status, 204);
    assert_eq!(status(&rig, &text).await, 401);
    assert_eq!(rig.delete(&format!("/tokens/{id}")).await.status, 404);
}

#[tokio::test]
async fn e09_a_user_who_is_changed_disabled_or_gone_takes_the_tokens_along() {
    let rig = house().await;
    let put = async |change: Value| {
        let put = rig.put_json("/users/ann", change).await;
        assert!(put.status < 300, "{}", put.text);
        put
    };
    put(json!({"role": "operator", "full_name": "Ann"})).await;
    let (id, text) = token(&rig, json!({"name": "laptop", "role": "admin", "user": "ann"})).await;
    let me = async || ask(&rig, &text, Method::GET, "/me", Value::Null).await;
    let told = me().await;
    assert_eq!((&told.json["name"], &told.json["role"]), (&json!("ann"), &json!("operator")));
    put(json!({"role": "viewer", "tenant": "acme"})).await;
    let told = me().await;
    assert_eq!((&told.json["role"], &told.json["tenant"]), (&json!("viewer"), &json!("acme")));
    put(json!({"disabled": true})).await;
    assert_eq!(me().await.status, 401);
    assert_eq!(rig.get(&format!("/tokens/{id}")).await.json["state"], "shut");
    assert_eq!(put(json!({"disabled": false})).await.json["tokens"], 1);
    assert_eq!(me().await.status, 200);
    assert_eq!(rig.delete("/users/ann").await.status, 204);
    assert_eq!(me().await.status, 401);
    put(json!({"role": "admin"})).await;
    assert_eq!(me().await.status, 401, "whoever has the name now has none of the tokens");
}

#[tokio::test]
async fn a_record_changed_by_another_meanwhile_is_told() {
    let rig = house().await;
    let (id, _) = token(&rig, json!({"name": "x", "role": "viewer"})).await;
    assert_eq!(rig.put_json("/users/ann", json!({"role": "viewer"})).await.status, 201);
    for (method, path, body) in [
        (Method::PATCH, format!("/api/v1/tokens/{id}"), json!({"name": "y"})),
        (Method::PUT, "/api/v1/users/ann".to_owned(), json!({"email": "a@example.net"})),
        (Method::PUT, "/api/v1/tenants/acme".to_owned(), json!({"title": "Acme"})),
    ] {
        let send = async |revision: &str| {
            let headers = [("if-match", revision)];
            rig.raw(method.clone(), &path, &headers, body.to_string()).await
        };
        let changed = send("\"1\"").await;
        assert_eq!((changed.status, &changed.json["revision"]), (200, &json!(2)), "{path}");
        assert_eq!(send("\"1\"").await.json["code"], "other-revision", "{path}");
        assert_eq!(send("\"2\"").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn e11_nobody_gives_more_than_they_have() {
    let rig = house().await;
    let acme = json!({"name": "a", "role": "admin", "tenant": "acme", "expires_in": 3600});
    let (own, admin) = token(&rig, acme).await;
    let (wide, _) = token(&rig, json!({"name": "w", "role": "viewer"})).await;
    let (theirs, _) = token(&rig, json!({"name": "t", "role": "viewer", "tenant": "other"})).await;
    let ask =
        async |method: Method, path: &str, body: Value| ask(&rig, &admin, method, path, body).await;

    let refused = async |body: Value, code: &str| {
        let answer = ask(Method::POST, "/tokens", body.clone()).await;
        assert_eq!(answer.json["code"], code, "{body}: {}", answer.text);
    };
    let base = json!({"name": "n", "role": "viewer"});
    let with = |more: Value| {
        let mut all = base.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    refused(with(json!({"tenant": "other"})), "beyond-own").await;
    refused(with(json!({"tenant": "nowhere"})), "beyond-own").await;
    refused(with(json!({"tenant": ""})), "beyond-own").await;
    refused(with(json!({"expires_in": 7200})), "beyond-own").await;
    refused(with(json!({"role": "root"})), "bad-value").await;
    refused(with(json!({"rights": ["everything"]})), "bad-value").await;
    for invented in ["revision", "id", "hash", "created_by", "reach", "revoked_at", "admin"] {
        refused(with(json!({invented: 1})), "malformed").await;
    }
    let made = ask(Method::POST, "/tokens", base.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["tenant"], "acme", "its maker's");
    assert!(!made.json["expires_at"].is_null(), "its maker's");
    let path = format!("/tokens/{}", made.json["id"].as_str().unwrap());
    for (change, code) in [
        (json!({"tenant": null}), "beyond-own"),
        (json!({"tenant": "other"}), "beyond-own"),
        (json!({"expires_at": null}), "beyond-own"),
        (json!({"user": "ann"}), "malformed"),
        (json!({"revoked_at": null}), "malformed"),
    ] {
        let answer = ask(Method::PATCH, &path, change.clone()).await;
        assert_eq!(answer.json["code"], code, "{change}: {}", answer.text);
    }
    assert_eq!(ask(Method::PATCH, &path, json!({"sites": ["acme-hq"]})).await.status, 200);

    // What is not within reach is not there.
    for id in [&wide, &theirs] {
        for (method, tail) in [
            (Method::GET, ""),
            (Method::PATCH, ""),
            (Method::DELETE, ""),
            (Method::POST, "/rotate"),
        ] {
            let answer = ask(method.clone(), &format!("/tokens/{id}{tail}"), json!({})).await;
            assert_eq!(answer.status, 404, "{method} {tail}: {}", answer.text);
        }
    }
    let listed = ask(Method::GET, "/tokens", Value::Null).await;
    let ids: Vec<&str> = listed.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2, "{}", listed.text);
    assert!(ids.contains(&own.as_str()));

    // An admin of fewer rights raises nobody to more, and takes over nobody's token.
    let few = json!({"name": "few", "role": "admin", "rights": ["tokens:write", "devices:read"]});
    let (_, few) = token(&rig, few).await;
    let with_few = async |method: Method, path: &str, body: Value| {
        self::ask(&rig, &few, method, path, body).await
    };
    let refused = with_few(Method::POST, "/tokens", base).await;
    assert_eq!((refused.status, &refused.json["code"]), (403, &json!("beyond-own")));
    let rotated = with_few(Method::POST, &format!("/tokens/{wide}/rotate"), Value::Null).await;
    assert_eq!(rotated.json["code"], "beyond-own", "{}", rotated.text);
    let raised = with_few(Method::PUT, "/users/eve", json!({"role": "admin"})).await;
    assert_eq!(raised.json["code"], "beyond-own", "{}", raised.text);
    let same = json!({"name": "n", "role": "admin", "rights": ["devices:read"]});
    assert_eq!(with_few(Method::POST, "/tokens", same).await.status, 201);
}

#[tokio::test]
async fn e11_an_admin_of_a_tenant_has_users_of_that_tenant_only() {
    let rig = house().await;
    let (_, admin) = token(&rig, json!({"name": "a", "role": "admin", "tenant": "acme"})).await;
    let put = async |name: &str, body: Value| {
        ask(&rig, &admin, Method::PUT, &format!("/users/{name}"), body).await
    };
    let viewer = json!({"role": "viewer"});
    assert_eq!(rig.put_json("/users/boss", viewer.clone()).await.status, 201);
    assert_eq!(rig.put_json("/users/bob@other", viewer.clone()).await.status, 201);
    let made = put("ann@acme", viewer.clone()).await;
    assert_eq!((made.status, &made.json["tenant"]), (201, &json!("acme")), "{}", made.text);
    for (name, absent) in [("boss", "nobody"), ("bob@other", "eve@other")] {
        let (taken, free) = (put(name, viewer.clone()).await, put(absent, viewer.clone()).await);
        assert_eq!((taken.status, free.status), (404, 404));
        assert_eq!(taken.text.replace(name, "?"), free.text.replace(absent, "?"));
    }
    for change in [json!({"tenant": null}), json!({"tenant": "other"}), json!({"tenant": ""})] {
        let answer = put("ann@acme", change.clone()).await;
        assert!([400, 403].contains(&answer.status), "{change}: {}", answer.text);
    }
    let listed = ask(&rig, &admin, Method::GET, "/users", Value::Null).await;
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1, "{}", listed.text);
    let whose = json!({"name": "x", "role": "viewer", "user": "boss"});
    let refused = ask(&rig, &admin, Method::POST, "/tokens", whose).await;
    assert_eq!(refused.json["code"], "bad-value", "{}", refused.text);
    let tenants = ask(&rig, &admin, Method::GET, "/tenants", Value::Null).await;
    assert_eq!(tenants.json["items"].as_array().unwrap().len(), 1, "{}", tenants.text);
    assert_eq!(tenants.json["items"][0]["name"], "acme");
    for name in ["other", "new"] {
        let put = ask(&rig, &admin, Method::PUT, &format!("/tenants/{name}"), json!({})).await;
        assert_eq!(put.status, 404, "{}", put.text);
    }
    let mail = rig.put_json("/users/ann@example.net", viewer).await;
    assert_eq!(mail.json["code"], "bad-value", "{}", mail.text);
}

#[tokio::test]
async fn a_tenant_that_has_something_stays() {
    let rig = house().await;
    let delete = async || rig.delete("/tenants/acme").await;
    let expect = async |by: &str| {
        let refused = delete().await;
        assert_eq!((refused.status, &refused.json["code"]), (409, &json!("in-use")));
        assert!(refused.text.contains(by), "{by}: {}", refused.text);
    };
    expect("site acme-hq").await;
    assert_eq!(rig.delete("/sites/acme-hq").await.status, 204);
    assert_eq!(rig.put_json("/layers/tenant/acme", json!({"settings": {}})).await.status, 201);
    expect("layer tenant/acme").await;
    assert_eq!(rig.delete("/layers/tenant/acme").await.status, 204);
    let user = json!({"role": "viewer"});
    assert_eq!(rig.put_json("/users/ann@acme", user).await.status, 201);
    expect("user ann@acme").await;
    assert_eq!(rig.delete("/users/ann@acme").await.status, 204);
    let (id, _) = token(&rig, json!({"name": "x", "role": "viewer", "tenant": "acme"})).await;
    expect(&format!("token {id}")).await;
    assert_eq!(rig.post(&format!("/tokens/{id}/revoke"), Value::Null).await.status, 200);
    let expected = json!({"tenant": "acme"});
    assert_eq!(rig.put_json("/preloads/serial/1", expected).await.status, 201);
    expect("expected device").await;
    assert_eq!(rig.delete("/preloads/serial/1").await.status, 204);
    assert_eq!(delete().await.status, 204);
    assert_eq!(delete().await.status, 404);
    let unknown = json!({"name": "x", "role": "viewer", "tenant": "acme"});
    assert_eq!(rig.post("/tokens", unknown).await.json["code"], "bad-value");
}

#[tokio::test]
async fn e08_other_names_of_the_server_are_refused_until_they_are_told() {
    let mut config = Config::default();
    config.northbound.hosts = vec!["acs.example.net".to_owned()];
    let rig = Rig::with(config);
    let bearer = format!("Bearer {TOKEN}");
    for (host, good) in [
        ("acs.example.net", true),
        ("localhost:1", true),
        ("evil.example", false),
        ("127.0.0.1.evil.example", false),
    ] {
        let headers = [("authorization", bearer.as_str())];
        let answer = rig.named(host, Method::GET, "/api/v1/me", &headers).await;
        let without = rig.named(host, Method::GET, "/api/v1/me", &[]).await;
        if good {
            assert_eq!((answer.status, without.status), (200, 401), "{host}");
        } else {
            assert_eq!((answer.status, without.status), (421, 421), "{host}");
            assert_eq!(answer.json["code"], "wrong-host");
            assert!(answer.text.contains("[northbound] hosts"), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn e06_pages_of_other_sites_change_nothing() {
    let rig = Rig::open();
    for header in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = rig.raw(method, "/api/v1/tokens", &[header], "{}").await;
            assert_eq!((answer.status, &answer.json["code"]), (403, &json!("foreign-origin")));
        }
    }
}

#[tokio::test]
async fn e09_guessing_is_slowed_and_locks_nobody_out() {
    let rig = house().await;
    let (_, good) = token(&rig, json!({"name": "x", "role": "viewer"})).await;
    let mut seen = Vec::new();
    for _ in 0..25 {
        let answer = ask(&rig, "pv_0123456789abcdef_wrong", Method::GET, "/me", Value::Null).await;
        seen.push(answer.status);
        let challenges: Vec<_> = answer.headers.get_all(header::WWW_AUTHENTICATE).iter().collect();
        match answer.status {
            401 => assert_eq!(challenges.len(), 2, "Bearer and Basic"),
            _ => assert_eq!(answer.headers[header::RETRY_AFTER], "3"),
        }
        assert_eq!(status(&rig, &good).await, 200, "a good token is looked at first");
    }
    assert_eq!((seen.first(), seen.last()), (Some(&401), Some(&429)), "{seen:?}");
    let none = rig.bare(Method::GET, "/api/v1/me", &[], "").await;
    assert_eq!(none.status, 401, "no token is no guess");
    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(status(&rig, "pv_0123456789abcdef_wrong").await, 401);
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let rig = Rig::open();
    let mine = ("x-request-id", "00000000-0000-0000-0000-000000000000");
    let mut ids = Vec::new();
    for (path, headers) in [("/api/v1/me", vec![mine]), ("/api/v1/nothing", vec![])] {
        ids.push(rig.raw(Method::GET, path, &headers, "").await.headers["x-request-id"].clone());
        ids.push(rig.bare(Method::GET, path, &headers, "").await.headers["x-request-id"].clone());
    }
    for id in &ids {
        let id = id.to_str().unwrap();
        assert!(uuid::Uuid::try_parse(id).is_ok_and(|id| !id.is_nil()), "{id}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn when_a_token_was_used_is_written_once_a_minute_and_behind_the_answer() {
    let rig = house().await;
    let (id, text) = token(&rig, json!({"name": "x", "role": "viewer"})).await;
    assert!(rig.get(&format!("/tokens/{id}")).await.json["last_used_at"].is_null());
    let used = async |expected| {
        let known = async || rig.store.office().token_use(&id).await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), async {
            while known().await.is_none_or(|used| used.at != expected) {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    };
    assert_eq!(status(&rig, &text).await, 200);
    used(NOW).await;
    let shown = rig.get(&format!("/tokens/{id}")).await;
    assert_eq!(shown.json["last_used_at"], NOW.to_string());
    assert_eq!(shown.json["last_used_from"], "127.0.0.1");
    assert_eq!(shown.json["revision"], 1, "it is no change of the token");
    let entries = rig.store.office().audit_range().await.unwrap();
    rig.clock.advance(Duration::from_secs(59));
    assert_eq!(status(&rig, &text).await, 200);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&rig, &text).await, 200);
    used(NOW.after(Duration::from_secs(60))).await;
    assert_eq!(
        rig.store.office().audit_range().await.unwrap(),
        entries,
        "and nothing to be audited"
    );
}

#[test]
fn the_page_on_access_tells_every_right_of_every_role() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ACCESS.md");
    let page = std::fs::read_to_string(path).unwrap();
    let told: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let rights: Vec<_> = told.iter().map(|row| row[0].trim_matches('`')).collect();
    let all: Vec<_> = Right::ALL.iter().map(|right| right.word()).collect();
    assert_eq!(rights, all, "docs/ACCESS.md lists the rights in their order");
    for (row, right) in told.iter().zip(Right::ALL) {
        for (cell, role) in row[2..].iter().zip(Role::ALL) {
            assert_eq!(*cell == "yes", Rights::of(role).has(*right), "{role} {right}");
        }
    }
}
