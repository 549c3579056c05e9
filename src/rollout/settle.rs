//! What becomes of one device of a campaign.

use super::member::{Member, MemberState};
use super::spec::{CampaignAction, CampaignSpec};
use super::window::{Window, WindowNow};
use crate::device::Outcome;
use crate::time::Timestamp;

/// What is seen of a device that is at work.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// How its task ended; `None` while it has not.
    pub outcome: Option<&'a Outcome>,
    /// Whether its task is there at all.
    pub task_is_there: bool,
    /// Whether doing it again would do it twice.
    pub once_only: bool,
    /// How many sessions it has opened; `None` if the device is gone.
    pub sessions: Option<u64>,
    /// The software version that it reports.
    pub software_version: &'a str,
}

/// What becomes of a device that is at work: its new state, with its attempts
/// counted; `None` if it stays as it is.
pub fn settle(
    spec: &CampaignSpec,
    window: Option<&Window>,
    member: &Member,
    seen: &Seen<'_>,
    now: Timestamp,
) -> Option<Member> {
    let case = Case { spec, window, member, seen, now };
    match &member.state {
        MemberState::Asked { .. } => case.asked(),
        MemberState::Checking { sessions, until, .. } => case.checking(*sessions, *until),
        MemberState::Resting { until, .. } if *until <= now => case.to(MemberState::Waiting),
        MemberState::UndoAsked { .. } => case.undo_asked(),
        _ => None,
    }
}

struct Case<'a> {
    spec: &'a CampaignSpec,
    window: Option<&'a Window>,
    member: &'a Member,
    seen: &'a Seen<'a>,
    now: Timestamp,
}

impl Case<'_> {
    // An Option, because that is what everybody here answers with.
    #[allow(clippy::unnecessary_wraps, reason = "it stands for the answer of the whole")]
    fn to(&self, state: MemberState) -> Option<Member> {
        Some(Member { state, ..self.member.clone() })
    }

    fn failed(&self, why: &str) -> Option<Member> {
        self.to(MemberState::Failed { at: self.now, why: why.into() })
    }

    fn asked(&self) -> Option<Member> {
        let now = self.now;
        if !self.seen.task_is_there || self.seen.sessions.is_none() {
            let why = "the device was forgotten".into();
            return self.to(MemberState::Skipped { at: now, why });
        }
        match self.seen.outcome? {
            Outcome::Applied | Outcome::Accepted => self.well(),
            Outcome::Failed(fault) => {
                let code = if fault.code == 0 { String::new() } else { format!("{} ", fault.code) };
                self.again(&format!("{code}{}", fault.text))
            }
            // Nobody knows what it did: asking again could do it twice.
            Outcome::Unknown(why) if self.seen.once_only => {
                self.failed(&format!("nobody knows what became of it: {why}"))
            }
            Outcome::Unknown(why) => self.again(why),
            Outcome::Expired => self.not_come(),
            Outcome::Cancelled => {
                let why = "somebody withdrew what was asked".into();
                self.to(MemberState::Skipped { at: now, why })
            }
        }
    }

    /// It did what it was asked: is there more to be shown?
    fn well(&self) -> Option<Member> {
        let (now, sessions) = (self.now, self.seen.sessions.unwrap_or(0));
        let within = match (&self.spec.action, self.spec.health) {
            (CampaignAction::Migrate { quiet, .. }, _) => *quiet,
            (_, Some(health)) => health.within,
            (_, None) => return self.to(MemberState::Done { at: now }),
        };
        let until = now.after(within.duration());
        self.to(MemberState::Checking { since: now, sessions, until })
    }

    fn checking(&self, sessions: u64, until: Timestamp) -> Option<Member> {
        let Some(opened) = self.seen.sessions else {
            return self.failed("the device was forgotten before it showed that it is well");
        };
        let informed = opened > sessions;
        match &self.spec.action {
            CampaignAction::Migrate { .. } if informed => {
                self.failed("it still informs here and did not come home there")
            }
            CampaignAction::Migrate { .. } if self.now >= until => {
                self.to(MemberState::Done { at: self.now })
            }
            CampaignAction::Migrate { .. } => None,
            CampaignAction::Firmware { version: Some(version), .. }
                if informed && *self.seen.software_version != **version =>
            {
                let runs = self.seen.software_version;
                self.failed(&format!("it informed again, and runs {runs} and not {version}"))
            }
            _ if informed => self.to(MemberState::Done { at: self.now }),
            _ if self.now >= until => self.failed("it did not inform again in time"),
            _ => None,
        }
    }

    /// An attempt failed.
    fn again(&self, why: &str) -> Option<Member> {
        let attempts = self.member.attempts.saturating_add(1);
        let state = if attempts >= self.spec.attempts.most {
            MemberState::Failed { at: self.now, why: why.into() }
        } else {
            self.rest(why)
        };
        Some(Member { attempts, state, tried: true, ..self.member.clone() })
    }

    /// It did not come in time, so that nothing was sent. That the window closed
    /// is not its fault.
    fn not_come(&self) -> Option<Member> {
        let closed = self.window.map(|window| window.at(self.now));
        if matches!(closed, Some(WindowNow::Closed(_))) {
            return self.to(MemberState::Waiting);
        }
        let attempts = self.member.attempts.saturating_add(1);
        let why = "it did not come";
        let state = if attempts >= self.spec.attempts.most && self.member.tried {
            // What an earlier attempt did to it is not known: that is no good end.
            let why = "an attempt failed, and then it did not come again";
            MemberState::Failed { at: self.now, why: why.into() }
        } else if attempts >= self.spec.attempts.most {
            MemberState::Unreached { at: self.now, why: why.into() }
        } else {
            self.rest(why)
        };
        Some(Member { attempts, state, ..self.member.clone() })
    }

    fn rest(&self, why: &str) -> MemberState {
        let until = self.now.after(self.spec.attempts.pause.duration());
        MemberState::Resting { until, why: why.into() }
    }

    fn undo_asked(&self) -> Option<Member> {
        let now = self.now;
        let not_undone = |why: String| MemberState::NotUndone { at: now, why: why.into() };
        if !self.seen.task_is_there || self.seen.sessions.is_none() {
            return self.to(not_undone("the device was forgotten".to_owned()));
        }
        let why = match self.seen.outcome? {
            Outcome::Applied | Outcome::Accepted => {
                return self.to(MemberState::Undone { at: now });
            }
            Outcome::Unknown(why) if self.seen.once_only => {
                return self.to(not_undone(format!("nobody knows what became of it: {why}")));
            }
            Outcome::Cancelled => {
                return self.to(not_undone("somebody withdrew what was asked".to_owned()));
            }
            Outcome::Unknown(why) => why.to_string(),
            Outcome::Failed(fault) => format!("{} {}", fault.code, fault.text),
            Outcome::Expired => "it did not come".to_owned(),
        };
        let attempts = self.member.attempts.saturating_add(1);
        let state = if attempts >= self.spec.attempts.most {
            not_undone(why)
        } else {
            let until = now.after(self.spec.attempts.pause.duration());
            MemberState::UndoResting { until, why: why.into() }
        };
        Some(Member { attempts, state, ..self.member.clone() })
    }
}
