//! A model as it is put together, and its text.

use std::collections::BTreeMap;

use super::field::{LineError, escape};
use super::index::{FORM, ParameterModel, Place};
use super::line::{ObjectFacts, ParameterFacts};
use super::syntax::Syntax;

/// An object with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectDraft {
    /// What is said of it.
    pub facts: ObjectFacts,
    /// Its parameters, by name.
    pub parameters: BTreeMap<Box<str>, ParameterFacts>,
}

/// A whole model, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelDraft {
    /// `Device:2.19`.
    pub name: Box<str>,
    /// The file that it was made from; may be empty.
    pub source: Box<str>,
    /// Where its objects stand.
    pub place: Place,
    /// Whose it is, and under which terms: lines.
    pub notice: Vec<Box<str>>,
    /// The types that it explains, by name; each stands on a type of the
    /// standard.
    pub types: BTreeMap<Box<str>, Syntax>,
    /// Its objects by their paths; `.` holds what stands beside the tables of a
    /// service.
    pub objects: BTreeMap<Box<str>, ObjectDraft>,
}

impl ModelDraft {
    /// The text of the model: the same for the same model.
    pub fn write(&self) -> String {
        let mut text = format!("{FORM}\nmodel\t{}\n", escape(&self.name));
        if !self.source.is_empty() {
            text.push_str(&format!("source\t{}\n", escape(&self.source)));
        }
        text.push_str(&format!("below\t{}\n", self.place));
        for line in &self.notice {
            let line = line.trim_end();
            text.push_str(if line.is_empty() { "#" } else { "# " });
            text.push_str(line);
            text.push('\n');
        }
        for (name, syntax) in &self.types {
            let mut line = format!("type\t{name}\t{}", syntax.type_name);
            syntax.write(&mut line);
            text.push_str(&line);
            text.push('\n');
        }
        for (path, object) in &self.objects {
            text.push_str(&format!("{path}\t{}\n", object.facts.write()));
            for parameter in object.parameters.values() {
                text.push_str(&format!("\t{}\n", parameter.write()));
            }
        }
        text
    }

    /// A model taken apart.
    ///
    /// # Errors
    /// [`LineError`], which a model that was parsed does not have.
    pub fn of(model: &ParameterModel) -> Result<Self, LineError> {
        let mut objects = BTreeMap::new();
        for object in model.objects() {
            let mut parameters = BTreeMap::new();
            for parameter in object.parameters() {
                let facts = parameter.own_facts()?;
                parameters.insert(facts.name.clone(), facts);
            }
            objects
                .insert(object.path().into(), ObjectDraft { facts: object.facts()?, parameters });
        }
        Ok(Self {
            name: model.name().into(),
            source: model.source().into(),
            place: model.place().clone(),
            notice: model.notice().map(Box::from).collect(),
            types: model.types()?,
            objects,
        })
    }
}
