//! One thing that a device can or cannot take, and which exchange taught it.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The most characters that tell which exchange taught a lesson.
const MAX_WORDS: usize = 160;

/// The most methods that are kept of a list.
const MAX_METHODS: usize = 64;

/// The longest name of a method or of a root object, in bytes.
const MAX_NAME: usize = 64;

/// The longest that a device may be silent in a session, in seconds (Q47).
const MAX_SILENCE: u16 = 600;

/// One ability of a device, with its value. Quirks are data, never
/// `if vendor ==`.
///
/// Stored: variants are appended, never moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// How many names go into one GetParameterValues (Q30, Q41).
    ReadBatch(u16),
    /// How many values go into one SetParameterValues (Q41).
    WriteBatch(u16),
    /// How many names go into one GetParameterAttributes or
    /// SetParameterAttributes (Q41).
    AttributeBatch(u16),
    /// Whether messages begin with the XML declaration (Q28; off: Q55).
    XmlDeclaration(bool),
    /// Whether booleans are written `true` and `false` rather than `1` and `0`
    /// (Q11).
    BooleanWords(bool),
    /// Whether NextLevel is written `true` and `false` rather than `1` and `0`
    /// (Q11).
    NextLevelWords(bool),
    /// Whether GetParameterNames with NextLevel = 0 lists everything (Q30).
    NamesInOne(bool),
    /// Whether GetParameterNames names objects with their trailing dot.
    DottedObjects(bool),
    /// Whether a dateTime is written with its zone, `Z` (Q12).
    ZonedTimes(bool),
    /// The root object of the data model with its dot (Q29).
    Root(Box<str>),
    /// Whether `Writable` of GetParameterNames is true to what can be set (Q31).
    HonestWritable(bool),
    /// Whether values that are no secrets by the data model read back masked.
    MaskedValues(bool),
    /// Whether rows keep their instance numbers over a restart (Q33).
    SteadyInstances(bool),
    /// Seconds that the device may be silent in a session (Q47).
    Silence(u16),
    /// The methods that GetRPCMethods named.
    Methods(Vec<Box<str>>),
    /// Methods that were asked and answered by 9000.
    MissingMethods(Vec<Box<str>>),
    /// The longest value that may be sent, in bytes (security: C12). Never
    /// learned; operators know it.
    MaxValue(u32),
    /// The largest message that may be sent, in bytes (security: C12). Never
    /// learned; operators know it.
    MaxMessage(u32),
}

/// A value of an ability that no device has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct AbilityError {
    /// The ability.
    pub name: &'static str,
    /// What would be right.
    pub problem: &'static str,
}

impl Ability {
    /// The name that stands for it in the northbound.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReadBatch(_) => "read_batch",
            Self::WriteBatch(_) => "write_batch",
            Self::AttributeBatch(_) => "attribute_batch",
            Self::XmlDeclaration(_) => "xml_declaration",
            Self::BooleanWords(_) => "boolean_words",
            Self::NextLevelWords(_) => "next_level_words",
            Self::NamesInOne(_) => "names_in_one",
            Self::DottedObjects(_) => "dotted_objects",
            Self::ZonedTimes(_) => "zoned_times",
            Self::Root(_) => "root",
            Self::HonestWritable(_) => "honest_writable",
            Self::MaskedValues(_) => "masked_values",
            Self::SteadyInstances(_) => "steady_instances",
            Self::Silence(_) => "silence",
            Self::Methods(_) => "methods",
            Self::MissingMethods(_) => "missing_methods",
            Self::MaxValue(_) => "max_value",
            Self::MaxMessage(_) => "max_message",
        }
    }

    /// Whether both are about the same ability, whatever their values.
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Checks the value against what a device can have.
    ///
    /// # Errors
    /// [`AbilityError`], with what would be right.
    pub fn check(&self) -> Result<(), AbilityError> {
        let sound_name = |name: &str| {
            (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let problem = match self {
            Self::ReadBatch(n) | Self::WriteBatch(n) | Self::AttributeBatch(n) => {
                (!(1..=10_000).contains(n)).then_some("from 1 to 10000")
            }
            Self::Silence(seconds) => {
                (!(30..=MAX_SILENCE).contains(seconds)).then_some("from 30 to 600 seconds")
            }
            Self::MaxValue(bytes) => (*bytes < 64).then_some("at least 64 bytes"),
            Self::MaxMessage(bytes) => (*bytes < 2048).then_some("at least 2048 bytes"),
            Self::Root(root) => (!(sound_name(root) && root.ends_with('.')))
                .then_some("an object with its dot, as in Device."),
            Self::Methods(methods) | Self::MissingMethods(methods) => (methods.len() > MAX_METHODS
                || !methods.iter().all(|method| sound_name(method)))
            .then_some("at most 64 names of methods"),
            Self::XmlDeclaration(_)
            | Self::BooleanWords(_)
            | Self::NextLevelWords(_)
            | Self::NamesInOne(_)
            | Self::DottedObjects(_)
            | Self::ZonedTimes(_)
            | Self::HonestWritable(_)
            | Self::MaskedValues(_)
            | Self::SteadyInstances(_) => None,
        };
        problem.map_or(Ok(()), |problem| Err(AbilityError { name: self.name(), problem }))
    }

    /// What two devices that each taught a lesson agree on: the milder of two
    /// numbers, what two lists share, the same of everything else; `None` if
    /// they contradict each other.
    ///
    /// So one device that asks for the worst does not bring it on the others.
    pub fn agreed(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::ReadBatch(a), Self::ReadBatch(b)) => Some(Self::ReadBatch(*a.max(b))),
            (Self::WriteBatch(a), Self::WriteBatch(b)) => Some(Self::WriteBatch(*a.max(b))),
            (Self::AttributeBatch(a), Self::AttributeBatch(b)) => {
                Some(Self::AttributeBatch(*a.max(b)))
            }
            (Self::Silence(a), Self::Silence(b)) => Some(Self::Silence(*a.min(b))),
            (Self::MissingMethods(a), Self::MissingMethods(b)) => {
                let both: Vec<Box<str>> =
                    a.iter().filter(|method| b.contains(method)).cloned().collect();
                (!both.is_empty()).then_some(Self::MissingMethods(both))
            }
            (a, b) => (a == b).then(|| a.clone()),
        }
    }
}

