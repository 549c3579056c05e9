//! Requests that did something and changed nothing in the store: they are entered
//! here, so that nothing is done without a word in the audit.

use axum::http::Method;
use axum::response::Response;

use crate::access::Right;
use crate::api::guard::About;
use crate::api::once::REPLAYED;
use crate::api::state::State;
use crate::device::{DeviceId, TaskId};
use crate::ledger::{Actor, deed, entries_made};
use crate::phone::Mac;

/// What there is to tell of a request.
pub(in crate::api) struct Request {
    pub(in crate::api) method: Method,
    /// The route: `/api/v1/devices/{id}/wake`.
    pub(in crate::api) route: String,
    /// The parameters of its path.
    pub(in crate::api) keys: Vec<String>,
    /// Whether it asked for secrets in clear.
    pub(in crate::api) secrets: bool,
    pub(in crate::api) right: Right,
    pub(in crate::api) about: About,
}

/// Whether a request did something, going by what it was answered.
pub(in crate::api) fn did(request: &Request, answer: &Response) -> bool {
    let reads = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS)
        || request.right == Right::Own
        || request.right.word().ends_with(":read");
    let asks_nothing = reads && !request.secrets;
    let again = answer.headers().contains_key(REPLAYED);
    !asks_nothing && !again && answer.status().is_success()
}

/// Enters a request that did something, if none of its changes was entered.
pub(in crate::api) async fn note(state: &State, actor: &Actor, request: Request) {
    if entries_made(actor) > 0 {
        return;
    }
    let key = request.keys.first().map(String::as_str).unwrap_or_default();
    let (kind, key, tenant, site) = whose(state, request.about, key, &request.keys).await;
    let (action, did) = words(&request, &kind, &key);
    let now = state.deps.clock.now();
    let place = (tenant.as_str(), site.as_str());
    let record = deed(actor, &action, (&kind, &key), place, &did, now);
    if let Err(error) = state.store().commit(record.into()).await {
        // It was done: to answer that it failed would be wrong.
        tracing::error!(%error, action, "what was done could not be entered in the audit");
    }
}

/// The kind, key, tenant and site of what a request was about.
async fn whose(
    state: &State,
    about: About,
    key: &str,
    keys: &[String],
) -> (String, String, String, String) {
    let told = |kind: &str, key: &str, tenant: &str, site: &str| {
        (kind.to_owned(), key.to_owned(), tenant.to_owned(), site.to_owned())
    };
    match about {
        About::Device => of_device(state, key).await,
        About::Task => {
            let task = match key.parse::<TaskId>() {
                Ok(id) => state.store().task(id).await.ok().flatten(),
                Err(_) => None,
            };
            match task {
                Some(task) => of_device(state, task.device.as_str()).await,
                None => told("task", key, "", ""),
            }
        }
        About::Phone => {
            let phone = match key.parse::<Mac>() {
                Ok(mac) => state.store().phone(mac).await.ok().flatten(),
                Err(_) => None,
            };
            let site = phone.map(|phone| phone.site).unwrap_or_default();
            let known = state.store().site(&site).await.ok().flatten();
            let tenant = known.map(|site| site.tenant).unwrap_or_default();
            told("phone", key, &tenant, &site)
        }
        About::Site => {
            let known = state.store().site(key).await.ok().flatten();
            told("site", key, &known.map(|site| site.tenant).unwrap_or_default(), key)
        }
        About::Tenant => told("tenant", key, key, ""),
        About::Preload => told("preload", &keys.join("/"), "", ""),
        About::Token => told("token", key, "", ""),
        About::User => told("user", key, "", ""),
        About::Profile => {
            let known = state.store().fleet().profile(key).await.ok().flatten();
            told("profile", key, &known.map(|known| known.tenant).unwrap_or_default(), "")
        }
        About::Plan => {
            let id = key.parse::<uuid::Uuid>().ok().map(|id| id.as_u128());
            let known = match id {
                Some(id) => state.store().fleet().plan(id).await.ok().flatten(),
                None => None,
            };
            told("plan", key, &known.map(|known| known.tenant).unwrap_or_default(), "")
        }
        About::Campaign => {
            let known = state.store().fleet().campaign(key).await.ok().flatten();
            told("campaign", key, &known.map(|known| known.tenant).unwrap_or_default(), "")
        }
        About::File => told("file", key, "", ""),
        About::Open | About::Nothing | About::Whole | About::Listed => {
            told("server", &keys.join("/"), "", "")
        }
    }
}

async fn of_device(state: &State, key: &str) -> (String, String, String, String) {
    let labels = match DeviceId::parse(key) {
        Ok(id) => state.store().labels(&id).await.ok().flatten().unwrap_or_default(),
        Err(_) => return ("device".to_owned(), key.to_owned(), String::new(), String::new()),
    };
    ("device".to_owned(), key.to_owned(), labels.tenant.into(), labels.site.into())
}

/// The word for what was done, and the sentence.
fn words(request: &Request, kind: &str, key: &str) -> (String, String) {
    let told = |action: &str, did: String| (action.to_owned(), did);
    let route = request.route.strip_prefix("/api/v1").unwrap_or(&request.route);
    match (request.method.as_str(), route) {
        ("POST", "/devices/{id}/wake") => told("device.wake", format!("woke device {key}")),
        ("POST", "/devices/{id}/trace") => {
            told("trace.start", format!("began to trace the messages of device {key}"))
        }
        ("DELETE", "/devices/{id}/trace") => {
            told("trace.stop", format!("ended the trace of device {key} and forgot it"))
        }
        ("POST", "/backup") => {
            told("server.backup", "had a backup of the store written".to_owned())
        }
        ("POST", "/keys/rotate") => {
            told("key.rotate", "made a new key, with which secrets are sealed".to_owned())
        }
        ("DELETE", "/keys/{id}") => told("key.retire", format!("retired the key {key}")),
        ("POST", "/plans") => told("plan.make", "had a plan made".to_owned()),
        ("GET", _) => (action_of(route, "read"), format!("read {route} with secrets in clear")),
        (method, _) => {
            let about =
                if key.is_empty() { String::new() } else { format!(" of the {kind} {key}") };
            let verb = if method == "DELETE" { "remove" } else { "request" };
            (action_of(route, verb), format!("asked for {method} {route}{about}"))
        }
    }
}

/// The words of a route, joined: `phones.resync`.
fn action_of(route: &str, verb: &str) -> String {
    let words = route.split('/').filter(|word| !word.is_empty() && !word.starts_with('{'));
    let words: Vec<&str> = words.collect();
    match words.as_slice() {
        [] => verb.to_owned(),
        [one] => format!("{one}.{verb}"),
        many => many.join("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_words() {
        for (route, verb, action) in [
            ("/phones/{mac}/resync", "request", "phones.resync"),
            ("/backup", "request", "backup.request"),
            ("/devices/{id}", "remove", "devices.remove"),
            ("/", "request", "request"),
        ] {
            assert_eq!(action_of(route, verb), action);
        }
    }
}
