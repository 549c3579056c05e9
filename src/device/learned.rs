//! What goes for a device in its sessions, put together from what is assumed,
//! what its model is known for, what it taught itself, and what an operator says.

use super::{Ability, Lesson, ModelRecord, ModelWishes, Proof};
use crate::time::Timestamp;

/// What a device can take.
///
/// Read the fields; change them by [`Learned::teach`], which keeps the lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// How many names go into one GetParameterValues (Q30, Q41).
    pub read_batch: u16,
    /// How many values go into one SetParameterValues (Q41).
    pub write_batch: u16,
    /// How many names go into one GetParameterAttributes or
    /// SetParameterAttributes (Q41).
    pub attribute_batch: u16,
    /// Whether messages begin with the XML declaration (Q28; off: Q55).
    pub xml_declaration: bool,
    /// Whether booleans are written as words (Q11).
    pub boolean_words: bool,
    /// Whether NextLevel is written as a word (Q11).
    pub next_level_words: bool,
    /// Whether GetParameterNames with NextLevel = 0 lists everything (Q30).
    pub names_in_one: bool,
    /// Whether objects are named with their trailing dot.
    pub dotted_objects: bool,
    /// Whether a dateTime is written with its zone (Q12).
    pub zoned_times: bool,
    /// The root object with its dot; empty if it is not known (Q29).
    pub root: Box<str>,
    /// Whether `Writable` is true to what can be set (Q31).
    pub honest_writable: bool,
    /// Whether values that are no secrets read back masked.
    pub masked_values: bool,
    /// Whether rows keep their instance numbers over a restart (Q33).
    pub steady_instances: bool,
    /// Seconds that the device may be silent; 0 is as configured (Q47).
    pub silence: u16,
    /// The methods that GetRPCMethods named; empty if never asked.
    pub methods: Vec<Box<str>>,
    /// Methods that were answered by 9000.
    pub missing_methods: Vec<Box<str>>,
    /// The longest value that may be sent, in bytes; 0 is any (security: C12).
    pub max_value: u32,
    /// The largest message that may be sent, in bytes; 0 is any.
    pub max_message: u32,
    /// The most names in one GetParameterValues, as configured.
    most: u16,
    /// The device's own lessons, old and new.
    own: Vec<Lesson>,
    /// What an operator said: it goes before everything.
    fixed: Vec<Ability>,
    /// A lesson was taught since this was put together.
    news: bool,
}

impl Learned {
    /// What is assumed of a device that was never met: batches as configured,
    /// everything by the standard.
    pub fn assumed(read_batch: u16, write_batch: u16) -> Self {
        Self {
            read_batch,
            write_batch,
            attribute_batch: if read_batch < 64 { read_batch } else { 64 },
            xml_declaration: true,
            boolean_words: false,
            next_level_words: false,
            names_in_one: true,
            dotted_objects: true,
            zoned_times: true,
            root: Box::default(),
            honest_writable: true,
            masked_values: false,
            steady_instances: true,
            silence: 0,
            methods: Vec::new(),
            missing_methods: Vec::new(),
            max_value: 0,
            max_message: 0,
            most: read_batch,
            own: Vec::new(),
            fixed: Vec::new(),
            news: false,
        }
    }

