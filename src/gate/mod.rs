//! Who is calling at a device's door (TR-069 §3.4.4), and whether that fits the
//! device that the message names.
//!
//! [`Gate::identify`] judges what a request brings and says who sent it: a
//! [`Principal`]. [`Gate::challenges`] is what a 401 asks for. [`Gate::fits`] says
//! whether a principal may speak for a device. Two doors stand behind one gate:
//! that of CWMP and that of bulk data.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::config::AuthMode;
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
    /// It could not be found out.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why credentials do not fit the device that the Inform names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The credentials of one device, the serial number of another.
    #[error("the credentials belong to another device")]
    OtherDevice,
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
    challenger: Challenger,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({:?})", self.mode)
    }
}

impl Gate {
    /// A gate in this mode. `basic_over_http` says whether Basic is taken over
    /// plain HTTP as well; `onboarding` is the credential of new devices.
    pub fn new(
        mode: AuthMode,
        basic_over_http: bool,
        onboarding: Option<OnboardingAccount>,
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
    ) -> Self {
        let challenger = Challenger::new(vault.derive("cwmp digest nonces"), "provost");
        Self { mode, basic_over_http, onboarding, challenger, store, vault }
    }

    /// The challenges for a 401, one `WWW-Authenticate` each, the one that old
    /// devices take first. `stale` says that the credentials were right and only
    /// the nonce too old ([`Denied::Stale`]).
    pub fn challenges(&self, stale: bool, tls: bool, now: Timestamp) -> Vec<http::HeaderValue> {
        self.challenger.challenges(now, stale, tls || self.basic_over_http)
    }

    /// Who sent these headers by this method over the connection of `peer`.
    ///
    /// # Errors
    /// [`Denied`]: [`Denied::Store`] is to be answered by 503, anything else by 401
    /// with [`Gate::challenges`].
    pub async fn identify(
        &self,
        headers: &HeaderMap,
        method: &str,
        peer: &Peer,
        now: Timestamp,
    ) -> Result<Principal, Denied> {
        if self.mode == AuthMode::Open {
            return Ok(Principal::Anyone);
        }
        let header = headers.get(AUTHORIZATION).ok_or(Denied::Missing)?;
        match Authorization::parse(header).ok_or(Denied::Wrong)? {
            Authorization::Digest(answer) => {
                let (principal, password) = self.account(&answer.username).await?;
                match self.challenger.verify(&answer, method, &password, now) {
                    Verdict::Right => Ok(principal),
                    Verdict::Stale => Err(Denied::Stale),
                    Verdict::Wrong => Err(Denied::Wrong),
                }
            }
            Authorization::Basic { username, password } => {
                if !peer.tls && !self.basic_over_http {
                    return Err(Denied::BasicInClear);
                }
                let (principal, known) = self.account(&username).await?;
                if same(&known, &password) { Ok(principal) } else { Err(Denied::Wrong) }
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
        // An operator may have preloaded a user name of another form.
        let id = self.store.setting(&login_alias(username)).await?.ok_or(Denied::Wrong)?;
        let id = std::str::from_utf8(&id).ok().and_then(|id| DeviceId::parse(id).ok());
        self.device_account(id.ok_or(Denied::Wrong)?, username).await?.ok_or(Denied::Wrong)
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
