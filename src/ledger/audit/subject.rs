//! What a change is about: the thing, whose it is, what it was and what it is.
//!
//! What devices do and what is counted of them is no entry: trees, histories,
//! what was learned, answers that are kept for a while. Neither are the small
//! settings that rooms keep for themselves; a request that changed nothing else
//! is entered by the northbound.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::differ::{bounded, difference};
use super::shape::{shape, unmarked};
use super::{gone, words};
use crate::access::Reach;
use crate::device::{DeviceId, Labels, Task, TaskState};
use crate::phone::{Scope, Site};
use crate::profile::PlanRecord;
use crate::rollout::CampaignRecord;
use crate::store::{Batch, BulkRecord, Change, Document, OfficeRecord, Record, Store, StoreError};

/// A change as it is told.
pub(super) struct Told {
    pub(super) action: String,
    pub(super) kind: String,
    pub(super) key: String,
    pub(super) place: Place,
    /// What was done, behind the name of who did it.
    pub(super) said: String,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// Whose a thing is, and where it stands. What went from one tenant to another is
/// nobody's: neither is to learn of the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) tenant: Box<str>,
    pub(super) site: Box<str>,
}

impl Place {
    pub(super) fn of(labels: &Labels) -> Self {
        Self { tenant: labels.tenant.clone(), site: labels.site.clone() }
    }

    pub(super) fn of_site(site: &Site) -> Self {
        Self { tenant: site.tenant.clone(), site: site.name.clone() }
    }

    pub(super) fn of_scope(scope: &Scope) -> Self {
        match scope {
            Scope::Tenant(tenant) => Self::of_tenant(tenant),
            Scope::Global | Scope::Model(..) => Self::default(),
        }
    }

    pub(super) fn of_tenant(tenant: &str) -> Self {
        Self { tenant: tenant.into(), site: "".into() }
    }

    pub(super) fn of_reach(reach: &Reach) -> Self {
        Self::of_tenant(reach.tenant.as_deref().unwrap_or_default())
    }

    /// Where those may look who see a thing in both places.
    pub(super) fn and(self, before: Option<Self>) -> Self {
        match before {
            Some(before) if before.tenant != self.tenant => Self::default(),
            Some(before) if before.site != self.site => Self { site: "".into(), ..self },
            _ => self,
        }
    }
}

/// Where devices and phones stand, looked up once a batch.
pub(super) struct Places<'b> {
    batch: &'b Batch,
    devices: HashMap<DeviceId, Place>,
    sites: HashMap<Box<str>, Place>,
}

impl<'b> Places<'b> {
    pub(super) fn of(batch: &'b Batch) -> Self {
        Self { batch, devices: HashMap::new(), sites: HashMap::new() }
    }

    /// Where a device stands by its labels, those that this very batch gives it
    /// included.
    pub(super) async fn device(
        &mut self,
        id: &DeviceId,
        store: &dyn Store,
    ) -> Result<Place, StoreError> {
        if let Some(place) = self.devices.get(id) {
            return Ok(place.clone());
        }
        let given = self.batch.changes().iter().find_map(|change| match change {
            Change::Put(Record::Labels(of, labels)) if of == id => Some(Place::of(labels)),
            _ => None,
        });
        let stored = store.labels(id).await?.as_ref().map(Place::of);
        let place = given.or_else(|| stored.clone()).unwrap_or_default().and(stored);
        self.devices.insert(id.clone(), place.clone());
        Ok(place)
    }

    /// Where phones of a site stand.
    pub(super) async fn site(
        &mut self,
        name: &str,
        store: &dyn Store,
    ) -> Result<Place, StoreError> {
        if let Some(place) = self.sites.get(name) {
            return Ok(place.clone());
        }
        let given = self.batch.changes().iter().find_map(|change| match change {
            Change::Put(Record::Site(site)) if *site.name == *name => Some(Place::of_site(site)),
            _ => None,
        });
        let stored = store.site(name).await?.as_ref().map(Place::of_site);
        let unknown = Place { tenant: "".into(), site: name.into() };
        let place = given.or_else(|| stored.clone()).unwrap_or(unknown).and(stored);
        self.sites.insert(name.into(), place.clone());
        Ok(place)
    }
}

