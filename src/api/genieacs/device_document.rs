//! A device as a document: the hot record, its labels, its parameters.

use serde_json::Number;

use super::super::mask;
use super::node::{Members, Node};
use crate::device::{Device, Labels};
use crate::find::Found;
use crate::param::{Extent, Param, Value, ValueType};

/// Which parameters a document is to have.
#[derive(Clone, Debug)]
pub(super) enum Needs {
    /// All.
    All,
    /// Those of these names, and below these objects.
    These(Vec<(Box<str>, Box<str>)>),
}

impl Needs {
    /// Those at and below these paths of a document.
    pub(super) fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        // Members of a document that begin so are no parameters.
        let parameters = paths.filter(|path| !path.starts_with('_'));
        let mut names: Vec<(Box<str>, Box<str>)> = parameters
            .map(|path| path.find("._").and_then(|at| path.get(..at)).unwrap_or(path))
            .map(|name| (name.into(), format!("{name}.").into()))
            .collect();
        names.sort();
        names.dedup();
        Self::These(names)
    }

    /// What is to be read of a tree.
    pub(super) fn parameters(&self) -> Extent {
        match self {
            Self::All => Extent::Whole,
            Self::These(names) => Extent::beginning(names.iter().map(|(name, _)| &**name)),
        }
    }
}

/// A device with the parameters that are needed.
pub(super) fn document(found: &Found, needs: &Needs) -> Node {
    let mut members = own(&found.device, &found.labels);
    if let Some(tree) = &found.tree {
        match needs {
            Needs::All => {
                tree.iter().for_each(|(path, param)| insert(&mut members, path.as_str(), param));
            }
            Needs::These(names) => {
                for (name, below) in names {
                    if let Some(param) = tree.get(name) {
                        insert(&mut members, name, param);
                    }
                    tree.under(below)
                        .for_each(|(path, param)| insert(&mut members, path.as_str(), param));
                }
            }
        }
    }
    if !needs.parameters().is_nothing() {
        reported(&mut members, &found.device);
    }
    Node::Object(members)
}

/// What is known without any parameter.
fn own(device: &Device, labels: &Labels) -> Members {
    let identity = &device.identity;
    let identity = Node::object([
        ("_Manufacturer", Node::text(identity.manufacturer.clone())),
        ("_OUI", Node::text(identity.oui.clone())),
        ("_ProductClass", Node::text(identity.product_class.clone())),
        ("_SerialNumber", Node::text(identity.serial_number.clone())),
    ]);
    let mut members = Members::from([
        ("_id".into(), Node::text(device.id.as_str())),
        ("_deviceId".into(), identity),
        ("_registered".into(), Node::Time(device.first_seen)),
        ("_lastInform".into(), Node::Time(device.last_inform)),
    ]);
    for (name, time) in [("_lastBoot", device.last_boot), ("_lastBootstrap", device.last_bootstrap)]
    {
        members.extend(time.map(|time| (name.into(), Node::Time(time))));
    }
    if !labels.tags.is_empty() {
        let tags = labels.tags.iter().map(|tag| Node::text(tag.clone())).collect();
        members.insert("_tags".into(), Node::List(tags));
    }
    members
}

/// Puts a parameter or an object at its place.
fn insert(members: &mut Members, path: &str, param: &Param) {
    let is_object = path.ends_with('.');
    let mut place = members;
    for name in path.trim_end_matches('.').split('.') {
        // What stands there is ours.
        if name.starts_with('_') {
            return;
        }
        let inside = place.entry(name.into()).or_insert_with(|| Node::Object(Members::new()));
        let Node::Object(inside) = inside else { return };
        place = inside;
    }
    place.insert("_object".into(), Node::Boolean(is_object));
    place.extend(param.writable.map(|writable| ("_writable".into(), Node::Boolean(writable))));
    if let Some(value) = &param.value {
        place.insert("_value".into(), shown(path, value));
        place.insert("_type".into(), Node::text(format!("xsd:{}", value.kind.name())));
    }
    if is_object || param.value.is_some() {
        place.insert("_timestamp".into(), Node::Time(param.read_at));
    }
}

/// What the last Inform told, if the parameters do not hold it.
fn reported(members: &mut Members, device: &Device) {
    if device.root.is_empty() {
        return;
    }
    for (name, text) in [
        ("SoftwareVersion", &device.software_version),
        ("HardwareVersion", &device.hardware_version),
        ("ProvisioningCode", &device.provisioning_code),
    ] {
        let path = format!("{}DeviceInfo.{name}", device.root);
        let known = members.get(device.root.trim_end_matches('.'));
        let is_known =
            known.is_some_and(|root| !root.at(&format!("DeviceInfo.{name}._value")).is_empty());
        if !text.is_empty() && !is_known {
            let value = Some(Value::string(text.clone()));
            let param = Param { value, writable: None, read_at: device.last_inform };
            insert(members, &path, &param);
        }
    }
}

