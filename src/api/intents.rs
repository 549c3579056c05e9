//! `/devices/{id}/abilities` and `/devices/{id}/intents`: what a device can do,
//! and what is wanted of it, without a path.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::devices::known;
use super::extract::{DeviceKey, Json, Query};
use super::mask;
use super::problem::{ApiError, Problem, bad_value};
use super::state::{Shared, State as Inner};
use super::tasks::{self, TaskView, WaitQuery};
use super::wait;
use crate::access::Principal;
use crate::device::{Action, Device, Source};
use crate::intent::{
    Ability, AbilityItem, Answer, FieldAbility, Intent, Known, NotKnownYet, Resolution, Standing,
    Touched, ways,
};
use crate::param::{ParamPath, Tree};

/// Seconds until what is asked is given up if it was not sent: one day.
const DEFAULT_DEADLINE: u32 = 86_400;

/// How often what is missing is read before an intent is given up: one answer
/// may name more to be read than the one before.
const MAX_READS: u32 = 4;

/// The most tasks of reading for one intent.
const MAX_READ_TASKS: usize = 8;

/// What a device can do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AbilitiesView {
    device: String,
    items: Vec<AbilityView>,
}

/// What a device can do of one intent.
#[derive(Debug, Serialize, ToSchema)]
struct AbilityView {
    intent: &'static str,
    /// What it is about.
    about: &'static str,
    /// `supported` if anything of it is, `not_supported`, or `not_known_yet`.
    state: &'static str,
    /// Why it is not supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What is to be read before it is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    read: Vec<String>,
    /// The rows that it could be about: networks, connections, lines.
    rows: Vec<AbilityRowView>,
}

/// One row that an intent could be about.
#[derive(Debug, Serialize, ToSchema)]
struct AbilityRowView {
    /// The fields that say so: `band` and `network`, `connection`, `line`, `user`.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    which: BTreeMap<&'static str, String>,
    fields: Vec<FieldView>,
}

/// One field of one row.
#[derive(Debug, Serialize, ToSchema)]
struct FieldView {
    field: &'static str,
    /// What it is.
    about: &'static str,
    /// `supported`, `not_supported` or `not_known_yet`.
    state: &'static str,
    /// Why it is not supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What it is at present; `***` if that is a secret, null if it was never
    /// read.
    value: Option<String>,
    /// The parameters in which it stands, or the table.
    paths: Vec<String>,
    /// The way in which the device offers it: `TR-181`.
    way: String,
    /// How sure that is: `standard`, `operator` or `reported`.
    basis: &'static str,
}

/// The state, the reason and what is to be read.
fn told(standing: Standing) -> (&'static str, Option<String>, Vec<String>) {
    let word = standing.word();
    match standing {
        Standing::Supported => (word, None, Vec::new()),
        Standing::NotSupported(why) => (word, Some(mask::url(&why).into_owned()), Vec::new()),
        Standing::NotKnownYet(paths) => (word, None, texts(&paths)),
    }
}

