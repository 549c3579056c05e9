//! How layers are laid over each other: the stronger one counts, whatever the
//! order in which profiles are stored.

use proptest::prelude::*;
use provost::device::Wanted;
use provost::param::ParamPath;
use provost::profile::{Drifting, ProfileRecord, ProfileSet};

use super::sample::{Sample, record};

/// What is wanted of the sample, path by path, with the profile that wants it.
fn wanted(records: &[ProfileRecord]) -> Vec<(String, String, String)> {
    let sample = Sample::new();
    let (set, errors) = ProfileSet::compile(records);
    assert_eq!(errors, []);
    let desired = set.resolve(&sample.subject()).desired;
    let values = desired.values.iter().map(|value| {
        let text = match &value.value {
            Wanted::Value(value) => value.text.to_string(),
            Wanted::Row(name) => format!("@{name}"),
        };
        let source = desired.source(value.source).unwrap();
        (value.path.to_string(), text, source.name.to_string())
    });
    values.collect()
}

/// What is wanted of `Device.A` by one-parameter profiles, given the rest of
/// each.
fn of_a(heads: &[(&str, &str)]) -> String {
    let records: Vec<ProfileRecord> = heads
        .iter()
        .map(|(name, head)| {
            let text =
                format!("name = \"{name}\"\n{head}\n[parameters]\n\"Device.A\" = \"{name}\"");
            record(name, &text)
        })
        .collect();
    wanted(&records).iter().map(|(_, text, _)| text.clone()).collect::<Vec<_>>().join(",")
}

#[test]
fn from_global_to_device_each_layer_overrides_those_before_it() {
    let layers = [
        ("a", "layer = \"global\"\npriority = 99"),
        ("b", "layer = { tenant = \"north\" }\npriority = 98"),
        ("c", "layer = { site = \"berlin\" }\npriority = 97"),
        ("d", "layer = { model = { oui = \"00D09E\", product_class = \"HG100\" } }\npriority = 96"),
        ("e", ""),
        ("f", "priority = 1"),
        ("g", "layer = { device = \"00D09E-HG100-A12345678\" }\npriority = -5"),
    ];
    for count in 1..=layers.len() {
        assert_eq!(of_a(&layers[..count]), layers[count - 1].0);
    }
}

#[test]
fn a_layer_is_only_about_its_own_devices() {
    for other in [
        "layer = { tenant = \"south\" }",
        "layer = { site = \"hamburg\" }",
        "layer = { model = { oui = \"00D09E\", product_class = \"HG200\" } }",
        "layer = { model = { oui = \"FFFFFF\" } }",
        "layer = { device = \"00D09E-HG100-B\" }",
        "match = 'device.product_class == \"HG200\"'",
        "match = 'device.oui == \"FFFFFF\"'",
        "layer = { tenant = \"north\" }\nmatch = 'false'",
    ] {
        assert_eq!(of_a(&[("a", other)]), "", "{other}");
    }
    assert_eq!(of_a(&[("a", "layer = { model = { oui = \"00d09e\" } }")]), "a");
}

#[test]
fn equal_profiles_are_told_apart_by_their_names() {
    assert_eq!(of_a(&[("b", ""), ("a", "")]), "b");
    assert_eq!(of_a(&[("a", "priority = 1"), ("b", "")]), "a");
}

#[test]
fn paths_of_another_root_are_not_wanted() {
    let text = "name = \"a\"\n[parameters]\n\"Device.A\" = 1\n\"InternetGatewayDevice.A\" = 1\n[refresh]\n\"InternetGatewayDevice.\" = 1\n[attributes]\n\"InternetGatewayDevice.A\" = \"off\"";
    let (set, _) = ProfileSet::compile(&[record("a", text)]);
    let mut sample = Sample::new();
    let resolved = set.resolve(&sample.subject());
    assert_eq!(resolved.desired.values.len(), 1);
    assert!(resolved.refresh.is_empty() && resolved.desired.attributes.is_empty());
    assert!(set.explain(&sample.subject()).iter().all(|said| said.path.starts_with("Device.")));
    sample.device.root = "InternetGatewayDevice.".into();
    let resolved = set.resolve(&sample.subject());
    assert_eq!((resolved.desired.values.len(), resolved.refresh.len()), (1, 1));
    sample.device.root = "".into();
    assert!(set.resolve(&sample.subject()).desired.is_empty(), "nothing is known of it yet");
}

