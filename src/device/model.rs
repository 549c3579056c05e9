//! What a model of device can take, with one firmware.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Ability, Device, DeviceId, Lesson};

/// The longest part of a key, in bytes.
const MAX_PART: usize = 256;

/// How many devices are remembered that taught what the model did not take yet.
const MAX_HEARD: usize = 4;

/// A text that is no part of a model's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a model is named by an OUI, a product class and a version, each at most 256 bytes long")]
pub struct ModelKeyError;

/// A model with one firmware: what lessons are learned for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelKey {
    /// The OUI, upper case.
    pub oui: Box<str>,
    /// The product class; may be empty.
    pub product_class: Box<str>,
    /// The software version; may be empty.
    pub software_version: Box<str>,
}

impl ModelKey {
    /// A model with one firmware.
    ///
    /// # Errors
    /// [`ModelKeyError`] when a part is too long or holds control characters,
    /// or there is no OUI.
    pub fn new(
        oui: &str,
        product_class: &str,
        software_version: &str,
    ) -> Result<Self, ModelKeyError> {
        let parts = [oui, product_class, software_version];
        let sound = |part: &str| part.len() <= MAX_PART && !part.chars().any(char::is_control);
        if oui.is_empty() || !parts.into_iter().all(sound) {
            return Err(ModelKeyError);
        }
        Ok(Self {
            oui: oui.to_ascii_uppercase().into(),
            product_class: product_class.into(),
            software_version: software_version.into(),
        })
    }

    /// The model that a device is of, with the firmware that it runs.
    pub fn of(device: &Device) -> Self {
        Self {
            oui: clip(&device.identity.oui),
            product_class: clip(&device.identity.product_class),
            software_version: clip(&device.software_version),
        }
    }

    /// The model with any firmware: what operators may say something of as
    /// well.
    #[must_use]
    pub fn any_firmware(&self) -> Self {
        Self { software_version: "".into(), ..self.clone() }
    }
}

/// `OUI/ProductClass/SoftwareVersion`; `/` and `%` inside a part are
/// percent-encoded, so that no two models share a text.
impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &str| text.replace('%', "%25").replace('/', "%2F");
        write!(
            f,
            "{}/{}/{}",
            part(&self.oui),
            part(&self.product_class),
            part(&self.software_version)
        )
    }
}

/// What was learned of a model. Only the device's door writes it, except that
/// operators may import one or have it forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// The model.
    pub key: ModelKey,
    /// The lessons on each ability.
    pub lessons: Vec<ModelLesson>,
}

/// What a model is known for in one ability, and what was heard of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLesson {
    /// What goes for every device of the model.
    pub taken: Option<Lesson>,
    /// What single devices taught and no second one agreed to.
    pub heard: Vec<Heard>,
}

/// A lesson of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// A number that stands for the device: it tells devices apart, and names
    /// none.
    pub device: u64,
    /// What it taught.
    pub lesson: Lesson,
}

impl ModelRecord {
    /// A model of which nothing is known.
    pub const fn new(key: ModelKey) -> Self {
        Self { key, lessons: Vec::new() }
    }

    /// The lessons that go for every device of the model.
    pub fn taken(&self) -> impl Iterator<Item = &Lesson> {
        self.lessons.iter().filter_map(|lesson| lesson.taken.as_ref())
    }

    /// What the model is known for in one ability.
    pub fn taken_like(&self, like: &Ability) -> Option<&Lesson> {
        self.taken().find(|lesson| lesson.ability.is_like(like))
    }

    /// Hears a device's lesson. The model takes it when a second device taught
    /// the same, so that one hostile device does not spoil a whole model.
    /// Returns whether anything is new.
    ///
    /// A suspicion is not heard at all.
    pub fn hear(&mut self, device: &DeviceId, lesson: &Lesson) -> bool {
        if !lesson.is_firm() || lesson.ability.check().is_err() {
            return false;
        }
        let device = number_of(device);
        let known = self.lessons.iter_mut().find(|known| {
            let mut about = known.taken.iter().chain(known.heard.iter().map(|heard| &heard.lesson));
            about.any(|about| about.ability.is_like(&lesson.ability))
        });
        let Some(known) = known else {
            let heard = vec![Heard { device, lesson: lesson.clone() }];
            self.lessons.push(ModelLesson { taken: None, heard });
            return true;
        };
        if known.taken.as_ref().is_some_and(|taken| taken.ability == lesson.ability) {
            return false;
        }
        if known
            .heard
            .iter()
            .any(|heard| heard.device == device && heard.lesson.ability == lesson.ability)
        {
            return false;
        }
        known.heard.retain(|heard| heard.device != device);
        let agreed =
            known.heard.iter().find_map(|heard| heard.lesson.ability.agreed(&lesson.ability));
        match agreed {
            Some(ability) => {
                let ability = joined(known.taken.as_ref(), ability);
                known.taken = Some(Lesson { ability, ..lesson.clone() });
                known.heard.clear();
            }
            None => {
                if known.heard.len() >= MAX_HEARD {
                    known.heard.remove(0);
                }
                known.heard.push(Heard { device, lesson: lesson.clone() });
            }
        }
        true
    }

