//! What a rule may be before the parser sees it.
//!
//! A parser, and whatever walks through what it found, calls itself once for
//! each level; a rule of four kilobytes can have thousands of them. So the
//! depth is measured here, over the parser's own tokens, without calling
//! anything deeper.

use cel::parser::pratt_parser::{Lexer, TokenKind};

use super::rule::{MAX_RULE, RuleError};

/// The deepest rule: brackets, fields, and operators in a row all count.
pub(super) const MAX_DEPTH: usize = 64;

/// The levels between one opening bracket and its closing one.
#[derive(Default)]
struct Level {
    /// Since the last comma, `&&` or `||`.
    depth: usize,
    /// The deepest so far.
    deepest: usize,
}

impl Level {
    fn add(&mut self, depth: usize) {
        self.depth += depth;
        self.deepest = self.deepest.max(self.depth);
    }
}

/// Refuses a rule that is too long or too deep.
///
/// # Errors
/// [`RuleError`]; a token that is none is left to the parser, which says more.
pub(super) fn check(text: &str) -> Result<(), RuleError> {
    if text.len() > MAX_RULE {
        return Err(RuleError(format!("a rule has at most {MAX_RULE} bytes")));
    }
    let mut lexer = Lexer::new(text);
    let mut levels = vec![Level::default()];
    loop {
        let token = lexer.lex();
        let is_inside = levels.len() > 1;
        let Some(level) = levels.last_mut() else { return Ok(()) };
        match token.kind {
            TokenKind::TokEnd => return Ok(()),
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => {
                levels.push(Level::default());
            }
            // One bracket too many is the parser's to tell.
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace
                if is_inside =>
            {
                let inner = levels.pop().map_or(0, |level| level.deepest);
                if let Some(outer) = levels.last_mut() {
                    outer.add(inner + 1);
                }
            }
            // These the parser puts side by side.
            TokenKind::TokComma | TokenKind::TokLogicalAnd | TokenKind::TokLogicalOr => {
                level.depth = 0;
            }
            TokenKind::TokDot
            | TokenKind::TokMinus
            | TokenKind::TokPlus
            | TokenKind::TokAsterisk
            | TokenKind::TokSlash
            | TokenKind::TokPercent
            | TokenKind::TokQuestion
            | TokenKind::TokExclamation
            | TokenKind::TokIn
            | TokenKind::TokEqualEqual
            | TokenKind::TokExclamationEqual
            | TokenKind::TokLess
            | TokenKind::TokLessEqual
            | TokenKind::TokGreater
            | TokenKind::TokGreaterEqual => level.add(1),
            _ => {}
        }
        let open: usize = levels.iter().map(|level| level.depth + 1).sum();
        let deepest = levels.last().map_or(0, |level| level.deepest);
        if open.max(deepest) > MAX_DEPTH {
            return Err(RuleError(format!(
                "a rule is nested at most {MAX_DEPTH} levels deep; write it in fewer brackets"
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_rules_are_refused_before_they_are_parsed() {
        for hostile in [
            "(".repeat(4000),
            "[".repeat(4000),
            "{1:".repeat(1300),
            "!".repeat(4000),
            "-".repeat(4000),
            format!("a{}", ".a".repeat(2000)),
            format!("1{}", "+1".repeat(2000)),
            format!("a{}", "[0]".repeat(1300)),
            format!("a{}", "()".repeat(2000)),
            "true?true:".repeat(400),
            "tags.all(x,".repeat(300),
            format!("{}a{}", "(".repeat(40), ".b)".repeat(40)),
        ] {
            assert!(check(&hostile).is_err(), "{}", &hostile[..20]);
        }
        assert!(check(&"x".repeat(MAX_RULE + 1)).is_err());
    }

    #[test]
    fn long_rules_that_are_not_deep_pass() {
        let wide = vec!["device.serial == \"a\""; 150].join(" || ");
        assert_eq!(check(&wide), Ok(()));
        let list = format!("device.serial in [{}]", vec!["\"0123456789\""; 200].join(", "));
        assert_eq!(check(&list), Ok(()));
        assert_eq!(check("\"((((((\" == '[[[[' // ((((("), Ok(()));
        assert_eq!(check(""), Ok(()));
        assert_eq!(check("))))"), Ok(()));
    }
}
