//! Walking through the devices that a search has to look at, in the order of
//! their ids.
//!
//! The figures are small in tests, so that a few dozen devices take every way.

use std::collections::VecDeque;

use super::plan::{Choice, Leaf, Plan};
use crate::device::{Device, DeviceId};
use crate::store::{IndexStore, Store, StoreError};
use crate::term::Term;

/// Devices that are read at once.
pub(super) const CHUNK: usize = if cfg!(test) { 8 } else { 256 };

/// How many sets are walked through side by side.
const MOST_SETS: usize = if cfg!(test) { 3 } else { 64 };

/// How many devices of sets without the order of ids are put in it for a page.
const MOST_COLLECTED: usize = if cfg!(test) { 20 } else { 10_000 };

/// How many entries are counted to see which set is the smallest: at first, and
/// where that does not tell them apart.
const COUNTED: [usize; 2] = if cfg!(test) { [6, 16] } else { [500, 5_000] };

/// What is added to the size of a set that was not counted to its end.
const LARGE: usize = usize::MAX >> 16;

/// Where the devices come from.
pub(super) enum Walk {
    /// All hot records.
    All { after: Option<DeviceId>, is_done: bool },
    /// Those that indexes name; each must have the terms.
    Named { ids: Ids, checks: Vec<Term> },
}

/// A step of a walk.
pub(super) struct Step {
    /// The devices that it came to.
    pub(super) devices: Vec<Device>,
    /// How many it looked for to find them.
    pub(super) looked: usize,
    /// The last that it looked for.
    pub(super) last: Option<DeviceId>,
}

/// Ids in their order, each once.
pub(super) enum Ids {
    /// Known at once.
    List(VecDeque<DeviceId>),
    /// Of several terms.
    Merged(Vec<OfTerm>),
}

/// The devices of one term.
pub(super) struct OfTerm {
    term: Term,
    ready: VecDeque<DeviceId>,
    /// The last that was read; none follows if `is_done`.
    last: Option<DeviceId>,
    is_done: bool,
}

impl OfTerm {
    async fn peek(&mut self, indexes: &dyn IndexStore) -> Result<Option<&DeviceId>, StoreError> {
        if self.ready.is_empty() && !self.is_done {
            let read = indexes.having(&self.term, self.last.as_ref(), CHUNK).await?;
            self.is_done = read.len() < CHUNK;
            self.last = read.last().cloned().or(self.last.take());
            self.ready = read.into();
        }
        Ok(self.ready.front())
    }
}

impl Ids {
    /// At most so many more.
    async fn next(
        &mut self,
        indexes: &dyn IndexStore,
        limit: usize,
    ) -> Result<Vec<DeviceId>, StoreError> {
        match self {
            Self::List(list) => Ok(list.drain(..limit.min(list.len())).collect()),
            Self::Merged(terms) => {
                let mut ids: Vec<DeviceId> = Vec::with_capacity(limit);
                while ids.len() < limit {
                    let mut least: Option<DeviceId> = None;
                    for term in terms.iter_mut() {
                        if let Some(id) = term.peek(indexes).await?
                            && least.as_ref().is_none_or(|least| id < least)
                        {
                            least = Some(id.clone());
                        }
                    }
                    let Some(least) = least else { break };
                    for term in terms.iter_mut() {
                        if term.ready.front() == Some(&least) {
                            term.ready.pop_front();
                        }
                    }
                    ids.push(least);
                }
                Ok(ids)
            }
        }
    }
}

impl Walk {
    /// Through all devices strictly behind `after`.
    pub(super) const fn all(after: Option<DeviceId>) -> Self {
        Self::All { after, is_done: false }
    }

    /// Through those that a choice names; all, if that cannot be done.
    pub(super) async fn chosen(
        indexes: &dyn IndexStore,
        choice: Choice,
        after: Option<DeviceId>,
    ) -> Result<Self, StoreError> {
        let Choice { leaves, checks, .. } = choice;
        let of_term = |leaf: &Leaf| match leaf {
            Leaf::Term(term) => Some(OfTerm {
                term: term.clone(),
                ready: VecDeque::new(),
                last: after.clone(),
                is_done: false,
            }),
            _ => None,
        };
        if leaves.len() <= MOST_SETS
            && let Some(terms) = leaves.iter().map(of_term).collect::<Option<Vec<OfTerm>>>()
        {
            return Ok(Self::Named { ids: Ids::Merged(terms), checks });
        }
        let mut ids = Vec::new();
        for leaf in &leaves {
            let most = MOST_COLLECTED + 1 - ids.len();
            ids.extend(all_of(indexes, leaf, after.as_ref(), most).await?);
            if ids.len() > MOST_COLLECTED {
                return Ok(Self::all(after));
            }
        }
        ids.retain(|id| after.as_ref().is_none_or(|after| id > after));
        ids.sort_unstable();
        ids.dedup();
        Ok(Self::Named { ids: Ids::List(ids.into()), checks })
    }

