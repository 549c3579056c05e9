//! From a request's body to an [`Action`]: nonsense is refused here, before a
//! device ever sees it.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::diagnostics::{DiagnosticWord, diagnose};
use super::extract::plain_text;
use super::fitness;
use super::instances;
use super::problem::{ApiError, bad_value};
use super::rpcs::{self, NamedAttributes, UnitOperation, Window};
use super::state::State;
use super::within::Eyes;
use crate::access::Reach;
use crate::device::{Action, Device, DownloadFile, Redirection, TaskId, TaskState};
use crate::http::{Host, Target};
use crate::param::{ParamPath, Tree, Value, ValueType};
use crate::provision::configuration_download;
use crate::schema::Schema;
use crate::store::phone_of;

/// Names or values in one task at most.
const MAX_ITEMS: usize = 1000;

/// The longest value in characters; larger things are files.
const MAX_VALUE: usize = 64 << 10;

/// Seconds until a task is given up if it was not sent: one day.
const DEFAULT_DEADLINE: u32 = 86_400;

/// What can be asked of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActionWord {
    /// Read `names`, full names or objects with their trailing dot.
    Get,
    /// Write `values` in one step, then read them back.
    Set,
    /// Read names and values below `path` again; everything without one.
    Refresh,
    /// Add a row to the table `path`, set `values` (named relative to the row).
    AddObject,
    /// Delete the row `path`.
    DeleteObject,
    /// Let the device fetch `file`, named by its SHA-256.
    Download,
    /// Reboot.
    Reboot,
    /// Back to factory settings.
    FactoryReset,
    /// Ask which methods the device knows.
    GetRpcMethods,
    /// Let the device, which is a phone that is provisioned by file as well,
    /// fetch its own configuration file now.
    Provision,
    /// Change what the device notifies about: `attributes`, then read back.
    SetAttributes,
    /// Read the attributes of `names` into `results`.
    GetAttributes,
    /// Let the device send a file of `file_type`, after `delay` seconds.
    Upload,
    /// Let the device inform after `delay` seconds.
    ScheduleInform,
    /// Let the device fetch `file` in one or two `windows`.
    ScheduleDownload,
    /// Cancel the transfer that another `task` asked for.
    CancelTransfer,
    /// Read which transfers the device has before it (deprecated).
    GetQueuedTransfers,
    /// Read which transfers the device has before it, its own among them.
    GetAllQueuedTransfers,
    /// Install, update and remove software modules: `operations`.
    ChangeDuState,
    /// Give the device `vouchers`, in Base64 (deprecated).
    SetVouchers,
    /// Read the state of one `option`, or of all (deprecated).
    GetOptions,
    /// Answer its next Inform by a redirect to `url`, another server.
    Redirect,
    /// Run the `diagnostic` with these `inputs`, wait until it is complete, read
    /// its results.
    Diagnose,
}

/// A value to be written.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedValue {
    /// The parameter.
    pub(super) name: String,
    /// The value as text: `true`, `42`, `2026-11-20T20:05:00Z`.
    pub(super) value: String,
    /// `string`, `int`, `unsignedInt`, `boolean`, `dateTime`, …; if not given,
    /// what the device reported, else what the data model says, else `string`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
}

/// Something to be done once on one device. Fields that have no meaning with
/// the action are refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTask {
    action: ActionWord,
    names: Option<Vec<String>>,
    values: Option<Vec<NamedValue>>,
    path: Option<String>,
    file: Option<String>,
    /// Of `redirect`: `http` or `https`, without user name.
    url: Option<String>,
    /// Of `redirect`: 302 or 307, which is meant if it is not given.
    status: Option<u16>,
    /// Of `diagnose`: which.
    diagnostic: Option<DiagnosticWord>,
    /// Of `diagnose`: input parameters by their name in the data model, as in
    /// `{"Host": "example.net"}`.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    inputs: Option<BTreeMap<String, String>>,
    /// Of `set_attributes`.
    attributes: Option<Vec<NamedAttributes>>,
    /// Of `upload`: `3 Vendor Configuration File 1`.
    file_type: Option<String>,
    /// Of `upload` and `schedule_inform`: seconds.
    delay: Option<u32>,
    /// Of `schedule_download`: one, or two that do not overlap.
    windows: Option<Vec<Window>>,
    /// Of `cancel_transfer`: the task whose transfer is cancelled.
    task: Option<String>,
    /// Of `change_du_state`: from 1 to 16.
    operations: Option<Vec<UnitOperation>>,
    /// Of `set_vouchers`.
    vouchers: Option<Vec<String>>,
    /// Of `get_options`; all if not given.
    option: Option<String>,
    /// Ask it whatever is known of the device's data model: unknown paths and
    /// values that do not fit are taken.
    unchecked: Option<bool>,
    /// Seconds until it is given up if it was not sent; one day if not given.
    #[schema(minimum = 1)]
    deadline: Option<u32>,
}

