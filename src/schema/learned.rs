//! What devices told of parameters that no data model names.

use serde::{Deserialize, Serialize};

use super::catalogue;
use crate::device::ModelKey;
use crate::param::Tree;

/// The most parameters that are learned of one model.
pub const MAX_LEARNED: usize = 5_000;

/// The longest path that is learned, in bytes.
const MAX_PATH: usize = 256;

/// The vendor's own parameters of a model, as its devices told them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedParameters {
    /// The model.
    pub key: ModelKey,
    /// Each with `{i}` in place of instance numbers, in order.
    pub parameters: Vec<LearnedParameter>,
}

/// One parameter of a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedParameter {
    /// The path with the root, instance numbers as `{i}`.
    pub path: Box<str>,
    /// The type by its name in XML Schema, as the device sends it; empty if it
    /// was never read.
    pub kind: Box<str>,
    /// Whether the device calls it writable, if it told.
    pub writable: Option<bool>,
}

impl LearnedParameters {
    /// A model of which nothing is learned yet.
    pub const fn new(key: ModelKey) -> Self {
        Self { key, parameters: Vec::new() }
    }

    /// What is learned of a path with `{i}` for rows.
    pub fn find(&self, generic: &str) -> Option<&LearnedParameter> {
        let found = self.parameters.binary_search_by(|known| (*known.path).cmp(generic)).ok()?;
        self.parameters.get(found)
    }

    /// Takes what a device's tree knows of the vendor's own parameters: those
    /// that stand at or below a segment that begins with `X_`. What was known
    /// before stays. `true` if anything is new.
    ///
    /// No more than [`MAX_LEARNED`] are kept: those that were known first.
    pub fn hear(&mut self, tree: &Tree) -> bool {
        let mut is_new = false;
        let mut last = String::new();
        for (path, param) in tree.iter() {
            if path.is_object() || !is_vendors(path.as_str()) {
                continue;
            }
            let generic = catalogue::generic(path.as_str());
            if generic.len() > MAX_PATH {
                continue;
            }
            let kind = param.value.as_ref().map_or("", |value| value.kind.name());
            // The rows of a table mostly say the same one after the other.
            let said = format!("{generic}\t{kind}\t{:?}", param.writable);
            if said != last {
                is_new |= self.take(&generic, kind, param.writable);
                last = said;
            }
        }
        is_new
    }

    fn take(&mut self, generic: &str, kind: &str, writable: Option<bool>) -> bool {
        match self.parameters.binary_search_by(|known| (*known.path).cmp(generic)) {
            Ok(at) => {
                let Some(known) = self.parameters.get_mut(at) else { return false };
                // A type that one row tells is not taken back by another.
                let new_kind = known.kind.is_empty() && !kind.is_empty();
                let new_access = known.writable.is_none() && writable.is_some();
                if new_kind {
                    known.kind = kind.into();
                }
                if new_access {
                    known.writable = writable;
                }
                new_kind || new_access
            }
            Err(_) if self.parameters.len() >= MAX_LEARNED => false,
            Err(at) => {
                let new = LearnedParameter { path: generic.into(), kind: kind.into(), writable };
                self.parameters.insert(at, new);
                true
            }
        }
    }
}

/// Whether a vendor's own segment stands in a path.
fn is_vendors(path: &str) -> bool {
    path.split('.').any(|segment| segment.starts_with("X_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::{ParamPath, Value, ValueType};
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn learned() -> LearnedParameters {
        LearnedParameters::new(ModelKey::new("00D09E", "Box", "1.0").unwrap())
    }

    #[test]
    fn the_vendors_own_parameters_are_learned_once_for_all_rows() {
        let mut tree = Tree::new();
        for (name, kind) in [
            ("Device.X_ACME_Led", ValueType::Boolean),
            ("Device.WiFi.SSID.1.X_ACME_Boost", ValueType::Int),
            ("Device.WiFi.SSID.2.X_ACME_Boost", ValueType::Int),
            ("Device.DeviceInfo.UpTime", ValueType::UnsignedInt),
        ] {
            tree.learn_value(&ParamPath::parse(name).unwrap(), Value::new("1", kind), NOW);
        }
        tree.learn_name(&ParamPath::parse("Device.X_ACME_Led").unwrap(), true, NOW);
        let mut learned = learned();
        assert!(learned.hear(&tree));
        let paths: Vec<&str> = learned.parameters.iter().map(|one| &*one.path).collect();
        assert_eq!(paths, ["Device.WiFi.SSID.{i}.X_ACME_Boost", "Device.X_ACME_Led"]);
        assert_eq!(learned.find("Device.X_ACME_Led").unwrap().writable, Some(true));
        assert_eq!(&*learned.find("Device.WiFi.SSID.{i}.X_ACME_Boost").unwrap().kind, "int");
        assert!(!learned.hear(&tree), "the same brings no news");
    }

    #[test]
    fn no_more_are_learned_than_may_be() {
        let mut tree = Tree::new();
        for number in 0..MAX_LEARNED + 10 {
            let path = ParamPath::parse(&format!("Device.X_ACME_{number:05}x")).unwrap();
            tree.learn_value(&path, Value::string("v"), NOW);
        }
        let mut learned = learned();
        assert!(learned.hear(&tree));
        assert_eq!(learned.parameters.len(), MAX_LEARNED);
        assert!(!learned.hear(&tree));
    }
}