fn texts(paths: &[ParamPath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

impl From<Ability> for AbilityView {
    fn from(ability: Ability) -> Self {
        let (state, reason, read) = told(ability.standing);
        Self {
            intent: ability.intent.word,
            about: ability.intent.about,
            state,
            reason,
            read,
            rows: ability.items.into_iter().map(AbilityRowView::from).collect(),
        }
    }
}

impl From<AbilityItem> for AbilityRowView {
    fn from(item: AbilityItem) -> Self {
        Self {
            which: item.which.into_iter().collect(),
            fields: item.fields.into_iter().map(FieldView::from).collect(),
        }
    }
}

impl From<FieldAbility> for FieldView {
    fn from(ability: FieldAbility) -> Self {
        let (state, reason, _) = told(ability.standing);
        let secret = ability.field.is_secret();
        let path = ability.paths.first().map(ParamPath::as_str).unwrap_or_default();
        let shown = |value: String| match secret && !value.is_empty() {
            true => mask::MASK.to_owned(),
            false => mask::value(path, &value).into_owned(),
        };
        Self {
            field: ability.field.name,
            about: ability.field.about,
            state,
            reason,
            value: ability.value.map(shown),
            paths: texts(&ability.paths),
            way: ability.way,
            basis: ability.basis.word(),
        }
    }
}

/// Tells what a device can do, and how it stands, without a path
///
/// Wi-Fi names by band, the PPPoE login, the VLAN, name servers, time, SIP lines:
/// each is supported, not supported, or not known yet because the device was
/// never asked.
#[utoipa::path(get, path = "/api/v1/devices/{id}/abilities", tag = "intents",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = AbilitiesView), (status = 404, body = Problem)))]
pub(super) async fn abilities(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<AbilitiesView>, ApiError> {
    let device = known(&state, &id).await?;
    let tree = state.store().tree(&id).await?.unwrap_or_default();
    let abilities = ways().abilities(&seen(&device, &tree));
    let items = abilities.into_iter().map(AbilityView::from).collect();
    Ok(axum::Json(AbilitiesView { device: id.to_string(), items }))
}

/// A device as intents look at it.
fn seen<'a>(device: &'a Device, tree: &'a Tree) -> Known<'a> {
    Known {
        root: &device.root,
        tree,
        whole: device.tree_read_at.is_some(),
        oui: &device.identity.oui,
        product_class: &device.identity.product_class,
    }
}

/// Something that is wanted of a device, without a path.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewIntent {
    /// `wifi`, `pppoe`, `vlan`, `dns`, `time`, `admin-password`, `sip`, `lan`,
    /// `remote-access` or `inform`.
    intent: String,
    /// If the device was never asked what is needed: read it first, and go on,
    /// as long as `wait` lasts.
    #[serde(default)]
    learn: bool,
    /// Only tell what would be written.
    #[serde(default)]
    dry_run: bool,
    /// Seconds until it is given up if it was not sent; one day if not given.
    #[schema(minimum = 1)]
    deadline: Option<u32>,
    /// The fields of the intent: `{"band": "5GHz", "name": "Home"}` beside the
    /// others.
    #[serde(flatten)]
    #[schema(value_type = std::collections::HashMap<String, Object>)]
    fields: serde_json::Map<String, serde_json::Value>,
}

impl NewIntent {
    fn intent(&self) -> Result<Intent, ApiError> {
        let mut members = self.fields.clone();
        members.insert("intent".to_owned(), self.intent.clone().into());
        let read = Intent::from_json(&serde_json::Value::Object(members));
        read.map_err(|error| match &error {
            crate::intent::IntentError::Field { problem, .. } => bad_value(error.field(), problem),
            _ => bad_value(error.field(), &error),
        })
    }

    fn deadline(&self) -> Result<u32, ApiError> {
        match self.deadline {
            Some(0) => Err(bad_value("deadline", "at least 1 second")),
            deadline => Ok(deadline.unwrap_or(DEFAULT_DEADLINE)),
        }
    }
}

/// What an intent came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntentView {
    intent: &'static str,
    /// What is touched: of each band, connection or line.
    touched: Vec<TouchedView>,
    /// How sure the least sure of it is: `standard`, `operator` or `reported`.
    basis: &'static str,
    /// The task that brings the device there; none after `dry_run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskView>,
}

/// One field of one row that is touched.
#[derive(Debug, Serialize, ToSchema)]
struct TouchedView {
    /// What tells the row from others: `band` and `network`.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    which: BTreeMap<&'static str, String>,
    field: &'static str,
    /// The parameters that are written, or the table.
    paths: Vec<String>,
    /// The way in which the device offers it.
    way: String,
}

impl From<Touched> for TouchedView {
    fn from(touched: Touched) -> Self {
        let which = touched.which.into_iter().filter(|(field, _)| !field.is_empty());
        Self {
            which: which.collect(),
            field: touched.field.name,
            paths: texts(&touched.paths),
            way: touched.way,
        }
    }
}

/// Wants something of a device without a path, and wakes it
///
/// The outcome is that of a task: with `wait` it is 200 as soon as the task is
/// over, or 202 when the time is up. A device that cannot do it is answered
/// with 409 and `not-supported`; one that was never asked with 409 and
/// `not-known-yet`, and what is missing is read then.
#[utoipa::path(post, path = "/api/v1/devices/{id}/intents", tag = "intents",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"), WaitQuery),
    request_body = NewIntent,
    responses((status = 200, body = IntentView), (status = 202, body = IntentView),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<WaitQuery>,
    Json(new): Json<NewIntent>,
) -> Result<Response, ApiError> {
    let until = Instant::now() + query.patience(&state);
    let (intent, deadline) = (new.intent()?, new.deadline()?);
    let mut reads = 0;
    let resolution = loop {
        let device = known(&state, &id).await?;
        let tree = state.store().tree(&id).await?.unwrap_or_default();
        let source =
            Source { layer: "operator".into(), name: (&*principal.name).into(), version: 0 };
        match ways().resolve(&intent, &seen(&device, &tree), source) {
            Answer::Wanted(resolution) => break resolution,
            Answer::NotSupported(answer) => {
                return Err(ApiError::NotSupported(mask::url(&answer.to_string()).into_owned()));
            }
            Answer::Unclear(answer) => return Err(bad_value(answer.field, &answer)),
            Answer::NotKnownYet(answer) if new.dry_run => {
                return Err(ApiError::NotKnownYet(answer.to_string()));
            }
            Answer::NotKnownYet(answer) => {
                reads += 1;
                let patience =
                    if new.learn && reads <= MAX_READS { left(until) } else { Duration::ZERO };
                let read = read(&state, &principal, &device, &answer, deadline, patience).await?;
                if let Some(why) = read {
                    return Err(ApiError::NotKnownYet(format!("{answer}: {why}")));
                }
            }
        }
    };
    let Resolution { desired, touched, basis } = *resolution;
    let mut view = IntentView {
        intent: intent.word().word,
        touched: touched.into_iter().map(TouchedView::from).collect(),
        basis: basis.word(),
        task: None,
    };
    if new.dry_run {
        return Ok(axum::Json(view).into_response());
    }
    let action = Action::Converge(Box::new(desired));
    let task = tasks::queue(&state, &principal, id, action, deadline, left(until)).await?;
    let status = if task.is_ended() { StatusCode::OK } else { StatusCode::ACCEPTED };
    view.task = Some(task);
    Ok((status, axum::Json(view)).into_response())
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Reads what an intent needs. Returns why it is not read yet.
async fn read(
    state: &Inner,
    principal: &Principal,
    device: &Device,
    missing: &NotKnownYet,
    deadline: u32,
    patience: Duration,
) -> Result<Option<String>, ApiError> {
    let (objects, parameters): (Vec<ParamPath>, Vec<ParamPath>) =
        missing.paths.iter().cloned().partition(ParamPath::is_object);
    let mut actions: Vec<Action> =
        objects.into_iter().map(|path| Action::Refresh(Some(path))).collect();
    if missing.paths.is_empty() {
        actions.push(Action::Refresh(None));
    }
    if !parameters.is_empty() {
        actions.push(Action::Get(parameters));
    }
    actions.truncate(MAX_READ_TASKS);
    let until = Instant::now() + patience;
    let open = state.store().open_tasks(&device.id).await?;
    let mut not_read = None;
    for action in actions {
        // What was asked for already is not asked for once more.
        let asked = open.iter().find(|task| task.action == action);
        let task = match asked {
            Some(task) => {
                let notices = state.store().watch();
                let task = wait::until_ended(state.store(), notices, task.id, left(until)).await?;
                tasks::seen_by(state, principal, task).await?
            }
            None => {
                let id = device.id.clone();
                tasks::queue(state, principal, id, action, deadline, left(until)).await?
            }
        };
        if !task.is_applied() {
            let (id, word) = (task.id(), task.state());
            not_read = Some(format!("task {id} reads it and is {word}; ask again when it is done"));
        }
    }
    Ok(not_read)
}
