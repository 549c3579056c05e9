//! Names changed and read back on simulated devices of both data models.

use std::sync::Arc;

use provost::schema::RecordedTree;
use provost::simulate::Blueprint;
use serde_json::{Value, json};

use crate::cli::{Run, provost};
use crate::lab::Lab;

async fn run(lab: &Lab, arguments: &[&str], input: &str) -> Run {
    let data = lab.data();
    let mut all = vec!["--data", data.to_str().unwrap()];
    all.extend(arguments);
    provost(&data, &all, input).await
}

/// The present value of a field, as the abilities of the device tell it.
async fn present(lab: &Lab, id: &str, intent: &str, band: &str, field: &str) -> Value {
    let told = run(lab, &["device", "abilities", id, "--json"], "").await.json();
    let items = told["items"].as_array().unwrap();
    let ability = items.iter().find(|one| one["intent"] == intent).unwrap();
    let rows = ability["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| band.is_empty() || row["which"]["band"] == band).unwrap();
    let fields = row["fields"].as_array().unwrap();
    fields.iter().find(|one| one["field"] == field).unwrap()["value"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tr_181_gateway_is_given_wifi_login_vlan_and_time_without_a_path() {
    let lab = Lab::start().await;
    let _gateway = lab.gateway("WISH1", 150).await;
    let id = "00D09E-SimGateway-WISH1";
    assert_eq!(present(&lab, id, "wifi", "5GHz", "name").await, "Simulated-5GHz");

    let wifi = ["device", "set", id, "wifi", "--band", "5", "--name", "Home", "--password", "-"];
    let set = run(&lab, &wifi, "a new passphrase\n").await;
    assert_eq!(set.code, 0, "{}{}", set.out, set.err);
    assert!(set.out.contains("5GHz main  name"), "{}", set.out);
    assert!(set.out.contains("converge applied"), "{}", set.out);
    assert!(!set.out.contains("a new passphrase"), "{}", set.out);
    assert_eq!(present(&lab, id, "wifi", "5GHz", "name").await, "Home");
    assert_eq!(present(&lab, id, "wifi", "2.4GHz", "name").await, "Simulated-2.4GHz");

    for (wish, intent, field, value) in [
        (
            vec!["pppoe", "--username", "new@provider", "--password", "-"],
            "pppoe",
            "username",
            "new@provider",
        ),
        (vec!["vlan", "--id", "35"], "vlan", "id", "35"),
        (vec!["dns", "--lan", "192.0.2.1,192.0.2.2"], "dns", "lan", "192.0.2.1,192.0.2.2"),
        (vec!["dns", "--wan", "192.0.2.9"], "dns", "wan", "192.0.2.9"),
        (vec!["time", "--servers", "ntp.example"], "time", "servers", "ntp.example"),
        (vec!["lan", "--dhcp-first", "192.168.1.50"], "lan", "dhcp_first", "192.168.1.50"),
        (vec!["inform", "--interval", "600"], "inform", "interval", "600"),
    ] {
        let command = [&["device", "set", id][..], &wish].concat();
        let set = run(&lab, &command, "secret\n").await;
        assert_eq!(set.code, 0, "{wish:?}: {}{}", set.out, set.err);
        assert_eq!(present(&lab, id, intent, "", field).await, value, "{wish:?}");
    }
    let zone = run(&lab, &["device", "set", id, "time", "--zone", "Europe/Vienna"], "").await;
    assert_eq!(zone.code, 0, "{}", zone.err);
    let zone = present(&lab, id, "time", "", "zone").await;
    assert_eq!(zone, "CET-1CEST,M3.5.0,M10.5.0/3");

    let refused = run(&lab, &["device", "set", id, "wifi", "--band", "6", "--name", "x"], "").await;
    assert_ne!(refused.code, 0);
    assert!(refused.error().contains("not supported"), "{}", refused.err);
    let sip = run(&lab, &["device", "set", id, "sip", "--user", "100"], "").await;
    assert!(sip.error().contains("Device.Services"), "{}", sip.err);
    // The old way is there as before.
    let plain = ["device", "set", id, "Device.Time.NTPServer2=b.example"];
    assert_eq!(run(&lab, &plain, "").await.code, 0);
}

/// A gateway of TR-098 with two Wi-Fi networks, and a PPP connection with a
/// vendor's VLAN.
fn gateway_of_tr_098() -> RecordedTree {
    let root = "InternetGatewayDevice.";
    let mut parameters = Vec::new();
    let mut put = |name: String, writable: bool, kind: &str, value: &str| {
        parameters.push(if kind.is_empty() {
            json!({"name": name, "writable": writable})
        } else {
            json!({"name": name, "writable": writable, "type": kind, "value": value})
        });
    };
    for object in [
        "",
        "LANDevice.",
        "LANDevice.1.",
        "LANDevice.1.WLANConfiguration.",
        "WANDevice.",
        "WANDevice.1.",
        "WANDevice.1.WANConnectionDevice.",
        "WANDevice.1.WANConnectionDevice.1.",
        "WANDevice.1.WANConnectionDevice.1.WANPPPConnection.",
        "WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.",
    ] {
        put(format!("{root}{object}"), false, "", "");
    }
    let ppp = "WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.";
    put(format!("{root}{ppp}Enable"), true, "boolean", "1");
    put(format!("{root}{ppp}Username"), true, "string", "old");
    put(format!("{root}{ppp}X_HW_VLAN"), true, "unsignedInt", "100");
    for (number, name, channel) in [(1, "Two", "6"), (5, "Five", "36")] {
        let row = format!("{root}LANDevice.1.WLANConfiguration.{number}.");
        put(row.clone(), false, "", "");
        put(format!("{row}SSID"), true, "string", name);
        put(format!("{row}Channel"), true, "unsignedInt", channel);
        put(format!("{row}BeaconType"), true, "string", "11i");
        put(format!("{row}KeyPassphrase"), true, "string", "");
        put(format!("{row}Enable"), true, "boolean", "1");
    }
    let recording = json!({
        "format": "provost-tree", "version": 1, "anonymous": false,
        "device": {"manufacturer": "Maker", "oui": "00D09E", "product_class": "Old", "serial_number": "WISH2"},
        "parameters": parameters,
    });
    RecordedTree::read(&recording.to_string()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tr_098_gateway_is_given_the_same_by_the_same_words() {
    let lab = Lab::start().await;
    let blueprint = Blueprint::recorded(Arc::new(gateway_of_tr_098())).unwrap();
    let _gateway = lab.run(blueprint).await;
    let id = "00D09E-Old-WISH2";
    assert_eq!(present(&lab, id, "wifi", "5GHz", "name").await, "Five");
    let wifi = ["device", "set", id, "wifi", "--name", "Home", "--password", "-"];
    let set = run(&lab, &wifi, "a new passphrase\n").await;
    assert_eq!(set.code, 0, "{}{}", set.out, set.err);
    for band in ["2.4GHz", "5GHz"] {
        assert_eq!(present(&lab, id, "wifi", band, "name").await, "Home", "{band}");
    }
    let vlan = run(&lab, &["device", "set", id, "vlan", "--id", "35"], "").await;
    assert_eq!(vlan.code, 0, "{}{}", vlan.out, vlan.err);
    assert!(vlan.out.contains("the vendor's own"), "{}", vlan.out);
    assert_eq!(present(&lab, id, "vlan", "", "id").await, "35");
    let time = run(&lab, &["device", "set", id, "time", "--servers", "a"], "").await;
    assert!(time.error().contains("not supported"), "{}", time.err);
}
