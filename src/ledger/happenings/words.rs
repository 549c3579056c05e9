//! How each thing that happens is told. Secrets are masked here, whatever was
//! masked before.

use crate::cwmp::mask;
use crate::device::{
    Cause, ChangeSet, DeviceId, Event, EventCode, EventKind, Outcome, RpcOutcome, SessionRecord,
    Stranger, Task, TaskState, ValueChange,
};
use crate::news::{MAX_VALUES, NewsDraft, NewsKind, NewsValue};
use crate::param::ParamPath;
use crate::rollout::CampaignRecord;
use crate::schema::Schema;
use crate::time::Timestamp;

/// The most faults of one session that are told.
pub(super) const MAX_FAULTS: usize = 5;

/// The longest text, in characters.
const MAX_TEXT: usize = 500;

/// The longest value, in characters.
const MAX_VALUE: usize = 256;

/// The most parameters that are named of a fault.
const MAX_NAMED: usize = 10;

/// What stands in place of a secret.
const MASK: &str = "***";

/// A text from elsewhere: without users of URLs, and of bounded length.
fn plain(text: &str) -> String {
    mask::text(text).chars().take(MAX_TEXT).collect()
}

/// A device that had been away informs again.
pub(super) fn online(id: &DeviceId, since: Timestamp, at: Timestamp) -> NewsDraft {
    let seconds = at.since(since).as_secs();
    NewsDraft::new(at, NewsKind::DeviceOnline, format!("informs again after {seconds} seconds"))
        .about(id)
        .with("last_inform", since.to_string())
        .with("away_seconds", seconds.to_string())
}

/// A device does not come.
pub(super) fn offline(id: &DeviceId, since: Timestamp, at: Timestamp) -> NewsDraft {
    NewsDraft::new(at, NewsKind::DeviceOffline, format!("has not informed since {since}"))
        .about(id)
        .with("last_inform", since.to_string())
}

/// What a line of a device's history tells. `with_values` says whether the same
/// commit tells which values changed.
pub(super) fn of_event(event: &Event, with_values: bool, news: &mut Vec<NewsDraft>) {
    let tell = |kind, text: &str| NewsDraft::new(event.at, kind, plain(text)).about(&event.device);
    match &event.kind {
        EventKind::FirstContact => news.push(tell(NewsKind::DeviceNew, "seen for the first time")),
        EventKind::Inform(codes) => {
            if codes.contains(&EventCode::Bootstrap) {
                news.push(tell(NewsKind::DeviceBootstrap, "bootstrapped"));
            }
            if codes.contains(&EventCode::Boot) {
                news.push(tell(NewsKind::DeviceBoot, "booted"));
            }
            if codes.contains(&EventCode::ValueChange) && !with_values {
                news.push(tell(NewsKind::ValueChange, "reported that values changed"));
            }
        }
        EventKind::SoftwareChanged { from, to } => {
            let text = format!("{from} became {to}");
            let told = tell(NewsKind::SoftwareChange, &text);
            news.push(told.with("from", plain(from)).with("to", plain(to)));
        }
        EventKind::Alarm(text) => news.push(tell(NewsKind::Alarm, text)),
        EventKind::Drifted(text) => {
            news.push(tell(NewsKind::Drift, text).with("state", "drifted"));
        }
        EventKind::Repaired(text) => {
            news.push(tell(NewsKind::Drift, text).with("state", "repaired"));
        }
        EventKind::Told(_) | EventKind::TakenIn(_) => {}
    }
}

/// How a task ended, and the device's fault if it gave one. What the device says
/// in its own words stays in the task: it may repeat what it was sent.
pub(super) fn outcome(task: &Task, news: &mut Vec<NewsDraft>) {
    let TaskState::Ended { at, outcome } = &task.state else { return };
    let (action, word) = (task.action.word(), task.state.word());
    let named = |draft: NewsDraft| {
        draft.about(&task.device).with("task", task.id.to_string()).with("action", action)
    };
    let mut told = named(NewsDraft::new(*at, NewsKind::TaskOutcome, format!("{action}: {word}")))
        .with("outcome", word)
        .with("by", &*task.created_by);
    let Outcome::Failed(fault) = outcome else { return news.push(told) };
    if fault.code == 0 {
        return news.push(told);
    }
    let code = fault.code.to_string();
    told.details.insert("fault".into(), code.as_str().into());
    news.push(told);
    let text = format!("answered {action} with fault {code}");
    let mut faulty = named(NewsDraft::new(*at, NewsKind::Fault, text)).with("fault", code);
    if !fault.parameters.is_empty() {
        let names: Vec<&str> =
            fault.parameters.iter().take(MAX_NAMED).map(|(name, _, _)| &**name).collect();
        faulty = faulty.with("parameters", plain(&names.join(" ")));
    }
    news.push(faulty);
}