    /// The next devices, at most `limit`; `None` at the end.
    pub(super) async fn next(
        &mut self,
        store: &dyn Store,
        limit: usize,
    ) -> Result<Option<Step>, StoreError> {
        match self {
            Self::All { after, is_done } => {
                if *is_done {
                    return Ok(None);
                }
                let devices = store.devices(after.as_ref(), limit).await?;
                *is_done = devices.len() < limit;
                *after = devices.last().map(|device| device.id.clone()).or(after.take());
                let looked = devices.len();
                Ok(Some(Step { devices, looked, last: after.clone() }))
            }
            Self::Named { ids, checks } => {
                let ids = ids.next(store.indexes(), limit).await?;
                if ids.is_empty() {
                    return Ok(None);
                }
                let (looked, last) = (ids.len(), ids.last().cloned());
                let mut devices = Vec::with_capacity(looked);
                for id in ids {
                    if has_all(store.indexes(), checks, &id).await? {
                        devices.extend(store.device(&id).await?);
                    }
                }
                Ok(Some(Step { devices, looked, last }))
            }
        }
    }
}

/// Whether a device has all of these terms.
pub(super) async fn has_all(
    indexes: &dyn IndexStore,
    terms: &[Term],
    id: &DeviceId,
) -> Result<bool, StoreError> {
    for term in terms {
        if !indexes.has(term, id).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The devices of a set, at most so many, those of a term strictly behind `after`.
async fn all_of(
    indexes: &dyn IndexStore,
    leaf: &Leaf,
    after: Option<&DeviceId>,
    most: usize,
) -> Result<Vec<DeviceId>, StoreError> {
    Ok(match leaf {
        Leaf::Id(id) => vec![id.clone()],
        Leaf::Term(term) => indexes.having(term, after, most).await?,
        Leaf::Span(index, span) => {
            let entries = indexes.entries(*index, span, None, false, most).await?;
            entries.into_iter().map(|(_, id)| id).collect()
        }
        Leaf::Informed(from, to) => {
            let informed = indexes.informed((*from, *to), None, false, most).unwrap_or_default();
            informed.into_iter().map(|(id, _)| id).collect()
        }
    })
}

/// How large a set is, counted up to `most`.
async fn size_of(indexes: &dyn IndexStore, leaf: &Leaf, most: usize) -> Result<usize, StoreError> {
    Ok(match leaf {
        Leaf::Id(_) => 1,
        Leaf::Term(term) => indexes.count(term, most).await?,
        Leaf::Span(index, span) => indexes.entries(*index, span, None, false, most).await?.len(),
        // Not known while it is being filled: then it is no set to choose.
        Leaf::Informed(from, to) => {
            indexes.count_informed((*from, *to), most).unwrap_or(usize::MAX)
        }
    })
}

/// What a plan's sets come to; `None` if none can be used.
pub(super) async fn choose(
    indexes: &dyn IndexStore,
    mut plan: Plan,
) -> Result<Option<Choice>, StoreError> {
    for counted in COUNTED {
        let mut leaves = plan.leaves_mut();
        // Many sets are small ones, or else no good choice.
        let most = (COUNTED[1] / leaves.len().max(1)).clamp(4, counted);
        for (leaf, size) in &mut leaves {
            if **size == 0 || **size >= LARGE {
                let count = size_of(indexes, leaf, most).await?;
                **size = if count < most { count } else { count.saturating_add(LARGE) };
            }
        }
        // Where there is nothing to choose from, or one is small, it is enough.
        if !matches!(plan, Plan::Any(_)) || plan.choose().size < LARGE {
            break;
        }
    }
    let choice = plan.choose();
    Ok((choice.size < usize::MAX).then_some(choice))
}
