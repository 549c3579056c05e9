//! Puts a model together from the elements that the walk shows.

use std::collections::{BTreeMap, BTreeSet};

use super::CompileError;
use super::walk::Tag;
use crate::schema::model::{
    LengthRange, ListRule, ModelDraft, NotifyRule, NumberRange, ObjectDraft, ObjectFacts,
    ParameterAccess, ParameterFacts, Place as Stands, RowKey, Status, Syntax, basic_kind,
};

/// What an element is to the builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Document,
    DataType,
    Model,
    Object,
    UniqueKey,
    Parameter,
    Syntax,
    /// A type inside of a syntax or data type.
    Facets,
    List,
    /// Of no interest, with all inside of it.
    Skipped,
}

/// The most types, objects and parameters.
const MAX_ITEMS: usize = 200_000;

/// The most alternatives, words or patterns of one value.
const MAX_ALTERNATIVES: usize = 2_000;

/// How many types may stand on each other.
const MAX_BASES: usize = 32;

/// How many things that were left out are told.
const MAX_LEFT_OUT: usize = 100;

/// A type as the file explains it.
#[derive(Default)]
struct DataType {
    base: Option<Box<str>>,
    syntax: Syntax,
}

/// What is being put together.
#[derive(Default)]
pub(super) struct Builder {
    source: Box<str>,
    model: Option<(Box<str>, bool)>,
    types: BTreeMap<Box<str>, DataType>,
    objects: BTreeMap<Box<str>, ObjectDraft>,
    items: usize,
    /// The object, parameter, type and key that are open.
    object: Option<Box<str>>,
    parameter: Option<ParameterFacts>,
    data_type: Option<(Box<str>, DataType)>,
    key: Option<RowKey>,
    left_out: Vec<String>,
}

impl Builder {
    /// Takes an element, and says what it is.
    pub(super) fn enter(
        &mut self,
        tag: &Tag<'_>,
        inside: Option<Place>,
    ) -> Result<Place, CompileError> {
        let Some(inside) = inside else {
            if tag.local != "document" {
                return Err(CompileError::NoDataModel(tag.local.chars().take(64).collect()));
            }
            let source = tag.get("file").or_else(|| tag.get("spec")).unwrap_or_default();
            self.source = source.chars().take(256).collect();
            return Ok(Place::Document);
        };
        match (inside, tag.local) {
            (Place::Document, "dataType") => self.open_type(tag),
            (Place::Document, "model") => self.open_model(tag),
            (Place::Model, "object") => self.open_object(tag),
            (Place::Model | Place::Object, "parameter") => self.open_parameter(tag),
            (Place::Object, "uniqueKey") => {
                let functional = !matches!(tag.get("functional"), Some("false" | "0"));
                self.key = Some(RowKey { parameters: Vec::new(), functional });
                Ok(Place::UniqueKey)
            }
            (Place::UniqueKey, "parameter") => {
                let name = tag.get("ref").filter(|name| is_name(name));
                let name = name.ok_or_else(|| tag.without("ref"))?;
                if let Some(key) = &mut self.key
                    && key.parameters.len() < MAX_ALTERNATIVES
                {
                    key.parameters.push(name.into());
                }
                Ok(Place::Skipped)
            }
            (Place::Parameter, "syntax") => {
                if let Some(parameter) = &mut self.parameter {
                    parameter.hidden |= tag.says("hidden");
                    parameter.secured |= tag.says("secured");
                    parameter.command |= tag.says("command");
                }
                Ok(Place::Syntax)
            }
            (Place::Syntax, "default") => {
                self.take_default(tag);
                Ok(Place::Skipped)
            }
            (Place::Syntax, "dataType") => {
                let name = tag.get("ref").or_else(|| tag.get("base"));
                let name = name.filter(|name| is_name(name)).ok_or_else(|| tag.without("ref"))?;
                self.set_type(name);
                Ok(Place::Facets)
            }
            (Place::Syntax | Place::DataType, "list") => {
                self.open_list(tag)?;
                Ok(Place::List)
            }
            (Place::Syntax | Place::DataType, kind) if basic_kind(kind).is_some() => {
                self.set_type(kind);
                Ok(Place::Facets)
            }
            (Place::Facets | Place::DataType, _) => {
                self.take_facet(tag)?;
                Ok(Place::Skipped)
            }
            (Place::List, "size") => {
                let length = length(tag)?;
                if let Some(length) = length
                    && let Some(list) = self.syntax().and_then(|syntax| syntax.list.as_mut())
                    && list.lengths.len() < MAX_ALTERNATIVES
                {
                    list.lengths.push(length);
                }
                Ok(Place::Skipped)
            }
            _ => Ok(Place::Skipped),
        }
    }

