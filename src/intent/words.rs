//! The intents and their fields: what can be wanted without knowing a path, and
//! what a value must look like. Where it stands on a device is told by
//! [`super::Ways`].

use super::intent::IntentError;
use super::zone;

/// One intent.
#[derive(Debug, PartialEq, Eq)]
pub struct IntentWord {
    /// Its word: `wifi`.
    pub word: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// Its fields.
    pub fields: &'static [FieldWord],
}

/// One field of an intent.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldWord {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub form: Form,
    /// What it is, in a few words.
    pub about: &'static str,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Which row is meant, not what it is to be: one of these words, or a number.
    Which(&'static [&'static str], Numbers),
    /// Which row is meant, by a text.
    WhichName,
    /// Text of so many bytes.
    Text(usize, usize),
    /// A text that must not be shown, of so many bytes.
    Secret(usize, usize),
    /// A passphrase of WPA: 8 to 63 printable ASCII characters, or 64 hex digits.
    Passphrase,
    /// On or off.
    Switch,
    /// A number within these bounds.
    Number(u32, u32),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An IPv4 address.
    Address,
    /// An IPv4 mask.
    Mask,
    /// IP addresses, at most so many.
    Addresses(usize),
    /// Names or addresses of servers, at most so many.
    Servers(usize),
    /// A time zone: a name of the IANA database, a rule of POSIX, or an offset.
    Zone,
}

/// Whether a number may stand in place of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// No.
    No,
    /// From 1.
    FromOne,
}

/// The words of bands.
pub const BANDS: [&str; 3] = ["2.4GHz", "5GHz", "6GHz"];

const fn field(name: &'static str, form: Form, about: &'static str) -> FieldWord {
    FieldWord { name, form, about }
}

/// All intents.
pub const INTENTS: &[IntentWord] = &[
    IntentWord {
        word: "wifi",
        about: "a Wi-Fi network: name, password, channel, on or off",
        fields: &[
            field(
                "band",
                Form::Which(&["2.4GHz", "5GHz", "6GHz", "all"], Numbers::No),
                "which band; all if not given",
            ),
            field(
                "network",
                Form::Which(&["main", "guest"], Numbers::FromOne),
                "which network of the band: main if not given",
            ),
            field("name", Form::Text(1, 32), "the network's name (SSID)"),
            field("password", Form::Passphrase, "the passphrase"),
            field(
                "security",
                Form::Choice(&["wpa2", "wpa2-wpa3", "wpa3", "open"]),
                "how the network is protected",
            ),
            field("enabled", Form::Switch, "whether the network is on"),
            field("hidden", Form::Switch, "whether the name is kept out of beacons"),
            field("radio", Form::Switch, "whether the radio is on, with all its networks"),
            field("channel", Form::Number(1, 233), "the channel of the radio"),
            field("auto_channel", Form::Switch, "whether the radio chooses its channel"),
        ],
    },
    IntentWord {
        word: "pppoe",
        about: "the login of the PPP connection to the provider",
        fields: &[
            field(
                "connection",
                Form::Which(&[], Numbers::FromOne),
                "which one, if there are several",
            ),
            field("username", Form::Text(1, 64), "the user name"),
            field("password", Form::Secret(1, 64), "the password"),
            field("enabled", Form::Switch, "whether the connection is on"),
        ],
    },
    IntentWord {
        word: "vlan",
        about: "the VLAN of the connection to the provider",
        fields: &[
            field(
                "connection",
                Form::Which(&[], Numbers::FromOne),
                "which one, if there are several",
            ),
            field("id", Form::Number(1, 4094), "the VLAN's number"),
            field("priority", Form::Number(0, 7), "the priority (802.1p)"),
            field("enabled", Form::Switch, "whether frames are tagged"),
        ],
    },
    IntentWord {
        word: "dns",
        about: "name servers: of the hosts in the LAN, of the device itself",
        fields: &[
            field(
                "connection",
                Form::Which(&[], Numbers::FromOne),
                "which connection, if there are several",
            ),
            field("lan", Form::Addresses(4), "what DHCP gives to the hosts"),
            field("wan", Form::Addresses(4), "what the device itself asks"),
        ],
    },
    IntentWord {
        word: "time",
        about: "time servers and the time zone",
        fields: &[
            field("servers", Form::Servers(5), "time servers (NTP)"),
            field(
                "zone",
                Form::Zone,
                "the time zone: Europe/Vienna, CET-1CEST,M3.5.0,M10.5.0/3, +01:00",
            ),
            field("enabled", Form::Switch, "whether the device sets its clock by them"),
        ],
    },
    IntentWord {
        word: "admin-password",
        about: "the password of the device's own pages",
        fields: &[
            field("user", Form::WhichName, "whose, if there are several users"),
            field("password", Form::Secret(1, 64), "the password"),
        ],
    },
    IntentWord {
        word: "sip",
        about: "a telephone line",
        fields: &[
            field("line", Form::Which(&[], Numbers::FromOne), "which line; 1 if not given"),
            field("enabled", Form::Switch, "whether the line is on"),
            field("registrar", Form::Text(1, 256), "the registrar's name or address"),
            field("registrar_port", Form::Number(1, 65_535), "its port"),
            field("proxy", Form::Text(1, 256), "the proxy's name or address"),
            field("proxy_port", Form::Number(1, 65_535), "its port"),
            field("domain", Form::Text(1, 256), "the domain of the line's address"),
            field("number", Form::Text(1, 32), "the line's directory number"),
            field("user", Form::Text(1, 128), "the user name for authentication"),
            field("password", Form::Secret(1, 128), "the password for authentication"),
            field("uri", Form::Text(1, 389), "the line's address, if it is not user@domain"),
        ],
    },
    IntentWord {
        word: "lan",
        about: "the device's address in the LAN, and its DHCP server",
        fields: &[
            field(
                "connection",
                Form::Which(&[], Numbers::FromOne),
                "which LAN, if there are several",
            ),
            field("address", Form::Address, "the device's own address"),
            field("mask", Form::Mask, "the mask of the subnet"),
            field("dhcp", Form::Switch, "whether it gives out addresses"),
            field("dhcp_first", Form::Address, "the first address that it gives out"),
            field("dhcp_last", Form::Address, "the last address that it gives out"),
        ],
    },
    IntentWord {
        word: "remote-access",
        about: "the device's own pages, from the side of the provider",
        fields: &[
            field("enabled", Form::Switch, "whether they are open"),
            field("port", Form::Number(1, 65_535), "their port"),
        ],
    },
    IntentWord {
        word: "inform",
        about: "how often the device calls",
        fields: &[
            field("interval", Form::Number(1, 31_536_000), "seconds"),
            field("enabled", Form::Switch, "whether it calls by itself"),
        ],
    },
];

