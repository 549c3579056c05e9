//! Splitting `Authorization` and `WWW-Authenticate` values into words, as
//! leniently as devices demand: missing quotes, missing or trailing commas,
//! blanks around `=`, unclosed quotes.

use std::borrow::Cow;

/// The longest value that is read, in bytes.
pub(super) const MAX_VALUE: usize = 8192;

/// The most words that are read of one value.
const MAX_WORDS: usize = 64;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// A word that stands alone: the name of a scheme.
    Scheme(&'a str),
    /// `name=value`, unquoted and unescaped.
    Pair(&'a str, Cow<'a, str>),
}

/// The words of a value, at most [`MAX_WORDS`]; none of one that is longer
/// than [`MAX_VALUE`].
pub(super) fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let rest = if text.len() > MAX_VALUE { "" } else { text };
    Words { rest }.take(MAX_WORDS)
}

struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// Takes characters off the front as long as they are `wanted`.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn value(&mut self) -> Cow<'a, str> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return self.take_while(|c| c != ',' && !c.is_whitespace()).into();
        };
        let mut escaped = false;
        let end = quoted.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let inside = &quoted[..end.unwrap_or(quoted.len())];
        self.rest = end.and_then(|end| quoted.get(end + 1..)).unwrap_or("");
        if inside.contains('\\') { unescape(inside).into() } else { inside.into() }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        self.take_while(|c| c == ',' || c == '=' || c == '"' || c.is_whitespace());
        let name = self.take_while(|c| !matches!(c, ',' | '=' | '"') && !c.is_whitespace());
        if name.is_empty() {
            return None;
        }
        let after = self.rest.trim_start();
        let Some(value) = after.strip_prefix('=') else {
            return Some(Word::Scheme(name));
        };
        self.rest = value.trim_start();
        Some(Word::Pair(name, self.value()))
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair<'a>(name: &'a str, value: &'a str) -> Word<'a> {
        Word::Pair(name, value.into())
    }

    #[test]
    fn words_are_read_as_devices_write_them() {
        for (text, expected) in [
            ("", vec![]),
            ("Digest", vec![Word::Scheme("Digest")]),
            (
                "Digest a=\"x, y\",b = z ,,",
                vec![Word::Scheme("Digest"), pair("a", "x, y"), pair("b", "z")],
            ),
            (r#"a="q\"\\q" b="open"#, vec![pair("a", r#"q"\q"#), pair("b", "open")]),
            ("a=\"\" =\"\" b=", vec![pair("a", ""), pair("b", "")]),
            (
                "Digest a=1, Basic realm=\"r\"",
                vec![
                    Word::Scheme("Digest"),
                    pair("a", "1"),
                    Word::Scheme("Basic"),
                    pair("realm", "r"),
                ],
            ),
        ] {
            assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn there_is_an_end_to_words() {
        assert_eq!(words(&"a ".repeat(1000)).count(), MAX_WORDS);
        assert_eq!(words(&"a".repeat(MAX_VALUE + 1)).count(), 0);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            words(&text).for_each(drop);
        }

        #[test]
        fn what_is_quoted_reads_back(value in "\\PC{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let text = format!("a=\"{quoted}\", b=1");
            let read: Vec<_> = words(&text).collect();
            proptest::prop_assert_eq!(read, vec![pair("a", &value), pair("b", "1")]);
        }
    }
}
