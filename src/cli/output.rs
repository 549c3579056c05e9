//! What commands print: JSON as it came, or tables.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::client::clean;

/// Where and how a command prints.
pub(super) struct Output<'a> {
    pub(super) json: bool,
    pub(super) out: &'a mut dyn Write,
}

impl Output<'_> {
    /// Prints an answer: as JSON, or by `human`.
    pub(super) fn print(
        &mut self,
        answer: &Value,
        human: impl FnOnce(&mut dyn Write, &Value) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.json { writeln!(self.out, "{answer:#}") } else { human(self.out, answer) }
    }

    /// Prints a list: as JSON, or as a table with these columns.
    pub(super) fn list(&mut self, answer: &Value, columns: &[Column]) -> io::Result<()> {
        self.print(answer, |out, answer| {
            let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            table(out, items, columns)?;
            if !answer["next"].is_null() {
                writeln!(out, "… and more; see --limit")?;
            }
            Ok(())
        })
    }

    /// Prints one record: as JSON, or one field a line.
    pub(super) fn record(&mut self, answer: &Value) -> io::Result<()> {
        self.print(answer, |out, answer| fields(out, answer))
    }

    /// Prints a sentence; as JSON the answer it stands for.
    pub(super) fn said(&mut self, answer: &Value, sentence: &str) -> io::Result<()> {
        self.print(answer, |out, _| writeln!(out, "{sentence}"))
    }
}

/// A column: its heading and the key of its field.
pub(super) type Column = (&'static str, &'static str);

fn table(out: &mut dyn Write, items: &[Value], columns: &[Column]) -> io::Result<()> {
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| columns.iter().map(|(_, key)| cell(&item[*key])).collect())
        .collect();
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    grid(out, &headings, &rows)
}

/// Prints rows of cells that are safe for a terminal, aligned below their
/// headings.
pub(super) fn grid(out: &mut dyn Write, headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let heading = headings.get(at).map_or(0, |heading| heading.chars().count());
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(heading)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> =
            cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", padded.join("  ").trim_end())
    };
    line(&mut headings.iter().copied())?;
    for row in rows {
        line(&mut row.iter().map(String::as_str))?;
    }
    Ok(())
}

fn fields(out: &mut dyn Write, record: &Value) -> io::Result<()> {
    let Some(fields) = record.as_object() else { return Ok(()) };
    let width = fields.keys().map(String::len).max().unwrap_or(0);
    for (key, value) in fields {
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                writeln!(out, "{key}:")?;
                for item in items {
                    writeln!(out, "  {}", one_line(item))?;
                }
            }
            Value::Object(_) => writeln!(out, "{key:width$}  {}", one_line(value))?,
            value => writeln!(out, "{key:width$}  {}", cell(value))?,
        }
    }
    Ok(())
}

/// An object in one line: `key=value key=value`.
fn one_line(value: &Value) -> String {
    let Some(fields) = value.as_object() else { return cell(value) };
    let parts = fields.iter().map(|(key, value)| format!("{}={}", clean(key), cell(value)));
    parts.collect::<Vec<_>>().join("  ")
}

/// A value in a cell, safe for a terminal.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => clean(text),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(_) => one_line(value),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A bar over bytes; nothing is drawn unless stderr is a terminal.
pub(super) fn bytes_bar(doing: &str) -> ProgressBar {
    let style = "{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec}";
    let bar = ProgressBar::new(0).with_message(doing.to_owned());
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A wheel that turns while something is waited for; nothing is drawn unless
/// stderr is a terminal.
pub(super) fn wheel(doing: String) -> ProgressBar {
    let wheel = ProgressBar::new_spinner().with_message(doing);
    wheel.enable_steady_tick(std::time::Duration::from_millis(120));
    wheel
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(json: bool, print: impl FnOnce(&mut Output<'_>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        print(&mut Output { json, out: &mut bytes }).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn tables_are_aligned_and_safe_for_a_terminal() {
        let answer = json!({"items": [
            {"id": "a", "name": "x\u{1b}[2J", "tags": ["one", "two"]},
            {"id": "long one", "name": null, "tags": []},
        ], "next": null});
        let columns = [("ID", "id"), ("NAME", "name"), ("TAGS", "tags")];
        let text = printed(false, |output| output.list(&answer, &columns));
        assert_eq!(text, "ID        NAME   TAGS\na         x [2J  one, two\nlong one  -\n");
    }

    #[test]
    fn json_is_what_the_server_said() {
        let answer = json!({"items": [{"id": "a"}], "next": "x"});
        let text = printed(true, |output| output.list(&answer, &[("ID", "id")]));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), answer);
    }

    #[test]
    fn records_show_nested_things_line_by_line() {
        let record = json!({"mac": "0c", "accounts": [{"line": 1, "user": "20"}]});
        let text = printed(false, |output| output.record(&record));
        assert!(text.contains("accounts:\n  line=1  user=20\n"), "{text}");
    }
}
