//! Counters and gauges by up to two labels, each with a fixed set of words.

use std::fmt::Write as _;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

use super::{Metric, head};

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

/// A counter or gauge with `R` rows and `C` columns, each a word of a label.
///
/// The last word of a label that is looked up by name is `other`.
#[derive(Debug)]
pub struct Family<const R: usize, const C: usize> {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    labels: [&'static str; 2],
    rows: [&'static str; R],
    columns: [&'static str; C],
    values: [[AtomicI64; C]; R],
}

impl Family<1, 1> {
    /// A counter without labels.
    pub(super) const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, Kind::Counter, ["", ""], [""], [""])
    }

    /// A gauge without labels.
    pub(super) const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, Kind::Gauge, ["", ""], [""], [""])
    }

    /// Adds to the only series.
    pub fn count(&self, by: u64) {
        self.add(0, 0, by);
    }

    /// Moves a gauge up or down.
    pub fn shift(&self, by: i64) {
        self.shift_at(0, 0, by);
    }

    /// Sets a gauge.
    pub fn set(&self, to: i64) {
        self.values[0][0].store(to, Relaxed);
    }

    /// The value at present.
    pub fn value(&self) -> i64 {
        self.values[0][0].load(Relaxed)
    }
}

impl<const R: usize> Family<R, 1> {
    /// A counter by one label.
    pub(super) const fn by(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        rows: [&'static str; R],
    ) -> Self {
        Self::new(name, help, Kind::Counter, [label, ""], rows, [""])
    }

    /// A gauge by one label.
    pub(super) const fn gauge_by(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        rows: [&'static str; R],
    ) -> Self {
        Self::new(name, help, Kind::Gauge, [label, ""], rows, [""])
    }

    /// Adds one at a word.
    pub fn one(&self, row: usize) {
        self.add(row, 0, 1);
    }

    /// Adds one at a word, or at the last one if there is no such word.
    pub fn one_of(&self, word: &str) {
        self.add(place(&self.rows, word), 0, 1);
    }
}

impl<const R: usize, const C: usize> Family<R, C> {
    /// A counter by two labels. Series that were never counted are not told.
    pub(super) const fn by_two(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; 2],
        rows: [&'static str; R],
        columns: [&'static str; C],
    ) -> Self {
        Self::new(name, help, Kind::Counter, labels, rows, columns)
    }

    const fn new(
        name: &'static str,
        help: &'static str,
        kind: Kind,
        labels: [&'static str; 2],
        rows: [&'static str; R],
        columns: [&'static str; C],
    ) -> Self {
        let values = [const { [const { AtomicI64::new(0) }; C] }; R];
        Self { name, help, kind, labels, rows, columns, values }
    }

    /// Adds to a series by its place; a place that is none is passed over.
    pub fn add(&self, row: usize, column: usize, by: u64) {
        self.shift_at(row, column, i64::try_from(by).unwrap_or(i64::MAX));
    }

    /// Adds one to a series by its words; a word that is none is the last one.
    pub fn one_at(&self, row: &str, column: &str) {
        self.add(place(&self.rows, row), place(&self.columns, column), 1);
    }

    /// A word as it stands in the table; the last one if it does not.
    pub fn row(&self, word: &str) -> &'static str {
        self.rows.get(place(&self.rows, word)).copied().unwrap_or_default()
    }

    /// Moves a series up or down.
    pub fn shift_at(&self, row: usize, column: usize, by: i64) {
        if let Some(value) = self.values.get(row).and_then(|row| row.get(column)) {
            value.fetch_add(by, Relaxed);
        }
    }
}

/// Where a word stands; at the end if nowhere.
fn place(words: &[&str], word: &str) -> usize {
    words.iter().position(|known| *known == word).unwrap_or(words.len().saturating_sub(1))
}

impl<const R: usize, const C: usize> Metric for Family<R, C> {
    fn write(&self, out: &mut String) {
        let kind = if self.kind == Kind::Counter { "counter" } else { "gauge" };
        head(out, self.name, self.help, kind);
        let two = !self.labels[1].is_empty();
        for (row, values) in self.rows.iter().zip(&self.values) {
            for (column, value) in self.columns.iter().zip(values) {
                let value = value.load(Relaxed);
                if two && value == 0 {
                    continue;
                }
                out.push_str(self.name);
                let _ = match self.labels {
                    ["", _] => writeln!(out, " {value}"),
                    [label, ""] => writeln!(out, "{{{label}=\"{row}\"}} {value}"),
                    [first, second] => {
                        writeln!(out, "{{{first}=\"{row}\",{second}=\"{column}\"}} {value}")
                    }
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(metric: &dyn Metric) -> String {
        let mut out = String::new();
        metric.write(&mut out);
        out
    }

    #[test]
    fn what_is_counted_is_told_by_its_words() {
        let family = Family::by_two("a_total", "A.", ["x", "y"], ["one", "other"], ["p", "q"]);
        family.add(0, 1, 3);
        family.one_at("nobody", "q");
        family.add(7, 7, 1);
        assert_eq!(
            text(&family),
            "# HELP a_total A.\n# TYPE a_total counter\n\
             a_total{x=\"one\",y=\"q\"} 3\na_total{x=\"other\",y=\"q\"} 1\n"
        );
        let gauge = Family::gauge("b", "B.");
        gauge.shift(5);
        gauge.shift(-2);
        assert_eq!(text(&gauge), "# HELP b B.\n# TYPE b gauge\nb 3\n");
        let by = Family::by("c_total", "C.", "k", ["l", "other"]);
        by.one_of("m");
        assert!(text(&by).ends_with("c_total{k=\"l\"} 0\nc_total{k=\"other\"} 1\n"));
    }
}
