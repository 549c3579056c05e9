//! What a campaign does, over a store in memory.

use std::time::Duration;

use provost::config::CampaignsConfig;
use provost::device::{Action, Outcome, TaskState};
use provost::param::{ParamPath, Tree, Value};
use provost::rollout::{CampaignState, MemberState, Place};
use provost::store::Record;
use serde_json::json;

use super::rig::{Rig, named, reboot, refused};

async fn rig(devices: u32) -> Rig {
    Rig::with(devices, CampaignsConfig::default()).await
}

#[tokio::test]
async fn every_device_has_its_turn_wave_by_wave() {
    let rig = rig(120).await;
    let text = reboot(&json!({"waves": {"canary": 5, "sizes": ["50%"]}}));
    let made = rig.made(&text).await;
    let sizes: Vec<u32> = made.waves.iter().map(|wave| wave.waiting).collect();
    assert_eq!(sizes, [5, 55, 60]);
    assert!(rig.waiting().await.is_empty(), "nothing is asked of anybody before the start");
    rig.campaigns.start("c", "starter").await.unwrap();
    let first = rig.until_count(Place::AtWork, 5).await;
    assert!(matches!(first.state, CampaignState::Running { wave: 0, .. }), "{:?}", first.state);
    assert_eq!(rig.waiting().await.len(), 5, "the canary alone, whatever the concurrency");
    rig.serve(|_| Outcome::Applied);
    let over = rig.until_state("finished").await;
    assert_eq!(over.count(Place::Done), 120);
    assert_eq!(rig.bell.0.lock().unwrap().len(), 120, "each was woken once");
    let lines: Vec<&str> = over.history.iter().map(|line| &*line.what).collect();
    assert_eq!(
        lines,
        [
            "made",
            "started",
            "wave 1 is over, wave 2 begins",
            "wave 2 is over, wave 3 begins",
            "finished"
        ]
    );
    assert_eq!((&*over.history[0].by, &*over.history[1].by), ("maker", "starter"));
    rig.campaigns.remove("c", "x").await.unwrap();
    assert!(rig.members().await.is_empty());
    assert!(rig.store.fleet().campaign("c").await.unwrap().is_none());
}

#[tokio::test]
async fn a_canary_is_drawn_from_the_whole_fleet() {
    let rig = rig(400).await;
    rig.made(&reboot(&json!({"waves": {"canary": 40}}))).await;
    let members = rig.members().await;
    let canary: Vec<usize> = (0..400).filter(|at| members[*at].wave == 0).collect();
    assert_eq!(canary.len(), 40);
    let quarters = canary.iter().map(|at| at / 100).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(quarters.len(), 4, "{canary:?}");
}

#[tokio::test]
async fn too_many_failures_halt_it_and_an_operator_may_bear_them() {
    let rig = rig(60).await;
    let abort = json!({"failures": "20%", "minimum": 4});
    rig.made(&reboot(&json!({"waves": {"canary": 10}, "abort": abort}))).await;
    let preview = rig
        .campaigns
        .preview(&reboot(&json!({"waves": {"canary": 10}, "abort": abort})).to_string(), "")
        .await
        .unwrap();
    rig.campaigns.start("c", "x").await.unwrap();
    let answering = rig.serve(|_| refused());
    let halted = rig.until_state("halted").await;
    let CampaignState::Halted { why, .. } = &halted.state else { panic!() };
    assert!(why.contains("finished devices of wave 1 failed, and 20% is too many"), "{why}");
    rig.until_count(Place::AtWork, 0).await;
    let harmed = rig.record().await.count(Place::Failed);
    assert!(harmed <= preview.at_most && harmed <= 10, "{harmed} of at most {}", preview.at_most);
    assert!(rig.campaigns.remove("c", "x").await.is_err(), "a halted one is not forgotten");
    assert!(rig.campaigns.roll_back("c", "x", "").await.is_err(), "a restart has no way back");
    answering.abort();
    rig.serve(|_| Outcome::Applied);
    rig.campaigns.resume("c", "boss", "these ten were known to be bad").await.unwrap();
    let over = rig.until_state("finished").await;
    assert!(over.history.iter().any(|line| *line.by == *"boss" && line.what.contains("known")));
}

