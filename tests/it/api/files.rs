//! `/files`.

use axum::http::Method;
use provost::config::Config;
use provost::device::{DeviceId, TaskId};
use provost::store::{FileRecord, Record};
use sha2::{Digest as _, Sha256};

use super::Rig;

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[tokio::test]
async fn an_upload_is_kept_by_its_content() {
    let rig = Rig::open();
    let image = vec![7; 3_000_000];
    let hash = sha256(&image);
    let path = format!("/api/v1/files?name=fw%201.bin&version=2.0&sha256={hash}");
    let made = rig.raw(Method::POST, &path, &[], image.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["sha256"], hash);
    assert_eq!(made.json["size"], 3_000_000);
    assert_eq!(made.json["name"], "fw 1.bin");
    assert_eq!(made.json["type"], "1 Firmware Upgrade Image");
    let on_disk = rig.data.path().join("files").join(&hash[..2]).join(&hash);
    assert_eq!(std::fs::read(&on_disk).unwrap(), image);

    assert_eq!(rig.get(&format!("/files/{hash}")).await.json, made.json);
    assert_eq!(rig.get("/files").await.json["items"][0], made.json);
    assert_eq!(rig.delete(&format!("/files/{hash}")).await.status, 204);
    assert!(!on_disk.exists());
    assert_eq!(rig.get(&format!("/files/{hash}")).await.status, 404);
    assert_eq!(rig.delete(&format!("/files/{hash}")).await.status, 404);
}

#[tokio::test]
async fn another_content_than_announced_is_not_kept() {
    let rig = Rig::open();
    let path = format!("/api/v1/files?name=fw.bin&sha256={}", sha256(b"right"));
    let refused = rig.raw(Method::POST, &path, &[], "wrong").await;
    assert_eq!(refused.status, 400);
    assert!(refused.json["detail"].as_str().unwrap().contains(&sha256(b"wrong")));
    assert!(rig.get("/files").await.json["items"].as_array().unwrap().is_empty());
    let hash = sha256(b"wrong");
    assert!(!rig.data.path().join("files").join(&hash[..2]).join(&hash).exists());

    // What was there before, and rightly so, stays.
    let good = rig.raw(Method::POST, "/api/v1/files?name=fw.bin", &[], "wrong").await;
    assert_eq!(good.status, 201);
    assert_eq!(rig.raw(Method::POST, &path, &[], "wrong").await.status, 400);
    assert!(rig.data.path().join("files").join(&hash[..2]).join(&hash).exists());
}

