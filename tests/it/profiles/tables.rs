//! Rows of tables: the same keys are the same row, whoever wants it.

use provost::device::{Desired, OtherRows, Wanted};
use provost::profile::{ProfileSet, Resolved};

use super::sample::{Sample, record};

fn resolve(profiles: &[(&str, &str)]) -> Resolved {
    let records: Vec<_> = profiles
        .iter()
        .map(|(name, text)| record(name, &format!("name = \"{name}\"\n{text}")))
        .collect();
    let (set, errors) = ProfileSet::compile(&records);
    assert_eq!(errors, []);
    set.resolve(&Sample::new().subject())
}

fn shown(desired: &Desired) -> Vec<String> {
    let mut lines = Vec::new();
    for table in &desired.tables {
        for row in &table.rows {
            let values = row.values.iter().map(|(name, value)| match value {
                Wanted::Value(value) => format!("{name}={}", value.text),
                Wanted::Row(row) => format!("{name}=@{row}"),
            });
            lines.push(format!(
                "{}{}: {}",
                table.table,
                row.name,
                values.collect::<Vec<_>>().join(" ")
            ));
        }
    }
    lines
}

const WEAK: &str = "layer = \"global\"\n[[tables]]\ntable = \"Device.T.\"\nkeys = [\"P\", \"Q\"]\nothers = \"remove\"\nrows = [{ name = \"web\", values = { P = 80, Q = \"TCP\", C = \"a\", D = 1 } }, { values = { P = 22, Q = \"TCP\" } }]";

#[test]
fn a_stronger_profile_changes_values_of_a_row_and_adds_rows() {
    let strong = "[[tables]]\ntable = \"Device.T.\"\nkeys = [\"Q\", \"P\"]\nrows = [{ values = { P = \"{{ 80 }}\", Q = \"TCP\", C = \"b\" } }, { values = { P = 80, Q = \"UDP\" } }]";
    let resolved = resolve(&[("weak", WEAK), ("strong", strong)]);
    assert_eq!(resolved.problems, []);
    assert_eq!(
        shown(&resolved.desired),
        ["Device.T.web: C=b D=1 P=80 Q=TCP", "Device.T.: P=22 Q=TCP", "Device.T.: P=80 Q=UDP",]
    );
    let table = &resolved.desired.tables[0];
    assert_eq!(table.others, OtherRows::Remove, "who says nothing of others overrides nothing");
    assert_eq!(&*resolved.desired.source(table.source).unwrap().name, "strong");
}

#[test]
fn a_row_that_is_to_be_gone_goes_and_the_stronger_says_whether() {
    let gone = "[[tables]]\ntable = \"Device.T.\"\nkeys = [\"Q\", \"P\"]\nrows = [{ absent = true, values = { P = \"{{ 80 }}\", Q = \"TCP\" } }, { absent = true, values = { P = 1, Q = \"TCP\" } }]";
    let keep = WEAK.replace("others = \"remove\"\n", "");
    let resolved = resolve(&[("weak", &keep), ("strong", gone)]);
    assert_eq!(resolved.problems, []);
    assert_eq!(
        shown(&resolved.desired),
        ["Device.T.: P=22 Q=TCP", "Device.T.: P=80 Q=TCP", "Device.T.: P=1 Q=TCP"]
    );
    let [wanted, leaving] = &resolved.desired.tables[..] else {
        panic!("{:?}", resolved.desired.tables)
    };
    assert_eq!((wanted.others, wanted.rows.len()), (OtherRows::Keep, 1));
    assert_eq!((leaving.others, leaving.rows.len()), (OtherRows::Alone, 2));
    assert_eq!(&*resolved.desired.source(leaving.source).unwrap().name, "strong");

    // The other way round the row is there, and nothing else goes.
    let strong = "[[tables]]\ntable = \"Device.T.\"\nkeys = [\"P\", \"Q\"]\nrows = [{ values = { P = 80, Q = \"TCP\", D = 2 } }]";
    let resolved = resolve(&[("a", gone), ("b", &format!("priority = 1\n{strong}"))]);
    assert_eq!(shown(&resolved.desired), ["Device.T.: D=2 P=80 Q=TCP", "Device.T.: P=1 Q=TCP"]);
    // Nobody else speaks of the table: no row of it is wanted.
    let resolved = resolve(&[("a", gone)]);
    assert_eq!(resolved.desired.tables.len(), 1);
    assert_eq!(resolved.desired.tables[0].others, OtherRows::Alone);
}

#[test]
fn explain_tells_of_a_row_that_is_to_be_gone() {
    let gone = "name = \"gone\"\n[[tables]]\ntable = \"Device.T.\"\nkeys = [\"P\", \"Q\"]\nrows = [{ absent = true, values = { P = 22, Q = \"TCP\" } }]";
    let weak = format!("name = \"weak\"\n{WEAK}");
    let (set, errors) = ProfileSet::compile(&[record("weak", &weak), record("gone", gone)]);
    assert_eq!(errors, []);
    let said = set.explain(&Sample::new().subject());
    let of = |path: &str| {
        let one = said.iter().find(|said| &*said.path == path);
        one.map(|said| (said.value.to_string(), said.overridden))
    };
    assert_eq!(of("Device.T.[P=22,Q=TCP]."), Some(("absent".to_owned(), false)));
    assert_eq!(of("Device.T.[P=22,Q=TCP].P"), Some(("22".to_owned(), true)));
    assert_eq!(of("Device.T.[P=80,Q=TCP].D"), Some(("1".to_owned(), false)));
}

