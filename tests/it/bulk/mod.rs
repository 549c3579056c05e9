//! Bulk data reports in their four formats, and what is made of odd ones.

pub(crate) mod lightweight;
pub(crate) mod survives;

use provost::bulk::{BulkError, BulkLimits, BulkReport, read};
use provost::time::Timestamp;

pub(crate) const PAIRS: &str = r#"{"Report":[
 {"CollectionTime":1795204800,"Device.MoCA.Interface.1.Stats.BytesSent":12345,"Device.Hosts.Host.1.Active":true},
 {"CollectionTime":"2026-11-20T20:05:00Z","Device.MoCA.Interface.1.Stats.BytesSent":"23456"}]}"#;
pub(crate) const HIERARCHY: &str = r#"{"Report":[{"CollectionTime":"1795204800","Device":{"MoCA":{"Interface":
 {"1":{"Stats":{"BytesSent":12345}},"2":{"Stats":{"BytesSent":-1}}}},"Hosts":{"Host":{"1":{"Active":true}}}}}]}"#;
pub(crate) const ROWS: &str = "ReportTimestamp,ParameterName,ParameterValue,ParameterType\r\n\
     1795204800,Device.MoCA.Interface.1.Stats.BytesSent,12345,unsignedLong\r\n\
     1795204800,Device.Hosts.Host.1.HostName,\"a, \"\"b\"\"\",string\r\n\
     1795205100,Device.MoCA.Interface.1.Stats.BytesSent,23456,unsignedLong\r\n";
pub(crate) const COLUMNS: &str = "ReportTimestamp,Device.MoCA.Interface.1.Stats.BytesSent,Device.Hosts.Host.1.HostName\n\
     2026-11-20T20:00:00Z,12345,pc\n2026-11-20T20:05:00Z,23456,\"two\nlines\"\n";

const BYTES: &str = "Device.MoCA.Interface.1.Stats.BytesSent";
const AT: Option<Timestamp> = Some(Timestamp::from_millis(1_795_204_800_000));
const LATER: Option<Timestamp> = Some(Timestamp::from_millis(1_795_205_100_000));

fn report(collected_at: Option<Timestamp>, values: &[(&str, &str)]) -> BulkReport {
    let values = values.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    BulkReport { collected_at, values: values.collect(), left_out: 0 }
}

fn plain(body: &str) -> Result<Vec<BulkReport>, BulkError> {
    read(None, None, body.as_bytes(), &BulkLimits::default())
}

#[test]
fn t22_the_four_formats_are_read_with_retained_reports() {
    let active = "Device.Hosts.Host.1.Active";
    let name = "Device.Hosts.Host.1.HostName";
    for (media, format, body, expected) in [
        (
            "application/json; charset=UTF-8",
            "NameValuePair",
            PAIRS,
            vec![
                report(AT, &[(BYTES, "12345"), (active, "true")]),
                report(LATER, &[(BYTES, "23456")]),
            ],
        ),
        (
            "application/json; charset=UTF-8",
            "ObjectHierarchy",
            HIERARCHY,
            vec![report(
                AT,
                &[
                    (BYTES, "12345"),
                    ("Device.MoCA.Interface.2.Stats.BytesSent", "-1"),
                    (active, "true"),
                ],
            )],
        ),
        (
            "text/csv; charset=UTF-8; header=present",
            "ParameterPerRow",
            ROWS,
            vec![
                report(AT, &[(BYTES, "12345"), (name, "a, \"b\"")]),
                report(LATER, &[(BYTES, "23456")]),
            ],
        ),
        (
            "text/csv; charset=UTF-8; header=present",
            "ParameterPerColumn",
            COLUMNS,
            vec![
                report(AT, &[(BYTES, "12345"), (name, "pc")]),
                report(LATER, &[(BYTES, "23456"), (name, "two\nlines")]),
            ],
        ),
    ] {
        let quoted = format!("\"{format}\"");
        // The headers as they should be, quoted, wrong, and missing.
        for (media, format) in [
            (Some(media), Some(format)),
            (Some(media), Some(&*quoted)),
            (Some("application/octet-stream"), Some(format)),
            (Some(media), None),
            (None, Some(format)),
            (None, None),
        ] {
            let got = read(media, format, body.as_bytes(), &BulkLimits::default()).unwrap();
            assert_eq!(got, expected, "{media:?} {format:?}");
        }
    }
}

