//! Values that are made from what is known of a device (minijinja).
//!
//! A small part of that language: what stands in `{{ }}`, filters, and
//! `{% if %}`. Nothing that keeps a value and makes it longer again and again,
//! because the machine counts steps and not letters.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, Output, State, UndefinedBehavior, Value as Made};
use regex::Regex;

use super::Subject;
use super::field::{DeviceField, PhoneField};
use super::nearest::nearest;
use super::rule::one_line;
use super::value::Val;
use super::{filter, guard};
use crate::class::Class;
use crate::param::ParamPath;

/// The longest template, in bytes.
pub const MAX_TEMPLATE: usize = 4096;
/// The most that may come out, in bytes.
pub const MAX_OUTPUT: usize = 64 << 10;

/// What one rendering may cost, in steps of the template machine.
const FUEL: u64 = 10_000;
/// The only name under which a template is known to its own machine.
const NAME: &str = "value";
/// Where what `value()` answers lies at hand.
const READ: &str = "@read";

const VARIABLES: &[&str] =
    &["device", "tags", "tenant", "site", "subscriber", "phone", "now", "value", "known"];

/// A text with what is computed in it, read once.
#[derive(Debug)]
pub struct Template {
    text: Box<str>,
    /// `None` if there is nothing to compute.
    machine: Option<Environment<'static>>,
    /// What it names: `device`, `subscriber.pppoe_username`.
    names: BTreeSet<String>,
    reads: Vec<ParamPath>,
}

/// What is wrong with a template, or why a device has no value for it. Tells no
/// value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(pub String);

