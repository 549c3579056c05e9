//! A request for each route.

use std::collections::BTreeMap;

use axum::http::Method;
use provost::access::Reach;
use provost::api::About;
use uuid::Uuid;

use super::house::{House, OURS, Side};

/// What is to be known of a route besides its line in the table: the query that
/// makes it answer, and what stands in its path.
///
/// A route that is not here fails the test by name.
const PATHS: &[(&str, &str)] = &[
    ("/api/docs", ""),
    ("/api/v1/health", ""),
    ("/api/v1/system", ""),
    ("/api/v1/quirks", ""),
    ("/api/v1/sessions", ""),
    ("/api/v1/openapi.json", ""),
    ("/api/v1/backup", ""),
    ("/api/v1/reload", ""),
    ("/healthz", ""),
    ("/readyz", ""),
    ("/metrics", ""),
    ("/api/v1/me", ""),
    ("/api/v1/tokens", ""),
    ("/api/v1/tokens/{id}", ""),
    ("/api/v1/tokens/{id}/revoke", ""),
    ("/api/v1/tokens/{id}/rotate", ""),
    ("/api/v1/users", ""),
    ("/api/v1/users/{name}", ""),
    ("/api/v1/tenants", ""),
    ("/api/v1/tenants/{name}", ""),
    ("/api/v1/devices", ""),
    ("/api/v1/devices/export", ""),
    ("/api/v1/devices/{id}", ""),
    ("/api/v1/devices/{id}/parameters", ""),
    ("/api/v1/devices/{id}/tree", ""),
    ("/api/v1/devices/{id}/events", ""),
    ("/api/v1/devices/{id}/associations", ""),
    ("/api/v1/devices/{id}/sessions", ""),
    ("/api/v1/devices/{id}/trace", ""),
    ("/api/v1/devices/{id}/trace/story", ""),
    ("/api/v1/devices/{id}/trace/messages", ""),
    ("/api/v1/devices/{id}/reports", ""),
    ("/api/v1/devices/{id}/history", ""),
    ("/api/v1/devices/{id}/diff", "from=2020-01-01T00:00:00Z"),
    ("/api/v1/devices/{id}/backups", ""),
    ("/api/v1/devices/{id}/backups/{backup}", ""),
    ("/api/v1/devices/{id}/backups/{backup}/preview", ""),
    ("/api/v1/devices/{id}/restore", ""),
    ("/api/v1/devices/{id}/tasks", ""),
    ("/api/v1/devices/{id}/wake", ""),
    ("/api/v1/devices/{id}/abilities", ""),
    ("/api/v1/devices/{id}/intents", ""),
    ("/api/v1/devices/{id}/explain", ""),
    ("/api/v1/devices/{id}/apply", ""),
    ("/api/v1/preloads", ""),
    ("/api/v1/preloads/import", ""),
    ("/api/v1/preloads/export", ""),
    ("/api/v1/preloads/move", ""),
    ("/api/v1/preloads/{kind}/{key}", ""),
    ("/api/v1/strangers", ""),
    ("/api/v1/strangers/adopt", ""),
    ("/api/v1/strangers/deny", ""),
    ("/api/v1/strangers/{id}", ""),
    ("/api/v1/strangers/{id}/adopt", ""),
    ("/api/v1/strangers/{id}/deny", ""),
    ("/api/v1/bulk", ""),
    ("/api/v1/bulk/{id}", ""),
    ("/api/v1/bulk/{id}/cancel", ""),
    ("/api/v1/tasks", ""),
    ("/api/v1/tasks/{id}", ""),
    ("/api/v1/tasks/{id}/cancel", ""),
    ("/api/v1/files", ""),
    ("/api/v1/files/{sha256}", ""),
    ("/api/v1/files/{sha256}/content", ""),
    ("/api/v1/phones", ""),
    ("/api/v1/phones/import", ""),
    ("/api/v1/phones/export", ""),
    ("/api/v1/phones/{mac}", ""),
    ("/api/v1/phones/{mac}/url", ""),
    ("/api/v1/phones/{mac}/token", ""),
    ("/api/v1/phones/{mac}/files", ""),
    ("/api/v1/phones/{mac}/render", ""),
    ("/api/v1/phones/{mac}/diff", "against={other}"),
    ("/api/v1/phones/{mac}/fetches", ""),
    ("/api/v1/phones/{mac}/resync", ""),
    ("/api/v1/phones/{mac}/unlock", ""),
    ("/api/v1/phones/{mac}/keys/{position}", ""),
    ("/api/v1/phones/{mac}/accounts/{line}", ""),
    ("/api/v1/sites", ""),
    ("/api/v1/sites/{name}", ""),
    ("/api/v1/sites/{name}/url", ""),
    ("/api/v1/dhcp", "for=kea&site={site}"),
    ("/api/v1/models", ""),
    ("/api/v1/models/export", ""),
    ("/api/v1/models/import", ""),
    ("/api/v1/model", "oui=00D09E"),
    ("/api/v1/model/wishes", "oui=00D09E"),
    ("/api/v1/model/lessons", "oui=00D09E"),
    ("/api/v1/datamodel", "path=Device.Users.User.1."),
    ("/api/v1/datamodel/learned", "oui=00D09E"),
    ("/api/v1/profiles", ""),
    ("/api/v1/profiles/{name}", ""),
    ("/api/v1/profiles/{name}/versions", ""),
    ("/api/v1/profiles/{name}/versions/{version}", ""),
    ("/api/v1/profiles/{name}/rollback", ""),
    ("/api/v1/profiles/{name}/enable", ""),
    ("/api/v1/profiles/{name}/disable", ""),
    ("/api/v1/drift", ""),
    ("/api/v1/plans", ""),
    ("/api/v1/plans/{id}", ""),
    ("/api/v1/plans/{id}/devices", ""),
    ("/api/v1/plans/{id}/apply", ""),
    ("/api/v1/campaigns", ""),
    ("/api/v1/campaigns/{name}", ""),
    ("/api/v1/campaigns/{name}/members", ""),
    ("/api/v1/campaigns/{name}/start", ""),
    ("/api/v1/campaigns/{name}/approve", ""),
    ("/api/v1/campaigns/{name}/pause", ""),
    ("/api/v1/campaigns/{name}/resume", ""),
    ("/api/v1/campaigns/{name}/stop", ""),
    ("/api/v1/campaigns/{name}/rollback", ""),
    ("/api/v1/events", ""),
    // All that is kept, and then its end.
    ("/api/v1/events/stream", "after=0&follow=false"),
    ("/api/v1/webhooks", ""),
    ("/api/v1/webhooks/{id}", ""),
    ("/api/v1/webhooks/{id}/test", ""),
    ("/api/v1/webhooks/{id}/dead-letters", ""),
    ("/api/v1/webhooks/{id}/dead-letters/redeliver", ""),
    ("/api/v1/webhooks/{id}/dead-letters/{event}", ""),
    ("/api/v1/webhooks/{id}/dead-letters/{event}/redeliver", ""),
    ("/api/v1/layers", ""),
    ("/api/v1/layers/global", ""),
    ("/api/v1/layers/tenant/{name}", ""),
    ("/api/v1/layers/model/{vendor}/{model}", ""),
    ("/api/v1/keys", ""),
    ("/api/v1/keys/rotate", ""),
    ("/api/v1/keys/{id}", ""),
    ("/api/v1/audit", ""),
    ("/api/v1/audit/export", ""),
    ("/api/v1/audit/verify", ""),
    ("/api/v1/audit/{number}", ""),
    ("/api/v1/events/stream", ""),
    ("/api/v1/tasks/export", ""),
    // The GenieACS dialect.
    ("/devices", ""),
    ("/devices/{id}", ""),
    ("/devices/{id}/tasks", ""),
    ("/devices/{id}/tags/{tag}", ""),
    ("/tasks", ""),
    ("/tasks/{id}", ""),
    ("/tasks/{id}/retry", ""),
    ("/faults", ""),
    ("/faults/{id}", ""),
    ("/presets", ""),
    ("/presets/{name}", ""),
    ("/objects", ""),
    ("/objects/{name}", ""),
    ("/provisions", ""),
    ("/provisions/{name}", ""),
    ("/virtual_parameters", ""),
    ("/virtual_parameters/{name}", ""),
    ("/virtualParameters", ""),
    ("/virtualParameters/{name}", ""),
    ("/files", ""),
    ("/files/{name}", ""),
    ("/operations", ""),
    ("/cache", ""),
    ("/locks", ""),
    ("/ping/{host}", ""),
];

