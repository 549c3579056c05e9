//! What rules answer of one device, and how wrong ones are refused.

use provost::expr::{MAX_RULE, Rule, Subject};
use provost::param::ParamPath;

use super::sample::Sample;

fn ask(rule: &str) -> Result<bool, String> {
    let sample = Sample::new();
    let rule = Rule::parse(rule).map_err(|error| format!("refused: {error}"))?;
    rule.matches(&sample.subject()).map_err(|error| error.to_string())
}

#[test]
fn rules_answer_as_they_read() {
    for yes in [
        "",
        "  ",
        "true",
        "device.product_class == \"HG100\" && \"gold\" in tags",
        "device.oui == '00D09E' && device.manufacturer.startsWith('Exam')",
        "device.id == \"00D09E-HG100-A12345678\"",
        "device.serial.matches('^A[0-9]{8}$')",
        "matches(device.serial, 'A1')",
        "tenant == \"north\" && site in [\"berlin\", \"hamburg\"]",
        "has_tag(\"gold\") && !has_tag(\"silver\")",
        "tags.exists(t, t.startsWith(\"pi\")) && tags.all(t, size(t) > 2)",
        "tags.exists_one(t, t == \"gold\")",
        "tags.filter(t, t != \"gold\") == [\"pilot\"]",
        "tags.map(t, t + \"!\")[0] == \"gold!\"",
        "size(tags) == 2 && tags.size() == 2",
        "subscriber.vlan == \"7\" && int(subscriber[\"vlan\"]) == 7",
        "has(subscriber.vlan) && !has(subscriber.plan) && \"vlan\" in subscriber",
        "subscriber.plan == null",
        "phone.vendor == \"fanvil\" && phone.model == \"X4\" && phone != null && has(phone.mac)",
        "phone.mac == \"0c383e07e16c\" && phone.enabled",
        "value(\"Device.WiFi.Radio.1.Enable\")",
        "value(\"Device.WiFi.Radio.1.Enable\") == true",
        "value(\"Device.WiFi.Radio.1.Channel\") in [1, 6, 11]",
        "value(\"Device.WiFi.Radio.1.Channel\") > 10",
        "value(\"Device.DeviceInfo.ModelName\").lowerAscii() == \"hg 100\"",
        "value(\"Device.Not.Known\") == null && !known(\"Device.Not.Known\")",
        "known(\"Device.WiFi.Radio.1.Channel\") && known(\"Device.WiFi.\")",
        "version_at_least(device.software_version, \"1.9\")",
        "version_at_least(device.software_version, \"V1.9.2\")",
        "version_below(device.software_version, \"v1.10\")",
        "!version_below(value(\"Device.Not.Known\"), \"9\")",
        "in_network(device.address, \"10.0.0.0/8\")",
        "in_network(device.address, [\"192.0.2.0/24\", \"10.1.2.3\"])",
        "!in_network(\"\", \"0.0.0.0/0\") && !in_network(subscriber.plan, \"::/0\")",
        "device.address == \"10.1.2.3\"",
        "now - device.last_inform == 10000 && device.last_bootstrap == 0",
        "device.sessions >= 5 ? site == \"berlin\" : false",
        "bucket(\"a\", 100) >= 0 && bucket(\"a\", 100) < 100 && bucket(\"a\", 1) == 0",
        "false && device.sessions == value(\"Device.Not.Known\") || true",
        "value(\"Device.Not.Known\") > 5 || true",
        "// words\ntrue",
    ] {
        assert_eq!(ask(yes), Ok(true), "{yes}");
    }
    for no in
        ["false", "device.serial == \"\"", "tags == [\"gold\"]", "\"gold\" in []", "1 == \"1\""]
    {
        assert_eq!(ask(no), Ok(false), "{no}");
    }
}

