//! Three network namespaces: a server's network, a home's, and a router with NAT
//! between them. Nothing that a test sends there leaves the machine.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::net::ip;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A server's network and a device's, with a NAT between them that lets in only
/// what answers. All is gone when it is dropped.
pub(crate) struct Nat {
    number: String,
}

impl Nat {
    /// The server's address, which the whole world can reach.
    pub(crate) const SERVER: &'static str = "10.98.0.1";
    /// The router's address towards the server.
    pub(crate) const ROUTER: &'static str = "10.98.0.2";

    pub(crate) fn new() -> Self {
        let number = format!("{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let nat = Self { number };
        let (server, router, home) = (nat.server(), nat.router(), nat.home());
        for namespace in [&server, &router, &home] {
            ip(&["netns", "add", namespace]);
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
        }
        nat.cable(&server, &format!("{}/24", Self::SERVER), &format!("{}/24", Self::ROUTER), "w");
        nat.cable(&home, "192.168.77.2/24", "192.168.77.1/24", "l");
        ip(&["-n", &home, "route", "add", "default", "via", "192.168.77.1"]);
        let rules = format!(
            "add table ip nat; \
             add chain ip nat post {{ type nat hook postrouting priority 100 ; }}; \
             add rule ip nat post oifname \"{}\" masquerade; \
             add table ip filter; \
             add chain ip filter forward {{ type filter hook forward priority 0 ; policy drop ; }}; \
             add rule ip filter forward ct state established,related accept; \
             add rule ip filter forward oifname \"{}\" accept",
            nat.plug("w"),
            nat.plug("w"),
        );
        done(Self::command(&router, "nft").arg(rules), "nft: apt install nftables");
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        done(Self::command(&router, "sh").args(["-c", forward]), "forwarding");
        nat
    }

    pub(crate) fn server(&self) -> String {
        format!("pns{}", self.number)
    }

    pub(crate) fn router(&self) -> String {
        format!("pnr{}", self.number)
    }

    pub(crate) fn home(&self) -> String {
        format!("pnh{}", self.number)
    }

    /// A command that runs in a namespace.
    pub(crate) fn command(namespace: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, program]);
        command
    }

    /// The router's interface to one side.
    fn plug(&self, side: &str) -> String {
        format!("r{side}{}", self.number)
    }

    /// Joins a namespace with the router.
    fn cable(&self, namespace: &str, address: &str, router_address: &str, side: &str) {
        let (end, plug, router) =
            (format!("e{side}{}", self.number), self.plug(side), self.router());
        ip(&[
            "link", "add", &end, "netns", namespace, "type", "veth", "peer", "name", &plug,
            "netns", &router,
        ]);
        for (namespace, interface, address) in
            [(namespace, &end, address), (&*router, &plug, router_address)]
        {
            ip(&["-n", namespace, "addr", "add", address, "dev", interface]);
            ip(&["-n", namespace, "link", "set", interface, "up"]);
        }
    }
}

impl Drop for Nat {
    fn drop(&mut self) {
        for namespace in [self.server(), self.router(), self.home()] {
            let _ = Command::new("ip").args(["netns", "del", &namespace]).output();
        }
    }
}

fn done(command: &mut Command, what: &str) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}
