//! A run that is whole or nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fs::File;

use rustix::fs::FlockOperation;

use super::Tell;
use super::files::FileSet;
use super::options::{Asked, Options};
use super::stop::{Failure, Stop};
use super::system::System;
use super::table::{BUILD, Table, USED};
use crate::provision::astlinux::{
    Context, Entry, EntryError, Mode, Phone, RenderError, Row, Server, Template,
};

/// The most that one gathered file may become, in bytes.
const MAX_GATHERED: usize = 512 << 20;

impl From<EntryError> for Stop {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::TooShort => Self::Usage(Asked::Build),
            EntryError::NoPassword => Self::NoPassword,
            error => Self::Build(error.to_string()),
        }
    }
}

impl From<RenderError> for Stop {
    fn from(error: RenderError) -> Self {
        Self::Build(error.to_string())
    }
}

/// Says at which line something went wrong.
pub(super) fn at<T>(number: usize, result: Result<T, impl Into<Failure>>) -> Result<T, Failure> {
    result.map_err(|error| {
        let failure: Failure = error.into();
        Failure { number: if failure.number == 0 { number } else { failure.number }, ..failure }
    })
}

/// Carries out a run: reads and checks everything, then writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole<'a> {
    system: &'a System,
    options: &'a Options,
}

/// A file that the entries of many phones are gathered in.
#[derive(Debug)]
struct Gathered {
    path: String,
    body: Vec<u8>,
    /// The Asterisk context that entries at its end stand in.
    open: Option<String>,
}

/// What a run will write.
#[derive(Debug)]
struct Work<'a> {
    system: &'a System,
    /// Whether files may be replaced.
    force: bool,
    /// Whether gathered files are added to.
    append: bool,
    gathered: Vec<Gathered>,
    /// Where in `gathered` a path is.
    places: HashMap<String, usize>,
    /// The phones' own files, and whose they are: an index.
    own: Vec<(String, usize)>,
    /// Where in `own` a path is.
    own_places: HashMap<String, usize>,
}

impl<'a> Whole<'a> {
    pub(super) const fn new(system: &'a System, options: &'a Options) -> Self {
        Self { system, options }
    }

    /// Builds all phones of a deployment; a dot is printed for each that is sound.
    ///
    /// # Errors
    /// The first thing that is wrong; nothing has changed then.
    pub(super) fn deploy(&self, rows: &[Row<'_>], tell: &mut Tell<'_>) -> Result<(), Failure> {
        let server = match rows {
            [] => Server::new(""),
            _ => self.system.server(self.options)?,
        };
        let mut templates: HashMap<&str, Template> = HashMap::new();
        let _lock = self.lock()?;
        for row in rows {
            let name = row.words[0].unwrap_or_default();
            if let Slot::Vacant(vacant) = templates.entry(name) {
                let template = at(row.number, self.system.template(name, Mode::Right))?;
                if !self.options.partial {
                    at(row.number, self.check_shared(&template, name, &server))?;
                }
                vacant.insert(template);
            }
        }
        let mut entries = Vec::with_capacity(rows.len());
        let mut wrong = None;
        for row in rows {
            match Entry::new(row, Mode::Right) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    wrong = Some((row.number, Stop::from(error)));
                    break;
                }
            }
        }
        // Every row's template was read above.
        let phones: Vec<Phone<'_>> = entries
            .iter()
            .filter_map(|entry| Some(Phone::new(templates.get(&*entry.template)?, entry, &server)))
            .collect();
        let mut work = self.work(self.options.partial);
        for (index, phone) in phones.iter().enumerate() {
            at(phone.entry().number, work.add(phone, index))?;
            tell.dot();
        }
        if let Some((number, stop)) = wrong {
            return at(number, Err(stop));
        }
        work.write(&phones)
    }

    /// Builds one phone and adds it to the files that are there.
    ///
    /// # Errors
    /// What is wrong; nothing has changed then.
    pub(super) fn build(&self, row: &Row<'_>) -> Result<(), Failure> {
        let [Some(name), Some(_), Some(word), ..] = row.words else {
            return Err(Stop::Usage(Asked::Build).into());
        };
        let server = self.system.server(self.options)?;
        let _lock = self.lock()?;
        let template = self.system.template(name, Mode::Right)?;
        if Entry::is_init(word) {
            return self.heads(&template, name, word, &server);
        }
        let entry = Entry::new(row, Mode::Right).map_err(Stop::from)?;
        let phone = Phone::new(&template, &entry, &server);
        let mut work = self.work(true);
        work.add(&phone, 0)?;
        work.write(&[phone])
    }

    /// Writes the heads of gathered files, and nothing else into them.
    fn heads(
        &self,
        template: &Template,
        name: &str,
        word: &str,
        server: &Server,
    ) -> Result<(), Failure> {
        let entry = Entry::init(name, word);
        let phone = Phone::new(template, &entry, server);
        let mut work = self.work(false);
        for context in heads_of(template, word) {
            work.gather(&phone, context)?;
        }
        work.write_files(&[])?.commit()?.keep();
        Ok(())
    }

    fn work(&self, append: bool) -> Work<'a> {
        Work {
            system: self.system,
            force: self.options.force,
            append,
            gathered: Vec::new(),
            places: HashMap::new(),
            own: Vec::new(),
            own_places: HashMap::new(),
        }
    }

    /// Keeps a second run out of the same folder until this one is over.
    fn lock(&self) -> Result<Option<File>, Failure> {
        // Without the folder there are no templates either; that is told later.
        let Ok(folder) = File::open(self.system.place(self.system.base())?) else {
            return Ok(None);
        };
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let told = format!("another run is under way in {}", self.system.base());
                Err(Stop::Mass(told).into())
            }
            // Not every file system has locks.
            _ => Ok(Some(folder)),
        }
    }

    /// Whether files that are the same for all phones are there, before any phone
    /// is looked at.
    fn check_shared(
        &self,
        template: &Template,
        name: &str,
        server: &Server,
    ) -> Result<(), Failure> {
        if self.options.force {
            return Ok(());
        }
        let entry = Entry::init(name, "init");
        let phone = Phone::new(template, &entry, server);
        for context in heads_of(template, "init").filter(|context| template.is_shared(*context)) {
            let path = phone.path(context);
            if self.system.place(&path)?.exists() {
                return Err(Stop::Exists(path).into());
            }
        }
        Ok(())
    }
}

