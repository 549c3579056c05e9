//! Files a second over HTTP, TFTP and FTP: the real server, and phones that
//! fetch their own file of some 2 KB at once, each on a connection of its own.
//!
//! `cargo bench --bench doors` fetches for ten seconds a door with 32 phones;
//! `cargo bench --bench doors -- 64` with 64. Run as a test, it fetches a few.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints, and ends with a panic when something is missing"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use provost::http::{ClientConnection, Host, read_limited};
use provost::server::{ADDRESSES, Addresses};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, UdpSocket};

const MAC: &str = "0c383e07e16c";
const PATIENCE: Duration = Duration::from_secs(30);

struct Server {
    folder: tempfile::TempDir,
    addresses: Addresses,
    process: u32,
    _child: tokio::process::Child,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_provost"));
        command.arg("serve").arg("--data").arg(folder.path());
        for set in [
            "cwmp.listen=127.0.0.1:0",
            "cwmp.tls_listen=off",
            "files.listen=127.0.0.1:0",
            "files.tls_listen=off",
            "northbound.listen=127.0.0.1:0",
            "tftp.listen=127.0.0.1:0",
            "ftp.listen=127.0.0.1:0",
            "phones.requests_per_minute=0",
            "tftp.transfers_per_source=2000",
            "log.level=error",
        ] {
            command.arg("--set").arg(set);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut banner = BufReader::new(child.stdout.take().unwrap());
        banner.read_line(&mut String::new()).await.unwrap();
        tokio::spawn(async move { tokio::io::copy(&mut banner, &mut tokio::io::sink()).await });
        let text = std::fs::read_to_string(folder.path().join(ADDRESSES)).unwrap();
        let addresses = serde_json::from_str(&text).unwrap();
        Self { process: child.id().unwrap(), folder, addresses, _child: child }
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let at = self.addresses.northbound.unwrap();
        let token = std::fs::read_to_string(self.folder.path().join("admin.token")).unwrap();
        let host = Host::Address(at.ip());
        let mut connection =
            ClientConnection::connect(&host, at.port(), None, PATIENCE).await.unwrap();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Host", at.to_string())
            .header("Authorization", format!("Bearer {}", token.trim()))
            .header("Content-Type", "application/json")
            .body(body.to_owned().into_bytes().into())
            .unwrap();
        let answer = connection.send(request).await.unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
        let bytes = read_limited(answer.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Makes a phone; the path of its own file.
    async fn phone(&self) -> String {
        let phone = format!("/api/v1/phones/{MAC}");
        self.call("PUT", &phone, r#"{"model": "X6"}"#).await;
        let account = r#"{"user": "1001", "password": "secret", "server": "pbx.example.net"}"#;
        self.call("PUT", &format!("{phone}/accounts/1"), account).await;
        let told = self.call("GET", &format!("{phone}/url"), "").await;
        let url = told["url"].as_str().unwrap().to_owned();
        let (_, folder) = url.split_once("//").unwrap().1.split_once('/').unwrap();
        format!("{}/{MAC}.cfg", folder.trim_end_matches('/'))
    }

    /// CPU that the process has used, user and system.
    fn cpu(&self) -> Duration {
        let stat =
            std::fs::read_to_string(Path::new("/proc").join(self.process.to_string()).join("stat"));
        let stat = stat.unwrap();
        // After the name, which may hold anything, utime and stime are the
        // 12th and 13th; a tick is a hundredth of a second.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

/// A phone that fetches over HTTP.
async fn http(at: SocketAddr, path: &str) -> usize {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    answer.len() - head
}

/// A phone that fetches over TFTP with the options of current firmware.
async fn tftp(at: SocketAddr, path: &str, options: &str) -> usize {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let request = format!("\0\u{1}{path}\0octet\0{options}");
    socket.send_to(request.as_bytes(), at).await.unwrap();
    let block = if options.is_empty() { 512 } else { 1468 };
    let (mut size, mut next, mut buffer) = (0, 1_u16, [0; 2048]);
    loop {
        let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer)).await;
        let (length, from) = received.expect("the server is silent").unwrap();
        let acknowledgement = match buffer[..length] {
            [0, 6, ..] => [0, 4, 0, 0],
            // A block that comes twice was answered too late.
            [0, 3, high, low, ..] if u16::from_be_bytes([high, low]) != next => continue,
            [0, 3, high, low, ref payload @ ..] => {
                next = next.wrapping_add(1);
                size += payload.len();
                let acknowledgement = [0, 4, high, low];
                if payload.len() < block {
                    socket.send_to(&acknowledgement, from).await.unwrap();
                    return size;
                }
                acknowledgement
            }
            ref other => panic!("{}", String::from_utf8_lossy(other)),
        };
        socket.send_to(&acknowledgement, from).await.unwrap();
    }
}

/// A phone that fetches over FTP.
async fn ftp(at: SocketAddr, path: &str) -> usize {
    let mut control = BufReader::new(TcpStream::connect(at).await.unwrap());
    let mut line = String::new();
    control.read_line(&mut line).await.unwrap();
    for command in ["USER anonymous", "PASS phone", "TYPE I", "EPSV"] {
        control.get_mut().write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
        line.clear();
        control.read_line(&mut line).await.unwrap();
    }
    let port = line.split('|').nth(3).unwrap_or_else(|| panic!("{line}")).parse().unwrap();
    let mut data = TcpStream::connect(SocketAddr::new(at.ip(), port)).await.unwrap();
    control.get_mut().write_all(format!("RETR /{path}\r\n").as_bytes()).await.unwrap();
    let mut file = Vec::new();
    data.read_to_end(&mut file).await.unwrap();
    for code in ["150", "226"] {
        line.clear();
        control.read_line(&mut line).await.unwrap();
        assert!(line.starts_with(code), "{line}");
    }
    control.get_mut().write_all(b"QUIT\r\n").await.unwrap();
    file.len()
}

#[derive(Clone, Copy)]
enum Door {
    Http,
    Tftp(&'static str),
    Ftp,
}

async fn load(
    server: &Server,
    path: &str,
    door: Door,
    phones: usize,
    long: Duration,
) -> (u64, usize) {
    let fetched = Arc::new(AtomicU64::new(0));
    let at = &server.addresses;
    let (http_at, tftp_at, ftp_at) = (at.files.unwrap(), at.tftp.unwrap(), at.ftp.unwrap());
    let until = Instant::now() + long;
    let tasks: Vec<_> = (0..phones)
        .map(|_| {
            let (path, fetched) = (path.to_owned(), Arc::clone(&fetched));
            tokio::spawn(async move {
                let mut size = 0;
                while Instant::now() < until {
                    size = match door {
                        Door::Http => http(http_at, &path).await,
                        Door::Tftp(options) => tftp(tftp_at, &path, options).await,
                        Door::Ftp => ftp(ftp_at, &path).await,
                    };
                    fetched.fetch_add(1, Ordering::Relaxed);
                }
                size
            })
        })
        .collect();
    let mut size = 0;
    for task in tasks {
        size = task.await.unwrap();
    }
    (fetched.load(Ordering::Relaxed), size)
}

#[tokio::main]
async fn main() {
    let measures = std::env::args().any(|argument| argument == "--bench");
    let phones = std::env::args().find_map(|argument| argument.parse().ok());
    let (phones, long) = if measures {
        (phones.unwrap_or(32), Duration::from_secs(10))
    } else {
        (2, Duration::from_millis(100))
    };
    let server = Server::start().await;
    let path = server.phone().await;
    for (name, door) in [
        ("HTTP", Door::Http),
        ("TFTP", Door::Tftp("")),
        ("TFTP, blksize 1468", Door::Tftp("blksize\x001468\0tsize\x000\0")),
        ("FTP", Door::Ftp),
    ] {
        let (cpu, began) = (server.cpu(), Instant::now());
        let (files, size) = load(&server, &path, door, phones, long).await;
        let (cpu, took) = (server.cpu() - cpu, began.elapsed());
        assert!(files > 0);
        println!(
            "{name:<18} {:>7.0} files/s of {size} bytes, {phones} phones at once, {:>4.0} µs of server CPU each",
            files as f64 / took.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / files as f64,
        );
    }
}