/// What a change is about; `None` if it is no entry.
pub(super) async fn of(
    change: &Change,
    store: &dyn Store,
    places: &mut Places<'_>,
) -> Result<Option<Told>, StoreError> {
    match change {
        Change::Put(Record::Office(record)) => of_office(record, store).await,
        Change::Put(record) => match of_device(record, store, places).await? {
            Some(told) => Ok(told),
            None => of_fleet(record, store, places).await,
        },
        gone => gone::of(gone, store, places).await,
    }
}

/// Records that belong to a device or a phone; `None` if it is none of them.
async fn of_device(
    record: &Record,
    store: &dyn Store,
    places: &mut Places<'_>,
) -> Result<Option<Option<Told>>, StoreError> {
    Ok(Some(match record {
        Record::Device(device) => match store.device(&device.id).await? {
            Some(_) => None,
            None => {
                let place = places.device(&device.id, store).await?;
                told("device", device.id.as_str(), place, None::<&()>, Some(&**device))
            }
        },
        Record::Labels(id, labels) => {
            let before = store.labels(id).await?;
            let place = Place::of(labels).and(before.as_ref().map(Place::of));
            let empty = Labels::default();
            let was = before.as_ref().unwrap_or(&empty);
            told("labels", id.as_str(), place, Some(was), Some(labels)).map(|told| Told {
                kind: "device".to_owned(),
                said: words::labels(id, was, labels),
                ..told
            })
        }
        Record::Credentials(credentials) => {
            let id = &credentials.device;
            let before = store.credentials(id).await?;
            let place = places.device(id, store).await?;
            told("credentials", id.as_str(), place, before.as_ref(), Some(&**credentials)).map(
                |told| Told {
                    kind: "device".to_owned(),
                    said: format!("gave device {id} credentials of its own"),
                    ..told
                },
            )
        }
        Record::Task(task) => {
            let place = places.device(&task.device, store).await?;
            of_task(store.task(task.id).await?.as_ref(), task, place)
        }
        Record::DeviceBackup(backup) => {
            let id = &backup.device;
            let place = places.device(id, store).await?;
            let after = json!({"id": uuid::Uuid::from_u128(backup.id).to_string(),
                "why": backup.why, "values": backup.values.len()});
            told("backup", id.as_str(), place, None::<&()>, Some(&after)).map(|told| Told {
                kind: "device".to_owned(),
                said: format!("made a backup of device {id}"),
                ..told
            })
        }
        Record::Phone(phone) => {
            let before = store.phone(phone.mac).await?;
            let mut place = places.site(&phone.site, store).await?;
            if let Some(before) = &before {
                place = place.and(Some(places.site(&before.site, store).await?));
            }
            told("phone", &phone.mac.to_string(), place, before.as_ref(), Some(&**phone))
        }
        Record::Site(site) => {
            let before = store.site(&site.name).await?;
            let place = Place::of_site(site).and(before.as_ref().map(Place::of_site));
            told("site", &site.name, place, before.as_ref(), Some(&**site))
        }
        Record::Layer(layer) => {
            let before = store.layer(&layer.scope).await?;
            let place = Place::of_scope(&layer.scope);
            told("layer", &layer.scope.to_string(), place, before.as_ref(), Some(&**layer))
        }
        _ => return Ok(None),
    }))
}