    /// Takes a lesson for the whole model, as an import does.
    pub fn take(&mut self, lesson: Lesson) {
        self.lessons.retain(|known| {
            let mut about = known.taken.iter().chain(known.heard.iter().map(|heard| &heard.lesson));
            !about.any(|about| about.ability.is_like(&lesson.ability))
        });
        self.lessons.push(ModelLesson { taken: Some(lesson), heard: Vec::new() });
    }
}

/// A list that the model takes does not lose what it held.
fn joined(before: Option<&Lesson>, ability: Ability) -> Ability {
    match (before.map(|lesson| &lesson.ability), ability) {
        (Some(Ability::MissingMethods(before)), Ability::MissingMethods(mut methods)) => {
            for method in before {
                if !methods.contains(method) {
                    methods.push(method.clone());
                }
            }
            methods.truncate(64);
            Ability::MissingMethods(methods)
        }
        (_, ability) => ability,
    }
}

/// FNV-1a over a device's id: it must not change between builds.
fn number_of(device: &DeviceId) -> u64 {
    device.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn clip(text: &str) -> Box<str> {
    let end =
        text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= MAX_PART);
    text.get(..end.last().unwrap_or(0)).unwrap_or_default().into()
}

/// What an operator says of a model: it goes before what was learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelWishes {
    /// The model; an empty software version is any firmware.
    pub key: ModelKey,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// What goes, at most one value for each ability.
    pub abilities: Vec<Ability>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Proof;
    use crate::time::Timestamp;

    fn record() -> ModelRecord {
        ModelRecord::new(ModelKey::new("00d09e", "A/B", "1.0").unwrap())
    }

    fn lesson(ability: Ability) -> Lesson {
        Lesson::new(ability, Proof::Answer, "x", Timestamp::from_millis(1))
    }

    fn device(serial: u32) -> DeviceId {
        DeviceId::parse(&format!("00D09E-{serial}")).unwrap()
    }

    #[test]
    fn one_device_teaches_a_model_nothing_and_two_do() {
        let mut model = record();
        assert!(model.hear(&device(1), &lesson(Ability::ReadBatch(1))));
        assert!(!model.hear(&device(1), &lesson(Ability::ReadBatch(1))), "nothing new");
        assert!(model.hear(&device(1), &lesson(Ability::ReadBatch(2))));
        assert_eq!(model.taken().count(), 0, "however often the same device says it");
        assert!(model.hear(&device(2), &lesson(Ability::ReadBatch(32))));
        assert_eq!(
            model.taken_like(&Ability::ReadBatch(0)).unwrap().ability,
            Ability::ReadBatch(32)
        );
        assert!(model.hear(&device(3), &lesson(Ability::XmlDeclaration(false))));
        assert!(model.hear(&device(4), &lesson(Ability::XmlDeclaration(true))));
        assert_eq!(model.taken_like(&Ability::XmlDeclaration(true)), None);
        assert!(model.hear(&device(5), &lesson(Ability::XmlDeclaration(false))));
        assert!(model.taken_like(&Ability::XmlDeclaration(true)).is_some());
    }

    #[test]
    fn what_is_heard_is_bounded_and_a_suspicion_is_not_heard() {
        let mut model = record();
        for serial in 0..100 {
            let root = Ability::Root(format!("Root{serial}.").into());
            assert!(model.hear(&device(serial), &lesson(root)));
        }
        assert_eq!((model.lessons.len(), model.lessons[0].heard.len()), (1, MAX_HEARD));
        let guess = Lesson { proof: Proof::Silence(1), ..lesson(Ability::ReadBatch(8)) };
        assert!(!model.hear(&device(1), &guess));
    }

    #[test]
    fn missing_methods_add_up() {
        let missing = |name: &str| lesson(Ability::MissingMethods(vec![name.into()]));
        let mut model = record();
        for (serial, name) in [(1, "Upload"), (2, "Upload"), (3, "Kicked"), (4, "Kicked")] {
            let _ = model.hear(&device(serial), &missing(name));
        }
        let taken = &model.taken_like(&Ability::MissingMethods(Vec::new())).unwrap().ability;
        assert_eq!(*taken, Ability::MissingMethods(vec!["Kicked".into(), "Upload".into()]));
    }

    #[test]
    fn keys_are_bounded_and_distinct() {
        assert_eq!(record().key.to_string(), "00D09E/A%2FB/1.0");
        assert_eq!(ModelKey::new("", "", ""), Err(ModelKeyError));
        assert_eq!(ModelKey::new("A", "\n", ""), Err(ModelKeyError));
        assert_eq!(ModelKey::new("A", "", &"x".repeat(257)), Err(ModelKeyError));
        assert_eq!(clip(&"ä".repeat(200)).len(), 256);
    }
}
