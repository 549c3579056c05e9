//! What operators attach to a device.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Tags of one device at most.
pub const MAX_TAGS: usize = 100;

/// Fields that are known of one subscriber at most.
pub const MAX_FIELDS: usize = 64;

/// The longest tag, and the longest name of a field, in characters.
const MAX_NAME: usize = 64;

/// The longest name of a tenant or a site, in characters.
const MAX_PLACE: usize = 128;

/// The longest value of a field, in characters.
const MAX_VALUE: usize = 1024;

/// What is shown in place of a secret; given back, it keeps the secret.
pub const HIDDEN: &str = "***";

/// What operators attach to a device: by this, and by what it says of itself,
/// profiles and campaigns find it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// Free tags.
    pub tags: BTreeSet<Box<str>>,
    /// The tenant that it belongs to; may be empty.
    pub tenant: Box<str>,
    /// The site where it stands; may be empty.
    pub site: Box<str>,
    /// What is known of the subscriber: `id`, `name`, `pppoe_username`, … A name
    /// that says so (`…password`, `…secret`) is one of a secret.
    pub subscriber: BTreeMap<Box<str>, Box<str>>,
}

impl Labels {
    /// Whether they say the same, whatever their revisions.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.tags == other.tags
            && self.tenant == other.tenant
            && self.site == other.site
            && self.subscriber == other.subscriber
    }

    /// The fields of the subscriber as they may be shown: [`HIDDEN`] in place of
    /// each secret.
    pub fn shown_subscriber(&self) -> BTreeMap<Box<str>, Box<str>> {
        let shown = |name: &str, value: &str| {
            if is_secret_field(name) { HIDDEN.into() } else { value.into() }
        };
        self.subscriber.iter().map(|(name, value)| (name.clone(), shown(name, value))).collect()
    }

    /// Whether a field of the subscriber, of this name or of any, has this value
    /// in any case. Secrets are not asked: nobody finds one by guessing.
    pub fn has_subscriber(&self, name: Option<&str>, value: &str) -> bool {
        self.subscriber.iter().any(|(field, known)| {
            name.is_none_or(|name| *name == **field)
                && !is_secret_field(field)
                && known.to_lowercase() == value.to_lowercase()
        })
    }
}

/// Whether a field of a subscriber holds a secret, judged by its name:
/// `pppoe_password`, `wifi_psk`, `apiKey`, `sip_pass`.
pub fn is_secret_field(name: &str) -> bool {
    const PARTS: [&str; 8] =
        ["password", "passwd", "pswd", "pwd", "secret", "passphrase", "token", "credential"];
    const ENDINGS: [&str; 5] = ["pass", "psk", "pin", "puk", "key"];
    let squeezed: String =
        name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect();
    PARTS.iter().any(|part| squeezed.contains(part))
        || ENDINGS.iter().any(|ending| squeezed.ends_with(ending))
}

/// A change of labels. What it does not name stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelsChange {
    /// The tags from now on, in place of those before.
    pub tags: Option<Vec<String>>,
    /// Tags to set besides.
    pub add_tags: Vec<String>,
    /// Tags to take away.
    pub remove_tags: Vec<String>,
    /// The tenant; empty for none.
    pub tenant: Option<String>,
    /// The site; empty for none.
    pub site: Option<String>,
    /// Whether all that is known of the subscriber goes first.
    pub clear_subscriber: bool,
    /// Fields of the subscriber; empty to forget one, [`HIDDEN`] to keep a secret.
    pub subscriber: BTreeMap<String, String>,
}

/// What is wrong with one label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct LabelFault {
    /// `tags`, `tenant`, `site`, or `subscriber.NAME`.
    pub field: String,
    /// What would be right.
    pub problem: String,
}

fn fault(field: impl Into<String>, problem: impl Into<String>) -> LabelFault {
    LabelFault { field: field.into(), problem: problem.into() }
}

impl LabelsChange {
    /// Applies the change; the revision stays as it is.
    ///
    /// # Errors
    /// Everything that is wrong; the labels are then as they were.
    pub fn apply(self, labels: &mut Labels) -> Result<(), Vec<LabelFault>> {
        let mut faults = Vec::new();
        let mut changed = labels.clone();
        if let Some(tags) = self.tags {
            changed.tags = tags.into_iter().map(|tag| tag.trim().into()).collect();
        }
        for tag in self.remove_tags {
            changed.tags.remove(tag.trim());
        }
        changed.tags.extend(self.add_tags.into_iter().map(|tag| Box::from(tag.trim())));
        check_tags(&changed.tags, &mut faults);
        for (field, told, kept) in
            [("tenant", self.tenant, &mut changed.tenant), ("site", self.site, &mut changed.site)]
        {
            let Some(told) = told else { continue };
            match wrong_text(told.trim(), MAX_PLACE) {
                Some(problem) => faults.push(fault(field, problem)),
                None => *kept = told.trim().into(),
            }
        }
        if self.clear_subscriber {
            changed.subscriber.clear();
        }
        for (name, value) in self.subscriber {
            match field_value(&name, value, labels) {
                Err(fault) => faults.push(fault),
                Ok(None) => drop(changed.subscriber.remove(name.as_str())),
                Ok(Some(value)) => drop(changed.subscriber.insert(name.into(), value)),
            }
        }
        if changed.subscriber.len() > MAX_FIELDS {
            faults.push(fault("subscriber", format!("at most {MAX_FIELDS} fields")));
        }
        if faults.is_empty() {
            *labels = changed;
            Ok(())
        } else {
            Err(faults)
        }
    }
}