/// Requests that change something without a body: each is made in a house of its
/// own.
const WITHOUT_BODY: &[&str] = &[
    "/api/v1/backup",
    "/api/v1/tokens/{id}/revoke",
    "/api/v1/tokens/{id}/rotate",
    "/api/v1/devices/{id}/wake",
    "/api/v1/devices/{id}/apply",
    "/api/v1/tasks/{id}/cancel",
    "/api/v1/bulk/{id}/cancel",
    "/api/v1/phones/{mac}/token",
    "/api/v1/phones/{mac}/resync",
    "/api/v1/phones/{mac}/unlock",
    "/api/v1/keys/rotate",
    "/api/v1/reload",
    "/api/v1/campaigns/{name}/start",
    "/api/v1/campaigns/{name}/approve",
    "/api/v1/campaigns/{name}/pause",
    "/api/v1/campaigns/{name}/resume",
    "/api/v1/campaigns/{name}/stop",
    "/api/v1/campaigns/{name}/rollback",
    "/api/v1/webhooks/{id}/test",
    "/api/v1/webhooks/{id}/dead-letters/redeliver",
    "/api/v1/webhooks/{id}/dead-letters/{event}/redeliver",
    "/devices/{id}/tags/{tag}",
    "/tasks/{id}/retry",
];

/// What no file hashes to.
const NO_FILE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A request.
pub(super) struct Sample {
    pub(super) path: String,
    /// The same for something that is not there.
    pub(super) absent: String,
    /// The names that differ between the two.
    pub(super) names: (String, String),
    pub(super) body: &'static str,
    /// Whether it changes something, when it is allowed.
    pub(super) changes: bool,
}

