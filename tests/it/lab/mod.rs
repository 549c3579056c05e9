//! A running server for tests from outside: the real binary, on free ports of
//! loopback, over a data folder of its own.

pub(crate) mod authority;
pub(crate) mod nat;
pub(crate) mod net;
mod unpacked;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use provost::device::Secret;
use provost::server::{ADDRESSES, Addresses};
use provost::simulate::{Blueprint, Cpe, RunnerSettings, SimEvent, SimHandle};
use provost::time::{Clock as _, SystemClock};
use tokio::io::AsyncBufReadExt as _;

pub(crate) use unpacked::unpacked;

/// Longer than anything that a test waits for takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The server's log, in the lab's folder.
const LOG: &str = "server.log";

/// A server and its data folder; both are gone when it is dropped.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    addresses: Addresses,
    child: tokio::process::Child,
}

impl Lab {
    /// Starts a server with everything as installed, but on free ports.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same with further settings.
    pub(crate) async fn with(sets: &[&str]) -> Self {
        Self::launch(tempfile::tempdir().unwrap(), sets, None).await
    }

    /// The same with a configuration file.
    pub(crate) async fn with_file(path: &Path) -> Self {
        Self::launch(tempfile::tempdir().unwrap(), &[], Some(path)).await
    }

    /// Another server over the same data folder; this one has ended.
    pub(crate) async fn again(self) -> Self {
        Self::launch(self.folder, &[], None).await
    }

    async fn launch(folder: tempfile::TempDir, sets: &[&str], file: Option<&Path>) -> Self {
        let data = folder.path().join("data");
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_provost"));
        command.arg("serve").arg("--data").arg(&data);
        for door in [
            "cwmp.listen",
            "cwmp.tls_listen",
            "files.listen",
            "files.tls_listen",
            "northbound.listen",
        ] {
            command.arg("--set").arg(format!("{door}=127.0.0.1:0"));
        }
        for set in sets {
            command.arg("--set").arg(set);
        }
        if let Some(file) = file {
            command.arg("--config").arg(file);
        }
        let log = std::fs::File::create(folder.path().join(LOG)).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        // The banner is printed when the doors are open.
        let out = child.stdout.take().unwrap();
        let mut lines = tokio::io::BufReader::new(out).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
        assert!(first.is_some(), "the server ended instead of starting");
        // What it prints further on must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let text = std::fs::read_to_string(data.join(ADDRESSES)).unwrap();
        let addresses = serde_json::from_str(&text).unwrap();
        Self { folder, addresses, child }
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join(LOG)).unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Sends it SIGHUP.
    pub(crate) async fn hang_up(&self) {
        self.signal("-HUP").await;
    }

    /// Sends it a signal, as `kill` spells it.
    pub(crate) async fn signal(&self, signal: &str) {
        let process = self.pid().to_string();
        let sent = tokio::process::Command::new("kill").args([signal, &process]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended; its exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        self.child.wait().await.unwrap().code()
    }

    pub(crate) const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The credential of new devices.
    pub(crate) fn onboarding(&self) -> (String, Secret) {
        let text = std::fs::read_to_string(self.data().join("onboarding.txt")).unwrap();
        let value = |key| text.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        (value("username="), Secret::new(value("password=")))
    }

    /// Asks the northbound with the admin's token; the answer's status and JSON.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, serde_json::Value) {
        use provost::http::{ClientConnection, Host, read_limited};
        let at = self.addresses.northbound.unwrap();
        let token = std::fs::read_to_string(self.data().join("admin.token")).unwrap();
        let mut connection =
            ClientConnection::connect(&Host::Address(at.ip()), at.port(), None, PATIENCE)
                .await
                .unwrap();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Host", at.to_string())
            .header("Authorization", format!("Bearer {}", token.trim()))
            .header("Content-Type", "application/json")
            .body(body.to_owned().into_bytes().into())
            .unwrap();
        let answer = connection.send(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = read_limited(answer.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The same with further headers, and the answer as text: its head and as much
    /// of its body as comes; of a stream of events what is there already.
    pub(crate) async fn whole(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        use http_body_util::BodyExt as _;
        use provost::http::{ClientConnection, Host};
        let at = self.addresses.northbound.unwrap();
        let token = std::fs::read_to_string(self.data().join("admin.token")).unwrap();
        let host = Host::Address(at.ip());
        let mut connection =
            ClientConnection::connect(&host, at.port(), None, PATIENCE).await.unwrap();
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Host", at.to_string())
            .header("Authorization", format!("Bearer {}", token.trim()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned().into_bytes().into()).unwrap();
        let (head, mut body) = connection.send(request).await.unwrap().into_parts();
        let mut text = format!("{:?}\n", head.headers).into_bytes();
        // A stream of events has no end: a moment without any ends the reading.
        let patience = match head.headers.get("content-type").map(|kind| kind.as_bytes()) {
            Some(kind) if kind.starts_with(b"text/event-stream") => Duration::from_millis(300),
            _ => PATIENCE,
        };
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(patience, body.frame()).await {
            text.extend(frame.into_data().unwrap_or_default());
        }
        (head.status.as_u16(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs a command against the server: its exit code, what it prints, and what
    /// it prints on stderr.
    pub(crate) async fn provost(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_provost"))
            .args(arguments)
            .env("PROVOST_DATA", self.data())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }

    /// A simulated gateway that has made its first contact and stays up.
    pub(crate) async fn gateway(&self, serial: &str, parameters: usize) -> SimHandle {
        self.run(Blueprint::device2(serial, parameters).unwrap().with_diagnostics()).await
    }

    /// A device that has made its first contact and stays up.
    pub(crate) async fn run(&self, blueprint: Blueprint) -> SimHandle {
        let (username, password) = self.onboarding();
        let acs = format!("http://{}/", self.addresses.cwmp.unwrap());
        let blueprint = blueprint.with_acs(&acs, &username, password);
        let cpe = Cpe::new(blueprint, SystemClock.now());
        let mut handle =
            provost::simulate::start(cpe, RunnerSettings::default(), Arc::new(SystemClock))
                .await
                .unwrap();
        let ended =
            handle.wait_for(PATIENCE, |event| matches!(event, SimEvent::SessionEnded { .. })).await;
        assert!(matches!(ended, Some(SimEvent::SessionEnded { failure: None, .. })), "{ended:?}");
        handle
    }
}
