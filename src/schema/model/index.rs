//! The index over the text of a model: where each object and each parameter
//! stands, in the order in which they are looked up.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::field::{LineError, unescape};
use super::line::{ObjectFacts, ParameterFacts};
use super::syntax::{Syntax, basic_kind, kind_named};
use crate::param::ValueType;

/// The first line of every file.
pub(super) const FORM: &str = "provost-datamodel\t1";

/// The largest file in bytes.
const MAX_TEXT: usize = 32 << 20;

/// The longest line in bytes.
const MAX_LINE: usize = 60_000;

/// The longest path of an object in bytes.
const MAX_PATH: usize = 512;

/// The most objects and parameters of one model.
const MAX_LINES: usize = 200_000;

/// The most types that one model explains.
const MAX_TYPES: usize = 512;

/// Why a text is no data model, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is no file of this form.
    #[error("it is no data model in the form `provost-datamodel 1`")]
    Form,
    /// It is larger than is read.
    #[error("it has more {0} than are read")]
    TooMuch(&'static str),
    /// A line is none.
    #[error("line {line}: {problem}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong there.
        problem: LineError,
    },
    /// A parameter before the first object.
    #[error("line {0}: a parameter stands below no object")]
    Homeless(usize),
    /// A name comes twice.
    #[error("line {0}: {1} comes twice")]
    Twice(usize, Box<str>),
    /// A type that neither the standard nor the model knows.
    #[error("line {0}: the type `{1}` is not known")]
    UnknownType(usize, Box<str>),
    /// The header does not tell what is needed.
    #[error("the header does not tell the {0}")]
    NoHeader(&'static str),
}

impl ModelError {
    /// What it means to whoever gave the file.
    pub const fn class(&self) -> crate::class::Class {
        match self {
            Self::TooMuch(_) => crate::class::Class::TooLarge,
            _ => crate::class::Class::Invalid,
        }
    }
}

/// Where the objects of a model stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Their paths are whole, and begin with this root: `Device.`.
    Root(Box<str>),
    /// Below `Services.` of any root.
    Services,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(root) => f.write_str(root),
            Self::Services => f.write_str("*.Services."),
        }
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self, LineError> {
        match text {
            "*.Services." => Ok(Self::Services),
            root if root.ends_with('.')
                && root.find('.') == Some(root.len() - 1)
                && root != "." =>
            {
                Ok(Self::Root(root.into()))
            }
            other => Err(LineError::bad("place (a root such as Device., or *.Services.)", other)),
        }
    }
}

/// Where a line stands: its first byte, the length of its first column, its own.
#[derive(Clone, Copy, Debug)]
struct LineAt {
    at: u32,
    name: u16,
    length: u16,
}

/// An object and its parameters.
#[derive(Clone, Copy, Debug)]
struct ObjectAt {
    line: LineAt,
    /// The first of its parameters, and how many there are.
    first: u32,
    count: u32,
}

/// A data model: its text, and the index over it.
#[derive(Clone, Debug)]
pub struct ParameterModel {
    text: Cow<'static, str>,
    name: Box<str>,
    source: Box<str>,
    place: Place,
    types: Box<[LineAt]>,
    /// By path.
    objects: Box<[ObjectAt]>,
    /// By object, then by name.
    parameters: Box<[LineAt]>,
}

/// One object of a model.
#[derive(Clone, Copy, Debug)]
pub struct ModelObject<'a> {
    model: &'a ParameterModel,
    at: ObjectAt,
}

/// One parameter of a model.
#[derive(Clone, Copy, Debug)]
pub struct ModelParameter<'a> {
    model: &'a ParameterModel,
    object: ObjectAt,
    at: LineAt,
}

impl ParameterModel {
    /// Reads a model in the compact form. With `checked` every line is taken
    /// apart as well; without, only names, types and order are looked at, which
    /// is for what was checked before it was shipped.
    ///
    /// # Errors
    /// [`ModelError`] with the line.
    pub fn parse(text: impl Into<Cow<'static, str>>, checked: bool) -> Result<Self, ModelError> {
        let text = text.into();
        let draft = Reading::of(&text)?;
        let Reading { name, source, place, types, mut objects, mut parameters, .. } = draft;
        let word = |line: &LineAt| first_column(&text, *line);
        objects.sort_by(|a, b| word(&a.line).cmp(word(&b.line)));
        for object in &objects {
            let first = object.first as usize;
            if let Some(own) = parameters.get_mut(first..first + object.count as usize) {
                // Files that this program wrote are in order already.
                own.sort_by(|a, b| word(a).cmp(word(b)));
            }
        }
        let model = Self {
            name: name.ok_or(ModelError::NoHeader("model"))?,
            source: source.unwrap_or_default(),
            place: place.ok_or(ModelError::NoHeader("place of its objects (below)"))?,
            types: types.into(),
            objects: objects.into(),
            parameters: parameters.into(),
            text,
        };
        model.no_name_twice()?;
        if checked {
            model.check()?;
        }
        Ok(model)
    }

