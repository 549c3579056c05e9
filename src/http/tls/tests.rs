//! Tests of certificates: made, brought, renewed, reloaded, refused.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn made(data: &Path, names: &[&str], now: &str) -> Result<Arc<TlsMaterial>, HttpError> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    TlsMaterial::load_at(data, &TlsConfig { names, ..TlsConfig::default() }, at(now))
}

fn file(data: &Path, name: &str) -> String {
    std::fs::read_to_string(data.join("tls").join(name)).unwrap()
}

#[test]
fn what_is_made_is_kept_and_its_keys_are_private() {
    let data = tempfile::tempdir().unwrap();
    made(data.path(), &[], "2026-01-01T00:00:00Z").unwrap();
    let names = ["ca.pem", "ca.key", "server.pem", "server.key"];
    let before = names.map(|name| file(data.path(), name));
    made(data.path(), &[], "2026-12-01T00:00:00Z").unwrap();
    assert_eq!(names.map(|name| file(data.path(), name)), before);
    for name in ["ca.key", "server.key"] {
        let metadata = std::fs::metadata(data.path().join("tls").join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(data.path().join("tls")).unwrap().collect();
    assert_eq!(left.len(), names.len(), "no draft is left");
}

#[test]
fn the_certificate_is_renewed_near_its_end_and_for_new_names_but_the_authority_stays() {
    let data = tempfile::tempdir().unwrap();
    let material = made(data.path(), &[], "2026-01-01T00:00:00Z").unwrap();
    let authority = file(data.path(), "ca.pem");
    let first = file(data.path(), "server.pem");

    made(data.path(), &["acs.example.net", "192.0.2.7"], "2026-01-02T00:00:00Z").unwrap();
    let named = file(data.path(), "server.pem");
    assert_ne!(named, first);

    // 795 days from 2 January 2026 end on 7 March 2028.
    material.reload_at(at("2027-12-06T00:00:00Z")).unwrap();
    assert_eq!(file(data.path(), "server.pem"), named);
    material.reload_at(at("2027-12-10T00:00:00Z")).unwrap();
    assert_ne!(file(data.path(), "server.pem"), named);
    assert_eq!(file(data.path(), "ca.pem"), authority);
}

#[test]
fn what_is_damaged_is_made_anew_or_named() {
    let data = tempfile::tempdir().unwrap();
    let now = "2026-01-01T00:00:00Z";
    made(data.path(), &[], now).unwrap();
    let tls = data.path().join("tls");

    std::fs::write(tls.join("server.pem"), "rubbish").unwrap();
    made(data.path(), &[], now).unwrap();
    std::fs::remove_file(tls.join("server.key")).unwrap();
    made(data.path(), &[], now).unwrap();

    std::fs::remove_file(tls.join("ca.pem")).unwrap();
    made(data.path(), &[], now).unwrap();

    let other = tempfile::tempdir().unwrap();
    made(other.path(), &[], now).unwrap();
    std::fs::copy(other.path().join("tls/ca.pem"), tls.join("ca.pem")).unwrap();
    let error = made(data.path(), &[], now).unwrap_err().to_string();
    assert!(error.contains("ca.pem: this is not the certificate"), "{error}");

    std::fs::remove_file(tls.join("ca.key")).unwrap();
    let error = made(data.path(), &[], now).unwrap_err().to_string();
    assert!(error.contains("ca.key: the key of the authority"), "{error}");
}

#[test]
fn bad_settings_are_told_in_one_line_that_names_the_file() {
    let data = tempfile::tempdir().unwrap();
    let now = "2026-01-01T00:00:00Z";
    made(data.path(), &[], now).unwrap();
    made(&data.path().join("other"), &[], now).unwrap();
    let tls = data.path().join("tls");
    let own = |certificate: &Path, key: &Path| {
        let config = TlsConfig {
            certificate: Some(certificate.to_owned()),
            key: Some(key.to_owned()),
            ..TlsConfig::default()
        };
        TlsMaterial::load_at(data.path(), &config, at(now)).map(drop)
    };
    let (pem, key) = (tls.join("server.pem"), tls.join("server.key"));
    own(&pem, &key).unwrap();
    let rubbish = data.path().join("rubbish");
    std::fs::write(&rubbish, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    for (certificate, key, expected) in [
        (&rubbish, &key, "rubbish: its first certificate cannot be read"),
        (&key, &key, "server.key: there is no certificate in it"),
        (&pem, &pem, "server.pem: there is no private key in it"),
        (&pem, &data.path().join("other/tls/server.key"), "this key does not belong"),
        (&pem, &data.path().join("absent"), "absent: No such file"),
    ] {
        let error = own(certificate, key).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
    }
    let half = TlsConfig { certificate: Some(pem), ..TlsConfig::default() };
    let error = TlsMaterial::load_at(data.path(), &half, at(now)).unwrap_err();
    assert!(matches!(error, HttpError::HalfConfigured));
    let error = made(data.path(), &["no such name!"], now).unwrap_err().to_string();
    assert!(error.contains("no such name!"), "{error}");
}

#[test]
fn a_failed_reload_leaves_what_was_served() {
    let data = tempfile::tempdir().unwrap();
    made(data.path(), &[], "2026-01-01T00:00:00Z").unwrap();
    let tls = data.path().join("tls");
    let config = TlsConfig {
        certificate: Some(tls.join("server.pem")),
        key: Some(tls.join("server.key")),
        ..TlsConfig::default()
    };
    let material = TlsMaterial::load_at(data.path(), &config, Timestamp::default()).unwrap();
    let served = || material.current.0.read().unwrap().cert.clone();
    let before = served();
    std::fs::write(tls.join("server.pem"), "rubbish").unwrap();
    material.reload().unwrap_err();
    assert_eq!(served(), before);
    // A new pair in the same files is taken.
    std::fs::remove_file(tls.join("server.pem")).unwrap();
    made(data.path(), &[], "2026-06-01T00:00:00Z").unwrap();
    material.reload().unwrap();
    assert_ne!(served(), before);
}