    /// What goes for a device: what its model is known for, then what it taught
    /// itself, then what operators say, the last word last.
    #[must_use]
    pub fn with<'a>(
        mut self,
        model: Option<&ModelRecord>,
        own: &[Lesson],
        wishes: impl IntoIterator<Item = &'a ModelWishes>,
    ) -> Self {
        for lesson in model.into_iter().flat_map(ModelRecord::taken) {
            self.set(&lesson.ability);
        }
        for lesson in own {
            self.set(&lesson.ability);
        }
        self.own = own.to_vec();
        for ability in wishes.into_iter().flat_map(|wishes| &wishes.abilities) {
            self.set(ability);
            self.fixed.retain(|before| !before.is_like(ability));
            self.fixed.push(ability.clone());
        }
        self
    }

    /// Tries another value without learning it; `false` if an operator fixed
    /// it.
    pub fn try_out(&mut self, ability: &Ability) -> bool {
        let is_free = !self.fixed.iter().any(|fixed| fixed.is_like(ability));
        if is_free {
            self.set(ability);
        }
        is_free
    }

    /// Takes a lesson: it goes from now on, unless an operator said otherwise.
    /// A value that goes already is no lesson.
    pub fn teach(&mut self, ability: Ability, proof: Proof, words: &str, now: Timestamp) {
        if ability.check().is_err()
            || self.fixed.iter().any(|fixed| fixed.is_like(&ability))
            || self.ability_like(&ability).is_some_and(|known| known == ability)
        {
            return;
        }
        self.set(&ability);
        self.own.retain(|lesson| !lesson.ability.is_like(&ability));
        self.own.push(Lesson::new(ability, proof, words, now));
        self.news = true;
    }

    /// What was only tried was shown to be right: the lesson is firm now.
    pub fn confirm(&mut self, like: &Ability, words: &str, now: Timestamp) {
        let lesson = self.own.iter_mut().find(|lesson| lesson.ability.is_like(like));
        if let Some(lesson) = lesson.filter(|lesson| !lesson.is_firm()) {
            *lesson = Lesson::new(lesson.ability.clone(), Proof::Answer, words, now);
            self.news = true;
        }
    }

    /// The device's own lesson on an ability.
    pub fn own_lesson(&self, like: &Ability) -> Option<&Lesson> {
        self.own.iter().find(|lesson| lesson.ability.is_like(like))
    }

    /// A GetParameterValues or the like of `asked` names was too much: half of
    /// it from now on, but never less than one.
    ///
    /// A single silence is a suspicion and not yet proof of anything.
    pub fn halve_reading(&mut self, asked: usize, silent: bool, words: &str, now: Timestamp) {
        let before = self.own_lesson(&Ability::ReadBatch(0)).map(|lesson| lesson.proof);
        let proof = match (silent, before) {
            (false, _) | (true, Some(Proof::Answer)) => Proof::Answer,
            (true, Some(Proof::Silence(times))) => Proof::Silence(times.saturating_add(1)),
            (true, None) => Proof::Silence(1),
        };
        self.teach(Ability::ReadBatch(half(asked)), proof, words, now);
    }

    /// A batch of the present size was answered often enough: twice as much, if
    /// what made it small was only a suspicion, up to what is configured.
    pub fn raise_reading(&mut self, words: &str, now: Timestamp) {
        let Some(lesson) = self.own_lesson(&Ability::ReadBatch(0)) else { return };
        if lesson.is_firm() || self.read_batch >= self.most {
            return;
        }
        let (proof, more) = (lesson.proof, self.read_batch.saturating_mul(2).min(self.most));
        self.teach(Ability::ReadBatch(more), proof, words, now);
    }

    /// Whether a method was answered by 9000 before.
    pub fn lacks(&self, method: &str) -> bool {
        self.missing_methods.iter().any(|missing| **missing == *method)
    }

    /// Whether something was taught since this was put together.
    pub const fn has_news(&self) -> bool {
        self.news
    }

    /// The device's own lessons, and nothing is news any more.
    pub fn take_news(&mut self) -> Vec<Lesson> {
        self.news = false;
        self.own.clone()
    }

    /// Every ability with the value that goes, in the order in which they are
    /// shown; what is not known is left out.
    pub fn abilities(&self) -> Vec<Ability> {
        let mut all = vec![
            Ability::ReadBatch(self.read_batch),
            Ability::WriteBatch(self.write_batch),
            Ability::AttributeBatch(self.attribute_batch),
            Ability::XmlDeclaration(self.xml_declaration),
            Ability::BooleanWords(self.boolean_words),
            Ability::NextLevelWords(self.next_level_words),
            Ability::NamesInOne(self.names_in_one),
            Ability::DottedObjects(self.dotted_objects),
            Ability::ZonedTimes(self.zoned_times),
            Ability::HonestWritable(self.honest_writable),
            Ability::MaskedValues(self.masked_values),
            Ability::SteadyInstances(self.steady_instances),
        ];
        let known = |there: bool, ability: Ability| there.then_some(ability);
        all.extend(known(!self.root.is_empty(), Ability::Root(self.root.clone())));
        all.extend(known(self.silence > 0, Ability::Silence(self.silence)));
        all.extend(known(!self.methods.is_empty(), Ability::Methods(self.methods.clone())));
        all.extend(known(
            !self.missing_methods.is_empty(),
            Ability::MissingMethods(self.missing_methods.clone()),
        ));
        all.extend(known(self.max_value > 0, Ability::MaxValue(self.max_value)));
        all.extend(known(self.max_message > 0, Ability::MaxMessage(self.max_message)));
        all
    }

    fn ability_like(&self, like: &Ability) -> Option<Ability> {
        self.abilities().into_iter().find(|known| known.is_like(like))
    }

    fn set(&mut self, ability: &Ability) {
        match ability {
            Ability::ReadBatch(n) => self.read_batch = *n,
            Ability::WriteBatch(n) => self.write_batch = *n,
            Ability::AttributeBatch(n) => self.attribute_batch = *n,
            Ability::XmlDeclaration(on) => self.xml_declaration = *on,
            Ability::BooleanWords(on) => self.boolean_words = *on,
            Ability::NextLevelWords(on) => self.next_level_words = *on,
            Ability::NamesInOne(on) => self.names_in_one = *on,
            Ability::DottedObjects(on) => self.dotted_objects = *on,
            Ability::ZonedTimes(on) => self.zoned_times = *on,
            Ability::Root(root) => self.root = root.clone(),
            Ability::HonestWritable(on) => self.honest_writable = *on,
            Ability::MaskedValues(on) => self.masked_values = *on,
            Ability::SteadyInstances(on) => self.steady_instances = *on,
            Ability::Silence(seconds) => self.silence = *seconds,
            Ability::Methods(methods) => self.methods = methods.clone(),
            Ability::MissingMethods(methods) => self.missing_methods = methods.clone(),
            Ability::MaxValue(bytes) => self.max_value = *bytes,
            Ability::MaxMessage(bytes) => self.max_message = *bytes,
        }
    }
}

