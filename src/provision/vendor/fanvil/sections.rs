//! What belongs where: the modules' headers, the lists in them, and the groups
//! that the newer XML has for both.
//!
//! The modules and lists are those of exports of the vendor's phones. Older
//! firmware marks numbered lists only.

use std::borrow::Cow;

use super::Generation;

/// A module with its rows, ready to be written in any dialect.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// The words between the brackets of its header, `SIP CONFIG MODULE`.
    pub(super) header: Cow<'a, str>,
    /// Its rows, those of a list together and those of none first.
    pub(super) entries: Vec<Entry<'a>>,
}

/// A row.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// The marker of the list that it stands in, `--SIP Line List--`.
    pub(super) list: Option<Cow<'a, str>>,
    /// The key without trailing blanks.
    pub(super) key: Cow<'a, str>,
    /// The value.
    pub(super) value: Cow<'a, str>,
}

/// Modules whose headers do not end in `CONFIG MODULE`.
const ODD_MODULES: [(&str, &str); 6] = [
    ("SIP Hotspot", "SIP Hotspot MODULE"),
    ("FIRMWARE CHECK", "FIRMWARE CHECK MODULE"),
    ("PHONE FEATURE", "PHONE FEATURE MODULE"),
    ("CALL FEATURE", "CALL FEATURE MODULE"),
    ("DEVICE MANAGER", "DEVICE MANAGER MODULE"),
    ("MCAST CFG", "MCAST CFG MODULE"),
];

/// The groups of `<sysConf>`, by header.
const GROUPS: [(&str, &str); 23] = [
    ("SIP CONFIG MODULE", "sip"),
    ("DSSKEY CONFIG MODULE", "dsskey"),
    ("AUTOUPDATE CONFIG MODULE", "ap"),
    ("PHONE FEATURE MODULE", "phone"),
    ("CALL FEATURE MODULE", "call"),
    ("MMI CONFIG MODULE", "web"),
    ("NET CONFIG MODULE", "net"),
    ("MM CONFIG MODULE", "mm"),
    ("DEVICE MANAGER MODULE", "dm"),
    ("VQM CONFIG MODULE", "vqm"),
    ("CTI CONFIG MODULE", "cti"),
    ("MCAST CFG MODULE", "mcast"),
    ("LOG CONFIG MODULE", "log"),
    ("TR069 CONFIG MODULE", "tr069"),
    ("SIP Hotspot MODULE", "hotspot"),
    ("VPN CONFIG MODULE", "vpn"),
    ("MAINTENANCE CONFIG MODULE", "mt"),
    ("FIRMWARE CHECK MODULE", "fwCheck"),
    ("QOS CONFIG MODULE", "qos"),
    ("DOT1X CONFIG MODULE", "dot1x"),
    ("APP CONFIG MODULE", "pubApp"),
    ("RECORD CONFIG MODULE", "record"),
    ("UI MAINTAIN CONFIG MODULE", "ui"),
];

/// The lists that have an element of their own in `<sysConf>`.
const SUBGROUPS: [(&str, &str); 6] = [
    ("--Sip Pnp List--", "pnp"),
    ("--Net Option--", "opt"),
    ("--Display Input--", "display"),
    ("--DateTime Config--", "date"),
    ("--DateTime Display--", "timeDisplay"),
    ("--Softkey Config--", "softKeyConfig"),
];

/// What numbered keys begin with, and the element of `<sysConf>` that has the
/// number as its `index`.
const INDEXED: [(&str, &str); 5] = [
    ("SIP", "line"),
    ("Account", "account"),
    ("P", "port"),
    ("XML-PBook", "xmlContact"),
    ("Fkey", "Fkey"),
];

/// The lists of programmable keys, a page each, and their elements.
const PAGES: [(&str, &str); 2] = [("Dsskey Config", "internal"), ("Sidekey Config", "dssSide")];

