//! E4: no way of writing a path or a method reaches what is not seen.

use axum::http::Method;
use provost::access::Role;

use super::house::{House, OURS, Whose, ZULU, text};

/// Spellings of a path that some server or other takes for the same.
fn spellings(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let twice: String = name.bytes().map(|byte| format!("%25{byte:02x}")).collect();
    vec![
        format!("{path}/"),
        format!("{path}//"),
        format!("{path};a=b"),
        format!("{path};"),
        format!("{path}."),
        format!("{path}%20"),
        format!("{path}%00"),
        format!("{path}%2f"),
        format!("{path}%2e"),
        format!("{path}.json"),
        format!("{path}?"),
        format!("{path}?id={}", OURS.site),
        format!("{folder}/{encoded}"),
        format!("{folder}/{twice}"),
        format!("{folder}/{}", name.to_uppercase()),
        format!("{folder}/{}", name.to_lowercase()),
        format!("{folder}//{name}"),
        format!("{folder}/./{name}"),
        format!("{folder}/{}/../{name}", OURS.site),
        format!("{folder}/{}/%2e%2e/{name}", OURS.site),
        format!("{folder}/{}%2f..%2f{name}", OURS.site),
        format!("{folder}%2f{name}"),
        format!("/{path}"),
        path.replace("/api/", "/API/"),
        path.replace("/api/v1/", "/api/V1/"),
        path.replace("/api/v1/", "/api/v1//"),
        path.replace("/api/v1/", "/api/v1/../v1/"),
        path.replace("/api/v1/", "/api%2fv1/"),
    ]
}

#[tokio::test]
async fn e04_no_spelling_of_a_path_reaches_what_is_not_seen() {
    let house = House::build().await;
    let admin = text(Role::Admin, Whose::OwnTenant);
    let before = everything(&house).await;
    let mut tried = 0;
    for path in [
        format!("/api/v1/devices/{}", ZULU.device()),
        format!("/api/v1/tasks/{}", house.tasks[ZULU.site]),
        format!("/api/v1/phones/{}", ZULU.mac),
        "/api/v1/phones/0C:38:3E:00:00:0C".to_owned(),
        "/api/v1/phones/0c-38-3e-00-00-0c".to_owned(),
        format!("/api/v1/sites/{}", ZULU.site),
        format!("/api/v1/tenants/{}", ZULU.tenant),
        format!("/api/v1/layers/tenant/{}", ZULU.tenant),
        format!("/api/v1/tokens/{}", ZULU.token()),
        format!("/api/v1/users/{}@{}", ZULU.site, ZULU.tenant),
        format!("/api/v1/preloads/serial/{}-NEW", ZULU.serial),
        format!("/api/v1/profiles/{}", ZULU.named()),
        format!("/api/v1/plans/{}", ZULU.plan()),
        format!("/api/v1/campaigns/{}", ZULU.named()),
        format!("/api/v1/files/{}", ZULU.file()),
    ] {
        for spelling in spellings(&path).into_iter().chain([path.clone()]) {
            for method in [
                Method::GET,
                Method::HEAD,
                Method::OPTIONS,
                Method::TRACE,
                Method::DELETE,
                Method::PUT,
                Method::PATCH,
                Method::POST,
            ] {
                let answer = house.ask(&admin, &method, &spelling, "{}").await;
                // Another name is another site or another expected device, which is the
                // asker's own: it was made, or is found, changed and forgotten as such.
                let makes = ["/sites/", "/preloads/"].iter().any(|kind| path.contains(kind));
                let own = answer.text.is_empty() || answer.json["tenant"] == "acme";
                if makes && spelling != path && answer.status < 300 && own {
                    continue;
                }
                assert!(
                    (400..500).contains(&answer.status),
                    "{method} {spelling}: {} {}",
                    answer.status,
                    answer.text
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 2000, "{tried}");
    assert_eq!(everything(&house).await, before, "and nothing was changed");
}

/// What everybody sees of the other tenant.
async fn everything(house: &House) -> Vec<String> {
    let admin = text(Role::Admin, Whose::OtherTenant);
    let mut told = Vec::new();
    for list in [
        "devices",
        "tasks",
        "phones",
        "sites",
        "tenants",
        "tokens",
        "users",
        "preloads",
        "profiles",
        "plans",
        "campaigns",
        "files",
    ] {
        let answer = house.ask(&admin, &Method::GET, &format!("/api/v1/{list}"), "").await;
        assert_eq!(answer.status, 200, "{list}: {}", answer.text);
        told.push(answer.text);
    }
    told
}

#[tokio::test]
async fn e04_no_header_makes_a_request_another_one() {
    let house = House::build().await;
    let bearer = format!("Bearer {}", text(Role::Viewer, Whose::OwnTenant));
    let path = format!("/api/v1/devices/{}", OURS.device());
    let theirs = format!("/api/v1/devices/{}", ZULU.device());
    let plain = [("authorization", bearer.as_str())];
    let expected = house.rig.bare(Method::GET, &path, &plain, "").await.text;
    for header in [
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", theirs.as_str()),
        ("x-rewrite-url", theirs.as_str()),
        ("x-forwarded-prefix", "/api/v1"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-tenant", ZULU.tenant),
    ] {
        let headers = [plain[0], header];
        let answer = house.rig.bare(Method::GET, &path, &headers, "").await;
        assert_eq!((answer.status, &answer.text), (200, &expected), "{header:?}");
        let posted = house.rig.bare(Method::POST, &path, &headers, "").await;
        assert_eq!(posted.status, 405, "{header:?}: {}", posted.text);
    }
    let twice = [plain[0], ("authorization", "Bearer something-else")];
    assert_eq!(house.rig.bare(Method::GET, &path, &twice, "").await.status, 401);
}
