//! `provost simulate`: simulated CPEs against any ACS, with a report.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::ArgPredicate;
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::class::Class;
use crate::device::{EventCode, IdError, Secret};
use crate::http::client_tls;
use crate::schema::{RecordedError, RecordedTree};
use crate::simulate::load::{self, Given, LoadError, LoadKind, LoadPlan, Login, Progress};
use crate::simulate::personality::{PERSONALITIES, Personality, REFERENCE};
use crate::simulate::{
    Blueprint, ClientAuth, Cpe, RunnerSettings, SimError, SimEvent, SimHandle, start,
};
use crate::time::{Clock, SystemClock, Timestamp};

/// How often the progress bar moves.
const TICK: Duration = Duration::from_millis(200);

/// Simulate CPEs against any ACS and report sessions, latencies and errors
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The URL of the ACS
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7547/")]
    acs: String,
    /// How many devices take turns
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        default_value_if("tree", ArgPredicate::IsPresent, "1")
    )]
    devices: u64,
    /// The number of the first device, out of which its serial number is made
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// Which sessions
    #[arg(long, value_enum, default_value_t = Kind::Periodic)]
    kind: Kind,
    /// Sessions at a time; at a fixed rate, the most at a time
    #[arg(long, value_name = "N", default_value_t = 64)]
    concurrency: usize,
    /// Sessions a second, each latency counted from when it was due; without
    /// it, a session begins when another ends
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    /// Stop after this many sessions; without either, each device has one
    #[arg(long, value_name = "N")]
    sessions: Option<u64>,
    /// How devices meet a challenge
    #[arg(long, value_enum, default_value_t = Auth::Digest)]
    auth: Auth,
    /// The user name of devices that have none of their own
    #[arg(long, value_name = "NAME", requires = "password")]
    user: Option<String>,
    /// The password to it
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "PROVOST_SIMULATE_PASSWORD",
        hide_env_values = true
    )]
    password: Option<String>,
    /// A file with the devices' own credentials: read if it is there, and
    /// written with those that the ACS gives
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// How many parameters a device has
    #[arg(long, value_name = "N", default_value_t = 300)]
    parameters: usize,
    /// Use a connection for more than one session
    #[arg(long)]
    keep_alive: bool,
    /// The authority to trust when the ACS speaks TLS (PEM)
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Seconds to wait for a connection and for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
    /// Measure the CPU time and memory of this process
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Stay up: devices inform, answer connection requests and carry out what
    /// they are asked, until interrupted
    #[arg(long, conflicts_with_all = ["rate", "duration", "sessions", "pid", "kind"])]
    stay: bool,
    /// How devices stray from the standard; `--personality list` tells all
    #[arg(long, value_name = "NAME", default_value = "reference")]
    personality: String,
    /// With --stay: replay the tree that `provost device export-tree` wrote; a
    /// single device keeps its serial number
    #[arg(long, value_name = "FILE", requires = "stay", conflicts_with = "parameters")]
    tree: Option<PathBuf>,
    /// With --tree: the serial number of the device
    #[arg(long, value_name = "TEXT", requires = "tree", conflicts_with = "devices")]
    serial: Option<String>,
    /// With --stay: devices know STUN, and are woken by UDP once they are told to
    /// use it
    #[arg(long, requires = "stay")]
    stun: bool,
    /// With --stay: seconds between two periodic Informs
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    interval: u32,
}

/// The kinds of session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Inform `2 PERIODIC`, empty POST, and nothing is asked
    Periodic,
    /// `0 BOOTSTRAP` and `1 BOOT`; whatever is asked is answered
    FirstContact,
    /// `2 PERIODIC`; whatever is asked is answered and carried out
    Tasks,
}

/// The ways to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// Digest, after the challenge
    Digest,
    /// Basic, from the first request on
    Basic,
    /// None
    None,
}

