//! `provost serve`: runs the server.

use std::io::Write as _;

use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, Global};
use crate::server::{ONBOARDING, Server};

/// Arguments of `provost serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Runs the server until SIGINT or SIGTERM; SIGHUP reads the certificates and
/// the operator's templates again.
///
/// # Errors
/// [`CliError`] when it does not start, in one line that says what to change.
pub async fn run(global: &Global, _args: &Args) -> Result<(), CliError> {
    let config = global.config()?;
    crate::log::init(&config.log)?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let server = Server::start(config, &global.data).await?;
    greet(global, &server)?;
    loop {
        tokio::select! {
            result = tokio::signal::ctrl_c() => { result?; break }
            _ = terminate.recv() => break,
            _ = hangup.recv() => reload(&server),
        }
    }
    tracing::info!("stopping");
    server.stop().await?;
    Ok(())
}

/// Reads again what can be changed while the server runs.
fn reload(server: &Server) {
    match server.reload_tls() {
        Ok(()) => tracing::info!("the certificates were read again"),
        Err(error) => tracing::error!(%error, "the old certificates stay"),
    }
    match server.reload_templates() {
        Ok(()) => tracing::info!("the templates were read again"),
        Err(error) => tracing::error!(%error, "the old templates stay"),
    }
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