impl TemplateError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Template {
    /// Reads a text; one without `{{` and `{%` is taken as it is.
    ///
    /// # Errors
    /// [`TemplateError`], in one line that says what would be right.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::read(text).map_err(|error| TemplateError(one_line(&error.0)))
    }

    fn read(text: &str) -> Result<Self, TemplateError> {
        let limit = if Self::is_plain(text) { MAX_OUTPUT } else { MAX_TEMPLATE };
        if text.len() > limit {
            return Err(TemplateError(format!("a value has at most {limit} bytes")));
        }
        let plain =
            Self { text: text.into(), machine: None, names: BTreeSet::new(), reads: Vec::new() };
        if Self::is_plain(text) {
            return Ok(plain);
        }
        let computed = check_tags(text)?;
        let mut machine = MACHINE.clone();
        let added = machine.add_template_owned(NAME, text.to_owned());
        added.map_err(|error| told(&error))?;
        let template = machine.get_template(NAME).map_err(|error| told(&error))?;
        let mut names: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
        names.extend(written_names(&computed));
        check_names(&names)?;
        Ok(Self { machine: Some(machine), names, reads: read_paths(text)?, ..plain })
    }

    /// Whether there is nothing to compute in a text.
    pub fn is_plain(text: &str) -> bool {
        !text.contains("{{") && !text.contains("{%")
    }

    /// The text as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it names, as far as that is written out: `device.serial`,
    /// `subscriber.pppoe_username`, `tags`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The parameters, and objects with their last dot, that it asks for.
    pub fn reads(&self) -> &[ParamPath] {
        &self.reads
    }

    /// Whether it asks for parameters, so that the tree has to be loaded.
    pub fn needs_tree(&self) -> bool {
        !self.reads.is_empty()
    }

    /// Whether it asks for the phone.
    pub fn needs_phone(&self) -> bool {
        self.uses("phone")
    }

    /// Whether it asks for the time, so that what comes out changes by itself.
    pub fn needs_time(&self) -> bool {
        self.uses("now")
    }

    fn uses(&self, variable: &str) -> bool {
        self.names.iter().any(|name| name.split('.').next() == Some(variable))
    }

    /// What comes out for a device.
    ///
    /// # Errors
    /// [`TemplateError`] that names what is not known of the device, or says
    /// what cannot be computed.
    pub fn render(&self, subject: &Subject<'_>) -> Result<String, TemplateError> {
        let Some(machine) = &self.machine else { return Ok(self.text.as_ref().to_owned()) };
        let template = machine.get_template(NAME).map_err(|error| told(&error))?;
        let mut out = Bounded(Vec::new());
        let rendered = template.render_captured_to(self.context(subject), &mut out);
        if let Err(error) = rendered {
            let is_of_nothing = error.kind() == ErrorKind::UndefinedError
                || error.detail().is_some_and(|detail| detail.contains("undefined"));
            if is_of_nothing && let Some(missing) = self.missing(subject) {
                let problem = format!("{missing} is not known of this device");
                return Err(TemplateError(one_line(&problem)));
            }
            return Err(told(&error));
        }
        String::from_utf8(out.0).map_err(|_| TemplateError("no text comes out".to_owned()))
    }

    /// The first name of which nothing is known.
    fn missing(&self, subject: &Subject<'_>) -> Option<String> {
        let absent = |name: &&String| match name.split_once('.') {
            Some(("subscriber", member)) => !subject.labels.subscriber.contains_key(member),
            Some(("phone", _)) => subject.phone.is_none(),
            _ => *name == "phone" && subject.phone.is_none(),
        };
        if let Some(name) = self.names.iter().find(absent) {
            return Some(name.clone());
        }
        let value = |path: &ParamPath| subject.tree.and_then(|tree| tree.value(path.as_str()));
        let unread = self.reads.iter().find(|path| value(path).is_none())?;
        Some(format!("value(\"{unread}\")"))
    }

    /// Only what the template names.
    fn context(&self, subject: &Subject<'_>) -> Made {
        let mut context: BTreeMap<&'static str, Made> = BTreeMap::new();
        if self.uses("device") {
            let fields = DeviceField::ALL.iter();
            let members = fields.map(|(name, field)| (*name, made(&field.of(subject.device))));
            context.insert("device", Made::from(members.collect::<BTreeMap<_, _>>()));
        }
        if self.uses("phone")
            && let Some(phone) = subject.phone
        {
            let fields = PhoneField::ALL.iter();
            let members = fields.map(|(name, field)| (*name, made(&field.of(phone))));
            context.insert("phone", Made::from(members.collect::<BTreeMap<_, _>>()));
        }
        if self.uses("subscriber") {
            let members = subject.labels.subscriber.iter();
            let members = members.map(|(name, text)| (name.to_string(), Made::from(&**text)));
            context.insert("subscriber", Made::from(members.collect::<BTreeMap<_, _>>()));
        }
        if self.uses("tags") {
            let tags = subject.labels.tags.iter().map(|tag| Made::from(&**tag));
            context.insert("tags", Made::from(tags.collect::<Vec<_>>()));
        }
        for (name, text) in [("tenant", &subject.labels.tenant), ("site", &subject.labels.site)] {
            if self.uses(name) {
                context.insert(name, Made::from(&**text));
            }
        }
        if self.uses("now") {
            context.insert("now", Made::from(subject.now.as_secs()));
        }
        if !self.reads.is_empty() {
            context.insert(READ, self.answers(subject));
        }
        Made::from(context)
    }

    /// By path, what `value()` and `known()` answer.
    fn answers(&self, subject: &Subject<'_>) -> Made {
        let answers = self.reads.iter().map(|path| {
            let known = match subject.tree {
                None => Made::UNDEFINED,
                Some(tree) if path.is_object() => {
                    let any = tree.under(path.as_str()).next().is_some();
                    if any { Made::from(true) } else { Made::UNDEFINED }
                }
                Some(tree) => match tree.value(path.as_str()) {
                    Some(value) => made(&Val::of(value)),
                    None => Made::UNDEFINED,
                },
            };
            (path.to_string(), known)
        });
        Made::from(answers.collect::<BTreeMap<String, Made>>())
    }
}

