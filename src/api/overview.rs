//! `/system`, `/quirks` and `/sessions`: the server with its settings, what it works
//! around, and the sessions of all devices.

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::devices::DeviceWhich;
use super::extract::{Named, Query, Split};
use super::mask::{self, MASK};
use super::models::{LessonView, all_of, lessons_of};
use super::paging::{self, MAX_SCAN, Page};
use super::problem::{ApiError, Problem};
use super::sessions::SessionView;
use super::state::Shared;
use super::system::{self, HealthView};
use super::within::Eyes;
use crate::access::Principal;
use crate::device::DeviceId;
use crate::find;
use crate::param::Extent;
use crate::time::Timestamp;

/// Sessions of one device that are listed at most.
const MAX_EACH: usize = 100;

/// Devices that are looked at together.
const DEVICES: usize = 100;

/// The server: what it is, how it is, how it is set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SystemView {
    version: &'static str,
    health: HealthView,
    /// Every setting with its effective value, by section; `***` stands for
    /// secrets.
    #[schema(value_type = Object)]
    settings: Value,
}

/// Shows the server with its settings
#[utoipa::path(get, path = "/api/v1/system", tag = "server", operation_id = "system",
    responses((status = 200, body = SystemView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
) -> axum::Json<SystemView> {
    let mut settings = serde_json::to_value(&*state.deps.config).unwrap_or_default();
    hide(&mut settings);
    let health = system::health(State(state), Extension(principal)).await.0;
    axum::Json(SystemView { version: env!("CARGO_PKG_VERSION"), health, settings })
}

/// Masks what is named like a secret, and users in URLs.
fn hide(settings: &mut Value) {
    match settings {
        Value::Object(members) => {
            for (name, value) in members {
                let is_secret = ["password", "secret", "token", "passphrase"]
                    .iter()
                    .any(|part| name.contains(part));
                match value {
                    Value::String(text) if is_secret && !text.is_empty() => MASK.clone_into(text),
                    value => hide(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::String(text) => *text = mask::url(text).into_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Something that devices of a model do otherwise, and that the server minds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuirkView {
    oui: Box<str>,
    product_class: Box<str>,
    /// Empty for any, where an operator says so.
    software_version: Box<str>,
    /// `learned` or `operator`, which goes before it.
    from: &'static str,
    /// The ability.
    ability: String,
    /// Its value.
    value: Value,
    /// When it was learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    at: Option<Timestamp>,
    /// The exchange that taught it.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<String>,
}

/// Which quirks are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct QuirkQuery {
    /// Only this OUI.
    oui: Option<String>,
    /// Only this product class.
    product_class: Option<String>,
    /// Only this ability.
    ability: Option<String>,
    /// From 1 to 1000; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists what the server works around, model by model
#[utoipa::path(get, path = "/api/v1/quirks", tag = "models", operation_id = "quirks",
    params(QuirkQuery), responses((status = 200, body = Page<QuirkView>)))]
pub(super) async fn quirks(
    State(state): State<Shared>,
    Query(query): Query<QuirkQuery>,
) -> Result<axum::Json<Page<QuirkView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let after: Option<String> = paging::key_after(query.after.as_deref())?;
    let same = |wanted: &Option<String>, text: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(text))
    };
    let mut all = std::collections::BTreeMap::new();
    for (text, (key, record, wishes)) in all_of(&state).await? {
        if !same(&query.oui, &key.oui) || !same(&query.product_class, &key.product_class) {
            continue;
        }
        let (learned, wished) = lessons_of(record.as_ref(), wishes.as_ref());
        let quirk = |from, ability, value, at, words| QuirkView {
            oui: key.oui.clone(),
            product_class: key.product_class.clone(),
            software_version: key.software_version.clone(),
            from,
            ability,
            value,
            at,
            words,
        };
        for LessonView { ability, value, at, words } in learned {
            let place = format!("{text} {ability} learned");
            all.insert(place, quirk("learned", ability, value, Some(at), Some(words)));
        }
        for (ability, value) in wished {
            let place = format!("{text} {ability} operator");
            all.insert(place, quirk("operator", ability, value, None, None));
        }
    }
    let mut left = all.into_iter().filter(|(place, quirk)| {
        same(&query.ability, &quirk.ability) && after.as_ref().is_none_or(|after| place > after)
    });
    let page: Vec<(String, QuirkView)> = left.by_ref().take(limit).collect();
    let more = left.next().is_some();
    let next = page.last().filter(|_| more).map(|(place, _)| paging::cursor(place));
    let items = page.into_iter().map(|(_, quirk)| quirk).collect();
    Ok(axum::Json(Page { items, next }))
}

/// A session of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceSession {
    #[schema(value_type = String)]
    device: DeviceId,
    #[serde(flatten)]
    session: SessionView,
}

/// Which sessions are listed, besides whose.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionsQuery {
    /// Only sessions that began at or after this time (RFC 3339).
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// How many of each device, the newest first: from 1 to 100; 10 if not given.
    #[param(minimum = 1, maximum = 100)]
    each: Option<usize>,
    /// From 1 to 1000; 100 if not given. A page ends between two devices.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

impl Named for SessionsQuery {
    const NAMES: &'static [&'static str] = &["since", "each", "limit", "after"];
}

