//! What profiles want, from first contact on: applied, kept, repaired, left alone.

mod firmware;

use super::counting::Counting;
use super::*;
use crate::device::{Compliance, Labels, Outcome};
use crate::fleet::asks_repair;
use crate::profile::ProfileRecord;

const CODE: &str = "Device.DeviceInfo.ProvisioningCode";
const SSID: &str = "Device.WiFi.SSID.1.SSID";
const SECRET: &str = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Lab {
    /// Puts a profile in force, or a version of it in place of another.
    async fn wants(&self, name: &str, text: &str) {
        let known = self.store.fleet().profile(name).await.unwrap();
        let text = format!("{{\"name\":\"{name}\",{text}}}");
        crate::profile::Profile::parse(&text).unwrap();
        let record = ProfileRecord {
            name: name.into(),
            version: known.map_or(1, |known| known.version + 1),
            text: text.into(),
            enabled: true,
            at: self.clock.now(),
            by: "test".into(),
            why: "".into(),
            tenant: "".into(),
        };
        self.store.commit(Record::Profile(Box::new(record)).into()).await.unwrap();
    }

    /// A periodic session after some time; tells what was asked.
    async fn after(&mut self, pause: u64) -> Vec<String> {
        self.clock.advance(seconds(pause));
        self.cpe.raise(EventCode::Periodic, "");
        self.session().await
    }

    async fn compliance(&self) -> Option<Compliance> {
        self.store.fleet().compliance(&self.id).await.unwrap()
    }

    /// Who asked for what with which outcome, of all tasks that are recorded.
    async fn done_by(&self) -> Vec<(String, &'static str)> {
        let tasks = self.store.tasks(Some(&self.id), None, 100).await.unwrap();
        tasks.iter().map(|task| (task.created_by.to_string(), task.state.word())).collect()
    }

    fn has(&self, path: &str) -> String {
        self.cpe.model().text(path).to_owned()
    }

    async fn history(&self) -> Vec<String> {
        let events = self.store.events(&self.id, 50).await.unwrap();
        let told = events.into_iter().rev().filter_map(|event| match event.kind {
            EventKind::Drifted(text) => Some(format!("drifted {text}")),
            EventKind::Repaired(text) => Some(format!("repaired {text}")),
            _ => None,
        });
        told.collect()
    }
}

/// Whether anything but reading was asked.
fn writes(asked: &[String]) -> bool {
    asked.iter().any(|method| !method.starts_with("Get"))
}

