//! TFTP: tftp-hpa, atftp and curl fetch files; hostile datagrams get little.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use provost::config::TftpConfig;
use provost::fetch::tftp::TftpDoor;
use provost::files::SharedSource;
use provost::phone::Ended;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::source::{Log, Shelf, pattern};
use crate::lab::PATIENCE;

const AN_HOUR: Duration = Duration::from_secs(3600);

struct Rig {
    at: SocketAddr,
    shelf: Arc<Shelf>,
    log: Log,
    _stop: DropGuard,
}

fn open(config: &TftpConfig, files: &[(&str, &[u8])]) -> Rig {
    let (shelf, log) = Shelf::with(files);
    let door = TftpDoor::bind((Ipv4Addr::LOCALHOST, 0).into(), config, AN_HOUR).unwrap();
    let stop = CancellationToken::new();
    let at = door.local_addr();
    tokio::spawn(door.serve(Arc::clone(&shelf) as SharedSource, stop.clone()));
    Rig { at, shelf, log, _stop: stop.drop_guard() }
}

/// Runs a client in the shelf's folder; its output.
async fn client(rig: &Rig, program: &str, arguments: &[&str]) -> std::process::Output {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(rig.shelf.folder());
    let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap();
    output.unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"))
}

/// What a client has written into the shelf's folder.
fn written(rig: &Rig, name: &str) -> Vec<u8> {
    std::fs::read(rig.shelf.folder().join(name)).unwrap()
}

