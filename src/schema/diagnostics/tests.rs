//! The table of diagnostics, its checks and its figures.

//! What is known of each diagnostic.

use std::collections::HashSet;

use super::*;

const KINDS: [DiagnosticKind; 7] = [
    DiagnosticKind::Ping,
    DiagnosticKind::TraceRoute,
    DiagnosticKind::Download,
    DiagnosticKind::Upload,
    DiagnosticKind::UdpEcho,
    DiagnosticKind::NsLookup,
    DiagnosticKind::WifiNeighbours,
];

#[test]
fn every_diagnostic_has_its_place_in_each_data_model_that_knows_it() {
    let objects = |kind, root| {
        let places = DiagnosticObject::places(kind, root);
        places.map(|place| place.object).collect::<Vec<_>>()
    };
    for kind in KINDS {
        assert!(!objects(kind, "Device.").is_empty(), "{kind:?}");
        assert!(objects(kind, "X.").is_empty(), "{kind:?}");
        let known = !matches!(kind, DiagnosticKind::UdpEcho | DiagnosticKind::WifiNeighbours);
        assert_eq!(objects(kind, "InternetGatewayDevice.").len(), usize::from(known), "{kind:?}");
    }
    let pings = objects(DiagnosticKind::Ping, "Device.");
    assert_eq!(pings, ["IP.Diagnostics.IPPing.", "LAN.IPPingDiagnostics."]);
}

#[test]
fn the_table_is_sound() {
    let mut paths = HashSet::new();
    for object in DiagnosticObject::all() {
        assert!(paths.insert(object.path()), "{}", object.path());
        assert!(object.object.ends_with('.') && !object.object.starts_with('.'));
        let mut names = HashSet::from(["DiagnosticsState"]);
        for input in object.inputs {
            assert!(names.insert(input.name), "{} {}", object.object, input.name);
            if let Some(default) = input.default {
                assert_eq!(input.form.check(default), Ok(()), "{} {}", object.object, input.name);
            }
        }
        for (name, _) in object.results {
            assert!(names.insert(name), "{} {name}", object.object);
        }
        for table in object.tables {
            assert!(names.contains(table.counter), "{} {}", object.object, table.counter);
            assert!(!table.columns.is_empty() && table.name.ends_with('.'));
        }
    }
}

#[test]
fn units_are_found_for_results_and_rows() {
    let of = |kind| DiagnosticObject::places(kind, "Device.").next().unwrap();
    assert_eq!(of(DiagnosticKind::Ping).unit("AverageResponseTime"), Unit::Milliseconds);
    assert_eq!(of(DiagnosticKind::UdpEcho).unit("AverageResponseTime"), Unit::Microseconds);
    assert_eq!(of(DiagnosticKind::TraceRoute).unit("RouteHops.3.RTTimes"), Unit::Milliseconds);
    assert_eq!(of(DiagnosticKind::TraceRoute).unit("RouteHops.3.X_Y"), Unit::Plain);
    assert_eq!(of(DiagnosticKind::TraceRoute).unit(""), Unit::Plain);
}

#[test]
fn f01_a_host_is_no_command() {
    for good in
        ["a", "example.net", "example.net.", "192.0.2.1", "2001:db8::1", "_sip.x-y.de", "1a"]
    {
        assert!(is_host(good), "{good}");
    }
    let long = "a".repeat(64);
    let longer = vec!["abcdefgh"; 32].join(".");
    for bad in [
        "",
        ".",
        "a..b",
        ";id",
        "a;id",
        "$(id)",
        "`id`",
        "a\nb",
        "a b",
        "a|b",
        "a&b",
        "a'b",
        "a\"b",
        "ä.de",
        "a%b",
        "fe80::1%eth0",
        "[::1]",
        "a/b",
        "a:80",
        "a\0",
        &long,
        &longer,
    ] {
        assert!(!is_host(bad), "{bad:?}");
    }
}

#[test]
fn f02_a_host_is_no_option() {
    for bad in ["-f", "-I eth0", "--help", "-", "a.-b", "a-.b"] {
        assert!(!is_host(bad), "{bad}");
    }
}

#[test]
fn urls_are_plain() {
    let check = |text| InputForm::Url.check(text);
    for good in [
        "http://example.net/10MB.bin",
        "ftp://192.0.2.1/a",
        "https://[2001:db8::1]:8443/x?size=10&y=%20",
        "http://example.net",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "example.net/a",
        "file:///etc/passwd",
        "http://u:p@example.net/",
        "http://-o/x",
        "http://a/;id",
        "http://a/$(id)",
        "http://a/`x`",
        "http://a/'x'",
        "http://a/ b",
        "http:///x",
        "http://a:0/",
        "http://a:+80/",
        "http://a:/",
        "http://[::1/",
        "http://[x]/",
        "http://a/\u{e4}",
    ] {
        assert_eq!(check(bad), Err(InputError::Url), "{bad}");
    }
}

