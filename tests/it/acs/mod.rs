//! The device's door from outside: the real server, raw bytes on sockets.

mod certificates;
mod digest;
mod hostile;
mod identity;
mod lenient;
mod redirect;
mod rpcs;
pub(crate) mod wire;

use provost::device::{DeviceId, Secret};
use provost::simulate::{Action, Blueprint, Cpe};
use provost::time::{Clock as _, SystemClock};

use crate::lab::Lab;
use wire::{Answer, Wire, authorize};

/// A device's first Inform, as bytes.
pub(crate) fn inform(serial: &str) -> (DeviceId, Vec<u8>) {
    let blueprint = Blueprint::device2(serial, 40).unwrap();
    let id = blueprint.identity().id();
    let mut cpe = Cpe::new(blueprint, SystemClock.now());
    let Action::Post(bytes) = cpe.open_session(SystemClock.now()) else { panic!() };
    (id, bytes)
}

async fn open_lab() -> (Lab, std::net::SocketAddr) {
    let lab = Lab::with(&["cwmp.auth=open"]).await;
    let at = lab.addresses().cwmp.unwrap();
    (lab, at)
}

#[tokio::test]
async fn b01_an_inform_without_credentials_is_challenged_and_nothing_is_kept() {
    let lab = Lab::start().await;
    let mut wire = Wire::connect(lab.addresses().cwmp.unwrap()).await;
    let (_, inform) = inform("B1");
    let answer = wire.post(&inform, &[]).await;
    assert_eq!(answer.status, 401);
    let challenges = answer.headers("www-authenticate");
    assert_eq!(challenges.len(), 2, "MD5 and SHA-256, no Basic in clear: {challenges:?}");
    assert!(challenges[0].contains("MD5"), "old devices read only the first");
    assert!(challenges.iter().any(|challenge| challenge.contains("SHA-256")));
    let (user, _) = lab.onboarding();
    let wrong = authorize(&challenges, &user, &Secret::new("wrong"));
    assert_eq!(wire.post(&inform, &[("Authorization", &wrong)]).await.status, 401);
    let basic = "Basic cHJvdm9zdDp3cm9uZw==";
    assert_eq!(wire.post(&inform, &[("Authorization", basic)]).await.status, 401);
}

#[tokio::test]
async fn t04_q17_the_authenticated_inform_may_come_on_a_new_connection() {
    let lab = Lab::start().await;
    let at = lab.addresses().cwmp.unwrap();
    let (_, inform) = inform("Q17");
    let challenges = Wire::connect(at).await.post(&inform, &[]).await.headers("www-authenticate");
    let (user, password) = lab.onboarding();
    let answer = authorize(&challenges, &user, &password);
    let mut second = Wire::connect(at).await;
    let reply = second.post(&inform, &[("Authorization", &answer)]).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("InformResponse"));
    assert!(reply.headers("content-type")[0].starts_with("text/xml"));
    // Q58: the same nonce and nc again, on the connection of the session.
    let next = second.post(b"", &[("Authorization", &answer)]).await;
    assert_eq!(next.status, 200, "the first request of the ACS");
}

#[tokio::test]
async fn t12_q23_each_message_may_come_on_a_new_connection_with_the_cookie() {
    let (_lab, at) = open_lab().await;
    let (_, inform) = inform("Q23");
    let first = Wire::connect(at).await.post(&inform, &[]).await;
    let cookie = first.cookie();
    assert!(
        first.headers("set-cookie")[0].ends_with("; Path=/"),
        "no attribute that a device chokes on (Q21)"
    );
    let next = Wire::connect(at).await.post(b"", &[("Cookie", &cookie)]).await;
    assert_eq!(next.status, 200);
    assert!(next.text().contains("GetParameterNames"), "{}", next.text());
}

#[tokio::test]
async fn t12_q21_a_device_without_cookies_is_known_by_its_connection_or_address() {
    let (_lab, at) = open_lab().await;
    let (_, inform) = inform("Q21");
    let mut wire = Wire::connect(at).await;
    assert_eq!(wire.post(&inform, &[]).await.status, 200);
    assert_eq!(wire.post(b"", &[]).await.status, 200, "the connection is enough");
    // A second device, with a connection for each message and no cookie: it is
    // the only session of its address once the first one has ended.
    drop(wire);
    let (_lab, at) = open_lab().await;
    assert_eq!(Wire::connect(at).await.post(&inform, &[]).await.status, 200);
    assert_eq!(Wire::connect(at).await.post(b"", &[]).await.status, 200);
}

#[tokio::test]
async fn t12_q22_q57_cookies_are_read_as_devices_write_them() {
    let (_lab, at) = open_lab().await;
    let (_, inform) = inform("Q57");
    for form in [
        "{}; Path=/",
        "$Version=\"1\"; {}",
        "stale=1, {}",
        "session=00000000000000000000000000000000; {}",
    ] {
        let cookie = Wire::connect(at).await.post(&inform, &[]).await.cookie();
        let header = form.replace("{}", &cookie);
        assert_eq!(
            Wire::connect(at).await.post(b"", &[("Cookie", &header)]).await.status,
            200,
            "{header}"
        );
    }
}

