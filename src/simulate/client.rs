//! The HTTP client of a device: one connection at a time, cookies, Digest or
//! Basic, redirects (TR-069 §3.4).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, LOCATION, SET_COOKIE,
    USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Method, Request};

use crate::device::Secret;
use crate::http::{ClientConnection, DigestClient, Offer, Target, read_limited};

/// The most redirects that are followed in a row (TR-069 §3.4.2).
const MAX_REDIRECTS: usize = 5;

/// The most bytes of cookies that are kept.
const MAX_COOKIES: usize = 4096;

/// How a device meets a challenge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// With Digest (TR-069 §3.4.4); Basic is not answered.
    #[default]
    Digest,
    /// With Basic, shown from the first request on.
    Basic,
    /// Not at all.
    None,
}

/// What all exchanges of a device have in common.
#[derive(Clone, Debug)]
pub(super) struct ClientSettings {
    pub(super) auth: ClientAuth,
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
    /// For a connection, and for an answer.
    pub(super) timeout: Duration,
    /// The most bytes of an answer.
    pub(super) body_limit: u64,
    /// The User-Agent; the program's own if `None`.
    pub(super) agent: Option<Box<str>>,
}

/// Why there is no answer; turned into [`super::SessionFailure`] or
/// [`super::FetchFailure`] by whoever asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientFailure {
    /// The URL cannot be used.
    #[error("{url}: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// Why.
        reason: String,
    },
    /// No connection came about.
    #[error("{0}")]
    Connect(String),
    /// The connection broke, or the answer is no HTTP or too large.
    #[error("{0}")]
    Broken(String),
    /// Too many redirects.
    #[error("too many redirects")]
    Redirects,
}

/// An answer, after redirects and authentication.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) charset: Option<String>,
    pub(super) body: Bytes,
}

/// A client that speaks to one server at a time.
#[derive(Debug)]
pub(super) struct Client {
    settings: ClientSettings,
    login: Option<(Box<str>, Secret)>,
    target: Target,
    connection: Option<ClientConnection>,
    /// Whether the open connection has carried an exchange.
    used: bool,
    cookies: Vec<(String, String)>,
    /// The last challenge, answered unasked from then on.
    offer: Option<Offer>,
    uses: u32,
}

/// What one request brought.
struct Raw {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// A client for one URL; nothing is sent yet.
    pub(super) fn new(
        url: &str,
        login: Option<(Box<str>, Secret)>,
        settings: ClientSettings,
    ) -> Result<Self, ClientFailure> {
        let target = parse(url)?;
        let (connection, used, cookies) = (None, false, Vec::new());
        Ok(Self { settings, login, target, connection, used, cookies, offer: None, uses: 0 })
    }

    /// Begins a new session at a URL: without the cookies of the last one, and
    /// on its connection only if `keep` and the server is the same. The last
    /// nonce is tried again, as devices do.
    pub(super) fn begin(
        &mut self,
        url: &str,
        login: Option<(Box<str>, Secret)>,
        keep: bool,
    ) -> Result<(), ClientFailure> {
        let target = parse(url)?;
        if !keep || target != self.target {
            self.connection = None;
        }
        if target != self.target {
            self.offer = None;
        }
        self.target = target;
        self.login = login;
        self.cookies.clear();
        Ok(())
    }

    /// Closes the connection and forgets the nonce: the device restarts.
    pub(super) fn forget(&mut self) {
        self.connection = None;
        self.offer = None;
    }

    /// POSTs an envelope, or nothing at all.
    pub(super) async fn post(
        &mut self,
        envelope: Option<Vec<u8>>,
    ) -> Result<Received, ClientFailure> {
        self.exchange(Method::POST, envelope.map(Bytes::from)).await
    }

    /// GETs the URL.
    pub(super) async fn get(&mut self) -> Result<Received, ClientFailure> {
        self.exchange(Method::GET, None).await
    }

    /// PUTs a file to the URL.
    pub(super) async fn put(&mut self, content: Bytes) -> Result<Received, ClientFailure> {
        self.exchange(Method::PUT, Some(content)).await
    }

    async fn exchange(
        &mut self,
        method: Method,
        body: Option<Bytes>,
    ) -> Result<Received, ClientFailure> {
        let mut challenged = false;
        let mut redirects = 0;
        loop {
            let raw = self.send_again(&method, body.clone()).await?;
            self.keep_cookies(&raw.headers);
            match raw.status {
                401 if !challenged && self.take_challenge(&raw.headers) => challenged = true,
                302 | 307 => {
                    redirects += 1;
                    if redirects > MAX_REDIRECTS {
                        return Err(ClientFailure::Redirects);
                    }
                    self.redirect(&raw.headers)?;
                    challenged = false;
                }
                status => {
                    let charset = charset(&raw.headers);
                    return Ok(Received { status, charset, body: raw.body });
                }
            }
        }
    }

    /// Sends once more over a new connection if the server has closed the one
    /// that was left open: that is no failure of a session (TR-069 §3.4.1).
    async fn send_again(
        &mut self,
        method: &Method,
        body: Option<Bytes>,
    ) -> Result<Raw, ClientFailure> {
        let reused = self.used && self.connection.as_ref().is_some_and(ClientConnection::is_open);
        match self.send(method, body.clone()).await {
            Err(ClientFailure::Broken(_)) if reused => self.send(method, body).await,
            result => result,
        }
    }

