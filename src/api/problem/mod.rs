//! Every error of the northbound, and the one place that turns it into an
//! answer: `application/problem+json` (RFC 9457) with a stable `code`.

mod answer;

pub(super) use answer::Problem;

use serde::Serialize;

use super::fitness::FieldMisfit;
use crate::access::{Excess, Right};
use crate::campaign::CampaignError;
use crate::class::Class;
use crate::files::FilesError;
use crate::find::FindError;
use crate::herald::HubFull;
use crate::store::StoreError;
use crate::supply::SupplyError;
use crate::trace::TraceError;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// There is no bearer token, or it opens nothing.
    #[error("a valid bearer token is needed")]
    NoToken,
    /// The request was sent by a page of another site.
    #[error("requests from pages of other sites are refused")]
    ForeignOrigin,
    /// The request is for a host that is not this server.
    #[error("this server is not the host {0:?}")]
    WrongHost(String),
    /// Tokens that open nothing, and too many of them.
    #[error("too many tokens that open nothing came from this address")]
    TooManyBadTokens(u32),
    /// What is to be given away is not the principal's own.
    #[error("nobody gives more than they have, and this would give {0}")]
    BeyondOwn(Excess),
    /// There are as many as may be.
    #[error("there are {limit} {what} already, and no more are taken")]
    NoRoom {
        /// `tokens` and the like.
        what: &'static str,
        /// How many may be.
        limit: usize,
    },
    /// A token that was revoked stays so.
    #[error("token {0} was revoked, and stays so")]
    TokenRevoked(String),
    /// The machine gives no random numbers.
    #[error("{0}")]
    NoRandom(String),
    /// The token is good, and does not give this right.
    #[error("this token does not give the right {0}")]
    NoRight(Right),
    /// What is asked for would lie where this token does not reach.
    #[error("{field}: {problem}")]
    BeyondReach {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The path is none of this interface.
    #[error("there is nothing at this path")]
    NoRoute,
    /// The path is known, the method is not.
    #[error("this path does not know the method")]
    WrongMethod,
    /// The record asked for does not exist.
    #[error("there is no {what} {name}")]
    NoSuch {
        /// `device`, `task` and the like.
        what: &'static str,
        /// Its key.
        name: String,
    },
    /// The body, the query or the path cannot be read.
    #[error("the {what} cannot be read: {problem}")]
    Malformed {
        /// `body`, `query` or `path`.
        what: &'static str,
        /// Where and why.
        problem: String,
    },
    /// A field holds what it must not hold.
    #[error("{field}: {problem}")]
    BadValue {
        /// The field, as in `values[2].name`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The body is larger than it may be.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The body stopped coming.
    #[error("the body did not arrive in time, or broke off")]
    BodyStalled,
    /// It exists already.
    #[error("{what} {name} exists already")]
    Exists {
        /// `device credentials` and the like.
        what: &'static str,
        /// The key.
        name: String,
    },
    /// The name belongs to something that this token does not reach.
    #[error("the name {name} is taken; call the {what} otherwise")]
    Taken {
        /// `profile` and the like.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A file to be imported has faults; nothing of it was taken.
    #[error("{}{}", faults.first().map(ToString::to_string).unwrap_or_default(), and_more(*all))]
    Import {
        /// The first of them, by line.
        faults: Vec<ImportFault>,
        /// How many there are.
        all: usize,
    },
    /// Profiles have faults; nothing of them was taken.
    #[error("{}", first_fault(faults, *all))]
    BadProfile {
        /// The first of them.
        faults: Vec<ImportFault>,
        /// How many there are.
        all: usize,
    },
    /// Profiles were changed since a plan was made.
    #[error("profiles were changed since plan {0} was made; nothing was applied")]
    PlanOutdated(String),
    /// A plan can be applied once.
    #[error("plan {id} was applied at {at}")]
    PlanApplied {
        /// The plan.
        id: String,
        /// When.
        at: crate::time::Timestamp,
    },
    /// A plan is still being made.
    #[error("plan {0} is still being made")]
    PlanUnready(String),
    /// A plan could not be made.
    #[error("the plan was not made: {0}")]
    PlanFailed(String),
    /// As many plans are being made as may be.
    #[error("{0} plans are being made already")]
    PlansFull(usize),
    /// Paths or values that the device cannot take.
    #[error("{}", told(.0))]
    Misfits(Vec<FieldMisfit>),
    /// Nothing can be laid ready for a device that is here.
    #[error("{key} is here as {device}")]
    IsHere {
        /// As what it was to be expected.
        key: String,
        /// The device.
        device: String,
    },
    /// More than one answer holds.
    #[error("more than {limit} {what}; ask for a part of them, as by site")]
    TooMany {
        /// `phones` and the like.
        what: &'static str,
        /// How many one answer holds.
        limit: usize,
    },
    /// A device cannot do what is wanted of it.
    #[error("{0}")]
    NotSupported(String),
    /// A device was never asked whether it can.
    #[error("{0}")]
    NotKnownYet(String),
    /// There is no way to tell a phone anything.
    #[error("the phone cannot be told: {0}")]
    NoWay(String),
    /// It cannot go while something needs it.
    #[error("{by} needs the {what} {name}")]
    InUse {
        /// `site` and the like.
        what: &'static str,
        /// The key.
        name: String,
        /// One of those that need it.
        by: String,
    },
    /// `If-Match` names another revision than the stored one.
    #[error("the record has revision {stored}, not {given}")]
    OtherRevision {
        /// The revision that is stored.
        stored: u32,
        /// The revision that the request names.
        given: u32,
    },
    /// An `Idempotency-Key` came with another request before.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The request with this `Idempotency-Key` is being worked on.
    #[error("the request with this Idempotency-Key is being worked on")]
    InProgress,
    /// The server ended while it worked on a request.
    #[error("the server ended while it worked on this request: whether it was done is not known")]
    OutcomeUnknown,
    /// The answer to a repeated request was too large to be kept.
    #[error("this request was answered with status {0}, and the answer was too large to be kept")]
    ReplyLost(u16),
    /// A token has as many keys as it may have.
    #[error("{0} requests with an Idempotency-Key are remembered of this token already")]
    KeysFull(usize),
    /// A change over many devices is about more or fewer than expected.
    #[error("{found} devices are meant, not {expected}; nothing was done")]
    OtherCount {
        /// How many there were to be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// As many changes over many devices run as may.
    #[error("{0} changes over many devices run already")]
    BulksFull(usize),
    /// The query is too long.
    #[error("the query is longer than {0} bytes")]
    QueryTooLong(usize),
    /// A task that has left cannot be called back.
    #[error("task {0} was sent to the device and cannot be called back; its outcome will tell")]
    TaskSent(String),
    /// A task that is over cannot be cancelled.
    #[error("task {id} is over: {state}")]
    TaskOver {
        /// The task.
        id: String,
        /// How it ended.
        state: &'static str,
    },
    /// A device has as many open tasks as it may have.
    #[error("the device has {0} open tasks already")]
    QueueFull(usize),
    /// As many devices are traced as may be.
    #[error(transparent)]
    TracesFull(TraceError),
    /// What the device has is not known yet.
    #[error("what {0} has was never read")]
    NotRead(String),
    /// As many listen to the event stream as may.
    #[error(transparent)]
    StreamsFull(HubFull),
    /// Another backup is being written.
    #[error("a backup is being written already")]
    BackupRuns,
    /// Nobody is there who could read the settings again: the server stops.
    #[error("the settings cannot be read again at present")]
    NobodyReloads,
    /// A campaign cannot do what is asked of it.
    #[error(transparent)]
    Campaign(CampaignError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The shelf failed.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A file of a phone cannot be made.
    #[error(transparent)]
    Supply(#[from] SupplyError),
}

impl ApiError {
    /// What it means to whoever asked.
    pub(super) const fn class(&self) -> Class {
        match self {
            Self::NoToken => Class::Unauthorized,
            Self::ForeignOrigin
            | Self::WrongHost(_)
            | Self::NoRight(_)
            | Self::BeyondOwn(_)
            | Self::BeyondReach { .. } => Class::Forbidden,
            Self::NoRoute | Self::NoSuch { .. } => Class::NotFound,
            Self::WrongMethod
            | Self::Malformed { .. }
            | Self::BadValue { .. }
            | Self::Import { .. }
            | Self::BadProfile { .. }
            | Self::Misfits(_)
            | Self::KeyReused
            | Self::BodyStalled => Class::Invalid,
            Self::TooLarge { .. } | Self::TooMany { .. } | Self::QueryTooLong(_) => Class::TooLarge,
            Self::Exists { .. }
            | Self::Taken { .. }
            | Self::IsHere { .. }
            | Self::InUse { .. }
            | Self::OtherRevision { .. }
            | Self::InProgress
            | Self::OutcomeUnknown
            | Self::ReplyLost(_)
            | Self::OtherCount { .. }
            | Self::TaskSent(_)
            | Self::TaskOver { .. }
            | Self::TracesFull(_)
            | Self::NoRoom { .. }
            | Self::TokenRevoked(_)
            | Self::NotSupported(_)
            | Self::NotKnownYet(_)
            | Self::PlanOutdated(_)
            | Self::PlanApplied { .. }
            | Self::PlanUnready(_)
            | Self::NotRead(_)
            | Self::BackupRuns => Class::Conflict,
            Self::NobodyReloads => Class::Unavailable,
            Self::NoWay(_) | Self::PlanFailed(_) => Class::Failed,
            Self::QueueFull(_)
            | Self::PlansFull(_)
            | Self::KeysFull(_)
            | Self::BulksFull(_)
            | Self::StreamsFull(_)
            | Self::TooManyBadTokens(_) => Class::Throttled,
            Self::NoRandom(_) => Class::Internal,
            Self::Campaign(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Files(error) => error.class(),
            // Not what is asked for is missing, but what is stored names what is not there.
            Self::Supply(SupplyError::Render(_)) => Class::Invalid,
            Self::Supply(error) => error.class(),
        }
    }

    /// The status: that of the class, but for those that HTTP itself demands.
    const fn status(&self) -> u16 {
        match self {
            Self::WrongMethod => 405,
            Self::BodyStalled => 408,
            Self::WrongHost(_) => 421,
            // RFC 9110 §13.1.1, §15.5.13.
            Self::OtherRevision { .. } => 412,
            Self::QueryTooLong(_) => 414,
            Self::KeyReused => 422,
            _ => self.class().http_status(),
        }
    }

    /// The stable word for programs.
    const fn code(&self) -> &'static str {
        match self {
            Self::NoToken => "token-needed",
            Self::ForeignOrigin => "foreign-origin",
            Self::WrongHost(_) => "wrong-host",
            Self::TooManyBadTokens(_) => "too-many-bad-tokens",
            Self::BeyondOwn(_) => "beyond-own",
            Self::NoRoom { .. } => "no-room",
            Self::NoRandom(_) => "no-random",
            Self::TokenRevoked(_) => "token-revoked",
            Self::NoRight(_) => "no-right",
            Self::BeyondReach { .. } => "beyond-reach",
            Self::NoRoute => "no-route",
            Self::WrongMethod => "wrong-method",
            Self::NoSuch { .. } => "not-found",
            Self::Malformed { .. } => "malformed",
            Self::BadValue { .. } => "bad-value",
            Self::Import { .. } => "bad-import",
            Self::BadProfile { .. } => "bad-profile",
            Self::PlanOutdated(_) => "plan-outdated",
            Self::PlanApplied { .. } => "plan-applied",
            Self::PlanUnready(_) => "plan-unready",
            Self::PlanFailed(_) => "plan-failed",
            Self::PlansFull(_) => "plans-full",
            Self::Misfits(_) => "not-fitting",
            Self::TooLarge { .. } | Self::TooMany { .. } => "too-large",
            Self::BodyStalled => "body-stalled",
            Self::Exists { .. } => "exists",
            Self::Taken { .. } => "taken",
            Self::InUse { .. } => "in-use",
            Self::IsHere { .. } => "is-here",
            Self::OtherRevision { .. } => "other-revision",
            Self::KeyReused => "key-reused",
            Self::InProgress => "in-progress",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::ReplyLost(_) => "reply-lost",
            Self::KeysFull(_) => "keys-full",
            Self::OtherCount { .. } => "other-count",
            Self::BulksFull(_) => "bulks-full",
            Self::QueryTooLong(_) => "query-too-long",
            Self::TaskSent(_) => "task-sent",
            Self::TaskOver { .. } => "task-over",
            Self::NotSupported(_) => "not-supported",
            Self::NotKnownYet(_) => "not-known-yet",
            Self::NoWay(_) => "no-way",
            Self::QueueFull(_) => "queue-full",
            Self::TracesFull(_) => "traces-full",
            Self::StreamsFull(_) => "streams-full",
            Self::NotRead(_) => "not-read",
            Self::BackupRuns => "backup-runs",
            Self::NobodyReloads => "not-available",
            Self::Campaign(CampaignError::WrongState { .. }) => "wrong-state",
            Self::Campaign(error) => error.class().word(),
            Self::Store(StoreError::Conflict(_)) => "changed-meanwhile",
            Self::Store(StoreError::ReadOnly(_)) => "store-read-only",
            Self::Store(StoreError::TooLarge(_)) => "too-large",
            Self::Store(StoreError::KeyPlace(_)) => "keys-not-writable",
            Self::Store(StoreError::Closed) => "shutting-down",
            Self::Store(StoreError::Damaged(_) | StoreError::Key(_) | StoreError::Io(_)) => {
                "store-failed"
            }
            Self::Files(error) => error.class().word(),
            Self::Supply(SupplyError::Render(_)) => "not-renderable",
            Self::Supply(error) => error.class().word(),
        }
    }

    /// What to do about it, where there is something to be done.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoToken => Some(
                "send `Authorization: Bearer <token>`; the admin token lies in admin.token in the data folder",
            ),
            Self::WrongHost(_) => Some(
                "by another name than loopback's or the listener's own address it is answered only if `[northbound] hosts` in the settings lists that name",
            ),
            Self::TooManyBadTokens(_) => {
                Some("a good token is not held up; `provost token list` tells which are good")
            }
            Self::TokenRevoked(_) => Some("POST /api/v1/tokens makes another one"),
            Self::BeyondOwn(_) => Some("GET /api/v1/me tells what your token gives"),
            Self::NoRoute => Some("GET /api/v1/openapi.json describes all paths"),
            Self::NoSuch { what: "device", .. } => Some(
                "GET /api/v1/devices lists the ids; inside a path `%` of an id is written `%25`",
            ),
            Self::BeyondReach { .. } => Some("GET /api/v1/me tells how far this token reaches"),
            Self::OtherRevision { .. } | Self::Store(StoreError::Conflict(_)) => {
                Some("read it again, and repeat the change on what is there now")
            }
            Self::Store(StoreError::KeyPlace(_)) => Some(
                "let the server write to the folder in which the keys lie, and to its data folder, and ask again; nothing was changed",
            ),
            Self::KeyReused => Some("take a new key for each change that you mean"),
            Self::InProgress => Some("wait, and send it again with the same key"),
            Self::OutcomeUnknown => {
                Some("look whether it was done; then send it again with a new key if it was not")
            }
            Self::ReplyLost(_) => Some("look at what it changed; send nothing again"),
            Self::KeysFull(_) => Some("keys are forgotten after `northbound.idempotency_hours`"),
            Self::OtherCount { .. } => {
                Some("look with `dry_run` which devices are meant, and ask with that number")
            }
            Self::BulksFull(_) => Some("wait for one of them, or cancel it"),
            Self::QueryTooLong(_) => {
                Some("ask for less at once; POST /api/v1/bulk takes long rules in its body")
            }
            Self::Exists { .. } => Some("DELETE it first"),
            Self::PlanOutdated(_) => {
                Some("make the plan again, look at what it says now, and apply that one")
            }
            Self::NotSupported(_) => {
                Some("GET the abilities of the device: they tell what it can do")
            }
            Self::PlanUnready(_) => Some("GET the plan with ?wait= until it is ready"),
            Self::PlansFull(_) => Some("wait for one of them, or DELETE it"),
            Self::StreamsFull(_) => Some("end another listener, or raise [events] listeners"),
            Self::NotRead(_) => Some("ask for a task `refresh`, or wait for its first session"),
            Self::Misfits(_) => Some(
                "`provost datamodel show PATH` tells what is known; `unchecked` asks the device all the same",
            ),
            Self::IsHere { .. } => {
                Some("PATCH the device itself, or POST /api/v1/preloads/move for its replacement")
            }
            Self::QueueFull(_) => Some("cancel some, or wait until the device has been here"),
            _ => None,
        }
    }
}

/// What is wrong in a file that was to be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct ImportFault {
    /// The line, from 1; 0 if unknown.
    pub(super) line: u64,
    /// The column or field.
    pub(super) column: Option<String>,
    /// What is wrong there.
    pub(super) problem: String,
}

impl std::fmt::Display for ImportFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.line, &self.column) {
            (0, Some(column)) => write!(f, "{column}: ")?,
            (line, Some(column)) => write!(f, "line {line}, {column}: ")?,
            (line, None) => write!(f, "line {line}: ")?,
        }
        f.write_str(&self.problem)
    }
}

fn first_fault(faults: &[ImportFault], all: usize) -> String {
    let first = faults.first().map(ToString::to_string).unwrap_or_default();
    match all.saturating_sub(1) {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}

/// The first three of what is wrong, and how many there are more.
fn told(misfits: &[FieldMisfit]) -> String {
    let one = |misfit: &FieldMisfit| format!("{} {}", misfit.path, misfit.problem);
    let first: Vec<String> = misfits.iter().take(3).map(one).collect();
    let more = match misfits.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("{}{more}", first.join("; "))
}

fn and_more(all: usize) -> String {
    match all.saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more); nothing was imported"),
    }
}

impl From<FindError> for ApiError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Filter(error) => bad_value("filter", error),
            FindError::Store(error) => Self::Store(error),
        }
    }
}

/// A field with what is wrong with it.
pub(super) fn bad_value(field: impl Into<String>, problem: impl ToString) -> ApiError {
    ApiError::BadValue { field: field.into(), problem: problem.to_string() }
}