#[tokio::test]
async fn b04_b05_a_stolen_cookie_opens_nothing_without_credentials() {
    let lab = Lab::start().await;
    let at = lab.addresses().cwmp.unwrap();
    let (_, inform) = inform("B4");
    let mut wire = Wire::connect(at).await;
    let challenges = wire.post(&inform, &[]).await.headers("www-authenticate");
    let (user, password) = lab.onboarding();
    let answer = authorize(&challenges, &user, &password);
    let cookie = wire.post(&inform, &[("Authorization", &answer)]).await.cookie();
    let thief = Wire::connect(at).await.post(b"", &[("Cookie", &cookie)]).await;
    assert_eq!(thief.status, 401);
    // B5: a cookie that a client made up is not taken over.
    let made_up = "session=11111111111111111111111111111111";
    let reply = wire.post(&inform, &[("Authorization", &answer), ("Cookie", made_up)]).await;
    assert_ne!(reply.cookie(), made_up);
}

#[tokio::test]
async fn b12_q45_q20_an_empty_post_without_a_session_is_answered_by_204() {
    let (_lab, at) = open_lab().await;
    let mut wire = Wire::connect(at).await;
    for _ in 0..2 {
        let answer = wire.post(b"", &[]).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
    }
}

#[tokio::test]
async fn b12_q49_an_inform_in_a_live_session_begins_a_new_one() {
    let (_lab, at) = open_lab().await;
    let (_, inform) = inform("Q49");
    let mut wire = Wire::connect(at).await;
    let first = wire.post(&inform, &[]).await.cookie();
    assert_eq!(wire.post(b"", &[("Cookie", &first)]).await.status, 200, "an RPC is outstanding");
    let again = wire.post(&inform, &[("Cookie", &first)]).await;
    assert_eq!(again.status, 200);
    assert_ne!(again.cookie(), first);
    assert_eq!(wire.post(b"", &[("Cookie", &again.cookie())]).await.status, 200);
}

#[tokio::test]
async fn q24_headers_that_do_not_belong_are_ignored_and_missing_ones_not_missed() {
    let (_lab, at) = open_lab().await;
    let (_, inform) = inform("Q24");
    let mut wire = Wire::connect(at).await;
    assert_eq!(wire.post_bare(&inform).await.status, 200, "no SOAPAction, no Content-Type");
    let odd = [("SOAPAction", "\"x\""), ("Content-Type", "text/xml")];
    assert_eq!(wire.post(b"", &odd).await.status, 200);
}

#[tokio::test]
async fn a_hostile_body_is_refused_and_the_others_are_served() {
    let (_lab, at) = open_lab().await;
    let bomb = b"<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"b\">]><l>&a;</l>";
    for (name, body) in [
        ("A1 a DOCTYPE", bomb.to_vec()),
        ("A6 nested elements", b"<a>".repeat(10_000)),
        ("no XML", b"hello".to_vec()),
        ("a cut envelope", inform("CUT").1[..400].to_vec()),
    ] {
        let answer = Wire::connect(at).await.post(&body, &[]).await;
        assert_eq!(answer.status, 400, "{name}");
    }
    let mut wire = Wire::connect(at).await;
    let huge = wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n").await;
    assert_eq!(huge.status, 413, "A8");
    let get = Wire::connect(at).await.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((get.status, get.headers("allow")), (405, vec!["POST".to_owned()]));
    let (_, inform) = inform("FINE");
    assert_eq!(Wire::connect(at).await.post(&inform, &[]).await.status, 200);
}

#[tokio::test]
async fn a_response_without_a_session_is_refused() {
    let (_lab, at) = open_lab().await;
    let body = br#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><c:RebootResponse xmlns:c="urn:dslforum-org:cwmp-1-0"/></e:Body></e:Envelope>"#;
    assert_eq!(Wire::connect(at).await.post(body, &[]).await.status, 400);
}

#[tokio::test]
async fn b02_in_device_mode_only_known_credentials_open_the_door() {
    let lab = Lab::with(&["cwmp.auth=device"]).await;
    let at = lab.addresses().cwmp.unwrap();
    assert!(!lab.data().join("onboarding.txt").exists());
    let (id, inform) = inform("MINE");
    let body = serde_json::json!({
        "manufacturer": "Provost", "oui": "00D09E", "product_class": "SimGateway",
        "serial_number": "MINE", "username": "customer-17", "password": "its own",
    });
    let (status, added) = lab.call("POST", "/api/v1/devices", &body.to_string()).await;
    assert_eq!(status, 201, "{added}");
    let mut wire = Wire::connect(at).await;
    let challenges = wire.post(&inform, &[]).await.headers("www-authenticate");
    for (user, password, status) in [
        ("customer-17", "wrong", 401),
        (id.as_str(), "its own", 401),
        ("customer-17", "its own", 200),
    ] {
        let answer = authorize(&challenges, user, &Secret::new(password));
        assert_eq!(
            wire.post(&inform, &[("Authorization", &answer)]).await.status,
            status,
            "{user} {password}"
        );
    }
    // B2: the right credentials of one device with the serial number of another.
    let (_, other) = self::inform("YOURS");
    let answer = authorize(&challenges, "customer-17", &Secret::new("its own"));
    assert_eq!(wire.post(&other, &[("Authorization", &answer)]).await.status, 403);
    let (status, _) = lab.call("GET", "/api/v1/devices/00D09E-SimGateway-YOURS", "").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn in_open_mode_no_credentials_are_given_out() {
    let (lab, at) = open_lab().await;
    let (_, inform) = inform("OPEN");
    let mut wire = Wire::connect(at).await;
    assert_eq!(wire.post(&inform, &[]).await.status, 200);
    let Answer { status, .. } = &wire.post(b"", &[]).await;
    assert_eq!(*status, 200);
    assert!(!lab.data().join("onboarding.txt").exists());
}
