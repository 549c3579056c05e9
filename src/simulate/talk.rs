//! One session as a device leads it (TR-069 §3.7.1, §3.7.2): Inform, its own
//! requests, the empty POST, then an answer to each request of the ACS.
//!
//! Strict where an ACS may go wrong: another `cwmp:ID` or namespace than the
//! device's, an answer that was not asked for, a request in place of a response
//! end the session as failed.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

use super::cpe::{Cpe, SimEvent};
use super::personality::Conduct;
use crate::class::Class;
use crate::cwmp::{
    self, AcsRequest, AcsResponse, CpeRequest, Envelope, FaultCode, Inform, Message, ReadLimits,
    Side, TransferComplete, WriteStyle,
};
use crate::device::EventCode;
use crate::param::ValueType;
use crate::time::Timestamp;

/// How often the very same message is sent again on fault 8005.
const MAX_RESENDS: u8 = 3;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// POST this envelope.
    Post(Vec<u8>),
    /// POST without a body, SOAPAction or content type.
    PostEmpty,
    /// The session is over; close the connection.
    Close {
        /// Why it failed; `None` if it ended well.
        failure: Option<SessionFailure>,
    },
}

/// What came back, after redirects and authentication.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `charset` of the content type.
    pub charset: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// Why a session failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionFailure {
    /// The connection could not be made, or broke.
    #[error("the connection to the ACS failed: {0}")]
    Connection(String),
    /// The ACS refuses the device's credentials.
    #[error("the ACS does not accept the credentials")]
    Unauthorized,
    /// The ACS answered with another status than 200 or 204.
    #[error("the ACS answered {0}")]
    Status(u16),
    /// The ACS sent what is no CWMP message.
    #[error("the ACS sent what is no CWMP message: {0}")]
    Unreadable(String),
    /// The ACS sent a message that the order of the protocol does not allow.
    #[error("the ACS broke the order of the protocol: {0}")]
    OutOfOrder(&'static str),
    /// The ACS answered the Inform with a fault.
    #[error("the ACS answered the Inform with fault {0}")]
    Fault(FaultCode),
}

impl SessionFailure {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Unauthorized => Class::Unauthorized,
            _ => Class::Upstream,
        }
    }

    /// A word to count it by.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::Unauthorized => "unauthorized",
            Self::Status(503) => "503",
            Self::Status(_) => "status",
            Self::Unreadable(_) => "unreadable",
            Self::OutOfOrder(_) => "out of order",
            Self::Fault(_) => "fault",
        }
    }
}

/// How far the session has come.
#[derive(Clone, Debug)]
pub(super) enum Talk {
    /// No session.
    Idle,
    /// A request of the device is out.
    Asking { session: Session, asked: Asked, sent: Vec<u8>, resends: u8 },
    /// The empty POST is out: the ACS leads.
    Led { session: Session },
}

/// What the device has asked.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Inform,
    /// Something that it tells or asks of its own.
    Own(CpeRequest),
}

/// What is remembered during one session.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    told: Vec<EventCode>,
    answered: u32,
    /// `HoldRequests` of the last message.
    hold: bool,
    /// The device has said that it has no more requests.
    silent: bool,
    /// Requests of its own that are still to be sent in this session.
    owed: Vec<CpeRequest>,
    /// The `cwmp:ID` of the request that is out.
    id: Box<str>,
}

impl Cpe {
    /// Opens a session; the first action is always the Inform.
    pub fn open_session(&mut self, now: Timestamp) -> Action {
        let up_time = now.since(self.booted_at).as_secs().to_string();
        let path = self.path("DeviceInfo.UpTime");
        self.model.change(&path, &up_time);
        let events = self.events.send();
        let mut names = self.forced.clone();
        let notified = self.attributes.notified().into_iter();
        names.extend(notified.filter(|name| !self.forced.contains(name)));
        let parameters = self.model.values(&names).unwrap_or_default();
        let inform = Inform {
            device: self.identity().clone(),
            current_time: now.to_string().into(),
            retry_count: self.retry_count,
            parameters,
            events,
        };
        let told = inform.events.iter().map(|event| event.code.clone()).collect();
        let session =
            Session { told, owed: self.requests(self.reports(now)), ..Session::default() };
        self.ask(session, Asked::Inform, CpeRequest::Inform(Box::new(inform)))
    }

