//! The keys of records: one letter for the kind, then what identifies it.
//!
//! | key | record |
//! | --- | --- |
//! | `d/<device>` | hot record |
//! | `p/<device>` | parameter tree |
//! | `l/<device>`, `c/<device>` | labels, credentials |
//! | `e/<device>/<n>` | event, numbered in the order of arrival |
//! | `a/<device>/<n>`, `b/<device>/<n>`, `w/<device>/<n>` | session, report, traced message, numbered likewise |
//! | `x/<device>/<letter><other device>` | association, once under the gateway and once under the member |
//! | `y/<model>`, `Y/<model>` | what was learned of a model, what an operator says of it |
//! | `C/<device>` | what stands between a device and what is wanted of it |
//! | `S/<device>` | what was written to a device and does not read back |
//! | `H/<device>/<n>` | values that changed, numbered likewise |
//! | `B/<device>/<backup>` | backup of a device |
//! | `P/<name>`, `V/<name>/<version>` | profile, each of its versions |
//! | `L/<plan>` | plan |
//! | `K/<name>`, `M/<name>/<device>` | campaign, each of its devices |
//! | `R/<kind>/<key>` | device that is expected |
//! | `Q/<device>` | unknown device |
//! | `X/<model>` | what was learned of a model's own parameters |
//! | `t/<task>` | task |
//! | `u/<device>/<task>` | task of a device (no value) |
//! | `q/<device>/<task>` | open task of a device (no value) |
//! | `r/<device>/<n>` | the task that ended n-th |
//! | `h/<mac>`, `s/<mac>`, `k/<mac>` | phone, what it was last seen doing, what it fetched |
//! | `v/<mac>` | the id of the device whose serial number ends in the address |
//! | `j/<scope>` | layer of settings |
//! | `i/<site>`, `g/<file key>`, `f/<sha256>`, `m/<name>` | site, version gate, file, setting |
//! | `n/<id>` | path name of the dictionary |
//! | `o/<key>/<n>` | the n-th further part of a record that is large |
//! | `z/devices` | how many devices there are |
//! | `A/<n>` | entry of the audit: its hash and what it says |
//! | `N/<n>` | news |
//! | `T/<id>`, `1/<id>` | token, when it was last used |
//! | `U/<name>`, `Z/<name>` | user, tenant |
//! | `W/<id>`, `2/<id>`, `D/<id>/<n>` | webhook, how far it is, what it did not take |
//! | `E/<device>` | device that is away |
//! | `G/<collection>/<id>` | document of the GenieACS dialect |
//! | `J/<token>/<key>` | answer to a request with an `Idempotency-Key` |
//! | `O/<id>` | change over many devices |
//! | `I/<form><index><text>` zero `<device>` | entry of an index (no value) |
//! | `F/<device>/<form><letter>` | the terms of its labels, of its tree |
//! | `z/indexes` | in which form all records are indexed |
//!
//! Numbers stand big-endian, so that keys sort by them. A device id never holds
//! `/`, so that no id is a prefix of another within its kind.

use crate::device::{DeviceId, TaskId, Teller};
use crate::phone::Mac;
use crate::term::FORM;

/// How many devices there are.
pub(super) const DEVICES: &[u8] = b"z/devices";
/// In which form all records are indexed.
pub(super) const INDEXES: &[u8] = b"z/indexes";
/// All names of the dictionary.
pub(super) const NAMES: &[u8] = b"n/";

/// Where the tasks are listed that are not ended.
pub(super) const OPEN_TASKS: &[u8] = b"q/";
/// The audit.
pub(super) const AUDIT: &[u8] = b"A/";
/// The news.
pub(super) const NEWS: &[u8] = b"N/";

fn key(kind: u8, id: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 + id.len());
    key.extend_from_slice(&[kind, b'/']);
    key.extend_from_slice(id);
    key
}

fn below(kind: u8, device: &DeviceId, rest: &[u8]) -> Vec<u8> {
    let id = device.as_str().as_bytes();
    let mut key = Vec::with_capacity(3 + id.len() + rest.len());
    key.extend_from_slice(&[kind, b'/']);
    key.extend_from_slice(id);
    key.push(b'/');
    key.extend_from_slice(rest);
    key
}

