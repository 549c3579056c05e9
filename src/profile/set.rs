//! All profiles in force, and which of them are about one device.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::compiled::Compiled;
use super::definition::Layer;
use super::layers::Layered;
use super::{ProfileError, ProfileRecord, Resolved, Said, explain};
use crate::expr::Subject;
use crate::param::ParamPath;

/// Raised when the same texts come to mean something else.
const MEANING: u8 = 1;

/// All profiles in force, compiled.
#[derive(Debug, Default)]
pub struct ProfileSet {
    fingerprint: u64,
    /// From the weakest to the strongest.
    profiles: Vec<Compiled>,
    index: Index,
    asks: Asked,
    needs_time: bool,
}

/// What a set has to be shown of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The tree.
    pub tree: bool,
    /// The phone.
    pub phone: bool,
}

/// The places of profiles by what a device must be for them to be about it at
/// all; each profile stands in one of them.
#[derive(Debug, Default)]
struct Index {
    any: Vec<usize>,
    tenant: HashMap<Box<str>, Vec<usize>>,
    site: HashMap<Box<str>, Vec<usize>>,
    oui: HashMap<Box<str>, Vec<usize>>,
    product_class: HashMap<Box<str>, Vec<usize>>,
    device: HashMap<Box<str>, Vec<usize>>,
}

impl Index {
    fn of(profiles: &[Compiled]) -> Self {
        let mut index = Self::default();
        for (place, profile) in profiles.iter().enumerate() {
            let pinned = profile.rule.pinned();
            let (map, name) = match &profile.layer {
                Layer::Device(id) => (&mut index.device, &**id),
                Layer::Site(name) => (&mut index.site, &**name),
                Layer::Model { product_class: Some(class), .. } => {
                    (&mut index.product_class, &**class)
                }
                Layer::Model { oui, .. } => (&mut index.oui, &**oui),
                Layer::Tenant(name) => (&mut index.tenant, &**name),
                Layer::Global | Layer::Profile if !profile.tenant.is_empty() => {
                    (&mut index.tenant, &*profile.tenant)
                }
                Layer::Global | Layer::Profile => match (pinned.product_class, pinned.oui) {
                    (Some(class), _) => (&mut index.product_class, class),
                    (None, Some(oui)) => (&mut index.oui, oui),
                    (None, None) => {
                        index.any.push(place);
                        continue;
                    }
                },
            };
            map.entry(name.into()).or_default().push(place);
        }
        index
    }

    /// The places of all profiles that may be about a device, in order.
    fn candidates(&self, subject: &Subject<'_>) -> Vec<usize> {
        let (device, labels) = (subject.device, subject.labels);
        let mut found = self.any.clone();
        let named = [
            (&self.tenant, &*labels.tenant),
            (&self.site, &*labels.site),
            (&self.oui, &*device.identity.oui),
            (&self.product_class, &*device.identity.product_class),
            (&self.device, device.id.as_str()),
        ];
        for (map, name) in named {
            if !map.is_empty()
                && let Some(places) = map.get(name)
            {
                found.extend(places);
            }
        }
        found.sort_unstable();
        found
    }
}

