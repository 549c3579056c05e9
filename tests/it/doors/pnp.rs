//! SIP PnP and mDNS across a pair of network namespaces: the real server in
//! one, a phone (this very program, run again) and other people's browsers in
//! the other.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use provost::sip::{Message, Start};

use crate::lab::PATIENCE;

const GROUP: (Ipv4Addr, u16) = (Ipv4Addr::new(224, 0, 1, 75), 5060);
const KNOWN: &str = "0c383e07e16c";
const UNKNOWN: &str = "0c383e07e16d";
const SERVER: &str = "10.98.0.1";
const PHONE: &str = "10.98.0.2";

/// Two namespaces with a wire between them; gone when it is dropped.
struct Net {
    server: String,
    phone: String,
}

/// Runs a command, by sudo where we are not root: making networks needs it.
fn privileged(arguments: &[&str]) -> Command {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = if root {
        Command::new(arguments[0])
    } else {
        let mut command = Command::new("sudo");
        command.args(["-n", arguments[0]]);
        command
    };
    command.args(&arguments[1..]);
    command
}

fn ip(arguments: &str) -> Output {
    let words: Vec<&str> = std::iter::once("ip").chain(arguments.split(' ')).collect();
    privileged(&words).output().expect("ip is needed for this test: apt install iproute2")
}

impl Net {
    fn make(name: &str) -> Self {
        let id = std::process::id();
        let net = Self { server: format!("ps{id}{name}"), phone: format!("pp{id}{name}") };
        let (server, phone) = (&net.server, &net.phone);
        for step in [
            format!("netns add {server}"),
            format!("netns add {phone}"),
            format!("link add v0 netns {server} type veth peer name v0 netns {phone}"),
            format!("-n {server} addr add {SERVER}/24 dev v0"),
            format!("-n {phone} addr add {PHONE}/24 dev v0"),
            format!("-n {server} link set lo up"),
            format!("-n {phone} link set lo up"),
            format!("-n {server} link set v0 up"),
            format!("-n {phone} link set v0 up"),
            format!("-n {server} route add 224.0.0.0/4 dev v0"),
            format!("-n {phone} route add 224.0.0.0/4 dev v0"),
        ] {
            let output = ip(&step);
            assert!(
                output.status.success(),
                "this test makes network namespaces and must be root, or be allowed `sudo ip`: \
                 ip {step}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        net
    }

    fn inside(namespace: &str, command: &[&str]) -> Command {
        let mut words = vec!["ip", "netns", "exec", namespace];
        words.extend_from_slice(command);
        privileged(&words)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for namespace in [&self.server, &self.phone] {
            let _ = ip(&format!("netns del {namespace}"));
        }
    }
}

/// A program that ends with the test.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server in its namespace, its doors open.
fn serve(net: &Net, data: &Path, sets: &[&str]) -> Running {
    let (program, data) = (env!("CARGO_BIN_EXE_provost"), data.to_str().unwrap());
    let mut words = vec![program, "serve", "--data", data];
    for set in sets {
        words.extend(["--set", set]);
    }
    let mut command = Net::inside(&net.server, &words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut banner = std::io::BufReader::new(child.stdout.take().unwrap());
    let running = Running(child);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut banner, &mut line).unwrap();
    assert!(!line.is_empty(), "the server ended instead of starting");
    std::thread::spawn(move || std::io::copy(&mut banner, &mut std::io::sink()));
    running
}

fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

#[test]
fn p08_a_known_phone_is_told_its_url_across_a_wire_and_a_forged_one_nothing() {
    let net = Net::make("a");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let public = format!("files.public_url=http://{SERVER}:7567");
    let interfaces = format!("pnp.interfaces=['{SERVER}']");
    let _server = serve(&net, &data, &["pnp.listen=0.0.0.0:5060", &interfaces, &public]);
    let data = data.to_str().unwrap();
    let provost = env!("CARGO_BIN_EXE_provost");
    let call = |arguments: &[&str]| {
        let mut words = vec![provost, "--data", data];
        words.extend_from_slice(arguments);
        succeed(Net::inside(&net.server, &words))
    };
    call(&["phone", "add", KNOWN, "--model", "X6"]);
    let url = call(&["phone", "url", KNOWN]);
    let this = std::env::current_exe().unwrap();
    let phone = ["--exact", "--ignored", "--nocapture", "doors::pnp::the_phones_side"];
    let mut words = vec![this.to_str().unwrap()];
    words.extend_from_slice(&phone);
    let said = succeed(Net::inside(&net.phone, &words));
    let told: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("told ")).collect();
    let [told] = &told[..] else { panic!("{said}") };
    let base = url.trim().trim_end_matches('/');
    assert!(told.starts_with(base), "{told} is not below {base}");
    // And there the phone's own file is.
    let file = format!("{base}/{KNOWN}.cfg");
    let file = succeed(Net::inside(&net.phone, &["curl", "-sSf", "--noproxy", "*", &file]));
    assert!(file.starts_with("<<VOIP CONFIG FILE>>"), "{file}");
}

#[test]
fn another_mdns_browser_finds_the_firmware() {
    let net = Net::make("b");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mdns.firmware_url=http://{SERVER}:7567/fw/");
    let firmware = "mdns.firmware=[{ model = 'D65', version = '2_9_27', \
                    file = '2_9_27_D65_firmware.eff' }]";
    let sets = ["mdns.enabled=true", "mdns.hostname=phones", &url, firmware];
    let _server = serve(&net, &folder.path().join("data"), &sets);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mdns/browse.sh");
    let apart = ["unshare", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", script];
    let mut words = apart.to_vec();
    words.push("_digiumproxy._udp");
    let mut command = Net::inside(&net.phone, &words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let found = std::io::BufReader::new(child.stdout.take().unwrap());
    let _browser = Running(child);
    // `=` is a service that was resolved; avahi writes what is no letter as
    // `\032`.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(found).map_while(Result::ok) {
            if line.starts_with("=;v0;IPv4;") {
                let _ = tell.send(line);
            }
        }
    });
    let line = told.recv_timeout(PATIENCE).expect("avahi-browse finds the service (needs root)");
    let fields: Vec<&str> = line.split(';').collect();
    let [_, _, _, name, kind, _, host, address, port, text] = fields[..] else { panic!("{line}") };
    assert_eq!(name, "Provost\\032firmware\\0322_9_27");
    assert_eq!((kind, host), ("_digiumproxy._udp", "phones.local"));
    assert_eq!((address, port), (SERVER, "7567"));
    let expected = [
        format!("sipUrl=http://{SERVER}"),
        "serviceType=firmware".to_owned(),
        format!("firmwareUrl=http://{SERVER}:7567/fw/"),
        "firmwareVersion=2_9_27".to_owned(),
        "D65File=2_9_27_D65_firmware.eff".to_owned(),
    ];
    for one in expected {
        assert!(text.contains(&format!("\"{one}\"")), "{one} in {text}");
    }
}

