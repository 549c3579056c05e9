//! Northbound: REST for operators and their programs.
//!
//! Everything lives below `/api/v1` and is answered only with a token; beside it stands a
//! dialect for programs of another make (`genieacs`).
//! `router` holds the one table of routes, `problem` the one place that
//! turns errors into answers, `mask` the one that hides secrets. Each resource
//! is a file: its views, its handlers, their part of the OpenAPI document.
//!
//! Lists answer `{"items": […], "next": …}`; `next` is an opaque text to be
//! given back as `after`, and null at the end. A page may hold fewer items than
//! `limit` and still have a `next`: a filter looks at a bounded number of
//! records a request.

#![expect(unused_qualifications, reason = "utoipa's macros write them")]

mod associations;
mod audit;
mod browse;
mod bulk;
mod campaigns;
mod datamodel;
mod device_backups;
mod devices;
mod dhcp;
mod diagnostics;
mod doorman;
mod etag;
mod events;
mod extract;
mod fields;
mod files;
mod fitness;
mod fleet;
mod genieacs;
mod guard;
mod handler;
mod host;
mod instances;
mod intents;
mod keys;
mod labels;
mod lasting;
mod layers;
mod mask;
mod models;
mod new_task;
mod news;
mod once;
mod openapi;
mod overview;
mod paging;
mod parameters;
mod people;
mod phones;
mod preloads;
mod problem;
mod remembered;
mod reports;
mod router;
mod rpcs;
mod running;
mod sessions;
mod settings;
mod sheet;
mod sites;
mod sorted;
mod sparse;
mod state;
mod strangers;
mod stream;
mod system;
mod task_list;
mod tasks;
pub mod tokens;
mod traces;
mod trees;
mod unified;
mod wait;
mod wake;
mod webhooks;
mod within;

pub use guard::{About, Rule};
pub use handler::Api;
pub use openapi::document as openapi_document;
pub use router::routes;
pub use running::{Probes, Readiness, ReloadBell, ReloadResult, Reloaded};
pub use state::ApiDeps;