/// The key of something that belongs to a device, one of a kind.
pub(super) fn of_device(kind: u8, id: &DeviceId) -> Vec<u8> {
    key(kind, id.as_str().as_bytes())
}

/// All keys of a kind that belong to a device, many of a kind.
pub(super) fn under_device(kind: u8, id: &DeviceId) -> Vec<u8> {
    below(kind, id, &[])
}

/// The key of a task in one of the lists of its device.
pub(super) fn listed_task(kind: u8, device: &DeviceId, task: TaskId) -> Vec<u8> {
    below(kind, device, &task.0.to_be_bytes())
}

/// The keys of one side's word on an association: under the gateway and under
/// the member.
///
/// A letter says who tells it and which part the device of the key has: two
/// devices that name each other as members are four different keys. A device's
/// own words come first in its list, so that a crowd that claims it hides none.
pub(super) fn association(gateway: &DeviceId, teller: Teller, member: &DeviceId) -> [Vec<u8>; 2] {
    let (under_gateway, under_member) = match teller {
        Teller::Gateway => ('a', 'c'),
        Teller::Member => ('d', 'b'),
    };
    [
        below(b'x', gateway, format!("{under_gateway}{member}").as_bytes()),
        below(b'x', member, format!("{under_member}{gateway}").as_bytes()),
    ]
}

/// The key of the same word under the other device.
pub(super) fn mirrored(association: &[u8]) -> Option<Vec<u8>> {
    let below_kind = association.strip_prefix(b"x/")?;
    let slash = below_kind.iter().position(|byte| *byte == b'/')?;
    let (under, rest) = below_kind.split_at(slash);
    let (letter, other) = rest.get(1..)?.split_first()?;
    let letter = match letter {
        b'a' => b'c',
        b'c' => b'a',
        b'b' => b'd',
        b'd' => b'b',
        _ => return None,
    };
    Some([b"x/", other, b"/", &[letter], under].concat())
}

/// The key of a task.
pub(super) fn task(id: TaskId) -> Vec<u8> {
    key(b't', &id.0.to_be_bytes())
}

/// All versions of a profile. Its name holds no `/`.
pub(super) fn profile_versions(name: &str) -> Vec<u8> {
    key(b'V', format!("{name}/").as_bytes())
}

/// The key of one version of a profile.
pub(super) fn profile_version(name: &str, version: u32) -> Vec<u8> {
    [profile_versions(name).as_slice(), &version.to_be_bytes()].concat()
}

/// The key of a plan.
pub(super) fn plan(id: u128) -> Vec<u8> {
    key(b'L', &id.to_be_bytes())
}

/// All devices of a campaign. Its name holds no `/`.
pub(super) fn members(campaign: &str) -> Vec<u8> {
    key(b'M', format!("{campaign}/").as_bytes())
}

/// The key of a device of a campaign.
pub(super) fn member(campaign: &str, device: &DeviceId) -> Vec<u8> {
    [members(campaign).as_slice(), device.as_str().as_bytes()].concat()
}

/// The key of a backup of a device.
pub(super) fn device_backup(device: &DeviceId, id: u128) -> Vec<u8> {
    below(b'B', device, &id.to_be_bytes())
}

/// What a webhook did not take. Its id holds no `/`.
pub(super) fn dead_letters(webhook: &str) -> Vec<u8> {
    key(b'D', format!("{webhook}/").as_bytes())
}

/// The key of news that a webhook did not take.
pub(super) fn dead_letter(webhook: &str, number: u64) -> Vec<u8> {
    numbered(&dead_letters(webhook), number)
}

/// The key of a document. The collection's name holds no `/`.
pub(super) fn document(collection: &str, id: &str) -> Vec<u8> {
    key(b'G', format!("{collection}/{id}").as_bytes())
}

/// The key of an answer. A token's id holds no `/`.
pub(super) fn reply(token: &str, idempotency_key: &str) -> Vec<u8> {
    key(b'J', format!("{token}/{idempotency_key}").as_bytes())
}

/// The key of a change over many devices.
pub(super) fn bulk(id: u128) -> Vec<u8> {
    key(b'O', &id.to_be_bytes())
}

/// All entries of an index whose text begins so.
pub(super) fn entries_beginning(index: u8, text: &[u8]) -> Vec<u8> {
    [&[b'I', b'/', FORM, index], text].concat()
}

