//! What is known of each parameter: its type, range, words and length.
//!
//! The facts are compiled in from `datamodels/audiocodes.tsv`, which says what
//! its columns mean.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::provision::RenderError;

/// The longest value of a parameter whose length is not known, in characters.
const LONGEST: usize = 1024;
/// The longest path, in bytes.
const LONGEST_PATH: usize = 200;
/// Parameters further apart than this are not taken for one another, in letters
/// to change.
const NEAR: usize = 4;
/// What stands before a path that is to be written as it is.
pub(super) const UNCHECKED: &str = "unchecked/";

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../../../../datamodels/audiocodes.tsv")));

/// The facts by path, list indices as `#`.
#[derive(Debug, Default)]
struct Table {
    by_path: BTreeMap<String, Vec<Parameter>>,
}

/// What is known of a parameter on some models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What it takes.
    pub kind: Kind,
    /// The indices of the list that it stands in; none if it stands in no list.
    pub indices: Option<(u16, u16)>,
    /// Whether the phone restarts when it changes.
    pub restarts: bool,
    /// Whether it is secret.
    pub secret: bool,
    /// The models that the facts are about; all if empty.
    pub models: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `0` or `1`.
    Bool,
    /// A whole number between two, both included.
    Int(i64, i64),
    /// A text of at most so many characters.
    Text(usize),
    /// One of these words, in any case.
    Word(Vec<&'static str>),
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&'static str> = line.split('\t').collect();
            let [path, kind, least, most, longest, flags, models, words] = cells[..] else {
                continue;
            };
            let kind = match kind {
                "bool" => Kind::Bool,
                "int" => {
                    let bound = |cell: &str, open: i64| cell.parse().unwrap_or(open);
                    Kind::Int(bound(least, i64::from(i32::MIN)), bound(most, i64::from(i32::MAX)))
                }
                "enum" => Kind::Word(words.split('|').collect()),
                _ => Kind::Text(longest.parse().unwrap_or(LONGEST)),
            };
            let (path, indices) = listed(path);
            let models = if models == "-" { "" } else { models };
            let (restarts, secret) = (flags.contains('r'), flags.contains('s'));
            let parameter = Parameter { kind, indices, restarts, secret, models };
            table.by_path.entry(path).or_default().push(parameter);
        }
        table
    }
}

/// A path of the table with its list index as `#`, and the indices.
fn listed(path: &str) -> (String, Option<(u16, u16)>) {
    let mut indices = None;
    let segments = path.split('/').map(|segment| {
        let inner = segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let range = inner.and_then(|inner| inner.split_once('-'));
        let range = range.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        indices = indices.or(range);
        if range.is_some() { "#" } else { segment }
    });
    let path = segments.collect::<Vec<_>>().join("/");
    (path, indices)
}

/// What is known of the parameter at a path, model by model; empty if nothing.
pub fn known(path: &str) -> Vec<&'static Parameter> {
    let Some(path) = sound(path) else { return Vec::new() };
    if let Some(found) = TABLE.by_path.get(path) {
        return found.iter().collect();
    }
    let mut index = None;
    let pattern: Vec<&str> = path
        .split('/')
        .map(|segment| match segment.parse::<u16>() {
            Ok(number) if index.is_none() => {
                index = Some(number);
                "#"
            }
            _ => segment,
        })
        .collect();
    let Some(index) = index else { return Vec::new() };
    let found = TABLE.by_path.get(&pattern.join("/")).map(Vec::as_slice).unwrap_or_default();
    let within = |parameter: &&Parameter| {
        parameter.indices.is_some_and(|(first, last)| (first..=last).contains(&index))
    };
    found.iter().filter(within).collect()
}

