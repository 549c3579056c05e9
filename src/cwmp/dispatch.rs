//! Which element is which message: the one table for the reader, and the one
//! for the writer.

use super::attributes::{GetParameterAttributes, ParameterAttributes, SetParameterAttributes};
use super::control::{GetRpcMethodsResponse, Reboot};
use super::deployment::{AutonomousDuStateChangeComplete, ChangeDuState, DuStateChangeComplete};
use super::fault::Fault;
use super::inform::Inform;
use super::kicked::{Kicked, KickedResponse};
use super::message::{AcsRequest, AcsResponse, CpeRequest, CpeResponse, Message, Side};
use super::objects::{AddObject, AddObjectResponse, DeleteObject, read_status};
use super::options::{GetOptions, OptionState, SetVouchers};
use super::parameters::{
    GetParameterNames, GetParameterValues, ParameterInfo, ParameterValue, SetParameterValues,
};
use super::queue::{AnyQueuedTransfer, QueuedTransfer};
use super::read::{ReadError, Scanner};
use super::schedule::{CancelTransfer, ScheduleDownload, ScheduleInform};
use super::transfer::{
    AutonomousTransferComplete, Download, RequestDownload, TransferComplete, TransferResponse,
    Upload,
};
use super::write::Writer;

impl Message {
    /// Reads the message whose element was just opened.
    pub(super) fn read(
        xml: &mut Scanner<'_>,
        element: &str,
        from: Side,
    ) -> Result<Self, ReadError> {
        let is_response = element.ends_with("Response");
        Ok(match from {
            _ if element == "Fault" => Self::Fault(Fault::read(xml, from)?),
            Side::Cpe if is_response => Self::CpeResponse(CpeResponse::read(xml, element)?),
            Side::Cpe => Self::CpeRequest(CpeRequest::read(xml, element)?),
            Side::Acs if is_response => Self::AcsResponse(AcsResponse::read(xml, element)?),
            Side::Acs => Self::AcsRequest(AcsRequest::read(xml, element)?),
        })
    }

    /// Writes the message with its element.
    pub(super) fn write(&self, xml: &mut Writer) {
        match self {
            Self::Fault(fault) => fault.write(xml),
            Self::CpeRequest(request) => xml.message(request.method(), |xml| request.write(xml)),
            Self::AcsResponse(response) => {
                xml.message(response.element(), |xml| response.write(xml));
            }
            Self::AcsRequest(request) => xml.message(request.method(), |xml| request.write(xml)),
            Self::CpeResponse(response) => {
                xml.message(response.element(), |xml| response.write(xml));
            }
        }
    }
}

impl CpeRequest {
    fn read(xml: &mut Scanner<'_>, element: &str) -> Result<Self, ReadError> {
        Ok(match element {
            "Inform" => Self::Inform(Box::new(Inform::read(xml)?)),
            "TransferComplete" => Self::TransferComplete(TransferComplete::read(xml)?),
            "GetRPCMethods" => Self::GetRpcMethods,
            "AutonomousTransferComplete" => {
                Self::AutonomousTransferComplete(Box::new(AutonomousTransferComplete::read(xml)?))
            }
            "RequestDownload" => Self::RequestDownload(RequestDownload::read(xml)?),
            "Kicked" => Self::Kicked(Kicked::read(xml)?),
            "DUStateChangeComplete" => {
                Self::DuStateChangeComplete(DuStateChangeComplete::read(xml)?)
            }
            "AutonomousDUStateChangeComplete" => {
                Self::AutonomousDuStateChangeComplete(AutonomousDuStateChangeComplete::read(xml)?)
            }
            other => Self::Unknown(shortened(other)),
        })
    }

    fn write(&self, xml: &mut Writer) {
        match self {
            Self::Inform(one) => one.write(xml),
            Self::TransferComplete(one) => one.write(xml),
            Self::AutonomousTransferComplete(one) => one.write(xml),
            Self::RequestDownload(one) => one.write(xml),
            Self::Kicked(one) => one.write(xml),
            Self::DuStateChangeComplete(one) => one.write(xml),
            Self::AutonomousDuStateChangeComplete(one) => one.write(xml),
            Self::GetRpcMethods | Self::Unknown(_) => {}
        }
    }
}