/// The keys of the soft keys, one list.
pub(super) const SOFT_KEYS: (&str, &str) = ("--SoftDss Config--", "dssSoft");

/// The words between the brackets of a module's header.
pub(super) fn header(module: &str) -> Cow<'_, str> {
    let odd = ODD_MODULES.iter().find(|(short, _)| short.eq_ignore_ascii_case(module));
    match odd {
        Some((_, header)) => Cow::Borrowed(header),
        None if module.ends_with(" MODULE") => Cow::Borrowed(module),
        None => format!("{module} CONFIG MODULE").into(),
    }
}

/// A setting's name taken apart: `MODULE/Key` or `MODULE/--List--/Key`.
pub(super) fn take_apart(name: &str) -> Option<(&str, Option<&str>, &str)> {
    let (module, rest) = name.split_once('/')?;
    let list = rest.starts_with("--").then(|| rest.find("--/")).flatten().filter(|at| *at > 2);
    let (list, key) = match list {
        Some(at) => (rest.get(..at + 2), rest.get(at + 3..)?),
        None => (None, rest),
    };
    (!module.is_empty() && !key.is_empty()).then_some((module, list, key))
}

/// The marker of the list that a key of a module stands in.
pub(super) fn list_of(module: &str, key: &str, generation: Generation) -> Option<&'static str> {
    const NUMBERED: [(&str, &str); 4] = [
        ("SIP", "--SIP Line List--"),
        ("Account", "--MMI Account--"),
        ("P", "--Port Config--"),
        ("XML-PBook", "--Xml PhoneBook--"),
    ];
    let digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let is = |start: &str| key.strip_prefix(start).is_some_and(digit);
    if is("Fkey") {
        let newer = module.starts_with("DSSKEY");
        return Some(if newer { "--Dsskey Config1--" } else { "--Function Key--" });
    }
    if let Some((_, marker)) = NUMBERED.iter().find(|(start, _)| is(start)) {
        return Some(marker);
    }
    match generation {
        Generation::New => named(module, key),
        Generation::Old => None,
    }
}

/// The lists of newer firmware whose keys are not numbered.
fn named(module: &str, key: &str) -> Option<&'static str> {
    let begins = |starts: &[&str]| starts.iter().any(|start| key.starts_with(start));
    if module.starts_with("AUTOUPDATE") {
        if key.starts_with("PNP ") {
            return Some("--Sip Pnp List--");
        }
        let option = ["DHCP Option", "DHCPv6 Option", "Dhcp Option", "Save DHCP", "Dhcp Renew"];
        return begins(&option).then_some("--Net Option--");
    }
    if module.starts_with("PHONE FEATURE") {
        if begins(&["LCD ", "Default Language", "Host Name", "Backlight ", "Enable Greetings"]) {
            return Some("--Display Input--");
        }
        if begins(&["Time Zone", "SNTP ", "Enable SNTP", "Second SNTP", "DST "]) {
            return Some("--DateTime Config--");
        }
        if begins(&["Time Display", "Date Display", "Enable TimeDisplay", "Date Separator"]) {
            return Some("--DateTime Display--");
        }
    }
    None
}

/// `Fkey12 Type` as its ID, `Fkey12`, and the rest.
pub(super) fn numbered(key: &str) -> Option<(&str, &str)> {
    let (id, rest) = key.split_once(' ')?;
    let numbered = id.ends_with(|c: char| c.is_ascii_digit())
        && id.starts_with(|c: char| c.is_ascii_alphabetic());
    (numbered && !rest.trim().is_empty()).then_some((id, rest))
}

/// The element and the number of an ID: `SIP12` is line 12.
pub(super) fn element_of(id: &str) -> (&str, &str) {
    let digits = id.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (start, number) = id.split_at(id.len() - digits);
    (
        INDEXED.iter().find(|(known, _)| *known == start).map_or(start, |(_, element)| element),
        number,
    )
}

