//! Files a second over each of the phone's doors, against the real server on
//! loopback: a phone's own file of 8 KB, fetched again and again by several
//! clients at once.
//!
//! `cargo bench --bench doors` prints a table: files a second, and the server's
//! CPU for each as the kernel accounts it. HTTP is measured on kept connections
//! and on a fresh one for each file, which is what phones do; FTP logs in once
//! and fetches over a data connection for each file.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures and ends with a panic when something is missing"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CLIENTS: usize = 4;
const MAC: &str = "0c383e07e16c";
const FILE: &str = "0c383e07e16c.cfg";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (child, addresses) = serve(folder.path());
    let _child = KillOnDrop(child);
    let pid = _child.0.id();
    let at = |door: &str| -> SocketAddr { addresses[door].as_str().unwrap().parse().unwrap() };
    let token = std::fs::read_to_string(folder.path().join("admin.token")).unwrap();
    let north = at("northbound");
    let access = r#"{"plain_secrets": true, "access": {"tokenless": true, "lock": false}}"#;
    put(north, &token, "/api/v1/sites/default", access);
    let settings: Vec<String> = (1..=80)
        .flat_map(|key| {
            [("Type", "1"), ("Value", "1002@1/bc"), ("Title", "Berta")]
                .map(|(name, value)| format!("\"DSSKEY/Fkey{key} {name}\": \"{value}\""))
        })
        .collect();
    let phone = format!(
        r#"{{"vendor": "fanvil", "model": "X6", "settings": {{{}}}}}"#,
        settings.join(", ")
    );
    put(north, &token, &format!("/api/v1/phones/{MAC}"), &phone);

    println!("| door | files a second | server CPU a file |\n| --- | --- | --- |");
    let (http, tftp, ftp) = (at("files"), at("tftp"), at("ftp"));
    measure("HTTP, kept connections", pid, 20_000, || {
        let mut connection = BufReader::new(TcpStream::connect(http).unwrap());
        move || get(&mut connection)
    });
    measure("HTTP, a connection each", pid, 5_000, || {
        move || get(&mut BufReader::new(TcpStream::connect(http).unwrap()))
    });
    measure("TFTP, 1,428 octets, windows of 8", pid, 5_000, || {
        move || trivial(tftp, &["blksize", "1428", "windowsize", "8"])
    });
    measure("TFTP, 512 octets as of old", pid, 2_000, || move || trivial(tftp, &[]));
    measure("FTP, passive", pid, 2_000, || {
        let mut control = login(ftp);
        move || retrieve(&mut control, ftp)
    });
}

/// Runs the clients, each so many times, and prints a row.
fn measure<F: FnMut() -> usize>(name: &str, pid: u32, times: usize, client: impl Fn() -> F + Sync) {
    let cpu = cpu_of(pid);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut fetch = client();
                for _ in 0..times / CLIENTS {
                    assert!(fetch() > 8_000, "the file came whole");
                }
            });
        }
    });
    let (took, cpu) = (began.elapsed(), cpu_of(pid) - cpu);
    let rate = times as f64 / took.as_secs_f64();
    let each = cpu.as_secs_f64() * 1e6 / times as f64;
    println!("| {name} | {rate:.0} | {each:.0} µs |");
}

fn get(connection: &mut BufReader<TcpStream>) -> usize {
    let request =
        format!("GET /{FILE} HTTP/1.1\r\nHost: x\r\nUser-Agent: Fanvil X6 2.4 {MAC}\r\n\r\n");
    connection.get_mut().write_all(request.as_bytes()).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).unwrap();
    length
}

fn trivial(server: SocketAddr, options: &[&str]) -> usize {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut request = vec![0, 1];
    for word in [FILE, "octet"].iter().chain(options) {
        request.extend_from_slice(word.as_bytes());
        request.push(0);
    }
    socket.send_to(&request, server).unwrap();
    let window = if options.is_empty() { 1 } else { 8 };
    let size = if options.is_empty() { 512 } else { 1428 };
    let (mut total, mut block, mut packet) = (0, 0_u16, [0; 2048]);
    loop {
        let (length, from) = socket.recv_from(&mut packet).unwrap();
        match packet[1] {
            6 => drop(socket.send_to(&[0, 4, 0, 0], from).unwrap()),
            3 => {
                block = block.wrapping_add(1);
                assert_eq!(u16::from_be_bytes([packet[2], packet[3]]), block, "nothing was lost");
                total += length - 4;
                let last = length - 4 < size;
                if last || block % window == 0 {
                    socket.send_to(&[0, 4, packet[2], packet[3]], from).unwrap();
                }
                if last {
                    return total;
                }
            }
            other => panic!("opcode {other}: {:?}", String::from_utf8_lossy(&packet[4..length])),
        }
    }
}

fn login(server: SocketAddr) -> BufReader<TcpStream> {
    let mut control = BufReader::new(TcpStream::connect(server).unwrap());
    expect(&mut control, "220");
    command(&mut control, "USER anonymous", "331");
    command(&mut control, "PASS x", "230");
    command(&mut control, "TYPE I", "200");
    control
}

fn retrieve(control: &mut BufReader<TcpStream>, server: SocketAddr) -> usize {
    let told = command(control, "EPSV", "229");
    let port = told.split('|').nth(3).unwrap().parse().unwrap();
    let mut data = TcpStream::connect((server.ip(), port)).unwrap();
    command(control, &format!("RETR {FILE}"), "150");
    let mut body = Vec::new();
    data.read_to_end(&mut body).unwrap();
    expect(control, "226");
    body.len()
}

fn command(control: &mut BufReader<TcpStream>, line: &str, code: &str) -> String {
    control.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    expect(control, code)
}

fn expect(control: &mut BufReader<TcpStream>, code: &str) -> String {
    let mut line = String::new();
    control.read_line(&mut line).unwrap();
    assert!(line.starts_with(code), "{line}");
    line
}

fn serve(data: &Path) -> (Child, serde_json::Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provost"));
    command.arg("serve").arg("--data").arg(data).args(["--set", "log.level=warn"]);
    command.args(["--set", "phones.requests_per_minute=0"]);
    for door in ["cwmp", "northbound", "files", "tftp", "ftp"] {
        command.args(["--set", &format!("{door}.listen=127.0.0.1:0")]);
    }
    for door in ["cwmp", "files"] {
        command.args(["--set", &format!("{door}.tls_listen=off")]);
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut banner = BufReader::new(child.stdout.take().unwrap());
    banner.read_line(&mut String::new()).unwrap();
    std::thread::spawn(move || std::io::copy(&mut banner, &mut std::io::sink()));
    let text = std::fs::read_to_string(data.join("addresses.json")).unwrap();
    (child, serde_json::from_str(&text).unwrap())
}

fn put(at: SocketAddr, token: &str, path: &str, body: &str) {
    let mut connection = TcpStream::connect(at).unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        token.trim(),
        body.len()
    );
    connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
}

/// User and system time of a process, as the kernel accounts it.
fn cpu_of(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|at| fields[*at].parse::<u64>().unwrap()).sum();
    // Linux tells them in hundredths of a second on every architecture.
    Duration::from_millis(ticks * 10)
}

struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