    /// An element has ended.
    pub(super) fn leave(&mut self, place: Place) {
        match place {
            Place::DataType => {
                if let Some((name, data_type)) = self.data_type.take() {
                    self.types.insert(name, data_type);
                }
            }
            Place::UniqueKey => {
                let key = self.key.take().filter(|key| !key.parameters.is_empty());
                let object = self.object.as_ref().and_then(|path| self.objects.get_mut(path));
                if let (Some(key), Some(object)) = (key, object)
                    && !object.facts.keys.contains(&key)
                {
                    object.facts.keys.push(key);
                }
            }
            Place::Parameter => self.close_parameter(),
            Place::Object => self.object = None,
            _ => {}
        }
    }

    fn one_more(&mut self, tag: &Tag<'_>) -> Result<(), CompileError> {
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(CompileError::TooMuch { line: tag.line, what: "objects and parameters" });
        }
        Ok(())
    }

    fn open_type(&mut self, tag: &Tag<'_>) -> Result<Place, CompileError> {
        self.one_more(tag)?;
        let name = tag.get("name").filter(|name| is_name(name));
        let name = name.ok_or_else(|| tag.without("name"))?;
        let base = tag.get("base").map(Box::from);
        self.data_type = Some((name.into(), DataType { base, ..DataType::default() }));
        Ok(Place::DataType)
    }

    fn open_model(&mut self, tag: &Tag<'_>) -> Result<Place, CompileError> {
        if self.model.is_some() {
            return Err(CompileError::SecondModel(tag.line));
        }
        let name = tag.get("name").filter(|name| !name.is_empty() && name.len() <= 256);
        let name = name.ok_or_else(|| tag.without("name"))?;
        self.model = Some((name.into(), tag.says("isService")));
        Ok(Place::Model)
    }

    fn open_object(&mut self, tag: &Tag<'_>) -> Result<Place, CompileError> {
        self.one_more(tag)?;
        let path = tag.get("name").or_else(|| tag.get("base"));
        let path = path.filter(|path| path.ends_with('.')).ok_or_else(|| tag.without("name"))?;
        let is_table = path.ends_with("{i}.");
        let creatable = is_table && tag.get("access") == Some("readWrite");
        let count = |name: &'static str| match tag.get(name) {
            None => Ok(None),
            Some("unbounded") => Ok(None),
            Some(number) => number.parse::<u32>().map(Some).map_err(|_| tag.without(name)),
        };
        let (least, greatest) = (count("minEntries")?.unwrap_or(0), count("maxEntries")?);
        let rows = is_table.then_some(LengthRange { least, greatest });
        if greatest.is_some_and(|greatest| greatest < least) {
            return Err(tag.without("maxEntries"));
        }
        let named = |name| tag.get(name).filter(|text| is_name(text)).map(Box::from);
        let facts = ObjectFacts {
            creatable,
            rows,
            keys: Vec::new(),
            count: named("numEntriesParameter"),
            enable: named("enableParameter"),
            since: since(tag)?,
            status: status(tag)?,
        };
        let path: Box<str> = path.into();
        match self.objects.entry(path.clone()) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(ObjectDraft { facts, parameters: BTreeMap::new() });
            }
            // An object that is described in parts goes on.
            std::collections::btree_map::Entry::Occupied(_) => {}
        }
        self.object = Some(path);
        Ok(Place::Object)
    }

    fn open_parameter(&mut self, tag: &Tag<'_>) -> Result<Place, CompileError> {
        self.one_more(tag)?;
        let name = tag.get("name").or_else(|| tag.get("base")).filter(|name| is_name(name));
        let name = name.ok_or_else(|| tag.without("name"))?;
        let access = match tag.get("access") {
            // What the schema assumes (TR-106 Annex A).
            None | Some("readOnly") => ParameterAccess::ReadOnly,
            Some("readWrite") => ParameterAccess::ReadWrite,
            Some("writeOnceReadOnly") => ParameterAccess::WriteOnce,
            Some(_) => return Err(tag.without("access")),
        };
        let mut parameter = ParameterFacts::plain(name, access, "");
        parameter.notify = match tag.get("activeNotify") {
            None | Some("normal") => None,
            Some(rule) => {
                Some(NotifyRule::from_name(rule).ok_or_else(|| tag.without("activeNotify"))?)
            }
        };
        parameter.forced_inform = tag.says("forcedInform");
        parameter.since = since(tag)?;
        parameter.status = status(tag)?;
        self.parameter = Some(parameter);
        Ok(Place::Parameter)
    }

    fn close_parameter(&mut self) {
        let Some(mut parameter) = self.parameter.take() else { return };
        // What stands beside the tables of a service has no object.
        let path = self.object.clone().unwrap_or_else(|| ".".into());
        let object = self.objects.entry(path.clone()).or_default();
        if parameter.syntax.type_name.is_empty() {
            self.leave_out(format!("{path}{}: it has no type here", parameter.name));
            return;
        }
        if parameter.since == object.facts.since {
            parameter.since = None;
        }
        object.parameters.insert(parameter.name.clone(), parameter);
    }

    fn leave_out(&mut self, words: String) {
        if self.left_out.len() < MAX_LEFT_OUT {
            self.left_out.push(words);
        }
    }

    /// The syntax that is being described.
    fn syntax(&mut self) -> Option<&mut Syntax> {
        match (&mut self.parameter, &mut self.data_type) {
            (Some(parameter), _) => Some(&mut parameter.syntax),
            (None, Some((_, data_type))) => Some(&mut data_type.syntax),
            (None, None) => None,
        }
    }

    fn set_type(&mut self, name: &str) {
        if let Some(syntax) = self.syntax() {
            syntax.type_name = name.into();
        }
    }

    fn open_list(&mut self, tag: &Tag<'_>) -> Result<(), CompileError> {
        let number = |name: &'static str| match tag.get(name) {
            None | Some("unbounded") => Ok(None),
            Some(text) => text.parse::<u32>().map(Some).map_err(|_| tag.without(name)),
        };
        let items =
            LengthRange { least: number("minItems")?.unwrap_or(0), greatest: number("maxItems")? };
        if items.greatest.is_some_and(|greatest| greatest < items.least) {
            return Err(tag.without("maxItems"));
        }
        let nested = matches!(tag.get("nestedBrackets"), Some("legal" | "required"));
        if let Some(syntax) = self.syntax() {
            syntax.list = Some(ListRule { items, lengths: Vec::new(), nested });
        }
        Ok(())
    }

    fn take_default(&mut self, tag: &Tag<'_>) {
        let Some(parameter) = &mut self.parameter else { return };
        let (Some(value), false) = (tag.exact("value"), tag.get("status") == Some("deleted"))
        else {
            return;
        };
        match tag.get("type") {
            Some("factory") => parameter.factory_default = Some(value.into()),
            // What one device or another does is no fact of the model.
            Some("implementation") => {}
            _ => parameter.default = Some(value.into()),
        }
    }

    fn take_facet(&mut self, tag: &Tag<'_>) -> Result<(), CompileError> {
        let deleted = tag.get("status") == Some("deleted");
        let Some(syntax) = self.syntax().filter(|_| !deleted) else { return Ok(()) };
        let full = |count: usize| {
            if count < MAX_ALTERNATIVES {
                return Ok(());
            }
            Err(CompileError::TooMuch { line: tag.line, what: "alternatives of a value" })
        };
        match tag.local {
            "size" => {
                full(syntax.lengths.len())?;
                syntax.lengths.extend(length(tag)?);
            }
            "range" => {
                full(syntax.ranges.len())?;
                syntax.ranges.push(range(tag)?);
            }
            "enumeration" => {
                let value = tag.exact("value").ok_or_else(|| tag.without("value"))?;
                full(syntax.words.len() + syntax.device_words.len())?;
                let by_device = tag.get("access") == Some("readOnly");
                let words = if by_device { &mut syntax.device_words } else { &mut syntax.words };
                if !words.iter().any(|word| &**word == value) {
                    words.push(value.into());
                }
            }
            "pattern" => {
                let value = tag.exact("value").ok_or_else(|| tag.without("value"))?;
                full(syntax.patterns.len())?;
                syntax.patterns.push(value.into());
            }
            "pathRef" => {
                syntax.is_reference = true;
                let parents = tag.get("targetParent").unwrap_or_default();
                for parent in parents.split_whitespace() {
                    full(syntax.refers_to.len())?;
                    syntax.refers_to.push(parent.into());
                }
            }
            "enumerationRef" => {
                let other = tag.get("targetParam").ok_or_else(|| tag.without("targetParam"))?;
                syntax.words_of = Some(other.into());
            }
            "units" => {
                syntax.unit = tag.get("value").filter(|unit| !unit.is_empty()).map(Box::from)
            }
            _ => {}
        }
        Ok(())
    }

    /// The whole model, and what was left out.
    pub(super) fn finish(
        mut self,
        notice: Vec<Box<str>>,
    ) -> Result<(ModelDraft, Vec<String>), CompileError> {
        let (name, is_service) = self.model.take().ok_or(CompileError::NoModel)?;
        let mut used = BTreeSet::new();
        for (path, object) in &self.objects {
            for parameter in object.parameters.values() {
                let type_name = &parameter.syntax.type_name;
                if basic_kind(type_name).is_some() {
                    continue;
                }
                if !self.types.contains_key(type_name) {
                    let path = format!("{path}{}", parameter.name).into();
                    return Err(CompileError::UnknownType { path, name: type_name.clone() });
                }
                used.insert(type_name.clone());
            }
        }
        let mut types = BTreeMap::new();
        for name in used {
            let syntax = self.resolved(&name)?;
            types.insert(name, syntax);
        }
        let place = if is_service {
            Stands::Services
        } else {
            let first = self.objects.keys().find_map(|path| path.split('.').next());
            Stands::Root(format!("{}.", first.unwrap_or_default()).into())
        };
        let draft =
            ModelDraft { name, source: self.source, place, notice, types, objects: self.objects };
        Ok((draft, self.left_out))
    }

    /// A type with all that it stands on.
    fn resolved(&self, name: &str) -> Result<Syntax, CompileError> {
        let unknown =
            |of: &str, name: &str| CompileError::UnknownType { path: of.into(), name: name.into() };
        let mut syntax = Syntax::default();
        let mut next: Box<str> = name.into();
        for _ in 0..MAX_BASES {
            let known = self.types.get(&next).ok_or_else(|| unknown(name, &next))?;
            let own_type = known.syntax.type_name.clone();
            syntax = syntax.over(&known.syntax);
            if basic_kind(&own_type).is_some() {
                syntax.type_name = own_type;
                return Ok(syntax);
            }
            let base = known.base.clone().filter(|_| own_type.is_empty()).unwrap_or(own_type);
            if basic_kind(&base).is_some() {
                syntax.type_name = base;
                return Ok(syntax);
            }
            next = base;
        }
        Err(unknown(name, &next))
    }
}

