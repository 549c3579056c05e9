//! E5: what belongs to a tenant is seen, counted, changed and named by nobody else.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use provost::access::{Reach, Role};
use provost::api::{About, routes};
use serde_json::{Value as Json, json};

use super::named;
use super::world::{Keys, World, give_token, token};
use crate::api::Answer;

/// A query with which a route answers at all.
fn query(path: &str) -> &'static str {
    match path.rsplit('/').next() {
        Some("diff") if path.contains("/devices/") => "?from=2020-01-01T00:00:00Z",
        Some("diff") => "?against=0c383e000001",
        Some("model" | "learned") => "?oui=00D09E",
        Some("datamodel") => "?path=Device.DeviceInfo.",
        Some("dhcp") => "?for=kea",
        _ => "",
    }
}

/// Paths that never answer to the end: streams.
fn is_stream(path: &str) -> bool {
    path.ends_with("/stream")
}

/// The status, the headers but for those that each answer has its own of, and the
/// body with the keys of one name put in place of another's.
fn told(answer: &Answer, own: &[String], other: &[String]) -> (u16, Vec<String>, String) {
    let fleeting = ["date", "x-request-id", "request-id"];
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| !fleeting.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    let mut text = answer.text.clone();
    for (own, other) in own.iter().zip(other) {
        text = text.replace(own, other);
    }
    // A plan tells its id as it is written out, whatever it was asked by.
    (answer.status, headers, text)
}

#[tokio::test]
async fn e05_nothing_of_another_tenant_is_in_any_answer() {
    let world = World::new().await;
    let mut marks = world.beta.marks();
    marks.extend(named::oversee(&world).await);
    let mut looked_at = 0;
    for (method, path, _) in routes() {
        if method != Method::GET || is_stream(path) {
            continue;
        }
        let filled = world.alpha.path(path);
        let own = filled.trim_start_matches("/api/v1");
        let mut asked = vec![format!("{own}{}", query(path))];
        if !path.contains('{') && query(path).is_empty() {
            asked.push(format!("{own}?limit=1"));
        }
        while let Some(ask) = asked.pop() {
            let answer = world.get("alpha", &ask).await;
            assert_ne!(answer.status / 100, 5, "{ask}: {}", answer.text);
            for mark in &marks {
                assert!(
                    !answer.text.contains(mark.as_str()),
                    "{ask} tells {mark}: {}",
                    answer.text
                );
                let in_headers = answer
                    .headers
                    .values()
                    .any(|value| String::from_utf8_lossy(value.as_bytes()).contains(mark.as_str()));
                assert!(!in_headers, "{ask} tells {mark} in a header");
            }
            if let Some(next) = answer.json["next"].as_str() {
                let key = URL_SAFE_NO_PAD.decode(next).unwrap_or_default();
                let key = String::from_utf8_lossy(&key).into_owned();
                assert!(!marks.iter().any(|mark| key.contains(mark.as_str())), "{ask}: {key}");
                asked.push(format!("{own}?limit=1&after={next}"));
            }
            looked_at += usize::from(answer.status == 200);
        }
    }
    assert!(looked_at >= 35, "{looked_at}");
}

#[tokio::test]
async fn e05_each_tenant_sees_what_is_its_own() {
    let world = World::new().await;
    for keys in [&world.alpha, &world.beta] {
        for (path, key) in [
            ("/devices", keys.device.to_string()),
            ("/tasks", keys.task.clone()),
            ("/phones", keys.mac.clone()),
            ("/sites", keys.site.clone()),
            ("/preloads", keys.preload.clone()),
            ("/profiles", keys.profile.clone()),
            ("/plans", keys.plan.clone()),
            ("/campaigns", keys.campaign.clone()),
            (&*format!("/campaigns/{}/members", keys.campaign), keys.device.to_string()),
            ("/drift", keys.device.to_string()),
        ] {
            let answer = world.get(keys.tenant, path).await;
            let items = answer.json["items"].as_array().unwrap();
            assert_eq!(items.len(), 1, "{path}: {}", answer.text);
            assert!(answer.text.contains(&key), "{path}: {}", answer.text);
            assert_eq!(answer.json["next"].as_str(), None, "{path}: nothing follows");
        }
        let news = world.get(keys.tenant, "/events?kind=campaign.state").await;
        assert!(news.text.contains(&keys.campaign), "{}", news.text);
        let files = world.get(keys.tenant, "/files").await;
        assert!(files.text.contains(&keys.file) && files.text.contains(&keys.sent));
        let plan = world.get(keys.tenant, &format!("/plans/{}", keys.plan)).await;
        assert_eq!(plan.json["summary"]["devices"], 1, "{}", plan.text);
        let health = world.get(keys.tenant, "/health").await;
        assert!(health.json.get("devices").is_none(), "{}", health.text);
    }
    // Who sees all sees both.
    assert_eq!(world.rig.get("/phones").await.json["items"].as_array().unwrap().len(), 2);
    assert_eq!(world.rig.get("/health").await.json["devices"], 2);
}

