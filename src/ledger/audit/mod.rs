//! Entries of the audit: who did what to what, and what differs.
//!
//! Every change of a batch that somebody asked for becomes one entry. What is
//! history, counting or housekeeping ([`subject`]) is none. Nothing secret gets
//! into an entry: records are masked ([`shape`]) before they are compared
//! ([`differ`]) and cut to a bounded size.

mod differ;
mod gone;
mod shape;
mod subject;
mod words;

use super::actor::Actor;
use crate::access::AuditDraft;
use crate::store::{Batch, Change, OfficeRecord, Record, Store, StoreError};
use crate::time::Timestamp;
use subject::{Place, Places, Told};

/// Changes of one commit beyond which entries tell what was changed and not what
/// differs: a batch has a bound, and so has the patience of who reads it.
const MANY: usize = 1000;

/// The longest sentence, in bytes.
const MAX_SENTENCE: usize = 1000;

/// The longest name or key, in bytes.
const MAX_KEY: usize = 512;

/// Whether a batch is entered though nobody acts: what campaigns do by
/// themselves changes how they stand.
pub(super) fn concern(batch: &Batch) -> bool {
    let campaign = |change: &Change| matches!(change, Change::Put(Record::Campaign(_)));
    batch.changes().iter().any(campaign)
}

/// Adds an entry for each change of a batch.
pub(super) async fn add(
    actor: &Actor,
    store: &dyn Store,
    batch: &mut Batch,
    now: Timestamp,
) -> Result<(), StoreError> {
    let many = batch.changes().len() > MANY;
    let mut drafts = Vec::new();
    {
        let mut places = Places::of(batch);
        for change in batch.changes() {
            if let Some(told) = subject::of(change, store, &mut places).await? {
                drafts.push(draft(actor, told, many, now));
            }
        }
    }
    for draft in drafts {
        actor.count();
        batch.put(Record::Office(OfficeRecord::Audit(Box::new(draft))));
    }
    Ok(())
}

/// Adds entries for what the server does by itself: how campaigns stand.
pub(super) async fn add_of_server(
    store: &dyn Store,
    batch: &mut Batch,
    now: Timestamp,
) -> Result<(), StoreError> {
    let actor = Actor::server();
    let mut drafts = Vec::new();
    for change in batch.changes() {
        let Change::Put(Record::Campaign(campaign)) = change else { continue };
        let before = store.fleet().campaign(&campaign.name).await?;
        let standing = before.as_ref().map(|before| before.state.word());
        if standing != Some(campaign.state.word()) {
            let told = subject::campaign(before.as_ref(), campaign);
            drafts.extend(told.map(|told| draft(&actor, told, false, now)));
        }
    }
    for draft in drafts {
        batch.put(Record::Office(OfficeRecord::Audit(Box::new(draft))));
    }
    Ok(())
}

fn draft(actor: &Actor, told: Told, many: bool, now: Timestamp) -> AuditDraft {
    let text = |value: Option<serde_json::Value>| {
        value.filter(|_| !many).map(|value| value.to_string().into())
    };
    let sentence = format!("{} {}", actor.name, told.said);
    AuditDraft {
        at: now,
        actor: cut(&actor.name, MAX_KEY),
        token: actor.token.as_ref().into(),
        address: actor.address,
        request: actor.request,
        action: cut(&told.action, MAX_KEY),
        kind: cut(&told.kind, MAX_KEY),
        key: cut(&told.key, MAX_KEY),
        tenant: told.place.tenant,
        site: told.place.site,
        sentence: cut(&sentence, MAX_SENTENCE),
        before: text(told.before),
        after: text(told.after),
    }
}

/// A text without control characters, cut to so many bytes.
fn cut(text: &str, most: usize) -> Box<str> {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
    differ::head(&plain, most).into()
}

/// The entry of a request that succeeded and changed nothing in the store: a
/// device was woken, a trace begun. `of` is a kind and a key, `at` a tenant and a
/// site; `did` goes on after the actor's name.
pub fn deed(
    actor: &Actor,
    action: &str,
    of: (&str, &str),
    at: (&str, &str),
    did: &str,
    now: Timestamp,
) -> Record {
    actor.count();
    let told = Told {
        action: action.to_owned(),
        kind: of.0.to_owned(),
        key: of.1.to_owned(),
        place: Place { tenant: at.0.into(), site: at.1.into() },
        said: crate::device::without_users(did).into_owned(),
        before: None,
        after: None,
    };
    Record::Office(OfficeRecord::Audit(Box::new(draft(actor, told, false, now))))
}