/// Takes what comes out, up to a length.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other(format!("more than {MAX_OUTPUT} bytes come out")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static MACHINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut machine = Environment::empty();
    machine.set_undefined_behavior(UndefinedBehavior::Strict);
    machine.set_fuel(Some(FUEL));
    machine.set_formatter(write_value);
    filter::add_all(&mut machine);
    machine.add_function("value", |state: &State<'_, '_>, path: &str| answer(state, path, "value"));
    machine.add_function("known", |state: &State<'_, '_>, path: &str| {
        answer(state, path, "known").map(|answer| !answer.is_undefined())
    });
    machine
});

/// What `value()` answers: only what was looked up before, because a template
/// cannot reach into the device's tree.
fn answer(state: &State<'_, '_>, path: &str, function: &str) -> Result<Made, minijinja::Error> {
    let wrong = || {
        let problem = format!("{function}() takes a path in quotes: {function}(\"Device.X.Y\")");
        minijinja::Error::new(ErrorKind::InvalidOperation, problem)
    };
    let known = state.lookup(READ).ok_or_else(wrong)?;
    let mut paths = known.try_iter().map_err(|_| wrong())?;
    if !paths.any(|known| known.as_str() == Some(path.trim())) {
        return Err(wrong());
    }
    known.get_item(&Made::from(path.trim()))
}

/// A value of a rule as one of a template.
fn made(val: &Val<'_>) -> Made {
    match val {
        Val::Bool(truth) => Made::from(*truth),
        Val::Int(number) => Made::from(*number),
        Val::Double(number) => Made::from(*number),
        val => val.text().map_or(Made::UNDEFINED, Made::from),
    }
}

/// Writes one value; what is not known, and what is no single value, is an
/// error.
fn write_value(
    out: &mut Output<'_>,
    _state: &mut State<'_, '_>,
    value: &Made,
) -> Result<(), minijinja::Error> {
    match value.kind() {
        ValueKind::Undefined => Err(minijinja::Error::from(ErrorKind::UndefinedError)),
        // The machine has capitals here, which devices do not know.
        ValueKind::Bool => {
            let word = if value.is_true() { "true" } else { "false" };
            out.write_str(word).map_err(minijinja::Error::from)
        }
        ValueKind::Number | ValueKind::String => {
            write!(out, "{value}").map_err(minijinja::Error::from)
        }
        _ => Err(minijinja::Error::new(
            ErrorKind::InvalidOperation,
            "a list or an object is no value; write its members, or join(\",\")",
        )),
    }
}

fn told(error: &minijinja::Error) -> TemplateError {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let detail = match error.kind() {
        ErrorKind::UnknownFilter => {
            let name = detail.split_whitespace().nth(1).unwrap_or_default();
            match nearest(name, filter::NAMES.iter().copied()) {
                Some(near) => format!("there is no filter {name}; did you mean {near}?"),
                None => format!("{detail}; there are {}", filter::NAMES.join(", ")),
            }
        }
        ErrorKind::OutOfFuel => "the template takes too much".to_owned(),
        ErrorKind::WriteFailure => format!("more than {MAX_OUTPUT} bytes come out"),
        _ => detail,
    };
    TemplateError(one_line(&detail))
}

/// Refuses what could make much of little, or is nested too deep, before the
/// template's own parser sees it. Gives back what is computed, without what
/// stands in quotes there.
fn check_tags(text: &str) -> Result<String, TemplateError> {
    let refused = |problem: &str| Err(TemplateError(problem.to_owned()));
    let mut computed = String::new();
    if text.contains("{#") {
        return refused("a value holds no comments; write them beside it");
    }
    let mut rest = text;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let is_statement = rest[at..].starts_with("{%");
        let tag = &rest[at + 2..];
        let Some((inside, after)) = split_tag(tag, if is_statement { "%}" } else { "}}" }) else {
            return refused("a `{{` or `{%` is not closed; write {{ device.serial }}");
        };
        let mut words = inside.trim_start_matches(['-', '+']).split_whitespace();
        if is_statement && !matches!(words.next(), Some("if" | "elif" | "else" | "endif")) {
            return refused("a value knows no other statements than if, elif, else and endif");
        }
        if inside.contains('*') {
            return refused(
                "a value knows no `*`; write times(): {{ value(\"Device.X\") | times(2) }}",
            );
        }
        let marks = inside.chars().filter(|c| !c.is_alphanumeric() && !c.is_whitespace()).count();
        if marks + inside.split_whitespace().count() > 4 * guard::MAX_DEPTH {
            return refused("a value is too complicated; write it in several parts");
        }
        computed.push(' ');
        computed.push_str(&inside);
        rest = after;
    }
    Ok(computed)
}