/// Sizes around the ends of blocks, and one on disk that needs 2,330 blocks.
const SIZES: [usize; 6] = [0, 1, 511, 512, 1468 * 3, 1_192_961];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_gets_every_size() {
    let contents: Vec<(String, Vec<u8>)> =
        SIZES.iter().map(|size| (format!("of-{size}.cfg"), pattern(*size))).collect();
    let files: Vec<(&str, &[u8])> = contents.iter().map(|(n, c)| (&**n, &**c)).collect();
    let mut rig = open(&TftpConfig::default(), &files);
    let (host, port) = (rig.at.ip().to_string(), rig.at.port().to_string());
    for (name, content) in &contents {
        let url = format!("tftp://{}/{name}", rig.at);
        let run: [(&str, Vec<&str>); 6] = [
            ("curl", vec!["-sS", "--noproxy", "*", &url, "-o", "got"]),
            ("curl", vec!["-sS", "--noproxy", "*", "--tftp-no-options", &url, "-o", "got"]),
            ("curl", vec!["-sS", "--noproxy", "*", "--tftp-blksize", "8192", &url, "-o", "got"]),
            ("tftp", vec!["-m", "binary", &host, &port, "-c", "get", name, "got"]),
            ("atftp", vec!["-g", "-r", name, "-l", "got", &host, &port]),
            (
                "atftp",
                vec![
                    "--option",
                    "blksize 1468",
                    "--option",
                    "windowsize 16",
                    "--option",
                    "tsize 0",
                    "--option",
                    "timeout 3",
                    "-g",
                    "-r",
                    name,
                    "-l",
                    "got",
                    &host,
                    &port,
                ],
            ),
        ];
        for (program, arguments) in run {
            let _ = std::fs::remove_file(rig.shelf.folder().join("got"));
            let output = client(&rig, program, &arguments).await;
            assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
            assert!(written(&rig, "got") == *content, "{program} {arguments:?}");
            assert_eq!(rig.log.next().await, (name.clone(), Ended::Whole), "{program}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_is_converted_for_who_asks_for_text() {
    let rig = open(&TftpConfig::default(), &[("a.cfg", b"one\ntwo\r\nthree\rfour\n")]);
    let (host, port) = (rig.at.ip().to_string(), rig.at.port().to_string());
    let arguments = ["-m", "ascii", &host, &port, "-c", "get", "a.cfg", "got"];
    let output = client(&rig, "tftp", &arguments).await;
    assert!(output.status.success(), "{output:?}");
    // The client turns it back into its own system's form.
    assert_eq!(written(&rig, "got"), b"one\ntwo\nthree\rfour\n");
}

/// A socket of a hostile client, and what it gets for a datagram, with its
/// source; empty if nothing.
fn ask(at: SocketAddr, datagram: &[u8]) -> (UdpSocket, Vec<u8>, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(datagram, at).unwrap();
    let (bytes, from) = receive(&socket);
    (socket, bytes, from)
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 70_000];
    let (length, from) = socket.recv_from(&mut buffer).unwrap();
    buffer.truncate(length);
    (buffer, from)
}

fn request(name: &str, options: &str) -> Vec<u8> {
    format!("\0\u{1}{name}\0octet\0{options}").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_hostile_datagrams_get_one_answer_or_none() {
    let rig = open(&TftpConfig::default(), &[("a.cfg", b"secret"), ("locked/a.cfg", b"secret")]);
    let not_found = b"\0\x05\0\x01File not found\0";
    for name in [
        "../a.cfg",
        "/../a.cfg",
        "a/../a.cfg",
        "/etc/passwd",
        "//etc/passwd",
        "..\\a.cfg",
        "C:\\a.cfg",
        "a.cfg%00",
        "%2e%2e/a.cfg",
        "./a.cfg",
        "",
        "a.cfg\r\n",
        "b.cfg",
        "locked/a.cfg",
        &"a".repeat(401),
        &"../".repeat(100),
    ] {
        let (_, answer, _) = ask(rig.at, &request(name, ""));
        assert_eq!(answer, not_found, "{name:?}");
    }
    assert_eq!(rig.shelf.asked(), ["etc/passwd", "a.cfg%00", "%2e%2e/a.cfg", "b.cfg"]);
    // Writing, and what is no request.
    let (_, answer, _) = ask(rig.at, b"\0\x02a.cfg\0octet\0");
    assert_eq!(answer, b"\0\x05\0\x02Access violation\0");
    let (_, answer, _) = ask(rig.at, b"\0\x01a.cfg\0mail\0");
    assert_eq!(answer, b"\0\x05\0\x04Illegal TFTP operation\0");
    // An options bomb: the datagram is too long for a request.
    let (_, answer, _) = ask(rig.at, &request("a.cfg", &"blksize\x008\0".repeat(80)));
    assert_eq!(answer, not_found);
    // Larger blocks and windows than are good are not agreed to.
    let (_, answer, _) =
        ask(rig.at, &request("a.cfg", "blksize\x0065464\0windowsize\x0065535\0tsize\x000\0"));
    assert_eq!(answer, b"\0\x06blksize\x001468\0tsize\x006\0windowsize\x0064\0");
    // Nothing answers an answer: two servers would talk for ever. The request
    // that follows is the first to get anything.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    for silent in
        [&b"\0\x05\0\x01no\0"[..], b"\0\x04\0\x01", b"\0\x03\0\x01x", b"\0\x06a\0b\0", b""]
    {
        socket.send_to(silent, rig.at).unwrap();
    }
    socket.send_to(&request("b.cfg", ""), rig.at).unwrap();
    assert_eq!(receive(&socket).0, not_found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_a_spoofed_source_gets_a_small_answer_and_no_second_transfer() {
    let content = pattern(100_000);
    let mut rig = open(&TftpConfig::default(), &[("image.rom", &content)]);
    let options = "blksize\x001468\0windowsize\x0064\0tsize\x000\0";
    let asked = request("image.rom", options);
    let (socket, first, from) = ask(rig.at, &asked);
    assert!(first.len() <= asked.len() + 16, "{} for {}", first.len(), asked.len());
    assert_ne!(from, rig.at, "a transfer has a port of its own");
    // The same request once more, as a client that is impatient sends it, does
    // not begin another; nor does somebody else's acknowledgement move it.
    for _ in 0..20 {
        socket.send_to(&asked, rig.at).unwrap();
    }
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(b"\0\x04\0\0", from).unwrap();
    let (second, again) = receive(&socket);
    assert_eq!((second, again), (first, from), "sent again after a second, from the same port");
    // The client ends it, as one does that only wanted the size.
    socket.send_to(b"\0\x05\0\x08enough\0", from).unwrap();
    assert_eq!(rig.log.next().await, ("image.rom".to_owned(), Ended::Part(0)));
    assert_eq!(rig.shelf.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_has_its_transfers_and_no_more() {
    let config = TftpConfig { transfers_per_source: 2, ..TftpConfig::default() };
    let content = pattern(5000);
    let mut rig = open(&config, &[("a.cfg", &content)]);
    let (first, _, at) = ask(rig.at, &request("a.cfg", ""));
    let (_second, _, _) = ask(rig.at, &request("a.cfg", ""));
    let third = UdpSocket::bind("127.0.0.1:0").unwrap();
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    third.send_to(&request("a.cfg", ""), rig.at).unwrap();
    // Requests are judged in their order: the answer to this one is the first.
    third.send_to(b"\0\x02a.cfg\0octet\0", rig.at).unwrap();
    assert_eq!(receive(&third).0, b"\0\x05\0\x02Access violation\0");
    first.send_to(b"\0\x05\0\0bye\0", at).unwrap();
    assert_eq!(rig.log.next().await, ("a.cfg".to_owned(), Ended::Part(0)));
    assert_eq!(rig.shelf.asked().len(), 2);
    third.send_to(&request("a.cfg", ""), rig.at).unwrap();
    assert_eq!(receive(&third).0.len(), 516);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_begin_anew_from_the_same_port() {
    let mut rig = open(&TftpConfig::default(), &[("a.cfg", &pattern(5000))]);
    let (socket, first, from) = ask(rig.at, &request("a.cfg", ""));
    assert_eq!(first.len(), 516);
    socket.send_to(b"\0\x04\0\x01", from).unwrap();
    assert_eq!(receive(&socket).0[..4], *b"\0\x03\0\x02");
    // It restarts, as a boot loader does that always uses one port.
    socket.send_to(&request("a.cfg", ""), rig.at).unwrap();
    let (again, other) = receive(&socket);
    assert_eq!((&again, other == from), (&first, false));
    for transfer in [from, other] {
        socket.send_to(b"\0\x05\0\0bye\0", transfer).unwrap();
        assert!(matches!(rig.log.next().await.1, Ended::Part(_)));
    }
}
