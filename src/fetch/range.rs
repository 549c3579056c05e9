//! The `Range` header (RFC 9110 §14.2).

use hyper::header::{self, HeaderMap};

/// What part of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// This much from there; never empty.
    Part {
        /// The first byte.
        from: u64,
        /// How many bytes.
        length: u64,
    },
    /// A part that the file does not have: 416.
    Nothing,
}

/// What a request asks of a file of `size` bytes with this entity tag.
///
/// One range is honoured. Several ranges, other units and what cannot be read
/// count as no range at all, which the standard allows; so a list of ten
/// thousand ranges costs no more than the file. A range that holds only if the
/// file is still the same (`If-Range`) is honoured if it is.
pub(super) fn wanted(headers: &HeaderMap, size: u64, tag: &str) -> Wanted {
    let mut ranges = headers.get_all(header::RANGE).iter();
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return Wanted::Whole };
    if headers.get(header::IF_RANGE).is_some_and(|same_as| same_as.as_bytes() != tag.as_bytes()) {
        return Wanted::Whole;
    }
    range.to_str().ok().and_then(|range| read(range, size)).unwrap_or(Wanted::Whole)
}

/// Reads `bytes=from-to`, `bytes=from-` or `bytes=-last`.
fn read(range: &str, size: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    if first.is_empty() {
        let length = number(last)?.min(size);
        let from = size - length;
        return Some(if length == 0 { Wanted::Nothing } else { Wanted::Part { from, length } });
    }
    let from = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < from {
        return None;
    }
    let end = last.saturating_add(1).min(size);
    Some(match end.checked_sub(from) {
        Some(length) if length > 0 => Wanted::Part { from, length },
        _ => Wanted::Nothing,
    })
}

/// Digits only; what is too large is as large as can be.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 40 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn ask(range: &str, size: u64) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        wanted(&headers, size, "\"tag\"")
    }

    #[test]
    fn one_range_is_honoured() {
        for (range, from, length) in [
            ("bytes=0-0", 0, 1),
            ("bytes=0-9", 0, 10),
            ("bytes=5-", 5, 5),
            ("bytes=5-99999999999999999999999", 5, 5),
            ("bytes=-3", 7, 3),
            ("bytes=-99", 0, 10),
            ("Bytes = 1-1", 1, 1),
        ] {
            assert_eq!(ask(range, 10), Wanted::Part { from, length }, "{range}");
        }
        for range in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999-"] {
            assert_eq!(ask(range, 10), Wanted::Nothing, "{range}");
        }
        assert_eq!(ask("bytes=0-", 0), Wanted::Nothing);
    }

    #[test]
    fn everything_else_is_no_range() {
        let many = format!("bytes={}", "0-0,".repeat(2_000));
        for range in
            ["bytes=0-0,5-5", &many, "bytes=5-1", "bytes=-1-2", "lines=0-1", "0-1", "bytes=", "x"]
        {
            assert_eq!(ask(range, 10), Wanted::Whole, "{range}");
        }
        let mut twice = HeaderMap::new();
        twice.append(header::RANGE, HeaderValue::from_static("bytes=0-0"));
        twice.append(header::RANGE, HeaderValue::from_static("bytes=1-1"));
        assert_eq!(wanted(&twice, 10, "\"tag\""), Wanted::Whole);
    }

    #[test]
    fn a_range_of_another_content_is_none() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=5-"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"old\""));
        assert_eq!(wanted(&headers, 10, "\"tag\""), Wanted::Whole);
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"tag\""));
        assert_eq!(wanted(&headers, 10, "\"tag\""), Wanted::Part { from: 5, length: 5 });
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_file(range in "bytes=[0-9-]{0,24}", size: u64) {
            if let Wanted::Part { from, length } = ask(&range, size) {
                prop_assert!(length > 0);
                prop_assert!(from.checked_add(length).is_some_and(|end| end <= size));
            }
        }
    }
}
