//! The gate with a store in memory.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::*;
use crate::config::{AuthMode, CertificateIdentity, CwmpConfig, StoreConfig, TrustConfig};
use crate::device::{Credentials, DeviceId, Secret, Stage};
use crate::http::{ClientCertificate, DigestClient, Peer};
use crate::store::{Record, Store, Vault};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

struct Rig {
    gate: Gate,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
}

fn id(text: &str) -> DeviceId {
    DeviceId::parse(text).unwrap()
}

fn peer(address: &str) -> Peer {
    Peer {
        connection: 1,
        address: format!("{address}:40000").parse().unwrap(),
        local: "192.0.2.1:7548".parse().unwrap(),
        tls: true,
        certificate: None,
        client: None,
    }
}

fn showing(authority: &str, names: &[&str]) -> Peer {
    let client = ClientCertificate {
        authority: authority.into(),
        names: names.iter().map(|name| Box::from(*name)).collect(),
    };
    Peer { client: Some(Arc::new(client)), ..peer("192.0.2.7") }
}

impl Rig {
    fn new(auth: AuthMode) -> Self {
        let store = crate::store::memory(&StoreConfig::default());
        let vault = Vault::ephemeral();
        let trust = |name: &str, identity, ouis: &[&str]| TrustConfig {
            name: name.to_owned(),
            ca: "unused".into(),
            crl: Vec::new(),
            identity,
            ouis: ouis.iter().map(|oui| (*oui).to_owned()).collect(),
        };
        let config = CwmpConfig {
            auth,
            trust: vec![
                trust("own", CertificateIdentity::Device, &[]),
                trust("vendor", CertificateIdentity::Device, &["00d09e"]),
                trust("model", CertificateIdentity::Model, &[]),
            ],
            ..CwmpConfig::default()
        };
        let onboarding =
            OnboardingAccount { username: "provost".into(), password: Secret::new("onboarding") };
        let gate = Gate::new(&config, Some(onboarding), store.clone(), vault.clone());
        Self { gate, store, vault }
    }

    async fn device(&self, name: &str, password: &str) {
        let sealed = || self.vault.seal(&Secret::new(password));
        let credentials = Credentials {
            device: id(name),
            username: name.into(),
            password: sealed(),
            connection_request_username: "provost".into(),
            connection_request_password: sealed(),
            stage: Stage::Confirmed,
            made_at: NOW,
            offers: 1,
        };
        self.store.commit(Record::Credentials(Box::new(credentials)).into()).await.unwrap();
    }

    async fn asks(&self, headers: &HeaderMap, peer: &Peer) -> Result<Principal, Denied> {
        self.gate.identify(headers, "POST", peer, NOW).await
    }

    async fn basic(&self, user: &str, password: &str, peer: &Peer) -> Result<Principal, Denied> {
        self.asks(&basic(user, password), peer).await
    }

    fn digest(&self, user: &str, password: &str) -> HeaderMap {
        let challenges = self.gate.challenges(false, true, NOW);
        let challenges: Vec<&str> =
            challenges.iter().map(|value| value.to_str().unwrap()).collect();
        let password = Secret::new(password);
        let answer =
            DigestClient::answer(&challenges, "POST", "/", user, &password, "0a4f113b", 1).unwrap();
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(answer).unwrap())])
    }
}

fn basic(user: &str, password: &str) -> HeaderMap {
    let text = DigestClient::basic(user, &Secret::new(password));
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(text).unwrap())])
}

#[tokio::test]
async fn a_certificate_of_a_device_needs_no_other_credentials() {
    let rig = Rig::new(AuthMode::Shared);
    let none = HeaderMap::new();
    for (names, device) in [
        (vec!["00D09E-HG%2D100-0123"], "00D09E-HG%2D100-0123"),
        (vec!["00d09e-0123"], "00D09E-0123"),
        (vec!["Some CPE", "00D09E-0123"], "00D09E-0123"),
        (vec!["00D09E-HG-1:2"], "00D09E-HG-1%3A2"),
        (vec!["00D09E-0123", "00D09E-HG-0123"], "00D09E-0123"),
    ] {
        let found = rig.asks(&none, &showing("own", &names)).await.unwrap();
        assert_eq!(found, Principal::Certified(id(device)), "{names:?}");
    }
    for names in [
        vec![],
        vec!["Some CPE"],
        vec!["CPE-1"],
        vec!["00D09E"],
        vec!["00D09E-"],
        vec!["00D09E--1"],
        vec!["00D09E-A-B-C"],
        vec!["00D09E-%zz"],
        vec!["00D09E-%0"],
        vec!["00D09E-%ff"],
        vec!["00D09E-%00"],
    ] {
        let refused = rig.asks(&none, &showing("own", &names)).await;
        assert!(
            matches!(refused, Err(Denied::Certificate(CertificateProblem::NoDevice { .. }))),
            "{names:?}: {refused:?}"
        );
    }
    let two = rig.asks(&none, &showing("own", &["00D09E-1", "00D09E-2"])).await;
    assert!(matches!(two, Err(Denied::Certificate(CertificateProblem::TwoDevices { .. }))));
}

