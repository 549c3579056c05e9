//! What is refused before a device hears of it: hosts that are commands,
//! diagnostics that a data model lacks, rows by alias where there are none.

use provost::device::{Action, Device};
use provost::param::{ParamPath, Tree, Value};
use provost::store::Record;
use serde_json::{Value as Json, json};

use super::rig::NOW;
use super::{Rig, device, id};

async fn rig(root: &str) -> Rig {
    let rig = Rig::open();
    rig.put_devices([Device { root: root.into(), ..device("1") }]).await;
    rig
}

async fn ask(rig: &Rig, body: Json) -> (u16, String) {
    let answer = rig.post(&format!("/devices/{}/tasks", id("1")), body).await;
    (answer.status, answer.text)
}

fn ping(host: &str) -> Json {
    json!({"action": "diagnose", "diagnostic": "ping", "inputs": {"Host": host}})
}

#[tokio::test]
async fn f01_a_host_that_is_a_command_is_refused() {
    let rig = rig("Device.").await;
    for host in [";id", "$(id)", "`id`", "a\nreboot", "a b", "a|b", ""] {
        let (status, text) = ask(&rig, ping(host)).await;
        assert_eq!(status, 400, "{host:?}: {text}");
        assert!(text.contains("inputs.Host: must be a host name or an address"), "{text}");
    }
    assert_eq!(ask(&rig, ping("example.net")).await.0, 202);
    assert_eq!(ask(&rig, ping("2001:db8::1")).await.0, 202);
}

#[tokio::test]
async fn f02_a_host_that_is_an_option_is_refused() {
    let rig = rig("Device.").await;
    for host in ["-f", "-I eth0", "--help"] {
        assert_eq!(ask(&rig, ping(host)).await.0, 400, "{host}");
    }
    let url = json!({"action": "diagnose", "diagnostic": "download",
        "inputs": {"DownloadURL": "http://-o/x"}});
    assert_eq!(ask(&rig, url).await.0, 400);
}

#[tokio::test]
async fn a_diagnostic_is_checked_by_the_data_model_and_shown_again() {
    let rig = rig("InternetGatewayDevice.").await;
    let echo = json!({"action": "diagnose", "diagnostic": "udp_echo", "inputs": {"Host": "a"}});
    let (status, text) = ask(&rig, echo).await;
    assert!(status == 400 && text.contains("knows no such diagnostic"), "{text}");
    for (body, says) in [
        (json!({"action": "diagnose"}), "diagnostic: is needed"),
        (json!({"action": "diagnose", "diagnostic": "ping"}), "inputs.Host: is needed"),
        (
            json!({"action": "diagnose", "diagnostic": "ping", "inputs": {"Host": "a", "DSCP": "64"}}),
            "inputs.DSCP: must be a whole number from 0 to 63",
        ),
        (
            json!({"action": "diagnose", "diagnostic": "ping", "inputs": {"Host": "a", "X": "1"}}),
            "inputs.X: this diagnostic has no such input; it has Interface, Host,",
        ),
        (json!({"action": "reboot", "inputs": {}}), "inputs: has no meaning"),
    ] {
        let (status, text) = ask(&rig, body).await;
        assert!(status == 400 && text.contains(says), "{text}");
    }
    let body = json!({"action": "diagnose", "diagnostic": "nslookup", "inputs": {"HostName": "a"}});
    let answer = rig.post(&format!("/devices/{}/tasks", id("1")), body).await;
    assert_eq!(answer.json["diagnostic"], "nslookup");
    assert_eq!(answer.json["inputs"]["HostName"], "a");
}

#[tokio::test]
async fn t20_aliases_are_refused_of_devices_that_have_none() {
    let rig = rig("Device.").await;
    let get = json!({"action": "get", "names": ["Device.NAT.PortMapping.[web].Enable"]});
    let (status, text) = ask(&rig, get.clone()).await;
    assert_eq!(status, 400);
    assert!(text.contains("does not say that it has rows by alias"), "{text}");
    let say = async |value: bool| {
        let mut tree = Tree::new();
        let mut put = |name: &str, value| {
            tree.learn_value(&ParamPath::parse(name).unwrap(), value, NOW);
        };
        put("Device.ManagementServer.AliasBasedAddressing", Value::boolean(value));
        put("Device.NAT.PortMapping.1.ExternalPort", Value::unsigned(1));
        rig.put(Record::Tree(id("1"), tree.into())).await;
    };
    say(false).await;
    assert!(ask(&rig, get.clone()).await.1.contains("says that it has no rows by alias"));
    say(true).await;
    assert_eq!(ask(&rig, get).await.0, 202);
    for (path, says) in [
        ("Device.NAT.PortMapping.[cpe-1].", "is for the device to give"),
        ("Device.NAT.PortMapping.[1].", "an alias begins with a letter"),
        ("Device.NAT.PortMapping.[a.", "stands in brackets as a segment"),
        ("Device.NAT.PortMapping.*.", "a wildcard can be read"),
    ] {
        let (status, text) = ask(&rig, json!({"action": "add_object", "path": path})).await;
        assert!(status == 400 && text.contains(says), "{path}: {text}");
    }
    // The type is that of the other rows.
    let name = "Device.NAT.PortMapping.[web].ExternalPort";
    let set = |value: &str| json!({"action": "set", "values": [{"name": name, "value": value}]});
    assert_eq!(ask(&rig, set("many")).await.0, 400);
    let answer = rig.post(&format!("/devices/{}/tasks", id("1")), set("80")).await;
    let task = rig.store.task(answer.json["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    let Some(Action::Set(values)) = task.map(|task| task.action) else { panic!() };
    assert_eq!(values[0].1, Value::unsigned(80));
}
