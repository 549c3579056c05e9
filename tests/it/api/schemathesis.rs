//! schemathesis against the served document: whatever it makes of it, no answer is
//! a fault of the server, and each is as the document says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::lab::Lab;

/// What is looked at in every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";

/// Where the program is installed.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemathesis")
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

fn run(command: &mut Command, what: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(output.status.success(), "{what} failed:\n{}", told(&output));
}

/// The program, which is installed first if it is not there as pinned.
fn program() -> PathBuf {
    let requirements =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).unwrap();
    let (folder, stamp) = (folder(), folder().join("installed.txt"));
    let program = folder.join("bin/schemathesis");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) && program.exists() {
        return program;
    }
    let _ = std::fs::remove_dir_all(&folder);
    run(
        Command::new("python3").args(["-m", "venv"]).arg(&folder),
        "making a Python environment (Debian's python3-venv is needed)",
    );
    run(
        Command::new(folder.join("bin/pip")).args(["install", "--quiet", "-r"]).arg(&requirements),
        "installing schemathesis from the Python package index (a network is needed, once)",
    );
    std::fs::write(&stamp, wanted).unwrap();
    program
}

async fn made(lab: &Lab, method: &str, path: &str, body: Value) -> Value {
    let (status, json) = lab.call(method, &format!("/api/v1{path}"), &body.to_string()).await;
    assert!((200..300).contains(&status), "{method} {path}: {status} {json}");
    json
}

/// Something of every kind, so that there is something to be told; the settings
/// name it where a path wants a key.
async fn stock(lab: &Lab, device: &str) -> String {
    made(lab, "PUT", "/tenants/north", json!({})).await;
    made(lab, "PUT", "/sites/hq", json!({})).await;
    made(lab, "PUT", "/phones/0c383e07e16c", json!({"model": "X4", "site": "hq"})).await;
    made(lab, "PUT", "/layers/global", json!({"settings": {}})).await;
    made(lab, "PUT", "/preloads/serial/0123", json!({"tags": ["a"]})).await;
    let task = json!({"action": "get", "names": ["Device.DeviceInfo.UpTime"]});
    let task = made(lab, "POST", &format!("/devices/{device}/tasks?wait=20"), task).await;
    let profile = json!({"profile": {"match": "false", "tags": {"set": ["x"]}}, "why": "a test"});
    made(lab, "PUT", "/profiles/time", profile).await;
    made(lab, "POST", &format!("/devices/{device}/backups"), json!({"why": "first"})).await;
    let bulk = json!({"query": {}, "action": {"labels": {"add_tags": ["b"]}}});
    let bulk = made(lab, "POST", "/bulk", bulk).await;
    let of = |path: &str, name: &str, value: &str| {
        format!(
            "[[operations]]\ninclude-path-regex = \"{path}\"\nparameters = {{ \"path.{name}\" = \"{value}\" }}\n\n"
        )
    };
    [
        of("^/api/v1/devices/", "id", device),
        of("^/api/v1/tasks/", "id", task["id"].as_str().unwrap()),
        of("^/api/v1/bulk/", "id", bulk["id"].as_str().unwrap()),
        of("^/api/v1/phones/", "mac", "0c383e07e16c"),
        of("^/api/v1/sites/", "name", "hq"),
        of("^/api/v1/profiles/", "name", "time"),
        of("^/api/v1/tenants/", "name", "north"),
    ]
    .concat()
}

/// Asks for everything; what it told, and whether nothing was found.
async fn asked(lab: &Lab, settings: &Path, mode: &str, arguments: &[&str]) -> Output {
    let token = std::fs::read_to_string(lab.data().join("admin.token")).unwrap();
    let at = lab.addresses().northbound.unwrap();
    let mut command = tokio::process::Command::new(program());
    command
        .current_dir(lab.folder())
        .arg("--config-file")
        .arg(settings)
        .args(["run", &format!("http://{at}/api/v1/openapi.json")])
        .args(["-H", &format!("Authorization: Bearer {}", token.trim())])
        .args(["--checks", CHECKS, "--mode", mode, "--seed", "1", "--workers", "1"])
        .args(["--generation-database", "none", "--no-color", "--continue-on-failure"])
        .args(["--exclude-path-regex", "/(events/stream|backup)$", "--warnings", "off"])
        .args(["--request-timeout", "20", "--suppress-health-check", "all", "--no-shrink"])
        .args(arguments);
    command.output().await.unwrap()
}

#[tokio::test]
async fn no_answer_is_a_fault_or_unlike_the_document() {
    let lab = Lab::with(&["northbound.max_wait=1"]).await;
    let _gateway = lab.gateway("SCHEMA01", 200).await;
    let (_, devices) = lab.call("GET", "/api/v1/devices?fields=id", "").await;
    let device = devices["items"][0]["id"].as_str().unwrap().replace('%', "%25");
    let settings = lab.folder().join("schemathesis.toml");
    std::fs::write(&settings, stock(&lab, &device).await).unwrap();
    let bounded =
        ["--phases", "examples,coverage,fuzzing", "--max-examples", "4", "--max-time", "60"];
    let output = asked(&lab, &settings, "all", &bounded).await;
    assert!(output.status.success(), "{}", told(&output));
}