#[tokio::test]
async fn what_was_not_sent_is_withdrawn_when_it_is_held_and_asked_again_when_it_goes_on() {
    let rig = rig(30).await;
    rig.made(&reboot(&json!({}))).await;
    rig.campaigns.start("c", "x").await.unwrap();
    rig.until_count(Place::AtWork, 20).await;
    let tasks = rig.waiting().await;
    let mut sent = tasks[0].clone();
    sent.revision += 1;
    let phase = provost::device::Phase::Boot;
    sent.state = TaskState::Sent { at: sent.created_at, phase };
    rig.store.commit(Record::Task(Box::new(sent.clone())).into()).await.unwrap();
    rig.campaigns.pause("c", "x", "lunch").await.unwrap();
    rig.until_count(Place::AtWork, 1).await;
    assert_eq!(rig.waiting().await, [sent.clone()], "what was sent goes on");
    let withdrawn = rig.store.task(tasks[1].id).await.unwrap().unwrap();
    assert!(matches!(withdrawn.state, TaskState::Ended { outcome: Outcome::Cancelled, .. }));
    rig.end(&sent, Outcome::Applied).await;
    rig.until_count(Place::Done, 1).await;
    assert_eq!(rig.record().await.state.word(), "paused");
    rig.campaigns.resume("c", "x", "").await.unwrap();
    rig.serve(|_| Outcome::Applied);
    let over = rig.until_state("finished").await;
    assert_eq!(over.count(Place::Done), 30);
    let asks: Vec<u32> = rig.members().await.iter().map(|member| member.asks).collect();
    assert_eq!(asks.iter().filter(|asks| **asks == 2).count(), 19, "{asks:?}");
}

#[tokio::test]
async fn a_stop_leaves_the_rest_as_they_are() {
    let rig = rig(30).await;
    rig.made(&reboot(&json!({}))).await;
    rig.campaigns.start("c", "x").await.unwrap();
    rig.until_count(Place::AtWork, 20).await;
    rig.campaigns.stop("c", "x", "wrong fleet").await.unwrap();
    let over = rig.until_count(Place::Waiting, 30).await;
    let CampaignState::Stopped { why, .. } = &over.state else { panic!("{over:?}") };
    assert_eq!(&**why, "stopped by x: wrong fleet");
    assert!(rig.waiting().await.is_empty());
    assert!(rig.campaigns.resume("c", "x", "").await.is_err());
    rig.campaigns.remove("c", "x").await.unwrap();
}

#[tokio::test]
async fn a_large_one_waits_for_somebody_to_approve_it() {
    let config = CampaignsConfig { approval_above: 9, ..CampaignsConfig::default() };
    let rig = Rig::with(10, config).await;
    assert!(
        rig.campaigns.preview(&reboot(&json!({})).to_string(), "").await.unwrap().needs_approval
    );
    rig.made(&reboot(&json!({}))).await;
    assert!(rig.campaigns.approve("c", "x", "").await.is_err(), "it was not started");
    rig.campaigns.start("c", "clerk").await.unwrap();
    assert_eq!(rig.record().await.state.word(), "needs_approval");
    rig.serve(|_| Outcome::Applied);
    assert!(rig.waiting().await.is_empty());
    rig.campaigns.approve("c", "boss", "agreed").await.unwrap();
    let over = rig.until_state("finished").await;
    assert_eq!(over.approved.map(|(_, by)| by), Some("boss".into()));
}

