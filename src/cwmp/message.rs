//! All messages, by who sends them.

use super::attributes::{GetParameterAttributes, ParameterAttributes, SetParameterAttributes};
use super::control::{GetRpcMethodsResponse, Reboot};
use super::deployment::{AutonomousDuStateChangeComplete, ChangeDuState, DuStateChangeComplete};
use super::fault::Fault;
use super::inform::Inform;
use super::kicked::{Kicked, KickedResponse};
use super::objects::{AddObject, AddObjectResponse, DeleteObject};
use super::options::{GetOptions, OptionState, SetVouchers};
use super::parameters::{
    GetParameterNames, GetParameterValues, ParameterInfo, ParameterValue, SetParameterValues,
};
use super::queue::{AnyQueuedTransfer, QueuedTransfer};
use super::schedule::{CancelTransfer, ScheduleDownload, ScheduleInform};
use super::transfer::{
    AutonomousTransferComplete, Download, RequestDownload, TransferComplete, TransferResponse,
    Upload,
};

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
    /// `AutonomousTransferComplete`.
    AutonomousTransferComplete(Box<AutonomousTransferComplete>),
    /// `RequestDownload`.
    RequestDownload(RequestDownload),
    /// `Kicked`.
    Kicked(Kicked),
    /// `DUStateChangeComplete`.
    DuStateChangeComplete(DuStateChangeComplete),
    /// `AutonomousDUStateChangeComplete`.
    AutonomousDuStateChangeComplete(AutonomousDuStateChangeComplete),
    /// A method that is not of the standard: its name. Answered with fault
    /// 8000 (Q53).
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
    /// `AutonomousTransferCompleteResponse`.
    AutonomousTransferComplete,
    /// `RequestDownloadResponse`.
    RequestDownload,
    /// `KickedResponse`.
    Kicked(KickedResponse),
    /// `DUStateChangeCompleteResponse`.
    DuStateChangeComplete,
    /// `AutonomousDUStateChangeCompleteResponse`.
    AutonomousDuStateChangeComplete,
    /// A response that is not of the standard: the element's name.
    Unknown(Box<str>),
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
    /// `SetParameterAttributes`.
    SetParameterAttributes(SetParameterAttributes),
    /// `GetParameterAttributes`.
    GetParameterAttributes(GetParameterAttributes),
    /// `Upload`.
    Upload(Box<Upload>),
    /// `ScheduleInform`.
    ScheduleInform(ScheduleInform),
    /// `ScheduleDownload`.
    ScheduleDownload(Box<ScheduleDownload>),
    /// `CancelTransfer`.
    CancelTransfer(CancelTransfer),
    /// `GetQueuedTransfers`, deprecated.
    GetQueuedTransfers,
    /// `GetAllQueuedTransfers`.
    GetAllQueuedTransfers,
    /// `ChangeDUState`.
    ChangeDuState(ChangeDuState),
    /// `SetVouchers`, deprecated.
    SetVouchers(SetVouchers),
    /// `GetOptions`, deprecated.
    GetOptions(GetOptions),
    /// A method that is not of the standard: its name. A device answers it
    /// with fault 9000.
    Unknown(Box<str>),
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
    /// `SetParameterAttributesResponse`.
    SetParameterAttributes,
    /// `GetParameterAttributesResponse`.
    GetParameterAttributes(Vec<ParameterAttributes>),
    /// `UploadResponse`.
    Upload(TransferResponse),
    /// `ScheduleInformResponse`.
    ScheduleInform,
    /// `ScheduleDownloadResponse`.
    ScheduleDownload,
    /// `CancelTransferResponse`.
    CancelTransfer,
    /// `GetQueuedTransfersResponse`.
    GetQueuedTransfers(Vec<QueuedTransfer>),
    /// `GetAllQueuedTransfersResponse`.
    GetAllQueuedTransfers(Vec<AnyQueuedTransfer>),
    /// `ChangeDUStateResponse`.
    ChangeDuState,
    /// `SetVouchersResponse`.
    SetVouchers,
    /// `GetOptionsResponse`.
    GetOptions(Vec<OptionState>),
    /// A response that is not of the standard: the element's name.
    Unknown(Box<str>),
}

