//! Phones from a file: all of them or none.

use std::collections::HashMap;

use axum::Extension;
use axum::extract::{Request, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::change::{Applier, PhoneChange};
use super::{DEFAULT_SITE, check, missing_site, new_phone, table};
use crate::access::Principal;
use crate::api::extract::Query;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::settings::Wrong;
use crate::api::sheet::{self, BREATH, Faults};
use crate::api::state::{Shared, State as Inner};
use crate::api::within::Eyes;
use crate::phone::{Mac, Phone};
use crate::store::{Batch, Record};

/// Phones of one file at most: they are made durable together.
const MAX_ROWS: usize = 20_000;

/// Phones of which the report tells what becomes of them.
const MAX_TOLD: usize = 1000;

/// What is said of a site that is not there, or another's.
const NO_SUCH_SITE: &str = "there is no such site; make it first";

/// What a file is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ImportQuery {
    /// `csv` or `json`.
    format: String,
    /// Whether to tell only what would be done.
    dry_run: Option<bool>,
}

/// What became, or would become, of the phones of a file.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(in crate::api) struct ImportReport {
    /// Whether this only tells what would be done.
    dry_run: bool,
    new: usize,
    changed: usize,
    unchanged: usize,
    /// The first thousand that are new or changed.
    items: Vec<Imported>,
}

/// One phone of a file.
#[derive(Debug, Serialize, ToSchema)]
struct Imported {
    #[schema(value_type = String)]
    mac: Mac,
    /// The line of the file, from 1.
    line: u64,
    /// `new` or `changed`.
    what: &'static str,
}

/// Whose row it is, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The line of the file, from 1.
    pub(super) line: u64,
    pub(super) mac: Mac,
}

/// The rows of a file, as it spells them.
enum Rows {
    Csv(Vec<table::Heading>, Vec<(Row, Vec<String>)>),
    Json(Vec<(Row, PhoneChange)>),
}

/// Takes phones from a file: all of them, or none if anything is wrong
#[utoipa::path(post, path = "/api/v1/phones/import", tag = "phones", params(ImportQuery),
    request_body(content = String, content_type = "text/csv",
        description = "CSV with a heading, or a JSON array of phones"),
    responses((status = 200, body = ImportReport), (status = 400, body = Problem)))]
