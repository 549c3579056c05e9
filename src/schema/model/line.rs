//! A line taken apart: all facts of one object, or of one parameter.

use super::field::{LineError, Version, escape, unescape};
use super::syntax::{LengthRange, NotifyRule, Syntax};

/// What may be done with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterAccess {
    /// Only read.
    ReadOnly,
    /// Read and written.
    ReadWrite,
    /// Written once, then only read.
    WriteOnce,
}

impl ParameterAccess {
    /// Its letter in a line.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::ReadOnly => "R",
            Self::ReadWrite => "W",
            Self::WriteOnce => "O",
        }
    }

    pub(super) fn from_letter(letter: &str) -> Result<Self, LineError> {
        match letter {
            "R" => Ok(Self::ReadOnly),
            "W" => Ok(Self::ReadWrite),
            "O" => Ok(Self::WriteOnce),
            other => Err(LineError::bad("access (R, W or O)", other)),
        }
    }

    /// The access in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read and write",
            Self::WriteOnce => "written once",
        }
    }
}

/// Where a name is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// In use.
    #[default]
    Current,
    /// There is a better one.
    Deprecated,
    /// It should not be used any more.
    Obsoleted,
    /// It is no longer part of the model.
    Deleted,
}

impl Status {
    /// Its word in the model.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Deprecated => "deprecated",
            Self::Obsoleted => "obsoleted",
            Self::Deleted => "deleted",
        }
    }

    /// The status of a word.
    pub(in crate::schema) fn from_name(name: &str) -> Option<Self> {
        [Self::Current, Self::Deprecated, Self::Obsoleted, Self::Deleted]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// Parameters that tell one row of a table from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowKey {
    /// Their names below the row.
    pub parameters: Vec<Box<str>>,
    /// They matter to what the row does; a key that is not is only a handle,
    /// as an alias is.
    pub functional: bool,
}

/// All facts of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectFacts {
    /// Rows can be added and deleted.
    pub creatable: bool,
    /// How many rows there can be; none if it is no table.
    pub rows: Option<LengthRange>,
    /// What tells rows apart.
    pub keys: Vec<RowKey>,
    /// The parameter that tells how many rows there are, beside the table.
    pub count: Option<Box<str>>,
    /// The parameter of the row that enables it.
    pub enable: Option<Box<str>>,
    /// Since which version of the model.
    pub since: Option<Version>,
    /// Where it is in its life.
    pub status: Status,
}

/// All facts of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterFacts {
    /// The name below its object.
    pub name: Box<str>,
    /// What may be done with it.
    pub access: ParameterAccess,
    /// What its value may be.
    pub syntax: Syntax,
    /// The value in a row that was just made, or after a factory reset where
    /// there are no rows.
    pub default: Option<Box<str>>,
    /// The value after a factory reset.
    pub factory_default: Option<Box<str>>,
    /// What the device may make of a wish to be notified.
    pub notify: Option<NotifyRule>,
    /// It stands in every Inform.
    pub forced_inform: bool,
    /// It reads back empty.
    pub hidden: bool,
    /// It may only be shown to whom it concerns.
    pub secured: bool,
    /// Writing it starts something.
    pub command: bool,
    /// Since which version of the model; none if since that of its object.
    pub since: Option<Version>,
    /// Where it is in its life.
    pub status: Status,
}

impl ParameterFacts {
    /// A parameter of which only name, access and type are known.
    pub fn plain(name: &str, access: ParameterAccess, type_name: &str) -> Self {
        Self {
            name: name.into(),
            access,
            syntax: Syntax { type_name: type_name.into(), ..Syntax::default() },
            default: None,
            factory_default: None,
            notify: None,
            forced_inform: false,
            hidden: false,
            secured: false,
            command: false,
            since: None,
            status: Status::Current,
        }
    }

    /// Whether its value must never be shown: what reads back empty, or is only
    /// for those whom it concerns. What switches something has no value that
    /// could be told.
    pub fn is_secret(&self) -> bool {
        (self.hidden || self.secured) && &*self.syntax.type_name != "boolean"
    }

