//! Templates: what turns accounts, keys and directives into a vendor's words.
//!
//! A template is named `<vendor>/<name>.<form>`, and the form decides how values
//! are escaped, so that nothing that comes from outside can become more than a
//! value:
//!
//! | form | what comes out | in a value |
//! | --- | --- | --- |
//! | `rows` | a line `name=value` for each setting | control characters become blanks |
//! | `xml` | XML 1.0 | markup is escaped, characters that XML cannot hold are left out |
//! | `conf` | an AstLinux mass-deployment template, not rendered here | – |
//!
//! The shipped ones are built in. A file of the operator of the same name takes
//! the place of a shipped one, which stays at hand as `shipped/<vendor>/…` to be
//! included or extended.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use crate::class::Class;

/// What one rendering may cost, in steps of the template machine.
const FUEL: u64 = 2_000_000;
/// The largest template, in bytes.
const MAX_SOURCE: usize = 256 << 10;
/// The most that may come out, in bytes.
const MAX_OUTPUT: usize = 4 << 20;

/// The templates that come with the program.
const SHIPPED: &[(&str, &str)] = &[
    ("fanvil/own.rows", include_str!("templates/fanvil/own.rows")),
    ("fanvil/image-server.rows", include_str!("templates/fanvil/image-server.rows")),
    ("digium/own.xml", include_str!("templates/digium/own.xml")),
    ("digium/contacts.xml", include_str!("templates/digium/contacts.xml")),
    ("digium/blf.xml", include_str!("templates/digium/blf.xml")),
    ("audiocodes/own.rows", include_str!("templates/audiocodes/own.rows")),
];

/// Why a template cannot be used. Never tells a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is none of this name.
    #[error("there is no template {0}")]
    Missing(String),
    /// Its name is not of the form `<vendor>/<name>.<form>`.
    #[error("{0} is no name of a template: write VENDOR/NAME.rows, .xml or .conf")]
    Name(String),
    /// It is too large.
    #[error("the template {0} is larger than {MAX_SOURCE} bytes")]
    Large(String),
    /// It cannot be read, or fails.
    #[error("{name}, line {line}: {problem}")]
    Fails {
        /// The template.
        name: String,
        /// Where, from 1; 0 if unknown.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

impl TemplateError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Missing(_) => Class::NotFound,
            Self::Name(_) | Self::Large(_) | Self::Fails { .. } => Class::Invalid,
        }
    }

    fn fails(name: &str, error: &minijinja::Error) -> Self {
        let problem = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        let name = error.name().unwrap_or(name).to_owned();
        Self::Fails { name, line: error.line().unwrap_or(0), problem }
    }
}

/// The templates, those of the operator before the shipped ones.
#[derive(Debug)]
pub struct Templates {
    machine: Environment<'static>,
    /// AstLinux templates, which are not rendered by the machine.
    plain: BTreeMap<String, String>,
}

impl Default for Templates {
    fn default() -> Self {
        Self { machine: shipped(), plain: BTreeMap::new() }
    }
}

impl Templates {
    /// The shipped templates with the operator's own, by name, over them.
    ///
    /// # Errors
    /// [`TemplateError`] for the first that cannot be read.
    pub fn with(own: impl IntoIterator<Item = (String, String)>) -> Result<Self, TemplateError> {
        let mut templates = Self::default();
        for (name, source) in own {
            let Some(form) = Form::of(&name) else { return Err(TemplateError::Name(name)) };
            if source.len() > MAX_SOURCE {
                return Err(TemplateError::Large(name));
            }
            if form == Form::Conf {
                templates.plain.insert(name, source);
                continue;
            }
            let added = templates.machine.add_template_owned(name.clone(), source);
            added.map_err(|error| TemplateError::fails(&name, &error))?;
        }
        Ok(templates)
    }

    /// Whether there is a template of this name.
    pub fn has(&self, name: &str) -> bool {
        self.plain.contains_key(name) || self.machine.get_template(name).is_ok()
    }

    /// The text of an AstLinux template (`astlinux/<name>.conf`).
    ///
    /// # Errors
    /// [`TemplateError::Missing`].
    pub fn plain(&self, name: &str) -> Result<&str, TemplateError> {
        let text = self.plain.get(name).map(String::as_str);
        text.ok_or_else(|| TemplateError::Missing(name.to_owned()))
    }

    /// Renders a template.
    ///
    /// # Errors
    /// [`TemplateError`]; a value that the context lacks is one.
    pub fn render(&self, name: &str, context: impl Serialize) -> Result<String, TemplateError> {
        let template = self.machine.get_template(name).map_err(|error| match error.kind() {
            ErrorKind::TemplateNotFound => TemplateError::Missing(name.to_owned()),
            _ => TemplateError::fails(name, &error),
        })?;
        let rendered = template.render(Serde(context));
        let text = rendered.map_err(|error| TemplateError::fails(name, &error))?;
        if text.len() > MAX_OUTPUT {
            let problem = format!("more than {MAX_OUTPUT} bytes come out");
            return Err(TemplateError::Fails { name: name.to_owned(), line: 0, problem });
        }
        Ok(text)
    }
}

