//! Filters over one device, and pages over a small inventory.

use std::sync::Arc;

use super::{Field, Filter, FindError, Finder, Order, Query, Test, Value};
use crate::access::Reach;
use crate::config::StoreConfig;
use crate::device::{Device, DeviceIdentity, Labels};
use crate::expr::{Rule, Subject};
use crate::param::{self, Extent, Param, ParamPath, Tree, ValueType};
use crate::store::{self, Batch, Record, Store};
use crate::time::{ManualClock, Timestamp};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn device(serial: &str) -> Device {
    let identity = DeviceIdentity::new("Acme", "00D09E", "HG-100", serial).unwrap();
    Device {
        root: "Device.".into(),
        last_inform: at(1_795_205_100_000),
        last_bootstrap: Some(at(5)),
        address: Some("203.0.113.7".parse().unwrap()),
        software_version: "2.10".into(),
        parameter_count: 300,
        sessions: 3,
        ..Device::new(identity, at(1))
    }
}

fn labels() -> Labels {
    let subscriber = [("pppoe_username", "Anna@ISP"), ("pppoe_password", "hush"), ("id", "4711")];
    Labels {
        revision: 1,
        tags: ["Gold".into(), "canary".into()].into(),
        tenant: "north".into(),
        site: "hq".into(),
        subscriber: subscriber.map(|(name, value)| (name.into(), value.into())).into(),
    }
}

fn tree(values: &[(&str, &str, ValueType)]) -> Tree {
    Tree::from_entries(values.iter().map(|(path, text, kind)| {
        let value = Some(param::Value::new(*text, kind.clone()));
        (path_of(path), Param { value, writable: None, read_at: at(1) })
    }))
}

fn path_of(text: &str) -> ParamPath {
    ParamPath::parse(text).unwrap()
}

fn known_tree() -> Tree {
    tree(&[
        ("Device.DeviceInfo.UpTime", "900", ValueType::UnsignedInt),
        ("Device.DeviceInfo.FirstUseDate", "2026-11-20T20:05:00Z", ValueType::DateTime),
        ("Device.Ethernet.Interface.1.MACAddress", "0C:38:3E:00:00:01", ValueType::String),
        ("Device.PPP.Interface.1.IPCP.LocalIPAddress", "100.64.0.9", ValueType::String),
        ("Device.PPP.Interface.1.Username", "berta", ValueType::String),
        ("Device.Time.NTPServer1", "http://u:p@ntp", ValueType::String),
        ("Device.WiFi.SSID.1.Enable", "true", ValueType::Boolean),
        ("Device.WiFi.SSID.1.SSID", "Home", ValueType::String),
        ("Device.WiFi.SSID.2.SSID", "Guest", ValueType::String),
    ])
}

fn fits(filter: &Filter) -> bool {
    let (device, labels, tree) = (device("0C383E2599FE"), labels(), known_tree());
    let now = at(1_795_205_100_000);
    filter.matches(&Subject {
        device: &device,
        labels: &labels,
        tree: Some(&tree),
        phone: None,
        now,
    })
}

