//! How campaigns and their devices are shown: without secrets.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::mask::{self, MASK};
use crate::campaign::Preview;
use crate::device::DeviceId;
use crate::rollout::{
    CampaignRecord, CampaignSpec, CampaignState, Counts, Member, PaceSpec, Place, at_most,
};
use crate::time::Timestamp;

/// A campaign and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignView {
    name: Box<str>,
    /// The tenant whose it is, and whose devices alone it asks; empty for the
    /// installation's.
    tenant: Box<str>,
    /// `gathering`, `draft`, `needs_approval`, `running`, `paused`, `halted`,
    /// `rolling_back`, `rolled_back`, `stopped`, `finished` or `removing`.
    state: &'static str,
    /// Why it halted, was stopped or is rolled back; who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Box<str>>,
    /// Whether nothing follows by itself.
    over: bool,
    /// `firmware`, `parameters`, `reboot`, `profile` or `migrate`.
    action: &'static str,
    why: Box<str>,
    #[schema(value_type = String)]
    made_at: Timestamp,
    made_by: Box<str>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<Box<str>>,
    /// Devices in all.
    devices: u64,
    /// Percent of the devices that had their turn.
    progress: u64,
    /// The wave at work, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    wave: Option<u32>,
    /// Devices that it can harm at most before it halts by itself.
    at_most_harmed: u64,
    /// Devices of which it was not known, when it was made, what they had.
    state_unknown: u32,
    /// Devices that could not be brought back, when it was made.
    cannot_undo: u32,
    totals: CountsView,
    /// Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waves: Vec<CountsView>,
    /// What it does, without secrets; not in lists.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<Value>,
    /// What happened to it, oldest first; not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<HistoryView>,
    revision: u32,
}

/// How many devices stand where.
#[derive(Debug, Serialize, ToSchema)]
struct CountsView {
    /// The wave, from 1; not given for all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    wave: Option<usize>,
    devices: u64,
    waiting: u64,
    at_work: u64,
    done: u64,
    already: u64,
    failed: u64,
    unreached: u64,
    skipped: u64,
    undoing: u64,
    undone: u64,
    not_undone: u64,
}

/// One thing that happened to a campaign.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryView {
    #[schema(value_type = String)]
    at: Timestamp,
    /// Who did it; `provost` for the campaign itself.
    by: Box<str>,
    what: Box<str>,
}

/// What a campaign would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewView {
    /// Devices in all.
    devices: u32,
    /// Devices of each wave.
    waves: Vec<u32>,
    /// Devices that it can harm at most before it halts by itself.
    at_most_harmed: u64,
    /// Devices of which it is not known what they have now.
    state_unknown: u32,
    /// Devices that could not be brought back to what they were.
    cannot_undo: u32,
    /// Devices for which the rule cannot be decided; they are left out.
    undecided: u32,
    /// When the last device is asked at the earliest, if it began now.
    #[schema(value_type = Option<String>)]
    ends_not_before: Option<Timestamp>,
    /// Whether somebody has to approve it.
    needs_approval: bool,
    /// What it would do, with what was not said filled in, without secrets.
    #[schema(value_type = Object)]
    spec: Value,
}

/// A device of a campaign.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberView {
    #[schema(value_type = String)]
    device: DeviceId,
    /// The wave, from 1.
    wave: u32,
    /// Where it is counted.
    state: &'static str,
    /// Since when, or until when, it stands there.
    #[schema(value_type = Option<String>)]
    at: Option<Timestamp>,
    /// Why it stands there; empty if there is nothing to tell.
    why: String,
    /// How often it was asked.
    asks: u32,
    /// The task that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
}

impl CampaignView {
    /// Without what is long.
    pub(super) fn in_list(record: &CampaignRecord) -> Self {
        let spec = CampaignSpec::parse(&record.text, PaceSpec::default()).ok();
        let devices = record.devices();
        let to_come = record.count(Place::Waiting) + record.count(Place::AtWork);
        let had_turn = devices.saturating_sub(to_come);
        let fleet = u32::try_from(devices).unwrap_or(u32::MAX);
        let reason = match &record.state {
            CampaignState::Halted { why, .. }
            | CampaignState::RollingBack { why, .. }
            | CampaignState::Stopped { why, .. } => Some(why.clone()),
            CampaignState::Paused { by, .. } => Some(format!("held by {by}").into()),
            CampaignState::NeedsApproval { by, .. } => Some(format!("started by {by}").into()),
            _ => None,
        };
        let (approved_at, approved_by) = record.approved.clone().unzip();
        Self {
            name: record.name.clone(),
            tenant: record.tenant.clone(),
            state: record.state.word(),
            reason,
            over: record.state.is_over(),
            action: spec.as_ref().map_or("unknown", |spec| spec.action.word()),
            why: record.why.clone(),
            made_at: record.at,
            made_by: record.by.clone(),
            started_at: record.started_at,
            approved_at,
            approved_by,
            devices,
            progress: had_turn.saturating_mul(100).checked_div(devices).unwrap_or(0),
            wave: record.state.wave().map(|(wave, _)| wave.saturating_add(1)),
            at_most_harmed: spec.as_ref().map_or(devices, |spec| at_most(spec, fleet)),
            state_unknown: record.unknown,
            cannot_undo: record.cannot_undo,
            totals: CountsView::new(None, |place| record.count(place)),
            waves: Vec::new(),
            spec: None,
            history: Vec::new(),
            revision: record.revision,
        }
    }

