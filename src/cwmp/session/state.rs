//! The states of a session between two HTTP messages, and what each makes of
//! the message that comes next.

use std::time::Duration;

use super::end::Ending;
use super::turn::{Asked, Greeting, Resume, Talk, Turn};
use super::version::Version;
use crate::cwmp::envelope::{Envelope, Namespace};
use crate::cwmp::fault::{Fault, FaultCode};
use crate::cwmp::inform::Inform;
use crate::cwmp::message::{CpeRequest, CpeResponse, Message};
use crate::time::Timestamp;

/// The longest silence that a device may ask for, in seconds.
const LONGEST_SILENCE: u32 = 600;

/// One device's session, between two messages of the device.
///
/// To drive it: keep the session with the connection (or the cookie). When the
/// device has posted, take it out and call [`Session::handle`] with what came;
/// look at the [`Output`]:
///
/// | output | what to do | what to reply |
/// | --- | --- | --- |
/// | [`Output::Inform`] | authenticate, load the device, commit | [`Greeting::acknowledge`] or [`Greeting::refuse`] |
/// | [`Output::Request`] | note it, commit | [`Asked::answer`] or [`Asked::refuse`] |
/// | [`Output::Answer`] | note what the outstanding request came to | [`Turn::request`] or [`Turn::finish`] |
/// | [`Output::Ready`] | the device has nothing more to say | [`Turn::request`] or [`Turn::finish`] |
/// | [`Output::Refused`] | note what was lost | the envelope that comes with it |
/// | [`Output::End`] | note what was lost | HTTP 204 |
///
/// Each turn is consumed by its reply and gives the session back together with
/// the envelope to send; [`Turn::finish`] gives no envelope: the reply is HTTP
/// 204. Between the output and the reply the driver may take its time (and
/// must commit, where the reply acknowledges); the type system sees to it that
/// there is one reply to one message, and never two requests outstanding.
///
/// A session that has [`ended`](Session::is_ended) should be kept until its
/// connection closes: a device may still bring a TransferComplete, or an empty
/// message of its own (Q20). A session that was silent until its
/// [`deadline`](Session::deadline) is to be dropped, and what
/// [`was outstanding`](Session::outstanding) is unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum Session {
    /// Nothing came yet, or the Inform was refused.
    AwaitInform(AwaitInform),
    /// The Inform is acknowledged; the device may make requests of its own
    /// until it posts an empty message.
    Draining(Draining),
    /// A request was sent to the device.
    AwaitResponse(AwaitResponse),
    /// The server has nothing more to ask.
    Ended(Ended),
}

/// See [`Session::AwaitInform`].
#[derive(Clone, Debug, PartialEq)]
pub struct AwaitInform {
    pub(super) pace: Pace,
}

/// See [`Session::Draining`].
#[derive(Clone, Debug, PartialEq)]
pub struct Draining {
    pub(super) talk: Talk,
}

/// See [`Session::AwaitResponse`].
#[derive(Clone, Debug, PartialEq)]
pub struct AwaitResponse {
    pub(super) talk: Talk,
    pub(super) outstanding: Outstanding,
}

/// See [`Session::Ended`].
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    pub(super) pace: Pace,
    /// What is needed to answer a late request; `None` after a breach.
    pub(super) talk: Option<Talk>,
}

/// The request that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outstanding {
    /// Its `cwmp:ID`.
    pub(super) id: Box<str>,
    /// Its method.
    pub(super) method: Box<str>,
}

/// How long the device may be silent, and since when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Seconds, as configured.
    configured: u32,
    /// Seconds, with what the device asked for.
    granted: u32,
    /// When the last message came.
    heard_at: Timestamp,
}

impl Pace {
    const fn heard(self, now: Timestamp) -> Self {
        Self { heard_at: now, ..self }
    }

    /// The pace of a new session whose Inform asked for `wanted` seconds.
    fn asked_for(self, wanted: Option<u32>) -> Self {
        let wanted = wanted.unwrap_or(0).min(LONGEST_SILENCE);
        Self { granted: self.configured.max(wanted), ..self }
    }
}

/// What the device posted.
#[derive(Debug)]
pub enum Input {
    /// An envelope.
    Message(Envelope),
    /// An empty body.
    Empty,
}

