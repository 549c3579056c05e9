//! Certificates: the operator's own or made ones, and their reload.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::error::HttpError;
use super::made;
use super::trust::TrustStores;
use crate::config::TlsConfig;
use crate::time::{Clock as _, SystemClock, Timestamp};

/// The server's certificate and key, exchangeable while doors are open.
pub struct TlsMaterial {
    source: Source,
    current: Arc<Current>,
    server: Arc<rustls::ServerConfig>,
    /// The same, but a client is asked for a certificate.
    asking: Arc<rustls::ServerConfig>,
}

/// Where certificate and key come from.
enum Source {
    /// The operator's own files.
    Own { certificate: PathBuf, key: PathBuf },
    /// A folder in which they are made, and the further names that they carry.
    Made { folder: PathBuf, names: Vec<String> },
}

impl TlsMaterial {
    /// Loads the certificate and key that the settings name, or those in
    /// `data/tls/`. There, what is missing, near its end or for other names is
    /// made: a certificate authority once, `ca.pem`, and the server's
    /// certificate by it.
    ///
    /// # Errors
    /// [`HttpError`], naming the file that cannot be used.
    pub fn load_or_make(data: &Path, config: &TlsConfig) -> Result<Arc<Self>, HttpError> {
        Self::load_at(data, config, SystemClock.now())
    }

    fn load_at(data: &Path, config: &TlsConfig, now: Timestamp) -> Result<Arc<Self>, HttpError> {
        let source = match (&config.certificate, &config.key) {
            (Some(certificate), Some(key)) => {
                Source::Own { certificate: certificate.clone(), key: key.clone() }
            }
            (None, None) => Source::Made { folder: data.join("tls"), names: config.names.clone() },
            _ => return Err(HttpError::HalfConfigured),
        };
        let current = Arc::new(Current(RwLock::new(source.load(now)?)));
        let server = server_config(Arc::clone(&current), None)?;
        let asking = match verifier(&config.client_ca)? {
            None => Arc::clone(&server),
            verifier => server_config(Arc::clone(&current), verifier)?,
        };
        Ok(Arc::new(Self { source, current, server, asking }))
    }

    /// Reads the files again, and makes a made certificate anew if it is near
    /// its end; new connections get what comes of it. On an error what was
    /// served before is served on.
    ///
    /// # Errors
    /// [`HttpError`], naming the file that cannot be used.
    pub fn reload(&self) -> Result<(), HttpError> {
        self.reload_at(SystemClock.now())
    }

    fn reload_at(&self, now: Timestamp) -> Result<(), HttpError> {
        let loaded = self.source.load(now)?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// The settings with which a listener accepts connections: TLS 1.2 and
    /// 1.3, no client certificates, resumption by tickets.
    pub fn server_config(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.server)
    }

    /// The same, but if `tls.client_ca` names authorities a client is asked for
    /// a certificate. It may show none; one that is not good ends the handshake.
    pub fn asking_config(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.asking)
    }

    /// The same, but a client is asked for a certificate, which must be good by
    /// one of the stores.
    ///
    /// # Errors
    /// [`HttpError::Tls`].
    pub fn trusting_config(
        &self,
        stores: Arc<TrustStores>,
    ) -> Result<Arc<rustls::ServerConfig>, HttpError> {
        server_config(Arc::clone(&self.current), Some(stores))
    }
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Own { certificate, .. } => write!(f, "TlsMaterial({})", certificate.display()),
            Source::Made { folder, .. } => write!(f, "TlsMaterial({})", folder.display()),
        }
    }
}

impl Source {
    fn load(&self, now: Timestamp) -> Result<Arc<CertifiedKey>, HttpError> {
        match self {
            Self::Own { certificate, key } => read_pair(certificate, key),
            Self::Made { folder, names } => made::load_or_make(folder, names, now),
        }
    }
}

/// What new connections are served with.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn server_config(
    current: Arc<Current>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<rustls::ServerConfig>, HttpError> {
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?;
    let mut config = match clients {
        Some(clients) => config.with_client_cert_verifier(clients),
        None => config.with_no_client_auth(),
    }
    .with_cert_resolver(current);
    // Devices come back again and again: a resumed handshake signs nothing.
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// What judges clients' certificates; `None` if no authority is named.
fn verifier(files: &[PathBuf]) -> Result<Option<Arc<dyn ClientCertVerifier>>, HttpError> {
    if files.is_empty() {
        return Ok(None);
    }
    let roots = Arc::new(roots(files)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let verifier = builder.allow_unauthenticated().build();
    let verifier =
        verifier.map_err(|error| HttpError::Tls(rustls::Error::General(error.to_string())))?;
    Ok(Some(verifier))
}

/// The authorities in these files, at least one in each.
pub(super) fn roots(files: &[PathBuf]) -> Result<rustls::RootCertStore, HttpError> {
    let mut roots = rustls::RootCertStore::empty();
    for path in files {
        let unusable = |problem: String| HttpError::Unusable { path: path.clone(), problem };
        let pem = read(path)?;
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate =
                certificate.map_err(|error| unusable(format!("this is no PEM: {error}")))?;
            let added = roots.add(certificate);
            added.map_err(|error| {
                unusable(format!("a certificate in it cannot be used: {error}"))
            })?;
        }
        if roots.len() == before {
            return Err(unusable("there is no certificate in it".to_owned()));
        }
    }
    Ok(roots)
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Reads a certificate chain and its key, and checks that they belong together.
pub(super) fn read_pair(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, HttpError> {
    let unusable = |path: &Path, problem: &str| HttpError::Unusable {
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(certificate, &format!("this is no PEM: {error}")))?;
    let Some(first) = chain.first() else {
        return Err(unusable(certificate, "there is no certificate in it"));
    };
    ParsedCertificate::try_from(first)
        .map_err(|_| unusable(certificate, "its first certificate cannot be read"))?;
    let der = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| {
        unusable(key, "there is no private key in it that can be read (an encrypted one cannot)")
    })?;
    let signer = provider()
        .key_provider
        .load_private_key(der)
        .map_err(|_| unusable(key, "its key is of a kind or length that TLS does not take"))?;
    let pair = CertifiedKey::new(chain, signer);
    match pair.keys_match() {
        // A signer that does not tell its public key cannot be compared.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(Arc::new(pair))
        }
        Err(_) => {
            Err(HttpError::Mismatch { certificate: certificate.to_owned(), key: key.to_owned() })
        }
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, HttpError> {
    std::fs::read(path).map_err(|source| HttpError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
