//! Devices that are expected as a table: CSV with a device a row.
//!
//! | column | what |
//! | --- | --- |
//! | `device`, `serial`, `mac`, `login` | the key: one of them is filled in each row |
//! | `tags` | separated by `;` |
//! | `tenant`, `site` | empty for none |
//! | `subscriber.NAME` | a field of the subscriber; empty takes it away, `***` keeps a secret |
//!
//! What has no column stays as it is stored.

use std::collections::BTreeSet;
use std::fmt;

use super::super::sheet::{self, Faults, unguarded};
use crate::device::{HIDDEN, LabelsChange, Preload, PreloadKey, is_secret_field};

/// Columns at most.
const MAX_COLUMNS: usize = 200;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// A key of this kind.
    Key(&'static str),
    Tags,
    Tenant,
    Site,
    Subscriber(String),
}

impl Column {
    /// Reads a heading; `None` if it is none. Names of fields keep their case.
    fn parse(heading: &str) -> Option<Self> {
        let heading = heading.trim();
        if let Some(name) = heading.strip_prefix("subscriber.") {
            return (!name.is_empty()).then(|| Self::Subscriber(name.to_owned()));
        }
        let heading = heading.to_ascii_lowercase();
        let kind = PreloadKey::KINDS.into_iter().find(|kind| *kind == heading);
        match (kind, heading.as_str()) {
            (Some(kind), _) => Some(Self::Key(kind)),
            (None, "tags") => Some(Self::Tags),
            (None, "tenant") => Some(Self::Tenant),
            (None, "site") => Some(Self::Site),
            (None, _) => None,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(kind) => f.write_str(kind),
            Self::Tags => f.write_str("tags"),
            Self::Tenant => f.write_str("tenant"),
            Self::Site => f.write_str("site"),
            Self::Subscriber(name) => write!(f, "subscriber.{name}"),
        }
    }
}

/// The columns of a heading.
pub(super) fn columns(heading: &csv::ByteRecord, faults: &mut Faults) -> Vec<Column> {
    let columns = sheet::columns(heading, MAX_COLUMNS, Column::parse, "docs/ADMISSION.md", faults);
    if !columns.iter().any(|column| matches!(column, Column::Key(_))) {
        faults.add(1, None, "a table needs one of the columns device, serial, mac, login");
    }
    columns
}

