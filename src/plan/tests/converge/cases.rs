//! Typical states with the exact sequence of RPCs.

use super::super::device::Habits;
use super::*;

fn learned() -> Learned {
    Learned::assumed(64, 64)
}

#[test]
fn typical_states_take_the_fewest_rpcs() {
    let keep = OtherRows::Keep;
    let two = || vec![value("Device.P.V0", "new"), value("Device.P.V1", "new")];
    let new_row = || row("", &[("Key", "web"), ("Name", "80")]);
    let a_row = || vec![table("Device.A.", keep, vec![new_row()])];
    let nested = || {
        let lan = row("lan", &[("Key", "lan")]);
        let refers = row("", &[("Key", "wan"), ("Ref", "@lan")]);
        vec![
            table("@lan.S.", keep, vec![row("", &[("Key", "inner")])]),
            table("Device.B.", keep, vec![refers]),
            table("Device.A.", keep, vec![lan]),
        ]
    };
    let only = || vec![table("Device.A.", OtherRows::Remove, vec![new_row()])];
    let both = || vec![table("Device.A.", keep, vec![new_row(), row("", &[("Key", "b")])])];
    let cases: Vec<(&str, Desired, &[&str])> = vec![
        ("nothing is wanted", Desired::default(), &[]),
        ("it has it all", wants(vec![value("Device.P.V0", "old")], Vec::new()), &[]),
        ("two values", wants(two(), Vec::new()), &["SPV", "GPV"]),
        ("a row", wants(Vec::new(), a_row()), &["AO", "SPV", "GPV"]),
        ("a row and two values", wants(two(), a_row()), &["AO", "SPV", "GPV"]),
        ("two rows", wants(Vec::new(), both()), &["AO", "AO", "SPV", "GPV"]),
        (
            "rows in rows, and references",
            wants(Vec::new(), nested()),
            &["AO", "AO", "AO", "SPV", "GPV"],
        ),
        (
            "a row in place of two others",
            wants(Vec::new(), only()),
            &["DO", "DO", "GPN", "AO", "SPV", "GPV"],
        ),
        (
            "a row is changed",
            wants(
                Vec::new(),
                vec![table("Device.A.", keep, vec![row("", &[("Key", "first"), ("Count", "7")])])],
            ),
            &["SPV", "GPV"],
        ),
        (
            "a row that is to go by its key",
            wants(
                Vec::new(),
                vec![table("Device.A.", OtherRows::Alone, vec![row("", &[("Key", "first")])])],
            ),
            &["GPV", "DO", "GPN"],
        ),
        (
            "a row that is to go and is not there",
            wants(
                Vec::new(),
                vec![table("Device.A.", OtherRows::Alone, vec![row("", &[("Key", "none")])])],
            ),
            &[],
        ),
        (
            "notifications",
            Desired { attributes: vec![notify("Device.P.V0", 2)], ..Desired::default() },
            &["SPA", "GPA"],
        ),
        (
            "all rows that are there",
            wants(vec![value("Device.A.*.Flag", "true")], Vec::new()),
            &["SPV", "GPV"],
        ),
    ];
    for (what, desired, expected) in cases {
        takes(what, desired, expected);
    }
}

/// Whether a device comes to what is wanted by these RPCs, as announced, and is then
/// left alone.
fn takes(what: &str, desired: Desired, expected: &[&str]) {
    let mut device = TestDevice::new();
    let _ = device.row("Device.A.", "first");
    let _ = device.row("Device.A.", "second");
    let mut tree = device.tree();
    let assessment = assess(&desired, &tree, &learned(), &memory(BTreeMap::new()));
    let came = go(&desired, &mut tree, &mut device);
    assert_eq!(
        (came.methods.clone(), came.word()),
        (expected.iter().map(|method| (*method).to_owned()).collect(), "applied"),
        "{what}: {:?}",
        came.task
    );
    let mut sent = came.methods;
    sent.sort();
    assert_eq!(announced(&assessment), sent, "{what} takes what was announced");
    let again = memory(came.written.clone());
    assert!(assess(&desired, &tree, &learned(), &again).is_satisfied(), "{what}");
    let second = task(2, Action::Converge(Box::new(desired)));
    let second = go_on(second, &mut tree, &mut device, came.written);
    assert_eq!((second.methods.len(), second.word()), (0, "applied"), "{what}, once more");
}

