//! Every metric that is counted, in the order in which they are told.

use super::Metric;
use super::family::Family;
use super::histogram::Histogram;

/// A door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// CWMP over plain HTTP.
    Cwmp,
    /// CWMP over TLS.
    CwmpTls,
    /// Files and phones over plain HTTP.
    Files,
    /// The same over TLS.
    FilesTls,
    /// The northbound.
    Northbound,
    /// The same over TLS.
    NorthboundTls,
    /// The listener for metrics alone.
    Metrics,
    /// TFTP.
    Tftp,
    /// FTP, with TLS and without.
    Ftp,
    /// Any other.
    Other,
}

const DOORS: [&str; 10] = [
    "cwmp",
    "cwmp_tls",
    "files",
    "files_tls",
    "northbound",
    "northbound_tls",
    "metrics",
    "tftp",
    "ftp",
    "other",
];

impl Door {
    /// The door of this name, as it stands in logs and errors.
    pub fn named(name: &str) -> Self {
        match name {
            "CWMP" => Self::Cwmp,
            "CWMP over TLS" => Self::CwmpTls,
            "file" => Self::Files,
            "file over TLS" => Self::FilesTls,
            "northbound" => Self::Northbound,
            "northbound over TLS" => Self::NorthboundTls,
            "metrics" => Self::Metrics,
            _ => Self::Other,
        }
    }

    /// The CWMP door with TLS or without.
    pub const fn cwmp(tls: bool) -> Self {
        if tls { Self::CwmpTls } else { Self::Cwmp }
    }

    /// The northbound with TLS or without.
    pub const fn northbound(tls: bool) -> Self {
        if tls { Self::NorthboundTls } else { Self::Northbound }
    }

    /// Counts a refusal at this door.
    pub fn refused(self, reason: Reason) {
        REFUSALS.add(self as usize, reason as usize, 1);
    }
}

/// Why somebody is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Credentials or a token that are wrong.
    Credentials,
    /// No token came. Of devices, which are asked for credentials as a rule, this
    /// is not counted.
    NoCredentials,
    /// A client certificate that is not good, or does not fit.
    Certificate,
    /// Somebody who is not served here, or may not speak for the device.
    NotServed,
    /// Credentials are right, and the right is missing.
    NoRight,
    /// Too many requests, logins that failed, or Informs.
    Throttled,
    /// Too many new devices in this minute.
    NewDevices,
    /// As many live sessions as may be.
    Sessions,
    /// As many connections as may be, in all.
    Connections,
    /// As many connections as one source may have.
    ConnectionsOfSource,
    /// A body or message that is larger than may be.
    TooLarge,
    /// A body that comes in too slowly, or breaks off.
    TooSlow,
    /// What is no message.
    Malformed,
    /// A page or host that is not ours.
    Origin,
    /// The store cannot be read or written.
    Store,
    /// The server stops.
    Stopping,
    /// Nothing is there for whoever asks.
    Nowhere,
}

const REASONS: [&str; 17] = [
    "credentials",
    "no_credentials",
    "certificate",
    "not_served",
    "no_right",
    "throttled",
    "new_devices",
    "sessions",
    "connections",
    "connections_of_source",
    "too_large",
    "too_slow",
    "malformed",
    "origin",
    "store",
    "stopping",
    "nowhere",
];

/// Why a session took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The device was not known before.
    First,
    /// It was reset, or has its ACS URL anew.
    Bootstrap,
    /// It started.
    Boot,
    /// It was woken by a connection request.
    ConnectionRequest,
    /// It comes at its times.
    Periodic,
    /// Anything else.
    Other,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Nothing was left to ask.
    Complete,
    /// The device broke the order of the protocol, or sent what is no message.
    Broken,
    /// The device fell silent.
    Silent,
    /// The device began another session.
    Superseded,
    /// The server stopped.
    Stopped,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To us.
    Received,
    /// From us.
    Sent,
}

/// The words of tasks' actions, as the northbound spells them.
pub const ACTIONS: [&str; 25] = [
    "get",
    "set",
    "refresh",
    "add_object",
    "delete_object",
    "download",
    "reboot",
    "factory_reset",
    "get_rpc_methods",
    "provision",
    "set_attributes",
    "get_attributes",
    "upload",
    "schedule_inform",
    "schedule_download",
    "cancel_transfer",
    "get_queued_transfers",
    "get_all_queued_transfers",
    "change_du_state",
    "set_vouchers",
    "get_options",
    "diagnose",
    "redirect",
    "converge",
    "other",
];

/// Bounds of what is done within one request, in microseconds.
const FAST: [u64; 16] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 10_000_000,
];

/// Bounds of what needs several exchanges, in microseconds.
const SLOW: [u64; 14] = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    120_000_000,
    600_000_000,
];