#[tokio::test]
async fn e05_every_id_of_another_answers_as_one_that_is_not_there() {
    let world = World::new().await;
    let (beta, zeta) = (world.beta.marks(), world.zeta.marks());
    let mut compared = 0;
    for (method, path, rule) in routes() {
        let is_judged = !matches!(rule.about, About::Nothing | About::Listed | About::Whole);
        if !path.contains('{') || !is_judged || is_stream(path) {
            continue;
        }
        let ask = |keys: &Keys| {
            format!("{}{}", keys.path(path).trim_start_matches("/api/v1"), query(path))
        };
        let body = (method != Method::GET).then(|| json!({}));
        let foreign = world.ask("alpha", method.clone(), &ask(&world.beta), body.clone()).await;
        assert_eq!(foreign.status, 404, "{method} {path}: {}", foreign.text);
        // What is not there may be made by PUT, and so answers otherwise.
        if method == Method::PUT {
            continue;
        }
        let absent = world.ask("alpha", method.clone(), &ask(&world.zeta), body).await;
        let (foreign, absent) = (told(&foreign, &beta, &zeta), told(&absent, &[], &[]));
        assert_eq!(foreign, absent, "{method} {path}");
        compared += 1;
    }
    assert!(compared >= 50, "{compared}");
}

/// Asks the same of both, once with what is another's and once with what is not
/// there; both must be refused alike.
async fn alike(world: &World, method: Method, path: &str, body: impl Fn(&Keys) -> Json) {
    let (beta, zeta) = (world.beta.marks(), world.zeta.marks());
    let fill = |keys: &Keys| {
        path.replace("{device}", &world.alpha.device.to_string())
            .replace("{mac}", &world.alpha.mac)
            .replace("{other}", &keys.device.to_string())
            .replace("{other_mac}", &keys.mac)
            .replace("{other_site}", &keys.site)
            .replace("{backup}", &world.alpha.backup)
    };
    let some = |json: Json| (!json.is_null()).then_some(json);
    let foreign =
        world.ask("alpha", method.clone(), &fill(&world.beta), some(body(&world.beta))).await;
    let absent = world.ask("alpha", method, &fill(&world.zeta), some(body(&world.zeta))).await;
    assert_eq!(foreign.status / 100, 4, "{path}: {}", foreign.text);
    assert_eq!(told(&foreign, &beta, &zeta), told(&absent, &[], &[]), "{path}");
}

#[tokio::test]
async fn e05_bodies_and_queries_name_nothing_of_another() {
    let world = World::new().await;
    let (post, get, put) = (Method::POST, Method::GET, Method::PUT);
    let tasks = "/devices/{device}/tasks";
    alike(
        &world,
        post.clone(),
        tasks,
        |keys| json!({"action": "cancel_transfer", "task": keys.task}),
    )
    .await;
    alike(&world, post.clone(), tasks, |keys| json!({"action": "download", "file": keys.file}))
        .await;
    alike(&world, post.clone(), tasks, |keys| json!({"action": "download", "file": keys.sent}))
        .await;
    let restore = "/devices/{device}/restore";
    alike(&world, post.clone(), restore, |keys| json!({"backup": "latest", "of": keys.device}))
        .await;
    let preview = "/devices/{device}/backups/{backup}/preview?to={other}";
    alike(&world, get.clone(), preview, |_| Json::Null).await;
    alike(&world, get.clone(), "/phones/{mac}/diff?against={other_mac}", |_| Json::Null).await;
    alike(&world, post.clone(), "/phones/{mac}/diff", |keys| json!({"site": keys.site})).await;
    alike(&world, put.clone(), "/phones/{mac}", |keys| json!({"site": keys.site})).await;
    alike(&world, get.clone(), "/dhcp?for=kea&site={other_site}", |_| Json::Null).await;
    alike(
        &world,
        post.clone(),
        "/preloads/move",
        |keys| json!({"from": format!("serial/{}", keys.preload), "to": "serial/new"}),
    )
    .await;
    alike(
        &world,
        post.clone(),
        "/preloads/move",
        |keys| json!({"from": format!("device/{}", keys.device), "to": "serial/new"}),
    )
    .await;
    alike(
        &world,
        post.clone(),
        "/phones/import?format=json",
        |keys| json!([{"mac": world.alpha.mac, "model": "X4", "site": keys.site}]),
    )
    .await;
    for list in ["tasks?device=", "files?from="] {
        let query = |keys: &Keys| format!("/{list}{}", keys.device.to_string().replace('%', "%25"));
        let foreign = world.get("alpha", &query(&world.beta)).await;
        let absent = world.get("alpha", &query(&world.zeta)).await;
        assert_eq!((foreign.status, &foreign.text), (200, &absent.text), "{list}");
    }
    let found = world.get("alpha", "/devices?subscriber=beta_%20Ltd").await;
    assert_eq!(found.json["items"], json!([]), "{}", found.text);
}

