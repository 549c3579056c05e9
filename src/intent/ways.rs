//! The mapping: for each intent the ways in which data models offer it, as a
//! table that can be read and added to.
//!
//! The form is explained in `datamodels/intents.toml`, which is compiled in. A
//! table of the operator goes before it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

use super::known::Known;
use super::words::{BANDS, IntentWord};
use crate::class::Class;

/// The most ways of one table.
const MAX_WAYS: usize = 1000;

/// The most rows, fields or paths of one way.
const MAX_PARTS: usize = 100;

/// The longest table of an operator, in bytes.
const MAX_TABLE: usize = 1 << 20;

/// What is wrong with a table of ways.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaysError {
    /// It is no TOML of this form.
    #[error("the table of intents cannot be read: {0}")]
    Unreadable(String),
    /// One way contradicts itself.
    #[error("the table of intents, {intent} in `{way}`: {problem}")]
    Way {
        /// The intent.
        intent: String,
        /// The way's name.
        way: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Another table is in force already.
    #[error("another table of intents is in force already")]
    Installed,
}

impl WaysError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

/// How sure it is that a device does what a way says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// It follows from a data model of the Broadband Forum.
    Standard,
    /// An operator says so.
    #[default]
    Operator,
    /// Several independent configurations of others use it; no device was seen
    /// to do it here.
    Reported,
}

impl Basis {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Operator => "operator",
            Self::Reported => "reported",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    way: Vec<Way>,
}

/// One way in which devices offer an intent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Way {
    pub(super) intent: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) basis: Basis,
    #[serde(default)]
    pub(super) root: String,
    #[serde(default)]
    pub(super) oui: Vec<String>,
    #[serde(default)]
    pub(super) product_class: Vec<String>,
    #[serde(default)]
    pub(super) needs: Vec<String>,
    #[serde(default)]
    pub(super) row: Vec<RowRule>,
    #[serde(default)]
    pub(super) choose: Choose,
    #[serde(default)]
    pub(super) field: Vec<FieldRule>,
    #[serde(default)]
    pub(super) guard: Vec<Guard>,
}

/// A row that takes part: one of a table, or where a reference leads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowRule {
    pub(super) name: String,
    #[serde(default)]
    pub(super) table: String,
    #[serde(default)]
    pub(super) follow: String,
    #[serde(default)]
    pub(super) into: Vec<String>,
    /// The row inside of which this one is the next row outwards.
    #[serde(default)]
    pub(super) around: String,
}

/// Which of the rows is meant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, tag = "how", rename_all = "lowercase")]
pub(super) enum Choose {
    /// There are no rows to choose from.
    #[default]
    None,
    /// The only one, or the one whose number the field names; of several those
    /// that a condition prefers.
    One {
        number: String,
        #[serde(default)]
        prefer: Vec<Condition>,
    },
    /// The one whose number the field names, the first if it names none.
    Number { number: String },
    /// The one whose parameter is what the field says.
    Named {
        name: String,
        path: String,
        #[serde(default)]
        usual: Vec<String>,
    },
    /// Those of a band, and of them by number or word.
    Bands { evidence: Vec<Evidence>, guest: Vec<Evidence> },
}

/// What a parameter must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) path: String,
    pub(super) is: Vec<String>,
}

/// A parameter that tells something of a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    pub(super) path: String,
    #[serde(default)]
    pub(super) read: Reading,
    /// What its values stand for.
    #[serde(default)]
    pub(super) words: BTreeMap<String, String>,
    /// Of `contains`: what stands in it, in lower case.
    #[serde(default)]
    pub(super) contains: String,
}

/// How a parameter tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reading {
    /// It is one of the words.
    #[default]
    Words,
    /// It names channels: up to 14 are of 2.4 GHz, from 32 on of 5 GHz.
    Channels,
    /// It names standards of IEEE 802.11 that know one band only.
    Standards,
    /// A text stands in it.
    Contains,
}

