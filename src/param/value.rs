//! Parameter values with their CWMP type (TR-069 §A.2.2, TR-106 §3.2).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of a value, as `xsi:type` names it.
///
/// [`ValueType::Other`] keeps the text of a type that the standard does not
/// know (`xsd:json`, Q10), so that it can be written back as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ValueType {
    /// `xsd:string`, also the answer to a missing type (Q8).
    #[default]
    String,
    /// `xsd:int`.
    Int,
    /// `xsd:unsignedInt`.
    UnsignedInt,
    /// `xsd:long`.
    Long,
    /// `xsd:unsignedLong`.
    UnsignedLong,
    /// `xsd:boolean`.
    Boolean,
    /// `xsd:dateTime`.
    DateTime,
    /// `xsd:base64` or `xsd:base64Binary`.
    Base64,
    /// `xsd:hexBinary`.
    HexBinary,
    /// `xsd:decimal`.
    Decimal,
    /// Anything else: the local name as the device wrote it.
    Other(Box<str>),
}

impl ValueType {
    /// The type that a name stands for; the prefix of a qualified name is
    /// ignored (Q5).
    pub fn from_name(name: &str) -> Self {
        let local = name.rsplit(':').next().unwrap_or(name).trim();
        match local {
            "string" | "" => Self::String,
            "int" => Self::Int,
            "unsignedInt" => Self::UnsignedInt,
            "long" => Self::Long,
            "unsignedLong" => Self::UnsignedLong,
            "boolean" => Self::Boolean,
            "dateTime" => Self::DateTime,
            "base64" | "base64Binary" => Self::Base64,
            "hexBinary" => Self::HexBinary,
            "decimal" => Self::Decimal,
            other => Self::Other(other.chars().take(64).collect()),
        }
    }

    /// The local name, to stand behind `xsd:`.
    pub fn name(&self) -> &str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::UnsignedInt => "unsignedInt",
            Self::Long => "long",
            Self::UnsignedLong => "unsignedLong",
            Self::Boolean => "boolean",
            Self::DateTime => "dateTime",
            Self::Base64 => "base64",
            Self::HexBinary => "hexBinary",
            Self::Decimal => "decimal",
            Self::Other(name) => name,
        }
    }

    /// Whether two texts are the same value of this type; see [`Value::agrees`].
    pub fn same(&self, one: &str, other: &str) -> bool {
        if one == other {
            return true;
        }
        let (a, b) = (one.trim(), other.trim());
        match self {
            Self::Boolean => parse_bool(a).is_some() && parse_bool(a) == parse_bool(b),
            Self::Int | Self::UnsignedInt | Self::Long | Self::UnsignedLong => {
                matches!((a.parse::<i128>(), b.parse::<i128>()), (Ok(a), Ok(b)) if a == b)
            }
            Self::HexBinary => a.eq_ignore_ascii_case(b),
            Self::DateTime => moment(a) == moment(b),
            Self::String | Self::Base64 | Self::Decimal | Self::Other(_) => {
                one.trim_end() == other.trim_end()
            }
        }
    }
}

/// A parameter's value: the text as it stands on the wire, and its type.
///
/// Blanks in the text are significant. Two values are [`Value::agrees`]ing
/// when a device would call them the same, which is less strict than `==`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Value {
    /// The text.
    pub text: Box<str>,
    /// The type.
    pub kind: ValueType,
}

impl Value {
    /// A value of a given type.
    pub fn new(text: impl Into<Box<str>>, kind: ValueType) -> Self {
        Self { text: text.into(), kind }
    }

    /// A string.
    pub fn string(text: impl Into<Box<str>>) -> Self {
        Self::new(text, ValueType::String)
    }

    /// A boolean in the form that most CPEs accept, `1` or `0` (Q11).
    pub fn boolean(on: bool) -> Self {
        Self::new(if on { "1" } else { "0" }, ValueType::Boolean)
    }

    /// An unsigned integer.
    pub fn unsigned(number: u32) -> Self {
        Self::new(number.to_string(), ValueType::UnsignedInt)
    }

    /// The truth of a boolean text in any of its four lexical forms, any case.
    pub fn as_bool(&self) -> Option<bool> {
        parse_bool(&self.text)
    }

    /// Whether both say the same, given the type of `self`: booleans by truth,
    /// numbers by value, times without fraction and without the zone of UTC (Q12),
    /// strings without trailing blanks (Q48).
    pub fn agrees(&self, other: &Self) -> bool {
        self.kind.same(&self.text, &other.text)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A time as far as devices agree on it: fraction and zone of UTC left out.
fn moment(text: &str) -> (&str, &str) {
    let clock_ends = text
        .find('T')
        .and_then(|at| text.get(at..)?.find(['Z', '+', '-']).map(|zone| at + zone))
        .unwrap_or(text.len());
    let (clock, zone) = text.split_at(clock_ends);
    let clock = clock.split('.').next().unwrap_or(clock);
    (clock, if matches!(zone, "Z" | "+00:00" | "-00:00") { "" } else { zone })
}

/// Reads `0`, `1`, `true`, `false` in any case.
fn parse_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_local_name() {
        assert_eq!(ValueType::from_name("xsd:unsignedInt"), ValueType::UnsignedInt);
        assert_eq!(ValueType::from_name("base64Binary"), ValueType::Base64);
        assert_eq!(ValueType::from_name("xsd:json").name(), "json");
    }

    #[test]
    fn agreement_follows_the_type() {
        let yes = Value::boolean(true);
        assert!(yes.agrees(&Value::string("TRUE")));
        assert!(!yes.agrees(&Value::string("0")));
        assert!(Value::unsigned(7).agrees(&Value::string("007")));
        assert!(Value::string("net").agrees(&Value::string("net  ")));
        assert!(!Value::string("net").agrees(&Value::string(" net")));
        assert!(!Value::string("1").agrees(&Value::string("true")));
        let time = Value::new("2026-01-02T03:04:05Z", ValueType::DateTime);
        assert!(time.agrees(&Value::string("2026-01-02T03:04:05.000+00:00")));
        assert!(!time.agrees(&Value::string("2026-01-02T03:04:05+01:00")));
    }
}