fn campaign() -> Json {
    json!({"name": "new", "target": {"match": "true"}, "action": {"reboot": {}}})
}

#[tokio::test]
async fn e05_nothing_is_given_to_another_or_taken_from_one() {
    let world = World::new().await;
    let refused = async |name: &str, method: Method, path: &str, body: Json| {
        let answer = world.ask(name, method, path, Some(body)).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text);
        assert_eq!(answer.json["code"], "beyond-reach", "{path}");
    };
    let device = format!("/devices/{}", world.alpha.device);
    for tenant in ["beta_", "", "zeta_"] {
        refused("alpha", Method::PATCH, &device, json!({"tenant": tenant})).await;
        let site = format!("/sites/{}", world.alpha.site);
        refused("alpha", Method::PUT, &site, json!({"tenant": tenant})).await;
        refused("alpha", Method::PUT, "/preloads/serial/0", json!({"tenant": tenant})).await;
        let body = json!({"tenant": tenant, "profile": {"match": "true"}});
        refused("alpha", Method::PUT, "/profiles/new", body).await;
        let path = format!("/campaigns?tenant={tenant}");
        refused("alpha", Method::POST, &path, campaign()).await;
    }
    refused("site", Method::POST, "/campaigns", campaign()).await;
    let taken = json!({"name": world.beta.campaign, "target": {"match": "true"},
        "action": {"reboot": {}}});
    let taken = world.ask("alpha", Method::POST, "/campaigns", Some(taken)).await;
    assert_eq!((taken.status, &taken.json["code"]), (409, &json!("taken")), "{}", taken.text);
    refused("site", Method::PATCH, &device, json!({"site": "elsewhere"})).await;
    refused("site", Method::PUT, "/sites/elsewhere", json!({})).await;
    refused("site", Method::PUT, "/preloads/serial/0", json!({})).await;
    refused("site", Method::PUT, "/profiles/new", json!({"profile": {"match": "true"}})).await;
    let table = format!("serial,tenant\n0,beta_\n{},alpha\n", world.beta.preload);
    let bearer = format!("Bearer {}", token("alpha"));
    let path = "/api/v1/preloads/import?format=csv";
    let import = world.rig.bare(Method::POST, path, &[("authorization", &bearer)], table).await;
    assert_eq!((import.status, import.json["errors"].as_array().map(Vec::len)), (400, Some(2)));
    // What takes the place of a device that is another's waits for it, and changes
    // nothing of it.
    let to = format!("device/{}", world.beta.device);
    let from = format!("serial/{}", world.alpha.preload);
    let body = json!({"from": from, "to": to});
    let moved = world.ask("alpha", Method::POST, "/preloads/move", Some(body)).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    let labels = world.rig.store.labels(&world.beta.device).await.unwrap().unwrap();
    assert_eq!((&*labels.tenant, labels.revision), ("beta_", 1));
    // A plan cannot change a profile that it does not see.
    let change = json!({"changes": [{"name": world.beta.profile, "enabled": false}]});
    let plan = world.ask("alpha", Method::POST, "/plans?wait=9", Some(change)).await;
    assert_eq!((plan.status, &plan.json["code"]), (409, &json!("taken")), "{}", plan.text);
}