/// Why nothing was simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The load cannot be made.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A device cannot be run.
    #[error(transparent)]
    Device(#[from] SimError),
    /// A serial number cannot be used.
    #[error(transparent)]
    Serial(#[from] IdError),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of the credentials file has another form.
    #[error(
        "{path}, line {line}: a device number, a user name and a password, and both once more for \
         connection requests, separated by tabs"
    )]
    Credentials {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// It is no recorded tree.
    #[error("{path}: {source}")]
    Tree {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RecordedError,
    },
    /// There is no such personality.
    #[error("--personality {0}: there is none of that name; --personality list tells all")]
    Personality(String),
    /// The authority cannot be used.
    #[error("{path}: {source}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// Not one session ended well; the report says why.
    #[error("not one session ended well")]
    AllFailed,
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl SimulateError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Load(error) => error.class(),
            Self::Device(error) => error.class(),
            Self::Serial(_)
            | Self::File { .. }
            | Self::Credentials { .. }
            | Self::Tree { .. }
            | Self::Personality(_)
            | Self::Authority { .. } => Class::Invalid,
            Self::AllFailed => Class::Upstream,
            Self::Output(_) => Class::Internal,
        }
    }
}

/// Runs the command; the report goes to `out`, as JSON if asked for.
///
/// # Errors
/// [`SimulateError`]; failed sessions are in the report and no error, unless
/// all failed.
pub async fn run(args: Args, json: bool, out: &mut dyn Write) -> Result<(), SimulateError> {
    if args.personality == "list" {
        return list_personalities(json, out);
    }
    let stop = CancellationToken::new();
    let interrupt = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.cancel();
        }
    });
    let tls = args.tls_ca.as_deref().map(authority).transpose()?;
    if args.stay {
        return stay(&args, tls, stop, out).await;
    }
    let plan = plan(&args, tls)?;
    let mut credentials = plan.credentials.clone();
    let progress = Arc::new(Progress::default());
    let bar = bar(&plan);
    let ticker = tokio::spawn(tick(bar.clone(), Arc::clone(&progress)));
    let report = load::run(plan, progress, stop).await;
    ticker.abort();
    bar.finish_and_clear();
    let mut report = report?;
    if let Some(path) = &args.credentials {
        credentials.append(&mut report.given);
        write_credentials(path, &credentials)?;
    }
    if json {
        serde_json::to_writer(&mut *out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        report.print(out)?;
    }
    if report.sessions == 0 { Err(SimulateError::AllFailed) } else { Ok(()) }
}