/// All entries of an index with this text, which holds no zero byte.
pub(super) fn entries_of(index: u8, text: &[u8]) -> Vec<u8> {
    [&[b'I', b'/', FORM, index], text, &[0]].concat()
}

/// The key of an entry of an index.
pub(super) fn entry(index: u8, text: &[u8], device: &DeviceId) -> Vec<u8> {
    [&[b'I', b'/', FORM, index], text, &[0], device.as_str().as_bytes()].concat()
}

/// The text and the device of an entry.
pub(super) fn parts_of_entry(key: &[u8]) -> Option<(&[u8], DeviceId)> {
    let rest = key.get(4..)?;
    let (text, device) = rest.split_at(rest.iter().position(|byte| *byte == 0)?);
    let device = std::str::from_utf8(device.get(1..)?).ok()?;
    Some((text, DeviceId::parse(device).ok()?))
}

/// The key of the terms of a device's labels or tree.
pub(super) fn terms(device: &DeviceId, letter: u8) -> Vec<u8> {
    below(b'F', device, &[FORM, letter])
}

/// Whether a key is one of an index in a form that is no longer written.
pub(super) fn is_of_old_form(key: &[u8]) -> bool {
    match key {
        [b'I', b'/', form, ..] => *form != FORM,
        [b'F', b'/', .., form, _] => *form != FORM,
        _ => false,
    }
}

/// The device at the end of a key that belongs to one and is one of a kind.
pub(super) fn device_of(key: &[u8]) -> Option<DeviceId> {
    DeviceId::parse(std::str::from_utf8(key.get(2..)?).ok()?).ok()
}

/// The key of something that belongs to a phone.
pub(super) fn of_phone(kind: u8, mac: Mac) -> Vec<u8> {
    key(kind, &mac.bytes())
}

/// Where a phone finds itself as a device, if the serial number ends in the
/// address of one, as Fanvil's do: twelve hex digits, not all zero.
pub(super) fn phone_of(serial: &str) -> Option<Vec<u8>> {
    Mac::of_serial(serial).map(|mac| of_phone(b'v', mac))
}

/// The key of something that has a name.
pub(super) fn named(kind: u8, name: &str) -> Vec<u8> {
    key(kind, name.as_bytes())
}

/// The key of a name of the dictionary.
pub(super) fn name(id: u32) -> Vec<u8> {
    key(b'n', &id.to_be_bytes())
}

/// The key of a further part (from 1) of a large record.
pub(super) fn part(of: &[u8], n: u16) -> Vec<u8> {
    let mut key = Vec::with_capacity(5 + of.len());
    key.extend_from_slice(b"o/");
    key.extend_from_slice(of);
    key.push(b'/');
    key.extend_from_slice(&n.to_be_bytes());
    key
}

/// The key of the `n`-th entry below a prefix.
pub(super) fn numbered(prefix: &[u8], n: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len() + 8);
    key.extend_from_slice(prefix);
    key.extend_from_slice(&n.to_be_bytes());
    key
}

/// The number at the end of a key.
pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The task at the end of a key.
pub(super) fn task_of(key: &[u8]) -> Option<TaskId> {
    key.last_chunk().map(|bytes| TaskId(u128::from_be_bytes(*bytes)))
}

