//! What is known of a parameter whatever the device: its type, whether it can be
//! written, whether it is a secret.

use super::catalogue::{self, RootModel};
use super::model::ModelParameter;
use super::secrets;
use crate::param::{ParamPath, ValueType};

/// Whether a parameter can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read.
    ReadOnly,
    /// Read and written.
    ReadWrite,
}

/// What is known of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its type.
    pub kind: &'static ValueType,
    /// Whether it can be written.
    pub access: Access,
    /// Whether its value must never be shown, and reads back empty.
    pub secret: bool,
}

/// What is known of parameters before a device has told its own, by all data
/// models together.
#[derive(Debug)]
pub struct Schema(());

static CORE: Schema = Schema(());

impl Schema {
    /// All that is compiled in, and what the operator added.
    pub const fn core() -> &'static Self {
        &CORE
    }

    /// What is known of a parameter, whatever the device: by the models of its
    /// root, else by those of another, since devices mix them.
    pub fn fact(&self, path: &str) -> Option<Fact> {
        let found = of_any_root(&catalogue::generic(path))?;
        let access = if found.is_writable() { Access::ReadWrite } else { Access::ReadOnly };
        Some(Fact { kind: found.kind(), access, secret: secrets::is(&found) })
    }

    /// The type to write a parameter with, if it is known.
    pub fn kind(&self, path: &str) -> Option<&'static ValueType> {
        of_any_root(&catalogue::generic(path)).map(|found| found.kind())
    }

    /// Whether a parameter's value must never be shown, judged by its name, so
    /// that vendor extensions are covered as well, and by the data models. Cheap:
    /// it is asked for every value that a device sends.
    pub fn is_secret(&self, path: &ParamPath) -> bool {
        if path.is_object() {
            return false;
        }
        let leaf = path.leaf();
        // Few names need a look into the models.
        secrets::shows(leaf)
            || (secrets::may_be(leaf) && self.fact(path.as_str()).is_some_and(|fact| fact.secret))
    }
}

fn of_any_root(generic: &str) -> Option<ModelParameter<'static>> {
    let own = catalogue::parameter(generic, None);
    own.or_else(|| {
        let (root, below) = generic.split_once('.')?;
        let others: &[(&str, RootModel)] = match root {
            "Device" => {
                &[("Device", RootModel::Device1), ("InternetGatewayDevice", RootModel::Gateway)]
            }
            "InternetGatewayDevice" => {
                &[("Device", RootModel::Device2), ("Device", RootModel::Device1)]
            }
            _ => &[],
        };
        others.iter().find_map(|(root, model)| {
            catalogue::parameter(&format!("{root}.{below}"), Some(*model))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_known_below_both_roots_and_in_all_rows() {
        let schema = Schema::core();
        for root in ["Device", "InternetGatewayDevice"] {
            let kind = schema.kind(&format!("{root}.ManagementServer.PeriodicInformInterval"));
            assert_eq!(kind, Some(&ValueType::UnsignedInt));
            let kind = schema.kind(&format!("{root}.WiFi.SSID.12.Enable"));
            assert_eq!(kind, Some(&ValueType::Boolean), "devices mix the models");
        }
        assert_eq!(schema.kind("Device.WiFi.SSID.[lan].Enable"), Some(&ValueType::Boolean));
        assert_eq!(schema.kind("Device.WiFi.SSID.1.LowerLayers"), Some(&ValueType::String));
        assert_eq!(schema.kind("Device.WiFi.SSID.x.Enable"), None);
        assert_eq!(schema.kind("nothing"), None);
        let fact = schema.fact("Device.DeviceInfo.UpTime").unwrap();
        assert_eq!((fact.access, fact.secret), (Access::ReadOnly, false));
    }

    #[test]
    fn secrets_are_known_by_name_and_by_model() {
        let secret = |path: &str| Schema::core().is_secret(&ParamPath::parse(path).unwrap());
        assert!(secret("Device.WiFi.AccessPoint.1.Security.KeyPassphrase"));
        assert!(secret("Device.X_VENDOR_Web.AdminPassword"));
        assert!(secret("Device.WiFi.AccessPoint.2.WPS.PIN"), "its name does not show it");
        assert!(secret("Device.Routing.Babel.MACKeySet.1.MACKey.1.KeyValue"));
        assert!(!secret("Device.Elsewhere.PIN"));
        assert!(!secret("Device.ManagementServer.Username"));
        assert!(!secret("Device.Users.User.1.Password."), "an object is no secret");
    }

    #[test]
    fn whatever_a_model_hides_is_a_secret() {
        for model in catalogue::embedded() {
            for parameter in model.objects().flat_map(|object| object.parameters()) {
                if secrets::is(&parameter) {
                    let name = parameter.name();
                    assert!(secrets::shows(name) || secrets::may_be(name), "{name}");
                }
            }
        }
    }
}