#[test]
fn a_stronger_star_overrides_single_rows_and_a_weaker_one_does_not() {
    let star = "name = \"s\"\npriority = 1\n[parameters]\n\"Device.R.*.C\" = 1";
    let one = "name = \"o\"\n[parameters]\n\"Device.R.2.C\" = 2\n\"Device.R.2.D\" = 2";
    let paths = |star: &str, one: &str| -> Vec<String> {
        let made = wanted(&[record("s", star), record("o", one)]);
        made.into_iter().map(|(path, ..)| path).collect()
    };
    assert_eq!(paths(star, one), ["Device.R.*.C", "Device.R.2.D"]);
    let weak = star.replace("priority = 1", "");
    let strong = one.replace("name = \"o\"", "name = \"o\"\npriority = 1");
    assert_eq!(paths(&weak, &strong), ["Device.R.*.C", "Device.R.2.C", "Device.R.2.D"]);
}

#[test]
fn one_bad_profile_and_one_value_that_cannot_be_made_take_nothing_else_down() {
    let good =
        "name = \"good\"\n[parameters]\n\"Device.A\" = 1\n\"Device.B\" = \"{{ subscriber.plan }}\"";
    let weak = "name = \"weak\"\nlayer = \"global\"\n[parameters]\n\"Device.B\" = 9";
    let undecided = "name = \"undecided\"\nmatch = 'value(\"Device.Not.Known\") > 5'\n[parameters]\n\"Device.C\" = 1";
    let mut records = vec![
        record("good", good),
        record("bad", "name = "),
        record("weak", weak),
        record("undecided", undecided),
    ];
    let (set, errors) = ProfileSet::compile(&records);
    assert_eq!(errors.len(), 1);
    assert_eq!((&*errors[0].profile, set.len()), ("bad", 3));
    let mut sample = Sample::new();
    let resolved = set.resolve(&sample.subject());
    let paths: Vec<&str> = resolved.desired.values.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        paths,
        ["Device.A"],
        "the weaker value is not taken in place of the one that failed"
    );
    let problems: Vec<String> = resolved.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("profile undecided: match: "), "{problems:?}");
    assert_eq!(problems[1], "profile good: Device.B: subscriber.plan is not known of this device");
    assert_eq!(resolved.unread, [], "the device has no such parameter: all its names were read");
    sample.device.tree_read_at = None;
    let unread = set.resolve(&sample.subject()).unread;
    assert_eq!(unread, [ParamPath::parse("Device.Not.Known").unwrap()]);

    records[0].enabled = false;
    let (set, _) = ProfileSet::compile(&records);
    assert_eq!(set.len(), 2, "a profile that is not in force wants nothing");
}

#[test]
fn firmware_tags_refresh_attributes_and_drift_are_laid_over_each_other_as_well() {
    let weak = "name = \"weak\"\ndrift = \"report\"\n[firmware]\nversion = \"1\"\n[tags]\nset = [\"a\", \"b\"]\n[refresh]\n\"Device.A\" = 60\n\"Device.B\" = 60\n[attributes]\n\"Device.A\" = { notification = \"active\", access_list = [] }";
    let strong = "name = \"strong\"\npriority = 1\n[firmware]\nversion = \"2\"\nfile = \"f\"\n[tags]\nclear = [\"b\"]\n[refresh]\n\"Device.A\" = 5\n[attributes]\n\"Device.A\" = \"off\"";
    let sample = Sample::new();
    let resolve =
        |records: &[ProfileRecord]| ProfileSet::compile(records).0.resolve(&sample.subject());
    let resolved = resolve(&[record("strong", strong), record("weak", weak)]);
    assert_eq!(resolved.drifting, Drifting::Report, "who says nothing overrides nothing");
    assert_eq!(&*resolved.firmware.unwrap().version, "2");
    let tags: Vec<(&str, bool)> = resolved.tags.iter().map(|tag| (&*tag.tag, tag.wanted)).collect();
    assert_eq!(tags, [("a", true), ("b", false)]);
    let seconds: Vec<u32> = resolved.refresh.iter().map(|refresh| refresh.seconds).collect();
    assert_eq!(seconds, [5, 60]);
    let wish = &resolved.desired.attributes[0].wish;
    assert_eq!((wish.notification, wish.access_list.as_deref()), (Some(0), Some(&[][..])));
    assert_eq!(resolve(&[record("strong", strong)]).drifting, Drifting::Repair);
}

