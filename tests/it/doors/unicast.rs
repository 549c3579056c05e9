//! PnP asked directly, over loopback: who gets an answer, and how many.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use provost::announce::pnp::{PnpClaim, PnpDoor, PnpUrls};
use provost::config::PnpConfig;
use provost::sip::{Message, Start};
use provost::time::{ManualClock, Timestamp};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::lab::PATIENCE;

/// Knows every phone whose MAC address ends in `c`, and counts the questions.
#[derive(Default)]
struct Urls(AtomicUsize);

#[async_trait]
impl PnpUrls for Urls {
    async fn url(&self, claim: &PnpClaim, _source: IpAddr) -> Option<String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let mac = claim.mac.unwrap().to_string();
        mac.ends_with('c').then(|| format!("http://192.0.2.1/p/token/{mac}.cfg"))
    }
}

fn open(config: &PnpConfig) -> (SocketAddr, Arc<Urls>, DropGuard) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_205_100_000)));
    let door = PnpDoor::bind((Ipv4Addr::LOCALHOST, 0).into(), config, clock).unwrap();
    let (at, urls, stop) = (door.local_addr(), Arc::new(Urls::default()), CancellationToken::new());
    tokio::spawn(door.serve(urls.clone(), stop.clone()));
    (at, urls, stop.drop_guard())
}

fn phone() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn subscribe(user: &str, call: &str, event: &str) -> Vec<u8> {
    format!(
        "SUBSCRIBE sip:{user}224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;rport\r\n\
         From: <sip:{user}224.0.1.75>;tag=9\r\nTo: <sip:{user}224.0.1.75>\r\nCall-ID: {call}\r\n\
         CSeq: 1 SUBSCRIBE\r\nEvent: ua-profile;{event}\r\nContact: <sip:192.0.2.7:5060>\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// The next message: its Call-ID, and its body if it is a NOTIFY.
fn hear(socket: &UdpSocket) -> (String, Option<String>) {
    let mut buffer = [0; 4096];
    let (length, _) = socket.recv_from(&mut buffer).unwrap();
    let message = Message::parse(&buffer[..length]).unwrap();
    let body = matches!(message.start, Start::Request { method: "NOTIFY", .. })
        .then(|| String::from_utf8(message.body.to_vec()).unwrap());
    (message.header("Call-ID").unwrap().to_owned(), body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_without_a_mac_gets_what_is_meant_for_all() {
    let url = "http://192.0.2.1/s/token/<MAC>.cfg";
    let config = PnpConfig { generic_url: Some(url.into()), ..PnpConfig::default() };
    let (at, urls, _stop) = open(&config);
    let socket = phone();
    let event = "profile-type=\"application\";model=\"440HD\"";
    socket.send_to(&subscribe("", "audiocodes", event), at).unwrap();
    assert_eq!(hear(&socket), ("audiocodes".to_owned(), None));
    assert_eq!(hear(&socket), ("audiocodes".to_owned(), Some(url.to_owned())));
    assert_eq!(urls.0.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_a_source_that_forges_is_looked_at_eight_times() {
    let (at, urls, _stop) = open(&PnpConfig::default());
    let socket = phone();
    // Without a MAC and with nothing meant for all: silence, and no question.
    socket.send_to(&subscribe("", "nameless", "x"), at).unwrap();
    // A walk over addresses; then the only one that is known.
    for number in 0..6 {
        let user = format!("MAC0c383e07e16{number}@");
        socket.send_to(&subscribe(&user, &format!("forged{number}"), "x"), at).unwrap();
    }
    for call in ["known", "known", "beyond"] {
        socket.send_to(&subscribe("MAC0c383e07e16c@", call, "x"), at).unwrap();
    }
    // Eight were looked at: the nameless one, six, and the first `known`.
    assert_eq!(hear(&socket), ("known".to_owned(), None));
    let (call, body) = hear(&socket);
    assert_eq!(call, "known");
    assert_eq!(body.as_deref(), Some("http://192.0.2.1/p/token/0c383e07e16c.cfg"));
    // The NOTIFY again, and nothing of `beyond`.
    assert_eq!(hear(&socket).0, "known");
    assert_eq!(urls.0.load(Ordering::SeqCst), 7, "six that are unknown, one that is known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks_that_are_not_allowed_are_not_heard() {
    let config = PnpConfig { allow: vec!["10.0.0.0/8".parse().unwrap()], ..PnpConfig::default() };
    let (at, urls, _stop) = open(&config);
    let (allowed, allowed_urls, _stop_too) = open(&PnpConfig::default());
    let socket = phone();
    socket.send_to(&subscribe("MAC0c383e07e16c@", "refused", "x"), at).unwrap();
    socket.send_to(&subscribe("MAC0c383e07e16c@", "heard", "x"), allowed).unwrap();
    assert_eq!(hear(&socket).0, "heard");
    assert_eq!(urls.0.load(Ordering::SeqCst), 0);
    assert_eq!(allowed_urls.0.load(Ordering::SeqCst), 1);
}
