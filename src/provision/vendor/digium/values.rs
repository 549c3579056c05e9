//! What well-known settings take. Those that are not known are taken as they
//! are: the vendor adds some with each firmware.

use ipnet::IpNet;

use super::firmware::{FirmwareVersion, is_firmware_url};
use super::name::{Choice, List, Name};
use super::options::{Directive66, Place};
use crate::provision::RenderError;

/// The longest value, in characters.
const LONGEST: usize = 2000;
/// Settings that are switched on or off.
const BOOLEANS: [&str; 19] = [
    "allow_insecure_ssl",
    "compact_sip_headers",
    "enable_blf_on_unused_line_keys",
    "enable_check_sync",
    "enable_ice",
    "enable_logging",
    "expansion_enable",
    "in_switchvox_environment",
    "lock_preferences",
    "network_enable_dhcp",
    "ntp_prefer_option42",
    "record_own_calls",
    "send_mac_with_useragent",
    "tls_allow_wildcard_certs",
    "transport_tcp_enabled",
    "transport_tls_allowed",
    "transport_udp_enabled",
    "use_secure_labels",
    "web_ui_enabled",
];

/// Whether a setting holds a secret.
pub fn is_secret(name: &str) -> bool {
    let Ok(name) = Name::parse(name) else { return true };
    let word = name.word().to_ascii_lowercase();
    let known = ["password", "passwd", "passcode", "secret", "private_key", "psk"];
    known.iter().any(|part| word.contains(part))
        || matches!(word.as_str(), "pass" | "pin" | "8021x_password")
        // Whoever has the URL has the keys of the tunnel.
        || matches!(&name, Name::Attribute { id: "openvpn_inline_config", .. })
}

/// Checks one setting by itself.
///
/// # Errors
/// [`RenderError::SettingName`] or [`RenderError::SettingValue`]; never tells the
/// value.
pub fn check_setting(name: &str, value: &str) -> Result<(), RenderError> {
    let parsed = Name::parse(name)?;
    let wrong = |problem: &str| RenderError::SettingValue {
        name: name.chars().take(100).collect(),
        problem: problem.to_owned(),
    };
    if let Some(problem) = unwritable(value) {
        return Err(wrong(problem));
    }
    match problem(&parsed, value) {
        Some(problem) => Err(wrong(&problem)),
        None => Ok(()),
    }
}

/// Why a value cannot stand in an attribute; `None` if it can.
pub(super) fn unwritable(value: &str) -> Option<&'static str> {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    if value.chars().count() > LONGEST {
        Some("has more than 2000 characters")
    } else if value.contains(breaks) {
        Some("must be one line without control characters")
    } else {
        None
    }
}

fn problem(name: &Name<'_>, value: &str) -> Option<String> {
    let told = |problem: &str| Some(problem.to_owned());
    if let Name::Choice(choice) = name {
        return match choice {
            Choice::AllowDpma if Directive66::parse(value).is_none() => told(
                "takes the one directive that phones may get, sip:proxy@HOST[:PORT][;transport=udp]",
            ),
            Choice::ContactsForm if !matches!(value, "actions" | "numbers") => {
                told("takes actions or numbers")
            }
            _ => None,
        };
    }
    if Directive66::is_one(value) {
        return told(
            "would hand the phone over to a DPMA or Switchvox; if that is wanted, write it as allow_dpma",
        );
    }
    match name {
        Name::Setting { id, .. } => setting(id, value),
        Name::Network { attribute: "cidr", .. } => {
            value.parse::<IpNet>().is_err().then(|| "takes a network as 10.0.0.0/8".to_owned())
        }
        Name::Firmware { attribute: "version", .. }
        | Name::PublicFirmware { attribute: "version", .. } => FirmwareVersion::parse(value)
            .is_none()
            .then(|| "takes a version as 2_9_27 or 1_0_3_45441".to_owned()),
        Name::Firmware { model, .. } | Name::PublicFirmware { model, .. } => {
            is_firmware_url(value, model).err()
        }
        Name::Attribute { attribute: "md5", .. } | Name::Item { attribute: "md5", .. } => {
            let sound = value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
            (!sound).then(|| "takes an MD5 of 32 hex digits".to_owned())
        }
        Name::Attribute { attribute: "url", .. } | Name::Item { attribute: "url", .. } => {
            url(value)
        }
        Name::Item { list: List::Codec, attribute, .. } => match *attribute {
            "priority" => range(value, 1, 255),
            "enabled" => boolean(value),
            "packetization" | "jitter_min" | "jitter_max" | "jitter_target" => {
                range(value, 0, 100_000)
            }
            _ => None,
        },
        Name::Item { list: List::Alert, attribute: "ring_type", .. } => {
            one_of(value, &["normal", "answer", "ring-answer", "visual"])
        }
        Name::Account { part, .. } => account(part, value),
        _ => None,
    }
}

