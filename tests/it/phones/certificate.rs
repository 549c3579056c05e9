//! Phones that show a certificate, with authorities and certificates made by
//! openssl and shown by curl.

use std::path::{Path, PathBuf};

use provost::phone::{Access, Phone, Site};

use super::rig::Rig;

const MAC: &str = "0c383e07e16c";

async fn openssl(folder: &Path, arguments: &str) {
    let output = tokio::process::Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .await
        .expect("openssl is needed for this test: apt install openssl");
    assert!(output.status.success(), "openssl {arguments}: {output:?}");
}

/// An authority, and certificates of it, each under its common name.
async fn authority(folder: &Path, name: &str, clients: &[&str]) -> PathBuf {
    let ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let ca = format!("req -x509 {ec} -keyout {name}.key -out {name}.pem -subj /CN={name} -days 30");
    openssl(folder, &ca).await;
    std::fs::write(folder.join("client.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    for client in clients {
        let ask =
            format!("req {ec} -keyout {client}.key -out {client}.csr -subj /O=Fanvil/CN={client}");
        openssl(folder, &ask).await;
        let sign = format!(
            "x509 -req -in {client}.csr -CA {name}.pem -CAkey {name}.key -CAcreateserial \
             -out {client}.pem -days 30 -extfile client.ext"
        );
        openssl(folder, &sign).await;
    }
    folder.join(format!("{name}.pem"))
}

/// The status that curl gets with this certificate; `000` if there is no
/// handshake.
async fn status(folder: &Path, certificate: Option<&str>, url: &str) -> String {
    let mut command = tokio::process::Command::new("curl");
    command.args(["-s", "-k", "--noproxy", "*", "--max-time", "30", "-o", "/dev/null"]);
    command.args(["-w", "%{http_code}"]);
    if let Some(name) = certificate {
        let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
        command.args(["--cert", &cert, "--key", &key]);
    }
    let output = command.arg(url).current_dir(folder).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// P2: with a certificate a phone gets its own file, past locks and logins; with
/// another's or with none it gets what everybody gets.
#[tokio::test(flavor = "multi_thread")]
async fn p02_a_certificate_proves_the_phone_that_it_names() {
    let rig = Rig::open().await;
    let login = provost::phone::SiteLogin {
        user: "phones".into(),
        password: rig.vault.seal(&provost::device::Secret::new("x")),
    };
    rig.put_site(Site {
        access: Access { logins: vec![login], ..Access::default() },
        ..Rig::site(1)
    })
    .await;
    rig.put_phone(rig.phone(MAC, 1)).await;
    rig.put_phone(Phone { enabled: false, ..rig.phone("0c383e07e16d", 1) }).await;

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let clients = ["0C383E07E16C", "0c383e07e16d", "0c383e07e16e", "Reception"];
    let ca = authority(folder, "vendor", &clients).await;
    authority(folder, "stranger", &["0c383e07e16c"]).await;
    let (address, _) = rig.open_asking(vec![ca]);
    let url = |name: &str| format!("https://{address}/{name}");

    let own = url("0c383e07e16c.cfg");
    for _ in 0..2 {
        assert_eq!(status(folder, Some("0C383E07E16C"), &own).await, "200", "as often as it asks");
    }
    assert_eq!(status(folder, Some("0C383E07E16C"), &url("F0V00X600000.cfg")).await, "200");
    for (certificate, name) in [
        (None, "0c383e07e16c.cfg"),
        (Some("Reception"), "0c383e07e16c.cfg"),
        (Some("0c383e07e16d"), "0c383e07e16c.cfg"),
        (Some("0c383e07e16d"), "0c383e07e16d.cfg"),
        (Some("0c383e07e16e"), "0c383e07e16e.cfg"),
        (Some("0C383E07E16C"), "0c383e07e16d.cfg"),
    ] {
        assert_eq!(status(folder, certificate, &url(name)).await, "404", "{certificate:?} {name}");
    }
    // Of another authority: there is no connection at all.
    assert_eq!(status(folder, Some("0c383e07e16c"), &own).await, "000");
    // A token needs no certificate, and another's certificate spoils it.
    let token = format!("{}{MAC}.cfg", rig.folder(MAC.parse().unwrap(), "own"));
    let token = format!("https://{address}{token}");
    assert_eq!(status(folder, None, &token).await, "200");
    assert_eq!(status(folder, Some("0c383e07e16e"), &token).await, "404");
}

#[tokio::test]
async fn an_authority_that_is_none_keeps_the_door_shut() {
    let data = tempfile::tempdir().unwrap();
    let (empty, missing) = (data.path().join("empty.pem"), data.path().join("missing.pem"));
    std::fs::write(&empty, "").unwrap();
    for file in [empty, missing] {
        let config =
            provost::config::TlsConfig { client_ca: vec![file.clone()], ..Default::default() };
        let error = provost::http::TlsMaterial::load_or_make(data.path(), &config).unwrap_err();
        assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
    }
}