fn subscribe(mac: &str, call: &str, contact: &str) -> String {
    format!(
        "SUBSCRIBE sip:MAC%3a{mac}@224.0.1.75 SIP/2.0\r\n\
         Via: SIP/2.0/UDP {PHONE}:5060;branch=z9hG4bK1;rport\r\n\
         From: <sip:MAC%3a{mac}@224.0.1.75>;tag=9\r\nTo: <sip:MAC%3a{mac}@224.0.1.75>\r\n\
         Call-ID: {call}\r\nCSeq: 1 SUBSCRIBE\r\n\
         Event: ua-profile;profile-type=\"device\";vendor=\"Fanvil\";model=\"VOIP PHONE\"\r\n\
         Expires: 0\r\nAccept: application/url\r\nContact: <sip:{contact}>\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// What the phone does; prints the URL that it was told.
#[test]
#[ignore = "run by p08_… inside a network namespace"]
fn the_phones_side() {
    let socket = UdpSocket::bind((PHONE.parse::<Ipv4Addr>().unwrap(), 5060)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // Nothing of this gets an answer: an unknown phone, another event, a
    // response, a datagram that was cut, and no SIP at all.
    let sound = subscribe(UNKNOWN, "unknown@1", PHONE);
    for forged in [
        &*sound,
        &sound.replace("ua-profile", "presence"),
        "SIP/2.0 200 OK\r\n\r\n",
        &sound[..300],
        "nonsense",
    ] {
        socket.send_to(forged.as_bytes(), GROUP).unwrap();
    }
    // The Contact of this one leads to somebody else.
    socket.send_to(subscribe(KNOWN, "known@1", "10.98.0.99:80").as_bytes(), GROUP).unwrap();
    let (accepted, server) = receive(&socket);
    assert_eq!(server, format!("{SERVER}:5060").parse().unwrap());
    let message = Message::parse(&accepted).unwrap();
    assert_eq!(message.start, Start::Response { code: 200, reason: "OK" });
    assert_eq!(message.header("Call-ID"), Some("known@1"));
    assert_eq!(message.header("Via"), Some("SIP/2.0/UDP 10.98.0.2:5060;branch=z9hG4bK1;rport"));
    let (first, _) = receive(&socket);
    // The phone has not heard it; it comes again, the same.
    let (second, _) = receive(&socket);
    assert_eq!(first, second);
    let message = Message::parse(&second).unwrap();
    assert_eq!(message.start, Start::Request { method: "NOTIFY", uri: "sip:10.98.0.2:5060" });
    assert_eq!(message.header("Call-ID"), Some("known@1"));
    let via = message.header("Via").unwrap();
    let confirm = format!(
        "SIP/2.0 200 OK\r\nVia: {via}\r\nCall-ID: known@1\r\nCSeq: 1 NOTIFY\r\n\
         Content-Length: 0\r\n\r\n"
    );
    socket.send_to(confirm.as_bytes(), server).unwrap();
    println!("told {}", String::from_utf8(message.body.to_vec()).unwrap());
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 4096];
    let (length, from) = socket.recv_from(&mut buffer).unwrap();
    buffer.truncate(length);
    (buffer, from)
}
