//! Walks through a message and writes it anew.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::known::Kind;
use super::text::text as masked;
use super::{MASK, MAX_MASKED, Masked, Reach};
use crate::param::ParamPath;

/// Elements inside each other at most.
const MAX_DEPTH: usize = 32;

/// The longest name of an element or an attribute, in bytes.
const MAX_NAME: usize = 80;

/// The longest text of an element that is shown, in bytes; what is longer is cut.
const MAX_TEXT: usize = 4096;

/// An element that is open.
struct Frame {
    /// As it is written: with its prefix.
    name: Box<str>,
    /// Without the prefix, in lower case.
    local: Box<str>,
    kind: Kind,
    /// An element around it hides what stands in it.
    hidden: bool,
    /// It has elements in it.
    has_children: bool,
    text: String,
    /// How many names stand directly in it.
    names: usize,
    /// One of them is a secret's, or cannot be read.
    secret: bool,
    /// The same of what stands deeper.
    secret_below: bool,
    /// Texts in it that wait for the names: where the mask stands that takes
    /// their place until then, and what the text is.
    waiting: Vec<Waiting>,
}

struct Waiting {
    at: usize,
    text: String,
    is_value: bool,
}

/// Why the walk ends before the document does.
enum Stop {
    NotUnderstood,
    Cut,
}

