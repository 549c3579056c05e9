//! Devices with certificates, at the real server's door over TLS: the real
//! openssl and curl show them.

use std::path::Path;
use std::process::Stdio;

use super::inform;
use crate::lab::Lab;
use crate::lab::authority::{Authority, Wanted, self_signed};

/// A server with three trust stores: one of devices of any OUI with a revocation
/// list, one of devices of another OUI, one of models.
struct Rig {
    lab: Lab,
    folder: tempfile::TempDir,
    own: Authority,
}

impl Rig {
    async fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let [own, vendor, model] = ["own", "vendor", "model"].map(|name| Authority::new(at, name));
        let crl = own.revoke(&[66], true);
        own.device("good", "00D09E-SimGateway-GOOD", 1);
        own.device("short", "00d09e-GOOD", 2);
        own.sign(&Wanted {
            file: "alternative",
            common: "Residential Gateway",
            alternative: &["00D09E-GOOD"],
            serial: 3,
            until: 2049,
        });
        own.sign(&Wanted {
            file: "expired",
            common: "00D09E-SimGateway-GOOD",
            alternative: &[],
            serial: 4,
            until: 2020,
        });
        own.device("nameless", "Residential Gateway", 5);
        own.device("revoked", "00D09E-SimGateway-GOOD", 66);
        own.device("later", "00D09E-SimGateway-GOOD", 77);
        self_signed(at, "selfsigned", "00D09E-SimGateway-GOOD");
        Authority::new(at, "stranger").device("strange", "00D09E-SimGateway-GOOD", 1);
        vendor.device("foreign", "00D09E-SimGateway-GOOD", 1);
        model.device("generic", "00D09E-SimGateway-GOOD", 1);
        let store = |name: &str, ca: &Path, rest: &str| {
            format!("{{name = \"{name}\", ca = \"{}\", {rest}}}", ca.display())
        };
        let trust = format!(
            "cwmp.trust=[{}, {}, {}]",
            store(
                "own",
                &own.pem(),
                &format!("crl = [\"{}\"], identity = \"device\"", crl.display())
            ),
            store("vendor", &vendor.pem(), "identity = \"device\", ouis = [\"0C383E\"]"),
            store("model", &model.pem(), "identity = \"model\""),
        );
        let sets = [&[trust.as_str()], more].concat();
        Self { lab: Lab::with(&sets).await, folder, own }
    }

    fn pair(name: &str) -> [String; 2] {
        [format!("{name}.pem"), format!("{name}.key")]
    }

    /// The status that curl gets for an Inform of this serial number with this
    /// certificate; `000` if there is no connection.
    async fn status(&self, certificate: Option<&str>, serial: &str, more: &[&str]) -> String {
        let body = self.folder.path().join("inform.xml");
        std::fs::write(&body, inform(serial).1).unwrap();
        let mut command = tokio::process::Command::new("curl");
        command.args(["-s", "-k", "--noproxy", "*", "--max-time", "30", "-o", "/dev/null"]);
        command.args(["-w", "%{http_code}", "--data-binary", "@inform.xml"]);
        command.args(["-H", "Content-Type: text/xml", "-H", "SOAPAction:"]).args(more);
        if let Some(name) = certificate {
            let [pem, key] = Self::pair(name);
            command.args(["--cert", &pem, "--key", &key]);
        }
        command.arg(format!("https://{}/", self.lab.addresses().cwmp_tls.unwrap()));
        let output = command.current_dir(self.folder.path()).output().await;
        let output = output.expect("curl is needed for this test: apt install curl");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What openssl says of a handshake with this certificate, and whether it
    /// came about.
    async fn handshake(&self, certificate: Option<&str>, version: &str) -> (bool, String) {
        let at = self.lab.addresses().cwmp_tls.unwrap().to_string();
        let mut command = tokio::process::Command::new("openssl");
        command.args(["s_client", "-connect", &at, version]);
        if let Some(name) = certificate {
            let [pem, key] = Self::pair(name);
            command.args(["-cert", &pem, "-key", &key]);
        }
        let output = command.stdin(Stdio::null()).current_dir(self.folder.path()).output().await;
        let output = output.expect("openssl is needed for this test: apt install openssl");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    async fn alarms(&self, serial: &str) -> String {
        let path = format!("/api/v1/devices/00D09E-SimGateway-{serial}/events");
        let (status, events) = self.lab.call("GET", &path, "").await;
        assert_eq!(status, 200, "{events}");
        events.to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b09_only_a_good_certificate_of_its_own_opens_a_session_without_a_password() {
    let rig = Rig::start(&[]).await;
    for (certificate, serial, status) in [
        (Some("good"), "GOOD", "200"),
        (Some("short"), "GOOD", "200"),
        (Some("alternative"), "GOOD", "200"),
        // The identity of one, the serial number of another.
        (Some("good"), "OTHER", "403"),
        (Some("short"), "OTHER", "403"),
        // Good by its authority, and yet no proof.
        (Some("nameless"), "GOOD", "403"),
        (Some("foreign"), "GOOD", "403"),
        // No identity: ask for credentials.
        (Some("generic"), "GOOD", "401"),
        (None, "GOOD", "401"),
        // No handshake.
        (Some("expired"), "GOOD", "000"),
        (Some("revoked"), "GOOD", "000"),
        (Some("selfsigned"), "GOOD", "000"),
        (Some("strange"), "GOOD", "000"),
    ] {
        assert_eq!(rig.status(certificate, serial, &[]).await, status, "{certificate:?} {serial}");
    }
    let log = rig.lab.log();
    for said in ["a client certificate was refused", "names no device", "may not speak for its OUI"]
    {
        assert!(log.contains(said), "{said}: {log}");
    }
    assert!(rig.alarms("GOOD").await.contains("may not speak for its OUI"));
    // A model's certificate goes with the credentials that everybody needs.
    let (user, password) = rig.lab.onboarding();
    let login = format!("{user}:{}", password.expose());
    let basic = ["--basic", "--user", &login];
    assert_eq!(rig.status(Some("generic"), "NEW", &basic).await, "200");
    assert_eq!(rig.status(Some("foreign"), "NEW", &basic).await, "403");
}

#[tokio::test(flavor = "multi_thread")]
async fn b09_openssl_is_told_by_alerts_what_is_wrong_with_its_certificate() {
    let rig = Rig::start(&[]).await;
    for (certificate, said) in [
        (Some("good"), None),
        (Some("generic"), None),
        (None, None),
        (Some("expired"), Some("certificate expired")),
        (Some("revoked"), Some("certificate revoked")),
        (Some("selfsigned"), Some("unknown ca")),
        (Some("strange"), Some("unknown ca")),
    ] {
        let (right, text) = rig.handshake(certificate, "-tls1_2").await;
        assert_eq!(right, said.is_none(), "{certificate:?}: {text}");
        assert!(said.is_none_or(|said| text.contains(said)), "{certificate:?}: {text}");
    }
    let (right, text) = rig.handshake(Some("good"), "-tls1_3").await;
    assert!(right, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn b02_a_certificate_beside_the_user_name_of_another_device_raises_an_alarm() {
    let rig = Rig::start(&[]).await;
    let body = serde_json::json!({
        "manufacturer": "Provost", "oui": "00D09E", "product_class": "SimGateway",
        "serial_number": "OTHER", "username": "customer-17", "password": "its own",
    });
    let (status, added) = rig.lab.call("POST", "/api/v1/devices", &body.to_string()).await;
    assert_eq!(status, 201, "{added}");
    let basic = ["--basic", "--user", "customer-17:its own"];
    assert_eq!(rig.status(None, "OTHER", &basic).await, "200");
    assert_eq!(rig.status(Some("good"), "GOOD", &basic).await, "403");
    assert!(rig.alarms("OTHER").await.contains("the certificate is for"));
    assert_eq!(rig.status(Some("good"), "GOOD", &["--basic", "--user", "who:knows"]).await, "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_stores_are_read_again_and_a_broken_one_changes_nothing() {
    let rig = Rig::start(&[]).await;
    assert_eq!(rig.status(Some("later"), "GOOD", &[]).await, "200");
    let crl = rig.own.revoke(&[66, 77], false);
    rig.lab.hang_up().await;
    while rig.status(Some("later"), "GOOD", &[]).await != "000" {}
    assert_eq!(rig.status(Some("revoked"), "GOOD", &[]).await, "000");
    assert_eq!(rig.status(Some("good"), "GOOD", &[]).await, "200");

    std::fs::write(&crl, "-----BEGIN NOTHING-----\n").unwrap();
    rig.lab.hang_up().await;
    while !rig.lab.log().contains("own.crl") {
        assert_eq!(rig.status(Some("good"), "GOOD", &[]).await, "200");
    }
    assert_eq!(rig.status(Some("later"), "GOOD", &[]).await, "000");
    assert_eq!(rig.status(Some("good"), "GOOD", &[]).await, "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_certificates_are_required_nobody_comes_in_without() {
    let rig = Rig::start(&["cwmp.certificates=required"]).await;
    assert_eq!(rig.status(None, "GOOD", &[]).await, "000");
    assert_eq!(rig.status(Some("generic"), "GOOD", &[]).await, "401");
    assert_eq!(rig.status(Some("good"), "GOOD", &[]).await, "200");
    let (right, text) = rig.handshake(None, "-tls1_2").await;
    assert!(!right, "{text}");
    assert!(rig.lab.log().contains("lets devices in without TLS"), "the plain door is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_they_are_off_no_certificate_is_asked_for() {
    let rig = Rig::start(&["cwmp.certificates=off"]).await;
    assert_eq!(rig.status(Some("good"), "GOOD", &[]).await, "401");
    assert_eq!(rig.status(Some("selfsigned"), "GOOD", &[]).await, "401");
}

/// rustls knows TLS 1.2 and 1.3 alone: there is no listener to opt in to
/// anything older.
#[tokio::test(flavor = "multi_thread")]
async fn b10_old_versions_of_tls_are_refused_at_every_door() {
    let lab = Lab::start().await;
    let addresses = [lab.addresses().cwmp_tls.unwrap(), lab.addresses().files_tls.unwrap()];
    for (at, version) in addresses.iter().flat_map(|at| [(at, "-tls1"), (at, "-tls1_1")]) {
        let output = tokio::process::Command::new("openssl")
            .args(["s_client", "-cipher", "ALL:@SECLEVEL=0", "-connect", &at.to_string(), version])
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        assert!(!output.status.success(), "{version}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("alert"), "the client is told: {text}");
    }
}
