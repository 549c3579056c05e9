//! The door for files from devices, mostly as curl sends them.

use std::sync::Arc;
use std::time::Duration;

use provost::device::{Action, DeviceId, Outcome, Phase, Task, TaskId, TaskState, UploadWish};
use provost::files::Link;
use provost::store::{FileRecord, Record, upload_of};
use provost::time::Clock as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::phones::rig::{MAX_UPLOAD, Rig, curl, raw};

/// What a device sends, with its SHA-256.
const CONFIG: &str = "[wan]\nmtu=1492\n";
const HASH: &str = "aa190dde2bcc2e67ee6df2bfc2783cecd4eb6bad3b5ad8da74ed6da85ff99192";

const TASK: TaskId = TaskId(0x018f_0b1c_2d3e_7f40_8123_4567_89ab_cdef);

fn device() -> DeviceId {
    DeviceId::parse("00D09E-HG100-0001").unwrap()
}

async fn put_task(rig: &Rig, id: TaskId, state: TaskState) {
    let task = Task {
        id,
        device: device(),
        revision: 1,
        action: Action::Upload(UploadWish {
            file_type: "3 Vendor Configuration File 1".into(),
            delay_seconds: 0,
        }),
        created_at: rig.clock.now(),
        created_by: "test".into(),
        expires_at: rig.clock.now().after(Duration::from_secs(3600)),
        state,
        notes: Vec::new(),
        results: Vec::new(),
    };
    rig.put(Record::Task(Box::new(task))).await;
}

fn sent(rig: &Rig) -> TaskState {
    TaskState::Sent { at: rig.clock.now(), phase: Phase::Transfer }
}

/// A door at which one task waits for a file, and its link.
async fn waiting() -> (Rig, Link) {
    let rig = Rig::open().await;
    put_task(&rig, TASK, sent(&rig)).await;
    let link = rig.upload_link(TASK, Duration::from_secs(60));
    (rig, link)
}

fn login(link: &Link) -> String {
    format!("{}:{}", link.username, link.password.expose())
}

fn basic(link: &Link) -> String {
    let engine = base64::engine::general_purpose::STANDARD;
    format!("Authorization: Basic {}", base64::Engine::encode(&engine, login(link)))
}

/// The status of a `PUT` of these bytes by curl, with further arguments.
async fn put(rig: &Rig, link: &Link, path: &str, content: &[u8], more: &[&str]) -> String {
    let file = rig.data.path().join("sent");
    std::fs::write(&file, content).unwrap();
    let (login, url) = (login(link), rig.url(path));
    let mut arguments = vec!["-T", file.to_str().unwrap(), "-u", &login, "-o", "/dev/null"];
    arguments.extend_from_slice(&["-w", "%{http_code}"]);
    arguments.extend_from_slice(more);
    arguments.push(&url);
    curl(&arguments).await
}

