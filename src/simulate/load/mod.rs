//! Very many simulated devices against any ACS, and what it cost.
//!
//! Closed loop: a number of sessions is always under way. Fixed rate: sessions
//! are due at even times, and a session's latency counts from when it was due,
//! so that an ACS that stalls is not measured only when it is well
//! (coordinated omission).
//!
//! `periodic` sessions are made of prepared bytes, so that the generator is not
//! what is measured; the other kinds are led by [`Cpe`].

mod full;
mod histogram;
mod pace;
mod periodic;
mod process;
mod report;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::client::ClientAuth;
use super::cpe::Cpe;
use super::personality::Personality;
use crate::class::Class;
use crate::device::{IdError, Secret};
use crate::http::Target;

pub use histogram::Histogram;
pub use process::{ProcessError, Usage};
pub use report::{Latency, LoadReport, ServerCost};

/// A user name and its password.
pub type Login = (Box<str>, Secret);

/// What a device was given by its ACS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What it shows at the ACS.
    pub login: Login,
    /// What a connection request must show.
    pub connection_request: Option<Login>,
}

impl Given {
    /// What a device has now; `None` if it has no user name.
    pub fn of(cpe: &Cpe) -> Option<Self> {
        let connection_request = cpe.connection_request_login();
        Some(Self { login: cpe.login()?, connection_request })
    }
}

/// Which sessions are led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadKind {
    /// Inform with `2 PERIODIC`, the empty POST, and nothing is asked.
    Periodic,
    /// `0 BOOTSTRAP` and `1 BOOT`; whatever is asked is answered.
    FirstContact,
    /// `2 PERIODIC`; whatever is asked is answered and carried out, and devices
    /// remember it.
    Tasks,
}

impl LoadKind {
    /// The word for it in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::FirstContact => "first-contact",
            Self::Tasks => "tasks",
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// The URL of the ACS.
    pub acs: String,
    /// Which sessions.
    pub kind: LoadKind,
    /// How many devices take turns.
    pub devices: u64,
    /// The number of the first device; its serial number is made from it.
    pub first: u64,
    /// Sessions at a time: all of them in a closed loop, the most at a fixed
    /// rate.
    pub concurrency: usize,
    /// Sessions a second; `None` is a closed loop.
    pub rate: Option<f64>,
    /// No session begins later than this after the start.
    pub duration: Option<Duration>,
    /// No more sessions than this.
    pub sessions: Option<u64>,
    /// How devices meet a challenge.
    pub auth: ClientAuth,
    /// What a device shows that has no credentials of its own.
    pub login: Option<Login>,
    /// Credentials of their own, by device number.
    pub credentials: BTreeMap<u64, Given>,
    /// How many parameters a device has.
    pub parameters: usize,
    /// How devices stray from the standard. Periodic sessions are written once
    /// and sent by all, and stray in how their messages look only.
    pub personality: &'static Personality,
    /// Whether a connection is used for more than one session.
    pub keep_alive: bool,
    /// What is trusted when the ACS speaks TLS.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// For a connection, and for each answer.
    pub timeout: Duration,
    /// The process whose CPU time and memory are measured.
    pub pid: Option<u32>,
}

/// Why no load can be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The URL of the ACS cannot be used.
    #[error("--acs {url}: {reason}")]
    Acs {
        /// The URL.
        url: String,
        /// Why.
        reason: String,
    },
    /// There is nothing to do, or no end to it.
    #[error("{0}")]
    Plan(&'static str),
    /// A serial number cannot be used.
    #[error(transparent)]
    Serial(#[from] IdError),
    /// The process cannot be measured.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A part of the generator stopped unexpectedly.
    #[error("the load generator stopped unexpectedly")]
    Stopped,
}

impl LoadError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Acs { .. } | Self::Plan(_) | Self::Serial(_) => Class::Invalid,
            Self::Process(error) => error.class(),
            Self::Stopped => Class::Internal,
        }
    }
}

/// How far a run has come, for a progress bar.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    failed: AtomicU64,
}

