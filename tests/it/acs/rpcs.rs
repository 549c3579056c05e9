//! RPCs that end outside of their answer, on the command line, with the real
//! binary and a simulated gateway: its file goes through the real door, and its
//! reports come in sessions of their own.

use crate::cli::provost;
use crate::lab::Lab;

const ID: &str = "00D09E-SimGateway-RPC1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rpcs_end_with_what_a_device_does_and_reports() {
    let lab = Lab::start().await;
    let _gateway = lab.gateway("RPC1", 80).await;
    let data = lab.data();
    let run = async |arguments: &[&str]| {
        let mut all = vec!["--data", data.to_str().unwrap(), "--json"];
        all.extend(arguments);
        provost(&data, &all, "").await.json()
    };
    let rpc = async |arguments: &[&str]| {
        let mut all = vec!["device", "rpc", ID];
        all.extend(arguments);
        run(&all).await
    };

    let sent = rpc(&["upload", "file_type=3 Vendor Configuration File 1"]).await;
    assert_eq!(sent["state"], "applied", "{sent}");
    assert_eq!(sent["results"][0]["name"], "file", "{sent}");
    let sha256 = sent["results"][0]["value"].as_str().unwrap().to_owned();
    let files = run(&["file", "list", "--from", ID]).await;
    let files = files.as_array().or_else(|| files["items"].as_array()).unwrap().clone();
    assert!(files.iter().any(|file| file["sha256"] == *sha256), "{files:?}");

    let attributes = r#"attributes=[{"name":"Device.WiFi.SSID.1.SSID","notification":2}]"#;
    let set = rpc(&["set_attributes", attributes]).await;
    assert_eq!(set["state"], "applied", "{set}");
    let got = rpc(&["get_attributes", r#"names=["Device.WiFi.SSID.1.SSID"]"#]).await;
    assert!(got["results"].to_string().contains("active"), "{got}");

    let scheduled = rpc(&["schedule_inform", "delay=1"]).await;
    assert_eq!(scheduled["state"], "applied", "{scheduled}");
    let queue = rpc(&["get_all_queued_transfers"]).await;
    assert_eq!(queue["state"], "applied", "{queue}");

    let install = r#"operations=[{"operation":"install","url":"http://127.0.0.1:9/unit"}]"#;
    let units = rpc(&["change_du_state", install]).await;
    assert!(units["ended"].as_bool().unwrap(), "{units}");
    assert!(!units["results"].as_array().unwrap().is_empty(), "{units}");
}
