//! The judgement: certificates, Digest and Basic, one after the other.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tracing::warn;

use super::certificate::{CertificateProblem, Certificates, stands_for};
use super::failures::{Failures, Standing};
use super::replays::Replays;
use crate::config::{AuthMode, CwmpConfig};
use crate::device::{Credentials, DeviceId, Secret, Stage};
use crate::http::{Authorization, Challenger, Peer, Verdict};
use crate::store::{Store, StoreError, Vault, login_alias};
use crate::time::Timestamp;

/// The credential that new devices are let in with (`cwmp.auth = "shared"`).
#[derive(Clone, Debug)]
pub struct OnboardingAccount {
    /// The user name.
    pub username: Box<str>,
    /// The password.
    pub password: Secret,
}

/// Who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody was asked (`open`).
    Anyone,
    /// Whoever knows the onboarding credential.
    Onboarding,
    /// A device with credentials of its own.
    Device(DeviceId),
    /// A device with a certificate of its own. An id without a product class
    /// stands for that serial number in any.
    Certified(DeviceId),
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// No credentials came: ask for them.
    #[error("no credentials")]
    Missing,
    /// They were right, but the nonce is too old: ask again.
    #[error("the nonce is stale")]
    Stale,
    /// They are wrong.
    #[error("wrong credentials")]
    Wrong,
    /// Basic over plain HTTP, which is not taken.
    #[error("Basic credentials over plain HTTP")]
    BasicInClear,
    /// Too many logins failed lately, of this name or from this address.
    #[error("too many failed logins")]
    TooMany,
    /// The certificate is good and yet no proof.
    #[error(transparent)]
    Certificate(#[from] CertificateProblem),
    /// The certificate of one device, the user name of another.
    #[error("the certificate is for {certified}, the credentials are those of {claimed}")]
    OtherCredentials {
        /// Whose the certificate is.
        certified: DeviceId,
        /// Whose the user name is.
        claimed: DeviceId,
    },
    /// It could not be found out.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Denied {
    /// The device in whose history this should stand as an alarm.
    pub const fn alarms(&self) -> Option<&DeviceId> {
        match self {
            Self::Certificate(problem) => problem.device(),
            Self::OtherCredentials { claimed, .. } => Some(claimed),
            Self::Missing
            | Self::Stale
            | Self::Wrong
            | Self::BasicInClear
            | Self::TooMany
            | Self::Store(_) => None,
        }
    }
}

/// Why credentials do not fit the device that the Inform names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The credentials of one device, the serial number of another.
    #[error("the credentials belong to another device")]
    OtherDevice,
    /// The certificate of one device, the serial number of another.
    #[error("the certificate belongs to another device")]
    OtherCertificate,
    /// The onboarding credential from a device that has its own and was not
    /// reset.
    #[error(
        "the device has credentials of its own, but came with the onboarding credential and without 0 BOOTSTRAP"
    )]
    OnboardingAgain,
}

/// Checks credentials.
///
/// One gate serves all doors of devices: what is counted against an address is
/// counted at all of them.
pub struct Gate {
    mode: AuthMode,
    basic_over_http: bool,
    onboarding: Option<OnboardingAccount>,
    certificates: Certificates,
    challenger: Challenger,
    failures: Failures,
    replays: Replays,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({:?})", self.mode)
    }
}

impl Gate {
    /// A gate by the rules of `[cwmp]`; `onboarding` is the credential of new
    /// devices, in `shared` mode.
    pub fn new(
        config: &CwmpConfig,
        onboarding: Option<OnboardingAccount>,
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
    ) -> Self {
        Self {
            mode: config.auth,
            basic_over_http: config.basic_over_http,
            onboarding,
            certificates: Certificates::new(&config.trust),
            challenger: Challenger::new(vault.derive("cwmp digest nonces"), "provost"),
            failures: Failures::default(),
            replays: Replays::default(),
            store,
            vault,
        }
    }

    /// The challenges for a 401, one `WWW-Authenticate` each, the one that old
    /// devices take first. `stale` says that the credentials were right and only
    /// the nonce too old ([`Denied::Stale`]).
    pub fn challenges(&self, stale: bool, tls: bool, now: Timestamp) -> Vec<HeaderValue> {
        self.challenger.challenges(now, stale, tls || self.basic_over_http)
    }

    /// Who sent these headers by this method over the connection of `peer`.
    ///
    /// A certificate of a device's own is proof enough; a user name beside it
    /// must not be another device's. A model's certificate says nothing.
    ///
    /// # Errors
    /// [`Denied`]: [`Denied::Store`] and [`Denied::TooMany`] are to be answered by
    /// 503, [`Denied::Certificate`] and [`Denied::OtherCredentials`] by 403,
    /// anything else by 401 with [`Gate::challenges`].
    pub async fn identify(
        &self,
        headers: &HeaderMap,
        method: &str,
        peer: &Peer,
        now: Timestamp,
    ) -> Result<Principal, Denied> {
        let header = headers.get(AUTHORIZATION);
        if let Some(shown) = peer.client.as_deref()
            && let Some(certified) = self.certificates.device(shown)?
        {
            return self.beside(certified, header).await;
        }
        if self.mode == AuthMode::Open {
            return Ok(Principal::Anyone);
        }
        let header = header.ok_or(Denied::Missing)?;
        let Some(shown) = Authorization::parse(header) else {
            return Err(self.failed(peer.address.ip(), "", now));
        };
        let (address, name) = (peer.address.ip(), shown.username());
        if self.is_held(address, name, now).await? {
            return Err(Denied::TooMany);
        }
        match self.prove(&shown, method, peer, now).await {
            Err(Denied::Wrong) => Err(self.failed(address, name, now)),
            judged => judged,
        }
    }

