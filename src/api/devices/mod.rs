//! `/devices`: the inventory.
//!
//! `query` reads which devices are meant, `list` answers pages of them, `export`
//! all of them as a stream.

mod export;
mod list;
mod query;

pub(super) use export::*;
pub(super) use list::*;
pub(super) use query::{DeviceWhich, rule};

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{DeviceKey, IfMatch, Json, plain_text};
use super::labels::{LabelsBody, LabelsView, first_wrong};
use super::mask;
use super::problem::{ApiError, Problem, bad_value};
use super::state::{Shared, State as Inner};
use super::within::Eyes;
use crate::access::Principal;
use crate::device::{
    Credentials, Device, DeviceId, DeviceIdentity, EventCode, Labels, Secret, Stage,
};
use crate::store::{Batch, Change, Record, login_alias};
use crate::time::Timestamp;

/// A device as the inventory knows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceView {
    #[schema(value_type = String, example = "00D09E-HG%2D100-0123")]
    id: DeviceId,
    manufacturer: Box<str>,
    oui: Box<str>,
    product_class: Box<str>,
    serial_number: Box<str>,
    software_version: Box<str>,
    hardware_version: Box<str>,
    provisioning_code: Box<str>,
    /// The root object of its data model: `Device.` or `InternetGatewayDevice.`.
    root: Box<str>,
    /// The CWMP namespace that it uses.
    namespace: Box<str>,
    #[schema(value_type = Option<String>)]
    address: Option<std::net::IpAddr>,
    /// Where it listens for connection requests; user and password are masked.
    connection_request_url: String,
    #[schema(value_type = String)]
    first_seen: Timestamp,
    #[schema(value_type = String)]
    last_inform: Timestamp,
    #[schema(value_type = Option<String>)]
    last_boot: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    last_bootstrap: Option<Timestamp>,
    /// The event codes of the last Inform.
    last_events: Vec<String>,
    /// When the whole tree was last read.
    #[schema(value_type = Option<String>)]
    tree_read_at: Option<Timestamp>,
    parameter_count: u32,
    sessions: u64,
    #[serde(flatten)]
    labels: LabelsView,
    /// The revision of tags, tenant, site and subscriber, for `If-Match`.
    revision: u32,
}

impl DeviceView {
    pub(super) fn new(device: Device, labels: Labels) -> Self {
        Self {
            id: device.id,
            manufacturer: device.identity.manufacturer,
            oui: device.identity.oui,
            product_class: device.identity.product_class,
            serial_number: device.identity.serial_number,
            software_version: device.software_version,
            hardware_version: device.hardware_version,
            provisioning_code: device.provisioning_code,
            root: device.root,
            namespace: device.namespace,
            address: device.address,
            connection_request_url: mask::url(&device.connection_request_url).into_owned(),
            first_seen: device.first_seen,
            last_inform: device.last_inform,
            last_boot: device.last_boot,
            last_bootstrap: device.last_bootstrap,
            last_events: device.last_events.iter().map(EventCode::to_string).collect(),
            tree_read_at: device.tree_read_at,
            parameter_count: device.parameter_count,
            sessions: device.sessions,
            revision: labels.revision,
            labels: LabelsView::masked(labels),
        }
    }
}

/// Shows a device
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = DeviceView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<DeviceView>, ApiError> {
    let device = known(&state, &id).await?;
    let labels = state.store().labels(&id).await?.unwrap_or_default();
    Ok(axum::Json(DeviceView::new(device, labels)))
}

/// Forgets a device with its parameters, tasks, history and credentials
#[utoipa::path(delete, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<StatusCode, ApiError> {
    let known = state.store().device(&id).await?.is_some()
        || state.store().credentials(&id).await?.is_some();
    if !known {
        return Err(no_such_device(&id));
    }
    let mut batch = Batch::new();
    batch.push(Change::ForgetDevice(id));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes a device's tags, tenant, site and what is known of its subscriber
#[utoipa::path(patch, path = "/api/v1/devices/{id}", tag = "devices",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = LabelsBody,
    responses((status = 200, body = DeviceView), (status = 409, body = Problem)))]
