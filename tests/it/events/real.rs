//! The real binary: a command that follows what happens to a device.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::lab::{Lab, PATIENCE};

#[tokio::test]
async fn events_follow_shows_a_device_that_boots() {
    let lab = Lab::start().await;
    let mut following = tokio::process::Command::new(env!("CARGO_BIN_EXE_provost"))
        .args(["events", "--follow", "--after", "0"])
        .env("PROVOST_DATA", lab.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let device = lab.gateway("E1", 30).await;
    let mut seen = Vec::new();
    while !seen.iter().any(|line: &String| line.contains("device.boot ")) {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        seen.push(line.unwrap().unwrap().expect("the stream goes on"));
    }
    assert!(seen[0].contains("device.new") && seen[0].contains("E1"), "{seen:?}");
    drop(device);

    let (code, out, err) = lab.provost(&["events", "--kind", "device.new"]).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.lines().count(), 1, "{out}");
    let (code, _, err) = lab.provost(&["events", "--kind", "bogus"]).await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("device.boot"), "it tells what there is: {err}");
    let (code, _, err) = lab.provost(&["webhook", "add", "http://127.0.0.1:1/"]).await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("webhooks.allow"), "{err}");
    let add = ["webhook", "add", "https://hooks.example.net/x", "--kind", "device.boot,alarm"];
    let (code, out, err) = lab.provost(&add).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("pvhook_"), "{out}");
    let (code, out, _) = lab.provost(&["webhook", "list"]).await;
    assert!(code == 0 && out.contains("device.boot, alarm") && !out.contains("pvhook_"), "{out}");
}
