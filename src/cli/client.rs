//! A client of the northbound for the commands.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{Method, Request, Response, header};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use indicatif::ProgressBar;
use rustls_pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{CliError, Global};
use crate::api::tokens::ADMIN_TOKEN_FILE;
use crate::class::Class;
use crate::device::Secret;
use crate::http::{Body, Host, Target, client_tls, read_limited};
use crate::server::NORTHBOUND_URL;

/// For a connection to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// For an answer, besides what the server was asked to wait.
const ANSWER: Duration = Duration::from_secs(60);

/// The largest answer that is taken, in bytes.
const MAX_ANSWER: u64 = 64 << 20;

/// What is needed to ask the server.
#[derive(Debug)]
pub(super) struct Client {
    url: String,
    target: Target,
    /// Whose certificates are good, if it is asked over TLS.
    tls: Option<Arc<rustls::ClientConfig>>,
    token: Secret,
    data: String,
    /// What stands before every path: `/api/v1`, or nothing for GenieACS's.
    base: &'static str,
}

impl Client {
    /// Finds out where the server answers and what opens it.
    pub(super) fn new(global: &Global) -> Result<Self, CliError> {
        let data = global.data.display().to_string();
        let url = match &global.server {
            Some(url) => url.clone(),
            None => std::fs::read_to_string(global.data.join(NORTHBOUND_URL))
                .map_err(|_| CliError::NoUrl { data: data.clone() })?,
        };
        let url = url.trim().trim_end_matches('/').to_owned();
        let target = Target::parse(&url)
            .map_err(|problem| CliError::BadUrl { url: url.clone(), problem })?;
        let tls = if target.tls { Some(trust(global, &url)?) } else { None };
        let token = match &global.token {
            Some(token) => token.clone(),
            None => {
                let path = global.data.join(ADMIN_TOKEN_FILE);
                let at = path.display().to_string();
                std::fs::read_to_string(path)
                    .map_err(|source| CliError::NoToken { path: at, source })?
            }
        };
        Ok(Self { url, target, tls, token: Secret::new(token.trim()), data, base: "/api/v1" })
    }

    /// The same one, asking by GenieACS's interface.
    pub(super) fn of_genieacs(self) -> Self {
        Self { base: "", ..self }
    }

    /// Reads a resource; `path` begins behind what stands before all of them.
    pub(super) async fn get(&self, path: &str) -> Result<Value, CliError> {
        self.ask(Method::GET, path, Body::empty(), Some(ANSWER)).await
    }

    /// Reads what is no JSON.
    pub(super) async fn text(&self, path: &str) -> Result<Bytes, CliError> {
        let (status, bytes) = self.answer(Method::GET, path, Body::empty(), Some(ANSWER)).await?;
        match (status, serde_json::from_slice::<Value>(&bytes).ok()) {
            (200..=299, _) => Ok(bytes),
            (400..=599, Some(json)) if json["code"].is_string() => Err(refusal(status, &json)),
            _ => Err(CliError::NotOurs { url: self.url.clone(), status }),
        }
    }