impl IntentWord {
    /// The intent of a word.
    pub fn of(word: &str) -> Option<&'static Self> {
        INTENTS.iter().find(|intent| intent.word == word)
    }

    /// The field of a name.
    pub fn field(&self, name: &str) -> Option<&'static FieldWord> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl FieldWord {
    /// Whether it tells which row is meant, and not what it is to be.
    pub const fn is_which(&self) -> bool {
        matches!(self.form, Form::Which(..) | Form::WhichName)
    }

    /// Whether its value must not be shown.
    pub const fn is_secret(&self) -> bool {
        matches!(self.form, Form::Secret(..) | Form::Passphrase)
    }

    /// Checks a text, and gives it in its usual form.
    pub(super) fn check(&self, text: &str) -> Result<String, IntentError> {
        let wrong = |problem: String| Err(IntentError::Field { field: self.name.into(), problem });
        if text.chars().any(char::is_control) {
            return wrong("no control characters".to_owned());
        }
        match self.form {
            Form::Which(words, numbers) => {
                if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
                    return Ok((*word).to_owned());
                }
                // `5`, `2.4` and `6` are what people say.
                if let Some(band) = words.iter().find(|word| word.strip_suffix("GHz") == Some(text))
                {
                    return Ok((*band).to_owned());
                }
                let number = text.parse::<u32>().ok().filter(|number| (1..=256).contains(number));
                match (numbers, number) {
                    (Numbers::FromOne, Some(number)) => Ok(number.to_string()),
                    (Numbers::FromOne, None) if words.is_empty() => {
                        wrong("a number from 1 to 256".to_owned())
                    }
                    (Numbers::FromOne, None) => {
                        wrong(format!("{}, or a number from 1 to 256", words.join(", ")))
                    }
                    (Numbers::No, _) => wrong(format!("one of {}", words.join(", "))),
                }
            }
            Form::WhichName => sized(text, 1, 64).or_else(wrong),
            Form::Text(least, most) | Form::Secret(least, most) => {
                sized(text, least, most).or_else(wrong)
            }
            Form::Passphrase => passphrase(text).or_else(wrong),
            Form::Switch => switch(text).or_else(wrong),
            Form::Number(least, most) => match text.parse::<u32>() {
                Ok(number) if (least..=most).contains(&number) => Ok(number.to_string()),
                _ => wrong(format!("a number from {least} to {most}")),
            },
            Form::Choice(words) => {
                match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
                    Some(word) => Ok((*word).to_owned()),
                    None => wrong(format!("one of {}", words.join(", "))),
                }
            }
            Form::Address => address(text).or_else(wrong),
            Form::Mask => mask(text).or_else(wrong),
            Form::Addresses(most) => {
                let each = |one: &str| {
                    let address = one.parse::<std::net::IpAddr>();
                    address.map(|one| one.to_string()).map_err(|_| "IP addresses".to_owned())
                };
                list(text, most, each).or_else(wrong)
            }
            Form::Servers(most) => list(text, most, server).or_else(wrong),
            Form::Zone => zone::Zone::parse(text).map(|_| text.to_owned()).or_else(wrong),
        }
    }
}