/// What a key is about, for errors that people read.
pub(super) fn describe(key: &[u8]) -> String {
    let id = key.get(2..).unwrap_or_default();
    let text = String::from_utf8_lossy(id);
    match key.first() {
        Some(b'd') => format!("device {text}"),
        Some(b'p') => format!("the parameters of {text}"),
        Some(b'l') => format!("the labels of {text}"),
        Some(b'c') => format!("the credentials of {text}"),
        Some(b'e') => "an event".to_owned(),
        Some(b'a') => "a session".to_owned(),
        Some(b'b') => "a report".to_owned(),
        Some(b'w') => "a traced message".to_owned(),
        Some(b'x') => "an association".to_owned(),
        Some(b'y' | b'Y') => format!("model {text}"),
        Some(b't') => task_of(key).map_or_else(|| "a task".to_owned(), |id| format!("task {id}")),
        Some(b'h') => format!("phone {}", hex::encode(id)),
        Some(b'k') => format!("what phone {} fetched", hex::encode(id)),
        Some(b'j') => format!("layer {text}"),
        Some(b's') => format!("what is known of phone {}", hex::encode(id)),
        Some(b'i') => format!("site {text}"),
        Some(b'g') => format!("the version of {text}"),
        Some(b'f') => format!("file {text}"),
        Some(b'm') => format!("setting {text}"),
        Some(b'C') => format!("the compliance of {text}"),
        Some(b'S') => format!("what was written to {text}"),
        Some(b'H') => "a change of values".to_owned(),
        Some(b'B') => "a backup of a device".to_owned(),
        Some(b'P' | b'V') => format!("profile {}", text.split('/').next().unwrap_or_default()),
        Some(b'L') => "a plan".to_owned(),
        Some(b'K') => format!("campaign {text}"),
        Some(b'M') => format!("{text} of a campaign"),
        Some(b'R') => format!("the expected device {text}"),
        Some(b'Q') => format!("the unknown device {text}"),
        Some(b'X') => format!("the parameters of model {text}"),
        Some(b'T' | b'1') => format!("token {text}"),
        Some(b'U') => format!("user {text}"),
        Some(b'Z') => format!("tenant {text}"),
        Some(b'W' | b'2') => format!("webhook {text}"),
        Some(b'G') => format!("document {text}"),
        Some(b'A') => "an entry of the audit".to_owned(),
        Some(b'N') => "news".to_owned(),
        _ => "a record".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_device_reaches_into_another() {
        let short = DeviceId::parse("00D09E-1").unwrap();
        let long = DeviceId::parse("00D09E-10").unwrap();
        let task = TaskId(u128::MAX);
        assert!(!listed_task(b'q', &long, task).starts_with(&under_device(b'q', &short)));
        assert!(listed_task(b'q', &short, task).starts_with(&under_device(b'q', &short)));
        assert_eq!(task_of(&listed_task(b'q', &short, task)), Some(task));
    }

    #[test]
    fn an_entry_reads_back_and_sorts_by_text_then_device() {
        let device = DeviceId::parse("00D09E-1").unwrap();
        let key = entry(b's', b"a b", &device);
        assert_eq!(parts_of_entry(&key), Some((&b"a b"[..], device.clone())));
        assert!(key.starts_with(&entries_of(b's', b"a b")));
        assert!(!key.starts_with(&entries_of(b's', b"a")));
        assert!(entry(b's', b"a", &DeviceId::parse("~-~").unwrap()) < key);
        assert!(!is_of_old_form(&key) && !is_of_old_form(&terms(&device, b'l')));
        assert!(is_of_old_form(b"I/\xffsx\0") && is_of_old_form(b"F/00D09E-1/\xffl"));
        assert_eq!(device_of(&of_device(b'd', &device)), Some(device));
    }

    #[test]
    fn a_phone_is_known_by_the_end_of_its_serial_number() {
        let key = phone_of("00100400FV02001000000C383E2599FE").unwrap();
        assert_eq!(key, of_phone(b'v', "0c383e2599fe".parse().unwrap()));
        for serial in ["", "LAB0001", "0c:38:3e:07:e1", "000000000000", "é383e2599fe"] {
            assert_eq!(phone_of(serial), None, "{serial}");
        }
    }

    #[test]
    fn an_association_is_found_from_both_ends() {
        let gateway = DeviceId::parse("00D09E-1").unwrap();
        let member = DeviceId::parse("00D09F-STB-2").unwrap();
        for teller in [Teller::Gateway, Teller::Member] {
            let [here, there] = association(&gateway, teller, &member);
            let other_way = association(&member, teller, &gateway);
            assert!(!other_way.contains(&here) && !other_way.contains(&there));
            assert_eq!(mirrored(&here), Some(there.clone()));
            assert_eq!(mirrored(&there), Some(here));
        }
        assert_eq!(mirrored(b"x/nothing"), None);
    }

    #[test]
    fn numbers_sort_as_they_count() {
        let keys: Vec<_> = [1, 255, 256, u64::MAX].map(|n| numbered(b"e/x/", n)).to_vec();
        assert!(keys.is_sorted());
        assert_eq!(number_of(&keys[2]), Some(256));
    }
}
