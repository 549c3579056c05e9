//! Every route × every role × whatever is seen, from the router's own table.

mod giving;
mod house;
mod samples;
mod tricks;

use axum::http::Method;
use house::{House, Whose, text};
use provost::access::{Rights, Role};
use provost::api::{About, routes};
use samples::lets_through;
use serde_json::json;

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
                assert_eq!(
                    (answer.status, &answer.json["code"]),
                    (403, &json!("no-right")),
                    "{who}"
                );
                refused += 1;
            } else if !lets_through(rule.about, &whose.reach()) {
                let (there, absent) = (ask(&sample.path).await, ask(&sample.absent).await);
                assert_eq!((there.status, absent.status), (404, 404), "{who}: {}", there.text);
                let nameless = there.text.replace(&sample.names.0, "?");
                assert_eq!(nameless, absent.text.replace(&sample.names.1, "?"), "{who}");
                hidden += 1;
            } else if sample.changes {
                let house = House::build().await;
                // What is said anew with each house: the task.
                let sample = house.sample(&method, route);
                let answer = house.ask(&token, &method, &sample.path, sample.body).await;
                let absent = house.ask(&token, &method, &sample.absent, sample.body).await;
                let told = (answer.status, answer.text.as_str());
                let none = (absent.status, absent.text.as_str());
                is_let_through(&who, rule.about, told, none, &sample.names);
                unseen_is_untold(&who, whose, &answer.text);
                passed += 1;
            } else {
                let (answer, absent) = (ask(&sample.path).await, ask(&sample.absent).await);
                let told = (answer.status, answer.text.as_str());
                let none = (absent.status, absent.text.as_str());
                is_let_through(&who, rule.about, told, none, &sample.names);
                unseen_is_untold(&who, whose, &answer.text);
                passed += 1;
            }
        }
    }
    assert!(refused > 200 && hidden > 200 && passed > 500, "{refused} {hidden} {passed}");
}

fn people() -> impl Iterator<Item = (Role, Whose)> {
    Role::ALL.into_iter().flat_map(|role| Whose::ALL.into_iter().map(move |whose| (role, whose)))
}

/// Whether the answer tells that the request reached its handler.
fn is_let_through(
    who: &str,
    about: About,
    (status, text): (u16, &str),
    absent: (u16, &str),
    names: &(String, String),
) {
    assert!(![401, 403, 421, 429].contains(&status) && status < 500, "{who}: {text}");
    // Of what is nobody's, and of what there is none in this house, it is the
    // handler that tells that there is none.
    if status == 404 && !matches!(about, About::Nothing | About::Whole | About::Listed) {
        let same = text.replace(&names.0, "?") == absent.1.replace(&names.1, "?");
        assert!(!same, "{who}: answered as if it were not there: {text}");
    }
}

/// E5: what is not seen stands in no answer, be it a list, an export or a count of
/// names.
fn unseen_is_untold(who: &str, whose: Whose, text: &str) {
    let text = text.to_lowercase();
    for mark in whose.unseen() {
        assert!(!text.contains(&mark), "{who} is told of {mark}: {text}");
    }
}
