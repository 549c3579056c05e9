//! Diagnostics as a simulated device runs them (TR-143, TR-181
//! `IP.Diagnostics.`): after the session that asked, for a while, until they
//! are complete or fail.
//!
//! What comes of one follows from the host that it is given: names that end in
//! `.invalid` (RFC 2606) cannot be resolved, 203.0.113.0/24 (RFC 5737) has no
//! route, everything else answers. [`Habit`]s say how a device strays.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

use super::cpe::Cpe;
use super::model::{Check, Model, Parameter};
use super::personality::Habit;
use crate::cwmp::ParameterValue;
use crate::device::{DiagnosticKind, EventCode};
use crate::param::{Value, ValueType};
use crate::schema::{DiagnosticInput, DiagnosticObject, InputForm};
use crate::time::Timestamp;

/// How long a diagnostic takes.
const DURATION: Duration = Duration::from_millis(300);

/// Hops that a device with [`Habit::EndlessHops`] tells.
const ENDLESS: u32 = 600;

const STATE: &str = "DiagnosticsState";

/// The diagnostics that run.
#[derive(Clone, Debug, Default)]
pub(super) struct Diagnostics {
    running: Vec<(&'static DiagnosticObject, Timestamp)>,
}

impl Diagnostics {
    /// When the next one ends.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.running.iter().map(|(_, ends)| *ends).min()
    }

    /// Takes note of a SetParameterValues: `Requested` starts a diagnostic,
    /// another input alone ends one that runs. Returns the objects that are
    /// reset to `None`.
    fn written(
        &mut self,
        root: &str,
        values: &[ParameterValue],
        now: Timestamp,
    ) -> Vec<&'static DiagnosticObject> {
        let mut reset = Vec::new();
        for object in newest(root) {
            let path = object.path();
            let own = |value: &&ParameterValue| value.name.as_str().starts_with(&path);
            let Some(first) = values.iter().find(own) else { continue };
            let asked = values.iter().filter(own).any(|value| {
                value.name.as_str().strip_prefix(&path) == Some(STATE)
                    && &*value.value.text == "Requested"
            });
            let ran = self.running.iter().any(|(known, _)| known.path() == path);
            self.running.retain(|(known, _)| known.path() != path);
            if asked {
                self.running.push((object, now.after(DURATION)));
            } else if ran && first.name.as_str() != format!("{path}{STATE}") {
                reset.push(object);
            }
        }
        reset
    }

    /// A diagnostic whose time is over.
    fn finish(&mut self, now: Timestamp) -> Option<&'static DiagnosticObject> {
        let position = self.running.iter().position(|(_, ends)| *ends <= now)?;
        Some(self.running.remove(position).0)
    }
}

/// The diagnostics that a device has: each at its newest place.
fn newest(root: &str) -> impl Iterator<Item = &'static DiagnosticObject> {
    let mut seen = Vec::new();
    DiagnosticObject::all().iter().filter(move |object| {
        let is_first = object.root == root && !seen.contains(&object.kind);
        if is_first {
            seen.push(object.kind);
        }
        is_first
    })
}

/// Puts all diagnostics of the data model into the model.
pub(super) fn define(model: &mut Model, root: &str) {
    for object in newest(root) {
        let path = object.path();
        let state = Check::OneOf(&["Requested", "Canceled", "None"]);
        let state = Parameter::writable(Value::string("None"), state);
        model.define(&format!("{path}{STATE}"), state);
        for input in object.inputs {
            model.define(&format!("{path}{}", input.name), input_parameter(input));
        }
        for (name, _) in object.results {
            model.define(&format!("{path}{name}"), Parameter::fixed(nothing(name)));
        }
        for table in object.tables {
            model.define_table(&format!("{path}{}", table.name), None);
        }
    }
}

fn input_parameter(input: &DiagnosticInput) -> Parameter {
    let (text, check) = match input.form {
        InputForm::Number(least, most) => {
            (least.to_string(), Check::Range(least.into(), most.into()))
        }
        InputForm::Bytes { .. } => ("0".to_owned(), Check::Any),
        InputForm::Flag => ("0".to_owned(), Check::Any),
        InputForm::OneOf(texts) => {
            (texts.first().copied().unwrap_or_default().to_owned(), Check::OneOf(texts))
        }
        InputForm::Host | InputForm::OptionalHost | InputForm::Url | InputForm::Interface => {
            (String::new(), Check::Length(256))
        }
    };
    Parameter::writable(Value::new(text, input.form.value_type()), check)
}

/// What a result says before anything ran.
fn nothing(name: &str) -> Value {
    if name.ends_with("Time") && !name.ends_with("ResponseTime") {
        Value::new("0001-01-01T00:00:00Z", ValueType::DateTime)
    } else if name.contains("Bytes") {
        Value::new("0", ValueType::UnsignedLong)
    } else if name == "IPAddressUsed" {
        Value::string("")
    } else {
        Value::unsigned(0)
    }
}

impl Cpe {
    /// SetParameterValues was carried out: diagnostics begin or are dropped.
    pub(super) fn diagnostics_written(&mut self, values: &[ParameterValue], now: Timestamp) {
        let root = self.blueprint.root();
        for object in self.diagnostics.written(root, values, now) {
            self.model.change(&format!("{}{STATE}", object.path()), "None");
        }
    }

    /// Ends the diagnostics whose time is over.
    pub(super) fn end_diagnostics(&mut self, now: Timestamp) {
        while let Some(object) = self.diagnostics.finish(now) {
            let personality = self.blueprint.personality();
            if personality.does(Habit::EndlessDiagnostics) {
                continue;
            }
            let canceled = personality.does(Habit::CancelsDiagnostics);
            let is_told = !personality.does(Habit::SilentDiagnostics);
            let hops = if personality.does(Habit::EndlessHops) { ENDLESS } else { 3 };
            let state = if canceled { "Canceled" } else { self.carry_out(object, hops, now) };
            self.model.change(&format!("{}{STATE}", object.path()), state);
            if is_told {
                self.raise(EventCode::DiagnosticsComplete, "");
            }
        }
    }

