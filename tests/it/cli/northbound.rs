//! Commands against a northbound in this process.

use provost::device::{FaultRecord, Outcome, Task, TaskState};
use provost::param::{ParamPath, Tree, Value};
use provost::store::{Notice, Record};
use serde_json::json;

use super::{Run, provost};
use crate::api::{Rig, TOKEN, device, id};

/// Runs a command against the rig, with its data folder as `serve` would have
/// left it.
async fn run(rig: &Rig, arguments: &[&str], input: &str) -> Run {
    let data = rig.data.path();
    std::fs::write(data.join("northbound.url"), format!("http://{}\n", rig.address)).unwrap();
    std::fs::write(data.join("admin.token"), format!("{TOKEN}\n")).unwrap();
    let mut all = vec!["--data", data.to_str().unwrap()];
    all.extend(arguments);
    provost(data, &all, input).await
}

/// Ends the next task as a device's session would.
async fn end_next(rig: &Rig, outcome: Outcome) {
    let mut notices = rig.store.watch();
    loop {
        if let Notice::Task { id, ended: false, .. } = notices.recv().await.unwrap() {
            let mut task: Task = rig.store.task(id).await.unwrap().unwrap();
            task.revision += 1;
            task.notes.push("Device.X_A = 1".into());
            task.state = TaskState::Ended { at: task.created_at, outcome };
            return rig.put(Record::Task(Box::new(task))).await;
        }
    }
}

#[tokio::test]
async fn lists_are_tables_or_json() {
    let rig = Rig::open();
    rig.put_devices((0..120).map(|serial| device(&format!("{serial:03}")))).await;
    let table = run(&rig, &["device", "list"], "").await;
    assert_eq!(table.code, 0, "{}", table.err);
    assert!(table.out.starts_with("ID "), "{}", table.out);
    assert_eq!(table.out.lines().count(), 102, "heading, 100 devices, and that there are more");
    let all = run(&rig, &["device", "list", "--all", "--json"], "").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 120);
    assert_eq!(all["next"], json!(null));
    let found = run(&rig, &["device", "list", "--q", "HG-100-007", "--json"], "").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 0, "the id is encoded");
    let found = run(&rig, &["device", "list", "--q", "D100-007", "--json"], "").await.json();
    assert_eq!(found["items"][0]["id"], "00D09E-HG%2D100-007");
    let shown = run(&rig, &["device", "show", id("007").as_str(), "--json"], "").await.json();
    assert_eq!(shown["serial_number"], "007");
    let missing = run(&rig, &["device", "show", "00D09E-1"], "").await;
    assert_eq!(missing.code, 3);
    assert!(missing.error().contains("there is no device 00D09E-1"), "{}", missing.err);
}

#[tokio::test]
async fn a_redirect_is_asked_for_and_shown() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let (id, url) = (id("1").to_string(), "https://acs.other.example:7548/");
    let command = ["device", "redirect", &id, url, "--status", "302", "--no-wait"];
    let queued = run(&rig, &command, "").await;
    assert_eq!(queued.code, 0, "{}", queued.err);
    let shown = run(&rig, &["task", "list", "--state", "open", "--json"], "").await.json();
    let task = &shown["items"][0];
    assert_eq!((&task["action"], &task["url"]), (&json!("redirect"), &json!(url)));
    assert_eq!(task["status"], 302);
    for wrong in ["http://user@acs.other.example/", "acs.other.example", "ftp://acs.other.example/"]
    {
        let refused = run(&rig, &["device", "redirect", &id, wrong, "--no-wait"], "").await;
        assert_eq!(refused.code, 2, "{wrong}");
        assert!(refused.error().contains("url"), "{}", refused.err);
    }
}

