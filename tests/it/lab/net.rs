//! Two network namespaces joined by a cable, for what has to cross a network:
//! nothing that a test sends there leaves the machine.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A server's and a phone's end of a cable. Both are gone when it is dropped.
pub(crate) struct Net {
    number: String,
}

impl Net {
    /// The address at the server's end; the phone's has none of its own.
    pub(crate) const SERVER: &'static str = "10.99.0.1";

    pub(crate) fn new() -> Self {
        let number = format!("{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let net = Self { number };
        let (server, phone) = (net.server(), net.phone());
        let (cable, plug) = (net.server_interface(), net.phone_interface());
        ip(&["netns", "add", &server]);
        ip(&["netns", "add", &phone]);
        ip(&[
            "link", "add", &cable, "netns", &server, "type", "veth", "peer", "name", &plug,
            "netns", &phone,
        ]);
        for (namespace, interface) in [(&server, &cable), (&phone, &plug)] {
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
            ip(&["-n", namespace, "link", "set", interface, "up"]);
        }
        ip(&["-n", &server, "addr", "add", &format!("{}/24", Self::SERVER), "dev", &cable]);
        net
    }

    pub(crate) fn server(&self) -> String {
        format!("pvs{}", self.number)
    }

    pub(crate) fn phone(&self) -> String {
        format!("pvp{}", self.number)
    }

    /// The interface at the server's end.
    pub(crate) fn server_interface(&self) -> String {
        format!("vs{}", self.number)
    }

    /// The interface at the phone's end.
    pub(crate) fn phone_interface(&self) -> String {
        format!("vp{}", self.number)
    }

    /// A command that runs in a namespace.
    pub(crate) fn command(namespace: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, program]);
        command
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for namespace in [self.server(), self.phone()] {
            let _ = Command::new("ip").args(["netns", "del", &namespace]).output();
        }
    }
}

pub(super) fn ip(arguments: &[&str]) -> Output {
    let output = Command::new("ip").args(arguments).output();
    let output = output.expect("`ip` is needed for this test: apt install iproute2");
    assert!(
        output.status.success(),
        "ip {arguments:?}: {} (network namespaces need root)",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
