//! Every command that the README and `docs/` print works: each `$ …` line of a
//! `console` block is run, in order, against a running server with one
//! simulated gateway.

mod conformance;

use std::path::{Path, PathBuf};
use std::process::Command;

use provost::simulate::{Blueprint, firmware_image};

use crate::lab::Lab;

/// The `$ …` lines of the `console` blocks, each with its line number.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            found.push((number + 1, command.to_owned()));
        }
    }
    found
}

/// The files that a page shows: `toml` blocks that begin with their name in a
/// remark.
fn files(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            inside = false;
            let name = lines.peek().and_then(|next| next.strip_prefix("# "));
            if line == "```toml"
                && let Some(name) = name.filter(|name| name.ends_with(".toml"))
            {
                found.push((name.to_owned(), String::new()));
                inside = true;
            }
        } else if inside && let Some((_, text)) = found.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    found
}

/// The pages, the README first.
fn pages() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = std::fs::read_dir(top.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "md"))
        .collect();
    pages.sort();
    pages.insert(0, top.join("README.md"));
    pages
}

/// The files that the commands name.
fn lay_out(folder: &Path) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::write(folder.join("gateway-2.0.0.bin"), firmware_image("2.0.0", 4096).unwrap())
        .unwrap();
    std::fs::write(folder.join("common.key"), "00".repeat(32)).unwrap();
    for name in ["plain.cfg", "F0V00X600000.cfg"] {
        std::fs::copy(fixtures.join("fanvil/common-x6.cfg"), folder.join(name)).unwrap();
    }
    std::fs::copy(fixtures.join("datamodels/acme.xml"), folder.join("vendor.xml")).unwrap();
    for name in ["massdeployment.conf", "rc.conf"] {
        std::fs::copy(fixtures.join("massdeploy").join(name), folder.join(name)).unwrap();
    }
    let campaign = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/campaigns/reboot.toml");
    std::fs::copy(campaign, folder.join("reboot.toml")).unwrap();
    let templates = folder.join("box/mnt/kd/phoneprov/templates");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::copy(fixtures.join("massdeploy/desk.conf"), templates.join("desk.conf")).unwrap();
    let mut cpe = provost::simulate::Cpe::new(
        Blueprint::device2("LAB0002", 40).unwrap(),
        provost::time::Timestamp::from_millis(1_800_000_000_000),
    );
    let provost::simulate::Action::Post(inform) =
        cpe.open_session(provost::time::Timestamp::from_millis(0))
    else {
        panic!("a session begins with an Inform");
    };
    std::fs::write(folder.join("inform.xml"), inform).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_printed_command_works() {
    let lab = Lab::start().await;
    // It comes by itself every second: the pages ask more of it than a device may
    // be woken for.
    let gateway = Blueprint::device2("LAB0001", 120).unwrap();
    let gateway = lab.run(gateway.with_diagnostics()).await;
    let folder = lab.folder().join("work");
    std::fs::create_dir(&folder).unwrap();
    lay_out(&folder);
    let binary = Path::new(env!("CARGO_BIN_EXE_provost")).parent().unwrap();
    let search = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut ran = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for (name, text) in files(&text) {
            std::fs::write(folder.join(name), text).unwrap();
        }
        for (line, command) in commands(&text) {
            gateway.change("Device.ManagementServer.PeriodicInformInterval", "1").await;
            let command = command
                .replace("127.0.0.1:7547", &lab.addresses().cwmp.unwrap().to_string())
                .replace("127.0.0.1:7557", &lab.addresses().northbound.unwrap().to_string())
                .replace("127.0.0.1:7548", &lab.addresses().cwmp_tls.unwrap().to_string());
            let shell = ["-ec", &command];
            let mut child = Command::new("sh");
            child
                .args(shell)
                .current_dir(&folder)
                .env("PATH", &search)
                .env("PROVOST_DATA", lab.data());
            let output =
                tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
            assert!(
                output.status.success(),
                "{}:{line}: {command}\n{}{}",
                page.display(),
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            );
            ran += 1;
        }
    }
    assert!(ran > 15, "only {ran} commands were found");
}
