//! A Digium phone at the whole server.

use provost::provision::digium::{check_repeats, read};
use serde_json::{Value, json};

use crate::lab::Lab;

const MAC: &str = "000fd3a1b2c3";

async fn curl(url: &str) -> Option<String> {
    let mut command = tokio::process::Command::new("curl");
    command.args(["-sSfk", "--noproxy", "*", "--max-time", "30", url]);
    let output = command.output().await.expect("curl is needed for this test: apt install curl");
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_finds_its_file_and_all_that_it_refers_to() {
    let lab = Lab::start().await;
    let phone = format!("/api/v1/phones/{MAC}");
    let body = json!({
        "vendor": "digium",
        "model": "D65",
        "accounts": [{"line": 1, "user": "1001", "password": "canary-<sip>", "server": "pbx.example.net"}],
        "keys": [{"position": 2, "kind": "blf", "value": "1002", "label": "Bert & Co", "line": 1}],
        "settings": {
            "provost:vlan": "5",
            "idle_company_text": "A \"quoted\" <text>",
            "network/1/cidr": "10.0.0.0/8",
            "network_vlan_id@1": "7",
        },
    });
    let (status, made) = lab.call("PUT", &phone, &body.to_string()).await;
    assert_eq!(status, 201, "{made}");
    for (settings, told) in [
        (json!({"config_server_url": "sip:proxy@pbx"}), "allow_dpma"),
        (json!({"Time": "1"}), "docs/DIGIUM.md"),
    ] {
        let change = json!({ "settings": settings }).to_string();
        let (status, refused) = lab.call("PUT", &phone, &change).await;
        assert!(status == 422 || status == 400, "{status} {refused}");
        assert!(refused.to_string().contains(told), "{refused}");
    }

    let (_, told) = lab.call("GET", &format!("{phone}/url"), "").await;
    let url = told["url"].as_str().unwrap_or_else(|| panic!("no URL in {told}"));
    let (_, folder) = url.split_once("//").unwrap().1.split_once('/').unwrap();
    let at = lab.addresses();
    let secure = format!("https://{}/{folder}", at.files_tls.unwrap());
    let plain = format!("http://{}/{folder}", at.files.unwrap());

    for name in [MAC.to_owned(), MAC.to_ascii_uppercase()] {
        let own = curl(&format!("{secure}{name}.cfg")).await.unwrap();
        let tags = read(&own, "config").unwrap_or_else(|error| panic!("{error}: {own}"));
        let account = tags.iter().find(|tag| tag.name == "account").unwrap();
        assert_eq!(account.get("password"), Some("canary-<sip>"));
        let small = curl(&format!("{secure}000000000000.cfg")).await.unwrap();
        assert!(!small.contains("1001"), "{small}");
        assert_eq!(check_repeats(&small, &own), Ok(()));
        let refers = |name: &str| tags.iter().find(|tag| tag.name == name)?.get("url");
        for (element, root) in [("contacts", "phonebooks"), ("blf_items", "config")] {
            let url = refers(element).unwrap_or_else(|| panic!("no {element} in {own}"));
            let (_, name) = url.rsplit_once('/').unwrap();
            let side = curl(&format!("{secure}{name}")).await.unwrap();
            assert!(read(&side, root).is_ok(), "{side}");
        }
    }
    let own = curl(&format!("{plain}{MAC}.cfg")).await.unwrap();
    assert!(own.contains("1001") && !own.contains("canary"), "{own}");
    assert!(own.contains("id=\"config_server_url\" value=\"https://"), "{own}");
    assert_eq!(curl(&format!("{secure}000fd3a1b2c4.cfg")).await, None);
    let (_, shown): (u16, Value) = lab.call("GET", &phone, "").await;
    assert!(!shown.to_string().contains("canary"), "{shown}");
}
