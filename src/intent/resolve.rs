//! From an intent to the state that a device is to be brought to.

use super::answer::{Answer, NotKnownYet, NotSupported, Resolution, Touched, Unclear};
use super::candidate::{self, Chosen, Item};
use super::field::{Place, Writes};
use super::intent::Intent;
use super::known::{Found, Known, Paths};
use super::ways::{Basis, Guard, Way, Ways, is_glob_of};
use super::words::FieldWord;
use crate::device::{Desired, Source};
use crate::param::ParamPath;

/// The most paths that an answer names.
const MAX_PATHS: usize = 32;

impl Ways {
    /// What an intent comes to on a device. Of each field the first way that
    /// the device has counts; a way that was never asked for is asked for before
    /// another one is taken. All fields are done, or none.
    pub fn resolve(&self, intent: &Intent, known: &Known<'_>, source: Source) -> Answer {
        let word = intent.word();
        if known.root.is_empty() {
            return Answer::NotKnownYet(NotKnownYet { intent: word, paths: Vec::new() });
        }
        let mut work = Work {
            intent,
            known,
            open: intent.wishes().collect(),
            resolution: Resolution {
                desired: Desired { sources: vec![source], ..Desired::default() },
                touched: Vec::new(),
                basis: Basis::Standard,
            },
            lacks: None,
            unclear: None,
        };
        for way in self.fitting(word, known) {
            let paths = work.try_way(way);
            if !paths.is_empty() {
                return Answer::NotKnownYet(NotKnownYet { intent: word, paths: some(paths) });
            }
        }
        work.answer()
    }
}

/// As many paths as an answer holds.
pub(super) fn some(paths: Paths) -> Vec<ParamPath> {
    paths.into_iter().take(MAX_PATHS).collect()
}

/// Why a way is none.
struct Lack {
    /// How far it went: the further, the more it has to tell.
    rank: u8,
    field: Option<&'static FieldWord>,
    why: String,
}

/// The device has no such objects, or rows.
const NO_WAY: u8 = 0;
/// It has rows, but not the one that is meant.
const NO_ROW: u8 = 1;
/// It has the row, but not the field.
const NO_FIELD: u8 = 2;

/// An intent at work: fields that are still open, and what is found of others.
struct Work<'a> {
    intent: &'a Intent,
    known: &'a Known<'a>,
    open: Vec<(&'static FieldWord, &'a str)>,
    resolution: Resolution,
    lacks: Option<Lack>,
    unclear: Option<(&'static str, Vec<String>)>,
}

