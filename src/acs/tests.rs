//! The driver, the session, the planner and a simulated device together, in
//! memory, on a clock that stands still until it is moved.

mod associations;
mod changes;
mod counting;
mod desiring;
mod diagnostics;
mod identity;
mod rows;
mod welcome;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use super::admission::Admission;
use super::changes::Interest;
use super::driver::{Caller, Driver, Refusal, Reply, Shared};
use super::links::{FileLinks, PhoneFolders};
use crate::config::{AdmissionConfig, FleetConfig, HistoryConfig, StoreConfig};
use crate::cwmp::{Input, ReadLimits, Side, read};
use crate::device::{
    Action, DeviceId, DownloadFile, EventCode, EventKind, Learned, Outcome, Phase, ProvisionedFile,
    Secret, Stage, Task, TaskId, TaskState,
};
use crate::files::Links;
use crate::fleet::Fleet;
use crate::gate::{AdmissionRules, Mismatch, Principal, Strangers};
use crate::param::{ParamPath, Value};
use crate::phone::{Phone, Vendor};
use crate::simulate::{self, Blueprint, Cpe, Next, firmware_image};
use crate::store::{FileRecord, Record, Store, Vault};
use crate::time::{Clock as _, ManualClock, Timestamp};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A server's inside and one device.
struct Lab {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    clock: ManualClock,
    cpe: Cpe,
    id: DeviceId,
    principal: Principal,
}

fn path(text: &str) -> ParamPath {
    ParamPath::parse(text).unwrap()
}

impl Lab {
    fn new() -> Self {
        Self::with(true)
    }

    fn with(gives_credentials: bool) -> Self {
        Self::of(gives_credentials, Blueprint::device2("LAB1", 300).unwrap())
    }

    fn of(gives_credentials: bool, blueprint: Blueprint) -> Self {
        Self::on(crate::store::memory(&StoreConfig::default()), gives_credentials, blueprint)
    }

    fn on(store: Arc<dyn Store>, gives_credentials: bool, blueprint: Blueprint) -> Self {
        let vault = Vault::ephemeral();
        let shared = Shared {
            store: store.clone(),
            vault: vault.clone(),
            files: FileLinks {
                links: Arc::new(Links::new(vault.derive("file links"))),
                public_url: Some("http://files.example.net".to_owned()),
                port: Some(7567),
                lifetime: Duration::from_secs(3600),
                phones: PhoneFolders(Arc::new(|phone| {
                    Some(format!("http://files.example.net/p/T{}/", phone.mac))
                })),
            },
            admission: Admission::new(10, 10, 0),
            admission_rules: AdmissionRules::read(&AdmissionConfig::default()).unwrap().into(),
            strangers: Arc::new(Strangers::new(store.clone(), &AdmissionConfig::default())),
            sightings: super::sightings::Sightings::default(),
            stun: None,
            gives_credentials,
            inform_interval: 0,
            fleet: Fleet::new(store.clone(), &vault, Learned::assumed(64, 64)),
            desires: FleetConfig::default().into(),
            interest: Interest::new(HistoryConfig::default().into()),
            history: HistoryConfig::default().into(),
            silence: 60,
            patience: Duration::from_secs(3600),
            request_download: false,
            kicked_next_url: "".into(),
            learning: super::learning::Learning::new(),
        };
        let clock = ManualClock::at(Timestamp::from_millis(1_800_000_000_000));
        let blueprint = blueprint.with_acs(
            "http://acs.example.net:7547/",
            "provost",
            Secret::new("onboarding"),
        );
        let id = blueprint.identity().id();
        let cpe = Cpe::new(blueprint, clock.now());
        Self { shared: Arc::new(shared), store, clock, cpe, id, principal: Principal::Onboarding }
    }

    fn caller(&self) -> Caller {
        Caller {
            principal: self.principal.clone(),
            address: ADDRESS,
            local: "192.0.2.1:7547".parse().unwrap(),
            host: None,
            rival: None,
        }
    }