    /// Takes a line apart; the tab before it is left out.
    pub(super) fn parse(line: &str) -> Result<Self, LineError> {
        let mut columns = line.split('\t');
        let name = columns.next().filter(|name| !name.is_empty());
        let name = name.ok_or(LineError::Missing("name"))?;
        let access = columns.next().ok_or(LineError::Missing("access"))?;
        let kind = columns.next().filter(|name| !name.is_empty());
        let kind = kind.ok_or(LineError::Missing("type"))?;
        let mut facts = Self::plain(name, ParameterAccess::from_letter(access)?, kind);
        each_fact(columns, |name, text| {
            if facts.syntax.take(name, text)? {
                return Ok(true);
            }
            match name {
                "default" => facts.default = Some(unescape(text)),
                "factory-default" => facts.factory_default = Some(unescape(text)),
                "notify" => {
                    let rule = NotifyRule::from_name(text);
                    facts.notify = Some(rule.ok_or_else(|| LineError::bad("notify rule", text))?);
                }
                "forced-inform" => facts.forced_inform = true,
                "hidden" => facts.hidden = true,
                "secured" => facts.secured = true,
                "command" => facts.command = true,
                "since" => facts.since = Some(text.parse()?),
                "status" => facts.status = status(text)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(facts)
    }

    /// Its line, without the tab before it.
    pub(super) fn write(&self) -> String {
        let mut line =
            format!("{}\t{}\t{}", self.name, self.access.letter(), self.syntax.type_name);
        self.syntax.write(&mut line);
        let valued = [("default", &self.default), ("factory-default", &self.factory_default)];
        for (name, text) in valued {
            if let Some(text) = text {
                line.push_str(&format!("\t{name}={}", escape(text)));
            }
        }
        if let Some(rule) = self.notify {
            line.push_str(&format!("\tnotify={}", rule.name()));
        }
        let flags = [
            ("forced-inform", self.forced_inform),
            ("hidden", self.hidden),
            ("secured", self.secured),
            ("command", self.command),
        ];
        for (name, _) in flags.into_iter().filter(|(_, set)| *set) {
            line.push('\t');
            line.push_str(name);
        }
        write_life(&mut line, self.since, self.status);
        line
    }
}

impl ObjectFacts {
    /// Takes a line apart, behind its path.
    pub(super) fn parse(columns: &str) -> Result<Self, LineError> {
        let mut columns = columns.split('\t');
        let creatable = match columns.next() {
            Some("R") => false,
            Some("W") => true,
            Some(other) => return Err(LineError::bad("access (R or W)", other)),
            None => return Err(LineError::Missing("access")),
        };
        let mut facts = Self { creatable, ..Self::default() };
        let mut keys = Vec::new();
        each_fact(columns, |name, text| {
            match name {
                "rows" => facts.rows = Some(text.parse()?),
                "keys" => {
                    keys = text.split('|').map(row_key).collect();
                }
                "count" => facts.count = Some(unescape(text)),
                "enable" => facts.enable = Some(unescape(text)),
                "since" => facts.since = Some(text.parse()?),
                "status" => facts.status = status(text)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        facts.keys = keys;
        Ok(facts)
    }

    /// Its columns behind the path.
    pub(super) fn write(&self) -> String {
        let mut line = if self.creatable { "W".to_owned() } else { "R".to_owned() };
        if let Some(rows) = self.rows {
            line.push_str(&format!("\trows={rows}"));
        }
        if !self.keys.is_empty() {
            let one = |key: &RowKey| {
                let mark = if key.functional { "" } else { "~" };
                format!("{mark}{}", key.parameters.join("+"))
            };
            let keys: Vec<String> = self.keys.iter().map(one).collect();
            line.push_str(&format!("\tkeys={}", keys.join("|")));
        }
        for (name, text) in [("count", &self.count), ("enable", &self.enable)] {
            if let Some(text) = text {
                line.push_str(&format!("\t{name}={}", escape(text)));
            }
        }
        write_life(&mut line, self.since, self.status);
        line
    }
}

/// `A+B` names parameters that tell rows apart together; `~A` one that is only a
/// handle.
fn row_key(text: &str) -> RowKey {
    let (functional, names) = match text.strip_prefix('~') {
        Some(names) => (false, names),
        None => (true, text),
    };
    RowKey { parameters: names.split('+').map(Box::from).collect(), functional }
}

fn write_life(line: &mut String, since: Option<Version>, status: Status) {
    if let Some(since) = since {
        line.push_str(&format!("\tsince={since}"));
    }
    if status != Status::Current {
        line.push_str(&format!("\tstatus={}", status.name()));
    }
}

fn status(text: &str) -> Result<Status, LineError> {
    Status::from_name(text).ok_or_else(|| LineError::bad("status", text))
}

/// Gives each fact of a line to `take`, which says whether it knows it.
fn each_fact<'a>(
    columns: impl Iterator<Item = &'a str>,
    mut take: impl FnMut(&str, &str) -> Result<bool, LineError>,
) -> Result<(), LineError> {
    let mut seen: Vec<&str> = Vec::new();
    for column in columns {
        let (name, text) = column.split_once('=').unwrap_or((column, ""));
        if seen.contains(&name) {
            return Err(LineError::Twice(name.chars().take(64).collect()));
        }
        seen.push(name);
        if !take(name, text)? {
            return Err(LineError::UnknownFact(name.chars().take(64).collect()));
        }
    }
    Ok(())
}