    async fn send(&mut self, method: &Method, body: Option<Bytes>) -> Result<Raw, ClientFailure> {
        let request = self.request(method, body)?;
        let mut connection = self.connected().await?;
        let limit = self.settings.body_limit;
        let exchange = async {
            let answer = connection.send(request).await.map_err(broken)?;
            let (head, body) = answer.into_parts();
            let body = read_limited(body, limit).await.map_err(broken)?;
            Ok(Raw { status: head.status.as_u16(), headers: head.headers, body })
        };
        let timeout = self.settings.timeout;
        let raw = tokio::time::timeout(timeout, exchange)
            .await
            .map_err(|_| ClientFailure::Broken("no answer in time".to_owned()))??;
        self.used = true;
        self.connection = Some(connection);
        Ok(raw)
    }

    /// The open connection, or a new one. It is put back after an exchange that
    /// went well.
    async fn connected(&mut self) -> Result<ClientConnection, ClientFailure> {
        if let Some(connection) = self.connection.take().filter(ClientConnection::is_open) {
            return Ok(connection);
        }
        self.used = false;
        let tls = match (self.target.tls, &self.settings.tls) {
            (false, _) => None,
            (true, Some(tls)) => Some(Arc::clone(tls)),
            (true, None) => {
                return Err(ClientFailure::Connect("the device trusts no certificate".to_owned()));
            }
        };
        let Target { host, port, .. } = &self.target;
        ClientConnection::connect(host, *port, tls, self.settings.timeout)
            .await
            .map_err(|error| ClientFailure::Connect(error.to_string()))
    }

    fn request(
        &mut self,
        method: &Method,
        body: Option<Bytes>,
    ) -> Result<Request<Full<Bytes>>, ClientFailure> {
        let mut request = Request::builder()
            .method(method)
            .uri(&*self.target.path)
            .header(HOST, self.target.host_header())
            .header(USER_AGENT, self.settings.agent.as_deref().unwrap_or("provost-simulate"));
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        if let Some(answer) = self.authorization(method) {
            request = request.header(AUTHORIZATION, answer);
        }
        if *method == Method::PUT {
            request = request.header(CONTENT_TYPE, "application/octet-stream");
        } else if body.is_some() {
            request =
                request.header("SOAPAction", "").header(CONTENT_TYPE, "text/xml; charset=utf-8");
        } else if *method == Method::POST {
            request = request.header(CONTENT_LENGTH, "0");
        }
        request.body(Full::new(body.unwrap_or_default())).map_err(broken)
    }

    fn authorization(&mut self, method: &Method) -> Option<String> {
        let (username, password) = self.login.as_ref()?;
        match self.settings.auth {
            ClientAuth::None => None,
            ClientAuth::Basic => Some(DigestClient::basic(username, password)),
            ClientAuth::Digest => {
                let offer = self.offer.as_ref()?;
                self.uses = self.uses.saturating_add(1);
                let cnonce = uuid::Uuid::new_v4().simple().to_string();
                let target = &self.target.path;
                Some(offer.answer(method.as_str(), target, username, password, &cnonce, self.uses))
            }
        }
    }

    /// Whether a 401 brings a challenge that can be answered.
    fn take_challenge(&mut self, headers: &HeaderMap) -> bool {
        if self.login.is_none() || self.settings.auth != ClientAuth::Digest {
            return false;
        }
        let challenges: Vec<&str> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        self.offer = Offer::strongest(&challenges);
        self.uses = 0;
        self.offer.is_some()
    }

    fn redirect(&mut self, headers: &HeaderMap) -> Result<(), ClientFailure> {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| ClientFailure::Url {
            url: String::new(),
            reason: "a redirect without a location".to_owned(),
        })?;
        // A path of its own is on the same server (RFC 9110 §10.2.2).
        let target = if location.starts_with('/') && !location.starts_with("//") {
            let scheme = if self.target.tls { "https" } else { "http" };
            parse(&format!("{scheme}://{}{location}", self.target.host_header()))?
        } else {
            parse(location)?
        };
        // What one server has set is no other's business (RFC 6265 §5.4).
        if target.host != self.target.host || target.port != self.target.port {
            self.cookies.clear();
        }
        self.target = target;
        self.connection = None;
        self.offer = None;
        Ok(())
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for value in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = value.split(';').next().unwrap_or(value);
            let Some((name, value)) = pair.split_once('=') else { continue };
            let (name, value) = (name.trim(), value.trim());
            self.cookies.retain(|(known, _)| known != name);
            let bytes: usize =
                self.cookies.iter().map(|(name, value)| name.len() + value.len()).sum();
            if bytes + name.len() + value.len() <= MAX_COOKIES {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

fn parse(url: &str) -> Result<Target, ClientFailure> {
    Target::parse(url)
        .map_err(|error| ClientFailure::Url { url: url.to_owned(), reason: error.to_string() })
}

fn broken(error: impl std::fmt::Display) -> ClientFailure {
    ClientFailure::Broken(error.to_string())
}

/// `charset` of the content type.
fn charset(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    content_type.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("charset");
        named.then(|| value.trim().trim_matches('"').to_owned())
    })
}