fn parameter(path: &str) -> Field {
    Field::Parameter(path_of(path))
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn rule(text: &str) -> Filter {
    Filter::Rule(Arc::new(Rule::parse(text).unwrap()))
}

#[test]
fn texts_are_compared_in_any_case_and_ids_are_not() {
    for (field, value) in [
        (Field::SerialNumber, "0c383e2599fe"),
        (Field::Manufacturer, "ACME"),
        (Field::Oui, "00d09e"),
        (Field::ProductClass, "hg-100"),
        (Field::Tag, "gold"),
        (Field::Tag, "CANARY"),
        (Field::Subscriber(None), "anna@isp"),
        (Field::Subscriber(Some("id".into())), "4711"),
        (Field::Mac, "0c-38-3e-25-99-fe"),
        (Field::Mac, "0C383E000001"),
        (Field::Login, "ANNA@isp"),
        (Field::Login, "berta"),
        (Field::Address, "::ffff:203.0.113.7"),
        (Field::Ip, "100.64.0.9"),
        (Field::Ip, "203.0.113.7"),
        (Field::Id, "00D09E-HG%2D100-0C383E2599FE"),
    ] {
        assert!(fits(&Filter::equals(field.clone(), value)), "{field:?} {value}");
        let others = Filter::Is(field.clone(), Test::In(vec![text("x"), text(value)]));
        assert!(fits(&others), "{field:?} {value}");
        assert!(!fits(&Filter::equals(field.clone(), "other")), "{field:?}");
        assert!(fits(&Filter::Is(field, Test::Exists(true))));
    }
    assert!(!fits(&Filter::equals(Field::Id, "00d09e-HG%2D100-0C383E2599FE")));
    assert!(!fits(&Filter::equals(Field::Address, "100.64.0.9")));
    assert!(!fits(&Filter::equals(Field::Subscriber(Some("id".into())), "Anna@ISP")));
}

#[test]
fn what_is_unknown_fits_nothing_but_its_absence() {
    for field in [Field::HardwareVersion, Field::LastBoot, parameter("Device.X")] {
        for test in [
            Test::Equals(text("")),
            Test::Less(text("z")),
            Test::AtLeast(text("")),
            Test::Contains("".into()),
            Test::matches("", true).unwrap(),
            Test::Exists(true),
        ] {
            assert!(!fits(&Filter::Is(field.clone(), test.clone())), "{field:?} {test:?}");
        }
        assert!(fits(&Filter::Is(field, Test::Exists(false))));
    }
}

#[test]
fn numbers_truths_and_times_are_compared_as_such() {
    let up = || parameter("Device.DeviceInfo.UpTime");
    let used = || parameter("Device.DeviceInfo.FirstUseDate");
    let enable = || parameter("Device.WiFi.SSID.1.Enable");
    let time = Timestamp::parse("2026-11-20T20:05:00Z").unwrap();
    for (field, test, expected) in [
        (up(), Test::Greater(text("1000")), false),
        (up(), Test::Greater(text("1e2")), true),
        (up(), Test::AtMost(Value::Number(900.0)), true),
        (up(), Test::Less(Value::Number(900.0)), false),
        (up(), Test::Equals(text("0900")), true),
        (used(), Test::Equals(text("2026-11-20T21:05:00+01:00")), true),
        (used(), Test::Less(Value::Time(time)), false),
        (used(), Test::AtLeast(Value::Time(time)), true),
        (enable(), Test::Equals(Value::Boolean(true)), true),
        (enable(), Test::Equals(text("1")), true),
        (enable(), Test::Equals(Value::Boolean(false)), false),
        (Field::ParameterCount, Test::AtLeast(text("300")), true),
        (Field::ParameterCount, Test::Equals(Value::Number(300.0)), true),
        (Field::LastInform, Test::AtLeast(Value::Time(time)), true),
        (Field::LastInform, Test::Greater(text("2026-11-20T20:05:00Z")), false),
        (Field::LastInform, Test::AtMost(Value::Number(1_795_205_100_000.0)), true),
        (Field::SoftwareVersion, Test::Greater(Value::Number(2.0)), true),
        (Field::SoftwareVersion, Test::Less(text("2.9")), true),
        (parameter("Device.WiFi.SSID.1.SSID"), Test::Equals(text("home")), false),
        (parameter("Device.WiFi.SSID.1.SSID"), Test::Begins("HO".into()), true),
        (parameter("Device.WiFi.SSID.*.SSID"), Test::Equals(text("Guest")), true),
        (parameter("Device.WiFi.SSID."), Test::Exists(true), true),
        (parameter("Device.WiFi.SSID."), Test::Contains("".into()), false),
    ] {
        let filter = Filter::Is(field, test);
        assert_eq!(fits(&filter), expected, "{filter:?}");
    }
}

#[test]
fn parts_and_patterns_are_found() {
    for (field, test, expected) in [
        (Field::Mac, Test::Begins("0C:38:3e:25".into()), true),
        (Field::Mac, Test::Contains("00-01".into()), true),
        (Field::Any, Test::Contains("4711".into()), true),
        (Field::Any, Test::Contains("hush".into()), false),
        (Field::Any, Test::Contains("203.0.113".into()), true),
        (Field::Tag, Test::matches("^go", true).unwrap(), true),
        (Field::Tag, Test::matches("^go", false).unwrap(), false),
        (Field::Subscriber(None), Test::Contains("hus".into()), false),
    ] {
        let filter = Filter::Is(field, test);
        assert_eq!(fits(&filter), expected, "{filter:?}");
    }
    assert!(Test::matches(&"(a{1,100}){1,100}".repeat(20), false).is_err());
    assert!(Test::matches(&"a".repeat(2000), false).is_err());
    assert!(Test::matches("(", false).is_err());
}

#[test]
fn conditions_are_combined() {
    let (yes, no) = (Filter::All, Filter::Not(Box::new(Filter::All)));
    for (filter, expected) in [
        (Filter::And(vec![]), true),
        (Filter::Or(vec![]), false),
        (Filter::And(vec![yes.clone(), no.clone()]), false),
        (Filter::Or(vec![no.clone(), yes.clone()]), true),
        (rule("\"Gold\" in tags && device.oui == \"00D09E\""), true),
        (rule("value(\"Device.DeviceInfo.UpTime\") > 1000"), false),
        (rule("subscriber.pppoe_password == \"hush\""), false),
        (rule("value(\"Device.Time.NTPServer1\") == \"http://u:p@ntp\""), false),
    ] {
        assert_eq!(fits(&filter), expected, "{filter:?}");
    }
}

#[test]
fn nobody_finds_a_secret_by_guessing() {
    let password = "InternetGatewayDevice.ManagementServer.Password";
    for filter in [
        Filter::equals(Field::Subscriber(Some("pppoe_password".into())), "hush"),
        Filter::Is(parameter(password), Test::Begins("a".into())),
        Filter::Not(Box::new(Filter::equals(parameter(password), "a"))),
        rule(&format!("value(\"{password}\") == \"a\"")),
    ] {
        assert!(filter.check().unwrap_err().to_string().contains("secret"), "{filter:?}");
    }
    let url = Filter::Is(parameter("Device.Time.NTPServer1"), Test::Contains("p".into()));
    assert!(url.check().is_ok() && !fits(&url));
}

#[test]
fn filters_are_bounded() {
    let mut deep = Filter::All;
    for _ in 0..40 {
        deep = Filter::Not(Box::new(deep));
    }
    let many = |count| Test::In(vec![text("x"); count]);
    for filter in [
        deep,
        Filter::Or(vec![Filter::All; 300]),
        Filter::Is(Field::Tag, many(3000)),
        Filter::Or(vec![Filter::Is(Field::Tag, many(1500)), Filter::Is(Field::Tag, many(1500))]),
        Filter::Is(Field::Tag, Test::Contains("x".repeat(5000).into())),
    ] {
        assert!(filter.check().is_err());
    }
    assert!(Filter::Is(Field::Tag, many(1000)).check().is_ok());
}

async fn finder(count: usize) -> (Finder, Arc<dyn Store>) {
    let store = store::memory(&StoreConfig::default());
    for n in 0..count {
        let mut device = device(&format!("{n:04}"));
        device.sessions = n as u64;
        device.parameter_count = u32::try_from(n % 7).unwrap();
        let mut labels = Labels { revision: 1, ..Labels::default() };
        labels.tenant = if n % 2 == 0 { "north" } else { "south" }.into();
        labels.site = format!("site{}", n % 3).into();
        let mut batch = Batch::new();
        batch.put(Record::Labels(device.id.clone(), labels));
        batch.put(Record::Device(Box::new(device)));
        store.commit(batch).await.unwrap();
    }
    let clock = Arc::new(ManualClock::at(at(1_795_205_100_000)));
    (Finder::new(store.clone(), clock), store)
}

fn query(filter: Filter, limit: usize) -> Query {
    Query {
        filter,
        reach: Reach::WHOLE,
        order: None,
        after: None,
        limit,
        parameters: Extent::Nothing,
    }
}

/// All pages of a query, and how many there were.
async fn pages(finder: &Finder, mut query: Query) -> (Vec<String>, usize) {
    let (mut found, mut count) = (Vec::new(), 0);
    loop {
        let page = finder.page(&query).await.unwrap();
        assert!(page.found.len() <= query.limit);
        found.extend(page.found.iter().map(|f| f.device.identity.serial_number.to_string()));
        count += 1;
        match page.next {
            Some(next) => query.after = Some(next),
            None => return (found, count),
        }
    }
}

#[tokio::test]
async fn pages_hold_every_device_once_whatever_the_order() {
    let (finder, _store) = finder(50).await;
    let (all, count) = pages(&finder, query(Filter::All, 20)).await;
    assert_eq!((all.len(), count), (50, 3));
    assert!(all.is_sorted());
    let order = Order { field: Field::ParameterCount, descending: true };
    let ordered = Query { order: Some(order), ..query(Filter::All, 7) };
    let (found, _) = pages(&finder, ordered.clone()).await;
    let mut expected: Vec<(u32, String)> = (0..50).map(|n| (n % 7, format!("{n:04}"))).collect();
    expected.sort();
    expected.reverse();
    let expected: Vec<String> = expected.into_iter().map(|(_, serial)| serial).collect();
    assert_eq!(found, expected);
    let mut streamed = Vec::new();
    let mut matches = finder.stream(ordered);
    while let Some(chunk) = matches.next().await.unwrap() {
        streamed.extend(chunk.iter().map(|f| f.device.identity.serial_number.to_string()));
    }
    assert_eq!(streamed, expected);
}

#[tokio::test]
async fn nobody_sees_or_counts_beyond_their_reach() {
    let (finder, _store) = finder(50).await;
    let mut reach = Reach::of_tenant("north");
    reach.sites.insert("site0".into());
    let expected: Vec<String> = (0..50).step_by(6).map(|n| format!("{n:04}")).collect();
    for order in [None, Some(Order { field: Field::SerialNumber, descending: false })] {
        for filter in [Filter::All, Filter::equals(Field::Tenant, "north")] {
            let query = Query { reach: reach.clone(), order: order.clone(), ..query(filter, 4) };
            assert_eq!(pages(&finder, query).await.0, expected);
        }
    }
    assert_eq!(finder.count(&Filter::All, &reach).await.unwrap(), 9);
    assert_eq!(finder.count(&Filter::All, &Reach::WHOLE).await.unwrap(), 50);
    let other = Filter::equals(Field::Tenant, "south");
    assert_eq!(finder.count(&other, &reach).await.unwrap(), 0);
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let (finder, _store) = finder(1).await;
    let order = |field| Some(Order { field, descending: false });
    for query in [
        Query { order: order(Field::Tag), ..query(Filter::All, 5) },
        Query { after: Some("x".into()), ..query(Filter::All, 5) },
        Query { after: Some("x".into()), order: order(Field::Site), ..query(Filter::All, 5) },
        query(Filter::equals(Field::Subscriber(Some("psk".into())), "x"), 5),
    ] {
        assert!(matches!(finder.page(&query).await, Err(FindError::Filter(_))), "{query:?}");
        assert!(matches!(finder.stream(query).next().await, Err(FindError::Filter(_))));
    }
}
