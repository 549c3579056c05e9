//! Seeing what happens, through the real binary: sessions, traces without
//! secrets, and trees that are replayed as devices.

use std::path::Path;
use std::process::Stdio;

use provost::device::EventCode;
use provost::simulate::{SimEvent, firmware_image};
use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt as _;

use crate::lab::{Lab, PATIENCE};

const WIFI: &str = "c4n4ry-wifi-6b1d";
const LOGIN: &str = "c4n4ry-login-93aa";
const ID: &str = "00D09E-SimGateway-SEEN1";

/// Runs a command against the lab; what it prints.
async fn provost(lab: &Lab, arguments: &[&str]) -> String {
    let (rc, text, error) = lab.provost(arguments).await;
    assert_eq!(rc, 0, "{arguments:?}: {text}{error}");
    text
}

async fn done(lab: &Lab, task: Value) {
    let path = format!("/api/v1/devices/{ID}/tasks?wait=60");
    let (_, done) = lab.call("POST", &path, &task.to_string()).await;
    assert_eq!(done["state"], "applied", "{done}");
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::too_many_lines, reason = "one story from its beginning to its end")]
async fn a_trace_tells_the_story_and_no_secret() {
    let lab = Lab::start().await;
    let mut gateway = lab.gateway("SEEN1", 120).await;
    let said = provost(&lab, &["device", "trace", ID]).await;
    assert!(said.contains("--start 30m"), "{said}");
    let said = provost(&lab, &["device", "trace", ID, "--start", "30m"]).await;
    assert!(said.contains("recorded until"), "{said}");

    let name = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    done(&lab, json!({"action": "set", "values": [{"name": name, "value": WIFI}]})).await;
    let acs = format!("http://someone:{LOGIN}@{}/", lab.addresses().cwmp.unwrap());
    let (_, set) = lab
        .call(
            "POST",
            &format!("/api/v1/devices/{ID}/tasks?wait=60"),
            &json!({"action": "set", "values": [{"name": "Device.DeviceInfo.ProvisioningCode", "value": acs}]})
                .to_string(),
        )
        .await;
    assert_eq!(set["state"], "applied", "{set}");
    let image = lab.folder().join("gateway-2.0.0.bin");
    std::fs::write(&image, firmware_image("2.0.0", 4096).unwrap()).unwrap();
    let image = image.display().to_string();
    provost(
        &lab,
        &["file", "add", &image, "--type", "1 Firmware Upgrade Image", "--version", "2.0.0"],
    )
    .await;
    provost(&lab, &["device", "download", ID, "gateway-2.0.0.bin"]).await;
    // Back to the factory: it is given credentials anew, on the record.
    provost(&lab, &["device", "factory-reset", ID]).await;
    let again = gateway
        .wait_for(PATIENCE, |event| {
            matches!(event, SimEvent::SessionEnded { failure: None, events, .. }
                if events.contains(&EventCode::Bootstrap))
        })
        .await;
    assert!(again.is_some());

    let story = provost(&lab, &["device", "trace", ID]).await;
    for told in [
        "the device informs: 6 CONNECTION REQUEST (retry 0)",
        &format!("we ask SetParameterValues of {name}"),
        "it answers SetParameterValuesResponse, applied",
        "we ask Download of 1 Firmware Upgrade Image for key",
        "the device tells TransferComplete for key",
        "we ask FactoryReset",
        "the device sends an empty message",
        "we have nothing more to ask",
        "the device informs: 0 BOOTSTRAP",
        "Device.ManagementServer.Password",
    ] {
        assert!(story.contains(told), "{told}\n{story}");
    }
    let raw = provost(&lab, &["device", "trace", ID, "--raw"]).await;
    assert!(raw.contains("<Username>***</Username>") && raw.contains("<Password>***</Password>"));
    assert!(raw.contains("/f/***/gateway-2.0.0.bin"), "{raw}");
    assert!(raw.contains(&format!("<Name>{name}</Name>")), "{raw}");

    let sessions = provost(&lab, &["device", "sessions", ID]).await;
    assert!(sessions.contains("→ SetParameterValues") && sessions.contains("← TransferComplete"));
    let told = provost(&lab, &["device", "events", ID, "--kind", "software_changed"]).await;
    assert_eq!(told.lines().count(), 1, "{told}");

    let cpe = gateway.stop().await.unwrap();
    let (_, given) = cpe.login().unwrap();
    let given = given.expose().to_owned();
    let planted = [WIFI, LOGIN, given.as_str()];
    let mut shown = vec![story, raw, sessions];
    for path in ["trace", "trace/story", "trace/messages", "sessions", "events", "tree"] {
        let (status, answer) = lab.call("GET", &format!("/api/v1/devices/{ID}/{path}"), "").await;
        assert_eq!(status, 200, "{path}");
        shown.push(answer.to_string());
    }
    for text in &shown {
        for secret in planted {
            assert!(!text.contains(secret), "{secret} is shown in {text}");
        }
    }
    for path in files(&lab.data()) {
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in [WIFI, given.as_str()] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret}", path.display());
        }
    }

    provost(&lab, &["device", "trace", ID, "--stop"]).await;
    let (_, left) = lab.call("GET", &format!("/api/v1/devices/{ID}/trace"), "").await;
    assert_eq!(left, json!({"on": false, "until": null, "messages": 0}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exported_tree_is_replayed_and_exports_the_same() {
    let lab = Lab::start().await;
    let gateway = lab.gateway("SEEN1", 200).await;
    let name = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    done(&lab, json!({"action": "set", "values": [{"name": name, "value": WIFI}]})).await;
    let first = provost(&lab, &["device", "export-tree", ID]).await;
    assert!(!first.contains(WIFI));
    drop(gateway);
    let anonymous = provost(&lab, &["device", "export-tree", ID, "--anonymous"]).await;
    assert!(!anonymous.contains("SEEN1") && anonymous.contains("\"anonymous\": true"));

    let file = lab.folder().join("tree.json");
    std::fs::write(&file, &first).unwrap();
    let (user, password) = lab.onboarding();
    let acs = format!("http://{}/", lab.addresses().cwmp.unwrap());
    let mut simulate = tokio::process::Command::new(env!("CARGO_BIN_EXE_provost"))
        .args(["simulate", "--stay", "--serial", "SEEN2", "--acs", &acs])
        .args(["--user", &user, "--password", password.expose(), "--tree"])
        .arg(&file)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = tokio::io::BufReader::new(simulate.stdout.take().unwrap()).lines();
    let up = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    assert!(up.unwrap().contains("1 devices are up"));
    let other = "00D09E-SimGateway-SEEN2";
    // A task waits for the device, and is done after the tree was read.
    let path = format!("/api/v1/devices/{other}/tasks?wait=60");
    let get = json!({"action": "get", "names": ["Device.DeviceInfo.HardwareVersion"]});
    let asked = async {
        loop {
            let (status, answer) = lab.call("POST", &path, &get.to_string()).await;
            if status != 404 {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, asked).await.unwrap();
    assert_eq!(done["state"], "applied", "{done}");
    let second = provost(&lab, &["device", "export-tree", other]).await;
    let comparable = |text: &str| {
        let mut tree: Value = serde_json::from_str(text).unwrap();
        tree["device"]["serial_number"] = Value::Null;
        for one in tree["parameters"].as_array_mut().unwrap() {
            // What belongs to the one device, and to its hour.
            let name = one["name"].as_str().unwrap();
            if name.contains("ManagementServer.")
                || name.ends_with("DeviceInfo.SerialNumber")
                || name.ends_with("UpTime")
            {
                one.as_object_mut().unwrap().remove("value");
            }
        }
        tree
    };
    assert_eq!(comparable(&second), comparable(&first));
}
