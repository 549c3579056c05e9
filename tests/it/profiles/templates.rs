//! What is computed for one device, and how wrong expressions are refused.

use provost::expr::{MAX_OUTPUT, MAX_TEMPLATE, Subject, Template};

use super::sample::Sample;

fn render(text: &str) -> Result<String, String> {
    let sample = Sample::new();
    let template = Template::parse(text).map_err(|error| format!("refused: {error}"))?;
    template.render(&sample.subject()).map_err(|error| error.to_string())
}

#[test]
fn values_are_made_from_what_is_known() {
    for (text, made) in [
        ("plain", "plain"),
        ("a { b } } % {", "a { b } } % {"),
        ("{{ subscriber.pppoe_username }}", "u1@example.net"),
        ("{{ device.serial[-4:] }}", "5678"),
        ("HG-{{ device.serial | last(4) }}-{{ device.oui | lower }}", "HG-5678-00d09e"),
        ("{{ device.product_class | upper | first(2) }}", "HG"),
        ("{{ value(\"Device.WiFi.Radio.1.Channel\") + 2 }}", "13"),
        ("{{ value('Device.DeviceInfo.ModelName') }}", "HG 100"),
        ("{{ value(\"Device.WiFi.Radio.1.Enable\") }}", "true"),
        ("{{ value(\"Device.Not.Known\") | default(\"none\") }}", "none"),
        ("{{ subscriber.plan | default(\"basic\") }}", "basic"),
        ("{% if known(\"Device.Not.Known\") %}a{% else %}b{% endif %}", "b"),
        ("{% if \"gold\" in tags %}100{% elif tenant == \"x\" %}50{% else %}10{% endif %}", "100"),
        ("{{ tags | join(\"+\") }}", "gold+pilot"),
        ("{{ subscriber.vlan | int + 100 }}", "107"),
        ("{{ subscriber.vlan | times(60) }}", "420"),
        ("{{ subscriber.vlan | pad(4) }}", "0007"),
        ("{{ device.serial | replace(\"A\", \"B\") }}", "B12345678"),
        ("{{ phone.mac | mac(\":\") | upper }}", "0C:38:3E:07:E1:6C"),
        ("{{ phone.mac | mac_add(1) | mac(\"-\") }}", "0c-38-3e-07-e1-6d"),
        ("{{ \"ff:ff:ff:ff:ff:ff\" | mac_add(1) }}", "000000000000"),
        ("{{ device.id | spread(3600) == device.id | spread(3600) }}", "true"),
        ("{{ tenant }}/{{ site }}", "north/berlin"),
        ("{{ subscriber[\"vlan\"] }}{{ device . oui }}", "700D09E"),
        ("device.serail {{ \"device.serail\" }}", "device.serail device.serail"),
        ("{{ device.address }}", "10.1.2.3"),
        ("{{ now - device.last_inform }}", "10000"),
        ("{{ \"}}\" }}{{ '{% set a = 1 %}' }}", "}}{% set a = 1 %}"),
        ("{{ device.serial | length }}{{ tags | length }}", "92"),
        ("<&\"'>{{ \"<&>\" }}", "<&\"'><&>"),
    ] {
        assert_eq!(render(text).as_deref(), Ok(made), "{text}");
    }
}

#[test]
fn what_is_not_known_of_a_device_is_named() {
    for (text, told) in [
        (
            "{{ subscriber.pppoe_password }}",
            "subscriber.pppoe_password is not known of this device",
        ),
        ("a{{ subscriber.plan | upper }}", "subscriber.plan is not known of this device"),
        ("{{ value(\"Device.Not.Known\") }}", "value(\"Device.Not.Known\") is not known"),
        ("{{ value(\"Device.Not.Known\") + 1 }}", "value(\"Device.Not.Known\") is not known"),
    ] {
        let error = render(text).unwrap_err();
        assert!(error.starts_with(told), "{text}: {error}");
    }
    let sample = Sample::new();
    let bare = Subject { phone: None, ..sample.subject() };
    let error = Template::parse("{{ phone.mac }}").unwrap().render(&bare).unwrap_err();
    assert_eq!(error.to_string(), "phone.mac is not known of this device");
}

