//! Who is let in.

use axum::http::Method;
use provost::api::tokens::{self, ADMIN_TOKEN_FILE};
use provost::api::{About, routes};

use super::{Rig, TOKEN};

/// A path of the table with something in place of its keys.
fn concrete(path: &str) -> String {
    path.replace("{id}", "00D09E-1")
        .replace("{kind}/{key}", "serial/0123")
        .replace("{mac}", "0c383e07e16c")
        .replace("{sha256}", &"0".repeat(64))
        .replace("{name}", "hq")
        .replace("{line}", "1")
        .replace("{position}", "1")
        .replace("{vendor}", "fanvil")
        .replace("{model}", "X4")
}

#[tokio::test]
async fn nothing_is_answered_without_a_token() {
    let unknown = [
        (Method::GET, "/"),
        (Method::GET, "/api/v1"),
        (Method::GET, "/api/v1/users"),
        (Method::OPTIONS, "/api/v1/devices"),
        (Method::HEAD, "/api/v1/health"),
        (Method::GET, "/api/v1//devices"),
        (Method::GET, "/api/v1/devices/"),
        (Method::GET, "/API/V1/DEVICES"),
        (Method::GET, "/api/v1/health;x=1"),
        (Method::GET, "/api/v1/%2e%2e/health"),
    ];
    let known = routes();
    assert!(known.len() > 25, "the table is read");
    // Whether it is up and ready may be asked by everybody, and nothing else.
    let (open, closed): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|(_, _, rule)| rule.about == About::Open);
    let open: Vec<&str> = open.iter().map(|(_, path, _)| *path).collect();
    assert_eq!(open, ["/healthz", "/readyz"]);
    let known = closed.into_iter().map(|(method, path, _)| (method, path));
    for (method, path) in known.chain(unknown) {
        // So many wrong tokens in a row are not looked at any more; a new door is.
        let rig = Rig::open();
        for wrong in [
            vec![],
            vec![("authorization", "Bearer pv_wrong")],
            vec![("authorization", "Basic YWRtaW46YWRtaW4=")],
            vec![("x-api-key", TOKEN)],
        ] {
            let answer = rig.bare(method.clone(), &concrete(path), &wrong, "").await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(answer.headers.contains_key("www-authenticate"));
            if method != Method::HEAD {
                assert_eq!(answer.json["code"], "token-needed", "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn the_method_cannot_be_overridden_and_paths_are_exact() {
    let rig = Rig::open();
    let overridden = [("x-http-method-override", "DELETE"), ("content-type", "text/plain")];
    let answer = rig.raw(Method::GET, "/api/v1/health", &overridden, "").await;
    assert_eq!(answer.status, 200);
    for path in ["/api/v1/Health", "/api/v1/health/", "//api/v1/health", "/api/v1/health;"] {
        assert_eq!(rig.raw(Method::GET, path, &[], "").await.status, 404, "{path}");
    }
    assert_eq!(rig.send(Method::DELETE, "/health", None).await.status, 405);
}

#[tokio::test]
async fn a_page_of_another_host_is_refused() {
    let rig = Rig::open();
    let foreign = [("origin", "https://evil.example")];
    let answer = rig.raw(Method::GET, "/api/v1/devices", &foreign, "").await;
    assert_eq!((answer.status, answer.json["code"].as_str()), (403, Some("foreign-origin")));
    let own = format!("http://{}", rig.address);
    let answer = rig.raw(Method::GET, "/api/v1/devices", &[("origin", own.as_str())], "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_admin_token_is_made_once_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let store = provost::store::memory(&provost::config::StoreConfig::default());
    let clock: std::sync::Arc<dyn provost::time::Clock> =
        std::sync::Arc::new(provost::time::SystemClock);
    let made = tokens::load_or_make(store.clone(), clock.clone(), data.path()).await.unwrap();
    let path = data.path().join(ADMIN_TOKEN_FILE);
    let token = std::fs::read_to_string(&path).unwrap();
    let token = token.trim();
    assert!(token.starts_with("pv_") && token.len() == 46, "{token}");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(made.check(token).await.unwrap().is_some());
    assert!(made.check(&format!("{token}x")).await.unwrap().is_none());
    let stored = store.setting("token/admin").await.unwrap().unwrap();
    assert!(!stored.windows(8).any(|part| token.as_bytes().windows(8).any(|of| of == part)));

    let again = tokens::load_or_make(store.clone(), clock.clone(), data.path()).await.unwrap();
    assert!(again.check(token).await.unwrap().is_some(), "the same at the next start");
    std::fs::remove_file(&path).unwrap();
    let moved = tokens::load_or_make(store.clone(), clock.clone(), data.path()).await.unwrap();
    assert!(moved.check(token).await.unwrap().is_some(), "good without its file");
    assert!(!path.exists());

    let other = "another token of an operator's choice";
    std::fs::write(&path, other).unwrap();
    let changed = tokens::load_or_make(store.clone(), clock.clone(), data.path()).await.unwrap();
    assert!(
        changed.check(other).await.unwrap().is_some()
            && changed.check(token).await.unwrap().is_none()
    );
    std::fs::write(&path, "short").unwrap();
    assert!(tokens::load_or_make(store.clone(), clock.clone(), data.path()).await.is_err());
}
