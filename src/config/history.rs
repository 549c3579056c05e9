//! `[history]`: what is remembered of devices, and for how long.

use serde::{Deserialize, Serialize};

/// `[history]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// Days after which events, sessions, reports, traces and changes of values
    /// of a device are removed; 0 keeps them as long as the numbers of `[store]`
    /// allow.
    pub keep_days: u32,
    /// Read-only parameters whose changes are remembered like those of
    /// configuration. `*` stands for the root object or a row.
    pub watch: Vec<String>,
    /// Names of parameters whose changes are never remembered: they change by
    /// themselves.
    pub ignore: Vec<String>,
    /// Backups kept of a device that were taken by themselves, before a reset is
    /// read over; 0 takes none.
    pub automatic_backups: u32,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Self {
            keep_days: 0,
            watch: texts(&[
                "*.DeviceInfo.HardwareVersion",
                "*.DeviceInfo.SoftwareVersion",
                "*.IP.Interface.*.IPv4Address.*.IPAddress",
                "*.PPP.Interface.*.IPCP.LocalIPAddress",
                "*.WANDevice.*.WANConnectionDevice.*.WANIPConnection.*.ExternalIPAddress",
                "*.WANDevice.*.WANConnectionDevice.*.WANPPPConnection.*.ExternalIPAddress",
            ]),
            ignore: texts(&[
                "CurrentLocalTime",
                "DiagnosticsState",
                "ParameterKey",
                "PeriodicInformTime",
                "UpTime",
            ]),
            automatic_backups: 3,
        }
    }
}
