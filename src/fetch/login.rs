//! Logins by Basic and Digest.

use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use subtle::ConstantTimeEq as _;

use super::answer::{self, set};
use super::door::Fetch;
use crate::device::Secret;
use crate::files::Login;
use crate::http::{Authorization, Body, Verdict};

impl Fetch {
    /// Which of these logins a request shows. Each is tried, so that the time
    /// does not tell which user names there are.
    pub(super) fn logged_in<'a>(
        &self,
        request: &Parts,
        logins: &'a [Login],
    ) -> Result<&'a str, Verdict> {
        let mut outcome = Err(Verdict::Wrong);
        for login in logins {
            match self.judge(request, &login.user, &login.password) {
                Verdict::Right => outcome = Ok(&*login.user),
                Verdict::Stale if outcome.is_err() => outcome = Err(Verdict::Stale),
                Verdict::Stale | Verdict::Wrong => {}
            }
        }
        outcome
    }

    /// Judges what a request shows against one user and password.
    pub(super) fn judge(&self, request: &Parts, user: &str, password: &Secret) -> Verdict {
        let header = request.headers.get(header::AUTHORIZATION);
        match header.and_then(Authorization::parse) {
            Some(Authorization::Basic { username, password: shown }) => {
                let user = username.as_bytes().ct_eq(user.as_bytes());
                let same = shown.expose().as_bytes().ct_eq(password.expose().as_bytes());
                if (user & same).into() { Verdict::Right } else { Verdict::Wrong }
            }
            Some(Authorization::Digest(answer)) if *answer.username == *user => {
                let (method, now) = (request.method.as_str(), self.deps.clock.now());
                self.challenger.verify(&answer, method, password, now)
            }
            _ => Verdict::Wrong,
        }
    }

    /// A 401 that offers Digest, and Basic as well if `basic`.
    pub(super) fn challenge(&self, stale: bool, basic: bool) -> Response<Body> {
        let mut response = answer::bare(StatusCode::UNAUTHORIZED);
        set(&mut response, header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        for challenge in self.challenger.challenges(self.deps.clock.now(), stale, basic) {
            response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