/// Lists the last sessions of all devices that are meant, device by device
///
/// Sessions with an Inform alone are not kept.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "devices", operation_id = "all_sessions",
    params(DeviceWhich, SessionsQuery),
    responses((status = 200, body = Page<DeviceSession>), (status = 400, body = Problem)))]
pub(super) async fn sessions(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Split(query, which): Split<SessionsQuery, DeviceWhich>,
) -> Result<axum::Json<Page<DeviceSession>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let each = match query.each {
        None => 10.min(limit),
        Some(each @ 1..=MAX_EACH) => each.min(limit),
        Some(_) => return Err(super::problem::bad_value("each", format!("from 1 to {MAX_EACH}"))),
    };
    // A page begins behind a device, wherever among those that are read at once.
    let eyes = Eyes::of(&state, &principal);
    let begin: Option<Place> = eyes.after_in_search(query.after.as_deref())?;
    let Place { page, device } = begin.unwrap_or_default();
    let mut behind = device;
    let mut asked = find::Query {
        filter: which.filter()?,
        reach: (*principal.reach).clone(),
        order: None,
        after: page,
        limit: DEVICES,
        parameters: Extent::Nothing,
    };
    let mut items: Vec<DeviceSession> = Vec::new();
    let mut scanned = 0;
    loop {
        let found = state.deps.finder.page(&asked).await?;
        for device in found.found.into_iter().map(|found| found.device.id) {
            if behind.as_deref().is_some_and(|behind| device.as_str() <= behind) {
                continue;
            }
            let place = Place { page: asked.after.clone(), device: behind.clone() };
            if items.len() + each > limit || scanned >= MAX_SCAN {
                let next = Some(eyes.search_cursor(place));
                return Ok(axum::Json(Page { items, next }));
            }
            let sessions = state.store().sessions(&device, each).await?;
            scanned += 1 + sessions.len();
            behind = Some(device.to_string());
            let since = |at: Timestamp| query.since.is_none_or(|since| at >= since);
            let wanted = sessions.into_iter().filter(|session| since(session.began_at));
            items.extend(
                wanted.map(|session| DeviceSession {
                    device: device.clone(),
                    session: session.into(),
                }),
            );
        }
        match found.next {
            Some(next) => asked.after = Some(next),
            None => return Ok(axum::Json(Page { items, next: None })),
        }
    }
}

/// Where a page of sessions begins: behind a device of a page of devices.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    page: Option<String>,
    device: Option<String>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl std::str::FromStr for Place {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_setting_shows_a_secret() {
        let mut settings = json!({"xmpp": {"password": "hush", "secret_x": "", "port": 1},
            "urls": ["http://u:hush@host/"], "tokens": {"admin_token": "hush"}});
        hide(&mut settings);
        assert!(!settings.to_string().contains("hush"), "{settings}");
        assert_eq!(settings["xmpp"]["port"], 1);
    }
}