/// Records of what is wanted of the fleet, of models and of files.
async fn of_fleet(
    record: &Record,
    store: &dyn Store,
    places: &mut Places<'_>,
) -> Result<Option<Told>, StoreError> {
    let nobody = Place::default;
    Ok(match record {
        Record::Model(model) => {
            let before = store.model(&model.key).await?;
            told("model", &model.key.to_string(), nobody(), before.as_ref(), Some(&**model))
        }
        Record::ModelWishes(wishes) => {
            let before = store.model_wishes(&wishes.key).await?;
            let key = wishes.key.to_string();
            told("model_wishes", &key, nobody(), before.as_ref(), Some(&**wishes))
        }
        Record::Profile(profile) => {
            let before = store.fleet().profile(&profile.name).await?;
            told("profile", &profile.name, nobody(), before.as_ref(), Some(&**profile))
        }
        Record::Plan(plan) => {
            let before = store.fleet().plan(plan.id).await?;
            of_plan(before.as_ref(), plan)
        }
        Record::Campaign(record) => {
            let before = store.fleet().campaign(&record.name).await?;
            campaign(before.as_ref(), record)
        }
        Record::Preload(preload) => {
            let before = store.fleet().preload(&preload.key).await?;
            let was = before.as_ref().map(|before| Place::of(&before.labels));
            let place = Place::of(&preload.labels).and(was);
            told("preload", &preload.key.to_string(), place, before.as_ref(), Some(&**preload))
        }
        Record::Stranger(stranger) => {
            let before = store.fleet().stranger(&stranger.device).await?;
            let id = &stranger.device;
            let was = before.map(|before| before.decision);
            let decided = was.as_ref() != Some(&stranger.decision);
            let place = places.device(id, store).await?;
            let (was, is) = (was.as_ref().map(decision), decision(&stranger.decision));
            let told = told("stranger", id.as_str(), place, was.as_ref(), Some(&is));
            told.filter(|_| decided).map(|told| Told {
                action: "stranger.decide".to_owned(),
                said: words::decided(id, &stranger.decision),
                ..told
            })
        }
        Record::File(file) => {
            let before = store.file(&file.sha256).await?;
            told("file", &file.sha256, nobody(), before.as_ref(), Some(file)).map(|told| Told {
                said: format!("brought the file {} of {} bytes", file.name, file.size),
                ..told
            })
        }
        _ => None,
    })
}

fn decision(decision: &crate::device::Decision) -> Value {
    json!({"decision": decision.word()})
}

fn of_task(before: Option<&Task>, task: &Task, place: Place) -> Option<Told> {
    let told = told("task", task.device.as_str(), place, before, Some(task))?;
    let withdrawn =
        matches!(&task.state, TaskState::Ended { outcome: crate::device::Outcome::Cancelled, .. });
    let action = match before {
        None => "task.create",
        Some(_) if withdrawn => "task.cancel",
        Some(_) => "task.change",
    };
    // Which task it was is told on both sides, though it is the same.
    let named = |side: Option<Value>| {
        side.map(|mut side| {
            if let Value::Object(members) = &mut side {
                members.insert("id".to_owned(), task.id.to_string().into());
            }
            side
        })
    };
    Some(Told {
        action: action.to_owned(),
        kind: "device".to_owned(),
        said: words::task(before, task),
        before: named(told.before),
        after: named(told.after),
        ..told
    })
}

/// A plan without what it would do, which may be much.
fn of_plan(before: Option<&PlanRecord>, plan: &PlanRecord) -> Option<Told> {
    let brief = |plan: &PlanRecord| {
        let by = plan.applied.as_ref().map(|(at, by)| json!({"at": at, "by": by}));
        json!({"why": plan.why, "rule": plan.rule, "applied": by,
            "profiles": plan.changes.iter().map(|change| &change.name).collect::<Vec<_>>()})
    };
    let id = uuid::Uuid::from_u128(plan.id).hyphenated().to_string();
    let told = told("plan", &id, Place::default(), before.map(brief).as_ref(), Some(&brief(plan)))?;
    Some(match (&plan.applied, before) {
        (Some(_), Some(_)) => {
            Told { action: "plan.apply".to_owned(), said: format!("applied plan {id}"), ..told }
        }
        _ => told,
    })
}

/// A campaign without what is counted of it.
pub(super) fn campaign(before: Option<&CampaignRecord>, record: &CampaignRecord) -> Option<Told> {
    let brief = |record: &CampaignRecord| {
        json!({"spec": &*record.text, "why": record.why, "state": record.state,
            "approved_by": record.approved.as_ref().map(|(_, by)| by)})
    };
    let name = &record.name;
    let (was, is) = (before.map(brief), brief(record));
    let told = told("campaign", name, Place::of_tenant(&record.tenant), was.as_ref(), Some(&is))?;
    let standing = record.state.word();
    Some(match before {
        Some(before) if before.state.word() != standing => {
            let before = before.state.word();
            let said = format!("brought campaign {name} from {before} to {standing}");
            Told { said: said.replace('_', " "), ..told }
        }
        _ => told,
    })
}

