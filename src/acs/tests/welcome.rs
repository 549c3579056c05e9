//! First contact: what is laid ready for devices, and the quarantine, on a clock
//! that stands still.

use super::*;
use crate::config::{AdmissionAction, AdmissionRuleConfig};
use crate::cwmp::{CpeRequest, Inform, Message, ParameterValue};
use crate::device::{
    Credentials, Decision, DeviceIdentity, Labels, Preload, PreloadKey, Stranger, Vouched,
};
use crate::store::Change;

/// A server that admits so.
fn admitting(config: AdmissionConfig) -> Lab {
    let mut lab = Lab::new();
    let shared = Arc::get_mut(&mut lab.shared).unwrap();
    shared.admission_rules = AdmissionRules::read(&config).unwrap().into();
    shared.strangers = Arc::new(Strangers::new(lab.store.clone(), &config));
    lab
}

fn quarantine() -> AdmissionConfig {
    AdmissionConfig { unknown: AdmissionAction::Quarantine, ..AdmissionConfig::default() }
}

fn rule(matches: &str, action: AdmissionAction) -> AdmissionRuleConfig {
    AdmissionRuleConfig { matches: matches.to_owned(), action }
}

impl Lab {
    /// Lays something ready for a device; its subscriber is named after the key.
    async fn expect(&self, key: &str) {
        let key: PreloadKey = key.parse().unwrap();
        let labels = Labels {
            revision: 1,
            tags: ["gold".into()].into(),
            tenant: "north".into(),
            site: "hq".into(),
            subscriber: [("id".into(), key.to_string().into())].into(),
        };
        let preload =
            Preload { key, at: self.clock.now(), by: "test".into(), labels, taken_by: None };
        self.store.commit(Record::Preload(Box::new(preload)).into()).await.unwrap();
    }

    async fn taken_by(&self, key: &str) -> Option<DeviceId> {
        let key: PreloadKey = key.parse().unwrap();
        self.store.fleet().preload(&key).await.unwrap().unwrap().taken_by
    }

    /// The device's Inform, changed, from the caller.
    async fn arrive(
        &mut self,
        caller: Caller,
        change: impl FnOnce(&mut Inform),
    ) -> Result<Driver, Refusal> {
        let simulate::Action::Post(inform) = self.cpe.open_session(self.clock.now()) else {
            panic!()
        };
        let mut envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
        let Message::CpeRequest(CpeRequest::Inform(inform)) = &mut envelope.message else {
            panic!()
        };
        change(inform);
        let opened = Driver::open(self.shared.clone(), envelope, caller, self.clock.now()).await;
        let cut = simulate::SessionFailure::Connection("cut".to_owned());
        self.cpe.session_lost(cut, self.clock.now());
        opened.map(|(driver, _)| driver)
    }

    /// The same for another serial number.
    async fn arrive_as(&mut self, serial: &str) -> Result<Driver, Refusal> {
        let caller = self.caller();
        let serial = serial.to_owned();
        self.arrive(caller, |inform| inform.device.serial_number = serial.into()).await
    }

    async fn subscriber(&self, id: &DeviceId) -> Option<String> {
        let labels = self.store.labels(id).await.unwrap()?;
        Some(labels.subscriber["id"].to_string())
    }

    async fn said(&self, id: &DeviceId) -> Vec<String> {
        let told = |event: crate::device::Event| match event.kind {
            EventKind::Alarm(text) | EventKind::TakenIn(text) => Some(text.into_string()),
            _ => None,
        };
        self.store.events(id, 100).await.unwrap().into_iter().filter_map(told).collect()
    }

    async fn stranger(&self) -> Option<Stranger> {
        self.store.fleet().stranger(&self.id).await.unwrap()
    }
}

fn waits(opened: Result<Driver, Refusal>) -> bool {
    matches!(opened, Err(Refusal::Waits(_)))
}

fn parameter(name: &str, text: &str) -> ParameterValue {
    ParameterValue { name: path(name), value: Value::string(text) }
}

