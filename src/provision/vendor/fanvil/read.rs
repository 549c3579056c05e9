//! Reads a configuration file in whatever dialect it is, as leniently as phones
//! do: bounded in size, depth and count, and without entities of a file's own.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::sections::{header_of_group, id_start, marker_of_page, marker_of_subgroup};
use super::text::{END, MAX_FILE, MAX_LINE, MAX_ROWS, Module, Row, Text, TextError};
use super::text::{is_key, is_module_name, is_value, is_version};
use crate::provision::Dialect;

/// The deepest element that is read.
const MAX_DEPTH: usize = 8;

impl Text {
    /// Reads a file as a phone does, whether it is text or XML.
    ///
    /// Of XML comments, processing instructions and attributes other than
    /// `index` are passed over, and the file may end with the text's end marker
    /// in place of the last tag, as working ones do. Keys of the older XML have
    /// their blanks again; in the newer one they are not written and stay out.
    ///
    /// # Errors
    /// [`TextError::NoHead`], [`TextError::Cut`], [`TextError::TooLarge`],
    /// [`TextError::Malformed`] or [`TextError::Doctype`].
    pub fn read_any(bytes: &[u8]) -> Result<Self, TextError> {
        if bytes.len() > MAX_FILE {
            return Err(TextError::TooLarge);
        }
        let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        if start.starts_with(b"<<") || !start.starts_with(b"<") {
            return Self::read(bytes);
        }
        let text = String::from_utf8_lossy(start);
        let text = text.trim_end();
        let (text, marked) = match text.strip_suffix(END) {
            Some(text) => (text, true),
            None => (text, false),
        };
        Walk::new(marked).read(text)
    }
}

/// An element that is open.
#[derive(Default)]
struct Open {
    name: String,
    index: String,
    /// The ID of an entry of the older form.
    id: String,
    text: String,
    has_children: bool,
}

/// A walk through a document.
struct Walk {
    open: Vec<Open>,
    dialect: Dialect,
    /// Whether the file ended with the text's end marker.
    marked: bool,
    version: Option<Box<str>>,
    modules: Vec<Draft>,
    elements: usize,
}

/// A module as it is met: rows of lists follow the others.
#[derive(Default)]
struct Draft {
    name: String,
    plain: Vec<Row>,
    listed: Vec<Row>,
    list: String,
}

impl Walk {
    const fn new(marked: bool) -> Self {
        Self {
            open: Vec::new(),
            dialect: Dialect::Xml,
            marked,
            version: None,
            modules: Vec::new(),
            elements: 0,
        }
    }

