//! Faults (TR-069 §3.4.7 for the layout, §A.5 for the codes).

use std::fmt;

use super::message::Side;
use super::read::{Oddity, ReadError, Scanner};
use super::write::Writer;

/// A fault code of either side, 0 for none; vendor codes are kept as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultCode(pub u32);

impl FaultCode {
    /// The ACS does not know the method.
    pub const ACS_METHOD_NOT_SUPPORTED: Self = Self(8000);
    /// The ACS denies the request.
    pub const ACS_REQUEST_DENIED: Self = Self(8001);
    /// The ACS failed.
    pub const ACS_INTERNAL_ERROR: Self = Self(8002);
    /// The ACS finds the arguments invalid.
    pub const ACS_INVALID_ARGUMENTS: Self = Self(8003);
    /// The ACS has no room for it.
    pub const ACS_RESOURCES_EXCEEDED: Self = Self(8004);
    /// The device is to repeat the very same message.
    pub const ACS_RETRY_REQUEST: Self = Self(8005);
    /// No protocol version in common.
    pub const ACS_VERSION_MISMATCH: Self = Self(8006);
    /// The device does not know the method.
    pub const METHOD_NOT_SUPPORTED: Self = Self(9000);
    /// The device denies the request.
    pub const REQUEST_DENIED: Self = Self(9001);
    /// The device failed.
    pub const INTERNAL_ERROR: Self = Self(9002);
    /// The device finds the arguments invalid.
    pub const INVALID_ARGUMENTS: Self = Self(9003);
    /// The device has no room for it.
    pub const RESOURCES_EXCEEDED: Self = Self(9004);
    /// No such parameter.
    pub const INVALID_PARAMETER_NAME: Self = Self(9005);
    /// The type does not fit.
    pub const INVALID_PARAMETER_TYPE: Self = Self(9006);
    /// The value does not fit.
    pub const INVALID_PARAMETER_VALUE: Self = Self(9007);
    /// The parameter cannot be written.
    pub const NOT_WRITABLE: Self = Self(9008);
    /// A file transfer failed.
    pub const TRANSFER_FAILED: Self = Self(9010);
}

impl FaultCode {
    /// The standard's words for the code (TR-069 §A.5); empty for the codes of
    /// vendors.
    pub const fn words(self) -> &'static str {
        match self.0 {
            8000 | 9000 => "Method not supported",
            8001 | 9001 => "Request denied",
            8002 | 9002 => "Internal error",
            8003 | 9003 => "Invalid arguments",
            8004 | 9004 => "Resources exceeded",
            8005 => "Retry request",
            8006 => "ACS version incompatible with CPE",
            9005 => "Invalid parameter name",
            9006 => "Invalid parameter type",
            9007 => "Invalid parameter value",
            9008 => "Attempt to set a non-writable parameter",
            9009 => "Notification request rejected",
            9010 => "File transfer failure",
            9011 => "Upload failure",
            9012 => "File transfer server authentication failure",
            9013 => "Unsupported protocol for file transfer",
            9014 => "File transfer failure: unable to join multicast group",
            9015 => "File transfer failure: unable to contact file server",
            9016 => "File transfer failure: unable to access file",
            9017 => "File transfer failure: unable to complete download",
            9018 => "File transfer failure: file corrupted or otherwise unusable",
            9019 => "File transfer failure: file authentication failure",
            9020 => "File transfer failure: unable to complete download within the time windows",
            9021 => "Cancelation of file transfer not permitted in current transfer state",
            9022 => "Invalid UUID format",
            9023 => "Unknown execution environment",
            9024 => "Disabled execution environment",
            9025 => "Deployment unit to execution environment mismatch",
            9026 => "Duplicate deployment unit",
            9027 => "System resources exceeded",
            9028 => "Unknown deployment unit",
            9029 => "Invalid deployment unit state",
            9030 => "Invalid deployment unit update: downgrade not permitted",
            9031 => "Invalid deployment unit update: version not specified",
            9032 => "Invalid deployment unit update: version already exists",
            _ => "",
        }
    }

    /// Whether the SOAP fault code is `Client`: the caller's mistake. Every
    /// other is `Server`.
    pub(super) const fn is_callers(self) -> bool {
        matches!(self.0, 8003 | 9003 | 9005..=9008)
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A fault in place of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The CWMP code; a SOAP fault without `cwmp:Fault` inside counts as 9002
    /// from a device.
    pub code: FaultCode,
    /// The CWMP text, or the SOAP text if there is none.
    pub text: Box<str>,
    /// `SetParameterValuesFault`, one per parameter; bounded.
    pub parameters: Vec<ParameterFault>,
}

