//! Templates: the contexts of one phone type.

use super::condition::{self, Block};
use super::context::Context;
use super::general::General;
use super::mode::Mode;
use super::original::RawBody;
use crate::class::Class;

/// The largest template, in bytes.
pub const MAX_TEMPLATE: usize = 256 << 10;

/// A template: what a phone type's files look like.
///
/// It is read once, cut at its variables, and rendered for many phones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    menu_name: Option<Box<str>>,
    pub(super) general: General,
    pub(super) bodies: [Option<Body>; Context::COUNT],
    pub(super) mode: Mode,
}

/// The lines of one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Blocks(Vec<Block>),
    Raw(RawBody),
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// No line begins with `[general]`.
    #[error("No [general] context defined, invalid template file.")]
    NoGeneral,
    /// It is larger than any template.
    #[error("the template is larger than {MAX_TEMPLATE} bytes; split it by phone type")]
    TooLarge,
    /// A value of `[general]` is no UTF-8.
    #[error("the [general] context holds bytes that are no UTF-8; save the template as UTF-8")]
    NotText,
}

impl TemplateError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::NoGeneral | Self::NotText => Class::Invalid,
            Self::TooLarge => Class::TooLarge,
        }
    }
}

/// The context that lines are gathered for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first header.
    Global,
    General,
    Context(Context),
    /// A context of an unknown name, or one whose lines get lost.
    Nowhere,
}

impl Template {
    /// Reads a template. Bytes in the contexts other than `[general]` may be of
    /// any character set: they are passed on as they are.
    ///
    /// # Errors
    /// [`TemplateError`] without `[general]`, if it is too large, or if
    /// `[general]` is no UTF-8.
    pub fn parse(text: &[u8]) -> Result<Self, TemplateError> {
        Self::parse_as(text, Mode::Right)
    }

    /// The same in a [`Mode`].
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_as(text: &[u8], mode: Mode) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateError::TooLarge);
        }
        let text = match mode {
            Mode::Right => text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
            Mode::Original => text,
        };
        let mut general: Option<Vec<&[u8]>> = None;
        let mut bodies: [Option<Vec<&[u8]>>; Context::COUNT] = Default::default();
        let mut menu_name = None;
        let mut place = Place::Global;
        for line in text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n') {
            if line.starts_with(b"[") {
                place = next_place(line, place, mode);
                match place {
                    Place::General => {
                        general.get_or_insert_default();
                    }
                    Place::Context(context) => {
                        bodies[context as usize].get_or_insert_default();
                    }
                    Place::Global | Place::Nowhere => {}
                }
                continue;
            }
            match place {
                Place::Global => menu_name = menu(line).or(menu_name),
                Place::General => general.get_or_insert_default().push(line),
                Place::Context(context) => {
                    bodies[context as usize].get_or_insert_default().push(line);
                }
                Place::Nowhere => {}
            }
        }
        let general = general.ok_or(TemplateError::NoGeneral)?;
        let general = General::read(&general, mode).map_err(|_| TemplateError::NotText)?;
        let body = |lines: Vec<&[u8]>| match mode {
            Mode::Right => Body::Blocks(condition::blocks(&lines)),
            Mode::Original => Body::Raw(RawBody::new(&lines)),
        };
        Ok(Self { menu_name, general, bodies: bodies.map(|lines| lines.map(body)), mode })
    }

    /// What a menu of phone types calls it.
    pub fn menu_name(&self) -> Option<&str> {
        self.menu_name.as_deref()
    }

    /// Whether it has a context.
    pub fn has(&self, context: Context) -> bool {
        self.bodies[context as usize].is_some()
    }
}

/// Where the lines after a header belong.
fn next_place(header: &[u8], place: Place, mode: Mode) -> Place {
    let name = &header[1..];
    let next = match memchr::memchr(b']', name).map(|end| &name[..end]) {
        Some(b"general") => Place::General,
        Some(name) => Context::named(name).map_or(Place::Nowhere, Place::Context),
        None => Place::Nowhere,
    };
    // The original looks for the end of a context before it looks for its begin.
    if mode == Mode::Original && next == place { Place::Nowhere } else { next }
}

fn menu(line: &[u8]) -> Option<Box<str>> {
    let value = line.strip_prefix(b"menu_name")?.trim_ascii_start().strip_prefix(b"=")?;
    let value = String::from_utf8_lossy(value.trim_ascii());
    (!value.is_empty()).then(|| value.into())
}