    /// One session from the Inform to its end, or until `stop_after` RPCs were
    /// sent; returns the methods that the ACS asked.
    async fn session_until(&mut self, stop_after: usize) -> (Driver, Vec<String>) {
        let mut action = self.cpe.open_session(self.clock.now());
        let mut driver: Option<Driver> = None;
        let mut asked = Vec::new();
        loop {
            let reply = match &action {
                simulate::Action::Close { failure } => {
                    assert_eq!(*failure, None, "the device finds the session broken");
                    return (driver.unwrap(), asked);
                }
                simulate::Action::Post(bytes) => {
                    let parsed = read(bytes, None, Side::Cpe, &ReadLimits::default()).unwrap();
                    match &mut driver {
                        None => {
                            let opened = Driver::open(
                                self.shared.clone(),
                                parsed.envelope,
                                self.caller(),
                                self.clock.now(),
                            );
                            let (opened, reply) = opened.await.unwrap();
                            driver = Some(opened);
                            Reply::Envelope(reply)
                        }
                        Some(driver) => {
                            driver.handle(Input::Message(parsed.envelope), self.clock.now()).await
                        }
                    }
                }
                simulate::Action::PostEmpty => {
                    driver.as_mut().unwrap().handle(Input::Empty, self.clock.now()).await
                }
            };
            let (status, body) = match reply {
                Reply::Envelope(bytes) => (200, bytes),
                Reply::Nothing => (204, Vec::new()),
            };
            if let Ok(parsed) = read(&body, None, Side::Acs, &ReadLimits::default())
                && let crate::cwmp::Message::AcsRequest(request) = &parsed.envelope.message
            {
                asked.push(request.method().to_owned());
                if asked.len() == stop_after {
                    return (driver.unwrap(), asked);
                }
            }
            let reply = simulate::Reply { status, charset: None, body: &body };
            action = self.cpe.handle_reply(reply, self.clock.now());
        }
    }

    async fn session(&mut self) -> Vec<String> {
        let (driver, asked) = self.session_until(usize::MAX).await;
        assert!(driver.is_over());
        asked
    }

    /// Lets the device do what it has to do outside of sessions.
    async fn live(&mut self, image: &[u8]) -> Vec<String> {
        let mut asked = Vec::new();
        loop {
            match self.cpe.next(self.clock.now()) {
                Next::Session => asked.extend(self.session().await),
                Next::Fetch(fetch) => {
                    let own = fetch.url.starts_with("http://files.example.net/p/");
                    let given = fetch.url.starts_with("http://files.example.net/f/");
                    assert!(own || given, "{}", fetch.url);
                    assert_eq!(fetch.username.is_empty(), own);
                    self.cpe.transfer_done(Ok(image), self.clock.now());
                }
                Next::Restart => {
                    self.clock.advance(Duration::from_secs(60));
                    self.cpe.restarted(self.clock.now());
                }
                Next::Wait(_) => return asked,
            }
        }
    }

    async fn ask(&self, number: u128, action: Action) {
        let now = self.clock.now();
        let task = Task {
            id: TaskId(number),
            device: self.id.clone(),
            revision: 1,
            action,
            created_at: now,
            created_by: "test".into(),
            expires_at: now.after(Duration::from_secs(86_400)),
            state: TaskState::Queued,
            notes: Vec::new(),
            results: Vec::new(),
        };
        self.store.commit(Record::Task(Box::new(task)).into()).await.unwrap();
    }

    async fn state(&self, number: u128) -> TaskState {
        self.store.task(TaskId(number)).await.unwrap().unwrap().state
    }

    async fn word(&self, number: u128) -> &'static str {
        self.state(number).await.word()
    }
}

