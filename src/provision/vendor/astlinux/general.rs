//! The values of the `[general]` context.

use super::mode::Mode;
use super::original;
use super::variables::{self, Piece, UNNUMBERED, Values};

/// A key whose value may hold variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    AccountPrefix,
    AccountSuffix,
    ProvPath,
    ProvFile,
    DialplanPath,
    File1,
    File2,
    File3,
    File4,
    File5,
    File6,
    Context1,
    Context2,
    Context3,
    Context4,
    Context5,
    Context6,
    SipPath,
    SipFile,
    PjsipPath,
    PjsipFile,
    SqlEnable,
    SipDriver,
}

/// How each [`Key`] is written, in its order.
const KEYS: [&str; 23] = [
    "auto_account_prefix",
    "auto_account_suffix",
    "prov_path",
    "prov_file",
    "dialplan_path",
    "dialplan_file",
    "dialplan2_file",
    "dialplan3_file",
    "dialplan4_file",
    "dialplan5_file",
    "dialplan6_file",
    "dialplan_context",
    "dialplan2_context",
    "dialplan3_context",
    "dialplan4_context",
    "dialplan5_context",
    "dialplan6_context",
    "sip_path",
    "sip_file",
    "pjsip_path",
    "pjsip_file",
    "sql_enable",
    "sip_driver",
];

/// The keys whose values hold no variables.
const OWN_KEYS: [&str; 4] = ["macaddress_case", "auto_account_case", "model", "vendor"];

/// The longest value with its variables put in, in bytes.
const MAX_VALUE: usize = 64 << 10;

/// A letter case that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
}

impl Case {
    /// Only the exact words count; anything else leaves the letters as they are.
    fn named(word: &str) -> Option<Self> {
        match word {
            "upper" => Some(Self::Upper),
            "lower" => Some(Self::Lower),
            _ => None,
        }
    }

    /// The text in this case; unchanged without one.
    pub(super) fn of(case: Option<Self>, text: String) -> String {
        match case {
            Some(Self::Upper) => text.to_ascii_uppercase(),
            Some(Self::Lower) => text.to_ascii_lowercase(),
            None => text,
        }
    }
}

/// The `[general]` context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct General {
    pub(super) mac_case: Option<Case>,
    pub(super) account_case: Option<Case>,
    pub(super) model: Option<Box<str>>,
    pub(super) vendor: Option<Box<str>>,
    values: [Option<Setting>; KEYS.len()],
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Setting {
    /// A value without variables.
    Constant(Box<str>),
    Pieces(Vec<Piece>),
    /// The value's whole line from the value on, to be substituted first and cut
    /// at a blank then.
    Raw(Box<str>),
}

impl General {
    /// Reads the lines of the context. The last definition of a key counts; a
    /// value ends at a blank.
    ///
    /// # Errors
    /// `Err` if a value is no UTF-8.
    pub(super) fn read(lines: &[&[u8]], mode: Mode) -> Result<Self, std::str::Utf8Error> {
        let mut general = Self::default();
        for line in lines {
            let Some(equals) = memchr::memchr(b'=', line) else { continue };
            let name = String::from_utf8_lossy(&line[..equals]);
            let name = name.trim_end_matches(' ');
            if !OWN_KEYS.contains(&name) && !KEYS.contains(&name) {
                continue;
            }
            let rest = std::str::from_utf8(&line[equals + 1..])?;
            let rest = rest.trim_start_matches(' ');
            let value = match mode {
                Mode::Right => rest.split([' ', '\t', '\r']).next(),
                Mode::Original => rest.split(' ').next(),
            };
            let value = value.unwrap_or_default();
            let filled = (!value.is_empty()).then(|| Box::from(value));
            match name {
                "macaddress_case" => general.mac_case = Case::named(value),
                "auto_account_case" => general.account_case = Case::named(value),
                "model" => general.model = filled,
                "vendor" => general.vendor = filled,
                _ => {
                    if let Some(at) = KEYS.iter().position(|key| *key == name) {
                        general.values[at] = Some(match mode {
                            Mode::Right => Setting::cut(value),
                            Mode::Original => Setting::Raw(rest.into()),
                        });
                    }
                }
            }
        }
        Ok(general)
    }

    /// A value with the unnumbered variables put in; `None` if it is not set or
    /// empty.
    pub(super) fn value(&self, key: Key, values: &Values<'_>) -> Option<String> {
        let text = match self.values[key as usize].as_ref()? {
            Setting::Constant(text) => text.to_string(),
            Setting::Pieces(pieces) => {
                let mut bytes = Vec::new();
                variables::fill(pieces, values, &mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Setting::Raw(line) => {
                let mut text = line.as_bytes().to_vec();
                if !original::substitute(&mut text, values, UNNUMBERED, MAX_VALUE) {
                    return None;
                }
                let text = String::from_utf8_lossy(&text);
                text.split(' ').next().unwrap_or_default().to_owned()
            }
        };
        (!text.is_empty()).then_some(text)
    }

    /// Whether the value is the same for every phone.
    pub(super) fn is_constant(&self, key: Key) -> bool {
        matches!(self.values[key as usize], None | Some(Setting::Constant(_)))
    }
}

impl Setting {
    fn cut(value: &str) -> Self {
        let pieces = variables::cut(value.as_bytes(), UNNUMBERED);
        if pieces.iter().any(|piece| matches!(piece, Piece::Value(_))) {
            Self::Pieces(pieces)
        } else {
            Self::Constant(value.into())
        }
    }
}
