//! What must hold for any text whatever that somebody gives for a rule, a value
//! or a profile.

use provost::expr::{MAX_OUTPUT, Rule, Template};
use provost::profile::{Profile, ProfileSet};

use super::sample::{Sample, record};

thread_local! {
    static SAMPLE: Sample = Sample::new();
}

/// A rule is refused in one line, or answers or says why not.
pub(crate) fn rule(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let one_line = |error: String| {
        assert!(!error.is_empty() && error.len() < 2000 && !error.contains('\n'), "{error:?}");
    };
    let rule = match Rule::parse(text) {
        Ok(rule) => rule,
        Err(error) => return one_line(error.to_string()),
    };
    assert_eq!(rule.text(), text.trim());
    SAMPLE.with(|sample| {
        let subject = sample.subject();
        let answer = rule.matches(&subject);
        assert_eq!(rule.matches(&subject), answer, "a rule answers the same again");
        if let Err(error) = &answer {
            one_line(error.to_string());
        }
        // Who is left out by the index is one that the rule is not about.
        let pinned = rule.pinned();
        let other = |pin: Option<&str>, has: &str| pin.is_some_and(|pin| pin != has);
        if other(pinned.oui, "00D09E") || other(pinned.product_class, "HG100") {
            assert_ne!(answer, Ok(true), "{text}");
        }
    });
}

/// A value is refused in one line, or comes out bounded.
pub(crate) fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => return assert!(!error.to_string().contains('\n'), "{error}"),
    };
    SAMPLE.with(|sample| match template.render(&sample.subject()) {
        Ok(made) => assert!(made.len() <= MAX_OUTPUT),
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    });
}

/// A profile is refused in one line, or has one canonical text, and that is the
/// same profile; what it wants can always be told.
pub(crate) fn profile(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let profile = match Profile::parse(text) {
        Ok(profile) => profile,
        Err(error) => return assert!(!error.to_string().contains('\n'), "{error}"),
    };
    let json = profile.to_json();
    assert_eq!(Profile::parse_json(&json).as_ref(), Ok(&profile), "{json}");
    let toml = profile.to_toml();
    assert_eq!(Profile::parse_toml(&toml).as_ref(), Ok(&profile), "{toml}");
    let (set, errors) = ProfileSet::compile(&[record(&profile.name, &json)]);
    assert_eq!(errors, [], "{json}");
    SAMPLE.with(|sample| {
        let _ = set.explain(&sample.subject());
        let resolved = set.resolve(&sample.subject());
        for value in &resolved.desired.values {
            assert!(resolved.desired.source(value.source).is_some());
            assert_eq!(value.path.root(), "Device.");
        }
    });
}