/// What was learned from a message, and who speaks next.
#[derive(Debug)]
pub enum Output {
    /// A session begins, or begins anew (Q49).
    Inform {
        /// The Inform.
        inform: Box<Inform>,
        /// The right to answer it.
        turn: Greeting,
        /// The method of the request that was outstanding in the session that
        /// this one replaces: whether it was carried out is unknown.
        lost: Option<Box<str>>,
    },
    /// The device asks something.
    Request {
        /// What it asks.
        request: CpeRequest,
        /// The right to answer it.
        turn: Asked,
    },
    /// The outstanding request was answered. An empty message in place of an
    /// answer counts as fault 9000 (Q56).
    Answer {
        /// The method that was asked.
        method: Box<str>,
        /// What came of it.
        answer: Result<CpeResponse, Fault>,
        /// The right to ask the next thing, or to end.
        turn: Turn,
    },
    /// The device has nothing more to ask.
    Ready(Turn),
    /// The order of the protocol itself demands a fault: version 8006.
    Refused {
        /// The fault to send.
        reply: Envelope,
        /// The method of the request that was outstanding: unknown now.
        lost: Option<Box<str>>,
        /// What the session is afterwards.
        session: Session,
    },
    /// There is nothing to say: reply with HTTP 204.
    End {
        /// Why.
        why: Ending,
        /// The method of the request that was outstanding: unknown now.
        lost: Option<Box<str>>,
        /// What the session is afterwards.
        session: Session,
    },
}

impl Session {
    /// A session in which nothing came yet.
    ///
    /// `silence` is how many seconds it may be silent; a device may ask for
    /// more by its SessionTimeout header, up to 600.
    pub const fn new(silence: u32, now: Timestamp) -> Self {
        let pace = Pace { configured: silence, granted: silence, heard_at: now };
        Self::AwaitInform(AwaitInform { pace })
    }

    /// Takes what the device posted at `now`, and tells what it means.
    pub fn handle(self, input: Input, now: Timestamp) -> Output {
        let pace = self.pace().heard(now);
        let envelope = match input {
            Input::Empty => return self.empty(pace),
            Input::Message(envelope) => envelope,
        };
        let Envelope { id, namespace, session_timeout, supported_versions, message, .. } = envelope;
        match message {
            Message::CpeRequest(CpeRequest::Inform(inform)) => {
                let versions = supported_versions.as_deref();
                self.greeted(id, namespace, session_timeout, versions, inform, pace)
            }
            Message::CpeRequest(request) => self.asked(id, request, pace),
            Message::CpeResponse(response) => self.answered(id.as_deref(), Ok(response), pace),
            Message::Fault(fault) => self.answered(id.as_deref(), Err(fault), pace),
            Message::AcsRequest(_) | Message::AcsResponse(_) => {
                self.breach(Ending::NotFromADevice, pace)
            }
        }
    }

    /// Lets the device be silent for at least so many seconds, as one that is
    /// known to be slow has to be (Q47).
    #[must_use]
    pub fn patient(mut self, seconds: u32) -> Self {
        let pace = match &mut self {
            Self::AwaitInform(state) => &mut state.pace,
            Self::Draining(state) => &mut state.talk.pace,
            Self::AwaitResponse(state) => &mut state.talk.pace,
            Self::Ended(state) => &mut state.pace,
        };
        pace.granted = pace.granted.max(seconds.min(LONGEST_SILENCE));
        self
    }

    /// How long the device may be silent.
    pub const fn silence(&self) -> Duration {
        Duration::from_secs(self.pace().granted as u64)
    }

    /// When the session is given up unless a message comes.
    pub fn deadline(&self) -> Timestamp {
        self.pace().heard_at.after(self.silence())
    }

    /// The method of the request that waits for its answer.
    pub fn outstanding(&self) -> Option<&str> {
        match self {
            Self::AwaitResponse(state) => Some(&state.outstanding.method),
            Self::AwaitInform(_) | Self::Draining(_) | Self::Ended(_) => None,
        }
    }

    /// Whether the server has nothing more to ask.
    pub const fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    const fn pace(&self) -> Pace {
        match self {
            Self::AwaitInform(state) => state.pace,
            Self::Draining(state) => state.talk.pace,
            Self::AwaitResponse(state) => state.talk.pace,
            Self::Ended(state) => state.pace,
        }
    }

