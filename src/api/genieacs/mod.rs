//! The dialect: the northbound interface of GenieACS 1.2, for programs that were
//! written for it. Same routes, verbs, queries, status codes and reason phrases, over
//! the operations of our own interface and no others: a search is a
//! [`crate::find::Filter`], a task one of ours, a preset a profile, a file a file.
//!
//! - `query`, `node`, `shape`: what a request asks for, and documents (pure).
//! - `ids`: devices and tasks by whatever way their ids are spelled.
//! - `devices`, `device_document`: searches and labels.
//! - `new_work`, `orders`, `work`, `work_document`: tasks and faults.
//! - `documents`, `presets`, `script`: what is kept as it came, and what takes effect.
//! - `files`, `ping`, `reply`, `body`.
//!
//! It is told of in `docs/GENIEACS.md` and is no part of our `OpenAPI` document.
//! `[northbound] genieacs = false` takes it away.

mod body;
mod device_document;
mod devices;
mod documents;
mod files;
mod ids;
mod new_work;
mod node;
mod orders;
mod ping;
mod presets;
mod query;
mod reply;
mod script;
mod shape;
mod work;
mod work_document;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

use super::guard::About;
use super::problem::ApiError;
use super::router::{Route, route};
use crate::access::Right;

/// What the interface calls itself; clients look at the numbers.
const VERSION: &str = "1.2.16+provost";

/// The header with the version.
const VERSION_HEADER: HeaderName = HeaderName::from_static("genieacs-version");

/// Every route of the dialect. Handlers leave out what is not the principal's where
/// it says `Listed`: ids are spelled in many ways here, and what they mean is found
/// out once.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    use About::{Listed, Nothing, Whole};
    use Right::*;
    const GET: Method = Method::GET;
    const PUT: Method = Method::PUT;
    const POST: Method = Method::POST;
    const DELETE: Method = Method::DELETE;
    vec![
        route(GET,   "/devices", DevicesRead, Listed, devices::list),
        route(DELETE,"/devices/{id}", DevicesForget, Listed, devices::forget),
        route(POST,  "/devices/{id}/tasks", TasksAsk, Listed, new_work::create),
        route(POST,  "/devices/{id}/tags/{tag}", DevicesLabel, Listed, devices::add_tag),
        route(DELETE,"/devices/{id}/tags/{tag}", DevicesLabel, Listed, devices::remove_tag),

        route(GET,   "/tasks", TasksRead, Listed, work::tasks),
        route(DELETE,"/tasks/{id}", TasksChange, Listed, work::remove),
        route(POST,  "/tasks/{id}/retry", TasksAsk, Listed, work::retry),
        route(GET,   "/faults", TasksRead, Listed, work::faults),
        route(DELETE,"/faults/{id}", TasksChange, Listed, work::remove_fault),

        route(GET,   "/presets", FleetRead, Whole, documents::list),
        route(PUT,   "/presets/{name}", FleetWrite, Whole, documents::put),
        route(DELETE,"/presets/{name}", FleetWrite, Whole, documents::remove),
        route(GET,   "/objects", FleetRead, Whole, documents::list),
        route(PUT,   "/objects/{name}", FleetWrite, Whole, documents::put),
        route(DELETE,"/objects/{name}", FleetWrite, Whole, documents::remove),
        // Scripts hold passwords more often than not: who may change them sees them.
        route(GET,   "/provisions", FleetWrite, Whole, documents::list_scripts),
        route(PUT,   "/provisions/{name}", FleetWrite, Whole, documents::put_script),
        route(DELETE,"/provisions/{name}", FleetWrite, Whole, documents::remove),
        route(GET,   "/virtual_parameters", FleetWrite, Whole, documents::list_scripts),
        route(PUT,   "/virtual_parameters/{name}", FleetWrite, Whole, documents::put_script),
        route(DELETE,"/virtual_parameters/{name}", FleetWrite, Whole, documents::remove),
        route(GET,   "/virtualParameters", FleetWrite, Whole, documents::list_scripts),
        route(PUT,   "/virtualParameters/{name}", FleetWrite, Whole, documents::put_script),
        route(DELETE,"/virtualParameters/{name}", FleetWrite, Whole, documents::remove),

        route(GET,   "/files", FilesRead, Whole, files::list),
        route(PUT,   "/files/{name}", FilesWrite, Whole, files::put),
        route(DELETE,"/files/{name}", FilesWrite, Whole, files::remove),

        route(GET,   "/operations", TasksRead, Nothing, documents::nothing),
        route(GET,   "/cache", SystemRead, Nothing, documents::nothing),
        route(GET,   "/locks", SystemRead, Nothing, documents::nothing),
        route(GET,   "/ping/{host}", TasksAsk, Listed, ping::ping),
    ]
}

/// Whether a path is one of our own interface.
fn is_ours(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first, "api" | "healthz" | "readyz" | "metrics")
}

/// A path of the dialect without the `/` that may stand at its end; `None` if it is
/// right as it is.
pub(super) fn trimmed(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let plain = path.strip_suffix('/').filter(|plain| !plain.is_empty() && !is_ours(plain))?;
    let text = match uri.query() {
        Some(query) => format!("{plain}?{query}"),
        None => plain.to_owned(),
    };
    text.parse().ok()
}

/// Says in an answer which version it is of.
pub(super) async fn versioned(mut response: Response) -> Response {
    response.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
    response
}

/// The answer to a path that is not known.
pub(super) async fn no_route(uri: &Uri) -> Response {
    if is_ours(uri.path()) {
        return ApiError::NoRoute.into_response();
    }
    versioned(reply::text(StatusCode::NOT_FOUND, "404 Not Found".to_owned())).await
}

/// The answer to a method that a path does not know.
pub(super) async fn wrong_method(uri: &Uri) -> Response {
    if is_ours(uri.path()) {
        return ApiError::WrongMethod.into_response();
    }
    let mut response =
        reply::text(StatusCode::METHOD_NOT_ALLOWED, "405 Method Not Allowed".to_owned());
    let allowed = HeaderValue::from_static(allowed(uri.path()));
    response.headers_mut().insert(header::ALLOW, allowed);
    versioned(response).await
}

/// The methods of a path, as the original spells them.
fn allowed(path: &str) -> &'static str {
    let mut segments = path.split('/').skip(1);
    match (segments.next().unwrap_or_default(), segments.next(), segments.next()) {
        (_, None, _) => "GET, HEAD",
        ("devices", _, None) | ("faults", ..) => "DELETE",
        ("devices", _, Some("tasks")) | ("tasks", _, Some(_)) => "POST",
        ("devices", ..) => "POST, DELETE",
        ("tasks", ..) => "PUT DELETE",
        ("ping", ..) => "GET",
        _ => "PUT, DELETE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_is_no_matter() {
        let trimmed = |text: &str| trimmed(&text.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(trimmed("/devices/?limit=1").as_deref(), Some("/devices?limit=1"));
        assert_eq!(trimmed("/tasks/x/").as_deref(), Some("/tasks/x"));
        for right in ["/devices", "/", "/api/v1/devices/", "/api/"] {
            assert_eq!(trimmed(right), None, "{right}");
        }
    }

    #[test]
    fn the_methods_of_each_path_are_told() {
        for route in table() {
            let method = if route.method == Method::GET { "GET" } else { route.method.as_str() };
            let told = allowed(route.path);
            assert!(told.contains(method), "{} {}: {told}", route.method, route.path);
        }
    }
}