#[test]
fn what_cannot_be_told_of_a_device_is_an_error_that_says_why() {
    for (rule, told) in [
        ("value(\"Device.Not.Known\") > 5", "ask known() first"),
        ("device.serial > 5", "cannot compare a text with a number"),
        ("tags && true", "stands between true or false"),
        ("!device.serial", "stands before true or false"),
        ("device.sessions / 0 == 1", "divide by zero"),
        ("device.sessions + 9223372036854775807 == 1", "too large"),
        ("int(device.serial) == 1", "no number"),
        ("tags[7] == \"a\"", "no member 7"),
        ("size(1) == 1", "size() cannot take a number"),
        ("subscriber.plan.startsWith(\"a\")", "startsWith() cannot take null"),
        ("device.serial.exists(t, t == \"a\")", "only a list"),
        ("value(\"Device.DeviceInfo.ModelName\")", "answers true or false"),
    ] {
        let error = ask(rule).unwrap_err();
        assert!(error.contains(told) && !error.starts_with("refused"), "{rule}: {error}");
    }
}

#[test]
fn what_is_no_rule_is_refused_with_what_would_be_right() {
    for (rule, told) in [
        ("device.serail == \"a\"", "did you mean serial?"),
        ("devise.serial == \"a\"", "did you mean device?"),
        ("serial == \"a\"", "did you mean device.serial?"),
        ("product_class == \"a\"", "did you mean device.product_class?"),
        ("phone.vendour == \"a\"", "did you mean vendor?"),
        ("hastag(\"a\")", "did you mean has_tag?"),
        ("contains(device.serial, \"a\")", "write x.contains(…)"),
        ("device.serial.beginsWith(\"a\")", "there is no function `beginsWith`"),
        ("device == \"a\"", "write device.serial"),
        ("device.serial", "compare it with something"),
        ("1 + 1", "a number; compare it"),
        ("value(device.serial) == 1", "takes a path in quotes"),
        ("value(\"Device.WiFi.\") == 1", "an object has no value"),
        ("value(\"Device.WiFi.*.X\") == 1", "the whole path of one parameter"),
        ("value(\"WiFi.X\") == 1", "from Device. or InternetGatewayDevice. on"),
        ("Device.WiFi.X == 1", "value(\"Device.X.Y\")"),
        ("device.serial.matches(site)", "takes a pattern in quotes"),
        ("device.serial.matches(\"(\")", "a pattern cannot be read"),
        ("in_network(device.address, \"ten\")", "is no network"),
        ("in_network(device.address)", "an address and a network"),
        ("bucket(site, 5) == 1", "a word and a number"),
        ("bucket(\"a\", 0) == 1", "a word and a number"),
        ("{\"a\": 1}.a == 1", "a rule cannot hold a map"),
        ("1u == 1", "write 1 in place of 1u"),
        ("b\"a\" == \"a\"", "in place of b"),
        ("tags.exists(t)", "is written: tags.exists(t, t.startsWith(\"a\"))"),
        ("tags.all(device, true)", "is a variable already"),
        ("device.serial = \"a\"", "column 15"),
        ("true &&\n &&", "line 2, column"),
        ("size(tags, 1) == 1", "takes 1 values, not 2"),
        ("A{b: 1} == 1", "made of comparisons"),
        ("\"a", "unterminated"),
        ("value(\"Device.\nA\") == 1", "no blanks or control characters"),
    ] {
        let error = ask(rule).unwrap_err();
        assert!(error.starts_with("refused") && error.contains(told), "{rule}: {error}");
        assert!(!error.contains('\n'), "{rule}: {error}");
    }
}