/// Whether a text can be the name of a parameter or type.
fn is_name(name: &str) -> bool {
    let sound = |byte: u8| byte > b' ' && !matches!(byte, 0x7f | b'.' | b'=' | b'+' | b'|');
    !name.is_empty() && name.len() <= 256 && name.bytes().all(sound) && !name.starts_with('~')
}

fn since(tag: &Tag<'_>) -> Result<Option<crate::schema::model::Version>, CompileError> {
    let version = tag.get("version").map(str::parse).transpose();
    version.map_err(|_| tag.without("version"))
}

fn status(tag: &Tag<'_>) -> Result<Status, CompileError> {
    match tag.get("status") {
        None => Ok(Status::Current),
        Some(word) => Status::from_name(word).ok_or_else(|| tag.without("status")),
    }
}

/// The length that a size allows; none if it allows any.
fn length(tag: &Tag<'_>) -> Result<Option<LengthRange>, CompileError> {
    if tag.get("status") == Some("deleted") {
        return Ok(None);
    }
    let number = |name: &'static str| {
        let text = tag.get(name).filter(|text| *text != "unbounded");
        text.map(str::parse::<u32>).transpose().map_err(|_| tag.without(name))
    };
    let (least, greatest) = (number("minLength")?, number("maxLength")?);
    if greatest.is_some_and(|greatest| greatest < least.unwrap_or(0)) {
        return Err(tag.without("maxLength"));
    }
    let bounded = least.is_some() || greatest.is_some();
    Ok(bounded.then_some(LengthRange { least: least.unwrap_or(0), greatest }))
}

fn range(tag: &Tag<'_>) -> Result<NumberRange, CompileError> {
    let least = bound(tag, "minInclusive", -1)?;
    let greatest = bound(tag, "maxInclusive", 1)?;
    let step = tag.get("step").map(str::parse::<u32>).transpose();
    let step = step.map_err(|_| tag.without("step"))?.unwrap_or(1).max(1);
    match (least, greatest) {
        (Some(least), Some(greatest)) if least > greatest => Err(tag.without("maxInclusive")),
        _ => Ok(NumberRange { least, greatest, step }),
    }
}

/// A whole bound; one with a fraction is widened by it.
fn bound(tag: &Tag<'_>, name: &'static str, outward: i128) -> Result<Option<i128>, CompileError> {
    let Some(text) = tag.get(name) else { return Ok(None) };
    let wrong = || tag.without(name);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: i128 = whole.parse().map_err(|_| wrong())?;
    let has_fraction = fraction.bytes().any(|byte| byte != b'0');
    let negative = whole.starts_with('-');
    let widens = has_fraction && negative == (outward < 0);
    Ok(Some(if widens { number.saturating_add(outward) } else { number }))
}
