//! First contact: whether a device that nobody knows is taken in, and what it is
//! given.
//!
//! In this order: one that an operator denied is turned away; one that is expected
//! is taken in and given what was laid ready for it; so is one whose credentials
//! were known before, and one that an operator adopted; of all others the rules of
//! `[admission]` decide. A device that is known never comes here.

use tracing::{info, warn};

use super::admission::spread;
use super::driver::{Caller, Refusal, Shared};
use super::inventory;
use super::recording::tell;
use super::sightings::Told;
use crate::config::AdmissionAction;
use crate::cwmp::Inform;
use crate::device::{
    Credentials, Decision, Device, Event, EventKind, Labels, Preload, Stranger, Vouched,
    expected_as,
};
use crate::expr::Subject;
use crate::gate::{Lodging, Principal, Ruling};
use crate::param::Tree;
use crate::phone::Mac;
use crate::store::{Batch, Change, Record, StoreError};
use crate::time::Timestamp;

/// Seconds after which a device comes again for which there was no place, with as
/// many more of spread.
const COME_AGAIN: u64 = 600;

/// The longest version that is kept of one that waits, in characters.
const MAX_VERSION: usize = 128;

/// A device that nobody knows, and that may speak for the id it names.
pub(super) struct Newcomer<'a> {
    /// What it says.
    pub(super) inform: &'a Inform,
    /// The device that this makes.
    pub(super) device: &'a Device,
    /// How it came.
    pub(super) caller: &'a Caller,
    /// Credentials that were known before it came.
    pub(super) own: Option<&'a Credentials>,
    /// When.
    pub(super) now: Timestamp,
}

/// What becomes of a newcomer.
pub(super) enum Reception {
    /// It is taken in; this is to be recorded together with it.
    Enters(Batch),
    /// It waits: it is answered, and nothing is asked of it.
    Waits,
}

/// What was laid ready for a newcomer.
#[derive(Default)]
struct Expected {
    preload: Option<Preload>,
    /// What an operator should look at.
    alarms: Vec<String>,
}

/// Receives a device that is new; one that is known is never asked whether it may
/// come in.
///
/// # Errors
/// As [`receive`].
pub(super) async fn receive_if(
    is_new: bool,
    shared: &Shared,
    newcomer: &Newcomer<'_>,
) -> Result<Reception, Refusal> {
    if is_new { receive(shared, newcomer).await } else { Ok(Reception::Enters(Batch::new())) }
}

/// Decides on a newcomer.
///
/// # Errors
/// [`Refusal`] when it is turned away, for good or for now.
pub(super) async fn receive(
    shared: &Shared,
    newcomer: &Newcomer<'_>,
) -> Result<Reception, Refusal> {
    let Newcomer { device, now, .. } = newcomer;
    let known = shared.store.fleet().stranger(&device.id).await?;
    let decision = known.as_ref().map(|known| &known.decision);
    if let Some(Decision::Denied(by)) = decision {
        return Err(Refusal::Denied(format!("denied by {by}").into()));
    }
    match decision {
        None => shared.admission.new_device(spread(&device.id), *now),
        Some(_) => shared.admission.inform(&device.id, *now),
    }
    .map_err(Refusal::Later)?;
    let Expected { preload, alarms } = expected(shared, newcomer).await?;
    let mut batch = Batch::new();
    let mut say = |kind| {
        batch.put(Record::Event(Event { device: device.id.clone(), at: *now, kind }));
    };
    for alarm in alarms {
        say(EventKind::Alarm(alarm.into()));
    }
    let why = match (&preload, decision) {
        (Some(preload), _) => format!("expected as {}", preload.key),
        (None, _) if newcomer.own.is_some() => "its credentials were known before".to_owned(),
        (None, Some(Decision::Adopted(by))) => format!("adopted by {by}"),
        (None, _) => {
            let Ruling { action, why } = judge(shared, newcomer).await?;
            match action {
                AdmissionAction::Adopt if why.is_empty() => String::new(),
                AdmissionAction::Adopt => format!("adopted by {why}"),
                AdmissionAction::Quarantine => return wait(shared, newcomer, known).await,
                AdmissionAction::Deny if why.is_empty() => {
                    return Err(Refusal::Denied("nobody knows it".into()));
                }
                AdmissionAction::Deny => {
                    return Err(Refusal::Denied(format!("denied by {why}").into()));
                }
            }
        }
    };
    if !why.is_empty() {
        info!(device.id = %device.id, reason = why, "taken in");
        say(EventKind::TakenIn(why.into()));
    }
    if let Some(preload) = preload {
        give(shared, device, preload, &mut batch).await?;
    }
    if known.is_some() {
        batch.push(Change::ForgetStranger(device.id.clone()));
    }
    Ok(Reception::Enters(batch))
}

