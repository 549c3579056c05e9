//! What can be wrong with a campaign, or with what is asked of it.

use crate::class::Class;
use crate::rollout::SpecError;
use crate::store::StoreError;

/// What a campaign could not do.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// Its text is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// There is no campaign of this name.
    #[error("there is no campaign {0}")]
    NoSuch(Box<str>),
    /// There is one of this name.
    #[error("there is a campaign {0} already; remove it or choose another name")]
    Exists(Box<str>),
    /// Somebody else has one of this name.
    #[error("the name {0} is taken; choose another one")]
    Taken(Box<str>),
    /// The tenant has as many as it may have.
    #[error("there are {0} campaigns already; remove one that is over")]
    TooMany(usize),
    /// That cannot be done with it as it stands.
    #[error("campaign {name} is {state}: {problem}")]
    WrongState {
        /// The campaign.
        name: Box<str>,
        /// How it stands.
        state: &'static str,
        /// What would be needed.
        problem: &'static str,
    },
    /// No device is meant.
    #[error("the target means no device that is known")]
    NoDevices,
    /// What it does cannot be taken back.
    #[error("{0} cannot be taken back")]
    NoWayBack(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CampaignError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Spec(_) | Self::NoDevices | Self::NoWayBack(_) => Class::Invalid,
            Self::NoSuch(_) => Class::NotFound,
            Self::Exists(_) | Self::Taken(_) | Self::WrongState { .. } => Class::Conflict,
            Self::TooMany(_) => Class::TooLarge,
            Self::Store(error) => error.class(),
        }
    }
}
