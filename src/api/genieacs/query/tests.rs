//! Queries as clients send them, read, held against documents and translated.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::genieacs::node::Node;
use crate::find::{Field, Filter};

/// A device as a document.
fn document() -> Node {
    let text = Node::text;
    let time = |text: &str| Node::Time(moment(text).unwrap());
    let leaf = |value: Node, kind: &str| {
        Node::object([
            ("_object", Node::Boolean(false)),
            ("_value", value),
            ("_type", Node::text(kind)),
            ("_timestamp", time("2026-11-20T20:05:00Z")),
        ])
    };
    Node::object([
        ("_id", text("0A1B2C-AP.1-S1")),
        ("_deviceId", Node::object([("_OUI", text("0A1B2C")), ("_SerialNumber", text("S1"))])),
        ("_lastInform", time("2026-11-20T20:05:00.500Z")),
        ("_registered", time("2026-01-01")),
        ("_tags", Node::List(vec![text("gold"), text("pilot-7")])),
        (
            "Device",
            Node::object([
                ("A", leaf(Node::whole(42), "xsd:unsignedInt")),
                ("B", leaf(text("42"), "xsd:string")),
                ("C", leaf(Node::Boolean(true), "xsd:boolean")),
                ("D", leaf(text("3.2.1-b77"), "xsd:string")),
                ("E", leaf(time("2026-11-20T20:05:00Z"), "xsd:dateTime")),
                (
                    "F",
                    Node::object([
                        ("_object", Node::Boolean(false)),
                        ("_writable", Node::Boolean(true)),
                    ]),
                ),
            ]),
        ),
    ])
}

#[test]
fn queries_find_what_the_original_finds() {
    let found = |query: &str| {
        fits(
            &read(query, Collection::Devices).unwrap_or_else(|e| panic!("{query}: {e}")),
            &document(),
        )
    };
    for query in [
        r"{}",
        r#"{"_id":"0A1B2C-AP.1-S1"}"#,
        // As other programs escape it.
        r#"{"_id":"0A1B2C-AP%2E1-S1"}"#,
        r#"{"_id":{"$in":["x","0A1B2C-AP.1-S1"]}}"#,
        r#"{"_id":"0A1B2C*"}"#,
        r#"{"_id":{"$regex":"^0a1b2c","$options":"i"}}"#,
        r#"{"_id":"/ap\\.1/i"}"#,
        r#"{"_deviceId._SerialNumber":"S1"}"#,
        r#"{"_deviceId._OUI":{"$ne":"000000"}}"#,
        r#"{"_lastInform":{"$gt":"2026-11-20T20:05:00.000Z","$lt":"2026-11-20T20:05:01Z"}}"#,
        r#"{"_lastInform":"2026-11-20T20:05:00.500Z"}"#,
        r#"{"_lastInform":{"$lte":"2026-11-21"}}"#,
        r#"{"_registered":{"$lt":"2026-06-01"}}"#,
        r#"{"_lastBoot":{"$exists":false}}"#,
        r#"{"_lastBoot":null}"#,
        r#"{"_tags":"gold"}"#,
        r#"{"_tags":"pilot-*"}"#,
        r#"{"_tags":{"$ne":"silver"}}"#,
        r#"{"_tags":{"$nin":["silver"]}}"#,
        r#"{"_tags":{"$all":["gold","pilot-7"]}}"#,
        r#"{"_tags":{"$size":2}}"#,
        r#"{"_tags":{"$exists":true}}"#,
        r#"{"Device.A":42}"#,
        r#"{"Device.A":"42"}"#,
        r#"{"Device.A._value":42.0}"#,
        r#"{"Device.A":{"$gte":42,"$lt":43}}"#,
        r#"{"Device.A":{"$gt":"41"}}"#,
        r#"{"Device.B":"42"}"#,
        r#"{"Device.C":true}"#,
        r#"{"Device.D":"3.2*"}"#,
        r#"{"Device.D":{"$not":{"$regex":"^9"}}}"#,
        r#"{"Device.D":{"$not":"9*"}}"#,
        r#"{"Device.E":{"$gt":"2026-11-20"}}"#,
        r#"{"Device.F":{"$exists":false}}"#,
        r#"{"Device.F._writable":true}"#,
        r#"{"Device.A._timestamp":{"$gt":"2026-11-20"}}"#,
        r#"{"Device.X":{"$ne":"5"}}"#,
        r#"{"$or":[{"_id":"x"},{"$and":[{"Device.A":42},{"_tags":"gold"}]}]}"#,
        r#"{"$nor":[{"_id":"x"},{"Device.A":7}]}"#,
        r#"{"$comment":"anything","_id":{"$eq":"0A1B2C-AP.1-S1"}}"#,
    ] {
        assert!(found(query), "{query}");
    }
    for query in [
        r#"{"_id":"0A1B2C-AP.1"}"#,
        r#"{"_id":{"$regex":"^0a1b2c"}}"#,
        r#"{"_lastInform":{"$gt":"2026-11-21"}}"#,
        r#"{"_lastInform":{"$gt":5}}"#,
        r#"{"_tags":{"$ne":"gold"}}"#,
        r#"{"_tags":["gold"]}"#,
        r#"{"Device.A":43}"#,
        // A number is no text, nor is a text a number, unless it is written as one.
        r#"{"Device.B":42}"#,
        r#"{"Device.D":{"$gt":5}}"#,
        r#"{"Device.F":{"$exists":true}}"#,
        r#"{"Device":{"$exists":true}}"#,
        r#"{"Device.C":1}"#,
        r#"{"Device.X":"5"}"#,
        r#"{"_tags":{"$size":1}}"#,
        r#"{"_tags":{"$all":[]}}"#,
        r#"{"$nor":[{"Device.A":42}]}"#,
    ] {
        assert!(!found(query), "{query}");
    }
}

