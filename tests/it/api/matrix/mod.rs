//! Every route × every role × whatever is seen, from the router's own table.

mod giving;
mod house;
mod samples;
mod tricks;

use axum::http::Method;
use house::{House, Whose, text};
use provost::access::{Rights, Role};
use provost::api::{About, routes};
use samples::{Sample, lets_through};
use serde_json::json;

use super::Answer;

/// E1: nothing is told to whoever has no token, and a path that does not exist is
/// answered like one that does.
#[tokio::test]
async fn e01_every_route_needs_a_token() {
    let house = House::build().await;
    let bare =
        async |method: &Method, path: &str| house.rig.bare(method.clone(), path, &[], "").await;
    let unknown = bare(&Method::GET, "/api/v1/no-such-thing").await;
    assert_eq!(unknown.status, 401);
    for (method, route, rule) in routes() {
        let sample = house.sample(&method, route);
        let answer = bare(&method, &sample.path).await;
        if rule.about == About::Open {
            assert_ne!(answer.status, 401, "{method} {route}");
        } else {
            assert_eq!((answer.status, &answer.text), (401, &unknown.text), "{method} {route}");
        }
    }
    // What other servers of this kind gave away (E2).
    for path in ["/users", "/permissions", "/config", "/sessions", "/"] {
        assert_eq!(bare(&Method::GET, path).await.status, 401, "{path}");
    }
}

/// E4, E5: whoever lacks the right is refused; whoever has it, and does not see the
/// thing, is answered to the byte as if it were not there; whoever sees it is let
/// through.
#[tokio::test]
async fn e04_e05_every_route_for_every_role_and_reach() {
    let house = House::build().await;
    let (mut refused, mut hidden, mut passed) = (0, 0, 0);
    let mut faults = Vec::new();
    for (method, route, rule) in routes() {
        let sample = house.sample(&method, route);
        for (role, whose) in people() {
            let who = format!("{method} {} by {role} of {whose:?}", sample.path);
            let token = text(role, whose);
            let ask = async |path: &str| house.ask(&token, &method, path, sample.body).await;
            if rule.about == About::Open {
                continue;
            }
            if !Rights::of(role).has(rule.right) {
                let answer = ask(&sample.path).await;
                if (answer.status, &answer.json["code"]) != (403, &json!("no-right")) {
                    faults.push(format!("{who} lacks {}, and: {}", rule.right, answer.text));
                }
                refused += 1;
            } else if !lets_through(route, rule.about, &whose.reach()) {
                let (there, absent) = (ask(&sample.path).await, ask(&sample.absent).await);
                // A PUT may make what is not there: that a name is taken is told then.
                let same = method == Method::PUT && absent.status != 401
                    || absent.status == there.status
                        && sample.nameless(&there.text) == sample.nameless(&absent.text);
                // Or the body was read first, whatever there is; and the dialect says
                // that what is not there is deleted.
                let unread = there.status == 400 && there.json["code"] == "malformed";
                let dialect = !route.starts_with("/api/");
                let alike = absent.status == there.status
                    && sample.nameless(&there.text) == sample.nameless(&absent.text);
                if !(there.status == 404 && same || (unread || dialect) && alike) {
                    faults.push(format!("{who} sees nothing of it, and: {}", there.text));
                }
                hidden += 1;
            } else {
                // What changes something is asked in a house of its own; the task has
                // another name there.
                let own = if sample.changes { Some(House::build().await) } else { None };
                let house = own.as_ref().unwrap_or(&house);
                let sample = house.sample(&method, route);
                let ask = async |path: &str| house.ask(&token, &method, path, sample.body).await;
                let absent = ask(&sample.absent).await;
                let answer = ask(&sample.path).await;
                // Firmware that a site's devices need is the tenant's all the same.
                let is_the_tenants = rule.about == About::File
                    && method == Method::DELETE
                    && !whose.reach().sites.is_empty();
                let fault = match is_the_tenants {
                    true => unlike_refused(&answer),
                    false => unlike_passed(rule.about, &answer, &absent, &sample),
                };
                faults.extend(fault.map(|fault| format!("{who} {fault}")));
                passed += 1;
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(refused > 200 && hidden > 200 && passed > 500, "{refused} {hidden} {passed}");
}

fn people() -> impl Iterator<Item = (Role, Whose)> {
    Role::ALL.into_iter().flat_map(|role| Whose::ALL.into_iter().map(move |whose| (role, whose)))
}

/// What tells that a thing was not kept from whoever sees it and may not remove it.
fn unlike_refused(answer: &Answer) -> Option<String> {
    let is_refused = (answer.status, &answer.json["code"]) == (403, &json!("beyond-reach"));
    (!is_refused).then(|| format!("may not, and: {} {}", answer.status, answer.text))
}

/// What tells that a request was not let through to its handler.
fn unlike_passed(
    about: About,
    answer: &Answer,
    absent: &Answer,
    sample: &Sample,
) -> Option<String> {
    let Answer { status, text, .. } = answer;
    if [401, 403, 421, 429].contains(status) || *status >= 500 {
        return Some(format!("may, and: {status} {text}"));
    }
    let is_a_thing = match about {
        About::Device
        | About::Task
        | About::Phone
        | About::Site
        | About::Preload
        | About::Tenant
        | About::Token
        | About::User
        | About::Profile
        | About::Plan
        | About::Campaign
        | About::File => true,
        // Nobody's, or found by the handler.
        About::Open | About::Nothing | About::Whole | About::Listed => false,
    };
    let same = sample.nameless(text) == sample.nameless(&absent.text);
    (is_a_thing && *status == 404 && same)
        .then(|| format!("sees it, and it is answered as if it were not there: {text}"))
}

/// E5: what is not seen stands in no answer, be it a list, an export or a count of
/// names.
#[tokio::test]
async fn e05_no_list_tells_what_is_not_seen() {
    let house = House::build().await;
    let (mut faults, mut lists) = (Vec::new(), 0);
    for (method, route, rule) in routes() {
        if method != Method::GET {
            continue;
        }
        let sample = house.sample(&method, route);
        for (role, whose) in people() {
            if !lets_through(route, rule.about, &whose.reach()) {
                continue;
            }
            let answer = house.ask(&text(role, whose), &method, &sample.path, "").await;
            lists += usize::from(answer.status == 200);
            // What was asked for by name may be told to be none.
            let told = if answer.status == 200 { answer.text } else { String::new() };
            if let Some(fault) = told_of(whose, &told) {
                faults.push(format!("{} by {role} of {whose:?} {fault}", sample.path));
            }
        }
    }
    assert!(lists > 200, "{lists}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The first thing in a text that somebody must not see.
fn told_of(whose: Whose, text: &str) -> Option<String> {
    let told = text.to_lowercase();
    let mark = whose.unseen().into_iter().find(|mark| told.contains(mark))?;
    let at = told.find(&mark)?;
    let around: String = text.chars().skip(at.saturating_sub(60)).take(140).collect();
    Some(format!("is told of {mark}: …{around}…"))
}
