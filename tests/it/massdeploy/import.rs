//! A mass deployment taken over as phones: what Provost would serve is what the
//! command writes.

use std::collections::BTreeMap;

use provost::provision::astlinux::{Server, Template, import};

use super::{Box, DESK, done};
use crate::lab::{Lab, PATIENCE};

#[test]
fn an_imported_phones_file_is_the_one_that_is_written() {
    let system = Box::new(&[("desk", DESK)]);
    let mass = "desk 00:15:65:00:00:01 21/Ann;22 s&1|x\ndesk 00:15:65:00:00:02 23 s2 acc\n";
    system.deploy(mass, "").is(0, &done(2), "");
    let templates = BTreeMap::from([("desk".into(), Template::parse(DESK.as_bytes()).unwrap())]);
    let phones = import(mass.as_bytes(), &templates, &Server::new("192.168.7.1")).unwrap();
    assert_eq!(phones.len(), 2);
    for phone in phones {
        let file = phone.file.unwrap();
        assert_eq!(file.body, system.read(&format!("phoneprov/{}", file.path)).into_bytes());
    }
}

/// The phones of `docs/ASTLINUX.md`, byte for byte.
#[test]
fn the_documented_example() {
    let fixture = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/massdeploy");
        std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
    };
    let system = Box::new(&[("desk", &fixture("desk.conf"))]);
    let mass = fixture("massdeployment.conf").replace("Front_Desk", "Front_Desk hush");
    system.deploy(&mass, "-i INT2IF").is(0, &done(2), "");
    for (made, golden) in [
        ("phoneprov/desk/001565224412.cfg", "001565224412.cfg"),
        ("phoneprov/desk/001565224423.cfg", "001565224423.cfg"),
        ("asterisk/includes/astlinux-phoneprov-exten.conf", "exten.conf"),
        ("asterisk/includes/astlinux-phoneprov-sip.conf", "sip.conf"),
    ] {
        assert_eq!(system.read(made), fixture(&format!("golden/{golden}")), "{made}");
    }
    assert_eq!(system.rows().unwrap().join("\n") + "\n", fixture("golden/phoneprov.txt"));
}

#[test]
fn phones_are_listed_for_an_import() {
    let system = Box::new(&[("desk", DESK)]);
    system.write("mass.conf", "desk 00:15:65:00:00:0A 21/Ann<5>;22 s&1|x;p2 ;acc2\n");
    let run = system.run("massdeploy", "--list-phones mass.conf");
    assert_eq!((run.code, &*run.err), (0, ""));
    let phones: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let expected = serde_json::json!([{
        "mac": "00156500000a",
        "vendor": "astlinux",
        "model": "d9",
        "template": "desk",
        "names": ["desk/00156500000A.cfg"],
        "accounts": [
            {"line": 1, "user": "21", "auth_user": "21", "password": "s&1|x",
             "display_name": "Ann", "server": "192.168.7.1"},
            {"line": 2, "user": "22", "auth_user": "acc2", "password": "p2",
             "display_name": "22", "server": "192.168.7.1"},
        ],
        "settings": {"mac_addr": "00:15:65:00:00:0A", "cid_num/1": "5"},
    }]);
    assert_eq!(phones, expected);
    assert!(!system.has("phoneprov/desk") && !system.has("asterisk"), "nothing is written");
    system.write("mass.conf", "desk 00:15:65:00:00:01 21 s\ndesk 00:15:65:00:00:01 22 s\n");
    let told = "phoneprov-massdeployment: line 2: the same phone or file as line 1\n";
    system.run("massdeploy", "--list-phones mass.conf").is(1, "", told);
}

/// A mass deployment becomes phones, and each is served by Provost what
/// `massdeploy` would have written for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn provost_serves_what_a_deployment_would_write() {
    let lab = Lab::start().await;
    let system = Box::new(&[("desk", DESK)]);
    let mass = "desk 00:15:65:00:00:0A 21/Ann;22 s&1|x;p2 ;acc2\ndesk 00:15:65:00:00:02 23 s2\n";
    system.deploy(mass, "").is(0, &done(2), "");
    let templates = lab.data().join("templates/astlinux");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(templates.join("desk.conf"), DESK).unwrap();
    let hang_up = ["-HUP", &lab.pid().to_string()];
    assert!(std::process::Command::new("kill").args(hang_up).status().unwrap().success());

    let phones = system.run("massdeploy", "--list-phones mass.conf").out;
    // The templates are read in the background.
    let import = async {
        loop {
            let (status, told) =
                lab.call("POST", "/api/v1/phones/import?format=json", &phones).await;
            if status == 200 {
                return told;
            }
            assert!(told.to_string().contains("template"), "{told}");
        }
    };
    let told = tokio::time::timeout(PATIENCE, import).await.unwrap();
    assert_eq!(told["new"], 2, "{told}");

    let at = lab.addresses().files_tls.unwrap();
    let ca = lab.data().join("tls/ca.pem");
    for (mac, path) in
        [("00156500000a", "desk/00156500000A.cfg"), ("001565000002", "desk/001565000002.cfg")]
    {
        let (_, told) = lab.call("GET", &format!("/api/v1/phones/{mac}/url"), "").await;
        let url = told["url"].as_str().unwrap_or_else(|| panic!("no URL in {told}"));
        let (_, folder) = url.split_once("//").unwrap().1.split_once('/').unwrap();
        for name in [path.to_owned(), format!("{mac}.cfg")] {
            let url = format!("https://{at}/{}/{name}", folder.trim_end_matches('/'));
            let mut curl = tokio::process::Command::new("curl");
            curl.args(["-sSf", "--noproxy", "*", "--max-time", "30", "--cacert"])
                .arg(&ca)
                .arg(&url);
            let got = curl.output().await.expect("curl is needed for this test: apt install curl");
            let (told, got) = (String::from_utf8_lossy(&got.stderr), &got.stdout);
            let written = system.read(&format!("phoneprov/{path}"));
            assert_eq!(String::from_utf8_lossy(got), written, "{url}: {told}");
        }
    }
}