#[tokio::test]
async fn first_contact_reads_the_tree_and_hands_over_credentials() {
    let mut lab = Lab::new();
    let asked = lab.session().await;
    assert_eq!(asked[0], "SetParameterValues", "credentials first");
    assert_eq!(asked.iter().filter(|method| *method == "GetParameterNames").count(), 1);
    assert_eq!(
        asked.iter().filter(|method| *method == "GetParameterValues").count(),
        5,
        "300 by 64"
    );

    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.parameter_count, 300);
    assert!(device.tree_read_at.is_some());
    let tree = lab.store.tree(&lab.id).await.unwrap().unwrap();
    assert_eq!(tree.parameter_count(), 300);

    let credentials = lab.store.credentials(&lab.id).await.unwrap().unwrap();
    assert_eq!(credentials.stage, Stage::Confirmed);
    let (username, password) = lab.cpe.login().unwrap();
    assert_eq!(*username, *lab.id.as_str());
    let known = lab.shared.vault.unseal(&credentials.password).unwrap();
    assert_eq!(password.expose(), known.expose(), "the device holds what the ACS recorded");
    assert!(!format!("{tree:?}").contains(known.expose()), "and it is nowhere in the tree");

    // From now on the onboarding credential is worth nothing for this device.
    lab.cpe.raise(EventCode::Periodic, "");
    let simulate::Action::Post(inform) = lab.cpe.open_session(lab.clock.now()) else { panic!() };
    let envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
    let refused = Driver::open(lab.shared.clone(), envelope, lab.caller(), lab.clock.now()).await;
    assert!(matches!(refused, Err(Refusal::Mismatch(Mismatch::OnboardingAgain))));
    let alarms = lab.store.events(&lab.id, 10).await.unwrap();
    assert!(alarms.iter().any(|event| matches!(event.kind, EventKind::Alarm(_))), "{alarms:?}");
}

#[tokio::test]
async fn a_periodic_session_asks_nothing_and_records_the_hot_record_alone() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let before = lab.store.tree(&lab.id).await.unwrap();
    lab.clock.advance(Duration::from_secs(300));
    lab.cpe.raise(EventCode::Periodic, "");
    let mut notices = lab.store.watch();
    assert!(lab.session().await.is_empty());
    let mut commits = 0;
    while notices.try_recv().is_ok() {
        commits += 1;
    }
    assert_eq!(commits, 1, "one small durable write");
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.last_inform, lab.clock.now());
    assert_eq!(lab.store.tree(&lab.id).await.unwrap(), before);
}

#[tokio::test]
async fn b02_the_credentials_of_one_device_do_not_open_another() {
    let mut lab = Lab::new();
    lab.principal = Principal::Device(DeviceId::parse("00D09E-OTHER").unwrap());
    let simulate::Action::Post(inform) = lab.cpe.open_session(lab.clock.now()) else { panic!() };
    let envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
    let refused = Driver::open(lab.shared.clone(), envelope, lab.caller(), lab.clock.now()).await;
    assert!(matches!(refused, Err(Refusal::Mismatch(Mismatch::OtherDevice))));
    assert!(lab.store.device(&lab.id).await.unwrap().is_none(), "and nothing of it is kept");
}

#[tokio::test]
async fn values_rows_and_deletions_end_applied() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, Action::Set(vec![(path("Device.WiFi.SSID.1.SSID"), Value::string("new"))])).await;
    let values = vec![("ExternalPort".into(), Value::string("8080"))];
    lab.ask(2, Action::AddObject { table: path("Device.NAT.PortMapping."), values }).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    assert_eq!(lab.word(1).await, "applied");
    let added = lab.store.task(TaskId(2)).await.unwrap().unwrap();
    assert_eq!(added.state.word(), "applied", "{added:?}");
    let row = path(added.notes[0].strip_prefix("made ").unwrap());
    let tree = lab.store.tree(&lab.id).await.unwrap().unwrap();
    assert_eq!(tree.text(&format!("{row}ExternalPort")), Some("8080"));
    lab.ask(3, Action::DeleteObject(row.clone())).await;
    lab.ask(4, Action::Set(vec![(path("Device.DeviceInfo.SerialNumber"), Value::string("x"))]))
        .await;
    lab.cpe.raise(EventCode::Periodic, "");
    let _ = lab.session().await;
    assert_eq!(lab.word(3).await, "applied");
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = lab.state(4).await else {
        panic!()
    };
    assert_eq!((fault.code, fault.parameters[0].1), (9003, 9008), "the device's own fault is kept");
    let tree = lab.store.tree(&lab.id).await.unwrap().unwrap();
    assert!(tree.get(row.as_str()).is_none());
}

