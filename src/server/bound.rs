//! The doors over HTTP and the one of lightweight notifications: bound before the
//! store is opened, serving afterwards.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::addresses::Addresses;
use super::device_door::DeviceDoor;
use super::error::ServerError;
use super::phone_doors::PhoneDoors;
use crate::api::Api;
use crate::collect::{Lightweight, LightweightDoor};
use crate::config::{CertificateMode, Config, CwmpConfig, LimitsConfig, TrustConfig};
use crate::fetch::Fetch;
use crate::http::{Authority, Door, Handler, TlsMaterial, TrustStores};

/// The doors, bound and not yet serving.
#[derive(Default)]
pub(super) struct Bound {
    cwmp: Option<Door>,
    cwmp_tls: Option<Door>,
    northbound: Option<Door>,
    northbound_tls: Option<Door>,
    metrics: Option<Door>,
    files: Option<Door>,
    files_tls: Option<Door>,
    lightweight: Option<LightweightDoor>,
}

/// What stands behind the doors.
pub(super) struct Behind {
    pub(super) devices: Arc<DeviceDoor>,
    pub(super) fetch: Arc<Fetch>,
    pub(super) api: Arc<Api>,
}

impl Bound {
    pub(super) fn bind(
        config: &Config,
        tls: Option<&Arc<TlsMaterial>>,
        trust: Option<&Arc<TrustStores>>,
    ) -> Result<Self, ServerError> {
        let bind = |name, at: Option<SocketAddr>, limits: &LimitsConfig, tls| {
            at.map(|at| Door::bind(name, at, limits, tls)).transpose()
        };
        let (limits, tls) = (&config.limits, tls.cloned());
        let mut cwmp_tls = bind("CWMP over TLS", config.cwmp.tls_listen, limits, tls.clone())?;
        if let (Some(tls), Some(trust)) = (&tls, trust) {
            cwmp_tls = cwmp_tls.map(|door| door.trusting(tls, Arc::clone(trust))).transpose()?;
        }
        let files_tls = bind("file over TLS", config.files.tls_listen, limits, tls.clone())?;
        Ok(Self {
            cwmp: bind("CWMP", config.cwmp.listen, limits, None)?,
            cwmp_tls,
            northbound: bind("northbound", Some(config.northbound.listen), limits, None)?,
            northbound_tls: bind(
                "northbound over TLS",
                config.northbound.tls_listen,
                limits,
                tls.clone(),
            )?,
            metrics: bind("metrics", config.metrics.listen, limits, None)?,
            files: bind("file", config.files.listen, limits, None)?,
            files_tls: files_tls.map(|door| door.asking_for_certificates(tls.as_deref())),
            lightweight: config.lightweight.listen.map(LightweightDoor::bind).transpose()?,
        })
    }

    /// Serves what stands behind the doors until `stop`.
    pub(super) fn serve(
        self,
        doors: &mut JoinSet<()>,
        behind: Behind,
        lightweight: Arc<Lightweight>,
        stop: &CancellationToken,
    ) {
        serve(doors, self.cwmp, &behind.devices, stop);
        serve(doors, self.cwmp_tls, &behind.devices, stop);
        serve(doors, self.files, &behind.fetch, stop);
        serve(doors, self.files_tls, &behind.fetch, stop);
        serve(doors, self.northbound, &behind.api, stop);
        serve(doors, self.northbound_tls, &behind.api, stop);
        serve(doors, self.metrics, &Arc::new(behind.api.probes()), stop);
        if let Some(door) = self.lightweight {
            doors.spawn(door.serve(lightweight, stop.clone()));
        }
    }

    pub(super) fn addresses(&self, phone_doors: &PhoneDoors) -> Addresses {
        let of = |door: &Option<Door>| door.as_ref().map(Door::local_addr);
        Addresses {
            cwmp: of(&self.cwmp),
            cwmp_tls: of(&self.cwmp_tls),
            northbound: of(&self.northbound),
            northbound_tls: of(&self.northbound_tls),
            metrics: of(&self.metrics),
            files: of(&self.files),
            files_tls: of(&self.files_tls),
            tftp: phone_doors.tftp(),
            ftp: phone_doors.ftp(),
            ftps: phone_doors.ftps(),
            pnp: phone_doors.pnp(),
            lightweight: self.lightweight.as_ref().map(LightweightDoor::local_addr),
            stun: None,
        }
    }
}

fn serve<H: Handler>(
    doors: &mut JoinSet<()>,
    door: Option<Door>,
    handler: &Arc<H>,
    stop: &CancellationToken,
) {
    if let Some(door) = door {
        doors.spawn(door.serve(handler.clone(), stop.clone()));
    }
}

/// Whose certificates of devices are good; `None` if they are asked for none.
pub(super) fn trust_stores(config: &CwmpConfig) -> Result<Option<Arc<TrustStores>>, ServerError> {
    let required = match config.asks_for_certificates() {
        CertificateMode::Off => return Ok(None),
        CertificateMode::Optional => false,
        CertificateMode::Required => true,
    };
    let authority = |store: &TrustConfig| Authority {
        name: store.name.as_str().into(),
        ca: store.ca.clone(),
        crl: store.crl.clone(),
    };
    let stores = config.trust.iter().map(authority).collect();
    Ok(Some(TrustStores::load(stores, required)?))
}

/// The certificate, if a door needs one.
pub(super) fn tls_material(
    config: &Config,
    data: &Path,
) -> Result<Option<Arc<TlsMaterial>>, ServerError> {
    let speaks_tls = config.cwmp.tls_listen.is_some()
        || config.files.tls_listen.is_some()
        || config.northbound.tls_listen.is_some()
        || PhoneDoors::need_tls(config);
    Ok(speaks_tls.then(|| TlsMaterial::load_or_make(data, &config.tls)).transpose()?)
}
