//! What is asked for over many devices: read, counted, judged, made durable.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::asker::Asker;
use super::prepare::{Prepared, prepare};
use super::view::BulkView;
use crate::access::{Principal, Reach, Right, right_of};
use crate::api::devices::DeviceWhich;
use crate::api::extract::Json;
use crate::api::labels::LabelsBody;
use crate::api::new_task::NewTask;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::state::{Shared, State as Inner};
use crate::device::{Device, DeviceId};
use crate::find::Query;
use crate::param::Extent;
use crate::store::{BulkRecord, OfficeRecord, Record};

/// Devices that can be named one by one.
const MAX_IDS: usize = 1000;

/// Devices that are shown beforehand.
const SHOWN: usize = 20;

/// Seconds until a change is given up if nothing is said: one day.
const DEFAULT_DEADLINE: u32 = 86_400;

/// The same change over many devices. Exactly one of `query`, `filter` and `ids`
/// says which.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewBulk {
    /// As when listing devices; `{}` for all of them.
    #[schema(nullable = false)]
    query: Option<DeviceWhich>,
    /// A rule in the language of profiles (CEL).
    #[schema(nullable = false)]
    filter: Option<String>,
    /// The devices, one by one.
    #[schema(nullable = false)]
    ids: Option<Vec<String>>,
    /// What is to be done with each.
    #[schema(value_type = BulkAction)]
    action: Value,
    /// Of a task: whether the devices are woken. They are if it is not given.
    #[schema(nullable = false)]
    wake: Option<bool>,
    /// Only tells how many there are, and the first of them.
    #[serde(default)]
    dry_run: bool,
    /// How many devices there must be; with any other number nothing is done.
    #[schema(nullable = false)]
    expected: Option<u64>,
    /// Seconds until it is given up; one day if not given.
    #[schema(minimum = 1, nullable = false)]
    deadline: Option<u32>,
}

/// What is done with each device.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum BulkAction {
    /// A task for it.
    Task(NewTask),
    /// A change of its labels.
    Labels(LabelsBody),
    /// It is woken.
    Wake,
    /// It is forgotten with all that is known of it.
    Forget,
}

impl BulkAction {
    /// Reads an action.
    fn read(action: &Value) -> Result<Self, ApiError> {
        Self::deserialize(action).map_err(|error| bad_value("action", error))
    }

    /// What it needs besides the right to ask for anything over many devices; of
    /// a task that is told by its action.
    pub(super) const fn right(&self) -> Right {
        match self {
            Self::Task(_) | Self::Wake => Right::TasksAsk,
            Self::Labels(_) => Right::DevicesLabel,
            Self::Forget => Right::DevicesForget,
        }
    }
}

/// What was asked for, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::api) struct Asked {
    /// Which devices, if they are searched for.
    pub(super) which: DeviceWhich,
    /// Which, if they are named.
    pub(super) ids: Option<BTreeSet<DeviceId>>,
    /// What is to be done.
    action: Value,
    /// Whether devices that are given a task are woken.
    pub(super) wake: bool,
}

impl Asked {
    /// What a change was asked with.
    pub(super) fn of(bulk: &BulkRecord) -> Option<Self> {
        serde_json::from_str(&bulk.asked).ok()
    }

    /// The action, read anew for each device.
    pub(super) fn action(&self) -> Result<BulkAction, ApiError> {
        BulkAction::read(&self.action)
    }

    /// The word for it.
    pub(super) fn word(&self) -> &'static str {
        match self.action() {
            Ok(BulkAction::Labels(_)) => "labels",
            Ok(BulkAction::Wake) => "wake",
            Ok(BulkAction::Forget) => "forget",
            Ok(BulkAction::Task(_)) | Err(_) => "task",
        }
    }

    /// The action of a task.
    pub(super) fn task_word(&self) -> Option<String> {
        self.action["task"]["action"].as_str().map(str::to_owned)
    }
}

/// What a change would be about.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct BulkPreview {
    /// Always true.
    dry_run: bool,
    /// How many devices there are.
    total: u64,
    /// The first of them.
    devices: Vec<String>,
}

