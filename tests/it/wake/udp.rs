//! Devices to which only datagrams lead.

use provost::config::{StunConfig, UdpVariant};
use tokio::net::UdpSocket;

use super::*;
use crate::stun::{heard, socket};

/// A URL that nothing may be sent to, as a device behind NAT reports it.
const INSIDE: &str = "http://192.168.1.1:7547/cr";

async fn datagram(socket: &UdpSocket) -> String {
    String::from_utf8(heard(socket).await).unwrap()
}

/// The argument of a UDP connection request.
fn argument<'a>(datagram: &'a str, name: &str) -> &'a str {
    let query = datagram.split(['?', ' ']).nth(2).unwrap();
    query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap()
}

#[tokio::test]
async fn t18_a_bound_device_is_sent_the_same_datagram_three_times_from_the_stun_socket() {
    let mut house = House::new(&[]);
    let stun = house.with_stun(&StunConfig::default());
    let id = house.device(INSIDE, LOCAL).await;
    house.credentials(&id, "cr", "secret").await;
    let device = socket().await;
    stun.bind(&id, &device).await;
    let mut report = house.waker.report(&id).await;
    assert_eq!(report.outcome.clone().unwrap(), Woken::Sent);
    assert_eq!(report.tried.len(), 2, "{report:?}");
    assert_eq!(report.tried[0].way, Way::Http);
    assert!(matches!(report.tried[0].outcome, Err(WakeError::BehindNat(_))), "{report:?}");
    assert_eq!(report.tried[1].way, Way::Udp);

    let mut buffer = [0; 2000];
    let (length, from) = device.recv_from(&mut buffer).await.unwrap();
    assert_eq!(from, stun.at());
    let first = String::from_utf8(buffer[..length].to_vec()).unwrap();
    let own = device.local_addr().unwrap();
    assert!(first.starts_with(&format!("GET http://{own}?ts=1795205100&id=")), "{first}");
    assert!(first.ends_with(&format!(" HTTP/1.1\r\nHost: {own}\r\n\r\n")), "{first}");
    assert_eq!(argument(&first, "un"), "cr");
    assert!(!first.contains("secret"));
    assert_eq!(datagram(&device).await, first);
    assert_eq!(datagram(&device).await, first);

    // Not heard yet: it stays sent, and nobody is asked again.
    house.waker.confirm(&id, &mut report, Duration::from_millis(1)).await;
    assert_eq!(report.outcome.clone().unwrap(), Woken::Sent);
    assert_eq!(house.waker.wake(&id).await.unwrap(), Woken::Sent);
    // It informs while somebody waits.
    house.clock.advance(Duration::from_secs(1));
    let (waiting, ()) = tokio::join!(
        async {
            house.waker.confirm(&id, &mut report, crate::lab::PATIENCE).await;
            report.outcome.clone().unwrap()
        },
        house.informs(&id)
    );
    assert_eq!(waiting, Woken::Informed);
    // The next request is another one.
    house.waker.wake(&id).await.unwrap();
    let next = datagram(&device).await;
    let number = |text: &str| argument(text, "id").parse::<u32>().unwrap();
    assert!(number(&next) > number(&first));
    assert_ne!(argument(&next, "cn"), argument(&first, "cn"));
}

#[tokio::test]
async fn q51_a_model_that_wants_it_otherwise_gets_it_so() {
    let mut house = House::new(&[]);
    let all = [UdpVariant::Milliseconds, UdpVariant::Upper, UdpVariant::Slash, UdpVariant::NoHost];
    let variants = [(String::new(), all.into())].into();
    let stun = house.with_stun(&StunConfig { variants, ..StunConfig::default() });
    let id = house.device("", LOCAL).await;
    house.credentials(&id, "cr", "secret").await;
    let device = socket().await;
    stun.bind(&id, &device).await;
    assert_eq!(house.waker.wake(&id).await.unwrap(), Woken::Sent);
    let heard = datagram(&device).await;
    assert!(heard.contains("/?ts=1795205100000&"), "{heard}");
    assert!(heard.ends_with(" HTTP/1.1\r\n\r\n"), "{heard}");
}

#[tokio::test]
async fn d03_an_address_that_a_device_only_told_is_guarded() {
    let mut house = House::new(&[]);
    let stun = house.with_stun(&StunConfig::default());
    let device = socket().await;
    let port = device.local_addr().unwrap().port();
    let id = house.device("", "203.0.113.5".parse().unwrap()).await;
    house.credentials(&id, "cr", "secret").await;
    for told in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        "198.51.100.9:41000".to_owned(),
        "255.255.255.255:9".to_owned(),
        "user@203.0.113.5".to_owned(),
        "203.0.113.5:0".to_owned(),
        "203.0.113.5\r\nX: y".to_owned(),
    ] {
        house.tells(&id, "UDPConnectionRequestAddress", &told).await;
        let error = house.waker.wake(&id).await.unwrap_err();
        assert!(matches!(error, WakeError::Forbidden(_) | WakeError::BadUrl(_)), "{told}: {error}");
        house.clock.advance(Duration::from_secs(60));
    }
    // At the address that it called from it is as good as bound.
    house.device("", LOCAL).await;
    house.tells(&id, "UDPConnectionRequestAddress", &format!("127.0.0.1:{port}")).await;
    assert_eq!(house.waker.wake(&id).await.unwrap(), Woken::Sent);
    assert!(datagram(&device).await.starts_with("GET http://127.0.0.1:"));
    drop(stun);
}

#[tokio::test]
async fn a_device_behind_nat_with_no_way_in_is_told_as_such() {
    let mut house = House::new(&[]);
    let caller = "203.0.113.5".parse().unwrap();
    let id = house.device(INSIDE, caller).await;
    let _stun = house.with_stun(&StunConfig::default());
    let report = house.waker.report(&id).await;
    let error = report.outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "behind NAT with no way in: the device listens at 192.168.1.1 in its own network, and \
         called from 203.0.113.5"
    );
    assert_eq!((error.word(), report.tried.len()), ("behind_nat", 1));
}

/// An XMPP server that always says the same.
struct Says(Result<(), WakeError>);

#[async_trait::async_trait]
impl XmppAsk for Says {
    async fn ask(&self, jid: &str, username: &str, _: &Secret) -> Result<(), WakeError> {
        assert_eq!((jid, username), ("cpe@example.net/cwmp", "cr"));
        self.0.clone()
    }

    fn standing(&self) -> provost::wake::XmppStanding {
        provost::wake::XmppStanding { address: "acs@example.net".parse().unwrap(), problem: None }
    }
}

#[tokio::test]
async fn t18_a_way_that_fails_is_followed_by_the_next() {
    for (says, word) in [
        (Ok(()), "woken"),
        (Err(WakeError::Busy), "busy"),
        (Err(WakeError::Refused("not-authorized")), "refused"),
    ] {
        let mut house = House::new(&[]);
        house.with_ways(None, Some(Arc::new(Says(says))));
        let id = house.device(INSIDE, "203.0.113.5".parse().unwrap()).await;
        house.credentials(&id, "cr", "secret").await;
        house.tells(&id, "ConnReqJabberID", "cpe@example.net/cwmp").await;
        let report = house.waker.report(&id).await;
        let ways: Vec<_> = report.tried.iter().map(|attempt| attempt.way).collect();
        assert_eq!(ways, [Way::Http, Way::Xmpp]);
        let told = report.outcome.map_or_else(|error| error.word(), Woken::word);
        assert_eq!(told, word);
    }
}
