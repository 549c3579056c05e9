//! News: what a commit tells of devices.
//!
//! The news of a batch is added to the batch itself: it is durable exactly when
//! what it tells is.

mod words;

use std::collections::{BTreeMap, HashSet};

use super::away::Away;
use super::names::Names;
use crate::access::Reach;
use crate::device::{Decision, DeviceId, EventCode, EventKind, Task, TaskId};
use crate::news::NewsDraft;
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record, Store, StoreError};
use crate::time::Timestamp;

/// Whether a batch may bring news. That of a periodic session does not, and finds
/// out without a look into the store.
pub(super) fn concern(batch: &Batch, away: &Away) -> bool {
    batch.changes().iter().any(|change| match change {
        Change::Put(Record::Device(device)) => away.may_be(&device.id),
        Change::Put(Record::Event(event)) => tells(&event.kind),
        Change::Put(Record::Task(task)) => task.state.is_ended(),
        Change::Put(Record::Changes(_) | Record::Campaign(_)) => true,
        Change::Put(Record::Stranger(stranger)) => stranger.decision == Decision::Waiting,
        Change::Put(Record::Session(session)) => words::faults(session).next().is_some(),
        Change::Put(Record::Office(OfficeRecord::Away(..)))
        | Change::ForgetOffice(OfficeKey::Away(_)) => true,
        _ => false,
    })
}

/// Whether a line of a device's history is news.
fn tells(kind: &EventKind) -> bool {
    match kind {
        EventKind::Inform(codes) => codes.iter().any(|code| {
            matches!(code, EventCode::Bootstrap | EventCode::Boot | EventCode::ValueChange)
        }),
        EventKind::FirstContact
        | EventKind::SoftwareChanged { .. }
        | EventKind::Alarm(_)
        | EventKind::Drifted(_)
        | EventKind::Repaired(_) => true,
        EventKind::Told(_) | EventKind::TakenIn(_) => false,
    }
}

/// Adds the news of a batch.
pub(super) async fn add(
    store: &dyn Store,
    batch: &mut Batch,
    away: &Away,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut gathered = Gathered::default();
    for change in batch.changes() {
        gathered.hear(store, batch, change, away, now).await?;
    }
    let Gathered { mut news, back, .. } = gathered;
    settle_places(store, batch, &mut news).await?;
    for id in back {
        batch.push(Change::ForgetOffice(OfficeKey::Away(id)));
    }
    for draft in news {
        batch.put(Record::Office(OfficeRecord::News(Box::new(draft))));
    }
    Ok(())
}

/// What a batch brings, as far as it was gone through.
#[derive(Default)]
struct Gathered {
    news: Vec<NewsDraft>,
    /// Devices that are away no longer, which the batch itself does not say.
    back: Vec<DeviceId>,
    /// Tasks whose end was told; a batch may hold several states of one.
    ended: HashSet<TaskId>,
    /// Devices of which it was told that they are there, or that they are not.
    moved: HashSet<DeviceId>,
}

impl Gathered {
    async fn hear(
        &mut self,
        store: &dyn Store,
        batch: &Batch,
        change: &Change,
        away: &Away,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match change {
            Change::Put(Record::Device(device)) if away.may_be(&device.id) => {
                match store.office().away_since(&device.id).await? {
                    Some(since) if device.last_inform > since => {
                        if self.moved.insert(device.id.clone()) {
                            self.news.push(words::online(&device.id, since, device.last_inform));
                            self.back.push(device.id.clone());
                        }
                    }
                    Some(_) => {}
                    None => away.is_not(&device.id, now),
                }
            }
            Change::Put(Record::Event(event)) => {
                let with_values = batch.changes().iter().any(|other| {
                    matches!(other, Change::Put(Record::Changes(set)) if set.device == event.device)
                });
                words::of_event(event, with_values, &mut self.news);
            }
            Change::Put(Record::Task(task)) if task.state.is_ended() => {
                self.task(store, task).await?;
            }
            Change::Put(Record::Changes(set)) => self.news.push(words::values(set)),
            Change::Put(Record::Campaign(campaign)) => {
                let before = store.fleet().campaign(&campaign.name).await?;
                self.news.extend(words::campaign(campaign, before.as_ref(), now));
            }
            Change::Put(Record::Stranger(stranger))
                if stranger.decision == Decision::Waiting
                    && store.fleet().stranger(&stranger.device).await?.is_none() =>
            {
                self.news.push(words::stranger(stranger));
            }
            Change::Put(Record::Session(session)) => {
                self.news.extend(words::faults(session).take(words::MAX_FAULTS));
            }
            Change::Put(Record::Office(OfficeRecord::Away(id, since))) => {
                away.put(id, now);
                if store.office().away_since(id).await?.is_none() && self.moved.insert(id.clone()) {
                    self.news.push(words::offline(id, *since, now));
                }
            }
            Change::ForgetOffice(OfficeKey::Away(id)) => {
                if let Some(since) = store.office().away_since(id).await?
                    && self.moved.insert(id.clone())
                {
                    self.news.push(words::online(id, since, now));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A task is over: told once, however often it is recorded afterwards.
    async fn task(&mut self, store: &dyn Store, task: &Task) -> Result<(), StoreError> {
        let before = store.task(task.id).await?;
        if before.is_some_and(|before| before.state.is_ended()) || !self.ended.insert(task.id) {
            return Ok(());
        }
        words::outcome(task, &mut self.news);
        Ok(())
    }
}

/// Fills in whose the devices are and where they stand. What the batch itself
/// says of that goes before what is stored.
async fn settle_places(
    store: &dyn Store,
    batch: &Batch,
    news: &mut [NewsDraft],
) -> Result<(), StoreError> {
    let mut places: BTreeMap<DeviceId, (Box<str>, Box<str>)> = BTreeMap::new();
    for draft in news {
        let Some(id) = &draft.device else { continue };
        if !places.contains_key(id) {
            let told = batch.changes().iter().rev().find_map(|change| match change {
                Change::Put(Record::Labels(of, labels)) if of == id => Some(labels.clone()),
                _ => None,
            });
            let labels = match told {
                Some(labels) => Some(labels),
                None => store.labels(id).await?,
            };
            let labels = labels.unwrap_or_default();
            places.insert(id.clone(), (labels.tenant, labels.site));
        }
        if let Some((tenant, site)) = places.get(id) {
            draft.tenant.clone_from(tenant);
            draft.site.clone_from(site);
        }
        // It is told to all who see the device, be it to its tenant.
        if let Some(by) = draft.details.get_mut("by")
            && !draft.tenant.is_empty()
        {
            *by = Names::of(&Reach::of_tenant(&draft.tenant)).told(store, by).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