impl NewTask {
    /// Seconds until it is given up.
    pub(super) fn deadline(&self) -> Result<u32, ApiError> {
        match self.deadline {
            Some(0) => Err(bad_value("deadline", "at least 1 second")),
            deadline => Ok(deadline.unwrap_or(DEFAULT_DEADLINE)),
        }
    }

    /// The action for a device, checked against what is known of it.
    pub(super) async fn action(
        self,
        state: &State,
        reach: &Reach,
        device: &Device,
    ) -> Result<Action, ApiError> {
        let unchecked = self.unchecked.unwrap_or(false);
        let action = self.unchecked_action(state, reach, device).await?;
        instances::check(state, device, &action).await?;
        if !unchecked {
            fitness::check(state, device, &action).await?;
        }
        Ok(action)
    }

    async fn unchecked_action(
        self,
        state: &State,
        reach: &Reach,
        device: &Device,
    ) -> Result<Action, ApiError> {
        self.only_fitting_fields()?;
        match self.action {
            ActionWord::Get => names(self.names.unwrap_or_default()).map(Action::Get),
            ActionWord::Set => {
                let tree = state.store().tree(&device.id).await?.unwrap_or_default();
                assignments(self.values.unwrap_or_default(), &tree).map(Action::Set)
            }
            ActionWord::Refresh => {
                let path = self.path.as_deref().map(|path| parse("path", path)).transpose()?;
                Ok(Action::Refresh(path))
            }
            ActionWord::AddObject => {
                let table = object(self.path.as_deref())?;
                let values = row(self.values.unwrap_or_default(), &table)?;
                Ok(Action::AddObject { table, values })
            }
            ActionWord::DeleteObject => {
                let path = object(self.path.as_deref())?;
                let instance = path.leaf();
                if !is_instance(instance) {
                    return Err(bad_value(
                        "path",
                        "must name a row, as in Device.NAT.PortMapping.3.",
                    ));
                }
                Ok(Action::DeleteObject(path))
            }
            ActionWord::Download => {
                stored(state, reach, self.file.as_deref()).await.map(Action::Download)
            }
            ActionWord::SetAttributes => {
                rpcs::attributes(self.attributes.unwrap_or_default()).map(Action::SetAttributes)
            }
            ActionWord::GetAttributes => {
                names(self.names.unwrap_or_default()).map(Action::GetAttributes)
            }
            ActionWord::Upload => {
                rpcs::upload(self.file_type.unwrap_or_default(), self.delay).map(Action::Upload)
            }
            ActionWord::ScheduleInform => rpcs::delay(self.delay).map(Action::ScheduleInform),
            ActionWord::ScheduleDownload => {
                let windows = rpcs::windows(self.windows.unwrap_or_default())?;
                let file = stored(state, reach, self.file.as_deref()).await?;
                Ok(Action::ScheduleDownload(file, windows))
            }
            ActionWord::CancelTransfer => {
                cancel_transfer(state, device, self.task.as_deref()).await
            }
            ActionWord::GetQueuedTransfers => Ok(Action::GetQueuedTransfers),
            ActionWord::GetAllQueuedTransfers => Ok(Action::GetAllQueuedTransfers),
            ActionWord::ChangeDuState => {
                rpcs::operations(self.operations.unwrap_or_default()).map(Action::ChangeDuState)
            }
            ActionWord::SetVouchers => {
                rpcs::vouchers(self.vouchers.unwrap_or_default()).map(Action::SetVouchers)
            }
            ActionWord::GetOptions => rpcs::option(self.option).map(Action::GetOptions),
            ActionWord::Reboot => Ok(Action::Reboot),
            ActionWord::FactoryReset => Ok(Action::FactoryReset),
            ActionWord::GetRpcMethods => Ok(Action::GetRpcMethods),
            ActionWord::Provision => provision(state, reach, device).await,
            ActionWord::Diagnose => {
                let tree = state.store().tree(&device.id).await?.unwrap_or_default();
                diagnose(self.diagnostic, self.inputs.unwrap_or_default(), device, &tree)
            }
            ActionWord::Redirect => redirect(state, self.url.as_deref(), self.status),
        }
    }