async fn recorded(rig: &Rig) -> Option<FileRecord> {
    let sha256 = rig.store.setting(&upload_of(TASK)).await.unwrap()?;
    rig.store.file(std::str::from_utf8(&sha256).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_sends_a_file_in_every_way_that_devices_do() {
    for more in [
        &["--basic"][..],
        &["--digest"],
        &["--anyauth"],
        &["--http1.0", "--basic"],
        &["--http1.0", "--anyauth"],
        &["-H", "Transfer-Encoding: chunked"],
        &["-H", "Transfer-Encoding: chunked", "--anyauth"],
        &["-H", "Expect: 100-continue", "--anyauth"],
        &["-H", "Expect:", "--anyauth"],
        &["-X", "POST", "--digest"],
    ] {
        let (rig, link) = waiting().await;
        assert_eq!(put(&rig, &link, &link.path, CONFIG.as_bytes(), more).await, "201", "{more:?}");
        let file = recorded(&rig).await.unwrap();
        assert_eq!(&*file.sha256, HASH);
        assert_eq!(file.size, CONFIG.len() as u64);
        assert_eq!(&*file.file_type, "3 Vendor Configuration File 1");
        assert_eq!(file.from, Some((device(), TASK)));
        let kept = std::fs::read(rig.shelf.path_of(HASH).unwrap()).unwrap();
        assert_eq!(kept, CONFIG.as_bytes(), "{more:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_pushes_the_file_before_it_is_asked_hears_the_challenge() {
    let (rig, link) = waiting().await;
    // No Expect: the whole file is under way before the 401 can be read.
    let file = rig.data.path().join("sent");
    std::fs::write(&file, vec![b'x'; 2 << 20]).unwrap();
    let url = rig.url(&link.path);
    let got = curl(&["-T", file.to_str().unwrap(), "-H", "Expect:", "-D", "-", &url]).await;
    assert!(got.starts_with("HTTP/1.1 401"), "{got}");
    assert_eq!(got.to_lowercase().matches("www-authenticate: ").count(), 3, "{got}");
    assert!(recorded(&rig).await.is_none());
    assert_eq!(rig.shelf.used(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_link_takes_one_file() {
    let (rig, link) = waiting().await;
    assert_eq!(put(&rig, &link, &link.path, CONFIG.as_bytes(), &[]).await, "201");
    // The answer was lost: the same again is well.
    assert_eq!(put(&rig, &link, &link.path, CONFIG.as_bytes(), &[]).await, "204");
    let used = rig.shelf.used();
    assert_eq!(put(&rig, &link, &link.path, b"other", &[]).await, "409");
    assert_eq!(rig.shelf.used(), used);
    assert_eq!(&*recorded(&rig).await.unwrap().sha256, HASH);
    // A link of the same task that was made later is no way around it.
    let later = rig.upload_link(TASK, Duration::from_secs(90));
    assert_eq!(put(&rig, &later, &later.path, b"other", &[]).await, "409");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_only_for_a_task_that_was_sent() {
    let ended = |rig: &Rig, outcome| TaskState::Ended { at: rig.clock.now(), outcome };
    let rig = Rig::open().await;
    for (number, state, status) in [
        (1, TaskState::Queued, "404"),
        (2, sent(&rig), "201"),
        (3, TaskState::Sent { at: rig.clock.now(), phase: Phase::Response }, "201"),
        (4, ended(&rig, Outcome::Applied), "201"),
        (5, ended(&rig, Outcome::Unknown("late".into())), "201"),
        (6, ended(&rig, Outcome::Expired), "404"),
        (7, ended(&rig, Outcome::Cancelled), "404"),
    ] {
        put_task(&rig, TaskId(number), state).await;
        let link = rig.upload_link(TaskId(number), Duration::from_secs(60));
        let content = number.to_string();
        let got = put(&rig, &link, &link.path, content.as_bytes(), &[]).await;
        assert_eq!(got, status, "task {number}");
    }
    let none = rig.upload_link(TaskId(99), Duration::from_secs(60));
    assert_eq!(put(&rig, &none, &none.path, b"x", &[]).await, "404");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_upload_link_that_leads_nowhere_has_the_same_answer() {
    let (rig, link) = waiting().await;
    let token = link.path.split('/').nth(2).unwrap();
    let fetch = rig.link(HASH, Duration::from_secs(60));
    let fetch = fetch.path.split('/').nth(2).unwrap();
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    assert!(uniform.starts_with("HTTP/1.1 404"), "{uniform}");
    for path in [
        format!("/u/{}/a", &token[1..]),
        format!("/u/{token}x/a"),
        format!("/u/{}/a", token.to_lowercase()),
        format!("/u/{fetch}/a"),
        "/u/../../etc/passwd".to_owned(),
        "/u/%2e%2e%2fetc/passwd".to_owned(),
    ] {
        for method in ["PUT", "POST", "GET"] {
            assert_eq!(raw(rig.address, method, &path, &[]).await, uniform, "{method} {path}");
        }
    }
    for method in ["GET", "HEAD", "DELETE", "PATCH"] {
        let got = raw(rig.address, method, &link.path, &[]).await;
        assert!(got.starts_with("HTTP/1.1 405"), "{method}: {got}");
    }
    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(raw(rig.address, "PUT", &link.path, &[]).await, uniform, "an expired link");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_credentials_a_link_takes_nothing() {
    let (rig, link) = waiting().await;
    put_task(&rig, TaskId(2), sent(&rig)).await;
    let other = rig.upload_link(TaskId(2), Duration::from_secs(60));
    for scheme in ["--basic", "--digest"] {
        let got = put(&rig, &other, &link.path, CONFIG.as_bytes(), &[scheme]).await;
        assert_eq!(got, "401", "{scheme}");
    }
    assert!(recorded(&rig).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_file_itself_is_refused() {
    let (rig, link) = waiting().await;
    for (header, status) in [
        ("Content-Encoding: gzip", "415"),
        ("Content-Type: multipart/form-data; boundary=x", "415"),
        ("Content-Range: bytes 0-14/100", "400"),
    ] {
        let got = put(&rig, &link, &link.path, CONFIG.as_bytes(), &["-H", header]).await;
        assert_eq!(got, status, "{header}");
    }
    assert_eq!(put(&rig, &link, &link.path, b"", &[]).await, "400", "an empty file");
    assert!(recorded(&rig).await.is_none());
    let plain = ["-H", "Content-Encoding: identity"];
    assert_eq!(put(&rig, &link, &link.path, CONFIG.as_bytes(), &plain).await, "201");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_cannot_take_an_operators_file_over() {
    let (rig, link) = waiting().await;
    let mut upload = rig.shelf.begin(1 << 20).await.unwrap();
    upload.write(CONFIG.as_bytes()).await.unwrap();
    let stored = upload.finish().await.unwrap();
    let image = FileRecord {
        sha256: stored.sha256,
        name: "image.z".into(),
        size: stored.size,
        file_type: "1 Firmware Upgrade Image".into(),
        version: Some("2.0".into()),
        uploaded_at: rig.clock.now(),
        from: None,
        tenant: "".into(),
        shares: Vec::new(),
    };
    rig.put(Record::File(image.clone())).await;
    assert_eq!(put(&rig, &link, &link.path, CONFIG.as_bytes(), &[]).await, "201");
    assert_eq!(recorded(&rig).await, Some(image));
}

/// Backup and restore: what was sent by an Upload comes back by a Download.
#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_was_sent_comes_back_by_a_download() {
    let (rig, link) = waiting().await;
    assert_eq!(put(&rig, &link, &link.path, CONFIG.as_bytes(), &["--digest"]).await, "201");
    let back = rig.link(&recorded(&rig).await.unwrap().sha256, Duration::from_secs(60));
    assert_eq!(curl(&["--digest", "-u", &login(&back), &rig.url(&back.path)]).await, CONFIG);
}

/// C9: a file that is too large, by its length or by its bytes, and one that
/// never ends, are cut; nothing of them stays.
#[tokio::test(flavor = "multi_thread")]
async fn c09_a_file_beyond_the_limit_leaves_nothing() {
    let (rig, link) = waiting().await;
    let large = vec![b'x'; usize::try_from(MAX_UPLOAD).unwrap() + 1];
    let chunked = ["-H", "Transfer-Encoding: chunked"];
    for more in [&[][..], &["-H", "Expect: 100-continue"], &chunked] {
        assert_eq!(put(&rig, &link, &link.path, &large, more).await, "413", "{more:?}");
    }
    // 100 MB are refused by their length alone, before a byte of them is sent.
    let announced = raw(
        rig.address,
        "PUT",
        &link.path,
        &[&basic(&link), "Content-Length: 104857600", "Expect: 100-continue"],
    )
    .await;
    assert!(announced.starts_with("HTTP/1.1 413"), "{announced}");
    // One that never ends is cut at the limit.
    let mut socket = tokio::net::TcpStream::connect(rig.address).await.unwrap();
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: a\r\n{}\r\nTransfer-Encoding: chunked\r\n\r\n",
        link.path,
        basic(&link)
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    let mut sent = 0_u64;
    while socket.write_all(&chunk).await.is_ok() {
        sent += 0x10000;
        assert!(sent < 64 << 20, "the body is never cut");
    }
    assert!(recorded(&rig).await.is_none());
    rig.eventually(async |_| (rig.shelf.used() == 0).then_some(())).await;
    assert_eq!(put(&rig, &link, &link.path, CONFIG.as_bytes(), &[]).await, "201");
}

/// C9: what all files together take is bounded as well, and a full shelf is told
/// as what passes.
#[tokio::test(flavor = "multi_thread")]
async fn c09_the_quota_of_the_shelf_holds_for_devices() {
    let (rig, link) = waiting().await;
    let mut filled = rig.shelf.begin(2 << 30).await.unwrap();
    let block = vec![0_u8; 1 << 20];
    for _ in 0..1023 {
        filled.write(&block).await.unwrap();
    }
    let large = vec![b'x'; (1 << 20) + 1];
    let got = put(&rig, &link, &link.path, &large, &["-D", "-"]).await;
    assert!(got.ends_with("503"), "{got}");
    assert!(got.to_lowercase().contains("retry-after: "), "{got}");
    drop(filled);
    assert_eq!(put(&rig, &link, &link.path, &large, &[]).await, "201");
}

/// Of two that send at once one is the first; a third waits outside.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_come_at_once_for_one_task_are_one_file() {
    let (rig, link) = waiting().await;
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: a\r\n{}\r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
        link.path,
        basic(&link)
    );
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let mut socket = tokio::net::TcpStream::connect(rig.address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(b"ab").await.unwrap();
        sockets.push(socket);
    }
    rig.eventually(async |_| (rig.shelf.used() == 4).then_some(())).await;
    let third = raw(rig.address, "PUT", &link.path, &[&basic(&link), "Content-Length: 1"]).await;
    assert!(third.starts_with("HTTP/1.1 503"), "{third}");
    let mut answers = Vec::new();
    for (socket, rest) in sockets.iter_mut().zip(["one", "two"]) {
        socket.write_all(rest.as_bytes()).await.unwrap();
    }
    for mut socket in sockets {
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answers.push(answer.split(' ').nth(1).unwrap().to_owned());
    }
    answers.sort();
    assert_eq!(answers, ["201", "409"]);
}

/// C10: whatever stands at the end of the path is a label; the file lies under
/// its hash.
#[tokio::test(flavor = "multi_thread")]
async fn c10_a_path_in_the_name_leads_nowhere() {
    for (name, label) in [
        ("config.bin", "config.bin"),
        ("../../etc/passwd", "passwd"),
        ("..", "3_Vendor_Configuration_File_1"),
        ("...hidden", "hidden"),
        ("%2e%2e%2f%2e%2e%2fetc%2fpasswd", "_2e_2e_2f_2e_2e_2fetc_2fpasswd"),
        ("/etc/passwd", "passwd"),
        ("//etc//passwd", "passwd"),
        ("a%00.bin", "a_00.bin"),
        ("C:%5Cboot.ini", "C__5Cboot.ini"),
        ("CON", "CON"),
        ("..%5c..%5cautoexec.bat", "_5c.._5cautoexec.bat"),
        ("", "3_Vendor_Configuration_File_1"),
    ] {
        let (rig, link) = waiting().await;
        let token = link.path.split('/').nth(2).unwrap();
        let path = format!("/u/{token}/{name}");
        // With `-T` curl would add a name to a path that ends with a slash.
        let got = curl(&[
            "-X",
            "PUT",
            "--data-binary",
            CONFIG,
            "-u",
            &login(&link),
            "-w",
            "%{http_code}",
            &rig.url(&path),
        ])
        .await;
        assert_eq!(got, "201", "{name}");
        assert_eq!(&*recorded(&rig).await.unwrap().name, label, "{name}");
        let files = rig.data.path().join("files");
        let mut found = Vec::new();
        for folder in std::fs::read_dir(&files).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                found.push(file.unwrap().file_name().into_string().unwrap());
            }
        }
        assert_eq!(found, [HASH], "{name}");
    }
}

/// What was acknowledged is recorded: a commit that fails is no 201.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_recorded_is_not_acknowledged() {
    let store = provost::store::memory(&provost::config::StoreConfig::default());
    let rig = Rig::over(Arc::clone(&store), provost::config::PhonesConfig::default());
    put_task(&rig, TASK, sent(&rig)).await;
    let link = rig.upload_link(TASK, Duration::from_secs(60));
    store.close().await.unwrap();
    assert_eq!(put(&rig, &link, &link.path, CONFIG.as_bytes(), &[]).await, "503");
}
