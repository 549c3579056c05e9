//! The OpenAPI document: the contract of the northbound.
//!
//! Gathered from the handlers; `docs/openapi.json` is its snapshot, so that a
//! change of the interface shows in a diff.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Schema,
};
use utoipa::{Modify, OpenApi as _};

use super::fleet::{drift, explain, plans, profiles};
use super::problem::Problem;
use super::{
    associations, browse, bulk, datamodel, device_backups, devices, dhcp, events, files, intents,
    layers, models, news, overview, parameters, people, phones, preloads, remembered, reports,
    running, sessions, sites, sparse, strangers, system, task_list, tasks, traces, trees, wake,
    webhooks,
};
use super::{audit, campaigns, keys};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Provost",
        description = "Northbound of Provost: devices, tasks, files, phones. Every request needs a token: as a bearer's, or as the password of Basic."
    ),
    paths(
        running::healthz, running::readyz, running::metrics, running::reload,
        devices::list, devices::export, devices::add, devices::show, devices::change, devices::forget,
        remembered::list, remembered::diff,
        device_backups::list, device_backups::create, device_backups::show, device_backups::remove,
        device_backups::preview, device_backups::restore,
        parameters::list, trees::export, events::list, reports::list, sessions::list, associations::show,
        traces::show, traces::start, traces::stop, traces::story, traces::messages,
        preloads::list, preloads::show, preloads::put, preloads::remove, preloads::hand_over,
        preloads::import, preloads::export,
        strangers::list, strangers::show, strangers::adopt, strangers::deny, strangers::forget,
        strangers::adopt_all, strangers::deny_all,
        overview::show, overview::quirks, overview::sessions, browse::browse,
        bulk::list, bulk::create, bulk::show, bulk::cancel,
        task_list::list, task_list::export, tasks::create, tasks::show, tasks::cancel, wake::wake,
        intents::abilities, intents::create,
        news::list, news::stream,
        webhooks::list, webhooks::create, webhooks::show, webhooks::change, webhooks::remove,
        webhooks::test, webhooks::letters, webhooks::discard_all, webhooks::redeliver_all,
        webhooks::discard_one, webhooks::redeliver_one,
        files::upload, files::list, files::show, files::remove, files::content,
        phones::list, phones::show, phones::put, phones::forget, phones::url,
        phones::put_account, phones::remove_account, phones::put_key, phones::remove_key,
        phones::import, phones::export,
        phones::files, phones::render, phones::diff, phones::compare, phones::resync,
        phones::renew_token, phones::fetches, phones::unlock,
        dhcp::show,
        sites::list, sites::show, sites::put, sites::forget, sites::url,
        models::list, models::show, models::put_wishes, models::forget_wishes, models::forget_lessons,
        models::export, models::import,
        datamodel::show, datamodel::learned,
        profiles::list, profiles::show, profiles::put, profiles::forget, profiles::versions,
        profiles::version, profiles::rollback, profiles::enable, profiles::disable,
        plans::list, plans::create, plans::show, plans::forget, plans::devices, plans::apply,
        explain::explain, drift::list, drift::apply,
        campaigns::list, campaigns::create, campaigns::show, campaigns::members,
        campaigns::steps::start, campaigns::steps::approve, campaigns::steps::pause,
        campaigns::steps::resume, campaigns::steps::stop, campaigns::steps::roll_back,
        campaigns::steps::remove,
        layers::list,
        layers::show_global, layers::show_tenant, layers::show_model,
        layers::put_global, layers::put_tenant, layers::put_model,
        layers::forget_global, layers::forget_tenant, layers::forget_model,
        keys::list, keys::rotate, keys::retire,
        audit::list, audit::show, audit::export, audit::verify,
        system::health, system::backup, system::openapi,
        people::me::show,
        people::tokens::list, people::tokens::create, people::tokens::show, people::tokens::change,
        people::tokens::remove, people::tokens::revoke, people::tokens::rotate,
        people::users::list, people::users::show, people::users::put, people::users::forget,
        people::tenants::list, people::tenants::show, people::tenants::put, people::tenants::forget,
    ),
    components(schemas(Problem, bulk::BulkAction)),
    security(("token" = []), ("password" = [])),
    modifiers(&Common)
)]
struct Document;

/// The OpenAPI document.
pub fn document() -> OpenApi {
    Document::openapi()
}

