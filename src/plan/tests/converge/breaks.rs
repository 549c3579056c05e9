//! Sessions that break off at every RPC: no row is made twice.

use super::*;
use crate::cwmp::{Inform, InformEvent};
use crate::device::{DeviceIdentity, EventCode};

/// Runs a session that breaks off at its request number `at`: the device did what
/// it was asked, or never heard of it.
fn break_off(
    recorded: Task,
    tree: &mut Tree,
    device: &mut TestDevice,
    (at, heard): (usize, bool),
) -> (Task, bool) {
    let situation =
        Situation { written: memory(BTreeMap::new()), ..situation(vec![recorded.clone()]) };
    let mut planner = Planner::new(situation, !tree.is_empty(), NOW);
    let mut recorded = recorded;
    let mut sent = 0;
    while let Step::Rpc { request, record_first } = planner.next(tree, NOW) {
        recorded = planner.take_changes().pop().unwrap_or(recorded);
        recorded = record_first.map_or(recorded, |task| *task);
        if sent == at {
            if heard {
                let _ = device.answer(&request);
            }
            planner.abandon(tree, NOW);
            recorded = planner.take_changes().pop().unwrap_or(recorded);
            return (recorded, true);
        }
        sent += 1;
        planner.answer(device.answer(&request), tree, NOW);
    }
    (planner.take_changes().pop().unwrap_or(recorded), false)
}

fn state() -> Desired {
    let keep = OtherRows::Keep;
    wants(
        vec![value("Device.P.V0", "new")],
        vec![
            table(
                "Device.A.",
                OtherRows::Remove,
                vec![
                    row("a", &[("Key", "a"), ("Name", "x")]),
                    row("b", &[("Key", "b"), ("Ref", "@a")]),
                    row("c", &[("Key", "c")]),
                ],
            ),
            table("@b.S.", keep, vec![row("", &[("Key", "d")]), row("", &[("Key", "e")])]),
            table("Device.B.", keep, vec![row("", &[("Key", "f")])]),
        ],
    )
}

fn fresh_device() -> TestDevice {
    let mut device = TestDevice::new();
    for (table, key) in [("Device.A.", "c"), ("Device.A.", "old"), ("Device.B.", "other")] {
        let _ = device.row(table, key);
    }
    device
}

/// The rows of all tables by their keys.
fn keys(device: &TestDevice) -> Vec<String> {
    let rows = device.cells.iter().filter(|(path, _)| path.ends_with(".Key"));
    let mut keys: Vec<String> = rows.map(|(_, cell)| cell.value.text.to_string()).collect();
    keys.sort();
    keys
}

#[test]
fn broken_off_at_every_rpc_no_row_is_made_twice() {
    for heard in [false, true] {
        for tree_is_kept in [false, true] {
            for whole in [false, true] {
                for at in 0..14 {
                    let mut device = fresh_device();
                    let mut tree = if whole { device.tree() } else { Tree::new() };
                    let old = tree.clone();
                    let first = task(1, Action::Converge(Box::new(state())));
                    let (left, broke) = break_off(first, &mut tree, &mut device, (at, heard));
                    if !tree_is_kept {
                        tree = old;
                    }
                    let what =
                        format!("at {at}, heard {heard}, kept {tree_is_kept}, whole {whole}");
                    let last = if broke {
                        go_on(left, &mut tree, &mut device, BTreeMap::new()).task
                    } else {
                        left
                    };
                    assert_eq!(last.state.word(), "applied", "{what}: {last:?}");
                    let expected = ["a", "b", "c", "d", "e", "f", "other"];
                    assert_eq!(keys(&device), expected, "{what}: {last:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The same, broken off again and again.
    #[test]
    fn however_often_it_breaks_off_no_row_is_made_twice(
        breaks in proptest::collection::vec((0_usize..5, any::<bool>(), any::<bool>()), 1..12),
        whole: bool,
    ) {
        let mut device = fresh_device();
        let mut tree = if whole { device.tree() } else { Tree::new() };
        let mut last = task(1, Action::Converge(Box::new(state())));
        for (at, heard, tree_is_kept) in breaks {
            let old = tree.clone();
            last = break_off(last, &mut tree, &mut device, (at, heard)).0;
            if !tree_is_kept {
                tree = old;
            }
            if last.state.is_ended() {
                break;
            }
        }
        if !last.state.is_ended() {
            last = go_on(last, &mut tree, &mut device, BTreeMap::new()).task;
        }
        prop_assert_eq!(last.state.word(), "applied", "{:?}", last);
        prop_assert_eq!(keys(&device), ["a", "b", "c", "d", "e", "f", "other"], "{:?}", last);
    }
}

/// A task that broke off when its first AddObject had left.
fn asked_for_a_row(device: &mut TestDevice, tree: &mut Tree) -> Task {
    let rows = vec![row("", &[("Key", "a")])];
    let desired = wants(Vec::new(), vec![table("Device.B.", OtherRows::Keep, rows)]);
    let first = task(1, Action::Converge(Box::new(desired)));
    let (left, broke) = break_off(first, tree, device, (0, true));
    assert!(broke && matches!(left.state, TaskState::Sent { phase: Phase::MakeRow { .. }, .. }));
    left
}

#[test]
fn where_nobody_can_tell_it_is_unknown_and_not_asked_again() {
    let mut device = fresh_device();
    let mut tree = device.tree();
    let left = asked_for_a_row(&mut device, &mut tree);
    let _ = device.row("Device.B.", "somebody");
    let rows = device.rows("Device.B.").len();
    let came = go_on(left, &mut tree, &mut device, BTreeMap::new());
    assert_eq!((came.word(), came.methods.len()), ("unknown", 1), "{:?}", came.task);
    assert_eq!(device.rows("Device.B.").len(), rows);

    let mut device = fresh_device();
    let mut tree = device.tree();
    let left = asked_for_a_row(&mut device, &mut tree);
    device.habits.no_names = true;
    assert_eq!(go_on(left, &mut tree, &mut device, BTreeMap::new()).word(), "unknown");
}

#[test]
fn after_a_reset_it_begins_anew() {
    let mut device = fresh_device();
    let mut tree = device.tree();
    let mut left = vec![asked_for_a_row(&mut device, &mut tree)];
    let inform = Inform {
        device: DeviceIdentity {
            manufacturer: "".into(),
            oui: "00D09E".into(),
            product_class: "".into(),
            serial_number: "1".into(),
        },
        events: vec![InformEvent { code: EventCode::Bootstrap, command_key: "".into() }],
        current_time: "".into(),
        retry_count: 0,
        parameters: Vec::new(),
    };
    let patience = std::time::Duration::from_secs(60);
    let evidence = Evidence { inform: &inform, software_version: "1", patience };
    assert_eq!(settle(&mut left, evidence, NOW), [0]);
    let anew = left.remove(0);
    assert_eq!((anew.state.word(), anew.results.len()), ("queued", 0));
    let mut reset = TestDevice::new();
    let mut tree = reset.tree();
    let came = go_on(anew, &mut tree, &mut reset, BTreeMap::new());
    assert_eq!(
        (came.word(), &*came.methods),
        ("applied", &["AO".into(), "SPV".into(), "GPV".into()][..])
    );
}