#[test]
fn wrong_expressions_are_refused_with_what_would_be_right() {
    for (text, told) in [
        ("{{ device.serail }}", "did you mean serial?"),
        ("{{ device.serail[-4:] }}", "did you mean serial?"),
        ("{{ devise.serial }}", "did you mean device?"),
        ("{{ phone.vendour }}", "did you mean vendor?"),
        ("{{ device.serial", "is not closed"),
        ("{{ device.serial }", "is not closed"),
        ("{{ }}", "unexpected"),
        ("{% for x in tags %}{{ x }}{% endfor %}", "no other statements"),
        ("{% set x = 1 %}{{ x }}", "no other statements"),
        ("{%- include \"x\" %}", "no other statements"),
        ("{{ 2 * 3 }}", "write times()"),
        ("{{ \"a\" }}{# a #}", "no comments"),
        ("{{ value(\"WiFi.X\") }}", "the whole path"),
        ("{{ value(\"Device.\nA\") }}", "no blanks or control characters"),
        ("{{ value(\"Device.WiFi.\") }}", "the whole path"),
    ] {
        let error = render(text).unwrap_err();
        assert!(error.starts_with("refused") && error.contains(told), "{text}: {error}");
        assert!(!error.contains('\n'), "{text}: {error}");
    }
    for (text, told) in [
        ("{{ device.serial | uper }}", "did you mean upper?"),
        ("{{ value(device.serial) }}", "takes a path in quotes"),
        ("{{ tags }}", "join(\",\")"),
        ("{{ device }}", "is no value"),
        ("{{ device.serial | int }}", "no whole number"),
        ("{{ device.serial | mac }}", "twelve hex digits"),
        ("{{ device.serial | spread(0) }}", "spread(3600)"),
    ] {
        let error = render(text).unwrap_err();
        assert!(error.contains(told), "{text}: {error}");
    }
}

#[test]
fn hostile_expressions_end_and_make_little() {
    let long = "x".repeat(MAX_TEMPLATE);
    let many = "{{ device.serial }}".repeat(200);
    let nested = format!("{}1{}", "{{ (".repeat(400), ") }}".repeat(400));
    let texts = [
        format!("{{{{ device.serial }}}}{long}"),
        format!("{{{{ {}1{} }}}}", "(".repeat(1900), ")".repeat(1900)),
        format!("{{{{ {}1{} }}}}", "[".repeat(1900), "]".repeat(1900)),
        format!("{{{{ {}1 }}}}", "not ".repeat(900)),
        format!("{{{{ {}1 }}}}", "-".repeat(3000)),
        format!("{{{{ 1{} }}}}", "~1".repeat(1500)),
        format!("{{{{ device{} }}}}", ".a".repeat(1500)),
        format!("{{{{ device.serial{} }}}}", "|upper".repeat(500)),
        format!("{{{{ \"aa\"{} }}}}", "|replace(\"a\",\"aaaaaaaaaaaaaaaa\")".repeat(90)),
        format!("{}{}", "{% if true %}".repeat(250), "{% endif %}".repeat(60)),
        "{{ \"x\" * 90000000 }}".to_owned(),
        "{{ [1] * 90000000 }}".to_owned(),
        "{{ \"}}\" * 3 }}".to_owned(),
        "{# {{ #}{% set x = 1 %}{# }} #}".to_owned(),
        "{{ '\\'}}' }}{% set a = 1 %}".to_owned(),
        "{{ range(100000) }}".to_owned(),
        "{{ device.serial | pad(4000000000) }}".to_owned(),
        "{{ 2 ** 100000 }}".to_owned(),
        "{{ self }}{{ loop }}{{ caller() }}".to_owned(),
        "{{ device.__class__ }}".to_owned(),
        "{{ \"%s\" % device }}".to_owned(),
        "{{ debug() }}".to_owned(),
        "\u{0}{{\u{0}}}".to_owned(),
        many,
        nested,
    ];
    for text in &texts {
        super::survives::template(text.as_bytes());
    }
    assert!(Template::parse(&"x".repeat(MAX_OUTPUT + 1)).is_err());
    assert!(Template::parse(&"x".repeat(MAX_OUTPUT)).is_ok());
    assert!(render("{{ device.serial | pad(4000000000) }}").unwrap().len() < 300);
}

#[test]
fn an_expression_tells_what_it_asks_for() {
    let asks = Template::parse(
        "{{ value( 'Device.A.B' ) }}{{ known(\"Device.A.\") }}{{ subscriber.x }}{{ now }}",
    )
    .unwrap();
    let reads: Vec<&str> = asks.reads().iter().map(|path| path.as_str()).collect();
    assert_eq!(reads, ["Device.A.B", "Device.A."]);
    assert!(asks.needs_tree() && asks.needs_time() && !asks.needs_phone());
    assert!(asks.names().any(|name| name == "subscriber.x"));
    let plain = Template::parse("value(\"Device.A.B\") now phone").unwrap();
    assert!(!plain.needs_tree() && !plain.needs_time() && !plain.needs_phone());
}
