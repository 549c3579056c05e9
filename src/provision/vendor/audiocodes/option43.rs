//! Option 43 of DHCP as AudioCodes phones may be given it: a bare URL, or
//! sub-options (RFC 2132 §8.4) of which one holds the URL.
//!
//! The vendor's manual shows it in a figure only, so which sub-option it is stays
//! open: Provost writes 66 unless told otherwise, and reads whichever is there.

/// The end of sub-options.
const END: u8 = 0xff;
/// Between sub-options.
const PAD: u8 = 0;
/// Sub-options that are looked at first.
const LIKELY: [u8; 3] = [66, 160, 1];

/// The option with a URL in one sub-option; `None` for a code that is none (0
/// and 255) or a URL of over 253 bytes.
pub fn encode_url(code: u8, url: &str) -> Option<Vec<u8>> {
    let length = u8::try_from(url.len()).ok().filter(|length| (1..=253).contains(length))?;
    if matches!(code, PAD | END) {
        return None;
    }
    let mut bytes = vec![code, length];
    bytes.extend_from_slice(url.as_bytes());
    Some(bytes)
}

/// The URL in an option: the whole of it, or the sub-option 66, 160 or 1, or the
/// first that holds `://`.
pub fn url(bytes: &[u8]) -> Option<String> {
    if bytes.len() > 1024 {
        return None;
    }
    let readable = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\0').trim();
        (!text.is_empty() && text.bytes().all(|b| matches!(b, b'!'..=b'~')))
            .then(|| text.to_owned())
    };
    if let Some(parts) = sub_options(bytes) {
        let with_scheme = |text: &String| text.contains("://");
        let likely = LIKELY.iter().find_map(|code| {
            let its = parts.iter().find(|(its, _)| its == code)?;
            readable(its.1).filter(|text| with_scheme(text) || is_host(text))
        });
        let any = || parts.iter().filter_map(|(_, value)| readable(value)).find(with_scheme);
        if let Some(url) = likely.or_else(any) {
            return Some(url);
        }
    }
    let end = bytes.strip_suffix(&[END]).unwrap_or(bytes);
    readable(end).filter(|text| text.contains("://") || is_host(text))
}

/// The sub-options, if that is what the bytes are from end to end.
fn sub_options(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some((code, after)) = rest.split_first() {
        match *code {
            PAD => rest = after,
            END => break,
            code => {
                let (length, after) = after.split_first()?;
                let (value, after) = after.split_at_checked(usize::from(*length))?;
                found.push((code, value));
                rest = after;
            }
        }
    }
    Some(found)
}

/// Whether a text can be a host, with or without names behind it.
fn is_host(text: &str) -> bool {
    let host = text.split(['/', ';', ':']).next().unwrap_or_default();
    host.contains('.')
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        let told = |bytes: &[u8]| url(bytes).unwrap_or_default();
        assert_eq!(told(b"http://h/;<MAC>.cfg"), "http://h/;<MAC>.cfg");
        assert_eq!(told(b"pbx.example.net\0"), "pbx.example.net");
        assert_eq!(told(b"http://h/\xff"), "http://h/");
        assert_eq!(told(b"\x42\x09http://h/"), "http://h/");
        assert_eq!(told(b"\x42\x09http://h/\xff"), "http://h/");
        // Microsoft's sub-options stand before and after it.
        assert_eq!(told(b"\x01\x03UCI\xa0\x08http://x\x02\x05https\x00\xff"), "http://x");
        assert_eq!(told(b"\x07\x0ahttp://any\x01"), "");
        assert_eq!(told(b"\x07\x0ahttp://any"), "http://any");
        for none in
            [&b""[..], b"\xff", b"\x00", b"\x42\x09http", b"\x42\x00", b"word", b"\x42\x04word"]
        {
            assert_eq!(url(none), None, "{none:?}");
        }
    }

    #[test]
    fn what_fits_no_sub_option_is_not_written() {
        assert_eq!(encode_url(66, "http://h/").unwrap(), b"\x42\x09http://h/");
        assert_eq!(encode_url(66, ""), None);
        assert_eq!(encode_url(0, "x"), None);
        assert_eq!(encode_url(255, "x"), None);
        assert_eq!(encode_url(66, &"x".repeat(254)), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(code in 1u8..255, path in "[a-zA-Z0-9/;<>_.-]{0,200}") {
            let expected = format!("https://h/{path}");
            let bytes = encode_url(code, &expected).unwrap();
            prop_assert_eq!(url(&bytes), Some(expected));
        }
    }
}
