//! Reading a cookie from what devices send.

use hyper::HeaderMap;
use hyper::header::COOKIE;

/// The longest `Cookie` header that is looked at, in bytes.
const MAX_HEADER: usize = 4096;

/// All values of the cookie `name`, in the order in which they stand, without
/// quotes.
///
/// Devices separate by commas, quote values, send RFC 2965 `$Version`, echo the
/// attributes of `Set-Cookie` and send stale cookies beside the new one (Q22,
/// Q57); so there may be several values, and the caller takes the one it knows.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter(|value| value.len() <= MAX_HEADER)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split([';', ',']))
        .filter_map(move |pair| {
            let (key, value) = pair.split_once('=')?;
            let value = value.trim().trim_matches('"');
            (key.trim() == name && !value.is_empty()).then_some(value)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_as_devices_send_them() {
        for (text, expected) in [
            ("session=abc", vec!["abc"]),
            ("a=b; session=abc", vec!["abc"]),
            ("session=x; Path=/", vec!["x"]),
            ("$Version=\"1\"; session=\"abc\"; $Path=\"/\"", vec!["abc"]),
            ("a=b,session=old , session=new", vec!["old", "new"]),
            (" session = abc ;", vec!["abc"]),
            ("xsession=abc; session; =; session=", vec![]),
            ("", vec![]),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, text.parse().unwrap());
            assert_eq!(cookie(&headers, "session").collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn every_header_is_read_and_huge_ones_are_not() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "session=1".parse().unwrap());
        headers.append(COOKIE, format!("session=2; {}=", "x".repeat(5000)).parse().unwrap());
        headers.append(COOKIE, "session=3".parse().unwrap());
        assert_eq!(cookie(&headers, "session").collect::<Vec<_>>(), ["1", "3"]);
    }
}
