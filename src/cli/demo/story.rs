//! What the demonstration prints.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Instant;

use crate::server::Addresses;

/// Prints the steps as they happen.
pub(super) struct Story {
    colour: bool,
    step: u32,
    began: Instant,
}

impl Story {
    pub(super) fn new() -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { colour, step: 0, began: Instant::now() }
    }

    /// A line as it is.
    pub(super) fn say(&self, line: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }

    /// A new step begins.
    pub(super) fn step(&mut self, title: &str) -> std::io::Result<()> {
        self.step += 1;
        self.began = Instant::now();
        self.say(&format!(
            "\n{} {}",
            self.paint("1", &format!("{}.", self.step)),
            self.paint("1", title)
        ))
    }

    /// Something was done and verified.
    pub(super) fn done(&mut self, what: &str) -> std::io::Result<()> {
        let took = self.began.elapsed().as_millis();
        self.began = Instant::now();
        self.say(&format!(
            "   {} {what} {}",
            self.paint("32", "✓"),
            self.paint("2", &format!("({took} ms)"))
        ))
    }

    /// Something could not be verified.
    pub(super) fn failed(&self, why: &str) -> std::io::Result<()> {
        self.say(&format!("   {} {why}", self.paint("31", "✗")))
    }

    /// Where everything is, and what to try.
    pub(super) fn what_next(&self, data: &Path, at: &Addresses) -> std::io::Result<()> {
        let token = std::fs::read_to_string(data.join("admin.token")).unwrap_or_default();
        let show = |at: Option<std::net::SocketAddr>| {
            at.map_or_else(|| "off".to_owned(), |at| format!("http://{at}"))
        };
        self.say(&format!(
            "\nThe server and its devices stay up until Ctrl-C.\n\n  \
             CWMP         {}\n  files        {}\n  northbound   {}/api/v1\n  admin token  {}\n\n\
             Try, in another terminal:\n\n  \
             export PROVOST_DATA={}\n  \
             provost device list\n  \
             provost device set 00D09E-SimGateway-DEMO0001 Device.WiFi.SSID.1.SSID=Hello\n  \
             provost device reboot 00D09E-SimGateway-DEMO0001\n  \
             curl -H \"Authorization: Bearer $(cat $PROVOST_DATA/admin.token)\" {}/api/v1/devices",
            show(at.cwmp),
            show(at.files),
            show(at.northbound),
            token.trim(),
            data.display(),
            show(at.northbound),
        ))
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
