//! Whom the server trusts when it connects to others over TLS: the machine's
//! authorities, and those of the operator.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Where distributions keep the authorities that they trust; the first that there
/// is counts.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Settings of a TLS client that trusts the machine's authorities and, in PEM,
/// `also`.
///
/// # Errors
/// [`rustls::Error`] when `also` holds no certificate or a broken one, or there is
/// nobody to trust.
pub fn system_tls(also: Option<&str>) -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    let bundle = SYSTEM.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
    // A machine's bundle may hold what nobody can read any more; the rest is good.
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bundle).filter_map(Result::ok));
    if let Some(also) = also {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(also.as_bytes()) {
            let certificate = certificate.map_err(|_| {
                rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding)
            })?;
            roots.add(certificate)?;
        }
        if roots.len() == before {
            return Err(rustls::Error::NoCertificatesPresented);
        }
    }
    if roots.is_empty() {
        return Err(rustls::Error::NoCertificatesPresented);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_authority_must_be_one() {
        assert!(system_tls(Some("")).is_err());
        assert!(system_tls(Some("no certificate")).is_err());
        let key = rcgen::generate_simple_self_signed(["hooks.example.net".to_owned()]).unwrap();
        assert!(system_tls(Some(&key.cert.pem())).is_ok());
    }
}
