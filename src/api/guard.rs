//! The rule before each handler: which right it needs, and whose thing it is
//! about. Whatever is not the principal's is answered as if it were not there.

use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::audit::{Noted, did, note};
use super::extract::{DeviceKey, PhoneKey, TaskKey};
use super::lasting::Lasting;
use super::people;
use super::problem::ApiError;
use super::state::{Shared, State as Inner};
use super::within::Eyes;
use crate::access::{Principal, Right};
use crate::device::PreloadKey;
use crate::ledger::Actor;
use crate::phone::Mac;

/// What a route asks of whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The right that is needed.
    pub right: Right,
    /// What it is about.
    pub about: About,
}

/// Whose thing a route is about, and who sees to it that it is the principal's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Nobody's, and told to everybody: no token is needed.
    Open,
    /// Nobody's: what the server is, what is known of models.
    Nothing,
    /// The whole installation: for principals that see everything.
    Whole,
    /// Many things: the handler leaves out what is not the principal's.
    Listed,
    /// The device in the path.
    Device,
    /// The task in the path, by its device.
    Task,
    /// The phone in the path, by its site.
    Phone,
    /// The site in the path.
    Site,
    /// The tenant in the path.
    Tenant,
    /// The token in the path, by what it sees.
    Token,
    /// The user in the path, by what the user sees.
    User,
    /// The expected device in the path, by its labels.
    Preload,
    /// The profile in the path, by its tenant.
    Profile,
    /// The plan in the path, by its tenant; the handler finds it, wherever it is.
    Plan,
    /// The file in the path, by who brought it or which device sent it.
    File,
    /// The campaign in the path, by its tenant.
    Campaign,
}

