//! Any state, any tree, any device: it ends, within the bound, and what it says of
//! itself is true.

use super::super::device::Habits;
use super::*;

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }

    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[usize::try_from(self.roll(texts.len() as u64)).unwrap()]
    }
}

/// A device with some rows, some of them twice unless each is to be there once.
fn some_device(dice: &mut Dice, once: bool) -> TestDevice {
    let mut device = TestDevice::new();
    for _ in 0..dice.roll(6) {
        let (table, key) =
            (dice.pick(&["Device.A.", "Device.B."]), dice.pick(&["k0", "k1", "k2", "k3"]));
        if once && has_key(&device, table, key) {
            continue;
        }
        let row = device.row(table, key);
        let inner = format!("{row}S.");
        for _ in 0..dice.roll(3) {
            let key = dice.pick(&["k0", "k1"]);
            if !once || !has_key(&device, &inner, key) {
                let _ = device.row(&inner, key);
            }
        }
        if dice.roll(2) == 0 {
            let name = dice.pick(&["new", "old"]);
            device.cells.get_mut(&format!("{row}Name")).unwrap().value.text = name.into();
        }
    }
    device
}

fn has_key(device: &TestDevice, table: &str, key: &str) -> bool {
    device.rows(table).iter().any(|row| device.text(&format!("{row}Key")) == key)
}

/// A wish of every kind now and then: also for what cannot be had.
fn some_state(dice: &mut Dice) -> Desired {
    let mut desired = Desired::default();
    for _ in 0..dice.roll(6) {
        let name = format!("Device.P.V{}", dice.roll(9));
        desired.values.push(value(&name, dice.pick(&["old", "new", "newer", "bad"])));
    }
    for _ in 0..dice.roll(3) {
        let name = format!(
            "{}*.{}",
            dice.pick(&["Device.A.", "Device.B.", "Device.C."]),
            dice.pick(&["Name", "None"])
        );
        desired.values.push(value(&name, dice.pick(&["old", "new"])));
    }
    if dice.roll(8) == 0 {
        desired.values.push(value("Device.A.[x].Name", "x"));
    }
    for _ in 0..dice.roll(3) {
        let name = format!("Device.P.V{}", dice.roll(9));
        desired.attributes.push(notify(&name, u8::try_from(dice.roll(4)).unwrap()));
    }
    let mut names = 0;
    for at in ["Device.A.", "Device.B.", "@r0.S.", "@r1.S."] {
        if dice.roll(3) == 0 {
            continue;
        }
        let mut rows = Vec::new();
        for number in 0..dice.roll(4) {
            let key = format!("k{}", if dice.roll(5) == 0 { dice.roll(3) } else { number });
            let key = if dice.roll(9) == 0 { format!("@r{}", dice.roll(4)) } else { key };
            let mut one = row(&format!("r{names}"), &[("Key", &key)]);
            names += 1;
            for (leaf, texts) in [
                ("Name", &["new", "old", "bad"][..]),
                ("Flag", &["true", "0"]),
                ("Count", &["7", "-1"]),
                ("Ref", &["@r0", "@r1", "@r2"]),
                ("Password", &["hush"]),
                ("None", &["x"]),
            ] {
                if dice.roll(if leaf == "None" { 9 } else { 3 }) == 0 {
                    one.values.extend(row("", &[(leaf, dice.pick(texts))]).values);
                }
            }
            rows.push(one);
        }
        let others = if dice.roll(3) == 0 { OtherRows::Remove } else { OtherRows::Keep };
        desired.tables.push(table(at, others, rows));
        if dice.roll(3) == 0 {
            let key = dice.pick(&["k0", "k1", "k7", "@r0"]);
            desired.tables.push(table(at, OtherRows::Alone, vec![row("", &[("Key", key)])]));
        }
    }
    desired
}

/// What is known of it: everything, some values, or nothing.
fn some_truth(device: &TestDevice, dice: &mut Dice) -> (Tree, bool) {
    let whole = device.tree();
    match dice.roll(3) {
        0 => (whole, true),
        1 => {
            let mut part = Tree::new();
            for (path, param) in whole.iter() {
                if let Some(value) = param.value.clone().filter(|_| dice.roll(3) == 0) {
                    let _ = part.learn_value(path, value, NOW);
                }
            }
            (part, false)
        }
        _ => (Tree::new(), false),
    }
}