    /// With everything.
    pub(super) fn whole(record: &CampaignRecord) -> Self {
        let wave = |(at, counts): (usize, &Counts)| {
            CountsView::new(Some(at.saturating_add(1)), |place| counts.of(place).into())
        };
        let history = record.history.iter().map(|line| HistoryView {
            at: line.at,
            by: line.by.clone(),
            what: line.what.clone(),
        });
        Self {
            waves: record.waves.iter().enumerate().map(wave).collect(),
            spec: Some(shown(&record.text)),
            history: history.collect(),
            ..Self::in_list(record)
        }
    }
}

impl CountsView {
    fn new(wave: Option<usize>, count: impl Fn(Place) -> u64) -> Self {
        Self {
            wave,
            devices: Place::ALL.into_iter().map(&count).sum(),
            waiting: count(Place::Waiting),
            at_work: count(Place::AtWork),
            done: count(Place::Done),
            already: count(Place::Already),
            failed: count(Place::Failed),
            unreached: count(Place::Unreached),
            skipped: count(Place::Skipped),
            undoing: count(Place::Undoing),
            undone: count(Place::Undone),
            not_undone: count(Place::NotUndone),
        }
    }
}

impl From<Preview> for PreviewView {
    fn from(preview: Preview) -> Self {
        Self {
            devices: preview.devices,
            waves: preview.waves,
            at_most_harmed: preview.at_most,
            state_unknown: preview.unknown,
            cannot_undo: preview.cannot_undo,
            undecided: preview.undecided,
            ends_not_before: preview.ends_not_before,
            needs_approval: preview.needs_approval,
            spec: shown(&preview.spec),
        }
    }
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self {
            device: member.device.clone(),
            wave: member.wave.saturating_add(1),
            state: member.state.place().word(),
            at: member.state.at(),
            why: mask::url(member.state.why()).into_owned(),
            asks: member.asks,
            task: member.state.task().map(|task| task.to_string()),
        }
    }
}

/// A campaign's text as it may be shown.
fn shown(text: &str) -> Value {
    let mut spec: Value = serde_json::from_str(text).unwrap_or_default();
    let values = spec.pointer_mut("/action/parameters/values").and_then(Value::as_object_mut);
    if let Some(values) = values {
        for (path, value) in values {
            if let Some(text) = value.as_str() {
                *value = mask::value(path, text).into_owned().into();
            } else if mask::value(path, "1") == MASK {
                *value = MASK.into();
            }
        }
    }
    let url = spec.pointer_mut("/action/migrate/url");
    if let Some(Value::String(url)) = url {
        *url = mask::url(url).into_owned();
    }
    if let Some(password) = spec.pointer_mut("/action/migrate/password") {
        *password = MASK.into();
    }
    spec
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_of_a_campaign_are_masked_and_nothing_else_is() {
        let text = json!({"name": "c", "action": {"migrate": {
            "url": "https://u:c4n4ry@acs.example/", "username": "u", "password": "c4n4ry"}}});
        let masked = shown(&text.to_string());
        assert!(!masked.to_string().contains("c4n4ry"), "{masked}");
        assert_eq!(masked["action"]["migrate"]["username"], "u");
        let values = json!({"Device.WiFi.SSID.1.SSID": "home", "Device.Users.User.1.Password": "c4n4ry",
            "Device.Users.User.2.Password": 1234});
        let text = json!({"action": {"parameters": {"values": values}}});
        let masked = shown(&text.to_string());
        assert_eq!(masked["action"]["parameters"]["values"]["Device.WiFi.SSID.1.SSID"], "home");
        let text = masked.to_string();
        assert!(!text.contains("c4n4ry") && !text.contains("1234"), "{text}");
        let text = json!({"action": {"reboot": {}}});
        assert_eq!(shown(&text.to_string()), text);
    }
}