#[test]
fn explain_tells_all_that_was_said_the_weakest_first() {
    let weak = "name = \"weak\"\nlayer = \"global\"\n[parameters]\n\"Device.A\" = 1\n\"Device.P.Password\" = \"x\"\n[[tables]]\ntable = \"Device.T.\"\nkeys = [\"K\"]\nrows = [{ values = { K = 1, V = 1 } }]";
    let strong = "name = \"strong\"\n[parameters]\n\"Device.A\" = 2\n\"Device.X\" = \"{{ subscriber.pppoe_password | default('none') }}\"\n[[tables]]\ntable = \"Device.T.\"\nkeys = [\"K\"]\nrows = [{ values = { K = 1, V = 2 } }]";
    let (set, _) = ProfileSet::compile(&[record("strong", strong), record("weak", weak)]);
    let sample = Sample::new();
    let said = set.explain(&sample.subject());
    let told: Vec<(&str, &str, &str, bool, bool)> = said
        .iter()
        .map(|it| (&*it.path, &*it.value, &*it.source.layer, it.overridden, it.secret))
        .collect();
    assert_eq!(
        told,
        [
            ("Device.A", "1", "global", true, false),
            ("Device.A", "2", "profile", false, false),
            ("Device.P.Password", "x", "global", false, true),
            ("Device.T.[K=1].K", "1", "global", true, false),
            ("Device.T.[K=1].K", "1", "profile", false, false),
            ("Device.T.[K=1].V", "1", "global", true, false),
            ("Device.T.[K=1].V", "2", "profile", false, false),
            ("Device.X", "none", "profile", false, true),
        ]
    );
}

#[test]
fn a_value_that_is_made_of_a_secret_is_one() {
    for (value, secret) in [
        ("{{ subscriber.wifi_psk | default('none') }}", true),
        ("{{ subscriber.wifi_psk[-4:] }}", true),
        ("{{ subscriber[\\\"wifi_psk\\\"] }}", true),
        ("{{ value('Device.P.Password') }}", true),
        ("{{ subscriber.vlan }}", false),
        ("{{ device.serial[-4:] }}", false),
    ] {
        let text = format!("name = \"a\"\n[parameters]\n\"Device.A\" = \"{value}\"");
        let (set, errors) = ProfileSet::compile(&[record("a", &text)]);
        assert_eq!(errors, [], "{value}");
        let said = set.explain(&Sample::new().subject());
        assert_eq!(said.iter().map(|it| it.secret).collect::<Vec<_>>(), [secret], "{value}");
    }
}

#[test]
fn the_fingerprint_stands_for_names_versions_and_texts() {
    let one = record("a", "name = \"a\"\n[parameters]\n\"Device.A\" = 1");
    let two = record("b", "name = \"b\"\n[parameters]\n\"Device.A\" = 2");
    let of = |records: &[ProfileRecord]| ProfileSet::compile(records).0.fingerprint();
    let both = of(&[one.clone(), two.clone()]);
    assert_eq!(both, of(&[two.clone(), one.clone()]));
    assert_eq!((of(&[]), ProfileSet::default().is_empty()), (0, true));
    let off = ProfileRecord { enabled: false, ..two.clone() };
    assert_eq!(of(&[one.clone(), off.clone()]), of(std::slice::from_ref(&one)));
    assert_eq!(of(&[off]), 0);
    let raised = ProfileRecord { version: 2, ..two.clone() };
    let changed = ProfileRecord { text: two.text.replace('2', "3").into(), ..two.clone() };
    let renamed = ProfileRecord { name: "c".into(), ..two };
    let mut all = vec![both, of(std::slice::from_ref(&one))];
    for other in [raised, changed, renamed] {
        all.push(of(&[one.clone(), other]));
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 5, "each is another");
    // What a device is settled with must survive a restart, and so every build.
    // It changes only together with the meaning of profiles.
    assert_eq!(of(&[one]), 7_154_967_823_826_939_606);
}

