//! Fetching files as devices and phones do.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::client::{Client, ClientAuth, ClientFailure, ClientSettings, Received};
use super::fanvil::{FanvilPhone, PhoneFetchError, PhoneFileKind, PhoneVerdict};
use super::file_phone::{FilePhone, FilePhoneVerdict};
use super::transfers::{Fetch, FetchFailure};

/// The largest file that a device takes, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// The largest configuration file that a phone takes, in bytes.
const MAX_PHONE_FILE: u64 = 4 << 20;

/// What a phone reads of a firmware image before it knows that it runs it.
const IMAGE_HEADER: u64 = 1024;

/// Fetches the file of a Download, or sends that of an Upload.
pub(super) async fn fetch(
    order: &Fetch,
    tls: Option<Arc<rustls::ClientConfig>>,
    timeout: Duration,
) -> Result<Bytes, FetchFailure> {
    let login =
        (!order.username.is_empty()).then(|| (order.username.clone(), order.password.clone()));
    let settings = ClientSettings {
        auth: ClientAuth::Digest,
        tls,
        timeout,
        body_limit: MAX_FILE,
        agent: None,
    };
    let failed = |failure: ClientFailure| match failure {
        ClientFailure::Connect(_) => FetchFailure::Unreachable,
        ClientFailure::Url { .. } | ClientFailure::Broken(_) | ClientFailure::Redirects => {
            FetchFailure::Broken
        }
    };
    let mut client = Client::new(&order.url, login.clone(), settings.clone()).map_err(failed)?;
    let received = exchange(&mut client, order).await;
    let mut received = received.map_err(failed)?;
    // A file server that offers Basic alone.
    if received.status == 401 && login.is_some() {
        let settings = ClientSettings { auth: ClientAuth::Basic, ..settings };
        let mut client = Client::new(&order.url, login, settings).map_err(failed)?;
        received = exchange(&mut client, order).await.map_err(failed)?;
    }
    match received.status {
        200..=299 => Ok(received.body),
        401 | 403 => Err(FetchFailure::Unauthorized),
        404 | 410 => Err(FetchFailure::Missing),
        _ => Err(FetchFailure::Broken),
    }
}

async fn exchange(client: &mut Client, order: &Fetch) -> Result<Received, ClientFailure> {
    match order.sends {
        Some(_) => client.put(Bytes::copy_from_slice(&order.content)).await,
        None => client.get().await,
    }
}

impl FanvilPhone {
    /// Fetches both files from below a base URL and says what became of each,
    /// in the phone's order. A common file that is missing does not keep the
    /// phone from its own.
    ///
    /// `login` is shown to a server that asks for Digest; `tls` says what the
    /// phone trusts over HTTPS.
    pub async fn provision(
        &mut self,
        base: &str,
        login: Option<(Box<str>, crate::device::Secret)>,
        tls: Option<Arc<rustls::ClientConfig>>,
        timeout: Duration,
    ) -> Vec<(PhoneFileKind, Result<PhoneVerdict, PhoneFetchError>)> {
        let settings = for_phones(tls, timeout, None);
        let mut outcomes = Vec::new();
        for (kind, name) in self.files() {
            let url = below(base, &name);
            let fetched = match Client::new(&url, login.clone(), settings.clone()) {
                Ok(mut client) => client.get().await,
                Err(failure) => Err(failure),
            };
            let name = name.into_boxed_str();
            outcomes.push((
                kind,
                match fetched {
                    Ok(received) if received.status == 200 => {
                        Ok(self.receive(kind, &received.body))
                    }
                    Ok(received) => Err(PhoneFetchError::Refused { name, status: received.status }),
                    Err(failure) => Err(PhoneFetchError::Unreachable {
                        name,
                        reason: failure.to_string().into(),
                    }),
                },
            ));
        }
        outcomes
    }
}

impl FilePhone {
    /// Fetches from below a base URL: the header of its image, if it has one, then
    /// the first of its names that is there.
    ///
    /// # Errors
    /// [`PhoneFetchError`] of the last name, if none is there.
    pub async fn provision(
        &mut self,
        base: &str,
        tls: Option<Arc<rustls::ClientConfig>>,
        timeout: Duration,
    ) -> Result<FilePhoneVerdict, PhoneFetchError> {
        let settings = for_phones(tls, timeout, Some(self.agent().into()));
        if let Some(image) = self.image() {
            // More than the header comes, and the connection is closed on it.
            let settings = ClientSettings { body_limit: IMAGE_HEADER, ..settings.clone() };
            if let Ok(mut client) = Client::new(&below(base, image), None, settings) {
                let _ = client.get().await;
            }
        }
        let mut last = PhoneFetchError::Refused { name: "".into(), status: 404 };
        for name in self.names().to_vec() {
            let fetched = match Client::new(&below(base, &name), None, settings.clone()) {
                Ok(mut client) => client.get().await,
                Err(failure) => Err(failure),
            };
            let name = name.into_boxed_str();
            last = match fetched {
                Ok(received) if received.status == 200 => {
                    return Ok(self.receive(&name, &received.body));
                }
                Ok(received) => PhoneFetchError::Refused { name, status: received.status },
                Err(failure) => {
                    let reason = failure.to_string().into();
                    return Err(PhoneFetchError::Unreachable { name, reason });
                }
            };
        }
        Err(last)
    }
}

fn for_phones(
    tls: Option<Arc<rustls::ClientConfig>>,
    timeout: Duration,
    agent: Option<Box<str>>,
) -> ClientSettings {
    ClientSettings { auth: ClientAuth::Digest, tls, timeout, body_limit: MAX_PHONE_FILE, agent }
}

fn below(base: &str, name: &str) -> String {
    format!("{}/{name}", base.trim_end_matches('/'))
}
