//! From a data model in the Broadband Forum's XML (TR-106 Annex A, flattened)
//! to the compact form. Descriptions are left out.
//!
//! The file may be anybody's: it is walked without recursion, within limits, and
//! a document type declaration is refused, so that no entity is ever expanded.

mod build;
mod walk;

use build::Builder;
use walk::Walk;

use super::model::{ModelError, ParameterModel};
use crate::class::Class;

/// Why a file was not compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The file is no text in UTF-8.
    #[error("it is no text in UTF-8")]
    NoText,
    /// A limit is exceeded.
    #[error("line {line}: more {what} than are read")]
    TooMuch {
        /// Where.
        line: usize,
        /// Of what.
        what: &'static str,
    },
    /// A document type declaration: entities are never expanded.
    #[error("line {0}: a document type declaration is refused")]
    Doctype(usize),
    /// It is not well-formed XML; what the parser said.
    #[error("line {line}: {problem}")]
    Xml {
        /// Where.
        line: usize,
        /// What is wrong.
        problem: Box<str>,
    },
    /// The file ends before its root element does.
    #[error("it ends in the middle")]
    Truncated,
    /// The root element is another one.
    #[error("it is no data model: its root element is <{0}>, not <document>")]
    NoDataModel(Box<str>),
    /// There is no model in it.
    #[error("it holds no <model>; a file of types or components alone cannot be compiled")]
    NoModel,
    /// There is more than one model in it.
    #[error("line {0}: a second <model>; a file holds one")]
    SecondModel(usize),
    /// An attribute that must be there is not, or holds nonsense.
    #[error("line {line}: <{element}> has no sound `{attribute}`")]
    Attribute {
        /// Where.
        line: usize,
        /// The element.
        element: Box<str>,
        /// Its attribute.
        attribute: &'static str,
    },
    /// A type that is not explained in the file.
    #[error("{path}: the type {name} is not explained in the file; flatten it first")]
    UnknownType {
        /// The parameter or type that names it.
        path: Box<str>,
        /// Its name.
        name: Box<str>,
    },
    /// The compact form, given or compiled, is not sound.
    #[error(transparent)]
    Unsound(#[from] ModelError),
}

impl CompileError {
    /// What it means to whoever gave the file.
    pub const fn class(&self) -> Class {
        match self {
            Self::TooMuch { .. } => Class::TooLarge,
            Self::Unsound(error) => error.class(),
            _ => Class::Invalid,
        }
    }
}

/// A compiled model, and what was left out of it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The model in the compact form.
    pub model: ParameterModel,
    /// What could not be taken, in words; at most a hundred.
    pub left_out: Vec<String>,
}

/// Compiles a flattened data model.
///
/// # Errors
/// [`CompileError`] with the line.
pub fn compile(xml: &[u8]) -> Result<Compiled, CompileError> {
    let text = std::str::from_utf8(xml).map_err(|_| CompileError::NoText)?;
    let mut walk = Walk::new(text.trim_start_matches('\u{feff}'))?;
    let mut builder = Builder::default();
    walk.through(&mut builder)?;
    let (draft, left_out) = builder.finish(walk.into_notice())?;
    let model = ParameterModel::parse(draft.write(), true)?;
    Ok(Compiled { model, left_out })
}

/// Reads a model in the compact form, or compiles it if it is XML.
///
/// # Errors
/// [`CompileError`] with the line.
pub fn read_model(bytes: Vec<u8>) -> Result<Compiled, CompileError> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'<' | 0xef)) {
        return compile(&bytes);
    }
    let text = String::from_utf8(bytes).map_err(|_| CompileError::NoText)?;
    Ok(Compiled { model: ParameterModel::parse(text, true)?, left_out: Vec::new() })
}

#[cfg(test)]
mod tests;