/// Asks for the same change over many devices
///
/// 202 at once; the change goes on by itself, also after a restart, and
/// `GET /api/v1/bulk/{id}` tells how far it is. With `dry_run` the answer is 200
/// with how many devices there are, and nothing is done.
#[utoipa::path(post, path = "/api/v1/bulk", tag = "bulk", operation_id = "create_bulk",
    request_body = NewBulk,
    responses((status = 200, body = BulkPreview), (status = 202, body = BulkView),
        (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(in crate::api) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Json(new): Json<NewBulk>,
) -> Result<Response, ApiError> {
    let action = BulkAction::read(&new.action)?;
    if !principal.may(action.right()) {
        return Err(ApiError::NoRight(action.right()));
    }
    let deadline = match new.deadline {
        Some(0) => return Err(bad_value("deadline", "at least 1 second")),
        deadline => deadline.unwrap_or(DEFAULT_DEADLINE),
    };
    let (which, ids) = which(new.query, new.filter, new.ids)?;
    let asked = Asked { which, ids, action: new.action, wake: new.wake.unwrap_or(true) };
    let (total, first) = meant(&state, &principal.reach, &asked).await?;
    if let Some(expected) = new.expected
        && expected != total
    {
        return Err(ApiError::OtherCount { expected, found: total });
    }
    let now = state.deps.clock.now();
    let bulk = BulkRecord {
        id: uuid::Uuid::now_v7().as_u128(),
        created_by: (&*principal.name).into(),
        token: (&*principal.token).into(),
        rights: principal.rights.iter().collect(),
        reach: (*principal.reach).clone(),
        created_at: now,
        expires_at: now.after(Duration::from_secs(deadline.into())),
        asked: serde_json::to_string(&asked).unwrap_or_default().into(),
        page: None,
        after: None,
        total,
        done: 0,
        failed: 0,
        problems: Vec::new(),
        ended_at: None,
        cancelled: false,
        left_out: 0,
        stopped: "".into(),
    };
    try_out(&state, &principal, &bulk, &asked, &first).await?;
    if new.dry_run {
        let devices = first.iter().map(|device| device.id.to_string()).collect();
        return Ok(axum::Json(BulkPreview { dry_run: true, total, devices }).into_response());
    }
    state.bulks.admit(&state).await?;
    let record = OfficeRecord::Bulk(Box::new(bulk.clone()));
    state.store().commit(Record::Office(record).into()).await?;
    state.bulks.begin(bulk.id);
    tracing::info!(bulk.total = total, bulk.action = asked.word(), "a change over many devices");
    let view = BulkView::from(bulk.clone());
    let location = format!("/api/v1/bulk/{}", uuid::Uuid::from_u128(bulk.id));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], axum::Json(view)).into_response())
}

/// Which devices are meant, said in exactly one way.
fn which(
    query: Option<DeviceWhich>,
    filter: Option<String>,
    ids: Option<Vec<String>>,
) -> Result<(DeviceWhich, Option<BTreeSet<DeviceId>>), ApiError> {
    match (query, filter, ids) {
        (Some(query), None, None) => Ok((query, None)),
        (None, Some(rule), None) => Ok((DeviceWhich::by_rule(rule), None)),
        (None, None, Some(ids)) => {
            if ids.is_empty() || ids.len() > MAX_IDS {
                return Err(bad_value("ids", format!("from 1 to {MAX_IDS} devices")));
            }
            let parse = |(place, id): (usize, &String)| {
                DeviceId::parse(id).map_err(|error| bad_value(format!("ids[{place}]"), error))
            };
            let ids = ids.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
            Ok((DeviceWhich::default(), Some(ids)))
        }
        _ => {
            Err(bad_value("query", "exactly one of `query`, `filter` and `ids` says which devices"))
        }
    }
}

/// How many devices are meant, and the first of them.
async fn meant(
    state: &Inner,
    reach: &Reach,
    asked: &Asked,
) -> Result<(u64, Vec<Device>), ApiError> {
    let finder = &state.deps.finder;
    let Some(ids) = &asked.ids else {
        let filter = asked.which.filter()?;
        let total = finder.count(&filter, reach).await?;
        let mut first = Vec::new();
        let mut query = Query {
            filter,
            reach: reach.clone(),
            order: None,
            after: None,
            limit: SHOWN,
            parameters: Extent::Nothing,
        };
        loop {
            let page = finder.page(&query).await?;
            first.extend(page.found.into_iter().map(|found| found.device));
            match page.next {
                Some(next) if first.len() < SHOWN && total > 0 => query.after = Some(next),
                _ => break,
            }
        }
        first.truncate(SHOWN);
        return Ok((total, first));
    };
    let mut first = Vec::new();
    for id in ids {
        if !finder.sees(id, reach).await? {
            return Err(ApiError::NoSuch { what: "device", name: id.to_string() });
        }
        if first.len() < SHOWN {
            first.extend(state.store().device(id).await?);
        }
    }
    Ok((ids.len() as u64, first))
}

/// Reads the change for the first device that takes it: what nobody may ask, and
/// what none of them could do, is refused at once.
async fn try_out(
    state: &Inner,
    principal: &Principal,
    bulk: &BulkRecord,
    asked: &Asked,
    first: &[Device],
) -> Result<(), ApiError> {
    let mut refused = None;
    let asker = Asker::at_first(bulk);
    for device in first {
        match prepare(state, bulk, &asker, asked, &device.id).await {
            Ok(Prepared { action, .. }) => {
                let right = action.as_ref().map(right_of);
                return match right.filter(|right| !principal.may(*right)) {
                    Some(right) => Err(ApiError::NoRight(right)),
                    None => Ok(()),
                };
            }
            Err(error @ ApiError::NoRight(_)) => return Err(error),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    refused.map_or(Ok(()), Err)
}
