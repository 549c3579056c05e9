//! Settings that are read again while the server runs.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncBufReadExt as _;
use tokio::net::UnixDatagram;

use crate::lab::{Lab, PATIENCE};

/// What the log says, once it does.
pub(super) async fn logged(lab: &Lab, words: &str) -> String {
    let look = async {
        loop {
            let log = lab.log();
            if log.contains(words) {
                return log;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("{words}: {}", lab.log()))
}

/// A server with a configuration file that can be changed.
async fn with_file(text: &str) -> (Lab, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, text).unwrap();
    let lab = Lab::with_file(&path).await;
    (lab, folder)
}

fn rewrite(folder: &Path, text: &str) {
    std::fs::write(folder.join("p.toml"), text).unwrap();
}

#[tokio::test]
async fn what_changed_is_in_force_or_told_to_need_a_restart() {
    let (lab, folder) = with_file("[northbound]\nmax_wait = 60\n").await;
    let (code, out, err) = lab.provost(&["reload"]).await;
    assert_eq!((code, out.as_str()), (0, "no setting changed\n"), "{err}");

    rewrite(
        folder.path(),
        "[northbound]\nmax_wait = 61\nmax_body = 2000\n[log]\nlevel = 'debug'\n[limits]\nage = 1234\n",
    );
    let (status, told) = lab.call("POST", "/api/v1/reload", "").await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        told,
        serde_json::json!({
            "applied": ["log.level", "northbound.max_body", "northbound.max_wait"],
            "needs_restart": ["limits.age"],
            "problems": [],
        })
    );
    let log = logged(&lab, "the setting changed and needs a restart").await;
    assert!(log.contains("limits.age") && log.contains("northbound.max_wait"), "{log}");
    // It really is in force: the body is too large now.
    let long = format!(r#"{{"comment":"{}"}}"#, "x".repeat(3000));
    assert_eq!(lab.call("PUT", "/api/v1/sites/hq", &long).await.0, 413);
    // What needs a restart is told again, as long as it does.
    let (_, out, _) = lab.provost(&["reload", "--json"]).await;
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["needs_restart"][0], "limits.age");
    assert_eq!(told["applied"], serde_json::json!([]));
}

#[tokio::test]
async fn what_is_told_to_others_follows_the_settings_at_once() {
    let (lab, folder) = with_file("[events]\nlisteners = 2\n").await;
    let hook = r#"{"url":"http://127.0.0.1:9/hook","enabled":false}"#;
    assert_eq!(lab.call("POST", "/api/v1/webhooks", hook).await.0, 400);
    rewrite(
        folder.path(),
        "[events]\nlisteners = 3\n[webhooks]\nallow = ['127.0.0.0/8']\nca = 'hooks.pem'\n",
    );
    let (status, told) = lab.call("POST", "/api/v1/reload", "").await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["applied"], serde_json::json!(["events.listeners", "webhooks.allow"]));
    assert_eq!(told["needs_restart"], serde_json::json!(["webhooks.ca"]));
    assert_eq!(lab.call("POST", "/api/v1/webhooks", hook).await.0, 201);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_told_with_its_line() {
    let (lab, folder) = with_file("[northbound]\nmax_body = 2000\n").await;
    rewrite(folder.path(), "[northbound]\nmax_body = 4000\nmax_wayt = 1\n");
    let (status, problem) = lab.call("POST", "/api/v1/reload", "").await;
    assert_eq!(status, 400, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("line 3"), "{problem}");
    let (code, _, err) = lab.provost(&["reload"]).await;
    assert!(code != 0 && err.contains("max_wayt"), "{err}");
    let long = format!(r#"{{"comment":"{}"}}"#, "x".repeat(3000));
    assert_eq!(lab.call("PUT", "/api/v1/sites/hq", &long).await.0, 413);
    // By the signal as well; and a rule that is none is no better.
    rewrite(folder.path(), "[[admission.rules]]\nmatch = 'this ('\naction = 'deny'\n");
    lab.hang_up().await;
    logged(&lab, "admission.rules[1]").await;
    rewrite(folder.path(), "[northbound]\nmax_body = 9000\n");
    lab.hang_up().await;
    logged(&lab, "the setting is in force").await;
    assert_ne!(lab.call("PUT", "/api/v1/sites/hq", &long).await.0, 413);
}

#[tokio::test]
async fn the_page_lists_what_can_change_at_once() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RUNNING.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split("## Reading the settings again").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let listed: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(listed, provost::server::LIVE);
}

#[tokio::test]
async fn systemd_hears_of_start_reload_and_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let heard = async |socket: &UnixDatagram| {
        let mut buffer = [0; 256];
        let length = tokio::time::timeout(PATIENCE, socket.recv(&mut buffer)).await.unwrap();
        String::from_utf8_lossy(&buffer[..length.unwrap()]).into_owned()
    };
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_provost"));
    command.arg("serve").arg("--data").arg(folder.path().join("data"));
    for door in ["cwmp.listen", "northbound.listen"] {
        command.arg("--set").arg(format!("{door}=127.0.0.1:0"));
    }
    for door in ["cwmp.tls_listen", "files.listen", "files.tls_listen"] {
        command.arg("--set").arg(format!("{door}=off"));
    }
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "20000");
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(heard(&socket).await.starts_with("READY=1"));
    assert!(lines.next_line().await.unwrap().is_some());
    // While nothing happens, that it lives.
    assert_eq!(heard(&socket).await, "WATCHDOG=1");
    let pid = child.id().unwrap().to_string();
    let send = async |signal: &str| {
        let sent = tokio::process::Command::new("kill").args([signal, &pid]).status().await;
        assert!(sent.unwrap().success());
    };
    let next = async || {
        loop {
            let word = heard(&socket).await;
            if word != "WATCHDOG=1" {
                return word;
            }
        }
    };
    send("-HUP").await;
    assert!(next().await.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert!(next().await.starts_with("READY=1"));
    send("-TERM").await;
    assert!(next().await.starts_with("STOPPING=1"));
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(ended.success());
}
