//! What rules and profiles cost: a match over 100,000 devices, one rule at a
//! time, and what 50 and 1,000 profiles want of one device.
//!
//! `cargo bench --bench match`

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench ends with a panic when something is missing"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use provost::device::{Device, DeviceIdentity, Labels, Lessons, Settlement};
use provost::expr::{Rule, Subject, Template};
use provost::param::{ParamPath, Tree, Value};
use provost::profile::{ProfileRecord, ProfileSet};
use provost::time::Timestamp;

const DEVICES: u32 = 100_000;

fn device(n: u32) -> (Device, Labels) {
    let (oui, class) =
        (["00D09E", "F8A097"][n as usize % 2], ["HG100", "HG200", "ONT7"][n as usize % 3]);
    let identity = DeviceIdentity::new("Maker", oui, class, &format!("A{n:08}")).unwrap();
    let device = Device {
        id: identity.id(),
        identity,
        root: "Device.".into(),
        namespace: "urn:dslforum-org:cwmp-1-2".into(),
        first_seen: Timestamp::from_millis(0),
        last_inform: Timestamp::from_millis(i64::from(n) * 1000),
        last_boot: None,
        last_bootstrap: None,
        last_events: Vec::new(),
        address: Some([10, 1, (n >> 8) as u8, n as u8].into()),
        connection_request_url: "".into(),
        software_version: ["1.9.2", "1.10.0"][n as usize % 2].into(),
        hardware_version: "B".into(),
        provisioning_code: "".into(),
        inform_hash: 0,
        tree_read_at: Some(Timestamp::from_millis(1)),
        parameter_count: 300,
        sessions: 7,
        lessons: Lessons::default(),
        settlement: Settlement::default(),
    };
    let tags: &[&str] = [&["gold", "pilot"][..], &["silver"], &[]][n as usize % 3];
    let labels = Labels {
        revision: 1,
        tags: tags.iter().map(|tag| Box::from(*tag)).collect::<BTreeSet<_>>(),
        tenant: ["north", "south"][n as usize % 2].into(),
        site: format!("site{}", n % 100).into(),
        subscriber: BTreeMap::from([("pppoe_username".into(), format!("u{n}@example").into())]),
    };
    (device, labels)
}

fn tree() -> Tree {
    let mut tree = Tree::new();
    for n in 0..300 {
        let path = ParamPath::parse(&format!("Device.Some.Object.{n}.Value")).unwrap();
        tree.learn_value(&path, Value::unsigned(n), Timestamp::from_millis(1));
    }
    tree
}

fn rules(criterion: &mut Criterion) {
    let devices: Vec<(Device, Labels)> = (0..DEVICES).map(device).collect();
    let tree = tree();
    let mut group = criterion.benchmark_group("match over 100,000 devices");
    group.throughput(Throughput::Elements(DEVICES.into())).sample_size(10);
    for (name, rule) in [
        ("two comparisons", "device.product_class == \"HG100\" && \"gold\" in tags"),
        (
            "version and network",
            "version_at_least(device.software_version, \"1.10\") && in_network(device.address, \"10.1.0.0/16\")",
        ),
        ("pattern", "device.serial.matches(\"^A0*[0-9]*7$\")"),
        ("parameter", "value(\"Device.Some.Object.150.Value\") > 100"),
        (
            "list",
            "tags.exists(t, t.startsWith(\"go\")) || site in [\"site1\", \"site2\", \"site3\"]",
        ),
    ] {
        let rule = Rule::parse(rule).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let matching = devices.iter().filter(|(device, labels)| {
                    let now = Timestamp::from_millis(1);
                    let subject = Subject { device, labels, tree: Some(&tree), phone: None, now };
                    rule.matches(&subject) == Ok(true)
                });
                black_box(matching.count())
            });
        });
    }
    group.finish();
}

/// Profiles of all layers, as a carrier has them.
fn profiles(count: u32) -> ProfileSet {
    let records: Vec<ProfileRecord> = (0..count)
        .map(|n| {
            let head = match n % 5 {
                0 => "layer = \"global\"".to_owned(),
                1 => format!("layer = {{ site = \"site{}\" }}", n / 5),
                2 => format!("match = 'device.product_class == \"HG{}00\"'", n / 5),
                3 => format!("match = '\"tag{n}\" in tags'"),
                _ => format!(
                    "layer = {{ model = {{ oui = \"00D09E\", product_class = \"M{n}\" }} }}"
                ),
            };
            let mut text = format!("name = \"p{n}\"\n{head}\n[parameters]\n");
            for parameter in 0..5 {
                let _ = writeln!(text, "\"Device.P{}.V\" = {parameter}", (n + parameter) % 40);
            }
            let _ =
                writeln!(text, "\"Device.PPP.Username\" = \"{{{{ subscriber.pppoe_username }}}}\"");
            let name = format!("p{n}").into();
            let at = Timestamp::from_millis(0);
            ProfileRecord {
                name,
                version: 1,
                text: text.into(),
                enabled: true,
                at,
                by: "".into(),
                why: "".into(),
                tenant: "".into(),
            }
        })
        .collect();
    let (set, errors) = ProfileSet::compile(&records);
    assert_eq!(errors, []);
    set
}

fn resolve(criterion: &mut Criterion) {
    let ((device, labels), tree) = (device(1), tree());
    let now = Timestamp::from_millis(1);
    let subject = Subject { device: &device, labels: &labels, tree: Some(&tree), phone: None, now };
    for count in [50, 1000] {
        let set = profiles(count);
        criterion.bench_function(&format!("resolve with {count} profiles"), |bencher| {
            bencher.iter(|| black_box(set.resolve(&subject)));
        });
    }
    let template = Template::parse("{{ subscriber.pppoe_username }}").unwrap();
    criterion.bench_function("one computed value", |bencher| {
        bencher.iter(|| black_box(template.render(&subject)));
    });
}

criterion_group!(benches, rules, resolve);
criterion_main!(benches);
