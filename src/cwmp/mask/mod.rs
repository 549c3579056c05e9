//! Messages as they may be recorded: the secrets in them replaced by `***`.
//!
//! The bytes may come from a device, and are hostile: they are taken apart and
//! written anew, and only what is known to open nothing is written with its
//! text. A value is shown when exactly one name stands beside it, the name can
//! be read, and it is the name of no secret; all that is not understood is left
//! out. Elements are indented, so that a person can read them.

mod known;
mod text;
mod walk;

pub use text::text;

use super::read::decode;
use crate::param::ParamPath;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// The longest text that is written, in bytes.
pub const MAX_MASKED: usize = 48 << 10;

/// How far a message could be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To its end.
    Whole,
    /// It is longer than [`MAX_MASKED`].
    Cut,
    /// What follows is no XML, or none of the kind that a message has.
    NotUnderstood,
}

/// A message without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// What may be shown; at most [`MAX_MASKED`] bytes. Empty if there is no
    /// XML at all.
    pub text: String,
    /// How far it goes.
    pub reach: Reach,
}

/// Masks a message.
///
/// `charset` is that of the `Content-Type` header; `is_secret` judges names of
/// parameters. Nothing of `body` is in the result but names of elements, texts
/// of the standard, names of parameters, and values whose name is no secret's.
pub fn mask(body: &[u8], charset: Option<&str>, is_secret: &dyn Fn(&ParamPath) -> bool) -> Masked {
    let decoded = decode(body, charset);
    walk::Walk::new(is_secret).run(&decoded.text)
}

#[cfg(test)]
mod tests;
