//! FTP: curl and lftp fetch files, plain and over TLS; hostile clients get
//! nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use provost::config::{FtpConfig, LimitsConfig, TlsConfig};
use provost::fetch::ftp::FtpDoor;
use provost::files::SharedSource;
use provost::http::TlsMaterial;
use provost::phone::Ended;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::source::{Log, Shelf, pattern};
use crate::lab::PATIENCE;

struct Rig {
    /// With TLS on demand.
    at: SocketAddr,
    /// With TLS from the start.
    tls_at: SocketAddr,
    /// The certificate authority.
    ca: String,
    shelf: Arc<Shelf>,
    log: Log,
    _data: tempfile::TempDir,
    _stop: DropGuard,
}

fn open(config: &FtpConfig, limits: &LimitsConfig, files: &[(&str, &[u8])]) -> Rig {
    let (shelf, log) = Shelf::with(files);
    let data = tempfile::tempdir().unwrap();
    let tls = TlsMaterial::load_or_make(data.path(), &TlsConfig::default()).unwrap();
    let stop = CancellationToken::new();
    let serve = |implicit| {
        let at = (Ipv4Addr::LOCALHOST, 0).into();
        let door = FtpDoor::bind(at, config, limits, Some(&tls), implicit).unwrap();
        let at = door.local_addr();
        tokio::spawn(door.serve(Arc::clone(&shelf) as SharedSource, stop.clone()));
        at
    };
    let (at, tls_at) = (serve(false), serve(true));
    let ca = data.path().join("tls/ca.pem").to_str().unwrap().to_owned();
    Rig { at, tls_at, ca, shelf, log, _data: data, _stop: stop.drop_guard() }
}

fn plain(files: &[(&str, &[u8])]) -> Rig {
    open(&FtpConfig::default(), &LimitsConfig::default(), files)
}

