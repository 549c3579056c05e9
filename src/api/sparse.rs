//! `fields=…` for every list that does not read it itself: of each item only what
//! was asked for. Which fields there are is told by the document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::{Map, Value};

use super::problem::{ApiError, bad_value};
use crate::expr::nearest;
use crate::http::read_limited;

/// The largest list that is cut, in bytes.
const MAX_LIST: u64 = 64 << 20;

/// Lists that read their fields themselves.
const NATIVE: [&str; 2] = ["/api/v1/devices", "/api/v1/tasks"];

/// The members of the items of each list, by path.
static LISTS: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let document = serde_json::to_value(super::openapi::document()).unwrap_or_default();
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter_map(|(path, item)| Some((path.clone(), members(&document, path, &item["get"])?)))
        .collect()
});

/// The members of the items that an operation lists; `None` if it lists nothing.
pub(super) fn members(document: &Value, path: &str, get: &Value) -> Option<BTreeSet<String>> {
    if NATIVE.contains(&path) {
        return None;
    }
    let answer = &get["responses"]["200"]["content"]["application/json"]["schema"];
    let items = &resolved(document, answer)["properties"]["items"];
    let mut found = BTreeSet::new();
    gather(document, &items["items"], &mut found);
    (!found.is_empty()).then_some(found)
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let path = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    path.and_then(|path| document.pointer(path)).unwrap_or(schema)
}

fn gather(document: &Value, schema: &Value, found: &mut BTreeSet<String>) {
    let schema = resolved(document, schema);
    found.extend(
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()),
    );
    for part in ["allOf", "anyOf"].iter().flat_map(|word| schema[*word].as_array()).flatten() {
        gather(document, part, found);
    }
}

/// Takes `fields` out of the query, and from the answer what was not asked for.
pub(super) async fn pass(mut request: Request, next: Next) -> Result<Response, ApiError> {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let known = path.and_then(|path| LISTS.get(&path)).filter(|_| request.method() == Method::GET);
    let (Some(known), Some(query)) = (known, request.uri().query()) else {
        return Ok(next.run(request).await);
    };
    let is_fields = |pair: &&str| pair.starts_with("fields=");
    let (fields, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_fields);
    let Some(fields) = fields.first().and_then(|pair| pair.strip_prefix("fields=")) else {
        return Ok(next.run(request).await);
    };
    let fields = wanted(fields, known)?;
    let target = format!("{}?{}", request.uri().path(), rest.join("&"));
    let malformed = |_| ApiError::Malformed { what: "query", problem: "it is no query".to_owned() };
    *request.uri_mut() = target.parse::<Uri>().map_err(malformed)?;
    cut(next.run(request).await, &fields).await
}

/// The fields that are asked for.
fn wanted(text: &str, known: &BTreeSet<String>) -> Result<BTreeSet<String>, ApiError> {
    let text = text.replace("%2C", ",").replace("%2c", ",");
    let one = |name: &str| match known.get(name) {
        Some(name) => Ok(name.clone()),
        None => {
            let hint = match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", known.iter().cloned().collect::<Vec<_>>().join(", ")),
            };
            let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            Err(bad_value("fields", format!("there is no field `{shown}`; {hint}")))
        }
    };
    text.split(',').map(|name| one(name.trim())).collect()
}

/// Leaves of each item only these fields.
async fn cut(response: Response, fields: &BTreeSet<String>) -> Result<Response, ApiError> {
    let (mut parts, body) = response.into_parts();
    if parts.status != StatusCode::OK {
        return Ok(Response::from_parts(parts, body));
    }
    let too_large = |_| ApiError::TooLarge { limit: MAX_LIST };
    let bytes = read_limited(body, MAX_LIST).await.map_err(too_large)?;
    let mut list: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    for item in list["items"].as_array_mut().into_iter().flatten() {
        if let Some(whole) = item.as_object_mut() {
            let whole = std::mem::take(whole);
            let part: Map<String, Value> =
                whole.into_iter().filter(|(name, _)| fields.contains(name)).collect();
            *item = Value::Object(part);
        }
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(list.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_the_document_knows_its_fields() {
        for (path, member) in [
            ("/api/v1/phones", "mac"),
            ("/api/v1/files", "sha256"),
            ("/api/v1/sites", "name"),
            ("/api/v1/preloads", "tags"),
            ("/api/v1/campaigns", "name"),
            ("/api/v1/models", "oui"),
        ] {
            let known = LISTS.get(path).unwrap_or_else(|| panic!("{path} is no list"));
            assert!(known.contains(member), "{path}: {known:?}");
        }
        assert!(!LISTS.contains_key("/api/v1/health"));
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_nearest_one() {
        let known = BTreeSet::from(["mac".to_owned(), "vendor".to_owned()]);
        assert_eq!(wanted("mac%2Cvendor", &known).unwrap(), known);
        assert!(wanted("vendro", &known).unwrap_err().to_string().contains("`vendor`"));
        assert!(wanted("", &known).is_err());
    }
}