/// What was known of it once, or never was so.
fn some_error(device: &mut TestDevice, dice: &mut Dice) -> Tree {
    let mut tree = device.tree();
    for row in ["Device.A.", "Device.B."].map(|table| device.rows(table)).concat() {
        match dice.roll(5) {
            0 => device.drop_row(&row),
            1 => device.cells.get_mut(&format!("{row}Key")).unwrap().value.text = "k9".into(),
            2 => {
                let _ = tree.learn_value(&path(&format!("{row}Key")), Value::string("k2"), NOW);
            }
            _ => {}
        }
    }
    for _ in 0..dice.roll(3) {
        let (table, key) = (dice.pick(&["Device.A.", "Device.B."]), dice.pick(&["k0", "k1", "k2"]));
        let _ = device.row(table, key);
    }
    if dice.roll(3) == 0 {
        for table in ["Device.A.", "Device.B."] {
            tree.remove(&path(&format!("{table}{}.", 1 + dice.roll(3))));
            let ghost = format!("{table}{}.", 20 + dice.roll(3));
            tree.learn_name(&path(&ghost), true, NOW);
            let _ = tree.learn_value(&path(&format!("{ghost}Key")), Value::string("k1"), NOW);
        }
    }
    tree
}

fn some_habits(dice: &mut Dice) -> Habits {
    let mut one_in = |sides| dice.roll(sides) == 0;
    let mut habits = Habits {
        yes_man: one_in(8),
        sets_back: one_in(8),
        row_zero: one_in(10),
        same_row: one_in(10),
        twins: one_in(10),
        forgets_rows: one_in(10),
        keeps_deleted: one_in(8),
        names_no_parameter: one_in(3),
        says_read_only: one_in(6),
        omits_unknown: one_in(4),
        trailing_blanks: one_in(6),
        masks_secrets: one_in(6),
        clear_secrets: one_in(6),
        no_names: one_in(8),
        no_partial_paths: one_in(6),
        wants_words: one_in(6),
        dotless: one_in(6),
        later: one_in(10),
        grows: one_in(8),
        ..Habits::default()
    };
    if one_in(3) {
        habits.reads_at_most = Some(1 + usize::try_from(dice.roll(5)).unwrap());
        habits.writes_at_most = Some(1 + usize::try_from(dice.roll(3)).unwrap());
    }
    if dice.roll(6) == 0 {
        habits.faults_each = Some(1 + usize::try_from(dice.roll(7)).unwrap());
    }
    habits
}

/// The bound that the converge job promises.
fn bound(desired: &Desired, device: &TestDevice, tree: &Tree) -> usize {
    32 + 32 * size(desired) + 16 * (device.size() + tree.len())
}

/// Whether the device has no such parameter or table: that cannot stand in a tree.
fn is_absent(path: &ParamPath, device: &TestDevice) -> bool {
    path.as_str().ends_with(".None") || device.tree().get(path.as_str()).is_none()
}

fn learned() -> Learned {
    Learned::assumed(64, 64)
}

