//! `GetRPCMethods`, `Reboot`, `FactoryReset` (TR-069 §A.3.1.1, §A.3.2.9, §A.4.1.6).

use super::read::{ReadError, Scanner};
use super::write::Writer;

/// `GetRPCMethodsResponse`, of either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetRpcMethodsResponse {
    /// The names of the methods.
    pub methods: Vec<Box<str>>,
}

/// `Reboot`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reboot {
    /// Comes back with the `M Reboot` event; at most 32 characters.
    pub command_key: Box<str>,
}

impl GetRpcMethodsResponse {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut methods = Vec::new();
        xml.members(|xml, tag| {
            if tag.local() == "MethodList" {
                methods = xml.list(|xml, _| xml.text().map(Some))?;
            }
            Ok(())
        })?;
        Ok(Self { methods })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.array("MethodList", "xsd:string", &self.methods, |xml, one| xml.text("string", one));
    }
}

impl Reboot {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            if tag.local() == "CommandKey" {
                one.command_key = xml.text()?;
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("CommandKey", &self.command_key);
    }
}