/// What all operations have in common: the token, and how errors look.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        if let Some(components) = &mut document.components {
            components.add_security_scheme("token", SecurityScheme::Http(bearer));
            components.add_security_scheme("password", SecurityScheme::Http(basic));
        }
        let problem = || RefOr::Ref(Ref::from_schema_name("Problem"));
        let error = ResponseBuilder::new()
            .description("An error")
            .content(
                "application/problem+json",
                ContentBuilder::new().schema(Some(problem())).build(),
            )
            .build();
        let lists = lists(document);
        let revised = revised(document.components.as_ref());
        for (path, item) in &mut document.paths.paths {
            let all =
                [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
            all.into_iter().flatten().for_each(tell_problems);
            if let Some(operation) = &mut item.get {
                operation.responses.responses.insert("default".to_owned(), RefOr::T(error.clone()));
                tell_tag(operation, &revised);
                if lists.contains(path) {
                    operation.parameters.get_or_insert_default().push(fields());
                }
            }
            let changes = [&mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
            for operation in changes.into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), RefOr::T(error.clone()));
                if path != "/api/v1/files" {
                    let told = "The same change is made once, however often it is asked for with \
                                the same key, which is remembered for a day";
                    operation
                        .parameters
                        .get_or_insert_default()
                        .push(head("Idempotency-Key", told));
                }
            }
        }
    }
}

/// Every error is a problem document, with its own media type (RFC 9457 §3).
fn tell_problems(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        let RefOr::T(answer) = answer else { continue };
        if status.starts_with(['4', '5'])
            && let Some(content) = answer.content.shift_remove("application/json")
        {
            answer.content.insert("application/problem+json".to_owned(), content);
        }
    }
}

/// The paths of lists that do not read their fields themselves.
fn lists(document: &OpenApi) -> BTreeSet<String> {
    let whole = serde_json::to_value(document).unwrap_or_default();
    let is_list = |path: &&String| {
        sparse::members(&whole, path, &whole["paths"][path.as_str()]["get"]).is_some()
    };
    document.paths.paths.keys().filter(is_list).cloned().collect()
}

/// The parameter that asks for a part of each item.
fn fields() -> RefOr<Parameter> {
    let parameter = ParameterBuilder::new()
        .name("fields")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some("Only these members of each item, with commas between"))
        .schema(Some(text()))
        .build();
    RefOr::T(parameter)
}

/// A header that a request may have.
fn head(name: &str, told: &str) -> RefOr<Parameter> {
    let header = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(told))
        .schema(Some(text()))
        .build();
    RefOr::T(header)
}

fn text() -> Schema {
    Schema::Object(ObjectBuilder::new().schema_type(Type::String).build())
}

/// The names of the schemas of what has a revision.
fn revised(components: Option<&Components>) -> BTreeSet<String> {
    let has = |schema: &Value| {
        let has_revision = |part: &Value| part["properties"]["revision"].is_object();
        has_revision(schema)
            || schema["allOf"].as_array().is_some_and(|parts| parts.iter().any(has_revision))
    };
    let schemas = components.into_iter().flat_map(|components| &components.schemas);
    schemas
        .filter(|(name, schema)| {
            let schema = serde_json::to_value(schema).unwrap_or_default();
            // A profile's revisions are its versions.
            *name == "ProfileView" || has(&schema)
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// Adds the tag to the answer that tells a record with a revision, and that it
/// need not be told again.
fn tell_tag(operation: &mut Operation, revised: &BTreeSet<String>) {
    let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") else { return };
    let Some(RefOr::T(told)) = answer.content.get("application/json") else { return };
    let Some(RefOr::Ref(named)) = &told.schema else { return };
    if !named.ref_location.rsplit('/').next().is_some_and(|name| revised.contains(name)) {
        return;
    }
    let tag = HeaderBuilder::new()
        .description(Some("The revision and a digest of the answer; good for `If-Match`"))
        .schema(Some(text()))
        .build();
    answer.headers.insert("ETag".to_owned(), RefOr::T(tag));
    let same = ResponseBuilder::new().description("It is as `If-None-Match` knows it").build();
    operation.responses.responses.insert("304".to_owned(), RefOr::T(same));
    let told = "Tags that are known already: what has one of them is not told again";
    operation.parameters.get_or_insert_default().push(head("If-None-Match", told));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_snapshot_is_the_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        let document = super::document().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("RENEW_OPENAPI").is_some() {
            std::fs::write(path, &document).unwrap();
        }
        let snapshot = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            snapshot == document,
            "the northbound has changed; if that was meant, renew docs/openapi.json with \
             `RENEW_OPENAPI=1 cargo test --lib the_snapshot_is_the_document` and commit it"
        );
    }
}
