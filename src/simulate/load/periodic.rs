//! Periodic sessions out of prepared bytes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;

use super::super::blueprint::Blueprint;
use super::super::client::ClientAuth;
use super::super::cpe::Cpe;
use super::super::talk::Action;
use super::wire::{Answer, Wire, Word};
use super::{Given, LoadError, LoadPlan, Login, serial};
use crate::device::EventCode;
use crate::http::{DigestClient, Host, Offer, Target};
use crate::time::{Clock, SystemClock};

/// What all sessions have in common.
pub(super) struct Periodic {
    at: SocketAddr,
    tls: Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>,
    timeout: Duration,
    keep_alive: bool,
    auth: ClientAuth,
    login: Option<Login>,
    credentials: BTreeMap<u64, Given>,
    path: Box<str>,
    /// Request line and the headers that never change.
    head: String,
    /// An Inform of device 0, and where its serial number stands.
    inform: Vec<u8>,
    serial_at: usize,
}

/// One session's place in the protocol of HTTP.
struct Exchange<'a> {
    common: &'a Periodic,
    login: Option<&'a Login>,
    cookie: Option<String>,
    offer: Option<Offer>,
    uses: u32,
}

impl Periodic {
    pub(super) async fn prepare(plan: &LoadPlan) -> Result<Self, LoadError> {
        let unusable = |reason: String| LoadError::Acs { url: plan.acs.clone(), reason };
        let target = Target::parse(&plan.acs).map_err(|error| unusable(error.to_string()))?;
        let at = match &target.host {
            Host::Address(address) => SocketAddr::new(*address, target.port),
            Host::Name(name) => tokio::net::lookup_host((&**name, target.port))
                .await
                .map_err(|error| unusable(error.to_string()))?
                .next()
                .ok_or_else(|| unusable("the name does not resolve".to_owned()))?,
        };
        let name = match &target.host {
            Host::Address(address) => ServerName::IpAddress((*address).into()),
            Host::Name(name) => ServerName::try_from(name.to_string())
                .map_err(|_| unusable("the host is no name for TLS".to_owned()))?,
        };
        let tls = plan.tls.clone().filter(|_| target.tls).map(|config| (config, name));
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: provost-simulate\r\n",
            target.path,
            target.host_header()
        );
        let (inform, serial_at) = prepare_inform(plan)?;
        Ok(Self {
            at,
            tls,
            timeout: plan.timeout,
            keep_alive: plan.keep_alive,
            auth: plan.auth,
            login: plan.login.clone(),
            credentials: plan.credentials.clone(),
            path: target.path,
            head,
            inform,
            serial_at,
        })
    }

    /// One session: Inform, empty POST, 204. `kept` is the worker's connection.
    pub(super) async fn session(&self, device: u64, kept: &mut Option<Wire>) -> Result<(), Word> {
        let own = self.credentials.get(&device).map(|given| &given.login);
        let login = own.or(self.login.as_ref());
        let mut wire = match kept.take().filter(|wire| wire.open) {
            Some(wire) => wire,
            None => Wire::connect(self.at, self.tls.as_ref(), self.timeout).await?,
        };
        let mut exchange = Exchange { common: self, login, cookie: None, offer: None, uses: 0 };
        let inform = self.inform_of(device);
        let answer = exchange.post(&mut wire, Some(&inform)).await?;
        if answer.status != 200 {
            return Err(refusal(answer.status));
        }
        if !contains(&answer.body, b"InformResponse>") {
            return Err("no InformResponse");
        }
        let answer = exchange.post(&mut wire, None).await?;
        match answer.status {
            204 => {}
            200 if answer.body.is_empty() => {}
            200 => return Err("the ACS asked for something"),
            status => return Err(refusal(status)),
        }
        if self.keep_alive {
            *kept = Some(wire);
        }
        Ok(())
    }

    fn inform_of(&self, device: u64) -> Vec<u8> {
        let mut inform = self.inform.clone();
        let serial = serial(device);
        let place = self.serial_at..self.serial_at + serial.len();
        if let Some(place) = inform.get_mut(place) {
            place.copy_from_slice(serial.as_bytes());
        }
        inform
    }
}

impl Exchange<'_> {
    /// A POST; a challenge is answered once.
    async fn post(&mut self, wire: &mut Wire, body: Option<&[u8]>) -> Result<Answer, Word> {
        let answer = self.send(wire, body).await?;
        if answer.status != 401 || self.login.is_none() || self.common.auth != ClientAuth::Digest {
            return Ok(answer);
        }
        let challenges: Vec<&str> = answer.challenges.iter().map(String::as_str).collect();
        self.offer = Offer::strongest(&challenges);
        self.uses = 0;
        if self.offer.is_none() {
            return Ok(answer);
        }
        if !wire.open {
            let Periodic { at, tls, timeout, .. } = self.common;
            *wire = Wire::connect(*at, tls.as_ref(), *timeout).await?;
        }
        self.send(wire, body).await
    }

    async fn send(&mut self, wire: &mut Wire, body: Option<&[u8]>) -> Result<Answer, Word> {
        let mut request = Vec::with_capacity(1024 + body.map_or(0, <[u8]>::len));
        request.extend_from_slice(self.common.head.as_bytes());
        if let Some(authorization) = self.authorization() {
            request.extend_from_slice(format!("Authorization: {authorization}\r\n").as_bytes());
        }
        if let Some(cookie) = &self.cookie {
            request.extend_from_slice(format!("Cookie: {cookie}\r\n").as_bytes());
        }
        match body {
            Some(body) => {
                let rest = format!(
                    "Content-Type: text/xml; charset=utf-8\r\nSOAPAction: \r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                request.extend_from_slice(rest.as_bytes());
                request.extend_from_slice(body);
            }
            None => request.extend_from_slice(b"Content-Length: 0\r\n\r\n"),
        }
        let answer = wire.exchange(&request).await?;
        if answer.cookie.is_some() {
            self.cookie.clone_from(&answer.cookie);
        }
        Ok(answer)
    }

    fn authorization(&mut self) -> Option<String> {
        let (username, password) = self.login?;
        match self.common.auth {
            ClientAuth::None => None,
            ClientAuth::Basic => Some(DigestClient::basic(username, password)),
            ClientAuth::Digest => {
                let offer = self.offer.as_ref()?;
                self.uses += 1;
                // The nonce is the server's and new in each session: no need of chance here.
                Some(offer.answer(
                    "POST",
                    &self.common.path,
                    username,
                    password,
                    "0a4f113b",
                    self.uses,
                ))
            }
        }
    }
}

/// The Inform of device 0, and where its serial number stands in it.
fn prepare_inform(plan: &LoadPlan) -> Result<(Vec<u8>, usize), LoadError> {
    let now = SystemClock.now();
    let blueprint = Blueprint::device2(&serial(0), plan.parameters)?;
    let mut cpe = Cpe::in_service(blueprint.with_personality(plan.personality), now);
    cpe.raise(EventCode::Periodic, "");
    let Action::Post(inform) = cpe.open_session(now) else { return Err(LoadError::Stopped) };
    let serial = serial(0);
    let at = inform.windows(serial.len()).position(|window| window == serial.as_bytes());
    at.map(|at| (inform, at)).ok_or(LoadError::Stopped)
}

const fn refusal(status: u16) -> Word {
    match status {
        401 => "401 unauthorized",
        403 => "403 forbidden",
        404 => "404 not found",
        413 => "413 too large",
        429 => "429 too many requests",
        503 => "503 unavailable",
        500..=599 => "5xx",
        _ => "other status",
    }
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}