/// Tells all personalities: name, what they play, what they are like.
fn list_personalities(json: bool, out: &mut dyn Write) -> Result<(), SimulateError> {
    let all = std::iter::once(&REFERENCE).chain(PERSONALITIES);
    if json {
        let rows: Vec<_> = all
            .map(
                |one| serde_json::json!({"name": one.name, "plays": one.plays, "about": one.about}),
            )
            .collect();
        serde_json::to_writer(&mut *out, &rows).map_err(io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    for one in all {
        writeln!(out, "{:16}{:10}{}", one.name, one.plays.join(" "), one.about)?;
    }
    Ok(())
}

/// The personality that was asked for.
fn personality(args: &Args) -> Result<&'static Personality, SimulateError> {
    Personality::named(&args.personality)
        .ok_or_else(|| SimulateError::Personality(args.personality.clone()))
}

fn plan(args: &Args, tls: Option<Arc<rustls::ClientConfig>>) -> Result<LoadPlan, SimulateError> {
    Ok(LoadPlan {
        acs: args.acs.clone(),
        kind: match args.kind {
            Kind::Periodic => LoadKind::Periodic,
            Kind::FirstContact => LoadKind::FirstContact,
            Kind::Tasks => LoadKind::Tasks,
        },
        devices: args.devices,
        first: args.first,
        concurrency: args.concurrency,
        rate: args.rate,
        duration: match args.duration {
            Some(seconds) => Some(
                Duration::try_from_secs_f64(seconds)
                    .map_err(|_| LoadError::Plan("the duration must be seconds, 0 or more"))?,
            ),
            None => None,
        },
        sessions: args.sessions,
        auth: auth(args),
        login: login(args),
        credentials: read_credentials(args.credentials.as_deref())?,
        parameters: args.parameters,
        personality: personality(args)?,
        keep_alive: args.keep_alive,
        tls,
        timeout: Duration::from_secs(args.timeout),
        pid: args.pid,
    })
}

const fn auth(args: &Args) -> ClientAuth {
    match args.auth {
        Auth::Digest => ClientAuth::Digest,
        Auth::Basic => ClientAuth::Basic,
        Auth::None => ClientAuth::None,
    }
}

fn login(args: &Args) -> Option<Login> {
    let username = args.user.as_deref()?;
    Some((username.into(), Secret::new(args.password.as_deref().unwrap_or_default())))
}

/// What the devices trust. They share it, but no session of TLS is resumed,
/// since each is another device.
fn authority(path: &Path) -> Result<Arc<rustls::ClientConfig>, SimulateError> {
    let pem = std::fs::read_to_string(path)
        .map_err(|source| SimulateError::File { path: path.to_owned(), source })?;
    let config = client_tls(&pem)
        .map_err(|source| SimulateError::Authority { path: path.to_owned(), source })?;
    let mut config = Arc::unwrap_or_clone(config);
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// A bar over sessions, or a spinner when only time ends the run; nothing
/// without a terminal.
fn bar(plan: &LoadPlan) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let length = match (plan.duration, plan.sessions) {
        (Some(_), None) => None,
        (None, None) => Some(plan.devices),
        (_, sessions) => sessions,
    };
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = match length {
        Some(_) => "{elapsed_precise} {bar:40} {pos}/{len} {per_sec} {msg}",
        None => "{elapsed_precise} {spinner} {pos} sessions {per_sec} {msg}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

async fn tick(bar: ProgressBar, progress: Arc<Progress>) {
    loop {
        tokio::time::sleep(TICK).await;
        bar.set_position(progress.done());
        match progress.failed() {
            0 => {}
            failed => bar.set_message(format!("{failed} failed")),
        }
    }
}

fn read_credentials(path: Option<&Path>) -> Result<BTreeMap<u64, Given>, SimulateError> {
    let Some(path) = path else { return Ok(BTreeMap::new()) };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(source) => return Err(SimulateError::File { path: path.to_owned(), source }),
    };
    parse_credentials(&text)
        .map_err(|line| SimulateError::Credentials { path: path.to_owned(), line })
}

/// The credentials by device number; the error is the number of a bad line.
fn parse_credentials(text: &str) -> Result<BTreeMap<u64, Given>, usize> {
    let lines = text.lines().enumerate();
    lines.map(|(index, line)| parse_line(line).ok_or(index + 1)).collect()
}

fn parse_line(line: &str) -> Option<(u64, Given)> {
    let mut parts = line.split('\t');
    let number = parts.next()?.parse().ok()?;
    let mut pair = || Some((Box::from(parts.next()?), Secret::new(parts.next()?)));
    let login = pair()?;
    Some((number, Given { login, connection_request: pair() }))
}

/// Writes the file anew, for its owner alone.
fn write_credentials(path: &Path, all: &BTreeMap<u64, Given>) -> Result<(), SimulateError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let mut file = io::BufWriter::new(file);
        for (number, given) in all {
            write!(file, "{number}")?;
            for (username, password) in
                [Some(&given.login), given.connection_request.as_ref()].into_iter().flatten()
            {
                write!(file, "\t{username}\t{}", password.expose())?;
            }
            writeln!(file)?;
        }
        file.flush()
    };
    write().map_err(|source| SimulateError::File { path: path.to_owned(), source })
}