/// The key of a row and what it says; `None` if there is no key to be read, which
/// is told.
pub(super) fn row(
    columns: &[Column],
    cells: &[String],
    line: u64,
    faults: &mut Faults,
) -> Option<(PreloadKey, LabelsChange)> {
    let mut change = LabelsChange::default();
    let mut keys: Vec<(&'static str, &str)> = Vec::new();
    for (column, raw) in columns.iter().zip(cells) {
        let cell = unguarded(raw);
        match column {
            Column::Key(_) if cell.trim().is_empty() => {}
            Column::Key(kind) => keys.push((kind, cell)),
            Column::Tags => {
                let tags = cell.split(';').filter(|tag| !tag.trim().is_empty());
                change.tags = Some(tags.map(str::to_owned).collect());
            }
            Column::Tenant => change.tenant = Some(cell.to_owned()),
            Column::Site => change.site = Some(cell.to_owned()),
            Column::Subscriber(name) => {
                change.subscriber.insert(name.clone(), cell.to_owned());
            }
        }
    }
    match keys.as_slice() {
        [(kind, text)] => match PreloadKey::new(kind, text) {
            Ok(key) => return Some((key, change)),
            Err(error) => faults.add(line, Some((*kind).to_owned()), error.to_string()),
        },
        [] => faults.add(line, None, "fill one of device, serial, mac, login"),
        [_, (kind, _), ..] => {
            faults.add(line, Some((*kind).to_owned()), "a row has one key; fill one of them");
        }
    }
    None
}

/// The columns of a table in which subscribers have these fields.
pub(super) fn columns_for(fields: &BTreeSet<Box<str>>) -> Vec<Column> {
    let kinds = PreloadKey::KINDS.into_iter();
    kinds
        .map(Column::Key)
        .chain([Column::Tags, Column::Tenant, Column::Site])
        .chain(fields.iter().map(|name| Column::Subscriber(name.to_string())))
        .collect()
}

/// The heading of a table.
pub(super) fn heading(columns: &[Column]) -> Vec<u8> {
    sheet::row(columns.iter().map(Column::to_string))
}

/// A device that is expected as a row of a table.
pub(super) fn line(columns: &[Column], preload: &Preload, secrets: bool) -> Vec<u8> {
    sheet::row(columns.iter().map(|column| cell(column, preload, secrets)))
}

fn cell(column: &Column, preload: &Preload, secrets: bool) -> String {
    let labels = &preload.labels;
    match column {
        Column::Key(kind) if *kind == preload.key.kind() => preload.key.text().to_owned(),
        Column::Key(_) => String::new(),
        Column::Tags => labels.tags.iter().map(|tag| &**tag).collect::<Vec<_>>().join(";"),
        Column::Tenant => labels.tenant.to_string(),
        Column::Site => labels.site.to_string(),
        Column::Subscriber(name) => match labels.subscriber.get(name.as_str()) {
            Some(_) if !secrets && is_secret_field(name) => HIDDEN.to_owned(),
            Some(value) => value.to_string(),
            None => String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::device::Labels;
    use crate::time::Timestamp;

    fn preload(key: PreloadKey, labels: Labels) -> Preload {
        let labels = Labels { revision: 1, ..labels };
        Preload { key, at: Timestamp::default(), by: "test".into(), labels, taken_by: None }
    }

    fn write(preloads: &[Preload], secrets: bool) -> Vec<u8> {
        let fields = preloads.iter().flat_map(|preload| preload.labels.subscriber.keys());
        let columns = columns_for(&fields.cloned().collect());
        let lines = preloads.iter().map(|preload| line(&columns, preload, secrets));
        [heading(&columns)].into_iter().chain(lines).collect::<Vec<_>>().concat()
    }

    fn read(text: &[u8]) -> Vec<Preload> {
        let mut faults = Faults::default();
        let (columns, rows) = sheet::rows(text, 100, "devices", &mut faults, columns);
        let rows = rows.iter().map(|(line, cells)| {
            let (key, change) = row(&columns, cells, *line, &mut faults).unwrap();
            let mut labels = Labels::default();
            change.apply(&mut labels).unwrap();
            preload(key, labels)
        });
        let read = rows.collect();
        assert!(!faults.any(), "{faults:?}");
        read
    }

    /// What a change takes as it is.
    fn text() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[-=+@'\",|a-zäß0-9. ]{1,12}")
            .unwrap()
            .prop_filter("not blank", |text| !text.trim().is_empty())
    }

    fn key() -> impl Strategy<Value = PreloadKey> {
        prop_oneof![
            text().prop_map(|text| PreloadKey::new("serial", &text).unwrap()),
            text().prop_map(|text| PreloadKey::new("login", &text).unwrap()),
            (1..u64::pow(2, 48))
                .prop_map(|mac| PreloadKey::new("mac", &format!("{mac:012x}")).unwrap()),
            (0..9999_u32)
                .prop_map(|n| PreloadKey::new("device", &format!("00D09E-HG-{n}")).unwrap()),
        ]
    }

    fn labels() -> impl Strategy<Value = Labels> {
        let fields = prop::collection::btree_map("[a-zA-Z_][a-zA-Z0-9_]{0,8}", text(), 0..4);
        (prop::collection::vec(text(), 0..4), text(), text(), fields).prop_map(
            |(tags, tenant, site, subscriber): (_, _, _, BTreeMap<String, String>)| {
                let subscriber =
                    subscriber.into_iter().filter(|(_, value)| value != HIDDEN).collect();
                let mut labels = Labels::default();
                let change = LabelsChange {
                    tags: Some(tags),
                    tenant: Some(tenant),
                    site: Some(site),
                    subscriber,
                    ..LabelsChange::default()
                };
                change.apply(&mut labels).unwrap();
                labels
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_exported_is_imported_alike_and_no_cell_is_a_formula(
            preloads in prop::collection::vec((key(), labels()), 0..8),
        ) {
            let preloads: Vec<Preload> =
                preloads.into_iter().map(|(key, labels)| preload(key, labels)).collect();
            let file = write(&preloads, true);
            let mut cells = csv::ReaderBuilder::new().has_headers(false).from_reader(&file[..]);
            for record in cells.records() {
                for cell in &record.unwrap() {
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{}", cell);
                }
            }
            let again: Vec<Preload> = read(&file);
            prop_assert_eq!(again.len(), preloads.len());
            for (again, preload) in again.iter().zip(&preloads) {
                prop_assert_eq!(&again.key, &preload.key);
                prop_assert!(again.labels.says_the_same(&preload.labels), "{:?}", again);
            }
        }
    }
}
