//! The check of an exported audit, without a server: that each line says what its
//! body says, that its hash follows from the hash before, and that none is missing.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::access::{AuditDraft, chained};
use crate::cli::CliError;

/// The longest line, in bytes: an entry has far fewer.
const MAX_LINE: u64 = 1 << 20;

/// What was found so far.
#[derive(Default)]
struct Check {
    entries: u64,
    first: Option<u64>,
    last: Option<(u64, String)>,
    met: bool,
}

/// Checks a file; what the server would tell of itself. With `part` gaps are no
/// fault.
///
/// # Errors
/// [`CliError::File`] when it cannot be read, [`CliError::BadFile`] when it is no
/// export.
pub(super) fn file(
    path: &Path,
    part: bool,
    noted: Option<(u64, [u8; 32])>,
) -> Result<Value, CliError> {
    let failed = |source| CliError::File { path: path.to_owned(), source };
    let bad = |problem: String| CliError::BadFile { path: path.to_owned(), problem };
    let mut input = BufReader::new(File::open(path).map_err(failed)?);
    let is_json = input.fill_buf().map_err(failed)?.first().is_none_or(|first| *first == b'{');
    let mut check = Check::default();
    let mut problem = None;
    let mut take = |number: usize, line: Map<String, Value>| {
        match check.take(&line, part, noted) {
            Ok(found) => problem = found,
            Err(why) => return Err(bad(format!("line {number}: {why}"))),
        }
        Ok(problem.is_none())
    };
    if is_json {
        for number in 1.. {
            let mut line = Vec::new();
            input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(failed)?;
            if line.is_empty() {
                break;
            }
            let members = serde_json::from_slice(&line)
                .map_err(|error| bad(format!("line {number}: {error}")))?;
            if !take(number, members)? {
                break;
            }
        }
    } else {
        let mut rows = csv::ReaderBuilder::new().from_reader(input);
        let names = rows.headers().map_err(|error| bad(error.to_string()))?.clone();
        for (number, row) in rows.records().enumerate() {
            let row = row.map_err(|error| bad(error.to_string()))?;
            let cells = names.iter().zip(&row).filter(|(_, cell)| !cell.is_empty());
            let members = cells.map(|(name, cell)| (name.to_owned(), unguarded(cell).into()));
            if !take(number + 2, members.collect())? {
                break;
            }
        }
    }
    if problem.is_none()
        && let Some((number, _)) = noted
        && !check.met
    {
        problem = Some(format!("entry {number}, whose hash was noted, is not there"));
    }
    Ok(json!({
        "sound": problem.is_none(),
        "entries": check.entries,
        "first": check.first,
        "last": check.last.as_ref().map(|(number, _)| number),
        "hash": check.last.as_ref().map(|(_, hash)| hash),
        "problem": problem,
    }))
}

/// What stands behind the mark that keeps spreadsheets from running a cell.
fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => rest,
        _ => cell,
    }
}

impl Check {
    /// Takes a line; what is wrong with the chain there, or why it is no line of an
    /// export.
    fn take(
        &mut self,
        line: &Map<String, Value>,
        part: bool,
        noted: Option<(u64, [u8; 32])>,
    ) -> Result<Option<String>, String> {
        let number: u64 = text(line, "number").parse().map_err(|_| "it has no number")?;
        let body = STANDARD.decode(text(line, "body")).map_err(|_| "it has no body")?;
        let hash = text(line, "hash");
        let previous = text(line, "previous");
        if let Some((last, before)) = &self.last {
            let expected = last.saturating_add(1);
            if number < expected || (number > expected && !part) {
                let gap = format!("entry {expected} is missing: after it comes {number}");
                return Ok(Some(gap));
            }
            if number == expected && *before != previous {
                return Ok(Some(format!("entry {number} does not follow from the one before")));
            }
        }
        let mut known = [0; 32];
        let follows = match hex::decode_to_slice(&previous, &mut known) {
            Ok(()) => hex::encode(chained(&known, number, &body)) == hash,
            // The oldest that is kept: what came before it was trimmed.
            Err(_) => previous.is_empty() && self.last.is_none() && number > 0,
        };
        let said = AuditDraft::of_body(&body).is_some_and(|draft| says(line, &draft));
        if !follows || !said {
            return Ok(Some(format!("entry {number} is not what was written")));
        }
        if let Some((of, noted)) = noted
            && of == number
        {
            if hex::encode(noted) != hash {
                return Ok(Some(format!("entry {number} has another hash than the noted one")));
            }
            self.met = true;
        }
        self.first.get_or_insert(number);
        self.last = Some((number, hash));
        self.entries += 1;
        Ok(None)
    }
}

/// Whether a line says what its body says.
fn says(line: &Map<String, Value>, draft: &AuditDraft) -> bool {
    let request = match draft.request {
        0 => String::new(),
        id => uuid::Uuid::from_u128(id).hyphenated().to_string(),
    };
    let side = |side: &Option<Box<str>>| side.as_deref().map(canonical).unwrap_or_default();
    let told = |name: &str| match text(line, name) {
        text if text.is_empty() => text,
        text => canonical(&text),
    };
    text(line, "at") == draft.at.to_string()
        && text(line, "actor") == *draft.actor
        && text(line, "token") == *draft.token
        && text(line, "address") == draft.address.map(|at| at.to_string()).unwrap_or_default()
        && text(line, "request") == request
        && text(line, "action") == *draft.action
        && text(line, "kind") == *draft.kind
        && text(line, "key") == *draft.key
        && text(line, "tenant") == *draft.tenant
        && text(line, "site") == *draft.site
        && text(line, "sentence") == *draft.sentence
        && told("before") == side(&draft.before)
        && told("after") == side(&draft.after)
}

/// JSON in one spelling; an object around what is none.
fn canonical(side: &str) -> String {
    match serde_json::from_str(side) {
        Ok(members @ Value::Object(_)) => members.to_string(),
        Ok(other) => json!({"value": other}).to_string(),
        Err(_) => json!({"value": side}).to_string(),
    }
}

fn text(line: &Map<String, Value>, name: &str) -> String {
    match line.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
