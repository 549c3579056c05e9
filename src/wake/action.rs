//! Telling a Fanvil phone by its action URI to fetch its files
//! (`/cgi-bin/ConfigManApp.com?key=AutoP`).

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, USER_AGENT};

use crate::device::Secret;
use crate::http::{ClientConnection, ClientError, Host};

/// What starts auto-provisioning.
const ACTION: &str = "/cgi-bin/ConfigManApp.com?key=AutoP";

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionOutcome {
    /// The phone took it, with this status. Whether it then fetches is seen at
    /// the doors.
    Accepted(u16),
    /// The phone does not take the credentials, or wants some.
    WrongCredentials(u16),
    /// The phone answered something else.
    Refused(u16),
    /// There is nobody at that address; why, in words.
    Unreachable(Box<str>),
    /// Nothing came back in time.
    TimedOut,
}

impl fmt::Display for ActionOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(status) => write!(f, "the phone took it ({status})"),
            Self::WrongCredentials(status) => {
                write!(f, "the phone does not take the admin's password ({status})")
            }
            Self::Refused(status) => write!(f, "the phone answered {status}"),
            Self::Unreachable(why) => write!(f, "the phone cannot be reached: {why}"),
            Self::TimedOut => f.write_str("the phone did not answer"),
        }
    }
}

/// Asks a phone's web server to fetch its files. The address must be one that
/// the phone was seen at; no redirect is followed, and the body is not read.
///
/// The phone knows Basic only, over plain HTTP: the password crosses the network
/// in clear, which is why this way is the last that is tried.
pub async fn action_uri(
    at: SocketAddr,
    user: &str,
    password: &Secret,
    within: Duration,
) -> ActionOutcome {
    match tokio::time::timeout(within, ask(at, user, password, within)).await {
        Ok(Ok(status)) => match status {
            200..=299 => ActionOutcome::Accepted(status),
            401 | 403 => ActionOutcome::WrongCredentials(status),
            other => ActionOutcome::Refused(other),
        },
        Ok(Err(ClientError::Timeout)) | Err(_) => ActionOutcome::TimedOut,
        Ok(Err(error)) => ActionOutcome::Unreachable(error.to_string().into()),
    }
}

async fn ask(
    at: SocketAddr,
    user: &str,
    password: &Secret,
    within: Duration,
) -> Result<u16, ClientError> {
    let host = Host::Address(at.ip());
    let mut connection = ClientConnection::connect_to(at, &host, None, within).await?;
    let login = STANDARD.encode(format!("{user}:{}", password.expose()));
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = hyper::Uri::from_static(ACTION);
    let headers = request.headers_mut();
    if let Ok(host) = HeaderValue::try_from(at.to_string()) {
        headers.insert(HOST, host);
    }
    headers.insert(USER_AGENT, HeaderValue::from_static("Provost"));
    if let Ok(mut value) = HeaderValue::try_from(format!("Basic {login}")) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(connection.send(request).await?.status().as_u16())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn outcome(answer: &'static str) -> (ActionOutcome, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let phone = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 2048];
            let length = socket.read(&mut request).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        let password = Secret::new("pa:ss");
        tokio::join!(action_uri(at, "admin", &password, Duration::from_secs(10)), phone)
    }

    #[tokio::test]
    async fn what_the_phone_says_is_told() {
        let (told, request) = outcome("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!(told, ActionOutcome::Accepted(200));
        assert!(request.starts_with("GET /cgi-bin/ConfigManApp.com?key=AutoP HTTP/1.1\r\n"));
        assert!(request.to_lowercase().contains("authorization: basic"), "{request}");
        assert!(request.contains("YWRtaW46cGE6c3M="), "{request}");
        let (told, _) = outcome("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!(told, ActionOutcome::WrongCredentials(401));
        let (told, _) = outcome(
            "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
        assert_eq!(told, ActionOutcome::Refused(302), "no redirect is followed");
        let (told, _) = outcome("nonsense\r\n\r\n").await;
        assert!(matches!(told, ActionOutcome::Unreachable(_)), "{told:?}");
    }
}