#[tokio::test]
async fn set_waits_for_the_outcome_and_exits_by_it() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let id = id("1").to_string();
    let command = ["device", "set", &id, "Device.X_A=1", "Device.X_B=a=b"];
    let (applied, ()) = tokio::join!(run(&rig, &command, ""), end_next(&rig, Outcome::Applied));
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert!(applied.out.starts_with("set applied (task "), "{}", applied.out);
    assert!(applied.out.contains("\n  Device.X_A = 1\n"), "{}", applied.out);
    let task = rig.store.tasks(None, None, 1).await.unwrap().pop().unwrap();
    let provost::device::Action::Set(values) = task.action else { panic!("{task:?}") };
    assert_eq!(&*values[1].1.text, "a=b");

    let fault = FaultRecord { code: 9008, text: "not writable".into(), parameters: Vec::new() };
    let json = ["device", "set", &id, "Device.X_A=1", "--json"];
    let (failed, ()) = tokio::join!(run(&rig, &json, ""), end_next(&rig, Outcome::Failed(fault)));
    assert_eq!(failed.code, 6);
    assert_eq!(failed.json()["fault"]["code"], 9008);
    assert!(failed.error().ends_with("failed; 9008 not writable"), "{}", failed.err);

    let open = run(&rig, &["device", "reboot", &id, "--wait", "1"], "").await;
    assert_eq!(open.code, 7);
    assert!(open.error().contains("provost task wait"), "{}", open.err);
    let queued = run(&rig, &["device", "reboot", &id, "--no-wait"], "").await;
    assert_eq!(queued.code, 0, "{}", queued.err);
    let refused = run(&rig, &["device", "set", &id, "Device.=1"], "").await;
    assert_eq!(refused.code, 2);
    assert!(refused.error().contains("values[0].name"), "{}", refused.err);

    let open = run(&rig, &["task", "list", "--state", "open", "--json"], "").await.json();
    assert_eq!(open["items"].as_array().unwrap().len(), 2);
    let task = open["items"][0]["id"].as_str().unwrap();
    assert_eq!(run(&rig, &["task", "cancel", task], "").await.code, 0);
    assert_eq!(run(&rig, &["task", "cancel", task], "").await.code, 5);
    assert_eq!(run(&rig, &["task", "wait", task], "").await.code, 6, "it was cancelled");
    let shown = run(&rig, &["task", "show", task, "--json"], "").await.json();
    assert_eq!(shown["state"], "cancelled");
}

#[tokio::test]
async fn get_prints_what_the_device_said() {
    let rig = Rig::open();
    let known = device("1");
    let mut tree = Tree::new();
    for (name, value) in [("Device.X_A", "seven"), ("Device.X_AY", "other")] {
        let name = ParamPath::parse(name).unwrap();
        tree.learn_value(&name, Value::string(value), known.first_seen);
    }
    rig.put_devices([known]).await;
    rig.put(Record::Tree(id("1"), tree.into())).await;
    let id = id("1").to_string();
    let command = ["device", "get", &id, "Device.X_A"];
    let (told, ()) = tokio::join!(run(&rig, &command, ""), end_next(&rig, Outcome::Applied));
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("seven") && !told.out.contains("other"), "{}", told.out);
    let command = ["device", "get", &id, "Device.X_A", "--json"];
    let (told, ()) = tokio::join!(run(&rig, &command, ""), end_next(&rig, Outcome::Applied));
    assert_eq!(told.json()["parameters"][0]["value"], "seven");
    let fault = FaultRecord { code: 9005, text: "no".into(), parameters: Vec::new() };
    let (failed, ()) =
        tokio::join!(run(&rig, &command, ""), end_next(&rig, Outcome::Failed(fault)));
    assert_eq!(failed.code, 6, "{}", failed.err);
}

#[tokio::test]
async fn what_devices_say_cannot_steer_the_terminal() {
    let rig = Rig::open();
    let evil = device("1");
    let mut tree = Tree::new();
    let name = ParamPath::parse("Device.X_A.Name").unwrap();
    tree.learn_value(&name, Value::string("\u{1b}]0;owned\u{7}\u{9b}2J"), evil.first_seen);
    rig.put_devices([evil]).await;
    rig.put(Record::Tree(id("1"), tree.into())).await;
    let shown = run(&rig, &["device", "parameters", id("1").as_str()], "").await;
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("owned"));
    assert!(!shown.out.chars().any(|letter| letter.is_control() && letter != '\n'));
}

#[tokio::test]
async fn files_go_up_and_are_named_by_name() {
    let rig = Rig::open();
    rig.put_devices([device("1")]).await;
    let path = rig.data.path().join("fw 2.bin");
    std::fs::write(&path, vec![1; 2_000_000]).unwrap();
    let add = ["file", "add", path.to_str().unwrap(), "--version", "2.0", "--json"];
    let added = run(&rig, &add, "").await.json();
    assert_eq!(added["name"], "fw 2.bin");
    assert_eq!(added["size"], 2_000_000);
    let download = ["device", "download", id("1").as_str(), "fw 2.bin", "--no-wait", "--json"]
        .map(str::to_owned);
    let download: Vec<&str> = download.iter().map(String::as_str).collect();
    let task = run(&rig, &download, "").await.json();
    assert_eq!(task["file"]["sha256"], added["sha256"]);
    let list = run(&rig, &["file", "list"], "").await;
    assert!(list.out.contains("fw 2.bin"), "{}", list.out);
    assert_eq!(run(&rig, &["file", "remove", "fw 2.bin"], "").await.code, 0);
    assert_eq!(run(&rig, &["file", "remove", "fw 2.bin"], "").await.code, 2);
    let absent = run(&rig, &["file", "add", "/absent"], "").await;
    assert_eq!(absent.code, 2);
    assert!(absent.error().contains("/absent"), "{}", absent.err);
}

