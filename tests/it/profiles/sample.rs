//! A device with all that rules and profiles can ask about.

use std::collections::{BTreeMap, BTreeSet};

use provost::device::{Device, DeviceIdentity, Labels, Sealed};
use provost::expr::Subject;
use provost::param::{ParamPath, Tree, Value, ValueType};
use provost::phone::{Mac, Phone, Vendor};
use provost::profile::ProfileRecord;
use provost::time::Timestamp;

/// The device, and what lies beside it.
pub(crate) struct Sample {
    pub(crate) device: Device,
    pub(crate) labels: Labels,
    pub(crate) tree: Tree,
    pub(crate) phone: Option<Phone>,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let identity = DeviceIdentity::new("Example", "00d09e", "HG100", "A12345678").unwrap();
        let device = Device {
            root: "Device.".into(),
            namespace: "urn:dslforum-org:cwmp-1-2".into(),
            last_inform: Timestamp::from_millis(90_000_000),
            last_boot: Some(Timestamp::from_millis(50_000_000)),
            address: Some("::ffff:10.1.2.3".parse().unwrap()),
            software_version: "V1.9.2".into(),
            hardware_version: "B".into(),
            tree_read_at: Some(Timestamp::from_millis(1)),
            parameter_count: 3,
            sessions: 7,
            ..Device::new(identity, Timestamp::from_millis(1_000_000))
        };
        let labels = Labels {
            revision: 1,
            tags: BTreeSet::from(["gold".into(), "pilot".into()]),
            tenant: "north".into(),
            site: "berlin".into(),
            subscriber: BTreeMap::from([
                ("pppoe_username".into(), "u1@example.net".into()),
                ("vlan".into(), "7".into()),
            ]),
        };
        let mut tree = Tree::new();
        let mut learn = |path: &str, text: &str, kind| {
            let path = ParamPath::parse(path).unwrap();
            tree.learn_value(&path, Value::new(text, kind), Timestamp::from_millis(1));
        };
        learn("Device.WiFi.Radio.1.Enable", "true", ValueType::Boolean);
        learn("Device.WiFi.Radio.1.Channel", "11", ValueType::UnsignedInt);
        learn("Device.DeviceInfo.ModelName", "HG 100", ValueType::String);
        let mac: Mac = "0c383e07e16c".parse().unwrap();
        let phone = Phone::new(mac, Vendor::Fanvil, "X4", "berlin", Sealed(Vec::new()));
        Self { device, labels, tree, phone: Some(phone) }
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            device: &self.device,
            labels: &self.labels,
            tree: Some(&self.tree),
            phone: self.phone.as_ref(),
            now: Timestamp::from_millis(100_000_000),
        }
    }
}

/// A stored profile that says this.
pub(crate) fn record(name: &str, text: &str) -> ProfileRecord {
    ProfileRecord {
        name: name.into(),
        version: 1,
        text: text.into(),
        enabled: true,
        at: Timestamp::from_millis(0),
        by: "test".into(),
        why: "".into(),
        tenant: "".into(),
    }
}
