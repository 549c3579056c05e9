//! What operators are never shown: values of secret parameters, user and
//! password inside URLs, wherever they turn up.

use std::borrow::Cow;

pub(super) use crate::device::HIDDEN as MASK;
pub(super) use crate::device::without_users as url;
use crate::param::ParamPath;
pub(super) use crate::phone::is_secret_setting;
use crate::schema::Schema;

/// The value of a parameter as it may be shown.
pub(super) fn value<'a>(path: &str, text: &'a str) -> Cow<'a, str> {
    if text.is_empty() {
        return Cow::Borrowed(text);
    }
    let secret = ParamPath::parse(path).map_or(true, |path| Schema::core().is_secret(&path));
    if secret { Cow::Borrowed(MASK) } else { url(text) }
}

/// What is wanted or found at a path as it may be shown: of a row, whose values
/// stand in one text, only the users of URLs are hidden, because its secrets were
/// hidden when the text was made.
pub(super) fn value_of(path: &str, text: &str) -> String {
    if path.ends_with('.') { url(text) } else { value(path, text) }.into_owned()
}

/// A line of a task's notes as it may be shown. Notes on values read have the
/// form `name = value`.
pub(super) fn note(line: &str) -> Cow<'_, str> {
    match line.split_once(" = ") {
        Some((name, text)) if name.contains('.') => {
            Cow::Owned(format!("{name} = {}", value(name, text)))
        }
        _ => url(line),
    }
}

/// The least length of a secret that is looked for anywhere in a text; a shorter
/// one, which may be a part of anything, must stand alone.
const LONG: usize = 5;

/// A text with each of these secrets masked, as it is and as XML spells it. The
/// longest must come first.
pub(super) fn secrets<'a>(
    text: &str,
    secrets: &'a [String],
    stands_for: impl Fn(&'a String) -> &'static str,
) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let mask = stands_for(secret);
        text = masked(&text, secret, mask);
        let spelled = xml(secret);
        if spelled != *secret {
            text = masked(&text, &spelled, mask);
        }
    }
    text
}

fn masked(text: &str, secret: &str, mask: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, found) = rest.split_at(at);
        let (found, behind) = found.split_at(secret.len());
        out.push_str(before);
        let joins = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let alone = !joins(out.chars().next_back()) && !joins(behind.chars().next());
        out.push_str(if alone || secret.len() >= LONG { mask } else { found });
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_parameters_are_hidden_and_empty_ones_are_seen_to_be_so() {
        assert_eq!(value("Device.WiFi.AccessPoint.1.Security.KeyPassphrase", "x"), MASK);
        assert_eq!(value("Device.ManagementServer.Password", ""), "");
        assert_eq!(value("Device.DeviceInfo.SoftwareVersion", "1.2"), "1.2");
        assert_eq!(value("no path at all", "x"), MASK);
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let known = ["s3cret&co".to_owned(), "abcdef".to_owned(), "12".to_owned()];
        for (text, shown) in [
            ("Pwd :s3cret&co", "Pwd :***"),
            ("<p>s3cret&amp;co</p>", "<p>***</p>"),
            ("/p/xabcdefx/", "/p/x***x/"),
            ("PIN :12\n112 121", "PIN :***\n112 121"),
        ] {
            assert_eq!(secrets(text, &known, |_| MASK), shown);
        }
    }

    #[test]
    fn notes_hide_values_of_secrets_only() {
        assert_eq!(
            note("Device.Users.User.1.Password = a = b"),
            "Device.Users.User.1.Password = ***"
        );
        assert_eq!(note("Device.X.Name = a = b"), "Device.X.Name = a = b");
        assert_eq!(note("the device made row 3"), "the device made row 3");
    }
}
