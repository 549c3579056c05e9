//! Preconditions as expressions: `DeviceID.ProductClass = "X" AND Device.A > 5`.
//!
//! What is not known makes a comparison unknown there, and what is unknown does not
//! hold, whatever stands before it. So each `NOT` is carried inwards to the
//! comparisons, each of which fails where its parameter is not known.

use super::cel::{self, How, Left, Right, joined};

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 4096;

/// Brackets inside brackets at most.
const MAX_DEPTH: usize = 32;

/// The rule that an expression is.
///
/// # Errors
/// Where it cannot be read, or what in it cannot be said as a rule.
pub(super) fn rule(text: &str) -> Result<String, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("a precondition has at most {MAX_LENGTH} bytes"));
    }
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, depth: 0 };
    let expression = reader.any()?;
    if let Some(token) = reader.tokens.first() {
        return Err(format!("the precondition cannot be read at {}", token.shown()));
    }
    written(&expression, true)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A path or a word of the language.
    Name(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Name(name) => name.chars().take(40).collect(),
            Self::Text(_) => "a text".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Sign(sign) => (*sign).to_owned(),
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case(word))
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const SIGNS: [&str; 10] = ["<>", "<=", ">=", "!=", "=", "<", ">", "(", ")", ","];
    let is_name = |letter: char| letter.is_alphanumeric() || "._:".contains(letter);
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let (read, behind) = quoted(rest, first)?;
            tokens.push(Token::Text(read));
            rest = behind;
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
        } else if is_name(first) || first == '-' {
            let signless = rest.strip_prefix('-').unwrap_or(rest);
            let length = signless.find(|letter| !is_name(letter)).unwrap_or(signless.len());
            let end = length + rest.len() - signless.len();
            let (word, behind) = rest.split_at(end);
            tokens.push(match word.parse::<f64>() {
                Ok(number) if number.is_finite() && !first.is_alphabetic() => Token::Number(number),
                _ if first == '-' => return Err("rules know no arithmetic".to_owned()),
                _ => Token::Name(word.to_owned()),
            });
            rest = behind;
        } else {
            return Err(format!("the precondition cannot be read at {}", first.escape_default()));
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// A text in quotes and what comes behind it. A backslash escapes what follows.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut read = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some((_, 'n')) => read.push('\n'),
                Some((_, 't')) => read.push('\t'),
                // What LIKE reads itself.
                Some((_, sign @ ('%' | '_'))) => read.extend(['\\', sign]),
                Some((_, other)) => read.push(other),
                None => break,
            },
            letter if letter == quote => {
                return Ok((read, text.get(at + letter.len_utf8()..).unwrap_or_default()));
            }
            letter => read.push(letter),
        }
    }
    Err("a text of the precondition does not end".to_owned())
}

#[derive(Clone, Debug)]
enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Constant(bool),
    Compared(Left, How, Right),
    Like(Left, String),
    Null(Left),
}

/// One side of a comparison.
enum Side {
    Left(Left),
    Right(Right),
    Null,
}

struct Reader<'a> {
    tokens: &'a [Token],
    depth: usize,
}

impl Reader<'_> {
    fn take(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_it = self.tokens.first().is_some_and(|token| token.is_word(word));
        if is_it {
            self.take();
        }
        is_it
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.take_word("OR") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.one()?];
        while self.take_word("AND") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn one(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("the precondition has too many levels".to_owned());
        }
        let read = if self.take_word("NOT") {
            Expression::Not(Box::new(self.one()?))
        } else if self.tokens.first() == Some(&Token::Sign("(")) {
            self.take();
            let inner = self.any()?;
            match self.take() {
                Some(Token::Sign(")")) => inner,
                _ => return Err("a bracket of the precondition does not close".to_owned()),
            }
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(read)
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let one = self.side()?;
        if self.take_word("IS") {
            let is_not = self.take_word("NOT");
            if !self.take_word("NULL") {
                return Err("IS NULL or IS NOT NULL is expected".to_owned());
            }
            let Side::Left(left) = one else { return Err("a value is not null".to_owned()) };
            let null = Expression::Null(left);
            return Ok(if is_not { Expression::Not(Box::new(null)) } else { null });
        }
        let is_not = self.take_word("NOT");
        if self.take_word("LIKE") {
            let (Side::Left(left), Some(Token::Text(pattern))) = (one, self.take()) else {
                return Err("LIKE takes a parameter and a text".to_owned());
            };
            let like = Expression::Like(left, pattern);
            return Ok(if is_not { Expression::Not(Box::new(like)) } else { like });
        }
        if is_not {
            return Err("NOT LIKE is expected".to_owned());
        }
        let how = match self.tokens.first() {
            Some(Token::Sign("=")) => How::Equal,
            Some(Token::Sign("<>" | "!=")) => How::Unequal,
            Some(Token::Sign("<")) => How::Less,
            Some(Token::Sign("<=")) => How::AtMost,
            Some(Token::Sign(">")) => How::Greater,
            Some(Token::Sign(">=")) => How::AtLeast,
            _ => return alone(one),
        };
        self.take();
        match (one, self.side()?) {
            (Side::Left(left), Side::Right(right)) => Ok(Expression::Compared(left, how, right)),
            (Side::Right(right), Side::Left(left)) => {
                Ok(Expression::Compared(left, how.mirrored(), right))
            }
            // Nothing is equal to null, nor is it unequal.
            (Side::Null, _) | (_, Side::Null) => Ok(Expression::Any(Vec::new())),
            _ => Err("a parameter is compared with a value".to_owned()),
        }
    }

    fn side(&mut self) -> Result<Side, String> {
        let token = self.take().ok_or("the precondition ends too early")?;
        if self.tokens.first() == Some(&Token::Sign("(")) {
            return Err(format!("rules do not know the function {}", token.shown()));
        }
        Ok(match token {
            Token::Text(text) => Side::Right(Right::Text(text)),
            Token::Number(number) => Side::Right(Right::Number(number)),
            token if token.is_word("TRUE") => Side::Right(Right::Truth(true)),
            token if token.is_word("FALSE") => Side::Right(Right::Truth(false)),
            token if token.is_word("NULL") => Side::Null,
            Token::Name(name) => Side::Left(Left::of(&name)?),
            token => return Err(format!("the precondition cannot be read at {}", token.shown())),
        })
    }
}