#[test]
fn e3_what_runs_code_or_grows_without_bound_is_refused() {
    let deep = format!("{}{{}}{}", r#"{"$and":["#.repeat(20), "]}".repeat(20));
    let long = format!(r#"{{"_id":"{}"}}"#, "x".repeat(70_000));
    let pattern = format!(r#"{{"_id":{{"$regex":"{}"}}}}"#, "x".repeat(2000));
    let huge = r#"{"_id":{"$regex":"((a{1000}){1000}){1000}"}}"#.to_owned();
    let many = format!(r#"{{"_id":{{"$in":[{}"a*"]}}}}"#, r#""a*","#.repeat(100));
    for query in [
        r#"{"$where":"sleep(1000)"}"#,
        r#"{"a":{"$where":"1"}}"#,
        r#"{"$expr":{"$function":{"body":"1"}}}"#,
        r#"{"$function":{}}"#,
        r#"{"a":{"$elemMatch":{}}}"#,
        r#"{"$and":1}"#,
        r#"{"$and":[]}"#,
        r#"{"$or":[5]}"#,
        r#"{"a":{"$in":5}}"#,
        r#"{"a":{"$regex":5}}"#,
        r#"{"a":{"$regex":"("}}"#,
        r#"{"a":{"$regex":"(?=x)"}}"#,
        r#"{"a":{"$regex":"x","$options":"q"}}"#,
        r#"{"a":{"$options":"i"}}"#,
        r#"{"a":{"$not":5}}"#,
        r#"{"a":{"$size":-1}}"#,
        r#"{"":1}"#,
        "[]",
        "5",
        &deep,
        &long,
        &pattern,
        &huge,
        &many,
    ] {
        let told = read(query, Collection::Devices);
        let shown: String = query.chars().take(60).collect();
        assert!(matches!(told, Err(QueryError::Refused(_))), "{shown}: {told:?}");
    }
    for query in ["", "{bad", "{\"a\":", &"[".repeat(5000)] {
        assert!(matches!(read(query, Collection::Devices), Err(QueryError::Syntax(_))));
    }
}

#[test]
fn a_pattern_that_is_slow_elsewhere_is_not_here() {
    let query = r#"{"Device.D":{"$regex":"^(a+)+$"}}"#;
    let condition = read(query, Collection::Devices).unwrap();
    let value = format!("{}b", "a".repeat(100_000));
    let leaf = Node::object([("_value", Node::text(value))]);
    let document = Node::object([("Device", Node::object([("D", leaf)]))]);
    assert!(!fits(&condition, &document));
}

#[test]
fn tasks_and_plain_documents_are_asked_as_they_stand() {
    let task = Node::object([
        ("_id", Node::text("0123")),
        ("timestamp", Node::Time(moment("2026-11-20T20:05:00Z").unwrap())),
        ("retries", Node::whole(3)),
        ("name", Node::text("reboot")),
    ]);
    let found = |query, about| fits(&read(query, about).unwrap(), &task);
    assert!(found(r#"{"timestamp":{"$lt":"2026-11-21"},"retries":"3"}"#, Collection::Work));
    assert!(found(r#"{"_id":"0123","name":{"$in":["reboot"]}}"#, Collection::Work));
    assert!(!found(r#"{"name":"re*"}"#, Collection::Work));
    assert!(!found(r#"{"retries":"3"}"#, Collection::Plain));
}

#[test]
fn conditions_become_filters() {
    let told = |query: &str| {
        let (filter, exact) = filter(&read(query, Collection::Devices).unwrap());
        (format!("{filter:?}"), exact)
    };
    for (query, part, exact) in [
        (r"{}", "All", true),
        (r#"{"_id":"a-b"}"#, "Is(Id, Equals(Text(\"a-b\")))", true),
        (r#"{"_deviceId._SerialNumber":"S1"}"#, "Is(SerialNumber, Equals", true),
        (r#"{"_deviceId._ProductClass":{"$in":["a","b"]}}"#, "Is(ProductClass, In([", true),
        (r#"{"_deviceId._Manufacturer":"a*"}"#, "Is(Manufacturer, Matches", true),
        (r#"{"_lastInform":{"$lt":"2026-11-20T20:05:00Z"}}"#, "Is(LastInform, Less(Time", true),
        (r#"{"_registered":{"$gte":"2026-11-20T20:05:00Z"}}"#, "Is(FirstSeen, AtLeast(Time", true),
        (r#"{"_lastBoot":{"$exists":true}}"#, "Is(LastBoot, Exists(true))", true),
        (r#"{"_tags":"x"}"#, "Is(Tag, Equals", true),
        (r#"{"_tags":{"$ne":"x"}}"#, "Not(Is(Tag, Equals", true),
        (r#"{"_tags":null}"#, "Is(Tag, Exists(false))", true),
        (r#"{"Device.A.B":"x"}"#, "Is(Parameter(\"Device.A.B\"), Equals", false),
        (
            r#"{"InternetGatewayDevice.DeviceInfo.SoftwareVersion":"3.2*"}"#,
            "Is(SoftwareVersion, Matches",
            false,
        ),
        // What a filter cannot say is held against documents.
        (r#"{"Device.A._timestamp":{"$lt":"2026-11-20"}}"#, "All", false),
        (r#"{"Device.A.B":{"$ne":"x"},"_tags":"y"}"#, "Is(Tag, Equals", false),
        // Nobody finds a secret by guessing.
        (r#"{"Device.ManagementServer.Password":"x"}"#, "All", false),
    ] {
        let (filter, is_exact) = told(query);
        assert!(filter.contains(part) && is_exact == exact, "{query}: {filter} {is_exact}");
    }
}

/// What a filter finds, by the plainest reading of it.
fn finds(filter: &Filter, document: &Node) -> bool {
    match filter {
        Filter::All => true,
        Filter::And(parts) => parts.iter().all(|part| finds(part, document)),
        Filter::Or(parts) => parts.iter().any(|part| finds(part, document)),
        Filter::Not(part) => !finds(part, document),
        Filter::Is(field, test) => {
            let path = match field {
                Field::Id => "_id".to_owned(),
                Field::Oui => "_deviceId._OUI".to_owned(),
                Field::SerialNumber => "_deviceId._SerialNumber".to_owned(),
                Field::LastInform => "_lastInform".to_owned(),
                Field::LastBoot => "_lastBoot".to_owned(),
                Field::Tag => "_tags".to_owned(),
                Field::Parameter(path) => format!("{path}._value"),
                other => panic!("{other:?} is not asked for here"),
            };
            let found = document.at(&path);
            let flat: Vec<&Node> = found
                .into_iter()
                .flat_map(|node| match node {
                    Node::List(items) => items.iter().collect(),
                    node => vec![node],
                })
                .collect();
            is_so(test, &flat)
        }
        Filter::Rule(_) => panic!("no query is a rule"),
    }
}

fn is_so(test: &crate::find::Test, found: &[&Node]) -> bool {
    use crate::find::{Test, Value};
    let order = |value: &Value, node: &Node| match (value, node) {
        (Value::Time(time), Node::Time(other)) => Some(other.cmp(time)),
        (Value::Number(number), node) => match node {
            Node::Text(text) => text.parse::<f64>().ok()?.partial_cmp(number),
            node => node.number()?.partial_cmp(number),
        },
        (Value::Boolean(truth), Node::Boolean(other)) => Some(other.cmp(truth)),
        (Value::Text(text), Node::Text(other)) => Some((**other).cmp(&**text)),
        _ => None,
    };
    let any = |fits: &dyn Fn(&Node) -> bool| found.iter().any(|node| fits(node));
    match test {
        Test::Equals(value) => any(&|node| order(value, node).is_some_and(|order| order.is_eq())),
        Test::In(values) => values.iter().any(|value| is_so(&Test::Equals(value.clone()), found)),
        Test::Less(value) => any(&|node| order(value, node).is_some_and(|order| order.is_lt())),
        Test::AtMost(value) => any(&|node| order(value, node).is_some_and(|order| order.is_le())),
        Test::Greater(value) => any(&|node| order(value, node).is_some_and(|order| order.is_gt())),
        Test::AtLeast(value) => any(&|node| order(value, node).is_some_and(|order| order.is_ge())),
        Test::Matches(pattern) => {
            any(&|node| matches!(node, Node::Text(text) if pattern.is_match(text)))
        }
        Test::Exists(wanted) => found.is_empty() != *wanted,
        other => panic!("{other:?} is not asked for here"),
    }
}

/// Values that hit and miss what the document holds.
fn values() -> impl Strategy<Value = Value> {
    let texts = [
        "0A1B2C-AP.1-S1",
        "0A1B2C",
        "S1",
        "gold",
        "silver",
        "pilot-*",
        "42",
        "3.2*",
        "/^3/",
        "2026-11-20T20:05:00.500Z",
        "2026-11-20",
        "2027-01-01",
        "x",
        "",
    ];
    prop_oneof![
        proptest::sample::select(texts.to_vec()).prop_map(Value::from),
        Just(json!(42)),
        Just(json!(7.5)),
        Just(json!(true)),
        Just(json!(null)),
    ]
}

/// Conditions as clients could write them.
fn conditions() -> impl Strategy<Value = Value> {
    let paths = [
        "_id",
        "_deviceId._OUI",
        "_deviceId._SerialNumber",
        "_lastInform",
        "_lastBoot",
        "_tags",
        "Device.A",
        "Device.B",
        "Device.C",
        "Device.D",
        "Device.E",
        "Device.F",
        "Device.X",
    ];
    let path = proptest::sample::select(paths.to_vec());
    let operator = proptest::sample::select(vec!["$eq", "$ne", "$lt", "$lte", "$gt", "$gte"]);
    let asked = prop_oneof![
        values(),
        (operator, values()).prop_map(|(operator, value)| json!({operator: value})),
        proptest::collection::vec(values(), 0..3).prop_map(|values| json!({"$in": values})),
        proptest::collection::vec(values(), 0..3).prop_map(|values| json!({"$nin": values})),
        any::<bool>().prop_map(|exists| json!({"$exists": exists})),
        values().prop_map(|value| json!({"$not": {"$eq": value}})),
    ];
    let leaf = (path, asked).prop_map(|(path, asked)| json!({path: asked}));
    leaf.prop_recursive(3, 12, 3, |inner| {
        let word = proptest::sample::select(vec!["$and", "$or", "$nor"]);
        (word, proptest::collection::vec(inner, 1..4))
            .prop_map(|(word, parts)| json!({word: parts}))
    })
}

/// Any JSON at all, with the words of the language among the names.
fn anything() -> impl Strategy<Value = Value> {
    let words = [
        "$and", "$or", "$nor", "$not", "$in", "$nin", "$eq", "$ne", "$regex", "$options",
        "$exists", "$size", "$all", "$gt", "_id", "a.b", "", "$x", "Device.A", "_tags",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let name =
            prop_oneof![proptest::sample::select(words.to_vec()).prop_map(str::to_owned), ".{0,5}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_is_too_odd(query in anything(), about in 0..3_usize) {
        let about = [Collection::Devices, Collection::Work, Collection::Plain][about];
        if let Ok(condition) = read(&query.to_string(), about) {
            let (_, _) = filter(&condition);
            fits(&condition, &document());
            fits(&condition, &Node::from(query));
        }
    }

    #[test]
    fn no_text_is_too_odd(query in ".{0,64}") {
        let _ = read(&query, Collection::Devices);
    }

    #[test]
    fn a_filter_finds_what_the_condition_says(query in conditions()) {
        let condition = read(&query.to_string(), Collection::Devices).unwrap();
        let (filter, exact) = filter(&condition);
        let wanted = fits(&condition, &document());
        let found = finds(&filter, &document());
        if exact {
            prop_assert_eq!(found, wanted, "{} {:?}", query, filter);
        } else {
            prop_assert!(found || !wanted, "{} {:?}", query, filter);
        }
    }
}