#[test]
fn a_rule_tells_what_it_asks_for() {
    let rule = Rule::parse(
        "device.oui == \"00D09E\" && (value(\"Device.A.B\") == 1 || known(\"Device.A.\") || value(\"Device.A.B\") == 2) && now > 0",
    )
    .unwrap();
    let reads: Vec<&str> = rule.reads().iter().map(ParamPath::as_str).collect();
    assert_eq!(reads, ["Device.A.B", "Device.A."]);
    assert!(rule.needs_tree() && rule.needs_time() && !rule.needs_phone());
    assert_eq!((rule.pinned().oui, rule.pinned().product_class), (Some("00D09E"), None));
    assert!(Rule::parse("phone == null").unwrap().needs_phone());
    let simple = Rule::parse("\"HG100\" == device.product_class").unwrap();
    assert!(!simple.needs_tree() && !simple.needs_phone() && !simple.needs_time());
    assert_eq!(simple.pinned().product_class, Some("HG100"));
    let either = Rule::parse("device.oui == \"A\" || true").unwrap();
    assert_eq!(either.pinned().oui, None, "what `||` decides pins nothing");

    let sample = Sample::new();
    let mut missed = Vec::new();
    let other = Rule::parse("device.oui == \"A\" && value(\"Device.A.B\") == 1").unwrap();
    assert_eq!(other.matches_noting(&sample.subject(), &mut missed), Ok(false));
    assert_eq!(missed, [], "what did not matter was not missed");
    assert_eq!(rule.matches_noting(&sample.subject(), &mut missed), Ok(false));
    assert_eq!(
        missed.iter().map(ParamPath::as_str).collect::<Vec<_>>(),
        ["Device.A.B", "Device.A."]
    );
}

#[test]
fn without_phone_and_tree_nothing_of_them_is_known() {
    let sample = Sample::new();
    let bare = Subject { tree: None, phone: None, ..sample.subject() };
    let told = |rule: &str| Rule::parse(rule).unwrap().matches(&bare);
    assert_eq!(told("phone == null && phone.vendor == null && !has(phone.vendor)"), Ok(true));
    assert_eq!(told("phone.vendor == \"fanvil\""), Ok(false));
    assert_eq!(told("value(\"Device.WiFi.Radio.1.Enable\") == null"), Ok(true));
    assert_eq!(told("known(\"Device.WiFi.\")"), Ok(false));
}

#[test]
fn hostile_rules_end() {
    // Without the bounds this test would take years.
    let tags = "tags.all(a, ".to_owned();
    let twenty = "[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0]";
    let mut doubling = "[\"aaaaaaaa\"]".to_owned();
    for _ in 0..30 {
        doubling.push_str(".map(x, x + x)");
    }
    let mut pairs = "[1]".to_owned();
    for _ in 0..30 {
        pairs.push_str(".map(x, [x, x])");
    }
    let rules = [
        format!("{}{}", "(".repeat(3000), ")".repeat(3000)),
        "[".repeat(4000),
        "!".repeat(4000),
        format!("{}true", "!-".repeat(2000)),
        format!("device{}", ".serial".repeat(500)),
        format!("true{}", "?true:true".repeat(400)),
        format!("1{} == 1", "+1".repeat(2000)),
        format!("{}true{}", tags.repeat(300), ")".repeat(300)),
        format!("{}true{}", tags.repeat(15), ")".repeat(15)),
        format!(
            "{twenty}.all(a, {twenty}.all(b, {twenty}.all(c, {twenty}.all(d, {twenty}.all(e, a + b + c + d + e >= 0)))))"
        ),
        format!(
            "{twenty}.map(a, {twenty}.map(b, {twenty}.map(c, {twenty}.map(d, {twenty})))).size() > 0"
        ),
        format!("{doubling}.size() > 0"),
        format!("{pairs} == {pairs}"),
        "device.serial.matches(\"(((((a{1,100}){1,100}){1,100}){1,100}){1,100})\")".to_owned(),
        "device.serial.matches(\"(a*)*(a*)*(a*)*(a|a)*b\")".to_owned(),
        format!("device.serial.matches(\"{}\")", "(".repeat(2000)),
        format!("device.serial in [{}]", vec!["\"0123456789\""; 300].join(", ")),
        "\u{0}\u{feff}\u{202e}".to_owned(),
        "x".repeat(MAX_RULE + 1),
    ];
    for rule in &rules {
        super::survives::rule(rule.as_bytes());
    }
    assert!(ask(&rules[9]).unwrap_err().contains("takes too much"));
    assert!(ask(&rules[11]).is_err() && ask(&rules[12]).is_err());
}