/// Where a field of an intent stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldRule {
    pub(super) name: String,
    /// The parameter; of several the first that is there.
    #[serde(default)]
    pub(super) path: Vec<PathRule>,
    /// Write all that are there, and not only the first.
    #[serde(default)]
    pub(super) every: bool,
    #[serde(default)]
    pub(super) form: Writing,
    /// What the device calls the words of the field; the first that it offers is
    /// written, all are read.
    #[serde(default)]
    pub(super) words: BTreeMap<String, Vec<String>>,
    /// A parameter that lists what the device offers.
    #[serde(default)]
    pub(super) among: String,
    /// What is written with it, where it is there.
    #[serde(default)]
    pub(super) with: Vec<With>,
    /// A table whose rows are the items of a list.
    #[serde(default)]
    pub(super) rows: Option<Rows>,
}

/// A parameter, and how sure that is.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum PathRule {
    /// As sure as the way.
    Plain(String),
    /// Of its own.
    Marked(MarkedPath),
}

/// A parameter with its own basis.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarkedPath {
    pub(super) path: String,
    pub(super) basis: Basis,
}

impl PathRule {
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Plain(path) => path,
            Self::Marked(marked) => &marked.path,
        }
    }

    pub(super) fn basis(&self, way: Basis) -> Basis {
        match self {
            Self::Plain(_) => way,
            Self::Marked(marked) => marked.basis.max(way),
        }
    }
}

/// How a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Writing {
    /// As it is.
    #[default]
    Text,
    /// The items of a list, one to each of the paths; what is left over is
    /// emptied.
    Items,
    /// A time zone as a rule of POSIX.
    Rule,
    /// A time zone as `+01:00`.
    Offset,
}

/// Something that is written along.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct With {
    pub(super) path: String,
    pub(super) value: String,
    /// Only if the field is this.
    #[serde(default)]
    pub(super) when: String,
}

/// A table whose rows are the items of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    pub(super) table: String,
    pub(super) key: String,
    /// What else a row is to have.
    #[serde(default)]
    pub(super) values: BTreeMap<String, String>,
}

/// What a device must not be for a field to make sense.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guard {
    pub(super) field: String,
    /// A field that, if it is given, makes the guard idle.
    #[serde(default)]
    pub(super) unless: String,
    pub(super) path: String,
    pub(super) refuse: Vec<String>,
    pub(super) why: String,
}

/// All ways, in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    ways: Vec<Way>,
}

static CORE: LazyLock<Ways> = LazyLock::new(|| {
    // A test sees to it that the table is sound.
    Ways::read(include_str!("../../datamodels/intents.toml")).unwrap_or_default()
});

/// The operator's table as it was read, and all ways with it.
static INSTALLED: OnceLock<(String, Ways)> = OnceLock::new();

/// The ways in force: what the operator says, and then what is compiled in.
pub fn ways() -> &'static Ways {
    INSTALLED.get().map_or(&*CORE, |(_, ways)| ways)
}

/// Puts an operator's table before what is compiled in, once for the process.
///
/// # Errors
/// [`WaysError`] when it cannot be read, or another one is in force already.
pub fn install(table: &str) -> Result<(), WaysError> {
    let ways = Ways::read(table)?.before(&CORE);
    let (installed, _) = INSTALLED.get_or_init(|| (table.to_owned(), ways));
    if installed == table { Ok(()) } else { Err(WaysError::Installed) }
}

