//! A tiny ACS that follows a script: it challenges, acknowledges, asks what the
//! test queued, and keeps what it heard.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use provost::config::LimitsConfig;
use provost::cwmp::{
    self, AcsRequest, AcsResponse, CpeRequest, Envelope, Inform, Message, Namespace, ReadLimits,
    Side, WriteStyle,
};
use provost::device::Secret;
use provost::http::{
    Authorization, Body, Challenger, Door, Handler, Peer, TlsMaterial, Verdict, collect,
};
use provost::time::{Clock as _, SystemClock};
use tokio_util::sync::CancellationToken;

/// What the ACS has heard and will say.
#[derive(Default)]
pub(super) struct State {
    /// Asked one after the other, of whoever has said that it is ready.
    pub(super) requests: VecDeque<AcsRequest>,
    pub(super) informs: Vec<Inform>,
    pub(super) answers: Vec<Message>,
    pub(super) completed: Vec<cwmp::TransferComplete>,
    /// Who showed what, in the order of requests that were let in.
    pub(super) users: Vec<Box<str>>,
    pub(super) challenged: u32,
    /// Files by path.
    pub(super) files: HashMap<String, Vec<u8>>,
    /// Accounts; none at all lets everybody in.
    pub(super) accounts: Vec<(Box<str>, Secret)>,
    pub(super) fail_with: Option<StatusCode>,
}

pub(super) struct Script {
    pub(super) state: Mutex<State>,
    challenger: Challenger,
    basic: bool,
    stop: CancellationToken,
}

pub(super) struct Running {
    pub(super) script: Arc<Script>,
    pub(super) at: SocketAddr,
    pub(super) url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.script.stop.cancel();
    }
}

/// Starts the ACS on a free port.
pub(super) fn start(state: State, basic: bool, tls: Option<Arc<TlsMaterial>>) -> Running {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let door = Door::bind("script", at, &LimitsConfig::default(), tls).unwrap();
    let at = door.local_addr();
    let script = Arc::new(Script {
        state: Mutex::new(state),
        challenger: Challenger::new([7; 32], "script"),
        basic,
        stop: CancellationToken::new(),
    });
    tokio::spawn(door.serve(Arc::clone(&script), script.stop.clone()));
    Running { script, at, url: format!("{scheme}://{at}/acs") }
}

impl Script {
    /// Notes who asks; the answer to somebody unknown.
    fn refuse(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        let mut state = self.state.lock().unwrap();
        if state.accounts.is_empty() {
            return None;
        }
        let now = SystemClock.now();
        let shown = request.headers().get(AUTHORIZATION).and_then(Authorization::parse);
        let known = |name: &str| state.accounts.iter().find(|(user, _)| **user == *name).cloned();
        let verdict = match &shown {
            Some(Authorization::Digest(answer)) => match known(&answer.username) {
                Some((user, password)) => self
                    .challenger
                    .verify(answer, request.method().as_str(), &password, now)
                    .eq(&Verdict::Right)
                    .then_some(user),
                None => None,
            },
            Some(Authorization::Basic { username, password }) if self.basic => {
                known(username).filter(|(_, right)| right == password).map(|(user, _)| user)
            }
            _ => None,
        };
        match verdict {
            Some(user) => {
                state.users.push(user);
                None
            }
            None => {
                state.challenged += 1;
                let mut response = status(StatusCode::UNAUTHORIZED);
                for challenge in self.challenger.challenges(now, false, self.basic) {
                    response.headers_mut().append(WWW_AUTHENTICATE, challenge);
                }
                Some(response)
            }
        }
    }

    fn converse(&self, body: &[u8], cookie: bool) -> Response<Body> {
        let mut state = self.state.lock().unwrap();
        if body.is_empty() {
            assert!(cookie, "the cookie comes back");
            return next(&mut state);
        }
        let envelope = cwmp::read(body, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
        let id = envelope.id.clone();
        match envelope.message {
            Message::CpeRequest(CpeRequest::Inform(inform)) => {
                assert!(!cookie, "a session begins without a cookie");
                state.informs.push(*inform);
                let mut response = envelope_of(id, Message::AcsResponse(AcsResponse::Inform));
                let cookie = "session=s1; Path=/".parse().unwrap();
                response.headers_mut().append(SET_COOKIE, cookie);
                response
            }
            Message::CpeRequest(CpeRequest::TransferComplete(report)) => {
                state.completed.push(report);
                envelope_of(id, Message::AcsResponse(AcsResponse::TransferComplete))
            }
            answer => {
                assert!(cookie, "the cookie comes back");
                state.answers.push(answer);
                next(&mut state)
            }
        }
    }
}

impl Handler for Script {
    async fn handle(&self, _peer: Peer, request: Request<Incoming>) -> Response<Body> {
        if request.uri().path() == "/moved" {
            let mut response = status(StatusCode::TEMPORARY_REDIRECT);
            let host = request.headers().get("host").unwrap().to_str().unwrap();
            response.headers_mut().append(LOCATION, format!("http://{host}/acs").parse().unwrap());
            return response;
        }
        if let Some(response) = self.refuse(&request) {
            return response;
        }
        if let Some(code) = self.state.lock().unwrap().fail_with {
            return status(code);
        }
        if request.method() == Method::GET {
            let file = self.state.lock().unwrap().files.get(request.uri().path()).cloned();
            return file.map_or_else(
                || status(StatusCode::NOT_FOUND),
                |bytes| Response::new(Body::full(bytes)),
            );
        }
        let cookie = request.headers().get(COOKIE).is_some_and(|value| value == "session=s1");
        let soap_action = request.headers().contains_key("soapaction");
        let body = collect(request.into_body(), 1 << 20, &LimitsConfig::default()).await.unwrap();
        assert_eq!(soap_action, !body.is_empty(), "SOAPAction stands with an envelope only");
        self.converse(&body, cookie)
    }
}

fn next(state: &mut State) -> Response<Body> {
    match state.requests.pop_front() {
        Some(request) => envelope_of(Some("acs".into()), Message::AcsRequest(request)),
        None => status(StatusCode::NO_CONTENT),
    }
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

fn envelope_of(id: Option<Box<str>>, message: Message) -> Response<Body> {
    let envelope = Envelope {
        id,
        namespace: Namespace::v1_2(),
        hold_requests: false,
        session_timeout: None,
        supported_versions: None,
        use_version: None,
        message,
    };
    let mut response = Response::new(Body::full(cwmp::write(&envelope, &WriteStyle::default())));
    response.headers_mut().append("content-type", "text/xml; charset=utf-8".parse().unwrap());
    response
}
