//! What is remembered of values, and how a device, or another in its place, is
//! brought back: the real server with simulated gateways.

use provost::simulate::Blueprint;
use serde_json::Value;

use crate::lab::Lab;

const SSID: &str = "Device.WiFi.SSID.1.SSID";

fn id(serial: &str) -> String {
    format!("00D09E-SimGateway-{serial}")
}

/// The answer of a command with `--json`.
async fn told(lab: &Lab, arguments: &[&str]) -> Value {
    let (rc, out, err) = lab.provost(arguments).await;
    assert_eq!(rc, 0, "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or(Value::Null)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_brought_back_and_so_is_the_one_that_replaces_it() {
    let lab = Lab::start().await;
    let _old = lab.run(Blueprint::device2("OLD0001", 120).unwrap()).await;
    let (old, new) = (id("OLD0001"), id("NEW0001"));
    let ports = "Device.NAT.PortMapping.";
    let set = |value: &str| format!("{SSID}={value}");
    told(&lab, &["device", "set", &old, &set("Reception"), "--json"]).await;
    let row = ["ExternalPort=8080", "InternalClient=192.168.1.20", "Protocol=TCP"];
    told(&lab, &[&["device", "add", &old, ports], &row[..], &["--json"]].concat()).await;
    let taken =
        told(&lab, &["device", "backup", "take", &old, "--read", "--why", "a test", "--json"])
            .await;
    assert!(taken["rows"].as_u64() >= Some(1), "{taken}");

    // Somebody spoils it; restoring brings it back, and nothing else is sent.
    told(&lab, &["device", "set", &old, &set("spoilt"), "--json"]).await;
    let preview = told(&lab, &["device", "restore", &old, "--dry-run", "--json"]).await;
    let items = preview["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{preview}");
    assert_eq!(
        (items[0]["from"].as_str(), items[0]["to"].as_str()),
        (Some("spoilt"), Some("Reception"))
    );
    let restored = told(&lab, &["device", "restore", &old, "--json"]).await;
    assert_eq!(restored["state"], "applied", "{restored}");
    let again = told(&lab, &["device", "restore", &old, "--dry-run", "--json"]).await;
    assert_eq!(again["items"].as_array().map(Vec::len), Some(0), "{again}");

    let history = told(&lab, &["device", "history", &old, SSID, "--json"]).await;
    let values: Vec<&str> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["after"].as_str())
        .collect();
    assert_eq!(values, ["Reception", "spoilt", "Reception"], "{history}");
    assert_eq!(history["items"][0]["by"], "admin", "{history}");

    // Another one takes its place.
    let _new = lab.run(Blueprint::device2("NEW0001", 120).unwrap()).await;
    let restored = told(&lab, &["device", "restore", &new, "--of", &old, "--json"]).await;
    assert_eq!(restored["state"], "applied", "{restored}");
    for (device, name) in [(&old, "Reception"), (&new, "Reception")] {
        let shown = told(&lab, &["device", "parameters", device, SSID, "--json"]).await;
        assert_eq!(shown["items"][0]["value"], name, "{device}: {shown}");
    }
    let rows = told(&lab, &["device", "parameters", &new, ports, "--json"]).await;
    let client =
        rows["items"].as_array().unwrap().iter().find(|one| one["value"] == "192.168.1.20");
    assert!(client.is_some(), "{rows}");
    let since = "2020-01-01T00:00:00Z";
    let differs = told(&lab, &["device", "diff", &new, SSID, "--from", since, "--json"]).await;
    assert_eq!(differs["items"][0]["to"], "Reception", "{differs}");
    assert_eq!(differs["complete"], false, "it was not known then: {differs}");
}
