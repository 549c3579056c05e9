//! What a campaign does next.

use super::bound::threshold_reached;
use super::member::Place;
use super::pace::Pace;
use super::record::{CampaignRecord, CampaignState};
use super::spec::{CampaignSpec, Rollback};
use super::window::{Window, WindowNow};
use crate::time::Timestamp;

/// What a campaign does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until something happens or this time comes.
    Idle(Option<Timestamp>),
    /// Ask so many more devices of this wave.
    Ask {
        /// The wave.
        wave: u32,
        /// When it began.
        began: Timestamp,
        /// At most so many.
        most: u32,
        /// What was not sent until then is not sent.
        expires_at: Timestamp,
    },
    /// Bring so many more devices back.
    Undo {
        /// When bringing back began.
        began: Timestamp,
        /// At most so many.
        most: u32,
        /// What was not sent until then is not sent.
        expires_at: Timestamp,
    },
    /// It changes its state, and history gets a line.
    Become(CampaignState, String),
}

/// What a campaign does next. Whoever asks carries it out, records it, and asks
/// again until it is [`Step::Idle`].
pub fn advance(
    spec: &CampaignSpec,
    window: Option<&Window>,
    record: &CampaignRecord,
    pace: &mut Pace,
    now: Timestamp,
) -> Step {
    match &record.state {
        CampaignState::Running { wave, since, not_before } => {
            let turn = Turn { spec, window, record, pace, now };
            turn.running(*wave, *since, *not_before)
        }
        CampaignState::Halted { why, .. }
            if spec.abort.rollback == Rollback::Automatic && spec.action.can_be_undone() =>
        {
            let why = why.clone();
            let state = CampaignState::RollingBack { since: now, why };
            Step::Become(state, "rolls back by itself".to_owned())
        }
        CampaignState::RollingBack { since, .. } => {
            Turn { spec, window, record, pace, now }.rolling_back(*since)
        }
        _ => Step::Idle(None),
    }
}

struct Turn<'a> {
    spec: &'a CampaignSpec,
    window: Option<&'a Window>,
    record: &'a CampaignRecord,
    pace: &'a mut Pace,
    now: Timestamp,
}

impl Turn<'_> {
    fn running(self, wave: u32, since: Timestamp, not_before: Timestamp) -> Step {
        let (spec, now) = (self.spec, self.now);
        let at = usize::try_from(wave).unwrap_or(usize::MAX);
        let counts = self.record.waves.get(at).copied().unwrap_or_default();
        let is_over = counts.waiting == 0 && counts.at_work == 0;
        let tally = self.record.tally;
        if threshold_reached(&spec.abort, tally.finished, tally.failed, is_over) {
            let why = format!(
                "{} of {} finished devices of wave {} failed, and {} is too many",
                tally.failed,
                tally.finished,
                wave + 1,
                spec.abort.failures
            );
            let line = format!("halted: {why}");
            return Step::Become(CampaignState::Halted { wave, since, why: why.into() }, line);
        }
        if is_over {
            return self.next_wave(wave);
        }
        let started = self.record.started_at.unwrap_or(since);
        if now >= started.after(spec.deadline.duration()) {
            let why = format!("{} have passed since it was started", spec.deadline);
            let line = format!("stopped: {why}");
            return Step::Become(CampaignState::Stopped { at: now, why: why.into() }, line);
        }
        if counts.waiting == 0 {
            return Step::Idle(None);
        }
        if now < not_before {
            return Step::Idle(Some(not_before));
        }
        let mut expires_at = now.after(spec.attempts.patience.duration());
        match self.window.map(|window| window.at(now)) {
            Some(WindowNow::Closed(opens)) => return Step::Idle(opens),
            Some(WindowNow::Open(until)) => expires_at = expires_at.min(until),
            None => {}
        }
        let free = self.free();
        let allowed = self.pace.allows(spec.pace.per_minute, now);
        match free.min(allowed).min(counts.waiting) {
            0 if free == 0 => Step::Idle(None),
            0 => Step::Idle(Some(self.pace.next(spec.pace.per_minute))),
            most => Step::Ask { wave, began: since, most, expires_at },
        }
    }

    fn next_wave(&self, wave: u32) -> Step {
        let next = wave.saturating_add(1);
        let now = self.now;
        if usize::try_from(next).unwrap_or(usize::MAX) >= self.record.waves.len() {
            return Step::Become(CampaignState::Finished { at: now }, "finished".to_owned());
        }
        let not_before = now.after(self.spec.waves.soak.duration());
        let line = format!("wave {} is over, wave {} begins", wave + 1, next + 1);
        Step::Become(CampaignState::Running { wave: next, since: now, not_before }, line)
    }

    /// Devices that were changed are brought back at any hour: they are broken
    /// now.
    fn rolling_back(self, since: Timestamp) -> Step {
        let (spec, now) = (self.spec, self.now);
        let changed = self.record.count(Place::Done) + self.record.count(Place::Failed);
        if changed == 0 {
            let at_work = self.record.count(Place::AtWork) + self.record.count(Place::Undoing);
            if at_work > 0 {
                return Step::Idle(None);
            }
            let line = "rolled back".to_owned();
            return Step::Become(CampaignState::RolledBack { at: now }, line);
        }
        let free = self.free();
        let allowed = self.pace.allows(spec.pace.per_minute, now);
        let changed = u32::try_from(changed).unwrap_or(u32::MAX);
        match free.min(allowed).min(changed) {
            0 if free == 0 => Step::Idle(None),
            0 => Step::Idle(Some(self.pace.next(spec.pace.per_minute))),
            most => {
                let expires_at = now.after(spec.attempts.patience.duration());
                Step::Undo { began: since, most, expires_at }
            }
        }
    }

    /// How many more devices may be at work.
    fn free(&self) -> u32 {
        let at_work = self.record.count(Place::AtWork) + self.record.count(Place::Undoing);
        let at_work = u32::try_from(at_work).unwrap_or(u32::MAX);
        self.spec.pace.concurrency.saturating_sub(at_work)
    }
}
