//! A preset of the kind `delete_object`, with the real server and a simulated
//! gateway: the device loses exactly the row that the object names.

use provost::simulate::Blueprint;
use serde_json::{Value, json};

use crate::lab::Lab;

const DEVICE: &str = "00D09E-SimGateway-ROWS";
const TABLE: &str = "Device.NAT.PortMapping.";

/// The answer of a command with `--json`.
async fn told(lab: &Lab, arguments: &[&str]) -> Value {
    let (rc, out, err) = lab.provost(arguments).await;
    assert_eq!(rc, 0, "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or(Value::Null)
}

/// The external ports of the rows that the device has.
async fn ports(lab: &Lab) -> Vec<u64> {
    told(lab, &["device", "get", DEVICE, TABLE, "--json"]).await;
    let path = format!("/api/v1/devices/{DEVICE}/parameters?path={TABLE}&limit=1000");
    let (status, known) = lab.call("GET", &path, "").await;
    assert_eq!(status, 200, "{known}");
    let items = known["items"].as_array().unwrap();
    let ports = items.iter().filter(|one| one["name"].as_str().unwrap().ends_with("ExternalPort"));
    let mut ports: Vec<u64> =
        ports.map(|one| one["value"].as_str().unwrap().parse().unwrap()).collect();
    ports.sort_unstable();
    ports
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preset_deletes_the_rows_of_its_object_and_no_others() {
    let lab = Lab::start().await;
    let _gateway = lab.run(Blueprint::device2("ROWS", 120).unwrap()).await;
    for port in ["ExternalPort=8080", "ExternalPort=8081", "ExternalPort=8082"] {
        told(&lab, &["device", "add", DEVICE, TABLE, port, "Protocol=TCP", "--json"]).await;
    }
    let before = ports(&lab).await;
    assert!(before.contains(&8081) && before.len() >= 3, "{before:?}");

    let object = json!({"_keys": ["ExternalPort", "Protocol"], "ExternalPort": 8081,
        "Protocol": "TCP", "Description": "left by somebody"});
    assert_eq!(lab.call("PUT", "/objects/stray", &object.to_string()).await.0, 200);
    let preset = json!({"configurations": [
        {"type": "delete_object", "name": "Device.NAT.PortMapping", "object": "stray"}]});
    let (status, head) = lab.whole("PUT", "/presets/tidy", &[], &preset.to_string()).await;
    assert_eq!(status, 200, "{head}");
    assert!(head.contains("in force as the profile genieacs-tidy"), "{head}");

    let brought = told(&lab, &["device", "apply", DEVICE, "--json"]).await;
    let after = ports(&lab).await;
    let expected: Vec<u64> = before.into_iter().filter(|port| *port != 8081).collect();
    assert_eq!(after, expected, "{brought}");

    // The device has what is wanted: the next session writes nothing.
    let plan = told(&lab, &["plan", "--json"]).await;
    assert_eq!(
        (&plan["summary"]["changing"], &plan["summary"]["satisfied"]),
        (&0.into(), &1.into()),
        "{plan}"
    );
    told(&lab, &["device", "apply", DEVICE, "--json"]).await;
    let (_, sessions) = lab.call("GET", &format!("/api/v1/devices/{DEVICE}/sessions"), "").await;
    let sessions = sessions["items"].as_array().unwrap();
    let deleted = sessions
        .iter()
        .flat_map(|session| session["rpcs"].as_array().unwrap())
        .filter(|rpc| rpc["method"] == "DeleteObject");
    assert_eq!(deleted.count(), 1, "{sessions:?}");
    assert_eq!(ports(&lab).await, expected);
}