async fn download(lab: &Lab, number: u128, version: &str, image: &[u8]) {
    let sha256: Box<str> = format!("{number:064x}").into();
    let file = FileRecord {
        sha256: sha256.clone(),
        name: "image.bin".into(),
        size: image.len() as u64,
        file_type: "1 Firmware Upgrade Image".into(),
        version: Some(version.into()),
        uploaded_at: lab.clock.now(),
        from: None,
        tenant: "".into(),
        shares: Vec::new(),
    };
    lab.store.commit(Record::File(file).into()).await.unwrap();
    let file = DownloadFile {
        sha256,
        file_type: "1 Firmware Upgrade Image".into(),
        name: "image.bin".into(),
        size: image.len() as u64,
        version: Some(version.into()),
    };
    lab.ask(number, Action::Download(file)).await;
}

#[tokio::test]
async fn a_download_ends_applied_when_the_new_version_runs() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let image = firmware_image("9.9", 1000).unwrap();
    download(&lab, 5, "9.9", &image).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let asked = lab.live(&image).await;
    assert_eq!(asked[0], "Download");
    assert_eq!(lab.word(5).await, "applied");
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(&*device.software_version, "9.9");
    let events = lab.store.events(&lab.id, 20).await.unwrap();
    assert!(events.iter().any(
        |event| matches!(&event.kind, EventKind::SoftwareChanged { to, .. } if &**to == "9.9")
    ));
}

/// A phone that is provisioned by file and speaks CWMP too.
async fn phone() -> Lab {
    let mac = "0c383e07e16c".parse().unwrap();
    let serial = "00100400FV02001000000C383E07E16C";
    let mut lab = Lab::of(false, Blueprint::internet_gateway(serial, mac, 2).unwrap());
    let token = lab.shared.vault.seal(&Secret::new("own"));
    let phone = Phone::new(mac, Vendor::Fanvil, "X6", "hq", token);
    let phone = Phone { revision: 1, ..phone };
    lab.store.commit(Record::Phone(Box::new(phone)).into()).await.unwrap();
    let _ = lab.session().await;
    assert_eq!(lab.store.device_of_phone(mac).await.unwrap().as_ref(), Some(&lab.id));
    lab
}

fn own_file() -> Action {
    Action::Provision(ProvisionedFile {
        mac: [0x0c, 0x38, 0x3e, 0x07, 0xe1, 0x6c],
        name: "0c383e07e16c.cfg".into(),
        file_type: "3 Vendor Configuration File".into(),
    })
}

#[tokio::test]
async fn a_phone_under_cwmp_downloads_its_own_file() {
    let mut lab = phone().await;
    lab.ask(1, own_file()).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let asked = lab.live(b"<<VOIP CONFIG FILE>>Version:2.0000000001").await;
    assert_eq!(asked[0], "Download");
    assert_eq!(lab.word(1).await, "accepted", "complete, and no proof that it was applied");
}