#[tokio::test]
async fn phones_are_added_and_secrets_come_from_stdin() {
    let rig = Rig::open();
    let mac = "0c:38:3e:07:e1:6c";
    let key = "ab".repeat(32);
    let added = run(&rig, &["phone", "add", mac, "--model", "X4", "--config-key", "-"], &key).await;
    assert_eq!(added.code, 0, "{}", added.err);
    let account =
        ["phone", "account", mac, "1", "--user", "20", "--sip-server", "pbx", "--password", "-"];
    let set = run(&rig, &account, "s3cret\n").await;
    assert_eq!(set.code, 0, "{}", set.err);
    assert!(!set.out.contains("s3cret") && !set.out.contains(&key), "{}", set.out);
    let phone = rig.store.phone(mac.parse().unwrap()).await.unwrap().unwrap();
    let password = rig.vault.unseal(&phone.accounts[0].password).unwrap();
    assert_eq!(password.expose(), "s3cret");
    assert_eq!(rig.vault.unseal(&phone.config_key.unwrap()).unwrap().expose(), key);
    let url = run(&rig, &["phone", "url", mac], "").await;
    assert!(url.out.starts_with("http://phones.example.net/p/"), "{}", url.out);
    let site =
        ["site", "set", "hq", "--setting", "SIP/Register Addr=pbx", "--plain-secrets", "true"];
    assert_eq!(run(&rig, &site, "").await.code, 0);
    let shown = run(&rig, &["site", "show", "hq", "--json"], "").await.json();
    assert_eq!(shown["settings"], json!({"SIP/Register Addr": "pbx"}));
    assert_eq!(shown["plain_secrets"], true);
    assert!(run(&rig, &["phone", "list"], "").await.out.contains("0c383e07e16c"));
    assert_eq!(run(&rig, &["phone", "remove", mac], "").await.code, 0);
}

#[tokio::test]
async fn the_server_is_asked_for_health_and_backups() {
    let rig = Rig::open();
    let health = run(&rig, &["health", "--json"], "").await.json();
    assert_eq!(health["status"], "ok");
    let backup = run(&rig, &["backup", "--json"], "").await.json();
    let file = rig.data.path().join("backups").join(backup["name"].as_str().unwrap());
    let restored = tempfile::tempdir().unwrap();
    let into = restored.path().join("d");
    let restore = ["restore", file.to_str().unwrap(), "--data", into.to_str().unwrap()];
    let done = provost(restored.path(), &restore, "").await;
    assert_eq!(done.code, 0, "{}", done.err);
    let again = provost(restored.path(), &restore, "").await;
    assert_eq!(again.code, 5, "{}", again.err);
    let wrong = run(&rig, &["health", "--token", "pv_wrong"], "").await;
    assert_eq!(wrong.code, 4);
    assert!(wrong.error().contains("bearer token"), "{}", wrong.err);
}

