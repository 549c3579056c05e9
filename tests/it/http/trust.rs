//! Trust stores: clients' certificates at a door, and what files can be.

use std::path::{Path, PathBuf};

use provost::config::TlsConfig;
use provost::http::{Authority as Store, TrustStores};
use rustls::HandshakeKind;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::TlsConnector;

use super::*;
use crate::lab::authority::Authority;

fn store(ca: PathBuf, crl: &[PathBuf]) -> Store {
    Store { name: "own".into(), ca, crl: crl.to_vec() }
}

/// A client with a certificate, which trusts the server and keeps its tickets.
fn client(folder: &Path, server: &Path, name: &str) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    let pem = std::fs::read(server).unwrap();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let read = |ending: &str| std::fs::read(folder.join(format!("{name}.{ending}"))).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(&read("pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&read("key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    TlsConnector::from(Arc::new(config))
}

/// One exchange: how the handshake went, and what was answered.
async fn exchange(client: &TlsConnector, at: SocketAddr) -> (Option<HandshakeKind>, String) {
    let stream = TcpStream::connect(at).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let Ok(mut stream) = client.connect(name, stream).await else { return (None, String::new()) };
    let kind = stream.get_ref().1.handshake_kind();
    let mut heard = Vec::new();
    let request = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    if stream.write_all(request).await.is_ok() {
        let _ = stream.read_to_end(&mut heard).await;
    }
    (kind, String::from_utf8(heard).unwrap())
}

#[tokio::test]
async fn b09_a_resumed_handshake_is_judged_by_the_lists_of_the_moment() {
    let folder = tempfile::tempdir().unwrap();
    let own = Authority::new(folder.path(), "own");
    own.device("good", "00D09E-1", 1);
    let crl = own.revoke(&[66], false);
    let stores = TrustStores::load(vec![store(own.pem(), &[crl])], false).unwrap();
    let tls = TlsMaterial::load_or_make(folder.path(), &TlsConfig::default()).unwrap();
    let limits = LimitsConfig::default();
    let door = Door::bind("test", "127.0.0.1:0".parse().unwrap(), &limits, Some(tls.clone()));
    let door = door.unwrap().trusting(&tls, stores.clone()).unwrap();
    let at = door.local_addr();
    let (closed, _ended) = mpsc::unbounded_channel();
    tokio::spawn(door.serve(Arc::new(Echo { limits, closed }), CancellationToken::new()));

    let client = client(folder.path(), &folder.path().join("tls/ca.pem"), "good");
    let (kind, heard) = exchange(&client, at).await;
    assert_eq!(kind, Some(HandshakeKind::Full));
    assert!(heard.contains("authority: \"own\"") && heard.contains("00D09E-1"), "{heard}");
    let (kind, heard) = exchange(&client, at).await;
    assert_eq!(kind, Some(HandshakeKind::Resumed));
    assert!(heard.contains("00D09E-1"), "who it is is known again: {heard}");
    own.revoke(&[1, 66], false);
    stores.reload().unwrap();
    let (kind, heard) = exchange(&client, at).await;
    assert_eq!(heard, "", "{kind:?}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let own = Authority::new(at, "own");
    let crl = own.revoke(&[66], true);
    let put = |name: &str, text: &[u8]| {
        std::fs::write(at.join(name), text).unwrap();
        at.join(name)
    };
    let (empty, text) = (put("empty.pem", b""), put("text.crl", b"no list at all"));
    let nothing = put("nothing.crl", b"-----BEGIN NOTHING-----\n-----END NOTHING-----\n");
    let cut = put("cut.crl", &std::fs::read(&crl).unwrap()[..60]);
    for (ca, crl, named) in [
        (at.join("missing.pem"), vec![], "missing.pem"),
        (empty.clone(), vec![], "empty.pem"),
        (crl.clone(), vec![], "own.crl"),
        (own.pem(), vec![at.join("missing.crl")], "missing.crl"),
        (own.pem(), vec![text], "text.crl"),
        (own.pem(), vec![nothing], "nothing.crl"),
        (own.pem(), vec![crl.clone(), cut], "cut.crl"),
        (own.pem(), vec![own.pem()], "own.pem"),
    ] {
        let error = TrustStores::load(vec![store(ca, &crl)], false).unwrap_err().to_string();
        assert!(error.contains(named) && !error.contains('\n'), "{named}: {error}");
    }
    assert!(TrustStores::load(vec![store(own.pem(), &[crl])], true).is_ok());
    assert!(TrustStores::load(Vec::new(), false).is_ok());
}