impl Ways {
    /// What is compiled in.
    pub fn core() -> &'static Self {
        &CORE
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`WaysError`]: where and why it cannot be read.
    pub fn read(text: &str) -> Result<Self, WaysError> {
        if text.len() > MAX_TABLE {
            return Err(WaysError::Unreadable(format!("it is longer than {MAX_TABLE} bytes")));
        }
        let table: Table =
            toml::from_str(text).map_err(|error| WaysError::Unreadable(error.to_string()))?;
        if table.way.len() > MAX_WAYS {
            return Err(WaysError::Unreadable(format!("it has more than {MAX_WAYS} ways")));
        }
        for way in &table.way {
            way.check().map_err(|problem| WaysError::Way {
                intent: way.intent.clone(),
                way: way.name.clone(),
                problem,
            })?;
        }
        Ok(Self { ways: table.way })
    }

    /// These ways, and after them others.
    #[must_use]
    pub fn before(&self, others: &Self) -> Self {
        Self { ways: self.ways.iter().chain(&others.ways).cloned().collect() }
    }

    /// The ways of an intent that fit a device by its root and model.
    pub(super) fn fitting<'a>(
        &'a self,
        intent: &'a IntentWord,
        known: &'a Known<'a>,
    ) -> impl Iterator<Item = &'a Way> {
        self.ways.iter().filter(|way| way.intent == intent.word && way.fits(known))
    }
}

impl Way {
    /// Whether it says where a field stands.
    pub(super) fn has_field(&self, name: &str) -> bool {
        self.field.iter().any(|field| field.name == name)
    }

    fn fits(&self, known: &Known<'_>) -> bool {
        let any = |globs: &[String], text: &str| {
            globs.is_empty() || globs.iter().any(|glob| is_glob_of(glob, text))
        };
        (self.root.is_empty() || self.root == known.root)
            && any(&self.oui, known.oui)
            && any(&self.product_class, known.product_class)
    }

    /// The words `{name}` that a path may begin with.
    fn check(&self) -> Result<(), String> {
        let intent = IntentWord::of(&self.intent).ok_or("there is no such intent")?;
        if self.row.len().max(self.field.len()).max(self.guard.len()) > MAX_PARTS {
            return Err(format!("it has more than {MAX_PARTS} parts of a kind"));
        }
        let mut names: Vec<&str> = Vec::new();
        for (position, row) in self.row.iter().enumerate() {
            let given = [&row.table, &row.follow, &row.around].map(|text| !text.is_empty());
            match (position, given) {
                (0, [true, false, false]) => is_table(&row.table)?,
                (1.., [false, false, true]) if names.contains(&row.around.as_str()) => {}
                (1.., [false, true, false]) => {
                    self.check_path(&row.follow, &names)?;
                    if row.into.is_empty() {
                        return Err(format!("row {}: say `into` which tables", row.name));
                    }
                    row.into.iter().try_for_each(|table| is_table(table))?;
                }
                _ => {
                    return Err(format!(
                        "row {}: the first row has a `table`, each other one a reference to \
                         `follow`, or the name of a row that it is `around`",
                        row.name
                    ));
                }
            }
            names.push(&row.name);
        }
        if self.row.is_empty() != matches!(self.choose, Choose::None) {
            return Err("`choose` goes with `row`".to_owned());
        }
        let known = |field: &str| match intent.field(field) {
            Some(_) => Ok(()),
            None => Err(format!("the intent has no field {field}")),
        };
        match &self.choose {
            Choose::None => {}
            Choose::One { number, prefer } => {
                known(number)?;
                prefer.iter().try_for_each(|one| self.check_path(&one.path, &names))?;
            }
            Choose::Number { number } => known(number)?,
            Choose::Named { name, path, .. } => {
                known(name)?;
                self.check_path(path, &names)?;
            }
            Choose::Bands { evidence, guest } => {
                known("band")?;
                known("network")?;
                evidence
                    .iter()
                    .chain(guest)
                    .try_for_each(|one| self.check_path(&one.path, &names))?;
                let mut bands = evidence.iter().flat_map(|one| one.words.values());
                if let Some(band) = bands.find(|band| !BANDS.contains(&band.as_str())) {
                    return Err(format!("there is no band {band}"));
                }
            }
        }
        for field in &self.field {
            known(&field.name)?;
            self.check_field(field, &names)?;
        }
        for guard in &self.guard {
            known(&guard.field)?;
            self.check_path(&guard.path, &names)?;
        }
        Ok(())
    }

