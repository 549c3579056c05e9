//! Phones as a table: CSV (RFC 4180) with a phone a row.
//!
//! | column | what |
//! | --- | --- |
//! | `mac` | needed; the key |
//! | `vendor`, `model`, `site`, `enabled` | an empty cell leaves it as it is |
//! | `template` | the template; empty is the vendor's |
//! | `names` | further names of its own file, separated by blanks |
//! | `config_key` | 64 hex digits; an empty cell and `***` keep what is stored |
//! | `line1_user`, `line1_password` … | the account of line 1; without anything in its columns it is taken away |
//! | `key1_kind`, `key1_value` … | the key at position 1, likewise |
//! | `setting:NAME` | a setting; empty takes it away, a lone `'` sets it to nothing |
//!
//! What has no column stays as it is. A cell that a spreadsheet would take for a
//! formula is written with `'` before it, and read without.

mod column;
mod read;
mod write;

pub(super) use column::Column as Heading;
pub(super) use read::{change, read};
pub(super) use write::{Needs, heading, line};

use column::{AccountPart, Column, KeyPart};

/// The heading of the column that a field of a phone stands in:
/// `accounts[1].user` in `line1_user`.
pub(super) fn heading_of(field: &str) -> String {
    let inside = |prefix: &str| field.strip_prefix(prefix)?.split_once(']');
    if let Some((line, part)) = inside("accounts[") {
        let part = part.trim_start_matches('.');
        return if part == "account" {
            format!("line{line}")
        } else {
            format!("line{line}_{part}")
        };
    }
    if let Some((position, part)) = inside("keys[") {
        return format!("key{position}_{}", part.trim_start_matches('.'));
    }
    match field.strip_prefix("settings[").and_then(|rest| rest.strip_suffix(']')) {
        Some(name) => format!("setting:{name}"),
        None => field.to_owned(),
    }
}

/// The cell of a setting that is there and empty.
const EMPTY: &str = "'";

#[cfg(test)]
mod tests;