#[tokio::test]
async fn a_generic_certificate_is_no_identity() {
    let rig = Rig::new(AuthMode::Shared);
    let model = showing("model", &["00D09E-0123"]);
    assert!(matches!(rig.asks(&HeaderMap::new(), &model).await, Err(Denied::Missing)));
    assert_eq!(rig.basic("provost", "onboarding", &model).await.unwrap(), Principal::Onboarding);
    assert!(matches!(rig.basic("provost", "wrong", &model).await, Err(Denied::Wrong)));
}

#[tokio::test]
async fn an_authority_speaks_for_its_own_ouis_alone() {
    let rig = Rig::new(AuthMode::Shared);
    let none = HeaderMap::new();
    let own = rig.asks(&none, &showing("vendor", &["00D09E-1"])).await.unwrap();
    assert_eq!(own, Principal::Certified(id("00D09E-1")));
    let refused = rig.asks(&none, &showing("vendor", &["00D09F-1"])).await.unwrap_err();
    assert!(matches!(refused, Denied::Certificate(CertificateProblem::ForeignOui { .. })));
    assert_eq!(refused.alarms(), Some(&id("00D09F-1")));
}

#[tokio::test]
async fn b02_a_certificate_beside_credentials_of_another_device_is_refused() {
    let rig = Rig::new(AuthMode::Shared);
    rig.device("00D09E-HG-1", "one").await;
    rig.device("00D09E-HG-2", "two").await;
    for name in ["00D09E-HG-1", "00D09E-1"] {
        let peer = showing("own", &[name]);
        for headers in [basic("00D09E-HG-1", "one"), basic("00D09E-HG-1", "old"), basic("x", "y")] {
            assert_eq!(rig.asks(&headers, &peer).await.unwrap(), Principal::Certified(id(name)));
        }
        for headers in [basic("00D09E-HG-2", "two"), rig.digest("00D09E-HG-2", "wrong")] {
            let refused = rig.asks(&headers, &peer).await.unwrap_err();
            assert!(matches!(refused, Denied::OtherCredentials { .. }), "{refused:?}");
            assert_eq!(refused.alarms(), Some(&id("00D09E-HG-2")));
        }
    }
}

#[test]
fn b14_ids_that_look_alike_are_distinct_and_only_a_certificate_leaves_the_class_open() {
    let device = id("00D09E-HG-1");
    let two = id("00D09E-1");
    let fits = |principal: Principal, of: &DeviceId| Gate::fits(&principal, of, None, false);
    assert_eq!(fits(Principal::Certified(two.clone()), &device), Ok(()));
    assert_eq!(fits(Principal::Certified(device.clone()), &device), Ok(()));
    assert_eq!(
        fits(Principal::Certified(device.clone()), &two),
        Err(Mismatch::OtherCertificate),
        "a class that is named is meant"
    );
    for other in ["00D09E-HG-2", "00D09F-HG-1", "00D09E-1-HG", "00D09E-HG%2D1"] {
        let other = id(other);
        assert!(fits(Principal::Certified(two.clone()), &other).is_err(), "{other}");
    }
    assert_eq!(fits(Principal::Device(two.clone()), &device), Err(Mismatch::OtherDevice));
    assert_eq!(fits(Principal::Device(device), &two), Err(Mismatch::OtherDevice));
}

#[tokio::test]
async fn b06_an_answer_that_was_overheard_is_stale_elsewhere() {
    let rig = Rig::new(AuthMode::Shared);
    let answer = rig.digest("provost", "onboarding");
    let own = peer("192.0.2.7");
    for _ in 0..3 {
        assert_eq!(rig.asks(&answer, &own).await.unwrap(), Principal::Onboarding, "Q17, Q58");
    }
    let replayed = rig.asks(&answer, &peer("192.0.2.8")).await;
    assert!(matches!(replayed, Err(Denied::Stale)));
    let fresh = rig.digest("provost", "onboarding");
    let later = NOW.after(std::time::Duration::from_secs(301));
    let old = rig.gate.identify(&fresh, "POST", &own, later).await;
    assert!(matches!(old, Err(Denied::Stale)));
}

