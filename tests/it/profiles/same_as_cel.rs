//! Rules are run by this house's own machine, which counts what they cost; they
//! mean what they mean to the crate `cel`.

use std::collections::HashMap;
use std::sync::Arc;

use cel::{Context, Program, Value};
use proptest::prelude::*;
use provost::expr::Rule;
use provost::param::ValueType;

use super::sample::Sample;

const FIELDS: &[&str] =
    &["product_class", "serial", "oui", "software_version", "address", "sessions", "last_inform"];

/// What the crate makes of a rule; `None` if it is no answer.
fn by_cel(rule: &str, sample: &Sample) -> Option<bool> {
    // The crate has a function `value` of its own, for optional values.
    let program = Program::compile(&rule.replace("value(", "parameter(")).ok()?;
    let mut context = Context::default();
    let (device, labels) = (&sample.device, &sample.labels);
    let fields = FIELDS.iter().map(|name| {
        let value: Value = match *name {
            "product_class" => (*device.identity.product_class).into(),
            "serial" => (*device.identity.serial_number).into(),
            "oui" => (*device.identity.oui).into(),
            "software_version" => (*device.software_version).into(),
            "address" => device.address.unwrap().to_canonical().to_string().into(),
            "sessions" => 7_i64.into(),
            _ => device.last_inform.as_secs().into(),
        };
        ((*name).to_owned(), value)
    });
    let texts = |text: &str| Value::from(text);
    context.add_variable_from_value("device", fields.collect::<HashMap<String, Value>>());
    let tags: Vec<Value> = labels.tags.iter().map(|tag| texts(tag)).collect();
    context.add_variable_from_value("tags", tags);
    context.add_variable_from_value("tenant", texts(&labels.tenant));
    context.add_variable_from_value("site", texts(&labels.site));
    let subscriber = labels.subscriber.iter().map(|(name, text)| (name.to_string(), texts(text)));
    context.add_variable_from_value("subscriber", subscriber.collect::<HashMap<String, Value>>());
    context.add_variable_from_value("now", 100_000_i64);
    let tree = sample.tree.clone();
    let value = move |path: Arc<String>| -> Value {
        let Some(value) = tree.value(&path) else { return Value::Null };
        match value.kind {
            ValueType::Boolean => value.as_bool().unwrap().into(),
            ValueType::UnsignedInt => value.text.parse::<i64>().unwrap().into(),
            _ => Value::from(&*value.text),
        }
    };
    context.add_function("parameter", value).unwrap();
    match program.execute(&context) {
        Ok(Value::Bool(truth)) => Some(truth),
        _ => None,
    }
}

fn by_us(rule: &str, sample: &Sample) -> Option<bool> {
    Rule::parse(rule).ok()?.matches(&sample.subject()).ok()
}