    /// What to do with what came back.
    pub fn handle_reply(&mut self, reply: Reply<'_>, now: Timestamp) -> Action {
        let talk = std::mem::replace(&mut self.talk, Talk::Idle);
        let (session, asked) = match talk {
            Talk::Idle => return Action::Close { failure: None },
            Talk::Asking { session, asked, sent, resends } => {
                (session, Some((asked, sent, resends)))
            }
            Talk::Led { session } => (session, None),
        };
        if self.blueprint.personality().hangs_up_on(reply.body) {
            return self.hang_up(session, now);
        }
        let heard = match hear(reply) {
            Ok(heard) => heard,
            Err(failure) => return self.close(session, Some(failure), now),
        };
        match (asked, heard) {
            (Some((Asked::Inform | Asked::Own(_), ..)), None) => {
                let failure = SessionFailure::OutOfOrder("nothing in place of a response");
                self.close(session, Some(failure), now)
            }
            (Some((asked, sent, resends)), Some(envelope)) => {
                self.answered(session, asked, (sent, resends), envelope, now)
            }
            // Only held back: now it may speak.
            (None, None) if !session.silent && !session.hold => self.speak(session),
            (None, None) => self.close(session, None, now),
            (None, Some(envelope)) => self.led(session, envelope, now),
        }
    }

    /// How long it takes before it goes on with what it was asked.
    pub fn delay(&self) -> Duration {
        match self.talk {
            Talk::Led { .. } => self.blueprint.personality().delay(),
            Talk::Idle | Talk::Asking { .. } => Duration::ZERO,
        }
    }

    /// The connection broke, or could not be made. Without a session this
    /// counts as a failed attempt to open one.
    pub fn session_lost(&mut self, failure: SessionFailure, now: Timestamp) {
        let session = match std::mem::replace(&mut self.talk, Talk::Idle) {
            Talk::Asking { session, .. } | Talk::Led { session } => session,
            Talk::Idle => Session::default(),
        };
        self.close(session, Some(failure), now);
    }

    /// The device is switched off: an open session is lost, and a file that was
    /// being fetched is fetched anew.
    pub(super) fn switched_off(&mut self, now: Timestamp) {
        self.transfers.interrupted(now);
        if !matches!(self.talk, Talk::Idle) {
            self.session_lost(SessionFailure::Connection("switched off".to_owned()), now);
        }
    }

    /// The answer to a request of the device.
    fn answered(
        &mut self,
        mut session: Session,
        asked: Asked,
        (sent, resends): (Vec<u8>, u8),
        envelope: Envelope,
        now: Timestamp,
    ) -> Action {
        if let Err(failure) = self.check_answer(&session, &envelope) {
            return self.close(session, Some(failure), now);
        }
        session.hold = envelope.hold_requests;
        match (asked, envelope.message) {
            (asked, Message::Fault(fault))
                if fault.code == FaultCode::ACS_RETRY_REQUEST && resends < MAX_RESENDS =>
            {
                let again = Action::Post(sent.clone());
                self.talk = Talk::Asking { session, asked, sent, resends: resends + 1 };
                again
            }
            (Asked::Inform, Message::Fault(fault)) => {
                self.close(session, Some(SessionFailure::Fault(fault.code)), now)
            }
            (Asked::Inform, Message::AcsResponse(AcsResponse::Inform)) => {
                self.events.inform_answered();
                self.attributes.told();
                self.speak(session)
            }
            // Kept for the next session.
            (Asked::Own(request), Message::Fault(fault)) => {
                // A method that the ACS does not know is not told again.
                if fault.code == FaultCode::ACS_METHOD_NOT_SUPPORTED {
                    self.delivered(&request);
                }
                self.speak(session)
            }
            (Asked::Own(request), Message::AcsResponse(response))
                if response.element().strip_suffix("Response") == Some(request.method()) =>
            {
                self.delivered(&request);
                self.speak(session)
            }
            _ => {
                let failure = SessionFailure::OutOfOrder("the answer to another request");
                self.close(session, Some(failure), now)
            }
        }
    }