pub(in crate::api) async fn import(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<axum::Json<ImportReport>, ApiError> {
    let file = sheet::file(&state, request).await?;
    let mut faults = Faults::default();
    let rows = match query.format.as_str() {
        "csv" => {
            let (columns, rows) = table::read(&file, MAX_ROWS, &mut faults);
            Rows::Csv(columns, rows)
        }
        "json" => Rows::Json(read_json(&file, &mut faults)?),
        _ => return Err(bad_value("format", "csv or json")),
    };
    let dry_run = query.dry_run.unwrap_or_default();
    let (report, batch) = prepare(&state, &principal, rows, faults).await?;
    if !dry_run && !batch.is_empty() {
        state.store().commit(batch).await?;
    }
    Ok(axum::Json(ImportReport { dry_run, ..report }))
}

/// What is to be committed, and what to tell of it.
async fn prepare(
    state: &Inner,
    principal: &Principal,
    rows: Rows,
    mut faults: Faults,
) -> Result<(ImportReport, Batch), ApiError> {
    let mut report = ImportReport::default();
    let mut batch = Batch::new();
    let mut seen: HashMap<Mac, u64> = HashMap::new();
    let mut sites: HashMap<Box<str>, bool> = HashMap::new();
    let mut eyes = Eyes::of(state, principal);
    let (columns, rows): (_, Vec<(Row, Told)>) = match rows {
        Rows::Csv(columns, rows) => {
            (columns, rows.into_iter().map(|(row, cells)| (row, Told::Cells(cells))).collect())
        }
        Rows::Json(rows) => {
            let told = |(row, change)| (row, Told::Change(Box::new(change)));
            (Vec::new(), rows.into_iter().map(told).collect())
        }
    };
    for (number, (row, told)) in rows.into_iter().enumerate() {
        if number % BREATH == BREATH - 1 {
            tokio::task::yield_now().await;
        }
        let Row { line, mac } = row;
        if let Some(first) = seen.insert(mac, line) {
            faults.add(line, Some("mac".to_owned()), format!("{mac} stands on line {first} too"));
            continue;
        }
        let stored = state.store().phone(mac).await?;
        if let Some(stored) = &stored
            && !eyes.site(&stored.site).await?
        {
            faults.add(line, Some("mac".to_owned()), format!("{mac} cannot be taken"));
            continue;
        }
        let is_table = matches!(told, Told::Cells(_));
        let change = match told {
            Told::Cells(cells) => {
                table::change(&columns, &cells, stored.as_ref(), line, &mut faults)
            }
            Told::Change(change) => *change,
        };
        let phone = match stored.clone() {
            Some(phone) => Ok(phone),
            None => new_phone(state, mac, change.vendor.is_some()),
        };
        let mut phone = match phone {
            Ok(phone) => phone,
            Err(error) => {
                faults.add(line, Some("vendor".to_owned()), told_without_field(error));
                continue;
            }
        };
        let mut applier = Applier::new(&state.deps.vault);
        applier.apply(change, &mut phone);
        if !eyes.site(&phone.site).await? {
            applier.wrong.push(Wrong::new("site", NO_SUCH_SITE));
        } else if let Some(problem) = wrong_site(state, &phone, &mut sites, &mut batch).await? {
            applier.wrong.push(Wrong::new("site", problem));
        }
        let mut sound = applier.wrong.is_empty();
        for Wrong { field, problem } in applier.wrong {
            let field = if is_table { table::heading_of(&field) } else { field };
            faults.add(line, Some(field), problem);
        }
        if sound && stored.as_ref() != Some(&phone) {
            match check(state, &phone).await {
                Err(ApiError::Supply(error)) => {
                    sound = false;
                    faults.add(line, None, error.to_string());
                }
                checked => checked?,
            }
        }
        if sound {
            report.add(stored, phone, line, &mut batch);
        }
    }
    faults.none()?;
    Ok((report, batch))
}

/// What a row tells.
enum Told {
    Cells(Vec<String>),
    Change(Box<PhoneChange>),
}

/// Why a phone cannot stand at its site; the default one is made when it is
/// first needed.
async fn wrong_site(
    state: &Inner,
    phone: &Phone,
    known: &mut HashMap<Box<str>, bool>,
    batch: &mut Batch,
) -> Result<Option<String>, ApiError> {
    let is_known = match known.get(&phone.site) {
        Some(is_known) => *is_known,
        None => {
            let is_known = state.store().site(&phone.site).await?.is_some();
            if !is_known && *phone.site == *DEFAULT_SITE {
                batch.put(missing_site(DEFAULT_SITE)?);
            }
            let is_known = is_known || *phone.site == *DEFAULT_SITE;
            known.insert(phone.site.clone(), is_known);
            is_known
        }
    };
    Ok((!is_known).then(|| NO_SUCH_SITE.to_owned()))
}

fn told_without_field(error: ApiError) -> String {
    match error {
        ApiError::BadValue { problem, .. } => problem,
        other => other.to_string(),
    }
}

impl ImportReport {
    fn add(&mut self, stored: Option<Phone>, mut phone: Phone, line: u64, batch: &mut Batch) {
        let what = match stored {
            Some(stored) if stored == phone => {
                self.unchanged += 1;
                return;
            }
            Some(_) => {
                self.changed += 1;
                "changed"
            }
            None => {
                self.new += 1;
                "new"
            }
        };
        if self.items.len() < MAX_TOLD {
            self.items.push(Imported { mac: phone.mac, line, what });
        }
        phone.revision = phone.revision.saturating_add(1);
        batch.put(Record::Phone(Box::new(phone)));
    }
}

/// The phones of a JSON array; the line of each is where it begins.
fn read_json(file: &[u8], faults: &mut Faults) -> Result<Vec<(Row, PhoneChange)>, ApiError> {
    let items = sheet::items(file, MAX_ROWS, "phones", faults)?;
    let mut rows = Vec::with_capacity(items.len());
    for (line, mut item) in items {
        let mac = match item.remove("mac").as_ref().and_then(Value::as_str).map(str::parse) {
            Some(Ok(mac)) => mac,
            Some(Err(error)) => {
                faults.add(line, Some("mac".to_owned()), format!("{error}"));
                continue;
            }
            None => {
                faults.add(line, Some("mac".to_owned()), "each phone needs one");
                continue;
            }
        };
        match serde_json::from_value(Value::Object(item)) {
            Ok(change) => rows.push((Row { line, mac }, change)),
            Err(error) => faults.add(line, None, error.to_string()),
        }
    }
    Ok(rows)
}