impl AcsResponse {
    fn read(xml: &mut Scanner<'_>, element: &str) -> Result<Self, ReadError> {
        Ok(match element {
            "InformResponse" => Self::Inform,
            "TransferCompleteResponse" => Self::TransferComplete,
            "GetRPCMethodsResponse" => Self::GetRpcMethods(GetRpcMethodsResponse::read(xml)?),
            "AutonomousTransferCompleteResponse" => Self::AutonomousTransferComplete,
            "RequestDownloadResponse" => Self::RequestDownload,
            "KickedResponse" => Self::Kicked(KickedResponse::read(xml)?),
            "DUStateChangeCompleteResponse" => Self::DuStateChangeComplete,
            "AutonomousDUStateChangeCompleteResponse" => Self::AutonomousDuStateChangeComplete,
            other => Self::Unknown(shortened(other)),
        })
    }

    fn write(&self, xml: &mut Writer) {
        match self {
            Self::Inform => xml.number("MaxEnvelopes", 1),
            Self::GetRpcMethods(one) => one.write(xml),
            Self::Kicked(one) => one.write(xml),
            Self::TransferComplete
            | Self::AutonomousTransferComplete
            | Self::RequestDownload
            | Self::DuStateChangeComplete
            | Self::AutonomousDuStateChangeComplete
            | Self::Unknown(_) => {}
        }
    }
}

impl AcsRequest {
    fn read(xml: &mut Scanner<'_>, element: &str) -> Result<Self, ReadError> {
        Ok(match element {
            "GetRPCMethods" => Self::GetRpcMethods,
            "SetParameterValues" => Self::SetParameterValues(SetParameterValues::read(xml)?),
            "GetParameterValues" => Self::GetParameterValues(GetParameterValues::read(xml)?),
            "GetParameterNames" => Self::GetParameterNames(GetParameterNames::read(xml)?),
            "AddObject" => Self::AddObject(AddObject::read(xml)?),
            "DeleteObject" => Self::DeleteObject(DeleteObject::read(xml)?),
            "Download" => Self::Download(Box::new(Download::read(xml)?)),
            "Reboot" => Self::Reboot(Reboot::read(xml)?),
            "FactoryReset" => Self::FactoryReset,
            "SetParameterAttributes" => {
                Self::SetParameterAttributes(SetParameterAttributes::read(xml)?)
            }
            "GetParameterAttributes" => {
                Self::GetParameterAttributes(GetParameterAttributes::read(xml)?)
            }
            "Upload" => Self::Upload(Box::new(Upload::read(xml)?)),
            "ScheduleInform" => Self::ScheduleInform(ScheduleInform::read(xml)?),
            "ScheduleDownload" => Self::ScheduleDownload(Box::new(ScheduleDownload::read(xml)?)),
            "CancelTransfer" => Self::CancelTransfer(CancelTransfer::read(xml)?),
            "GetQueuedTransfers" => Self::GetQueuedTransfers,
            "GetAllQueuedTransfers" => Self::GetAllQueuedTransfers,
            "ChangeDUState" => Self::ChangeDuState(ChangeDuState::read(xml)?),
            "SetVouchers" => Self::SetVouchers(SetVouchers::read(xml)?),
            "GetOptions" => Self::GetOptions(GetOptions::read(xml)?),
            other => Self::Unknown(shortened(other)),
        })
    }

    fn write(&self, xml: &mut Writer) {
        match self {
            Self::SetParameterValues(one) => one.write(xml),
            Self::GetParameterValues(one) => one.write(xml),
            Self::GetParameterNames(one) => one.write(xml),
            Self::AddObject(one) => one.write(xml),
            Self::DeleteObject(one) => one.write(xml),
            Self::Download(one) => one.write(xml),
            Self::Reboot(one) => one.write(xml),
            Self::SetParameterAttributes(one) => one.write(xml),
            Self::GetParameterAttributes(one) => one.write(xml),
            Self::Upload(one) => one.write(xml),
            Self::ScheduleInform(one) => one.write(xml),
            Self::ScheduleDownload(one) => one.write(xml),
            Self::CancelTransfer(one) => one.write(xml),
            Self::ChangeDuState(one) => one.write(xml),
            Self::SetVouchers(one) => one.write(xml),
            Self::GetOptions(one) => one.write(xml),
            Self::GetRpcMethods
            | Self::FactoryReset
            | Self::GetQueuedTransfers
            | Self::GetAllQueuedTransfers
            | Self::Unknown(_) => {}
        }
    }
}

