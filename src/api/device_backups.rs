//! `/devices/{id}/backups`: what can be written on a device, kept, and what it
//! would take to bring a device back to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::{known, no_such_device};
use super::extract::{DeviceKey, Json, Query, plain_text};
use super::mask;
use super::problem::{ApiError, Problem, bad_value};
use super::state::{Shared, State as Inner};
use super::tasks::{self, TaskView, WaitQuery};
use super::within::Eyes;
use crate::access::Principal;
use crate::device::{Action, Device, DeviceBackup, DeviceId, Learned};
use crate::plan::{self, Extent, Restored, Written};
use crate::store::{Batch, Change, Record};
use crate::time::Timestamp;

/// The most backups of one device.
const MAX_BACKUPS: usize = 50;

/// Seconds until restoring is given up if the device does not come: a week.
const DEADLINE: u32 = 7 * 86_400;

/// A backup of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceBackupView {
    id: String,
    #[schema(value_type = String)]
    device: DeviceId,
    #[schema(value_type = String)]
    at: Timestamp,
    /// Who asked for it; `automatic` if it was taken before a reset was read over.
    by: Box<str>,
    why: Box<str>,
    root: Box<str>,
    oui: Box<str>,
    product_class: Box<str>,
    software_version: Box<str>,
    /// How many parameters it holds.
    parameters: usize,
    /// How many rows of tables it holds.
    rows: usize,
    /// The values by path, null for rows; not in lists.
    #[schema(value_type = Option<std::collections::HashMap<String, Option<String>>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<BTreeMap<Box<str>, Option<String>>>,
}

impl DeviceBackupView {
    fn new(backup: DeviceBackup, whole: bool) -> Self {
        let rows = backup.values.iter().filter(|(_, value)| value.is_none()).count();
        let parameters = backup.values.len() - rows;
        let values = whole.then(|| {
            let shown = backup.values.into_iter().map(|(path, value)| {
                let text = value.map(|value| mask::value(&path, &value.text).into_owned());
                (path, text)
            });
            shown.collect()
        });
        Self {
            id: text_of(backup.id),
            device: backup.device,
            at: backup.at,
            by: backup.by,
            why: backup.why,
            root: backup.root,
            oui: backup.model.0,
            product_class: backup.model.1,
            software_version: backup.software_version,
            parameters,
            rows,
            values,
        }
    }
}

/// The backups of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceBackups {
    /// Oldest first.
    items: Vec<DeviceBackupView>,
}

/// A backup that is to be taken.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NewDeviceBackup {
    /// Why; may be left out.
    why: String,
}

/// Lists the backups of a device
#[utoipa::path(get, path = "/api/v1/devices/{id}/backups", tag = "devices",
    operation_id = "device_backups",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = DeviceBackups), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<DeviceBackups>, ApiError> {
    // The backups of a device that was replaced may be all that is left of it.
    let mut backups = state.store().fleet().device_backups(&id).await?;
    if backups.is_empty() {
        known(&state, &id).await?;
    }
    let mut names = Eyes::of(&state, &principal).names();
    for backup in &mut backups {
        backup.by = names.told(state.store(), &backup.by).await?;
    }
    let items = backups.into_iter().map(|backup| DeviceBackupView::new(backup, false)).collect();
    Ok(axum::Json(DeviceBackups { items }))
}

/// Keeps what can be written on a device, as it was last read
#[utoipa::path(post, path = "/api/v1/devices/{id}/backups", tag = "devices",
    operation_id = "back_up_device",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    request_body = NewDeviceBackup,
    responses((status = 201, body = DeviceBackupView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Json(new): Json<NewDeviceBackup>,
) -> Result<(StatusCode, axum::Json<DeviceBackupView>), ApiError> {
    plain_text("why", &new.why, 500)?;
    let device = known(&state, &id).await?;
    let tree = state.store().tree(&id).await?.unwrap_or_default();
    let number = uuid::Uuid::now_v7().as_u128();
    let who = (&*principal.name, &*new.why);
    let backup = plan::backup(number, &device, &tree, who, state.deps.clock.now());
    if backup.values.is_empty() {
        return Err(ApiError::NotRead(id.to_string()));
    }
    if state.store().fleet().device_backups(&id).await?.len() >= MAX_BACKUPS {
        return Err(bad_value(
            "backups",
            format!("at most {MAX_BACKUPS} of one device; delete some"),
        ));
    }
    state.store().commit(Record::DeviceBackup(Box::new(backup.clone())).into()).await?;
    Ok((StatusCode::CREATED, axum::Json(DeviceBackupView::new(backup, false))))
}

/// Shows a backup with its values
#[utoipa::path(get, path = "/api/v1/devices/{id}/backups/{backup}", tag = "devices",
    operation_id = "device_backup",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`"),
        ("backup" = String, Path, description = "The backup")),
    responses((status = 200, body = DeviceBackupView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Path((_, backup)): Path<(String, String)>,
) -> Result<axum::Json<DeviceBackupView>, ApiError> {
    let mut backup = find(&state, &id, &backup).await?;
    let mut names = Eyes::of(&state, &principal).names();
    backup.by = names.told(state.store(), &backup.by).await?;
    Ok(axum::Json(DeviceBackupView::new(backup, true)))
}

/// Deletes a backup
#[utoipa::path(delete, path = "/api/v1/devices/{id}/backups/{backup}", tag = "devices",
    operation_id = "delete_device_backup",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`"),
        ("backup" = String, Path, description = "The backup")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Path((_, backup)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let backup = find(&state, &id, &backup).await?;
    let mut batch = Batch::new();
    batch.push(Change::ForgetDeviceBackup(id, backup.id));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which device would be brought back, and how far.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PreviewQuery {
    /// The device that would be restored; the one that the backup is of, if not
    /// given.
    #[param(value_type = Option<String>)]
    to: Option<DeviceId>,
    /// Whether rows that came since are removed.
    #[serde(default)]
    exact: bool,
}

/// What restoring a backup would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewView {
    /// What differs, as far as it is known.
    items: Vec<PreviewItem>,
    /// What would have to be read first.
    #[schema(value_type = Vec<String>)]
    unknown: Vec<String>,
    /// What cannot be brought back.
    left_out: Vec<LeftOut>,
    /// The RPCs that it takes, as far as that is known.
    #[schema(value_type = std::collections::HashMap<String, u32>)]
    rpcs: BTreeMap<&'static str, u32>,
}

/// One thing that would change.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewItem {
    path: Box<str>,
    /// What the device has; null if nothing.
    from: Option<String>,
    /// What the backup has.
    to: String,
}

