//! Parameter RPCs: `GetParameterNames`, `GetParameterValues`,
//! `SetParameterValues` (TR-069 §A.3.2.1 to §A.3.2.3).

use super::read::{Oddity, ReadError, Scanner, Tag};
use super::write::Writer;
use crate::param::{ParamPath, Value, ValueType};

/// `ParameterValueStruct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterValue {
    /// The parameter's full name.
    pub name: ParamPath,
    /// Its value; a missing `Value` element is an empty string (Q9).
    pub value: Value,
}

/// `ParameterInfoStruct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// The name of a parameter, or of an object with its trailing dot.
    pub name: ParamPath,
    /// Parameter: can be set. Table: AddObject. Instance: DeleteObject.
    pub writable: bool,
}

/// `GetParameterNames`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetParameterNames {
    /// The path to look below; `None` is the empty path, the root.
    pub path: Option<ParamPath>,
    /// True: direct children only.
    pub next_level: bool,
}

/// `GetParameterValues`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetParameterValues {
    /// Full names, or partial paths that end with a dot.
    pub names: Vec<ParamPath>,
}

/// `SetParameterValues`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetParameterValues {
    /// What to set, all or nothing.
    pub values: Vec<ParameterValue>,
    /// ParameterKey; empty if it is of no use.
    pub parameter_key: Box<str>,
}

impl ParameterValue {
    /// Reads a `ParameterValueStruct`; `None` if its name is none.
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Option<Self>, ReadError> {
        let (mut name, mut value) = (xml.plain_name(), None);
        if name.is_some()
            && let Some((kind, text)) = xml.plain_value()
        {
            value = Some(Value::new(text, ValueType::from_name(kind)));
        }
        xml.members(|xml, tag| {
            match tag.local() {
                "Name" => name = Some(xml.path()?),
                "Value" => value = Some(read_value(xml, tag)?),
                _ => {}
            }
            Ok(())
        })?;
        let name = name.unwrap_or_else(|| {
            xml.odd(Oddity::BadName);
            None
        });
        let value = value.unwrap_or_else(|| {
            xml.odd(Oddity::NoValue);
            Value::default()
        });
        Ok(name.map(|name| Self { name, value }))
    }

    /// Writes a `ParameterList` of values.
    pub(super) fn write_list(xml: &mut Writer, list: &[Self]) {
        xml.array("ParameterList", "cwmp:ParameterValueStruct", list, |xml, one| {
            xml.element("ParameterValueStruct", |xml| {
                xml.text("Name", one.name.as_str());
                xml.value(&one.value);
            });
        });
    }
}

/// Reads a `Value` with its type. Blanks in it are its own (Q2).
fn read_value<'a>(xml: &mut Scanner<'a>, tag: &Tag<'a>) -> Result<Value, ReadError> {
    let kind = match tag.attribute("type") {
        Some(name) => ValueType::from_name(&name),
        None => {
            xml.odd(Oddity::NoType);
            ValueType::String
        }
    };
    Ok(Value::new(xml.value()?, kind))
}

impl ParameterInfo {
    /// Reads a `ParameterInfoStruct`; `None` if its name is none.
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Option<Self>, ReadError> {
        let (mut name, mut writable) = (xml.plain_name().flatten(), false);
        if name.is_some() {
            writable = xml.plain_writable().unwrap_or(false);
        }
        xml.members(|xml, tag| {
            match tag.local() {
                "Name" => name = xml.path()?,
                "Writable" => writable = xml.boolean()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(name.map(|name| Self { name, writable }))
    }

    /// Writes a `ParameterList` of names.
    pub(super) fn write_list(xml: &mut Writer, list: &[Self]) {
        xml.array("ParameterList", "cwmp:ParameterInfoStruct", list, |xml, one| {
            xml.element("ParameterInfoStruct", |xml| {
                xml.text("Name", one.name.as_str());
                xml.boolean("Writable", one.writable);
            });
        });
    }
}

impl GetParameterNames {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut request = Self { path: None, next_level: false };
        xml.members(|xml, tag| {
            match tag.local() {
                "ParameterPath" => request.path = xml.path_or_root()?,
                "NextLevel" => request.next_level = xml.boolean()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(request)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("ParameterPath", self.path.as_ref().map_or("", ParamPath::as_str));
        xml.next_level(self.next_level);
    }
}

impl GetParameterValues {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        Ok(Self { names: read_names(xml)? })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        write_names(xml, &self.names);
    }
}

/// Reads the `ParameterNames` that are all there is in a message.
pub(super) fn read_names(xml: &mut Scanner<'_>) -> Result<Vec<ParamPath>, ReadError> {
    let mut names = Vec::new();
    xml.members(|xml, tag| {
        if tag.local() == "ParameterNames" {
            names = xml.list(|xml, _| xml.path())?;
        }
        Ok(())
    })?;
    Ok(names)
}

/// Writes `ParameterNames`.
pub(super) fn write_names(xml: &mut Writer, names: &[ParamPath]) {
    xml.array("ParameterNames", "xsd:string", names, |xml, name| xml.text("string", name.as_str()));
}

impl SetParameterValues {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut request = Self { values: Vec::new(), parameter_key: Box::default() };
        xml.members(|xml, tag| {
            match tag.local() {
                "ParameterList" => request.values = xml.list(|xml, _| ParameterValue::read(xml))?,
                "ParameterKey" => request.parameter_key = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(request)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        ParameterValue::write_list(xml, &self.values);
        xml.text("ParameterKey", &self.parameter_key);
    }
}