/// What was written names a row, and the same message tells that the row is not
/// there: the one in its place is named.
#[test]
fn a_row_that_is_another_one_by_now_is_named_as_that() {
    let mut device = TestDevice::new();
    let gone = device.row("Device.A.", "web");
    let mut tree = device.tree();
    device.drop_row(&gone);
    let there = device.row("Device.A.", "web");
    assert_ne!(gone, there);
    let one = row("one", &[("Key", "web"), ("Ref", "@two")]);
    let two = row("two", &[("Key", "@one"), ("Count", "7")]);
    let tables = [("Device.A.", one), ("Device.B.", two)];
    let tables = tables.map(|(at, row)| table(at, OtherRows::Keep, vec![row]));
    let desired = wants(Vec::new(), tables.into());
    let came = go(&desired, &mut tree, &mut device);
    assert_eq!(came.word(), "applied", "{:?}", came.task);
    let known = memory(came.written);
    for tree in [&tree, &device.tree()] {
        let assessment = assess(&desired, tree, &learned(), &known);
        assert!(assessment.is_satisfied(), "{assessment:?} {:?}", came.task);
    }
}

/// A table of which the rows with these keys are to go.
fn without(at: &str, keys: &[&str]) -> Desired {
    let rows = keys.iter().map(|key| row("", &[("Key", key)])).collect();
    wants(Vec::new(), vec![table(at, OtherRows::Alone, rows)])
}

#[test]
fn rows_go_by_their_keys_and_all_others_stay() {
    let mut device = TestDevice::new();
    let rows = ["a", "b", "a", "c", "d"].map(|key| device.row("Device.A.", key));
    let other = device.row("Device.B.", "a");
    let left = vec![rows[1].clone(), rows[3].clone()];
    // Whether all is known of it, or nothing.
    for mut tree in [device.tree(), Tree::new()] {
        let mut device = device.clone();
        let desired = without("Device.A.", &["a", "d", "e"]);
        let came = go(&desired, &mut tree, &mut device);
        assert_eq!(came.word(), "applied", "{:?}", came.task);
        assert_eq!(device.rows("Device.A."), left);
        assert_eq!(device.rows("Device.B."), std::slice::from_ref(&other));
        let again = go(&desired, &mut tree, &mut device);
        assert_eq!((again.methods.len(), again.word()), (0, "applied"));
    }
}

#[test]
fn a_row_that_is_another_one_by_now_does_not_go() {
    let mut device = TestDevice::new();
    let moved = device.row("Device.A.", "old");
    let gone = device.row("Device.A.", "old");
    let mut tree = device.tree();
    device.cells.get_mut(&format!("{moved}Key")).unwrap().value.text = "new".into();
    device.drop_row(&gone);
    let came = go(&without("Device.A.", &["old"]), &mut tree, &mut device);
    assert_eq!(came.word(), "applied", "{:?}", came.task);
    assert!(!came.methods.iter().any(|method| method == "DO"), "{:?}", came.methods);
    assert_eq!(device.rows("Device.A."), [moved]);
}

#[test]
fn a_row_that_is_wanted_by_other_keys_stays() {
    let mut device = TestDevice::new();
    let kept = device.row("Device.A.", "a");
    let mut desired = without("Device.A.", &["a"]);
    desired.tables.push(table("Device.A.", OtherRows::Keep, vec![row("", &[("Key", "a")])]));
    let came = go(&desired, &mut device.tree(), &mut device);
    assert_eq!((came.methods.len(), came.word()), (0, "applied"), "{:?}", came.task);
    assert_eq!(device.rows("Device.A."), [kept]);
}