#[tokio::test]
async fn a_device_is_given_what_was_laid_ready_with_its_first_commit() {
    for key in
        ["device/00D09E-SimGateway-LAB1", "serial/lab1", "mac/0c:38:3e:00:00:01", "login/anna@isp"]
    {
        let mut lab = Lab::new();
        lab.expect(key).await;
        let (caller, id) = (lab.caller(), lab.id.clone());
        let opened = lab
            .arrive(caller, |inform| {
                inform
                    .parameters
                    .push(parameter("Device.Ethernet.Link.1.MACAddress", "0C383E000001"));
                inform.parameters.push(parameter("Device.PPP.Interface.1.Username", "anna@isp"));
            })
            .await;
        // Nothing of the session but its Inform has been answered.
        assert!(opened.is_ok(), "{key}: {:?}", opened.err());
        let labels = lab.store.labels(&id).await.unwrap().unwrap();
        assert_eq!((&*labels.tenant, &*labels.site, labels.revision), ("north", "hq", 1), "{key}");
        assert!(labels.tags.contains("gold"), "{key}");
        assert!(lab.store.device(&id).await.unwrap().is_some());
        assert_eq!(lab.taken_by(key).await.as_ref(), Some(&id), "{key}");
        assert!(lab.said(&id).await[0].starts_with("expected as "), "{key}");
    }
}

#[tokio::test]
async fn the_name_that_a_device_proves_at_the_server_is_a_login_and_the_shared_one_is_none() {
    let mut lab = Lab::new();
    lab.expect("login/provost").await;
    lab.expect("login/anna").await;
    let (id, vault) = (lab.id.clone(), lab.shared.vault.clone());
    let caller = lab.caller();
    assert!(lab.arrive(caller, |_| {}).await.is_ok());
    assert_eq!(lab.subscriber(&id).await, None, "the onboarding credential is nobody's login");
    let mut batch = crate::store::Batch::new();
    batch.push(Change::ForgetDevice(id.clone()));
    lab.store.commit(batch).await.unwrap();
    let own = Credentials {
        device: id.clone(),
        username: "anna".into(),
        password: vault.seal(&Secret::new("x")),
        connection_request_username: "x".into(),
        connection_request_password: vault.seal(&Secret::new("x")),
        stage: Stage::Confirmed,
        made_at: lab.clock.now(),
        offers: 0,
    };
    lab.store.commit(Record::Credentials(Box::new(own)).into()).await.unwrap();
    let caller = Caller { principal: Principal::Device(id.clone()), ..lab.caller() };
    assert!(lab.arrive(caller, |_| {}).await.is_ok());
    assert_eq!(lab.subscriber(&id).await.as_deref(), Some("login/anna"));
}

#[tokio::test]
async fn of_two_that_fit_the_stronger_counts_and_an_alarm_tells() {
    let mut lab = Lab::new();
    lab.expect("login/anna@isp").await;
    lab.expect("serial/LAB1").await;
    let (caller, id) = (lab.caller(), lab.id.clone());
    let login = parameter("Device.PPP.Interface.1.Username", "anna@isp");
    assert!(lab.arrive(caller, |inform| inform.parameters.push(login)).await.is_ok());
    assert_eq!(lab.subscriber(&id).await.as_deref(), Some("serial/LAB1"));
    assert_eq!(lab.taken_by("login/anna@isp").await, None, "the weaker is left");
    let said = lab.said(&id).await.join("\n");
    assert!(said.contains("expected as serial/LAB1 and as login/anna@isp"), "{said}");
}

