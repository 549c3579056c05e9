//! Waking devices through Prosody: the real server, a real XMPP server between,
//! and a simulated device.

use std::sync::Arc;

use provost::device::{EventCode, Secret};
use provost::http::{Host, client_tls};
use provost::link::{Link, LinkError, LinkTarget};
use provost::simulate::{Blueprint, Cpe, RunnerSettings, SimEvent, SimHandle};
use provost::time::{Clock as _, SystemClock};
use provost::xmpp::{Jid, Security, Settings, XmppError};

use super::prosody::{DOMAIN, Prosody};
use crate::lab::{Lab, PATIENCE};

/// Prosody with an account for the ACS and one for a device.
async fn prosody(hash: &str) -> Prosody {
    let prosody = Prosody::start(hash).await;
    prosody.account("acs", "acs-password").await;
    prosody.account("cpe", "cpe-password").await;
    prosody
}

/// A server that is to reach Prosody, as `acs`.
async fn lab(prosody: &Prosody, further: &[&str]) -> Lab {
    let password = prosody.file("acs.password", "acs-password\n");
    let sets = [
        format!("xmpp.server=127.0.0.1:{}", prosody.ports.0),
        format!("xmpp.jid=acs@{DOMAIN}/provost"),
        format!("xmpp.password_file={}", password.display()),
        format!("xmpp.ca={}", prosody.authority().display()),
    ];
    let mut sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    sets.extend(further);
    Lab::with(&sets).await
}

/// How a server says that its connection stands, once it is as wanted.
async fn standing(lab: &Lab, connected: bool) -> serde_json::Value {
    let search = async {
        loop {
            let (status, health) = lab.call("GET", "/api/v1/health", "").await;
            assert_eq!(status, 200);
            if health["xmpp"]["connected"] == connected {
                return health;
            }
        }
    };
    tokio::time::timeout(PATIENCE, search).await.unwrap()
}

/// Waits until a server has reached Prosody so many times.
async fn reached(lab: &Lab, times: usize) {
    let search = async {
        while lab.log().matches("the XMPP server is reached").count() < times {
            lab.call("GET", "/api/v1/health", "").await;
        }
    };
    tokio::time::timeout(PATIENCE, search).await.unwrap();
}

fn target(prosody: &Prosody, name: &str, password: &str, wakeable: bool) -> LinkTarget {
    let authority = std::fs::read_to_string(prosody.authority()).unwrap();
    LinkTarget {
        host: Host::Address("127.0.0.1".parse().unwrap()),
        port: prosody.ports.0,
        tls: Some(client_tls(&authority).unwrap()),
        settings: Settings {
            jid: Jid::parse(&format!("{name}@{DOMAIN}/cwmp")).unwrap(),
            password: Secret::new(password),
            security: Security::StartTls,
            plain: false,
            wakeable,
        },
    }
}

/// A device that has made its first contact, is at Prosody, and listens nowhere
/// else; `allowed` may wake it.
async fn device(lab: &Lab, prosody: &Prosody, allowed: &str) -> SimHandle {
    let (username, password) = lab.onboarding();
    let acs = format!("http://{}/", lab.addresses().cwmp.unwrap());
    let blueprint = Blueprint::device2("XMPP0001", 120)
        .unwrap()
        .with_acs(&acs, &username, password)
        .with_xmpp(&format!("cpe@{DOMAIN}/cwmp"), allowed);
    let settings = RunnerSettings {
        listen: false,
        xmpp: Some(target(prosody, "cpe", "cpe-password", true)),
        ..RunnerSettings::default()
    };
    let clock = Arc::new(SystemClock);
    let cpe = Cpe::new(blueprint, clock.now());
    let mut handle = provost::simulate::start(cpe, settings, clock).await.unwrap();
    let ended =
        handle.wait_for(PATIENCE, |event| matches!(event, SimEvent::SessionEnded { .. })).await;
    assert!(matches!(ended, Some(SimEvent::SessionEnded { failure: None, .. })), "{ended:?}");
    assert!(handle.xmpp_online().await);
    handle
}