#[tokio::test]
async fn nothing_is_asked_outside_the_window_and_what_did_not_come_waits_for_the_next() {
    let rig = rig(10).await;
    rig.clock.show("2026-11-20T12:00:00Z");
    let window = json!({"zone": "Europe/Berlin", "from": "01:00", "to": "02:00"});
    rig.made(&reboot(&json!({"window": window}))).await;
    rig.campaigns.start("c", "x").await.unwrap();
    assert!(rig.waiting().await.is_empty());
    // 01:30 in Berlin; the next command lets it look again.
    rig.clock.show("2026-11-21T00:30:00Z");
    rig.campaigns.pause("c", "x", "").await.unwrap();
    rig.campaigns.resume("c", "x", "").await.unwrap();
    rig.until_count(Place::AtWork, 10).await;
    let tasks = rig.waiting().await;
    let closes = provost::time::Timestamp::parse("2026-11-21T01:00:00Z").unwrap();
    assert!(tasks.iter().all(|task| task.expires_at == closes), "{tasks:?}");
    // Nobody came; the window is closed.
    rig.clock.show("2026-11-21T01:00:01Z");
    for task in &tasks {
        rig.end(task, Outcome::Expired).await;
    }
    let record = rig.until_count(Place::Waiting, 10).await;
    assert_eq!(record.state.word(), "running");
    assert!(rig.members().await.iter().all(|member| member.attempts == 0), "not their fault");
}

#[tokio::test]
async fn a_device_that_fails_is_asked_again_and_one_of_which_nobody_knows_is_not() {
    let rig = rig(3).await;
    let attempts = json!({"most": 3, "pause": "0s"});
    let abort = json!({"failures": "100%", "minimum": 100});
    rig.made(&reboot(&json!({"attempts": attempts, "abort": abort}))).await;
    rig.campaigns.start("c", "x").await.unwrap();
    rig.serve(|task| match &task.device.as_str()[task.device.as_str().len() - 1..] {
        "0" => refused(),
        "1" => Outcome::Unknown("the device never said that it restarted".into()),
        _ => Outcome::Expired,
    });
    rig.until(|record| record.count(Place::AtWork) + record.count(Place::Waiting) == 0).await;
    let members = rig.members().await;
    let seen: Vec<(&str, u32)> =
        members.iter().map(|member| (member.state.place().word(), member.asks)).collect();
    assert_eq!(seen, [("failed", 3), ("failed", 1), ("unreached", 3)]);
    assert!(members[1].state.why().contains("nobody knows"), "{:?}", members[1]);
    assert_eq!(rig.until_state("halted").await.count(Place::Failed), 2);
}

#[tokio::test]
async fn values_are_brought_back_when_it_halts() {
    let rig = rig(20).await;
    let path = ParamPath::parse("Device.WiFi.SSID.1.SSID").unwrap();
    for number in 0..20 {
        let mut tree = Tree::new();
        tree.learn_value(&path, Value::string(format!("old{number}")), crate::api::NOW);
        rig.store.commit(Record::Tree(named(number).id, tree.into()).into()).await.unwrap();
    }
    let action = json!({"parameters": {"values": {"Device.WiFi.SSID.1.SSID": "new"}}});
    let abort = json!({"failures": "50%", "minimum": 4, "rollback": "automatic"});
    let text = reboot(&json!({"action": action, "abort": abort}));
    let made = rig.made(&text).await;
    assert_eq!((made.unknown, made.cannot_undo), (0, 0));
    rig.serve(|task| {
        let Action::Converge(desired) = &task.action else { panic!("{task:?}") };
        let is_new = format!("{:?}", desired.values).contains("\"new\"");
        if is_new { refused() } else { Outcome::Applied }
    });
    rig.campaigns.start("c", "x").await.unwrap();
    let back = rig.until_state("rolled_back").await;
    let waiting = back.count(Place::Waiting);
    assert_eq!(back.count(Place::Undone), 20 - waiting, "{back:?}");
    for member in rig.members().await {
        let tasks = rig.store.tasks(Some(&member.device), None, 10).await.unwrap();
        let back = tasks.iter().filter(|task| {
            let old = format!("{:?}", task.action);
            old.contains("old")
        });
        assert_eq!(back.count(), usize::from(member.state.place() == Place::Undone));
    }
}