fn setting(id: &str, value: &str) -> Option<String> {
    match id {
        "config_server_url" => Place::parse(value)
            .is_err()
            .then(|| "takes [http|https|ftp|ftps://][USER:PASSWORD@]HOST[:PORT][/PATH]".to_owned()),
        "network_vlan_discovery_mode" => one_of(value, &["NONE", "MANUAL", "LLDP"]),
        "accept_local_calls" => one_of(value, &["any", "host"]),
        "time_source" => one_of(value, &["ntp"]),
        "network_vlan_id" | "pc_vlan_id" => range(value, 0, 4094),
        "ntp_resync" | "udp_ka_interval" => range(value, 0, 31_536_000),
        "log_port" => range(value, 1, 65535),
        id if BOOLEANS.contains(&id) => boolean(value),
        id if id.starts_with("transport_") && id.ends_with("_port") => range(value, 1, 65535),
        id if id.ends_with("_qos") => range(value, 0, 7),
        id if id.ends_with("_dscp") => range(value, 0, 63),
        id if id.ends_with("_volume") => range(value, 0, 10),
        _ => None,
    }
}

fn account(part: &super::name::Part<'_>, value: &str) -> Option<String> {
    use super::name::Part;
    match part {
        Part::Primary(word) | Part::Alternate(word) => match *word {
            "port" => range(value, 1, 65535),
            "transport" => one_of(value, &["udp", "tcp", "tls"]),
            "reregister" | "retry" | "num_retries" => range(value, 0, 86_400),
            _ => None,
        },
        Part::Itself("status" | "register" | "visual_voicemail" | "needMwiSubscription") => {
            boolean(value)
        }
        Part::Itself("outbound_port") => range(value, 0, 65535),
        Part::Itself(_) | Part::Permission(_) => None,
    }
}

fn boolean(value: &str) -> Option<String> {
    one_of(value, &["0", "1"])
}

fn one_of(value: &str, words: &[&str]) -> Option<String> {
    (!words.contains(&value)).then(|| format!("takes {}", words.join(" or ")))
}

fn range(value: &str, least: u32, most: u32) -> Option<String> {
    let sound = value.parse().is_ok_and(|number: u32| (least..=most).contains(&number));
    (!sound).then(|| format!("takes a number from {least} to {most}"))
}

fn url(value: &str) -> Option<String> {
    let scheme = value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let sound = scheme.is_some_and(|its| ["http", "https", "ftp", "ftps"].contains(&its.as_str()))
        && !value.contains(char::is_whitespace);
    (!sound).then(|| "takes a URL of http, https, ftp or ftps".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_settings_take() {
        for (name, value) in [
            ("time_zone", "Europe/Berlin"),
            ("config_server_url@1", "https://files.example.net/p/token/"),
            ("network/3/cidr", "0.0.0.0/0"),
            ("network_vlan_discovery_mode@1", "MANUAL"),
            ("firmware/D65/version", "2_9_27"),
            ("firmware/D65/url", "http://h/2_9_27_D65_firmware.eff"),
            ("setting-attr/logo_file/md5", "126cd744583eeea1ab7e44ed8af3d39c"),
            ("account/0/host_alternate/transport", "tls"),
            ("codec/PCMU/priority", "255"),
            ("alert/answer/ring_type", "ring-answer"),
            ("unheard_of_setting", "anything <&\"'>"),
            ("allow_dpma", "sip:proxy@pbx.example.net:5060;transport=udp"),
        ] {
            assert_eq!(check_setting(name, value), Ok(()), "{name}");
        }
        for (name, value, problem) in [
            ("enable_check_sync", "yes", "takes 0 or 1"),
            ("ring_volume", "11", "takes a number from 0 to 10"),
            ("network_vlan_id@2", "4095", "takes a number from 0 to 4094"),
            ("network_vlan_discovery_mode", "manual", "takes NONE or MANUAL or LLDP"),
            ("network/1/cidr", "10.0.0.0", "takes a network as 10.0.0.0/8"),
            ("firmware/D65/version", "2.9.27", "takes a version as 2_9_27"),
            ("firmware/D65/url", "http://h/firmware.eff", "carry"),
            ("setting-attr/logo_file/md5", "xyz", "takes an MD5 of 32 hex digits"),
            ("contacts/sales/url", "tftp://h/x.xml", "takes a URL"),
            ("config_server_url", "tftp://h/", "takes [http"),
            ("config_server_url", "sip:proxy@pbx", "write it as allow_dpma"),
            ("config_server_url", "SIP:PROXY@pbx", "write it as allow_dpma"),
            ("idle_company_text", "sip:proxy@pbx", "write it as allow_dpma"),
            ("allow_dpma", "1", "takes the one directive"),
            ("idle_company_text", "a\nb", "one line"),
        ] {
            let error = check_setting(name, value).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name}: ")) && error.contains(problem), "{error}");
        }
    }

    #[test]
    fn secrets_are_known() {
        for name in [
            "login_password",
            "account/0/password",
            "account/0/passcode",
            "setting-attr/pbx_credentials/pass",
            "setting-attr/openvpn_inline_config/url",
            "Not of the grammar",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["time_zone", "account/0/authname", "setting-attr/logo_file/url"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