    /// Refuses what would be dropped in silence, and what is missing.
    fn only_fitting_fields(&self) -> Result<(), ApiError> {
        use ActionWord::{
            AddObject, CancelTransfer, ChangeDuState, DeleteObject, Diagnose, Download, Get,
            GetAttributes, GetOptions, Redirect, Refresh, ScheduleDownload, ScheduleInform, Set,
            SetAttributes, SetVouchers, Upload,
        };
        let given = [
            ("names", self.names.is_some(), matches!(self.action, Get | GetAttributes), true),
            ("values", self.values.is_some(), matches!(self.action, Set), true),
            ("values", self.values.is_some(), matches!(self.action, AddObject), false),
            ("path", self.path.is_some(), matches!(self.action, AddObject | DeleteObject), true),
            ("path", self.path.is_some(), matches!(self.action, Refresh), false),
            ("file", self.file.is_some(), matches!(self.action, Download | ScheduleDownload), true),
            ("url", self.url.is_some(), matches!(self.action, Redirect), true),
            ("status", self.status.is_some(), matches!(self.action, Redirect), false),
            ("diagnostic", self.diagnostic.is_some(), matches!(self.action, Diagnose), true),
            ("inputs", self.inputs.is_some(), matches!(self.action, Diagnose), false),
            ("attributes", self.attributes.is_some(), matches!(self.action, SetAttributes), true),
            ("file_type", self.file_type.is_some(), matches!(self.action, Upload), true),
            ("delay", self.delay.is_some(), matches!(self.action, ScheduleInform), true),
            ("delay", self.delay.is_some(), matches!(self.action, Upload), false),
            ("windows", self.windows.is_some(), matches!(self.action, ScheduleDownload), true),
            ("task", self.task.is_some(), matches!(self.action, CancelTransfer), true),
            ("operations", self.operations.is_some(), matches!(self.action, ChangeDuState), true),
            ("vouchers", self.vouchers.is_some(), matches!(self.action, SetVouchers), true),
            ("option", self.option.is_some(), matches!(self.action, GetOptions), false),
        ];
        for (field, ..) in given {
            let here = || given.iter().filter(|(name, ..)| *name == field);
            let is_given = here().any(|(_, given, ..)| *given);
            if is_given && !here().any(|(_, _, fits, _)| *fits) {
                return Err(bad_value(field, "has no meaning with this action"));
            }
            if !is_given && here().any(|(_, _, fits, needed)| *fits && *needed) {
                return Err(bad_value(field, "is needed by this action"));
            }
        }
        Ok(())
    }
}

/// A stored file as a device is told to fetch it.
async fn stored(
    state: &State,
    reach: &Reach,
    file: Option<&str>,
) -> Result<DownloadFile, ApiError> {
    let sha256 = file.unwrap_or_default().to_ascii_lowercase();
    let record = match state.store().file(&sha256).await? {
        Some(record) => Eyes::over(state, reach).file(record).await?,
        None => None,
    };
    let record = record.ok_or(ApiError::NoSuch { what: "file", name: sha256 })?;
    Ok(DownloadFile {
        sha256: record.sha256,
        file_type: record.file_type,
        name: record.name,
        size: record.size,
        version: record.version,
    })
}

