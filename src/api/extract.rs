//! Reading requests: JSON bodies, queries, keys in paths, `If-Match`; each
//! failure is an [`ApiError`].

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Uri, header};
use serde::de::DeserializeOwned;

use super::problem::{ApiError, bad_value};
use super::state::Shared;
use crate::class::Class;
use crate::device::{DeviceId, TaskId};
use crate::http::collect;
use crate::phone::Mac;

/// A JSON body of at most `northbound.max_body` bytes.
pub(super) struct Json<T>(pub(super) T);

/// The query, where unknown keys are refused.
pub(super) struct Query<T>(pub(super) T);

/// The query in two parts: what has names of its own, and all the rest, where
/// unknown keys are refused.
pub(super) struct Split<A, B>(pub(super) A, pub(super) B);

/// A part of a query whose keys are known beforehand.
pub(super) trait Named {
    /// Its keys.
    const NAMES: &'static [&'static str];
}

/// The device that the path names.
pub(super) struct DeviceKey(pub(super) DeviceId);

/// The task that the path names.
pub(super) struct TaskKey(pub(super) TaskId);

/// The phone that the path names.
pub(super) struct PhoneKey(pub(super) Mac);

/// The revision in `If-Match`, if there is one.
pub(super) struct IfMatch(Option<u32>);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let limit = state.deps.config.northbound.max_body;
        let bytes = match collect(request.into_body(), limit, &state.deps.config.limits).await {
            Ok(bytes) => bytes,
            Err(error) if error.class() == Class::TooLarge => {
                return Err(ApiError::TooLarge { limit });
            }
            Err(_) => return Err(ApiError::BodyStalled),
        };
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| ApiError::Malformed { what: "body", problem: error.to_string() })
    }
}

impl<T: DeserializeOwned> FromRequestParts<Shared> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| ApiError::Malformed { what: "query", problem: error.body_text() })
    }
}

impl<A, B> FromRequestParts<Shared> for Split<A, B>
where
    A: DeserializeOwned + Named,
    B: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        let is_named = |pair: &&str| A::NAMES.contains(&pair.split('=').next().unwrap_or_default());
        let (named, rest): (Vec<&str>, Vec<&str>) = pairs.partition(is_named);
        Ok(Self(read_query(&named)?, read_query(&rest)?))
    }
}

/// Reads pairs of a query.
fn read_query<T: DeserializeOwned>(pairs: &[&str]) -> Result<T, ApiError> {
    let malformed = |problem| ApiError::Malformed { what: "query", problem };
    let uri: Uri = format!("/?{}", pairs.join("&"))
        .parse()
        .map_err(|_| malformed("it is no query".to_owned()))?;
    axum::extract::Query::try_from_uri(&uri)
        .map(|query| query.0)
        .map_err(|error| malformed(error.body_text()))
}

impl FromRequestParts<Shared> for DeviceKey {
    type Rejection = ApiError;

    /// An id is safe inside a path as it is, and people paste it so; programs
    /// encode it once more, as they should. `%25` tells the two apart: it is
    /// what each `%` of an id becomes by encoding.
    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        let raw = segment(parts);
        let text = if raw.contains("%25") { raw.replace("%25", "%") } else { raw.to_owned() };
        DeviceId::parse(&text).map(Self).map_err(|error| bad_value("device id", error))
    }
}

impl FromRequestParts<Shared> for TaskKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        let id = segment(parts).parse();
        id.map(Self).map_err(|_| bad_value("task id", "a task id is a UUID"))
    }
}

impl FromRequestParts<Shared> for PhoneKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        let text = segment(parts).replace("%3A", ":").replace("%3a", ":");
        text.parse().map(Self).map_err(|error| bad_value("mac", error))
    }
}

/// The key behind `/api/v1/<resource>/`, as it came.
fn segment(parts: &Parts) -> &str {
    parts.uri.path().split('/').nth(4).unwrap_or_default()
}

impl FromRequestParts<Shared> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        // What an ETag has behind the revision tells answers apart, not records.
        let tag = text.trim_start_matches("W/").trim_matches('"');
        let number = tag.split_once('-').map_or(tag, |(revision, _)| revision).parse();
        number.map(|number| Self(Some(number))).map_err(|_| {
            bad_value("If-Match", "give one revision in quotes, as in If-Match: \"3\"")
        })
    }
}

impl IfMatch {
    /// Refuses when the request was made for another revision.
    pub(super) fn check(&self, stored: u32) -> Result<(), ApiError> {
        match self.0 {
            Some(given) if given != stored => Err(ApiError::OtherRevision { stored, given }),
            _ => Ok(()),
        }
    }
}

/// Checks a text from outside: its length in characters, and no control
/// characters, since it may stand in logs, files and messages later.
pub(super) fn plain_text(field: &str, text: &str, longest: usize) -> Result<(), ApiError> {
    if text.chars().count() > longest {
        return Err(bad_value(field, format!("at most {longest} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(bad_value(field, "no control characters"));
    }
    Ok(())
}

/// Tells a field that is `null` (`Some(None)`) from one that is absent (`None`).
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    <Option<T> as serde::Deserialize>::deserialize(deserializer).map(Some)
}
