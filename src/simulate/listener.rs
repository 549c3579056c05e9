//! Where a simulated device listens for connection requests (TR-069 §3.2.2):
//! Digest, a random path, an empty answer before the session opens.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONNECTION, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::runner::SimError;
use crate::config::LimitsConfig;
use crate::device::Secret;
use crate::http::{Authorization, Body, Challenger, Door, Handler, Peer, Verdict};
use crate::time::Clock;

/// What a connection request must show; shared with the device, which is given
/// new credentials by its ACS.
pub(super) type Login = Arc<Mutex<Option<(Box<str>, Secret)>>>;

/// The door of one device.
pub(super) struct Listener {
    path: String,
    login: Login,
    challenger: Challenger,
    clock: Arc<dyn Clock>,
    /// Connections on which a request was let in, until they are closed.
    let_in: Mutex<HashSet<u64>>,
    bell: mpsc::Sender<()>,
}

impl Listener {
    /// Opens a door on a free port of 127.0.0.1 and returns its URL. `bell` is
    /// rung once for each request that was let in and answered.
    pub(super) fn open(
        login: Login,
        clock: Arc<dyn Clock>,
        bell: mpsc::Sender<()>,
        stop: CancellationToken,
    ) -> Result<String, SimError> {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let door = Door::bind("connection request", at, &LimitsConfig::default(), None)
            .map_err(|error| SimError::Listen(error.to_string()))?;
        let path = format!("/{}", uuid::Uuid::new_v4().simple());
        let url = format!("http://{}{path}", door.local_addr());
        let mut secret = [0; 32];
        let random = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        for (to, from) in
            secret.iter_mut().zip(random.0.as_bytes().iter().chain(random.1.as_bytes()))
        {
            *to = *from;
        }
        let challenger = Challenger::new(secret, "cpe");
        let let_in = Mutex::default();
        let listener = Arc::new(Self { path, login, challenger, clock, let_in, bell });
        tokio::spawn(async move { door.serve(listener, stop).await });
        Ok(url)
    }

    fn judge(&self, request: &Request<Incoming>) -> Verdict {
        let Some((username, password)) = lock(&self.login).clone() else { return Verdict::Wrong };
        let Some(value) = request.headers().get(AUTHORIZATION) else { return Verdict::Wrong };
        match Authorization::parse(value) {
            Some(Authorization::Digest(answer)) if answer.username == username => {
                let method = request.method().as_str();
                self.challenger.verify(&answer, method, &password, self.clock.now())
            }
            _ => Verdict::Wrong,
        }
    }

    fn challenge(&self, stale: bool) -> Response<Body> {
        let mut response = empty(StatusCode::UNAUTHORIZED);
        for challenge in self.challenger.challenges(self.clock.now(), stale, false) {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl Handler for Listener {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        if request.uri().path() != self.path {
            return empty(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::GET {
            return empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        match self.judge(&request) {
            Verdict::Right => {
                lock(&self.let_in).insert(peer.connection);
                let mut response = empty(StatusCode::OK);
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                response
            }
            Verdict::Stale => self.challenge(true),
            Verdict::Wrong => self.challenge(false),
        }
    }

    /// The answer is out: the session may open.
    fn closed(&self, connection: u64) {
        if lock(&self.let_in).remove(&connection) {
            // A full bell has rung already: one session serves all.
            let _ = self.bell.try_send(());
        }
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The lock; what a panic left behind is as good as what was before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