    /// `Device:2.19`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that it was made from; empty if that is not told.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Where its objects stand.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Whose it is, and under which terms.
    pub fn notice(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix('#'));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line))
    }

    /// The text of the model.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Bytes that the index takes beside the text.
    pub fn index_bytes(&self) -> usize {
        size_of_val(&*self.types) + size_of_val(&*self.objects) + size_of_val(&*self.parameters)
    }

    /// How many objects there are; what stands beside the tables of a service
    /// is none.
    pub fn object_count(&self) -> usize {
        self.objects().filter(|object| object.path() != ".").count()
    }

    /// How many parameters there are.
    pub const fn parameter_count(&self) -> usize {
        self.parameters.len()
    }

    /// All objects in order of their paths.
    pub fn objects(&self) -> impl Iterator<Item = ModelObject<'_>> {
        self.objects.iter().map(|at| ModelObject { model: self, at: *at })
    }

    /// The object of a path as the model writes it, with `{i}` for rows.
    pub fn object(&self, path: &str) -> Option<ModelObject<'_>> {
        let found =
            self.objects.binary_search_by(|at| first_column(&self.text, at.line).cmp(path)).ok()?;
        self.objects.get(found).map(|at| ModelObject { model: self, at: *at })
    }

    /// The objects at and below a path, in order.
    pub fn objects_under<'a>(&'a self, path: &'a str) -> impl Iterator<Item = ModelObject<'a>> {
        let from = self.objects.partition_point(|at| first_column(&self.text, at.line) < path);
        let rest = self.objects.get(from..).unwrap_or_default();
        rest.iter()
            .map(|at| ModelObject { model: self, at: *at })
            .take_while(move |object| object.path().starts_with(path))
    }

    /// The types that it explains.
    ///
    /// # Errors
    /// [`LineError`], which a checked model does not have.
    pub fn types(&self) -> Result<BTreeMap<Box<str>, Syntax>, LineError> {
        let one = |at: &LineAt| {
            let facts = self.type_facts(*at)?;
            Ok((facts.name, facts.syntax))
        };
        self.types.iter().map(one).collect()
    }

    fn type_facts(&self, at: LineAt) -> Result<ParameterFacts, LineError> {
        let line = line(&self.text, at);
        let (name, rest) = line.split_once('\t').ok_or(LineError::Missing("type"))?;
        ParameterFacts::parse(&format!("{name}\tR\t{rest}"))
    }

    fn type_at(&self, name: &str) -> Option<LineAt> {
        self.types.iter().find(|at| first_column(&self.text, **at) == name).copied()
    }

    fn no_name_twice(&self) -> Result<(), ModelError> {
        let word = |at: LineAt| first_column(&self.text, at);
        let twice = |at: LineAt| ModelError::Twice(self.line_number(at), word(at).into());
        for pair in self.objects.windows(2) {
            if let [one, other] = pair
                && word(one.line) == word(other.line)
            {
                return Err(twice(other.line));
            }
        }
        for object in self.objects() {
            for pair in object.lines().windows(2) {
                if let [one, other] = pair
                    && word(*one) == word(*other)
                {
                    return Err(twice(*other));
                }
            }
        }
        for (position, at) in self.types.iter().enumerate() {
            if self.types.iter().take(position).any(|other| word(*other) == word(*at)) {
                return Err(twice(*at));
            }
        }
        Ok(())
    }

    /// Takes every line apart.
    fn check(&self) -> Result<(), ModelError> {
        let wrong = |at: LineAt, problem| ModelError::Line { line: self.line_number(at), problem };
        for at in &self.types {
            let facts = self.type_facts(*at).map_err(|problem| wrong(*at, problem))?;
            if basic_kind(&facts.syntax.type_name).is_none() {
                let name = facts.syntax.type_name;
                return Err(ModelError::UnknownType(self.line_number(*at), name));
            }
        }
        for object in self.objects() {
            object.facts().map_err(|problem| wrong(object.at.line, problem))?;
            for at in object.lines() {
                let parameter = ModelParameter { model: self, object: object.at, at: *at };
                let facts = parameter.own_facts().map_err(|problem| wrong(*at, problem))?;
                let kind = &facts.syntax.type_name;
                if basic_kind(kind).is_none() && self.type_at(kind).is_none() {
                    return Err(ModelError::UnknownType(self.line_number(*at), kind.clone()));
                }
            }
        }
        Ok(())
    }

    fn line_number(&self, at: LineAt) -> usize {
        let before = self.text.get(..at.at as usize).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

impl<'a> ModelObject<'a> {
    /// The model that it is of.
    pub const fn model(&self) -> &'a ParameterModel {
        self.model
    }

    /// Its path as the model writes it, with a dot at its end.
    pub fn path(&self) -> &'a str {
        first_column(&self.model.text, self.at.line)
    }

    /// All that is known of it.
    ///
    /// # Errors
    /// [`LineError`], which a checked model does not have.
    pub fn facts(&self) -> Result<ObjectFacts, LineError> {
        let line = line(&self.model.text, self.at.line);
        let (_, columns) = line.split_once('\t').ok_or(LineError::Missing("access"))?;
        ObjectFacts::parse(columns)
    }

    /// Its parameters by name.
    pub fn parameters(&self) -> impl Iterator<Item = ModelParameter<'a>> + use<'a> {
        let (model, object) = (self.model, self.at);
        self.lines().iter().map(move |at| ModelParameter { model, object, at: *at })
    }

    /// One of its parameters.
    pub fn parameter(&self, name: &str) -> Option<ModelParameter<'a>> {
        let lines = self.lines();
        let word = |at: &LineAt| first_column(&self.model.text, *at);
        let found = lines.binary_search_by(|at| word(at).cmp(name)).ok()?;
        let at = *lines.get(found)?;
        Some(ModelParameter { model: self.model, object: self.at, at })
    }

    fn lines(&self) -> &'a [LineAt] {
        let first = self.at.first as usize;
        self.model.parameters.get(first..first + self.at.count as usize).unwrap_or_default()
    }
}

