//! Texts as they are compared: in lower case, letter by letter.

/// How many bytes of a text stand in an index.
pub const KEPT: usize = 56;

/// A text in lower case, letter by letter, so that what begins alike stays so
/// (which is not true of [`str::to_lowercase`], where a letter at the end of a
/// word may be another one).
pub fn lower(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.chars().flat_map(char::to_lowercase).collect()
    }
}

/// A text as it stands in an index: in lower case, a blank for each control
/// character, cut behind [`KEPT`] bytes.
///
/// It keeps the order: of two texts in lower case, the lesser is not folded to the
/// greater.
pub fn fold(text: &str) -> Box<[u8]> {
    let mut folded = Vec::with_capacity(text.len().min(KEPT + 4));
    if text.is_ascii() {
        let bytes = text.as_bytes();
        let kept = bytes.get(..KEPT).unwrap_or(bytes);
        folded.extend(kept.iter().map(|byte| blank(byte.to_ascii_lowercase())));
        return folded.into();
    }
    let mut buffer = [0; 4];
    for letter in text.chars().flat_map(char::to_lowercase) {
        folded.extend(letter.encode_utf8(&mut buffer).bytes().map(blank));
        if folded.len() >= KEPT {
            folded.truncate(KEPT);
            break;
        }
    }
    folded.into()
}

const fn blank(byte: u8) -> u8 {
    if byte < b' ' { b' ' } else { byte }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folds_case_controls_and_length() {
        assert_eq!(&*fold("ÄB\u{0}c"), "äb c".as_bytes());
        assert_eq!(fold(&"ä".repeat(100)).len(), KEPT);
        assert_eq!(fold(&"A".repeat(100)).len(), KEPT);
    }

    proptest! {
        #[test]
        fn what_begins_alike_is_folded_alike(text in "\\PC{0,80}", more in "\\PC{0,8}") {
            let (short, long) = (fold(&text), fold(&format!("{text}{more}")));
            prop_assert!(long.starts_with(&short));
            let whole = lower(&format!("{text}{more}"));
            prop_assert!(whole.starts_with(&lower(&text)));
        }

        #[test]
        fn the_order_is_kept(one in "\\PC{0,80}", two in "\\PC{0,80}") {
            if lower(&one) <= lower(&two) {
                prop_assert!(fold(&one) <= fold(&two));
            }
        }
    }
}
