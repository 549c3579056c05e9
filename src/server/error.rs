//! Why a server does not start.

use std::path::PathBuf;

use super::datamodels::DatamodelFileError;
use crate::announce::mdns::MdnsError;
use crate::api::tokens::TokenError;
use crate::class::Class;
use crate::files::FilesError;
use crate::gate::AdmissionRuleError;
use crate::herald::WebhooksError;
use crate::http::HttpError;
use crate::intent::WaysError;
use crate::log::LogError;
use crate::provision::TemplateError;
use crate::store::StoreError;
use crate::supply::CipherChoiceError;

/// Why a server does not start, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A file of the data folder cannot be read or written.
    #[error("{path}: {source}")]
    Data {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another server works on this data folder.
    #[error(
        "{0}: another server uses this data folder; stop it, or give this one another with --data"
    )]
    InUse(PathBuf),
    /// A file of the data folder does not hold what it should.
    #[error("{path}: {problem}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A door, or its certificates.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The files on disk.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The admin token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// What is to be announced.
    #[error(transparent)]
    Mdns(#[from] MdnsError),
    /// The address at the XMPP server.
    #[error("xmpp.jid: {0}")]
    Xmpp(String),
    /// The operator's table of intents.
    #[error("{path}: {problem}")]
    Intents {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: WaysError,
    },
    /// A data model of the operator.
    #[error("datamodels.files: {0}")]
    Datamodels(#[from] DatamodelFileError),
    /// How phone files are encrypted.
    #[error(transparent)]
    Ciphers(#[from] CipherChoiceError),
    /// What is logged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Whom webhooks trust.
    #[error(transparent)]
    Webhooks(#[from] WebhooksError),
    /// A rule on unknown devices.
    #[error(transparent)]
    Admission(#[from] AdmissionRuleError),
    /// A template of the operator, in the folder `templates` of the data folder.
    #[error("templates/{0}")]
    Template(#[from] TemplateError),
}

impl ServerError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Data { .. } | Self::Unusable { .. } | Self::Xmpp(_) | Self::Ciphers(_) => {
                Class::Invalid
            }
            Self::Intents { problem, .. } => problem.class(),
            Self::Webhooks(error) => error.class(),
            Self::Datamodels(error) => error.class(),
            Self::InUse(_) => Class::Conflict,
            Self::Template(error) => error.class(),
            Self::Log(error) => error.class(),
            Self::Admission(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Http(error) => error.class(),
            Self::Mdns(error) => error.class(),
            Self::Files(error) => error.class(),
            Self::Token(error) => error.class(),
        }
    }
}
