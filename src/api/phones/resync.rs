//! Telling a phone to fetch its files, by whatever it takes.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{self, error::RecvError};
use utoipa::{IntoParams, ToSchema};

use super::known;
use crate::access::Principal;
use crate::api::extract::{Json, PhoneKey, Query};
use crate::api::mask;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::state::{Shared, State as Inner};
use crate::api::within::Eyes;
use crate::device::{Action, Device, Task, TaskId, TaskState};
use crate::phone::{Mac, Phone, Seen, Vendor};
use crate::provision::{Directives, ResyncWay, configuration_download};
use crate::store::Record;
use crate::time::Timestamp;
use crate::wake::{ActionOutcome, NotifyOutcome, NotifyRequest, action_uri, notify};

/// A device that has not informed for longer is not expected to be there.
const FRESH: Duration = Duration::from_secs(24 * 3600);

/// How long a Download that was asked for by a resync stays open.
const DOWNLOAD_WITHIN: Duration = Duration::from_secs(3600);

/// The user of Fanvil phones' own pages.
const ADMIN: &str = "admin";

/// How to tell it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ResyncRequest {
    /// `auto`, `notify`, `action-uri` or `cwmp`; what `provost:resync` says if
    /// absent.
    way: Option<String>,
}

/// How long the answer may wait for the phone.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ResyncQuery {
    /// Seconds to wait until the phone has fetched a file; more than
    /// `northbound.max_wait` is cut to it.
    wait: Option<u32>,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Resynced {
    /// Whether the phone took one of the ways. That it fetches is another
    /// thing: see `fetched`.
    accepted: bool,
    /// Each way that was tried, in order.
    attempts: Vec<Attempt>,
    /// The first file that it took afterwards; null if none was waited for, or
    /// none was seen.
    fetched: Option<FetchedFile>,
    /// All that in a sentence.
    words: String,
}

/// One way that was tried.
#[derive(Debug, Serialize, ToSchema)]
struct Attempt {
    /// `cwmp`, `notify` or `action-uri`.
    way: &'static str,
    accepted: bool,
    /// `accepted`, `needs-credentials`, `wrong-credentials`, `refused`,
    /// `unreachable` or `timed-out`.
    outcome: &'static str,
    /// The code of the phone's answer: of SIP or of HTTP.
    code: Option<u16>,
    /// The same in a sentence.
    words: String,
    /// The task whose Download brings the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
}

/// A file that the phone took.
#[derive(Debug, Serialize, ToSchema)]
struct FetchedFile {
    file: Box<str>,
    version: Box<str>,
    #[schema(value_type = String)]
    at: Timestamp,
    #[schema(value_type = String)]
    address: std::net::IpAddr,
}

/// A way that can be gone, with what it needs.
enum Way {
    Cwmp(Box<Device>),
    Notify(SocketAddr),
    ActionUri(SocketAddr, crate::device::Secret),
}

