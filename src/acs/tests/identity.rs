//! Redirects, clones and replays, on a clock that stands still.

use super::*;
use crate::device::{Event, Redirection};

impl Lab {
    /// The device's next Inform, with a code, as the driver takes it.
    async fn inform(&mut self, code: EventCode, caller: Caller) -> Result<(), Refusal> {
        self.cpe.raise(code, "");
        let simulate::Action::Post(inform) = self.cpe.open_session(self.clock.now()) else {
            panic!()
        };
        let envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
        let opened = Driver::open(self.shared.clone(), envelope, caller, self.clock.now()).await;
        let cut = simulate::SessionFailure::Connection("cut".to_owned());
        self.cpe.session_lost(cut, self.clock.now());
        match opened {
            Ok((mut driver, _)) => {
                driver.abandon("the device fell silent", self.clock.now()).await;
                Ok(())
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn from(&self, address: &str) -> Caller {
        Caller { address: address.parse().unwrap(), ..self.caller() }
    }

    async fn alarms(&self) -> Vec<String> {
        let events: Vec<Event> = self.store.events(&self.id, 100).await.unwrap();
        let alarm = |event: Event| match event.kind {
            EventKind::Alarm(text) => Some(text.into_string()),
            _ => None,
        };
        events.into_iter().filter_map(alarm).collect()
    }
}

fn to(url: &str) -> Action {
    Action::Redirect(Redirection { url: url.into(), status: 307 })
}

#[tokio::test]
async fn t05_a_redirect_is_recorded_before_it_is_sent_and_sent_once() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, to("https://other.example.net:7548/cwmp")).await;
    lab.clock.advance(Duration::from_secs(300));
    let caller = lab.caller();
    let refusal = lab.inform(EventCode::Boot, caller.clone()).await.unwrap_err();
    let Refusal::Elsewhere(redirection) = refusal else { panic!("{refusal:?}") };
    assert_eq!(&*redirection.url, "https://other.example.net:7548/cwmp");
    let task = lab.store.task(TaskId(1)).await.unwrap().unwrap();
    assert_eq!(task.state.word(), "accepted");
    assert!(task.notes[0].contains("307 to https://other.example.net"), "{:?}", task.notes);
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.last_inform, lab.clock.now(), "the Inform is recorded as seen");
    assert_eq!(device.last_events, [EventCode::Boot]);
    // It comes back without having been served: now it is.
    lab.inform(EventCode::Periodic, caller).await.unwrap();
}

#[tokio::test]
async fn t05_a_redirect_that_leads_back_is_late_or_withdrawn_is_not_sent() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, to("http://192.0.2.1:7547/")).await;
    let caller = lab.caller();
    lab.inform(EventCode::Periodic, caller.clone()).await.unwrap();
    assert_eq!(lab.word(1).await, "failed");
    lab.ask(2, to("http://other.example.net/")).await;
    lab.clock.advance(Duration::from_secs(90_000));
    lab.inform(EventCode::Periodic, caller.clone()).await.unwrap();
    assert_ne!(lab.word(2).await, "accepted");
    lab.ask(3, to("http://other.example.net/")).await;
    let mut task = lab.store.task(TaskId(3)).await.unwrap().unwrap();
    task.revision += 1;
    task.state = TaskState::Ended { at: lab.clock.now(), outcome: Outcome::Cancelled };
    lab.store.commit(Record::Task(Box::new(task)).into()).await.unwrap();
    lab.inform(EventCode::Periodic, caller).await.unwrap();
    assert_eq!(lab.word(3).await, "cancelled");
}

#[tokio::test]
async fn t05_who_does_not_fit_is_sent_nowhere() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, to("http://other.example.net/")).await;
    lab.principal = Principal::Device(DeviceId::parse("00D09E-OTHER").unwrap());
    let caller = lab.caller();
    let refusal = lab.inform(EventCode::Periodic, caller).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Mismatch(Mismatch::OtherDevice)));
    assert_eq!(lab.word(1).await, "queued");
}