/// Faults that a device gave in a session to what belonged to no task.
pub(super) fn faults(session: &SessionRecord) -> impl Iterator<Item = NewsDraft> {
    session.rpcs.iter().filter(|rpc| !rpc.by_device && rpc.task.is_none()).filter_map(|rpc| {
        let RpcOutcome::Fault(code, _) = &rpc.outcome else { return None };
        let at = session.began_at.after(std::time::Duration::from_millis(rpc.after.into()));
        let text = format!("answered {} with fault {code}", rpc.method);
        Some(
            NewsDraft::new(at, NewsKind::Fault, text)
                .about(&session.device)
                .with("method", &*rpc.method)
                .with("fault", code.to_string()),
        )
    })
}

/// Which values changed; the first of them with what they were and are.
pub(super) fn values(set: &ChangeSet) -> NewsDraft {
    let text = match set.changes.as_slice() {
        [one] => format!("{} changed", one.path),
        all => format!("{} values changed", all.len()),
    };
    let mut draft = NewsDraft::new(set.at, NewsKind::ValueChange, plain(&text))
        .about(&set.device)
        .with("count", set.changes.len().to_string());
    draft.values = set.changes.iter().take(MAX_VALUES).map(value).collect();
    draft
}

fn value(change: &ValueChange) -> NewsValue {
    let is_row = change.path.ends_with('.');
    let is_secret = !is_row
        && ParamPath::parse(&change.path).map_or(true, |path| Schema::core().is_secret(&path));
    let shown = |text: &Option<Box<str>>| {
        text.as_ref().map(|text| {
            if is_secret && !text.is_empty() {
                Box::from(MASK)
            } else {
                mask::text(text).chars().take(MAX_VALUE).collect::<String>().into()
            }
        })
    };
    NewsValue {
        path: change.path.clone(),
        before: shown(&change.before),
        after: shown(&change.after),
        cause: match change.cause {
            Cause::Device => "device",
            Cause::Task(..) => "task",
            Cause::Server => "server",
            Cause::Bootstrap => "bootstrap",
            Cause::Firmware => "firmware",
        }
        .into(),
    }
}

/// A campaign that stands elsewhere than before, or in another wave.
pub(super) fn campaign(
    campaign: &CampaignRecord,
    before: Option<&CampaignRecord>,
    now: Timestamp,
) -> Option<NewsDraft> {
    let wave = |record: &CampaignRecord| record.state.wave().map(|(wave, _)| wave);
    let (state, was) = (campaign.state.word(), before.map(|before| before.state.word()));
    if was == Some(state) && before.is_some_and(|before| wave(before) == wave(campaign)) {
        return None;
    }
    let text = format!("campaign {} is {}", campaign.name, state.replace('_', " "));
    let mut draft = NewsDraft::new(now, NewsKind::CampaignState, text)
        .with("campaign", &*campaign.name)
        .with("state", state);
    draft.tenant.clone_from(&campaign.tenant);
    if let Some(was) = was {
        draft = draft.with("from", was);
    }
    if let Some(wave) = wave(campaign) {
        // As people count them.
        draft = draft.with("wave", wave.saturating_add(1).to_string());
    }
    Some(draft)
}

/// An unknown device waits to be taken in or refused.
pub(super) fn stranger(stranger: &Stranger) -> NewsDraft {
    let text = format!("an unknown device waits: {}", stranger.device);
    NewsDraft::new(stranger.last_seen, NewsKind::Alarm, text)
        .about(&stranger.device)
        .with("stranger", stranger.device.as_str())
        .with("address", stranger.address.to_string())
}
