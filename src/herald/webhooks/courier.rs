//! One delivery: a POST to a receiver that may be anywhere, and its answer.
//!
//! Where to is said by people who may be other than those who run the server, so
//! nothing is sent into its neighbourhood: every address of the name is judged,
//! and the connection goes to one of those, without asking for the name again.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};

use crate::config::{Live, WebhooksConfig};
use crate::device::Secret;
use crate::http::{
    ClientConnection, ClientError, Host, Target, is_named, is_public, reaches_many, read_limited,
};
use crate::news::signature;
use crate::time::Timestamp;

/// The most of an answer's body that is read, in bytes.
const MAX_ANSWER: u64 = 8 << 10;

/// Addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 16;

/// Addresses of one name that are tried.
const TRIED: usize = 3;

/// The longest that a receiver may ask for patience.
const MOST_PATIENCE: Duration = Duration::from_secs(3600);

/// What is sent.
pub(super) struct Parcel<'a> {
    /// The kind of the event.
    pub(super) kind: &'a str,
    /// The same whenever the same is sent again.
    pub(super) delivery: &'a str,
    /// JSON.
    pub(super) body: Bytes,
    /// When.
    pub(super) now: Timestamp,
}

/// Where it is sent, and with what it is signed.
pub(super) struct Address {
    pub(super) target: Target,
    pub(super) secret: Secret,
}

/// Why a receiver did not take something. No secret and no address of the
/// network stands in the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    /// Why, in words.
    pub problem: String,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether it says that it is there no longer (410).
    pub gone: bool,
}

impl Failure {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), retry_after: None, gone: false }
    }
}

/// Delivers.
pub(super) struct Courier {
    pub(super) config: Live<WebhooksConfig>,
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
}

impl Courier {
    /// Sends a parcel over a connection that was kept, or a new one; the status if
    /// the receiver took it.
    ///
    /// # Errors
    /// [`Failure`]; the connection is not kept then.
    pub(super) async fn post(
        &self,
        kept: &mut Option<ClientConnection>,
        address: &Address,
        parcel: Parcel<'_>,
    ) -> Result<u16, Failure> {
        let connection = kept.take().filter(ClientConnection::is_open);
        let exchange = self.exchange(connection, address, &parcel);
        let (status, connection) = tokio::time::timeout(self.timeout(), exchange)
            .await
            .unwrap_or_else(|_| Err(Failure::new("no answer in time")))?;
        *kept = connection;
        Ok(status)
    }

    async fn exchange(
        &self,
        kept: Option<ClientConnection>,
        address: &Address,
        parcel: &Parcel<'_>,
    ) -> Result<(u16, Option<ClientConnection>), Failure> {
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect(&address.target).await?,
        };
        let request = request(address, parcel)?;
        let answer = match connection.send(request.clone()).await {
            // It was closed while nothing was sent: the same once more.
            Err(_) if !connection.is_open() => {
                connection = self.connect(&address.target).await?;
                connection.send(request).await
            }
            sent => sent,
        };
        let answer = answer.map_err(|_| Failure::new("the connection broke"))?;
        let (head, body) = answer.into_parts();
        let is_read = read_limited(body, MAX_ANSWER).await.is_ok();
        verdict(head.status, &head.headers, parcel.now)?;
        let keep = is_read && connection.is_open();
        Ok((head.status.as_u16(), keep.then_some(connection)))
    }

    /// Whether a host may be sent to, as far as that can be told without asking
    /// for its name.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check_host(&self, host: &Host) -> Result<(), String> {
        match host {
            Host::Address(address) if !self.allows(*address) => Err(NOT_ALLOWED.to_owned()),
            Host::Name(name) if **name == *"localhost" || name.ends_with(".localhost") => {
                if self.allows(IpAddr::from([127, 0, 0, 1])) {
                    Ok(())
                } else {
                    Err(NOT_ALLOWED.to_owned())
                }
            }
            _ => Ok(()),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        !reaches_many(address) && (is_public(address) || is_named(&self.config.allow, address))
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.config.timeout.into())
    }

    async fn connect(&self, target: &Target) -> Result<ClientConnection, Failure> {
        let addresses: Vec<SocketAddr> = match &target.host {
            Host::Address(address) => vec![SocketAddr::new(*address, target.port)],
            Host::Name(name) => tokio::net::lookup_host((&**name, target.port))
                .await
                .map_err(|_| Failure::new("the name does not resolve"))?
                .take(MAX_ADDRESSES)
                .collect(),
        };
        // A name with one address outside and one inside is a trick.
        if !addresses.iter().all(|address| self.allows(address.ip())) {
            return Err(Failure::new(NOT_ALLOWED));
        }
        let tls = match (target.tls, &self.tls) {
            (false, _) => None,
            (true, Some(tls)) => Some(tls.clone()),
            (true, None) => return Err(Failure::new("this machine trusts no authority")),
        };
        let mut last = Failure::new("the name does not resolve");
        for at in addresses.into_iter().take(TRIED) {
            let opened =
                ClientConnection::connect_to(at, &target.host, tls.clone(), self.timeout()).await;
            match opened {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Failure::new(in_words(&error)),
            }
        }
        Err(last)
    }
}

const NOT_ALLOWED: &str =
    "the address is not in the public Internet, nor in a network that webhooks.allow names";

