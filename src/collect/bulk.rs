//! Bulk data over HTTP (TR-069 Annex N).
//!
//! A device posts or puts its reports to a path of the doors that it knows
//! already, says in the query who it is (`oui`, `pc`, `sn`), and shows its own
//! credentials, the same as in a session. Whoever can speak for one device cannot
//! report for another.
//!
//! A device repeats a report until it is taken, and gives up only in its own time.
//! So what will never be taken is told apart from what may be taken later, for
//! those that look: 4xx is for good, but for 401 (with credentials) and 429 (more
//! slowly); 503 passes.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tracing::{debug, info, warn};

use super::kept::{Came, kept};
use super::pace::Pace;
use crate::bulk::{BulkError, BulkLimits, BulkReport};
use crate::config::{BulkConfig, LimitsConfig};
use crate::device::{DeviceId, DeviceIdentity, Event, EventKind, ReportSource};
use crate::gate::{Denied, Gate, Mismatch, Principal};
use crate::http::{Body, BodyError, Peer, Pieces, collect_decoded};
use crate::store::{Batch, Record, Store, StoreError};
use crate::time::{Clock, Timestamp};

/// What is read of a body that is not taken, in bytes: many devices send it all
/// before they look at the answer.
const PASSED_OVER: u64 = 1 << 20;

/// Larger bodies, in bytes, are read beside the other work.
const LARGE: usize = 64 << 10;

/// What the door is built from.
pub struct BulkDeps {
    /// Where reports go.
    pub store: Arc<dyn Store>,
    /// Judges who is calling; the same as at the door of CWMP.
    pub gate: Arc<Gate>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// `[bulk]`.
    pub config: BulkConfig,
    /// `[limits]`.
    pub limits: LimitsConfig,
}