/// Puts what was laid ready for a device, and that it was taken, into its first
/// commit.
async fn give(
    shared: &Shared,
    device: &Device,
    preload: Preload,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let before = shared.store.labels(&device.id).await?.map_or(0, |labels| labels.revision);
    let revision = before.saturating_add(1);
    let labels = Labels { revision, ..preload.labels.clone() };
    batch.put(Record::Labels(device.id.clone(), labels));
    let revision = preload.labels.revision.saturating_add(1);
    batch.put(Record::Preload(Box::new(Preload {
        labels: Labels { revision, ..preload.labels },
        taken_by: Some(device.id.clone()),
        ..preload
    })));
    Ok(())
}

/// What was laid ready for a newcomer: under the strongest of its keys, unless
/// another device has taken that. Of a preload that is taken the weaker keys give
/// nothing either: who claims to be another gets nothing by a second name.
async fn expected(shared: &Shared, newcomer: &Newcomer<'_>) -> Result<Expected, StoreError> {
    let Newcomer { inform, device, caller, own, now } = newcomer;
    let login = match caller.principal {
        Principal::Device(_) => own.map(|own| &*own.username),
        Principal::Anyone | Principal::Onboarding | Principal::Certified(_) => None,
    };
    let told = inform.parameters.iter();
    let told = told.map(|parameter| (parameter.name.as_str(), &*parameter.value.text));
    let mut found: Vec<Preload> = Vec::new();
    for key in expected_as(&inform.device, told, login) {
        found.extend(shared.store.fleet().preload(&key).await?);
    }
    let mut found = found.into_iter();
    let Some(preload) = found.next() else { return Ok(Expected::default()) };
    let found: Vec<Preload> = found.collect();
    let others: Vec<String> = found.iter().map(|other| other.key.to_string()).collect();
    let mut alarms = Vec::new();
    // Nobody gets another's device by naming it in a stronger way.
    if found.iter().any(|other| other.labels.tenant != preload.labels.tenant) {
        let (key, others) = (&preload.key, others.join(" and "));
        warn!(device.id = %device.id, preload.key = %key, "more than one tenant expects a device");
        alarms.push(format!(
            "more than one tenant expects it, as {key} and as {others}: it was given nothing"
        ));
        return Ok(Expected { preload: None, alarms });
    }
    if let Some(taker) = preload.taken_by.as_ref().filter(|taker| **taker != device.id)
        && shared.store.device(taker).await?.is_some()
    {
        let (key, id, address) = (&preload.key, &device.id, caller.address);
        warn!(device.id = %id, peer.address = %address, preload.key = %key, preload.taken_by = %taker,
            "clone suspected: it came as a device that is here already");
        if shared.sightings.tells(taker, Told::Clone, *now) {
            let text = format!(
                "clone suspected: {id} came from {address} as {key}, as which this device was expected; it was given nothing"
            );
            tell(shared, taker, text, *now).await;
        }
        alarms.push(format!(
            "clone suspected: it came as {key}, as which {taker} was taken in; it was given nothing"
        ));
        return Ok(Expected { preload: None, alarms });
    }
    if !others.is_empty() {
        let others = others.join(" and ");
        alarms
            .push(format!("it was expected as {} and as {others}: the first counts", preload.key));
    }
    Ok(Expected { preload: Some(preload), alarms })
}

/// What the rules say.
async fn judge(shared: &Shared, newcomer: &Newcomer<'_>) -> Result<Ruling, StoreError> {
    let Newcomer { inform, device, now, .. } = newcomer;
    let rules = &shared.admission_rules;
    let tree = rules.need_tree().then(|| {
        let mut tree = Tree::new();
        inventory::learn(&mut tree, inform, *now);
        tree
    });
    let phone = match Mac::of_serial(&device.identity.serial_number) {
        Some(mac) if rules.need_phone() => shared.store.phone(mac).await?,
        _ => None,
    };
    let labels = Labels::default();
    let (tree, phone) = (tree.as_ref(), phone.as_ref());
    Ok(rules.judge(&Subject { device, labels: &labels, tree, phone, now: *now }))
}

/// Lets a newcomer wait, if there is a place.
async fn wait(
    shared: &Shared,
    newcomer: &Newcomer<'_>,
    known: Option<Stranger>,
) -> Result<Reception, Refusal> {
    let Newcomer { device, caller, now, .. } = newcomer;
    let seen = Stranger {
        device: device.id.clone(),
        identity: device.identity.clone(),
        vouched: match caller.principal {
            Principal::Anyone => Vouched::Nobody,
            Principal::Onboarding | Principal::Device(_) => Vouched::Shared,
            Principal::Certified(_) => Vouched::Certificate,
        },
        software_version: device.software_version.chars().take(MAX_VERSION).collect(),
        address: caller.address,
        first_seen: *now,
        last_seen: *now,
        decision: Decision::Waiting,
    };
    match shared.strangers.wait(known.as_ref(), seen).await? {
        Lodging::Waits => Ok(Reception::Waits),
        Lodging::Full => Err(Refusal::Later(COME_AGAIN + spread(&device.id) % COME_AGAIN)),
    }
}
