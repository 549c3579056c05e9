//! Which devices are meant, and in which order: the words of a request, read into
//! a search.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::problem::{ApiError, bad_value};
use crate::expr::{Rule, nearest};
use crate::find::{Field, Filter, Order, Test, Value};
use crate::param::ParamPath;
use crate::schema::Schema;
use crate::time::Timestamp;

/// The longest condition, in characters; a rule has a limit of its own.
const MAX_CONDITION: usize = 256;

/// Which devices are meant; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct DeviceWhich {
    /// A part of id, serial number, manufacturer, product class, software version
    /// or of what is known of the subscriber, in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oui: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioning_code: Option<String>,
    /// A MAC address of one of its interfaces, or in its serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
    /// The user name of its PPP connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<String>,
    /// The address from which it last informed.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    /// What a field of the subscriber says, in any case: `4711` in any field, or
    /// `id=4711` in this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriber: Option<String>,
    /// Only devices that informed at or after this time (RFC 3339).
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    informed_since: Option<Timestamp>,
    /// Only devices that last informed before this time (RFC 3339).
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    informed_before: Option<Timestamp>,
    /// A rule in the language of profiles (CEL), as in
    /// `device.sessions > 3 && "vip" in tags`.
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
}

impl DeviceWhich {
    /// The devices that a rule is about.
    pub(in crate::api) fn by_rule(rule: String) -> Self {
        Self { filter: Some(rule), ..Self::default() }
    }

    /// The filter that all conditions make.
    ///
    /// # Errors
    /// [`ApiError::BadValue`] for a condition that cannot be.
    pub(in crate::api) fn filter(&self) -> Result<Filter, ApiError> {
        let mut parts = Vec::new();
        for (name, text, field) in [
            ("oui", &self.oui, Field::Oui),
            ("product_class", &self.product_class, Field::ProductClass),
            ("manufacturer", &self.manufacturer, Field::Manufacturer),
            ("serial", &self.serial, Field::SerialNumber),
            ("software_version", &self.software_version, Field::SoftwareVersion),
            ("hardware_version", &self.hardware_version, Field::HardwareVersion),
            ("provisioning_code", &self.provisioning_code, Field::ProvisioningCode),
            ("mac", &self.mac, Field::Mac),
            ("login", &self.login, Field::Login),
            ("address", &self.address, Field::Address),
            ("tag", &self.tag, Field::Tag),
            ("tenant", &self.tenant, Field::Tenant),
            ("site", &self.site, Field::Site),
        ] {
            match text.as_deref() {
                // Those that belong to none, or stand at none.
                Some("") if matches!(field, Field::Tenant | Field::Site) => {
                    parts.push(is(field, Test::Exists(false)));
                }
                Some(text) => parts.push(is(field, Test::Equals(condition(name, text)?))),
                None => {}
            }
        }
        if let Some(part) = &self.q {
            condition("q", part)?;
            parts.push(is(Field::Any, Test::Contains(part.as_str().into())));
        }
        if let Some(text) = &self.subscriber {
            let (field, value) = match text.split_once('=') {
                Some((name, value)) => (Some(name.into()), value),
                None => (None, text.as_str()),
            };
            let value = condition("subscriber", value)?;
            parts.push(is(Field::Subscriber(field), Test::Equals(value)));
        }
        if let Some(since) = self.informed_since {
            parts.push(is(Field::LastInform, Test::AtLeast(Value::Time(since))));
        }
        if let Some(before) = self.informed_before {
            parts.push(is(Field::LastInform, Test::Less(Value::Time(before))));
        }
        if let Some(text) = &self.filter {
            parts.push(Filter::Rule(Arc::new(rule(text)?)));
        }
        Ok(match parts.pop() {
            None => Filter::All,
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Filter::And(parts)
            }
        })
    }
}

/// Reads a rule that somebody searches by.
///
/// # Errors
/// [`ApiError::BadValue`] for what is no rule, and for one that asks for secrets:
/// by asking often enough they would be told.
pub(in crate::api) fn rule(text: &str) -> Result<Rule, ApiError> {
    let rule = Rule::parse(text).map_err(|error| bad_value("filter", error))?;
    match rule.reads().iter().find(|path| is_secret(path)) {
        Some(path) => {
            Err(bad_value("filter", format!("{path} is a secret; nobody searches by it")))
        }
        None => Ok(rule),
    }
}

fn is_secret(path: &ParamPath) -> bool {
    !path.is_object() && Schema::core().is_secret(path)
}

