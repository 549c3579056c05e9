//! The real curl against a door that asks for Digest or Basic.

use hyper::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use provost::device::Secret;
use provost::http::{Authorization, Challenger, Verdict};
use provost::time::{Clock as _, SystemClock};
use tokio::process::Command;

use super::*;

/// Lets `u` with the password `p "w` in.
struct Guarded {
    challenger: Challenger,
    basic: bool,
    only: Option<usize>,
}

impl Handler for Guarded {
    async fn handle(&self, _peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let now = SystemClock.now();
        let password = Secret::new("p \"w");
        let right = match request.headers().get(AUTHORIZATION).and_then(Authorization::parse) {
            Some(Authorization::Digest(answer)) => {
                let method = request.method().as_str();
                &*answer.username == "u"
                    && self.challenger.verify(&answer, method, &password, now) == Verdict::Right
            }
            Some(Authorization::Basic { username, password: shown }) => {
                self.basic && &*username == "u" && shown == password
            }
            None => false,
        };
        if right {
            return Response::new(Body::full("inside"));
        }
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        let challenges = self.challenger.challenges(now, false, self.basic);
        for (index, challenge) in challenges.into_iter().enumerate() {
            if self.only.is_none_or(|only| only == index) {
                answer.headers_mut().append(WWW_AUTHENTICATE, challenge);
            }
        }
        answer
    }
}

async fn curl(guarded: Guarded, arguments: &[&str]) -> String {
    let limits = LimitsConfig::default();
    let door = Door::bind("test", "127.0.0.1:0".parse().unwrap(), &limits, None).unwrap();
    let url = format!("http://{}/acs?a=b,c", door.local_addr());
    tokio::spawn(door.serve(Arc::new(guarded), CancellationToken::new()));
    let output = Command::new("curl")
        .args(["--silent", "--noproxy", "*", "--data", "body", &url])
        .args(arguments)
        .output()
        .await
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn guarded(basic: bool, only: Option<usize>) -> Guarded {
    Guarded { challenger: Challenger::new([1; 32], "Provost"), basic, only }
}

#[tokio::test]
async fn curl_is_let_in_with_the_right_password_by_every_challenge() {
    for only in [None, Some(0), Some(1)] {
        let heard = curl(guarded(false, only), &["--digest", "--user", "u:p \"w"]).await;
        assert_eq!(heard, "inside", "{only:?}");
    }
    assert_eq!(curl(guarded(true, None), &["--anyauth", "--user", "u:p \"w"]).await, "inside");
    assert_eq!(curl(guarded(true, None), &["--basic", "--user", "u:p \"w"]).await, "inside");
}

#[tokio::test]
async fn curl_is_kept_out_otherwise() {
    assert_eq!(curl(guarded(false, None), &["--digest", "--user", "u:wrong"]).await, "");
    assert_eq!(curl(guarded(false, None), &["--digest", "--user", "v:p \"w"]).await, "");
    assert_eq!(curl(guarded(false, None), &["--basic", "--user", "u:p \"w"]).await, "");
    assert_eq!(curl(guarded(false, None), &[]).await, "");
}