/// Runs a client in the shelf's folder; its output.
async fn client(rig: &Rig, program: &str, arguments: &[&str]) -> std::process::Output {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(rig.shelf.folder()).env("HOME", rig.shelf.folder());
    let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap();
    output.unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_fetches_in_every_way() {
    let large = pattern(3_000_001);
    let mut rig = plain(&[("p/token/a.cfg", b"content\n"), ("image.z", &large), ("empty", b"")]);
    let (ftp, ftps) = (format!("ftp://{}", rig.at), format!("ftps://{}", rig.tls_at));
    let ca = rig.ca.clone();
    let required = ["--ssl-reqd", "--cacert", &ca];
    let ways: [(&str, &[&str]); 5] = [
        (&ftp, &[]),
        (&ftp, &["--disable-epsv"]),
        (&ftp, &["--ftp-method", "nocwd"]),
        (&ftp, &required),
        (&ftps, &["--cacert", &ca]),
    ];
    for (base, options) in ways {
        for (name, content) in
            [("p/token/a.cfg", &b"content\n"[..]), ("image.z", &large), ("empty", b"")]
        {
            let url = format!("{base}/{name}");
            let mut arguments = vec!["-sS", "--noproxy", "*", "-o", "got", &url];
            arguments.extend_from_slice(options);
            let output = client(&rig, "curl", &arguments).await;
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            let got = std::fs::read(rig.shelf.folder().join("got")).unwrap();
            assert!(got == content, "{arguments:?}: {} bytes", got.len());
            assert_eq!(rig.log.next().await, (name.to_owned(), Ended::Whole), "{arguments:?}");
        }
    }
    assert_eq!(rig.shelf.asked().len(), 15, "SIZE and RETR are one fetch");
    let url = format!("{ftp}/image.z");
    let range = ["-sS", "--noproxy", "*", "-o", "got", "-C", "3000000", &url];
    std::fs::write(rig.shelf.folder().join("got"), &large[..3_000_000]).unwrap();
    assert!(client(&rig, "curl", &range).await.status.success());
    assert!(std::fs::read(rig.shelf.folder().join("got")).unwrap() == large);
    assert_eq!(rig.log.next().await, ("image.z".to_owned(), Ended::Part(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lftp_fetches_over_tls_and_with_a_login() {
    let mut rig = plain(&[("locked/a.cfg", b"content"), ("a.cfg", b"open")]);
    let base = format!(
        "set net:max-retries 1; set ssl:ca-file {}; set ftp:ssl-force true; \
         set ftp:ssl-protect-data true; set xfer:clobber true; ",
        rig.ca
    );
    let fetch = |host: String, login: &str, name: &str| {
        format!("{base} open {host}; {login} get {name} -o got; exit")
    };
    for host in [format!("ftp://{}", rig.at), format!("ftps://{}", rig.tls_at)] {
        for (login, name, content) in
            [("", "a.cfg", &b"open"[..]), ("user phone 'pa:ss word';", "locked/a.cfg", b"content")]
        {
            let output = client(&rig, "lftp", &["-c", &fetch(host.clone(), login, name)]).await;
            assert!(output.status.success(), "{host} {name}: {output:?}");
            assert_eq!(std::fs::read(rig.shelf.folder().join("got")).unwrap(), content);
            assert_eq!(rig.log.next().await, (name.to_owned(), Ended::Whole));
        }
        let wrong = fetch(host.clone(), "user phone wrong;", "locked/a.cfg");
        let output = client(&rig, "lftp", &["-c", &wrong]).await;
        assert!(!output.status.success(), "{output:?}");
    }
}

/// A control connection that is spoken by hand.
struct Hand(BufReader<TcpStream>);

impl Hand {
    async fn dial(at: SocketAddr) -> Self {
        let mut hand = Self(BufReader::new(TcpStream::connect(at).await.unwrap()));
        assert_eq!(hand.hear().await, "220 Provost");
        hand
    }

    async fn in_as(at: SocketAddr, user: &str, password: &str) -> Self {
        let mut hand = Self::dial(at).await;
        hand.says(&format!("USER {user}"), "331").await;
        hand.says(&format!("PASS {password}"), "230").await;
        hand
    }

    async fn hear(&mut self) -> String {
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, self.0.read_line(&mut line)).await.unwrap().unwrap();
        line.trim_end().to_owned()
    }

    async fn ask(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.hear().await
    }

    async fn says(&mut self, line: &str, code: &str) {
        let answer = self.ask(line).await;
        assert!(answer.starts_with(code), "{line}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_no_name_leads_anywhere_and_nothing_can_be_written() {
    let rig = plain(&[("a.cfg", b"content")]);
    let mut hand = Hand::in_as(rig.at, "anonymous", "").await;
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        "%2e%2e/etc/passwd",
        "b.cfg",
        "a.cfg/",
        "C:\\a",
        "a\\..\\b",
        &"a".repeat(1500),
    ] {
        let answer = hand.ask(&format!("RETR {name}")).await;
        let slash = name == "a.cfg/";
        let expected = if slash { "425 PASV or EPSV first" } else { "550 There is no such file" };
        assert_eq!(answer, expected, "{name}");
    }
    for (line, code) in [
        ("STOR a.cfg", "550"),
        ("DELE a.cfg", "550"),
        ("MKD a", "550"),
        ("SITE CHMOD 777 a", "550"),
        ("LIST", "550"),
        ("NLST /", "550"),
        ("MLSD", "550"),
        ("STAT /", "550"),
        ("PORT 192,0,2,1,0,80", "502"),
        ("EPRT |1|192.0.2.1|80|", "502"),
        ("TYPE E", "504"),
        ("CWD /nowhere/at/all", "250"),
        ("PWD", "257 \"/nowhere/at/all\""),
        ("CDUP", "250"),
        ("PWD", "257 \"/nowhere/at\""),
        ("RETR /a.cfg", "425"),
        ("REST 8", "350"),
        ("RETR /a.cfg", "554"),
        ("SIZE /a.cfg", "213 7"),
        ("PROT P", "503"),
        ("PBSZ 0", "503"),
        ("CCC", "533"),
        ("AUTH SSL", "504"),
        ("EPSV 2", "522"),
        ("XXXX", "500"),
        ("RETR", "501"),
        ("QUIT", "221"),
    ] {
        hand.says(line, code).await;
    }
    let mut hand = Hand::dial(rig.at).await;
    hand.says("RETR a.cfg", "530").await;
    hand.says("PASS x", "503").await;
    hand.says(&"x".repeat(5000), "500 The line is too long").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_judged_the_same_whatever_there_is() {
    let rig = plain(&[("locked/a.cfg", b"content")]);
    let mut hand = Hand::in_as(rig.at, "phone", "wrong").await;
    for name in ["locked/a.cfg", "locked/none", "/locked/../locked/a.cfg"] {
        let answer = hand.ask(&format!("RETR {name}")).await;
        assert_eq!(answer, "530 The login does not open this", "{name}");
    }
    assert!(rig.shelf.asked().is_empty(), "nothing was looked up");
    hand.says("SIZE locked/a.cfg", "530").await;
    hand.says("SIZE locked/a.cfg", "421").await;
    let mut hand = Hand::in_as(rig.at, "phone", "pa:ss word").await;
    hand.says("SIZE locked/a.cfg", "213 7").await;
    hand.says("USER other", "331").await;
    hand.says("PASS pa:ss word", "230").await;
    hand.says("RETR locked/a.cfg", "530").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passive_ports_and_address_are_as_configured() {
    // A range of one port that is free at this moment.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = FtpConfig {
        passive_ports: Some(format!("{free}-{free}").parse().unwrap()),
        passive_address: Some(Ipv4Addr::new(192, 0, 2, 9)),
        ..FtpConfig::default()
    };
    let mut rig = open(&config, &LimitsConfig::default(), &[("a.cfg", b"a\r\nb\n")]);
    let mut hand = Hand::in_as(rig.at, "anonymous", "").await;
    // A phone that forgets TYPE I gets its files unharmed.
    hand.says("TYPE A", "200").await;
    let [high, low] = free.to_be_bytes();
    let answer = hand.ask("PASV").await;
    assert_eq!(answer, format!("227 Entering Passive Mode (192,0,2,9,{high},{low})"));
    let mut other = Hand::in_as(rig.at, "anonymous", "").await;
    other.says("PASV", "425").await;
    // Somebody else's connection is not served; the client's is.
    let stranger = tokio::net::TcpSocket::new_v4().unwrap();
    stranger.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut stranger = stranger.connect((Ipv4Addr::LOCALHOST, free).into()).await.unwrap();
    let mut data = TcpStream::connect((Ipv4Addr::LOCALHOST, free)).await.unwrap();
    hand.says("RETR a.cfg", "150").await;
    let mut got = Vec::new();
    data.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"a\r\nb\n");
    assert!(hand.hear().await.starts_with("226"));
    assert_eq!(stranger.read(&mut [0; 8]).await.unwrap_or(0), 0);
    assert_eq!(rig.log.next().await, ("a.cfg".to_owned(), Ended::Whole));
    other.says("EPSV", &format!("229 Entering Extended Passive Mode (|||{free}|)")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_before_the_handshake_are_not_carried_into_it() {
    let rig = plain(&[]);
    let mut hand = Hand::dial(rig.at).await;
    // Somebody on the way adds a line to the client's AUTH.
    hand.says("AUTH TLS\r\nUSER phone", "234").await;
    assert_eq!(hand.hear().await, "", "the connection ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_and_crowds_are_bounded() {
    let limits = LimitsConfig { idle: 1, connections_per_source: 2, ..LimitsConfig::default() };
    let rig = open(&FtpConfig::default(), &limits, &[]);
    let mut first = Hand::dial(rig.at).await;
    let _second = Hand::dial(rig.at).await;
    let mut third = TcpStream::connect(rig.at).await.unwrap();
    assert_eq!(third.read(&mut [0; 8]).await.unwrap_or(0), 0, "closed before a byte");
    assert_eq!(first.hear().await, "421 Goodbye");
}
