//! Asking a network's DHCP server as a phone would.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

use super::CliError;
use crate::dhcp::{Discover, OFFER, Reply, discover};
use crate::phone::Mac;

/// How often the question is sent, and how long each answer is waited for.
const TRIES: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(2);

/// The first offer that comes.
pub(super) async fn ask(interface: &str, mac: Mac, vendor_class: &str) -> Result<Reply, CliError> {
    let failed = |source| CliError::Probe { interface: interface.to_owned(), source };
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 68)).await.map_err(failed)?;
    socket.set_broadcast(true).map_err(failed)?;
    socket.bind_device(Some(interface.as_bytes())).map_err(failed)?;
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|error| failed(std::io::Error::other(error)))?;
    let transaction = u32::from_be_bytes(random);
    let question =
        discover(&Discover { transaction, mac, vendor_class, user_class: "", asked: &[] });
    let servers: SocketAddr = (Ipv4Addr::BROADCAST, 67).into();
    for _ in 0..TRIES {
        socket.send_to(&question, servers).await.map_err(failed)?;
        let offered = tokio::time::timeout(PATIENCE, offer(&socket, transaction)).await;
        if let Ok(reply) = offered {
            return reply.map_err(failed);
        }
    }
    Err(failed(std::io::Error::from(std::io::ErrorKind::TimedOut)))
}

async fn offer(socket: &UdpSocket, transaction: u32) -> std::io::Result<Reply> {
    let mut bytes = [0; 4096];
    loop {
        let (length, _) = socket.recv_from(&mut bytes).await?;
        let reply = bytes.get(..length).and_then(|bytes| Reply::read(bytes).ok());
        if let Some(reply) =
            reply.filter(|reply| reply.transaction == transaction && reply.kind == OFFER)
        {
            return Ok(reply);
        }
    }
}
