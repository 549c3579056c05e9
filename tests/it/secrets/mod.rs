//! Secrets that were planted show up nowhere: not in the log at its loudest,
//! not in any answer of the northbound, not on the disk outside of the files
//! that are theirs.

mod everywhere;

use serde_json::json;

use crate::lab::Lab;

const SET: &str = "canary-set-41d8";
const ACCOUNT: &str = "canary-account-77b2";
const SETTING: &str = "canary-setting-90ac";
const LOGIN: &str = "canary-login-2c6b";
const DEVICE: &str = "canary-device-5e1f";
const KEY: &str = "c0ffee0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planted_secrets_are_nowhere() {
    let lab = Lab::with(&["log.level=debug,provost=trace", "log.format=json"]).await;
    let _gateway = lab.gateway("CANARY", 120).await;
    let id = "00D09E-SimGateway-CANARY";
    let name = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    let task = json!({"action": "set", "values": [{"name": name, "value": SET}]});
    let (_, done) =
        lab.call("POST", &format!("/api/v1/devices/{id}/tasks?wait=60"), &task.to_string()).await;
    assert_eq!(done["state"], "applied", "{done}");
    let site = json!({"common_key": KEY, "settings": {"MMI/Account1 Password": SETTING},
        "access": {"logins": [{"user": "phones", "password": LOGIN}]}});
    let layer = json!({"settings": {"provost:admin-password": SETTING}});
    let phone = json!({"model": "X6", "site": "office", "config_key": KEY});
    let account = json!({"user": "1", "server": "pbx", "password": ACCOUNT});
    let device = json!({"manufacturer": "m", "oui": "00D09E", "product_class": "c", "serial_number": "s", "password": DEVICE});
    for (method, path, body, status) in [
        ("PUT", "/api/v1/sites/office", site, 201),
        ("PUT", "/api/v1/phones/0c383e000009", phone, 201),
        ("PUT", "/api/v1/phones/0c383e000009/accounts/1", account, 200),
        ("PUT", "/api/v1/layers/global", layer, 201),
        ("POST", "/api/v1/devices", device, 201),
    ] {
        let (got, answer) = lab.call(method, path, &body.to_string()).await;
        assert!(got == status || got == 200, "{path}: {got} {answer}");
    }

    let token = std::fs::read_to_string(lab.data().join("admin.token")).unwrap();
    let (_, onboarding) = lab.onboarding();
    let planted = [SET, ACCOUNT, SETTING, LOGIN, DEVICE, KEY, onboarding.expose(), token.trim()];
    for path in [
        "/api/v1/devices".to_owned(),
        format!("/api/v1/devices/{id}"),
        format!("/api/v1/devices/{id}/parameters?limit=1000"),
        format!("/api/v1/devices/{id}/events"),
        "/api/v1/tasks".to_owned(),
        "/api/v1/files".to_owned(),
        "/api/v1/phones".to_owned(),
        "/api/v1/phones/0c383e000009".to_owned(),
        "/api/v1/phones/0c383e000009/files".to_owned(),
        "/api/v1/phones/0c383e000009/fetches".to_owned(),
        "/api/v1/phones/0c383e000009/render".to_owned(),
        "/api/v1/phones/0c383e000009/render?file=F0V00X600000.cfg".to_owned(),
        "/api/v1/phones/0c383e000009/diff?against=0c383e000009".to_owned(),
        "/api/v1/phones/export".to_owned(),
        "/api/v1/layers".to_owned(),
        "/api/v1/layers/global".to_owned(),
        "/api/v1/sites".to_owned(),
        "/api/v1/sites/office".to_owned(),
        "/api/v1/health".to_owned(),
    ] {
        let (status, answer) = lab.call("GET", &path, "").await;
        assert_eq!(status, 200, "{path}");
        let answer = answer.to_string();
        for secret in planted {
            assert!(!answer.contains(secret), "{path} shows {secret}: {answer}");
        }
    }

    let log = lab.log();
    assert!(log.contains("inform.events"), "the log is loud enough to be worth a search:\n{log}");
    for secret in planted {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
    let store = lab.data().join("store");
    let mut folders = vec![store];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            for secret in planted {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{} holds {secret}", path.display());
            }
        }
    }
}
