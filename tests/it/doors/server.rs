//! The whole server: a phone's own file over every door.

use std::path::Path;

use crate::lab::Lab;

const MAC: &str = "0c383e07e16c";

/// What curl fetches; `Err` is its exit code.
async fn curl(arguments: &[&str]) -> Result<String, i32> {
    let mut command = tokio::process::Command::new("curl");
    command.args(["-sS", "--noproxy", "*", "--max-time", "30"]).args(arguments);
    let output = command.output().await.expect("curl is needed for this test: apt install curl");
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(output.status.code().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phones_own_file_leaves_by_every_door() {
    let doors = ["tftp.listen", "ftp.listen", "ftp.tls_listen", "pnp.listen"];
    let sets = doors.map(|door| format!("{door}=127.0.0.1:0"));
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    let lab = Lab::with(&sets).await;
    let phone = format!("/api/v1/phones/{MAC}");
    let (status, made) = lab.call("PUT", &phone, r#"{"model": "X6"}"#).await;
    assert_eq!(status, 201, "{made}");
    let account = r#"{"user": "1001", "password": "canary-sip", "server": "pbx.example.net"}"#;
    let (status, made) = lab.call("PUT", &format!("{phone}/accounts/1"), account).await;
    assert_eq!(status, 200, "{made}");
    let (_, told) = lab.call("GET", &format!("{phone}/url"), "").await;
    let url = told["url"].as_str().unwrap_or_else(|| panic!("no URL in {told}"));
    let (_, folder) = url.split_once("//").unwrap().1.split_once('/').unwrap();
    let path = format!("{}/{MAC}.cfg", folder.trim_end_matches('/'));
    let at = lab.addresses();
    let ca = lab.data().join("tls/ca.pem");
    let ca = Path::new(&ca).to_str().unwrap();

    let plain = curl(&[&format!("http://{}/{path}", at.files.unwrap())]).await.unwrap();
    assert!(plain.contains("1001") && !plain.contains("canary-sip"), "{plain}");
    let tls = curl(&["--cacert", ca, &format!("ftps://{}/{path}", at.ftps.unwrap())]).await;
    assert!(tls.unwrap().contains("canary-sip"), "secrets leave over TLS");
    let ftp = format!("ftp://{}/{path}", at.ftp.unwrap());
    let tls = curl(&["--ssl-reqd", "--cacert", ca, &ftp]).await.unwrap();
    assert!(tls.contains("canary-sip"), "and over TLS on demand");
    for url in [ftp, format!("tftp://{}/{path}", at.tftp.unwrap())] {
        let got = curl(&[&url]).await.unwrap_or_else(|code| panic!("{url}: {code}"));
        assert!(got.contains("1001") && !got.contains("canary-sip"), "{url}: {got}");
        // By name alone, nothing: the site does not serve without a token.
        let bare = url.replace(&path, &format!("{MAC}.cfg"));
        assert!(curl(&[&bare]).await.is_err(), "{bare}");
    }
    assert!(at.pnp.is_some());
}
