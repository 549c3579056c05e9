//! Firmware versions in their natural order.

use std::cmp::Ordering;

/// Compares two firmware versions as people do: runs of digits by their number,
/// everything else letter by letter without case. `1.9` comes before `1.10`,
/// `V2.0` is `2.00`, `1.2` comes before `1.2.1`.
///
/// What goes on where the other ends is later, but for `~` and for `-` before
/// `alpha`, `beta`, `pre` or `rc`: `2.0-rc1` comes before `2.0`.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (without_v(a), without_v(b));
    loop {
        let ((left, a_rest), (right, b_rest)) = (Part::first(a), Part::first(b));
        let order = left.cmp(&right);
        if order.is_ne() || left == Part::End {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
}

/// A version without the letter that many put before it.
fn without_v(text: &str) -> &str {
    let text = text.trim();
    match text.strip_prefix(['v', 'V']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => text,
    }
}

/// What a version is made of, in the order in which parts stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    /// A mark that what follows comes before the version without it.
    Before,
    /// Nothing more.
    End,
    /// Anything that sorts before a digit, such as a dot.
    Mark(char),
    /// A number of any length: how many digits it has, and they.
    Number(usize, &'a str),
    /// Anything else, in lower case.
    Letter(char),
}

impl<'a> Part<'a> {
    /// The first part of a version, and what follows.
    fn first(text: &'a str) -> (Self, &'a str) {
        let Some(first) = text.chars().next() else { return (Self::End, text) };
        if first.is_ascii_digit() {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let (number, rest) = text.split_at(end);
            let number = number.trim_start_matches('0');
            return (Self::Number(number.len(), number), rest);
        }
        let rest = &text[first.len_utf8()..];
        let begins = |word: &str| {
            rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let part = match first {
            '~' => Self::Before,
            '-' if ["alpha", "beta", "pre", "rc"].into_iter().any(begins) => Self::Before,
            _ if first < '0' => Self::Mark(first),
            _ => Self::Letter(first.to_ascii_lowercase()),
        };
        (part, rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_stand_in_the_order_that_people_expect() {
        let ordered = [
            "", "1.2-rc1", "v1.2-rc2", "1.2", "1.2-7", "1.2.1", "V1.9", "1.10", "1.10a", "2",
            "v2.0", "V2.00.01", "v2.0.10", "10", "R1-beta", "R1", "v",
        ];
        for (place, a) in ordered.iter().enumerate() {
            for b in &ordered[place + 1..] {
                assert_eq!(compare_versions(a, b), Ordering::Less, "{a} < {b}");
                assert_eq!(compare_versions(b, a), Ordering::Greater, "{b} > {a}");
            }
        }
        assert_eq!(compare_versions(" V1.02 ", "v1.2"), Ordering::Equal);
        let long = "9".repeat(400);
        assert_eq!(compare_versions(&long, &format!("1{long}")), Ordering::Less);
    }

    proptest! {
        #[test]
        fn the_order_is_one(a in "[01arc.~-]{0,6}", b in "[01arc.~-]{0,6}", c in "[01arc.~-]{0,6}") {
            prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
            prop_assert_eq!(compare_versions(&a, &a), Ordering::Equal);
            if compare_versions(&a, &b).is_le() && compare_versions(&b, &c).is_le() {
                prop_assert!(compare_versions(&a, &c).is_le(), "{} {} {}", a, b, c);
            }
        }
    }
}
