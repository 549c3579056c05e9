//! The one table of routes.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::fleet::{drift, explain, plans, profiles};
use super::genieacs;
use super::guard::{self, About, Rule};
use super::problem::ApiError;
use super::state::Shared;
use super::{
    associations, browse, bulk, datamodel, device_backups, devices, dhcp, etag, events, files,
    intents, layers, models, news, once, overview, parameters, people, phones, preloads,
    remembered, reports, running, sessions, sites, sparse, strangers, system, task_list, tasks,
    traces, trees, wake, webhooks,
};
use super::{audit, campaigns, keys};
use crate::access::Right;

/// One line of a table.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    rule: Rule,
    handler: MethodRouter<Shared>,
}

/// Every route of the northbound. `GET` serves `HEAD` as well.
#[allow(clippy::too_many_lines, reason = "a table, one route a line")]
#[rustfmt::skip]
fn table() -> Vec<Route> {
    use Right::*;
    const GET: Method = Method::GET;
    const PUT: Method = Method::PUT;
    const POST: Method = Method::POST;
    const PATCH: Method = Method::PATCH;
    const DELETE: Method = Method::DELETE;
    vec![
        route(GET,   "/api/v1/health", SystemRead, About::Nothing, system::health),
        route(GET,   "/api/docs", Own, About::Nothing, browse::browse),
        route(GET,   "/api/v1/system", SystemRead, About::Whole, overview::show),
        route(GET,   "/api/v1/quirks", ModelsRead, About::Nothing, overview::quirks),
        route(GET,   "/api/v1/sessions", DevicesRead, About::Listed, overview::sessions),
        route(GET,   "/api/v1/openapi.json", Own, About::Nothing, system::openapi),
        route(GET,   "/healthz", Own, About::Open, running::healthz),
        route(GET,   "/readyz", Own, About::Open, running::readyz),
        route(GET,   "/metrics", MetricsRead, About::Whole, running::metrics),
        route(POST,  "/api/v1/reload", SystemWrite, About::Whole, running::reload),
        route(GET,   "/api/v1/keys", SystemWrite, About::Whole, keys::list),
        route(POST,  "/api/v1/keys/rotate", SystemWrite, About::Whole, keys::rotate),
        route(DELETE,"/api/v1/keys/{id}", SystemWrite, About::Whole, keys::retire),
        route(POST,  "/api/v1/backup", SystemWrite, About::Whole, system::backup),

        route(GET,   "/api/v1/me", Own, About::Nothing, people::me::show),
        route(GET,   "/api/v1/tokens", TokensWrite, About::Listed, people::tokens::list),
        route(POST,  "/api/v1/tokens", TokensWrite, About::Listed, people::tokens::create),
        route(GET,   "/api/v1/tokens/{id}", TokensWrite, About::Token, people::tokens::show),
        route(PATCH, "/api/v1/tokens/{id}", TokensWrite, About::Token, people::tokens::change),
        route(DELETE,"/api/v1/tokens/{id}", TokensWrite, About::Token, people::tokens::remove),
        route(POST,  "/api/v1/tokens/{id}/revoke", TokensWrite, About::Token, people::tokens::revoke),
        route(POST,  "/api/v1/tokens/{id}/rotate", TokensWrite, About::Token, people::tokens::rotate),
        route(GET,   "/api/v1/users", TokensWrite, About::Listed, people::users::list),
        route(GET,   "/api/v1/users/{name}", TokensWrite, About::User, people::users::show),
        route(PUT,   "/api/v1/users/{name}", TokensWrite, About::User, people::users::put),
        route(DELETE,"/api/v1/users/{name}", TokensWrite, About::User, people::users::forget),
        route(GET,   "/api/v1/tenants", TenantsRead, About::Listed, people::tenants::list),
        route(GET,   "/api/v1/tenants/{name}", TenantsRead, About::Tenant, people::tenants::show),
        route(PUT,   "/api/v1/tenants/{name}", TenantsWrite, About::Tenant, people::tenants::put),
        route(DELETE,"/api/v1/tenants/{name}", TenantsWrite, About::Tenant, people::tenants::forget),

        route(GET,   "/api/v1/audit", AuditRead, About::Listed, audit::list),
        route(GET,   "/api/v1/audit/export", AuditRead, About::Listed, audit::export),
        route(GET,   "/api/v1/audit/verify", AuditRead, About::Whole, audit::verify),
        route(GET,   "/api/v1/audit/{number}", AuditRead, About::Listed, audit::show),

        route(GET,   "/api/v1/devices", DevicesRead, About::Listed, devices::list),
        route(GET,   "/api/v1/devices/export", DevicesRead, About::Listed, devices::export),
        route(POST,  "/api/v1/devices", DevicesAdmit, About::Whole, devices::add),
        route(GET,   "/api/v1/devices/{id}", DevicesRead, About::Device, devices::show),
        route(PATCH, "/api/v1/devices/{id}", DevicesLabel, About::Device, devices::change),
        route(DELETE,"/api/v1/devices/{id}", DevicesForget, About::Device, devices::forget),
        route(GET,   "/api/v1/devices/{id}/parameters", DevicesRead, About::Device, parameters::list),
        route(GET,   "/api/v1/devices/{id}/tree", DevicesRead, About::Device, trees::export),
        route(GET,   "/api/v1/devices/{id}/events", DevicesRead, About::Device, events::list),
        route(GET,   "/api/v1/devices/{id}/associations", DevicesRead, About::Device, associations::show),
        route(GET,   "/api/v1/devices/{id}/sessions", DevicesRead, About::Device, sessions::list),
        route(GET,   "/api/v1/devices/{id}/trace", TracesRead, About::Device, traces::show),
        route(POST,  "/api/v1/devices/{id}/trace", TracesWrite, About::Device, traces::start),
        route(DELETE,"/api/v1/devices/{id}/trace", TracesWrite, About::Device, traces::stop),
        route(GET,   "/api/v1/devices/{id}/trace/story", TracesRead, About::Device, traces::story),
        route(GET,   "/api/v1/devices/{id}/trace/messages", TracesRead, About::Device, traces::messages),
        route(GET,   "/api/v1/devices/{id}/reports", DevicesRead, About::Device, reports::list),
        route(GET,   "/api/v1/devices/{id}/history", DevicesRead, About::Device, remembered::list),
        route(GET,   "/api/v1/devices/{id}/diff", DevicesRead, About::Device, remembered::diff),
        route(GET,   "/api/v1/devices/{id}/backups", DevicesRead, About::Device, device_backups::list),
        route(POST,  "/api/v1/devices/{id}/backups", DevicesLabel, About::Device, device_backups::create),
        route(GET,   "/api/v1/devices/{id}/backups/{backup}", DevicesRead, About::Device, device_backups::show),
        route(DELETE,"/api/v1/devices/{id}/backups/{backup}", DevicesLabel, About::Device, device_backups::remove),
        route(GET,   "/api/v1/devices/{id}/backups/{backup}/preview", DevicesRead, About::Device, device_backups::preview),
        route(POST,  "/api/v1/devices/{id}/restore", TasksChange, About::Device, device_backups::restore),
        route(POST,  "/api/v1/devices/{id}/tasks", TasksAsk, About::Device, tasks::create),
        route(POST,  "/api/v1/devices/{id}/wake", TasksAsk, About::Device, wake::wake),
        route(GET,   "/api/v1/devices/{id}/abilities", DevicesRead, About::Device, intents::abilities),
        route(POST,  "/api/v1/devices/{id}/intents", TasksChange, About::Device, intents::create),

        route(GET,   "/api/v1/preloads", DevicesRead, About::Listed, preloads::list),
        route(POST,  "/api/v1/preloads/import", DevicesAdmit, About::Listed, preloads::import),
        route(GET,   "/api/v1/preloads/export", DevicesRead, About::Listed, preloads::export),
        route(POST,  "/api/v1/preloads/move", DevicesAdmit, About::Listed, preloads::hand_over),
        route(GET,   "/api/v1/preloads/{kind}/{key}", DevicesRead, About::Preload, preloads::show),
        route(PUT,   "/api/v1/preloads/{kind}/{key}", DevicesAdmit, About::Preload, preloads::put),
        route(DELETE,"/api/v1/preloads/{kind}/{key}", DevicesAdmit, About::Preload, preloads::remove),

        route(GET,   "/api/v1/strangers", DevicesRead, About::Whole, strangers::list),
        route(POST,  "/api/v1/strangers/adopt", DevicesAdmit, About::Whole, strangers::adopt_all),
        route(POST,  "/api/v1/strangers/deny", DevicesAdmit, About::Whole, strangers::deny_all),
        route(GET,   "/api/v1/strangers/{id}", DevicesRead, About::Whole, strangers::show),
        route(DELETE,"/api/v1/strangers/{id}", DevicesAdmit, About::Whole, strangers::forget),
        route(POST,  "/api/v1/strangers/{id}/adopt", DevicesAdmit, About::Whole, strangers::adopt),
        route(POST,  "/api/v1/strangers/{id}/deny", DevicesAdmit, About::Whole, strangers::deny),

        route(GET,   "/api/v1/tasks", TasksRead, About::Listed, task_list::list),
        route(GET,   "/api/v1/tasks/export", TasksRead, About::Listed, task_list::export),
        route(GET,   "/api/v1/tasks/{id}", TasksRead, About::Task, tasks::show),
        route(POST,  "/api/v1/tasks/{id}/cancel", TasksChange, About::Task, tasks::cancel),

        route(GET,   "/api/v1/bulk", TasksRead, About::Listed, bulk::list),
        route(POST,  "/api/v1/bulk", TasksDisrupt, About::Listed, bulk::create),
        route(GET,   "/api/v1/bulk/{id}", TasksRead, About::Listed, bulk::show),
        route(POST,  "/api/v1/bulk/{id}/cancel", TasksDisrupt, About::Listed, bulk::cancel),

        route(GET,   "/api/v1/events", EventsRead, About::Listed, news::list),
        route(GET,   "/api/v1/events/stream", EventsRead, About::Listed, news::stream),

        route(GET,   "/api/v1/webhooks", WebhooksWrite, About::Listed, webhooks::list),
        route(POST,  "/api/v1/webhooks", WebhooksWrite, About::Listed, webhooks::create),
        route(GET,   "/api/v1/webhooks/{id}", WebhooksWrite, About::Listed, webhooks::show),
        route(PATCH, "/api/v1/webhooks/{id}", WebhooksWrite, About::Listed, webhooks::change),
        route(DELETE,"/api/v1/webhooks/{id}", WebhooksWrite, About::Listed, webhooks::remove),
        route(POST,  "/api/v1/webhooks/{id}/test", WebhooksWrite, About::Listed, webhooks::test),
        route(GET,   "/api/v1/webhooks/{id}/dead-letters", WebhooksWrite, About::Listed, webhooks::letters),
        route(DELETE,"/api/v1/webhooks/{id}/dead-letters", WebhooksWrite, About::Listed, webhooks::discard_all),
        route(POST,  "/api/v1/webhooks/{id}/dead-letters/redeliver", WebhooksWrite, About::Listed, webhooks::redeliver_all),
        route(DELETE,"/api/v1/webhooks/{id}/dead-letters/{event}", WebhooksWrite, About::Listed, webhooks::discard_one),
        route(POST,  "/api/v1/webhooks/{id}/dead-letters/{event}/redeliver", WebhooksWrite, About::Listed, webhooks::redeliver_one),

        route(GET,   "/api/v1/files", FilesRead, About::Listed, files::list),
        route(POST,  "/api/v1/files", FilesWrite, About::Listed, files::upload),
        route(GET,   "/api/v1/files/{sha256}", FilesRead, About::File, files::show),
        route(DELETE,"/api/v1/files/{sha256}", FilesWrite, About::File, files::remove),
        route(GET,   "/api/v1/files/{sha256}/content", FilesRead, About::File, files::content),

        route(GET,   "/api/v1/phones", PhonesRead, About::Listed, phones::list),
        route(POST,  "/api/v1/phones/import", PhonesWrite, About::Listed, phones::import),
        route(GET,   "/api/v1/phones/export", PhonesRead, About::Listed, phones::export),
        route(GET,   "/api/v1/phones/{mac}", PhonesRead, About::Phone, phones::show),
        route(PUT,   "/api/v1/phones/{mac}", PhonesWrite, About::Phone, phones::put),
        route(DELETE,"/api/v1/phones/{mac}", PhonesWrite, About::Phone, phones::forget),
        route(GET,   "/api/v1/phones/{mac}/url", PhonesUrls, About::Phone, phones::url),
        route(POST,  "/api/v1/phones/{mac}/token", PhonesUrls, About::Phone, phones::renew_token),
        route(GET,   "/api/v1/phones/{mac}/files", PhonesRead, About::Phone, phones::files),
        route(GET,   "/api/v1/phones/{mac}/render", PhonesRead, About::Phone, phones::render),
        route(GET,   "/api/v1/phones/{mac}/diff", PhonesRead, About::Phone, phones::compare),
        route(POST,  "/api/v1/phones/{mac}/diff", PhonesRead, About::Phone, phones::diff),
        route(GET,   "/api/v1/phones/{mac}/fetches", PhonesRead, About::Phone, phones::fetches),
        route(POST,  "/api/v1/phones/{mac}/resync", PhonesWrite, About::Phone, phones::resync),
        route(POST,  "/api/v1/phones/{mac}/unlock", PhonesWrite, About::Phone, phones::unlock),
        route(PUT,   "/api/v1/phones/{mac}/keys/{position}", PhonesWrite, About::Phone, phones::put_key),
        route(DELETE,"/api/v1/phones/{mac}/keys/{position}", PhonesWrite, About::Phone, phones::remove_key),
        route(PUT,   "/api/v1/phones/{mac}/accounts/{line}", PhonesWrite, About::Phone, phones::put_account),
        route(DELETE,"/api/v1/phones/{mac}/accounts/{line}", PhonesWrite, About::Phone, phones::remove_account),

        route(GET,   "/api/v1/sites", SitesRead, About::Listed, sites::list),
        route(GET,   "/api/v1/sites/{name}", SitesRead, About::Site, sites::show),
        route(PUT,   "/api/v1/sites/{name}", SitesWrite, About::Site, sites::put),
        route(DELETE,"/api/v1/sites/{name}", SitesWrite, About::Site, sites::forget),
        route(GET,   "/api/v1/sites/{name}/url", PhonesUrls, About::Site, sites::url),

        route(GET,   "/api/v1/dhcp", PhonesUrls, About::Listed, dhcp::show),

        route(GET,   "/api/v1/models", ModelsRead, About::Nothing, models::list),
        route(GET,   "/api/v1/models/export", ModelsRead, About::Nothing, models::export),
        route(POST,  "/api/v1/models/import", ModelsWrite, About::Whole, models::import),
        route(GET,   "/api/v1/model", ModelsRead, About::Nothing, models::show),
        route(PUT,   "/api/v1/model/wishes", ModelsWrite, About::Whole, models::put_wishes),
        route(DELETE,"/api/v1/model/wishes", ModelsWrite, About::Whole, models::forget_wishes),
        route(DELETE,"/api/v1/model/lessons", ModelsWrite, About::Whole, models::forget_lessons),

        route(GET,   "/api/v1/datamodel", ModelsRead, About::Nothing, datamodel::show),
        route(GET,   "/api/v1/datamodel/learned", ModelsRead, About::Nothing, datamodel::learned),

        route(GET,   "/api/v1/profiles", FleetRead, About::Listed, profiles::list),
        route(GET,   "/api/v1/profiles/{name}", FleetRead, About::Profile, profiles::show),
        route(PUT,   "/api/v1/profiles/{name}", FleetWrite, About::Profile, profiles::put),
        route(DELETE,"/api/v1/profiles/{name}", FleetWrite, About::Profile, profiles::forget),
        route(GET,   "/api/v1/profiles/{name}/versions", FleetRead, About::Profile, profiles::versions),
        route(GET,   "/api/v1/profiles/{name}/versions/{version}", FleetRead, About::Profile, profiles::version),
        route(POST,  "/api/v1/profiles/{name}/rollback", FleetWrite, About::Profile, profiles::rollback),
        route(POST,  "/api/v1/profiles/{name}/enable", FleetWrite, About::Profile, profiles::enable),
        route(POST,  "/api/v1/profiles/{name}/disable", FleetWrite, About::Profile, profiles::disable),

        route(GET,   "/api/v1/devices/{id}/explain", DevicesRead, About::Device, explain::explain),
        route(POST,  "/api/v1/devices/{id}/apply", TasksChange, About::Device, drift::apply),
        route(GET,   "/api/v1/drift", DevicesRead, About::Listed, drift::list),

        route(GET,   "/api/v1/plans", FleetRead, About::Listed, plans::list),
        route(POST,  "/api/v1/plans", FleetWrite, About::Listed, plans::create),
        route(GET,   "/api/v1/plans/{id}", FleetRead, About::Plan, plans::show),
        route(DELETE,"/api/v1/plans/{id}", FleetWrite, About::Plan, plans::forget),
        route(GET,   "/api/v1/plans/{id}/devices", FleetRead, About::Plan, plans::devices),
        route(POST,  "/api/v1/plans/{id}/apply", FleetWrite, About::Plan, plans::apply),

        route(GET,   "/api/v1/campaigns", FleetRead, About::Listed, campaigns::list),
        route(POST,  "/api/v1/campaigns", FleetWrite, About::Listed, campaigns::create),
        route(GET,   "/api/v1/campaigns/{name}", FleetRead, About::Campaign, campaigns::show),
        route(DELETE,"/api/v1/campaigns/{name}", FleetWrite, About::Campaign, campaigns::steps::remove),
        route(GET,   "/api/v1/campaigns/{name}/members", FleetRead, About::Campaign, campaigns::members),
        route(POST,  "/api/v1/campaigns/{name}/start", FleetWrite, About::Campaign, campaigns::steps::start),
        route(POST,  "/api/v1/campaigns/{name}/approve", FleetWrite, About::Campaign, campaigns::steps::approve),
        route(POST,  "/api/v1/campaigns/{name}/pause", FleetWrite, About::Campaign, campaigns::steps::pause),
        route(POST,  "/api/v1/campaigns/{name}/resume", FleetWrite, About::Campaign, campaigns::steps::resume),
        route(POST,  "/api/v1/campaigns/{name}/stop", FleetWrite, About::Campaign, campaigns::steps::stop),
        route(POST,  "/api/v1/campaigns/{name}/rollback", FleetWrite, About::Campaign, campaigns::steps::roll_back),

        route(GET,   "/api/v1/layers", SitesRead, About::Listed, layers::list),
        route(GET,   "/api/v1/layers/global", SitesRead, About::Whole, layers::show_global),
        route(PUT,   "/api/v1/layers/global", SitesWrite, About::Whole, layers::put_global),
        route(DELETE,"/api/v1/layers/global", SitesWrite, About::Whole, layers::forget_global),
        route(GET,   "/api/v1/layers/tenant/{name}", SitesRead, About::Tenant, layers::show_tenant),
        route(PUT,   "/api/v1/layers/tenant/{name}", SitesWrite, About::Tenant, layers::put_tenant),
        route(DELETE,"/api/v1/layers/tenant/{name}", SitesWrite, About::Tenant, layers::forget_tenant),
        route(GET,   "/api/v1/layers/model/{vendor}/{model}", SitesRead, About::Whole, layers::show_model),
        route(PUT,   "/api/v1/layers/model/{vendor}/{model}", SitesWrite, About::Whole, layers::put_model),
        route(DELETE,"/api/v1/layers/model/{vendor}/{model}", SitesWrite, About::Whole, layers::forget_model),
    ]
}