/// Lets a request through to its handler, or answers why not.
pub(super) async fn pass(
    State((state, rule)): State<(Shared, Rule)>,
    parameters: RawPathParams,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if rule.about == About::Open {
        return Ok(next.run(request).await);
    }
    let principal = request.extensions().get::<Principal>().ok_or(ApiError::NoToken)?.clone();
    if !principal.may(rule.right) {
        return Err(ApiError::NoRight(rule.right));
    }
    let (mut parts, body) = request.into_parts();
    if !principal.reach.is_whole() {
        let keys: Vec<&str> = parameters.iter().map(|(_, value)| value).collect();
        stay_within(&state, &principal, rule.about, &keys, &mut parts).await?;
    }
    // Spelled as the device is, not as the path is.
    let device = match rule.about {
        About::Device => DeviceKey::from_request_parts(&mut parts, &state).await.ok(),
        _ => None,
    };
    let noted = parts.extensions.get::<Actor>().cloned().map(|actor| {
        let route = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let request = Noted {
            method: parts.method.clone(),
            route: route.unwrap_or_default(),
            keys: match device {
                Some(DeviceKey(id)) => vec![id.to_string()],
                None => parameters.iter().map(|(_, value)| value.to_owned()).collect(),
            },
            secrets: parts.uri.query().is_some_and(|query| query.contains("secrets=show")),
            right: rule.right,
            about: rule.about,
        };
        (actor, request)
    });
    let mut lasting = match parts.uri.query().is_some_and(|query| query.contains("wait=")) {
        true => Some(Lasting::of(&state, principal, &parts.headers, rule.right)?),
        false => None,
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    let noted = noted.filter(|(_, request)| did(request, &response));
    if let Some((actor, request)) = noted {
        note(&state, &actor, request).await;
    }
    // What was waited for is told to whoever is let in still.
    if let Some(lasting) = &mut lasting {
        lasting.goes_on().await?;
    }
    Ok(response)
}

/// Refuses what is not the principal's as if it were not there. `keys` are the
/// parameters of the path, decoded, in order. Ids are read by the very extractors
/// that the handlers use: what is judged is what is then worked on.
async fn stay_within(
    state: &Shared,
    principal: &Principal,
    about: About,
    keys: &[&str],
    parts: &mut Parts,
) -> Result<(), ApiError> {
    let key = keys.first().copied().unwrap_or_default();
    let absent = |what: &'static str| ApiError::NoSuch { what, name: key.to_owned() };
    // What is not there may be made; the handler sees to it that it stays in reach.
    let makes = parts.method == Method::PUT;
    match about {
        About::Open | About::Nothing | About::Listed | About::Plan => Ok(()),
        About::Profile => match state.store().fleet().profile(key).await? {
            None if makes => Ok(()),
            stored => {
                let seen = stored.is_some_and(|stored| principal.sees(&stored.tenant, ""));
                within(seen, || absent("profile"))
            }
        },
        About::File => within(sees_file(state, principal, key).await?, || absent("file")),
        About::Campaign => {
            let campaign = state.store().fleet().campaign(key).await?;
            let seen = campaign.is_some_and(|campaign| principal.sees(&campaign.tenant, ""));
            within(seen, || absent("campaign"))
        }
        About::Whole => Err(ApiError::NoRoute),
        About::Device => {
            let DeviceKey(id) = DeviceKey::from_request_parts(parts, state).await?;
            within(state.deps.finder.sees(&id, &principal.reach).await?, || absent("device"))
        }
        About::Task => {
            let TaskKey(id) = TaskKey::from_request_parts(parts, state).await?;
            let task = state.store().task(id).await?.ok_or_else(|| absent("task"))?;
            let seen = state.deps.finder.sees(&task.device, &principal.reach).await?;
            within(seen, || absent("task"))
        }
        About::Phone => {
            let PhoneKey(mac) = PhoneKey::from_request_parts(parts, state).await?;
            // As the handler tells it of one that is not there.
            let no_such = |mac: Mac| ApiError::NoSuch { what: "phone", name: mac.to_string() };
            let site = match state.store().phone(mac).await? {
                Some(phone) => phone.site,
                None if makes => return Ok(()),
                None => return Err(no_such(mac)),
            };
            within(sees_site(state, principal, &site).await?, || no_such(mac))
        }
        About::Token => {
            let token = state.store().office().token(key).await?;
            let seen = token.is_some_and(|token| principal.reach.covers(&token.reach));
            within(seen, || absent("token"))
        }
        About::User => {
            let user = state.store().office().user(key).await?;
            // One that is not there yet is made, or not, by the handler, and that by
            // the name alone.
            let seen = match user {
                Some(user) => principal.reach.covers(&user.reach),
                None => parts.method == Method::PUT && people::may_name(&principal.reach, key),
            };
            within(seen, || absent("user"))
        }
        About::Site => match state.store().site(key).await? {
            None if makes => Ok(()),
            site => {
                let seen = site.is_some_and(|site| principal.sees(&site.tenant, &site.name));
                within(seen, || absent("site"))
            }
        },
        // What goes for a whole tenant is nothing for who sees some of its sites.
        About::Tenant => within(principal.sees(key, ""), || absent("tenant")),
        About::Preload => {
            let text = keys.get(1).copied().unwrap_or_default();
            let Ok(preload) = PreloadKey::new(key, text) else { return Ok(()) };
            let known = state.store().fleet().preload(&preload).await?;
            if known.is_none() && makes {
                return Ok(());
            }
            let labels = known.map(|known| known.labels).unwrap_or_default();
            within(principal.sees(&labels.tenant, &labels.site), || ApiError::NoSuch {
                what: "expected device",
                name: preload.to_string(),
            })
        }
    }
}

/// Whether a file is there and seen.
async fn sees_file(state: &Inner, principal: &Principal, sha256: &str) -> Result<bool, ApiError> {
    let Some(file) = state.store().file(sha256).await? else { return Ok(false) };
    Ok(Eyes::of(state, principal).file(file).await?.is_some())
}

/// Whether a site is there and the principal's.
pub(super) async fn sees_site(
    state: &Inner,
    principal: &Principal,
    name: &str,
) -> Result<bool, ApiError> {
    let site = state.store().site(name).await?;
    Ok(site.is_some_and(|site| principal.sees(&site.tenant, &site.name)))
}

fn within(seen: bool, absent: impl FnOnce() -> ApiError) -> Result<(), ApiError> {
    if seen { Ok(()) } else { Err(absent()) }
}