#[tokio::test]
async fn a_phone_that_cannot_fetch_its_file_says_so() {
    let mut lab = phone().await;
    lab.ask(1, own_file()).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    assert_eq!(lab.word(1).await, "sent");
    let Next::Fetch(fetch) = lab.cpe.next(lab.clock.now()) else { panic!("nothing to fetch") };
    let expected = "http://files.example.net/p/T0c383e07e16c/0c383e07e16c.cfg";
    assert_eq!((&*fetch.url, fetch.file_size), (expected, 0));
    lab.cpe.transfer_done(Err(simulate::FetchFailure::Missing), lab.clock.now());
    let _ = lab.session().await;
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = lab.state(1).await else {
        panic!("{:?}", lab.state(1).await);
    };
    assert_eq!(fault.code, 9016);
}

#[tokio::test]
async fn no_file_is_named_for_a_phone_that_is_gone() {
    let mut lab = phone().await;
    let mac = "0c383e07e16c".parse().unwrap();
    let phone = lab.store.phone(mac).await.unwrap().unwrap();
    let phone = Phone { enabled: false, revision: phone.revision + 1, ..phone };
    lab.store.commit(Record::Phone(Box::new(phone)).into()).await.unwrap();
    lab.ask(1, own_file()).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    assert_eq!(lab.word(1).await, "failed");
}

#[tokio::test]
async fn no_file_is_named_for_a_phone_of_another_tenant() {
    let mut lab = phone().await;
    lab.ask(1, own_file()).await;
    let tenant = "acme".into();
    let labels = crate::device::Labels { revision: 1, tenant, ..Default::default() };
    lab.store.commit(Record::Labels(lab.id.clone(), labels).into()).await.unwrap();
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    assert_eq!(lab.word(1).await, "failed");
}

#[tokio::test]
async fn a_download_whose_image_brings_another_version_fails() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let image = firmware_image("9.8", 1000).unwrap();
    download(&lab, 5, "9.9", &image).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.live(&image).await;
    assert_eq!(lab.word(5).await, "failed");
}

#[tokio::test]
async fn a_reboot_ends_applied_when_the_device_is_back() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, Action::Reboot).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    assert_eq!(lab.session().await, ["Reboot"]);
    assert!(matches!(lab.state(1).await, TaskState::Sent { phase: Phase::Boot, .. }));
    let _ = lab.live(&[]).await;
    assert_eq!(lab.word(1).await, "applied");
}

#[tokio::test]
async fn t10_a_crash_after_a_once_only_rpc_left_is_unknown_and_never_repeated() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, Action::AddObject { table: path("Device.NAT.PortMapping."), values: Vec::new() })
        .await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let (driver, asked) = lab.session_until(1).await;
    assert_eq!(asked, ["AddObject"]);
    assert!(
        matches!(lab.state(1).await, TaskState::Sent { phase: Phase::Response, .. }),
        "recorded before it left"
    );
    // The server dies here: nothing of the driver is told.
    drop(driver);
    let failure = simulate::SessionFailure::Connection("reset".to_owned());
    lab.cpe.session_lost(failure, lab.clock.now());
    lab.clock.advance(Duration::from_secs(60));
    let asked = lab.session().await;
    assert!(!asked.contains(&"AddObject".to_owned()), "{asked:?}");
    assert_eq!(lab.word(1).await, "unknown");
}

#[tokio::test]
async fn t10_a_session_that_breaks_off_is_judged_at_once() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, Action::Reboot).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let (mut driver, _) = lab.session_until(1).await;
    driver.abandon("the device fell silent", lab.clock.now()).await;
    assert_eq!(lab.word(1).await, "unknown");
}

#[tokio::test]
async fn a_task_withdrawn_while_the_session_runs_is_not_sent() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, Action::Get(vec![path("Device.DeviceInfo.UpTime")])).await;
    lab.ask(2, Action::Reboot).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let (mut driver, asked) = lab.session_until(1).await;
    assert_eq!(asked, ["GetParameterValues"]);
    let mut task = lab.store.task(TaskId(2)).await.unwrap().unwrap();
    task.revision += 1;
    task.state = TaskState::Ended { at: lab.clock.now(), outcome: Outcome::Cancelled };
    lab.store.commit(Record::Task(Box::new(task)).into()).await.unwrap();
    // Whatever the device answers, the next thing is the end, not the reboot.
    assert!(matches!(driver.handle(Input::Empty, lab.clock.now()).await, Reply::Nothing));
    assert_eq!(lab.word(2).await, "cancelled");
}