/// Devices that stay up until `stop`.
async fn stay(
    args: &Args,
    tls: Option<Arc<rustls::ClientConfig>>,
    stop: CancellationToken,
    out: &mut dyn Write,
) -> Result<(), SimulateError> {
    let credentials = read_credentials(args.credentials.as_deref())?;
    let settings = RunnerSettings {
        auth: auth(args),
        keep_alive: args.keep_alive,
        tls,
        timeout: Duration::from_secs(args.timeout),
        ..RunnerSettings::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut running = Vec::new();
    for number in args.first..args.first.saturating_add(args.devices) {
        let own = credentials.get(&number);
        let cpe = device(args, number, own, clock.now())?;
        let handle = start(cpe, settings.clone(), Arc::clone(&clock)).await?;
        running.push(tokio::spawn(watch(number, handle, stop.clone())));
    }
    writeln!(out, "{} devices are up at {}; Ctrl-C ends them", args.devices, args.acs)?;
    out.flush()?;
    let mut given = credentials;
    for device in running {
        if let Ok(Some((number, login))) = device.await {
            given.insert(number, login);
        }
    }
    if let Some(path) = &args.credentials {
        write_credentials(path, &given)?;
    }
    Ok(())
}

/// A device as it is switched on: for the first time, or with the credentials
/// that it was given.
fn device(
    args: &Args,
    number: u64,
    own: Option<&Given>,
    now: Timestamp,
) -> Result<Cpe, SimulateError> {
    let nobody = || (Box::default(), Secret::new(""));
    let (username, password) =
        own.map(|given| given.login.clone()).or_else(|| login(args)).unwrap_or_else(nobody);
    let blueprint = blueprint(args, number)?
        .with_personality(personality(args)?)
        .with_diagnostics()
        .with_acs(&args.acs, &username, password)
        .with_inform_interval(args.interval);
    let blueprint = if args.stun { blueprint.with_stun() } else { blueprint };
    let Some(given) = own else { return Ok(Cpe::new(blueprint, now)) };
    let (username, password) = given.connection_request.clone().unwrap_or_else(nobody);
    let mut cpe = Cpe::in_service(blueprint.with_connection_request(&username, password), now);
    cpe.raise(EventCode::Boot, "");
    Ok(cpe)
}

/// What a device is built from: a recording, or the number of its parameters.
fn blueprint(args: &Args, number: u64) -> Result<Blueprint, SimulateError> {
    let Some(path) = &args.tree else {
        return Ok(Blueprint::device2(&load::serial(number), args.parameters)?);
    };
    let text = std::fs::read_to_string(path)
        .map_err(|source| SimulateError::File { path: path.clone(), source })?;
    let recorded = RecordedTree::read(&text)
        .map_err(|source| SimulateError::Tree { path: path.clone(), source })?;
    let blueprint = Blueprint::recorded(Arc::new(recorded))?;
    Ok(match (&args.serial, args.devices) {
        (Some(serial), _) => blueprint.with_serial_number(serial)?,
        (None, 1) => blueprint,
        (None, _) => blueprint.with_serial_number(&load::serial(number))?,
    })
}

/// Logs what happens to a device until `stop`; returns the credentials that it
/// has then.
async fn watch(
    number: u64,
    mut handle: SimHandle,
    stop: CancellationToken,
) -> Option<(u64, Given)> {
    let serial = load::serial(number);
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => break,
            event = handle.next_event() => event?,
        };
        match event {
            SimEvent::SessionEnded { failure: Some(failure), .. } => {
                tracing::warn!(device.serial = %serial, error = %failure, "session failed");
            }
            SimEvent::SessionEnded { events, answered, .. } => {
                let codes: Vec<String> = events.iter().map(ToString::to_string).collect();
                tracing::info!(device.serial = %serial, session.events = ?codes, session.answered = answered, "session ended");
            }
            event => tracing::info!(device.serial = %serial, event = ?event, "device"),
        }
    }
    let cpe = handle.stop().await.ok()?;
    Some((number, Given::of(&cpe)?))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &[&str]) -> Result<Args, clap::Error> {
        let words = std::iter::once("simulate").chain(line.iter().copied());
        Line::try_parse_from(words).map(|line| line.args)
    }

    #[test]
    fn the_defaults_are_a_thousand_periodic_devices() {
        let plan = plan(&args(&[]).unwrap(), None).unwrap();
        assert_eq!((plan.kind, plan.devices, plan.concurrency), (LoadKind::Periodic, 1000, 64));
        assert!(plan.login.is_none() && plan.rate.is_none());
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for line in [
            &["--stay", "--rate", "5"][..],
            &["--user", "u"],
            &["--kind", "x"],
            &["--devices", "-1"],
        ] {
            assert!(args(line).is_err(), "{line:?}");
        }
        let endless =
            args(&["--duration", "-1"]).unwrap_or_else(|_| args(&["--duration", "NaN"]).unwrap());
        assert!(plan(&endless, None).is_err());
    }

    #[test]
    fn credentials_read_back_and_are_for_the_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let pair = |user: &str, password: &str| (user.into(), Secret::new(password));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let all = BTreeMap::from([
            (3, Given { login: pair("u-3", "p q"), connection_request: Some(pair("cr", "x")) }),
            (70_000, Given { login: pair("u", ""), connection_request: None }),
        ]);
        assert!(read_credentials(Some(&path)).unwrap().is_empty());
        write_credentials(&path, &all).unwrap();
        assert_eq!(read_credentials(Some(&path)).unwrap(), all);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(parse_credentials("1\ta\tb\nx\ty\n"), Err(2));
    }
}
