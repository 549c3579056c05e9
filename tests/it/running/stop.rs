//! The end of a server that is at work.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::lab::{Lab, PATIENCE};

/// What is promised, and something for a machine that does much else.
const WITHIN: Duration = Duration::from_secs(14);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_in_order_whatever_clients_do_and_loses_nothing() {
    let mut lab = Lab::start().await;
    let gateway = lab.gateway("STOP0001", 40).await;
    let (cwmp, northbound) = (lab.addresses().cwmp.unwrap(), lab.addresses().northbound.unwrap());
    let token = std::fs::read_to_string(lab.data().join("admin.token")).unwrap();
    // A client that sends half a body, one that sends half a header, one that reads
    // nothing of a long answer, one that waits, and one that listens.
    let mut half_body = TcpStream::connect(cwmp).await.unwrap();
    half_body
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n<so")
        .await
        .unwrap();
    let mut half_header = TcpStream::connect(cwmp).await.unwrap();
    half_header.write_all(b"POST / HTTP/1.1\r\nHos").await.unwrap();
    let ask = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {northbound}\r\nAuthorization: Bearer {}\r\n\r\n",
            token.trim()
        )
    };
    let mut deaf = TcpStream::connect(northbound).await.unwrap();
    deaf.write_all(ask("/api/v1/openapi.json").repeat(40).as_bytes()).await.unwrap();
    let mut listener = TcpStream::connect(northbound).await.unwrap();
    listener.write_all(ask("/api/v1/events/stream").as_bytes()).await.unwrap();
    let mut first = [0; 12];
    listener.read_exact(&mut first).await.unwrap();
    // Acknowledged: it must be there afterwards.
    let path = "/api/v1/devices/00D09E-SimGateway-STOP0001/tasks";
    let (status, task) =
        lab.call("POST", path, r#"{"action":"set","values":[{"name":"Device.ManagementServer.PeriodicInformInterval","value":"600"}]}"#).await;
    assert_eq!(status, 202, "{task}");
    let id = task["id"].as_str().unwrap().to_owned();

    let began = Instant::now();
    lab.signal("-TERM").await;
    let code = tokio::time::timeout(PATIENCE, lab.ended()).await.unwrap();
    assert_eq!(code, Some(0), "{}", lab.log());
    assert!(began.elapsed() < WITHIN, "{:?}", began.elapsed());
    let log = lab.log();
    assert!(
        !log.contains("panicked") && !log.contains("the next start reads the journal"),
        "{log}"
    );
    drop((half_body, half_header, deaf, listener, gateway));

    let lab = lab.again().await;
    let (status, kept) = lab.call("GET", &format!("/api/v1/tasks/{id}"), "").await;
    assert_eq!(status, 200, "{kept}");
    let (_, health) = lab.call("GET", "/api/v1/health", "").await;
    assert_eq!(health["store"]["alarms"], serde_json::json!([]), "the last end was clean");
    assert_eq!(health["devices"], 1);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_loses_nothing() {
    let mut lab = Lab::start().await;
    let mut slow = TcpStream::connect(lab.addresses().cwmp.unwrap()).await.unwrap();
    slow.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n<so").await.unwrap();
    let (status, _) = lab.call("PUT", "/api/v1/sites/hq", "{}").await;
    assert!((200..300).contains(&status));
    lab.signal("-TERM").await;
    crate::running::reload::logged(&lab, "stopping").await;
    lab.signal("-INT").await;
    let code = tokio::time::timeout(PATIENCE, lab.ended()).await.unwrap();
    assert_eq!(code, Some(1));
    let lab = lab.again().await;
    assert_eq!(lab.call("GET", "/api/v1/sites/hq", "").await.0, 200);
}
