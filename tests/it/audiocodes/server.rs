//! An AudioCodes phone at the whole server.

use provost::provision::audiocodes::{Options, Urls};
use serde_json::json;

use crate::lab::Lab;

const MAC: &str = "00908f602aac";

async fn curl(url: &str) -> Option<String> {
    let mut command = tokio::process::Command::new("curl");
    command.args(["-sSfk", "--noproxy", "*", "--max-time", "30", url]);
    let output = command.output().await.expect("curl is needed for this test: apt install curl");
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_forms_its_urls_and_finds_its_file() {
    let lab = Lab::start().await;
    let phone = format!("/api/v1/phones/{MAC}");
    let body = json!({
        "vendor": "audiocodes",
        "model": "440HD",
        "accounts": [{"line": 1, "user": "1001", "password": "canary-sip", "server": "pbx.example.net"}],
        "settings": {"provost:interval": "6", "voip/line/0/description": "Front desk"},
    });
    let (status, made) = lab.call("PUT", &phone, &body.to_string()).await;
    assert_eq!(status, 201, "{made}");
    let change = json!({"settings": {"network/lan/vlan/mode": "sometimes"}}).to_string();
    let (status, refused) = lab.call("PUT", &phone, &change).await;
    assert!(status == 422 || status == 400, "{status} {refused}");
    assert!(refused.to_string().contains("takes one of Disable, Manual"), "{refused}");

    let (_, told) = lab.call("GET", &format!("{phone}/url"), "").await;
    let url = told["url"].as_str().unwrap_or_else(|| panic!("no URL in {told}"));
    // What the phone makes of it, given by DHCP.
    let options = Options { o160: Some(url.as_bytes()), ..Options::default() };
    let urls = Urls::from_options(&options, "440HD", MAC.parse().unwrap()).unwrap();
    let (_, path) = urls.configuration.split_once("//").unwrap().1.split_once('/').unwrap();
    assert!(path.ends_with("/00908F602AAC.cfg"), "{path}");
    let at = lab.addresses();
    let secure = curl(&format!("https://{}/{path}", at.files_tls.unwrap())).await.unwrap();
    for line in [
        "system/type=440HD",
        "voip/line/0/auth_password=canary-sip",
        "voip/line/0/description=Front desk",
        "voip/line/1/enabled=0",
        "provisioning/period/hourly/hours_interval=6",
    ] {
        assert!(secure.lines().any(|its| its == line), "{line}: {secure}");
    }
    let lower = path.replace("00908F602AAC", MAC);
    let plain = curl(&format!("http://{}/{lower}", at.files.unwrap())).await.unwrap();
    assert!(plain.contains("1001") && !plain.contains("canary"), "{plain}");
    assert!(plain.contains("provisioning/configuration/url=https://"), "{plain}");
    let other = path.replace("2AAC", "2AAD");
    assert_eq!(curl(&format!("http://{}/{other}", at.files.unwrap())).await, None);
}