#[test]
fn inputs_are_checked_by_the_data_model() {
    let ping = DiagnosticObject::places(DiagnosticKind::Ping, "Device.").next().unwrap();
    let check = |inputs: &[(&str, &str)]| {
        let inputs: Vec<_> = inputs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        ping.check(&inputs).map_err(|(name, error)| format!("{name} {error}"))
    };
    assert_eq!(check(&[("Host", "a"), ("Timeout", "1"), ("ProtocolVersion", "IPv6")]), Ok(()));
    for (inputs, says) in [
        (&[][..], "Host is needed"),
        (&[("Host", "a"), ("Hosts", "b")], "Hosts this diagnostic has no such input"),
        (
            &[("Host", "a"), ("DataBlockSize", "65536")],
            "DataBlockSize must be a whole number from 1",
        ),
        (&[("Host", "a"), ("Timeout", "+5")], "Timeout must be a whole"),
        (&[("Host", "a"), ("Timeout", "0")], "Timeout must be a whole"),
        (&[("Host", "a"), ("ProtocolVersion", "IPX")], "ProtocolVersion must be one of Any"),
        (&[("Host", "a"), ("Interface", "$(id)")], "Interface must be the path"),
        (&[("Host", "a"), ("DiagnosticsState", "None")], "DiagnosticsState this diagnostic has no"),
    ] {
        let said = check(inputs).unwrap_err();
        assert!(said.starts_with(says), "{said}");
    }
}

#[test]
fn states_of_all_data_models_are_known() {
    use DiagnosticState as State;
    for (text, state) in [
        ("Requested", State::Requested),
        ("Complete", State::Complete),
        ("Completed", State::Complete),
        (" None\n", State::None),
        ("", State::None),
        ("Canceled", State::Canceled),
        ("Error_NoRouteToHost", State::Error("Error_NoRouteToHost")),
        ("Exploded", State::Error("Exploded")),
    ] {
        assert_eq!(State::parse(text), state, "{text:?}");
    }
    assert!(State::Error("Error_NoRouteToHost").words().contains("no route"));
    assert!(State::Error("Exploded").words().contains("no data model"));
}

#[test]
fn throughput_follows_from_times_and_bytes() {
    let told = |kind, values: &[(&'static str, &'static str)]| {
        let values = values.to_vec();
        figures(kind, move |name| values.iter().find(|(n, _)| *n == name).map(|(_, v)| *v))
            .into_iter()
            .map(|figure| (figure.name.trim_start_matches("Derived."), figure.value))
            .collect::<Vec<_>>()
    };
    let times = [
        ("TCPOpenRequestTime", "2026-11-20T20:05:00.000100Z"),
        ("TCPOpenResponseTime", "2026-11-20T20:05:00.010100Z"),
        ("ROMTime", "2026-11-20T20:05:00.0102Z"),
        ("BOMTime", "2026-11-20T20:05:00.5Z"),
        ("EOMTime", "2026-11-20T21:05:02.500000+01:00"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&times[..], more].concat();
    // 2,500,000 bytes in 2 seconds are 10 Mbit/s.
    assert_eq!(
        told(DiagnosticKind::Download, &with(&[("TestBytesReceived", "2500000")])),
        [
            ("Throughput", 10_000_000),
            ("TransferTime", 2_000_000),
            ("ConnectionTime", 10_000),
            ("RequestTime", 489_800),
        ]
    );
    let upload = told(DiagnosticKind::Upload, &with(&[("TestFileLength", "1000")]));
    assert_eq!(upload[0], ("Throughput", 4000), "an old data model counts the file");
    let upload = [("TestFileLength", "1000"), ("TestBytesSent", "2000")];
    assert_eq!(told(DiagnosticKind::Upload, &with(&upload))[0], ("Throughput", 8000));
    let loaded =
        [("TestBytesReceivedUnderFullLoading", "1000"), ("PeriodOfFullLoading", "1000000")];
    assert_eq!(told(DiagnosticKind::Download, &loaded), [("ThroughputUnderFullLoading", 8000)]);
    assert_eq!(
        told(DiagnosticKind::Ping, &[("SuccessCount", "3"), ("FailureCount", "1")]),
        [("LossPerMille", 250)]
    );
}

#[test]
fn every_figure_has_its_unit() {
    let text = |name: &str| match name {
        "BOMTime" | "ROMTime" | "TCPOpenRequestTime" => Some("2026-11-20T20:05:00Z"),
        "EOMTime" | "TCPOpenResponseTime" => Some("2026-11-20T20:05:01Z"),
        _ => Some("1000"),
    };
    for kind in KINDS {
        for figure in figures(kind, text) {
            assert_eq!(result_unit(kind, figure.name), figure.unit, "{}", figure.name);
        }
    }
    assert_eq!(
        result_unit(DiagnosticKind::TraceRoute, "RouteHops.1.HopRTTimes").symbol(),
        Some("ms")
    );
}

#[test]
fn nonsense_gives_no_figure() {
    let none = |kind, values: &[(&'static str, &'static str)]| {
        let values = values.to_vec();
        let said = figures(kind, move |name| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
        });
        assert_eq!(said, [], "{said:?}");
    };
    let bytes = ("TestBytesReceived", "1");
    for (from, to) in [
        ("2026-11-20T20:05:02Z", "2026-11-20T20:05:00Z"),
        ("0001-01-01T00:00:00Z", "2026-11-20T20:05:00Z"),
        ("yesterday", "2026-11-20T20:05:00.x"),
        ("2026-11-20T20:05:00.\u{e4}", "."),
        ("", ""),
    ] {
        none(DiagnosticKind::Download, &[bytes, ("BOMTime", from), ("EOMTime", to)]);
    }
    none(
        DiagnosticKind::Download,
        &[
            ("TestBytesReceivedUnderFullLoading", "18446744073709551615"),
            ("PeriodOfFullLoading", "0"),
        ],
    );
    none(DiagnosticKind::Ping, &[("SuccessCount", "0"), ("FailureCount", "0")]);
    none(DiagnosticKind::Ping, &[("SuccessCount", "-1"), ("FailureCount", "18446744073709551615")]);
    none(DiagnosticKind::WifiNeighbours, &[bytes]);
}