/// Tells a phone to fetch its files, by whatever way it takes
#[utoipa::path(post, path = "/api/v1/phones/{mac}/resync", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling"),
        ResyncQuery),
    request_body = ResyncRequest,
    responses((status = 200, body = Resynced), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(in crate::api) async fn resync(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
    Query(query): Query<ResyncQuery>,
    Json(request): Json<ResyncRequest>,
) -> Result<axum::Json<Resynced>, ApiError> {
    let phone = known(&state, mac).await?;
    let directives = state.deps.supply.directives(phone.clone()).await?;
    let way = match request.way.as_deref() {
        None => directives.resync,
        Some("auto") => ResyncWay::Auto,
        Some("notify") => ResyncWay::Notify,
        Some("action-uri") => ResyncWay::ActionUri,
        Some("cwmp") => ResyncWay::Cwmp,
        Some(_) => return Err(bad_value("way", "auto, notify, action-uri or cwmp")),
    };
    let longest = state.deps.config.northbound.max_wait;
    let patience = Duration::from_secs(query.wait.unwrap_or(0).min(longest).into());
    let ways = ways(&state, &principal, &phone, &directives, way).await?;
    // Before it is told, so that nothing that it then does is missed.
    let fetches = state.deps.supply.watch_fetches();
    let mut attempts = Vec::new();
    for way in ways {
        let attempt = go(&state, &phone, &directives, way, &principal).await?;
        tracing::info!(
            phone.mac = %mac, resync.way = attempt.way, resync.outcome = attempt.outcome,
            "the phone was told to fetch its files"
        );
        let accepted = attempt.accepted;
        attempts.push(attempt);
        if accepted {
            break;
        }
    }
    let accepted = attempts.iter().any(|attempt| attempt.accepted);
    let fetched = match accepted && !patience.is_zero() {
        true => tokio::time::timeout(patience, fetch_of(fetches, mac)).await.ok(),
        false => None,
    };
    let words = match (&fetched, accepted) {
        (Some(seen), _) => format!("the phone fetched {} version {}", seen.file, seen.version),
        (None, false) => "the phone took none of the ways".to_owned(),
        (None, true) if patience.is_zero() => {
            "the phone took it; whether it fetches is seen in its fetches".to_owned()
        }
        (None, true) => {
            format!("the phone took it, and no fetch was seen in {} s", patience.as_secs())
        }
    };
    let fetched = fetched.map(|Seen { at, address, file, version, .. }| FetchedFile {
        file,
        version,
        at,
        address,
    });
    Ok(axum::Json(Resynced { accepted, attempts, fetched, words }))
}

/// The ways that are there, in the order in which they are tried.
async fn ways(
    state: &Inner,
    principal: &Principal,
    phone: &Phone,
    directives: &Directives,
    way: ResyncWay,
) -> Result<Vec<Way>, ApiError> {
    let is_meant = |one: ResyncWay| way == one || way == ResyncWay::Auto;
    let mut ways = Vec::new();
    let mut missing = Vec::new();
    if is_meant(ResyncWay::Cwmp) {
        match device_of(state, principal, phone, way).await? {
            Some(device) => ways.push(Way::Cwmp(Box::new(device))),
            None => missing.push("it is not known over CWMP, or cannot be woken there"),
        }
    }
    let seen = state.store().seen(phone.mac).await?;
    // Only where the phone itself came from: nobody else can be made to be asked.
    let address = seen.map(|seen| seen.address.to_canonical()).filter(is_one);
    let config = &state.deps.config.phones;
    if is_meant(ResyncWay::Notify) {
        match address {
            Some(address) => ways.push(Way::Notify((address, config.notify_port).into())),
            None => missing.push("it was never seen fetching a file, so nobody knows where it is"),
        }
    }
    if is_meant(ResyncWay::ActionUri) && phone.vendor == Vendor::Fanvil {
        match (address, &directives.admin_password) {
            (Some(address), Some(password)) => {
                ways.push(Way::ActionUri((address, config.web_port).into(), password.clone()));
            }
            (_, None) => missing.push("provost:admin-password is not set"),
            (None, _) => {}
        }
    } else if way == ResyncWay::ActionUri {
        missing.push("only Fanvil phones have an action URI");
    }
    if ways.is_empty() { Err(ApiError::NoWay(missing.join("; "))) } else { Ok(ways) }
}

/// The phone as a device that can be expected to be woken.
async fn device_of(
    state: &Inner,
    principal: &Principal,
    phone: &Phone,
    way: ResyncWay,
) -> Result<Option<Device>, ApiError> {
    let Some(id) = crate::store::device_of(state.store(), phone).await? else { return Ok(None) };
    if !Eyes::of(state, principal).of_device(&id).await? {
        return Ok(None);
    }
    let device = state.store().device(&id).await?;
    let now = state.deps.clock.now();
    Ok(device.filter(|device| {
        !device.connection_request_url.is_empty()
            && (way == ResyncWay::Cwmp || now.since(device.last_inform) < FRESH)
    }))
}

/// Whether an address is that of one host.
fn is_one(address: &std::net::IpAddr) -> bool {
    let is_broadcast = matches!(address, std::net::IpAddr::V4(four) if four.is_broadcast());
    !address.is_multicast() && !address.is_unspecified() && !is_broadcast
}

async fn go(
    state: &Inner,
    phone: &Phone,
    directives: &Directives,
    way: Way,
    principal: &Principal,
) -> Result<Attempt, ApiError> {
    let within = Duration::from_secs(state.deps.config.phones.resync_timeout.clamp(1, 32).into());
    match way {
        Way::Cwmp(device) => download(state, phone, directives, *device, principal).await,
        Way::Notify(at) => {
            let first = phone.accounts.first();
            let credentials = match first {
                Some(account) => {
                    let user = match &*account.auth_user {
                        "" => &account.user,
                        user => user,
                    };
                    Some((user.into(), state.deps.vault.unseal(&account.password)?))
                }
                None => None,
            };
            let request = NotifyRequest {
                user: first.map(|account| account.user.clone()).unwrap_or_default(),
                event: "check-sync".into(),
                credentials,
                from_uri: first
                    .map(|account| format!("sip:provost@{}", account.server).into())
                    .unwrap_or_default(),
            };
            Ok(Attempt::notify(&notify(at, request, within).await))
        }
        Way::ActionUri(at, password) => {
            Ok(Attempt::action(&action_uri(at, ADMIN, &password, within).await))
        }
    }
}

/// A Download of the phone's own file, and a connection request.
async fn download(
    state: &Inner,
    phone: &Phone,
    directives: &Directives,
    device: Device,
    principal: &Principal,
) -> Result<Attempt, ApiError> {
    let Some(file) = configuration_download(phone, directives) else {
        return Err(ApiError::NoWay("its vendor's phones have no file of their own".to_owned()));
    };
    let now = state.deps.clock.now();
    let task = Task {
        id: TaskId(uuid::Uuid::now_v7().as_u128()),
        device: device.id.clone(),
        revision: 1,
        action: Action::Provision(file),
        created_at: now,
        created_by: (&*principal.name).into(),
        expires_at: now.after(DOWNLOAD_WITHIN),
        state: TaskState::Queued,
        notes: Vec::new(),
        results: Vec::new(),
    };
    let id = task.id.to_string();
    state.store().commit(Record::Task(Box::new(task)).into()).await?;
    let (accepted, outcome, words) = match state.deps.waker.wake(&device.id).await {
        Ok(woken) => (true, "accepted", format!("the phone is to open a session ({woken})")),
        Err(error) => {
            let words = format!("{}; the Download waits for it", mask::url(&error.to_string()));
            (false, "unreachable", words)
        }
    };
    Ok(Attempt { way: "cwmp", accepted, outcome, code: None, words, task: Some(id) })
}

impl Attempt {
    fn notify(told: &NotifyOutcome) -> Self {
        let (outcome, code) = match told {
            NotifyOutcome::Accepted(code) => ("accepted", Some(*code)),
            NotifyOutcome::NeedsCredentials(code) => ("needs-credentials", Some(*code)),
            NotifyOutcome::WrongCredentials(code) => ("wrong-credentials", Some(*code)),
            NotifyOutcome::Refused(code, _) => ("refused", Some(*code)),
            NotifyOutcome::Unreachable(_) => ("unreachable", None),
            NotifyOutcome::TimedOut => ("timed-out", None),
        };
        let accepted = outcome == "accepted";
        Self { way: "notify", accepted, outcome, code, words: told.to_string(), task: None }
    }

    fn action(told: &ActionOutcome) -> Self {
        let (outcome, code) = match told {
            ActionOutcome::Accepted(code) => ("accepted", Some(*code)),
            ActionOutcome::WrongCredentials(code) => ("wrong-credentials", Some(*code)),
            ActionOutcome::Refused(code) => ("refused", Some(*code)),
            ActionOutcome::Unreachable(_) => ("unreachable", None),
            ActionOutcome::TimedOut => ("timed-out", None),
        };
        let accepted = outcome == "accepted";
        Self { way: "action-uri", accepted, outcome, code, words: told.to_string(), task: None }
    }
}

/// The next file that a phone takes.
async fn fetch_of(mut fetches: broadcast::Receiver<(Mac, Seen)>, mac: Mac) -> Seen {
    loop {
        match fetches.recv().await {
            Ok((of, seen)) if of == mac => return seen,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