/// A value as it may be shown: numbers, truths and times as such, secrets masked.
pub(super) fn shown(path: &str, value: &Value) -> Node {
    let text = mask::value(path, &value.text);
    if *text == *value.text { typed(value) } else { Node::text(text.into_owned()) }
}

fn typed(value: &Value) -> Node {
    let text = value.text.trim();
    let read = match value.kind {
        ValueType::Int | ValueType::UnsignedInt | ValueType::Long | ValueType::UnsignedLong => {
            let whole = text.parse::<i64>().map(Number::from);
            whole.or_else(|_| text.parse::<u64>().map(Number::from)).ok().map(Node::Number)
        }
        ValueType::Boolean => value.as_bool().map(Node::Boolean),
        ValueType::DateTime => crate::time::Timestamp::parse(text).map(Node::Time),
        _ => None,
    };
    read.unwrap_or_else(|| Node::text(value.text.clone()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::device::DeviceIdentity;
    use crate::param::{ParamPath, Tree};
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_123);

    fn found() -> Found {
        let identity = DeviceIdentity::new("Lab", "0A1B2C", "SIM300", "S1").unwrap();
        let device = Device {
            root: "Device.".into(),
            last_boot: Some(NOW),
            software_version: "1.2".into(),
            sessions: 1,
            ..Device::new(identity, NOW)
        };
        let mut tree = Tree::new();
        let path = |text: &str| ParamPath::parse(text).unwrap();
        for (name, text, kind) in [
            ("Device.Time.Enable", "1", "boolean"),
            ("Device.Time.CurrentLocalTime", "2026-11-20T20:05:00Z", "dateTime"),
            ("Device.Hosts.HostNumberOfEntries", "7", "unsignedInt"),
            ("Device.Hosts.Host.1.X_Number", "many", "int"),
            ("Device.ManagementServer.Password", "s3cret", "string"),
            ("Device._value", "hostile", "string"),
        ] {
            tree.learn_value(&path(name), Value::new(text, ValueType::from_name(kind)), NOW);
        }
        tree.learn_name(&path("Device.Hosts.Host."), false, NOW);
        tree.learn_name(&path("Device.Hosts.Host.1.Name"), true, NOW);
        let labels = Labels { tags: ["b".into(), "a".into()].into(), ..Labels::default() };
        Found { device, labels, tree: Some(tree) }
    }

    fn told(needs: &Needs) -> serde_json::Value {
        serde_json::to_value(document(&found(), needs)).unwrap()
    }

    #[test]
    fn a_document_has_the_shape_that_clients_know() {
        let at = "2026-11-20T20:05:00.123Z";
        let told = told(&Needs::All);
        assert_eq!(told["_id"], "0A1B2C-SIM300-S1");
        assert_eq!(
            told["_deviceId"],
            json!({"_Manufacturer": "Lab", "_OUI": "0A1B2C", "_ProductClass": "SIM300", "_SerialNumber": "S1"})
        );
        assert_eq!((&told["_lastBoot"], &told["_tags"]), (&json!(at), &json!(["a", "b"])));
        assert_eq!(told.get("_lastBootstrap"), None);
        let device = &told["Device"];
        assert_eq!(
            device["Time"]["Enable"],
            json!({"_object": false, "_value": true, "_type": "xsd:boolean", "_timestamp": at})
        );
        assert_eq!(device["Time"]["CurrentLocalTime"]["_value"], "2026-11-20T20:05:00.000Z");
        assert_eq!(device["Hosts"]["HostNumberOfEntries"]["_value"], 7);
        assert_eq!(device["Hosts"]["Host"]["1"]["X_Number"]["_value"], "many");
        assert_eq!(
            device["Hosts"]["Host"]["1"]["Name"],
            json!({"_object": false, "_writable": true})
        );
        assert_eq!(
            (&device["Hosts"]["Host"]["_object"], &device["Hosts"]["Host"]["_writable"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(device["ManagementServer"]["Password"]["_value"], "***");
        assert_eq!(device["DeviceInfo"]["SoftwareVersion"]["_value"], "1.2");
        assert!(!told.to_string().contains("hostile"));
    }

    #[test]
    fn only_what_is_needed_is_put_in() {
        let needs =
            Needs::of(["_id", "Device.Hosts.Host", "Device.Time.Enable._value"].into_iter());
        let told = told(&needs);
        assert!(told["Device"]["Hosts"]["Host"]["1"]["Name"].is_object());
        assert!(told["Device"]["Time"]["Enable"].is_object());
        assert_eq!(told["Device"]["Time"].get("CurrentLocalTime"), None);
        assert!(!needs.parameters().is_nothing());
        assert!(Needs::of(["_id", "_tags"].into_iter()).parameters().is_nothing());
    }
}
