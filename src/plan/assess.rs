//! What would have to be done, from what is known: the converge job's own
//! comparison, shown and not carried out.

use std::collections::BTreeSet;

use super::Written;
use super::gap::{Addition, Experience, Gap, Setting, parent_of};
use crate::device::{AttributeWish, Desired, Learned, Wanted};
use crate::param::{ParamPath, Tree};
use crate::schema::Schema;

/// How far a device is from a state, and what it takes to get there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessment {
    /// What is known to differ.
    pub differences: Vec<Difference>,
    /// What would have to be read first, because it was never told.
    pub unknown: Vec<ParamPath>,
    /// What cannot be had, each with the reason: read-only, no such table.
    pub impossible: Vec<(Box<str>, Box<str>)>,
    /// The RPCs that it takes, as far as that is known, reading back included:
    /// exactly these, if nothing is unknown and the device is as it is known to
    /// be.
    pub rpcs: Vec<PlannedRpc>,
}

/// One thing in which a device differs from a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The parameter, or the row with its last dot (a new one ends in `{i}.`).
    pub path: Box<str>,
    /// What is wanted; in clear. Empty for a row that is to be deleted; for a new
    /// row its values as `Name=value, Name=value`, secrets as `***`; for
    /// attributes `notification 2`.
    pub wanted: Box<str>,
    /// What it has; `None` if it is not there, or not told.
    pub found: Option<Box<str>>,
    /// Whether the value must not be shown.
    pub secret: bool,
    /// Place in the state's sources.
    pub source: u16,
}

/// So many RPCs of one method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedRpc {
    /// `SetParameterValues`.
    pub method: &'static str,
    /// How many.
    pub count: u32,
}

impl Assessment {
    /// Whether nothing is left to do that could be done.
    pub const fn is_satisfied(&self) -> bool {
        self.differences.is_empty() && self.unknown.is_empty()
    }
}

/// Compares what is wanted of a device with what is known of it.
///
/// Cheap where they agree: a value costs one look-up in the tree.
pub fn assess(desired: &Desired, tree: &Tree, learned: &Learned, written: &Written) -> Assessment {
    let experience = Experience::default();
    let gap = Gap::of(desired, tree, learned, written, &experience);
    let rpcs = rpcs_of(&gap, learned);
    let Gap { reads, removals, additions, settings, notices, impossible, .. } = gap;
    let removed = removals.into_iter().map(|removal| Difference {
        path: removal.row.as_str().into(),
        wanted: "".into(),
        found: Some("".into()),
        secret: false,
        source: removal.source,
    });
    let mut differences: Vec<Difference> = removed.collect();
    differences.extend(additions.iter().map(|addition| new_row(addition, desired)));
    // The values of rows that are to be made are told with the rows.
    let settings = settings.into_iter().filter(|setting| setting.path.is_some());
    differences.extend(settings.map(|setting| Difference {
        path: setting.shown,
        wanted: setting.value.text.clone(),
        found: setting.found,
        secret: setting.secret,
        source: setting.source,
    }));
    differences.extend(notices.into_iter().map(|notice| Difference {
        path: notice.wish.path.as_str().into(),
        wanted: in_words(&notice.wish).into(),
        found: None,
        secret: false,
        source: notice.source,
    }));
    Assessment { differences, unknown: reads.into_iter().collect(), impossible, rpcs }
}

fn new_row(addition: &Addition, desired: &Desired) -> Difference {
    let table = desired.tables.get(addition.id.table);
    let row = table.and_then(|table| table.rows.get(addition.id.row));
    let values = row.map_or(&[][..], |row| &row.values);
    let shown = values.iter().map(|(leaf, wanted)| {
        let path = ParamPath::parse(&format!("{}{leaf}", addition.shown));
        match wanted {
            _ if path.is_ok_and(|path| Schema::core().is_secret(&path)) => format!("{leaf}=***"),
            Wanted::Value(value) => format!("{leaf}={}", value.text),
            Wanted::Row(name) => format!("{leaf}=@{name}"),
        }
    });
    Difference {
        path: addition.shown.clone(),
        wanted: shown.collect::<Vec<_>>().join(", ").into(),
        found: None,
        secret: false,
        source: addition.source,
    }
}

/// Attributes as they are shown: `notification 2`, `access list Subscriber`.
pub(super) fn in_words(wish: &AttributeWish) -> String {
    let mut words = Vec::new();
    if let Some(number) = wish.notification {
        words.push(format!("notification {number}"));
    }
    if let Some(list) = &wish.access_list {
        let list = if list.is_empty() { "of nobody".to_owned() } else { list.join(", ") };
        words.push(format!("access list {list}"));
    }
    words.join(", ")
}

/// The RPCs that it takes to close a gap, one entry a method, in the order in
/// which they are first sent.
fn rpcs_of(gap: &Gap<'_>, learned: &Learned) -> Vec<PlannedRpc> {
    let batches = |count: usize, size: u16| count.div_ceil(usize::from(size.max(1)));
    let tables: BTreeSet<&str> =
        gap.removals.iter().map(|removal| parent_of(removal.row.as_str())).collect();
    let written = gap.settings.len();
    let looks = gap.removals.iter().map(|removal| removal.look.len()).sum();
    let reads = batches(gap.reads.len(), learned.read_batch)
        + batches(looks, learned.read_batch)
        + gap.later_reads
        + batches(written, learned.read_batch);
    let notices = batches(gap.notices.len(), learned.attribute_batch);
    [
        ("DeleteObject", gap.removals.len()),
        // A table that tells nothing is asked for its rows as well.
        ("GetParameterNames", tables.len() + gap.later_reads),
        ("AddObject", gap.additions.len()),
        ("SetParameterValues", writes(&gap.settings, learned)),
        ("GetParameterValues", reads),
        ("SetParameterAttributes", notices),
        ("GetParameterAttributes", notices),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(method, count)| PlannedRpc { method, count: u32::try_from(count).unwrap_or(u32::MAX) })
    .collect()
}

/// How many SetParameterValues the values take.
fn writes(settings: &[Setting<'_>], learned: &Learned) -> usize {
    let most = super::writer::most_bytes(learned);
    let limit = usize::from(learned.write_batch.max(1));
    let (mut count, mut values, mut bytes) = (0, limit, 0_usize);
    for setting in settings {
        let size = super::writer::size_of(&setting.shown, &setting.value.text);
        if values >= limit || bytes.saturating_add(size) > most {
            (count, values, bytes) = (count + 1, 0, 0);
        }
        values += 1;
        bytes = bytes.saturating_add(size);
    }
    count
}