    /// An Inform is never out of order: it begins the session anew (Q49).
    fn greeted(
        self,
        id: Option<Box<str>>,
        namespace: Namespace,
        session_timeout: Option<u32>,
        supported_versions: Option<&str>,
        inform: Box<Inform>,
        pace: Pace,
    ) -> Output {
        let lost = self.outstanding().map(Box::from);
        let pace = pace.asked_for(session_timeout);
        let chosen = Version::choose(supported_versions.unwrap_or(""));
        let by_namespace = Version::of_inform(&namespace, session_timeout.is_some());
        let (version, negotiated) = match chosen {
            Ok(Some(version)) => (version, true),
            Ok(None) => (by_namespace, false),
            Err(_) => (by_namespace, false),
        };
        let talk = Talk { namespace, version, pace, requests: 0 };
        let turn = Greeting { talk, id, negotiated };
        if chosen.is_err() {
            let (session, reply) = turn.refuse(FaultCode::ACS_VERSION_MISMATCH);
            return Output::Refused { reply, lost, session };
        }
        Output::Inform { inform, turn, lost }
    }

    /// A request of the device, other than an Inform.
    fn asked(self, id: Option<Box<str>>, request: CpeRequest, pace: Pace) -> Output {
        let (talk, resume) = match self {
            Self::AwaitInform(_) | Self::Ended(Ended { talk: None, .. }) => {
                return self.breach(Ending::NoSession, pace);
            }
            Self::Draining(state) => (state.talk, Resume::Draining),
            // Out of turn, but a TransferComplete must never be lost.
            Self::AwaitResponse(state) => (state.talk, Resume::AwaitResponse(state.outstanding)),
            Self::Ended(Ended { talk: Some(talk), .. }) => (talk, Resume::Draining),
        };
        let turn = Asked::new(talk.heard(pace), id, &request, resume);
        Output::Request { request, turn }
    }

    /// A response or a fault of the device.
    fn answered(self, id: Option<&str>, answer: Result<CpeResponse, Fault>, pace: Pace) -> Output {
        let state = match self {
            Self::AwaitResponse(state) => state,
            Self::AwaitInform(_) => return self.breach(Ending::NoSession, pace),
            Self::Draining(_) | Self::Ended(_) => return self.breach(Ending::Unasked, pace),
        };
        if !state.outstanding.is_answered_by(id, &answer) {
            return Self::AwaitResponse(state).breach(Ending::WrongAnswer, pace);
        }
        let turn = Turn { talk: state.talk.heard(pace) };
        Output::Answer { method: state.outstanding.method, answer, turn }
    }

    /// An empty message.
    fn empty(self, pace: Pace) -> Output {
        match self {
            Self::AwaitInform(_) => self.breach(Ending::NoSession, pace),
            Self::Draining(state) => Output::Ready(Turn { talk: state.talk.heard(pace) }),
            Self::AwaitResponse(state) => Output::Answer {
                method: state.outstanding.method,
                answer: Err(Fault {
                    code: FaultCode::METHOD_NOT_SUPPORTED,
                    text: "the device answered with an empty message".into(),
                    parameters: Vec::new(),
                }),
                turn: Turn { talk: state.talk.heard(pace) },
            },
            Self::Ended(state) => Output::End {
                why: Ending::Again,
                lost: None,
                session: Self::Ended(Ended { pace, ..state }),
            },
        }
    }

    /// Ends what cannot go on.
    fn breach(self, why: Ending, pace: Pace) -> Output {
        let lost = self.outstanding().map(Box::from);
        let session = match self {
            Self::AwaitInform(_) => Self::AwaitInform(AwaitInform { pace }),
            Self::Draining(_) | Self::AwaitResponse(_) | Self::Ended(_) => {
                Self::Ended(Ended { pace, talk: None })
            }
        };
        Output::End { why, lost, session }
    }
}

impl Outstanding {
    /// Whether a response belongs to this request.
    ///
    /// An ID that is missing or foreign is forgiven (Q1, Q2); that of an
    /// earlier request of ours is not: the answer would be credited wrongly.
    fn is_answered_by(&self, id: Option<&str>, answer: &Result<CpeResponse, Fault>) -> bool {
        let ours = |id: &str| id.starts_with(Talk::ID_PREFIX);
        let stale = id.is_some_and(|id| ours(id) && *id != *self.id);
        let fits = match answer {
            Ok(response) => response.answers(&self.method),
            Err(_) => true,
        };
        fits && !stale
    }
}
