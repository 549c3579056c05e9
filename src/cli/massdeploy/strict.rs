//! A run as AstLinux's scripts do it (`--strict-compat`): one phone after the
//! other, each written at once, and what was written before a failure stays.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::rc::Rc;

use super::Tell;
use super::options::{Asked, Options};
use super::stop::{Failure, Stop};
use super::system::System;
use super::table::{BUILD, Table};
use super::whole::{at, heads_of};
use crate::provision::astlinux::{
    Context, Entry, EntryError, Mode, Phone, Row, Server, SqlRow, Template,
};

/// Carries out a run.
#[derive(Debug)]
pub(super) struct Strict<'a> {
    system: &'a System,
    options: &'a Options,
    server: Option<Server>,
    templates: HashMap<String, Rc<Template>>,
    table: Option<Table>,
}

impl<'a> Strict<'a> {
    pub(super) fn new(system: &'a System, options: &'a Options) -> Self {
        Self { system, options, server: None, templates: HashMap::new(), table: None }
    }

    /// Builds all phones of a deployment; a dot is printed for each.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn deploy(mut self, rows: &[Row<'_>], tell: &mut Tell<'_>) -> Result<(), Failure> {
        let built = self.build_all(rows, tell);
        if built.is_ok() {
            self.table()?.rename()?;
        }
        self.close()?;
        built
    }

    /// Builds one phone.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn build(mut self, row: &Row<'_>, tell: &mut Tell<'_>) -> Result<(), Failure> {
        let built = self.build_row(row, tell);
        self.close()?;
        built
    }

    fn build_all(&mut self, rows: &[Row<'_>], tell: &mut Tell<'_>) -> Result<(), Failure> {
        let mut begun: Vec<&str> = Vec::new();
        for row in rows.iter().filter(|_| !self.options.partial) {
            let template = row.words[0].unwrap_or_default();
            if !begun.contains(&template) {
                let words = [Some(template), Some("00:00:00:00:00:00"), Some("init"), None, None];
                self.build_row(&Row { number: row.number, words }, tell)?;
                begun.push(template);
            }
        }
        for row in rows {
            self.build_row(row, tell)?;
            tell.dot();
        }
        Ok(())
    }

    fn build_row(&mut self, row: &Row<'_>, tell: &mut Tell<'_>) -> Result<(), Failure> {
        let server = match &self.server {
            Some(server) => server.clone(),
            None => self.server.insert(self.system.server(self.options)?).clone(),
        };
        let [Some(name), Some(_), Some(word), ..] = row.words else {
            return Err(Stop::Usage(Asked::Build).into());
        };
        let entry = if Entry::is_init(word) {
            Ok(Entry::init(name, word))
        } else {
            Entry::new(row, Mode::Original)
        };
        // The original looks for the address, the template and the password in
        // this order.
        if let Err(error @ EntryError::Mac(_)) = entry {
            return at(row.number, Err(Stop::from(error)));
        }
        if !self.templates.contains_key(name) {
            let template = at(row.number, self.system.template(name, Mode::Original))?;
            self.templates.insert(name.to_owned(), Rc::new(template));
        }
        let entry = at(row.number, entry.map_err(Stop::from))?;
        let Some(template) = self.templates.get(name).cloned() else { return Ok(()) };
        let phone = Phone::new(&template, &entry, &server);
        if Entry::is_init(word) {
            at(row.number, self.heads(&phone, word))
        } else {
            at(row.number, self.phone(&phone, tell))
        }
    }

    /// Writes the heads of gathered files, and empties the table that is filled.
    fn heads(&mut self, phone: &Phone<'_>, word: &str) -> Result<(), Failure> {
        for context in heads_of(phone.template(), word) {
            let path = phone.path(context);
            self.check(&path)?;
            let mut head = context.head(&path);
            if let Some(name) = phone.asterisk_context(context) {
                head.extend_from_slice(format!("[{name}]\n").as_bytes());
            }
            self.write(&path, &head, false)?;
        }
        if phone.has_rows() {
            self.table()?.create(BUILD, true)?;
        }
        Ok(())
    }

    fn phone(&mut self, phone: &Phone<'_>, tell: &mut Tell<'_>) -> Result<(), Failure> {
        let own = phone.template().has(Context::Phoneprov).then(|| phone.path(Context::Phoneprov));
        if let Some(path) = &own {
            self.check(path)?;
        }
        if phone.is_broken() {
            tell.err("phoneprov-build: a value holds `|` or ends with a backslash: nothing is written of this phone");
        }
        let mut body = Vec::new();
        for context in Context::GATHERED {
            if phone.template().has(context) {
                body.clear();
                phone.render(context, &mut body).map_err(Stop::from)?;
                self.write(&phone.path(context), &body, true)?;
            }
        }
        if let Some(path) = own {
            body.clear();
            phone.render(Context::Phoneprov, &mut body).map_err(Stop::from)?;
            self.write(&path, &body, false)?;
        }
        if phone.has_rows() {
            for row in phone.rows() {
                self.insert(&row, tell)?;
            }
        }
        Ok(())
    }

    /// The original writes values between quotes into its SQL.
    fn insert(&mut self, row: &SqlRow<'_>, tell: &mut Tell<'_>) -> Result<(), Failure> {
        let values = [row.ext, row.cid_name, row.cid_num, row.account, row.mac_addr, row.template];
        let values = values.into_iter().chain([row.model, row.vendor, row.sip_driver]);
        let table = self.table()?;
        if values.into_iter().any(|value| value.contains('\'')) {
            tell.err(&format!("Error: a value of extension {} holds a quote: no row", row.ext));
        } else if table.has(BUILD)? {
            table.insert(BUILD, [*row])?;
        } else {
            tell.err(&format!("Error: no such table: {BUILD}"));
        }
        Ok(())
    }

    fn check(&self, path: &str) -> Result<(), Failure> {
        if !self.options.force && self.system.place(path)?.exists() {
            return Err(Stop::Exists(path.to_owned()).into());
        }
        Ok(())
    }

    fn write(&self, path: &str, bytes: &[u8], append: bool) -> Result<(), Failure> {
        let place = self.system.place(path)?;
        let write = || {
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut options = OpenOptions::new();
            options.create(true).append(append).truncate(!append).write(true);
            options.open(&place)?.write_all(bytes)
        };
        write().map_err(|error| Stop::Build(format!("{path}: {error}")).into())
    }

    fn table(&mut self) -> Result<&Table, Failure> {
        if self.table.is_none() {
            self.table = Some(Table::begin(&self.system.database()?)?);
        }
        let missing = || Stop::Mass("the SQLite table is not open".to_owned());
        Ok(self.table.as_ref().ok_or_else(missing)?)
    }

    /// Makes lasting what the table has so far, after a failure as well.
    fn close(self) -> Result<(), Failure> {
        self.table.map_or(Ok(()), Table::commit)
    }
}
