//! One connection request: a GET, and one more with credentials.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, USER_AGENT, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};

use super::error::WakeError;
use crate::device::Secret;
use crate::http::{ClientConnection, ClientError, DigestClient, Host, Target, read_limited};

/// For everything together.
pub(super) const IN_ALL: Duration = Duration::from_secs(2);

/// The largest body of a 401 that is read so that the connection can go on.
const MAX_BODY: u64 = 8 << 10;

/// What the server shows at the device.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) username: Box<str>,
    pub(super) password: Secret,
    /// A text that was never used before.
    pub(super) cnonce: String,
}

/// Asks the device at `at` to open a session; `target` gives the path and the
/// `Host` header only, so that no name is resolved again.
///
/// # Errors
/// [`WakeError`]; never takes longer than [`IN_ALL`].
pub(super) async fn ask(
    at: SocketAddr,
    target: &Target,
    login: Option<&Login>,
    basic: bool,
) -> Result<(), WakeError> {
    tokio::time::timeout(IN_ALL, exchange(at, target, login, basic))
        .await
        .unwrap_or_else(|_| Err(WakeError::Offline("no answer in time".to_owned())))
}

async fn exchange(
    at: SocketAddr,
    target: &Target,
    login: Option<&Login>,
    basic: bool,
) -> Result<(), WakeError> {
    let request = blank(target)?;
    let mut connection = connect(at, &target.host).await?;
    let answer = connection.send(request.clone()).await.map_err(offline)?;
    if answer.status() != StatusCode::UNAUTHORIZED {
        return verdict(answer.status());
    }
    let login =
        login.ok_or(WakeError::Refused("the device asks for credentials and none are known"))?;
    let mut request = request;
    request.headers_mut().insert(AUTHORIZATION, authorize(&answer, target, login, basic)?);
    // The same connection will do if the device keeps it; many do not (Q18).
    let kept = read_limited(answer.into_body(), MAX_BODY).await.is_ok() && connection.is_open();
    if kept && let Ok(answer) = connection.send(request.clone()).await {
        return verdict(answer.status());
    }
    // Many devices take one connection at a time.
    drop(connection);
    let mut fresh = connect(at, &target.host).await?;
    let answer = fresh.send(request).await.map_err(offline)?;
    verdict(answer.status())
}

async fn connect(at: SocketAddr, host: &Host) -> Result<ClientConnection, WakeError> {
    ClientConnection::connect_to(at, host, None, IN_ALL).await.map_err(offline)
}

/// The request without credentials.
fn blank(target: &Target) -> Result<Request<Full<Bytes>>, WakeError> {
    let unusable = |_| WakeError::BadUrl("its path is malformed".to_owned());
    Request::get(&*target.path)
        .header(HOST, target.host_header())
        .header(USER_AGENT, "Provost")
        .body(Full::new(Bytes::new()))
        .map_err(unusable)
}

/// The answer to the challenges of a 401. Basic shows the password to anybody
/// on the way, so it is answered only where nothing else is offered and the
/// operator allows it (Q50).
fn authorize(
    answer: &Response<Incoming>,
    target: &Target,
    login: &Login,
    basic: bool,
) -> Result<HeaderValue, WakeError> {
    let challenges: Vec<&str> = answer
        .headers()
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
        .collect();
    let Login { username, password, cnonce } = login;
    let text =
        DigestClient::answer(&challenges, "GET", &target.path, username, password, cnonce, 1);
    let offers_basic = DigestClient::offers_basic(&challenges);
    let text = text.or_else(|| {
        let clear = || format!("{username}:{}", password.expose());
        (basic && offers_basic).then(|| format!("Basic {}", STANDARD.encode(clear())))
    });
    match text.map(HeaderValue::try_from) {
        Some(Ok(mut value)) => {
            value.set_sensitive(true);
            Ok(value)
        }
        Some(Err(_)) => Err(WakeError::Refused("the credentials cannot stand in a header")),
        None if offers_basic => {
            Err(WakeError::Refused("the device wants the password in clear text"))
        }
        None => Err(WakeError::Refused("the device's challenge cannot be answered")),
    }
}

const fn verdict(status: StatusCode) -> Result<(), WakeError> {
    match status {
        StatusCode::UNAUTHORIZED => {
            Err(WakeError::Refused("the device does not take the credentials that it was given"))
        }
        StatusCode::SERVICE_UNAVAILABLE => Err(WakeError::Busy),
        // 200 or 204 by the standard; a body is of no interest.
        other if other.as_u16() / 100 == 2 => Ok(()),
        other => Err(WakeError::BadAnswer(other.as_u16())),
    }
}

fn offline(error: ClientError) -> WakeError {
    WakeError::Offline(error.to_string())
}