#[tokio::test]
async fn phones_are_imported_rendered_compared_and_exported() {
    let rig = Rig::open();
    let table = rig.data.path().join("phones.csv");
    let text = "mac,model,line1_user,line1_server,line1_password\n\
                0c383e000001,X4,20,pbx,s3cret-1\n0c383e000002,X4,21,pbx,s3cret-2\n";
    std::fs::write(&table, text).unwrap();
    let file = table.to_str().unwrap();
    let dry = run(&rig, &["phone", "import", file, "--dry-run"], "").await;
    assert_eq!(dry.out, "would be new 2, would be changed 0, unchanged 0\n", "{}", dry.err);
    let done = run(&rig, &["phone", "import", file], "").await;
    assert_eq!((done.code, &*done.out), (0, "new 2, changed 0, unchanged 0\n"), "{}", done.err);

    let shown = run(&rig, &["phone", "render", "0c383e000001"], "").await;
    assert!(shown.out.contains("***") && !shown.out.contains("s3cret"), "{}", shown.out);
    let clear = run(&rig, &["phone", "render", "0c383e000001", "--secrets"], "").await;
    assert!(clear.out.contains("s3cret-1"), "{}", clear.out);
    let plain = ["phone", "render", "0c383e000001", "--secrets", "--door", "http"];
    assert!(!run(&rig, &plain, "").await.out.contains("s3cret-1"), "not over plain HTTP");
    let diff = ["phone", "diff", "0c383e000001", "--setting", "SIP/X=7"];
    let diff = run(&rig, &diff, "").await;
    assert!(diff.out.contains("\n+X") && diff.out.contains(":7\n"), "{}", diff.out);
    let other = ["phone", "diff", "0c383e000001", "--against", "0c383e000002"];
    let other = run(&rig, &other, "").await;
    assert!(other.out.starts_with("--- ") && !other.out.contains("s3cret"), "{}", other.out);
    let same = run(&rig, &["phone", "diff", "0c383e000001"], "").await;
    assert_eq!(same.out, "nothing differs\n");
    let files = run(&rig, &["phone", "files", "0c383e000001"], "").await;
    assert!(files.out.contains("0c383e000001.cfg") && files.out.contains("own"), "{}", files.out);

    let out = rig.data.path().join("out.csv");
    let export = ["phone", "export", out.to_str().unwrap(), "--secrets"];
    assert_eq!(run(&rig, &export, "").await.code, 0);
    assert!(std::fs::read_to_string(&out).unwrap().contains("s3cret-2"));
    let export = run(&rig, &["phone", "export", "--format", "json"], "").await;
    assert_eq!(export.json().as_array().map(Vec::len), Some(2));

    std::fs::write(&table, "mac,model\nx,X4\n0c383e000003,\n").unwrap();
    let refused = run(&rig, &["phone", "import", file], "").await;
    assert_eq!(refused.code, 2);
    assert!(refused.out.starts_with("line 2, mac: a MAC"), "{}", refused.out);
    assert!(refused.out.contains("\nline 3, model: "), "{}", refused.out);
    assert!(refused.error().ends_with("nothing was imported"), "{}", refused.err);
    let untold = run(&rig, &["phone", "resync", "0c383e000001"], "").await;
    assert_eq!(untold.code, 6, "{}", untold.err);
    assert!(untold.error().contains("never seen"), "{}", untold.err);
}

#[tokio::test]
async fn keys_layers_and_sites_have_commands() {
    let rig = Rig::open();
    let mac = "0c383e000001";
    for command in [
        &[
            "site",
            "set",
            "hq",
            "--tenant",
            "acme",
            "--tokenless",
            "true",
            "--allow",
            "10.0.0.0/8",
            "--login",
            "phones=-",
        ][..],
        &[
            "phone",
            "add",
            mac,
            "--model",
            "X4",
            "--site",
            "hq",
            "--name",
            "lobby.cfg",
            "--enabled",
            "true",
        ],
        &["phone", "key", mac, "1", "--kind", "blf", "--value", "21", "--label", "Anna"],
        &[
            "phone",
            "account",
            mac,
            "1",
            "--user",
            "20",
            "--sip-server",
            "pbx",
            "--transport",
            "tls",
        ],
        &["phone", "unlock", mac],
        &["phone", "fetches", mac],
        &["phone", "token", mac],
        &["site", "url", "hq"],
        &["layer", "set", "tenant/acme", "--setting", "provost:vlan=5"],
        &["layer", "set", "model/fanvil/X6U Pro", "--setting", "SIP/X=1"],
        &["layer", "list"],
        &["layer", "show", "model/fanvil/X6U Pro"],
        &["layer", "remove", "tenant/acme"],
    ] {
        let ran = run(&rig, command, "pa55\n").await;
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.err);
        assert!(!ran.out.contains("pa55"), "{}", ran.out);
    }
    let site = rig.store.site("hq").await.unwrap().unwrap();
    assert_eq!(rig.vault.unseal(&site.access.logins[0].password).unwrap().expose(), "pa55");
    let book = rig.data.path().join("book.csv");
    std::fs::write(&book, "number,name\n20,Anna\n21,\"Berg, Carl\"\n").unwrap();
    let set = run(&rig, &["site", "contacts", "hq", book.to_str().unwrap()], "").await;
    assert_eq!(set.out, "the phone book of hq has 2 entries\n", "{}", set.err);
    let phone = run(&rig, &["phone", "show", mac, "--json"], "").await.json();
    assert_eq!(phone["keys"][0]["label"], "Anna");
    assert_eq!(phone["accounts"][0]["port"], 5061);
    assert_eq!(run(&rig, &["phone", "key", mac, "1", "--remove"], "").await.code, 0);
    assert_eq!(run(&rig, &["phone", "account", mac, "1", "--remove"], "").await.code, 0);
    assert_eq!(run(&rig, &["phone", "list", "--site", "hq"], "").await.out.lines().count(), 2);
    assert_eq!(run(&rig, &["site", "remove", "hq"], "").await.code, 5);
    assert_eq!(run(&rig, &["layer", "show", "tenant/acme"], "").await.code, 3);
    assert_eq!(run(&rig, &["layer", "show", "nonsense"], "").await.code, 3);
}

