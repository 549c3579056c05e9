//! The table `phoneprov`, from which Asterisk looks up extensions by ODBC.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};

use super::stop::{Failure, Stop};
use crate::provision::astlinux::SqlRow;

/// How long another program's transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The columns of both tables.
const COLUMNS: &str = "(id INTEGER PRIMARY KEY AUTOINCREMENT, ext TEXT DEFAULT '', \
     cid_name TEXT DEFAULT '', cid_num TEXT DEFAULT '', account TEXT DEFAULT '', \
     line INTEGER DEFAULT 1, mac_addr TEXT DEFAULT '', template TEXT DEFAULT '', \
     model TEXT DEFAULT '', vendor TEXT DEFAULT '', sip_driver TEXT DEFAULT '')";

/// The table that is used.
pub(super) const USED: &str = "phoneprov";
/// The table that the original fills before it takes the place of [`USED`].
pub(super) const BUILD: &str = "phoneprov_build";

/// The database, in a transaction that is undone unless it is committed.
#[derive(Debug)]
pub(super) struct Table {
    /// The transaction; `None` once it is committed.
    connection: Option<Connection>,
    /// The database, if it was not there before.
    made: Option<PathBuf>,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Stop::Mass(format!("the SQLite table: {error}")).into()
    }
}

impl Table {
    /// Opens the database, made if there is none, and begins a transaction.
    ///
    /// # Errors
    /// [`Stop::Mass`] if it is none, or another program holds it too long.
    pub(super) fn begin(path: &Path) -> Result<Self, Failure> {
        let made = (!path.exists()).then(|| path.to_owned());
        let table = Self { connection: Some(Connection::open(path)?), made };
        table.connection()?.busy_timeout(PATIENCE)?;
        table.run("BEGIN IMMEDIATE")?;
        Ok(table)
    }

    fn connection(&self) -> Result<&Connection, Failure> {
        let ended = || Stop::Mass("the SQLite table: the transaction has ended".to_owned());
        Ok(self.connection.as_ref().ok_or_else(ended)?)
    }

    fn run(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.connection()?.execute_batch(sql)?)
    }

    /// Makes a table; `anew` without the rows that it had.
    pub(super) fn create(&self, name: &str, anew: bool) -> Result<(), Failure> {
        if anew {
            self.drop(name)?;
        }
        self.run(&format!("CREATE TABLE IF NOT EXISTS {name} {COLUMNS}"))
    }

    /// Takes a table away, if it is there.
    pub(super) fn drop(&self, name: &str) -> Result<(), Failure> {
        self.run(&format!("DROP TABLE IF EXISTS {name}"))
    }

    /// Whether a table is there.
    pub(super) fn has(&self, name: &str) -> Result<bool, Failure> {
        let mut known = self
            .connection()?
            .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?;
        Ok(known.exists(params![name])?)
    }

    /// Puts [`BUILD`] in the place of [`USED`], if there is one.
    pub(super) fn rename(&self) -> Result<(), Failure> {
        self.drop(USED)?;
        if self.has(BUILD)? {
            self.run(&format!("ALTER TABLE {BUILD} RENAME TO {USED}"))?;
        }
        Ok(())
    }

    /// Adds rows.
    pub(super) fn insert<'r>(
        &self,
        name: &str,
        rows: impl IntoIterator<Item = SqlRow<'r>>,
    ) -> Result<(), Failure> {
        let mut insert = self.connection()?.prepare(&format!(
            "INSERT INTO {name} (ext, cid_name, cid_num, account, line, mac_addr, template, \
             model, vendor, sip_driver) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        ))?;
        for row in rows {
            insert.execute(params![
                row.ext,
                row.cid_name,
                row.cid_num,
                row.account,
                row.line,
                row.mac_addr,
                row.template,
                row.model,
                row.vendor,
                row.sip_driver,
            ])?;
        }
        Ok(())
    }

    /// Takes the rows of some phones away, by their MAC addresses in any case.
    pub(super) fn forget<'a>(&self, macs: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
        self.run("CREATE TEMP TABLE gone (mac TEXT PRIMARY KEY)")?;
        {
            let mut insert =
                self.connection()?.prepare("INSERT OR IGNORE INTO gone VALUES (lower(?1))")?;
            for mac in macs {
                insert.execute(params![mac])?;
            }
        }
        self.run(&format!(
            "DELETE FROM {USED} WHERE lower(mac_addr) IN (SELECT mac FROM gone); DROP TABLE gone"
        ))
    }

    /// Makes everything since [`Table::begin`] lasting.
    pub(super) fn commit(mut self) -> Result<(), Failure> {
        self.run("COMMIT")?;
        self.connection = None;
        Ok(())
    }
}

impl Drop for Table {
    /// An open transaction is undone, and a database that it made goes with it.
    fn drop(&mut self) {
        if self.connection.take().is_some()
            && let Some(made) = &self.made
        {
            let _ = std::fs::remove_file(made);
        }
    }
}
