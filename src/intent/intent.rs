//! One intent as somebody wants it: its word and the values of its fields,
//! checked.

use std::collections::BTreeMap;

use super::words::{FieldWord, INTENTS, IntentWord};
use crate::class::Class;

/// The longest value from outside, in bytes.
const MAX_VALUE: usize = 4096;

/// What is wrong with an intent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// It is no object with a member `intent`.
    #[error(
        "an intent is an object with a member `intent`, as {{\"intent\": \"wifi\", \"name\": \"Home\"}}"
    )]
    Shape,
    /// There is no such intent.
    #[error("there is no intent {word}; there are {}", words())]
    Unknown {
        /// The word.
        word: Box<str>,
    },
    /// A field holds what it must not hold, or there is no such field.
    #[error("{field}: {problem}")]
    Field {
        /// The field.
        field: Box<str>,
        /// What it must be.
        problem: String,
    },
    /// Nothing is wanted.
    #[error("say what it is to be: {}", wishes(.word))]
    Empty {
        /// The intent.
        word: &'static str,
    },
}

impl IntentError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }

    /// The field that is wrong.
    pub fn field(&self) -> &str {
        match self {
            Self::Shape | Self::Unknown { .. } | Self::Empty { .. } => "intent",
            Self::Field { field, .. } => field,
        }
    }
}

fn words() -> String {
    INTENTS.iter().map(|intent| intent.word).collect::<Vec<_>>().join(", ")
}

/// The fields of an intent that say what is to be.
fn wishes(word: &str) -> String {
    let fields = IntentWord::of(word).map(|intent| intent.fields).unwrap_or_default();
    let wishes = fields.iter().filter(|field| !field.is_which()).map(|field| field.name);
    wishes.collect::<Vec<_>>().join(", ")
}

/// One intent with its values, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Intent {
    word: &'static IntentWord,
    values: BTreeMap<&'static str, String>,
}

impl std::fmt::Debug for Intent {
    /// Secrets are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.values.iter().map(|(name, value)| {
            let secret = self.word.field(name).is_some_and(FieldWord::is_secret);
            (*name, if secret { "***" } else { value.as_str() })
        });
        f.debug_struct("Intent")
            .field("intent", &self.word.word)
            .field("values", &shown.collect::<BTreeMap<_, _>>())
            .finish()
    }
}

impl Intent {
    /// An intent of texts by field.
    ///
    /// # Errors
    /// [`IntentError`]: what is unknown, out of range or missing.
    pub fn new<'a>(
        word: &str,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, IntentError> {
        let unknown = || IntentError::Unknown { word: word.chars().take(40).collect() };
        let word = IntentWord::of(word).ok_or_else(unknown)?;
        let mut values = BTreeMap::new();
        for (name, text) in fields {
            let field = word.field(name).ok_or_else(|| no_field(word, name))?;
            values.insert(field.name, field.check(text)?);
        }
        let wants = |name: &&&str| word.field(name).is_some_and(|field| !field.is_which());
        if values.keys().find(wants).is_none() {
            return Err(IntentError::Empty { word: word.word });
        }
        let intent = Self { word, values };
        intent.check_together()?;
        Ok(intent)
    }

    /// An intent as JSON: a member `intent` with its word, and its fields as
    /// texts, numbers, booleans or lists of texts.
    ///
    /// # Errors
    /// [`IntentError`]: what is unknown, out of range or missing.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, IntentError> {
        let members = value.as_object().ok_or(IntentError::Shape)?;
        let word =
            members.get("intent").and_then(|word| word.as_str()).ok_or(IntentError::Shape)?;
        let mut texts = Vec::new();
        for (name, value) in members.iter().filter(|(name, _)| *name != "intent") {
            texts.push((name.as_str(), text_of(name, value)?));
        }
        Self::new(word, texts.iter().map(|(name, text)| (*name, text.as_str())))
    }

    /// What contradicts itself.
    fn check_together(&self) -> Result<(), IntentError> {
        let wrong = |field: &'static str, problem: &str| {
            Err(IntentError::Field { field: field.into(), problem: problem.to_owned() })
        };
        match self.word.word {
            "wifi" => {
                if self.get("channel").is_some() {
                    if self.get("auto_channel") == Some("true") {
                        return wrong("channel", "the radio chooses it if auto_channel is on");
                    }
                    let channel = self.get("channel").and_then(|text| text.parse::<u32>().ok());
                    let has = |channels: std::ops::RangeInclusive<u32>| {
                        channel.is_some_and(|channel| channels.contains(&channel))
                    };
                    match self.get("band") {
                        Some("2.4GHz") if !has(1..=14) => {
                            return wrong("channel", "2.4GHz has channels 1 to 14");
                        }
                        Some("5GHz") if !has(32..=177) => {
                            return wrong("channel", "5GHz has channels 32 to 177");
                        }
                        None | Some("all") => return wrong("channel", "say of which band"),
                        Some(_) => {}
                    }
                }
                if self.get("security") == Some("open") && self.get("password").is_some() {
                    return wrong("password", "an open network has none");
                }
                Ok(())
            }
            "lan" => {
                let address = |name: &str| {
                    self.get(name).and_then(|text| text.parse::<std::net::Ipv4Addr>().ok())
                };
                match (address("dhcp_first"), address("dhcp_last")) {
                    (Some(first), Some(last)) if first > last => {
                        wrong("dhcp_last", "comes before dhcp_first")
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Which intent it is.
    pub const fn word(&self) -> &'static IntentWord {
        self.word
    }

    /// The value of a field, in clear.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.values.get(field).map(String::as_str)
    }

    /// The fields that say what is to be, with their values in clear.
    pub fn wishes(&self) -> impl Iterator<Item = (&'static FieldWord, &str)> {
        let values = self.values.iter();
        values
            .filter_map(|(name, value)| Some((self.word.field(name)?, value.as_str())))
            .filter(|(field, _)| !field.is_which())
    }

    /// The names of the fields whose values must not be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &'static str> {
        self.word.fields.iter().filter(|field| field.is_secret()).map(|field| field.name)
    }
}

