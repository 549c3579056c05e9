//! The OpenAPI document: the contract of the northbound.
//!
//! Gathered from the handlers; `docs/openapi.json` is its snapshot, so that a
//! change of the interface shows in a diff.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use super::campaigns;
use super::fleet::{drift, explain, plans, profiles};
use super::problem::Problem;
use super::{
    associations, datamodel, device_backups, devices, dhcp, events, files, intents, layers, models,
    parameters, people, phones, preloads, remembered, reports, sessions, sites, strangers, system,
    tasks, traces, trees, wake,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Provost",
        description = "Northbound of Provost: devices, tasks, files, phones. Every request needs a token: as a bearer's, or as the password of Basic."
    ),
    paths(
        devices::list, devices::add, devices::show, devices::change, devices::forget,
        remembered::list, remembered::diff,
        device_backups::list, device_backups::create, device_backups::show, device_backups::remove,
        device_backups::preview, device_backups::restore,
        parameters::list, trees::export, events::list, reports::list, sessions::list, associations::show,
        traces::show, traces::start, traces::stop, traces::story, traces::messages,
        preloads::list, preloads::show, preloads::put, preloads::remove, preloads::hand_over,
        preloads::import, preloads::export,
        strangers::list, strangers::show, strangers::adopt, strangers::deny, strangers::forget,
        strangers::adopt_all, strangers::deny_all,
        tasks::create, tasks::list, tasks::show, tasks::cancel, wake::wake,
        intents::abilities, intents::create,
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
        system::health, system::backup, system::openapi,
        people::me::show,
        people::tokens::list, people::tokens::create, people::tokens::show, people::tokens::change,
        people::tokens::remove, people::tokens::revoke, people::tokens::rotate,
        people::users::list, people::users::show, people::users::put, people::users::forget,
        people::tenants::list, people::tenants::show, people::tenants::put, people::tenants::forget,
    ),
    components(schemas(Problem)),
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
        for item in document.paths.paths.values_mut() {
            let operations =
                [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
            for operation in operations.into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), RefOr::T(error.clone()));
            }
        }
    }
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
