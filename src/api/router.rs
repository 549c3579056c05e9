//! The one table of routes.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::campaigns;
use super::fleet::{drift, explain, plans, profiles};
use super::problem::ApiError;
use super::state::Shared;
use super::{
    associations, datamodel, device_backups, devices, dhcp, events, files, intents, layers, models,
    parameters, phones, preloads, remembered, reports, sessions, sites, strangers, system, tasks,
    traces, trees, wake,
};

/// One line of the table.
struct Route {
    method: Method,
    path: &'static str,
    handler: MethodRouter<Shared>,
}

/// Every route of the northbound. `GET` serves `HEAD` as well.
#[allow(clippy::too_many_lines, reason = "a table, one route a line")]
#[rustfmt::skip]
fn table() -> Vec<Route> {
    const GET: Method = Method::GET;
    const PUT: Method = Method::PUT;
    const POST: Method = Method::POST;
    const PATCH: Method = Method::PATCH;
    const DELETE: Method = Method::DELETE;
    vec![
        route(GET,    "/api/v1/health", system::health),
        route(GET,    "/api/v1/openapi.json", system::openapi),
        route(POST,   "/api/v1/backup", system::backup),

        route(GET,    "/api/v1/devices", devices::list),
        route(POST,   "/api/v1/devices", devices::add),
        route(GET,    "/api/v1/devices/{id}", devices::show),
        route(PATCH,  "/api/v1/devices/{id}", devices::change),
        route(DELETE, "/api/v1/devices/{id}", devices::forget),
        route(GET,    "/api/v1/devices/{id}/parameters", parameters::list),
        route(GET,    "/api/v1/devices/{id}/tree", trees::export),
        route(GET,    "/api/v1/devices/{id}/events", events::list),
        route(GET,    "/api/v1/devices/{id}/associations", associations::show),
        route(GET,    "/api/v1/devices/{id}/sessions", sessions::list),
        route(GET,    "/api/v1/devices/{id}/trace", traces::show),
        route(POST,   "/api/v1/devices/{id}/trace", traces::start),
        route(DELETE, "/api/v1/devices/{id}/trace", traces::stop),
        route(GET,    "/api/v1/devices/{id}/trace/story", traces::story),
        route(GET,    "/api/v1/devices/{id}/trace/messages", traces::messages),
        route(GET,    "/api/v1/devices/{id}/reports", reports::list),
        route(GET,    "/api/v1/devices/{id}/history", remembered::list),
        route(GET,    "/api/v1/devices/{id}/diff", remembered::diff),
        route(GET,    "/api/v1/devices/{id}/backups", device_backups::list),
        route(POST,   "/api/v1/devices/{id}/backups", device_backups::create),
        route(GET,    "/api/v1/devices/{id}/backups/{backup}", device_backups::show),
        route(DELETE, "/api/v1/devices/{id}/backups/{backup}", device_backups::remove),
        route(GET,    "/api/v1/devices/{id}/backups/{backup}/preview", device_backups::preview),
        route(POST,   "/api/v1/devices/{id}/restore", device_backups::restore),
        route(POST,   "/api/v1/devices/{id}/tasks", tasks::create),
        route(POST,   "/api/v1/devices/{id}/wake", wake::wake),
        route(GET,    "/api/v1/devices/{id}/abilities", intents::abilities),
        route(POST,   "/api/v1/devices/{id}/intents", intents::create),

        route(GET,    "/api/v1/preloads", preloads::list),
        route(POST,   "/api/v1/preloads/import", preloads::import),
        route(GET,    "/api/v1/preloads/export", preloads::export),
        route(POST,   "/api/v1/preloads/move", preloads::hand_over),
        route(GET,    "/api/v1/preloads/{kind}/{key}", preloads::show),
        route(PUT,    "/api/v1/preloads/{kind}/{key}", preloads::put),
        route(DELETE, "/api/v1/preloads/{kind}/{key}", preloads::remove),

        route(GET,    "/api/v1/strangers", strangers::list),
        route(POST,   "/api/v1/strangers/adopt", strangers::adopt_all),
        route(POST,   "/api/v1/strangers/deny", strangers::deny_all),
        route(GET,    "/api/v1/strangers/{id}", strangers::show),
        route(DELETE, "/api/v1/strangers/{id}", strangers::forget),
        route(POST,   "/api/v1/strangers/{id}/adopt", strangers::adopt),
        route(POST,   "/api/v1/strangers/{id}/deny", strangers::deny),

        route(GET,    "/api/v1/tasks", tasks::list),
        route(GET,    "/api/v1/tasks/{id}", tasks::show),
        route(POST,   "/api/v1/tasks/{id}/cancel", tasks::cancel),

        route(GET,    "/api/v1/files", files::list),
        route(POST,   "/api/v1/files", files::upload),
        route(GET,    "/api/v1/files/{sha256}", files::show),
        route(DELETE, "/api/v1/files/{sha256}", files::remove),
        route(GET,    "/api/v1/files/{sha256}/content", files::content),

        route(GET,    "/api/v1/phones", phones::list),
        route(POST,   "/api/v1/phones/import", phones::import),
        route(GET,    "/api/v1/phones/export", phones::export),
        route(GET,    "/api/v1/phones/{mac}", phones::show),
        route(PUT,    "/api/v1/phones/{mac}", phones::put),
        route(DELETE, "/api/v1/phones/{mac}", phones::forget),
        route(GET,    "/api/v1/phones/{mac}/url", phones::url),
        route(POST,   "/api/v1/phones/{mac}/token", phones::renew_token),
        route(GET,    "/api/v1/phones/{mac}/files", phones::files),
        route(GET,    "/api/v1/phones/{mac}/render", phones::render),
        route(GET,    "/api/v1/phones/{mac}/diff", phones::compare),
        route(POST,   "/api/v1/phones/{mac}/diff", phones::diff),
        route(GET,    "/api/v1/phones/{mac}/fetches", phones::fetches),
        route(POST,   "/api/v1/phones/{mac}/resync", phones::resync),
        route(POST,   "/api/v1/phones/{mac}/unlock", phones::unlock),
        route(PUT,    "/api/v1/phones/{mac}/keys/{position}", phones::put_key),
        route(DELETE, "/api/v1/phones/{mac}/keys/{position}", phones::remove_key),
        route(PUT,    "/api/v1/phones/{mac}/accounts/{line}", phones::put_account),
        route(DELETE, "/api/v1/phones/{mac}/accounts/{line}", phones::remove_account),

        route(GET,    "/api/v1/sites", sites::list),
        route(GET,    "/api/v1/sites/{name}", sites::show),
        route(PUT,    "/api/v1/sites/{name}", sites::put),
        route(DELETE, "/api/v1/sites/{name}", sites::forget),
        route(GET,    "/api/v1/sites/{name}/url", sites::url),

        route(GET,    "/api/v1/dhcp", dhcp::show),

        route(GET,    "/api/v1/models", models::list),
        route(GET,    "/api/v1/models/export", models::export),
        route(POST,   "/api/v1/models/import", models::import),
        route(GET,    "/api/v1/model", models::show),
        route(PUT,    "/api/v1/model/wishes", models::put_wishes),
        route(DELETE, "/api/v1/model/wishes", models::forget_wishes),
        route(DELETE, "/api/v1/model/lessons", models::forget_lessons),

        route(GET,    "/api/v1/datamodel", datamodel::show),
        route(GET,    "/api/v1/datamodel/learned", datamodel::learned),

        route(GET,    "/api/v1/profiles", profiles::list),
        route(GET,    "/api/v1/profiles/{name}", profiles::show),
        route(PUT,    "/api/v1/profiles/{name}", profiles::put),
        route(DELETE, "/api/v1/profiles/{name}", profiles::forget),
        route(GET,    "/api/v1/profiles/{name}/versions", profiles::versions),
        route(GET,    "/api/v1/profiles/{name}/versions/{version}", profiles::version),
        route(POST,   "/api/v1/profiles/{name}/rollback", profiles::rollback),
        route(POST,   "/api/v1/profiles/{name}/enable", profiles::enable),
        route(POST,   "/api/v1/profiles/{name}/disable", profiles::disable),

        route(GET,    "/api/v1/devices/{id}/explain", explain::explain),
        route(POST,   "/api/v1/devices/{id}/apply", drift::apply),
        route(GET,    "/api/v1/drift", drift::list),

        route(GET,    "/api/v1/plans", plans::list),
        route(POST,   "/api/v1/plans", plans::create),
        route(GET,    "/api/v1/plans/{id}", plans::show),
        route(DELETE, "/api/v1/plans/{id}", plans::forget),
        route(GET,    "/api/v1/plans/{id}/devices", plans::devices),
        route(POST,   "/api/v1/plans/{id}/apply", plans::apply),

        route(GET,    "/api/v1/campaigns", campaigns::list),
        route(POST,   "/api/v1/campaigns", campaigns::create),
        route(GET,    "/api/v1/campaigns/{name}", campaigns::show),
        route(DELETE, "/api/v1/campaigns/{name}", campaigns::steps::remove),
        route(GET,    "/api/v1/campaigns/{name}/members", campaigns::members),
        route(POST,   "/api/v1/campaigns/{name}/start", campaigns::steps::start),
        route(POST,   "/api/v1/campaigns/{name}/approve", campaigns::steps::approve),
        route(POST,   "/api/v1/campaigns/{name}/pause", campaigns::steps::pause),
        route(POST,   "/api/v1/campaigns/{name}/resume", campaigns::steps::resume),
        route(POST,   "/api/v1/campaigns/{name}/stop", campaigns::steps::stop),
        route(POST,   "/api/v1/campaigns/{name}/rollback", campaigns::steps::roll_back),

        route(GET,    "/api/v1/layers", layers::list),
        route(GET,    "/api/v1/layers/global", layers::show_global),
        route(PUT,    "/api/v1/layers/global", layers::put_global),
        route(DELETE, "/api/v1/layers/global", layers::forget_global),
        route(GET,    "/api/v1/layers/tenant/{name}", layers::show_tenant),
        route(PUT,    "/api/v1/layers/tenant/{name}", layers::put_tenant),
        route(DELETE, "/api/v1/layers/tenant/{name}", layers::forget_tenant),
        route(GET,    "/api/v1/layers/model/{vendor}/{model}", layers::show_model),
        route(PUT,    "/api/v1/layers/model/{vendor}/{model}", layers::put_model),
        route(DELETE, "/api/v1/layers/model/{vendor}/{model}", layers::forget_model),
    ]
}

fn route<H, T>(method: Method, path: &'static str, handler: H) -> Route
where
    H: Handler<T, Shared>,
    T: 'static,
{
    // Fails for CONNECT and invented methods only, of which the table has none.
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Route { method, path, handler: on(filter, handler) }
}

/// Method and path of every route, for tests and documents.
pub fn routes() -> Vec<(Method, &'static str)> {
    table().into_iter().map(|route| (route.method, route.path)).collect()
}

/// The table as a service.
pub(super) fn router(state: Shared) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler))
        .fallback(async || ApiError::NoRoute)
        .method_not_allowed_fallback(async || ApiError::WrongMethod)
        .with_state(state)
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
        let served: BTreeSet<(String, String)> = routes()
            .into_iter()
            .map(|(method, path)| (method.to_string(), path.to_owned()))
            .collect();
        assert_eq!(described, served);
    }
}