/// One thing that cannot be brought back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LeftOut {
    path: Box<str>,
    why: Box<str>,
}

/// Tells what restoring a backup would do, and sends nothing
#[utoipa::path(get, path = "/api/v1/devices/{id}/backups/{backup}/preview", tag = "devices",
    operation_id = "preview_restore",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`"),
        ("backup" = String, Path, description = "The backup"), PreviewQuery),
    responses((status = 200, body = PreviewView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn preview(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Path((_, backup)): Path<(String, String)>,
    Query(query): Query<PreviewQuery>,
) -> Result<axum::Json<PreviewView>, ApiError> {
    let backup = find(&state, &id, &backup).await?;
    let to = query.to.as_ref().unwrap_or(&id);
    if !Eyes::of(&state, &principal).of_device(to).await? {
        return Err(no_such_device(to));
    }
    let device = known(&state, to).await?;
    let Restored { desired, left_out } = restored(&state, &backup, &device, query.exact).await?;
    let tree = state.store().tree(&device.id).await?.unwrap_or_default();
    let config = &state.deps.config.cwmp;
    let learned = Learned::assumed(config.read_batch, config.write_batch);
    let written = Written::new(BTreeMap::new(), Arc::new(|_, _| 0));
    let found = plan::assess(&desired, &tree, &learned, &written);
    let shown = |path: &str, text: &str| mask::value(path, text).into_owned();
    let items = found.differences.into_iter().map(|differs| PreviewItem {
        from: differs.found.map(|text| shown(&differs.path, &text)),
        to: shown(&differs.path, &differs.wanted),
        path: differs.path,
    });
    let left_out = left_out.into_iter().chain(found.impossible);
    Ok(axum::Json(PreviewView {
        items: items.collect(),
        unknown: found.unknown.iter().map(ToString::to_string).collect(),
        left_out: left_out.map(|(path, why)| LeftOut { path, why }).collect(),
        rpcs: found.rpcs.into_iter().map(|rpc| (rpc.method, rpc.count)).collect(),
    }))
}

/// Which backup a device is brought back to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreWish {
    /// The backup's id, or `latest`.
    backup: String,
    /// The device that the backup is of, if it is another one: the one that this
    /// device replaces.
    #[schema(value_type = Option<String>)]
    of: Option<DeviceId>,
    /// Whether rows that came since are removed.
    #[serde(default)]
    exact: bool,
}

/// Brings a device back to a backup, of itself or of the device that it replaces
///
/// The task ends when every value was read back. Secrets are in no backup.
#[utoipa::path(post, path = "/api/v1/devices/{id}/restore", tag = "devices",
    operation_id = "restore_device",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`"), WaitQuery),
    request_body = RestoreWish,
    responses((status = 200, body = TaskView), (status = 202, body = TaskView),
        (status = 404, body = Problem)))]
pub(super) async fn restore(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<WaitQuery>,
    Json(wish): Json<RestoreWish>,
) -> Result<Response, ApiError> {
    let patience = query.patience(&state);
    let device = known(&state, &id).await?;
    let of = wish.of.as_ref().unwrap_or(&id);
    if !Eyes::of(&state, &principal).of_device(of).await? {
        return Err(no_such_backup(&wish.backup));
    }
    let backup = find(&state, of, &wish.backup).await?;
    let desired = restored(&state, &backup, &device, wish.exact).await?.desired;
    if desired.is_empty() {
        return Err(bad_value("backup", "nothing of it can be brought to this device"));
    }
    let action = Action::Converge(Box::new(desired));
    let view = tasks::queue(&state, &principal, id, action, DEADLINE, patience).await?;
    Ok(tasks::answer(view))
}

async fn restored(
    state: &Inner,
    backup: &DeviceBackup,
    device: &Device,
    exact: bool,
) -> Result<Restored, ApiError> {
    let tree = state.store().tree(&device.id).await?.unwrap_or_default();
    plan::restore(backup, device, &tree, Extent { exact })
        .map_err(|error| bad_value("backup", error))
}

/// A backup by its id; `latest` is the newest.
async fn find(state: &Inner, device: &DeviceId, backup: &str) -> Result<DeviceBackup, ApiError> {
    let fleet = state.store().fleet();
    let found = if backup == "latest" {
        fleet.device_backups(device).await?.pop()
    } else {
        let id = uuid::Uuid::parse_str(backup)
            .map_err(|_| bad_value("backup", "a backup's id is a UUID, or `latest`"))?;
        fleet.device_backup(device, id.as_u128()).await?
    };
    found.ok_or_else(|| no_such_backup(backup))
}

fn no_such_backup(backup: &str) -> ApiError {
    ApiError::NoSuch { what: "backup", name: backup.to_owned() }
}

fn text_of(id: u128) -> String {
    uuid::Uuid::from_u128(id).hyphenated().to_string()
}
