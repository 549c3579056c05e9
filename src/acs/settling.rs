//! What is recorded of a device that was looked at: how far it is from what is
//! wanted, or the mark that it has all of it.

use std::time::Duration;

use super::desiring::Case;
use super::driver::Driver;
use crate::device::{
    Compliance, Drift, Event, EventKind, MAX_DRIFTS, Outcome, Repair, Settlement, Source,
    WrittenValues,
};
use crate::fleet::{Deed, Failure, Look, after_failure, judge};
use crate::param::ParamPath;
use crate::plan::{Assessment, Difference, assess};
use crate::profile::Resolved;
use crate::store::{Change, Record};
use crate::time::Timestamp;

/// What stands in place of a secret.
const MASK: &str = "***";

/// The most characters that are kept of a value.
const MAX_TEXT: usize = 256;

/// The most characters of a reason.
const MAX_WHY: usize = 1_024;

/// The most repairs that are remembered of one device.
const MAX_REPAIRS: usize = 100;

/// At the soonest a device is looked at again without a cause.
const SOONEST: Duration = Duration::from_secs(60);

/// How long a device may wait if profiles look at its phone, which is edited without
/// a word to the device.
const PHONE: Duration = Duration::from_secs(900);

/// How long it may wait if they look at the time.
const CLOCK: Duration = Duration::from_secs(3_600);

/// What was found out by comparing.
pub(super) struct Found {
    /// What differs, and what is done about it.
    pub(super) drifts: Vec<(Drift, Deed)>,
    /// What has to be read first.
    pub(super) unknown: Vec<ParamPath>,
    /// What cannot be had.
    pub(super) impossible: Vec<(Box<str>, Box<str>)>,
    /// Stands for what is wanted.
    pub(super) digest: u64,
    /// Whether the same was wanted when it was last looked at.
    pub(super) same: bool,
    /// Whether something is to be repaired that was as it should be before.
    pub(super) has_new_repair: bool,
}

impl Found {
    /// The drifts of which this is done.
    pub(super) fn with(&self, deed: Deed) -> impl Iterator<Item = &Drift> {
        self.drifts.iter().filter(move |(_, one)| *one == deed).map(|(drift, _)| drift)
    }
}

impl Driver {
    /// Compares what is wanted with what is known, takes over how the last attempt
    /// ended, and tells what is to be done.
    pub(super) fn compare(
        &mut self,
        case: &mut Case,
        resolved: &Resolved,
        now: Timestamp,
    ) -> Found {
        let digest =
            self.shared.fleet.digest_of_state(&resolved.desired, resolved.firmware.as_ref());
        let same = self.work.device.settlement.desired == digest;
        let assessment = self.assess(resolved);
        let repairs =
            self.work.desiring.memory().map_or_else(Vec::new, |memory| memory.repairs.clone());
        let same_firmware = case.compliance.software_version == self.work.device.software_version;
        // Of what is beyond the bound nothing is known from before.
        let knows_all = case.compliance.drifts.len() < MAX_DRIFTS;
        let look = Look {
            now,
            same_wants: same && knows_all,
            same_firmware,
            asked: case.asked && case.attempts == 0,
            drifting: resolved.drifting,
            repairs: &repairs,
            bounds: self.bounds(),
        };
        if (!same || !same_firmware || case.asked) && case.attempts == 0 {
            case.compliance.attempts = 0;
            case.compliance.retry_at = None;
        }
        case.compliance.software_version.clone_from(&self.work.device.software_version);
        let drifts = self.drifts(resolved, &assessment, now);
        let before = std::mem::take(&mut case.compliance.drifts);
        let known = |path: &str| before.iter().find(|drift| *drift.path == *path);
        let mut drifts: Vec<(Drift, Deed)> = drifts
            .into_iter()
            .map(|drift| {
                let before = known(&drift.path);
                judge(drift, before, &look)
            })
            .collect();
        let has_new_repair = knows_all
            && drifts
                .iter()
                .any(|(drift, deed)| *deed == Deed::Repair && known(&drift.path).is_none());
        self.tell_history(case, &before, &drifts);
        let unknown = self.still_unknown(assessment.unknown);
        if let Some((tried, outcome)) = case.tried.take() {
            self.note_repairs(&tried, &drifts, now);
            self.judge_attempt(case, outcome.as_ref(), &mut drifts, &unknown, &look);
        }
        case.compliance.drifts =
            drifts.iter().take(MAX_DRIFTS).map(|(drift, _)| drift.clone()).collect();
        let unknown = self.still_unknown(unknown);
        let impossible = assessment.impossible;
        Found { drifts, unknown, impossible, digest, same, has_new_repair }
    }

    fn assess(&self, resolved: &Resolved) -> Assessment {
        match (&self.work.tree, &self.work.planner) {
            (Some(tree), Some(planner)) if !resolved.desired.is_empty() => {
                assess(&resolved.desired, tree, planner.learned(), planner.written())
            }
            _ => Assessment::default(),
        }
    }