#[test]
fn rows_are_filled_and_refer_to_each_other() {
    let mut device = TestDevice::new();
    let desired = wants(
        vec![WantedValue {
            path: path("Device.P.V3"),
            value: Wanted::Row("lan".into()),
            source: 0,
        }],
        vec![
            table("@lan.S.", OtherRows::Keep, vec![row("deep", &[("Key", "x"), ("Ref", "@wan")])]),
            table(
                "Device.A.",
                OtherRows::Keep,
                vec![row("lan", &[("Key", "lan"), ("Ref", "@deep")])],
            ),
            table(
                "Device.B.",
                OtherRows::Keep,
                vec![row("wan", &[("Key", "wan"), ("Ref", "@lan")])],
            ),
        ],
    );
    let mut tree = device.tree();
    let came = go(&desired, &mut tree, &mut device);
    assert_eq!(came.word(), "applied", "{:?}", came.task);
    assert_eq!(device.text("Device.P.V3"), "Device.A.1");
    assert_eq!(device.text("Device.B.1.Ref"), "Device.A.1");
    assert_eq!(device.text("Device.A.1.Ref"), "Device.A.1.S.1");
    assert_eq!(device.text("Device.A.1.S.1.Ref"), "Device.B.1");
    assert_eq!(came.result("Device.A.1."), Some("made as row 1 of table 2"));
    assert_eq!(came.result("Device.P.V3"), Some("Device.A.1"));
}

#[test]
fn what_cannot_be_had_is_told_with_the_reason_and_the_rest_is_applied() {
    let mut device = TestDevice::new();
    let circle = |name: &str, key: &str| row(name, &[("Key", key)]);
    let desired = wants(
        vec![
            value("Device.P.V0", "new"),
            value("Device.P.V7", "new"),
            value("Device.P.None", "new"),
            value("Device.No.Such", "new"),
            value("Device.A.[nobody].Name", "new"),
        ],
        vec![
            table("Device.A.", OtherRows::Keep, vec![circle("a", "@b")]),
            table("Device.B.", OtherRows::Keep, vec![circle("b", "@a")]),
            table("Device.C.", OtherRows::Keep, vec![row("", &[("Key", "c")])]),
            table("@nobody.S.", OtherRows::Keep, vec![row("", &[("Key", "d")])]),
        ],
    );
    let mut tree = device.tree();
    let came = go(&desired, &mut tree, &mut device);
    assert_eq!(came.methods, ["SPV", "GPV"]);
    assert_eq!(device.text("Device.P.V0"), "new");
    let fault = came.fault();
    let why: Vec<String> =
        fault.parameters.iter().map(|(path, _, why)| format!("{path}: {why}")).collect();
    for expected in [
        "Device.P.V7: the device says that it is read-only",
        "Device.P.None: the device has no such parameter",
        "Device.No.Such: the device has no such parameter",
        "Device.A.[nobody].Name: no row of Device.A. has the alias nobody",
        "Device.C.: the device has no such table",
        "@nobody.S.: the row nobody in which it lies: no row is named nobody",
    ] {
        assert!(why.iter().any(|why| why == expected), "{expected}: {why:#?}");
    }
    assert_eq!(why.iter().filter(|why| why.contains("circle")).count(), 2, "{why:#?}");
    assert_eq!(came.result("Device.P.V0"), Some("new"));
}

#[test]
fn one_bad_value_does_not_hold_up_the_others() {
    for names_no_parameter in [false, true] {
        let mut device = TestDevice::new();
        device.habits = Habits { names_no_parameter, ..Habits::default() };
        let texts = ["a", "b", "bad", "d", "e", "bad", "g"];
        let values = texts.iter().enumerate();
        let values = values.map(|(at, text)| value(&format!("Device.P.V{at}"), text)).collect();
        let mut tree = device.tree();
        let came = go(&wants(values, Vec::new()), &mut tree, &mut device);
        let fault = came.fault();
        let refused: Vec<&str> = fault.parameters.iter().map(|(path, ..)| &**path).collect();
        assert_eq!(refused, ["Device.P.V2", "Device.P.V5"], "{names_no_parameter}");
        for (at, text) in texts.iter().enumerate() {
            let is = if *text == "bad" { "old" } else { text };
            assert_eq!(device.text(&format!("Device.P.V{at}")), is);
        }
        assert!(
            came.methods.len() <= if names_no_parameter { 12 } else { 3 },
            "{:?}",
            came.methods
        );
    }
}