/// Only what a device has been asked for, and has not told the end of, can be
/// cancelled.
async fn cancel_transfer(
    state: &State,
    device: &Device,
    task: Option<&str>,
) -> Result<Action, ApiError> {
    let name = task.unwrap_or_default();
    let none = || ApiError::NoSuch { what: "task", name: name.to_owned() };
    let id: TaskId = name.parse().map_err(|_| none())?;
    let task = state.store().task(id).await?.filter(|task| task.device == device.id);
    let task = task.ok_or_else(none)?;
    if !task.action.is_transfer() {
        return Err(bad_value("task", "is no transfer"));
    }
    match &task.state {
        TaskState::Sent { .. } => Ok(Action::CancelTransfer(id)),
        TaskState::Queued => {
            Err(bad_value("task", "was not sent yet: withdraw it instead of asking the device"))
        }
        state @ TaskState::Ended { .. } => {
            Err(ApiError::TaskOver { id: id.to_string(), state: state.word() })
        }
    }
}

/// The Download of a phone's own file, by the layers as they are now.
async fn provision(state: &State, reach: &Reach, device: &Device) -> Result<Action, ApiError> {
    let no_phone = || {
        let why = "this device is no phone that is provisioned by file: its serial number ends in \
                   the address of none";
        bad_value("action", why)
    };
    let labels = state.store().labels(&device.id).await?.unwrap_or_default();
    let phone = phone_of(state.store(), device, &labels).await?.ok_or_else(no_phone)?;
    if !Eyes::over(state, reach).site(&phone.site).await? {
        return Err(no_phone());
    }
    let directives = state.deps.supply.directives(phone.clone()).await?;
    configuration_download(&phone, &directives).map(Action::Provision).ok_or_else(no_phone)
}

/// A redirect to another server; to this one it would be a circle.
fn redirect(state: &State, url: Option<&str>, status: Option<u16>) -> Result<Action, ApiError> {
    let target = Target::parse(url.unwrap_or_default()).map_err(|error| bad_value("url", error))?;
    let config = &state.deps.config;
    let ports = [config.cwmp.listen, config.cwmp.tls_listen];
    let is_our_port = ports.iter().flatten().any(|at| at.port() == target.port);
    let is_us = match &target.host {
        Host::Address(address) => ports.iter().flatten().any(|at| at.ip() == *address),
        Host::Name(name) => config.tls.names.iter().any(|own| own.eq_ignore_ascii_case(name)),
    };
    if is_our_port && is_us {
        return Err(bad_value("url", "is this server's own address"));
    }
    match status.unwrap_or(307) {
        status @ (302 | 307) => {
            Ok(Action::Redirect(Redirection { url: target.to_string().into(), status }))
        }
        _ => Err(bad_value("status", "302 or 307")),
    }
}

fn names(names: Vec<String>) -> Result<Vec<ParamPath>, ApiError> {
    check_count("names", names.len())?;
    let mut seen = HashSet::new();
    let mut paths = Vec::with_capacity(names.len());
    for (position, name) in names.iter().enumerate() {
        let field = format!("names[{position}]");
        let path = parse(&field, name)?;
        if !seen.insert(path.clone()) {
            return Err(bad_value(field, "is named twice"));
        }
        paths.push(path);
    }
    Ok(paths)
}

fn assignments(values: Vec<NamedValue>, tree: &Tree) -> Result<Vec<(ParamPath, Value)>, ApiError> {
    check_count("values", values.len())?;
    let mut seen = HashSet::new();
    let mut assignments = Vec::with_capacity(values.len());
    for (position, value) in values.into_iter().enumerate() {
        let field = format!("values[{position}]");
        let path = parse(&format!("{field}.name"), &value.name)?;
        if path.is_object() {
            return Err(bad_value(format!("{field}.name"), "an object has no value"));
        }
        if !seen.insert(path.clone()) {
            return Err(bad_value(format!("{field}.name"), "is named twice"));
        }
        let known = tree.alike(&path).and_then(|param| Some(&param.value.as_ref()?.kind));
        let known = known.or_else(|| Schema::core().kind(path.as_str()));
        let value = typed(&field, value, known)?;
        assignments.push((path, value));
    }
    Ok(assignments)
}

