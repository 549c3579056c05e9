//! Whose client certificates are good: authorities, each under a name, with
//! their revocation lists, exchangeable while doors are open (RFC 5280 §6).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};

use super::certificate::names_in_certificate;
use super::error::HttpError;
use super::tls::{provider, read, roots};

/// One trust store: the authorities of one vendor or operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its name in settings and logs.
    pub name: Box<str>,
    /// Its certificates in PEM, at least one.
    pub ca: PathBuf,
    /// Revocation lists in PEM or DER. If there are any, every authority that
    /// signs, those in `ca` too, must have its list among them.
    pub crl: Vec<PathBuf>,
}

/// A client's certificate that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The name of the trust store whose authority signed it.
    pub authority: Arc<str>,
    /// Its common names, then its DNS names, as they stand there; those that
    /// are no UTF-8 are left out.
    pub names: Vec<Box<str>>,
}

/// The trust stores of a door, in their order: the first that an authority
/// stands in counts.
pub struct TrustStores {
    sources: Vec<Authority>,
    required: bool,
    current: RwLock<Arc<Vec<Loaded>>>,
}

/// One store as it was read.
struct Loaded {
    name: Arc<str>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl TrustStores {
    /// Reads the stores. `required` says whether a client without a certificate
    /// is refused in the handshake.
    ///
    /// # Errors
    /// [`HttpError`], naming the file that cannot be used.
    pub fn load(sources: Vec<Authority>, required: bool) -> Result<Arc<Self>, HttpError> {
        let current = RwLock::new(Arc::new(load_all(&sources)?));
        Ok(Arc::new(Self { sources, required, current }))
    }

    /// Reads all files again. On an error all stores stay as they were.
    ///
    /// # Errors
    /// [`HttpError`], naming the file that cannot be used.
    pub fn reload(&self) -> Result<(), HttpError> {
        let loaded = Arc::new(load_all(&self.sources)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Judges a chain, the client's own certificate first, and says which store
    /// it is good by.
    ///
    /// # Errors
    /// The reason of the store that comes nearest: expired or revoked says more
    /// than unknown.
    pub(super) fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertificate, rustls::Error> {
        let Some((own, above)) = chain.split_first() else {
            return Err(rustls::Error::NoCertificatesPresented);
        };
        let authority = self.authority_of(own, above, now)?;
        Ok(ClientCertificate { authority, names: names_in_certificate(own) })
    }

    fn authority_of(
        &self,
        own: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Arc<str>, rustls::Error> {
        let stores = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let mut reason = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        for store in &*stores {
            match store.verifier.verify_client_cert(own, above, now) {
                Ok(_) => return Ok(Arc::clone(&store.name)),
                Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {}
                Err(error) => reason = error,
            }
        }
        Err(reason)
    }
}

impl fmt::Debug for TrustStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.sources.iter().map(|source| &*source.name).collect();
        write!(f, "TrustStores({})", names.join(", "))
    }
}

impl ClientCertVerifier for TrustStores {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    /// None: whatever certificate a client has it may show. The list could not
    /// be exchanged, and old devices are confused by long ones.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.authority_of(end_entity, intermediates, now).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn load_all(sources: &[Authority]) -> Result<Vec<Loaded>, HttpError> {
    sources.iter().map(load_one).collect()
}

fn load_one(source: &Authority) -> Result<Loaded, HttpError> {
    let roots = Arc::new(roots(std::slice::from_ref(&source.ca))?);
    // Each file is tried for itself, so that an error can name it.
    let mut lists = Vec::new();
    for path in &source.crl {
        let found = revocations(path)?;
        verifier(path, &roots, found.clone())?;
        lists.extend(found);
    }
    let verifier = verifier(&source.ca, &roots, lists)?;
    Ok(Loaded { name: source.name.as_ref().into(), verifier })
}

/// What judges by these authorities and lists; `path` is blamed if that cannot
/// be.
fn verifier(
    path: &Path,
    roots: &Arc<rustls::RootCertStore>,
    lists: Vec<CertificateRevocationListDer<'static>>,
) -> Result<Arc<dyn ClientCertVerifier>, HttpError> {
    WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider())
        .with_crls(lists)
        .build()
        .map_err(|error| HttpError::Unusable {
            path: path.to_owned(),
            problem: format!("this cannot be used: {error}"),
        })
}

/// The revocation lists of a file: all of a PEM, or the one of a DER.
fn revocations(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, HttpError> {
    let unusable = |problem: String| HttpError::Unusable { path: path.to_owned(), problem };
    let bytes = read(path)?;
    if !bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        return Ok(vec![CertificateRevocationListDer::from(bytes)]);
    }
    let lists = CertificateRevocationListDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(format!("this is no PEM: {error}")))?;
    if lists.is_empty() {
        return Err(unusable("there is no revocation list in it".to_owned()));
    }
    Ok(lists)
}
