//! Rows of settings, gathered from a template and from the layers.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Generation;
use super::sections::{Entry, Section, header, list_of, take_apart};
use crate::phone::Settings;
use crate::provision::{DIRECTIVE_PREFIX, RenderError};

/// The most rows that a template may write.
const MAX_ROWS: usize = 20_000;
/// What a name looks like.
const NAME: &str = "write MODULE/Key, as in AUTOUPDATE/Flash Interval";

/// Rows by module, in the order in which they were first put.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    modules: BTreeMap<&'a str, ModuleRows<'a>>,
    generation: Generation,
    secrets: bool,
    withheld: bool,
}

/// The rows of a module.
#[derive(Debug, Default)]
struct ModuleRows<'a> {
    entries: Vec<Entry<'a>>,
    /// The places of those that a template wrote, by key; only these can be met
    /// by a setting, since a setting's name stands once.
    made: Vec<usize>,
}

impl<'a> Rows<'a> {
    /// None yet; without `secrets` those that name a secret are left out.
    pub(super) const fn new(generation: Generation, secrets: bool) -> Self {
        Self { modules: BTreeMap::new(), generation, secrets, withheld: false }
    }

    /// Whether a row was left out.
    pub(super) const fn withheld(&self) -> bool {
        self.withheld
    }

    /// Puts what a template wrote: a row `MODULE/Key=value` on each line that is
    /// not blank.
    pub(super) fn read(&mut self, template: &str, text: &'a str) -> Result<(), RenderError> {
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let fails = |problem: String| RenderError::Row {
                template: template.to_owned(),
                row: number + 1,
                problem,
            };
            if number >= MAX_ROWS {
                return Err(fails(format!("more than {MAX_ROWS} rows")));
            }
            let (name, value) = line
                .split_once('=')
                .ok_or_else(|| fails("there is no `=`; write MODULE/Key=value".to_owned()))?;
            self.make(name.trim(), Cow::Borrowed(value))
                .map_err(|error| fails(error.to_string()))?;
        }
        Ok(())
    }

    /// Puts a row that was made.
    pub(super) fn make(&mut self, name: &'a str, value: Cow<'a, str>) -> Result<(), RenderError> {
        if !self.secrets && is_secret(name) {
            self.withheld = true;
            return Ok(());
        }
        let (module, entry) = entry(name, value, self.generation)?;
        self.put(module, entry);
        Ok(())
    }

    /// Puts a row of a line.
    pub(super) fn make_line(&mut self, line: u8, key: &str, value: &'static str) {
        let key = format!("SIP{line} {key}").into();
        let list = Some(Cow::Borrowed("--SIP Line List--"));
        self.put("SIP", Entry { list, key, value: Cow::Borrowed(value) });
    }

    fn put(&mut self, module: &'a str, entry: Entry<'a>) {
        let rows = self.modules.entry(module).or_default();
        rows.made.push(rows.entries.len());
        rows.entries.push(entry);
    }

    /// Puts the layers' settings over what was made. Nothing is made afterwards.
    pub(super) fn set_all(&mut self, settings: &'a Settings) -> Result<(), RenderError> {
        let Self { modules, generation, secrets, withheld } = self;
        for ModuleRows { entries, made } in modules.values_mut() {
            made.sort_by(|one, two| match (entries.get(*one), entries.get(*two)) {
                (Some(one), Some(two)) => order(one, two),
                _ => Ordering::Equal,
            });
        }
        // Settings are sorted, so those of a module follow each other.
        let mut place: Option<(&str, &mut ModuleRows<'a>)> = None;
        for (name, value) in settings {
            if name.starts_with(DIRECTIVE_PREFIX) {
                continue;
            }
            if !*secrets && is_secret(name) {
                *withheld = true;
                continue;
            }
            let (module, entry) = entry(name, Cow::Borrowed(value), *generation)?;
            let rows = match place.take() {
                Some((known, rows)) if known == module => rows,
                _ => modules.entry(module).or_default(),
            };
            rows.set(entry);
            place = Some((module, rows));
        }
        Ok(())
    }

    /// Modules by name, in each the plain rows before the lists, and a list in
    /// the order in which its rows were put.
    pub(super) fn sections(self) -> Vec<Section<'a>> {
        self.modules
            .into_iter()
            .map(|(module, mut rows)| {
                rows.entries.sort_by(|one, two| one.list.cmp(&two.list));
                Section { header: header(module), entries: rows.entries }
            })
            .collect()
    }
}

impl<'a> ModuleRows<'a> {
    fn set(&mut self, entry: Entry<'a>) {
        let Self { entries, made } = self;
        let met = made.binary_search_by(|place| {
            entries.get(*place).map_or(Ordering::Equal, |made| order(made, &entry))
        });
        let met = met.ok().and_then(|at| made.get(at)).and_then(|place| entries.get_mut(*place));
        match met {
            Some(met) => met.value = entry.value,
            None => entries.push(entry),
        }
    }
}

/// A setting as a row, and its module.
fn entry<'a>(
    name: &'a str,
    value: Cow<'a, str>,
    generation: Generation,
) -> Result<(&'a str, Entry<'a>), RenderError> {
    let (module, list, key) = take_apart(name).ok_or_else(|| RenderError::SettingName {
        name: name.chars().take(64).collect(),
        wanted: NAME,
    })?;
    let module = module.strip_suffix(" CONFIG MODULE").unwrap_or(module);
    let list = list.or_else(|| list_of(module, key, generation)).map(Cow::Borrowed);
    Ok((module, Entry { list, key: Cow::Borrowed(key), value }))
}

/// By key, case aside, then by list.
fn order(one: &Entry<'_>, two: &Entry<'_>) -> Ordering {
    one.key
        .bytes()
        .map(|byte| byte.to_ascii_lowercase())
        .cmp(two.key.bytes().map(|byte| byte.to_ascii_lowercase()))
        .then_with(|| one.list.cmp(&two.list))
}

/// Whether a setting's key names something secret.
pub fn is_secret(name: &str) -> bool {
    let key = name.split_once('/').map_or(name, |(_, key)| key).as_bytes();
    let begins = |at: usize, words: &[&str]| {
        words.iter().any(|word| {
            let here = key.get(at..at + word.len());
            here.is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    // One way through the key, since this is asked of every setting.
    let named = key.iter().enumerate().any(|(at, byte)| match byte.to_ascii_lowercase() {
        b'p' => begins(at, &["password", "passwd", "pswd", "pwd"]),
        b's' => begins(at, &["secret"]),
        b'f' => begins(at, &["file key"]),
        b'c' => begins(at, &["crypto key"]),
        _ => false,
    });
    named || key.split(|byte| *byte == b' ').any(|word| word.eq_ignore_ascii_case(b"pin"))
}

/// The line that a setting `…/SIP<number> …` says something about.
pub(super) fn line_of(name: &str) -> Option<u8> {
    let (_, _, key) = take_apart(name)?;
    let start = key.get(..3).filter(|start| start.eq_ignore_ascii_case("SIP"))?;
    let (number, _) = key.strip_prefix(start)?.split_once(' ')?;
    number.parse().ok()
}