    fn read(mut self, text: &str) -> Result<Text, TextError> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_dangling_amp = true;
        let malformed = |at: u64| TextError::Malformed(at);
        loop {
            let event = reader.read_event().map_err(|_| malformed(reader.error_position()))?;
            match event {
                Event::Start(start) => self.start(&start)?,
                Event::Empty(start) => {
                    self.start(&start)?;
                    self.end();
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.text(&text),
                Event::CData(text) => self.text(&text),
                Event::GeneralRef(reference) => self.text(&resolved(&reference)),
                Event::DocType(_) => return Err(TextError::Doctype),
                Event::Eof => break,
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            }
        }
        let closed = self.open.is_empty() || (self.marked && self.open.len() == 1);
        let version = self.version.filter(|_| closed).ok_or(TextError::Cut)?;
        let modules = self.modules.into_iter().map(Draft::module).collect();
        Ok(Text { version, modules })
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), TextError> {
        self.elements += 1;
        if self.elements > MAX_ROWS || self.open.len() >= MAX_DEPTH {
            return Err(TextError::TooLarge);
        }
        let name = start.name().into_inner().to_owned();
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
        }
        match self.open.len() {
            0 if self.elements > 1 => return Err(TextError::NoHead),
            0 => {
                self.dialect = match &*name {
                    "VOIP_CONFIG_FILE" => Dialect::Xml,
                    "sysConf" => Dialect::SysConf,
                    _ => return Err(TextError::NoHead),
                }
            }
            1 => self.begin_module(&name),
            _ => {}
        }
        let mut attributes = start.attributes();
        attributes.with_checks(false);
        let index = attributes
            .flatten()
            .find(|attribute| attribute.key.into_inner() == "index")
            .map(|attribute| attribute.value.chars().take(8).collect())
            .filter(|index: &String| index.bytes().all(|byte| byte.is_ascii_digit()))
            .unwrap_or_default();
        self.open.push(Open { name, index, ..Open::default() });
        Ok(())
    }

    fn begin_module(&mut self, name: &str) {
        let header = match self.dialect {
            Dialect::SysConf => header_of_group(name).map(str::to_owned),
            Dialect::Xml | Dialect::Text => None,
        };
        let name = header.unwrap_or_else(|| name.replace('_', " "));
        self.modules.push(Draft { name, ..Draft::default() });
    }

    fn text(&mut self, text: &str) {
        let Some(open) = self.open.last_mut() else { return };
        // One byte more than may be, so that the row is passed over later.
        let room = (MAX_LINE + 1).saturating_sub(open.text.len());
        let cut = text.char_indices().map(|(at, _)| at).find(|at| *at >= room);
        open.text.push_str(cut.and_then(|at| text.get(..at)).unwrap_or(text));
    }

    fn end(&mut self) {
        let Some(mut open) = self.open.pop() else { return };
        if open.has_children {
            return;
        }
        let text = std::mem::take(&mut open.text);
        match self.open.len() {
            1 if open.name.eq_ignore_ascii_case("version") => {
                self.modules.pop();
                if is_version(text.trim()) {
                    self.version.get_or_insert(text.trim().into());
                }
            }
            // A row outside of a module is passed over, and an empty module is
            // one all the same.
            0 | 1 => {}
            _ => self.leaf(&open, text),
        }
    }

    fn leaf(&mut self, leaf: &Open, value: String) {
        let above = self.open.get(2..).unwrap_or_default();
        let (key, list) = match self.dialect {
            Dialect::SysConf => newer_key(leaf, above),
            Dialect::Xml | Dialect::Text => {
                let parent = above.last();
                let entry = parent.is_some_and(|parent| parent.name.ends_with("_Entry"));
                if entry && leaf.name == "ID" && parent.is_some_and(|parent| parent.id.is_empty()) {
                    if let Some(parent) = self.open.last_mut() {
                        parent.id = value.chars().take(64).collect();
                    }
                    return;
                }
                older_key(leaf, above)
            }
        };
        if !is_key(&key) || !is_value(&value) || value.len() > MAX_LINE {
            return;
        }
        let row = Row::Entry(key.into(), value.into());
        let Some(module) = self.modules.last_mut() else { return };
        match list {
            None => module.plain.push(row),
            Some(list) => {
                if module.list != list {
                    module.listed.push(Row::List(list.as_str().into()));
                    module.list = list;
                }
                module.listed.push(row);
            }
        }
    }
}

impl Draft {
    fn module(mut self) -> Module {
        self.plain.append(&mut self.listed);
        let name = if is_module_name(&self.name) { self.name } else { String::from("MODULE") };
        Module { name: name.into(), rows: self.plain }
    }
}

/// The key of a leaf of the older form, and the marker of its list.
fn older_key(leaf: &Open, above: &[Open]) -> (String, Option<String>) {
    let words = leaf.name.replace('_', " ");
    match above {
        [list, .., entry] if !entry.id.is_empty() => {
            let list = list.name.replace('_', " ");
            (format!("{} {words}", entry.id), Some(format!("--{list}--")))
        }
        _ => (words, None),
    }
}

/// The key of a leaf of the newer form, and the marker of its list.
fn newer_key(leaf: &Open, above: &[Open]) -> (String, Option<String>) {
    let mut list = None;
    let mut id = String::new();
    for open in above {
        let name = &*open.name;
        if let Some(page) = marker_of_page(name, &open.index) {
            list = Some(page);
        } else if let Some(marker) = marker_of_subgroup(name) {
            list = Some(marker.to_owned());
        } else if !open.index.is_empty() {
            id = format!("{}{} ", id_start(name), open.index);
            if name == super::sections::SOFT_KEYS.1 {
                list = Some(super::sections::SOFT_KEYS.0.to_owned());
            }
        }
    }
    (format!("{id}{}", leaf.name), list)
}

/// What a reference stands for; one that XML does not know stays as it is, since
/// phones' files are often not escaped.
fn resolved(reference: &BytesRef<'_>) -> String {
    match &**reference {
        "amp" => "&".to_owned(),
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        other => match reference.resolve_char_ref() {
            Ok(Some(c)) => c.to_string(),
            _ => format!("&{other};"),
        },
    }
}
