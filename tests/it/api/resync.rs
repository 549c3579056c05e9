//! Phones are told to fetch their files.

use std::net::Ipv4Addr;

use provost::config::Config;
use provost::phone::Seen;
use provost::store::Record;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

use super::render::curl;
use super::rig::NOW;
use super::{Rig, device};
use crate::lab::Lab;

const MAC: &str = "0c383e07e16c";

/// A northbound with a phone that was seen on loopback.
async fn with_phone(notify_port: u16, web_port: u16) -> Rig {
    let mut config = Config::default();
    config.phones.notify_port = notify_port;
    config.phones.web_port = web_port;
    config.phones.resync_timeout = 1;
    let rig = Rig::with(config);
    let body = json!({"model": "X4",
        "accounts": [{"line": 1, "user": "20", "password": "c4n4ry", "server": "pbx"}]});
    assert_eq!(rig.put_json(&format!("/phones/{MAC}"), body).await.status, 201);
    let seen = Seen {
        at: NOW,
        address: Ipv4Addr::LOCALHOST.into(),
        firmware: "2.4".into(),
        file: format!("{MAC}.cfg").into(),
        version: "2.0003".into(),
    };
    rig.put(Record::Seen(MAC.parse().unwrap(), seen)).await;
    rig
}

/// Answers each NOTIFY: the first `challenges` of them with a Digest challenge,
/// the others with 200. What came.
async fn answer(socket: UdpSocket, challenges: usize, notifies: usize) -> Vec<String> {
    let mut came = Vec::new();
    let mut buffer = vec![0; 4096];
    for number in 0..notifies {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let header = |name: &str| {
            let line = request.lines().find(|line| line.starts_with(&format!("{name}:")));
            line.unwrap_or_else(|| panic!("{name}: {request}")).to_owned()
        };
        let same: String =
            ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| header(name) + "\r\n").concat();
        let (status, more) = if number < challenges {
            let nonce = format!("n{number}");
            (
                "401 Unauthorized",
                format!(
                    "WWW-Authenticate: Digest realm=\"phone\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"\r\n"
                ),
            )
        } else {
            ("200 OK", String::new())
        };
        let response = format!("SIP/2.0 {status}\r\n{same}{more}Content-Length: 0\r\n\r\n");
        socket.send_to(response.as_bytes(), from).await.unwrap();
        came.push(request);
    }
    came
}

#[tokio::test]
async fn a_phone_is_told_by_notify_and_its_challenge_is_answered() {
    for (challenges, notifies, outcome) in
        [(0, 1, "accepted"), (1, 2, "accepted"), (2, 2, "wrong-credentials")]
    {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let rig = with_phone(socket.local_addr().unwrap().port(), 1).await;
        let phone = tokio::spawn(answer(socket, challenges, notifies));
        let told = rig.post(&format!("/phones/{MAC}/resync"), json!({})).await;
        assert_eq!(told.status, 200, "{}", told.text);
        let attempt = &told.json["attempts"][0];
        assert_eq!(
            (&attempt["way"], &attempt["outcome"]),
            (&json!("notify"), &json!(outcome)),
            "{}",
            told.text
        );
        assert_eq!(told.json["accepted"], outcome == "accepted");
        assert_eq!(told.json["fetched"], json!(null), "it is never said that it fetched");
        let came = phone.await.unwrap();
        assert!(came[0].starts_with("NOTIFY sip:20@127.0.0.1:"), "{}", came[0]);
        assert!(came[0].contains("check-sync"), "{}", came[0]);
        if challenges > 0 {
            assert!(
                came[1].contains("Authorization: Digest") && came[1].contains("\"20\""),
                "{}",
                came[1]
            );
        }
        assert!(!came.concat().contains("c4n4ry") && !told.text.contains("c4n4ry"));
    }
}

#[tokio::test]
async fn a_silent_phone_is_told_from_one_that_is_not_there() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let rig = with_phone(silent.local_addr().unwrap().port(), 1).await;
    let told = rig.post(&format!("/phones/{MAC}/resync?wait=1"), json!({})).await;
    assert_eq!(told.json["attempts"][0]["outcome"], "timed-out", "{}", told.text);
    assert_eq!((&told.json["accepted"], told.status), (&json!(false), 200));

    let unseen = rig.put_json("/phones/0c383e000001", json!({"model": "X4"})).await;
    assert_eq!(unseen.status, 201);
    let told = rig.post("/phones/0c383e000001/resync", json!({})).await;
    assert_eq!((told.status, &told.json["code"]), (422, &json!("no-way")), "{}", told.text);
    let told = rig.post(&format!("/phones/{MAC}/resync"), json!({"way": "cwmp"})).await;
    assert_eq!(told.status, 422, "{}", told.text);
    let told = rig.post(&format!("/phones/{MAC}/resync"), json!({"way": "smoke"})).await;
    assert_eq!(told.status, 400);
}

