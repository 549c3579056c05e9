//! Parameter trees as bytes: rows of postcard items, compressed by zstd, then sealed
//! by the vault, since a value may hold a secret whatever its parameter is called.
//!
//! ```text
//! head · sealed: raw length u32 · zstd of: row count · rows
//! row  = name id + 1 · instance numbers      (a name of the dictionary)
//!      | 0 · path                            (a path written out)
//!      · writable · type · value · time since the row before
//! ```
//!
//! Trees that were written before they were sealed lack the head's flag, and are
//! read as they are.

use std::cell::RefCell;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::names::{NUMBER, Names, Table};
use super::record::{HEAD, Head, SEALED};
use super::vault::SEALING;
use super::{StoreError, Vault};
use crate::param::{Extent, Param, ParamPath, Tree, Value, ValueType};
use crate::time::Timestamp;

const VERSION: u8 = 1;

/// The largest tree before compression, in bytes.
const MAX_RAW: usize = 256 << 20;

thread_local! {
    /// Making a context costs more than using one.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses at level 1, with this thread's context.
pub(super) fn compress(raw: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(zstd::bulk::Compressor::new(1)?),
        };
        compressor.compress(raw)
    })
}

/// Decompresses what gives exactly `len` bytes.
pub(super) fn decompress(bytes: &[u8], len: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(zstd::bulk::Decompressor::new()?),
        };
        let raw = decompressor.decompress(bytes, len)?;
        if raw.len() == len { Ok(raw) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
    })
}

/// A tree as bytes, and the ids of names that it uses and that are not known
/// to be durable.
pub(super) fn encode(
    tree: &Tree,
    names: &Names,
    vault: &Vault,
) -> Result<(Vec<u8>, Vec<u32>), StoreError> {
    let too_large = || StoreError::TooLarge("a parameter tree".to_owned());
    let mut rows = encode_rows(tree, &names.table()).ok_or_else(too_large)?;
    if !rows.unknown.is_empty() {
        // Seldom: a data model that was never met. Once its names have ids,
        // the dictionary is needed for reading only.
        for name in &rows.unknown {
            names.learn(name);
        }
        rows = encode_rows(tree, &names.table()).ok_or_else(too_large)?;
    }
    let Rows { out: raw, mut fresh, .. } = rows;
    if raw.len() > MAX_RAW {
        return Err(too_large());
    }
    fresh.sort_unstable();
    fresh.dedup();
    let len = u32::try_from(raw.len()).unwrap_or(u32::MAX).to_le_bytes();
    let packed = compress(&raw)?;
    let mut bytes = Vec::with_capacity(HEAD + SEALING + len.len() + packed.len());
    Head { version: VERSION, flags: SEALED, ..Head::default() }.put(&mut bytes);
    vault.seal_onto(&mut bytes, |out| {
        out.extend_from_slice(&len);
        out.extend_from_slice(&packed);
    });
    Ok((bytes, fresh))
}

fn encode_rows(tree: &Tree, table: &Table) -> Option<Rows> {
    let out = Vec::with_capacity(32 * tree.len() + 8);
    let mut rows = Rows { out, fresh: Vec::new(), unknown: Vec::new() };
    rows.item(&tree.len())?;
    let mut name = String::new();
    let mut numbers = Vec::new();
    let mut before = Timestamp::default();
    for (path, param) in tree.iter() {
        split(path.as_str(), &mut name, &mut numbers);
        rows.row(table, path, &name, &numbers, param, before)?;
        before = param.read_at;
    }
    Some(rows)
}

struct Rows {
    out: Vec<u8>,
    fresh: Vec<u32>,
    /// Names that the dictionary does not hold.
    unknown: Vec<Box<str>>,
}

impl Rows {
    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Option<()> {
        self.out = postcard::to_extend(item, std::mem::take(&mut self.out)).ok()?;
        Some(())
    }

    fn row(
        &mut self,
        table: &Table,
        path: &ParamPath,
        name: &str,
        numbers: &[u32],
        param: &Param,
        before: Timestamp,
    ) -> Option<()> {
        match table.id(name) {
            Some((id, durable)) => {
                if !durable {
                    self.fresh.push(id);
                }
                self.item(&(id + 1))?;
                for number in numbers {
                    self.item(number)?;
                }
            }
            None => {
                self.unknown.push(name.into());
                self.item(&(0u32, path.as_str()))?;
            }
        }
        self.item(&param.writable)?;
        match &param.value {
            Some(value) => self.item(&Some((&value.kind, &*value.text)))?,
            None => self.item(&None::<(ValueType, &str)>)?,
        }
        self.item(&param.read_at.as_millis().wrapping_sub(before.as_millis()))
    }
}

/// A tree from its bytes.
pub(super) fn decode(bytes: &[u8], names: &Names, vault: &Vault) -> Result<Tree, StoreError> {
    decode_within(bytes, names, vault, &Extent::Whole)
}