#[tokio::test]
async fn tokens_users_and_tenants_are_managed_by_commands() {
    let rig = Rig::open();
    let done = async |arguments: &[&str]| {
        let ran = run(&rig, arguments, "").await;
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran
    };
    done(&["tenant", "put", "acme", "--title", "Acme"]).await;
    done(&["user", "put", "ann@acme", "--role", "operator"]).await;
    let draft = ["token", "create", "laptop", "--role", "agent", "--user", "ann@acme"];
    let made = done(&draft).await;
    let text = made.out.trim();
    assert!(text.starts_with("pv_") && !text.contains(char::is_whitespace), "{text}");
    assert!(!made.err.contains(text) && made.err.contains("shown once"), "{}", made.err);
    let me = done(&["whoami", "--json", "--token", text]).await.json();
    assert_eq!((&me["name"], &me["tenant"]), (&json!("ann@acme"), &json!("acme")));
    let denied = run(&rig, &["token", "list", "--token", text], "").await;
    assert_eq!(denied.code, 4, "{}", denied.err);
    assert!(denied.error().contains("tokens:write"), "{}", denied.err);
    let id = me["token"].as_str().unwrap();
    let rotated = done(&["token", "rotate", id]).await;
    let second = rotated.out.trim();
    assert_eq!(run(&rig, &["whoami", "--token", text], "").await.code, 4);
    done(&["whoami", "--token", second]).await;
    done(&["token", "change", id, "--right", "own", "--name", "old laptop"]).await;
    let me = done(&["whoami", "--json", "--token", second]).await.json();
    assert_eq!(me["rights"], json!(["own"]));
    assert_eq!(run(&rig, &["user", "disable", "nobody"], "").await.code, 3);
    done(&["user", "disable", "ann@acme"]).await;
    assert_eq!(run(&rig, &["whoami", "--token", second], "").await.code, 4);
    done(&["user", "enable", "ann@acme"]).await;
    done(&["token", "revoke", id]).await;
    let list = done(&["token", "list"]).await.out;
    assert!(list.contains("old laptop") && list.contains("revoked"), "{list}");
    let in_use = run(&rig, &["tenant", "delete", "acme"], "").await;
    assert_eq!(in_use.code, 5, "{}", in_use.err);
    done(&["user", "delete", "ann@acme"]).await;
    done(&["token", "delete", id]).await;
    done(&["tenant", "delete", "acme"]).await;
    assert!(!done(&["user", "list"]).await.out.contains("ann"));
    assert!(!done(&["tenant", "list"]).await.out.contains("acme"));
    let soon = ["token", "create", "x", "--expires", "12"];
    assert_eq!(run(&rig, &soon, "").await.code, 2);
}

#[tokio::test]
async fn what_a_tenant_is_to_own_is_made_for_it() {
    let rig = Rig::open();
    rig.put_devices(["1", "2", "3"].map(device)).await;
    assert_eq!(run(&rig, &["tenant", "put", "acme"], "").await.code, 0);
    let labelled = run(&rig, &["device", "label", id("1").as_str(), "--tenant", "acme"], "").await;
    assert_eq!(labelled.code, 0, "{}", labelled.err);
    let text = r#"{"name": "c", "target": {"match": "true"}, "action": {"reboot": {}}}"#;
    let made = async |words: &[&str]| {
        let words = [&["campaign"], words, &["-", "--json"]].concat();
        run(&rig, &words, text).await.json()
    };
    assert_eq!(made(&["plan"]).await["devices"], 3);
    assert_eq!(made(&["plan", "--tenant", "acme"]).await["devices"], 1);
    let own = made(&["create", "--tenant", "acme"]).await;
    assert_eq!((&own["tenant"], &own["devices"]), (&json!("acme"), &json!(1)));
    let path = rig.data.path().join("fw.bin");
    std::fs::write(&path, b"firmware").unwrap();
    let add = ["file", "add", path.to_str().unwrap(), "--tenant", "acme", "--json"];
    assert_eq!(run(&rig, &add, "").await.json()["tenants"], json!(["acme"]));
}
