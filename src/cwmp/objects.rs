//! Object RPCs: `AddObject`, `DeleteObject` (TR-069 §A.3.2.6, §A.3.2.7).

use super::read::{Problem, ReadError, Scanner};
use super::write::Writer;
use crate::param::ParamPath;

/// `AddObject`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddObject {
    /// The table, with its trailing dot.
    pub table: ParamPath,
    /// ParameterKey; empty if it is of no use.
    pub parameter_key: Box<str>,
}

/// `AddObjectResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddObjectResponse {
    /// The number of the new instance, as the device wrote it; 1 and above by
    /// the standard.
    pub instance: u32,
    /// 0: made; 1: made later.
    pub status: u32,
}

/// `DeleteObject`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObject {
    /// The instance, with its trailing dot.
    pub instance: ParamPath,
    /// ParameterKey; empty if it is of no use.
    pub parameter_key: Box<str>,
}

impl AddObject {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let (table, parameter_key) = read_object(xml)?;
        Ok(Self { table, parameter_key })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("ObjectName", self.table.as_str());
        xml.text("ParameterKey", &self.parameter_key);
    }
}

impl AddObjectResponse {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self { instance: 0, status: 0 };
        xml.members(|xml, tag| {
            match tag.local() {
                "InstanceNumber" => one.instance = xml.number()?,
                "Status" => one.status = xml.number()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(self, xml: &mut Writer) {
        xml.number("InstanceNumber", self.instance);
        xml.number("Status", self.status);
    }
}

impl DeleteObject {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let (instance, parameter_key) = read_object(xml)?;
        Ok(Self { instance, parameter_key })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("ObjectName", self.instance.as_str());
        xml.text("ParameterKey", &self.parameter_key);
    }
}

/// Reads what AddObject and DeleteObject have in common.
fn read_object(xml: &mut Scanner<'_>) -> Result<(ParamPath, Box<str>), ReadError> {
    let (mut object, mut parameter_key) = (None, Box::default());
    xml.members(|xml, tag| {
        match tag.local() {
            "ObjectName" => object = xml.path()?,
            "ParameterKey" => parameter_key = xml.text()?,
            _ => {}
        }
        Ok(())
    })?;
    let object = object.ok_or_else(|| xml.error(Problem::Missing("ObjectName")))?;
    Ok((object, parameter_key))
}

/// Reads the `Status` that is all there is in a response.
pub(super) fn read_status(xml: &mut Scanner<'_>) -> Result<u32, ReadError> {
    let mut status = 0;
    xml.members(|xml, tag| {
        if tag.local() == "Status" {
            status = xml.number()?;
        }
        Ok(())
    })?;
    Ok(status)
}