impl Progress {
    /// Sessions that ended well.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Sessions that failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// What a worker has measured.
#[derive(Debug, Default)]
struct Tally {
    latency: Histogram,
    errors: BTreeMap<&'static str, u64>,
    given: BTreeMap<u64, Given>,
}

/// What leads one session of a device; the error is a word to count it by.
#[derive(Clone)]
enum Driver {
    Periodic(Arc<periodic::Periodic>),
    Full(Arc<full::Full>),
}

/// The serial number of a device; all have the same length.
pub fn serial(number: u64) -> String {
    format!("SIM{number:09}")
}

/// Makes the load, until its end or until `stop`.
///
/// # Errors
/// [`LoadError`] before anything is sent; what goes wrong with sessions is in
/// the report.
pub async fn run(
    plan: LoadPlan,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Result<LoadReport, LoadError> {
    let plan = Arc::new(check(plan)?);
    let driver = match plan.kind {
        LoadKind::Periodic => Driver::Periodic(Arc::new(periodic::Periodic::prepare(&plan).await?)),
        LoadKind::FirstContact | LoadKind::Tasks => Driver::Full(Arc::new(full::Full::new(&plan))),
    };
    let before = plan.pid.map(Usage::of).transpose()?;
    let start = Instant::now();
    let pace = Arc::new(pace::Pace::new(&plan, start));
    let workers = (0..plan.concurrency).map(|_| {
        let (driver, pace) = (driver.clone(), Arc::clone(&pace));
        let (plan, progress, stop) = (Arc::clone(&plan), Arc::clone(&progress), stop.clone());
        tokio::spawn(async move { work(driver, &plan, &pace, &progress, &stop).await })
    });
    let workers: Vec<_> = workers.collect();
    let mut total = Tally::default();
    for worker in workers {
        let tally = worker.await.map_err(|_| LoadError::Stopped)?;
        total.latency.add(&tally.latency);
        for (word, count) in tally.errors {
            *total.errors.entry(word).or_default() += count;
        }
        total.given.extend(tally.given);
    }
    let elapsed = start.elapsed();
    let after = plan.pid.map(Usage::of).transpose()?;
    let server = before.zip(after);
    Ok(LoadReport::new(&plan, &total.latency, total.errors, total.given, elapsed, server))
}

/// One worker: a session after the other.
async fn work(
    driver: Driver,
    plan: &LoadPlan,
    pace: &pace::Pace,
    progress: &Progress,
    stop: &CancellationToken,
) -> Tally {
    let mut tally = Tally::default();
    let mut kept = None;
    while let Some(turn) = pace.next() {
        let due = async {
            if let Some(at) = turn.due {
                tokio::time::sleep_until(at.into()).await;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = due => {}
        }
        let from = turn.due.unwrap_or_else(Instant::now);
        let device = plan.first + turn.number % plan.devices;
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            outcome = async {
                match &driver {
                    Driver::Periodic(periodic) => periodic.session(device, &mut kept).await,
                    Driver::Full(full) => full.session(device, &mut tally.given).await,
                }
            } => outcome,
        };
        match outcome {
            Ok(()) => {
                tally.latency.record(from.elapsed());
                progress.done.fetch_add(1, Ordering::Relaxed);
            }
            Err(word) => {
                *tally.errors.entry(word).or_default() += 1;
                progress.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    tally
}

/// Refuses a plan that cannot be carried out, and completes one that can.
fn check(mut plan: LoadPlan) -> Result<LoadPlan, LoadError> {
    let target = Target::parse(&plan.acs)
        .map_err(|error| LoadError::Acs { url: plan.acs.clone(), reason: error.to_string() })?;
    if target.tls && plan.tls.is_none() {
        let reason = "an https ACS needs --tls-ca".to_owned();
        return Err(LoadError::Acs { url: plan.acs, reason });
    }
    if plan.devices == 0 || plan.concurrency == 0 {
        return Err(LoadError::Plan("at least one device and one session at a time"));
    }
    if plan.rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
        return Err(LoadError::Plan("the rate must be above 0"));
    }
    if plan.first.saturating_add(plan.devices) > 1_000_000_000 {
        return Err(LoadError::Plan("device numbers end at 999999999"));
    }
    if plan.duration.is_none() && plan.sessions.is_none() {
        plan.sessions = Some(plan.devices);
    }
    // A handshake that is resumed costs less than the one a device makes.
    plan.tls = plan.tls.map(|tls| {
        let mut config = rustls::ClientConfig::clone(&tls);
        config.resumption = rustls::client::Resumption::disabled();
        Arc::new(config)
    });
    // Never two sessions of a device at a time, as far as turns can tell.
    let devices = usize::try_from(plan.devices).unwrap_or(usize::MAX);
    plan.concurrency = plan.concurrency.min(devices);
    Ok(plan)
}