/// `SetParameterValuesFault`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterFault {
    /// The parameter, as the device names it.
    pub name: Box<str>,
    /// Why it was refused.
    pub code: FaultCode,
    /// The device's words.
    pub text: Box<str>,
}

impl FaultCode {
    /// Reads a `FaultStruct`: code and text. It may be missing in a success.
    pub(super) fn read_struct(xml: &mut Scanner<'_>) -> Result<(Self, Box<str>), ReadError> {
        let (mut code, mut text) = (Self::default(), Box::default());
        xml.members(|xml, tag| {
            match tag.local() {
                "FaultCode" => code = Self(xml.number()?),
                "FaultString" => text = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok((code, text))
    }

    /// Writes a `FaultStruct`.
    pub(super) fn write_struct(self, xml: &mut Writer, name: &str, text: &str) {
        xml.element(name, |xml| {
            xml.number("FaultCode", self.0);
            xml.text("FaultString", text);
        });
    }
}

impl Fault {
    /// Reads what is inside of a SOAP Fault. What does not hold a CWMP fault
    /// counts as an internal error of the one who sent it.
    pub(super) fn read(xml: &mut Scanner<'_>, from: Side) -> Result<Self, ReadError> {
        let mut soap_text = Box::default();
        let mut found = None;
        xml.members(|xml, tag| {
            match tag.local() {
                "faultstring" => soap_text = xml.text()?,
                "detail" => xml.members(|xml, tag| {
                    if tag.local() == "Fault" {
                        found = Some(Self::read_detail(xml)?);
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        let mut fault = found.unwrap_or_else(|| {
            xml.odd(Oddity::PlainFault);
            let code = match from {
                Side::Cpe => FaultCode::INTERNAL_ERROR,
                Side::Acs => FaultCode::ACS_INTERNAL_ERROR,
            };
            Self { code, text: Box::default(), parameters: Vec::new() }
        });
        if fault.text.is_empty() {
            fault.text = soap_text;
        }
        Ok(fault)
    }

    fn read_detail(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut fault =
            Self { code: FaultCode::default(), text: Box::default(), parameters: Vec::new() };
        xml.members(|xml, tag| {
            match tag.local() {
                "FaultCode" => fault.code = FaultCode(xml.number()?),
                "FaultString" => fault.text = xml.text()?,
                "SetParameterValuesFault"
                    if fault.parameters.len() >= xml.limits().parameter_faults =>
                {
                    xml.odd(Oddity::CutList);
                }
                "SetParameterValuesFault" => fault.parameters.push(ParameterFault::read(xml)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(fault)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        let code = if self.code.is_callers() { "soap-env:Client" } else { "soap-env:Server" };
        xml.element("soap-env:Fault", |xml| {
            xml.text("faultcode", code);
            xml.text("faultstring", "CWMP fault");
            xml.element("detail", |xml| {
                xml.message("Fault", |xml| {
                    xml.number("FaultCode", self.code.0);
                    xml.text("FaultString", &self.text);
                    for one in &self.parameters {
                        xml.element("SetParameterValuesFault", |xml| one.write(xml));
                    }
                });
            });
        });
    }
}

impl ParameterFault {
    fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one =
            Self { name: Box::default(), code: FaultCode::default(), text: Box::default() };
        xml.members(|xml, tag| {
            match tag.local() {
                "ParameterName" => one.name = xml.text()?,
                "FaultCode" => one.code = FaultCode(xml.number()?),
                "FaultString" => one.text = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    fn write(&self, xml: &mut Writer) {
        xml.text("ParameterName", &self.name);
        xml.number("FaultCode", self.code.0);
        xml.text("FaultString", &self.text);
    }
}
