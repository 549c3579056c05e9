//! Texts without what opens something: user and password inside of URLs, and
//! tokens in their paths.

use std::borrow::Cow;

use super::MASK;

/// A piece of a URL that is longer than this, of the letters of base64 or hex,
/// is a token.
const LONGEST_PIECE: usize = 20;

/// A text with the user information of each URL, its query, and each token in a
/// path replaced by `***`.
///
/// Rather too much is hidden than too little: a password that holds `/`, `@` or
/// a blank is hidden as well, with whatever stands between it and the first URL.
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.contains('/') {
        return Cow::Borrowed(text);
    }
    let shown = without_users(text);
    let shown = match without_tokens(&shown) {
        Cow::Owned(changed) => Cow::Owned(changed),
        Cow::Borrowed(_) => shown,
    };
    if *shown == *text { Cow::Borrowed(text) } else { shown }
}

/// What stands between the first `://` and the last `@` behind it is hidden.
fn without_users(text: &str) -> Cow<'_, str> {
    let Some((scheme, behind)) = text.split_once("://") else { return Cow::Borrowed(text) };
    match behind.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}://{MASK}@{host}")),
        None => Cow::Borrowed(text),
    }
}

fn without_tokens(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !of_a_token(letter)).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        if piece.len() > LONGEST_PIECE {
            out.push_str(MASK);
            changed = true;
        } else {
            out.push_str(piece);
        }
        let mut letters = behind.chars();
        let Some(delimiter) = letters.next() else { break };
        out.push(delimiter);
        rest = letters.as_str();
        if delimiter == '?' {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            if end > 0 {
                out.push_str(MASK);
                changed = true;
            }
            rest = rest.get(end..).unwrap_or_default();
        }
    }
    if changed { Cow::Owned(out) } else { Cow::Borrowed(text) }
}

/// Letters of base64 in both alphabets, of hex, and of percent-encoding.
fn of_a_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '+' | '%' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_tokens_and_queries_are_hidden() {
        for (given, shown) in [
            ("http://u:p@host:1/a", "http://***@host:1/a"),
            ("ftp://u:p/w@rd x@host/a", "ftp://***@host/a"),
            ("see http://a/ and ftp://u:p@h/x.", "see http://***@h/x."),
            ("http://h/f/AbCdEfGhIjKlMnOpQrStUvWx/image.bin", "http://h/f/***/image.bin"),
            ("cannot fetch /p/0123456789abcdef0123456789/", "cannot fetch /p/***/"),
            ("http://h/x?token=y&z=1 failed", "http://h/x?*** failed"),
            ("http://h/a%41bcdefghijklmnopqrstuvw/", "http://h/***/"),
        ] {
            assert_eq!(text(given), shown, "{given}");
        }
    }

    #[test]
    fn what_holds_nothing_stays() {
        for given in [
            "",
            "AutonomousTransferCompleteResponse",
            "1 Firmware Upgrade Image",
            "http://schemas.xmlsoap.org/soap/envelope/",
            "http://www.w3.org/2001/XMLSchema-instance",
            "http://10.0.0.1:7547/files/gateway-2.0.0.bin",
            "mail@example.net",
        ] {
            assert_eq!(text(given), given);
        }
    }
}