const ID: &str = "/api/v1/devices/00D09E-SimGateway-XMPP0001";

/// Wakes the device; the result and the sentence of the way that was tried.
async fn wake(lab: &Lab) -> (String, String) {
    let (status, told) = lab.call("POST", &format!("{ID}/wake"), "").await;
    assert_eq!(status, 200, "{told}");
    let detail = told["tried"][0]["detail"].as_str().unwrap_or_default().to_owned();
    assert!(
        told["tried"].as_array().is_none_or(|tried| tried.iter().all(|one| one["way"] == "xmpp"))
    );
    (told["result"].as_str().unwrap().to_owned(), detail)
}

/// The device opens a session because it was asked to.
async fn comes(device: &mut SimHandle) {
    let asked = |event: &SimEvent| match event {
        SimEvent::SessionEnded { events, failure: None, .. } => {
            events.contains(&EventCode::ConnectionRequest)
        }
        _ => false,
    };
    assert!(device.wait_for(PATIENCE, asked).await.is_some(), "no session came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t18_a_device_is_woken_through_prosody_and_again_after_it_restarted() {
    let mut prosody = prosody("SHA-256").await;
    let lab = lab(&prosody, &[]).await;
    let health = standing(&lab, true).await;
    assert_eq!(health["xmpp"]["address"], format!("acs@{DOMAIN}/provost"));
    assert_eq!(health["status"], "ok");
    let mut device = device(&lab, &prosody, "").await;
    let (result, detail) = wake(&lab).await;
    assert_eq!((result.as_str(), detail.as_str()), ("woken", "woken by XMPP"));
    comes(&mut device).await;

    prosody.restart().await;
    reached(&lab, 2).await;
    assert!(device.xmpp_online().await);
    let (result, detail) = wake(&lab).await;
    assert_eq!(result, "woken", "{detail}");
    comes(&mut device).await;

    // The device goes, and its server says so.
    drop(device);
    prosody.logs("Client disconnected").await;
    let (result, detail) = wake(&lab).await;
    assert_eq!(result, "offline", "{detail}");
    assert!(detail.contains("service-unavailable"), "{detail}");
    assert!(!lab.log().contains("acs-password"));
    assert!(!format!("{:?}", lab.call("GET", "/api/v1/health", "").await).contains("password"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t18_a_device_refuses_wrong_credentials() {
    let prosody = prosody("SHA-1").await;
    // SCRAM-SHA-1, in TLS from the first byte on.
    let direct = [format!("xmpp.server=localhost:{}", prosody.ports.1), "xmpp.tls=direct".into()];
    let lab = lab(&prosody, &[&direct[0], &direct[1]]).await;
    standing(&lab, true).await;
    let mut angry = device(&lab, &prosody, &format!("acs@{DOMAIN}")).await;
    angry.change("Device.ManagementServer.ConnectionRequestPassword", "another").await;
    // What is told after a change comes after it.
    angry.raise(EventCode::Periodic).await;
    let told = |event: &SimEvent| matches!(event, SimEvent::SessionEnded { .. });
    assert!(angry.wait_for(PATIENCE, told).await.is_some());
    let (result, detail) = wake(&lab).await;
    assert_eq!(result, "refused", "{detail}");
    angry.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t18_a_device_that_allows_others_only_is_told_of() {
    let prosody = prosody("SHA-1").await;
    let lab = lab(&prosody, &[]).await;
    standing(&lab, true).await;
    let shy = device(&lab, &prosody, &format!("other@{DOMAIN}")).await;
    let (result, detail) = wake(&lab).await;
    assert_eq!(result, "forbidden", "{detail}");
    assert!(detail.contains("allows only other@xmpp.test to wake it"), "{detail}");
    assert!(detail.contains("this server is acs@xmpp.test/provost"), "{detail}");
    shy.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_the_right_one_is_shown_nothing() {
    let prosody = prosody("SHA-1").await;
    let mut wrong = target(&prosody, "cpe", "wrong-password", true);
    let error = Link::open(&wrong, &[1; 32]).await.unwrap_err();
    assert!(matches!(error, LinkError::Stream(XmppError::Credentials(_))), "{error}");
    // The certificate is for another domain than the account's.
    wrong.settings.jid = Jid::parse("cpe@other.test/cwmp").unwrap();
    let error = Link::open(&wrong, &[2; 32]).await.unwrap_err();
    assert!(matches!(error, LinkError::Stream(_) | LinkError::Tls(_)), "{error}");
    // Nobody that is trusted has signed it.
    let stranger = rcgen::generate_simple_self_signed(vec![DOMAIN.to_owned()]).unwrap();
    let mut untrusted = target(&prosody, "cpe", "cpe-password", true);
    untrusted.tls = Some(client_tls(&stranger.cert.pem()).unwrap());
    let error = Link::open(&untrusted, &[3; 32]).await.unwrap_err();
    assert!(matches!(error, LinkError::Tls(_)), "{error}");
    // Nor in clear text, where Prosody wants TLS.
    let mut clear = target(&prosody, "cpe", "cpe-password", true);
    clear.settings.security = Security::Clear;
    let error = Link::open(&clear, &[4; 32]).await.unwrap_err();
    assert!(matches!(error, LinkError::Stream(XmppError::NoMechanism(_))), "{error}");
    // And the right one.
    let right = target(&prosody, "cpe", "cpe-password", true);
    let link = Link::open(&right, &[5; 32]).await.unwrap();
    assert_eq!(link.jid().to_string(), format!("cpe@{DOMAIN}/cwmp"));
    link.close().await;
}

/// A device that tells an address and is not at any XMPP server.
async fn teller(lab: &Lab, serial: &str, jid: &str) -> SimHandle {
    let (username, password) = lab.onboarding();
    let acs = format!("http://{}/", lab.addresses().cwmp.unwrap());
    let blueprint = Blueprint::device2(serial, 120)
        .unwrap()
        .with_acs(&acs, &username, password)
        .with_xmpp(jid, "");
    let settings = RunnerSettings { listen: false, ..RunnerSettings::default() };
    let clock = Arc::new(SystemClock);
    let cpe = Cpe::new(blueprint, clock.now());
    let mut handle = provost::simulate::start(cpe, settings, clock).await.unwrap();
    let ended = |event: &SimEvent| matches!(event, SimEvent::SessionEnded { .. });
    assert!(handle.wait_for(PATIENCE, ended).await.is_some());
    handle
}

/// A server whose XMPP server hangs up on everybody.
async fn lab_alone() -> Lab {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("xmpp.server={}", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    Lab::with(&[&server, "xmpp.jid=acs@xmpp.test", "xmpp.password=acs-password", "xmpp.tls=off"])
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_xmpp_server_provost_says_so() {
    let lab = lab_alone().await;
    let health = standing(&lab, false).await;
    assert_eq!(health["status"], "degraded");
    assert!(health["xmpp"]["problem"].is_string(), "{health}");
    let _device = teller(&lab, "XMPP0001", "cpe@xmpp.test/cwmp").await;
    let (result, detail) = wake(&lab).await;
    assert_eq!(result, "not_ready", "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d03_no_stanza_goes_to_who_is_no_device_of_ours() {
    let lab = lab_alone().await;
    let jids =
        ["cpe@elsewhere.test/cwmp", "xmpp.test", "ACS@xmpp.test/other", "cpe@xmpp.test@a", "@"];
    for (number, jid) in jids.into_iter().enumerate() {
        let serial = format!("STRAY{number}");
        let _device = teller(&lab, &serial, jid).await;
        let path = format!("/api/v1/devices/00D09E-SimGateway-{serial}/wake");
        let (_, told) = lab.call("POST", &path, "").await;
        assert_eq!(told["result"], "forbidden", "{jid}: {told}");
        assert_eq!(told["tried"][0]["way"], "xmpp");
    }
}