    /// A request of the ACS.
    fn led(&mut self, mut session: Session, envelope: Envelope, now: Timestamp) -> Action {
        session.hold = envelope.hold_requests;
        let Message::AcsRequest(request) = envelope.message else {
            let failure = SessionFailure::OutOfOrder("a response to no request");
            return self.close(session, Some(failure), now);
        };
        let personality = self.blueprint.personality();
        let root = self.blueprint.root();
        let conduct = personality.conduct(&request, root, session.answered, self.retry_count);
        let answer = match conduct {
            Conduct::HangUp => return self.hang_up(session, now),
            Conduct::LoseAnswer => {
                // Whatever comes of it, nobody is told.
                let _ = self.answer(request, now);
                return self.hang_up(session, now);
            }
            Conduct::EmptyPost => {
                self.talk = Talk::Led { session };
                return Action::PostEmpty;
            }
            Conduct::Answer(answer) => answer,
            Conduct::Honest => {
                let honest = self.answer(self.possible(request.clone()), now);
                personality.answered(&request, honest)
            }
        };
        session.answered = session.answered.saturating_add(1);
        let message = match answer {
            Err(fault)
                if fault.code == FaultCode::METHOD_NOT_SUPPORTED && personality.is_silent() =>
            {
                self.talk = Talk::Led { session };
                return Action::PostEmpty;
            }
            Ok(response) => Message::CpeResponse(response),
            Err(fault) => Message::Fault(fault),
        };
        let bytes = self.encode(envelope.id, message);
        self.talk = Talk::Led { session };
        Action::Post(bytes)
    }

    /// A request as the device understands it: without the names that it leaves
    /// out in silence, and its own word for strings read as such.
    fn possible(&self, request: AcsRequest) -> AcsRequest {
        match request {
            AcsRequest::GetParameterValues(mut asked)
                if self.blueprint.personality().omits_unknown() =>
            {
                asked.names.retain(|name| self.model.values(std::slice::from_ref(name)).is_ok());
                AcsRequest::GetParameterValues(asked)
            }
            AcsRequest::SetParameterValues(mut asked) => {
                for value in &mut asked.values {
                    if self.blueprint.personality().calls_strings(&value.value.kind) {
                        value.value.kind = ValueType::String;
                    }
                }
                AcsRequest::SetParameterValues(asked)
            }
            request => request,
        }
    }

    /// The TransferComplete calls of a session: what is owed, and what a
    /// braggart invents.
    fn reports(&self, now: Timestamp) -> Vec<TransferComplete> {
        let personality = self.blueprint.personality();
        let mut reports = self.transfers.owed();
        if personality.brags() {
            reports.push(TransferComplete {
                command_key: "00000000000000000000000000000bad".into(),
                fault_code: FaultCode::default(),
                fault_string: "".into(),
                start_time: now.to_string().into(),
                complete_time: now.to_string().into(),
            });
        }
        reports
    }

    /// The device breaks the session off.
    fn hang_up(&mut self, session: Session, now: Timestamp) -> Action {
        let failure = SessionFailure::Connection("the device hung up".to_owned());
        self.close(session, Some(failure), now)
    }

