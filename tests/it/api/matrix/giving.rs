//! E11: nobody hands to others what they see, nor takes what others see, by saying
//! whose it is to be.

use axum::http::Method;
use provost::access::Role;
use serde_json::{Value, json};

use super::house::{BRANCH, House, OURS, Whose, ZULU, text};

#[tokio::test]
async fn e11_nothing_leaves_the_reach_of_whoever_changes_it() {
    let house = House::build().await;
    let device = format!("/api/v1/devices/{}", OURS.device());
    let phone = format!("/api/v1/phones/{}", OURS.mac);
    let site = format!("/api/v1/sites/{}", OURS.site);
    let preload = format!("/api/v1/preloads/serial/{}-NEW", OURS.serial);
    let tenants = [json!({"tenant": ZULU.tenant}), json!({"tenant": ""})];
    let places = [json!({"site": ZULU.site}), json!({"site": BRANCH.site}), json!({"site": ""})];
    let mut tried = 0;
    for (whose, changes) in [(Whose::OwnTenant, &tenants[..]), (Whose::OwnSite, &places[..])] {
        for change in changes {
            for (method, path) in [
                (Method::PATCH, &device),
                (Method::PUT, &preload),
                (Method::PUT, &phone),
                (Method::PUT, &site),
            ] {
                // A phone has no tenant but by its site, and a site stands nowhere.
                let has_field = match change.as_object().unwrap().keys().next().unwrap().as_str() {
                    "tenant" => *path != phone,
                    _ => *path != site,
                };
                if !has_field {
                    continue;
                }
                let token = text(Role::Admin, whose);
                let before = house.ask(&token, &Method::GET, path, "").await;
                let answer = house.ask(&token, &method, path, &change.to_string()).await;
                assert!(
                    (400..500).contains(&answer.status),
                    "{method} {path} {change} by {whose:?}: {}",
                    answer.text
                );
                let after = house.ask(&token, &Method::GET, path, "").await;
                assert_eq!((before.status, &before.text), (200, &after.text), "{path}");
                tried += 1;
            }
        }
    }
    assert!(tried > 10, "{tried}");
}

/// What somebody makes anew is theirs, or is not made.
#[tokio::test]
async fn e11_nothing_is_made_for_others() {
    let house = House::build().await;
    for (whose, body) in [
        (Whose::OwnTenant, json!({"tenant": ZULU.tenant})),
        (Whose::OwnTenant, json!({"tenant": ""})),
        (Whose::OwnSite, json!({"tenant": OURS.tenant, "site": BRANCH.site})),
    ] {
        let token = text(Role::Admin, whose);
        for path in ["/api/v1/preloads/serial/MADE", "/api/v1/sites/made"] {
            let sent: Value = match path.contains("/sites/") {
                true => json!({"tenant": body["tenant"]}),
                false => body.clone(),
            };
            let answer = house.ask(&token, &Method::PUT, path, &sent.to_string()).await;
            assert!((400..500).contains(&answer.status), "{path} {sent}: {}", answer.text);
            let admin = text(Role::Admin, Whose::Whole);
            let there = house.ask(&admin, &Method::GET, path, "").await;
            assert_eq!(there.status, 404, "{path} {sent}");
        }
    }
}
