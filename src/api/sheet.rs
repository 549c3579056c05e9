//! What all imports and exports share: files with a thing a row (CSV, RFC 4180) or
//! a thing a member (JSON), taken whole or not at all, with every fault by its
//! line.
//!
//! A cell that a spreadsheet would take for a formula is written with `'` before
//! it, and read without.

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::problem::{ApiError, ImportFault};
use super::state::State;
use crate::class::Class;
use crate::http::collect;

/// The largest file, in bytes.
const MAX_FILE: u64 = 32 << 20;

/// Faults that are told at once.
const MAX_FAULTS: usize = 100;

/// Rows after which others get their turn.
pub(super) const BREATH: usize = 64;

/// What begins a formula in some spreadsheet, and the mark itself, so that it
/// can be taken off again.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

/// A text as a cell that no spreadsheet runs.
pub(super) fn guarded(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// A row of a table whose cells no spreadsheet runs.
pub(super) fn row(cells: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<u8> {
    plain_row(cells.into_iter().map(|cell| guarded(cell.as_ref())))
}

/// A row of a table whose cells stand as they are, because they were guarded.
pub(super) fn plain_row(cells: impl IntoIterator<Item = String>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    // Writing into memory does not fail.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

/// The columns of a heading, each once; what is none is told, with the page that
/// lists them.
pub(super) fn columns<C: PartialEq>(
    heading: &csv::ByteRecord,
    most: usize,
    parse: impl Fn(&str) -> Option<C>,
    page: &str,
    faults: &mut Faults,
) -> Vec<C> {
    if heading.len() > most {
        faults.add(1, None, format!("at most {most} columns"));
        return Vec::new();
    }
    let mut columns: Vec<C> = Vec::with_capacity(heading.len());
    for cell in heading {
        let text: String = String::from_utf8_lossy(cell).chars().take(140).collect();
        let shown = || Some(text.chars().filter(|c| !c.is_control()).collect());
        match parse(unguarded(&text)) {
            Some(column) if columns.contains(&column) => {
                faults.add(1, shown(), "this column stands there twice");
            }
            Some(column) => columns.push(column),
            None => faults.add(1, shown(), format!("there is no such column; {page} lists them")),
        }
    }
    columns
}

/// The text of a cell.
pub(super) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest,
        _ => cell,
    }
}

/// Everything that is wrong in a file, as far as it is told.
#[derive(Debug, Default)]
pub(super) struct Faults {
    told: Vec<ImportFault>,
    all: usize,
}

impl Faults {
    pub(super) fn add(&mut self, line: u64, column: Option<String>, problem: impl Into<String>) {
        self.all += 1;
        if self.told.len() < MAX_FAULTS {
            self.told.push(ImportFault { line, column, problem: problem.into() });
        }
    }

    pub(super) const fn any(&self) -> bool {
        self.all > 0
    }

    /// # Errors
    /// [`ApiError::Import`] if anything is wrong.
    pub(super) fn none(mut self) -> Result<(), ApiError> {
        if self.all == 0 {
            return Ok(());
        }
        self.told.sort_by_key(|fault| fault.line);
        Err(ApiError::Import { faults: self.told, all: self.all })
    }
}

/// The file that a request brings.
///
/// # Errors
/// [`ApiError::TooLarge`] and [`ApiError::BodyStalled`].
pub(super) async fn file(state: &State, request: Request) -> Result<Bytes, ApiError> {
    body(state, request.into_body()).await
}

/// A body that may be as large as a file.
///
/// # Errors
/// [`ApiError::TooLarge`] and [`ApiError::BodyStalled`].
pub(super) async fn body(state: &State, body: Body) -> Result<Bytes, ApiError> {
    match collect(body, MAX_FILE, &state.deps.config.limits).await {
        Ok(file) => Ok(file),
        Err(error) if error.class() == Class::TooLarge => {
            Err(ApiError::TooLarge { limit: MAX_FILE })
        }
        Err(_) => Err(ApiError::BodyStalled),
    }
}

/// The columns and the rows of a table of `what`, at most so many, each with its
/// line. What is wrong goes to `faults`; there are rows for what can be told
/// further then.
pub(super) fn rows<C>(
    text: &[u8],
    most: usize,
    what: &str,
    faults: &mut Faults,
    columns: impl FnOnce(&csv::ByteRecord, &mut Faults) -> Vec<C>,
) -> (Vec<C>, Vec<(u64, Vec<String>)>) {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut records = reader.byte_records();
    let Some(Ok(heading)) = records.next() else {
        faults.add(1, None, "a table begins with a line of column names");
        return Default::default();
    };
    let columns = columns(&heading, faults);
    if faults.any() {
        return Default::default();
    }
    let mut rows = Vec::new();
    let mut lines = Lines { text, at: 0, line: 1 };
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                faults.add(0, None, error.to_string());
                break;
            }
        };
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        if rows.len() == most {
            faults.add(line, None, format!("at most {most} {what} at once; split the file"));
            break;
        }
        if record.len() != columns.len() {
            let (has, wanted) = (record.len(), columns.len());
            faults.add(line, None, format!("{has} cells where the heading has {wanted}"));
            continue;
        }
        let cells: Result<Vec<String>, _> =
            record.iter().map(|cell| String::from_utf8(cell.to_vec())).collect();
        match cells {
            Ok(cells) => rows.push((line, cells)),
            Err(_) => faults.add(line, None, "this is not UTF-8"),
        }
    }
    (columns, rows)
}

/// Counts lines. What the reader itself tells counts neither empty lines before
/// a record nor the second half of a CRLF.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line, from 1, of the record that begins behind this byte.
    fn of(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX);
        let rest = self.text.get(self.at..).unwrap_or_default();
        for byte in rest {
            if self.at >= from && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// An object of an import, with the line on which it begins.
pub(super) type Item = (u64, Map<String, Value>);

/// The members of a JSON array of `what`, at most so many, each with the line at
/// which it begins.
///
/// # Errors
/// [`ApiError::Import`] when it is no such array.
pub(super) fn items(
    file: &[u8],
    most: usize,
    what: &str,
    faults: &mut Faults,
) -> Result<Vec<Item>, ApiError> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let items: Vec<Map<String, Value>> = serde_json::from_slice(file).map_err(|error| {
        let (line, problem) = (error.line() as u64, error.to_string());
        ApiError::Import { faults: vec![ImportFault { line, column: None, problem }], all: 1 }
    })?;
    if items.len() > most {
        faults.add(1, None, format!("at most {most} {what} at once; split the file"));
        return Ok(Vec::new());
    }
    Ok(lines_of_items(file).into_iter().zip(items).collect())
}

/// The lines at which the members of a sound JSON array begin.
fn lines_of_items(json: &[u8]) -> Vec<u64> {
    let (mut lines, mut line, mut depth) = (Vec::new(), 1, 0_u32);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        match byte {
            b'\n' => line += 1,
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                if depth == 1 {
                    lines.push(line);
                }
                depth += 1;
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_their_line() {
        let json = b"[\n {\"a\": \"}\\\"{[\"},\n\n {\"b\": [{}]}, {\"c\": {}}\n]";
        let parsed: Vec<Map<String, Value>> = serde_json::from_slice(json).unwrap();
        assert_eq!(parsed.len(), 3);
        assert_eq!(lines_of_items(json), [2, 4, 4]);
    }
}