#[tokio::test]
async fn b07_basic_in_clear_is_neither_offered_nor_taken() {
    let rig = Rig::new(AuthMode::Shared);
    let clear = Peer { tls: false, ..peer("192.0.2.7") };
    let refused = rig.basic("provost", "onboarding", &clear).await;
    assert!(matches!(refused, Err(Denied::BasicInClear)));
    let offered = |tls| {
        let challenges = rig.gate.challenges(false, tls, NOW);
        challenges.iter().any(|value| value.to_str().unwrap().starts_with("Basic"))
    };
    assert!(offered(true) && !offered(false));
}

#[tokio::test]
async fn b08_guessing_is_slowed_and_nobody_else_is_locked_out() {
    let rig = Rig::new(AuthMode::Shared);
    rig.device("00D09E-1", "right").await;
    let (guesser, home, new) = (peer("192.0.2.66"), peer("192.0.2.7"), peer("192.0.2.8"));
    let mut judged = 0;
    for guess in 0..1000 {
        match rig.basic("00D09E-1", &guess.to_string(), &guesser).await {
            Err(Denied::Wrong) => judged += 1,
            Err(Denied::TooMany) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(judged, 10, "ten guesses in a minute");
    assert!(matches!(rig.basic("00D09E-1", "right", &guesser).await, Err(Denied::TooMany)));
    assert!(rig.basic("00D09E-1", "right", &home).await.is_ok(), "the device itself is let in");
    // Many names at one address: others who call from it are let in only where
    // they live, and elsewhere nothing changes.
    for guess in 0..1000 {
        let _ = rig.basic(&format!("00D09E-X{guess}"), "guess", &guesser).await;
    }
    rig.device("00D09E-2", "right").await;
    assert!(matches!(rig.basic("00D09E-2", "right", &guesser).await, Err(Denied::TooMany)));
    assert!(rig.basic("00D09E-2", "right", &new).await.is_ok());
    for guess in 0..1000_u32 {
        let [.., c, d] = guess.to_be_bytes();
        let _ = rig.basic("provost", "guess", &peer(&format!("198.51.{c}.{d}"))).await;
    }
    assert!(rig.basic("provost", "onboarding", &new).await.is_ok(), "new devices still come in");
    let later = NOW.after(std::time::Duration::from_secs(60));
    let headers = basic("00D09E-1", "right");
    assert!(rig.gate.identify(&headers, "POST", &guesser, later).await.is_ok());
}

#[tokio::test]
async fn b01_without_credentials_or_with_an_empty_name_nobody_is_let_in() {
    for mode in [AuthMode::Shared, AuthMode::Device] {
        let rig = Rig::new(mode);
        let own = peer("192.0.2.7");
        assert!(matches!(rig.asks(&HeaderMap::new(), &own).await, Err(Denied::Missing)));
        for (user, password) in [("", ""), ("", "onboarding"), ("provost", "")] {
            assert!(matches!(rig.basic(user, password, &own).await, Err(Denied::Wrong)));
        }
        for broken in ["Basic", "Digest", "Bearer x", "Basic !!!", ""] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, broken.parse().unwrap())]);
            assert!(matches!(rig.asks(&headers, &own).await, Err(Denied::Wrong)), "{broken}");
        }
    }
}

proptest::proptest! {
    /// Whatever a certificate names, what comes of it is an id or nothing.
    #[test]
    fn no_name_in_a_certificate_is_a_panic(
        names in proptest::collection::vec("([0-9A-Fa-f]{6}|.{0,8})(-[%0-9A-Za-z.\\-]{0,12}|.{0,12})", 0..4)
    ) {
        let stores = [TrustConfig {
            name: "own".to_owned(),
            ca: "unused".into(),
            crl: Vec::new(),
            identity: CertificateIdentity::Device,
            ouis: Vec::new(),
        }];
        let names = names.into_iter().map(Box::from).collect();
        let shown = ClientCertificate { authority: "own".into(), names };
        if let Ok(Some(found)) = Certificates::new(&stores).device(&shown) {
            proptest::prop_assert_eq!(DeviceId::parse(found.as_str()), Ok(found.clone()));
        }
    }
}