    /// Fills the results in and says how it ended.
    fn carry_out(
        &mut self,
        object: &'static DiagnosticObject,
        hops: u32,
        now: Timestamp,
    ) -> &'static str {
        let path = object.path();
        let host = self.target(object);
        if host.ends_with(".invalid") {
            return match object.kind {
                DiagnosticKind::NsLookup => "Error_DNSServerNotResolved",
                DiagnosticKind::Download | DiagnosticKind::Upload if object.root != "Device." => {
                    "Error_InitConnectionFailed"
                }
                _ => "Error_CannotResolveHostName",
            };
        }
        if host.starts_with("203.0.113.") {
            let knows = object.root == "Device." && object.kind != DiagnosticKind::UdpEcho;
            return if knows { "Error_NoRouteToHost" } else { "Error_Other" };
        }
        let number = |model: &Model, name: &str| {
            model.text(&format!("{path}{name}")).parse::<u64>().unwrap_or(0)
        };
        let count = number(&self.model, "NumberOfRepetitions").clamp(1, 1000);
        let size = number(&self.model, "TestFileLength").max(1_000_000);
        let individual = self.model.text(&format!("{path}EnableIndividualPacketResults")) == "1";
        for (name, _) in object.results {
            let text = result(name, count, size, now);
            self.model.change(&format!("{path}{name}"), &text);
        }
        for table in object.tables {
            let rows = match object.kind {
                DiagnosticKind::TraceRoute => hops,
                DiagnosticKind::NsLookup => u32::try_from(count).unwrap_or(1),
                DiagnosticKind::UdpEcho if individual => u32::try_from(count).unwrap_or(1),
                DiagnosticKind::WifiNeighbours => 2,
                _ => 0,
            };
            let name = format!("{path}{}", table.name);
            self.model.clear_table(&name);
            for row in 1..=rows {
                let Some(number) = self.model.define_row(&name) else { break };
                for (column, _) in table.columns {
                    let value = cell(column, row, &host, now);
                    self.model.define(&format!("{name}{number}.{column}"), Parameter::fixed(value));
                }
            }
            self.model.change(&format!("{path}{}", table.counter), &rows.to_string());
        }
        if object.root == "Device." || object.kind != DiagnosticKind::Download {
            "Complete"
        } else {
            "Completed"
        }
    }

    /// The host that a diagnostic is about.
    fn target(&self, object: &DiagnosticObject) -> String {
        let path = object.path();
        let text = |name: &str| self.model.text(&format!("{path}{name}")).to_owned();
        match object.kind {
            DiagnosticKind::NsLookup => text("HostName"),
            DiagnosticKind::Download => host_of(&text("DownloadURL")),
            DiagnosticKind::Upload => host_of(&text("UploadURL")),
            _ => text("Host"),
        }
    }
}

fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?']).next().unwrap_or_default().to_owned()
}

/// The text of a single result. The transfer takes one second.
fn result(name: &str, count: u64, size: u64, now: Timestamp) -> String {
    match name {
        "IPAddressUsed" => "198.51.100.7".to_owned(),
        "SuccessCount" => count.to_string(),
        "FailureCount" => "0".to_owned(),
        "TestBytesReceived" | "TestBytesSent" | "TotalBytesReceived" | "TotalBytesSent" => {
            size.to_string()
        }
        "EOMTime" => now.to_string(),
        "BOMTime" | "ROMTime" | "TCPOpenResponseTime" | "TCPOpenRequestTime" => {
            Timestamp::from_millis(now.as_millis().saturating_sub(1000)).to_string()
        }
        name if name.ends_with("ResponseTime") => "21".to_owned(),
        name if name.ends_with("Detailed") => "21000".to_owned(),
        _ => "0".to_owned(),
    }
}

/// A cell of a table of results.
fn cell(column: &str, row: u32, host: &str, now: Timestamp) -> Value {
    match column {
        "Host" | "HopHost" => Value::string(format!("hop-{row}.example.net")),
        "HostAddress" | "HopHostAddress" => Value::string(format!("192.0.2.{}", row % 250 + 1)),
        "RTTimes" | "HopRTTimes" => Value::string("20,21,22"),
        "Status" => Value::string("Success"),
        "AnswerType" => Value::string("NonAuthoritative"),
        "HostNameReturned" => Value::string(host),
        "IPAddresses" => Value::string("198.51.100.80"),
        "DNSServerIP" => Value::string("192.0.2.53"),
        "SSID" => Value::string(format!("Neighbour {row}")),
        "BSSID" => Value::string(format!("02:00:5E:10:00:{row:02X}")),
        "Mode" => Value::string("Infrastructure"),
        "Channel" => Value::unsigned(row * 5),
        "SignalStrength" | "Noise" => Value::new("-61", ValueType::Int),
        "SecurityModeEnabled" => Value::string("WPA2"),
        "OperatingFrequencyBand" => Value::string("2.4GHz"),
        "PacketSuccess" => Value::boolean(true),
        "PacketSendTime" | "PacketReceiveTime" => Value::new(now.to_string(), ValueType::DateTime),
        "ErrorCode" | "HopErrorCode" | "TestGenSN" | "TestRespSN" | "BeaconPeriod"
        | "DTIMPeriod" => Value::unsigned(row),
        name if name.contains("Time") || name.contains("Count") => Value::unsigned(21),
        _ => Value::string(""),
    }
}
