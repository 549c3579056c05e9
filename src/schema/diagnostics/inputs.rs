//! Whether what an operator chose can be sent to a device.
//!
//! Devices hand such texts to programs and shells of theirs. What could be an
//! option or a command there is refused (security: F1, F2).

use std::net::IpAddr;

use super::{DiagnosticObject, InputForm};
use crate::param::{ParamPath, Value};

/// The longest text of an input; the data models say 256.
const MAX_TEXT: usize = 256;

/// Why an input cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The diagnostic has no such input.
    #[error("this diagnostic has no such input; it has {0}")]
    Unknown(String),
    /// It means nothing without this input.
    #[error("is needed by this diagnostic")]
    Missing,
    /// Not a host name or an address.
    #[error("must be a host name or an address")]
    Host,
    /// Not a URL that a device may be given.
    #[error("must be an http or ftp URL without user name and without characters of a shell")]
    Url,
    /// Not the path of an interface.
    #[error("must be the path of an interface, as in Device.IP.Interface.1.")]
    Interface,
    /// Not a number within the bounds of the data model.
    #[error("must be a whole number from {0} to {1}")]
    Number(u64, u64),
    /// Neither true nor false.
    #[error("must be true or false")]
    Flag,
    /// Not one of the texts that the data model has.
    #[error("must be one of {0}")]
    OneOf(String),
}

impl DiagnosticObject {
    /// Checks what an operator chose. On failure the name of the input is told
    /// with what is wrong.
    ///
    /// # Errors
    /// [`InputError`] for the first input that cannot be sent, or that is missing.
    pub fn check(&self, chosen: &[(Box<str>, Box<str>)]) -> Result<(), (Box<str>, InputError)> {
        for (name, text) in chosen {
            let input = self.input(name).ok_or_else(|| {
                let names: Vec<&str> = self.inputs.iter().map(|input| input.name).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                (name.clone(), InputError::Unknown(names))
            })?;
            input.form.check(text).map_err(|error| (name.clone(), error))?;
        }
        let missing = self
            .inputs
            .iter()
            .find(|input| input.required && !chosen.iter().any(|(name, _)| **name == *input.name));
        missing.map_or(Ok(()), |input| Err((input.name.into(), InputError::Missing)))
    }
}

impl InputForm {
    /// Whether a text can be sent for it.
    ///
    /// # Errors
    /// [`InputError`]: what it has to be.
    pub fn check(self, text: &str) -> Result<(), InputError> {
        let verdict = |holds: bool, error| if holds { Ok(()) } else { Err(error) };
        match self {
            Self::Host => verdict(is_host(text), InputError::Host),
            Self::OptionalHost => verdict(text.is_empty() || is_host(text), InputError::Host),
            Self::Url => verdict(is_url(text), InputError::Url),
            Self::Interface => {
                let sound = text.is_empty()
                    || (text.len() <= MAX_TEXT
                        && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
                        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._[]-".contains(c))
                        && ParamPath::parse(text).is_ok());
                verdict(sound, InputError::Interface)
            }
            Self::Number(least, most) => {
                let sound = text.parse().is_ok_and(|number| (least..=most).contains(&number));
                verdict(sound && is_digits(text), InputError::Number(least.into(), most.into()))
            }
            Self::Bytes { long } => {
                let most = if long { u64::MAX } else { u32::MAX.into() };
                let sound = text.parse().is_ok_and(|number: u64| (1..=most).contains(&number));
                verdict(sound && is_digits(text), InputError::Number(1, most))
            }
            Self::Flag => verdict(Value::string(text).as_bool().is_some(), InputError::Flag),
            Self::OneOf(texts) => {
                verdict(texts.contains(&text), InputError::OneOf(texts.join(", ")))
            }
        }
    }
}

/// `+5` is a number for Rust and none for XML Schema's readers in devices.
fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is an address or a host name (RFC 1123 §2.1, and the
/// underscore of service names): nothing that a program could take for an option,
/// nothing that a shell could take for a command.
pub fn is_host(text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Whether a text is an `http` or `ftp` URL with a sound host and no user, made
/// of characters that neither a shell nor a quoted text gives a meaning to.
fn is_url(text: &str) -> bool {
    let rest =
        ["http://", "https://", "ftp://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let Some(rest) = rest.filter(|_| text.len() <= MAX_TEXT) else { return false };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or_default();
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?+,=%&".contains(&byte);
    path.bytes().all(sound) && is_authority(authority)
}

/// `host`, `host:port` or `[address]:port`.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("", port)
        }
        None => text.split_at_checked(text.find(':').unwrap_or(text.len())).unwrap_or_default(),
    };
    let port_sound = match port.strip_prefix(':') {
        Some(number) => is_digits(number) && number.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    port_sound && (text.starts_with('[') || is_host(host))
}
