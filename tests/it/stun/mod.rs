//! Tests of the STUN server from outside: real sockets, real clients, hostile
//! bytes.

mod door;
mod hostile;
mod nat;
pub(crate) mod survives;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use provost::config::StunConfig;
use provost::device::DeviceId;
use provost::store::Vault;
use provost::stun::{Kind, Padding, Transaction, Writer};
use provost::time::{ManualClock, Timestamp};
use provost::wake::{StunAccounts, StunDoor};
use tokio::net::UdpSocket;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::lab::PATIENCE;

/// A STUN server on a free port.
pub(crate) struct Stun {
    pub(crate) door: Arc<StunDoor>,
    pub(crate) clock: Arc<ManualClock>,
    _stop: DropGuard,
}

impl Stun {
    pub(crate) fn start(config: &StunConfig, vault: &Vault) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_205_100_000)));
        Self::with_clock(config, vault, clock)
    }

    pub(crate) fn with_clock(config: &StunConfig, vault: &Vault, clock: Arc<ManualClock>) -> Self {
        let at = (Ipv4Addr::LOCALHOST, 0).into();
        let accounts = StunAccounts::new(vault);
        let door = StunDoor::bind(at, config, accounts, clock.clone()).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&door).serve(stop.clone()));
        Self { door, clock, _stop: stop.drop_guard() }
    }

    pub(crate) fn at(&self) -> SocketAddr {
        self.door.local_addr()
    }

    /// The request by which a device binds.
    pub(crate) fn binding(&self, id: &DeviceId, transaction: u8) -> Vec<u8> {
        let password = self.door.accounts().password(id);
        Writer::new(Kind::Request, Transaction([transaction; 16]))
            .connection_request_binding()
            .username(id.as_str())
            .sign(password.expose().as_bytes(), Padding::To64)
    }

    /// Binds a device at a socket and waits until it is known.
    pub(crate) async fn bind(&self, id: &DeviceId, socket: &UdpSocket) {
        socket.send_to(&self.binding(id, 1), self.at()).await.unwrap();
        let answer = heard(socket).await;
        assert_eq!(answer[..2], [1, 1], "{answer:?}");
    }
}

/// A socket on a free port.
pub(crate) async fn socket() -> UdpSocket {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

/// The next datagram.
pub(crate) async fn heard(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 2000];
    let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer));
    let (length, _) = received.await.expect("nothing was heard").unwrap();
    buffer[..length].to_vec()
}

/// Whether everything sent before was left without an answer: a request that is
/// answered follows, and its answer is the first that comes.
pub(crate) async fn is_silent(stun: &Stun, socket: &UdpSocket) -> bool {
    let id = "00D09E-LAST".parse().unwrap();
    socket.send_to(&stun.binding(&id, 0xEE), stun.at()).await.unwrap();
    let answer = heard(socket).await;
    answer[4..20] == [0xEE; 16]
}

/// What a client of Debian's prints about a server.
pub(crate) fn printed(program: &str, arguments: &[&str]) -> String {
    let output =
        std::process::Command::new("timeout").arg("20").arg(program).args(arguments).output();
    let output = output.unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
