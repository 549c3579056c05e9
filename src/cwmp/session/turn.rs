//! The right to say the next thing. Each turn is consumed by the one reply that
//! it allows.

use super::state::{AwaitInform, AwaitResponse, Draining, Ended, Outstanding, Pace, Session};
use super::version::Version;
use crate::cwmp::control::GetRpcMethodsResponse;
use crate::cwmp::envelope::{Envelope, Namespace};
use crate::cwmp::fault::{Fault, FaultCode};
use crate::cwmp::kicked::KickedResponse;
use crate::cwmp::message::{AcsRequest, AcsResponse, CpeRequest, Message};

/// The methods that Provost answers, as GetRPCMethods lists them.
const METHODS: [&str; 8] = [
    "Inform",
    "GetRPCMethods",
    "TransferComplete",
    "AutonomousTransferComplete",
    "RequestDownload",
    "Kicked",
    "DUStateChangeComplete",
    "AutonomousDUStateChangeComplete",
];

/// What holds for a whole session once its Inform has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Talk {
    /// The namespace that the device used, echoed to the end (Q3).
    pub(super) namespace: Namespace,
    /// The version that is spoken.
    pub(super) version: Version,
    /// How long the device may be silent.
    pub(super) pace: Pace,
    /// Requests sent so far, for their IDs.
    pub(super) requests: u32,
}

impl Talk {
    /// What the IDs of the server's own requests begin with.
    pub(super) const ID_PREFIX: &str = "acs-";

    pub(super) fn heard(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    fn envelope(&self, id: Option<Box<str>>, message: Message) -> Envelope {
        Envelope {
            id,
            namespace: self.namespace.clone(),
            hold_requests: false,
            session_timeout: None,
            supported_versions: None,
            use_version: None,
            message,
        }
    }
}

/// An Inform waits for its answer.
#[derive(Debug)]
#[must_use = "the Inform waits for its answer"]
pub struct Greeting {
    pub(super) talk: Talk,
    pub(super) id: Option<Box<str>>,
    /// Whether the device offered versions to choose from.
    pub(super) negotiated: bool,
}

impl Greeting {
    /// The version that the session speaks.
    pub const fn version(&self) -> Version {
        self.talk.version
    }

    /// The InformResponse: whatever it acknowledges must be durable by now.
    pub fn acknowledge(self) -> (Session, Envelope) {
        let Self { talk, id, negotiated } = self;
        let mut reply = talk.envelope(id, Message::AcsResponse(AcsResponse::Inform));
        reply.use_version = negotiated.then(|| talk.version.text().into());
        (Session::Draining(Draining { talk }), reply)
    }

    /// A fault in place of the InformResponse: with 8005 the device sends the
    /// same Inform again at once, with any other it comes again later.
    pub fn refuse(self, code: FaultCode) -> (Session, Envelope) {
        let reply = self.talk.envelope(self.id, Message::Fault(fault(code, "")));
        (Session::AwaitInform(AwaitInform { pace: self.talk.pace }), reply)
    }
}

/// Where a session goes on after a request of the device was answered.
#[derive(Debug)]
pub(super) enum Resume {
    Draining,
    AwaitResponse(Outstanding),
}

/// A request of the device waits for its answer.
#[derive(Debug)]
#[must_use = "the device's request waits for its answer"]
pub struct Asked {
    talk: Talk,
    id: Option<Box<str>>,
    answer: Message,
    resume: Resume,
}

impl Asked {
    /// The answer is derived from the request, so that it can be no other's
    /// (Q39).
    pub(super) fn new(
        talk: Talk,
        id: Option<Box<str>>,
        request: &CpeRequest,
        resume: Resume,
    ) -> Self {
        let answer = match request {
            CpeRequest::Inform(_) => AcsResponse::Inform,
            CpeRequest::TransferComplete(_) => AcsResponse::TransferComplete,
            CpeRequest::GetRpcMethods => {
                let methods = METHODS.map(Box::from).into();
                AcsResponse::GetRpcMethods(GetRpcMethodsResponse { methods })
            }
            CpeRequest::AutonomousTransferComplete(_) => AcsResponse::AutonomousTransferComplete,
            CpeRequest::RequestDownload(_) => AcsResponse::RequestDownload,
            // Whatever page the device names is not to be trusted: a browser
            // would follow it.
            CpeRequest::Kicked(_) => AcsResponse::Kicked(KickedResponse::default()),
            CpeRequest::DuStateChangeComplete(_) => AcsResponse::DuStateChangeComplete,
            CpeRequest::AutonomousDuStateChangeComplete(_) => {
                AcsResponse::AutonomousDuStateChangeComplete
            }
            CpeRequest::Unknown(_) => {
                let answer = Message::Fault(fault(FaultCode::ACS_METHOD_NOT_SUPPORTED, ""));
                return Self { talk, id, answer, resume };
            }
        };
        Self { talk, id, answer: Message::AcsResponse(answer), resume }
    }

    /// Where the subscriber's browser goes next, if the request is a Kicked.
    pub fn with_next_url(mut self, url: &str) -> Self {
        if let Message::AcsResponse(AcsResponse::Kicked(response)) = &mut self.answer {
            response.next_url = url.into();
        }
        self
    }

    /// The response that belongs to the request; a method that nobody knows
    /// gets fault 8000 (Q53). Whatever it acknowledges must be durable by now.
    pub fn answer(self) -> (Session, Envelope) {
        let reply = self.talk.envelope(self.id, self.answer);
        (self.resume.into_session(self.talk), reply)
    }

    /// A fault in place of the response; the session goes on.
    pub fn refuse(self, code: FaultCode, text: &str) -> (Session, Envelope) {
        let reply = self.talk.envelope(self.id, Message::Fault(fault(code, text)));
        (self.resume.into_session(self.talk), reply)
    }
}

impl Resume {
    fn into_session(self, talk: Talk) -> Session {
        match self {
            Self::Draining => Session::Draining(Draining { talk }),
            Self::AwaitResponse(outstanding) => {
                Session::AwaitResponse(AwaitResponse { talk, outstanding })
            }
        }
    }
}

/// The server may ask the device something, or end the session.
#[derive(Debug)]
#[must_use = "the device waits for a request or the end"]
pub struct Turn {
    pub(super) talk: Talk,
}

impl Turn {
    /// The version that the session speaks.
    pub const fn version(&self) -> Version {
        self.talk.version
    }

    /// Sends a request. What must not be repeated in silence is to be recorded
    /// as sent before the envelope leaves.
    pub fn request(self, request: AcsRequest) -> (Session, Envelope) {
        let mut talk = self.talk;
        talk.requests = talk.requests.saturating_add(1);
        let id: Box<str> = format!("{}{}", Talk::ID_PREFIX, talk.requests).into();
        let outstanding = Outstanding { id: id.clone(), method: request.method().into() };
        let envelope = talk.envelope(Some(id), Message::AcsRequest(request));
        (Session::AwaitResponse(AwaitResponse { talk, outstanding }), envelope)
    }

    /// Ends the session: the reply is HTTP 204 without a body.
    pub fn finish(self) -> Session {
        Session::Ended(Ended { pace: self.talk.pace, talk: Some(self.talk) })
    }
}

/// A fault with the server's words for its code, unless others are given.
fn fault(code: FaultCode, text: &str) -> Fault {
    let text = if text.is_empty() { code.words() } else { text };
    Fault { code, text: text.into(), parameters: Vec::new() }
}
