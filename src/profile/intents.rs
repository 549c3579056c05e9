//! The seam to [`crate::intent`]: what a profile wants without naming a path
//! becomes values and rows here, for one device.

use serde_json::{Map, Value};

use crate::device::{Desired, Source};
use crate::expr::{Subject, Template, TemplateError};
use crate::intent::{Answer, Intent, Known, ways};
use crate::param::{ParamPath, Tree};

/// An intent with its expressions compiled.
#[derive(Debug)]
pub(super) struct CompiledIntent {
    fields: Vec<(String, Field)>,
}

/// One field.
#[derive(Debug)]
enum Field {
    Plain(Value),
    Template(Box<Template>),
    List(Vec<Self>),
}

/// What an intent is for one device.
pub(super) enum Meant {
    /// Values and rows.
    Wanted(Box<Desired>),
    /// What has to be read before it can be told.
    Unread(Vec<ParamPath>),
    /// Why it cannot be had.
    Not(String),
}

impl Field {
    fn compile(value: &Value) -> Result<Self, TemplateError> {
        Ok(match value {
            Value::String(text) if !Template::is_plain(text) => {
                Self::Template(Box::new(Template::parse(text)?))
            }
            Value::Array(list) => {
                let members: Result<_, _> = list.iter().map(Self::compile).collect();
                Self::List(members?)
            }
            plain => Self::Plain(plain.clone()),
        })
    }

    fn render(&self, subject: &Subject<'_>) -> Result<Value, TemplateError> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Template(template) => Value::String(template.render(subject)?),
            Self::List(list) => {
                let members: Result<_, _> =
                    list.iter().map(|field| field.render(subject)).collect();
                Value::Array(members?)
            }
        })
    }

    fn templates<'f>(&'f self, into: &mut Vec<&'f Template>) {
        match self {
            Self::Plain(_) => {}
            Self::Template(template) => into.push(template),
            Self::List(list) => list.iter().for_each(|field| field.templates(into)),
        }
    }
}

impl CompiledIntent {
    /// Compiles the expressions of an intent.
    ///
    /// # Errors
    /// [`TemplateError`] for the first that cannot be read.
    pub(super) fn compile(fields: &Map<String, Value>) -> Result<Self, TemplateError> {
        let fields: Result<_, _> = fields
            .iter()
            .map(|(name, value)| Field::compile(value).map(|field| (name.clone(), field)))
            .collect();
        Ok(Self { fields: fields? })
    }

    /// Its expressions.
    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut found = Vec::new();
        self.fields.iter().for_each(|(_, field)| field.templates(&mut found));
        found
    }

    /// What it is for a device.
    pub(super) fn meant(&self, subject: &Subject<'_>, source: &Source) -> Meant {
        let mut fields = Map::new();
        for (name, field) in &self.fields {
            match field.render(subject) {
                Ok(value) => fields.insert(name.clone(), value),
                Err(error) => return Meant::Not(format!("{name}: {error}")),
            };
        }
        let intent = match Intent::from_json(&Value::Object(fields)) {
            Ok(intent) => intent,
            Err(error) => return Meant::Not(error.to_string()),
        };
        let (device, empty) = (subject.device, Tree::new());
        let known = Known {
            root: &device.root,
            tree: subject.tree.unwrap_or(&empty),
            whole: subject.tree.is_some() && device.tree_read_at.is_some(),
            oui: &device.identity.oui,
            product_class: &device.identity.product_class,
        };
        match ways().resolve(&intent, &known, source.clone()) {
            Answer::Wanted(resolution) => Meant::Wanted(Box::new(resolution.desired)),
            Answer::NotKnownYet(unknown) => Meant::Unread(unknown.paths),
            Answer::NotSupported(why) => Meant::Not(why.to_string()),
            Answer::Unclear(why) => Meant::Not(why.to_string()),
        }
    }
}

impl super::definition::IntentForm {
    /// Whether its expressions can be read, and, if it has none, whether it is an
    /// intent at all.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub(super) fn check(&self) -> Result<(), String> {
        let compiled = CompiledIntent::compile(&self.fields).map_err(|error| error.to_string())?;
        if !compiled.templates().is_empty() {
            return Ok(());
        }
        let all = Value::Object(self.fields.clone());
        Intent::from_json(&all).map(drop).map_err(|error| error.to_string())
    }
}
