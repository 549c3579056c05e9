//! The dialect of the northbound for programs that were written for another server.

mod clients;
mod rows;
mod rules;
mod tenants;
mod transcript;
mod work;

use axum::http::Method;
use provost::device::{Credentials, Device, DeviceIdentity, Secret, Stage};
use provost::param::{ParamPath, Tree, Value, ValueType};
use provost::store::Record;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::api::rig::{self, Answer, NOW, Rig, TOKEN};

/// The id of the device of these tests.
const ID: &str = "0A1B2C-SIM300-PROBED0000000";

/// A device with an identity and a few parameters.
async fn put_device(rig: &Rig, class: &str, serial: &str) -> Device {
    let identity = DeviceIdentity::new("LabCPE", "0A1B2C", class, serial).unwrap();
    let device = Device {
        id: identity.id(),
        identity,
        root: "InternetGatewayDevice.".into(),
        software_version: "3.2.1-b77".into(),
        ..rig::device(serial)
    };
    rig.put_devices([device.clone()]).await;
    let mut tree = Tree::new();
    let path = |text: &str| ParamPath::parse(text).unwrap();
    for (name, text, kind) in [
        ("InternetGatewayDevice.DeviceInfo.SoftwareVersion", "3.2.1-b77", "string"),
        ("InternetGatewayDevice.DeviceInfo.UpTime", "3600", "unsignedInt"),
        ("InternetGatewayDevice.Time.NTPServer1", "ntp.example", "string"),
        ("InternetGatewayDevice.ManagementServer.Password", "s3cret", "string"),
    ] {
        tree.learn_value(&path(name), Value::new(text, ValueType::from_name(kind)), NOW);
    }
    tree.learn_name(&path("InternetGatewayDevice.DeviceInfo."), false, NOW);
    rig.put(Record::Tree(device.id.clone(), tree.into())).await;
    device
}

/// A rig with the device.
async fn with_device() -> Rig {
    let rig = Rig::open();
    put_device(&rig, "SIM300", "PROBED0000000").await;
    rig
}

/// A request with the token and a body as text.
async fn call(rig: &Rig, method: &str, path: &str, body: &str) -> Answer {
    rig.raw(method.parse::<Method>().unwrap(), path, &[], body.to_owned()).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A text inside a URL.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What a device and the server show each other.
fn credentials(rig: &Rig, device: &Device) -> Record {
    Record::Credentials(Box::new(Credentials {
        device: device.id.clone(),
        username: "u".into(),
        password: rig.vault.seal(&Secret::new("p")),
        connection_request_username: "u".into(),
        connection_request_password: rig.vault.seal(&Secret::new("p")),
        stage: Stage::Confirmed,
        made_at: NOW,
        offers: 1,
    }))
}

/// Answers one connection request, as a device does that will come.
async fn answer_connection_request(cpe: &tokio::net::TcpListener) {
    let (mut stream, _) = cpe.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
}
