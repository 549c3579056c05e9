//! The real server: both doors beside the one for sessions, and what an operator
//! sees of it.

use tokio::net::UdpSocket;

use crate::bulk::{PAIRS, lightweight::sign};
use crate::lab::{Lab, PATIENCE};
use crate::phones::rig::curl;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t22_t19_reports_come_in_beside_sessions() {
    let lab = Lab::with(&["cwmp.give_credentials=false", "lightweight.listen=127.0.0.1:0"]).await;
    let _gateway = lab.gateway("LAB0001", 40).await;
    let (_, devices) = lab.call("GET", "/api/v1/devices", "").await;
    let device = &devices["items"][0];
    let text = |key: &str| device[key].as_str().unwrap().to_owned();
    let (id, oui, class) = (text("id"), text("oui"), text("product_class"));
    let path = id.replace('%', "%25");

    let at = lab.addresses().cwmp.unwrap();
    let url = format!("http://{at}/bulkdata?oui={oui}&pc={class}&sn=LAB0001");
    let (user, password) = lab.onboarding();
    let login = format!("{user}:{}", password.expose());
    let put = ["-X", "PUT", "--data-binary", PAIRS, "-w", "%{http_code}", "--digest", "-u", &login];
    assert_eq!(curl(&[&put[..], &[&*url]].concat()).await, "200");
    // Everything else is still for sessions.
    assert_eq!(
        curl(&["-o", "/dev/null", "-w", "%{http_code}", &format!("http://{at}/")]).await,
        "405"
    );

    // A password for the device, as an operator makes it known.
    let new = serde_json::json!({"oui": oui, "product_class": class, "serial_number": "LAB0001",
        "password": "a-password-of-its-own"});
    let (status, said) = lab.call("POST", "/api/v1/devices", &new.to_string()).await;
    assert_eq!(status, 201, "{said}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let body = format!(
        "<Notification><TS>{}</TS><CN>x</CN><OUI>{oui}</OUI><ProductClass>{class}</ProductClass>\
         <SerialNumber>LAB0001</SerialNumber><Param><Name>Device.X</Name><Value>7</Value></Param>\
         </Notification>",
        now.as_secs()
    );
    let signature = sign(&body, "a-password-of-its-own");
    let datagram = format!("POST / HTTP/1.1\r\nSignature: {signature}\r\n\r\n{body}");
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = lab.addresses().lightweight.unwrap();
    let listed = async {
        loop {
            // Datagrams may be lost; one that was taken is taken once.
            socket.send_to(datagram.as_bytes(), to).await.unwrap();
            let reports = format!("/api/v1/devices/{path}/reports");
            let (status, json) = lab.call("GET", &reports, "").await;
            assert_eq!(status, 200, "{json}");
            if json["items"].as_array().unwrap().len() == 3 {
                return json;
            }
        }
    };
    let listed = tokio::time::timeout(PATIENCE, listed).await.unwrap();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items[0]["source"], "lightweight_notification");
    assert_eq!(items[0]["values"][0]["name"], "Device.X");
    assert_eq!(items[1]["source"], "bulk_data");
    assert_eq!(items[1]["values"][0]["value"], "23456");
    assert_eq!(items[1]["collected_at"], "2026-11-20T20:05:00Z");
    // Never answered.
    let mut buffer = [0; 16];
    assert!(socket.try_recv(&mut buffer).is_err());

    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_provost"));
    command.args(["device", "reports", &id]).env("PROVOST_DATA", lab.data());
    let output = command.output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        printed.contains("lightweight_notification") && printed.contains("Device.X = 7"),
        "{printed}"
    );
}
