//! What a set of profiles tells of one device.

use crate::class::Class;
use crate::device::{Desired, Source};
use crate::param::ParamPath;

/// What is wrong with a profile, or what it cannot tell of a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("profile {profile}: {problem}")]
pub struct ProfileError {
    /// The profile.
    pub profile: Box<str>,
    /// What and where, and what would be right.
    pub problem: String,
}

impl ProfileError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

/// What is wanted of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Values, attributes and rows, after the layers were laid over each other.
    pub desired: Desired,
    /// How old what is known may become.
    pub refresh: Vec<Refresh>,
    /// The firmware that it is to run.
    pub firmware: Option<FirmwareTarget>,
    /// Tags to set and to take away.
    pub tags: Vec<TagChange>,
    /// What becomes of a device that strays from it.
    pub drifting: Drifting,
    /// What could not be told: a value that cannot be computed, a rule that
    /// cannot be decided; with the profile's name.
    pub problems: Vec<ProfileError>,
    /// Parameters that rules or values ask for and that were never read.
    pub unread: Vec<ParamPath>,
}

/// How old what is known below a path may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// A parameter, or an object with its last dot.
    pub path: ParamPath,
    /// Seconds.
    pub seconds: u32,
    /// Who wants it.
    pub source: Source,
}

/// The firmware that a device is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareTarget {
    /// `DeviceInfo.SoftwareVersion` that it is to report.
    pub version: Box<str>,
    /// The SHA-256 or the name of the stored file; empty for the newest one
    /// that brings the version.
    pub file: Box<str>,
    /// Who wants it.
    pub source: Source,
    /// The tenant whose profile wants it, and whose file is meant; empty for the
    /// installation's.
    pub tenant: Box<str>,
}

/// A tag to set or to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagChange {
    /// The tag.
    pub tag: Box<str>,
    /// Whether it is to be there.
    pub wanted: bool,
    /// Who wants it.
    pub source: Source,
}

/// What becomes of a device that has strayed after it had what was wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drifting {
    /// It is brought back when it next comes.
    #[default]
    Repair,
    /// It is told, and left as it is until somebody asks for the repair.
    Report,
}

/// What one profile says on one path, for `explain`: from the weakest layer to
/// the strongest, the last of a path is the one that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The path, or the table.
    pub path: Box<str>,
    /// What it says; in clear.
    pub value: Box<str>,
    /// Whether the value must not be shown.
    pub secret: bool,
    /// Who.
    pub source: Source,
    /// Whether a stronger layer overrides it.
    pub overridden: bool,
}