    /// Sends JSON.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        json: &Value,
    ) -> Result<Value, CliError> {
        self.ask(method, path, Body::full(json.to_string()), Some(ANSWER)).await
    }

    /// Sends JSON to, or reads, what the server may wait for up to `wait`.
    pub(super) async fn waiting(
        &self,
        method: Method,
        path: &str,
        json: Option<&Value>,
        wait: Duration,
    ) -> Result<Value, CliError> {
        let body = json.map_or_else(Body::empty, |json| Body::full(json.to_string()));
        self.ask(method, path, body, Some(ANSWER.saturating_add(wait))).await
    }

    /// Removes a resource.
    pub(super) async fn delete(&self, path: &str) -> Result<Value, CliError> {
        self.ask(Method::DELETE, path, Body::empty(), Some(ANSWER)).await
    }

    /// Sends a file as it lies on disk, telling the bar what has left.
    pub(super) async fn upload(
        &self,
        path: &str,
        file: &Path,
        bar: ProgressBar,
    ) -> Result<Value, CliError> {
        let failed = |source| CliError::File { path: file.to_owned(), source };
        let opened = tokio::fs::File::open(file).await.map_err(failed)?;
        let metadata = opened.metadata().await.map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(std::io::Error::other("not a file")));
        }
        bar.set_length(metadata.len());
        let body = Counted { body: Body::file(opened, metadata.len()), bar };
        // However long it takes: the server has limits of its own.
        self.ask(Method::POST, path, Body::stream(body), None).await
    }

    /// Fetches what may not fit into memory into a file that only its owner can
    /// read, telling the bar what has come; its size in bytes.
    pub(super) async fn download(
        &self,
        path: &str,
        to: &Path,
        bar: ProgressBar,
    ) -> Result<u64, CliError> {
        let request = self.request(Method::GET, path, Body::empty())?;
        let (response, driver) = self.send_request(request).await?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        if status != 200 {
            let bytes = read_limited(body, MAX_ANSWER).await?;
            let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            return Err(match json["code"].is_string() {
                true => refusal(status, &json),
                false => CliError::NotOurs { url: self.url.clone(), status },
            });
        }
        if let Some(size) = http_body::Body::size_hint(&body).exact() {
            bar.set_length(size);
        }
        let failed = |source| CliError::File { path: to.to_owned(), source };
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(to).await.map_err(failed)?;
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            let Ok(piece) = frame?.into_data() else { continue };
            file.write_all(&piece).await.map_err(failed)?;
            size += piece.len() as u64;
            bar.inc(piece.len() as u64);
        }
        file.flush().await.map_err(failed)?;
        driver.abort();
        Ok(size)
    }

    /// Opens a stream of events, and goes on behind the one that was heard last. It
    /// is read by whoever asked; the task carries the connection.
    pub(super) async fn stream(
        &self,
        path: &str,
        last_event_id: Option<&str>,
    ) -> Result<(Incoming, JoinHandle<hyper::Result<()>>), CliError> {
        let mut request = self.request(Method::GET, path, Body::empty())?;
        if let Some(id) = last_event_id.and_then(|id| id.parse().ok()) {
            request.headers_mut().insert("last-event-id", id);
        }
        let (response, driver) = self.send_request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body();
        if status == 200 {
            return Ok((body, driver));
        }
        let bytes = read_limited(body, MAX_ANSWER).await?;
        let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        Err(match json["code"].is_string() {
            true => refusal(status, &json),
            false => CliError::NotOurs { url: self.url.clone(), status },
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Body,
        patience: Option<Duration>,
    ) -> Result<Value, CliError> {
        let (status, bytes) = self.answer(method, path, body, patience).await?;
        let json =
            if bytes.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&bytes).ok() };
        match (status, json) {
            (200..=299, Some(json)) => Ok(json),
            (400..=599, Some(json)) if json["code"].is_string() => Err(refusal(status, &json)),
            _ => Err(CliError::NotOurs { url: self.url.clone(), status }),
        }
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Body,
        patience: Option<Duration>,
    ) -> Result<(u16, Bytes), CliError> {
        let request = self.request(method, path, body)?;
        let exchange = self.exchange(request);
        match patience {
            None => exchange.await,
            Some(patience) => tokio::time::timeout(patience, exchange)
                .await
                .map_err(|_| CliError::Timeout(self.url.clone()))?,
        }
    }

    fn request(&self, method: Method, path: &str, body: Body) -> Result<Request<Body>, CliError> {
        Ok(Request::builder()
            .method(method)
            .uri(format!("{}{}{path}", self.target.path.trim_end_matches('/'), self.base))
            .header(header::HOST, self.target.host_header())
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.expose()))
            .header(header::CONNECTION, "close")
            .body(body)?)
    }

    async fn exchange(&self, request: Request<Body>) -> Result<(u16, Bytes), CliError> {
        let (response, driver) = self.send_request(request).await?;
        let status = response.status().as_u16();
        let bytes = read_limited(response.into_body(), MAX_ANSWER).await?;
        driver.abort();
        Ok((status, bytes))
    }

    /// Sends a request on a connection of its own; the task carries the
    /// connection, and is to be ended when the answer has been read.
    async fn send_request(
        &self,
        request: Request<Body>,
    ) -> Result<(Response<Incoming>, JoinHandle<hyper::Result<()>>), CliError> {
        let stream = tokio::time::timeout(CONNECT, self.connect())
            .await
            .map_err(|_| CliError::Timeout(self.url.clone()))?
            .map_err(|source| CliError::NoServer {
                url: self.url.clone(),
                data: self.data.clone(),
                source,
            })?;
        let (mut sender, connection) = http1::handshake(stream).await?;
        let driver = tokio::spawn(connection);
        Ok((sender.send_request(request).await?, driver))
    }

    async fn connect(&self) -> std::io::Result<TokioIo<Box<dyn Stream>>> {
        let stream = match &self.target.host {
            Host::Address(address) => {
                TcpStream::connect(SocketAddr::new(*address, self.target.port)).await?
            }
            Host::Name(name) => TcpStream::connect((&**name, self.target.port)).await?,
        };
        let Some(tls) = &self.tls else { return Ok(TokioIo::new(Box::new(stream))) };
        let name = match &self.target.host {
            Host::Address(address) => ServerName::IpAddress((*address).into()),
            Host::Name(name) => {
                ServerName::try_from(name.to_string()).map_err(std::io::Error::other)?
            }
        };
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(tls));
        Ok(TokioIo::new(Box::new(connector.connect(name, stream).await?)))
    }
}

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// By whose word the server's certificate is good: of the authorities in `--ca`, or
/// of the one that the server made in its data folder.
fn trust(global: &Global, url: &str) -> Result<Arc<rustls::ClientConfig>, CliError> {
    let own = global.data.join("tls").join("ca.pem");
    let path = match &global.ca {
        Some(path) => path.clone(),
        None if own.is_file() => own,
        None => return Err(CliError::NoAuthority(url.to_owned())),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|source| CliError::File { path: path.clone(), source })?;
    client_tls(&text).map_err(|_| CliError::BadAuthority(path))
}

/// The problem document as an error.
fn refusal(status: u16, problem: &Value) -> CliError {
    let text = |key: &str| problem[key].as_str().map(clean);
    CliError::Refused {
        class: Class::from_http_status(status),
        detail: text("detail").unwrap_or_default(),
        hint: text("hint"),
        faults: problem["errors"].as_array().cloned().unwrap_or_default(),
    }
}

/// A text from elsewhere for a terminal: control characters could steer it.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A text as one segment of a path, or as a value in a query.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A body that tells a progress bar what has left.
struct Counted {
    body: Body,
    bar: ProgressBar,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.bar.inc(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
