//! The whole, with the real binary at both ends and a real NAT between them: a
//! device is seen to be behind NAT, is told of the STUN server, binds through
//! the NAT, and is woken by a datagram.

use std::process::Stdio;

use provost::server::{ADDRESSES, Addresses};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};

use crate::lab::PATIENCE;
use crate::lab::nat::Nat;

const BINARY: &str = env!("CARGO_BIN_EXE_provost");

/// The binary in a namespace, its output still to be read.
fn spawn(namespace: &str, arguments: &[&str]) -> Child {
    let mut command = tokio::process::Command::from(Nat::command(namespace, BINARY));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

async fn first_line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap()
}

/// Reads a log until a line of it says so; the line.
async fn logged(lines: &mut Lines<BufReader<ChildStderr>>, words: &str) -> String {
    let search = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(words) {
                return line;
            }
        }
        panic!("the log ended without {words:?}")
    };
    tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("no {words:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn t23_a_device_behind_nat_binds_and_is_woken_by_udp() {
    let nat = Nat::new();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut serve = vec!["serve", "--data", data, "--set", "log.level=info,provost::wake=debug"];
    let (cwmp, stun) =
        (format!("cwmp.listen={}:0", Nat::SERVER), format!("stun.listen={}:0", Nat::SERVER));
    for set in [
        &*cwmp,
        &*stun,
        "cwmp.tls_listen=off",
        "files.listen=off",
        "files.tls_listen=off",
        "northbound.listen=127.0.0.1:0",
    ] {
        serve.extend(["--set", set]);
    }
    let mut server = spawn(&nat.server(), &serve);
    let mut banner = BufReader::new(server.stdout.take().unwrap()).lines();
    first_line(&mut banner).await;
    let addresses = std::fs::read_to_string(folder.path().join(ADDRESSES)).unwrap();
    let addresses: Addresses = serde_json::from_str(&addresses).unwrap();
    assert!(addresses.stun.is_some());
    let onboarding = std::fs::read_to_string(folder.path().join("onboarding.txt")).unwrap();
    let password = onboarding.lines().find_map(|line| line.strip_prefix("password=")).unwrap();

    let acs = format!("http://{}/", addresses.cwmp.unwrap());
    let device = [
        "simulate",
        "--stay",
        "--stun",
        "--devices",
        "1",
        "--acs",
        &acs,
        "--user",
        "provost",
        "--password",
        password,
        "--interval",
        "86400",
    ];
    let mut device = spawn(&nat.home(), &device);
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let told = logged(&mut log, "the device is told of the STUN server").await;
    let bound = logged(&mut log, "bound for UDP connection requests").await;
    assert!(bound.contains(Nat::ROUTER), "{bound}");
    // What is logged further on must not fill the pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    assert!(told.contains("SIM000000000"), "{told}");

    let command = |arguments: &[&str]| {
        let output = Nat::command(&nat.server(), BINARY)
            .args(["--data", data, "--json"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let id = "00D09E-SimGateway-SIM000000000";
    let woken = command(&["device", "wake", id]);
    assert_eq!(woken["result"], "woken", "{woken}");
    assert_eq!(woken["tried"][0]["way"], "http", "{woken}");
    assert_eq!(woken["tried"][0]["result"], "forbidden", "{woken}");
    assert_eq!(woken["tried"][1]["way"], "udp", "{woken}");
    assert_eq!(woken["tried"][1]["result"], "sent", "{woken}");
    // It took the datagram for what it is.
    let mut device_log = BufReader::new(device.stderr.take().unwrap()).lines();
    logged(&mut device_log, "ConnectionRequested").await;
    // Intent reaches it at once, too, though its next Inform is a day away.
    let task = command(&["device", "set", id, "Device.DeviceInfo.ProvisioningCode=through-nat"]);
    assert_eq!(task["state"], "applied", "{task}");
    // And it is written down what it was told.
    let tasks = command(&["task", "list", "--device", id]);
    let by_us = |task: &&serde_json::Value| task["created_by"] == "provost (STUN)";
    let ours: Vec<_> = tasks["items"].as_array().unwrap().iter().filter(by_us).collect();
    assert_eq!(ours.len(), 2, "{tasks}");
    assert!(!tasks.to_string().contains("STUNPassword\",\"value\":\"0"), "{tasks}");
    device.kill().await.unwrap();
    server.kill().await.unwrap();
}
