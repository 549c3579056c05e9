//! Diagnostics from the order to their results, on devices that run them and on
//! devices that do not.

use super::*;
use crate::device::{Diagnostic, DiagnosticKind, MAX_RESULTS};

use crate::simulate::personality::Personality;

fn lab(personality: &str) -> Lab {
    let personality = Personality::named(personality).unwrap();
    let blueprint = Blueprint::device2("LAB1", 80).unwrap().with_personality(personality);
    Lab::of(false, blueprint.with_diagnostics())
}

fn phone() -> Lab {
    let mac = "0c383e07e16c".parse().unwrap();
    Lab::of(false, Blueprint::internet_gateway("P1", mac, 1).unwrap().with_diagnostics())
}

fn diagnose(kind: DiagnosticKind, inputs: &[(&str, &str)]) -> Action {
    let inputs = inputs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    Action::Diagnose(Diagnostic { kind, inputs })
}

impl Lab {
    /// Asks in a session of its own.
    async fn order(&mut self, number: u128, action: Action) -> Vec<String> {
        self.ask(number, action).await;
        self.cpe.raise(EventCode::ConnectionRequest, "");
        self.live(&[]).await
    }

    /// A second later: whatever the device has to do then.
    async fn a_second_later(&mut self) -> Vec<String> {
        self.clock.advance(Duration::from_secs(1));
        self.live(&[]).await
    }

    async fn task(&self, number: u128) -> Task {
        self.store.task(TaskId(number)).await.unwrap().unwrap()
    }

    async fn result(&self, number: u128, name: &str) -> Option<String> {
        let results = self.task(number).await.results;
        results.into_iter().find(|result| &*result.name == name).map(|result| result.value.into())
    }

    async fn failure(&self, number: u128) -> String {
        match self.state(number).await {
            TaskState::Ended { outcome: Outcome::Failed(fault), .. } => fault.text.into(),
            other => panic!("{other:?}"),
        }
    }
}

/// IR-181 case 11: what the standard wants of a ping.
#[tokio::test]
async fn case_11_a_ping_is_ordered_once_waited_for_and_read() {
    let mut lab = lab("reference");
    let _ = lab.live(&[]).await;
    let inputs = [("Host", "example.net"), ("NumberOfRepetitions", "7")];
    let asked = lab.order(1, diagnose(DiagnosticKind::Ping, &inputs)).await;
    assert_eq!(asked, ["SetParameterValues"], "one write, and the session ends");
    let state = lab.state(1).await;
    assert!(matches!(state, TaskState::Sent { phase: Phase::Diagnostics, .. }), "{state:?}");
    // A periodic Inform before `8` ends nothing.
    lab.cpe.raise(EventCode::Periodic, "");
    assert_eq!(lab.session().await, ["GetParameterValues"], "a look at the state");
    assert_eq!(lab.word(1).await, "sent");

    let asked = lab.a_second_later().await;
    assert_eq!(asked, ["GetParameterValues"], "the whole object at once");
    assert_eq!(lab.word(1).await, "applied", "{:?}", lab.task(1).await);
    assert_eq!(lab.result(1, "SuccessCount").await.as_deref(), Some("7"));
    assert_eq!(lab.result(1, "AverageResponseTime").await.as_deref(), Some("21"));
    assert_eq!(lab.result(1, "Derived.LossPerMille").await.as_deref(), Some("0"));
    assert_eq!(lab.result(1, "Host").await, None, "inputs are no results");
    let model = lab.cpe.model();
    assert_eq!(model.text("Device.IP.Diagnostics.IPPing.Timeout"), "5000", "the usual value");
}

#[tokio::test]
async fn case_11_every_diagnostic_of_both_trees_runs() {
    use DiagnosticKind as Kind;
    const URL: &str = "http://example.net/10MB.bin";
    type Inputs = &'static [(&'static str, &'static str)];
    let all: [(Kind, Inputs, &str); 7] = [
        (Kind::Ping, &[("Host", "example.net")], "SuccessCount"),
        (Kind::TraceRoute, &[("Host", "example.net")], "RouteHopsNumberOfEntries"),
        (Kind::Download, &[("DownloadURL", URL)], "Derived.Throughput"),
        (Kind::Upload, &[("UploadURL", URL)], "Derived.Throughput"),
        (Kind::UdpEcho, &[("Host", "192.0.2.1")], "AverageResponseTime"),
        (Kind::NsLookup, &[("HostName", "example.net")], "Result.1.IPAddresses"),
        (Kind::WifiNeighbours, &[], "Result.2.SSID"),
    ];
    for mut lab in [lab("reference"), phone()] {
        let _ = lab.live(&[]).await;
        for (number, (kind, inputs, result)) in (1..).zip(all) {
            let _ = lab.order(number, diagnose(kind, inputs)).await;
            let _ = lab.a_second_later().await;
            let root = &lab.store.device(&lab.id).await.unwrap().unwrap().root;
            let lacks =
                matches!(kind, Kind::UdpEcho | Kind::WifiNeighbours) && &**root != "Device.";
            if lacks {
                let why = lab.failure(number).await;
                assert!(why.contains("its data model knows none"), "{why}");
            } else {
                assert_eq!(
                    lab.word(number).await,
                    "applied",
                    "{root} {:?}",
                    lab.task(number).await
                );
                assert!(lab.result(number, result).await.is_some(), "{root} {kind:?}");
            }
        }
        // TestFileLength of ten million bytes in a second.
        assert_eq!(lab.result(4, "Derived.Throughput").await.as_deref(), Some("80000000"));
    }
}