/// The value that a field is to have; `None` if it is to go.
fn field_value(name: &str, value: String, stored: &Labels) -> Result<Option<Box<str>>, LabelFault> {
    let wrong = |problem: &str| fault(format!("subscriber.{name}"), problem);
    if !is_field_name(name) {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        let problem = "a name has letters, digits and `_`, at most 64 of them, and begins with none of the digits";
        return Err(fault(format!("subscriber.{shown}"), problem));
    }
    if value.is_empty() {
        return Ok(None);
    }
    if value == HIDDEN && is_secret_field(name) {
        let kept = stored.subscriber.get(name).cloned();
        return kept.map(Some).ok_or_else(|| wrong("*** keeps a secret, and there is none"));
    }
    match wrong_text(&value, MAX_VALUE) {
        Some(problem) => Err(wrong(&problem)),
        None => Ok(Some(value.into())),
    }
}

/// Whether rules and templates can say the name as it is.
fn is_field_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn check_tags(tags: &BTreeSet<Box<str>>, faults: &mut Vec<LabelFault>) {
    if tags.len() > MAX_TAGS {
        faults.push(fault("tags", format!("at most {MAX_TAGS}")));
    }
    for tag in tags {
        if tag.is_empty() {
            faults.push(fault("tags", "a tag is not empty"));
        } else if tag.contains(';') {
            faults.push(fault("tags", "a tag has no `;`, which stands between tags in tables"));
        } else if let Some(problem) = wrong_text(tag, MAX_NAME) {
            faults.push(fault("tags", problem));
        }
    }
}

fn wrong_text(text: &str, longest: usize) -> Option<String> {
    if text.chars().count() > longest {
        return Some(format!("at most {longest} characters"));
    }
    text.chars().any(char::is_control).then(|| "no control characters".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn labels(fields: &[(&str, &str)]) -> Labels {
        let change = LabelsChange { subscriber: subscriber(fields), ..LabelsChange::default() };
        let mut labels = Labels::default();
        change.apply(&mut labels).unwrap();
        labels
    }

    #[test]
    fn a_change_touches_what_it_names_and_nothing_else() {
        let mut labels = labels(&[("id", "7"), ("pppoe_password", "s3cret")]);
        labels.tags = ["a".into(), "b".into()].into();
        labels.tenant = "north".into();
        let change = LabelsChange {
            add_tags: vec![" c ".into()],
            remove_tags: vec!["a".into()],
            site: Some("hq".into()),
            subscriber: subscriber(&[("id", ""), ("pppoe_password", "***"), ("name", "Anna")]),
            ..LabelsChange::default()
        };
        change.apply(&mut labels).unwrap();
        assert_eq!(labels.tags, ["b".into(), "c".into()].into());
        assert_eq!((&*labels.tenant, &*labels.site), ("north", "hq"));
        assert_eq!(labels.subscriber.get("id"), None);
        assert_eq!(&*labels.subscriber["pppoe_password"], "s3cret");
        assert_eq!(&*labels.subscriber["name"], "Anna");
    }

    #[test]
    fn everything_wrong_is_told_and_nothing_is_changed() {
        let before = labels(&[("id", "7")]);
        let mut after = before.clone();
        let change = LabelsChange {
            tags: Some(vec!["".into(), "a;b".into(), "x".repeat(65)]),
            tenant: Some("a\nb".into()),
            subscriber: subscriber(&[("1st", "x"), ("wifi_psk", "***"), ("ok", "\u{0}")]),
            ..LabelsChange::default()
        };
        let faults = change.apply(&mut after).unwrap_err();
        assert_eq!(faults.len(), 7, "{faults:#?}");
        assert_eq!(after, before);
    }

    #[test]
    fn secrets_are_known_by_the_name_of_their_field() {
        for name in ["password", "PPPoE_Password", "sip_pass", "wifi_psk", "apiKey", "sim_pin"] {
            assert!(is_secret_field(name), "{name}");
        }
        for name in ["id", "name", "pppoe_username", "contract", "keyboard", "passport"] {
            assert!(!is_secret_field(name), "{name}");
        }
        let labels = labels(&[("password", "x"), ("name", "Änne")]);
        assert_eq!(&*labels.shown_subscriber()["password"], HIDDEN);
        assert!(labels.has_subscriber(None, "änne") && labels.has_subscriber(Some("name"), "ÄNNE"));
        assert!(!labels.has_subscriber(None, "x"), "a secret is not found by guessing");
    }
}
