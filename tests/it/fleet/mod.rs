//! What is wanted of the fleet, from outside: profiles, plans, explain, drift;
//! over an inventory that is known, and with the real binary and a device.

mod home;
mod plans;
mod profiles;

use provost::param::{Param, ParamPath, Tree, Value};
use provost::store::Record;
use serde_json::{Value as Json, json};

use crate::api::{Rig, device, id};

/// The secret that must never be seen.
pub(crate) const CANARY: &str = "c4n4ry-of-the-fleet";

/// A parameter that can be written.
pub(crate) const NTP: &str = "Device.Time.NTPServer1";

/// A secret one.
pub(crate) const PASSPHRASE: &str = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";

/// A northbound with so many devices whose parameters were read; their serial
/// numbers are `000`, `001`, …
pub(crate) async fn fleet(devices: usize) -> Rig {
    let rig = Rig::open();
    for number in 0..devices {
        put_device(&rig, &format!("{number:03}")).await;
    }
    rig
}

/// A device of which it is known what stands in its parameters.
pub(crate) async fn put_device(rig: &Rig, serial: &str) {
    let known = device(serial);
    let now = known.last_inform;
    let mut tree = Tree::new();
    for (name, value) in [
        (NTP, Value::string("old.example.net")),
        ("Device.Time.Enable", Value::boolean(true)),
        ("Device.WiFi.SSID.1.SSID", Value::string("Home")),
        (PASSPHRASE, Value::string("")),
    ] {
        let name = ParamPath::parse(name).unwrap();
        tree.insert(name, Param { value: Some(value), writable: Some(true), read_at: now });
    }
    rig.put_devices([known]).await;
    rig.put(Record::Tree(id(serial), tree.into())).await;
}

/// A profile that wants a time server.
pub(crate) fn time(server: &str) -> Json {
    json!({"parameters": {NTP: server}})
}

/// Makes a plan, and takes it that it is ready at once.
pub(crate) async fn plan(rig: &Rig, changes: Json) -> Json {
    let made = rig.post("/plans?wait=20", json!({"changes": changes, "why": "a test"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json
}

pub(crate) fn path_of(plan: &Json) -> String {
    format!("/plans/{}", plan["id"].as_str().unwrap())
}
