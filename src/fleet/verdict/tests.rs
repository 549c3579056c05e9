//! The decisions, as tables on a clock that is an argument.

use super::*;
use crate::device::Source;

const BOUNDS: Bounds = Bounds {
    first: Duration::from_secs(300),
    most: Duration::from_secs(86_400),
    attempts: 5,
    repairs: 3,
    window: Duration::from_secs(86_400),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + seconds * 1000)
}

fn drift(path: &str, digest: u64) -> Drift {
    Drift {
        path: path.into(),
        wanted: "on".into(),
        found: Some("off".into()),
        since: at(0),
        source: Source { layer: "profile".into(), name: "p".into(), version: 1 },
        strayed: false,
        held: "".into(),
        digest,
    }
}

fn look(repairs: &[Repair]) -> Look<'_> {
    Look {
        now: at(1000),
        same_wants: true,
        same_firmware: true,
        asked: false,
        drifting: Drifting::Repair,
        repairs,
        bounds: BOUNDS,
    }
}

fn fault(code: u32, parameters: &[(&str, u32)]) -> FaultRecord {
    FaultRecord {
        code,
        text: "no".into(),
        parameters: parameters
            .iter()
            .map(|(name, code)| ((*name).into(), *code, "bad".into()))
            .collect(),
    }
}

#[test]
fn what_was_lost_has_strayed_and_what_is_newly_wanted_has_not() {
    let fresh = || Drift { since: at(1000), ..drift("A.B", 1) };
    let (found, deed) = judge(fresh(), None, &look(&[]));
    assert!(found.strayed && deed == Deed::Repair);
    let (found, deed) = judge(fresh(), None, &Look { same_wants: false, ..look(&[]) });
    assert!(!found.strayed && deed == Deed::Repair);
    // Known before: since then, and what it was.
    let (found, _) = judge(fresh(), Some(&drift("A.B", 1)), &look(&[]));
    assert!(!found.strayed && found.since == at(0));
    // Another value is another matter.
    let (found, _) =
        judge(fresh(), Some(&drift("A.B", 2)), &Look { same_wants: false, ..look(&[]) });
    assert_eq!(found.since, at(1000));
}

#[test]
fn reporting_leaves_what_strayed_until_somebody_asks() {
    let report = Look { drifting: Drifting::Report, ..look(&[]) };
    let (found, deed) = judge(drift("A.B", 1), None, &report);
    assert_eq!(deed, Deed::Report);
    // Another profile is changed: it still has strayed.
    let later = Look { same_wants: false, ..report };
    assert_eq!(judge(drift("A.B", 1), Some(&found), &later).1, Deed::Report);
    let asked = Look { asked: true, ..report };
    assert_eq!(judge(drift("A.B", 1), Some(&found), &asked).1, Deed::Repair);
    // What is newly wanted is brought about.
    assert_eq!(judge(drift("A.B", 1), None, &later).1, Deed::Repair);
}

#[test]
fn what_is_changed_back_each_time_is_left_after_three_repairs_within_the_window() {
    let repair = |path: &str, seconds| Repair { path: path.into(), at: at(seconds) };
    let table = [
        (vec![repair("A.B", 1), repair("A.B", 2)], Deed::Repair),
        (vec![repair("A.B", 1), repair("A.B", 2), repair("A.C", 3)], Deed::Repair),
        (vec![repair("A.B", 1), repair("A.B", 2), repair("A.B", 3)], Deed::Hold),
        (vec![repair("A.B", -90_000), repair("A.B", 2), repair("A.B", 3)], Deed::Repair),
    ];
    for (repairs, deed) in table {
        let (found, judged) = judge(drift("A.B", 1), None, &look(&repairs));
        assert_eq!(judged, deed, "{repairs:?}");
        assert_eq!(!found.held.is_empty(), deed == Deed::Hold);
        let asked = Look { asked: true, ..look(&repairs) };
        assert_eq!(judge(drift("A.B", 1), None, &asked).1, Deed::Repair);
    }
}