#[test]
fn other_keys_of_a_stronger_profile_take_the_table_over_and_that_is_told() {
    let strong = "[[tables]]\ntable = \"Device.T.\"\nkeys = [\"Name\"]\nrows = [{ values = { Name = \"a\" } }]";
    let resolved = resolve(&[("weak", WEAK), ("strong", strong)]);
    assert_eq!(shown(&resolved.desired), ["Device.T.: Name=a"]);
    assert_eq!(resolved.problems.len(), 1);
    assert!(
        resolved.problems[0]
            .to_string()
            .starts_with("profile weak: Device.T.: rows are told apart by P, Q")
    );
}

#[test]
fn rows_refer_to_each_other_across_profiles() {
    let strong = "[parameters]\n\"Device.R\" = { row = \"web\" }\n\"Device.S\" = { row = \"none\" }\n[[tables]]\ntable = \"@web.F.\"\nkeys = [\"N\"]\nrows = [{ values = { N = 1, Up = { row = \"web\" }, Down = { row = \"none\" } } }]\n[[tables]]\ntable = \"@none.F.\"\nkeys = [\"N\"]\nrows = [{ values = { N = 1 } }]";
    let resolved = resolve(&[("weak", WEAK), ("strong", strong)]);
    assert_eq!(shown(&resolved.desired)[0], "@web.F.: N=1 Up=@web");
    assert_eq!(resolved.desired.values.len(), 1);
    let told: Vec<String> = resolved.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "profile strong: Device.S: no row has the name none",
            "profile strong: @web.F.Down: no row has the name none",
        ]
    );
}

#[test]
fn a_row_whose_key_cannot_be_made_is_not_wanted_and_one_value_less_is() {
    let text = "[[tables]]\ntable = \"Device.T.\"\nkeys = [\"K\"]\nrows = [{ values = { K = \"{{ subscriber.plan }}\" } }, { values = { K = 1, V = \"{{ subscriber.plan }}\", W = 2 } }]";
    let resolved = resolve(&[("a", text)]);
    assert_eq!(shown(&resolved.desired), ["Device.T.: K=1 W=2"]);
    let told: Vec<String> = resolved.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "profile a: Device.T.: K: subscriber.plan is not known of this device",
            "profile a: Device.T.V: subscriber.plan is not known of this device",
        ]
    );
}

#[test]
fn a_name_stands_for_one_row() {
    let weak = "layer = \"global\"\n[[tables]]\ntable = \"Device.A.\"\nkeys = [\"K\"]\nrows = [{ name = \"x\", values = { K = 1 } }]";
    let strong = "[[tables]]\ntable = \"Device.B.\"\nkeys = [\"K\"]\nrows = [{ name = \"x\", values = { K = 1 } }]";
    let resolved = resolve(&[("weak", weak), ("strong", strong)]);
    assert_eq!(shown(&resolved.desired), ["Device.A.: K=1", "Device.B.x: K=1"]);
    assert_eq!(resolved.problems.len(), 1);
    assert_eq!(&*resolved.problems[0].profile, "weak");
    let resolved = resolve(&[
        ("weak", strong),
        ("strong", &weak.replace("layer = \"global\"", "priority = 1")),
    ]);
    assert_eq!(shown(&resolved.desired), ["Device.A.x: K=1", "Device.B.: K=1"]);
}

#[test]
fn intents_are_values_of_their_profile_and_what_is_said_by_path_goes_before_them() {
    let mut sample = Sample::new();
    let now = provost::time::Timestamp::from_millis(1);
    for name in ["Device.Time.Enable", "Device.Time.NTPServer1", "Device.Time.NTPServer2"] {
        let path = provost::param::ParamPath::parse(name).unwrap();
        sample.tree.learn_name(&path, true, now);
        sample.tree.learn_value(&path, provost::param::Value::string(""), now);
    }
    let text = "name = \"a\"\n[[intents]]\nintent = \"time\"\nservers = [\"ntp.{{ tenant }}.example\", \"b.example\"]\n[parameters]\n\"Device.Time.NTPServer2\" = \"c.example\"";
    let (set, errors) = ProfileSet::compile(&[record("a", text)]);
    assert_eq!(errors, []);
    assert!(set.asks().tree);
    let resolved = set.resolve(&sample.subject());
    assert_eq!(resolved.problems, []);
    let text_of = |path: &str| {
        let value = resolved.desired.values.iter().find(|value| value.path.as_str() == path);
        match &value?.value {
            Wanted::Value(value) => Some(value.text.to_string()),
            Wanted::Row(_) => None,
        }
    };
    assert_eq!(text_of("Device.Time.NTPServer1").as_deref(), Some("ntp.north.example"));
    assert_eq!(text_of("Device.Time.NTPServer2").as_deref(), Some("c.example"));

    let wrong = "name = \"a\"\n[[intents]]\nintent = \"tyme\"\nservers = \"x\"";
    assert!(
        provost::profile::Profile::parse(wrong).unwrap_err().problem.contains("line 2: intents: ")
    );
}