impl<'a> ModelParameter<'a> {
    /// Its object.
    pub const fn object(&self) -> ModelObject<'a> {
        ModelObject { model: self.model, at: self.object }
    }

    /// Its name below the object.
    pub fn name(&self) -> &'a str {
        first_column(&self.model.text, self.at)
    }

    /// Whether it can be written, without more being looked at.
    pub fn is_writable(&self) -> bool {
        !matches!(line(&self.model.text, self.at).split('\t').nth(1), Some("R"))
    }

    /// Its type on the wire, where a list is a string.
    pub fn kind(&self) -> &'static ValueType {
        let (kind, is_list) = self.kind_and_list();
        if is_list { &ValueType::String } else { kind }
    }

    /// Its type, or that of the items where it is a list.
    pub fn item_kind(&self) -> &'static ValueType {
        self.kind_and_list().0
    }

    fn kind_and_list(&self) -> (&'static ValueType, bool) {
        let is_list = |column: &str| column == "list" || column.starts_with("list=");
        let mut columns = line(&self.model.text, self.at).split('\t').skip(2);
        let name = columns.next().unwrap_or_default();
        let own_list = columns.any(is_list);
        if let Some(kind) = basic_kind(name) {
            return (kind, own_list);
        }
        let Some(explained) = self.model.type_at(name) else {
            return (&ValueType::String, own_list);
        };
        let mut columns = line(&self.model.text, explained).split('\t').skip(1);
        let base = columns.next().unwrap_or_default();
        (kind_named(base), own_list || columns.any(is_list))
    }

    /// Whether a fact without a text stands in its line: `hidden`.
    pub(in crate::schema) fn says(&self, fact: &str) -> bool {
        line(&self.model.text, self.at).split('\t').skip(3).any(|column| column == fact)
    }

    /// All that is known of it, what its type says included.
    ///
    /// # Errors
    /// [`LineError`], which a checked model does not have.
    pub fn facts(&self) -> Result<ParameterFacts, LineError> {
        let mut facts = self.own_facts()?;
        if let Some(at) = self.model.type_at(&facts.syntax.type_name) {
            let explained = self.model.type_facts(at)?.syntax;
            facts.syntax = facts.syntax.over(&explained);
        }
        if facts.since.is_none() {
            facts.since = self.object().facts()?.since;
        }
        Ok(facts)
    }

    /// What its own line says.
    ///
    /// # Errors
    /// [`LineError`], which a checked model does not have.
    pub(super) fn own_facts(&self) -> Result<ParameterFacts, LineError> {
        ParameterFacts::parse(line(&self.model.text, self.at))
    }
}