#[test]
fn rows_without_a_heading_are_read_by_what_stands_in_them() {
    let rows = ROWS.split_once("\r\n").unwrap().1;
    let absent = Some("text/csv; header=absent");
    let got = read(absent, Some("ParameterPerRow"), rows.as_bytes(), &BulkLimits::default());
    let named = plain(ROWS).unwrap();
    assert_eq!(got.unwrap(), named);
    // Without times there is one report.
    let untimed = format!("{BYTES},1,string\n{}2,2,string\n", BYTES);
    let got = read(absent, Some("ParameterPerRow"), untimed.as_bytes(), &BulkLimits::default());
    assert_eq!(got.unwrap(), [report(None, &[(BYTES, "1"), (&format!("{BYTES}2"), "2")])]);
    let columns = COLUMNS.split_once('\n').unwrap().1;
    let got = read(absent, Some("ParameterPerColumn"), columns.as_bytes(), &BulkLimits::default());
    assert!(matches!(got, Err(BulkError::Csv(_))));
}

#[test]
fn separators_and_charsets_are_found_out() {
    for separator in [";", "\t", "|"] {
        let body = format!("ReportTimestamp,{BYTES}\n1795204800,1\n").replace(',', separator);
        assert_eq!(plain(&body).unwrap(), [report(AT, &[(BYTES, "1")])], "{separator}");
    }
    let latin = b"{\"Report\":[{\"Device.X\":\"gr\xfc\xdfe\"}]}";
    let media = Some("application/json; charset=\"ISO-8859-1\"");
    let got = read(media, None, latin, &BulkLimits::default()).unwrap();
    assert_eq!(got, [report(None, &[("Device.X", "grüße")])]);
    let mut wide = vec![0xff, 0xfe];
    wide.extend(r#"{"Report":[{"Device.X":"ü"}]}"#.encode_utf16().flat_map(u16::to_le_bytes));
    let got = read(Some("application/json"), None, &wide, &BulkLimits::default()).unwrap();
    assert_eq!(got, [report(None, &[("Device.X", "ü")])]);
    let marked = format!("\u{feff}{ROWS}");
    assert_eq!(plain(&marked).unwrap(), plain(ROWS).unwrap());
}

#[test]
fn json_that_is_almost_right_is_read() {
    for (body, expected) in [
        (r#"{"report":{"Device.X":"1"}}"#, report(None, &[("Device.X", "1")])),
        (r#"[{"Device.X":null}]"#, report(None, &[("Device.X", "")])),
        (r#"{"CollectionTime":1795204800.4,"Device.X":1.5}"#, report(AT, &[("Device.X", "1.5")])),
        (r#"{"Report":[{"Device.":{"X":"1"}}]}"#, report(None, &[("Device.X", "1")])),
        (
            r#"{"Report":[{"CollectionTime":{"a":[1]},"Device.X":"1"}]}"#,
            report(None, &[("Device.X", "1")]),
        ),
        (
            r#"{"Report":[{"CollectionTime":-5,"Device.X":"1"}]}"#,
            report(None, &[("Device.X", "1")]),
        ),
    ] {
        assert_eq!(plain(body).unwrap(), [expected], "{body}");
    }
}

#[test]
fn of_a_name_that_comes_twice_the_first_counts() {
    let [got] = &plain(r#"{"Report":[{"a":"1","a":"2","b":{"c":"1"},"b.c":"2"}]}"#).unwrap()[..]
    else {
        panic!()
    };
    assert_eq!(got.values, [("a".into(), "1".into()), ("b.c".into(), "1".into())]);
    assert_eq!(got.left_out, 2);
}

#[test]
fn what_is_beyond_the_limits_is_left_out_and_counted() {
    let limits = BulkLimits {
        reports: 2,
        values: 3,
        report_bytes: 100,
        name_bytes: 20,
        value_bytes: 10,
        depth: 2,
    };
    let read = |body: &str| read(None, None, body.as_bytes(), &limits).unwrap();
    for (body, kept, left_out) in [
        (r#"{"Report":[{"a":1,"b":2,"c":3,"d":4,"e":5}]}"#.to_owned(), 3, 2),
        (format!(r#"{{"Report":[{{"{}":1,"b":2}}]}}"#, "x".repeat(21)), 1, 1),
        (format!(r#"{{"Report":[{{"a":"{}","b":2}}]}}"#, "x".repeat(11)), 1, 1),
        (r#"{"Report":[{"a":{"b":{"c":{"d":1}}},"e":[1,[2],{"f":3}],"g":1}]}"#.to_owned(), 1, 4),
        (format!("ReportTimestamp,ParameterName,ParameterValue\n{}", "1,a.b,2\n".repeat(9)), 1, 8),
        (format!("ReportTimestamp,a.b\n1{}", ",2".repeat(9)), 1, 8),
    ] {
        let reports = read(&body);
        assert_eq!(reports[0].values.len(), kept, "{body}");
        assert_eq!(reports[0].left_out, left_out, "{body}");
    }
    assert_eq!(read(r#"{"Report":[{"a":1},{"a":2},{"a":3}]}"#).len(), 2);
    let rows: String = (1..9).map(|time| format!("{time},a.b,1\n")).collect();
    let reports = read(&format!("ReportTimestamp,ParameterName,ParameterValue\n{rows}"));
    assert_eq!((reports.len(), reports[1].left_out), (2, 6));
    let large = format!(r#"{{"Report":[{{"a":"{0}","b":"{0}","c":1}}]}}"#, "x".repeat(10));
    assert_eq!(read(&large)[0].values.len(), 3);
}

#[test]
fn what_is_no_report_is_refused() {
    for body in ["", "   ", "hello", "<Report/>", "\0\0"] {
        assert!(matches!(plain(body), Err(BulkError::UnknownFormat)), "{body:?}");
    }
    for body in ["{", r#"{"Report":[{"a":1}"#, r#"{"Report":[{"a":1}]} x"#, "[1e999]"] {
        assert!(matches!(plain(body), Err(BulkError::Json(_))), "{body:?}");
    }
    for body in ["{}", r#"{"Report":[]}"#, r#"{"Report":null}"#, "[]", "ReportTimestamp,a\n"] {
        assert!(matches!(plain(body), Err(BulkError::Empty)), "{body:?}");
    }
    // Deep nesting neither exhausts the stack nor is taken.
    for deep in [r#"{"a":"#.repeat(100_000), "[".repeat(100_000)] {
        assert!(matches!(plain(&deep), Err(BulkError::Json(_))));
    }
}

#[test]
fn a_megabyte_of_names_is_read_within_the_limits() {
    let pairs: Vec<String> = (0..60_000).map(|at| format!("\"Device.X.{at}\":{at}")).collect();
    let [got] = &plain(&format!("{{\"Report\":[{{{}}}]}}", pairs.join(","))).unwrap()[..] else {
        panic!()
    };
    assert!(got.values.len() <= BulkLimits::default().values);
    assert_eq!(got.values.len() + usize::try_from(got.left_out).unwrap(), 60_000);
}

#[test]
fn every_report_survives_cuts_and_damage() {
    for sound in [PAIRS, HIERARCHY, ROWS, COLUMNS, lightweight::SOUND] {
        let mut bytes = sound.as_bytes().to_vec();
        for end in 0..=bytes.len() {
            survives::bulk_report(&bytes[..end]);
            survives::lightweight(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            let right = bytes[at];
            for wrong in [0, b'\n', b'"', b'{', b',', b'<', 0xff, right ^ 1] {
                bytes[at] = wrong;
                survives::bulk_report(&bytes);
                survives::lightweight(&bytes);
            }
            bytes[at] = right;
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        survives::bulk_report(&bytes);
        survives::lightweight(&bytes);
    }

    #[test]
    fn pairs_read_back(values in proptest::collection::btree_map("[A-Za-z][A-Za-z.]{0,20}[A-Za-z]", "\\PC{0,40}", 1..20)) {
        let body = serde_json::json!({"Report": [values]}).to_string();
        let got = plain(&body).unwrap();
        let expected: Vec<(Box<str>, Box<str>)> = values
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("CollectionTime"))
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect();
        proptest::prop_assert_eq!(&got[0].values, &expected);
    }
}