#[tokio::test]
async fn names_and_sizes_are_bounded() {
    let mut config = Config::default();
    config.files.max_upload = 1000;
    let rig = Rig::with(config);
    let large = rig.raw(Method::POST, "/api/v1/files?name=fw.bin", &[], vec![0; 1001]).await;
    assert_eq!((large.status, large.json["code"].as_str()), (413, Some("too-large")));
    for query in [
        "",
        "name=",
        "name=..",
        "name=a%2Fb",
        "name=a%5Cb",
        "name=a%0Ab",
        "name=fw&type=firmware",
        "name=fw&sha256=00",
        "name=fw&owner=other",
    ] {
        let refused = rig.raw(Method::POST, &format!("/api/v1/files?{query}"), &[], "x").await;
        assert_eq!(refused.status, 400, "{query}");
    }
    let left: Vec<_> = std::fs::read_dir(rig.data.path().join("files/incoming")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_backup_is_written_beside_the_store() {
    let rig = Rig::open();
    let made = rig.post("/backup", serde_json::Value::Null).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let name = made.json["name"].as_str().unwrap();
    assert_eq!(name, "20261120T200500-000.provost");
    let file = rig.data.path().join("backups").join(name);
    assert_eq!(file.metadata().unwrap().len(), made.json["bytes"].as_u64().unwrap());
}

fn sent_by(number: u8, device: Option<&str>) -> FileRecord {
    let from = device.map(|id| (DeviceId::parse(id).unwrap(), TaskId(number.into())));
    FileRecord {
        sha256: format!("{number:064x}").into(),
        name: "config".into(),
        size: 1,
        file_type: "3 Vendor Configuration File".into(),
        version: None,
        uploaded_at: super::rig::NOW,
        from,
        tenant: "".into(),
        shares: Vec::new(),
    }
}

#[tokio::test]
async fn files_tell_who_sent_them_and_are_listed_by_it() {
    let rig = Rig::open();
    let (one, two) = ("00D09E-HG-1", "00D09E-HG-2");
    for (number, device) in [(1, None), (2, Some(one)), (3, Some(two)), (4, Some(one)), (5, None)] {
        rig.put(Record::File(sent_by(number, device))).await;
    }
    for (from, expected) in [
        ("", &[1, 2, 3, 4, 5][..]),
        ("&from=operator", &[1, 5]),
        ("&from=devices", &[2, 3, 4]),
        ("&from=00D09E-HG-1", &[2, 4]),
        ("&from=00D09E-HG-3", &[]),
    ] {
        for limit in [1, 2, 5, 100] {
            let mut found = Vec::new();
            let mut after = String::new();
            loop {
                let page = rig.get(&format!("/files?limit={limit}{from}{after}")).await.json;
                let items = page["items"].as_array().unwrap();
                assert!(items.len() <= limit);
                found.extend(items.iter().map(|item| item["sha256"].as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { break };
                after = format!("&after={next}");
            }
            let expected: Vec<_> = expected.iter().map(|number| format!("{number:064x}")).collect();
            assert_eq!(found, expected, "{from} {limit}");
        }
    }
    let shown = rig.get(&format!("/files/{:064x}", 2)).await.json;
    assert_eq!(shown["from"]["device"], one);
    assert_eq!(shown["from"]["task"], TaskId(2).to_string());
    assert!(rig.get(&format!("/files/{:064x}", 1)).await.json["from"].is_null());
    assert_eq!(rig.get("/files?from=nobody").await.status, 400);
}

#[tokio::test]
async fn an_operator_gets_the_content() {
    let rig = Rig::open();
    let made = rig.raw(Method::POST, "/api/v1/files?name=c.cfg", &[], "<b>mtu=1</b>").await;
    let path = format!("/files/{}/content", made.json["sha256"].as_str().unwrap());
    let got = rig.get(&path).await;
    assert_eq!((got.status, &*got.text), (200, "<b>mtu=1</b>"));
    assert_eq!(got.headers["content-type"], "application/octet-stream");
    assert_eq!(got.headers["x-content-type-options"], "nosniff");
    assert_eq!(got.headers["content-length"], "12");
    for none in [&"0".repeat(64), "0", "..%2f..%2fetc%2fpasswd"] {
        assert_eq!(rig.get(&format!("/files/{none}/content")).await.status, 404, "{none}");
    }
}

/// Provost itself fetches nothing from an address that it is given: files come
/// by upload. Whatever the northbound takes as a URL is for devices.
#[test]
fn d10_no_request_makes_the_server_fetch_a_file() {
    fn urls(value: &serde_json::Value, within: &str, found: &mut Vec<String>) {
        let Some(object) = value.as_object() else {
            for one in value.as_array().into_iter().flatten() {
                urls(one, within, found);
            }
            return;
        };
        for (key, value) in object {
            if key == "properties" {
                let names = value.as_object().unwrap().keys();
                let named = names.filter(|name| name.contains("url") || name.contains("uri"));
                found.extend(named.map(|name| format!("{within}.{name}")));
            }
            urls(value, within, found);
        }
    }
    let document = serde_json::to_value(provost::api::openapi_document()).unwrap();
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        urls(schema, name, &mut found);
    }
    let taken: Vec<&str> = found
        .iter()
        .map(String::as_str)
        .filter(|name| {
            !name.contains("View") && !name.starts_with("Phone") && !name.starts_with("Site")
        })
        .collect();
    // A device is redirected to the one, and fetches a module from the other; to a
    // webhook the server sends, and looks at the address before (`e13_…`).
    assert_eq!(taken, ["NewTask.url", "NewWebhook.url", "UnitOperation.url", "WebhookChange.url"]);
}
