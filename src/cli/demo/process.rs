//! The server as a process that can be killed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::error::DemoError;
use crate::server::{ADDRESSES, Addresses};

/// How long the server may take to open its doors.
const START: Duration = Duration::from_secs(20);

/// A running `provost serve`.
pub(super) struct ServerProcess {
    child: Child,
    data: PathBuf,
    addresses: Addresses,
}

impl ServerProcess {
    /// Starts the server on free ports of loopback, or on the ports that it had
    /// before.
    pub(super) async fn start(data: &Path, before: Option<Addresses>) -> Result<Self, DemoError> {
        // What a killed server left behind would be taken for the new one's.
        let published = data.join(ADDRESSES);
        let _ = std::fs::remove_file(&published);
        let log_path = data.join("server.log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&log_path);
        let log = log.map_err(|source| DemoError::Folder { path: log_path, source })?;
        let program = std::env::current_exe().map_err(DemoError::Process)?;
        let at = |at: Option<std::net::SocketAddr>| {
            at.map_or_else(|| "127.0.0.1:0".to_owned(), |at| at.to_string())
        };
        let before = before.unwrap_or_default();
        let mut child = Command::new(program)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--set", &format!("cwmp.listen={}", at(before.cwmp))])
            .args(["--set", &format!("northbound.listen={}", at(before.northbound))])
            .args(["--set", &format!("files.listen={}", at(before.files))])
            .args(["--set", "cwmp.tls_listen=off", "--set", "files.tls_listen=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(DemoError::Process)?;
        let addresses = wait_for_doors(&mut child, data).await?;
        Ok(Self { child, data: data.to_owned(), addresses })
    }

    /// Where its doors are.
    pub(super) const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Kills it with SIGKILL and starts it again on the same ports.
    pub(super) async fn kill_and_restart(&mut self) -> Result<(), DemoError> {
        self.child.kill().await.map_err(DemoError::Process)?;
        *self = Self::start(&self.data, Some(self.addresses)).await?;
        Ok(())
    }

    /// Ends it.
    pub(super) async fn end(mut self) -> Result<(), DemoError> {
        self.child.kill().await.map_err(DemoError::Process)
    }
}

/// Waits until the server has written where its doors are.
async fn wait_for_doors(child: &mut Child, data: &Path) -> Result<Addresses, DemoError> {
    let deadline = Instant::now() + START;
    loop {
        if let Ok(text) = std::fs::read_to_string(data.join(ADDRESSES))
            && let Ok(addresses) = serde_json::from_str(&text)
        {
            return Ok(addresses);
        }
        if let Some(status) = child.try_wait().map_err(DemoError::Process)? {
            return Err(DemoError::NotServing(format!(
                "it ended with {status}; {}",
                last_line(data)
            )));
        }
        if Instant::now() > deadline {
            return Err(DemoError::NotServing(format!("nothing after {} s", START.as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn last_line(data: &Path) -> String {
    let log = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
    log.lines().last().unwrap_or("it said nothing").to_owned()
}
