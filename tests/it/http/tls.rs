//! TLS with the real openssl and curl.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use provost::config::TlsConfig;
use provost::http::{ClientConnection, Host, client_tls, read_limited};
use tokio::process::Command;

use super::*;

fn certs(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs").join(name)
}

fn brought() -> TlsConfig {
    TlsConfig {
        certificate: Some(certs("test-server.pem")),
        key: Some(certs("test-server.key")),
        ..TlsConfig::default()
    }
}

/// Runs a program; what it says on both outputs, and whether it ended well.
async fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

async fn curl(ca: &Path, url: &str, more: &[&str]) -> (bool, String) {
    let ca = ca.to_str().unwrap();
    let fixed = ["--silent", "--show-error", "--noproxy", "*", "--cacert", ca, url];
    run("curl", &[&fixed[..], more].concat()).await
}

#[tokio::test]
async fn openssl_and_curl_trust_what_was_made() {
    let data = tempfile::tempdir().unwrap();
    let names = vec!["acs.example.net".to_owned()];
    let config = TlsConfig { names, ..TlsConfig::default() };
    let material = TlsMaterial::load_or_make(data.path(), &config).unwrap();
    let door = open(&LimitsConfig::default(), Some(material));
    let ca = data.path().join("tls/ca.pem");
    let at = door.at.to_string();
    for (more, said) in [
        (vec!["-tls1_2"], "TLSv1.2"),
        (vec!["-tls1_3"], "TLSv1.3"),
        (vec!["-verify_hostname", "acs.example.net"], "Verification: OK"),
        (vec!["-verify_ip", "127.0.0.1"], "Verification: OK"),
    ] {
        let fixed =
            ["s_client", "-CAfile", ca.to_str().unwrap(), "-connect", &at, "-verify_return_error"];
        let (right, text) = run("openssl", &[&fixed[..], &more].concat()).await;
        assert!(right && text.contains(said), "{more:?}: {text}");
    }
    let (right, text) = run("openssl", &["s_client", "-tls1_1", "-connect", &at]).await;
    assert!(!right, "{text}");

    let port = door.at.port();
    let resolve = format!("acs.example.net:{port}:127.0.0.1");
    for host in ["localhost", "127.0.0.1", "acs.example.net"] {
        let url = format!("https://{host}:{port}/");
        let (right, text) = curl(&ca, &url, &["--resolve", &resolve]).await;
        assert!(right && text.contains("tls: true"), "{host}: {text}");
    }
    let (right, text) =
        curl(&certs("test-ca.pem"), &format!("https://localhost:{port}/"), &[]).await;
    assert!(!right, "another authority was trusted: {text}");
}

#[tokio::test]
async fn a_reload_serves_the_new_certificate_and_ends_no_connection() {
    let data = tempfile::tempdir().unwrap();
    let [pem, key] = ["server.pem", "server.key"].map(|name| data.path().join(name));
    let made = tempfile::tempdir().unwrap();
    TlsMaterial::load_or_make(made.path(), &TlsConfig::default()).unwrap();
    std::fs::copy(made.path().join("tls/server.pem"), &pem).unwrap();
    std::fs::copy(made.path().join("tls/server.key"), &key).unwrap();
    let config = TlsConfig {
        certificate: Some(pem.clone()),
        key: Some(key.clone()),
        ..TlsConfig::default()
    };
    let material = TlsMaterial::load_or_make(data.path(), &config).unwrap();
    let door = open(&LimitsConfig::default(), Some(Arc::clone(&material)));

    let first_ca = std::fs::read_to_string(made.path().join("tls/ca.pem")).unwrap();
    let second_ca = std::fs::read_to_string(certs("test-ca.pem")).unwrap();
    let mut kept = connect(door.at, &first_ca).await.unwrap();
    assert!(connect(door.at, &second_ca).await.is_err());
    assert_eq!(exchange(&mut kept).await, "abc");

    std::fs::copy(certs("test-server.pem"), &pem).unwrap();
    material.reload().unwrap_err();
    assert!(connect(door.at, &first_ca).await.is_ok(), "half a change was taken");
    std::fs::copy(certs("test-server.key"), &key).unwrap();
    material.reload().unwrap();
    assert!(connect(door.at, &first_ca).await.is_err());
    let mut new = connect(door.at, &second_ca).await.unwrap();
    assert_eq!(exchange(&mut new).await, "abc");
    assert_eq!(exchange(&mut kept).await, "abc");
}

async fn connect(
    at: SocketAddr,
    authority: &str,
) -> Result<ClientConnection, provost::http::ClientError> {
    let tls = client_tls(authority).unwrap();
    let host = Host::Address(at.ip());
    ClientConnection::connect(&host, at.port(), Some(tls), Duration::from_secs(30)).await
}

async fn exchange(connection: &mut ClientConnection) -> String {
    let request = Request::post("/").header("host", "h").body(Full::new(Bytes::from("abc")));
    let answer = connection.send(request.unwrap()).await.unwrap();
    let body = read_limited(answer.into_body(), 1000).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_stalled_handshake_ends_by_its_limit_and_plain_http_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let material = TlsMaterial::load_or_make(data.path(), &brought()).unwrap();
    let limits = LimitsConfig { first_byte: 3600, headers: 3600, ..short() };
    let mut door = open(&limits, Some(material));
    // The first bytes of a ClientHello, and nothing more.
    let stalled = say(door.at, [0x16, 3, 1, 2, 0, 1, 0]).await;
    let authority = std::fs::read_to_string(certs("test-ca.pem")).unwrap();
    let mut other = connect(door.at, &authority).await.unwrap();
    assert_eq!(exchange(&mut other).await, "abc");
    assert_eq!(hear(stalled).await, "");
    assert!(door.closed.recv().await.is_some());
    let mut heard = Vec::new();
    let mut plain = say(door.at, "GET / HTTP/1.1\r\n\r\n").await;
    let _ = plain.read_to_end(&mut heard).await;
    assert!(!heard.starts_with(b"HTTP"));
}