/// The values of a new row, by name relative to it.
fn row(values: Vec<NamedValue>, table: &ParamPath) -> Result<Vec<(Box<str>, Value)>, ApiError> {
    if values.len() > MAX_ITEMS {
        return Err(bad_value("values", format!("at most {MAX_ITEMS}")));
    }
    let mut seen = HashSet::new();
    let mut row = Vec::with_capacity(values.len());
    for (position, value) in values.into_iter().enumerate() {
        let field = format!("values[{position}]");
        let name = parse(&format!("{field}.name"), &value.name)?;
        if name.is_object() || name.as_str().starts_with('.') {
            return Err(bad_value(format!("{field}.name"), "a name relative to the row"));
        }
        if !seen.insert(name.clone()) {
            return Err(bad_value(format!("{field}.name"), "is named twice"));
        }
        let full = format!("{table}1.{name}");
        let value = typed(&field, value, Schema::core().kind(&full))?;
        row.push((name.as_str().into(), value));
    }
    Ok(row)
}

fn check_count(field: &str, count: usize) -> Result<(), ApiError> {
    match count {
        0 => Err(bad_value(field, "must not be empty")),
        1..=MAX_ITEMS => Ok(()),
        _ => Err(bad_value(field, format!("at most {MAX_ITEMS}"))),
    }
}

pub(super) fn parse(field: &str, text: &str) -> Result<ParamPath, ApiError> {
    let path = ParamPath::parse(text).map_err(|error| bad_value(field, error))?;
    // `A..B` and `.A` name nothing in any data model.
    if path.as_str().starts_with('.') || path.as_str().contains("..") {
        return Err(bad_value(field, "has an empty segment"));
    }
    Ok(path)
}

fn object(path: Option<&str>) -> Result<ParamPath, ApiError> {
    let path = parse("path", path.unwrap_or_default())?;
    if path.is_object() {
        Ok(path)
    } else {
        Err(bad_value("path", "an object path ends with a dot"))
    }
}

fn is_instance(segment: &str) -> bool {
    segment.starts_with('[') || segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value with its type: the one given, else the one known, else string.
fn typed(field: &str, value: NamedValue, known: Option<&ValueType>) -> Result<Value, ApiError> {
    let field = format!("{field}.value");
    let is_asked_for = value.kind.is_some();
    let kind = match value.kind {
        Some(name) => {
            plain_text(&field, &name, 64)?;
            match ValueType::from_name(&name) {
                ValueType::Other(_) => {
                    return Err(bad_value(field, "its type is none of TR-106"));
                }
                kind => kind,
            }
        }
        None => known.cloned().unwrap_or_default(),
    };
    if value.value.chars().count() > MAX_VALUE {
        return Err(bad_value(field, format!("at most {MAX_VALUE} characters")));
    }
    let text = value.value.as_str();
    let fits = match kind {
        ValueType::Int => text.trim().parse::<i32>().is_ok(),
        ValueType::UnsignedInt => text.trim().parse::<u32>().is_ok(),
        ValueType::Long => text.trim().parse::<i64>().is_ok(),
        ValueType::UnsignedLong => text.trim().parse::<u64>().is_ok(),
        ValueType::Boolean => Value::string(text).as_bool().is_some(),
        ValueType::HexBinary => {
            text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        _ => text.chars().all(xml_can_say),
    };
    // A type that is only assumed is judged with all that is known of the path.
    if !fits && is_asked_for {
        return Err(bad_value(field, format!("is no {}", kind.name())));
    }
    if !text.chars().all(xml_can_say) {
        return Err(bad_value(field, "holds a character that XML cannot say"));
    }
    // Most devices take 1 and 0, some take nothing else (Q11).
    match (&kind, Value::string(text).as_bool()) {
        (ValueType::Boolean, Some(on)) => Ok(Value::boolean(on)),
        _ => Ok(Value::new(value.value, kind)),
    }
}

/// Whether XML 1.0 has a way to write a character (§2.2 Char).
const fn xml_can_say(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