impl ProfileSet {
    /// Compiles profiles. Those that are not in force are left out; those that
    /// cannot be read are told and left out, so that one bad profile does not
    /// take the others down.
    pub fn compile(records: &[ProfileRecord]) -> (Self, Vec<ProfileError>) {
        let (mut profiles, mut errors) = (Vec::new(), Vec::new());
        let mut records: Vec<&ProfileRecord> =
            records.iter().filter(|record| record.enabled).collect();
        records.sort_by(|a, b| a.name.cmp(&b.name));
        let mut digest = Sha256::new_with_prefix([MEANING]);
        for record in records {
            match Compiled::of(record) {
                Ok(profile) => {
                    profiles.push(profile);
                    digest.update((record.name.len() as u64).to_be_bytes());
                    digest.update(record.name.as_bytes());
                    digest.update(record.version.to_be_bytes());
                    digest.update((record.text.len() as u64).to_be_bytes());
                    digest.update(record.text.as_bytes());
                    if !record.tenant.is_empty() {
                        digest.update((record.tenant.len() as u64).to_be_bytes());
                        digest.update(record.tenant.as_bytes());
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        if profiles.is_empty() {
            return (Self::default(), errors);
        }
        // Names are in order already, and the sort keeps that among equals: the
        // later name is the stronger one. Of one layer, what the installation says
        // is stronger than what a tenant says, whatever priority that claims.
        profiles.sort_by_key(|profile| {
            (profile.layer.rank(), profile.tenant.is_empty(), profile.priority)
        });
        let digest = digest.finalize();
        let fingerprint = digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let asks = profiles.iter().map(Compiled::asks).fold(Asked::default(), |sum, asks| Asked {
            tree: sum.tree || asks.tree,
            phone: sum.phone || asks.phone,
        });
        let needs_time = profiles.iter().any(Compiled::needs_time);
        let index = Index::of(&profiles);
        let set = Self { fingerprint: fingerprint.max(1), profiles, index, asks, needs_time };
        (set, errors)
    }

    /// Stands for all that is in the set, the same after a restart; never 0 but
    /// for the empty set.
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Whether there are no profiles.
    pub const fn is_empty(&self) -> bool {
        self.fingerprint == 0
    }

    /// How many profiles are in force.
    pub const fn len(&self) -> usize {
        self.profiles.len()
    }

    /// What it has to be shown of a device.
    pub const fn asks(&self) -> Asked {
        self.asks
    }

    /// Whether some rule or value asks for the time, so that what is wanted
    /// changes by itself.
    pub const fn needs_time(&self) -> bool {
        self.needs_time
    }

    /// What is wanted of a device.
    pub fn resolve(&self, subject: &Subject<'_>) -> Resolved {
        if self.is_empty() {
            return Resolved::default();
        }
        let (matching, resolved) = self.matching(subject);
        Layered::of(matching, subject).resolve(resolved)
    }

    /// Everything that any matching profile says, overridden or not, by path and
    /// then from the weakest to the strongest.
    ///
    /// Beside paths of parameters there are `PATH#notification`, `PATH#access`,
    /// `PATH#refresh`, `firmware`, and `tag NAME`; a value of a row stands as
    /// `TABLE[KEY=VALUE].NAME`.
    pub fn explain(&self, subject: &Subject<'_>) -> Vec<Said> {
        explain::all(&Layered::of(self.matching(subject).0, subject))
    }

    /// The profiles that are about a device, from the weakest to the strongest,
    /// and what could not be told of that.
    fn matching(&self, subject: &Subject<'_>) -> (Vec<&Compiled>, Resolved) {
        let (mut matching, mut told) = (Vec::new(), Resolved::default());
        let mut missed = Vec::new();
        for place in self.index.candidates(subject) {
            let Some(profile) = self.profiles.get(place) else { continue };
            if !profile.is_of_layer(subject) {
                continue;
            }
            match profile.rule.matches_noting(subject, &mut missed) {
                Ok(true) => matching.push(profile),
                Ok(false) => {}
                Err(error) => told.problems.push(ProfileError {
                    profile: profile.source.name.clone(),
                    problem: format!("match: {error}"),
                }),
            }
        }
        note_unread(missed, subject, &mut told.unread);
        (matching, told)
    }
}

/// Notes which of some paths are worth reading: those of the device's own root
/// that are known by name only, or that nobody can have heard of yet.
pub(super) fn note_unread(
    paths: impl IntoIterator<Item = ParamPath>,
    subject: &Subject<'_>,
    unread: &mut Vec<ParamPath>,
) {
    for path in paths {
        let known = subject.tree.and_then(|tree| tree.get(path.as_str()));
        let is_open = match known {
            Some(param) => param.value.is_none() && !path.is_object(),
            None => subject.device.tree_read_at.is_none() || subject.tree.is_none(),
        };
        if is_open && *path.root() == *subject.device.root && !unread.contains(&path) {
            unread.push(path);
        }
    }
}