impl CpeResponse {
    fn read(xml: &mut Scanner<'_>, element: &str) -> Result<Self, ReadError> {
        Ok(match element {
            "GetRPCMethodsResponse" => Self::GetRpcMethods(GetRpcMethodsResponse::read(xml)?),
            "SetParameterValuesResponse" => Self::SetParameterValues(read_status(xml)?),
            "GetParameterValuesResponse" => {
                Self::GetParameterValues(members_of("ParameterList", xml, ParameterValue::read)?)
            }
            "GetParameterNamesResponse" => {
                Self::GetParameterNames(members_of("ParameterList", xml, ParameterInfo::read)?)
            }
            "AddObjectResponse" => Self::AddObject(AddObjectResponse::read(xml)?),
            "DeleteObjectResponse" => Self::DeleteObject(read_status(xml)?),
            "DownloadResponse" => Self::Download(TransferResponse::read(xml)?),
            "RebootResponse" => Self::Reboot,
            "FactoryResetResponse" => Self::FactoryReset,
            "SetParameterAttributesResponse" => Self::SetParameterAttributes,
            "GetParameterAttributesResponse" => Self::GetParameterAttributes(members_of(
                "ParameterList",
                xml,
                ParameterAttributes::read,
            )?),
            "UploadResponse" => Self::Upload(TransferResponse::read(xml)?),
            "ScheduleInformResponse" => Self::ScheduleInform,
            "ScheduleDownloadResponse" => Self::ScheduleDownload,
            "CancelTransferResponse" => Self::CancelTransfer,
            "GetQueuedTransfersResponse" => {
                Self::GetQueuedTransfers(members_of("TransferList", xml, |xml| {
                    QueuedTransfer::read(xml).map(Some)
                })?)
            }
            "GetAllQueuedTransfersResponse" => {
                Self::GetAllQueuedTransfers(members_of("TransferList", xml, |xml| {
                    AnyQueuedTransfer::read(xml).map(Some)
                })?)
            }
            "ChangeDUStateResponse" => Self::ChangeDuState,
            "SetVouchersResponse" => Self::SetVouchers,
            "GetOptionsResponse" => {
                let read = |xml: &mut Scanner<'_>| OptionState::read(xml).map(Some);
                Self::GetOptions(members_of("OptionList", xml, read)?)
            }
            other => Self::Unknown(shortened(other)),
        })
    }

    fn write(&self, xml: &mut Writer) {
        match self {
            Self::GetRpcMethods(one) => one.write(xml),
            Self::SetParameterValues(status) | Self::DeleteObject(status) => {
                xml.number("Status", *status);
            }
            Self::GetParameterValues(list) => ParameterValue::write_list(xml, list),
            Self::GetParameterNames(list) => ParameterInfo::write_list(xml, list),
            Self::AddObject(one) => one.write(xml),
            Self::Download(one) | Self::Upload(one) => one.write(xml),
            Self::GetParameterAttributes(list) => ParameterAttributes::write_list(xml, list),
            Self::GetQueuedTransfers(list) => QueuedTransfer::write_list(xml, list),
            Self::GetAllQueuedTransfers(list) => AnyQueuedTransfer::write_list(xml, list),
            Self::GetOptions(list) => OptionState::write_list(xml, list),
            Self::Reboot
            | Self::FactoryReset
            | Self::SetParameterAttributes
            | Self::ScheduleInform
            | Self::ScheduleDownload
            | Self::CancelTransfer
            | Self::ChangeDuState
            | Self::SetVouchers
            | Self::Unknown(_) => {}
        }
    }
}

/// Reads the one list that a response consists of.
fn members_of<T>(
    name: &str,
    xml: &mut Scanner<'_>,
    read: impl Fn(&mut Scanner<'_>) -> Result<Option<T>, ReadError>,
) -> Result<Vec<T>, ReadError> {
    let mut list = Vec::new();
    xml.members(|xml, tag| {
        if tag.local() == name {
            list = xml.list(|xml, _| read(xml))?;
        }
        Ok(())
    })?;
    Ok(list)
}

fn shortened(name: &str) -> Box<str> {
    name.chars().take(64).collect()
}