#[tokio::test]
async fn a_profile_comes_into_force_with_the_tag_of_the_wave_and_goes_with_it() {
    let rig = rig(6).await;
    let profile = |rule: &str| provost::profile::ProfileRecord {
        name: "wifi-2".into(),
        version: 1,
        text: json!({"match": rule, "parameters": {"Device.X": "1"}}).to_string().into(),
        enabled: true,
        at: crate::api::NOW,
        by: "x".into(),
        why: "".into(),
        tenant: "".into(),
    };
    let text = reboot(&json!({"action": {"profile": {"profile": "wifi-2"}},
        "waves": {"canary": 2}, "abort": {"failures": "100%"}}));
    let error = rig.campaigns.create(&text.to_string(), "x", "").await.unwrap_err().to_string();
    assert!(error.contains("there is no profile wifi-2"), "{error}");
    let mut record = profile("true");
    rig.store.commit(Record::Profile(Box::new(record.clone())).into()).await.unwrap();
    let error = rig.campaigns.create(&text.to_string(), "x", "").await.unwrap_err().to_string();
    assert!(error.contains("campaign:c"), "{error}");
    record = profile("'campaign:c' in tags");
    record.version = 2;
    rig.store.commit(Record::Profile(Box::new(record)).into()).await.unwrap();
    rig.made(&text).await;
    rig.campaigns.start("c", "x").await.unwrap();
    rig.until_count(Place::AtWork, 2).await;
    let mut tagged = 0;
    for member in rig.members().await {
        let labels = rig.store.labels(&member.device).await.unwrap().unwrap_or_default();
        let has = labels.tags.contains("campaign:c");
        assert_eq!(has, member.wave == 0, "{member:?}");
        tagged += u32::from(has);
    }
    assert_eq!(tagged, 2);
    rig.serve(|_| Outcome::Applied);
    rig.until_state("finished").await;
    rig.campaigns.roll_back("c", "x", "").await.unwrap();
    rig.until_state("rolled_back").await;
    for member in rig.members().await {
        let labels = rig.store.labels(&member.device).await.unwrap().unwrap_or_default();
        assert!(labels.tags.is_empty(), "{labels:?}");
        assert!(matches!(member.state, MemberState::Undone { .. }));
    }
}

#[tokio::test]
async fn a_device_that_went_to_another_server_has_to_stay_away() {
    let rig = rig(2).await;
    let migrate =
        json!({"url": "https://acs.example.net/", "username": "u", "password": "p", "quiet": "2h"});
    let abort = json!({"failures": "100%", "minimum": 100});
    rig.made(&reboot(&json!({"action": {"migrate": migrate}, "abort": abort}))).await;
    rig.campaigns.start("c", "x").await.unwrap();
    rig.until_count(Place::AtWork, 2).await;
    for task in rig.waiting().await {
        let Action::Set(values) = &task.action else { panic!("{task:?}") };
        let paths: Vec<&str> = values.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths[0], "Device.ManagementServer.URL");
        assert_eq!(paths.len(), 3);
        rig.end(&task, Outcome::Applied).await;
    }
    let rung = rig.bell.0.lock().unwrap().len();
    rig.until(|_| true).await;
    // One comes back here all the same.
    loop {
        let members = rig.members().await;
        if members.iter().all(|one| matches!(one.state, MemberState::Checking { .. })) {
            break;
        }
        tokio::task::yield_now().await;
    }
    let mut device = rig.store.device(&named(0).id).await.unwrap().unwrap();
    device.sessions += 1;
    rig.store.commit(Record::Device(Box::new(device)).into()).await.unwrap();
    rig.until_count(Place::Failed, 1).await;
    rig.clock.advance(Duration::from_secs(3 * 3600));
    rig.campaigns.pause("c", "x", "").await.unwrap();
    rig.campaigns.resume("c", "x", "").await.unwrap();
    let over = rig.until_state("finished").await;
    assert_eq!((over.count(Place::Done), over.count(Place::Failed)), (1, 1));
    assert_eq!(rig.bell.0.lock().unwrap().len(), rung, "nobody is called back");
}

#[tokio::test]
async fn what_an_operator_withdraws_is_left_alone() {
    let rig = rig(1).await;
    rig.made(&reboot(&json!({"attempts": {"most": 5, "pause": "0s"}}))).await;
    rig.campaigns.start("c", "x").await.unwrap();
    rig.until_count(Place::AtWork, 1).await;
    let task = rig.waiting().await.remove(0);
    rig.end(&task, Outcome::Cancelled).await;
    let over = rig.until_state("finished").await;
    assert_eq!(over.count(Place::Skipped), 1);
}