const fn is(field: Field, test: Test) -> Filter {
    Filter::Is(field, test)
}

fn condition(name: &str, text: &str) -> Result<Value, ApiError> {
    if text.chars().count() > MAX_CONDITION {
        return Err(bad_value(name, format!("at most {MAX_CONDITION} characters")));
    }
    Ok(Value::Text(text.into()))
}

/// What devices can be sorted by, besides parameters.
const SORTED_BY: [(&str, Field); 17] = [
    ("id", Field::Id),
    ("manufacturer", Field::Manufacturer),
    ("oui", Field::Oui),
    ("product_class", Field::ProductClass),
    ("serial_number", Field::SerialNumber),
    ("software_version", Field::SoftwareVersion),
    ("hardware_version", Field::HardwareVersion),
    ("provisioning_code", Field::ProvisioningCode),
    ("root", Field::Root),
    ("address", Field::Address),
    ("tenant", Field::Tenant),
    ("site", Field::Site),
    ("first_seen", Field::FirstSeen),
    ("last_inform", Field::LastInform),
    ("last_boot", Field::LastBoot),
    ("last_bootstrap", Field::LastBootstrap),
    ("parameter_count", Field::ParameterCount),
];

/// Reads `sort=…`: a column or `parameters.PATH`, with `-` before it for the
/// greatest first.
///
/// # Errors
/// [`ApiError::BadValue`] for what nothing can be sorted by.
pub(super) fn order(text: Option<&str>) -> Result<Option<Order>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    if let Some(path) = name.strip_prefix("parameters.") {
        let path = ParamPath::parse(path).map_err(|error| bad_value("sort", error))?;
        if path.is_object() {
            return Err(bad_value("sort", "name a parameter, not an object"));
        }
        if is_secret(&path) {
            return Err(bad_value("sort", format!("{path} is a secret; nothing is sorted by it")));
        }
        return Ok(Some(Order { field: Field::Parameter(path), descending }));
    }
    let known = SORTED_BY.iter().find(|(known, _)| *known == name);
    if let Some((_, field)) = known {
        return Ok(Some(Order { field: field.clone(), descending }));
    }
    let names = SORTED_BY.iter().map(|(known, _)| *known);
    let hint = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("by parameters.PATH, or {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(bad_value("sort", format!("nothing is sorted by that; {hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_nothing_to_search_or_sort_by() {
        let secret = "Device.ManagementServer.ConnectionRequestPassword";
        for text in [
            format!("value(\"{secret}\") == \"x\""),
            format!("true || value(\"{secret}\").startsWith(\"a\")"),
        ] {
            let which = DeviceWhich::by_rule(text.clone());
            let refused = which.filter().unwrap_err().to_string();
            assert!(refused.contains("secret"), "{text}: {refused}");
        }
        let refused = order(Some(&format!("-parameters.{secret}"))).unwrap_err().to_string();
        assert!(refused.contains("secret"), "{refused}");
    }

    #[test]
    fn an_order_is_a_column_or_a_parameter() {
        let last = order(Some("-last_inform")).unwrap().unwrap();
        assert_eq!(last, Order { field: Field::LastInform, descending: true });
        let value = order(Some("parameters.Device.DeviceInfo.UpTime")).unwrap().unwrap();
        assert!(matches!(value.field, Field::Parameter(_)) && !value.descending);
        for (wrong, told) in [
            ("lastinform", "did you mean `last_inform`?"),
            ("colour", "by parameters.PATH"),
            ("parameters.Device.", "not an object"),
            ("parameters..", "sort"),
        ] {
            let refused = order(Some(wrong)).unwrap_err().to_string();
            assert!(refused.contains(told), "{wrong}: {refused}");
        }
    }

    #[test]
    fn conditions_make_one_filter() {
        assert!(matches!(DeviceWhich::default().filter().unwrap(), Filter::All));
        let one = DeviceWhich { oui: Some("00D09E".to_owned()), ..DeviceWhich::default() };
        assert!(matches!(one.filter().unwrap(), Filter::Is(Field::Oui, Test::Equals(_))));
        let two = DeviceWhich { filter: Some("true".to_owned()), ..one };
        assert!(matches!(two.filter().unwrap(), Filter::And(parts) if parts.len() == 2));
        let long = DeviceWhich { tag: Some("x".repeat(257)), ..DeviceWhich::default() };
        assert!(long.filter().unwrap_err().to_string().contains("256"));
    }
}
