//! Every personality of the simulated devices under management, from its first
//! contact on: what it is asked ends as it should, and as the device deserves.

use std::time::Duration;

use super::*;
use crate::simulate::personality::{Habit, PERSONALITIES, Personality};
use crate::simulate::{SessionFailure, SimEvent};

/// The words for the tasks of [`ask_all`] as they should end.
type Words = [&'static str; 6];

/// What is asked of every device: to read one good and one unknown name, to
/// write two values, to add a row, to fetch firmware, to reboot, and to write
/// once more.
async fn ask_all(lab: &Lab, image: &[u8]) {
    let names = vec![path("Device.DeviceInfo.HardwareVersion"), path("Device.Nothing.Here")];
    lab.ask(1, Action::Get(names)).await;
    let values = vec![
        (path("Device.DeviceInfo.ProvisioningCode"), Value::string("gold")),
        (path("Device.WiFi.SSID.1.Enable"), Value::boolean(false)),
    ];
    lab.ask(2, Action::Set(values)).await;
    let row = vec![("ExternalPort".into(), Value::string("8080"))];
    lab.ask(3, Action::AddObject { table: path("Device.NAT.PortMapping."), values: row }).await;
    download(lab, 4, "9.9", image).await;
    lab.ask(5, Action::Reboot).await;
    let values = vec![(path("Device.WiFi.SSID.1.SSID"), Value::string("home"))];
    lab.ask(6, Action::Set(values)).await;
}

async fn words(lab: &Lab) -> Words {
    let mut words = [""; 6];
    for (number, word) in (1..).zip(&mut words) {
        *word = lab.word(number).await;
    }
    words
}

/// How the tasks end with a personality.
fn deserved(personality: &Personality) -> Words {
    let mut words = ["applied"; 6];
    match personality.name {
        // It said yes, and what was read back says no.
        "yes-man" => [words[1], words[2], words[5]] = ["failed"; 3],
        "row-zero" => words[2] = "failed",
        // Nothing tells that it restarted.
        "no-events" => words[4] = "unknown",
        "trailing" => words[3] = "failed",
        _ => {}
    }
    words
}

/// Who the device is, by what it shows.
fn principal(lab: &Lab) -> Principal {
    match lab.cpe.login() {
        Some((username, _)) if *username == *lab.id.as_str() => Principal::Device(lab.id.clone()),
        _ => Principal::Onboarding,
    }
}

/// One attempt at a session, to its end or until the device hangs up.
async fn attempt(lab: &mut Lab) -> Option<SessionFailure> {
    lab.principal = principal(lab);
    let mut action = lab.cpe.open_session(lab.clock.now());
    let mut driver: Option<Driver> = None;
    loop {
        lab.clock.advance(lab.cpe.delay());
        let now = lab.clock.now();
        let reply = match (&action, &mut driver) {
            (simulate::Action::Close { failure }, driver) => {
                if let Some(driver) = driver {
                    driver.abandon("the device fell silent", now).await;
                }
                return failure.clone();
            }
            (simulate::Action::Post(bytes), None) => {
                let parsed = read(bytes, None, Side::Cpe, &ReadLimits::default()).unwrap();
                let caller = lab.caller();
                let opened = Driver::open(lab.shared.clone(), parsed.envelope, caller, now).await;
                let (opened, reply) = opened.unwrap();
                driver = Some(opened);
                Reply::Envelope(reply)
            }
            (simulate::Action::Post(bytes), Some(driver)) => {
                let parsed = read(bytes, None, Side::Cpe, &ReadLimits::default()).unwrap();
                driver.handle(Input::Message(parsed.envelope), now).await
            }
            (simulate::Action::PostEmpty, driver) => {
                driver.as_mut().unwrap().handle(Input::Empty, now).await
            }
        };
        let (status, body) = match reply {
            Reply::Envelope(bytes) => (200, bytes),
            Reply::Nothing => (204, Vec::new()),
        };
        let reply = simulate::Reply { status, charset: None, body: &body };
        action = lab.cpe.handle_reply(reply, lab.clock.now());
    }
}

/// Lives a day in the life of a device; returns how many sessions failed.
async fn live(lab: &mut Lab, image: &[u8]) -> u32 {
    let mut failed = 0;
    let end = lab.clock.now().after(Duration::from_secs(86_400 / 4));
    while lab.clock.now() < end {
        match lab.cpe.next(lab.clock.now()) {
            Next::Session => {
                failed += u32::from(attempt(lab).await.is_some());
                lab.clock.advance(Duration::from_secs(1));
            }
            Next::Fetch(_) => lab.cpe.transfer_done(Ok(image), lab.clock.now()),
            Next::Restart => {
                lab.clock.advance(Duration::from_secs(60));
                lab.cpe.restarted(lab.clock.now());
            }
            Next::Wait(Some(until)) => {
                let pause = until.since(lab.clock.now()).max(Duration::from_secs(1));
                lab.clock.advance(pause);
            }
            Next::Wait(None) => break,
        }
    }
    failed
}

#[tokio::test]
async fn every_personality_is_managed() {
    let image = firmware_image("9.9", 500).unwrap();
    let mut wrong = Vec::new();
    for personality in PERSONALITIES {
        let blueprint = Blueprint::device2("LAB1", 120).unwrap().with_personality(personality);
        // Who says yes to credentials of its own and does not take them locks
        // itself out: that is told as an alarm, and is no matter of this test.
        let mut lab = Lab::of(personality.name != "yes-man", blueprint);
        let failed = live(&mut lab, &image).await;
        let device = lab.store.device(&lab.id).await.unwrap().unwrap();
        if device.tree_read_at.is_none() && personality.name != "mute" {
            wrong.push(format!("{}: the tree was not read", personality.name));
        }
        ask_all(&lab, &image).await;
        lab.cpe.raise(EventCode::ConnectionRequest, "");
        let failed = failed + live(&mut lab, &image).await;
        let words = words(&lab).await;
        if words != deserved(personality) {
            wrong.push(format!("{}: {words:?} after {failed} failed sessions", personality.name));
        }
        if personality.name == "same-row" {
            let task = lab.store.task(TaskId(3)).await.unwrap().unwrap();
            let told = task.notes.iter().any(|note| note.contains("was known already"));
            assert!(told, "c03: {task:?}");
        }
        if failed > 12 {
            wrong.push(format!("{}: {failed} sessions failed", personality.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A device that vanishes at any step, before or after it did what it was asked:
/// all ends, nothing is done twice, and what is said to be applied is.
#[tokio::test]
async fn a_device_may_vanish_at_any_step() {
    let image = firmware_image("9.9", 500).unwrap();
    for answers in 0..10 {
        for habit in [Habit::VanishesAfter(answers), Habit::LosesAnswerAfter(answers)] {
            let personality: &'static Personality = Box::leak(Box::new(Personality {
                name: "vanishing",
                about: "",
                plays: &[],
                wire: &[],
                habits: Box::leak(Box::new([habit])),
            }));
            let mut lab = Lab::of(false, Blueprint::device2("LAB1", 40).unwrap());
            live(&mut lab, &image).await;
            let rows = lab.cpe.model().text("Device.NAT.PortMappingNumberOfEntries").to_owned();
            let _ = lab.cpe.take_happenings();
            lab.cpe.take_on(personality);
            ask_all(&lab, &image).await;
            lab.cpe.raise(EventCode::ConnectionRequest, "");
            live(&mut lab, &image).await;
            let words = words(&lab).await;
            let ended = ["applied", "accepted", "failed", "unknown"];
            assert!(words.iter().all(|word| ended.contains(word)), "{habit:?}: {words:?}");
            let happened = lab.cpe.take_happenings();
            let text = |path: &str| lab.cpe.model().text(path);
            let added = text("Device.NAT.PortMappingNumberOfEntries").parse::<u32>().unwrap()
                - rows.parse::<u32>().unwrap();
            assert!(added <= 1, "{habit:?}: {added} rows");
            let restarts = happened.iter().filter(|one| matches!(one, SimEvent::Restarted { .. }));
            assert!(restarts.count() <= 2, "{habit:?}: one for the firmware, one for the reboot");
            for (word, holds) in words.iter().zip([
                true,
                text("Device.DeviceInfo.ProvisioningCode") == "gold",
                added == 1,
                lab.cpe.software_version() == "9.9",
                true,
                text("Device.WiFi.SSID.1.SSID") == "home",
            ]) {
                assert!(holds || *word != "applied", "{habit:?}: {words:?}");
            }
        }
    }
}
