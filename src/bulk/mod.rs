//! HTTP bulk data (TR-069 Annex N): what a device reports of itself, read from
//! the body of its request.
//!
//! Pure: headers and bytes in, [`BulkReport`]s out. JSON as pairs of names and
//! values or as a hierarchy, CSV with a parameter to a row or to a column; of one
//! body there may come several reports, because a device sends those that it could
//! not deliver before together with the present one.
//!
//! Lenient in what says how it is written (headers are wrong or missing), bounded
//! in all that is kept: what is beyond a limit is left out and counted, so that a
//! device is not made to send it again for ever.
//!
//! - `format`: what the headers say.
//! - `json`, `csv`: the two encodings.
//! - `gather`: a report as it grows, under its limits.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod csv;
mod format;
mod gather;
mod json;

pub use format::{Format, Layout};

use crate::class::Class;
use crate::time::Timestamp;

/// One report of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkReport {
    /// When the device says that it was collected.
    pub collected_at: Option<Timestamp>,
    /// Names and values in their order, each name once. A name is what the device
    /// calls it: a full parameter name, or one that a profile gave it.
    pub values: Vec<(Box<str>, Box<str>)>,
    /// How many values there were beyond the limits, or of no form that is known.
    pub left_out: u32,
}

/// What of one body is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkLimits {
    /// Reports in one body; more are left out.
    pub reports: usize,
    /// Values of one report; more are left out.
    pub values: usize,
    /// Bytes of all names and values of one report; what would exceed it is left
    /// out.
    pub report_bytes: usize,
    /// Bytes of one name; a value of a longer one is left out.
    pub name_bytes: usize,
    /// Bytes of one value; longer ones are left out.
    pub value_bytes: usize,
    /// Objects inside each other; what lies deeper is left out.
    pub depth: usize,
}

impl Default for BulkLimits {
    fn default() -> Self {
        Self {
            reports: 64,
            values: 5000,
            report_bytes: 50_000,
            name_bytes: 512,
            value_bytes: 8192,
            depth: 32,
        }
    }
}

/// Why a body is no report.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// It is neither JSON nor CSV.
    #[error("neither JSON nor CSV")]
    UnknownFormat,
    /// It is not the JSON that it begins as; what the parser said.
    #[error("not JSON: {0}")]
    Json(Box<str>),
    /// It is not CSV of a known layout.
    #[error("not CSV: {0}")]
    Csv(&'static str),
    /// There is nothing in it.
    #[error("there is no report in it")]
    Empty,
}

impl BulkError {
    /// What it means to whoever sent it.
    pub const fn class(&self) -> Class {
        match self {
            Self::UnknownFormat | Self::Json(_) | Self::Csv(_) | Self::Empty => Class::Invalid,
        }
    }
}

/// Reads the reports of one body, in its order; one at least. `content_type` and
/// `report_format` are the headers `Content-Type` and `BBF-Report-Format`.
///
/// The body is bounded by whoever received it; what is kept of it, by `limits`.
///
/// # Errors
/// [`BulkError`]; nothing is taken from a body that ends early.
pub fn read(
    content_type: Option<&str>,
    report_format: Option<&str>,
    body: &[u8],
    limits: &BulkLimits,
) -> Result<Vec<BulkReport>, BulkError> {
    let format = Format::of(content_type, report_format, body)?;
    let text = format.text(body);
    let reports = match format.layout {
        Layout::Json => json::read(&text, limits)?,
        Layout::Csv { layout, header } => csv::read(&text, layout, header, limits)?,
    };
    if reports.is_empty() { Err(BulkError::Empty) } else { Ok(reports) }
}

/// A time as devices write it: seconds since 1970, in digits or as a number, or
/// ISO 8601.
fn time_of(text: &str) -> Option<Timestamp> {
    /// The first second of the year 10000.
    const END: i64 = 253_402_300_800;
    let text = text.trim();
    match text.parse::<i64>() {
        Ok(seconds) if (1..END).contains(&seconds) => {
            Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
        }
        Ok(_) => None,
        Err(_) => Timestamp::parse(text),
    }
}