/// How sure a lesson is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// The device's own answer shows it.
    Answer,
    /// The device fell silent, so many times; once may have been the network.
    Silence(u8),
}

/// A lesson: what, its value, when, and which exchange taught it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// What the device can take.
    pub ability: Ability,
    /// When it was taught.
    pub at: Timestamp,
    /// The exchange that taught it, in words without subscriber data:
    /// `GetParameterValues of 128 names was answered with fault 9004`.
    pub words: Box<str>,
    /// How sure it is.
    pub proof: Proof,
}

impl Lesson {
    /// A lesson that was taught now.
    pub fn new(ability: Ability, proof: Proof, words: &str, at: Timestamp) -> Self {
        Self { ability, at, words: words.chars().take(MAX_WORDS).collect(), proof }
    }

    /// Whether it is more than a suspicion: only then others learn from it.
    pub const fn is_firm(&self) -> bool {
        match self.proof {
            Proof::Answer => true,
            Proof::Silence(times) => times >= 2,
        }
    }
}

/// What one device taught, beyond what its model is known for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lessons {
    /// Its own lessons, at most one for each ability.
    pub own: Vec<Lesson>,
    /// Sessions in a row that ended in silence right after an InformResponse
    /// (Q55).
    pub silent_after_inform: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_devices_agree_on_the_milder_of_two_numbers() {
        let agreed = |a: Ability, b: Ability| a.agreed(&b);
        assert_eq!(
            agreed(Ability::ReadBatch(1), Ability::ReadBatch(32)),
            Some(Ability::ReadBatch(32))
        );
        assert_eq!(agreed(Ability::Silence(600), Ability::Silence(90)), Some(Ability::Silence(90)));
        assert_eq!(agreed(Ability::XmlDeclaration(false), Ability::XmlDeclaration(true)), None);
        assert_eq!(agreed(Ability::ReadBatch(1), Ability::WriteBatch(1)), None);
        let missing = |names: &[&str]| {
            Ability::MissingMethods(names.iter().map(|name| (*name).into()).collect())
        };
        assert_eq!(
            agreed(missing(&["Upload", "Kicked"]), missing(&["Upload"])),
            Some(missing(&["Upload"]))
        );
        assert_eq!(agreed(missing(&["Upload"]), missing(&["Reboot"])), None);
    }

    #[test]
    fn values_that_no_device_has_are_refused() {
        for bad in [
            Ability::ReadBatch(0),
            Ability::Silence(29),
            Ability::Silence(601),
            Ability::Root("Device".into()),
            Ability::Root("De vice.".into()),
            Ability::Methods(vec!["".into()]),
            Ability::Methods(vec!["x".into(); 65]),
            Ability::MaxValue(1),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert_eq!(Ability::Root("InternetGatewayDevice.".into()).check(), Ok(()));
    }
}