/// The path, if it has the form of one.
fn sound(path: &str) -> Option<&str> {
    let segment = |segment: &str| {
        !segment.is_empty()
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    let sound = path.len() <= LONGEST_PATH && path.contains('/') && path.split('/').all(segment);
    sound.then_some(path)
}

/// Checks a setting for phones of a model; of all models if it is empty.
///
/// # Errors
/// [`RenderError::SettingName`] or [`RenderError::SettingValue`]; never tells the
/// value.
pub fn check(name: &str, value: &str, model: &str) -> Result<(), RenderError> {
    let wrong = |problem: String| RenderError::SettingValue { name: cut(name), problem };
    let (path, checked) = match name.strip_prefix(UNCHECKED) {
        Some(path) => (path, false),
        None => (name, true),
    };
    if sound(path).is_none() {
        return Err(RenderError::SettingName {
            name: cut(name),
            wanted: "write a path of the configuration file, as in system/ntp/enabled",
        });
    }
    if let Some(problem) = unwritable(value) {
        return Err(wrong(problem.to_owned()));
    }
    if !checked || is_sealed(value) {
        return Ok(());
    }
    let known = known(path);
    if known.is_empty() {
        let near = nearest(path).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let problem = format!("is not known{near} What is sure is written as {UNCHECKED}{path}");
        return Err(wrong(cut_problem(problem)));
    }
    let its = |parameter: &&&Parameter| {
        parameter.models.split(',').any(|its| its.eq_ignore_ascii_case(model))
    };
    let mut told: Vec<&Parameter> = known.iter().filter(its).copied().collect();
    if told.is_empty() {
        told = known;
    }
    let mut problems = told.iter().map(|parameter| parameter.kind.problem(value));
    let first = problems.next().flatten();
    match first {
        Some(problem) if problems.all(|other| other.is_some()) => Err(wrong(problem)),
        _ => Ok(()),
    }
}

fn cut_problem(problem: String) -> String {
    problem.chars().take(300).collect()
}

/// Whether a value was encrypted by the vendor's means, `{"…"}`: it goes through
/// as it is.
pub(super) fn is_sealed(value: &str) -> bool {
    let inner = value.strip_prefix("{\"").and_then(|rest| rest.strip_suffix("\"}"));
    inner.is_some_and(|inner| {
        inner.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    })
}

/// Whether a setting's name is that of something secret.
pub fn is_secret(name: &str) -> bool {
    let path = name.strip_prefix(UNCHECKED).unwrap_or(name);
    let lower = path.to_ascii_lowercase();
    let last = lower.rsplit('/').next().unwrap_or_default();
    known(path).iter().any(|parameter| parameter.secret)
        || ["password", "passwd", "secret", "pin_code", "pincode", "private_key"]
            .iter()
            .any(|word| last.contains(word) && !last.ends_with("_uri") && !last.ends_with("_url"))
        || last == "pin"
        || lower.contains("activation_keys/")
}

/// Why a value cannot stand in a line; `None` if it can.
pub(super) fn unwritable(value: &str) -> Option<&'static str> {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if value.chars().count() > LONGEST {
        Some("has more than 1024 characters")
    } else if value.contains(breaks) {
        Some("must be one line without control characters")
    } else if value.contains(';') {
        Some("cannot hold a semicolon, which begins a comment")
    } else if value.trim() != value {
        Some("cannot begin or end with a blank, which the phone drops")
    } else {
        None
    }
}

impl Kind {
    /// What is wrong with a value; `None` if nothing.
    fn problem(&self, value: &str) -> Option<String> {
        match self {
            Self::Bool if matches!(value, "0" | "1") => None,
            Self::Bool => Some("takes 0 or 1".to_owned()),
            Self::Int(least, most) => {
                let sound =
                    value.parse().is_ok_and(|number: i64| (*least..=*most).contains(&number));
                (!sound).then(|| format!("takes a number from {least} to {most}"))
            }
            Self::Text(longest) => {
                let long = value.chars().count() > *longest;
                long.then(|| format!("takes at most {longest} characters"))
            }
            Self::Word(words) => {
                let sound = words.iter().any(|word| word.eq_ignore_ascii_case(value));
                (!sound).then(|| format!("takes one of {}", words.join(", ")))
            }
        }
    }
}

