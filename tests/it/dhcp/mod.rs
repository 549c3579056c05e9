//! What Provost writes for DHCP servers, served by the real ones to a phone of
//! each vendor across a cable, and explained.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::lab::{Lab, net::Net};

/// Phones that are known, at the site `hq`.
const KNOWN: [(&str, &str, &str); 3] = [
    ("0c383e07e16c", "fanvil", "X6"),
    ("000fd3000001", "digium", "D65"),
    ("00908f000001", "audiocodes", "450HD"),
];

/// A server that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A lab with the site and its phones.
async fn lab() -> Lab {
    let lab = Lab::with(&["files.public_url=http://10.99.0.1:7567"]).await;
    assert_eq!(lab.call("PUT", "/api/v1/sites/hq", "{}").await.0, 201);
    for (mac, vendor, model) in KNOWN {
        let body = format!(r#"{{"vendor": "{vendor}", "model": "{model}", "site": "hq"}}"#);
        let (status, answer) = lab.call("PUT", &format!("/api/v1/phones/{mac}"), &body).await;
        assert_eq!(status, 201, "{answer}");
    }
    lab
}

/// What `provost dhcp` writes for a server.
fn written(lab: &Lab, server: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provost"));
    command.arg("--data").arg(lab.data()).args(["dhcp", "--for", server, "--site", "hq"]);
    command.args(["--acs", "http://10.99.0.1:7547/", "--provisioning-code", "site-1"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Asks as a phone would; the URLs that it forms by their roles.
fn probe(net: &Net, vendor: &str, model: &str, mac: &str, class: &str) -> Vec<(String, String)> {
    let mut command = Net::command(&net.phone(), env!("CARGO_BIN_EXE_provost"));
    command.args(["dhcp", "probe", "--interface", &net.phone_interface(), "--mac", mac, "--json"]);
    command.args(["--vendor-class", class, "--model", model]);
    if !vendor.is_empty() {
        command.args(["--vendor", vendor]);
    }
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{vendor} {class}: {error}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let urls = answer["urls"].as_array().unwrap().iter();
    urls.map(|formed| (text(&formed["role"]), text(&formed["url"]))).collect()
}

/// Starts a DHCP server in the server's namespace.
fn start(lab: &Lab, net: &Net, program: &str, arguments: &[&str]) -> Running {
    let mut command = Net::command(&net.server(), program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("KEA_PIDFILE_DIR", lab.folder()).env("KEA_LOCKFILE_DIR", "none");
    Running(command.spawn().unwrap())
}

/// Every phone is told its own folder, others of its vendor the site's, and a
/// device under TR-069 its ACS.
async fn all_are_told(lab: &Lab, net: &Net) {
    let (_, site) = lab.call("GET", "/api/v1/sites/hq/url", "").await;
    let site = site["url"].as_str().unwrap().to_owned();
    let mut own = Vec::new();
    for (mac, ..) in KNOWN {
        let (_, answer) = lab.call("GET", &format!("/api/v1/phones/{mac}/url"), "").await;
        own.push(answer["url"].as_str().unwrap().to_owned());
    }
    for (vendor, model, mac, class, folder) in [
        ("fanvil", "X6", "0c383e07e16c", "", &own[0]),
        ("fanvil", "X6", "0c383e000099", "Fanvil X6", &site),
        ("fanvil", "X6", "00a859000099", "", &site),
        ("digium", "D65", "000fd3000001", "digium_D65_2_9_27", &own[1]),
        ("digium", "D65", "020000000001", "digium_D65_2_9_27", &site),
        ("audiocodes", "450HD", "00908f000001", "450HD", &own[2]),
        ("audiocodes", "450HD", "00908f000099", "450HD", &site),
    ] {
        let urls = probe(net, vendor, model, mac, class);
        assert!(!urls.is_empty(), "{vendor} {mac} is told nothing");
        for (role, url) in urls {
            assert!(url.starts_with(&**folder), "{vendor} {mac}: {role} {url}, not in {folder}");
        }
    }
    let acs = [("acs".to_owned(), "http://10.99.0.1:7547/".to_owned())];
    assert_eq!(probe(net, "", "", "020000000002", "dslforum.org"), acs);
    assert_eq!(probe(net, "astlinux", "", "020000000003", "other"), [], "it is nobody's phone");
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn dnsmasq_serves_what_was_written() {
    let (lab, net) = (lab().await, Net::new());
    let part = write(lab.folder(), "provost.conf", &written(&lab, "dnsmasq"));
    let text = format!(
        "port=0\ninterface={}\nbind-interfaces\ndhcp-range=10.99.0.50,10.99.0.99,1h\n\
         dhcp-leasefile=/dev/null\nconf-file={part}\n",
        net.server_interface()
    );
    let file = write(lab.folder(), "dnsmasq.conf", &text);
    let _running = start(&lab, &net, "dnsmasq", &["-C", &file, "-d", "--pid-file=", "--user=root"]);
    all_are_told(&lab, &net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn isc_dhcpd_serves_what_was_written() {
    let (lab, net) = (lab().await, Net::new());
    let part = write(lab.folder(), "provost.conf", &written(&lab, "isc"));
    let text = format!(
        "authoritative;\ninclude \"{part}\";\n\
         subnet 10.99.0.0 netmask 255.255.255.0 {{ range 10.99.0.50 10.99.0.99; }}\n"
    );
    let file = write(lab.folder(), "dhcpd.conf", &text);
    let leases = write(lab.folder(), "leases", "");
    let pid = lab.folder().join("dhcpd.pid").to_str().unwrap().to_owned();
    let interface = net.server_interface();
    let arguments = ["-4", "-f", "-d", "-cf", &file, "-lf", &leases, "-pf", &pid, &interface];
    let _running = start(&lab, &net, "dhcpd", &arguments);
    all_are_told(&lab, &net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kea_serves_what_was_written() {
    let (lab, net) = (lab().await, Net::new());
    let mut part: Value = serde_json::from_str(&written(&lab, "kea")).unwrap();
    let frame = serde_json::json!({
        "interfaces-config": {"interfaces": [net.server_interface()]},
        "lease-database": {"type": "memfile", "persist": false},
        "subnet4": [{
            "id": 1,
            "subnet": "10.99.0.0/24",
            "pools": [{"pool": "10.99.0.50-10.99.0.99"}],
        }],
    });
    let whole = part["Dhcp4"].as_object_mut().unwrap();
    whole.extend(frame.as_object().unwrap().clone());
    let file = write(lab.folder(), "kea.json", &part.to_string());
    let _running = start(&lab, &net, "kea-dhcp4", &["-c", &file]);
    all_are_told(&lab, &net).await;
}
