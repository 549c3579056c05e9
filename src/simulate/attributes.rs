//! What a device notifies about (TR-069 §A.3.2.4, §A.3.2.5, §3.7.1.5).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Model, ModelFault};
use crate::cwmp::{AttributeChange, FaultCode, ParameterAttributes};
use crate::param::ParamPath;

/// Parameters of which no active notification is taken, because they change all
/// the time (`canDeny` in the data models): the ends of their names.
const DENIED: [&str; 2] = [".UpTime", ".CurrentLocalTime"];

/// A parameter's attributes where they differ from none.
#[derive(Clone, Debug, Default)]
struct Attribute {
    notification: u32,
    access_list: Vec<Box<str>>,
}

/// The attributes of a device's parameters, and which of those that are
/// notified have changed since the last Inform.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    set: BTreeMap<ParamPath, Attribute>,
    changed: BTreeSet<ParamPath>,
}

impl Attributes {
    /// SetParameterAttributes: all of it, or nothing.
    pub(super) fn change(
        &mut self,
        model: &Model,
        changes: &[AttributeChange],
    ) -> Result<(), ModelFault> {
        let mut set = self.set.clone();
        for change in changes {
            let lists = change.access_list.iter().flatten();
            if change.notification.is_some_and(|number| number > 2)
                || lists.into_iter().any(|name| &**name != "Subscriber")
            {
                let text = "no such notification, or no such writer";
                return Err(ModelFault::new(FaultCode::INVALID_ARGUMENTS, text));
            }
            for parameter in model.values(std::slice::from_ref(&change.name))? {
                let name = parameter.name;
                let denied = DENIED.iter().any(|end| name.as_str().ends_with(end));
                if denied && change.notification == Some(2) {
                    let text = "it changes too often to be notified";
                    return Err(ModelFault::new(FaultCode(9009), text));
                }
                let one = set.entry(name).or_default();
                one.notification = change.notification.unwrap_or(one.notification);
                if let Some(list) = &change.access_list {
                    one.access_list.clone_from(list);
                }
            }
        }
        self.set = set;
        Ok(())
    }

    /// GetParameterAttributes.
    pub(super) fn read(
        &self,
        model: &Model,
        names: &[ParamPath],
    ) -> Result<Vec<ParameterAttributes>, ModelFault> {
        let found = model.values(names)?.into_iter().map(|parameter| {
            let known = self.set.get(&parameter.name).cloned().unwrap_or_default();
            ParameterAttributes {
                name: parameter.name,
                notification: known.notification,
                access_list: known.access_list,
            }
        });
        Ok(found.collect())
    }

    /// A value changed from inside. Returns whether that is to be told at once.
    pub(super) fn changed(&mut self, path: &str) -> bool {
        let Some((path, attribute)) = self.set.get_key_value(path) else { return false };
        if attribute.notification > 0 {
            self.changed.insert(path.clone());
        }
        attribute.notification == 2
    }

    /// The parameters that changed and are notified, for an Inform.
    pub(super) fn notified(&self) -> Vec<ParamPath> {
        self.changed.iter().cloned().collect()
    }

    /// An Inform that told them was answered.
    pub(super) fn told(&mut self) {
        self.changed.clear();
    }
}
