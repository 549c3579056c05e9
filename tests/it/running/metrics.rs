//! Metrics and probes of a server at work.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{get, raw, scrape};
use crate::lab::Lab;

const CANARY: &str = "c4n4ry-of-the-metrics";

/// What a name of a sample or in an expression is without what histograms add.
fn stem<'a>(name: &'a str, known: &BTreeSet<String>) -> &'a str {
    ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|end| name.strip_suffix(end).filter(|stem| known.contains(*stem)))
        .unwrap_or(name)
}

/// The metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in ["provost_", "process_"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|before| before.is_ascii_alphanumeric() || before == '_') {
                continue;
            }
            let name: String = text[at..]
                .chars()
                .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                .collect();
            found.insert(name);
        }
    }
    found
}

fn paper(name: &str) -> String {
    std::fs::read_to_string(format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A server that served devices, a phone and people, and turned some away.
async fn busy() -> Lab {
    let lab = Lab::with(&["metrics.listen=127.0.0.1:0"]).await;
    let gateway = lab.gateway("METRICS0001", 60).await;
    let (status, task) = lab
        .call(
            "POST",
            "/api/v1/devices/00D09E-SimGateway-METRICS0001/tasks?wait=30",
            r#"{"action":"get","names":["Device.DeviceInfo.SoftwareVersion"]}"#,
        )
        .await;
    assert!((200..300).contains(&status), "{task}");
    drop(gateway);
    let cwmp = lab.addresses().cwmp.unwrap();
    // No message, and wrong credentials.
    for login in ["", "Authorization: Basic eDp5\r\n"] {
        raw(cwmp, &format!("POST / HTTP/1.1\r\nHost: a\r\n{login}Content-Length: 4\r\nConnection: close\r\n\r\nnone")).await;
    }
    let site = format!(r#"{{"name":"hq","access":{{}},"comment":"{CANARY}"}}"#);
    lab.call("PUT", "/api/v1/sites/hq", &site).await;
    get(lab.addresses().files.unwrap(), &format!("/{CANARY}.cfg")).await;
    let northbound = lab.addresses().northbound.unwrap();
    assert_eq!(get(northbound, &format!("/api/v1/devices/{CANARY}")).await.0, 401);
    let absent = CANARY.replace('-', "_");
    assert_eq!(lab.call("GET", &format!("/api/v1/devices/00D09E-{absent}"), "").await.0, 404);
    assert_eq!(lab.call("GET", &format!("/{CANARY}"), "").await.0, 404);
    lab
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_takes_what_a_server_at_work_tells_and_the_papers_name_it() {
    let lab = busy().await;
    let text = scrape(lab.addresses().metrics.unwrap()).await;
    // Prometheus itself finds nothing wrong, neither with the form nor with names.
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let checked = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && said.is_empty(), "{said}\n{text}");

    for line in [
        "provost_sessions_total{occasion=\"first\",end=\"complete\"} 1",
        "provost_rpcs_total{method=\"GetParameterValues\",outcome=\"answered\"} ",
        "provost_tasks_ended_total{action=\"get\",outcome=\"applied\"} 1",
        "provost_tasks_open 0",
        "provost_devices 1",
        "provost_store_writable 1",
        "provost_ready 1",
        "provost_refusals_total{door=\"cwmp\",reason=\"credentials\"}",
        "provost_refusals_total{door=\"northbound\",reason=\"credentials\"} 1",
        "provost_phone_refusals_total{reason=\"nowhere\"} 1",
        "provost_northbound_requests_total{method=\"GET\",route=\"/api/v1/devices/{id}\",status=\"404\"} 1",
        "provost_northbound_requests_total{method=\"other\",route=\"none\",status=\"401\"} 1",
        "provost_http_requests_total{door=\"cwmp\",status=\"2xx\"}",
    ] {
        assert!(text.contains(&format!("\n{line}")), "{line} is not in\n{text}");
    }
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value("provost_store_commit_duration_seconds_count") > 3.0);
    assert!(value("provost_journal_sync_duration_seconds_count") > 3.0);
    assert!(value("provost_session_duration_seconds_count") >= 2.0);
    // Nobody's name, number or address is a label, and no secret (E16).
    let token = std::fs::read_to_string(lab.data().join("admin.token")).unwrap();
    for secret in [CANARY, "METRICS0001", "00D09E", "127.0.0.1", token.trim()] {
        assert!(!text.contains(secret), "{secret}");
    }

    let told: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(str::to_owned)
        .collect();
    for name in ["grafana/provost.json", "prometheus/alerts.yml", "RUNNING.md"] {
        for metric in named(&paper(name)) {
            // Told only where there is such a link.
            let known = told.contains(stem(&metric, &told)) || metric == "provost_xmpp_connected";
            assert!(known, "docs/{name} names {metric}, which is not told");
        }
    }
    let page = paper("RUNNING.md");
    for metric in &told {
        assert!(page.contains(&format!("| `{metric}` |")), "docs/RUNNING.md lacks {metric}");
    }
    let board: serde_json::Value = serde_json::from_str(&paper("grafana/provost.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let shown: String = targets.map(|target| format!("{}\n", target["expr"])).collect();
    let shown = named(&shown);
    let missing: Vec<_> = told
        .iter()
        .filter(|metric| !shown.iter().any(|name| stem(name, &told) == metric.as_str()))
        .collect();
    assert!(missing.is_empty(), "no panel shows {missing:?}");
}

#[tokio::test]
async fn prometheus_comes_with_a_token_or_by_the_door_without_one() {
    let lab = Lab::with(&["metrics.listen=127.0.0.1:0"]).await;
    let (northbound, open) =
        (lab.addresses().northbound.unwrap(), lab.addresses().metrics.unwrap());
    assert_eq!(get(northbound, "/metrics").await.0, 401);
    let token = std::fs::read_to_string(lab.data().join("admin.token")).unwrap();
    let request = format!(
        "GET /metrics HTTP/1.1\r\nHost: {northbound}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        token.trim()
    );
    let answer = raw(northbound, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("text/plain; version=0.0.4"), "{answer}");
    // Probes need none; they tell nothing but that.
    for at in [northbound, open] {
        assert_eq!(get(at, "/healthz").await, (200, "ok\n".to_owned()));
        assert_eq!(get(at, "/readyz").await, (200, "ready\n".to_owned()));
    }
    for path in ["/api/v1/devices", "/healthz/", "/metrics/"] {
        assert_eq!(get(open, path).await.0, 404, "{path}");
        assert_eq!(get(northbound, path).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn a_server_with_all_of_its_settings_as_installed_has_no_open_door_for_metrics() {
    let lab = Lab::start().await;
    assert_eq!((lab.addresses().metrics, lab.addresses().northbound_tls), (None, None));
}