/// The walk: what is open, and what is written.
pub(super) struct Walk<'a> {
    is_secret: &'a dyn Fn(&ParamPath) -> bool,
    open: Vec<Frame>,
    /// The outermost element was met.
    rooted: bool,
    out: String,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(is_secret: &'a dyn Fn(&ParamPath) -> bool) -> Self {
        Self { is_secret, open: Vec::new(), rooted: false, out: String::new() }
    }

    pub(super) fn run(mut self, document: &str) -> Masked {
        let mut reach = match self.document(document) {
            Ok(()) => Reach::Whole,
            Err(Stop::Cut) => Reach::Cut,
            Err(Stop::NotUnderstood) => Reach::NotUnderstood,
        };
        let mut text = if self.rooted { self.out } else { String::new() };
        if text.len() > MAX_MASKED {
            text.truncate(text.floor_char_boundary(MAX_MASKED));
            reach = Reach::Cut;
        }
        Masked { text: text.trim_start().to_owned(), reach }
    }

    fn document(&mut self, document: &str) -> Result<(), Stop> {
        let mut reader = Reader::from_str(document);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.check_end_names = true;
        loop {
            if self.out.len() > MAX_MASKED {
                return Err(Stop::Cut);
            }
            match reader.read_event().map_err(|_| Stop::NotUnderstood)? {
                Event::Start(tag) => self.enter(&tag)?,
                Event::Empty(tag) => {
                    self.enter(&tag)?;
                    self.leave()?;
                }
                Event::End(_) => self.leave()?,
                Event::Text(text) => self.take(&text.into_inner())?,
                Event::CData(text) => self.take(&text.into_inner())?,
                Event::GeneralRef(reference) => self.take(&resolved(&reference))?,
                Event::Comment(_) => {
                    if !self.open.is_empty() {
                        self.line();
                        self.out.push_str("<!--***-->");
                        if let Some(frame) = self.open.last_mut() {
                            frame.has_children = true;
                        }
                    }
                }
                Event::Decl(_) if self.out.is_empty() => self.out.push_str("<?xml …?>"),
                Event::Decl(_) | Event::PI(_) => {}
                Event::DocType(_) => return Err(Stop::NotUnderstood),
                Event::Eof if self.open.is_empty() && self.rooted => return Ok(()),
                Event::Eof => return Err(Stop::NotUnderstood),
            }
        }
    }

    fn enter(&mut self, tag: &BytesStart<'_>) -> Result<(), Stop> {
        let name = tag.name().into_inner();
        if self.open.len() >= MAX_DEPTH || !is_sound(name) {
            return Err(Stop::NotUnderstood);
        }
        let local = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
        let (parent, hidden) = match self.open.last_mut() {
            Some(parent) => {
                parent.has_children = true;
                (&*parent.local, parent.hidden || parent.kind.hides_inside())
            }
            None => ("", false),
        };
        let kind = Kind::of(&local, parent);
        self.rooted = true;
        self.line();
        self.out.push('<');
        self.out.push_str(name);
        self.attributes(tag)?;
        self.out.push('>');
        self.open.push(Frame {
            name: name.into(),
            local: local.into(),
            kind,
            hidden,
            has_children: false,
            text: String::new(),
            names: 0,
            secret: false,
            secret_below: false,
            waiting: Vec::new(),
        });
        Ok(())
    }

    /// Only attributes of XML and SOAP are shown with what they say.
    fn attributes(&mut self, tag: &BytesStart<'_>) -> Result<(), Stop> {
        let mut attributes = tag.attributes();
        attributes.with_checks(false);
        for attribute in attributes {
            let attribute = attribute.map_err(|_| Stop::NotUnderstood)?;
            let key = attribute.key.into_inner();
            if !is_sound(key) {
                return Err(Stop::NotUnderstood);
            }
            let local = key.rsplit(':').next().unwrap_or_default();
            let known = key.starts_with("xmlns")
                || matches!(
                    local,
                    "type" | "arrayType" | "mustUnderstand" | "encodingStyle" | "nil"
                );
            let plain =
                |letter: char| letter.is_ascii_alphanumeric() || ":/.-_[]#".contains(letter);
            let value = &*attribute.value;
            let shown = known && value.len() <= 200 && value.chars().all(plain);
            let value = if shown { masked(value) } else { MASK.into() };
            self.out.push_str(&format!(" {key}=\"{value}\""));
            if self.out.len() > MAX_MASKED {
                return Err(Stop::Cut);
            }
        }
        Ok(())
    }

    fn take(&mut self, text: &str) -> Result<(), Stop> {
        match self.open.last_mut() {
            Some(frame) => {
                // One byte more than is shown, so that the cut is seen.
                let room = (MAX_TEXT + 1).saturating_sub(frame.text.len());
                let end = text.floor_char_boundary(room.min(text.len()));
                frame.text.push_str(text.get(..end).unwrap_or_default());
                if end < text.len() && frame.text.len() <= MAX_TEXT {
                    frame.text.push('…');
                }
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(Stop::NotUnderstood),
        }
    }

    fn leave(&mut self) -> Result<(), Stop> {
        let mut frame = self.open.pop().ok_or(Stop::NotUnderstood)?;
        self.settle(&mut frame);
        let text = std::mem::take(&mut frame.text);
        if !text.trim().is_empty() {
            self.write(&frame, text);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.secret_below |= frame.secret || frame.secret_below;
        }
        if frame.has_children {
            self.line();
        }
        self.out.push_str("</");
        self.out.push_str(&frame.name);
        self.out.push('>');
        Ok(())
    }

    /// Writes the text of an element, or the mask.
    fn write(&mut self, frame: &Frame, text: String) {
        let at = self.out.len();
        if frame.kind == Kind::Name {
            let path = ParamPath::parse(&text).ok();
            let path = path.filter(|_| !frame.hidden && !frame.has_children && !is_long(&text));
            let secret = path.as_ref().is_none_or(|path| self.is_secret_name(path));
            if let Some(parent) = self.open.last_mut() {
                parent.names += 1;
                parent.secret |= secret;
            }
            match path.filter(|path| path.as_str().contains('.')) {
                Some(path) => put_xml(&mut self.out, &masked(path.as_str())),
                None => self.out.push_str(MASK),
            }
            return;
        }
        self.out.push_str(MASK);
        let shows = match frame.kind {
            Kind::Plain | Kind::Member | Kind::Value => !frame.hidden && !frame.has_children,
            Kind::Name | Kind::Secret | Kind::Unknown => false,
        };
        if shows && let Some(parent) = self.open.last_mut() {
            parent.waiting.push(Waiting { at, text, is_value: frame.kind == Kind::Value });
        }
    }

    fn is_secret_name(&self, path: &ParamPath) -> bool {
        let name = path.as_str().trim_end_matches('.');
        ParamPath::parse(name).map_or(true, |name| (self.is_secret)(&name))
    }

    /// All names are known now: what may be shown takes the place of its mask.
    fn settle(&mut self, frame: &mut Frame) {
        let value_shows = frame.names == 1 && !frame.secret && !frame.secret_below;
        frame.waiting.retain(|one| if one.is_value { value_shows } else { !frame.secret });
        let Some(first) = frame.waiting.first() else { return };
        let tail = self.out.split_off(first.at);
        let begin = first.at;
        let mut done = 0;
        for one in &frame.waiting {
            let at = one.at - begin;
            self.out.push_str(tail.get(done..at).unwrap_or_default());
            put_xml(&mut self.out, &shown(&one.text));
            done = at + MASK.len();
        }
        self.out.push_str(tail.get(done..).unwrap_or_default());
    }

    /// Begins a line at the present depth.
    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.open.len() {
            self.out.push_str("  ");
        }
    }
}

/// Whether a name is one that may be written again.
fn is_sound(name: &str) -> bool {
    let of_a_name = |letter: char| letter.is_ascii_alphanumeric() || "_-.:".contains(letter);
    !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(of_a_name)
}

/// What a reference stands for; one that XML does not know stays as it is.
fn resolved(reference: &BytesRef<'_>) -> String {
    let known = match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    };
    known.map_or_else(|| format!("&{};", &**reference), String::from)
}

fn is_long(text: &str) -> bool {
    text.len() > MAX_TEXT
}

/// A text as it is written. Of a URL that is cut it cannot be told where its
/// user information ends.
fn shown(text: &str) -> Cow<'_, str> {
    if is_long(text) && text.contains("://") { MASK.into() } else { masked(text) }
}

/// Writes a text so that it is one in XML, without control characters: it is
/// shown on terminals.
fn put_xml(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            letter => out.push(letter),
        }
    }
}