    fn check_field(&self, field: &FieldRule, names: &[&str]) -> Result<(), String> {
        if field.path.is_empty() == field.rows.is_none() || field.path.len() > MAX_PARTS {
            return Err(format!("{}: give `path`, or `rows`", field.name));
        }
        let paths = field.path.iter().map(PathRule::path);
        let among = Some(field.among.as_str()).filter(|path| !path.is_empty());
        let with = field.with.iter().map(|with| with.path.as_str());
        paths.chain(among).chain(with).try_for_each(|path| self.check_path(path, names))?;
        if let Some(rows) = &field.rows {
            is_table(&rows.table)?;
        }
        Ok(())
    }

    /// A path stands below the root, or begins with the name of a row in braces.
    fn check_path(&self, path: &str, names: &[&str]) -> Result<(), String> {
        let rest = match path.strip_prefix('{') {
            None => path,
            Some(inside) => {
                let (name, rest) = inside.split_once('}').ok_or(format!("{path}: no `}}`"))?;
                if !names.contains(&name) {
                    return Err(format!("{path}: there is no row {name} before it"));
                }
                rest
            }
        };
        if rest.is_empty() || rest.contains(['{', '}', '*', ' ']) || rest.starts_with('.') {
            return Err(format!("{path} is no path below the root or below a row"));
        }
        Ok(())
    }
}

fn is_table(table: &str) -> Result<(), String> {
    if table.ends_with('.') && !table.ends_with("*.") && !table.contains(['{', '}', ' ']) {
        Ok(())
    } else {
        Err(format!("{table} is no table: it ends with a dot, and * stands for rows before that"))
    }
}

/// Whether a text is one that a pattern stands for; `*` stands for any letters,
/// and case has no meaning.
pub(super) fn is_glob_of(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::INTENTS;

    #[test]
    fn the_table_that_is_compiled_in_is_sound_and_serves_every_intent() {
        let ways = Ways::read(include_str!("../../datamodels/intents.toml")).unwrap();
        for intent in INTENTS {
            let ways = ways.ways.iter().filter(|way| way.intent == intent.word);
            let fields: Vec<&str> =
                ways.flat_map(|way| &way.field).map(|field| field.name.as_str()).collect();
            for field in intent.fields.iter().filter(|field| !field.is_which()) {
                assert!(fields.contains(&field.name), "{} {}", intent.word, field.name);
            }
        }
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        for (text, problem) in [
            ("[[way]]\nintent='fly'\nname='x'", "no such intent"),
            ("[[way]]\nintent='wifi'\nname='x'\nspeed=1", "unknown field"),
            (
                "[[way]]\nintent='time'\nname='x'\n[[way.field]]\nname='zone'\npath=['{row}Zone']",
                "no row row",
            ),
            ("[[way]]\nintent='time'\nname='x'\n[[way.field]]\nname='zone'", "give `path`"),
            (
                "[[way]]\nintent='time'\nname='x'\n[[way.field]]\nname='port'\npath=['X']",
                "no field port",
            ),
            ("[[way]]\nintent='time'\nname='x'\n[[way.row]]\nname='a'\ntable='X.Y'", "is no table"),
            (
                "[[way]]\nintent='time'\nname='x'\n[[way.row]]\nname='a'\ntable='X.Y.'",
                "`choose` goes with `row`",
            ),
        ] {
            let error = Ways::read(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn globs_stand_for_texts() {
        for (pattern, text, is) in [
            ("HG8*", "hg8245H", true),
            ("HG8*", "XHG8", false),
            ("*5G*", "ac-5g-x", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("abc", "abcd", false),
            ("*", "", true),
            ("*-Enterprise", "WPA2-Enterprise", true),
            ("aXa*aXa", "aXa", false),
        ] {
            assert_eq!(is_glob_of(pattern, text), is, "{pattern} {text}");
        }
    }
}
