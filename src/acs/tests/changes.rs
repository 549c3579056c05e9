//! What is remembered of values, on a clock that is moved by hand.

use super::*;
use crate::device::{Cause, ChangeSet};

const SSID: &str = "Device.WiFi.SSID.1.SSID";

impl Lab {
    /// What changed, newest first: path, before, after, cause.
    async fn changes(&self) -> Vec<(String, Option<String>, Option<String>, Cause)> {
        let sets: Vec<ChangeSet> = self.store.fleet().value_changes(&self.id, 100).await.unwrap();
        let text = |text: Option<Box<str>>| text.map(String::from);
        let changes = sets.into_iter().flat_map(|set| set.changes);
        changes
            .map(|change| {
                (change.path.into(), text(change.before), text(change.after), change.cause)
            })
            .collect()
    }
}

#[tokio::test]
async fn a_value_that_changes_is_remembered_with_who_did_it() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    assert_eq!(lab.changes().await, [], "the first reading changes nothing");
    let before = lab.store.tree(&lab.id).await.unwrap().unwrap();
    let before = before.text(SSID).unwrap().to_owned();

    lab.ask(1, Action::Set(vec![(path(SSID), Value::string("by task"))])).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    let by_task = (
        SSID.to_owned(),
        Some(before),
        Some("by task".to_owned()),
        Cause::Task(TaskId(1), "test".into()),
    );
    assert_eq!(lab.changes().await, std::slice::from_ref(&by_task));

    assert!(lab.cpe.change(SSID, "by hand"));
    lab.ask(2, Action::Refresh(Some(path("Device.WiFi.")))).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    let by_hand =
        (SSID.to_owned(), Some("by task".to_owned()), Some("by hand".to_owned()), Cause::Device);
    assert_eq!(lab.changes().await, [by_hand, by_task]);
}

#[tokio::test]
async fn rows_are_remembered_and_what_changes_by_itself_is_not() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let values = vec![("ExternalPort".into(), Value::string("8080"))];
    lab.ask(1, Action::AddObject { table: path("Device.NAT.PortMapping."), values }).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    let made = lab.changes().await;
    assert!(
        made.iter().any(|(path, before, after, cause)| path.starts_with("Device.NAT.PortMapping.")
            && before.is_none()
            && after.as_deref() == Some("")
            && matches!(cause, Cause::Task(TaskId(1), _))),
        "{made:?}"
    );
    // Counters and clocks are read again, and are no history.
    lab.clock.advance(Duration::from_secs(3600));
    lab.ask(2, Action::Refresh(None)).await;
    lab.cpe.raise(EventCode::Periodic, "");
    let _ = lab.session().await;
    assert_eq!(lab.changes().await.len(), made.len(), "{:?}", lab.changes().await);
}

#[tokio::test]
async fn of_a_secret_it_is_remembered_that_it_was_written() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let secret = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    lab.ask(1, Action::Set(vec![(path(secret), Value::string("c4n4ry-of-wifi"))])).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    let changes = lab.changes().await;
    let [(path, before, after, Cause::Task(TaskId(1), _))] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!((&**path, before.as_deref(), after.as_deref()), (secret, Some("***"), Some("***")));
}

#[tokio::test]
async fn what_a_factory_reset_takes_is_kept() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    for round in 0..5_u32 {
        let name = format!("net {round}");
        lab.ask(u128::from(round) * 2 + 1, Action::Set(vec![(path(SSID), Value::string(name))]))
            .await;
        lab.ask(u128::from(round) * 2 + 2, Action::FactoryReset).await;
        lab.cpe.raise(EventCode::ConnectionRequest, "");
        let _ = lab.live(&[]).await;
    }
    let kept = lab.store.fleet().device_backups(&lab.id).await.unwrap();
    let names: Vec<&str> = kept
        .iter()
        .map(|backup| {
            let values = &backup.values;
            let (_, value) = values.iter().find(|(path, _)| **path == *SSID).unwrap();
            &*value.as_ref().unwrap().text
        })
        .collect();
    assert_eq!(names, ["net 2", "net 3", "net 4"], "the last three");
    let resets = lab.changes().await;
    assert!(
        resets.iter().any(|(path, _, _, cause)| path == SSID && *cause == Cause::Bootstrap),
        "{resets:?}"
    );
}

#[tokio::test]
async fn values_are_told_with_the_outcome_also_when_the_session_goes_on() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, Action::Set(vec![(path(SSID), Value::string("told"))])).await;
    lab.ask(2, Action::Get(vec![path("Device.DeviceInfo.UpTime")])).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    // It is written and read back; the third RPC is that of the next task.
    let _under_way = lab.session_until(3).await;
    assert_eq!(lab.word(1).await, "applied");
    let tree = lab.store.tree(&lab.id).await.unwrap().unwrap();
    assert_eq!(tree.text(SSID), Some("told"));
}