/// What a template's ending says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Rows,
    Xml,
    Conf,
}

impl Form {
    /// The form of a template of this name; `None` if it is no name.
    fn of(name: &str) -> Option<Self> {
        let name = name.strip_prefix("shipped/").unwrap_or(name);
        let (vendor, file) = name.split_once('/')?;
        let (stem, form) = file.rsplit_once('.')?;
        let sound = |word: &str| {
            !word.is_empty()
                && word.len() <= 64
                && !word.starts_with('.')
                && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        if !sound(vendor) || !sound(stem) {
            return None;
        }
        match form {
            "rows" => Some(Self::Rows),
            "xml" => Some(Self::Xml),
            "conf" => Some(Self::Conf),
            _ => None,
        }
    }
}

fn shipped() -> Environment<'static> {
    let mut machine = Environment::new();
    machine.set_undefined_behavior(UndefinedBehavior::Strict);
    let blocks = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    // Only delimiters could be wrong, and they are left alone.
    if let Ok(blocks) = blocks {
        machine.set_syntax(blocks);
    }
    machine.set_fuel(Some(FUEL));
    machine.set_auto_escape_callback(|name| match Form::of(name) {
        Some(Form::Xml) => AutoEscape::Custom("xml".into()),
        _ => AutoEscape::Custom("rows".into()),
    });
    machine.set_formatter(write_value);
    for (name, source) in SHIPPED {
        // A shipped template that cannot be read is missing; a test renders all.
        let _ = machine.add_template(name, source);
        let _ = machine.add_template_owned(format!("shipped/{name}"), *source);
    }
    machine
}

/// Writes a value so that it cannot become anything else.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    let undefined =
        value.is_undefined() && matches!(state.undefined_behavior(), UndefinedBehavior::Strict);
    if undefined {
        return Err(minijinja::Error::from(ErrorKind::UndefinedError));
    }
    if value.is_safe() {
        return write!(out, "{value}").map_err(minijinja::Error::from);
    }
    if matches!(value.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable) {
        let problem = "a list or an object cannot be written; write its members";
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, problem));
    }
    let shown;
    let text = match value.as_str() {
        Some(text) => text,
        None => {
            shown = value.to_string();
            &shown
        }
    };
    let written = match state.auto_escape() {
        AutoEscape::Custom(form) if form == "xml" => write_xml(out, text),
        _ => write_row(out, text),
    };
    written.map_err(minijinja::Error::from)
}

fn write_row(out: &mut Output<'_>, text: &str) -> std::fmt::Result {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if !text.contains(breaks) {
        return out.write_str(text);
    }
    text.chars().try_for_each(|c| out.write_char(if breaks(c) { ' ' } else { c }))
}

fn write_xml(out: &mut Output<'_>, text: &str) -> std::fmt::Result {
    for c in text.chars() {
        match c {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '\'' => out.write_str("&apos;")?,
            '\t' | '\n' | '\r' => out.write_char(' ')?,
            // XML 1.0 §2.2: these can stand in no document, escaped or not.
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.write_char(c)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn own(name: &str, source: &str) -> Templates {
        Templates::with([(name.to_owned(), source.to_owned())]).unwrap()
    }

    #[test]
    fn all_shipped_templates_can_be_read() {
        let templates = Templates::default();
        for (name, _) in SHIPPED {
            assert!(templates.has(name) && templates.has(&format!("shipped/{name}")), "{name}");
        }
    }

    #[test]
    fn p07_a_value_stays_a_value() {
        let name = "Anna\nvoip/line/1/id=7 <&\"'>]]>\u{0}\u{1}{{ 7 * 7 }}";
        let rows = own("x/a.rows", "id={{ name }}\n").render("x/a.rows", context!(name)).unwrap();
        assert_eq!(rows.lines().count(), 1, "{rows}");
        assert!(rows.ends_with("{{ 7 * 7 }}\n"), "{rows}");
        let xml = own("x/a.xml", "<a>{{ name }}</a>").render("x/a.xml", context!(name)).unwrap();
        assert_eq!(xml, "<a>Anna voip/line/1/id=7 &lt;&amp;&quot;&apos;&gt;]]&gt;{{ 7 * 7 }}</a>");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let told = |source: &str| {
            let made = Templates::with([("x/a.rows".to_owned(), source.to_owned())]);
            made.and_then(|made| made.render("x/a.rows", context!(list => [1])))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(told("a\n{{ no_such }}"), "x/a.rows, line 2: undefined value");
        assert!(told("{% if %}").starts_with("x/a.rows, line 1: "), "{}", told("{% if %}"));
        assert!(told("{{ list }}").contains("write its members"));
        assert!(
            told("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}")
                .contains("fuel")
        );
    }

    #[test]
    fn names_reach_no_folder_above() {
        for name in
            ["../x.rows", "x/../y.rows", "x.rows", "x/y", "x/.rows", "x/y.exe", "x/y/z.rows"]
        {
            assert!(Templates::with([(name.to_owned(), String::new())]).is_err(), "{name}");
        }
    }
}