/// Sessions that ended.
pub static SESSIONS: Family<6, 5> = Family::by_two(
    "provost_sessions_total",
    "Sessions of devices that ended, by what they were for and how they ended.",
    ["occasion", "end"],
    ["first", "bootstrap", "boot", "connection_request", "periodic", "other"],
    ["complete", "broken", "silent", "superseded", "stopped"],
);

/// How long sessions took.
pub static SESSION_SECONDS: Histogram<1, 14> = Histogram::seconds(
    "provost_session_duration_seconds",
    "From the Inform to the end of the session.",
    "",
    [""],
    SLOW,
);

/// Sessions that are live.
pub static SESSIONS_LIVE: Family<1, 1> =
    Family::gauge("provost_sessions_live", "Sessions of devices that are live.");

/// RPCs in both directions.
pub static RPCS: Family<30, 3> = Family::by_two(
    "provost_rpcs_total",
    "RPCs with devices, by method and how they were answered.",
    ["method", "outcome"],
    [
        "Inform",
        "TransferComplete",
        "AutonomousTransferComplete",
        "RequestDownload",
        "Kicked",
        "DUStateChangeComplete",
        "AutonomousDUStateChangeComplete",
        "GetRPCMethods",
        "SetParameterValues",
        "GetParameterValues",
        "GetParameterNames",
        "SetParameterAttributes",
        "GetParameterAttributes",
        "AddObject",
        "DeleteObject",
        "Download",
        "Upload",
        "Reboot",
        "FactoryReset",
        "ScheduleInform",
        "ScheduleDownload",
        "CancelTransfer",
        "GetQueuedTransfers",
        "GetAllQueuedTransfers",
        "ChangeDUState",
        "SetVouchers",
        "GetOptions",
        "GetDeploymentUnits",
        "Fault",
        "other",
    ],
    ["answered", "fault", "unanswered"],
);

/// Faults of devices.
pub static FAULTS: Family<35, 1> = Family::by(
    "provost_faults_total",
    "Faults that devices answered with; vendor is 9800 to 9899.",
    "code",
    [
        "9000", "9001", "9002", "9003", "9004", "9005", "9006", "9007", "9008", "9009", "9010",
        "9011", "9012", "9013", "9014", "9015", "9016", "9017", "9018", "9019", "9020", "9021",
        "9022", "9023", "9024", "9025", "9026", "9027", "9028", "9029", "9030", "9031", "9032",
        "vendor", "other",
    ],
);

/// Tasks that ended.
pub static TASKS_ENDED: Family<25, 6> = Family::by_two(
    "provost_tasks_ended_total",
    "Tasks that ended, by action and outcome.",
    ["action", "outcome"],
    ACTIONS,
    ["applied", "accepted", "failed", "expired", "cancelled", "unknown"],
);

/// Tasks that are not ended.
pub static TASKS_OPEN: Family<1, 1> =
    Family::gauge("provost_tasks_open", "Tasks that are queued or sent and not ended.");

/// Commits of the store.
pub static COMMITS: Family<4, 1> = Family::by(
    "provost_store_commits_total",
    "Commits of the store, by how they ended.",
    "outcome",
    ["ok", "conflict", "read_only", "failed"],
);

/// How long commits took.
pub static COMMIT_SECONDS: Histogram<1, 16> = Histogram::seconds(
    "provost_store_commit_duration_seconds",
    "From a commit's asking to its being durable, queue included.",
    "",
    [""],
    FAST,
);

/// Batches that wait for the committer.
pub static QUEUE: Family<1, 1> =
    Family::gauge("provost_store_queue", "Commits that the committer has not taken up yet.");

/// How long writing and syncing a group took.
pub static JOURNAL_SYNC_SECONDS: Histogram<1, 16> = Histogram::seconds(
    "provost_journal_sync_duration_seconds",
    "Writing a group of commits to the journal and syncing it.",
    "",
    [""],
    FAST,
);

/// Bytes written to the journal.
pub static JOURNAL_WRITTEN: Family<1, 1> =
    Family::counter("provost_journal_written_bytes_total", "Bytes written to the journal.");

/// Commits that became durable with one sync.
pub static GROUP_BATCHES: Histogram<1, 10> = Histogram::new(
    "provost_journal_group_commits",
    "Commits that became durable by one sync of the journal.",
    "",
    [""],
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024],
    1,
);

/// How long snapshots took.
pub static SNAPSHOT_SECONDS: Histogram<2, 14> = Histogram::seconds(
    "provost_store_snapshot_duration_seconds",
    "Snapshots of the store, by how they ended.",
    "outcome",
    ["ok", "failed"],
    SLOW,
);

/// Whoever was turned away.
pub static REFUSALS: Family<10, 17> = Family::by_two(
    "provost_refusals_total",
    "Requests and connections that were turned away, by door and reason.",
    ["door", "reason"],
    DOORS,
    REASONS,
);