#[tokio::test]
async fn a_second_device_under_the_same_key_is_given_nothing_and_both_are_told_of() {
    let mut lab = Lab::new();
    lab.expect("login/anna@isp").await;
    let id = lab.id.clone();
    let login = || parameter("Device.PPP.Interface.1.Username", "anna@isp");
    let caller = lab.caller();
    assert!(lab.arrive(caller.clone(), |inform| inform.parameters.push(login())).await.is_ok());
    let clone = |inform: &mut Inform| {
        inform.parameters.push(login());
        inform.device.serial_number = "CLONE".into();
    };
    assert!(lab.arrive(caller.clone(), clone).await.is_ok());
    let other = DeviceId::parse("00D09E-SimGateway-CLONE").unwrap();
    assert_eq!(lab.subscriber(&other).await, None);
    assert_eq!(lab.taken_by("login/anna@isp").await.as_ref(), Some(&id));
    for (device, named) in [(&id, other.as_str()), (&other, id.as_str())] {
        let said = lab.said(device).await.join("\n");
        assert!(said.contains("clone suspected") && said.contains(named), "{said}");
    }
    // Once the first is forgotten, its replacement takes its place.
    let mut batch = crate::store::Batch::new();
    batch.push(Change::ForgetDevice(id.clone())).push(Change::ForgetDevice(other.clone()));
    lab.store.commit(batch).await.unwrap();
    assert!(lab.arrive(caller, clone).await.is_ok());
    assert_eq!(lab.taken_by("login/anna@isp").await.as_ref(), Some(&other));
}

#[tokio::test]
async fn one_that_waits_is_asked_nothing_and_leaves_one_record_until_it_is_adopted() {
    let mut lab = admitting(quarantine());
    let first = lab.clock.now();
    let caller = lab.caller();
    assert!(waits(lab.arrive(caller.clone(), |_| {}).await));
    let known = lab.stranger().await.unwrap();
    assert_eq!((known.vouched, known.decision), (Vouched::Shared, Decision::Waiting));
    assert!(lab.store.device(&lab.id).await.unwrap().is_none());
    assert!(lab.store.credentials(&lab.id).await.unwrap().is_none());
    assert!(lab.store.tree(&lab.id).await.unwrap().is_none());
    assert!(lab.store.events(&lab.id, 10).await.unwrap().is_empty());
    // Seen again and again: recorded once an hour.
    for minutes in [5, 25, 29] {
        lab.clock.advance(Duration::from_secs(minutes * 60));
        assert!(waits(lab.arrive(caller.clone(), |_| {}).await));
        assert_eq!(lab.stranger().await.unwrap().last_seen, first);
    }
    lab.clock.advance(Duration::from_secs(60));
    assert!(waits(lab.arrive(caller.clone(), |_| {}).await));
    let known = lab.stranger().await.unwrap();
    assert_eq!((known.first_seen, known.last_seen), (first, lab.clock.now()));

    let adopted = Decision::Adopted("admin".into());
    assert!(lab.shared.strangers.decide(&lab.id, adopted).await.unwrap().is_some());
    assert_eq!(lab.shared.strangers.occupancy().waiting, 0);
    let asked = lab.session().await;
    assert_eq!(asked[0], "SetParameterValues", "credentials first, as at any first contact");
    assert!(lab.stranger().await.is_none());
    assert!(lab.said(&lab.id).await.contains(&"adopted by admin".to_owned()));
    lab.clock.advance(Duration::from_secs(300));
    lab.principal = Principal::Device(lab.id.clone());
    lab.cpe.raise(EventCode::Periodic, "");
    assert!(lab.session().await.is_empty(), "a device like any other");
}

#[tokio::test]
async fn one_that_is_denied_is_turned_away_whatever_was_laid_ready() {
    let mut lab = admitting(quarantine());
    let caller = lab.caller();
    assert!(waits(lab.arrive(caller.clone(), |_| {}).await));
    let denied = Decision::Denied("admin".into());
    lab.shared.strangers.decide(&lab.id, denied).await.unwrap();
    lab.expect("serial/LAB1").await;
    let refused = lab.arrive(caller.clone(), |_| {}).await;
    assert!(matches!(refused, Err(Refusal::Denied(_))));
    assert_eq!(lab.taken_by("serial/LAB1").await, None);
    assert!(lab.shared.strangers.forget(&lab.id).await.unwrap());
    assert!(lab.arrive(caller, |_| {}).await.is_ok(), "forgotten, and expected");
}

