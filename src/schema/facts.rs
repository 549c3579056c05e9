//! The table of facts and the ways to look things up in it.

use std::collections::HashMap;
use std::sync::LazyLock;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its type.
    pub kind: ValueType,
    /// Whether it can be written.
    pub access: Access,
    /// Whether its value must never be shown, and reads back empty.
    pub secret: bool,
}

/// Facts by path below the root object, instance numbers as `{i}`.
#[derive(Debug)]
pub struct Schema {
    facts: HashMap<&'static str, Fact>,
}

static CORE: LazyLock<Schema> =
    LazyLock::new(|| Schema::compile(include_str!("../../datamodels/core.tsv")));

/// Endings of parameter names that mean a secret in any data model, vendor
/// extensions included.
const SECRET_ENDINGS: [&str; 9] = [
    "password",
    "passphrase",
    "passwd",
    "presharedkey",
    "wepkey",
    "secret",
    "privatekey",
    "secretkey",
    "authkey",
];

impl Schema {
    /// The facts that are compiled in.
    pub fn core() -> &'static Self {
        &CORE
    }

    /// What is known of a parameter.
    pub fn fact(&self, path: &str) -> Option<&Fact> {
        let (_, below_root) = path.split_once('.')?;
        self.facts.get(generic(below_root).as_str())
    }

    /// The type to write a parameter with, if it is known.
    pub fn kind(&self, path: &str) -> Option<&ValueType> {
        self.fact(path).map(|fact| &fact.kind)
    }

    /// Whether a parameter's value must never be shown, judged by its name, so
    /// that vendor extensions are covered as well. Cheap: it is asked for every
    /// value that a device sends.
    pub fn is_secret(&self, path: &ParamPath) -> bool {
        let leaf = path.leaf().as_bytes();
        !path.is_object()
            && SECRET_ENDINGS.iter().any(|ending| {
                leaf.len() >= ending.len()
                    && leaf[leaf.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
            })
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
    let kind = ValueType::from_name(columns.next()?);
    let access = match columns.next()? {
        "R" => Access::ReadOnly,
        "W" => Access::ReadWrite,
        _ => return None,
    };
    let secret = columns.next()?.contains('s');
    Some((path, Fact { kind, access, secret }))
}

/// The path with `{i}` in place of instance numbers and aliases.
fn generic(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (position, segment) in path.split('.').enumerate() {
        if position > 0 {
            out.push('.');
        }
        let instance = segment.starts_with('[')
            || (!segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()));
        out.push_str(if instance { "{i}" } else { segment });
    }
    out
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