/// The door for bulk data.
pub struct Bulk {
    deps: BulkDeps,
    pace: Pace<DeviceId>,
    alarms: Pace<DeviceId>,
}

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the method is neither POST nor PUT")]
    Method,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("the query does not say who it is: oui, pc and sn")]
    Nobody,
    #[error("for {0}: {1}")]
    Mismatch(DeviceId, Mismatch),
    #[error("{0} is not known")]
    Unknown(DeviceId),
    #[error("{0} reports too often")]
    TooOften(DeviceId),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Report(#[from] BulkError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Denied(denied) => match denied {
                Denied::Store(_) | Denied::TooMany => StatusCode::SERVICE_UNAVAILABLE,
                Denied::Certificate(_) | Denied::OtherCredentials { .. } => StatusCode::FORBIDDEN,
                Denied::Missing | Denied::Stale | Denied::Wrong | Denied::BasicInClear => {
                    StatusCode::UNAUTHORIZED
                }
            },
            Self::Mismatch(..) => StatusCode::FORBIDDEN,
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Body(BodyError::UnknownEncoding) | Self::Report(BulkError::UnknownFormat) => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::Body(BodyError::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Nobody | Self::Body(_) | Self::Report(_) => StatusCode::BAD_REQUEST,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Bulk {
    /// Builds the door.
    pub fn new(deps: BulkDeps) -> Self {
        let per_minute = deps.config.requests_per_minute;
        let pace = Pace::new(per_minute, per_minute);
        Self { deps, pace, alarms: Pace::new(1, 5) }
    }

    /// Whether a request to this path is for this door.
    pub fn takes(&self, path: &str) -> bool {
        let own = self.deps.config.path.trim_end_matches('/');
        !own.is_empty() && path.trim_end_matches('/') == own
    }

    /// Answers a request.
    pub async fn answer(&self, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
        let now = self.deps.clock.now();
        let (parts, body) = request.into_parts();
        let mut body = Some(body);
        match self.take(peer, &parts, &mut body, now).await {
            Ok(()) => bare(StatusCode::OK),
            Err(refused) => self.refuse(&refused, peer, &parts.headers, body, now).await,
        }
    }

    async fn take(
        &self,
        peer: &Peer,
        request: &http::request::Parts,
        body: &mut Option<Incoming>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let (method, headers) = (&request.method, &request.headers);
        if method != Method::POST && method != Method::PUT {
            return Err(Refused::Method);
        }
        let principal = self.deps.gate.identify(headers, method.as_str(), peer, now).await?;
        let id = reporter(&principal, request.uri.query().unwrap_or_default())?;
        let own = match principal {
            Principal::Onboarding => self.deps.store.credentials(&id).await?,
            Principal::Anyone | Principal::Device(_) | Principal::Certified(_) => None,
        };
        if let Err(mismatch) = Gate::fits(&principal, &id, own.as_ref(), false) {
            return Err(Refused::Mismatch(id, mismatch));
        }
        if self.deps.store.device(&id).await?.is_none() {
            return Err(Refused::Unknown(id));
        }
        if !self.pace.takes(id.clone(), now) {
            return Err(Refused::TooOften(id));
        }
        let Some(body) = body.take() else { return Ok(()) };
        let (most, limits) = (self.deps.config.max_body, &self.deps.limits);
        let bytes = collect_decoded(headers, body, most, limits).await?;
        let reports = read(headers, bytes).await?;
        self.record(&id, reports, self.deps.clock.now()).await?;
        Ok(())
    }

    /// Records the reports of one body, the latest last, so that it is listed
    /// first.
    async fn record(
        &self,
        id: &DeviceId,
        mut reports: Vec<BulkReport>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let count = reports.len();
        reports.sort_by_key(|report| report.collected_at.unwrap_or(now));
        let mut batch = Batch::new();
        for BulkReport { collected_at, values, left_out } in reports {
            let came = Came { source: ReportSource::BulkData, collected_at, values, left_out };
            batch.put(Record::Report(Box::new(kept(id, came, now))));
        }
        self.deps.store.commit(batch).await?;
        debug!(device.id = %id, reports = count, "bulk data");
        Ok(())
    }

    async fn refuse(
        &self,
        refused: &Refused,
        peer: &Peer,
        headers: &HeaderMap,
        body: Option<Incoming>,
        now: Timestamp,
    ) -> Response<Body> {
        let mut response = bare(refused.status());
        match refused {
            // Every Digest begins so.
            Refused::Denied(Denied::Missing | Denied::Stale) => {}
            Refused::Store(_) | Refused::Denied(Denied::Store(_)) => {
                warn!(peer.address = %peer.address, reason = %refused, "bulk data cannot be recorded");
            }
            _ => info!(peer.address = %peer.address, reason = %refused, "bulk data refused"),
        }
        match refused {
            Refused::Method => set(&mut response, ALLOW, HeaderValue::from_static("POST, PUT")),
            Refused::Mismatch(id, _) => self.alarm(id, refused, peer, now).await,
            Refused::Denied(denied) => {
                if let Some(id) = denied.alarms() {
                    self.alarm(id, refused, peer, now).await;
                }
            }
            _ => {}
        }
        match response.status() {
            StatusCode::UNAUTHORIZED => {
                let stale = matches!(refused, Refused::Denied(Denied::Stale));
                for challenge in self.deps.gate.challenges(stale, peer.tls, now) {
                    response.headers_mut().append(WWW_AUTHENTICATE, challenge);
                }
            }
            StatusCode::TOO_MANY_REQUESTS => {
                set(&mut response, RETRY_AFTER, HeaderValue::from_static("60"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                set(&mut response, RETRY_AFTER, HeaderValue::from_static("300"));
            }
            _ => {}
        }
        // A device that asked first (`Expect: 100-continue`) sends no body now. What
        // was not read of one ends the connection.
        let is_read = match body {
            Some(body) if !headers.contains_key(EXPECT) => self.pass_over(body).await.is_ok(),
            Some(_) => false,
            None => !matches!(refused, Refused::Body(_)),
        };
        if !is_read {
            set(&mut response, CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn pass_over(&self, body: Incoming) -> Result<(), BodyError> {
        let mut pieces = Pieces::of(body, PASSED_OVER, &self.deps.limits)?;
        while pieces.next().await?.is_some() {}
        Ok(())
    }

    /// Somebody reports for a device that he is not: said in its history, but not
    /// so often that it drives out everything else.
    async fn alarm(&self, id: &DeviceId, refused: &Refused, peer: &Peer, now: Timestamp) {
        let known = self.deps.store.device(id).await.is_ok_and(|device| device.is_some());
        if !known || !self.alarms.takes(id.clone(), now) {
            return;
        }
        let text = format!("refused a report from {}: {refused}", peer.address.ip());
        let event = Event { device: id.clone(), at: now, kind: EventKind::Alarm(text.into()) };
        if let Err(error) = self.deps.store.commit(Record::Event(event).into()).await {
            warn!(device.id = %id, %error, "an alarm was not recorded");
        }
    }
}

/// Reads the reports of a body.
async fn read(headers: &HeaderMap, bytes: bytes::Bytes) -> Result<Vec<BulkReport>, Refused> {
    let text = |name: HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let content_type = text(CONTENT_TYPE);
    let format = text(HeaderName::from_static("bbf-report-format"));
    let is_small = bytes.len() <= LARGE;
    let read = move || {
        let limits = BulkLimits::default();
        crate::bulk::read(content_type.as_deref(), format.as_deref(), &bytes, &limits)
    };
    if is_small {
        return Ok(read()?);
    }
    let reports = tokio::task::spawn_blocking(read).await;
    Ok(reports.map_err(|_| BodyError::Broken("it cannot be read".to_owned()))??)
}

/// For whom a request reports: the device that the query names, else the one whose
/// credentials it shows.
fn reporter(principal: &Principal, query: &str) -> Result<DeviceId, Refused> {
    let (oui, class, serial) = (value(query, "oui"), value(query, "pc"), value(query, "sn"));
    match (principal, oui, serial) {
        (_, Some(oui), Some(serial)) => {
            let class = class.unwrap_or_default();
            let identity = DeviceIdentity::new("", &oui, &class, &serial);
            identity.map(|identity| identity.id()).map_err(|_| Refused::Nobody)
        }
        (Principal::Device(id) | Principal::Certified(id), None, None) => Ok(id.clone()),
        _ => Err(Refused::Nobody),
    }
}

/// The value of a key of a query, decoded.
fn value<'a>(query: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let (_, value) = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| key.eq_ignore_ascii_case(wanted))?;
    if !value.contains(['%', '+']) {
        return Some(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        let mut decoded = [0];
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..])
                if hex::decode_to_slice([*high, *low], &mut decoded).is_ok() =>
            {
                bytes.extend(decoded);
                rest = after;
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn set(response: &mut Response<Body>, name: HeaderName, value: HeaderValue) {
    response.headers_mut().insert(name, value);
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    set(&mut response, CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_the_device() {
        let anyone = Principal::Anyone;
        for (query, id) in [
            ("oui=00D09E&pc=HG&sn=1", Some("00D09E-HG-1")),
            ("sn=1&oui=00d09e", Some("00D09E-1")),
            ("OUI=00D09E&PC=My+HG%2D1&SN=%41", Some("00D09E-My%20HG%2D1-A")),
            ("oui=00D09E&pc=HG&sn=1&sn=2&x", Some("00D09E-HG-1")),
            ("oui=00D09E&sn=%", Some("00D09E-%25")),
            ("oui=00D09E&sn=", None),
            ("oui=00D09E", None),
            ("", None),
            ("oui=00D09E&sn=%00", None),
            ("oui=00D09E&sn=%ff", None),
        ] {
            let got = reporter(&anyone, query).ok();
            assert_eq!(got.as_ref().map(DeviceId::as_str), id, "{query}");
        }
        let device = Principal::Device(DeviceId::parse("00D09E-HG-1").unwrap());
        assert_eq!(reporter(&device, "x=1").unwrap().as_str(), "00D09E-HG-1");
        assert_eq!(reporter(&device, "oui=00D09E&pc=HG&sn=2").unwrap().as_str(), "00D09E-HG-2");
        assert!(reporter(&device, "oui=00D09E").is_err());
    }
}
