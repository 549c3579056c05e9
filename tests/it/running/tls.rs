//! The northbound over TLS, and commands that speak to it.

use crate::lab::Lab;

#[tokio::test]
async fn commands_reach_a_northbound_over_tls_by_the_authority_of_the_installation() {
    let lab = Lab::with(&["northbound.tls_listen=127.0.0.1:0"]).await;
    let url = format!("https://{}", lab.addresses().northbound_tls.unwrap());
    // Beside the data folder its authority is known.
    let (code, out, err) = lab.provost(&["--server", &url, "health"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("ok"), "{out}");
    // From elsewhere it has to be named.
    let elsewhere = tempfile::tempdir().unwrap();
    let data = elsewhere.path().to_str().unwrap();
    let token = std::fs::read_to_string(lab.data().join("admin.token")).unwrap();
    let remote = ["--data", data, "--server", &url, "--token", token.trim(), "health"];
    let (code, _, err) = lab.provost(&remote).await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("--ca"), "{err}");
    let ca = lab.data().join("tls/ca.pem");
    let mut known = vec!["--ca", ca.to_str().unwrap()];
    known.extend(remote);
    assert_eq!(lab.provost(&known).await.0, 0);
    // Another authority is believed nothing.
    let other = elsewhere.path().join("other.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(vec!["other".to_owned()]).unwrap();
    std::fs::write(&other, made.self_signed(&key).unwrap().pem()).unwrap();
    let mut foreign = vec!["--ca", other.to_str().unwrap()];
    foreign.extend(remote);
    let (code, _, err) = lab.provost(&foreign).await;
    assert_ne!(code, 0, "{err}");
    // And no token goes in clear to a port that speaks TLS.
    let plain = url.replace("https", "http");
    assert_ne!(lab.provost(&["--server", &plain, "health"]).await.0, 0);
}

#[tokio::test]
async fn a_northbound_that_others_reach_in_clear_has_to_be_meant() {
    let lab = Lab::start().await;
    let arguments = ["serve", "--set", "northbound.listen=0.0.0.0:0"];
    let (code, _, err) = lab.provost(&arguments).await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("northbound.tls_listen") && err.lines().count() == 1, "{err}");
}
