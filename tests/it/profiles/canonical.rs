//! A profile has one text, and that text is the profile.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use provost::device::OtherRows;
use provost::param::{ParamPath, ValueType};
use provost::profile::{
    AttributeForm, Drifting, Firmware, Layer, Profile, RowForm, TableForm, Wish,
};

use super::reading::WHOLE;

fn words() -> impl Strategy<Value = Box<str>> {
    "[a-zA-Z0-9äö \"'\\\\\n\t#=.{}%-]{1,12}"
        .prop_filter("something stands there", |text| !text.trim().is_empty())
        .prop_map(Into::into)
}

fn name() -> impl Strategy<Value = Box<str>> {
    "[a-z][a-z0-9_-]{0,8}".prop_map(Into::into)
}

fn path(object: bool) -> impl Strategy<Value = ParamPath> {
    ("(Device|InternetGatewayDevice)(\\.[A-Z][a-z]{0,4}){1,3}").prop_map(move |text| {
        let text = if object { format!("{text}.") } else { text };
        ParamPath::parse(&text).unwrap()
    })
}

fn kind() -> impl Strategy<Value = Option<ValueType>> {
    option::of(prop::sample::select(vec![
        ValueType::String,
        ValueType::Decimal,
        ValueType::Boolean,
    ]))
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        any::<bool>().prop_map(Wish::Bool),
        any::<i64>().prop_map(Wish::Whole),
        (words(), kind()).prop_map(|(text, kind)| Wish::Text { text, kind }),
        (words(), kind()).prop_map(|(text, kind)| {
            Wish::Template {
                text: format!("{}{{{{ device.serial }}}}", text.replace(['{', '}'], "")).into(),
                kind,
            }
        }),
        name().prop_map(Wish::Row),
    ]
}

fn layer() -> impl Strategy<Value = Layer> {
    prop_oneof![
        Just(Layer::Global),
        Just(Layer::Profile),
        words().prop_map(Layer::Tenant),
        words().prop_map(Layer::Site),
        ("[0-9A-F]{6}", option::of(words()))
            .prop_map(|(oui, product_class)| Layer::Model { oui: oui.into(), product_class }),
        "[0-9A-F]{6}-[A-Z0-9]{1,8}".prop_map(|id| Layer::Device(id.into())),
    ]
}

fn table() -> impl Strategy<Value = TableForm> {
    let others = option::of(prop::sample::select(vec![OtherRows::Keep, OtherRows::Remove]));
    (
        path(true),
        others,
        vec(
            (btree_map("[A-Z][a-z]{1,3}".prop_map(Box::<str>::from), wish(), 0..3), any::<bool>()),
            0..3,
        ),
    )
        .prop_map(|(table, others, rows)| {
            let rows: Vec<RowForm> = rows
                .into_iter()
                .map(|(mut values, absent)| {
                    if absent {
                        values.clear();
                    }
                    values.insert("K".into(), Wish::Whole(1));
                    RowForm { name: "".into(), absent, values }
                })
                .collect();
            TableForm { table: table.as_str().into(), keys: vec!["K".into()], others, rows }
        })
}

fn profile() -> impl Strategy<Value = Profile> {
    let attribute = (option::of(0_u8..=6), option::of(vec(words(), 0..2)))
        .prop_map(|(notification, access_list)| AttributeForm { notification, access_list });
    let firmware = (words(), prop_oneof![Just("".into()), words()])
        .prop_map(|(version, file)| Firmware { version, file });
    let drift = option::of(prop::sample::select(vec![Drifting::Repair, Drifting::Report]));
    let head =
        (name(), prop_oneof![Just("".into()), words()], any::<bool>(), layer(), any::<i32>());
    let body = (
        btree_map(path(false), wish(), 0..4),
        btree_map(path(false), attribute, 0..3),
        vec(table(), 0..3),
        btree_map(path(true), any::<u32>(), 0..3),
        option::of(firmware),
        btree_map(name(), any::<bool>(), 0..3),
        drift,
    );
    (head, body).prop_map(|(head, body)| {
        let (name, description, enabled, layer, priority) = head;
        let (parameters, attributes, tables, refresh, firmware, tags, drift) = body;
        let rule = "\"x\" in tags".into();
        let intents = Vec::new();
        Profile {
            name,
            description,
            enabled,
            layer,
            priority,
            rule,
            parameters,
            attributes,
            tables,
            refresh,
            firmware,
            tags,
            drift,
            intents,
        }
    })
}

fn goes_round(profile: &Profile) {
    let (json, toml) = (profile.to_json(), profile.to_toml());
    assert_eq!(Profile::parse(&json).as_ref(), Ok(profile), "{json}");
    assert_eq!(Profile::parse(&toml).as_ref(), Ok(profile), "{toml}");
    assert_eq!(Profile::parse_toml(&toml).unwrap().to_json(), json);
}

proptest! {
    #[test]
    fn a_profile_and_its_text_are_the_same(profile in profile()) {
        goes_round(&profile);
    }
}

#[test]
fn what_people_write_has_one_text() {
    let profile = Profile::parse(WHOLE).unwrap();
    goes_round(&profile);
    let short = "name = \"a\"\nenabled = true\nlayer = \"profile\"\npriority = 0\nmatch = \" true \"\nparameters = {}\n[attributes]\n\"Device.A\" = { notification = \"off\" }";
    let text = Profile::parse(short).unwrap().to_json();
    assert_eq!(
        text,
        r#"{"attributes":{"Device.A":"off"},"enabled":true,"match":"true","name":"a"}"#
    );
    let parameters = BTreeMap::from([(ParamPath::parse("Device.A").unwrap(), Wish::Whole(-1))]);
    let built = Profile { name: "b".into(), enabled: true, parameters, ..Profile::default() };
    assert_eq!(Profile::parse(&built.to_json()), Ok(built));
}