fn line(text: &str, at: LineAt) -> &str {
    let start = at.at as usize;
    text.get(start..start + usize::from(at.length)).unwrap_or_default()
}

fn first_column(text: &str, at: LineAt) -> &str {
    let start = at.at as usize;
    text.get(start..start + usize::from(at.name)).unwrap_or_default()
}

/// What a walk over the lines finds.
#[derive(Default)]
struct Reading {
    name: Option<Box<str>>,
    source: Option<Box<str>>,
    place: Option<Place>,
    types: Vec<LineAt>,
    objects: Vec<ObjectAt>,
    parameters: Vec<LineAt>,
}

impl Reading {
    fn of(text: &str) -> Result<Self, ModelError> {
        if text.len() > MAX_TEXT {
            return Err(ModelError::TooMuch("bytes"));
        }
        let mut found = Self::default();
        let mut at = 0;
        for (number, with_end) in text.split_inclusive('\n').enumerate() {
            let line = with_end.trim_end_matches(['\n', '\r']);
            if number == 0 && line != FORM {
                return Err(ModelError::Form);
            }
            if line.len() > MAX_LINE {
                return Err(ModelError::TooMuch("bytes in a line"));
            }
            if number > 0 && !line.trim().is_empty() && !line.starts_with('#') {
                found.take(number + 1, at, line)?;
            }
            at += with_end.len();
        }
        if at == 0 { Err(ModelError::Form) } else { Ok(found) }
    }

    fn take(&mut self, number: usize, at: usize, line: &str) -> Result<(), ModelError> {
        if self.objects.len() + self.parameters.len() >= MAX_LINES {
            return Err(ModelError::TooMuch("objects and parameters"));
        }
        let wrong = |problem| ModelError::Line { line: number, problem };
        if let Some(parameter) = line.strip_prefix('\t') {
            let Some(object) = self.objects.last_mut() else {
                return Err(ModelError::Homeless(number));
            };
            object.count += 1;
            let name = name_of(parameter).map_err(wrong)?;
            self.parameters.push(LineAt { at: offset(at + 1), name, length: short(parameter) });
            return Ok(());
        }
        let (word, rest) = line.split_once('\t').unwrap_or((line, ""));
        match word {
            "model" => self.name = Some(unescape(rest)),
            "source" => self.source = Some(unescape(rest)),
            "below" => self.place = Some(Place::parse(rest).map_err(wrong)?),
            "type" => {
                if self.types.len() >= MAX_TYPES {
                    return Err(ModelError::TooMuch("types"));
                }
                let name = name_of(rest).map_err(wrong)?;
                let at = offset(at + word.len() + 1);
                self.types.push(LineAt { at, name, length: short(rest) });
            }
            path if path.ends_with('.') => {
                let stands = match &self.place {
                    None => return Err(ModelError::NoHeader("place of its objects (below)")),
                    Some(Place::Root(root)) => path.starts_with(&**root),
                    Some(Place::Services) => true,
                };
                let sound = path.len() <= MAX_PATH
                    && !path.contains("..")
                    && path.bytes().all(|byte| byte > b' ' && byte != 0x7f);
                if !stands || !sound {
                    return Err(wrong(LineError::bad("path of an object here", path)));
                }
                self.objects.push(ObjectAt {
                    line: LineAt { at: offset(at), name: short(path), length: short(line) },
                    first: offset(self.parameters.len()),
                    count: 0,
                });
            }
            other => return Err(wrong(LineError::bad("line of a data model", other))),
        }
        Ok(())
    }
}

/// The length of the first column, which is the name of a parameter or type.
fn name_of(line: &str) -> Result<u16, LineError> {
    let name = line.split('\t').next().unwrap_or_default();
    let sound = !name.is_empty()
        && name.len() <= 256
        && name.bytes().all(|byte| byte > b' ' && byte != 0x7f && byte != b'.');
    if sound { Ok(short(name)) } else { Err(LineError::bad("name", name)) }
}

/// No line is longer than [`MAX_LINE`].
fn short(text: &str) -> u16 {
    u16::try_from(text.len()).unwrap_or(u16::MAX)
}

/// No text is longer than [`MAX_TEXT`].
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