#[tokio::test]
async fn one_that_is_expected_or_whose_credentials_are_known_never_waits() {
    let deny = AdmissionConfig { unknown: AdmissionAction::Deny, ..AdmissionConfig::default() };
    let mut lab = admitting(deny);
    let caller = lab.caller();
    let refused = lab.arrive(caller.clone(), |_| {}).await;
    assert!(matches!(refused, Err(Refusal::Denied(_))));
    assert!(lab.stranger().await.is_none(), "and leaves nothing behind");
    lab.expect("serial/LAB1").await;
    assert!(lab.arrive(caller, |_| {}).await.is_ok());
    // It is known now: rules and records of unknown ones are not asked any more.
    let mut batch = crate::store::Batch::new();
    batch.push(Change::ForgetPreload("serial/LAB1".parse().unwrap()));
    lab.store.commit(batch).await.unwrap();
    lab.clock.advance(Duration::from_secs(60));
    let caller = lab.caller();
    assert!(lab.arrive(caller, |_| {}).await.is_ok());
}

#[tokio::test]
async fn the_first_rule_that_is_about_a_device_decides() {
    let config = AdmissionConfig {
        rules: vec![
            rule("device.serial.startsWith('BAD')", AdmissionAction::Deny),
            rule("device.oui == '00D09E' && device.address == '192.0.2.7'", AdmissionAction::Adopt),
            rule("true", AdmissionAction::Deny),
        ],
        ..quarantine()
    };
    let mut lab = admitting(config);
    assert!(matches!(lab.arrive_as("BAD1").await, Err(Refusal::Denied(_))));
    assert!(lab.arrive_as("GOOD1").await.is_ok());
    let id = DeviceId::parse("00D09E-SimGateway-GOOD1").unwrap();
    assert_eq!(lab.said(&id).await, ["adopted by rule 2"]);
    let elsewhere = Caller { address: "198.51.100.1".parse().unwrap(), ..lab.caller() };
    assert!(matches!(lab.arrive(elsewhere, |_| {}).await, Err(Refusal::Denied(_))));
    let bad = AdmissionConfig {
        rules: vec![rule("true", AdmissionAction::Adopt), rule("device.", AdmissionAction::Deny)],
        ..AdmissionConfig::default()
    };
    let error = AdmissionRules::read(&bad).unwrap_err();
    assert!(error.to_string().starts_with("admission.rules[2].match: "), "{error}");
}

#[tokio::test]
async fn beyond_the_cap_others_come_again_later_and_those_that_wait_stay() {
    let mut lab = admitting(AdmissionConfig { cap: 3, ..quarantine() });
    for serial in ["1", "2", "3"] {
        assert!(waits(lab.arrive_as(serial).await));
    }
    for serial in ["4", "5"] {
        let Err(Refusal::Later(seconds)) = lab.arrive_as(serial).await else { panic!() };
        assert!((600..1200).contains(&seconds), "{seconds}");
    }
    assert!(waits(lab.arrive_as("2").await), "whoever waits keeps his place");
    let occupancy = lab.shared.strangers.occupancy();
    assert_eq!((occupancy.waiting, occupancy.full_since), (3, Some(lab.clock.now())));
    // What the store knows is what a restart finds.
    let again = Strangers::new(
        lab.store.clone(),
        &AdmissionConfig { cap: 3, ..AdmissionConfig::default() },
    );
    again.load().await.unwrap();
    assert_eq!(again.occupancy().waiting, 3);
    // What is expected needs no place.
    lab.expect("serial/6").await;
    assert!(lab.arrive_as("6").await.is_ok());
    let one = DeviceIdentity::new("", "00D09E", "SimGateway", "1").unwrap().id();
    let decided =
        lab.shared.strangers.decide_all(&[one], &Decision::Denied("x".into())).await.unwrap();
    assert_eq!(decided, 1);
    assert!(waits(lab.arrive_as("4").await), "a place is free");
    // Those that were not seen for two days give way to whoever comes.
    lab.clock.advance(Duration::from_secs(49 * 3600));
    assert!(waits(lab.arrive_as("7").await));
    assert_eq!(lab.store.fleet().strangers(None, 100).await.unwrap().len(), 4, "3 and one denied");
}