#[tokio::test]
async fn e05_who_sees_some_sites_sees_those_alone() {
    let world = World::new().await;
    give_token(
        &world.rig,
        "beside",
        Role::Admin,
        Reach { sites: ["elsewhere".into()].into(), ..Reach::of_tenant("alpha") },
    )
    .await;
    for path in ["/devices", "/tasks", "/phones", "/sites", "/drift"] {
        for (name, count) in [("site", 1), ("beside", 0)] {
            let answer = world.get(name, path).await;
            let items = answer.json["items"].as_array().unwrap();
            assert_eq!(items.len(), count, "{path} {name}: {}", answer.text);
        }
    }
    // What is for the tenant as a whole is none of theirs.
    for path in ["/layers", "/profiles", "/plans", "/campaigns"] {
        let answer = world.get("site", path).await;
        assert_eq!(answer.json["items"], json!([]), "{path}: {}", answer.text);
    }
    assert_eq!(world.get("site", "/layers/tenant/alpha").await.status, 404);
}

#[tokio::test]
async fn e05_a_site_takes_its_tenants_firmware_and_no_other_file() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", token("alpha"));
    let path = "/api/v1/files?name=other.cfg&type=3%20Vendor%20Configuration%20File";
    let headers = [("authorization", bearer.as_str())];
    let settings = world.rig.bare(Method::POST, path, &headers, "of another site").await;
    assert_eq!(settings.status, 201, "{}", settings.text);
    let settings = settings.json["sha256"].as_str().unwrap().to_owned();
    let listed = world.get("site", "/files").await;
    let (own, theirs) = (&world.alpha.file, &world.beta.file);
    assert!(listed.text.contains(own) && listed.text.contains(&world.alpha.sent));
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 2, "{}", listed.text);
    let tasks = format!("/devices/{}/tasks", world.alpha.device);
    for (file, status) in [(own, 202), (theirs, 400), (&settings, 400)] {
        let shown = world.get("site", &format!("/files/{file}")).await;
        assert_eq!(shown.status == 200, status == 202, "{file}: {}", shown.text);
        let body = json!({"action": "download", "file": file});
        let asked = world.ask("site", Method::POST, &tasks, Some(body)).await;
        assert_eq!(asked.status / 100, status / 100, "{file}: {}", asked.text);
    }
    let removed = world.ask("site", Method::DELETE, &format!("/files/{own}"), None).await;
    assert_eq!((removed.status, &removed.json["code"]), (403, &json!("beyond-reach")));
    assert_eq!(world.get("alpha", &format!("/files/{own}")).await.status, 200);
    let sent = format!("/files/{}", world.alpha.sent);
    assert_eq!(world.ask("site", Method::DELETE, &sent, None).await.status, 204);
}

#[tokio::test]
async fn e05_the_same_content_of_two_is_a_file_of_each() {
    let world = World::new().await;
    let upload = async |name: &str, file: &str| {
        let bearer = format!("Bearer {}", token(name));
        let path = format!("/api/v1/files?name={file}");
        let headers = [("authorization", bearer.as_str())];
        world.rig.bare(Method::POST, &path, &headers, "the same image").await
    };
    let one = upload("alpha", "one.bin").await;
    let two = upload("beta_", "two.bin").await;
    assert_eq!((one.status, two.status), (201, 201), "{} {}", one.text, two.text);
    assert_eq!(one.json["sha256"], two.json["sha256"]);
    assert_eq!((&one.json["name"], &two.json["name"]), (&json!("one.bin"), &json!("two.bin")));
    let path = format!("/files/{}", one.json["sha256"].as_str().unwrap());
    assert_eq!(world.get("alpha", &path).await.json["name"], "one.bin");
    assert_eq!(world.ask("alpha", Method::DELETE, &path, None).await.status, 204);
    assert_eq!(world.get("alpha", &path).await.status, 404);
    assert_eq!(world.get("beta_", &path).await.json["name"], "two.bin");
    let content = world.get("beta_", &format!("{path}/content")).await;
    assert_eq!(content.text, "the same image");
    assert_eq!(world.ask("beta_", Method::DELETE, &path, None).await.status, 204);
    assert_eq!(world.rig.get(&path).await.status, 404);
}

#[tokio::test]
async fn explain_names_the_installation_and_no_profile_of_it() {
    let world = World::new().await;
    let path = format!("/devices/{}/explain", world.alpha.device);
    let own = world.get("alpha", &path).await;
    assert_eq!(own.status, 200, "{}", own.text);
    assert!(!own.text.contains("everybody"), "{}", own.text);
    assert!(own.text.contains("the installation") && own.text.contains(&world.alpha.profile));
    let all = world.rig.get(&path).await;
    assert!(all.text.contains("everybody") && all.text.contains("for devices of the tenant beta_"));
}
