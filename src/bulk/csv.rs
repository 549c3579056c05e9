//! CSV: a parameter to a row, or a parameter to a column.
//!
//! ```text
//! ReportTimestamp,ParameterName,ParameterValue,ParameterType
//! 1364529149,Device.MoCA.Interface.1.Stats.BytesSent,12345,unsignedLong
//!
//! ReportTimestamp,Device.MoCA.Interface.1.Stats.BytesSent
//! 1364529149,12345
//! ```
//!
//! What separates fields is set on the device and said nowhere, so it is found out
//! from the first row.

use csv::{ByteRecord, ReaderBuilder, StringRecord};

use super::format::CsvLayout;
use super::gather::Gathering;
use super::{BulkError, BulkLimits, BulkReport};

/// The heading of the column of times.
const TIME: &str = "ReportTimestamp";
/// The headings of rows.
const NAME: &str = "ParameterName";
const VALUE: &str = "ParameterValue";

/// What may separate fields, the standard's default first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The most columns that a row has.
const MAX_COLUMNS: usize = 8192;

/// Reads a document. `header` is what was said of a heading row; a row that looks
/// like one is one.
pub(super) fn read(
    text: &str,
    layout: Option<CsvLayout>,
    header: Option<bool>,
    limits: &BulkLimits,
) -> Result<Vec<BulkReport>, BulkError> {
    let text = text.trim_start();
    let first = text.lines().next().unwrap_or_default();
    let mut rows = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(first))
        .from_reader(text.as_bytes());
    let mut first = StringRecord::new();
    if !next(&mut rows, &mut first)? {
        return Err(BulkError::Empty);
    }
    let has = |heading: &str| first.iter().any(|cell| is(cell, heading));
    let layout = layout.unwrap_or(if has(NAME) || header == Some(false) {
        CsvLayout::ParameterPerRow
    } else {
        CsvLayout::ParameterPerColumn
    });
    match layout {
        CsvLayout::ParameterPerRow => {
            let columns = Columns::of(&first);
            per_row(&mut rows, first, columns, limits)
        }
        // Without a heading nothing has a name.
        CsvLayout::ParameterPerColumn if header == Some(false) && !has(TIME) => {
            Err(BulkError::Csv("columns without a heading have no names"))
        }
        CsvLayout::ParameterPerColumn => per_column(&mut rows, &first, limits),
    }
}

type Rows<'a> = csv::Reader<&'a [u8]>;

/// Reads the next row; whether there is one.
fn next(rows: &mut Rows<'_>, row: &mut StringRecord) -> Result<bool, BulkError> {
    let mut bytes = ByteRecord::new();
    let found = rows.read_byte_record(&mut bytes).map_err(|_| BulkError::Csv("a row is broken"))?;
    if bytes.len() > MAX_COLUMNS {
        return Err(BulkError::Csv("a row has too many columns"));
    }
    *row = StringRecord::from_byte_record_lossy(bytes);
    Ok(found)
}

/// Where name, value and time stand in a row.
#[derive(Clone, Copy)]
struct Columns {
    name: usize,
    value: usize,
    time: Option<usize>,
    /// The row that they were read from is a heading.
    is_heading: bool,
}

impl Columns {
    /// By the heading, else by what looks like a name in the first row: letters
    /// with a dot. The value stands behind it, and a time before it.
    fn of(first: &StringRecord) -> Self {
        let at = |heading| first.iter().position(|cell| is(cell, heading));
        if let Some(name) = at(NAME) {
            let value = at(VALUE).unwrap_or(name + 1);
            return Self { name, value, time: at(TIME), is_heading: true };
        }
        let like_name =
            |cell: &str| cell.contains('.') && cell.starts_with(|c: char| c.is_ascii_alphabetic());
        let name = first.iter().position(like_name).unwrap_or(usize::from(first.len() > 2));
        Self { name, value: name + 1, time: name.checked_sub(1), is_heading: false }
    }
}

/// Rows of one time are one report, and a time that comes again goes on with it.
fn per_row(
    rows: &mut Rows<'_>,
    first: StringRecord,
    columns: Columns,
    limits: &BulkLimits,
) -> Result<Vec<BulkReport>, BulkError> {
    let mut found: Vec<(Box<str>, Gathering<'_>)> = Vec::new();
    let mut row = first;
    let mut is_row = !columns.is_heading;
    loop {
        if is_row {
            let time = columns.time.and_then(|at| row.get(at)).unwrap_or_default().trim();
            let place = found.iter().position(|(of, _)| **of == *time);
            if place.is_none() && found.len() < limits.reports {
                let mut gathering = Gathering::new(limits);
                gathering.collected(time);
                found.push((time.into(), gathering));
            }
            // Beyond the most reports, what is left out counts with the last.
            let at = place.unwrap_or(found.len().saturating_sub(1));
            if let Some((of, gathering)) = found.get_mut(at) {
                match (row.get(columns.name), row.get(columns.value)) {
                    (Some(name), Some(value)) if **of == *time => gathering.take(name, value),
                    _ => gathering.leave_out(),
                }
            }
        }
        if !next(rows, &mut row)? {
            let done = found.into_iter().filter_map(|(_, gathering)| gathering.done());
            return Ok(done.collect());
        }
        is_row = true;
    }
}

/// Each row is a report.
fn per_column(
    rows: &mut Rows<'_>,
    heading: &StringRecord,
    limits: &BulkLimits,
) -> Result<Vec<BulkReport>, BulkError> {
    let mut reports = Vec::new();
    let mut row = StringRecord::new();
    while next(rows, &mut row)? && reports.len() < limits.reports {
        let mut gathering = Gathering::new(limits);
        for (at, cell) in row.iter().enumerate() {
            match heading.get(at) {
                Some(name) if is(name, TIME) => gathering.collected(cell),
                Some(name) => gathering.take(name, cell),
                None => gathering.leave_out(),
            }
        }
        reports.extend(gathering.done());
    }
    Ok(reports)
}

fn is(cell: &str, heading: &str) -> bool {
    cell.trim().eq_ignore_ascii_case(heading)
}

/// What separates the fields of a row: of what may, what stands there most often.
fn separator(row: &str) -> u8 {
    let count = |byte: u8| row.bytes().filter(|&b| b == byte).count();
    let [first, rest @ ..] = SEPARATORS;
    rest.into_iter().fold(first, |best, one| if count(one) > count(best) { one } else { best })
}
