//! Which URLs a phone forms from DHCP: options 160, 66 with 67, and 43, in this
//! order.
//!
//! Follows the administrator's manuals of the 400HD series (LTRT-09960 §2.1.2,
//! LTRT-11973 §10.2). Two misprints of the latter's table are corrected: the
//! default name is `<MAC>.cfg`, and a name is taken as it is given.

use std::fmt;

use super::option43;
use crate::phone::Mac;

/// The longest value of an option, its pieces put together.
const LONGEST: usize = 1024;

/// The values of the options that a phone looks at; `None` where one was not
/// sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    /// Option 160.
    pub o160: Option<&'a [u8]>,
    /// Option 66, the TFTP server name.
    pub o66: Option<&'a [u8]>,
    /// Option 67, the boot file name.
    pub o67: Option<&'a [u8]>,
    /// Option 43, vendor-specific information.
    pub o43: Option<&'a [u8]>,
}

/// What a phone fetches, and which option told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    /// The firmware image.
    pub firmware: String,
    /// The configuration file.
    pub configuration: String,
    /// The option that decided.
    pub from: From,
}

/// The option that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Option 160.
    Option160,
    /// Option 66 alone.
    Option66,
    /// Option 66 with the names of option 67.
    Option66With67,
    /// Option 43.
    Option43,
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Option160 => "option 160",
            Self::Option66 => "option 66",
            Self::Option66With67 => "options 66 and 67",
            Self::Option43 => "option 43",
        })
    }
}

impl Urls {
    /// The URLs that a phone of a model forms; `None` if no option tells any.
    ///
    /// An option that is there and empty counts as not there, and one that
    /// cannot be read is passed over.
    pub fn from_options(options: &Options<'_>, model: &str, mac: Mac) -> Option<Self> {
        let o160 = options.o160.and_then(text).and_then(|text| Place::parse(text, None));
        let o66 = options.o66.and_then(text).and_then(|text| Place::parse(text, Some("tftp")));
        let o43 = || {
            let url = option43::url(options.o43?)?;
            Place::parse(&url, Some("tftp"))
        };
        let (place, from) = if let Some(place) = o160 {
            (place, From::Option160)
        } else if let Some(mut place) = o66 {
            let names = options.o67.and_then(text).map(Names::parse);
            let named = place.names != Names::default();
            match names.filter(|names| !named && *names != Names::default()) {
                Some(names) => {
                    place.names = names;
                    (place, From::Option66With67)
                }
                None => (place, From::Option66),
            }
        } else {
            (o43()?, From::Option43)
        };
        let Place { folder, names } = place;
        let firmware = names.firmware.unwrap_or_else(|| "<MODEL>.img".to_owned());
        let configuration = names.configuration.unwrap_or_else(|| "<MAC>.cfg".to_owned());
        let full =
            |name: &str| format!("{}{}", expand(&folder, model, mac), expand(name, model, mac));
        Some(Self { firmware: full(&firmware), configuration: full(&configuration), from })
    }
}

/// Puts a phone's model and MAC address (upper-case) in place of `<MODEL>` and
/// `<MAC>`.
pub fn expand(text: &str, model: &str, mac: Mac) -> String {
    let mac = mac.to_string().to_ascii_uppercase();
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        done.push_str(before);
        let word =
            |word: &str| from.get(..word.len()).is_some_and(|its| its.eq_ignore_ascii_case(word));
        let taken = if word("<MODEL>") {
            done.push_str(model);
            7
        } else if word("<MAC>") {
            done.push_str(&mac);
            5
        } else {
            done.push('<');
            1
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    done.push_str(rest);
    done
}

/// An option's text: without the NUL that some servers put at its end.
fn text(bytes: &[u8]) -> Option<&str> {
    if bytes.len() > LONGEST {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\0').trim();
    (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
}

/// Where files are, and how they are named.
#[derive(Debug)]
struct Place {
    /// `<protocol>://<host>/…/`.
    folder: String,
    names: Names,
}

/// The names of the two files, where they are told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    firmware: Option<String>,
    configuration: Option<String>,
}

impl Names {
    /// Reads `fw.img`, `fw.img;file.cfg`, `;file.cfg` or `file.cfg`.
    fn parse(text: &str) -> Self {
        let (firmware, configuration) = text.split_once(';').unwrap_or((text, ""));
        let some = |name: &str| {
            let name = name.trim().trim_start_matches('/');
            (!name.is_empty()).then(|| name.to_owned())
        };
        let (firmware, configuration) = (some(firmware), some(configuration));
        let is_configuration = |name: &String| {
            let ending = name.rsplit('.').next().unwrap_or_default();
            ["cfg", "cfx"].iter().any(|its| its.eq_ignore_ascii_case(ending))
        };
        match (firmware, configuration) {
            (Some(only), None) if is_configuration(&only) => {
                Self { firmware: None, configuration: Some(only) }
            }
            (firmware, configuration) => Self { firmware, configuration },
        }
    }
}

impl Place {
    /// Reads `<protocol>://<host>[:port][/folder/][fw.img][;file.cfg]`. Without a
    /// protocol the given one is meant; if none is given, it is no place.
    fn parse(text: &str, protocol: Option<&str>) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (protocol?.to_owned(), text),
        };
        if !["tftp", "ftp", "http", "https"].contains(&scheme.as_str()) {
            return None;
        }
        // Names may stand behind the host without a slash: `host;file.cfg`.
        let end = rest.find(['/', ';']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        if host.is_empty() || host.contains(char::is_whitespace) {
            return None;
        }
        let before = path.split(';').next().unwrap_or_default();
        let last = before.rfind('/').map_or(0, |at| at + 1);
        let (folder, names) = path.split_at(last);
        let folder = if folder.is_empty() { "/" } else { folder };
        // A last word without a dot is a folder whose slash was forgotten.
        let named = names.split(';').next().unwrap_or_default();
        let forgotten = !named.is_empty() && !named.contains(['.', '<']);
        let (folder, names) = if forgotten {
            (format!("{folder}{named}/"), names.get(named.len()..).unwrap_or_default())
        } else {
            (folder.to_owned(), names)
        };
        Some(Self { folder: format!("{scheme}://{host}{folder}"), names: Names::parse(names) })
    }
}

#[cfg(test)]
mod tests;
