//! Diagnostics as the northbound has them: what is asked, and in which units
//! the results are told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::mask;
use super::problem::{ApiError, bad_value};
use crate::device::{Action, Device, Diagnostic, DiagnosticKind, TaskResult};
use crate::param::Tree;
use crate::schema::{DiagnosticObject, Unit, result_unit};

/// What a device can be asked to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DiagnosticWord {
    /// Ping `Host`.
    Ping,
    /// The way to `Host`.
    #[serde(rename = "traceroute")]
    TraceRoute,
    /// The throughput of a download from `DownloadURL`.
    Download,
    /// The throughput of an upload to `UploadURL`.
    Upload,
    /// UDP echo with `Host` and `Port`.
    UdpEcho,
    /// Look `HostName` up.
    #[serde(rename = "nslookup")]
    NsLookup,
    /// The Wi-Fi networks in the neighbourhood.
    WifiNeighbours,
}

impl DiagnosticWord {
    const fn kind(self) -> DiagnosticKind {
        match self {
            Self::Ping => DiagnosticKind::Ping,
            Self::TraceRoute => DiagnosticKind::TraceRoute,
            Self::Download => DiagnosticKind::Download,
            Self::Upload => DiagnosticKind::Upload,
            Self::UdpEcho => DiagnosticKind::UdpEcho,
            Self::NsLookup => DiagnosticKind::NsLookup,
            Self::WifiNeighbours => DiagnosticKind::WifiNeighbours,
        }
    }
}

/// One result of a task.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResultView {
    /// Its name, of a diagnostic relative to the object: `RouteHops.3.RTTimes`.
    /// What follows by arithmetic begins with `Derived.`.
    name: Box<str>,
    value: String,
    /// `ms`, `us`, `B` or `bit/s`, where the data model gives a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
}

impl ResultView {
    /// The results of a task; `diagnostic` is its kind if it is one.
    pub(super) fn of(results: Vec<TaskResult>, diagnostic: Option<DiagnosticKind>) -> Vec<Self> {
        let view = |result: TaskResult| Self {
            unit: diagnostic.map_or(Unit::Plain, |kind| result_unit(kind, &result.name)).symbol(),
            value: mask::url(&result.value).into_owned(),
            name: result.name,
        };
        results.into_iter().map(view).collect()
    }
}

/// The diagnostic that is asked of a device, checked by its data model.
pub(super) fn diagnose(
    word: Option<DiagnosticWord>,
    inputs: BTreeMap<String, String>,
    device: &Device,
    tree: &Tree,
) -> Result<Action, ApiError> {
    let word = word.ok_or_else(|| bad_value("diagnostic", "is needed by this action"))?;
    let kind = word.kind();
    let root = if device.root.is_empty() { "Device." } else { &device.root };
    let shown = |object: &&DiagnosticObject| tree.under(&object.path()).next().is_some();
    let mut places = DiagnosticObject::places(kind, root);
    let object = DiagnosticObject::places(kind, root).find(shown).or_else(|| places.next());
    let object = object.ok_or_else(|| {
        let why = format!("the data model of this device ({root}) knows no such diagnostic");
        bad_value("diagnostic", why)
    })?;
    let inputs: Vec<(Box<str>, Box<str>)> =
        inputs.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
    object.check(&inputs).map_err(|(name, error)| bad_value(format!("inputs.{name}"), error))?;
    Ok(Action::Diagnose(Diagnostic { kind, inputs }))
}