pub(super) fn route<H, T>(
    method: Method,
    path: &'static str,
    right: Right,
    about: About,
    handler: H,
) -> Route
where
    H: Handler<T, Shared>,
    T: 'static,
{
    // Fails for CONNECT and invented methods only, of which the table has none.
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Route { method, path, rule: Rule { right, about }, handler: on(filter, handler) }
}

/// Method, path and rule of every route, for tests and documents.
pub fn routes() -> Vec<(Method, &'static str, Rule)> {
    let all = table().into_iter().chain(genieacs::table());
    all.map(|route| (route.method, route.path, route.rule)).collect()
}

/// The paths that need no token.
pub(super) fn open_paths() -> Vec<&'static str> {
    let is_open = |route: &Route| route.rule.about == About::Open;
    table().into_iter().filter(is_open).map(|route| route.path).collect()
}

/// The tables as a service. Every route stands behind its rule.
pub(super) fn router(state: Shared) -> Router {
    let judged = |handler: MethodRouter<Shared>, rule: Rule| {
        // The last layer is asked first: nothing is kept of what nobody may do.
        let guarded = from_fn_with_state((state.clone(), rule), guard::pass);
        handler.layer(guarded).layer(from_fn(running::count))
    };
    let ours = table().into_iter().fold(Router::new(), |router, route| {
        let once = from_fn_with_state(state.clone(), once::pass);
        let handler =
            route.handler.layer(from_fn(etag::pass)).layer(from_fn(sparse::pass)).layer(once);
        router.route(route.path, judged(handler, route.rule))
    });
    let ours = ours.layer(from_fn(bounded));
    if !state.deps.config.northbound.genieacs {
        return ours
            .fallback(async || ApiError::NoRoute)
            .method_not_allowed_fallback(async || ApiError::WrongMethod)
            .with_state(state);
    }
    let dialect = genieacs::table().into_iter().fold(Router::new(), |router, route| {
        router.route(route.path, judged(route.handler, route.rule))
    });
    ours.merge(dialect.layer(map_response(genieacs::versioned)))
        .fallback(async |uri: Uri| genieacs::no_route(&uri).await)
        .method_not_allowed_fallback(async |uri: Uri| genieacs::wrong_method(&uri).await)
        .with_state(state)
}

/// The longest query, in bytes.
const MAX_QUERY: usize = 8 << 10;

/// Refuses what is too long to be looked at.
async fn bounded(request: Request, next: Next) -> Result<Response, ApiError> {
    match request.uri().query() {
        Some(query) if query.len() > MAX_QUERY => Err(ApiError::QueryTooLong(MAX_QUERY)),
        _ => Ok(next.run(request).await),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_describes_the_table_and_nothing_else() {
        let described: BTreeSet<(String, String)> = {
            let document = serde_json::to_value(crate::api::openapi_document()).unwrap();
            let paths = document["paths"].as_object().unwrap();
            let operations = |(path, item): (&String, &serde_json::Value)| {
                let methods = item.as_object().unwrap().keys();
                methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
            };
            paths.iter().flat_map(operations).collect()
        };
        // The dialect of another interface is told of in a page of its own.
        let dialect: BTreeSet<&str> =
            genieacs::table().into_iter().map(|route| route.path).collect();
        let served: BTreeSet<(String, String)> = routes()
            .into_iter()
            .filter(|(_, path, _)| !dialect.contains(path))
            .map(|(method, path, _)| (method.to_string(), path.to_owned()))
            .collect();
        assert_eq!(described, served);
    }
}
