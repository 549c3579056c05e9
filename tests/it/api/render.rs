//! What a phone gets, shown to operators.

use serde_json::json;

use super::Rig;
use crate::lab::Lab;

const MAC: &str = "0c383e07e16c";

/// What curl is given at a URL.
pub(super) async fn curl(url: &str) -> String {
    let mut command = tokio::process::Command::new("curl");
    command.args(["-fsS", "--noproxy", "*", "--max-time", "30", url]);
    let output = command.output().await.expect("curl is needed for this test: apt install curl");
    assert!(output.status.success(), "{url}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_is_what_curl_fetches() {
    let lab = Lab::start().await;
    let site = json!({"plain_secrets": true, "settings": {"provost:ntp-server": "ntp.example"}});
    lab.call("PUT", "/api/v1/sites/hq", &site.to_string()).await;
    for (mac, vendor, model) in [
        (MAC, "fanvil", "X4"),
        ("000fd3000001", "digium", "D65"),
        ("00908f000001", "audiocodes", "450HD"),
    ] {
        let phone = format!("/api/v1/phones/{mac}");
        let body = json!({"vendor": vendor, "model": model, "site": "hq",
            "accounts": [{"line": 1, "user": "20", "password": "c4n4ry-p4ss", "server": "pbx"}]});
        let (status, answer) = lab.call("PUT", &phone, &body.to_string()).await;
        assert_eq!(status, 201, "{answer}");
        let (_, urls) = lab.call("GET", &format!("{phone}/url"), "").await;
        let (_, files) = lab.call("GET", &format!("{phone}/files"), "").await;
        let files = files["items"].as_array().unwrap();
        assert!(files.iter().any(|file| file["kind"] == "own"), "{files:?}");
        for file in files.iter().filter(|file| file["kind"] != "image") {
            let name = file["name"].as_str().unwrap();
            let path = format!("{phone}/render?door=http&file={name}");
            // Twice: the version is told before and after the phone was here.
            for _ in 0..2 {
                let (status, shown) = lab.call("GET", &format!("{path}&secrets=show"), "").await;
                assert_eq!(status, 200, "{shown}");
                let fetched = curl(&format!("{}{name}", urls["http"].as_str().unwrap())).await;
                assert_eq!(shown["text"].as_str().unwrap(), fetched, "{name}");
                assert_eq!(shown["withheld"], false);
            }
            let (_, masked) = lab.call("GET", &path, "").await;
            assert!(!masked["text"].as_str().unwrap().contains("c4n4ry"), "{masked}");
        }
        let (_, own) = lab.call("GET", &format!("{phone}/render"), "").await;
        assert!(own["text"].as_str().unwrap().contains("***"), "{own}");
    }
    let (status, _) = lab.call("GET", &format!("/api/v1/phones/{MAC}/render?file=x"), "").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_change_is_seen_before_it_is_made() {
    let rig = Rig::open();
    let account = json!({"line": 1, "user": "20", "password": "c4n4ry", "server": "pbx"});
    let body = json!({"model": "X4", "accounts": [account]});
    rig.put_json(&format!("/phones/{MAC}"), body).await;
    let diff = format!("/phones/{MAC}/diff");
    let same = rig.post(&diff, json!({})).await;
    assert_eq!(
        (same.status, &same.json["same"], &same.json["diff"]),
        (200, &json!(true), &json!(""))
    );
    let changed = json!({"accounts": [{"line": 1, "user": "21", "server": "pbx", "password": "other-c4n4ry"}]});
    let told = rig.post(&diff, changed.clone()).await;
    let text = told.json["diff"].as_str().unwrap();
    assert!(
        text.starts_with(&format!("--- {MAC}.cfg (now)\n+++ {MAC}.cfg (changed)\n@@ ")),
        "{text}"
    );
    assert!(text.lines().any(|line| line.starts_with('-') && line.ends_with(":20")), "{text}");
    assert!(text.lines().any(|line| line.starts_with('+') && line.ends_with(":21")), "{text}");
    assert!(text.contains("*** (another)") && !text.contains("c4n4ry"), "{text}");
    let shown = rig.post(&format!("{diff}?secrets=show"), changed).await;
    assert!(shown.json["diff"].as_str().unwrap().contains("other-c4n4ry"), "{}", shown.text);
    assert_eq!(rig.get(&format!("/phones/{MAC}")).await.json["accounts"][0]["user"], "20");
    assert_eq!(rig.post(&diff, json!({"site": "nowhere"})).await.status, 400);
    assert_eq!(rig.post(&format!("{diff}?door=window"), json!({})).await.status, 400);

    rig.put_json("/phones/0c383e000001", json!({"model": "X4"})).await;
    let other = rig.get(&format!("{diff}?against=0c383e000001")).await;
    assert_eq!((other.status, &other.json["same"]), (200, &json!(false)), "{}", other.text);
    assert!(!other.text.contains("c4n4ry"));
    assert_eq!(rig.get(&format!("{diff}?against=0c383e000002")).await.status, 404);
}

#[tokio::test]
async fn a_site_has_one_folder_for_all() {
    let rig = Rig::open();
    rig.put_json("/sites/hq", json!({})).await;
    let urls = rig.get("/sites/hq/url").await.json;
    let url = urls["url"].as_str().unwrap();
    assert!(url.starts_with("http://phones.example.net/") && url.ends_with('/'), "{urls}");
    assert!(urls["addresses"]["audiocodes"].as_str().unwrap().starts_with(url), "{urls}");
    assert_eq!(rig.get("/sites/no/url").await.status, 404);
}