/// Half of a count, at least one, at most what a batch can be.
fn half(count: usize) -> u16 {
    u16::try_from(count / 2).unwrap_or(u16::MAX).clamp(1, 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{DeviceId, ModelKey};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn key() -> ModelKey {
        ModelKey { oui: "00D09E".into(), product_class: "".into(), software_version: "1".into() }
    }

    #[test]
    fn an_operators_word_goes_before_the_devices_and_that_before_the_models() {
        let mut model = ModelRecord::new(key());
        for serial in ["1", "2"] {
            let id = DeviceId::parse(&format!("00D09E-{serial}")).unwrap();
            for ability in [Ability::ReadBatch(32), Ability::WriteBatch(32)] {
                let lesson = Lesson::new(ability, Proof::Answer, "x", NOW);
                let _ = model.hear(&id, &lesson);
            }
        }
        let own = [Lesson::new(Ability::ReadBatch(16), Proof::Answer, "x", NOW)];
        let wishes =
            ModelWishes { key: key(), revision: 1, abilities: vec![Ability::WriteBatch(4)] };
        let mut learned = Learned::assumed(128, 64).with(Some(&model), &own, [&wishes]);
        assert_eq!((learned.read_batch, learned.write_batch), (16, 4));
        learned.teach(Ability::WriteBatch(2), Proof::Answer, "x", NOW);
        assert_eq!((learned.write_batch, learned.has_news()), (4, false), "it was fixed");
        learned.teach(Ability::ReadBatch(8), Proof::Answer, "x", NOW);
        assert_eq!((learned.read_batch, learned.has_news()), (8, true));
        assert_eq!(learned.take_news().len(), 1);
    }

    #[test]
    fn a_suspicion_may_be_raised_again_and_a_proof_may_not() {
        let mut learned = Learned::assumed(64, 64);
        learned.halve_reading(64, true, "silence", NOW);
        assert_eq!(learned.read_batch, 32);
        assert!(!learned.own_lesson(&Ability::ReadBatch(0)).unwrap().is_firm());
        learned.raise_reading("answered", NOW);
        assert_eq!(learned.read_batch, 64);
        learned.halve_reading(64, true, "silence", NOW);
        assert!(learned.own_lesson(&Ability::ReadBatch(0)).unwrap().is_firm(), "twice is proof");
        learned.raise_reading("answered", NOW);
        assert_eq!(learned.read_batch, 32);
        learned.halve_reading(1, false, "9004", NOW);
        assert_eq!(learned.read_batch, 1, "never less than one");
    }
}
