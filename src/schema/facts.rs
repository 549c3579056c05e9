//! What is known of a parameter whatever the device: its type, whether it can be
//! written, whether it is a secret.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::catalogue::{self, RootModel};
use super::model::basic_kind;
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

/// What is known of parameters before a device has told its own: by all data
/// models, and by a table of what they do not say.
#[derive(Debug)]
pub struct Schema {
    /// By path below the root object, instance numbers as `{i}`.
    facts: HashMap<&'static str, Fact>,
}

static CORE: LazyLock<Schema> =
    LazyLock::new(|| Schema::compile(include_str!("../../datamodels/core.tsv")));

impl Schema {
    /// The facts that are compiled in.
    pub fn core() -> &'static Self {
        &CORE
    }

    /// What is known of a parameter, whatever the device.
    pub fn fact(&self, path: &str) -> Option<Fact> {
        let generic = catalogue::generic(path);
        let (_, below_root) = generic.split_once('.')?;
        self.facts.get(below_root).copied().or_else(|| self.of_models(&generic))
    }

    /// The type to write a parameter with, if it is known.
    pub fn kind(&self, path: &str) -> Option<&'static ValueType> {
        self.fact(path).map(|fact| fact.kind)
    }

    /// Whether a parameter's value must never be shown, judged by its name, so
    /// that vendor extensions are covered as well, and by the data models. Cheap:
    /// it is asked for every value that a device sends.
    pub fn is_secret(&self, path: &ParamPath) -> bool {
        let leaf = path.leaf();
        if path.is_object() {
            return false;
        }
        // Few names need a look into the models.
        secrets::shows(leaf)
            || (secrets::may_be(leaf)
                && self
                    .of_models(&catalogue::generic(path.as_str()))
                    .is_some_and(|fact| fact.secret))
    }

    /// What the models say, those of the path's root first; a device of the
    /// older model has the same root.
    fn of_models(&self, generic: &str) -> Option<Fact> {
        let found = catalogue::parameter(generic, None).or_else(|| {
            let is_device = generic.starts_with("Device.");
            let first = is_device.then_some(RootModel::Device1);
            first.and_then(|first| catalogue::parameter(generic, Some(first)))
        })?;
        let access = if found.is_writable() { Access::ReadWrite } else { Access::ReadOnly };
        Some(Fact { kind: found.kind(), access, secret: secrets::is(&found) })
    }

    /// Reads the table; a line that is none is left out (a test sees to it
    /// that there is none).
    fn compile(table: &'static str) -> Self {
        let facts =
            table.lines().filter(|line| !line.starts_with('#')).filter_map(parse_line).collect();
        Self { facts }
    }
}

fn parse_line(line: &'static str) -> Option<(&'static str, Fact)> {
    let mut columns = line.split('\t');
    let path = columns.next()?;
    let kind = basic_kind(columns.next()?)?;
    let access = match columns.next()? {
        "R" => Access::ReadOnly,
        "W" => Access::ReadWrite,
        _ => return None,
    };
    let secret = columns.next()?.contains('s');
    Some((path, Fact { kind, access, secret }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_fact() {
        let table = include_str!("../../datamodels/core.tsv");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let (path, fact) = parse_line(line).unwrap_or_else(|| panic!("{line}"));
            assert!(!matches!(fact.kind, ValueType::Other(_)), "{line}");
            assert!(!path.starts_with("Device."), "{line}");
            let full = ParamPath::parse(&format!("Device.{path}")).unwrap();
            assert_eq!(Schema::core().is_secret(&full), fact.secret, "{line}");
        }
    }

    #[test]
    fn one_line_serves_both_roots_and_all_instances() {
        let schema = Schema::core();
        for root in ["Device", "InternetGatewayDevice"] {
            let kind = schema.kind(&format!("{root}.ManagementServer.PeriodicInformInterval"));
            assert_eq!(kind, Some(&ValueType::UnsignedInt));
        }
        assert_eq!(schema.kind("Device.WiFi.SSID.12.Enable"), Some(&ValueType::Boolean));
        assert_eq!(schema.kind("Device.WiFi.SSID.[lan].Enable"), Some(&ValueType::Boolean));
        assert_eq!(schema.kind("Device.WiFi.SSID.x.Enable"), None);
        assert_eq!(schema.kind("nothing"), None);
    }

    #[test]
    fn secrets_are_known_by_name() {
        let secret = |path: &str| Schema::core().is_secret(&ParamPath::parse(path).unwrap());
        assert!(secret("Device.WiFi.AccessPoint.1.Security.KeyPassphrase"));
        assert!(secret("Device.X_VENDOR_Web.AdminPassword"));
        assert!(!secret("Device.ManagementServer.Username"));
        assert!(!secret("Device.Users.User.1.Password."), "an object is no secret");
    }
}