pub(super) async fn change(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    if_match: IfMatch,
    Json(change): Json<LabelsBody>,
) -> Result<axum::Json<DeviceView>, ApiError> {
    let device = known(&state, &id).await?;
    let mut labels = state.store().labels(&id).await?.unwrap_or_default();
    if_match.check(labels.revision)?;
    let before = labels.clone();
    change.change().apply(&mut labels).map_err(first_wrong)?;
    Eyes::of(&state, &principal).keep(&before, &labels)?;
    labels.revision = labels.revision.saturating_add(1);
    state.store().commit(Record::Labels(id, labels.clone()).into()).await?;
    Ok(axum::Json(DeviceView::new(device, labels)))
}

/// The credentials of a device that is to be known before it first calls, for
/// `cwmp.auth = "device"`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDevice {
    #[serde(default)]
    manufacturer: String,
    oui: String,
    #[serde(default)]
    product_class: String,
    serial_number: String,
    /// What the device shows at the ACS; its id if not given.
    username: Option<String>,
    password: String,
    /// What the ACS shows at the device; `username` if not given.
    connection_request_username: Option<String>,
    /// `password` if not given.
    connection_request_password: Option<String>,
}

/// The device that was made known.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewDeviceView {
    #[schema(value_type = String)]
    id: DeviceId,
    username: Box<str>,
}

/// Makes a device's credentials known before its first contact
#[utoipa::path(post, path = "/api/v1/devices", tag = "devices", request_body = NewDevice,
    responses((status = 201, body = NewDeviceView), (status = 409, body = Problem)))]
pub(super) async fn add(
    State(state): State<Shared>,
    Json(new): Json<NewDevice>,
) -> Result<(StatusCode, axum::Json<NewDeviceView>), ApiError> {
    let identity =
        DeviceIdentity::new(&new.manufacturer, &new.oui, &new.product_class, &new.serial_number)
            .map_err(|error| bad_value("device", error))?;
    if identity.oui.is_empty() {
        return Err(bad_value("oui", "not empty"));
    }
    let id = identity.id();
    let username = new.username.unwrap_or_else(|| id.to_string());
    let request_username = new.connection_request_username.unwrap_or_else(|| username.clone());
    let request_password = new.connection_request_password.unwrap_or_else(|| new.password.clone());
    for (field, text) in [
        ("username", &username),
        ("password", &new.password),
        ("connection_request_username", &request_username),
        ("connection_request_password", &request_password),
    ] {
        plain_text(field, text, 256)?;
        if text.is_empty() {
            return Err(bad_value(field, "not empty"));
        }
    }
    if state.store().credentials(&id).await?.is_some() {
        return Err(ApiError::Exists { what: "credentials of", name: id.to_string() });
    }
    let vault = &state.deps.vault;
    let credentials = Credentials {
        device: id.clone(),
        username: username.into(),
        password: vault.seal(&Secret::new(new.password)),
        connection_request_username: request_username.into(),
        connection_request_password: vault.seal(&Secret::new(request_password)),
        stage: Stage::Confirmed,
        made_at: state.deps.clock.now(),
        offers: 0,
    };
    let mut batch = Batch::new();
    if *credentials.username != *id.as_str() {
        let alias = login_alias(&credentials.username);
        if state.store().setting(&alias).await?.is_some_and(|known| known != id.as_str().as_bytes())
        {
            let name = credentials.username.to_string();
            return Err(ApiError::Exists { what: "another device with the user name", name });
        }
        batch.put(Record::Setting(alias.into(), id.as_str().into()));
    }
    let view = NewDeviceView { id, username: credentials.username.clone() };
    batch.put(Record::Credentials(Box::new(credentials)));
    state.store().commit(batch).await?;
    Ok((StatusCode::CREATED, axum::Json(view)))
}

/// A device's hot record, or 404.
pub(super) async fn known(state: &Inner, id: &DeviceId) -> Result<Device, ApiError> {
    state.store().device(id).await?.ok_or_else(|| no_such_device(id))
}

pub(super) fn no_such_device(id: &DeviceId) -> ApiError {
    ApiError::NoSuch { what: "device", name: id.to_string() }
}