/// Something that stands alone as a condition.
fn alone(side: Side) -> Result<Expression, String> {
    match side {
        Side::Left(left) => Ok(Expression::Compared(left, How::Equal, Right::Truth(true))),
        Side::Right(Right::Truth(truth)) => Ok(Expression::Constant(truth)),
        Side::Null => Ok(Expression::Any(Vec::new())),
        Side::Right(_) => Err("a value alone is no condition".to_owned()),
    }
}

/// An expression as a rule that holds if it is true; if it is false, with `wanted`
/// false. What is unknown is neither.
fn written(expression: &Expression, wanted: bool) -> Result<String, String> {
    let all = |parts: &[Expression]| {
        parts.iter().map(|part| written(part, wanted)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match expression {
        // Of nothing at all it is unknown: neither holds.
        Expression::Any(parts) if parts.is_empty() => "false".to_owned(),
        Expression::All(parts) | Expression::Any(parts) => {
            let is_all = matches!(expression, Expression::All(_)) == wanted;
            joined(all(parts)?, if is_all { " && " } else { " || " }, "true")
        }
        Expression::Not(part) => written(part, !wanted)?,
        Expression::Constant(truth) => (*truth == wanted).to_string(),
        Expression::Compared(left, how, right) => {
            cel::compared(left, if wanted { *how } else { how.opposite() }, right)
        }
        Expression::Like(left, pattern) => cel::like(left, &pattern_of(pattern), wanted)?,
        Expression::Null(left) if wanted => format!("!({})", left.present()),
        Expression::Null(left) => left.present(),
    })
}

/// The pattern of LIKE: `%` stands for anything, `_` for one letter, a backslash
/// before either for itself.
fn pattern_of(like: &str) -> String {
    let mut pattern = String::from("(?s)^");
    let mut letters = like.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => pattern.push_str(".*"),
            '_' => pattern.push('.'),
            '\\' => {
                let next = letters.next().unwrap_or('\\');
                pattern.push_str(&regex::escape(next.encode_utf8(&mut [0; 4])));
            }
            letter => pattern.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push('$');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Rule;

    #[test]
    fn expressions_are_rules() {
        for (text, told) in [
            ("DeviceID.ProductClass = \"SIM300\"", "device.product_class == \"SIM300\""),
            ("5 < Device.A.B", "(value(\"Device.A.B\") != null && value(\"Device.A.B\") > 5)"),
            ("Tags.x = TRUE and not Tags.y", "(has_tag(\"x\") && false)"),
            ("Tags.x IS NULL", "!(has_tag(\"x\"))"),
            (
                "NOT (DeviceID.OUI = 'A' OR DeviceID.OUI = 'B')",
                "(device.oui != \"A\" && device.oui != \"B\")",
            ),
            ("TRUE", "true"),
            ("NOT (Device.A.B = NULL)", "false"),
            (
                "Device.A.B <> \"7\"",
                "(value(\"Device.A.B\") != null && (value(\"Device.A.B\") != \"7\" && value(\"Device.A.B\") != 7))",
            ),
            ("DeviceID.SerialNumber LIKE 'A_\\%%'", "device.serial.matches(\"(?s)^A.%.*$\")"),
        ] {
            let rule = rule(text).unwrap();
            assert_eq!(rule, told, "{text}");
            assert!(Rule::parse(&rule).is_ok(), "{rule}: {:?}", Rule::parse(&rule));
        }
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for (text, part) in [
            ("Events.Inform > 5", "Events.Inform"),
            ("VirtualParameters.x = 1", "VirtualParameters.x"),
            ("NOW() > 5", "NOW"),
            ("Device.A.B = ", "early"),
            ("(Device.A.B = 1", "close"),
            ("Device.A.B = 'x", "end"),
            ("Device.A.B = Device.A.C", "value"),
            ("Device.A.B = 1 + 2", "+"),
            ("Device.A.B LIKE 5", "LIKE"),
            ("5", "condition"),
            ("Device.A.B = 1 Device", "Device"),
            ("", "early"),
        ] {
            let told = rule(text).unwrap_err();
            assert!(told.contains(part), "{text}: {told}");
        }
        let deep = "NOT ".repeat(1000) + "TRUE";
        assert!(rule(&deep).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[A-Za-z0-9_.'\"<>=() \\\\-]{0,200}") {
            if let Ok(told) = rule(&text) {
                // What is written is at most too long or too deep.
                let _ = Rule::parse(&told);
            }
        }
    }
}
