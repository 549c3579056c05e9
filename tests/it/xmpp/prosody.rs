//! A running Prosody: the real program, on free ports of loopback, over a folder
//! of its own.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::lab::PATIENCE;

/// The domain that it serves, and for which it has a certificate.
pub(crate) const DOMAIN: &str = "xmpp.test";

/// An XMPP server; it is gone when this is dropped.
pub(crate) struct Prosody {
    folder: tempfile::TempDir,
    /// STARTTLS, and TLS from the first byte on.
    pub(crate) ports: (u16, u16),
    running: Option<(Child, Lines<BufReader<ChildStdout>>)>,
}

impl Prosody {
    /// Starts one whose accounts are kept for SCRAM with this hash: `SHA-1` or
    /// `SHA-256`.
    pub(crate) async fn start(hash: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec![DOMAIN.to_owned()]).unwrap();
        let certificates = folder.path().join("certificates");
        for name in ["certificates", "data"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let key = made.signing_key.serialize_pem();
        std::fs::write(certificates.join("xmpp.test.crt"), made.cert.pem()).unwrap();
        std::fs::write(certificates.join("xmpp.test.key"), key).unwrap();
        let ports = (free_port(), free_port());
        let path = folder.path().display();
        let settings = format!(
            "run_as_root = true\n\
             pidfile = \"{path}/prosody.pid\"\n\
             data_path = \"{path}/data\"\n\
             certificates = \"{path}/certificates\"\n\
             modules_enabled = {{ \"saslauth\", \"tls\", \"ping\" }}\n\
             modules_disabled = {{ \"s2s\" }}\n\
             interfaces = {{ \"127.0.0.1\" }}\n\
             c2s_require_encryption = true\n\
             c2s_ports = {{ {} }}\n\
             c2s_direct_tls_ports = {{ {} }}\n\
             s2s_ports = {{}}\n\
             authentication = \"internal_hashed\"\n\
             password_hash = \"{hash}\"\n\
             log = {{ info = \"*stdout\" }}\n\
             VirtualHost \"{DOMAIN}\"\n",
            ports.0, ports.1
        );
        std::fs::write(folder.path().join("prosody.cfg.lua"), settings).unwrap();
        let mut this = Self { folder, ports, running: None };
        this.run().await;
        this
    }

    /// Makes an account.
    pub(crate) async fn account(&self, name: &str, password: &str) {
        let mut command = self.command("prosodyctl");
        command.args(["register", name, DOMAIN, password]);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    /// Ends it at once and starts it again on the same ports.
    pub(crate) async fn restart(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            child.kill().await.unwrap();
        }
        self.run().await;
    }

    /// Its certificate, in PEM: it has signed itself.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("certificates/xmpp.test.crt")
    }

    /// A file with a text, beside its own.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Waits until it logs a line with this in it.
    pub(crate) async fn logs(&mut self, part: &str) -> String {
        let (_, lines) = self.running.as_mut().unwrap();
        let search = async {
            let mut before = String::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                assert!(!line.contains("on no ports") || line.contains("legacy_ssl"), "{line}");
                if line.contains(part) {
                    return line;
                }
                before.push_str(&line);
                before.push('\n');
            }
            panic!("Prosody ended instead of logging {part}:\n{before}");
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap()
    }

    async fn run(&mut self) {
        let mut command = self.command("prosody");
        command.arg("-F").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let spawned = command.kill_on_drop(true).spawn();
        let mut child = spawned.expect("prosody is needed for this test: apt install prosody");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.running = Some((child, lines));
        self.logs("Certificates loaded").await;
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("--config").arg(self.folder.path().join("prosody.cfg.lua"));
        command
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