/// Whether rows of a table in a row are to go by their keys and all others as well:
/// then the announcement may be one GetParameterNames short.
fn empties_twice(desired: &Desired) -> bool {
    let all = |others: OtherRows| desired.tables.iter().filter(move |table| table.others == others);
    all(OtherRows::Alone).any(|table| {
        table.table.starts_with('@')
            && all(OtherRows::Remove).any(|other| other.table == table.table)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// An honest device of which nothing false is known has it all in the end, or
    /// what it does not have is told; the second run sends nothing.
    #[test]
    fn a_state_is_reached_or_what_is_missing_is_told(seed: u64) {
        let mut dice = Dice(seed);
        let mut device = some_device(&mut dice, true);
        let desired = some_state(&mut dice);
        let (mut tree, whole) = some_truth(&device, &mut dice);
        let before = assess(&desired, &tree, &learned(), &memory(BTreeMap::new()));
        let bound = bound(&desired, &device, &tree);
        let came = go(&desired, &mut tree, &mut device);
        prop_assert!(came.methods.len() <= bound, "{} of {bound}", came.methods.len());
        let word = came.word();
        prop_assert!(matches!(word, "applied" | "failed"), "{:?}", came.task);
        let known = memory(came.written.clone());
        let (told, truth) = (
            assess(&desired, &tree, &learned(), &known),
            assess(&desired, &device.tree(), &learned(), &known),
        );
        if word == "applied" {
            prop_assert!(truth.is_satisfied() && truth.impossible.is_empty(), "{truth:?}");
            // What a row does not have of a wildcard's parameters cannot stand in
            // the tree.
            let absent = |path: &ParamPath| is_absent(path, &device);
            prop_assert!(told.differences.is_empty() && told.impossible.is_empty(), "{told:?}");
            prop_assert!(told.unknown.iter().all(absent), "{told:?}");
            let again = task(2, Action::Converge(Box::new(desired.clone())));
            let again = go_on(again, &mut tree, &mut device, came.written.clone());
            prop_assert!(again.methods.is_empty() || !told.unknown.is_empty(), "{:?}", again.methods);
            // The type of a new row's value may have to be found out.
            let rows = desired.tables.iter().flat_map(|table| &table.rows);
            let typed = rows.flat_map(|row| &row.values);
            let typed = typed.into_iter().any(|(leaf, _)| matches!(&**leaf, "Flag" | "Count"));
            if whole && !typed && !empties_twice(&desired) {
                let mut sent = came.methods.clone();
                sent.sort();
                prop_assert_eq!(announced(&before), sent, "{:?}", before);
            }
        } else {
            let fault = came.fault();
            prop_assert!(!fault.parameters.is_empty() && fault.parameters.iter().all(|one| !one.2.is_empty()));
            for difference in &truth.differences {
                let is_told = fault.parameters.iter().any(|(path, ..)| *path == difference.path);
                prop_assert!(is_told, "{difference:?} is missing, and nobody says so: {fault:?}");
            }
        }
    }

    /// What is known may be old or wrong: it ends all the same, and no row that
    /// is wanted is there twice because of it.
    #[test]
    fn from_a_tree_that_is_old_or_wrong_it_ends(seed: u64) {
        let mut dice = Dice(seed);
        let mut device = some_device(&mut dice, false);
        let desired = some_state(&mut dice);
        let mut tree = some_error(&mut device, &mut dice);
        let bound = bound(&desired, &device, &tree);
        let came = go(&desired, &mut tree, &mut device);
        prop_assert!(came.methods.len() <= bound, "{} of {bound}", came.methods.len());
        prop_assert!(matches!(came.word(), "applied" | "failed"), "{:?}", came.task);
        if came.word() == "applied" {
            let told = assess(&desired, &tree, &learned(), &memory(came.written));
            let has_twins = came.task.notes.iter().any(|note| note.contains("has the same keys"));
            prop_assert!(has_twins || told.differences.is_empty(), "{told:?} {:?}", came.task);
            prop_assert!(told.impossible.is_empty(), "{told:?}");
            let absent = |path: &ParamPath| is_absent(path, &device);
            prop_assert!(told.unknown.iter().all(absent), "{told:?}");
        }
    }

    /// Whatever the device says, it ends within the bound, and says so when it did
    /// not come about.
    #[test]
    fn against_a_device_that_lies_it_ends(seed: u64) {
        let mut dice = Dice(seed);
        let mut device = some_device(&mut dice, false);
        let desired = some_state(&mut dice);
        let mut tree = match dice.roll(2) {
            0 => some_error(&mut device, &mut dice),
            _ => some_truth(&device, &mut dice).0,
        };
        device.habits = some_habits(&mut dice);
        let before = bound(&desired, &device, &tree);
        let came = go(&desired, &mut tree, &mut device);
        let bound = before.max(bound(&desired, &device, &tree));
        prop_assert!(came.methods.len() <= bound, "{} of {bound}: {:?}", came.methods.len(), device.habits);
        prop_assert!(came.task.state.is_ended(), "{:?}", came.task);
        prop_assert!(came.word() != "unknown", "{:?}", came.task);
        let rows = desired.tables.iter().map(|table| table.rows.len()).sum::<usize>();
        prop_assert!(device.added.len() <= 2 * rows, "{} rows for {rows}", device.added.len());
    }
}