#[tokio::test]
async fn case_11_what_fails_is_told_in_words() {
    let mut lab = lab("reference");
    let _ = lab.live(&[]).await;
    for (number, (host, words)) in
        (1..).zip([("nowhere.invalid", "cannot resolve"), ("203.0.113.9", "no route to the host")])
    {
        let _ = lab.order(number, diagnose(DiagnosticKind::Ping, &[("Host", host)])).await;
        let _ = lab.a_second_later().await;
        let why = lab.failure(number).await;
        assert!(why.contains(words) && why.contains("(Error_"), "{why}");
    }
}

#[tokio::test]
async fn case_11_a_diagnostic_that_never_says_8_is_found_complete() {
    let mut lab = lab("secretive");
    let _ = lab.live(&[]).await;
    let _ = lab.order(1, diagnose(DiagnosticKind::Ping, &[("Host", "a")])).await;
    assert!(lab.a_second_later().await.is_empty(), "it says nothing");
    lab.cpe.raise(EventCode::Periodic, "");
    let asked = lab.session().await;
    assert_eq!(asked, ["GetParameterValues", "GetParameterValues"], "the state, then all");
    assert_eq!(lab.word(1).await, "applied");
}

#[tokio::test]
async fn case_11_a_diagnostic_that_never_ends_is_given_up() {
    let mut lab = lab("brooding");
    let _ = lab.live(&[]).await;
    let _ = lab.order(1, diagnose(DiagnosticKind::Ping, &[("Host", "a")])).await;
    let _ = lab.a_second_later().await;
    lab.clock.advance(Duration::from_secs(3000));
    lab.cpe.raise(EventCode::Periodic, "");
    let _ = lab.session().await;
    assert_eq!(lab.word(1).await, "sent");
    lab.clock.advance(Duration::from_secs(1000));
    lab.cpe.raise(EventCode::Periodic, "");
    assert!(lab.session().await.is_empty());
    assert_eq!(lab.word(1).await, "unknown");
}

#[tokio::test]
async fn case_11_canceled_dropped_and_lost_diagnostics_are_failures() {
    let mut lab = lab("unwilling");
    let _ = lab.live(&[]).await;
    let _ = lab.order(1, diagnose(DiagnosticKind::Ping, &[("Host", "a")])).await;
    let _ = lab.a_second_later().await;
    assert!(lab.failure(1).await.contains("canceled"));

    // Inputs that are written meanwhile drop it (TR-069 diagnostics pattern).
    let mut lab = self::lab("reference");
    let _ = lab.live(&[]).await;
    let _ = lab.order(1, diagnose(DiagnosticKind::Ping, &[("Host", "a")])).await;
    let host = path("Device.IP.Diagnostics.IPPing.Host");
    let _ = lab.order(2, Action::Set(vec![(host, Value::string("b"))])).await;
    assert!(matches!(lab.word(1).await, "sent" | "failed"));
    lab.cpe.raise(EventCode::Periodic, "");
    let _ = lab.session().await;
    assert!(lab.failure(1).await.contains("an input was written meanwhile"));

    // A restart before `8` loses it.
    let _ = lab.order(3, diagnose(DiagnosticKind::Ping, &[("Host", "a")])).await;
    let _ = lab.order(4, Action::Reboot).await;
    assert!(lab.failure(3).await.contains("restarted"), "{:?}", lab.task(3).await);
    assert_eq!(lab.word(4).await, "applied");
}

#[tokio::test]
async fn c11_a_route_without_end_is_cut() {
    let mut lab = lab("far-away");
    let _ = lab.live(&[]).await;
    let _ = lab.order(1, diagnose(DiagnosticKind::TraceRoute, &[("Host", "a")])).await;
    let before = lab.store.tree(&lab.id).await.unwrap().unwrap().len();
    let _ = lab.a_second_later().await;
    let task = lab.task(1).await;
    assert_eq!(task.state.word(), "applied");
    assert!(task.results.len() <= MAX_RESULTS && task.results.len() > 900);
    assert!(task.notes.iter().any(|note| note.contains("results more")), "{:?}", task.notes);
    let after = lab.store.tree(&lab.id).await.unwrap().unwrap().len();
    assert_eq!(before, after, "hops stand with the task, not in the tree");
}

#[tokio::test]
async fn a_device_without_the_object_says_so() {
    let mut lab = Lab::with(false);
    let _ = lab.live(&[]).await;
    let asked = lab.order(1, diagnose(DiagnosticKind::Ping, &[("Host", "a")])).await;
    assert_eq!(asked, ["GetParameterNames", "GetParameterNames"], "both places are asked for");
    let why = lab.failure(1).await;
    assert!(why.contains("Device.IP.Diagnostics.IPPing. and Device.LAN.IPPing"), "{why}");
}

#[tokio::test]
async fn the_same_diagnostic_does_not_run_twice_at_a_time() {
    let mut lab = lab("reference");
    let _ = lab.live(&[]).await;
    lab.ask(1, diagnose(DiagnosticKind::Ping, &[("Host", "a")])).await;
    lab.ask(2, diagnose(DiagnosticKind::Ping, &[("Host", "b")])).await;
    lab.ask(3, diagnose(DiagnosticKind::NsLookup, &[("HostName", "c")])).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let asked = lab.live(&[]).await;
    assert_eq!(asked, ["SetParameterValues", "SetParameterValues"]);
    assert_eq!(
        (lab.word(1).await, lab.word(2).await, lab.word(3).await),
        ("sent", "queued", "sent")
    );
    let _ = lab.a_second_later().await;
    assert_eq!(lab.word(1).await, "applied");
    assert_eq!(lab.word(3).await, "applied");
    lab.cpe.raise(EventCode::Periodic, "");
    let _ = lab.session().await;
    let _ = lab.a_second_later().await;
    assert_eq!(lab.word(2).await, "applied");
}
