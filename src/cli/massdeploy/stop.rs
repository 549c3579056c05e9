//! Why a run ends before it is done, and what is said then.

use super::Tell;
use super::options::{Asked, usage};
use crate::class::Class;

/// Why a run ends before it is done. `phoneprov-massdeployment` calls
/// `phoneprov-build`, and each speaks in its own name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    /// The usage is shown.
    #[error("wrong usage")]
    Usage(Asked),
    /// `phoneprov-build` was given an option that it has not.
    #[error("phoneprov-build: {0}")]
    Option(String),
    /// A phone cannot be built.
    #[error("phoneprov-build: {0}")]
    Build(String),
    /// A file is there already.
    #[error("phoneprov-build: File \"{0}\" exists.")]
    Exists(String),
    /// A phone has no password.
    #[error("phoneprov-build: no password defined.")]
    NoPassword,
    /// The deployment cannot be carried out.
    #[error("phoneprov-massdeployment: {0}")]
    Mass(String),
}

impl Stop {
    /// What it means to whoever asked.
    pub(super) const fn class(&self) -> Class {
        match self {
            Self::Exists(_) => Class::Conflict,
            Self::Mass(_) => Class::Failed,
            Self::Usage(_) | Self::Option(_) | Self::Build(_) | Self::NoPassword => Class::Invalid,
        }
    }

    /// The original's exit code.
    pub(super) const fn code(&self) -> u8 {
        match (self, self.class()) {
            (Self::NoPassword, _) => 3,
            (_, Class::Conflict) => 2,
            _ => 1,
        }
    }
}

/// A [`Stop`], and at which line of the mass-deployment file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) stop: Stop,
    /// From 1; 0 if it is about no line.
    pub(super) number: usize,
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self { stop, number: 0 }
    }
}

impl Failure {
    /// Says it, and gives the exit code. With the file's name the line is told
    /// too, which the original does not do.
    pub(super) fn told(&self, file: Option<&str>, tell: &mut Tell<'_>) -> u8 {
        match &self.stop {
            Stop::Usage(asked) => tell.out(&usage(*asked)),
            Stop::Option(_) => {
                tell.err(&self.stop.to_string());
                tell.out(&usage(Asked::Build));
            }
            stop => tell.err(&stop.to_string()),
        }
        if let Some(file) = file
            && self.number > 0
        {
            tell.err(&format!("phoneprov-massdeployment: {file}: line {}", self.number));
        }
        self.stop.code()
    }

    /// What a deployment advises.
    pub(super) fn hint(&self, tell: &mut Tell<'_>) {
        match self.stop {
            Stop::Exists(_) => tell.out(
                "phoneprov-massdeployment: Use -f or --force-overwrite option to overwrite.\n\
                 Files left unchanged.\n",
            ),
            Stop::NoPassword => tell.out(
                "phoneprov-massdeployment: Use -a or --auto-pass option to automatically\n\
                 \x20                         generate any missing password(s).\n",
            ),
            _ => {}
        }
    }
}