/// The known path that is nearest to one that is not.
fn nearest(path: &str) -> Option<String> {
    let pattern: Vec<&str> = path
        .split('/')
        .map(|segment| if segment.parse::<u16>().is_ok() { "#" } else { segment })
        .collect();
    let (last, pattern) = (pattern.last().copied()?, pattern.join("/"));
    let close = TABLE
        .by_path
        .keys()
        .filter(|known| known.len().abs_diff(pattern.len()) <= NEAR)
        .map(|known| (distance(known, &pattern), known))
        .min()
        .filter(|(distance, _)| *distance <= NEAR)
        .map(|(_, known)| known);
    // Else one that ends alike, in case the folder is wrong.
    let alike = || TABLE.by_path.keys().find(|known| known.rsplit('/').next() == Some(last));
    let found = close.or_else(alike)?;
    Some(found.replace('#', "0"))
}

/// How many letters must be put, taken or changed to make one of the other
/// (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<u8> = other.bytes().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut before = at;
        let mut left = at + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, its) in row.iter_mut().skip(1).zip(&other) {
            let changed = before + usize::from(letter != *its);
            before = *cell;
            left = changed.min(before + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The first 100 characters.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, value: &str, model: &str) -> String {
        check(name, value, model).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn all_lines_of_the_table_are_read() {
        let text = include_str!("../../../../datamodels/audiocodes.tsv");
        let lines = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(TABLE.by_path.values().map(Vec::len).sum::<usize>(), lines);
        assert!(lines > 1000);
    }

    #[test]
    fn values_are_held_against_the_facts() {
        for (name, value) in [
            ("voip/line/0/enabled", "1"),
            ("voip/line/7/id", "1001"),
            ("network/lan/vlan/mode", "manual"),
            ("provisioning/period/type", "every15minutes"),
            ("system/ntp/gmt_offset", "+02:00"),
            ("voip/line/0/enabled", "{\"c2VhbGVk\"}"),
            ("unchecked/voip/answer_device", "HEADSET"),
        ] {
            assert_eq!(told(name, value, ""), "", "{name}");
        }
        for (name, value, problem) in [
            ("voip/line/0/enabled", "2", "takes 0 or 1"),
            ("network/lan/vlan/id", "5000", "takes a number from 0 to 4096"),
            ("network/lan/vlan/id", "five", "takes a number"),
            ("network/lan/vlan/mode", "sometimes", "takes one of Disable, Manual"),
            ("provisioning/configuration/url", &"x".repeat(129), "takes at most 128 characters"),
            ("system/user_name", "a;b", "semicolon"),
            ("system/user_name", "a\nvoip/line/1/id=9", "one line"),
            ("system/user_name", " a", "blank"),
            ("voip/line/9/id", "1", "is not known"),
        ] {
            assert!(told(name, value, "").contains(problem), "{name}: {}", told(name, value, ""));
        }
    }

    #[test]
    fn models_differ() {
        assert_eq!(told("voip/line_key/5/line", "5", "450HD"), "");
        assert!(!told("system/watchdog/max_core_dump_on_flash", "9", "440HD").is_empty());
        assert_eq!(told("personal_settings/functional_key/8/type", "VocaNom", "450HD"), "");
        let error = told("personal_settings/functional_key/8/type", "VocaNom", "405HD");
        assert!(error.contains("takes one of"), "{error}");
        // Nothing is known of a 420HD, so what any model takes is taken.
        assert_eq!(told("personal_settings/functional_key/8/type", "VocaNom", "420HD"), "");
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        let error = told("system/ntp/primary_server_adress", "x", "");
        assert!(error.contains("did you mean system/ntp/primary_server_address?"), "{error}");
        let error = told("voip/line/0/auth_pasword", "hunter2", "");
        assert!(
            error.contains("voip/line/0/auth_password?") && !error.contains("hunter2"),
            "{error}"
        );
        for name in
            ["", "x", "voip//x", "voip/line/0/id=1", "voip/line 0/id", "include x/y", "a/b;c"]
        {
            assert!(matches!(check(name, "1", ""), Err(RenderError::SettingName { .. })), "{name}");
        }
    }

    #[test]
    fn secrets_are_known() {
        for name in [
            "voip/line/3/auth_password",
            "system/password",
            "management/tr069/connection_request/password",
            "unchecked/voip/x/password",
            "system/activation_keys/tr069",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["voip/line/3/auth_name", "security/sip_private_key_uri", "system/user_name"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
