//! The certificate authority and the server certificate that Provost makes for
//! itself when the operator brings none.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};

use super::error::HttpError;
use super::tls::{provider, read, read_pair};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The server's certificate counts from here before it is made, for devices
/// whose clock is slow, and for this long after. Together 825 days, more than
/// which some clients refuse.
const VALID_BEFORE: Duration = DAY.saturating_mul(30);
const VALID_AFTER: Duration = DAY.saturating_mul(795);

/// It is made anew when less than this is left.
const RENEW_BEFORE: Duration = DAY.saturating_mul(90);

/// Loads what lies in the folder, after making what is missing, near its end
/// or for other names.
pub(super) fn load_or_make(
    folder: &Path,
    names: &[String],
    now: Timestamp,
) -> Result<Arc<CertifiedKey>, HttpError> {
    make_folder(folder)?;
    let names = all_names(names)?;
    let [ca_pem, ca_key] = ["ca.pem", "ca.key"].map(|name| folder.join(name));
    let [certificate, key] = ["server.pem", "server.key"].map(|name| folder.join(name));
    let authority = Authority::load_or_make(&ca_pem, &ca_key)?;
    if certificate.exists() && key.exists() {
        // What is damaged is simply made anew: nothing depends on it.
        let pair = read_pair(&certificate, &key).ok();
        if let Some(pair) = pair.filter(|p| authority.vouches(p, &names, now.after(RENEW_BEFORE))) {
            return Ok(pair);
        }
    }
    authority.issue(&certificate, &key, &names, now)?;
    let pair = read_pair(&certificate, &key)?;
    if authority.vouches(&pair, &names, now) {
        tracing::info!(file.path = %certificate.display(), "server certificate made");
        return Ok(pair);
    }
    Err(HttpError::Unusable {
        path: ca_pem,
        problem: "this is not the certificate that was made for ca.key beside it; to use another \
                  authority set tls.certificate and tls.key, to begin anew remove both"
            .to_owned(),
    })
}

/// The certificate authority of one installation.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn load_or_make(pem: &Path, key: &Path) -> Result<Self, HttpError> {
        let unusable = |path: &Path, problem: &str| HttpError::Unusable {
            path: path.to_owned(),
            problem: problem.to_owned(),
        };
        if pem.exists() && !key.exists() {
            return Err(unusable(key, "the key of the authority in ca.pem is missing"));
        }
        if !key.exists() {
            write(key, &KeyPair::generate()?.serialize_pem(), 0o600)?;
        }
        let text = String::from_utf8(read(key)?).map_err(|_| unusable(key, "this is no PEM"))?;
        let pair = KeyPair::from_pem(&text).map_err(|_| unusable(key, "this is no usable key"))?;
        let params = authority_params(&pair);
        if !pem.exists() {
            // Of the same key and name, so whoever trusts the lost one trusts this.
            write(pem, &params.self_signed(&pair)?.pem(), 0o644)?;
            tracing::info!(file.path = %pem.display(), "certificate authority made");
        }
        let certificate = CertificateDer::from_pem_slice(&read(pem)?)
            .map_err(|_| unusable(pem, "there is no certificate in it"))?;
        Ok(Self { issuer: Issuer::new(params, pair), certificate })
    }

    /// Whether a client that trusts this authority takes the certificate for
    /// all names at that time.
    fn vouches(&self, pair: &CertifiedKey, names: &[ServerName<'static>], at: Timestamp) -> bool {
        let mut roots = RootCertStore::empty();
        if roots.add(self.certificate.clone()).is_err() {
            return false;
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let (Ok(verifier), Ok(end)) = (verifier, pair.end_entity_cert()) else {
            return false;
        };
        let seconds = u64::try_from(at.as_secs()).unwrap_or(0);
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        names.iter().all(|name| verifier.verify_server_cert(end, &[], name, &[], at).is_ok())
    }

    fn issue(
        &self,
        certificate: &Path,
        key: &Path,
        names: &[ServerName<'static>],
        now: Timestamp,
    ) -> Result<(), HttpError> {
        let pair = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        for name in names {
            params.subject_alt_names.push(match name {
                ServerName::IpAddress(address) => SanType::IpAddress(IpAddr::from(*address)),
                other => SanType::DnsName(other.to_str().as_ref().try_into()?),
            });
        }
        // Old devices look at the common name alone: the first that was configured.
        if let Some(name) = names.first() {
            params.distinguished_name.push(DnType::CommonName, name.to_str().as_ref());
        }
        let before = i64::try_from(VALID_BEFORE.as_millis()).unwrap_or(0);
        let (year, month, day) =
            date(Timestamp::from_millis(now.as_millis().saturating_sub(before)));
        params.not_before = date_time_ymd(year, month, day);
        let (year, month, day) = date(now.after(VALID_AFTER));
        params.not_after = date_time_ymd(year, month, day);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(&pair, &self.issuer)?;
        write(key, &pair.serialize_pem(), 0o600)?;
        write(certificate, &made.pem(), 0o644)
    }
}

/// What the authority says of itself follows from its key alone, so it need
/// not be read back. It is valid until the last year that old devices can read.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let fingerprint = hex::encode(Sha256::digest(key.public_key_raw()));
    let name = format!("Provost CA {}", fingerprint.get(..8).unwrap_or_default());
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// The configured names, then what this machine is called by itself.
fn all_names(configured: &[String]) -> Result<Vec<ServerName<'static>>, HttpError> {
    let mut names = Vec::new();
    for name in configured {
        let sound = ServerName::try_from(name.trim().to_owned());
        names.push(sound.map_err(|_| HttpError::BadName(name.clone()))?);
    }
    let own = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // A host may be called what no certificate can carry; then it does without.
    let machine = std::iter::once(host.trim().to_owned()).chain(own);
    names.extend(machine.filter_map(|name| ServerName::try_from(name).ok()));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.to_str().to_ascii_lowercase()));
    Ok(names)
}

/// Year, month and day of a time.
fn date(at: Timestamp) -> (i32, u8, u8) {
    let date = jiff::Timestamp::from_second(at.as_secs())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let [month, day] = [date.month(), date.day()].map(|part| u8::try_from(part).unwrap_or(1));
    (i32::from(date.year()), month, day)
}

fn make_folder(folder: &Path) -> Result<(), HttpError> {
    use std::os::unix::fs::DirBuilderExt as _;
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .map_err(|source| HttpError::File { path: folder.to_owned(), source })
}

/// Writes a file whole or not at all, and durably.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), HttpError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |source| HttpError::File { path: path.to_owned(), source };
    let draft = path.with_extension("new");
    // A draft that a crash left behind may have another mode.
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)?;
    match path.parent() {
        Some(folder) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed),
        None => Ok(()),
    }
}