#[test]
fn a_device_that_says_yes_and_does_no_is_found_out_once() {
    for habits in [
        Habits { yes_man: true, ..Habits::default() },
        Habits { sets_back: true, ..Habits::default() },
    ] {
        let mut device = TestDevice::new();
        device.habits = habits;
        let mut tree = device.tree();
        let values = vec![value("Device.P.V0", "new"), value("Device.P.V1", "new")];
        let came = go(&wants(values, Vec::new()), &mut tree, &mut device);
        assert_eq!(came.methods, ["SPV", "GPV"]);
        let fault = came.fault();
        let last = fault.parameters.last().unwrap();
        assert_eq!(&*last.0, "Device.P.V1");
        assert!(last.2.starts_with("the device said yes and did no"), "{}", last.2);
    }
}

#[test]
fn a_secret_is_written_once_and_never_shown() {
    for (masks_secrets, clear_secrets) in [(false, false), (true, false), (false, true)] {
        let mut device = TestDevice::new();
        device.habits = Habits { masks_secrets, clear_secrets, ..Habits::default() };
        let first = device.row("Device.A.", "first");
        let mut tree = device.tree();
        let name = format!("{first}Password");
        let desired = wants(vec![value(&name, "hush")], Vec::new());
        let came = go(&desired, &mut tree, &mut device);
        assert_eq!((came.word(), &*came.methods), ("applied", &["SPV".into(), "GPV".into()][..]));
        assert_eq!(device.text(&name), "hush");
        assert_eq!(came.result(&name), Some("***"));
        let second = task(2, Action::Converge(Box::new(desired.clone())));
        let second = go_on(second, &mut tree, &mut device, came.written.clone());
        assert!(second.methods.is_empty(), "it was written before: {:?}", second.methods);
        let other = wants(vec![value(&name, "hush hush")], Vec::new());
        let assessment = assess(&other, &tree, &learned(), &memory(came.written));
        assert!(assessment.differences[0].secret && assessment.differences[0].found.is_none());
    }
}

#[test]
fn a_secret_that_is_told_in_clear_and_differs_is_written_again() {
    let mut device = TestDevice::new();
    device.habits.clear_secrets = true;
    let name = format!("{}Password", device.row("Device.A.", "first"));
    let mut tree = device.tree();
    let desired = wants(vec![value(&name, "hush")], Vec::new());
    let came = go(&desired, &mut tree, &mut device);
    device.cells.get_mut(&name).unwrap().value.text = "changed".into();
    let read = task(2, Action::Get(vec![path(&name)]));
    let read = go_on(read, &mut tree, &mut device, came.written);
    let again = task(3, Action::Converge(Box::new(desired)));
    let again = go_on(again, &mut tree, &mut device, read.written);
    assert_eq!((device.text(&name), again.word()), ("hush", "applied"));
    device.habits.yes_man = true;
    let other = wants(vec![value(&name, "other")], Vec::new());
    let other = task(4, Action::Converge(Box::new(other)));
    let other = go_on(other, &mut tree, &mut device, again.written);
    assert_eq!(other.word(), "failed", "it is seen that it did not take it");
    assert!(!format!("{:?}", other.fault()).contains("hush"), "and what it has is not told");
}

#[test]
fn what_is_unknown_is_read_and_nothing_else() {
    let mut device = TestDevice::new();
    let first = device.row("Device.A.", "first");
    let mut tree = Tree::new();
    let _ = tree.learn_value(&path("Device.P.V0"), Value::string("old"), NOW);
    let desired = wants(
        vec![value("Device.P.V0", "old"), value("Device.P.V1", "old"), value("Device.P.X", "x")],
        vec![table("Device.A.", OtherRows::Keep, vec![row("", &[("Key", "first")])])],
    );
    let assessment = assess(&desired, &tree, &learned(), &Written::default());
    let unknown: Vec<&str> = assessment.unknown.iter().map(|path| path.as_str()).collect();
    assert_eq!(unknown, ["Device.A.", "Device.P.V1", "Device.P.X"]);
    let came = go(&desired, &mut tree, &mut device);
    assert!(came.methods.iter().all(|method| method == "GPV"), "{:?}", came.methods);
    assert_eq!(&*came.fault().parameters[0].0, "Device.P.X");
    assert_eq!(tree.text(&format!("{first}Key")), Some("first"));
    assert!(tree.get("Device.B.").is_none() && tree.get("Device.P.V2").is_none());
}