    /// Whether what an `Authorization` shows is right.
    async fn prove(
        &self,
        shown: &Authorization,
        method: &str,
        peer: &Peer,
        now: Timestamp,
    ) -> Result<Principal, Denied> {
        match shown {
            Authorization::Digest(answer) => {
                let (principal, password) = self.account(&answer.username).await?;
                match self.challenger.verify(answer, method, &password, now) {
                    Verdict::Right
                        if self.replays.is_replay(answer.fingerprint(), peer.address.ip()) =>
                    {
                        Err(Denied::Stale)
                    }
                    Verdict::Right => Ok(principal),
                    Verdict::Stale => Err(Denied::Stale),
                    Verdict::Wrong => Err(Denied::Wrong),
                }
            }
            Authorization::Basic { username, password } => {
                if !peer.tls && !self.basic_over_http {
                    return Err(Denied::BasicInClear);
                }
                let (principal, known) = self.account(username).await?;
                if same(&known, password) { Ok(principal) } else { Err(Denied::Wrong) }
            }
        }
    }

    /// A device with a certificate, and what it shows beside it. Whether the
    /// password is right does not matter: the certificate is proof.
    async fn beside(
        &self,
        certified: DeviceId,
        header: Option<&HeaderValue>,
    ) -> Result<Principal, Denied> {
        if let Some(shown) = header.and_then(Authorization::parse) {
            match self.account(shown.username()).await {
                Ok((Principal::Device(claimed), _)) if !stands_for(&certified, &claimed) => {
                    return Err(Denied::OtherCredentials { certified, claimed });
                }
                Ok(_) | Err(Denied::Wrong) => {}
                Err(denied) => return Err(denied),
            }
        }
        Ok(Principal::Certified(certified))
    }

    /// Counts a failed login.
    fn failed(&self, address: IpAddr, name: &str, now: Timestamp) -> Denied {
        let shared = self.onboarding.as_ref().is_some_and(|known| *known.username == *name);
        if self.failures.count(address, name, shared, now) {
            warn!(peer.address = %address, "many logins failed in this minute: what follows is not judged");
        }
        Denied::Wrong
    }

    /// Whether a login is not even judged, since too many have failed. A device
    /// that calls from where it last informed is let try in spite of others'
    /// failures, and so is whoever is new where nobody else failed.
    async fn is_held(&self, address: IpAddr, name: &str, now: Timestamp) -> Result<bool, Denied> {
        match self.failures.standing(address, name, now) {
            Standing::Clear => Ok(false),
            Standing::Held => Ok(true),
            Standing::Suspect => {
                let Some(id) = self.device_named(name).await? else { return Ok(true) };
                let known = self.store.device(&id).await?;
                Ok(known.and_then(|device| device.address) != Some(address))
            }
        }
    }

    /// Whether whoever was let in may speak for the device of the Inform.
    /// `own` are the credentials that this device was given, if any; `bootstrap`
    /// whether it says that it was reset.
    ///
    /// # Errors
    /// [`Mismatch`]: to be refused, and worth an alarm.
    pub fn fits(
        principal: &Principal,
        device: &DeviceId,
        own: Option<&Credentials>,
        bootstrap: bool,
    ) -> Result<(), Mismatch> {
        match principal {
            Principal::Anyone => Ok(()),
            Principal::Device(id) if id == device => Ok(()),
            Principal::Device(_) => Err(Mismatch::OtherDevice),
            Principal::Certified(id) if stands_for(id, device) => Ok(()),
            Principal::Certified(_) => Err(Mismatch::OtherCertificate),
            Principal::Onboarding => match own {
                Some(own) if own.stage == Stage::Confirmed && !bootstrap => {
                    Err(Mismatch::OnboardingAgain)
                }
                _ => Ok(()),
            },
        }
    }

    /// The account that a user name belongs to, with its password.
    async fn account(&self, username: &str) -> Result<(Principal, Secret), Denied> {
        if let Some(onboarding) = &self.onboarding
            && *onboarding.username == *username
        {
            return Ok((Principal::Onboarding, onboarding.password.clone()));
        }
        if let Ok(id) = DeviceId::parse(username)
            && let Some(found) = self.device_account(id, username).await?
        {
            return Ok(found);
        }
        let id = self.preloaded(username).await?.ok_or(Denied::Wrong)?;
        self.device_account(id, username).await?.ok_or(Denied::Wrong)
    }

    /// The device that a user name is for, as far as the name tells.
    async fn device_named(&self, username: &str) -> Result<Option<DeviceId>, StoreError> {
        match self.preloaded(username).await? {
            Some(id) => Ok(Some(id)),
            None => Ok(DeviceId::parse(username).ok()),
        }
    }

    /// An operator may have preloaded a user name of another form.
    async fn preloaded(&self, username: &str) -> Result<Option<DeviceId>, StoreError> {
        let id = self.store.setting(&login_alias(username)).await?;
        Ok(id.and_then(|id| DeviceId::parse(std::str::from_utf8(&id).ok()?).ok()))
    }

    async fn device_account(
        &self,
        id: DeviceId,
        username: &str,
    ) -> Result<Option<(Principal, Secret)>, Denied> {
        match self.store.credentials(&id).await? {
            Some(known) if *known.username == *username => {
                let password = self.vault.unseal(&known.password)?;
                Ok(Some((Principal::Device(id), password)))
            }
            _ => Ok(None),
        }
    }
}

/// Compares without telling by the time it takes where they differ.
fn same(a: &Secret, b: &Secret) -> bool {
    use subtle::ConstantTimeEq as _;
    a.expose().as_bytes().ct_eq(b.expose().as_bytes()).into()
}
