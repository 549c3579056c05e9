//! What else a text may mean in a search for devices: the interface that this is a
//! dialect of asks for a number, a time or a pattern besides, as the text looks.

use std::fmt::Write as _;

use super::condition::Literal;
use super::read::{QueryError, Reader};
use crate::time::Timestamp;

/// A shorter text is taken for no time.
const LEAST_TIME: usize = 8;

/// Times before this year are rather serial numbers: 1984-01-01.
const FIRST_TIME: Timestamp = Timestamp::from_millis(441_763_200_000);

/// All that a text may mean, the text itself first.
pub(super) fn meanings(
    path: &str,
    text: &str,
    reader: &mut Reader,
) -> Result<Vec<Literal>, QueryError> {
    let mut all = vec![Literal::Text(text.into())];
    if path == "_id"
        && let Some(id) = canonical_id(text)
        && id != text
    {
        all.push(Literal::Text(id.into()));
    }
    if let Ok(number) = text.trim().parse::<f64>()
        && number.is_finite()
    {
        all.push(Literal::Number(number));
    }
    all.extend(moment(text).map(Literal::Time));
    match pattern(text) {
        // A text that only looks like a pattern is no fault of whoever asks.
        Some((pattern, flags)) if reader.pattern(pattern, flags).is_ok() => {
            all.push(Literal::Pattern(reader.pattern(pattern, flags)?));
        }
        _ if text.contains('*') => all.push(Literal::Pattern(reader.pattern(&glob(text), "s")?)),
        _ => {}
    }
    Ok(all)
}

/// A text as a time, if it looks like one: RFC 3339, with or without clock and
/// zone (UTC is meant then), or as HTTP writes it.
pub(in super::super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() < LEAST_TIME {
        return None;
    }
    let http = || {
        let at = httpdate::parse_http_date(text).ok()?;
        let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(Timestamp::from_millis)
    };
    let read = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
    read.or_else(http).filter(|at| *at >= FIRST_TIME)
}

/// The pattern and the flags of `/pattern/flags`.
fn pattern(text: &str) -> Option<(&str, &str)> {
    let (pattern, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    let sound = flags.bytes().all(|flag| b"gimsuy".contains(&flag));
    (sound && !pattern.is_empty()).then_some((pattern, flags))
}

/// The pattern of a text in which `*` stands for anything.
fn glob(text: &str) -> String {
    let parts: Vec<String> = text.split('*').map(regex::escape).collect();
    format!("^{}$", parts.join(".*"))
}

/// An id as we spell it: other programs escape more of what stands in one.
pub(in super::super) fn canonical_id(text: &str) -> Option<String> {
    let mut id = String::with_capacity(text.len());
    for (place, part) in text.split('-').enumerate() {
        if place > 0 {
            id.push('-');
        }
        for byte in decoded(part)? {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~') {
                id.push(char::from(byte));
            } else {
                // Writing into a String cannot fail.
                let _ = write!(id, "%{byte:02X}");
            }
        }
    }
    Some(id)
}

/// The bytes of a percent-encoded text; `None` if a `%` stands for nothing.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_numbers_and_names() {
        for (text, millis) in [
            ("2026-11-20T20:05:00.000Z", Some(1_795_205_100_000)),
            ("2026-11-20T21:05:00+01:00", Some(1_795_205_100_000)),
            ("2026-11-20T20:05:00", Some(1_795_205_100_000)),
            ("2026-11-20", Some(1_795_132_800_000)),
            ("Fri, 20 Nov 2026 20:05:00 GMT", Some(1_795_205_100_000)),
            ("1979-01-01", None),
            ("3.2.1", None),
            ("HG-100", None),
            ("", None),
        ] {
            assert_eq!(moment(text), millis.map(Timestamp::from_millis), "{text}");
        }
    }

    #[test]
    fn ids_are_spelled_as_ours() {
        for (text, id) in [
            ("0A1B2C-SIM300-S1", Some("0A1B2C-SIM300-S1")),
            ("0A1B2C-AP%2E1-S%2e1", Some("0A1B2C-AP.1-S.1")),
            ("00D09E-HG%2D100-1", Some("00D09E-HG%2D100-1")),
            ("a b-c", Some("a%20b-c")),
            ("a-%2", None),
            ("a-%zz", None),
        ] {
            assert_eq!(canonical_id(text).as_deref(), id, "{text}");
        }
    }
}