fn sized(text: &str, least: usize, most: usize) -> Result<String, String> {
    if (least..=most).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(format!("from {least} to {most} bytes"))
    }
}

fn passphrase(text: &str) -> Result<String, String> {
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let is_key = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_key || printable && (8..=63).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("from 8 to 63 printable ASCII characters, or 64 hex digits".to_owned())
    }
}

fn switch(text: &str) -> Result<String, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok("true".to_owned()),
        "false" | "off" | "no" | "0" => Ok("false".to_owned()),
        _ => Err("on or off".to_owned()),
    }
}

fn address(text: &str) -> Result<String, String> {
    let address = text.parse::<std::net::Ipv4Addr>();
    address.map(|address| address.to_string()).map_err(|_| "an IPv4 address".to_owned())
}

fn mask(text: &str) -> Result<String, String> {
    let bits = text.parse::<std::net::Ipv4Addr>().map(u32::from);
    match bits {
        Ok(bits) if bits != 0 && bits.leading_ones() == bits.count_ones() => Ok(text.to_owned()),
        _ => Err("an IPv4 mask, as 255.255.255.0".to_owned()),
    }
}

fn server(text: &str) -> Result<String, String> {
    let sound = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':');
    if text.len() <= 64 && !text.is_empty() && text.chars().all(sound) {
        Ok(text.to_owned())
    } else {
        Err("names or addresses of servers, of at most 64 characters".to_owned())
    }
}

fn list(
    text: &str,
    most: usize,
    each: impl Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let items: Vec<String> =
        text.split(',').map(|item| each(item.trim())).collect::<Result<_, _>>()?;
    if items.len() > most {
        return Err(format!("at most {most}"));
    }
    Ok(items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(intent: &str, field: &str, text: &str) -> Option<String> {
        IntentWord::of(intent).unwrap().field(field).unwrap().check(text).ok()
    }

    #[test]
    fn a_value_is_taken_in_the_form_that_people_use() {
        for (intent, field, text, taken) in [
            ("wifi", "band", "5", Some("5GHz")),
            ("wifi", "band", "2.4ghz", Some("2.4GHz")),
            ("wifi", "band", "7", None),
            ("wifi", "band", "1", None),
            ("wifi", "network", "Guest", Some("guest")),
            ("wifi", "network", "2", Some("2")),
            ("wifi", "network", "0", None),
            ("wifi", "name", "", None),
            ("wifi", "name", "caf\u{e9}", Some("caf\u{e9}")),
            ("wifi", "name", "123456789012345678901234567890123", None),
            ("wifi", "password", "1234567", None),
            ("wifi", "password", "12345678", Some("12345678")),
            ("wifi", "password", "k\u{e4}se und brot", None),
            ("wifi", "enabled", "Off", Some("false")),
            ("wifi", "channel", "0", None),
            ("wifi", "security", "WPA2-WPA3", Some("wpa2-wpa3")),
            ("vlan", "id", "4094", Some("4094")),
            ("vlan", "id", "4095", None),
            ("lan", "mask", "255.255.254.0", Some("255.255.254.0")),
            ("lan", "mask", "255.0.255.0", None),
            ("lan", "address", "192.168.1", None),
            ("dns", "lan", "192.0.2.1, 2001:db8::1", Some("192.0.2.1,2001:db8::1")),
            ("dns", "lan", "a", None),
            ("dns", "lan", "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5", None),
            ("time", "servers", "a.example, 192.0.2.9", Some("a.example,192.0.2.9")),
            ("time", "servers", "a b", None),
            ("time", "zone", "Europe/Vienna", Some("Europe/Vienna")),
            ("time", "zone", "Nowhere/City", None),
            ("pppoe", "username", "a\nb", None),
        ] {
            assert_eq!(check(intent, field, text).as_deref(), taken, "{intent} {field} {text}");
        }
        let key = "0123456789abcdef".repeat(4);
        assert_eq!(check("wifi", "password", &key), Some(key));
    }

    #[test]
    fn words_of_intents_and_fields_are_told_apart() {
        for (position, intent) in INTENTS.iter().enumerate() {
            assert!(INTENTS[..position].iter().all(|other| other.word != intent.word));
            for (position, field) in intent.fields.iter().enumerate() {
                assert!(intent.fields[..position].iter().all(|other| other.name != field.name));
            }
        }
    }
}