impl Sample {
    /// An answer without the name of the thing, as it came in the path or decoded.
    pub(super) fn nameless(&self, text: &str) -> String {
        [&self.names.0, &self.names.1].into_iter().fold(text.to_owned(), |text, name| {
            text.replace(name, "?").replace(&name.replace("%2D", "-"), "?")
        })
    }
}

impl House {
    /// The request for a route, about something of ours.
    pub(super) fn sample(&self, method: &Method, route: &str) -> Sample {
        let known: BTreeMap<_, _> = PATHS.iter().copied().collect();
        let query = known.get(route).unwrap_or_else(|| {
            panic!(
                "{method} {route} has no sample request: add it to tests/it/api/matrix/samples.rs"
            )
        });
        let names = self.names(route);
        let full = |name: &str| {
            let path = filled(route, name, OURS);
            let query = query.replace("{other}", &OURS.other_mac()).replace("{site}", OURS.site);
            match (*method == Method::GET, query.as_str()) {
                (_, "") => path,
                (false, _) if !route.contains("/model/") => path,
                (_, query) => format!("{path}?{query}"),
            }
        };
        let is_read = *method == Method::GET;
        let has_body = !is_read && *method != Method::DELETE && !WITHOUT_BODY.contains(&route);
        Sample {
            path: full(&names.0),
            absent: full(&names.1),
            body: if has_body { "{" } else { "" },
            changes: !is_read && !has_body,
            names,
        }
    }

    /// How the thing of ours that a route is about is called, and what is none.
    fn names(&self, route: &str) -> (String, String) {
        let path = route.strip_prefix("/api/v1").unwrap_or(route);
        let resource = path.split('/').nth(1);
        let (there, absent): (String, &str) = match resource.unwrap_or_default() {
            "devices" => (OURS.device().to_string(), "00D09E-HG%2D100-NONE1"),
            "strangers" => ("00D09E-HG%2D100-NONE2".to_owned(), "00D09E-HG%2D100-NONE1"),
            "tasks" => (self.tasks[OURS.site].clone(), "01900000-0000-7000-8000-000000000001"),
            "phones" => (OURS.mac.to_owned(), "0c383e00000e"),
            "sites" => (OURS.site.to_owned(), "none"),
            "users" => (format!("{}@{}", OURS.site, OURS.tenant), "none@acme"),
            "tokens" => (OURS.token(), "0123456789abcdef"),
            "preloads" => (format!("{}-NEW", OURS.serial), "NONE-NEW"),
            "plans" => (OURS.plan(), "01900000-0000-7000-8000-000000000001"),
            "profiles" | "campaigns" => (OURS.named(), "none1"),
            "files" if path.starts_with("/files/{sha256}") => (OURS.file(), NO_FILE),
            "bulk" => {
                (Uuid::from_u128(OURS.key).to_string(), "01900000-0000-7000-8000-000000000001")
            }
            "tenants" | "layers" => (OURS.tenant.to_owned(), "none"),
            _ => ("none2".to_owned(), "none1"),
        };
        (there, absent.to_owned())
    }
}

fn filled(route: &str, name: &str, side: Side) -> String {
    route
        .replace("{kind}/{key}", &format!("serial/{name}"))
        .replace("{id}", name)
        .replace("{tag}", "x")
        // No host: nothing is to be run.
        .replace("{host}", "-f")
        .replace("{name}", name)
        .replace("{mac}", name)
        .replace("{event}", "1")
        .replace("{backup}", &Uuid::from_u128(side.key).to_string())
        .replace("{sha256}", name)
        .replace("{vendor}", "fanvil")
        .replace("{model}", "X4")
        .replace("{version}", "1")
        .replace("{line}", "1")
        .replace("{position}", "1")
        .replace("{number}", "0")
}

/// Whether somebody who sees this much is let through to something of ours: the
/// rule, said once more.
pub(super) fn lets_through(route: &str, about: About, reach: &Reach) -> bool {
    let ours = OURS.reach();
    match about {
        // A change over many devices is for whoever sees all that it may be about,
        // which is known to its handler.
        About::Listed if route.starts_with("/api/v1/bulk/") => reach.covers(&ours),
        // In the dialect the handlers find out which device is meant.
        About::Listed if route.starts_with("/devices/{id}") => reach.sees(OURS.tenant, OURS.site),
        About::Open | About::Nothing | About::Listed => true,
        About::Whole => reach.is_whole(),
        About::Device | About::Task | About::Phone | About::Site | About::Preload => {
            reach.sees(OURS.tenant, OURS.site)
        }
        About::Tenant => {
            reach.tenant.as_deref().is_none_or(|tenant| tenant == OURS.tenant)
                && reach.sites.is_empty()
        }
        About::Token | About::User => reach.covers(&ours),
        // What goes for a tenant as a whole.
        About::Profile | About::Plan | About::Campaign => reach.sees_tenant(OURS.tenant),
        // Firmware is for whoever sees a device of the tenant.
        About::File => reach.tenant.as_deref().is_none_or(|tenant| tenant == OURS.tenant),
    }
}