/// Connections that were accepted.
pub static CONNECTIONS: Family<10, 1> = Family::by(
    "provost_connections_total",
    "Connections, or transfers over TFTP, that were let in.",
    "door",
    DOORS,
);

/// Connections that are open.
pub static CONNECTIONS_OPEN: Family<10, 1> = Family::gauge_by(
    "provost_connections_open",
    "Connections, or transfers over TFTP, that are open.",
    "door",
    DOORS,
);

/// Requests that were answered.
pub static REQUESTS: Family<10, 5> = Family::by_two(
    "provost_http_requests_total",
    "HTTP requests that were answered, by door and class of status.",
    ["door", "status"],
    DOORS,
    ["1xx", "2xx", "3xx", "4xx", "5xx"],
);

/// Bytes over HTTP.
pub static BYTES: Family<10, 2> = Family::by_two(
    "provost_http_bytes_total",
    "Bytes of HTTP that passed the doors, in TLS as well: without its own.",
    ["door", "direction"],
    DOORS,
    ["received", "sent"],
);

/// TLS handshakes.
pub static TLS_HANDSHAKES: Family<10, 2> = Family::by_two(
    "provost_tls_handshakes_total",
    "TLS handshakes, by door and how they ended.",
    ["door", "outcome"],
    DOORS,
    ["ok", "failed"],
);

/// Files that phones were given.
pub static PHONE_FILES: Family<5, 8> = Family::by_two(
    "provost_phone_files_total",
    "Files that phones were given, by vendor and kind; encrypted files are own_encrypted and the like.",
    ["vendor", "kind"],
    ["fanvil", "digium", "audiocodes", "astlinux", "other"],
    [
        "own",
        "own_encrypted",
        "common",
        "common_encrypted",
        "side",
        "side_encrypted",
        "image",
        "other",
    ],
);

/// Files that were refused to phones.
pub static PHONE_REFUSALS: Family<3, 1> = Family::by(
    "provost_phone_refusals_total",
    "Asks for phone files that got none: nothing there for whoever asked, too many asks, or a fault of ours.",
    "reason",
    ["nowhere", "throttled", "fault"],
);

/// Versions of generated files that were begun.
pub static FILE_VERSIONS: Family<1, 1> =
    Family::counter("provost_phone_file_versions_total", "New versions of generated phone files.");

/// Connection requests.
pub static WAKES: Family<2, 1> = Family::by(
    "provost_wakes_total",
    "Attempts to wake a device, by how they ended.",
    "outcome",
    ["woken", "failed"],
);

/// News that was told.
pub static NEWS: Family<1, 1> =
    Family::counter("provost_news_total", "News that was read for listeners and webhooks.");

/// Deliveries to webhooks.
pub static DELIVERIES: Family<3, 1> = Family::by(
    "provost_webhook_deliveries_total",
    "Deliveries to webhooks: taken, to be tried again, or given up.",
    "outcome",
    ["delivered", "retry", "dead"],
);

/// How long deliveries took.
pub static DELIVERY_SECONDS: Histogram<1, 16> = Histogram::seconds(
    "provost_webhook_delivery_duration_seconds",
    "One delivery to a webhook, from connecting to its answer.",
    "",
    [""],
    FAST,
);

/// How long answers of the northbound took.
pub static NORTHBOUND_SECONDS: Histogram<1, 16> = Histogram::seconds(
    "provost_northbound_request_duration_seconds",
    "From a request of the northbound to its answer; what ?wait= adds included.",
    "",
    [""],
    FAST,
);

/// Readings of the settings while the server ran.
pub static RELOADS: Family<2, 1> = Family::by(
    "provost_reloads_total",
    "Times that the settings were read again, by how it ended.",
    "outcome",
    ["applied", "refused"],
);

/// All of them.
pub(super) static ALL: &[&dyn Metric] = &[
    &SESSIONS,
    &SESSION_SECONDS,
    &SESSIONS_LIVE,
    &RPCS,
    &FAULTS,
    &TASKS_ENDED,
    &TASKS_OPEN,
    &COMMITS,
    &COMMIT_SECONDS,
    &QUEUE,
    &JOURNAL_SYNC_SECONDS,
    &JOURNAL_WRITTEN,
    &GROUP_BATCHES,
    &SNAPSHOT_SECONDS,
    &REFUSALS,
    &CONNECTIONS,
    &CONNECTIONS_OPEN,
    &REQUESTS,
    &BYTES,
    &TLS_HANDSHAKES,
    &PHONE_FILES,
    &PHONE_REFUSALS,
    &FILE_VERSIONS,
    &WAKES,
    &NEWS,
    &DELIVERIES,
    &DELIVERY_SECONDS,
    &NORTHBOUND_SECONDS,
    &RELOADS,
];
