//! A report as it grows.

use std::collections::HashSet;

use super::{BulkLimits, BulkReport};

/// A report under its limits.
pub(super) struct Gathering<'l> {
    limits: &'l BulkLimits,
    report: BulkReport,
    names: HashSet<Box<str>>,
    bytes: usize,
}

impl<'l> Gathering<'l> {
    pub(super) fn new(limits: &'l BulkLimits) -> Self {
        Self { limits, report: BulkReport::default(), names: HashSet::new(), bytes: 0 }
    }

    /// Takes a value. Of a name that comes twice the first counts, and what is too
    /// long is left out whole: a value that was cut is a wrong value.
    pub(super) fn take(&mut self, name: &str, value: &str) {
        let name = name.trim();
        let bytes = self.bytes.saturating_add(name.len()).saturating_add(value.len());
        let fits = !name.is_empty()
            && name.len() <= self.limits.name_bytes
            && value.len() <= self.limits.value_bytes
            && self.report.values.len() < self.limits.values
            && bytes <= self.limits.report_bytes;
        if fits && self.names.insert(name.into()) {
            self.bytes = bytes;
            self.report.values.push((name.into(), value.into()));
        } else {
            self.leave_out();
        }
    }

    /// Counts a value that is not kept.
    pub(super) fn leave_out(&mut self) {
        self.report.left_out = self.report.left_out.saturating_add(1);
    }

    /// Takes the time of collection.
    pub(super) fn collected(&mut self, text: &str) {
        self.report.collected_at = super::time_of(text);
    }

    /// The report; `None` if there was nothing at all.
    pub(super) fn done(self) -> Option<BulkReport> {
        let report = self.report;
        let is_empty =
            report.values.is_empty() && report.left_out == 0 && report.collected_at.is_none();
        (!is_empty).then_some(report)
    }
}