/// Records of the northbound itself.
async fn of_office(record: &OfficeRecord, store: &dyn Store) -> Result<Option<Told>, StoreError> {
    let office = store.office();
    Ok(match record {
        OfficeRecord::Token(token) => {
            let before = office.token(&token.id).await?;
            let was = before.as_ref().map(|before| Place::of_reach(&before.reach));
            let place = Place::of_reach(&token.reach).and(was);
            told("token", &token.id, place, before.as_ref(), Some(&**token)).map(|told| {
                let (action, said) = words::token(before.as_ref(), token);
                Told { action, said, ..told }
            })
        }
        OfficeRecord::User(user) => {
            let before = office.user(&user.name).await?;
            let was = before.as_ref().map(|before| Place::of_reach(&before.reach));
            let place = Place::of_reach(&user.reach).and(was);
            told("user", &user.name, place, before.as_ref(), Some(&**user))
        }
        OfficeRecord::Tenant(tenant) => {
            let before = office.tenant(&tenant.name).await?;
            let place = Place::of_tenant(&tenant.name);
            told("tenant", &tenant.name, place, before.as_ref(), Some(&**tenant))
        }
        OfficeRecord::Webhook(webhook) => {
            let before = office.webhook(&webhook.id).await?;
            let was = before.as_ref().map(|before| Place::of_reach(&before.reach));
            let place = Place::of_reach(&webhook.reach).and(was);
            told("webhook", &webhook.id, place, before.as_ref(), Some(&**webhook))
        }
        OfficeRecord::Document(document) => {
            let Document { collection, id, .. } = &**document;
            let before = office.document(collection, id).await?;
            let was = before.as_ref().map(brief_document);
            let key = format!("{collection}/{id}");
            let is = brief_document(document);
            told("document", &key, Place::default(), was.as_ref(), Some(&is))
        }
        OfficeRecord::Bulk(bulk) => {
            let before = office.bulk(bulk.id).await?;
            let was = before.as_ref().map(brief_bulk);
            let key = uuid::Uuid::from_u128(bulk.id).hyphenated().to_string();
            let is = brief_bulk(bulk);
            told("bulk", &key, Place::of_reach(&bulk.reach), was.as_ref(), Some(&is))
        }
        OfficeRecord::TokenUse(..)
        | OfficeRecord::Audit(_)
        | OfficeRecord::News(_)
        | OfficeRecord::WebhookAt(..)
        | OfficeRecord::DeadLetter(_)
        | OfficeRecord::Away(..)
        | OfficeRecord::Reply(_) => None,
    })
}

/// A document without its text, which is a program or may hold anything.
pub(super) fn brief_document(document: &Document) -> Value {
    json!({"bytes": document.body.len(), "at": document.at})
}

/// A change over many devices without how far it is.
pub(super) fn brief_bulk(bulk: &BulkRecord) -> Value {
    json!({"asked": bulk.asked, "devices": bulk.total, "cancelled": bulk.cancelled})
}

/// A thing that came, changed or went; `None` if nothing about it differs.
pub(super) fn told<B: Serialize, A: Serialize>(
    kind: &str,
    key: &str,
    place: Place,
    before: Option<&B>,
    after: Option<&A>,
) -> Option<Told> {
    let (verb, before, after) = match (before.map(shape), after.map(shape)) {
        (None, None) => return None,
        (None, after) => ("create", None, after),
        (before, None) => ("remove", before, None),
        (Some(was), Some(is)) => {
            let (was, is) = difference(&without_revision(was), &without_revision(is))?;
            ("change", Some(was), Some(is))
        }
    };
    let said = words::plain(verb, kind, key, after.as_ref());
    let side = |side: Option<Value>| {
        side.map(|mut side| {
            unmarked(&mut side);
            bounded(side)
        })
    };
    Some(Told {
        action: format!("{kind}.{verb}"),
        kind: kind.to_owned(),
        key: key.to_owned(),
        place,
        said,
        before: side(before),
        after: side(after),
    })
}

/// That a record was written is no difference.
fn without_revision(mut record: Value) -> Value {
    if let Value::Object(members) = &mut record {
        members.remove("revision");
    }
    record
}