#[test]
fn a_row_that_vanished_or_has_another_number_is_found_anew() {
    for moves in [false, true] {
        let mut device = TestDevice::new();
        let first = device.row("Device.A.", "first");
        let mut tree = device.tree();
        device.drop_row(&first);
        if moves {
            let _ = device.row("Device.A.", "first");
        }
        let rows = vec![row("", &[("Key", "first"), ("Name", "new")])];
        let desired = wants(Vec::new(), vec![table("Device.A.", OtherRows::Keep, rows)]);
        let came = go(&desired, &mut tree, &mut device);
        assert_eq!(came.word(), "applied", "{:?} {:?}", came.methods, came.task);
        assert_eq!(device.text("Device.A.2.Name"), "new");
        assert_eq!(device.rows("Device.A.").len(), 1);
        assert_eq!(came.methods.contains(&"AO".to_owned()), !moves);
    }
}

#[test]
fn later_is_accepted_and_not_applied() {
    let mut device = TestDevice::new();
    device.habits.later = true;
    let mut tree = device.tree();
    let desired = wants(vec![value("Device.P.V0", "new")], Vec::new());
    let came = go(&desired, &mut tree, &mut device);
    assert_eq!((came.word(), &*came.methods), ("accepted", &["SPV".to_owned()][..]));
}

#[test]
fn a_row_that_was_there_before_is_not_overwritten() {
    let mut device = TestDevice::new();
    device.habits.same_row = true;
    let first = device.row("Device.A.", "first");
    let mut tree = device.tree();
    let rows = vec![row("", &[("Key", "new"), ("Name", "new")])];
    let desired = wants(Vec::new(), vec![table("Device.A.", OtherRows::Keep, rows)]);
    let came = go(&desired, &mut tree, &mut device);
    assert_eq!((came.word(), device.text(&format!("{first}Key"))), ("failed", "first"));
}

#[test]
fn the_type_of_a_new_rows_value_is_taken_from_other_rows_or_read() {
    for others in [true, false] {
        let mut device = TestDevice::new();
        if others {
            let _ = device.row("Device.A.", "first");
        }
        let mut tree = device.tree();
        let rows = vec![row("", &[("Key", "new"), ("Count", "7"), ("Flag", "true")])];
        let desired = wants(Vec::new(), vec![table("Device.A.", OtherRows::Keep, rows)]);
        let came = go(&desired, &mut tree, &mut device);
        assert_eq!(came.word(), "applied", "{:?}", came.task);
        let expected: &[&str] = if others {
            &["AO", "SPV", "GPV"]
        } else {
            &["AO", "SPV", "SPV", "GPV", "GPV", "SPV", "GPV"]
        };
        assert_eq!(came.methods, expected);
    }
}

#[test]
fn the_more_special_word_counts() {
    let mut device = TestDevice::new();
    let rows = [device.row("Device.A.", "first"), device.row("Device.A.", "second")];
    let mut tree = device.tree();
    let desired = wants(
        vec![
            value("Device.A.*.Name", "all"),
            value(&format!("{}Name", rows[0]), "one"),
            value(&format!("{}Name", rows[0]), "other"),
            value("Device.A.*.Count", "3"),
        ],
        vec![table(
            "Device.A.",
            OtherRows::Keep,
            vec![row("", &[("Key", "second"), ("Count", "4")])],
        )],
    );
    let came = go(&desired, &mut tree, &mut device);
    assert_eq!((came.word(), &*came.methods), ("applied", &["SPV".into(), "GPV".into()][..]));
    assert_eq!(device.text(&format!("{}Name", rows[0])), "one");
    assert_eq!(device.text(&format!("{}Name", rows[1])), "all");
    assert_eq!(device.text(&format!("{}Count", rows[0])), "3");
    assert_eq!(device.text(&format!("{}Count", rows[1])), "4");
    assert!(assess(&desired, &tree, &learned(), &Written::default()).is_satisfied());
}

#[test]
fn a_device_that_calls_everything_read_only_is_asked_all_the_same() {
    let mut device = TestDevice::new();
    let mut tree = device.tree();
    let names: Vec<ParamPath> = tree.iter().map(|(path, _)| path.clone()).collect();
    for name in names {
        tree.learn_name(&name, false, NOW);
    }
    let desired = wants(vec![value("Device.P.V0", "new")], Vec::new());
    assert_eq!(go(&desired, &mut tree, &mut device).word(), "applied");
}
