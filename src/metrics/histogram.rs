//! How long things take, or how large they are, in fixed buckets.

use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{Metric, head};

/// A histogram with `B` bounds, by the `R` words of one label.
///
/// Values are whole numbers of a unit, as which they are also told; times are
/// nanoseconds here and seconds in the text.
#[derive(Debug)]
pub struct Histogram<const R: usize, const B: usize> {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    rows: [&'static str; R],
    bounds: [u64; B],
    /// How many of our units make one that is told.
    unit: u64,
    values: [Values<B>; R],
}

#[derive(Debug)]
struct Values<const B: usize> {
    /// Up to each bound and above the one before it.
    counts: [AtomicU64; B],
    /// Above the last bound.
    above: AtomicU64,
    sum: AtomicU64,
}

impl<const R: usize, const B: usize> Histogram<R, B> {
    /// Of times; bounds in microseconds.
    pub(super) const fn seconds(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        rows: [&'static str; R],
        mut bounds: [u64; B],
    ) -> Self {
        let mut place = 0;
        while place < B {
            bounds[place] *= 1_000;
            place += 1;
        }
        Self::new(name, help, label, rows, bounds, 1_000_000_000)
    }

    /// Of numbers of things.
    pub(super) const fn new(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        rows: [&'static str; R],
        bounds: [u64; B],
        unit: u64,
    ) -> Self {
        let values = [const {
            Values {
                counts: [const { AtomicU64::new(0) }; B],
                above: AtomicU64::new(0),
                sum: AtomicU64::new(0),
            }
        }; R];
        Self { name, help, label, rows, bounds, unit, values }
    }

    /// Notes a time.
    pub fn took(&self, row: usize, time: Duration) {
        self.note(row, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Notes a value in our unit.
    pub fn note(&self, row: usize, value: u64) {
        let Some(values) = self.values.get(row) else { return };
        let place = self.bounds.iter().position(|bound| value <= *bound);
        let count = place.and_then(|place| values.counts.get(place)).unwrap_or(&values.above);
        count.fetch_add(1, Relaxed);
        values.sum.fetch_add(value, Relaxed);
    }
}

impl<const R: usize, const B: usize> Metric for Histogram<R, B> {
    fn write(&self, out: &mut String) {
        let name = self.name;
        head(out, name, self.help, "histogram");
        let told = |value: u64| value as f64 / self.unit as f64;
        for (row, values) in self.rows.iter().zip(&self.values) {
            let (labels, alone) = if self.label.is_empty() {
                (String::new(), String::new())
            } else {
                let label = format!("{}=\"{row}\"", self.label);
                (format!("{label},"), format!("{{{label}}}"))
            };
            let mut count = 0;
            for (bound, value) in self.bounds.iter().zip(&values.counts) {
                count += value.load(Relaxed);
                let _ = writeln!(out, "{name}_bucket{{{labels}le=\"{}\"}} {count}", told(*bound));
            }
            count += values.above.load(Relaxed);
            let sum = told(values.sum.load(Relaxed));
            let _ = writeln!(
                out,
                "{name}_bucket{{{labels}le=\"+Inf\"}} {count}\n{name}_sum{alone} {sum}\n{name}_count{alone} {count}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up_and_a_bound_belongs_to_its_own() {
        let times = Histogram::seconds("t_seconds", "T.", "k", ["a", "b"], [1_000, 500_000]);
        for millis in [1, 2, 500, 501] {
            times.took(0, Duration::from_millis(millis));
        }
        times.took(9, Duration::ZERO);
        let mut out = String::new();
        times.write(&mut out);
        let lines: Vec<&str> = out.lines().skip(2).take(5).collect();
        assert_eq!(
            lines,
            [
                "t_seconds_bucket{k=\"a\",le=\"0.001\"} 1",
                "t_seconds_bucket{k=\"a\",le=\"0.5\"} 3",
                "t_seconds_bucket{k=\"a\",le=\"+Inf\"} 4",
                "t_seconds_sum{k=\"a\"} 1.004",
                "t_seconds_count{k=\"a\"} 4",
            ]
        );
        let sizes = Histogram::new("s", "S.", "", [""], [1, 8], 1);
        sizes.note(0, 8);
        let mut out = String::new();
        sizes.write(&mut out);
        assert!(out.ends_with("s_bucket{le=\"1\"} 0\ns_bucket{le=\"8\"} 1\ns_bucket{le=\"+Inf\"} 1\ns_sum 8\ns_count 1\n"));
    }
}