    /// What differs, as it is recorded; another firmware among it.
    fn drifts(&self, resolved: &Resolved, assessment: &Assessment, now: Timestamp) -> Vec<Drift> {
        let digest = self.shared.fleet.digest();
        let nobody = || Source { layer: "".into(), name: "".into(), version: 0 };
        let mut drifts: Vec<Drift> = assessment
            .differences
            .iter()
            .map(|one| Drift {
                path: one.path.clone(),
                wanted: shown(one, &one.wanted),
                found: one.found.as_deref().map(|found| shown(one, found)),
                since: now,
                source: resolved.desired.source(one.source).cloned().unwrap_or_else(nobody),
                strayed: false,
                held: "".into(),
                digest: digest(&one.path, &one.wanted),
            })
            .collect();
        let device = &self.work.device;
        if let Some(target) = &resolved.firmware
            && target.version != device.software_version
        {
            let path = firmware_path(&device.root);
            drifts.push(Drift {
                digest: digest(&path, &target.version),
                path,
                wanted: cut(&target.version),
                found: Some(cut(&device.software_version)),
                since: now,
                source: target.source.clone(),
                strayed: false,
                held: "".into(),
            });
        }
        drifts
    }

    fn still_unknown(&self, unknown: Vec<ParamPath>) -> Vec<ParamPath> {
        let absent = self.work.desiring.memory().map(|memory| &memory.absent);
        let is_absent =
            |path: &ParamPath| absent.is_some_and(|absent| absent.contains(path.as_str()));
        unknown.into_iter().filter(|path| !is_absent(path)).collect()
    }

    /// What strayed, and what is back, stands in the history of the device.
    fn tell_history(&self, case: &mut Case, before: &[Drift], drifts: &[(Drift, Deed)]) {
        let is_new = |drift: &Drift| !before.iter().any(|before| before.path == drift.path);
        let strayed: Vec<&str> = drifts
            .iter()
            .filter(|(drift, _)| drift.strayed && is_new(drift))
            .map(|(drift, _)| &*drift.path)
            .collect();
        let is_gone = |before: &Drift| !drifts.iter().any(|(drift, _)| drift.path == before.path);
        let back: Vec<&str> = before
            .iter()
            .filter(|before| before.strayed && is_gone(before))
            .map(|before| &*before.path)
            .collect();
        if !strayed.is_empty() {
            case.events.push(EventKind::Drifted(in_words(&strayed)));
        }
        if !back.is_empty() {
            case.events.push(EventKind::Repaired(in_words(&back)));
        }
    }

    /// What had strayed and was repaired is counted.
    fn note_repairs(&mut self, tried: &[Drift], drifts: &[(Drift, Deed)], now: Timestamp) {
        let differs = |path: &str| drifts.iter().any(|(drift, _)| *drift.path == *path);
        let repaired: Vec<Box<str>> = tried
            .iter()
            .filter(|drift| drift.strayed && !differs(&drift.path))
            .map(|drift| drift.path.clone())
            .collect();
        for path in repaired {
            self.note_repair(path, now);
        }
    }

    /// A repair is counted, so that one that is undone each time is noticed.
    pub(super) fn note_repair(&mut self, path: Box<str>, now: Timestamp) {
        let since = now.before(self.bounds().window);
        if let Some(memory) = self.work.desiring.memory_mut() {
            memory.repairs.retain(|repair| repair.at > since);
            if memory.repairs.len() < MAX_REPAIRS {
                memory.repairs.push(Repair { path, at: now });
            }
        }
    }

    /// Takes over how an attempt ended.
    fn judge_attempt(
        &mut self,
        case: &mut Case,
        outcome: Option<&Outcome>,
        drifts: &mut [(Drift, Deed)],
        unknown: &[ParamPath],
        look: &Look<'_>,
    ) {
        let firmware = firmware_path(&self.work.device.root);
        let mut left: Vec<&mut Drift> = drifts
            .iter_mut()
            .filter(|(drift, deed)| *deed == Deed::Repair && drift.path != firmware)
            .map(|(drift, _)| drift)
            .collect();
        if left.is_empty() && (unknown.is_empty() || outcome.is_some()) {
            case.compliance.attempts = 0;
            case.compliance.retry_at = None;
            case.compliance.why = "".into();
        } else {
            let failure = match outcome {
                Some(Outcome::Failed(fault)) => Failure::Fault(fault),
                Some(Outcome::Applied) => Failure::Ineffective,
                Some(Outcome::Accepted) => Failure::Later,
                _ => Failure::Silence,
            };
            let attempts = case.compliance.attempts.saturating_add(1);
            let next = after_failure(failure, &mut left, attempts, self.spread(), look);
            case.compliance.attempts = attempts;
            case.compliance.retry_at = next.retry_at;
            case.compliance.why = next.why;
            case.again = next.at_once;
        }
        for (_, deed) in drifts.iter_mut().filter(|(drift, _)| !drift.held.is_empty()) {
            *deed = Deed::Hold;
        }
        // It was to be read on the way, and the device does not tell it.
        if outcome.is_some() && !unknown.is_empty() {
            let absent: Vec<Box<str>> = unknown.iter().map(|path| path.as_str().into()).collect();
            if let Some(memory) = self.work.desiring.memory_mut() {
                memory.absent.extend(absent);
            }
        }
    }