/// The gathered contexts of a template whose heads a word asks for.
pub(super) fn heads_of(template: &Template, word: &str) -> impl Iterator<Item = Context> {
    let (dialplans, sip) = (word != "init-sip", word != "init-dialplan");
    Context::GATHERED.into_iter().filter(move |context| {
        template.has(*context) && if context.is_dialplan() { dialplans } else { sip }
    })
}

impl Work<'_> {
    /// Adds what a phone has to say.
    fn add(&mut self, phone: &Phone<'_>, index: usize) -> Result<(), Failure> {
        if phone.template().has(Context::Phoneprov) {
            let path = phone.path(Context::Phoneprov);
            let key = plain(&path);
            let twice = self.own_places.get(&key).copied();
            if !self.force && (twice.is_some() || self.system.place(&path)?.exists()) {
                return Err(Stop::Exists(path).into());
            }
            match twice.and_then(|at| self.own.get_mut(at)) {
                Some(earlier) => *earlier = (path, index),
                None => {
                    self.own_places.insert(key, self.own.len());
                    self.own.push((path, index));
                }
            }
        }
        for context in Context::GATHERED {
            if phone.template().has(context) {
                let gathered = self.gather(phone, context)?;
                phone.render(context, &mut gathered.body).map_err(Stop::from)?;
                if gathered.body.len() > MAX_GATHERED {
                    let told = format!("{}: larger than {MAX_GATHERED} bytes", gathered.path);
                    return Err(Stop::Build(told).into());
                }
            }
        }
        Ok(())
    }

    /// The file of a context, begun if it is new, and in the phone's Asterisk
    /// context.
    fn gather(&mut self, phone: &Phone<'_>, context: Context) -> Result<&mut Gathered, Failure> {
        let path = phone.path(context);
        let wanted = phone.asterisk_context(context);
        let at = match self.places.entry(plain(&path)) {
            Slot::Occupied(place) => *place.get(),
            Slot::Vacant(place) => {
                let there = self.system.place(&path)?;
                let (body, open) = if there.exists() && self.append {
                    let mut body = std::fs::read(&there)
                        .map_err(|error| Stop::Build(format!("{path}: {error}")))?;
                    if body.last().is_some_and(|byte| *byte != b'\n') {
                        body.push(b'\n');
                    }
                    // The entries before it stand in the context that is wanted.
                    (body, wanted.clone())
                } else if there.exists() && !self.force {
                    return Err(Stop::Exists(path).into());
                } else {
                    (context.head(&path), None)
                };
                self.gathered.push(Gathered { path, body, open });
                *place.insert(self.gathered.len() - 1)
            }
        };
        let gathered = &mut self.gathered[at];
        if wanted.is_some() && wanted != gathered.open {
            let name = wanted.as_deref().unwrap_or_default();
            gathered.body.extend_from_slice(format!("[{name}]\n").as_bytes());
            gathered.open = wanted;
        }
        Ok(gathered)
    }

    /// Writes all files beside their places.
    fn write_files(&self, phones: &[Phone<'_>]) -> Result<FileSet, Failure> {
        let mut files = FileSet::new(self.system.root());
        for gathered in &self.gathered {
            files.put(&self.system.place(&gathered.path)?, &gathered.body)?;
        }
        let mut body = Vec::new();
        for (path, index) in &self.own {
            let Some(phone) = phones.get(*index) else { continue };
            if self.places.contains_key(&plain(path)) {
                let told = format!("{path}: a phone's own file, and one for all phones");
                return at(phone.entry().number, Err(Stop::Build(told)));
            }
            body.clear();
            let rendered = phone.render(Context::Phoneprov, &mut body).map_err(Stop::from);
            at(phone.entry().number, rendered)?;
            files.put(&self.system.place(path)?, &body)?;
        }
        Ok(files)
    }

    /// Writes everything: the files beside their places, the table in a
    /// transaction, then both for good.
    fn write(&self, phones: &[Phone<'_>]) -> Result<(), Failure> {
        let mut files = self.write_files(phones)?;
        let rows = phones.iter().any(Phone::has_rows);
        if self.append && !rows {
            files.commit()?.keep();
            return Ok(());
        }
        let database = self.system.database()?;
        files.make_folder_of(&database)?;
        let table = Table::begin(&database)?;
        if self.append {
            table.create(USED, false)?;
            table.forget(phones.iter().map(|phone| &*phone.entry().mac))?;
        } else {
            table.drop(BUILD)?;
            if rows { table.create(USED, true)? } else { table.drop(USED)? }
        }
        let listed = phones.iter().filter(|phone| phone.has_rows());
        if rows {
            table.insert(USED, listed.flat_map(Phone::rows))?;
        }
        let files = files.commit()?;
        table.commit()?;
        files.keep();
        Ok(())
    }
}

/// A path without empty parts, to tell whether two are the same.
fn plain(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        plain.push('/');
        plain.push_str(part);
    }
    if path.starts_with('/') { plain } else { format!(".{plain}") }
}