impl CpeRequest {
    /// The method's name as it stands on the wire.
    pub fn method(&self) -> &str {
        match self {
            Self::Inform(_) => "Inform",
            Self::TransferComplete(_) => "TransferComplete",
            Self::GetRpcMethods => "GetRPCMethods",
            Self::AutonomousTransferComplete(_) => "AutonomousTransferComplete",
            Self::RequestDownload(_) => "RequestDownload",
            Self::Kicked(_) => "Kicked",
            Self::DuStateChangeComplete(_) => "DUStateChangeComplete",
            Self::AutonomousDuStateChangeComplete(_) => "AutonomousDUStateChangeComplete",
            Self::Unknown(name) => name,
        }
    }
}

impl AcsResponse {
    /// The element's name as it stands on the wire.
    pub fn element(&self) -> &str {
        match self {
            Self::Inform => "InformResponse",
            Self::TransferComplete => "TransferCompleteResponse",
            Self::GetRpcMethods(_) => "GetRPCMethodsResponse",
            Self::AutonomousTransferComplete => "AutonomousTransferCompleteResponse",
            Self::RequestDownload => "RequestDownloadResponse",
            Self::Kicked(_) => "KickedResponse",
            Self::DuStateChangeComplete => "DUStateChangeCompleteResponse",
            Self::AutonomousDuStateChangeComplete => "AutonomousDUStateChangeCompleteResponse",
            Self::Unknown(name) => name,
        }
    }
}

impl AcsRequest {
    /// The method's name as it stands on the wire.
    pub fn method(&self) -> &str {
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
            Self::SetParameterAttributes(_) => "SetParameterAttributes",
            Self::GetParameterAttributes(_) => "GetParameterAttributes",
            Self::Upload(_) => "Upload",
            Self::ScheduleInform(_) => "ScheduleInform",
            Self::ScheduleDownload(_) => "ScheduleDownload",
            Self::CancelTransfer(_) => "CancelTransfer",
            Self::GetQueuedTransfers => "GetQueuedTransfers",
            Self::GetAllQueuedTransfers => "GetAllQueuedTransfers",
            Self::ChangeDuState(_) => "ChangeDUState",
            Self::SetVouchers(_) => "SetVouchers",
            Self::GetOptions(_) => "GetOptions",
            Self::Unknown(name) => name,
        }
    }
}

impl CpeResponse {
    /// The element's name as it stands on the wire.
    pub fn element(&self) -> &str {
        match self {
            Self::GetRpcMethods(_) => "GetRPCMethodsResponse",
            Self::SetParameterValues(_) => "SetParameterValuesResponse",
            Self::GetParameterValues(_) => "GetParameterValuesResponse",
            Self::GetParameterNames(_) => "GetParameterNamesResponse",
            Self::AddObject(_) => "AddObjectResponse",
            Self::DeleteObject(_) => "DeleteObjectResponse",
            Self::Download(_) => "DownloadResponse",
            Self::Reboot => "RebootResponse",
            Self::FactoryReset => "FactoryResetResponse",
            Self::SetParameterAttributes => "SetParameterAttributesResponse",
            Self::GetParameterAttributes(_) => "GetParameterAttributesResponse",
            Self::Upload(_) => "UploadResponse",
            Self::ScheduleInform => "ScheduleInformResponse",
            Self::ScheduleDownload => "ScheduleDownloadResponse",
            Self::CancelTransfer => "CancelTransferResponse",
            Self::GetQueuedTransfers(_) => "GetQueuedTransfersResponse",
            Self::GetAllQueuedTransfers(_) => "GetAllQueuedTransfersResponse",
            Self::ChangeDuState => "ChangeDUStateResponse",
            Self::SetVouchers => "SetVouchersResponse",
            Self::GetOptions(_) => "GetOptionsResponse",
            Self::Unknown(name) => name,
        }
    }

    /// Whether this answers a request of the method.
    pub fn answers(&self, method: &str) -> bool {
        self.element().strip_suffix("Response") == Some(method)
    }
}

impl Message {
    /// The element's name as it stands on the wire: `Inform`, `Fault`.
    pub fn element(&self) -> &str {
        match self {
            Self::CpeRequest(request) => request.method(),
            Self::AcsResponse(response) => response.element(),
            Self::AcsRequest(request) => request.method(),
            Self::CpeResponse(response) => response.element(),
            Self::Fault(_) => "Fault",
        }
    }
}
