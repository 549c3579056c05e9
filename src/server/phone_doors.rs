//! The phone's doors besides HTTP: TFTP, FTP, PnP, and what is announced.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::error::ServerError;
use crate::announce::mdns::Announcer;
use crate::announce::pnp::{PnpClaim, PnpDoor, PnpUrls};
use crate::class::Class;
use crate::config::{Config, MdnsConfig};
use crate::fetch::ftp::FtpDoor;
use crate::fetch::tftp::TftpDoor;
use crate::files::SharedSource;
use crate::http::TlsMaterial;
use crate::supply::Supply;
use crate::time::Clock;

/// The doors, bound and not yet serving.
pub(super) struct PhoneDoors {
    tftp: Option<TftpDoor>,
    ftp: Option<FtpDoor>,
    ftps: Option<FtpDoor>,
    pnp: Option<PnpDoor>,
    mdns: Option<Announcer>,
}

impl PhoneDoors {
    /// Whether one of them speaks TLS.
    pub(super) const fn need_tls(config: &Config) -> bool {
        config.ftp.listen.is_some() || config.ftp.tls_listen.is_some()
    }

    pub(super) fn bind(
        config: &Config,
        tls: Option<&Arc<TlsMaterial>>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let longest = Duration::from_secs(config.limits.age.into());
        let tftp = config.tftp.listen.map(|at| TftpDoor::bind(at, &config.tftp, longest));
        let ftp = |at: Option<SocketAddr>, implicit| {
            at.map(|at| FtpDoor::bind(at, &config.ftp, &config.limits, tls, implicit)).transpose()
        };
        let pnp = config.pnp.listen.map(|at| PnpDoor::bind(at, &config.pnp, clock.clone()));
        Ok(Self {
            tftp: tftp.transpose()?,
            ftp: ftp(config.ftp.listen, false)?,
            ftps: ftp(config.ftp.tls_listen, true)?,
            pnp: pnp.transpose()?,
            mdns: announce(&config.mdns)?,
        })
    }

    pub(super) fn tftp(&self) -> Option<SocketAddr> {
        self.tftp.as_ref().map(TftpDoor::local_addr)
    }

    pub(super) fn ftp(&self) -> Option<SocketAddr> {
        self.ftp.as_ref().map(FtpDoor::local_addr)
    }

    pub(super) fn ftps(&self) -> Option<SocketAddr> {
        self.ftps.as_ref().map(FtpDoor::local_addr)
    }

    pub(super) fn pnp(&self) -> Option<SocketAddr> {
        self.pnp.as_ref().map(PnpDoor::local_addr)
    }

    /// Serves until `stop`.
    pub(super) fn serve(
        self,
        doors: &mut JoinSet<()>,
        supply: &Arc<Supply>,
        stop: &CancellationToken,
    ) {
        let source: SharedSource = supply.clone();
        if let Some(door) = self.tftp {
            doors.spawn(door.serve(source.clone(), stop.clone()));
        }
        for door in [self.ftp, self.ftps].into_iter().flatten() {
            doors.spawn(door.serve(source.clone(), stop.clone()));
        }
        if let Some(door) = self.pnp {
            let urls = Arc::new(Urls { supply: supply.clone() });
            doors.spawn(door.serve(urls, stop.clone()));
        }
        if let Some(announcer) = self.mdns {
            let stop = stop.clone();
            doors.spawn(async move {
                stop.cancelled().await;
                announcer.stop().await;
            });
        }
    }
}

/// A network without multicast keeps no server from starting; wrong settings
/// do.
fn announce(config: &MdnsConfig) -> Result<Option<Announcer>, ServerError> {
    if !config.enabled {
        return Ok(None);
    }
    match Announcer::start(config) {
        Ok(announcer) => Ok(Some(announcer)),
        Err(error) if error.class() == Class::Unavailable => {
            error!(%error, "nothing is announced");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// What phones are told by PnP: the address of their folder, if they may fetch
/// from where they ask and their first-fetch lock is open.
struct Urls {
    supply: Arc<Supply>,
}

#[async_trait]
impl PnpUrls for Urls {
    async fn url(&self, claim: &PnpClaim, source: IpAddr) -> Option<String> {
        let mac = claim.mac?;
        let failed = |error: &dyn std::fmt::Display| {
            error!(phone.mac = %mac, %error, "a PnP request could not be answered");
        };
        self.supply.address_from(mac, source).await.inspect_err(|error| failed(error)).ok()?
    }
}
