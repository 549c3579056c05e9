//! Fetching files as devices and phones do.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::client::{Client, ClientAuth, ClientFailure, ClientSettings};
use super::fanvil::{FanvilPhone, PhoneFetchError, PhoneFileKind, PhoneVerdict};
use super::transfers::{Fetch, FetchFailure};

/// The largest file that a device takes, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// The largest configuration file that a phone takes, in bytes.
const MAX_PHONE_FILE: u64 = 4 << 20;

/// Fetches the file of a Download.
pub(super) async fn fetch(
    order: &Fetch,
    tls: Option<Arc<rustls::ClientConfig>>,
    timeout: Duration,
) -> Result<Bytes, FetchFailure> {
    let login =
        (!order.username.is_empty()).then(|| (order.username.clone(), order.password.clone()));
    let settings = ClientSettings { auth: ClientAuth::Digest, tls, timeout, body_limit: MAX_FILE };
    let failed = |failure: ClientFailure| match failure {
        ClientFailure::Connect(_) => FetchFailure::Unreachable,
        ClientFailure::Url { .. } | ClientFailure::Broken(_) | ClientFailure::Redirects => {
            FetchFailure::Broken
        }
    };
    let received =
        Client::new(&order.url, login.clone(), settings.clone()).map_err(failed)?.get().await;
    let mut received = received.map_err(failed)?;
    // A file server that offers Basic alone.
    if received.status == 401 && login.is_some() {
        let settings = ClientSettings { auth: ClientAuth::Basic, ..settings };
        let mut client = Client::new(&order.url, login, settings).map_err(failed)?;
        received = client.get().await.map_err(failed)?;
    }
    match received.status {
        200 => Ok(received.body),
        401 | 403 => Err(FetchFailure::Unauthorized),
        404 | 410 => Err(FetchFailure::Missing),
        _ => Err(FetchFailure::Broken),
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
        let settings =
            ClientSettings { auth: ClientAuth::Digest, tls, timeout, body_limit: MAX_PHONE_FILE };
        let mut outcomes = Vec::new();
        for (kind, name) in self.files() {
            let url = format!("{}/{name}", base.trim_end_matches('/'));
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