fn leaf() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "0",
        "1",
        "-3",
        "7",
        "2",
        "9223372036854775807",
        "1.5",
        "0.0",
        "7.0",
        "-2.5",
        "\"gold\"",
        "\"HG100\"",
        "\"\"",
        "\"g\"",
        "\"7\"",
        "\"true\"",
        "true",
        "false",
        "null",
        "tags",
        "tenant",
        "site",
        "now",
        "subscriber.vlan",
        "subscriber[\"vlan\"]",
        "has(subscriber.vlan)",
        "has(subscriber.plan)",
        "(\"vlan\" in subscriber)",
        "size(subscriber)",
        "value(\"Device.WiFi.Radio.1.Channel\")",
        "value(\"Device.WiFi.Radio.1.Enable\")",
        "value(\"Device.DeviceInfo.ModelName\")",
        "value(\"Device.Not.Known\")",
        "[]",
        "[1, 2, 1]",
        "[\"gold\", \"x\"]",
        "[true, null, 1.0]",
        "[[1], [2]]",
    ])
    .prop_map(str::to_owned);
    let field = prop::sample::select(FIELDS.to_vec()).prop_map(|field| format!("device.{field}"));
    prop_oneof![3 => fixed, 1 => field]
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(5, 40, 3, |inner| {
        let operators = vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in", "&&", "||", "==",
        ];
        let walks = vec!["all", "exists", "exists_one", "filter", "map"];
        let bodies = vec!["t", "t == 1", "t > 1", "t.startsWith(\"g\")", "size(t) > 1", "t in tags", "t == \"gold\""];
        let functions = vec!["size", "int", "string", "double", "bool"];
        let members = vec!["contains", "startsWith", "endsWith"];
        prop_oneof![
            6 => (inner.clone(), prop::sample::select(operators), inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            1 => inner.clone().prop_map(|a| format!("!{a}")),
            1 => inner.clone().prop_map(|a| format!("-({a})")),
            2 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            1 => (prop::sample::select(functions), inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            1 => (inner.clone(), prop::sample::select(members), inner.clone())
                .prop_map(|(a, f, b)| format!("({a}).{f}({b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => inner.clone().prop_map(|a| format!("({a}).size()")),
            2 => (inner.clone(), prop::sample::select(walks.clone()), prop::sample::select(bodies))
                .prop_map(|(a, walk, body)| format!("({a}).{walk}(t, {body})")),
            1 => (inner.clone(), prop::sample::select(walks), inner.clone())
                .prop_map(|(a, walk, body)| format!("({a}).{walk}(u, {body})")),
            1 => (inner.clone(), inner).prop_map(|(a, body)| format!("({a}).map(v, {body}, v)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn rules_mean_what_they_mean_to_cel(rule in expression()) {
        let sample = Sample::new();
        // A rule that is too deep is refused here and not there.
        if Rule::parse(&rule).is_err_and(|error| error.0.contains("levels deep")) {
            return Ok(());
        }
        prop_assert_eq!(by_us(&rule, &sample), by_cel(&rule, &sample), "{}", rule);
    }
}

#[test]
fn the_corners_of_cel_are_kept() {
    let sample = Sample::new();
    for rule in [
        "1 == 1.0",
        "[1] == [1.0]",
        "1 in [1.0]",
        "null == null",
        "null < 1",
        "\"a\" < \"b\"",
        "false < true",
        "0.0 / 0.0 == 0.0 / 0.0",
        "1 / 0 == 1 || true",
        "true || 1 / 0 == 1",
        "1 / 0 == 1 && false",
        "1 && false",
        "false || 1",
        "[1, 0].all(x, 1 / x > 5)",
        "[0, 1].exists(x, 1 / x == 1)",
        "[0, 2].exists(x, 1 / x == 1)",
        "[1, 2].exists_one(x, x > 1)",
        "[0].exists_one(x, 1 / x == 1)",
        "[1, 2, 3].filter(x, x > 1).map(y, y * 2) == [4, 6]",
        "[1, 2].map(x, x > 1, x) == [2]",
        "[[1, 2], [3]].all(x, x.exists(y, y > 1))",
        "-9223372036854775807 - 2 < 0",
        "-7 / 2 == -3",
        "-7 % 2 == -1",
        "5.0 % 2.0 == 1.0",
        "\"äö\".size() == 2",
        "string(1.0) == \"1\"",
        "string(1e300) == \"1\"",
        "int(-1.9) == -1",
        "int(1e30) == 1",
        "int(\" 7\") == 7",
        "double(\"1e3\") == 1000.0",
        "double(\"inf\") > 1.0",
        "bool(\"yes\")",
        "bool(\"T\")",
        "[1, 2][1.0] == 2",
        "[1, 2][1.5] == 2",
        "[1, 2][-1] == 2",
        "!!true",
        "--1 == 1",
        "true ? false : 1 / 0 == 1",
        "\"a\" + 1 == \"a1\"",
        "[1] + [\"a\"] == [1, \"a\"]",
        "tags == [\"gold\", \"pilot\"]",
        "tags + [] == tags",
        "r\"\\d\" == \"\\\\d\"",
        "'''a\"b''' == \"a\\\"b\"",
        "0x10 == 16",
    ] {
        assert_eq!(by_us(rule, &sample), by_cel(rule, &sample), "{rule}");
    }
}
