//! The file door from outside, mostly as curl sees it.

mod upload;

use std::time::Duration;

use provost::files::Link;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::phones::rig::{Rig, curl, raw};

const CONTENT: &[u8] = b"0123456789";
/// Its SHA-256, the entity tag.
const HASH: &str = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";

/// A door with one file and a link to it that is good for a minute.
async fn with_file() -> (Rig, Link) {
    let rig = Rig::open().await;
    let mut upload = rig.shelf.begin(1 << 20).await.unwrap();
    upload.write(CONTENT).await.unwrap();
    assert_eq!(&*upload.finish().await.unwrap().sha256, HASH);
    let link = rig.link(HASH, Duration::from_secs(60));
    (rig, link)
}

fn login(link: &Link) -> String {
    format!("{}:{}", link.username, link.password.expose())
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_fetches_a_file_with_basic_and_with_digest() {
    let (rig, link) = with_file().await;
    let url = rig.url(&link.path);
    for scheme in ["--basic", "--digest", "--anyauth"] {
        let got = curl(&[scheme, "-u", &login(&link), "-D", "-", &url]).await;
        let (head, body) = got.rsplit_once("\r\n\r\n").unwrap();
        let head = head.rsplit("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{scheme}: {head}");
        assert_eq!(body.as_bytes(), CONTENT, "{scheme}");
        assert!(head.contains("content-length: 10\r\n"), "{head}");
        assert!(head.contains(&format!("etag: \"{HASH}\"")), "{head}");
        assert!(head.contains("accept-ranges: bytes"), "{head}");
        assert!(!head.contains("transfer-encoding"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f04_without_its_credentials_a_link_gives_nothing() {
    let (rig, link) = with_file().await;
    let url = rig.url(&link.path);
    let other = rig.link(HASH, Duration::from_secs(60));
    let status = ["-o", "/dev/null", "-w", "%{http_code}"];
    for wrong in ["x:y", &format!("{}:", link.username), &login(&other)] {
        for scheme in ["--basic", "--digest"] {
            let got = curl(&[&status[..], &[scheme, "-u", wrong, &url]].concat()).await;
            assert_eq!(got, "401", "{scheme} {wrong}");
        }
    }
    let head = curl(&["-I", &url]).await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    assert_eq!(head.to_lowercase().matches("www-authenticate: ").count(), 3, "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_tells_the_length_and_brings_no_body() {
    let (rig, link) = with_file().await;
    let got = curl(&["-I", "-u", &login(&link), &rig.url(&link.path)]).await.to_lowercase();
    assert!(got.starts_with("http/1.1 200") && got.contains("content-length: 10\r\n"), "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_one_range_is_served_and_a_list_is_not() {
    let (rig, link) = with_file().await;
    let (url, login) = (rig.url(&link.path), login(&link));
    for (range, status, body, of) in [
        ("2-4", "206", "234", "bytes 2-4/10"),
        ("7-", "206", "789", "bytes 7-9/10"),
        ("-2", "206", "89", "bytes 8-9/10"),
        ("0-99", "206", "0123456789", "bytes 0-9/10"),
        ("10-", "416", "", "bytes */10"),
        ("0-0,5-5", "200", "0123456789", ""),
    ] {
        let format = "|%{http_code}|%header{content-range}|%header{content-length}";
        let got = curl(&["-u", &login, "-r", range, "-w", format, &url]).await;
        assert_eq!(got, format!("{body}|{status}|{of}|{}", body.len()), "{range}");
    }
    let many = format!("Range: bytes={}0-0", "0-0,".repeat(1_500));
    let got = curl(&["-u", &login, "-H", &many, "-w", "|%{http_code}", &url]).await;
    assert_eq!(got, "0123456789|200");
    let stale = ["-H", "If-Range: \"other\"", "-r", "2-4", "-w", "|%{http_code}"];
    let got = curl(&[&["-u", &*login], &stale[..], &[&*url]].concat()).await;
    assert_eq!(got, "0123456789|200");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_content_gets_no_body() {
    let (rig, link) = with_file().await;
    let (url, login) = (rig.url(&link.path), login(&link));
    for (tag, expected) in [
        (format!("\"{HASH}\""), "|304"),
        (format!("\"x\", W/\"{HASH}\""), "|304"),
        ("*".to_owned(), "|304"),
        ("\"x\"".to_owned(), "0123456789|200"),
    ] {
        let header = format!("If-None-Match: {tag}");
        let got = curl(&["-u", &login, "-H", &header, "-w", "|%{http_code}", &url]).await;
        assert_eq!(got, expected, "{tag}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_comes_whole_and_an_early_close_hurts_nobody() {
    let (rig, small) = with_file().await;
    let block: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let mut upload = rig.shelf.begin(1 << 30).await.unwrap();
    for _ in 0..32 {
        upload.write(&block).await.unwrap();
    }
    let stored = upload.finish().await.unwrap();
    let link = rig.link(&stored.sha256, Duration::from_secs(60));
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, login(&link));
    let mut socket = tokio::net::TcpStream::connect(rig.address).await.unwrap();
    let request =
        format!("GET {} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {basic}\r\n\r\n", link.path);
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut some = [0; 4096];
    socket.read_exact(&mut some).await.unwrap();
    drop(socket);
    let url = rig.url(&small.path);
    assert_eq!(curl(&["-u", &login(&small), &url]).await.as_bytes(), CONTENT);
    let out = rig.data.path().join("out");
    curl(&["-u", &login(&link), "-o", out.to_str().unwrap(), &rig.url(&link.path)]).await;
    let got = std::fs::read(out).unwrap();
    assert!(got.len() == 32 << 20 && got.chunks(1 << 20).all(|chunk| chunk == block));
}

#[tokio::test(flavor = "multi_thread")]
async fn f04_every_path_that_leads_nowhere_has_the_same_answer() {
    let (rig, link) = with_file().await;
    let token = link.path.split('/').nth(2).unwrap();
    let none = rig.link(&"ab".repeat(32), Duration::from_secs(60));
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    assert!(uniform.starts_with("HTTP/1.1 404"), "{uniform}");
    for path in [
        "/f",
        "/f/",
        &format!("/f/{token}"),
        &format!("/f/{token}/a/b"),
        &format!("/f/{}/a", &token[1..]),
        &format!("/f/{token}x/a"),
        &format!("/f/{}/a", token.to_lowercase()),
        &format!("/f/{HASH}/a"),
        "/f/../../etc/passwd",
        "/f/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/../../../etc/passwd",
        "//etc/passwd",
        "/f/C:/boot.ini",
        &format!("/{}", "a/".repeat(3_000)),
    ] {
        assert_eq!(raw(rig.address, "GET", path, &[]).await, uniform, "{path}");
    }
    // A sound link to a file that is gone: only who has the credentials learns
    // that, and no more than that it leads nowhere.
    let got = curl(&["-u", &login(&none), "-w", "|%{http_code}", &rig.url(&none.path)]).await;
    assert_eq!(got, "not found\n|404");
    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(raw(rig.address, "GET", &link.path, &[]).await, uniform, "an expired link");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_written() {
    let (rig, link) = with_file().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let got = raw(rig.address, method, &link.path, &[]).await;
        assert!(got.starts_with("HTTP/1.1 405"), "{method}: {got}");
    }
}
