//! Attribute RPCs: `SetParameterAttributes`, `GetParameterAttributes`
//! (TR-069 §A.3.2.4, §A.3.2.5).

use super::parameters::{read_names, write_names};
use super::read::{ReadError, Scanner};
use super::write::Writer;
use crate::param::ParamPath;

/// `SetParameterAttributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetParameterAttributes {
    /// What to change.
    pub changes: Vec<AttributeChange>,
}

/// `SetParameterAttributesStruct`: `None` leaves an attribute as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeChange {
    /// A parameter, or an object for all that lies below it.
    pub name: ParamPath,
    /// `Notification`: 0 off, 1 passive, 2 active, 3 to 6 with lightweight
    /// notifications (from version 1.4 on).
    pub notification: Option<u32>,
    /// `AccessList`: who besides the server may write; only `Subscriber` is
    /// defined.
    pub access_list: Option<Vec<Box<str>>>,
}

/// `GetParameterAttributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetParameterAttributes {
    /// Full names, or partial paths that end with a dot.
    pub names: Vec<ParamPath>,
}

/// `ParameterAttributeStruct` of `GetParameterAttributesResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterAttributes {
    /// The parameter's full name.
    pub name: ParamPath,
    /// 0 off, 1 passive, 2 active, 3 to 6 with lightweight notifications.
    pub notification: u32,
    /// Who besides the server may write.
    pub access_list: Vec<Box<str>>,
}

impl SetParameterAttributes {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut changes = Vec::new();
        xml.members(|xml, tag| {
            if tag.local() == "ParameterList" {
                changes = xml.list(|xml, _| AttributeChange::read(xml))?;
            }
            Ok(())
        })?;
        Ok(Self { changes })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        let member = "cwmp:SetParameterAttributesStruct";
        xml.array("ParameterList", member, &self.changes, |xml, one| one.write(xml));
    }
}

impl AttributeChange {
    fn read(xml: &mut Scanner<'_>) -> Result<Option<Self>, ReadError> {
        let mut name = None;
        let (mut notification, mut access_list) = (0, Vec::new());
        let (mut notification_counts, mut access_list_counts) = (false, false);
        xml.members(|xml, tag| {
            match tag.local() {
                "Name" => name = xml.path()?,
                "NotificationChange" => notification_counts = xml.boolean()?,
                "Notification" => notification = xml.number()?,
                "AccessListChange" => access_list_counts = xml.boolean()?,
                "AccessList" => access_list = read_access_list(xml)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(name.map(|name| Self {
            name,
            notification: notification_counts.then_some(notification),
            access_list: access_list_counts.then_some(access_list),
        }))
    }

    fn write(&self, xml: &mut Writer) {
        xml.element("SetParameterAttributesStruct", |xml| {
            xml.text("Name", self.name.as_str());
            xml.boolean("NotificationChange", self.notification.is_some());
            xml.number("Notification", self.notification.unwrap_or(0));
            xml.boolean("AccessListChange", self.access_list.is_some());
            write_access_list(xml, self.access_list.as_deref().unwrap_or_default());
        });
    }
}

impl GetParameterAttributes {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        Ok(Self { names: read_names(xml)? })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        write_names(xml, &self.names);
    }
}

impl ParameterAttributes {
    /// Reads a `ParameterAttributeStruct`; `None` if its name is none.
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Option<Self>, ReadError> {
        let mut name = None;
        let (mut notification, mut access_list) = (0, Vec::new());
        xml.members(|xml, tag| {
            match tag.local() {
                "Name" => name = xml.path()?,
                "Notification" => notification = xml.number()?,
                "AccessList" => access_list = read_access_list(xml)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(name.map(|name| Self { name, notification, access_list }))
    }

    /// Writes a `ParameterList` of attributes.
    pub(super) fn write_list(xml: &mut Writer, list: &[Self]) {
        xml.array("ParameterList", "cwmp:ParameterAttributeStruct", list, |xml, one| {
            xml.element("ParameterAttributeStruct", |xml| {
                xml.text("Name", one.name.as_str());
                xml.number("Notification", one.notification);
                write_access_list(xml, &one.access_list);
            });
        });
    }
}

fn read_access_list(xml: &mut Scanner<'_>) -> Result<Vec<Box<str>>, ReadError> {
    xml.list(|xml, _| xml.text().map(Some))
}

fn write_access_list(xml: &mut Writer, list: &[Box<str>]) {
    xml.array("AccessList", "xsd:string", list, |xml, one| xml.text("string", one));
}