    /// The next request of the device, or the empty POST.
    fn speak(&mut self, mut session: Session) -> Action {
        if !session.hold && !session.owed.is_empty() {
            let owed = session.owed.remove(0);
            let told = match owed.clone() {
                CpeRequest::TransferComplete(report) => {
                    CpeRequest::TransferComplete(self.blueprint.personality().report(report))
                }
                other => other,
            };
            return self.ask(session, Asked::Own(owed), told);
        }
        // Held back with something to say: this empty POST promises nothing.
        session.silent = session.owed.is_empty();
        self.talk = Talk::Led { session };
        Action::PostEmpty
    }

    fn ask(&mut self, mut session: Session, asked: Asked, request: CpeRequest) -> Action {
        self.message_ids = self.message_ids.wrapping_add(1);
        session.id = self.message_ids.to_string().into();
        let sent = self.encode(Some(session.id.clone()), Message::CpeRequest(request));
        let action = Action::Post(sent.clone());
        self.talk = Talk::Asking { session, asked, sent, resends: 0 };
        action
    }

    fn close(
        &mut self,
        session: Session,
        failure: Option<SessionFailure>,
        now: Timestamp,
    ) -> Action {
        self.events.session_over();
        if failure.is_some() {
            self.retry_count = self.retry_count.saturating_add(1);
            self.retry_at = Some(now.after(self.retry_wait()));
        } else {
            self.retry_count = 0;
            self.retry_at = None;
        }
        if std::mem::take(&mut self.moved) {
            self.events.forget();
            self.raise(EventCode::Bootstrap, "");
        }
        let Session { told: events, answered, .. } = session;
        self.happened.push(SimEvent::SessionEnded { events, answered, failure: failure.clone() });
        Action::Close { failure }
    }

    /// How long to wait before the next attempt (TR-069 §3.2.1.1): between
    /// 5·2ⁿ⁻¹ and 5·2ⁿ seconds, different for each device and attempt.
    fn retry_wait(&self) -> Duration {
        let doubled = self.retry_count.clamp(1, 10) - 1;
        let least = 5_000_u64 << doubled;
        let mut spread = u64::from(self.retry_count);
        for byte in self.identity().serial_number.bytes() {
            spread = spread.wrapping_mul(31).wrapping_add(u64::from(byte));
        }
        Duration::from_millis(least + spread.wrapping_mul(0x9E37_79B9_7F4A_7C15) % least)
    }
}

/// What a reply says: a message, or nothing.
fn hear(reply: Reply<'_>) -> Result<Option<Envelope>, SessionFailure> {
    match reply.status {
        200 if reply.body.is_empty() => Ok(None),
        204 => Ok(None),
        200 => cwmp::read(reply.body, reply.charset, Side::Acs, &ReadLimits::default())
            .map(|parsed| Some(parsed.envelope))
            .map_err(|error| SessionFailure::Unreadable(error.to_string())),
        401 => Err(SessionFailure::Unauthorized),
        status => Err(SessionFailure::Status(status)),
    }
}

impl Cpe {
    /// Whether an answer fits what was asked, apart from its kind.
    fn check_answer(&self, session: &Session, envelope: &Envelope) -> Result<(), SessionFailure> {
        let personality = self.blueprint.personality();
        if envelope.id.as_deref() != personality.expected_id(&session.id) {
            return Err(SessionFailure::OutOfOrder("the answer has another cwmp:ID"));
        }
        if envelope.namespace != personality.namespace()
            && !matches!(envelope.message, Message::Fault(_))
        {
            return Err(SessionFailure::OutOfOrder("the answer has another namespace"));
        }
        Ok(())
    }

    /// Writes a message of the device.
    fn encode(&self, id: Option<Box<str>>, message: Message) -> Vec<u8> {
        let personality = self.blueprint.personality();
        let envelope = Envelope {
            id,
            namespace: personality.namespace(),
            hold_requests: false,
            session_timeout: None,
            supported_versions: None,
            use_version: None,
            message,
        };
        personality.dress(cwmp::write(&envelope, &WriteStyle::default()))
    }
}