fn no_field(word: &IntentWord, name: &str) -> IntentError {
    let fields: Vec<&str> = word.fields.iter().map(|field| field.name).collect();
    IntentError::Field {
        field: name.chars().take(40).collect(),
        problem: format!("{} has no such field; it has {}", word.word, fields.join(", ")),
    }
}

/// A member of JSON as the text that a field takes.
fn text_of(name: &str, value: &serde_json::Value) -> Result<String, IntentError> {
    use serde_json::Value::{Array, Bool, Number, String};
    let wrong = |problem: &str| IntentError::Field {
        field: name.chars().take(40).collect(),
        problem: problem.to_owned(),
    };
    let text = match value {
        String(text) => text.clone(),
        Bool(on) => on.to_string(),
        Number(number) => number.to_string(),
        Array(items) => {
            let texts = items.iter().map(|item| item.as_str().filter(|text| !text.contains(',')));
            let texts: Option<Vec<&str>> = texts.take(64).collect();
            texts.ok_or_else(|| wrong("a list holds texts"))?.join(",")
        }
        _ => return Err(wrong("a text, a number, true or false, or a list of texts")),
    };
    if text.len() > MAX_VALUE { Err(wrong("is too long")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Intent, IntentError> {
        Intent::from_json(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn an_intent_is_read_from_json() {
        let intent = read(r#"{"intent":"wifi","band":5,"name":"Home","enabled":true}"#).unwrap();
        assert_eq!(intent.word().word, "wifi");
        assert_eq!(intent.get("band"), Some("5GHz"));
        let wishes: Vec<(&str, &str)> =
            intent.wishes().map(|(field, value)| (field.name, value)).collect();
        assert_eq!(wishes, [("enabled", "true"), ("name", "Home")]);
        let dns = read(r#"{"intent":"dns","lan":["192.0.2.1","192.0.2.2"]}"#).unwrap();
        assert_eq!(dns.get("lan"), Some("192.0.2.1,192.0.2.2"));
    }

    #[test]
    fn what_is_no_intent_is_refused_with_its_field() {
        for (text, field) in [
            ("[]", "intent"),
            (r#"{"name":"x"}"#, "intent"),
            (r#"{"intent":"fly"}"#, "intent"),
            (r#"{"intent":"wifi","band":"5GHz"}"#, "intent"),
            (r#"{"intent":"wifi","nane":"x"}"#, "nane"),
            (r#"{"intent":"wifi","name":null}"#, "name"),
            (r#"{"intent":"wifi","name":{"a":1}}"#, "name"),
            (r#"{"intent":"wifi","channel":6}"#, "channel"),
            (r#"{"intent":"wifi","band":"5","channel":6}"#, "channel"),
            (r#"{"intent":"wifi","band":"2.4","channel":36}"#, "channel"),
            (r#"{"intent":"wifi","band":"5","channel":36,"auto_channel":true}"#, "channel"),
            (r#"{"intent":"wifi","security":"open","password":"12345678"}"#, "password"),
            (r#"{"intent":"lan","dhcp_first":"10.0.0.9","dhcp_last":"10.0.0.8"}"#, "dhcp_last"),
            (r#"{"intent":"vlan","id":-1}"#, "id"),
            (r#"{"intent":"vlan","id":7.5}"#, "id"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.field(), field, "{text}: {error}");
        }
    }

    #[test]
    fn a_secret_is_in_no_debug_text_and_in_no_error() {
        let intent = read(r#"{"intent":"pppoe","password":"CANARY"}"#).unwrap();
        assert!(!format!("{intent:?}").contains("CANARY"));
        let long = "CANARY".repeat(40);
        let error = Intent::new("pppoe", [("password", long.as_str())]).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("CANARY"));
    }
}