static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let variables = "device|tags|tenant|site|subscriber|phone|now";
    Regex::new(&format!(r"(?:^|[^\w.])({variables})\b(?:\s*\.\s*(\w+))?")).ok()
});

/// The variables that are written somewhere: the machine tells those that it
/// finds, and finds none before `[-4:]`.
fn written_names(computed: &str) -> Vec<String> {
    let Some(names) = NAMES.as_ref() else { return Vec::new() };
    let found = names.captures_iter(computed).map(|found| {
        let variable = found.get(1).map_or("", |variable| variable.as_str());
        match found.get(2) {
            Some(member) => format!("{variable}.{}", member.as_str()),
            None => variable.to_owned(),
        }
    });
    found.collect()
}

/// What stands inside a tag, without what stands in quotes there, and what
/// follows the tag. The template's own reader finds the same end: quotes hide
/// it, and a backslash hides a quote.
fn split_tag<'t>(tag: &'t str, end: &str) -> Option<(String, &'t str)> {
    let (mut quote, mut escaped, mut inside) = (None, false, String::new());
    for (at, c) in tag.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if tag[at..].starts_with(end) => return Some((inside, &tag[at + end.len()..])),
            None if c == '"' || c == '\'' => quote = Some(c),
            None => inside.push(c),
        }
    }
    None
}

/// Refuses names that nothing can stand for.
fn check_names(names: &BTreeSet<String>) -> Result<(), TemplateError> {
    let unknown = |what: &str, name: &str, known: Vec<&'static str>| {
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("there are {}", known.join(", ")),
        };
        Err(TemplateError(format!("there is no {what} `{name}`; {hint}")))
    };
    for name in names {
        let mut parts = name.split('.');
        let (variable, member) = (parts.next().unwrap_or_default(), parts.next());
        match (variable, member) {
            ("device", Some(member)) if DeviceField::named(member).is_none() => {
                let known = DeviceField::ALL.iter().map(|(name, _)| *name).collect();
                return unknown("member of device", member, known);
            }
            ("phone", Some(member)) if PhoneField::named(member).is_none() => {
                let known = PhoneField::ALL.iter().map(|(name, _)| *name).collect();
                return unknown("member of phone", member, known);
            }
            _ if VARIABLES.contains(&variable) => {}
            _ => return unknown("variable", variable, VARIABLES.to_vec()),
        }
    }
    Ok(())
}

static READS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\b(value|known)\s*\(\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\)"#).ok());

/// The paths in quotes that a template asks for.
fn read_paths(text: &str) -> Result<Vec<ParamPath>, TemplateError> {
    let mut paths: Vec<ParamPath> = Vec::new();
    let Some(reads) = READS.as_ref() else { return Ok(paths) };
    for found in reads.captures_iter(text) {
        let function = found.get(1).map_or("", |function| function.as_str());
        let written = found.get(2).or_else(|| found.get(3)).map_or("", |path| path.as_str());
        let path = ParamPath::parse(written)
            .map_err(|error| TemplateError(format!("{function}(\"{written}\"): {error}")))?;
        let rooted = matches!(path.root(), "Device." | "InternetGatewayDevice.");
        if !rooted || written.contains(['*', '[', '@']) || (path.is_object() && function == "value")
        {
            return Err(TemplateError(format!(
                "{function}(\"{written}\"): write the whole path of one parameter, from Device. or InternetGatewayDevice. on"
            )));
        }
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Ok(paths)
}