#[test]
fn what_is_refused_for_good_is_held_until_value_or_firmware_change() {
    let codes = [
        (9000, true),
        (9001, false),
        (9002, false),
        (9003, true),
        (9004, false),
        (9005, true),
        (9006, true),
        (9007, true),
        (9008, true),
        (9010, false),
        (0, false),
    ];
    for (code, permanent) in codes {
        let mut one = drift("A.B", 1);
        let refused = fault(9003, &[("A.B", code)]);
        let next = after_failure(Failure::Fault(&refused), &mut [&mut one], 1, 0, &look(&[]));
        assert_eq!(!one.held.is_empty(), permanent, "{code}");
        assert_eq!(next.retry_at.is_none(), permanent, "{code}");
        let again = judge(drift("A.B", 1), Some(&one), &look(&[])).1;
        assert_eq!(again, if permanent { Deed::Hold } else { Deed::Repair });
        let updated = Look { same_firmware: false, ..look(&[]) };
        assert_eq!(judge(drift("A.B", 1), Some(&one), &updated).1, Deed::Repair);
        let other = Look { same_wants: false, ..look(&[]) };
        assert_eq!(judge(drift("A.B", 2), Some(&one), &other).1, Deed::Repair);
    }
}

#[test]
fn one_refusal_does_not_hold_the_others_up() {
    let (mut bad, mut good) = (drift("A.B", 1), drift("A.C", 1));
    let refused = fault(9003, &[("A.B", 9007)]);
    let next =
        after_failure(Failure::Fault(&refused), &mut [&mut bad, &mut good], 1, 0, &look(&[]));
    assert!(!bad.held.is_empty() && good.held.is_empty());
    assert!(next.at_once && next.retry_at.is_some());
    // Without a name it is about all of them.
    let (mut bad, mut good) = (drift("A.B", 1), drift("T.{i}.", 1));
    let refused = fault(9005, &[]);
    let next =
        after_failure(Failure::Fault(&refused), &mut [&mut bad, &mut good], 1, 0, &look(&[]));
    assert!(!bad.held.is_empty() && !good.held.is_empty() && next.retry_at.is_none());
    // A row by one of its parameters.
    let mut row = drift("T.{i}.", 1);
    let refused = fault(9003, &[("T.3.Port", 9007)]);
    let _ = after_failure(Failure::Fault(&refused), &mut [&mut row], 1, 0, &look(&[]));
    assert!(row.held.contains("9007"), "{}", row.held);
}

#[test]
fn a_device_that_says_yes_and_does_no_is_left_after_the_most_attempts_and_a_silent_one_never() {
    for attempts in 1..=8 {
        let (no, other) = (fault(9003, &[("A.B", 0)]), fault(9002, &[]));
        let table = [
            (Failure::Ineffective, attempts >= 5),
            (Failure::Fault(&no), attempts >= 5),
            (Failure::Fault(&other), false),
            (Failure::Silence, false),
        ];
        for (failure, is_left) in table {
            let mut one = drift("A.B", 1);
            let next = after_failure(failure, &mut [&mut one], attempts, 0, &look(&[]));
            assert_eq!(next.retry_at.is_none(), is_left, "{attempts} {failure:?}");
            assert_eq!(!one.held.is_empty(), is_left);
        }
    }
}

#[test]
fn pauses_double_up_to_a_day_and_differ_between_devices() {
    let pauses: Vec<u64> =
        (0..40).map(|attempts| back_off(&BOUNDS, attempts, 25).as_secs()).collect();
    assert_eq!(pauses.get(..5), Some(&[300, 300, 600, 1200, 2400][..]));
    assert!(pauses.iter().all(|pause| *pause <= 86_400));
    assert_eq!(pauses.last(), Some(&86_400));
    let spread: std::collections::BTreeSet<u64> =
        (0..1000).map(|device| back_off(&BOUNDS, 9, device).as_secs()).collect();
    assert!(spread.len() > 20, "{spread:?}");
    assert!(spread.iter().all(|pause| (57_600..=76_800).contains(pause)), "{spread:?}");
}