/// What is asked for of a tree, from its bytes. Every row is read for that, but only
/// those that are asked for are made parameters of.
pub(super) fn decode_within(
    bytes: &[u8],
    names: &Names,
    vault: &Vault,
    extent: &Extent,
) -> Result<Tree, StoreError> {
    let damaged =
        |why: &str| StoreError::Damaged(format!("a parameter tree cannot be read: {why}"));
    let (head, body) = Head::split(bytes).ok_or_else(|| damaged("it is cut short"))?;
    if head.version != VERSION {
        return Err(damaged("a newer program wrote it"));
    }
    if head.revision != 0 {
        return Err(damaged("its head is unsound"));
    }
    let opened;
    let body = match head.flags {
        0 => body,
        SEALED => {
            opened = vault.unseal_bytes(body)?;
            &opened
        }
        _ => return Err(damaged("its head is unsound")),
    };
    let (len, packed) = body.split_first_chunk().ok_or_else(|| damaged("it is cut short"))?;
    let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
    if len > MAX_RAW {
        return Err(damaged("it claims to be larger than any tree"));
    }
    let raw = decompress(packed, len).map_err(|error| damaged(&error.to_string()))?;
    let table = names.table();
    read_rows(&raw, &table, extent).ok_or_else(|| damaged("a row is unsound"))
}

fn read_rows(mut raw: &[u8], table: &Table, extent: &Extent) -> Option<Tree> {
    let count: usize = take(&mut raw)?;
    let mut rows = Vec::new();
    if *extent == Extent::Whole {
        rows.reserve(count.min(raw.len()));
    }
    let mut path = String::new();
    let mut before = 0i64;
    for _ in 0..count {
        let is_asked = read_path(&mut raw, table, extent, &mut path)?;
        let writable: Option<bool> = take(&mut raw)?;
        let value: Option<(ValueType, &str)> = take(&mut raw)?;
        before = before.wrapping_add(take::<i64>(&mut raw)?);
        if !is_asked {
            continue;
        }
        let value = value.map(|(kind, text)| Value::new(text, kind));
        let param = Param { value, writable, read_at: Timestamp::from_millis(before) };
        rows.push((ParamPath::parse(&path).ok()?, param));
    }
    raw.is_empty().then(|| Tree::from_entries(rows))
}

fn take<'a, T: Deserialize<'a>>(raw: &mut &'a [u8]) -> Option<T> {
    let (item, rest) = postcard::take_from_bytes(raw).ok()?;
    *raw = rest;
    Some(item)
}

/// Reads a path; whether it is asked for. One that cannot be is not put together.
fn read_path(raw: &mut &[u8], table: &Table, extent: &Extent, path: &mut String) -> Option<bool> {
    path.clear();
    let id: u32 = take(raw)?;
    let Some(id) = id.checked_sub(1) else {
        path.push_str(take::<&str>(raw)?);
        return Some(extent.holds(path));
    };
    let mut pieces = table.name(id)?.split(NUMBER);
    let beginning = pieces.next()?;
    if !extent.reaches(beginning) {
        for _ in pieces {
            take::<u32>(raw)?;
        }
        return Some(false);
    }
    path.push_str(beginning);
    for piece in pieces {
        write!(path, "{}", take::<u32>(raw)?).ok()?;
        path.push_str(piece);
    }
    Some(extent.holds(path))
}

/// Takes a path apart into its name and its instance numbers.
fn split(path: &str, name: &mut String, numbers: &mut Vec<u32>) {
    name.clear();
    numbers.clear();
    // Only a segment that begins with a digit can be a number; what stands
    // between two of these is copied whole.
    let bytes = path.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        let end =
            bytes[at..].iter().position(|&byte| byte == b'.').map_or(bytes.len(), |dot| at + dot);
        if bytes[at].is_ascii_digit()
            && let Some(number) = instance(&path[at..end])
        {
            name.push_str(&path[copied..at]);
            name.push(NUMBER);
            numbers.push(number);
            copied = end;
        }
        at = end + 1;
    }
    name.push_str(&path[copied..]);
}