/// A small profile: layer, priority, whether its rule is true, what it says.
fn small() -> impl Strategy<Value = (usize, i32, bool, Vec<(u8, u8)>)> {
    (
        0_usize..6,
        -1_i32..2,
        prop::bool::weighted(0.8),
        prop::collection::vec((0_u8..4, 0_u8..9), 0..4),
    )
}

proptest! {
    #[test]
    fn the_order_in_which_profiles_are_stored_never_matters(
        profiles in prop::collection::vec(small(), 0..8),
        seed in any::<u64>(),
    ) {
        let layers = [
            "layer = \"global\"", "layer = { tenant = \"north\" }", "layer = { site = \"berlin\" }",
            "layer = { model = { oui = \"00D09E\" } }", "", "layer = { device = \"00D09E-HG100-A12345678\" }",
        ];
        let mut records = Vec::new();
        // What counts, found the plain way: the greatest of layer, priority, name.
        let mut counts: std::collections::BTreeMap<String, ((usize, i32, String), String)> = Default::default();
        for (place, (layer, priority, matches, said)) in profiles.iter().enumerate() {
            let name = format!("p{}", (place * 5 + 3) % 8);
            let mut text = format!("name = \"{name}\"\n{}\npriority = {priority}\nmatch = '{matches}'\n[parameters]\n", layers[*layer]);
            let mut paths = std::collections::BTreeMap::new();
            for (path, value) in said {
                paths.insert(format!("Device.{path}"), value.to_string());
            }
            for (path, value) in paths {
                text.push_str(&format!("\"{path}\" = {value}\n"));
                let rank = (*layer, *priority, name.clone());
                let known = counts.get(&path).is_some_and(|(known, _)| *known > rank);
                if *matches && !known {
                    counts.insert(path, (rank, value));
                }
            }
            records.push(record(&name, &text));
        }
        let expected: Vec<(String, String, String)> =
            counts.into_iter().map(|(path, ((.., name), value))| (path, value, name)).collect();
        prop_assert_eq!(wanted(&records), expected.clone());
        let count = records.len().max(1);
        let turn = usize::try_from(seed % count as u64).unwrap();
        let (before, fingerprint) = (records.clone(), ProfileSet::compile(&records).0.fingerprint());
        records.rotate_left(turn.min(before.len()));
        if seed % 2 == 0 {
            records.reverse();
        }
        prop_assert_eq!(wanted(&records), expected);
        prop_assert_eq!(ProfileSet::compile(&records).0.fingerprint(), fingerprint);
    }
}

#[test]
fn a_tenants_profile_is_about_its_devices_alone_whatever_it_says() {
    let of = |tenant: &str, name: &str, head: &str| {
        let text = format!("name = \"{name}\"\n{head}\n[parameters]\n\"Device.A\" = \"{name}\"");
        ProfileRecord { tenant: tenant.into(), ..record(name, &text) }
    };
    let sample = Sample::new();
    assert_eq!(&*sample.labels.tenant, "north");
    let told = |records: &[ProfileRecord]| {
        wanted(records).into_iter().map(|(_, text, _)| text).collect::<Vec<_>>().join(",")
    };
    for head in [
        "match = \"true\"",
        "layer = \"global\"",
        "layer = { tenant = \"north\" }",
        "layer = { site = \"berlin\" }",
        "layer = { model = { oui = \"00D09E\" } }",
        &format!("layer = {{ device = \"{}\" }}", sample.device.id),
    ] {
        assert_eq!(told(&[of("south", "theirs", head)]), "", "{head}");
        assert_eq!(told(&[of("north", "own", head)]), "own", "{head}");
    }
    // Of one layer the installation's counts, whatever priority a tenant claims; a
    // stronger layer is a stronger layer.
    let own = of("north", "own", "priority = 100");
    assert_eq!(told(&[own.clone(), of("", "all", "priority = -100")]), "all");
    assert_eq!(told(&[own, of("", "all", "layer = \"global\"")]), "own");
    let fingerprint = |tenant: &str| ProfileSet::compile(&[of(tenant, "a", "")]).0.fingerprint();
    assert_ne!(fingerprint("north"), fingerprint("south"), "whose it is, is part of the set");
}