#[tokio::test]
async fn b02_an_alarm_stands_in_the_history_of_the_device_that_was_claimed() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.principal = Principal::Device(DeviceId::parse("00D09E-OTHER").unwrap());
    for _ in 0..20 {
        let caller = lab.from("198.51.100.9");
        assert!(lab.inform(EventCode::Periodic, caller).await.is_err());
    }
    let alarms = lab.alarms().await;
    assert_eq!(alarms.len(), 1, "one in a while, not one for each attempt: {alarms:?}");
    assert!(alarms[0].contains("198.51.100.9"), "{alarms:?}");
}

#[tokio::test]
async fn b03_two_that_take_turns_raise_one_alarm() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    for round in 0..6 {
        lab.clock.advance(Duration::from_secs(60));
        let caller = lab.from(if round % 2 == 0 { "198.51.100.9" } else { "192.0.2.7" });
        lab.inform(EventCode::Periodic, caller).await.unwrap();
    }
    let alarms = lab.alarms().await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].contains("clone suspected"), "{alarms:?}");
}

#[tokio::test]
async fn b03_a_live_session_elsewhere_raises_the_alarm_at_once() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let rival = Some("198.51.100.9".parse().unwrap());
    let caller = Caller { rival, ..lab.caller() };
    lab.inform(EventCode::Periodic, caller).await.unwrap();
    let alarms = lab.alarms().await;
    assert!(alarms.len() == 1 && alarms[0].contains("198.51.100.9 was live"), "{alarms:?}");
}

#[tokio::test]
async fn b03_a_device_that_moves_or_speaks_both_kinds_of_ip_is_no_clone() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    for address in ["198.51.100.9", "198.51.100.10", "2001:db8::1", "198.51.100.10"] {
        lab.clock.advance(Duration::from_secs(60));
        let caller = lab.from(address);
        lab.inform(EventCode::Periodic, caller).await.unwrap();
    }
    assert_eq!(lab.alarms().await, Vec::<String>::new());
}

#[tokio::test]
async fn b13_a_bootstrap_from_elsewhere_raises_an_alarm_and_gives_no_old_secret_away() {
    let mut lab = Lab::new();
    let _ = lab.session().await;
    let before = lab.store.credentials(&lab.id).await.unwrap().unwrap();
    // Without 0 BOOTSTRAP the onboarding credential opens nothing any more.
    let caller = lab.from("198.51.100.9");
    let refusal = lab.inform(EventCode::Periodic, caller).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Mismatch(Mismatch::OnboardingAgain)));
    // With it the device is let in, as one that was reset must be; it is told.
    let mut replayed = Cpe::new(
        Blueprint::device2("LAB1", 300).unwrap().with_acs(
            "http://acs.example.net:7547/",
            "provost",
            Secret::new("onboarding"),
        ),
        lab.clock.now(),
    );
    std::mem::swap(&mut lab.cpe, &mut replayed);
    let caller = lab.from("198.51.100.9");
    let simulate::Action::Post(inform) = lab.cpe.open_session(lab.clock.now()) else { panic!() };
    let envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
    let opened = Driver::open(lab.shared.clone(), envelope, caller, lab.clock.now()).await;
    let (mut driver, _) = opened.unwrap();
    let alarms = lab.alarms().await;
    assert!(alarms.iter().any(|alarm| alarm.contains("bootstrapped again")), "{alarms:?}");
    let Reply::Envelope(offered) = driver.handle(Input::Empty, lab.clock.now()).await else {
        panic!()
    };
    let offered = String::from_utf8(offered).unwrap();
    let after = lab.store.credentials(&lab.id).await.unwrap().unwrap();
    let password = |sealed| lab.shared.vault.unseal(sealed).unwrap();
    assert!(offered.contains(password(&after.password).expose()), "it is given new ones");
    for old in [&before.password, &before.connection_request_password] {
        assert!(!offered.contains(password(old).expose()), "and never those that it had");
    }
}