/// The instance number that a segment is, if it is written as numbers are.
fn instance(segment: &str) -> Option<u32> {
    let bytes = segment.as_bytes();
    let plain = bytes.first()?.is_ascii_digit()
        && (bytes.len() == 1 || bytes.first() != Some(&b'0'))
        && bytes.iter().all(u8::is_ascii_digit);
    plain.then(|| segment.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path() -> impl Strategy<Value = ParamPath> {
        let segment = prop_oneof!["[A-Za-z_]{1,6}", "0|00|7|12|4294967295|4294967296|99999999999"];
        (prop::collection::vec(segment, 1..6), any::<bool>()).prop_map(|(segments, object)| {
            let dot = if object { "." } else { "" };
            ParamPath::parse(&format!("{}{dot}", segments.join("."))).unwrap()
        })
    }

    fn param() -> impl Strategy<Value = Param> {
        let kind = prop_oneof![
            Just(ValueType::String),
            Just(ValueType::Boolean),
            Just(ValueType::Other("json".into()))
        ];
        (prop::option::of((".{0,40}", kind)), any::<Option<bool>>(), any::<i64>()).prop_map(
            |(value, writable, at)| Param {
                value: value.map(|(text, kind)| Value::new(text, kind)),
                writable,
                read_at: Timestamp::from_millis(at),
            },
        )
    }

    proptest! {
        #[test]
        fn every_tree_reads_back(entries in prop::collection::vec((path(), param()), 0..40)) {
            let tree = Tree::from_entries(entries);
            let (names, vault) = (Names::default(), Vault::ephemeral());
            let (bytes, fresh) = encode(&tree, &names, &vault).unwrap();
            prop_assert_eq!(decode(&bytes, &names, &vault).unwrap(), tree.clone());
            prop_assert_eq!(decode(&unsealed(&bytes, &vault), &names, &vault).unwrap(), tree.clone());
            // Once the names are durable they do not travel again.
            names.mark_durable(&fresh);
            let (again, fresh) = encode(&tree, &names, &vault).unwrap();
            prop_assert!(fresh.is_empty());
            prop_assert_eq!(decode(&again, &names, &vault).unwrap(), tree);
        }

        #[test]
        fn a_sealed_tree_that_was_cut_or_altered_is_refused(
            entries in prop::collection::vec((path(), param()), 0..20),
            at in any::<prop::sample::Index>(),
            bit in 0..8u32,
        ) {
            let (names, vault) = (Names::default(), Vault::ephemeral());
            let (bytes, _) = encode(&Tree::from_entries(entries), &names, &vault).unwrap();
            let at = at.index(bytes.len());
            prop_assert!(decode(&bytes[..at], &names, &vault).is_err());
            prop_assert!(decode(&bytes, &names, &Vault::ephemeral()).is_err());
            let mut altered = bytes;
            altered[at] ^= 1 << bit;
            // How many parts there are is judged where they are put together.
            let parts = matches!(at, 2 | 3);
            prop_assert_eq!(decode(&altered, &names, &vault).is_ok(), parts);
        }

        #[test]
        fn what_is_asked_for_is_read_and_nothing_else(
            entries in prop::collection::vec((path(), param()), 0..40),
            asked in prop::collection::vec(path(), 0..3),
        ) {
            let tree = Tree::from_entries(entries);
            let (names, vault) = (Names::default(), Vault::ephemeral());
            let (bytes, _) = encode(&tree, &names, &vault).unwrap();
            let extent = Extent::of(&asked);
            let part = tree.iter().filter(|(path, _)| extent.holds(path.as_str()));
            let part = part.map(|(path, param)| (path.clone(), param.clone()));
            let expected = Tree::from_entries(part);
            prop_assert_eq!(decode_within(&bytes, &names, &vault, &extent).unwrap(), expected);
        }

        #[test]
        fn rubbish_is_refused_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let names = Names::default();
            let _ = decode(&bytes, &names, &Vault::ephemeral());
            let _ = read_rows(&bytes, &names.table(), &Extent::Whole);
        }
    }

    #[test]
    fn rows_of_a_table_share_one_name() {
        let names = Names::default();
        let now = Timestamp::from_millis(5);
        let mut tree = Tree::new();
        for row in 1..1000 {
            let path = ParamPath::parse(&format!("Device.Hosts.Host.{row}.Active")).unwrap();
            tree.learn_value(&path, Value::boolean(true), now);
        }
        let (_, fresh) = encode(&tree, &names, &Vault::ephemeral()).unwrap();
        assert_eq!(fresh.len(), 1);
    }

    /// As trees were written before they were sealed.
    fn unsealed(bytes: &[u8], vault: &Vault) -> Vec<u8> {
        let (head, body) = Head::split(bytes).unwrap();
        let mut old = Vec::new();
        Head { flags: 0, ..head }.put(&mut old);
        old.extend(vault.unseal_bytes(body).unwrap());
        old
    }

    #[test]
    fn no_value_lies_open() {
        let (names, vault) = (Names::default(), Vault::ephemeral());
        let mut tree = Tree::new();
        let path = ParamPath::parse("Device.ManagementServer.URL").unwrap();
        let url = "http://user:canary@acs.example/";
        tree.learn_value(&path, Value::string(url), Timestamp::from_millis(1));
        let (bytes, _) = encode(&tree, &names, &vault).unwrap();
        let holds = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"canary");
        assert!(!holds(&bytes));
        assert!(holds(&unsealed(&bytes, &vault)), "so few bytes are not compressed");
    }

    #[test]
    fn every_cut_is_refused() {
        let (names, vault) = (Names::default(), Vault::ephemeral());
        let mut tree = Tree::new();
        let path = ParamPath::parse("Device.DeviceInfo.SoftwareVersion").unwrap();
        tree.learn_value(&path, Value::string("1.0"), Timestamp::from_millis(1));
        let (bytes, _) = encode(&tree, &names, &vault).unwrap();
        let old = unsealed(&bytes, &vault);
        for bytes in [bytes, old] {
            for cut in 0..bytes.len() {
                assert!(decode(&bytes[..cut], &names, &vault).is_err(), "cut at {cut}");
            }
        }
    }
}
