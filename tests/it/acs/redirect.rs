//! Redirects (T5): as an operation, and as a device follows them.

use std::net::SocketAddr;
use std::sync::Arc;

use provost::device::{EventCode, Secret};
use provost::http::client_tls;
use provost::simulate::{Blueprint, Cpe, RunnerSettings, SimEvent, SimHandle, start};
use provost::time::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::lab::{Lab, PATIENCE};

const OPEN: &[&str] = &["cwmp.auth=open"];

async fn device(serial: &str, url: &str, settings: RunnerSettings) -> SimHandle {
    let blueprint =
        Blueprint::device2(serial, 40).unwrap().with_acs(url, "any", Secret::new("any"));
    start(Cpe::new(blueprint, SystemClock.now()), settings, Arc::new(SystemClock)).await.unwrap()
}

/// How its next session ended: the reason of a failure.
async fn ended(handle: &mut SimHandle) -> Option<String> {
    let is_end = |event: &SimEvent| matches!(event, SimEvent::SessionEnded { .. });
    match handle.wait_for(PATIENCE, is_end).await {
        Some(SimEvent::SessionEnded { failure, .. }) => failure.map(|failure| failure.to_string()),
        other => panic!("{other:?}"),
    }
}

async fn sessions(lab: &Lab, serial: &str) -> Option<u64> {
    let path = format!("/api/v1/devices/00D09E-SimGateway-{serial}");
    let (status, device) = lab.call("GET", &path, "").await;
    (status == 200).then(|| device["sessions"].as_u64().unwrap())
}

fn cwmp(lab: &Lab) -> String {
    format!("http://{}/", lab.addresses().cwmp.unwrap())
}

async fn redirect(lab: &Lab, serial: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
    let path = format!("/api/v1/devices/00D09E-SimGateway-{serial}/tasks?wait=50");
    lab.call("POST", &path, &body.to_string()).await
}

/// Answers every request by 302 or 307, in turns, to the next of `count` hops;
/// the last leads to `end`. Returns where to begin.
async fn hops(count: usize, end: &str) -> String {
    let mut next = end.to_owned();
    for hop in 0..count {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at: SocketAddr = listener.local_addr().unwrap();
        let status = if hop % 2 == 0 { "302 Found" } else { "307 Temporary Redirect" };
        let answer = format!("HTTP/1.1 {status}\r\nLocation: {next}\r\nContent-Length: 0\r\n\r\n");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut heard = Vec::new();
                while !is_whole(&heard) {
                    if stream.read_buf(&mut heard).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        next = format!("http://{at}/");
    }
    next
}

/// Whether a request has come with all of its body.
fn is_whole(heard: &[u8]) -> bool {
    let Some(end) = heard.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&heard[..end]).to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    heard.len() >= end + 4 + length.map_or(0, |length| length.trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_an_operator_sends_a_device_to_another_server_for_one_session() {
    let (here, there) = (Lab::start().await, Lab::with(OPEN).await);
    let mut handle = here.gateway("T5", 40).await;
    let before = sessions(&here, "T5").await.unwrap();
    assert_eq!(sessions(&there, "T5").await, None);

    for (round, status) in [(1, 302), (2, 307)] {
        let body = serde_json::json!({"action": "redirect", "url": cwmp(&there), "status": status});
        let (answered, task) = redirect(&here, "T5", &body).await;
        assert_eq!((answered, &task["state"]), (200, &"accepted".into()), "{task}");
        assert_eq!(task["url"], cwmp(&there));
        assert!(task["notes"][0].as_str().unwrap().contains(&status.to_string()), "{task}");
        assert_eq!(ended(&mut handle).await, None, "the session is led there");
        assert_eq!(sessions(&there, "T5").await, Some(round));
    }
    assert_eq!(sessions(&here, "T5").await, Some(before + 2), "the Informs are recorded as seen");

    // It comes back by itself: nothing was written into it.
    handle.raise(EventCode::Periodic).await;
    assert_eq!(ended(&mut handle).await, None);
    assert_eq!(sessions(&here, "T5").await, Some(before + 3));
    assert_eq!(sessions(&there, "T5").await, Some(2));
    let cpe = handle.stop().await.unwrap();
    assert_eq!(cpe.acs_url(), cwmp(&here));
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_a_redirect_that_is_wrong_or_a_circle_is_refused() {
    let lab = Lab::start().await;
    let mut handle = lab.gateway("T5", 40).await;
    for (url, status) in [
        ("ftp://other.example.net/", 307),
        ("http://user:secret@other.example.net/", 307),
        ("http://other.example.net/#x", 307),
        ("http://0x7f.1/", 307),
        ("other.example.net", 307),
        ("", 307),
        ("http://other.example.net/", 301),
        ("http://other.example.net/", 200),
    ] {
        let body = serde_json::json!({"action": "redirect", "url": url, "status": status});
        let (answered, problem) = redirect(&lab, "T5", &body).await;
        assert!(matches!(answered, 400 | 422), "{url} {status}: {answered} {problem}");
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
    let (answered, _) = redirect(&lab, "T5", &serde_json::json!({"action": "redirect"})).await;
    assert!(matches!(answered, 400 | 422));
    let body = serde_json::json!({"action": "reboot", "url": "http://other.example.net/"});
    let (answered, _) = redirect(&lab, "T5", &body).await;
    assert!(matches!(answered, 400 | 422), "a field without a meaning");

    let body = serde_json::json!({"action": "redirect", "url": cwmp(&lab)});
    let (answered, task) = redirect(&lab, "T5", &body).await;
    assert_eq!((answered, &task["state"]), (200, &"failed".into()), "{task}");
    assert_eq!(ended(&mut handle).await, None, "and the device is served");
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_five_redirects_in_a_row_are_followed_and_six_are_not() {
    let lab = Lab::with(OPEN).await;
    let silent = || RunnerSettings { listen: false, ..RunnerSettings::default() };
    let url = hops(5, &cwmp(&lab)).await;
    let mut five = device("FIVE", &url, silent()).await;
    assert_eq!(ended(&mut five).await, None);
    assert_eq!(sessions(&lab, "FIVE").await, Some(1));
    let url = hops(6, &cwmp(&lab)).await;
    let mut six = device("SIX", &url, silent()).await;
    let why = ended(&mut six).await.unwrap();
    assert!(why.contains("too many redirects"), "{why}");
    assert_eq!(sessions(&lab, "SIX").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_a_redirect_may_lead_from_http_to_https() {
    let lab = Lab::with(OPEN).await;
    let ca = std::fs::read_to_string(lab.data().join("tls/ca.pem")).unwrap();
    let end = format!("https://{}/", lab.addresses().cwmp_tls.unwrap());
    let url = hops(1, &end).await;
    let settings = RunnerSettings {
        listen: false,
        tls: Some(client_tls(&ca).unwrap()),
        ..RunnerSettings::default()
    };
    let mut handle = device("TLS", &url, settings).await;
    assert_eq!(ended(&mut handle).await, None);
    assert_eq!(sessions(&lab, "TLS").await, Some(1));
}