/// What went wrong, without the address: whoever made the webhook may not know
/// what the name stands for here.
fn in_words(error: &ClientError) -> String {
    match error {
        ClientError::Connect { source, .. } => format!("no connection: {}", source.kind()),
        ClientError::Tls(error) => format!("TLS failed: {error}"),
        ClientError::Unresolved(_) => "the name does not resolve".to_owned(),
        ClientError::Timeout => "no connection in time".to_owned(),
        ClientError::BadName(_) => "the host is no name for TLS".to_owned(),
        ClientError::Exchange(_) => "the connection broke".to_owned(),
    }
}

fn request(address: &Address, parcel: &Parcel<'_>) -> Result<Request<Full<Bytes>>, Failure> {
    let Address { target, secret } = address;
    let timestamp = parcel.now.as_secs();
    let mut request = Request::post(&*target.path)
        .header(HOST, target.host_header())
        .header(USER_AGENT, "Provost")
        .header(CONTENT_TYPE, "application/json")
        .header("Provost-Event", parcel.kind)
        .header("Provost-Delivery", parcel.delivery)
        .header("Provost-Timestamp", timestamp)
        .body(Full::new(parcel.body.clone()))
        .map_err(|_| Failure::new("the URL's path is malformed"))?;
    let signed = signature(secret.expose(), timestamp, &parcel.body);
    let signed = signed.parse().map_err(|_| Failure::new("it cannot be signed"))?;
    request.headers_mut().insert("provost-signature", signed);
    Ok(request)
}

/// 2xx is taken; everything else is not, redirects included.
fn verdict(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let mut failure = Failure::new(format!("the receiver answered {}", status.as_u16()));
    match status {
        StatusCode::GONE => failure.gone = true,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            failure.retry_after = retry_after(headers, now);
        }
        _ => {}
    }
    Err(failure)
}

/// How long the receiver asks to be left alone: seconds, or a date (RFC 9110
/// §10.2.3); bounded.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?;
            let at = at.duration_since(std::time::UNIX_EPOCH).ok()?;
            Timestamp::from_millis(i64::try_from(at.as_millis()).ok()?).since(now)
        }
    };
    Some(wait.min(MOST_PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn courier(allow: &[&str]) -> Courier {
        let allow = allow.iter().map(|network| network.parse().unwrap()).collect();
        Courier { config: WebhooksConfig { allow, ..WebhooksConfig::default() }.into(), tls: None }
    }

    async fn refused(courier: &Courier, url: &str) -> String {
        let Ok(target) = Target::parse(url) else { return "no URL".to_owned() };
        match courier.connect(&target).await {
            Ok(_) => String::new(),
            Err(failure) => failure.problem,
        }
    }

    /// security: E13, D1, D2, D4, D5.
    #[tokio::test]
    async fn nothing_is_sent_into_the_neighbourhood() {
        let strict = courier(&[]);
        let wide = courier(&["0.0.0.0/0", "::/0"]);
        for url in [
            "http://127.0.0.1:1/admin",
            "http://127.0.0.1.:1/",
            "http://localhost:1/",
            "http://localhost.:1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[::1]:1/",
            "http://[::ffff:127.0.0.1]:1/",
            "http://[fe80::1]/",
            "http://0.0.0.0:1/",
            "http://[::]:1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
        ] {
            for courier in [&strict, &wide] {
                let problem = refused(courier, url).await;
                assert!(problem == NOT_ALLOWED || problem == "no URL", "{url}: {problem}");
            }
        }
        for url in
            ["http://10.0.0.1/", "http://192.168.1.1/", "http://[fd00::1]/", "http://100.64.0.1/"]
        {
            assert_eq!(refused(&strict, url).await, NOT_ALLOWED, "{url}");
        }
        for url in [
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "file:///etc/passwd",
            "gopher://example.net/",
            "http://user:password@example.net/",
            "http://example.net/\r\nHost: evil",
            "http://example.net/#x",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
        assert!(strict.check_host(&Host::Name("localhost".into())).is_err());
        assert!(strict.check_host(&Host::Name("a.localhost".into())).is_err());
        assert!(courier(&["127.0.0.0/8"]).check_host(&Host::Name("localhost".into())).is_ok());
        assert!(strict.check_host(&Host::Name("hooks.example.net".into())).is_ok());
    }

    #[test]
    fn only_2xx_is_taken_and_patience_is_bounded() {
        let now = Timestamp::from_millis(1_795_205_100_000);
        let with = |status: u16, after: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(after) = after {
                headers.insert(RETRY_AFTER, after.parse().unwrap());
            }
            verdict(StatusCode::from_u16(status).unwrap(), &headers, now)
        };
        for taken in [200, 202, 204, 299] {
            assert_eq!(with(taken, None), Ok(()));
        }
        for other in [301, 302, 307, 400, 404, 500] {
            let failure = with(other, Some("7")).unwrap_err();
            assert_eq!((failure.retry_after, failure.gone), (None, false), "{other}");
        }
        assert!(with(410, None).unwrap_err().gone);
        let after = |text| with(503, Some(text)).unwrap_err().retry_after;
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("99999999"), Some(MOST_PATIENCE));
        assert_eq!(after("soon"), None);
        assert_eq!(after("Fri, 20 Nov 2026 20:05:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(after("Fri, 20 Nov 2020 20:05:30 GMT"), Some(Duration::ZERO));
    }
}