    /// Records how the device stands, and the mark in its hot record.
    pub(super) fn settle_case(
        &mut self,
        case: &mut Case,
        resolved: &Resolved,
        found: &Found,
        now: Timestamp,
    ) {
        let id = self.work.device.id.clone();
        let waits = found.with(Deed::Repair).next().is_some();
        if !waits {
            case.compliance.retry_at = None;
        }
        let why = reason(case, resolved, found);
        let is_off = !found.drifts.is_empty() || !why.is_empty();
        self.end_asked(
            if found.drifts.is_empty() { Ok("nothing differs") } else { Err(&why) },
            now,
        );
        let mut compliance = Compliance { at: now, why, ..case.compliance.clone() };
        if !found
            .drifts
            .iter()
            .any(|(drift, _)| drift.path == firmware_path(&self.work.device.root))
        {
            compliance.firmware = None;
        }
        let firmware = compliance.firmware.as_ref().and_then(|firmware| firmware.retry_at);
        let retry = compliance.retry_at;
        let pending = &mut self.work.pending;
        if is_off {
            let alike = case.stored.as_ref().is_some_and(|stored| {
                Compliance { at: stored.at, ..compliance.clone() } == *stored
            });
            if !alike {
                pending.put(Record::Compliance(Box::new(compliance)));
            }
        } else if case.stored.is_some() {
            pending.push(Change::ForgetCompliance(id.clone()));
        }
        for kind in case.events.drain(..) {
            pending.put(Record::Event(Event { device: id.clone(), at: now, kind }));
        }
        let times = [retry, firmware, self.next_stale(resolved), Some(self.look_again(case, now))];
        let due = times.into_iter().flatten().min().unwrap_or(now).max(now.after(SOONEST));
        let mark = Settlement {
            profiles: case.set.fingerprint(),
            labels: case.labels.revision,
            desired: found.digest,
            due,
        };
        let before = self.work.device.settlement;
        // A later day alone is not worth a write.
        let holds = Settlement { due: before.due, ..mark } == before && now < before.due;
        if !holds || mark.due < before.due {
            self.work.device.settlement = mark;
            self.work.device_changed = true;
        }
    }

    /// When the device is looked at without a cause, other for each.
    fn look_again(&self, case: &Case, now: Timestamp) -> Timestamp {
        let most = Duration::from_secs(self.shared.desires.look_again.into());
        let pause = if case.set.asks().phone { most.min(PHONE) } else { most };
        let pause = if case.set.needs_time() { pause.min(CLOCK) } else { pause };
        let hundredths = u32::try_from(self.spread() % 25).unwrap_or(0);
        now.after(pause - pause / 100 * hundredths)
    }

    /// What is remembered beside the tree goes into the pending batch.
    pub(super) fn collect_memory(&mut self) {
        let digests = self.work.planner.as_mut().and_then(crate::plan::Planner::take_written);
        if let Some(memory) = self.work.desiring.take_memory(digests) {
            let memory: WrittenValues = memory;
            self.work.pending.put(Record::Written(Box::new(memory)));
        }
    }
}

/// Where a device tells its firmware.
pub(super) fn firmware_path(root: &str) -> Box<str> {
    format!("{root}DeviceInfo.SoftwareVersion").into()
}

/// Why the device is not as it is wanted, in words; empty if there is no reason to
/// tell.
fn reason(case: &Case, resolved: &Resolved, found: &Found) -> Box<str> {
    let mut reasons: Vec<String> = Vec::new();
    if !case.compliance.why.is_empty() && found.with(Deed::Repair).next().is_some() {
        reasons.push(case.compliance.why.to_string());
    }
    for drift in found.with(Deed::Hold) {
        reasons.push(format!("{}: {}", drift.path, drift.held));
    }
    let told = found.with(Deed::Report).count();
    if told > 0 {
        reasons.push(format!("{told} strayed and are left: the profile only tells"));
    }
    for (path, why) in &found.impossible {
        reasons.push(format!("{path}: {why}"));
    }
    for problem in &resolved.problems {
        reasons.push(problem.to_string());
    }
    reasons.extend(case.problems.iter().map(ToString::to_string));
    reasons.dedup();
    reasons.join("; ").chars().take(MAX_WHY).collect()
}

/// A text of a difference, as it may be shown.
fn shown(difference: &Difference, text: &str) -> Box<str> {
    if difference.secret && !text.is_empty() { MASK.into() } else { cut(text) }
}

fn cut(text: &str) -> Box<str> {
    text.chars().take(MAX_TEXT).collect()
}

/// The first paths, and how many more.
fn in_words(paths: &[&str]) -> Box<str> {
    const TOLD: usize = 8;
    let mut text = paths.iter().take(TOLD).copied().collect::<Vec<_>>().join(", ");
    if paths.len() > TOLD {
        text = format!("{text} and {} more", paths.len() - TOLD);
    }
    text.chars().take(MAX_WHY).collect()
}
