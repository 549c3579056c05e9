//! Ids in paths: of devices, which clients spell in every way, and of tasks.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::state::State;
use super::query::canonical_id;
use super::reply::Refusal;
use crate::access::Principal;
use crate::device::{Device, DeviceId, Task, TaskId};

/// The most ways in which the dashes of an id are read.
const MAX_READINGS: usize = 64;

/// A segment of a path as it came, counted from 0.
pub(super) fn segment(path: &str, place: usize) -> &str {
    path.split('/').nth(place + 1).unwrap_or_default()
}

/// A segment of a path, decoded once.
///
/// # Errors
/// [`Refusal::Bad`] when it is no text.
pub(super) fn name(path: &str, place: usize) -> Result<String, Refusal> {
    let raw = segment(path, place);
    let name = decoded(raw).ok_or_else(|| Refusal::bad("Error: the path is no text"))?;
    if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(Refusal::bad("Error: a name has from 1 to 255 characters"));
    }
    Ok(name.into_owned())
}

/// A percent-encoded text, decoded once; a `%` that stands for nothing stays.
pub(super) fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).ok()?);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// The device that a segment of a path means: as it stands, decoded once, decoded
/// twice; if there is none, by what it would say without any escapes.
///
/// # Errors
/// [`Refusal::NoDevice`]; [`Refusal::Ambiguous`] when two are meant.
pub(super) async fn device(
    state: &State,
    principal: &Principal,
    raw: &str,
) -> Result<Device, Refusal> {
    let once = decoded(raw).unwrap_or_default();
    let twice = decoded(&once).unwrap_or_default();
    let exact: BTreeSet<&str> = [raw, &*once, &*twice].into();
    if let Some(device) = only(state, principal, exact).await? {
        return Ok(device);
    }
    let readings = readings(&twice);
    let readings = readings.iter().map(String::as_str).collect();
    only(state, principal, readings).await?.ok_or(Refusal::NoDevice)
}

/// The one device among these ids. What is not the principal's is not there.
async fn only(
    state: &State,
    principal: &Principal,
    ids: BTreeSet<&str>,
) -> Result<Option<Device>, Refusal> {
    let mut found: Option<Device> = None;
    for id in ids.into_iter().filter_map(|id| DeviceId::parse(id).ok()) {
        let Some(device) = state.store().device(&id).await? else { continue };
        if !state.deps.finder.sees(&id, &principal.reach).await? {
            continue;
        }
        if let Some(other) = found {
            return Err(Refusal::Ambiguous(other.id.to_string(), id.to_string()));
        }
        found = Some(device);
    }
    Ok(found)
}

/// Every id that an id without escapes may have been: which of its dashes stand
/// between the parts is open.
fn readings(plain: &str) -> BTreeSet<String> {
    let dashes: Vec<usize> = plain.match_indices('-').map(|(at, _)| at).collect();
    let part = |from: usize, to: usize| {
        let escaped = plain.get(from..to)?.replace('%', "%25").replace('-', "%2D");
        canonical_id(&escaped)
    };
    let mut all = BTreeSet::new();
    for (place, first) in dashes.iter().enumerate() {
        let oui = part(0, *first).map(|oui| oui.to_ascii_uppercase());
        let without_class = part(first + 1, plain.len());
        if let (Some(oui), Some(serial)) = (&oui, without_class) {
            all.insert(format!("{oui}-{serial}"));
        }
        for second in dashes.iter().skip(place + 1) {
            let (class, serial) = (part(first + 1, *second), part(second + 1, plain.len()));
            if let (Some(oui), Some(class), Some(serial)) = (&oui, class, serial) {
                all.insert(format!("{oui}-{class}-{serial}"));
            }
            if all.len() >= MAX_READINGS {
                return all;
            }
        }
    }
    all
}

/// The id of a task as this dialect has it: the first 24 hex digits of ours. Within
/// a millisecond ours count up in these digits, so that no two tasks share them.
pub(super) fn short_id(id: TaskId) -> String {
    format!("{:024x}", id.0 >> 32)
}

/// The task that an id means; its device is the principal's.
///
/// # Errors
/// [`Refusal::NoTask`], also for what is no id.
pub(super) async fn task(state: &State, principal: &Principal, id: &str) -> Result<Task, Refusal> {
    let is_id = id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = u128::from_str_radix(id, 16).ok().filter(|_| is_id).ok_or(Refusal::NoTask)?;
    let first = digits << 32;
    let after = first.checked_sub(1).map(TaskId);
    let found = state.store().tasks(None, after, 1).await?.into_iter().next();
    let task = found.filter(|task| task.id.0 >> 32 == digits).ok_or(Refusal::NoTask)?;
    if !state.deps.finder.sees(&task.device, &principal.reach).await? {
        return Err(Refusal::NoTask);
    }
    Ok(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_once_and_what_is_no_escape_stays() {
        for (raw, text) in [
            ("a%2Db", "a-b"),
            ("a%252Db", "a%2Db"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("%C3%A4", "ä"),
        ] {
            assert_eq!(decoded(raw).as_deref(), Some(text), "{raw}");
        }
        assert_eq!(decoded("%ff"), None);
        assert_eq!(segment("/devices/x/tags/y", 3), "y");
        assert_eq!(segment("/devices", 1), "");
    }

    #[test]
    fn an_id_without_escapes_is_read_in_every_way() {
        let all = readings("00d09e-HG-100-ä");
        for id in ["00D09E-HG-100%2D%C3%A4", "00D09E-HG%2D100-%C3%A4", "00D09E-HG%2D100%2D%C3%A4"] {
            assert!(all.contains(id), "{id}: {all:?}");
        }
        assert!(readings("nothing").is_empty());
        assert!(readings(&"-".repeat(2000)).len() <= 2 * MAX_READINGS);
    }

    #[test]
    fn tasks_made_in_one_millisecond_have_ids_of_their_own() {
        let made = || TaskId(uuid::Uuid::now_v7().as_u128());
        let ids: BTreeSet<String> = (0..10_000).map(|_| short_id(made())).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 24));
    }
}
