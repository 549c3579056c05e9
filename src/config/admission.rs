//! `[admission]`: devices that nobody knows.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What becomes of a device that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdmissionAction {
    /// It is taken in at once.
    #[default]
    Adopt,
    /// It waits until somebody decides; nothing is asked of it meanwhile.
    Quarantine,
    /// It is turned away and leaves nothing behind.
    Deny,
}

/// One `[[admission.rules]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmissionRuleConfig {
    /// Which devices: a rule (CEL) over what the Inform tells.
    #[serde(rename = "match")]
    pub matches: String,
    /// What becomes of them.
    pub action: AdmissionAction,
}

/// `[admission]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionConfig {
    /// What becomes of a device that nobody knows and no rule is about.
    pub unknown: AdmissionAction,
    /// Devices that wait at most; others are then told to come again later.
    pub cap: usize,
    /// The same for one source address; of IPv6 for one /64.
    pub cap_per_source: usize,
    /// Hours after which a device that waits and was not seen again loses its
    /// place to one that comes when there is none left.
    pub stale_hours: u32,
    /// Days after which a device that waits and was not seen again is forgotten.
    pub forget_days: u32,
    /// `[[admission.rules]]`: the first that matches decides, before `unknown`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<AdmissionRuleConfig>,
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        Self {
            unknown: AdmissionAction::Adopt,
            cap: 10_000,
            cap_per_source: 1000,
            stale_hours: 48,
            forget_days: 30,
            rules: Vec::new(),
        }
    }
}

/// Rules at most: each unknown device is held against all of them.
const MAX_RULES: usize = 100;

impl AdmissionConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fail = |key, value: usize, problem| {
            Err(ConfigError::OutOfRange { key, value: value.to_string(), problem })
        };
        if !(1..=1_000_000).contains(&self.cap) {
            return fail("admission.cap", self.cap, "from 1 to 1000000");
        }
        if self.cap_per_source == 0 {
            return fail("admission.cap_per_source", 0, "at least 1");
        }
        if self.stale_hours == 0 {
            return fail("admission.stale_hours", 0, "at least 1");
        }
        if self.forget_days == 0 {
            return fail("admission.forget_days", 0, "at least 1");
        }
        if self.rules.len() > MAX_RULES {
            return fail("admission.rules", self.rules.len(), "at most 100 rules");
        }
        Ok(())
    }
}