impl Work<'_> {
    /// Does what one way can do. Returns what must be read first.
    fn try_way(&mut self, way: &Way) -> Paths {
        if !self.open.iter().any(|(word, _)| way.has_field(word.name)) {
            return Paths::new();
        }
        for need in &way.needs {
            match candidate::has(need, self.known) {
                Found::Yes(()) => {}
                Found::No(why) => return self.lack(NO_WAY, None, why),
                Found::Unknown(paths) => return paths,
            }
        }
        let items = match candidate::items(way, self.known) {
            Found::Yes(items) => items,
            Found::No(why) => return self.lack(NO_WAY, None, why),
            Found::Unknown(paths) => return paths,
        };
        let intent = self.intent;
        match items.choose(&way.choose, |field| intent.get(field)) {
            Chosen::These(items) => self.try_fields(way, &items),
            Chosen::None(why) => self.lack(NO_ROW, None, why),
            Chosen::Unknown(paths) => paths,
            Chosen::Unclear(field, choices) => {
                self.unclear.get_or_insert((field, choices));
                Paths::new()
            }
        }
    }

    /// Notes why a way is none: of those that went equally far the first counts.
    fn lack(&mut self, rank: u8, field: Option<&'static FieldWord>, why: String) -> Paths {
        if self.lacks.as_ref().is_none_or(|known| known.rank < rank) {
            self.lacks = Some(Lack { rank, field, why });
        }
        Paths::new()
    }

    fn try_fields(&mut self, way: &Way, items: &[&Item<'_>]) -> Paths {
        let mut unknown = Paths::new();
        let open = std::mem::take(&mut self.open);
        for (word, wanted) in open {
            if !way.has_field(word.name) {
                self.open.push((word, wanted));
                continue;
            }
            let all = items.iter().map(|item| self.of_field(way, word, wanted, item));
            let all: Vec<_> = all.collect();
            let mut done = Vec::new();
            let mut why = None;
            for (found, item) in all.into_iter().zip(items) {
                match found {
                    Found::Yes(one) => done.push(one),
                    Found::No(problem) => {
                        why.get_or_insert(with_row(item, problem));
                    }
                    Found::Unknown(paths) => unknown.extend(paths),
                }
            }
            match why {
                None => done.into_iter().for_each(|one| self.take(one)),
                Some(why) => {
                    self.lack(NO_FIELD, Some(word), why);
                    self.open.push((word, wanted));
                }
            }
        }
        unknown
    }

    /// What has to be written for one field of one row.
    fn of_field(
        &self,
        way: &Way,
        word: &'static FieldWord,
        wanted: &str,
        item: &Item<'_>,
    ) -> Found<(Touched, Writes)> {
        for guard in way.guard.iter().filter(|guard| guard.field == word.name) {
            match refused(guard, self.intent, self.known, item) {
                Found::Yes(()) => {}
                Found::No(why) => return Found::No(why),
                Found::Unknown(paths) => return Found::Unknown(paths),
            }
        }
        let (mut why, mut lacks) = (None, None);
        // Several rules for one field are alternatives.
        for rule in way.field.iter().filter(|rule| rule.name == word.name) {
            let place = match Place::find(way, rule, word, &item.candidate, self.known) {
                Found::Yes(place) => place,
                Found::No(problem) => {
                    lacks.get_or_insert(problem);
                    continue;
                }
                Found::Unknown(paths) => return Found::Unknown(paths),
            };
            match place.write(wanted) {
                Found::Yes(writes) => {
                    let touched = Touched {
                        which: item.which.clone(),
                        field: word,
                        paths: place.paths.clone(),
                        way: way.name.clone(),
                        basis: place.basis,
                    };
                    return Found::Yes((touched, writes));
                }
                Found::No(problem) => {
                    why.get_or_insert(problem);
                }
                Found::Unknown(paths) => return Found::Unknown(paths),
            }
        }
        // What is there and cannot be so tells more than what is not there.
        Found::No(why.or(lacks).unwrap_or_default())
    }

    fn take(&mut self, (touched, writes): (Touched, Writes)) {
        self.resolution.desired.values.extend(writes.values);
        self.resolution.desired.tables.extend(writes.tables);
        self.resolution.basis = self.resolution.basis.max(touched.basis);
        self.resolution.touched.push(touched);
    }

    /// What it came to after all ways.
    fn answer(mut self) -> Answer {
        let intent = self.intent.word();
        let not_supported = |field, why| Answer::NotSupported(NotSupported { intent, field, why });
        if !self.open.is_empty() {
            if let Some((field, choices)) = self.unclear {
                return Answer::Unclear(Unclear { intent, field, choices });
            }
            let root = self.known.root;
            return match self.lacks {
                Some(lack) => not_supported(lack.field, lack.why),
                None => not_supported(
                    None,
                    format!("no way to do this is known in the data model {root}"),
                ),
            };
        }
        let values = &mut self.resolution.desired.values;
        values.sort_by(|a, b| a.path.cmp(&b.path));
        // Two fields may ask for the same thing along with theirs.
        values.dedup_by(|a, b| a.path == b.path && a.value == b.value);
        let twice = values.iter().zip(values.iter().skip(1)).find(|(a, b)| a.path == b.path);
        if let Some((value, _)) = twice {
            let why = format!("what is asked for contradicts itself in {}", value.path);
            return not_supported(None, why);
        }
        Answer::Wanted(Box::new(self.resolution))
    }
}

/// Whether a guard lets a field be set.
fn refused(guard: &Guard, intent: &Intent, known: &Known<'_>, item: &Item<'_>) -> Found<()> {
    if intent.get(&guard.unless).is_some() {
        return Found::Yes(());
    }
    match item.candidate.text(&guard.path, known) {
        Found::Yes(text) if guard.refuse.iter().any(|refused| is_glob_of(refused, text)) => {
            Found::No(guard.why.replace("{}", text))
        }
        Found::Yes(_) | Found::No(_) => Found::Yes(()),
        Found::Unknown(paths) => Found::Unknown(paths),
    }
}

/// A reason with the row that it is about.
fn with_row(item: &Item<'_>, why: String) -> String {
    let which: Vec<&str> = item.which.iter().map(|(_, value)| value.as_str()).collect();
    if which.is_empty() { why } else { format!("{why} ({})", which.join(", ")) }
}