#[tokio::test]
async fn fanvils_action_uri_is_asked_with_the_admins_password() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ports = (silent.local_addr().unwrap().port(), web.local_addr().unwrap().port());
    let rig = with_phone(ports.0, ports.1).await;
    let body = json!({"settings": {"provost:admin-password": "adm1n-c4n4ry"}});
    assert_eq!(rig.put_json(&format!("/phones/{MAC}"), body).await.status, 200);
    let phone = tokio::spawn(async move {
        let (mut socket, _) = web.accept().await.unwrap();
        let mut request = vec![0; 2048];
        let length = socket.read(&mut request).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let told = rig.post(&format!("/phones/{MAC}/resync"), json!({})).await;
    let ways: Vec<_> =
        told.json["attempts"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
    assert_eq!(ways, ["timed-out", "accepted"], "NOTIFY first: {}", told.text);
    assert!(phone.await.unwrap().starts_with("GET /cgi-bin/ConfigManApp.com?key=AutoP "));
    assert!(!told.text.contains("c4n4ry"));
}

#[tokio::test]
async fn a_phone_under_cwmp_gets_a_download() {
    let rig = with_phone(1, 1).await;
    let mut known = device("00100400FV02001000000C383E07E16C");
    known.connection_request_url = "http://127.0.0.1:1/x".into();
    let id = known.id.clone();
    rig.put_devices([known]).await;
    let told = rig.post(&format!("/phones/{MAC}/resync"), json!({"way": "cwmp"})).await;
    let attempt = &told.json["attempts"][0];
    assert_eq!(
        (&attempt["way"], &attempt["accepted"]),
        (&json!("cwmp"), &json!(false)),
        "{}",
        told.text
    );
    assert!(attempt["words"].as_str().unwrap().contains("offline"), "{attempt}");
    let tasks = rig.store.open_tasks(&id).await.unwrap();
    assert_eq!(tasks[0].action.word(), "provision");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_is_told_what_the_phone_then_fetched() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let lab = Lab::with(&[&format!("phones.notify_port={port}")]).await;
    let phone = format!("/api/v1/phones/{MAC}");
    let (status, answer) = lab.call("PUT", &phone, r#"{"model": "X4"}"#).await;
    assert_eq!(status, 201, "{answer}");
    let (_, urls) = lab.call("GET", &format!("{phone}/url"), "").await;
    let own = format!("{}{MAC}.cfg", urls["http"].as_str().unwrap());
    curl(&own).await;
    // What a phone fetched, and from where, is noted when it has it.
    for _ in 0..10_000 {
        let (_, fetches) = lab.call("GET", &format!("{phone}/fetches"), "").await;
        if fetches["items"].as_array().is_some_and(|items| !items.is_empty()) {
            break;
        }
    }
    let path = format!("{phone}/resync?wait=1");
    let told = meanwhile(lab.call("POST", &path, "{}"), answer_once(&socket, None)).await;
    assert_eq!(told.1["fetched"], json!(null), "{}", told.1);
    assert!(told.1["words"].as_str().unwrap().ends_with("no fetch was seen in 1 s"), "{}", told.1);
    let path = format!("{phone}/resync?wait=60");
    let told = meanwhile(lab.call("POST", &path, "{}"), answer_once(&socket, Some(&own))).await;
    assert_eq!(told.1["accepted"], true, "{}", told.1);
    assert_eq!(told.1["fetched"]["file"], format!("{MAC}.cfg"), "though it had it already");
    assert!(told.1["words"].as_str().unwrap().contains("version 2."), "{}", told.1);
}

/// What was asked, while a phone does its part; a phone that is never told anything
/// holds nothing up.
async fn meanwhile<T>(asked: impl Future<Output = T>, phone: impl Future<Output = ()>) -> T {
    let phone = async {
        phone.await;
        std::future::pending::<T>().await
    };
    tokio::select! {
        told = asked => told,
        never = phone => never,
    }
}

/// Takes a NOTIFY as a phone does, and fetches a file if it is told to.
async fn answer_once(socket: &UdpSocket, fetches: Option<&str>) {
    let mut buffer = vec![0; 4096];
    let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
    let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let same = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
    let same: String = same.map(|line| format!("{line}\r\n")).collect();
    let response = format!("SIP/2.0 200 OK\r\n{same}Content-Length: 0\r\n\r\n");
    socket.send_to(response.as_bytes(), from).await.unwrap();
    if let Some(url) = fetches {
        curl(url).await;
    }
}
