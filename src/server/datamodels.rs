//! The operator's data models: read from files at the start.

use std::path::{Path, PathBuf};

use tracing::{info, warn};

use crate::class::Class;
use crate::config::DatamodelsConfig;
use crate::schema::{self, CompileError, Compiled};

/// The largest file that is taken, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The most files of one folder.
const MAX_FILES: usize = 256;

/// Why a data model cannot be had from a file.
#[derive(Debug, thiserror::Error)]
pub enum DatamodelFileError {
    /// A file or folder cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is larger than any data model, or a folder holds too many files.
    #[error("{0}: larger than any data model, or too many of them")]
    TooLarge(PathBuf),
    /// It is no data model.
    #[error("{path}: {problem}")]
    Compile {
        /// The file.
        path: PathBuf,
        /// Why, with the line.
        problem: CompileError,
    },
}

impl DatamodelFileError {
    /// What it means to whoever named the file.
    pub const fn class(&self) -> Class {
        match self {
            Self::Read { .. } => Class::Invalid,
            Self::TooLarge(_) => Class::TooLarge,
            Self::Compile { problem, .. } => problem.class(),
        }
    }
}

/// Puts the models of the settings in force.
///
/// # Errors
/// [`DatamodelFileError`] with file and line.
pub(super) fn install(config: &DatamodelsConfig) -> Result<(), DatamodelFileError> {
    let mut models = Vec::new();
    for path in &config.files {
        for file in datamodel_files(path)? {
            let read = read_datamodel(&file)?;
            for words in read.left_out {
                warn!(file = %file.display(), "left out of a data model: {words}");
            }
            info!(file = %file.display(), model = read.model.name(), "a data model was read");
            models.push(read.model);
        }
    }
    schema::add_models(models);
    Ok(())
}

/// The `.xml` and `.txt` files of a folder in order of their names, or the one
/// file.
///
/// # Errors
/// [`DatamodelFileError`] if it cannot be looked into.
pub fn datamodel_files(path: &Path) -> Result<Vec<PathBuf>, DatamodelFileError> {
    let failed = |source| DatamodelFileError::Read { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|ending| ending == "xml" || ending == "txt") {
            found.push(file);
        }
        if found.len() > MAX_FILES {
            return Err(DatamodelFileError::TooLarge(path.to_owned()));
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a model in one form or the other.
///
/// # Errors
/// [`DatamodelFileError`] with the line.
pub fn read_datamodel(file: &Path) -> Result<Compiled, DatamodelFileError> {
    let failed = |source| DatamodelFileError::Read { path: file.to_owned(), source };
    if std::fs::metadata(file).map_err(failed)?.len() > MAX_FILE {
        return Err(DatamodelFileError::TooLarge(file.to_owned()));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    schema::read_model(bytes)
        .map_err(|problem| DatamodelFileError::Compile { path: file.to_owned(), problem })
}
