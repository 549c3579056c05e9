//! Authorities, certificates and revocation lists for tests, as files.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};

/// An authority that signs clients' certificates.
pub(crate) struct Authority {
    folder: PathBuf,
    name: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What is to stand in a certificate.
pub(crate) struct Wanted<'a> {
    /// The name of its files.
    pub(crate) file: &'a str,
    /// The common name.
    pub(crate) common: &'a str,
    /// DNS names.
    pub(crate) alternative: &'a [&'a str],
    /// The serial number.
    pub(crate) serial: u64,
    /// The last year in which it is valid.
    pub(crate) until: i32,
}

fn named(common: &str, alternative: &[&str]) -> CertificateParams {
    let names: Vec<String> = alternative.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params.not_before = date_time_ymd(2015, 1, 1);
    params
}

fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

impl Authority {
    /// Makes one; its certificate lies in the folder under its name.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_after = date_time_ymd(2049, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        put(folder, &format!("{name}.pem"), &certificate.pem());
        Self { folder: folder.to_owned(), name: name.to_owned(), issuer: Issuer::new(params, key) }
    }

    /// Where its certificate lies.
    pub(crate) fn pem(&self) -> PathBuf {
        self.folder.join(format!("{}.pem", self.name))
    }

    /// Signs a client's certificate.
    pub(crate) fn sign(&self, wanted: &Wanted<'_>) {
        let mut params = named(wanted.common, wanted.alternative);
        params.serial_number = Some(SerialNumber::from(wanted.serial));
        params.not_after = date_time_ymd(wanted.until, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        put(&self.folder, &format!("{}.pem", wanted.file), &certificate.pem());
        put(&self.folder, &format!("{}.key", wanted.file), &key.serialize_pem());
    }

    /// A plain certificate of a device.
    pub(crate) fn device(&self, file: &str, common: &str, serial: u64) {
        self.sign(&Wanted { file, common, alternative: &[], serial, until: 2049 });
    }

    /// Writes its revocation list with these serial numbers, as PEM or DER.
    pub(crate) fn revoke(&self, serials: &[u64], der: bool) -> PathBuf {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2049, 1, 1),
            crl_number: SerialNumber::from(1u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).unwrap();
        let path = self.folder.join(format!("{}.crl", self.name));
        let bytes = if der { list.der().to_vec() } else { list.pem().unwrap().into_bytes() };
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// A certificate that nobody signed but its own key.
pub(crate) fn self_signed(folder: &Path, file: &str, common: &str) {
    let key = KeyPair::generate().unwrap();
    let certificate = named(common, &[]).self_signed(&key).unwrap();
    put(folder, &format!("{file}.pem"), &certificate.pem());
    put(folder, &format!("{file}.key"), &key.serialize_pem());
}