/// What the keys below an element with an index begin with.
pub(super) fn id_start(element: &str) -> &str {
    if element == SOFT_KEYS.1 {
        return "Fkey";
    }
    INDEXED.iter().find(|(_, known)| *known == element).map_or(element, |(start, _)| start)
}

/// The group of a module.
pub(super) fn group_of(header: &str) -> Option<&'static str> {
    GROUPS.iter().find(|(known, _)| *known == header).map(|(_, group)| *group)
}

/// The module of a group.
pub(super) fn header_of_group(group: &str) -> Option<&'static str> {
    GROUPS.iter().find(|(_, known)| *known == group).map(|(header, _)| *header)
}

/// The element of a list whose keys are not numbered.
pub(super) fn subgroup_of(marker: &str) -> Option<&'static str> {
    SUBGROUPS.iter().find(|(known, _)| *known == marker).map(|(_, element)| *element)
}

/// The list of such an element; some templates say `softkey`.
pub(super) fn marker_of_subgroup(element: &str) -> Option<&'static str> {
    let element = if element == "softkey" { "softKeyConfig" } else { element };
    SUBGROUPS.iter().find(|(_, known)| *known == element).map(|(marker, _)| *marker)
}

/// The element and number of a page of programmable keys.
pub(super) fn page_of(marker: &str) -> Option<(&'static str, &str)> {
    let words = marker.strip_prefix("--")?.strip_suffix("--")?;
    PAGES.iter().find_map(|(start, element)| {
        let number = words.strip_prefix(start)?;
        let sound = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        sound.then_some((*element, number))
    })
}

/// The list of a page.
pub(super) fn marker_of_page(element: &str, number: &str) -> Option<String> {
    let (start, _) = PAGES.iter().find(|(_, known)| *known == element)?;
    Some(format!("--{start}{number}--"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(take_apart("SIP/SIP  Port"), Some(("SIP", None, "SIP  Port")));
        let listed = take_apart("DSSKEY/--Sidekey Config1--/Fkey1 Type");
        assert_eq!(listed, Some(("DSSKEY", Some("--Sidekey Config1--"), "Fkey1 Type")));
        assert_eq!(take_apart("A/--B"), Some(("A", None, "--B")));
        assert_eq!(take_apart("A/--/B"), Some(("A", None, "--/B")));
        for bad in ["", "A", "/A", "A/", "A/--B--/"] {
            assert_eq!(take_apart(bad), None, "{bad}");
        }
    }

    #[test]
    fn keys_find_their_lists() {
        use Generation::{New, Old};
        for (module, key, generation, list) in [
            ("DSSKEY", "Fkey1 Type", New, Some("--Dsskey Config1--")),
            ("PHONE", "Fkey1 Type", Old, Some("--Function Key--")),
            ("SIP", "SIP12 Transport", Old, Some("--SIP Line List--")),
            ("SIP", "SIP  Port", New, None),
            ("AUTOUPDATE", "PNP Enable", New, Some("--Sip Pnp List--")),
            ("AUTOUPDATE", "PNP Enable", Old, None),
            ("PHONE FEATURE", "SNTP Server", New, Some("--DateTime Config--")),
        ] {
            assert_eq!(list_of(module, key, generation), list, "{module}/{key}");
        }
    }

    #[test]
    fn groups_and_pages_lead_back() {
        for (header, group) in GROUPS {
            assert_eq!(header_of_group(group), Some(header));
        }
        for marker in ["--Dsskey Config1--", "--Sidekey Config12--"] {
            let (element, number) = page_of(marker).unwrap();
            assert_eq!(marker_of_page(element, number).as_deref(), Some(marker));
        }
        for id in ["SIP1", "Account2", "P1", "XML-PBook3", "Fkey40", "MCAST7"] {
            let (element, number) = element_of(id);
            assert_eq!(format!("{}{number}", id_start(element)), id);
        }
    }
}