#[tokio::test]
async fn a_profile_is_applied_at_first_contact_and_nothing_is_left_to_tell() {
    let mut lab = Lab::with(false);
    lab.wants("home", &format!(r#""parameters":{{"{CODE}":"gold","{SSID}":"corp"}}"#)).await;
    let asked = lab.session().await;
    assert!(asked.contains(&"SetParameterValues".to_owned()), "{asked:?}");
    assert_eq!((lab.has(CODE), lab.has(SSID)), ("gold".to_owned(), "corp".to_owned()));
    assert_eq!(lab.done_by().await, [("profile home".to_owned(), "applied")]);
    assert_eq!(lab.compliance().await, None);
    let mark = lab.store.device(&lab.id).await.unwrap().unwrap().settlement;
    let set = lab.shared.fleet.profiles().current().await.unwrap();
    assert_eq!(mark.profiles, set.fingerprint());
    assert!(mark.due > lab.clock.now() && mark.desired != 0);
    assert!(lab.history().await.is_empty(), "it did not stray: it never had it");
}

#[tokio::test]
async fn a_periodic_session_of_a_settled_device_costs_one_read_of_its_labels() {
    let counting = Counting::new(crate::store::memory(&StoreConfig::default()));
    let blueprint = Blueprint::device2("LAB1", 100).unwrap();
    let mut lab = Lab::on(counting.clone(), false, blueprint);
    let _ = lab.session().await;
    let _ = lab.after(300).await;
    let _ = counting.take();
    assert!(lab.after(300).await.is_empty());
    let without = counting.take();
    for n in 0..50 {
        let rule = if n % 2 == 0 { "has_tag('never')" } else { "" };
        let text = format!(r#""match":"{rule}","parameters":{{"{CODE}":"gold"}}"#);
        lab.wants(&format!("p{n}"), &text).await;
    }
    let _ = lab.after(300).await;
    assert_eq!(lab.has(CODE), "gold");
    // The device's own word that it changed.
    let _ = lab.after(300).await;
    let _ = counting.take();
    assert!(lab.after(300).await.is_empty());
    let mut with = counting.take();
    with.retain(|read| !without.contains(read));
    assert_eq!(with, [("labels", 1)], "besides {without:?}");
    // Once a day it is looked at without a cause, and nothing is asked.
    assert!(lab.after(86_400).await.is_empty());
    assert!(counting.take().contains(&("tree", 1)));
    let mark = lab.store.device(&lab.id).await.unwrap().unwrap().settlement;
    assert!(mark.due > lab.clock.now());
}

#[tokio::test]
async fn without_profiles_not_even_labels_are_read() {
    let counting = Counting::new(crate::store::memory(&StoreConfig::default()));
    let mut lab = Lab::on(counting.clone(), false, Blueprint::device2("LAB1", 100).unwrap());
    let _ = lab.session().await;
    let _ = counting.take();
    let _ = lab.after(300).await;
    let read = counting.take();
    assert!(
        !read.iter().any(|(name, _)| ["labels", "profiles", "tree"].contains(name)),
        "{read:?}"
    );
}

#[tokio::test]
async fn what_is_changed_on_the_device_is_told_and_repaired_in_the_same_session() {
    let mut lab = Lab::with(false);
    lab.wants("home", &format!(r#""parameters":{{"{CODE}":"gold"}}"#)).await;
    let _ = lab.session().await;
    let _ = lab.after(300).await;
    assert!(lab.cpe.change(CODE, "lead"));
    let asked = lab.after(300).await;
    assert!(writes(&asked));
    assert_eq!(lab.has(CODE), "gold");
    assert_eq!(lab.compliance().await, None);
    assert_eq!(lab.history().await, [format!("drifted {CODE}"), format!("repaired {CODE}")]);
    assert_eq!(lab.done_by().await.len(), 2);
}

#[tokio::test]
async fn a_profile_that_only_reports_leaves_what_strayed_until_somebody_asks() {
    let mut lab = Lab::with(false);
    let text = format!(r#""drift":"report","parameters":{{"{CODE}":"gold"}}"#);
    lab.wants("home", &text).await;
    let _ = lab.session().await;
    assert_eq!(lab.has(CODE), "gold", "what is newly wanted is brought about");
    let _ = lab.after(300).await;
    assert!(lab.cpe.change(CODE, "lead"));
    let since = lab.clock.now().after(seconds(300));
    for _ in 0..3 {
        assert!(!writes(&lab.after(300).await));
    }
    let told = lab.compliance().await.unwrap();
    let drift = told.drifts.first().unwrap();
    assert_eq!(
        (&*drift.path, &*drift.wanted, drift.found.as_deref()),
        (CODE, "gold", Some("lead"))
    );
    assert!(drift.strayed && drift.since == since && &*drift.source.name == "home");
    // Another profile comes: it still has strayed.
    lab.wants("other", r#""match":"has_tag('never')","parameters":{"Device.Time.Enable":true}"#)
        .await;
    assert!(!writes(&lab.after(300).await));

    let now = lab.clock.now();
    let task = lab.shared.fleet.ask_repair(&lab.id, "anna", now).await.unwrap();
    assert!(asks_repair(&task));
    let again = lab.shared.fleet.ask_repair(&lab.id, "anna", now).await.unwrap();
    assert_eq!(again.id, task.id, "one is enough");
    let _ = lab.after(300).await;
    assert_eq!(lab.has(CODE), "gold");
    let task = lab.store.task(task.id).await.unwrap().unwrap();
    assert_eq!((task.state.word(), &*task.created_by), ("applied", "anna"));
    assert_eq!(lab.compliance().await, None);
    assert_eq!(lab.history().await, [format!("drifted {CODE}"), format!("repaired {CODE}")]);
}

#[tokio::test]
async fn a_repair_that_is_asked_for_when_nothing_differs_says_so() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let now = lab.clock.now();
    let first = lab.shared.fleet.ask_repair(&lab.id, "anna", now).await.unwrap();
    assert!(lab.after(300).await.is_empty());
    let first = lab.store.task(first.id).await.unwrap().unwrap();
    assert_eq!((first.state.word(), &*first.notes[0]), ("applied", "no profile is in force"));
    lab.wants("home", &format!(r#""parameters":{{"{CODE}":"gold"}}"#)).await;
    let _ = lab.after(300).await;
    let _ = lab.after(300).await;
    let second = lab.shared.fleet.ask_repair(&lab.id, "anna", lab.clock.now()).await.unwrap();
    assert!(lab.after(300).await.is_empty());
    let second = lab.store.task(second.id).await.unwrap().unwrap();
    assert_eq!((second.state.word(), &*second.notes[0]), ("applied", "nothing differs"));
}

#[tokio::test]
async fn a_device_that_was_reset_is_given_everything_again_with_its_secrets() {
    let mut lab = Lab::with(false);
    let text = format!(r#""parameters":{{"{SSID}":"corp","{SECRET}":"canary-secret"}}"#);
    lab.wants("home", &text).await;
    let _ = lab.session().await;
    assert_eq!((lab.has(SSID), lab.has(SECRET)), ("corp".to_owned(), "canary-secret".to_owned()));
    assert!(!writes(&lab.after(300).await), "a secret that was written is not written again");
    let kept = lab.store.fleet().written(&lab.id).await.unwrap().unwrap();
    assert!(kept.digests.contains_key(SECRET) && !format!("{kept:?}").contains("canary"));

    lab.ask(1, Action::FactoryReset).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let asked = lab.live(b"").await;
    assert!(asked.contains(&"FactoryReset".to_owned()), "{asked:?}");
    assert_eq!((lab.has(SSID), lab.has(SECRET)), ("corp".to_owned(), "canary-secret".to_owned()));
    assert!(lab.history().await.is_empty(), "a reset is no drift");
    assert!(!writes(&lab.after(300).await));
}

#[tokio::test]
async fn a_device_that_changes_back_each_time_is_left_after_three_repairs() {
    let mut lab = Lab::with(false);
    lab.wants("home", &format!(r#""parameters":{{"{CODE}":"gold"}}"#)).await;
    let _ = lab.session().await;
    let _ = lab.after(60).await;
    let mut repairs = 0;
    for _ in 0..12 {
        let _ = lab.cpe.change(CODE, "lead");
        repairs += usize::from(writes(&lab.after(60).await));
    }
    assert_eq!(repairs, 3);
    let told = lab.compliance().await.unwrap();
    assert!(told.why.contains("changed it back"), "{}", told.why);
    assert_eq!(told.retry_at, None);
    // Something else is wanted.
    lab.wants("home", &format!(r#""parameters":{{"{CODE}":"silver"}}"#)).await;
    assert!(writes(&lab.after(60).await));
    assert_eq!(lab.has(CODE), "silver");
}

#[tokio::test]
async fn what_a_device_refuses_for_good_is_not_asked_again_and_holds_nothing_up() {
    let mut lab = Lab::with(false);
    let long = "x".repeat(100);
    let text = |ssid: &str| format!(r#""parameters":{{"{CODE}":"gold","{SSID}":"{ssid}"}}"#);
    lab.wants("home", &text(&long)).await;
    let _ = lab.session().await;
    assert_eq!(lab.has(CODE), "gold", "the rest is written");
    let told = lab.compliance().await.unwrap();
    assert_eq!(told.drifts.len(), 1, "{told:?}");
    assert!(told.drifts[0].held.contains("9007"), "{told:?}");
    assert_eq!(told.retry_at, None);
    for _ in 0..5 {
        assert!(!writes(&lab.after(40_000).await));
    }
    let now = lab.clock.now();
    let task = lab.shared.fleet.ask_repair(&lab.id, "anna", now).await.unwrap();
    assert!(writes(&lab.after(300).await), "an operator may insist");
    assert_eq!(lab.store.task(task.id).await.unwrap().unwrap().state.word(), "failed");
    assert!(!writes(&lab.after(300).await));
    lab.wants("home", &text("short")).await;
    let _ = lab.after(300).await;
    assert_eq!(lab.has(SSID), "short");
    assert_eq!(lab.compliance().await, None);
}

#[tokio::test]
async fn a_session_that_breaks_off_is_tried_again_after_a_pause_that_grows() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.wants("home", &format!(r#""parameters":{{"{CODE}":"gold"}}"#)).await;
    let mut pauses = Vec::new();
    for attempt in 1..=3 {
        lab.clock.advance(seconds(86_400));
        lab.cpe.raise(EventCode::Periodic, "");
        let (mut driver, asked) = lab.session_until(1).await;
        assert_eq!(asked, ["SetParameterValues"]);
        driver.abandon("the device fell silent", lab.clock.now()).await;
        let told = lab.compliance().await.unwrap();
        assert_eq!(told.attempts, attempt);
        assert!(told.why.contains("broke off"), "{}", told.why);
        pauses.push(told.retry_at.unwrap().since(lab.clock.now()));
        lab.clock.advance(seconds(10));
        lab.cpe.raise(EventCode::Periodic, "");
        assert!(lab.session().await.is_empty(), "not before its time");
    }
    assert!(pauses.is_sorted() && pauses[2] >= pauses[0] * 3, "{pauses:?}");
    let _ = lab.after(86_400).await;
    assert_eq!(lab.has(CODE), "gold");
    assert_eq!(lab.compliance().await, None);
}

#[tokio::test]
async fn a_device_that_says_yes_and_does_no_is_left_after_the_most_attempts() {
    let yes_man = simulate::personality::Personality::named("yes-man").unwrap();
    let mut lab =
        Lab::of(false, Blueprint::device2("LAB1", 100).unwrap().with_personality(yes_man));
    lab.wants("home", &format!(r#""parameters":{{"{SSID}":"corp"}}"#)).await;
    let _ = lab.session().await;
    let mut sessions = 0;
    for _ in 0..20 {
        sessions += usize::from(writes(&lab.after(86_400).await));
    }
    assert_eq!(sessions, 4, "five attempts with the first");
    let told = lab.compliance().await.unwrap();
    assert!(told.why.contains("after 5 attempts"), "{}", told.why);
}

#[tokio::test]
async fn what_is_to_be_fresh_is_read_when_it_is_stale_and_not_before() {
    let mut lab = Lab::with(false);
    lab.wants("watch", r#""refresh":{"Device.WiFi.SSID.1.":"1h","Device.Nothing.Here":"1h"}"#)
        .await;
    let _ = lab.session().await;
    let _ = lab.after(60).await;
    assert!(lab.after(60).await.is_empty());
    assert!(lab.cpe.change(SSID, "seen"));
    let asked = lab.after(3_600).await;
    assert!(!asked.is_empty() && !writes(&asked), "{asked:?}");
    let tree = lab.store.tree(&lab.id).await.unwrap().unwrap();
    assert_eq!(tree.text(SSID), Some("seen"));
    assert!(lab.after(60).await.is_empty());
    assert!(!lab.after(3_600).await.is_empty());
    assert!(lab.done_by().await.is_empty(), "reading is no matter of record");
}

#[tokio::test]
async fn tags_are_set_and_let_other_profiles_match() {
    let mut lab = Lab::with(false);
    lab.wants("mark", r#""match":"device.oui == '00D09E' || true","tags":{"set":["gold"]}"#).await;
    let text = format!(r#""match":"has_tag('gold')","parameters":{{"{CODE}":"gold"}}"#);
    lab.wants("gold", &text).await;
    let _ = lab.session().await;
    assert_eq!(lab.has(CODE), "gold");
    let labels = lab.store.labels(&lab.id).await.unwrap().unwrap();
    assert!(labels.tags.contains("gold") && labels.revision == 1);
    let _ = lab.after(300).await;
    assert!(lab.after(300).await.is_empty());
    // An operator takes it away: it is set again, and nothing goes round.
    let labels = Labels { revision: 2, ..Labels::default() };
    lab.store.commit(Record::Labels(lab.id.clone(), labels).into()).await.unwrap();
    let _ = lab.after(300).await;
    let labels = lab.store.labels(&lab.id).await.unwrap().unwrap();
    assert!(labels.tags.contains("gold") && labels.revision == 3);
}

#[tokio::test]
async fn profiles_that_disagree_on_a_tag_do_not_go_round() {
    let mut lab = Lab::with(false);
    lab.wants("on", r#""match":"!has_tag('x')","tags":{"set":["x"]}"#).await;
    lab.wants("off", r#""match":"has_tag('x')","tags":{"clear":["x"]}"#).await;
    let _ = lab.session().await;
    let revision = lab.store.labels(&lab.id).await.unwrap().unwrap().revision;
    assert!(revision <= 2);
    let told = lab.compliance().await.unwrap();
    assert!(told.why.contains("disagree"), "{}", told.why);
    for _ in 0..5 {
        let _ = lab.after(300).await;
    }
    assert_eq!(lab.store.labels(&lab.id).await.unwrap().unwrap().revision, revision);
}

#[tokio::test]
async fn a_profile_that_is_gone_leaves_nothing_to_tell() {
    let mut lab = Lab::with(false);
    let long = "x".repeat(100);
    lab.wants("home", &format!(r#""parameters":{{"{SSID}":"{long}"}}"#)).await;
    let _ = lab.session().await;
    assert!(lab.compliance().await.is_some());
    let mut batch = crate::store::Batch::new();
    batch.push(crate::store::Change::ForgetProfile("home".into(), 1));
    lab.store.commit(batch).await.unwrap();
    assert!(lab.after(300).await.is_empty());
    assert_eq!(lab.compliance().await, None);
    let mark = lab.store.device(&lab.id).await.unwrap().unwrap().settlement;
    assert_eq!(mark, crate::device::Settlement::default());
}

#[tokio::test]
async fn what_an_operator_sets_against_a_profile_is_set_back() {
    let mut lab = Lab::with(false);
    lab.wants("home", &format!(r#""parameters":{{"{CODE}":"gold"}}"#)).await;
    let _ = lab.session().await;
    lab.ask(1, Action::Set(vec![(path(CODE), Value::string("mine"))])).await;
    let _ = lab.after(300).await;
    assert_eq!(lab.word(1).await, "applied");
    assert_eq!(lab.has(CODE), "gold");
    let TaskState::Ended { outcome: Outcome::Applied, .. } = lab.state(1).await else { panic!() };
}

#[tokio::test]
async fn switched_off_nothing_is_done_and_an_asked_repair_says_why() {
    let mut lab = Lab::with(false);
    lab.shared.desires.set(FleetConfig { enabled: false, ..FleetConfig::default() });
    lab.wants("home", &format!(r#""parameters":{{"{CODE}":"gold"}}"#)).await;
    let asked = lab.session().await;
    assert!(!writes(&asked));
    let task = lab.shared.fleet.ask_repair(&lab.id, "anna", lab.clock.now()).await.unwrap();
    assert!(lab.after(300).await.is_empty());
    assert_eq!(lab.store.task(task.id).await.unwrap().unwrap().state.word(), "failed");
}
