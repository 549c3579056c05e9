//! Configuration files for phones.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::answer::{self, set};
use super::cache::{Origin, Served};
use super::door::Fetch;
use super::range::{Wanted, wanted};
use crate::device::{Sealed, Secret};
use crate::http::{Body, Peer};
use crate::phone::{FileVersion, Mac, Phone, Seen, Site, Vendor};
use crate::provision::fanvil::{
    self, Agent, CipherError, ConfigKey, Named, TextError, VersionError, VersionForm,
};
use crate::provision::{self, Claim, Line, RenderError};
use crate::store::{Record, StoreError};
use crate::time::Timestamp;

/// How often a version is tried again after somebody else raised it.
const TRIES: usize = 4;
/// A fetch that tells nothing new is recorded this often.
const RECORD_AGAIN: Duration = Duration::from_secs(60);
/// Phones of which the last record is remembered.
const MAX_MARKS: usize = 400_000;

/// What was last recorded of a phone's file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    at: Timestamp,
    address: IpAddr,
    firmware: Box<str>,
    version: Box<str>,
}

/// Why a phone gets no file.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// It leads nowhere; why is for the log.
    #[error("{0}")]
    Nowhere(&'static str),
    /// The store does not answer, or a secret cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An account or setting cannot be written.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The version cannot be written.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The file cannot be put together.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A key is none.
    #[error(transparent)]
    Key(#[from] CipherError),
}

/// What a file is made of, before it has a version.
struct Draft {
    /// The key of its version gate.
    gate: Box<str>,
    form: VersionForm,
    body: String,
    key: Option<ConfigKey>,
    name: Box<str>,
}

impl Fetch {
    /// Answers `/p/<token>/<name>`.
    pub(super) async fn phone(
        &self,
        peer: &Peer,
        request: &Parts,
        token: &str,
        name: &str,
    ) -> Response<Body> {
        let source = peer.address.ip();
        if !self.throttle.takes(source, self.deps.clock.now()) {
            tracing::debug!(peer.address = %source, "too many requests for phone files");
            return answer::too_many();
        }
        // Before anything is looked up, so that a guess costs the same whether
        // such a phone exists or not.
        let Some(claim) = self.deps.phone_links.check(token) else {
            return self.nowhere(peer, "the token is none of ours");
        };
        let agent = request.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let agent = Agent::parse(agent.unwrap_or_default());
        if agent.mac.is_some_and(|mac| mac != claim.mac) {
            return self.nowhere(peer, "the User-Agent names another phone");
        }
        let file = match self.cache.find(&claim, name, peer.tls) {
            Some(file) => file,
            None => match self.make(&claim, name, peer.tls).await {
                Ok(file) => file,
                Err(Refusal::Nowhere(why)) => return self.nowhere(peer, why),
                Err(error) => {
                    tracing::error!(phone.mac = %claim.mac, %error, "no file for the phone");
                    return answer::unavailable();
                }
            },
        };
        if request.method == Method::GET {
            self.record(claim.mac, source, agent.firmware, &file).await;
        }
        respond(request, &file)
    }

    /// Makes a file and keeps it. If what it is made of changes meanwhile, it
    /// is made again, so that an overtaken body never goes out under a version
    /// above that of the new one.
    async fn make(&self, claim: &Claim, name: &str, tls: bool) -> Result<Arc<Served>, Refusal> {
        let mut tries = 0;
        loop {
            let epoch = self.cache.begin();
            let (file, phone, named) = self.attempt(claim, name, tls).await?;
            let (site, model) = (&*phone.site, &*phone.model);
            let origin = Origin { claim: *claim, site, model, named, tls };
            if self.cache.keep(epoch, &origin, &file) || tries == TRIES {
                return Ok(file);
            }
            tries += 1;
        }
    }

    /// Renders, gates and encrypts a file from what the store says now.
    async fn attempt(
        &self,
        claim: &Claim,
        name: &str,
        tls: bool,
    ) -> Result<(Arc<Served>, Phone, Named), Refusal> {
        let (store, mac) = (&self.deps.store, claim.mac);
        let phone = store.phone(mac).await?.filter(|phone| phone.vendor == Vendor::Fanvil);
        let phone = phone.ok_or(Refusal::Nowhere("the phone is no longer known"))?;
        if !self.deps.phone_links.holds(claim, &self.deps.vault.unseal(&phone.token)?) {
            return Err(Refusal::Nowhere("the token was renewed"));
        }
        let named = fanvil::resolve(name, mac, &phone.model);
        let named = named.ok_or(Refusal::Nowhere("no file of this phone has such a name"))?;
        let site = store.site(&phone.site).await?.unwrap_or_default();
        let draft = self.draft(&phone, &site, named, tls)?;
        let version = draft.form.text(self.version(&draft).await?.counter)?;
        let plain = fanvil::assemble(&version, &draft.body)?;
        let bytes = match &draft.key {
            Some(key) => fanvil::encrypt(self.profile, key, &plain),
            None => plain,
        };
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let tag = hex::encode(digest.as_ref().get(..16).unwrap_or_default());
        let file = Arc::new(Served {
            bytes: Bytes::from(bytes),
            encrypted: draft.key.is_some(),
            version: version.into(),
            tag: format!("\"{tag}\"").into(),
            name: draft.name,
        });
        Ok((file, phone, named))
    }

    fn draft(&self, phone: &Phone, site: &Site, named: Named, tls: bool) -> Result<Draft, Refusal> {
        let key = match named {
            Named::Device => &phone.config_key,
            Named::Common(_) => &site.common_key,
        };
        let key = key.as_ref().map(|key| self.open(key)).transpose()?;
        let key = key.map(|key| ConfigKey::parse(key.expose())).transpose()?;
        let secrets = key.is_some() || tls || site.plain_secrets;
        if !secrets && would_tell(phone, site, named) {
            tracing::warn!(
                phone.mac = %phone.mac,
                site.name = %phone.site,
                "the file goes over plain HTTP and has no key: passwords are left out"
            );
        }
        Ok(match named {
            Named::Device => Draft {
                gate: format!("fanvil/mac/{}", phone.mac).into(),
                form: VersionForm::of_model(&phone.model),
                body: self.device_body(phone, secrets)?,
                key,
                name: format!("{}.cfg", phone.mac).into(),
            },
            Named::Common(file) => {
                let name = file.names.first().copied().unwrap_or(file.model);
                Draft {
                    gate: format!("fanvil/common/{}/{name}", phone.site).into(),
                    form: file.form,
                    body: fanvil::render_common(&site.settings, file.form, secrets)?,
                    key,
                    name: name.into(),
                }
            }
        })
    }

    fn device_body(&self, phone: &Phone, secrets: bool) -> Result<String, Refusal> {
        let opened = phone.accounts.iter().map(|account| match secrets {
            true => self.open(&account.password).map(Some),
            false => Ok(None),
        });
        let passwords = opened.collect::<Result<Vec<_>, _>>()?;
        let lines: Vec<Line<'_>> = phone
            .accounts
            .iter()
            .zip(&passwords)
            .map(|(account, password)| Line { account, password: password.as_ref() })
            .collect();
        let form = VersionForm::of_model(&phone.model);
        Ok(fanvil::render_device(&phone.settings, &lines, secrets, form)?)
    }

    /// The version of a draft, durable before anybody sees it.
    async fn version(&self, draft: &Draft) -> Result<FileVersion, Refusal> {
        let fingerprint = provision::fingerprint(&self.fingerprint_key, draft.body.as_bytes());
        let mut tries = 0;
        loop {
            let previous = self.deps.store.file_version(&draft.gate).await?;
            let next = provision::advance(&draft.gate, previous.as_ref(), fingerprint);
            if previous.as_ref() == Some(&next) {
                return Ok(next);
            }
            match self.deps.store.commit(Record::FileVersion(next.clone()).into()).await {
                Ok(()) => return Ok(next),
                Err(StoreError::Conflict(_)) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn open(&self, sealed: &Sealed) -> Result<Secret, Refusal> {
        Ok(self.deps.vault.unseal(sealed)?)
    }

    /// Records what the phone fetched, if that tells something new or a minute
    /// has passed. A store that cannot write does not keep a phone from its
    /// file.
    async fn record(&self, mac: Mac, address: IpAddr, firmware: Box<str>, file: &Served) {
        let at = self.deps.clock.now();
        let mark = Mark { at, address, firmware, version: file.version.clone() };
        let key = (mac, *file.name == *format!("{mac}.cfg"));
        {
            let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
            let known = marks.get(&key).is_some_and(|last| !last.is_worth(&mark));
            if known {
                return;
            }
            if marks.len() >= MAX_MARKS {
                marks.clear();
            }
        }
        let seen = Seen {
            at,
            address,
            firmware: mark.firmware.clone(),
            file: file.name.clone(),
            version: mark.version.clone(),
        };
        match self.deps.store.commit(Record::Seen(mac, seen).into()).await {
            Ok(()) => {
                self.marks.lock().unwrap_or_else(PoisonError::into_inner).insert(key, mark);
            }
            Err(error) => tracing::warn!(phone.mac = %mac, %error, "a fetch was not recorded"),
        }
    }
}

impl Mark {
    /// Whether `next` is worth a record after this one.
    fn is_worth(&self, next: &Self) -> bool {
        self.address != next.address
            || self.firmware != next.firmware
            || self.version != next.version
            || next.at.since(self.at) >= RECORD_AGAIN
    }
}

/// Whether the file would hold a secret if it might.
fn would_tell(phone: &Phone, site: &Site, named: Named) -> bool {
    let settings = match named {
        Named::Device => &phone.settings,
        Named::Common(_) => &site.settings,
    };
    let accounts = named == Named::Device && !phone.accounts.is_empty();
    accounts || settings.keys().any(|name| fanvil::is_secret(name))
}

fn respond(request: &Parts, file: &Served) -> Response<Body> {
    let mut response = answer::bare(StatusCode::OK);
    if let Ok(tag) = HeaderValue::try_from(&*file.tag) {
        set(&mut response, header::ETAG, tag);
    }
    set(&mut response, header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if answer::has_tag(&request.headers, &file.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let kind = if file.encrypted { "application/octet-stream" } else { "text/plain" };
    set(&mut response, header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let size = file.bytes.len() as u64;
    let bytes = match wanted(&request.headers, size, &file.tag) {
        Wanted::Whole => file.bytes.clone(),
        Wanted::Part { from, length } => {
            answer::part(&mut response, from, length, size);
            part_of(&file.bytes, from, length)
        }
        Wanted::Nothing => {
            answer::no_part(&mut response, size);
            return response;
        }
    };
    set(&mut response, header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    *response.body_mut() = Body::full(bytes);
    response
}

/// A part that lies within the bytes; else nothing.
fn part_of(bytes: &Bytes, from: u64, length: u64) -> Bytes {
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len() - from);
    bytes.slice(from..from + length)
}
