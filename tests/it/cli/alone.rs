//! Commands that need no server.

use std::net::TcpListener;
use std::path::Path;

use provost::config::Config;

use super::provost;

#[tokio::test]
async fn mistakes_in_the_settings_end_in_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "[cwmp]\n\nlissen = '0.0.0.0:1'\n").unwrap();
    std::fs::write(folder.path().join("no.toml"), "[cwmp\n").unwrap();
    for (arguments, says) in [
        (vec!["--config", "bad.toml"], "bad.toml: line 3: unknown field `lissen`"),
        (vec!["--config", "no.toml"], "no.toml: line 1"),
        (vec!["--config", "absent.toml"], "absent.toml: No such file"),
        (vec!["--set", "cwmp.listen=nowhere"], "cwmp.listen=nowhere"),
        (vec!["--set", "cwmp.session_timeout=5"], "cwmp.session_timeout = 5: at least 30"),
        (vec!["--set", "invented.key=1"], "invented"),
        (vec!["--set", "cwmp"], "section.key=value"),
        (vec!["--set", "log.level=loud=very"], "log.level = loud=very"),
    ] {
        for command in ["check-config", "serve"] {
            let mut all = vec![command];
            all.extend(&arguments);
            let run = provost(folder.path(), &all, "").await;
            assert_eq!(run.code, 2, "{all:?}: {}", run.err);
            assert!(run.error().contains(says), "{all:?}: {}", run.err);
            assert!(run.out.is_empty());
        }
    }
    assert!(!folder.path().join("provost-data").exists(), "nothing was made");
}

#[tokio::test]
async fn a_taken_port_is_told_by_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let sets: Vec<String> = ["cwmp.tls_listen=off", "files.listen=off", "files.tls_listen=off"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("cwmp.listen={at}"), "northbound.listen=127.0.0.1:0".to_owned()])
        .collect();
    let mut arguments = vec!["serve", "--data", "data"];
    for set in &sets {
        arguments.extend(["--set", set]);
    }
    let run = provost(folder.path(), &arguments, "").await;
    assert_ne!(run.code, 0);
    assert!(run.error().contains(&at), "{}", run.err);
}

#[tokio::test]
async fn the_effective_settings_read_back() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), "[cwmp]\nauth = 'open'\n").unwrap();
    let arguments = [
        "print-config",
        "--config",
        "p.toml",
        "--set",
        "cwmp.listen=127.0.0.1:1",
        "--set",
        "cwmp.auth=device",
    ];
    let run = provost(folder.path(), &arguments, "").await;
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let config = Config::read("printed", &run.out, &[]).unwrap();
    assert_eq!(config.cwmp.listen.unwrap().to_string(), "127.0.0.1:1");
    assert_eq!(config.cwmp.auth, provost::config::AuthMode::Device);
    let json = provost(folder.path(), &["print-config", "--json"], "").await.json();
    assert_eq!(json["northbound"]["listen"], "127.0.0.1:7557");
}

#[tokio::test]
async fn every_example_configuration_is_sound() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(&examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.display().to_string();
        let run = provost(&examples, &["check-config", "--config", &name], "").await;
        assert_eq!(run.code, 0, "{}", run.err);
        let text = std::fs::read_to_string(&path).unwrap() + "\n[invented]\n";
        assert!(Config::read(&name, &text, &[]).is_err(), "{name}");
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}

#[tokio::test]
async fn wrong_usage_and_missing_servers_have_their_codes() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(provost(folder.path(), &["invented"], "").await.code, 2);
    assert_eq!(provost(folder.path(), &["--help"], "").await.code, 0);

    let none = provost(folder.path(), &["device", "list", "--data", "d"], "").await;
    assert_eq!(none.code, 7);
    assert!(none.error().contains("provost serve --data d"), "{}", none.err);

    // A server that was killed leaves the files behind.
    let data = folder.path().join("d");
    std::fs::create_dir(&data).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    std::fs::write(data.join("northbound.url"), format!("http://{free}\n")).unwrap();
    let no_token = provost(folder.path(), &["device", "list", "--data", "d"], "").await;
    assert_eq!(no_token.code, 4, "{}", no_token.err);
    assert!(no_token.error().contains("admin.token"));
    std::fs::write(data.join("admin.token"), "pv_x\n").unwrap();
    let gone = provost(folder.path(), &["device", "list", "--data", "d"], "").await;
    assert_eq!(gone.code, 7);
    let says = format!("no server answers at http://{free}");
    assert!(gone.error().starts_with(&says), "{}", gone.err);

    let tls = ["health", "--server", "https://127.0.0.1:1", "--token", "x"];
    assert_eq!(provost(folder.path(), &tls, "").await.code, 2);
}

#[tokio::test]
async fn a_backup_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let absent = provost(folder.path(), &["restore", "absent", "--data", "d"], "").await;
    assert_eq!(absent.code, 2);
    assert!(absent.error().contains("absent"), "{}", absent.err);
    std::fs::write(folder.path().join("rubbish"), "rubbish").unwrap();
    let rubbish = provost(folder.path(), &["restore", "rubbish", "--data", "d"], "").await;
    assert_ne!(rubbish.code, 0);
    assert!(!rubbish.error().is_empty());
}
