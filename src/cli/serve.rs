//! `provost serve`: runs the server.

use std::io::Write as _;

use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, Global};
use crate::api::ReloadResult;
use crate::server::{ONBOARDING, Server, ServiceManager};

/// Arguments of `provost serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Runs the server until SIGINT or SIGTERM; a second one ends it at once. SIGHUP, and
/// whoever asks the northbound to, has the settings, the certificates and the
/// operator's templates read again.
///
/// # Errors
/// [`CliError`] when it does not start, in one line that says what to change.
pub async fn run(global: &Global, _args: &Args) -> Result<(), CliError> {
    let config = global.config()?;
    crate::log::init(&config.log)?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let manager = ServiceManager::of_environment();
    let mut server = Server::start(config, &global.data).await?;
    greet(global, &server)?;
    manager.ready();
    let mut watchdog = manager.every().map(tokio::time::interval);
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => {
                // What came of it stands in the log.
                let _ = reload(global, &server, &manager);
            }
            Some(asked) = server.reload_asked() => {
                // Whoever asked may be gone.
                let _ = asked.send(reload(global, &server, &manager));
            }
            () = tick(watchdog.as_mut()) => manager.alive(),
        }
    }
    tracing::info!("stopping");
    manager.stopping();
    tokio::select! {
        stopped = server.stop() => stopped?,
        _ = interrupt.recv() => return Err(CliError::Ended(SIGNALLED_TWICE)),
        _ = terminate.recv() => return Err(CliError::Ended(SIGNALLED_TWICE)),
    }
    Ok(())
}

/// The exit code of a server that was not let to stop in order. What it acknowledged
/// is safe nevertheless.
const SIGNALLED_TWICE: u8 = 1;

/// The next tick, if there is a clock.
async fn tick(clock: Option<&mut tokio::time::Interval>) {
    match clock {
        Some(clock) => {
            clock.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// Reads again what can be changed while the server runs.
fn reload(global: &Global, server: &Server, manager: &ServiceManager) -> ReloadResult {
    manager.reloading();
    let result = server.reload(global.config().map_err(|error| error.to_string()));
    manager.ready();
    result
}

/// Where the doors are, and at the first start the onboarding credential.
fn greet(global: &Global, server: &Server) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let at = server.addresses();
    let doors = [
        ("CWMP", at.cwmp),
        ("CWMP over TLS", at.cwmp_tls),
        ("files and phones", at.files),
        ("files over TLS", at.files_tls),
        ("TFTP", at.tftp),
        ("FTP", at.ftp),
        ("FTP over TLS", at.ftps),
        ("SIP PnP", at.pnp),
        ("northbound", at.northbound),
        ("northbound (TLS)", at.northbound_tls),
        ("metrics", at.metrics),
    ];
    for (name, at) in doors {
        if let Some(at) = at {
            writeln!(out, "{name:<17} {at}")?;
        }
    }
    writeln!(out, "{:<17} {}", "admin token", global.data.join("admin.token").display())?;
    writeln!(out, "{:<17} provost token create NAME --role operator", "others")?;
    if let Some(account) = server.new_onboarding() {
        writeln!(out)?;
        writeln!(
            out,
            "New devices are let in with this credential (shown once, kept in {}):",
            global.data.join(ONBOARDING).display()
        )?;
        writeln!(out, "  user      {}", account.username)?;
        writeln!(out, "  password  {}", account.password.expose())?;
    }
    out.flush()?;
    Ok(())
}
