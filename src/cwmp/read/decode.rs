//! From the bytes of a body to clean text: charset, padding, characters that
//! XML does not allow.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::Oddity;

/// A body as text.
pub(in crate::cwmp) struct Decoded<'a> {
    /// The text from its first `<` or other visible character on, without the
    /// padding at its end.
    pub(in crate::cwmp) text: Cow<'a, str>,
    /// Bytes of the decoded text that were left out before it.
    pub(super) skipped: u64,
    /// What had to be forgiven.
    pub(super) oddities: Vec<Oddity>,
}

/// Decodes a body. Never fails: what is no text of the charset is replaced by
/// U+FFFD, since a device must not lose its session by one broken byte (Q27).
///
/// The charset of the HTTP header rules (Q26), then a byte order mark, then the
/// XML declaration, then UTF-8.
pub(in crate::cwmp) fn decode<'a>(body: &'a [u8], charset: Option<&str>) -> Decoded<'a> {
    let mut oddities = Vec::new();
    let encoding = encoding_of(body, charset, &mut oddities);
    let text = if encoding != UTF_8 {
        encoding.decode_without_bom_handling(body).0
    } else if let Ok(text) = std::str::from_utf8(body) {
        // Much faster than the lossy way, and nearly always right.
        Cow::Borrowed(text)
    } else {
        oddities.push(Oddity::BrokenBytes);
        String::from_utf8_lossy(body)
    };
    let (text, skipped) = trim(text);
    let text = replace_illegal(text, &mut oddities);
    Decoded { text, skipped, oddities }
}

fn encoding_of(
    body: &[u8],
    charset: Option<&str>,
    oddities: &mut Vec<Oddity>,
) -> &'static Encoding {
    if let Some(encoding) = utf_16_of(body) {
        return encoding;
    }
    let declared = charset.map(str::trim).filter(|label| !label.is_empty());
    let Some(label) = declared.or_else(|| declared_encoding(body)) else { return UTF_8 };
    let label = label.trim_matches(['"', '\'']);
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        // The bytes showed above that they are not UTF-16.
        Some(encoding) if encoding != UTF_16LE && encoding != UTF_16BE => encoding,
        _ => {
            oddities.push(Oddity::Charset);
            UTF_8
        }
    }
}

/// UTF-16 shows itself by its byte order mark, or by the zero beside the first
/// `<`.
fn utf_16_of(body: &[u8]) -> Option<&'static Encoding> {
    match body {
        [0xff, 0xfe, ..] | [b'<', 0, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] | [0, b'<', ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// The encoding that the XML declaration names, if there is one.
fn declared_encoding(body: &[u8]) -> Option<&str> {
    let start = body.iter().position(|&b| b == b'<').filter(|&at| at < 64)?;
    let head = body.get(start..)?;
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.iter().take(200).position(|&b| b == b'>')?;
    let head = std::str::from_utf8(head.get(..end)?).ok()?;
    let (_, rest) = head.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|&c| c == '"' || c == '\'')?;
    rest.split(quote).nth(1)
}

/// Leaves out the byte order mark, blanks and NUL bytes before (Q59) and after.
fn trim(text: Cow<'_, str>) -> (Cow<'_, str>, u64) {
    let padding = |c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}';
    match text {
        Cow::Borrowed(text) => {
            let rest = text.trim_start_matches(padding);
            let skipped = text.len() - rest.len();
            (Cow::Borrowed(rest.trim_end_matches(padding)), skipped as u64)
        }
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches(padding).len());
            let skipped = text.len() - text.trim_start_matches(padding).len();
            text.drain(..skipped);
            (Cow::Owned(text), skipped as u64)
        }
    }
}

fn replace_illegal<'a>(text: Cow<'a, str>, oddities: &mut Vec<Oddity>) -> Cow<'a, str> {
    if is_clean(&text) {
        return text;
    }
    oddities.push(Oddity::IllegalCharacters);
    let legal = |c: char| if is_legal(c) { c } else { char::REPLACEMENT_CHARACTER };
    Cow::Owned(text.chars().map(legal).collect())
}

/// Whether XML 1.0 allows every character; the usual case, and the fast one.
fn is_clean(text: &str) -> bool {
    // Blocks without an early exit inside let the compiler use wide registers.
    let control = text.as_bytes().chunks(256).any(|block| {
        block.iter().fold(false, |bad, &b| bad | ((b < 0x20) & (b != 9) & (b != 10) & (b != 13)))
    });
    !control && (text.is_ascii() || !text.contains(['\u{fffe}', '\u{ffff}']))
}

/// Whether XML 1.0 allows a character (`Char`, production 2).
pub(in crate::cwmp) const fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &[u8], charset: Option<&str>) -> (String, Vec<Oddity>) {
        let decoded = decode(body, charset);
        (decoded.text.into_owned(), decoded.oddities)
    }

    #[test]
    fn clean_text_is_borrowed() {
        let decoded = decode("<a>ä</a>".as_bytes(), None);
        assert!(matches!(decoded.text, Cow::Borrowed("<a>ä</a>")));
        assert!(decoded.oddities.is_empty());
    }

    #[test]
    fn padding_is_left_out_on_both_sides() {
        let decoded = decode(b"\xef\xbb\xbf \r\n<a/>\0\0\n", None);
        assert_eq!((&*decoded.text, decoded.skipped), ("<a/>", 6));
    }

    #[test]
    fn the_header_rules_over_the_declaration() {
        let latin = b"<?xml version='1.0' encoding='UTF-8'?><a>\xe4</a>";
        assert!(decoded(latin, Some("ISO-8859-1")).0.ends_with("<a>ä</a>"));
        let declared = b"<?xml version='1.0' encoding = \"iso-8859-1\"?><a>\xe4</a>";
        assert!(decoded(declared, None).0.ends_with("<a>ä</a>"));
        assert!(decoded(declared, Some("\"utf-8\"")).0.ends_with("<a>\u{fffd}</a>"));
    }

    #[test]
    fn utf_16_is_known_by_its_bytes_only() {
        for (bom, unit) in
            [(true, u16::to_le_bytes as fn(u16) -> [u8; 2]), (false, u16::to_be_bytes)]
        {
            let text = if bom { "\u{feff}<a>ä</a>" } else { "<a>ä</a>" };
            let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
            assert_eq!(decoded(&bytes, Some("utf-16")), ("<a>ä</a>".to_owned(), vec![]));
        }
        let lie = b"<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>";
        assert_eq!(decoded(lie, None).1, [Oddity::Charset]);
    }

    #[test]
    fn unknown_charsets_are_read_as_utf_8() {
        for label in ["utf-7", "ebcdic-cp-us", "x", "\u{1f600}"] {
            assert_eq!(decoded(b"<a/>", Some(label)), ("<a/>".into(), vec![Oddity::Charset]));
        }
    }

    #[test]
    fn broken_bytes_and_illegal_characters_are_replaced() {
        // Overlong, a lone surrogate, cut short; and what XML itself forbids.
        for bytes in [&b"<a>\xc0\x80</a>"[..], b"<a>\xed\xa0\x80</a>", b"<a>\xe4</a>"] {
            let (text, oddities) = decoded(bytes, None);
            assert!(text.contains('\u{fffd}'), "{text}");
            assert_eq!(oddities, [Oddity::BrokenBytes]);
        }
        for bad in ['\0', '\u{2}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            let (text, oddities) = decoded(format!("<a>{bad}</a>").as_bytes(), None);
            assert_eq!(text, "<a>\u{fffd}</a>");
            assert_eq!(oddities, [Oddity::IllegalCharacters]);
        }
    }
}
