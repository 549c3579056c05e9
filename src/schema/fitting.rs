//! Whether a text can be a value of a type, and fits what else is known of it.

use std::net::{IpAddr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::misfit::Misfit;
use super::model::{LengthRange, ListRule, Syntax, among};
use super::nearest;
use crate::param::{Value, ValueType};

/// How much of a list of words or patterns is told.
const MAX_TOLD: usize = 400;

/// The most memory that a pattern of a file may take when it is compiled.
const MAX_PATTERN: usize = 256 << 10;

/// Whether a text has the form of a type (TR-106 §3.2, XML Schema part 2).
///
/// # Errors
/// [`Misfit`]: what is wrong.
pub(super) fn is_of_type(text: &str, kind: &ValueType) -> Result<(), Misfit> {
    let trimmed = text.trim();
    let fits = match kind {
        ValueType::Int => trimmed.parse::<i32>().is_ok(),
        ValueType::UnsignedInt => trimmed.parse::<u32>().is_ok(),
        ValueType::Long => trimmed.parse::<i64>().is_ok(),
        ValueType::UnsignedLong => trimmed.parse::<u64>().is_ok(),
        ValueType::Boolean => Value::string(text).as_bool().is_some(),
        ValueType::HexBinary => {
            text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        ValueType::Base64 => bytes_of_base64(text).is_some(),
        ValueType::Decimal => is_decimal(trimmed),
        ValueType::DateTime => is_moment(trimmed),
        ValueType::String | ValueType::Other(_) => {
            return if text.chars().all(xml_can_say) { Ok(()) } else { Err(Misfit::BadCharacter) };
        }
    };
    if fits { Ok(()) } else { Err(Misfit::NotOfType(kind.name().into())) }
}

/// Whether a text fits all that is known of a parameter; `type_name` is what its
/// model calls the type.
///
/// # Errors
/// [`Misfit`]: the first thing that is wrong.
pub(super) fn fits(
    text: &str,
    type_name: &str,
    kind: &ValueType,
    syntax: &Syntax,
) -> Result<(), Misfit> {
    let Some(list) = &syntax.list else { return one_fits(text, type_name, kind, syntax) };
    if !text.chars().all(xml_can_say) {
        return Err(Misfit::BadCharacter);
    }
    has_length(text.chars().count(), "characters", &list.lengths)?;
    if list.nested {
        return Ok(());
    }
    let items = if text.trim().is_empty() { Vec::new() } else { text.split(',').collect() };
    let ListRule { items: allowed, .. } = list;
    has_length(items.len(), "items", std::slice::from_ref(allowed))?;
    items.iter().try_for_each(|item| one_fits(item.trim(), type_name, kind, syntax))
}

fn one_fits(text: &str, type_name: &str, kind: &ValueType, syntax: &Syntax) -> Result<(), Misfit> {
    is_of_type(text, kind)?;
    if !syntax.ranges.is_empty()
        && let Ok(number) = text.trim().parse::<i128>()
        && !syntax.ranges.iter().any(|range| range.holds(number))
    {
        return Err(Misfit::OutOfRange(told(&among(&syntax.ranges))));
    }
    let (length, of) = match kind {
        ValueType::HexBinary => (text.len() / 2, "bytes"),
        ValueType::Base64 => (bytes_of_base64(text).unwrap_or(0), "bytes"),
        _ => (text.chars().count(), "characters"),
    };
    has_length(length, of, &syntax.lengths)?;
    is_word(text, syntax)?;
    has_pattern(text, &syntax.patterns)?;
    if is_address(text, type_name) { Ok(()) } else { Err(Misfit::NotOfType(type_name.into())) }
}

fn has_length(has: usize, of: &'static str, allowed: &[LengthRange]) -> Result<(), Misfit> {
    if allowed.is_empty() || allowed.iter().any(|range| range.holds(has)) {
        return Ok(());
    }
    Err(Misfit::WrongLength { has, of, allowed: told(&among(allowed)) })
}

fn is_word(text: &str, syntax: &Syntax) -> Result<(), Misfit> {
    let (words, device_words) = (&syntax.words, &syntax.device_words);
    let is_listed = |words: &[Box<str>]| words.iter().any(|word| **word == *text);
    if (words.is_empty() && device_words.is_empty()) || is_listed(words) {
        return Ok(());
    }
    // A vendor may add words of its own (TR-106 §3.3).
    if text.starts_with("X_") {
        return Ok(());
    }
    let all = told(&words.join(", "));
    if is_listed(device_words) {
        return Err(Misfit::DeviceWord(all));
    }
    let nearest = nearest::of(text, words.iter().map(|word| &**word)).map(Box::from);
    Err(Misfit::NoSuchWord { words: all, nearest })
}

fn has_pattern(text: &str, patterns: &[Box<str>]) -> Result<(), Misfit> {
    if patterns.is_empty() || patterns.iter().any(|pattern| matches_whole(pattern, text)) {
        return Ok(());
    }
    let told_patterns: Vec<&str> = patterns
        .iter()
        .map(|pattern| if pattern.is_empty() { "empty" } else { &**pattern })
        .collect();
    Err(Misfit::NoPattern(told(&told_patterns.join(" or "))))
}

/// Whether the whole text has the form. One that this program cannot read is
/// not held against anybody.
fn matches_whole(pattern: &str, text: &str) -> bool {
    if pattern.is_empty() {
        return text.is_empty();
    }
    let whole = format!("^(?:{pattern})$");
    let compiled = regex::RegexBuilder::new(&whole)
        .size_limit(MAX_PATTERN)
        .dfa_size_limit(MAX_PATTERN)
        .nest_limit(50)
        .build();
    compiled.map_or(true, |pattern| pattern.is_match(text))
}

/// Whether a text is an address, where its type is one; empty is none, which is
/// allowed (TR-106, IPAddress).
fn is_address(text: &str, type_name: &str) -> bool {
    let prefix = |is_address: &dyn Fn(&str) -> bool| {
        text.split_once('/').is_some_and(|(address, length)| {
            let longest = if address.contains(':') { 128 } else { 32 };
            (address.is_empty() || is_address(address))
                && length
                    .parse::<u8>()
                    .is_ok_and(|length| length <= if address.is_empty() { 128 } else { longest })
        })
    };
    let any = |text: &str| text.parse::<IpAddr>().is_ok();
    let six = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    text.is_empty()
        || match type_name {
            "IPAddress" => any(text),
            "IPv6Address" => six(text),
            "IPPrefix" => prefix(&any),
            "IPv6Prefix" => prefix(&six),
            _ => true,
        }
}

/// How many bytes a text in Base64 stands for.
fn bytes_of_base64(text: &str) -> Option<usize> {
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(letters).ok().map(|bytes| bytes.len())
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    !(whole.is_empty() && fraction.is_empty())
        && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a date with a time, as `2026-01-02T03:04:05Z`; fraction and
/// zone may be missing.
fn is_moment(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let clock_ends = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(clock_ends);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let numbers = |text: &str, parts: &[(usize, u32, u32)], between: char| {
        let found: Vec<&str> = text.split(between).collect();
        found.len() == parts.len()
            && found.iter().zip(parts).all(|(part, (digits, least, greatest))| {
                part.len() == *digits
                    && part.bytes().all(|byte| byte.is_ascii_digit())
                    && part
                        .parse::<u32>()
                        .is_ok_and(|number| (*least..=*greatest).contains(&number))
            })
    };
    let date = date.strip_prefix('-').unwrap_or(date);
    let zone_fits = match zone.strip_prefix(['+', '-']) {
        Some(offset) => numbers(offset, &[(2, 0, 14), (2, 0, 59)], ':'),
        None => matches!(zone, "" | "Z"),
    };
    zone_fits
        && numbers(date, &[(4, 0, 9999), (2, 1, 12), (2, 1, 31)], '-')
        && numbers(clock, &[(2, 0, 24), (2, 0, 59), (2, 0, 60)], ':')
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether XML 1.0 has a way to write a character (§2.2 Char).
const fn xml_can_say(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// A text as it is told: cut where it is long.
fn told(text: &str) -> Box<str> {
    match text.char_indices().nth(MAX_TOLD) {
        None => text.into(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn syntax(facts: &[(&str, &str)]) -> Syntax {
        let mut syntax = Syntax::default();
        for (name, text) in facts {
            assert!(syntax.take(name, text).unwrap(), "{name}");
        }
        syntax
    }

    #[test]
    fn a_text_is_of_a_type_or_is_not() {
        let of = |kind: ValueType, text: &str| is_of_type(text, &kind).is_ok();
        assert!(of(ValueType::Int, " -5 ") && !of(ValueType::Int, "2147483648"));
        assert!(of(ValueType::UnsignedInt, "4294967295") && !of(ValueType::UnsignedInt, "-1"));
        assert!(of(ValueType::Boolean, "TRUE") && !of(ValueType::Boolean, "yes"));
        assert!(of(ValueType::HexBinary, "0aFF") && !of(ValueType::HexBinary, "0aF"));
        assert!(of(ValueType::Base64, "aGFsbG8=") && !of(ValueType::Base64, "a"));
        assert!(of(ValueType::Decimal, "-1.50") && !of(ValueType::Decimal, "1e5"));
        for moment in [
            "2026-01-02T03:04:05Z",
            "0001-01-01T00:00:00Z",
            "2026-01-02T03:04:05.123",
            "2026-01-02T03:04:05+01:00",
        ] {
            assert!(of(ValueType::DateTime, moment), "{moment}");
        }
        for none in ["", "2026-01-02", "2026-13-02T03:04:05Z", "2026-1-2T3:4:5", "T", "now"] {
            assert!(!of(ValueType::DateTime, none), "{none}");
        }
        assert!(!of(ValueType::String, "a\u{1}"));
    }

    #[test]
    fn ranges_steps_lengths_words_and_patterns_hold() {
        let number = syntax(&[("range", "-1|0..500/25")]);
        let fits_number = |text: &str| fits(text, "int", &ValueType::Int, &number).is_ok();
        assert!(fits_number("-1") && fits_number("75") && fits_number("0"));
        assert!(!fits_number("76") && !fits_number("525") && !fits_number("-25"));
        let text = syntax(&[("length", "0|6..8")]);
        let fits_text = |text_: &str| fits(text_, "string", &ValueType::String, &text).is_ok();
        assert!(fits_text("") && fits_text("äöüäöü") && !fits_text("abc"));
        let word = syntax(&[("words", "Up|Down"), ("device-words", "Error")]);
        let said =
            |text: &str| fits(text, "string", &ValueType::String, &word).map_err(|e| e.to_string());
        assert_eq!(said("Up"), Ok(()));
        assert_eq!(said("X_ACME_Sideways"), Ok(()));
        assert_eq!(said("up").unwrap_err(), "is none of Up, Down; the nearest is Up");
        assert!(said("Error").unwrap_err().contains("only the device itself"));
        let form = syntax(&[("pattern", "|[0-9A-F]{6}")]);
        let fits_form = |text: &str| fits(text, "string", &ValueType::String, &form).is_ok();
        assert!(fits_form("") && fits_form("00D09E") && !fits_form("00D09EF"));
    }

    #[test]
    fn lists_are_checked_item_by_item() {
        let list = syntax(&[("list", "1..2"), ("list-length", "..8"), ("range", "1..5")]);
        let said = |text: &str| fits(text, "unsignedInt", &ValueType::UnsignedInt, &list).is_ok();
        assert!(said("1") && said("1, 5"));
        for wrong in ["", "1,2,3", "6", "1;2", "1,       2"] {
            assert!(!said(wrong), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_addresses() {
        let said = |type_name: &str, text: &str| {
            fits(text, type_name, &ValueType::String, &Syntax::default()).is_ok()
        };
        assert!(
            said("IPAddress", "192.0.2.1")
                && said("IPAddress", "2001:db8::1")
                && said("IPAddress", "")
        );
        assert!(!said("IPAddress", "192.0.2.256") && !said("IPAddress", "example.net"));
        assert!(said("IPPrefix", "192.0.2.0/24") && said("IPPrefix", "/64"));
        assert!(!said("IPPrefix", "192.0.2.0/33") && !said("IPv6Address", "192.0.2.1"));
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_held_against_nobody() {
        let odd = syntax(&[("pattern", "([")]);
        assert!(fits("x", "string", &ValueType::String, &odd).is_ok());
        let huge = syntax(&[("pattern", "((a{0,900}){0,900}){0,900}")]);
        assert!(fits("x", "string", &ValueType::String, &huge).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_and_no_facts_make_it_panic(
            text in ".{0,40}",
            range in "[-0-9./|]{0,12}",
            pattern in ".{0,20}",
            kind in prop::sample::select(vec![
                ValueType::Int, ValueType::UnsignedLong, ValueType::Boolean, ValueType::DateTime,
                ValueType::Base64, ValueType::HexBinary, ValueType::Decimal, ValueType::String,
            ]),
        ) {
            let mut syntax = Syntax::default();
            let _ = syntax.take("range", &range);
            let _ = syntax.take("length", &range);
            let _ = syntax.take("list", &range);
            let _ = syntax.take("pattern", &pattern);
            let _ = fits(&text, "IPPrefix", &kind, &syntax);
        }
    }
}