#[tokio::test]
async fn a_task_asked_while_the_session_runs_is_done_in_it() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, Action::Get(vec![path("Device.DeviceInfo.UpTime")])).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let (mut driver, _) = lab.session_until(1).await;
    lab.ask(2, Action::Reboot).await;
    let reply = driver.handle(Input::Empty, lab.clock.now()).await;
    let Reply::Envelope(bytes) = reply else { panic!("{reply:?}") };
    assert!(String::from_utf8(bytes).unwrap().contains("<cwmp:Reboot>"));
}

#[tokio::test]
async fn q55_two_silences_after_the_inform_response_change_its_form() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    for (silences, declared) in [(0, true), (1, true), (2, false), (3, false)] {
        lab.cpe.raise(EventCode::Periodic, "");
        let simulate::Action::Post(inform) = lab.cpe.open_session(lab.clock.now()) else {
            panic!()
        };
        let envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
        let opened =
            Driver::open(lab.shared.clone(), envelope, lab.caller(), lab.clock.now()).await;
        let (mut driver, reply) = opened.unwrap();
        assert_eq!(reply.starts_with(b"<?xml"), declared, "after {silences} silences");
        driver.abandon("the device fell silent", lab.clock.now()).await;
        let failure = simulate::SessionFailure::Connection("reset".to_owned());
        lab.cpe.session_lost(failure, lab.clock.now());
    }
}

#[tokio::test]
async fn an_autonomous_transfer_is_kept_as_history_without_its_url() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.cpe.raise(EventCode::AutonomousTransferComplete, "");
    let (mut driver, _) = {
        let simulate::Action::Post(inform) = lab.cpe.open_session(lab.clock.now()) else {
            panic!()
        };
        let envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
        Driver::open(lab.shared.clone(), envelope, lab.caller(), lab.clock.now()).await.unwrap()
    };
    let told = br#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><c:AutonomousTransferComplete xmlns:c="urn:dslforum-org:cwmp-1-2"><TransferURL>http://user:canary@h/f</TransferURL><IsDownload>1</IsDownload><FileType>1 Firmware Upgrade Image</FileType><FaultStruct><FaultCode>0</FaultCode><FaultString></FaultString></FaultStruct></c:AutonomousTransferComplete></e:Body></e:Envelope>"#;
    let envelope = read(told, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
    let Reply::Envelope(reply) = driver.handle(Input::Message(envelope), lab.clock.now()).await
    else {
        panic!()
    };
    assert!(String::from_utf8(reply).unwrap().contains("AutonomousTransferCompleteResponse"));
    let events = lab.store.events(&lab.id, 10).await.unwrap();
    let EventKind::Told(text) = &events[0].kind else { panic!("{events:?}") };
    assert!(text.contains("fetched") && text.contains("1 Firmware Upgrade Image"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn b11_invented_devices_are_let_in_only_so_many_a_minute() {
    let lab = Lab::with(false);
    for number in 0..12 {
        let blueprint = Blueprint::device2(&format!("FLOOD{number}"), 40).unwrap();
        let mut cpe = Cpe::new(blueprint, lab.clock.now());
        let simulate::Action::Post(inform) = cpe.open_session(lab.clock.now()) else { panic!() };
        let envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
        let opened =
            Driver::open(lab.shared.clone(), envelope, lab.caller(), lab.clock.now()).await;
        assert_eq!(opened.is_ok(), number < 10, "device {number}");
    }
}

mod ir181;
mod lessons;
mod personalities;
mod rpcs;
mod seen;
