//! All messages, by who sends them.

use super::control::{GetRpcMethodsResponse, Reboot};
use super::fault::Fault;
use super::inform::Inform;
use super::objects::{AddObject, AddObjectResponse, DeleteObject};
use super::parameters::{
    GetParameterNames, GetParameterValues, ParameterInfo, ParameterValue, SetParameterValues,
};
use super::transfer::{Download, TransferComplete, TransferResponse};

/// Who wrote a message; `GetRPCMethods` means one thing from each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The device.
    Cpe,
    /// The server.
    Acs,
}

/// What stands in a SOAP body.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A request of the device.
    CpeRequest(CpeRequest),
    /// The server's answer to it.
    AcsResponse(AcsResponse),
    /// A request of the server.
    AcsRequest(AcsRequest),
    /// The device's answer to it.
    CpeResponse(CpeResponse),
    /// A fault, always in place of a response.
    Fault(Fault),
}

/// What a device asks of the server (TR-069 §A.3.3, §A.4.2).
#[derive(Clone, Debug, PartialEq)]
pub enum CpeRequest {
    /// `Inform`.
    Inform(Box<Inform>),
    /// `TransferComplete`.
    TransferComplete(TransferComplete),
    /// `GetRPCMethods`.
    GetRpcMethods,
    /// A method that Provost does not know, or does not serve yet: its name.
    /// Answered with fault 8000 (Q53).
    Unknown(Box<str>),
}

/// What the server answers (TR-069 §A.3.3).
#[derive(Clone, Debug, PartialEq)]
pub enum AcsResponse {
    /// `InformResponse`; MaxEnvelopes is always 1.
    Inform,
    /// `TransferCompleteResponse`.
    TransferComplete,
    /// `GetRPCMethodsResponse`.
    GetRpcMethods(GetRpcMethodsResponse),
}

/// What the server asks of a device (TR-069 §A.3.2, §A.4.1).
#[derive(Clone, Debug, PartialEq)]
pub enum AcsRequest {
    /// `GetRPCMethods`.
    GetRpcMethods,
    /// `SetParameterValues`.
    SetParameterValues(SetParameterValues),
    /// `GetParameterValues`.
    GetParameterValues(GetParameterValues),
    /// `GetParameterNames`.
    GetParameterNames(GetParameterNames),
    /// `AddObject`.
    AddObject(AddObject),
    /// `DeleteObject`.
    DeleteObject(DeleteObject),
    /// `Download`.
    Download(Box<Download>),
    /// `Reboot`.
    Reboot(Reboot),
    /// `FactoryReset`.
    FactoryReset,
}

/// What a device answers.
#[derive(Clone, Debug, PartialEq)]
pub enum CpeResponse {
    /// `GetRPCMethodsResponse`.
    GetRpcMethods(GetRpcMethodsResponse),
    /// `SetParameterValuesResponse`: 0 applied, 1 stored and applied later.
    SetParameterValues(u32),
    /// `GetParameterValuesResponse`.
    GetParameterValues(Vec<ParameterValue>),
    /// `GetParameterNamesResponse`.
    GetParameterNames(Vec<ParameterInfo>),
    /// `AddObjectResponse`.
    AddObject(AddObjectResponse),
    /// `DeleteObjectResponse`: 0 applied, 1 later.
    DeleteObject(u32),
    /// `DownloadResponse`.
    Download(TransferResponse),
    /// `RebootResponse`.
    Reboot,
    /// `FactoryResetResponse`.
    FactoryReset,
    /// A response that Provost does not know: the element's name.
    Unknown(Box<str>),
}

impl AcsRequest {
    /// The method's name as it stands on the wire.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::GetRpcMethods => "GetRPCMethods",
            Self::SetParameterValues(_) => "SetParameterValues",
            Self::GetParameterValues(_) => "GetParameterValues",
            Self::GetParameterNames(_) => "GetParameterNames",
            Self::AddObject(_) => "AddObject",
            Self::DeleteObject(_) => "DeleteObject",
            Self::Download(_) => "Download",
            Self::Reboot(_) => "Reboot",
            Self::FactoryReset => "FactoryReset",
        }
    }
}
