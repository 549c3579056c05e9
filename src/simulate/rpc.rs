//! How a device answers the requests of the ACS (TR-069 §A.3.2, §A.4.1).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use super::cpe::{Cpe, SimEvent};
use super::model::ModelFault;
use super::transfers::UNKNOWN_TIME;
use crate::cwmp::{
    AcsRequest, AddObject, AddObjectResponse, CpeResponse, DeleteObject, Download, Fault,
    FaultCode, GetRpcMethodsResponse, SetParameterValues, TransferResponse,
};
use crate::param::ParamPath;
use crate::time::Timestamp;

/// What a simulated device can do.
const METHODS: [&str; 20] = [
    "GetRPCMethods",
    "SetParameterValues",
    "GetParameterValues",
    "GetParameterNames",
    "AddObject",
    "DeleteObject",
    "Download",
    "Reboot",
    "FactoryReset",
    "SetParameterAttributes",
    "GetParameterAttributes",
    "Upload",
    "ScheduleInform",
    "ScheduleDownload",
    "CancelTransfer",
    "GetQueuedTransfers",
    "GetAllQueuedTransfers",
    "ChangeDUState",
    "SetVouchers",
    "GetOptions",
];

impl From<ModelFault> for Fault {
    fn from(fault: ModelFault) -> Self {
        Self { code: fault.code, text: fault.text.into(), parameters: fault.parameters }
    }
}

impl Cpe {
    /// Carries a request out, or says why not. Rows may be named by alias where
    /// the device has that.
    pub(super) fn answer(
        &mut self,
        request: AcsRequest,
        now: Timestamp,
    ) -> Result<CpeResponse, Fault> {
        let named = match &request {
            AcsRequest::AddObject(asked) if self.blueprint.has_aliases() => {
                asked.table.split_alias().map(|(table, alias)| (table, alias.to_owned()))
            }
            _ => None,
        };
        let request = self.in_numbers(request);
        let answer = self.carry_out_request(request, now)?;
        if let (Some((table, alias)), CpeResponse::AddObject(made)) = (named, &answer) {
            self.model.change(&format!("{table}{}.Alias", made.instance), &alias);
        }
        Ok(self.in_its_mode(answer))
    }

    fn carry_out_request(
        &mut self,
        request: AcsRequest,
        now: Timestamp,
    ) -> Result<CpeResponse, Fault> {
        match request {
            AcsRequest::GetRpcMethods => {
                let methods = METHODS.iter().map(|name| Box::from(*name)).collect();
                Ok(CpeResponse::GetRpcMethods(GetRpcMethodsResponse { methods }))
            }
            AcsRequest::GetParameterNames(asked) => {
                let names = self.model.names(asked.path.as_ref(), asked.next_level)?;
                Ok(CpeResponse::GetParameterNames(names))
            }
            AcsRequest::GetParameterValues(asked) => {
                Ok(CpeResponse::GetParameterValues(self.model.values(&asked.names)?))
            }
            AcsRequest::SetParameterValues(asked) => self.set(&asked, now),
            AcsRequest::AddObject(asked) => self.add_object(&asked),
            AcsRequest::DeleteObject(asked) => self.delete_object(asked),
            AcsRequest::Download(asked) => self.download(*asked, now),
            AcsRequest::Reboot(asked) => {
                self.restart.get_or_insert_default().keys.push(asked.command_key);
                Ok(CpeResponse::Reboot)
            }
            AcsRequest::FactoryReset => {
                self.restart.get_or_insert_default().factory_reset = true;
                Ok(CpeResponse::FactoryReset)
            }
            AcsRequest::SetParameterAttributes(asked) => {
                self.attributes.change(&self.model, &asked.changes)?;
                Ok(CpeResponse::SetParameterAttributes)
            }
            AcsRequest::GetParameterAttributes(asked) => {
                let found = self.attributes.read(&self.model, &asked.names)?;
                Ok(CpeResponse::GetParameterAttributes(found))
            }
            AcsRequest::Upload(asked) => {
                self.transfers.send(*asked, now).map_err(refusal)?;
                Ok(CpeResponse::Upload(later()))
            }
            AcsRequest::ScheduleInform(asked) => {
                if asked.delay_seconds == 0 {
                    return Err(fault(FaultCode::INVALID_ARGUMENTS, "the delay is 0"));
                }
                self.schedule(asked, now);
                Ok(CpeResponse::ScheduleInform)
            }
            AcsRequest::ScheduleDownload(asked) => {
                self.transfers.schedule(*asked, now).map_err(refusal)?;
                Ok(CpeResponse::ScheduleDownload)
            }
            AcsRequest::CancelTransfer(asked) => {
                self.transfers.cancel(&asked.command_key).map_err(refusal)?;
                Ok(CpeResponse::CancelTransfer)
            }
            AcsRequest::GetQueuedTransfers => {
                Ok(CpeResponse::GetQueuedTransfers(self.transfers.queued()))
            }
            AcsRequest::GetAllQueuedTransfers => {
                Ok(CpeResponse::GetAllQueuedTransfers(self.transfers.all_queued()))
            }
            AcsRequest::ChangeDuState(asked) => {
                self.modules.order(asked).map_err(refusal)?;
                Ok(CpeResponse::ChangeDuState)
            }
            AcsRequest::SetVouchers(asked) => {
                self.licences.take(&asked.vouchers, now).map_err(refusal)?;
                Ok(CpeResponse::SetVouchers)
            }
            AcsRequest::GetOptions(asked) => Ok(CpeResponse::GetOptions(
                self.licences.list(&asked.option_name).map_err(refusal)?,
            )),
            AcsRequest::Unknown(_) => {
                Err(fault(FaultCode::METHOD_NOT_SUPPORTED, "the method is not supported"))
            }
        }
    }

    fn set(&mut self, asked: &SetParameterValues, now: Timestamp) -> Result<CpeResponse, Fault> {
        check_key(&asked.parameter_key)?;
        let changed = self.model.set(&asked.values)?;
        self.note_key(&asked.parameter_key);
        let root = self.blueprint.root();
        let touches =
            |name: &str| changed.iter().any(|path| path.as_str().strip_prefix(root) == Some(name));
        self.diagnostics_written(&asked.values, now);
        self.moved |= touches("ManagementServer.URL");
        if touches("ManagementServer.PeriodicInformInterval")
            || touches("ManagementServer.PeriodicInformEnable")
        {
            self.periodic_from = now;
        }
        self.happened.push(SimEvent::Applied { paths: changed });
        Ok(CpeResponse::SetParameterValues(0))
    }

    fn add_object(&mut self, asked: &AddObject) -> Result<CpeResponse, Fault> {
        check_key(&asked.parameter_key)?;
        let instance = self.model.add_object(&asked.table)?;
        self.note_key(&asked.parameter_key);
        if let Ok(row) = ParamPath::parse(&format!("{}{instance}.", asked.table)) {
            self.happened.push(SimEvent::RowAdded { row });
        }
        Ok(CpeResponse::AddObject(AddObjectResponse { instance, status: 0 }))
    }

    fn delete_object(&mut self, asked: DeleteObject) -> Result<CpeResponse, Fault> {
        check_key(&asked.parameter_key)?;
        self.model.delete_object(&asked.instance)?;
        self.note_key(&asked.parameter_key);
        self.happened.push(SimEvent::RowDeleted { row: asked.instance });
        Ok(CpeResponse::DeleteObject(0))
    }

    fn download(&mut self, asked: Download, now: Timestamp) -> Result<CpeResponse, Fault> {
        self.transfers.order(asked, now).map_err(refusal)?;
        Ok(CpeResponse::Download(later()))
    }

    /// A request was carried out: its ParameterKey is the device's now.
    fn note_key(&mut self, key: &str) {
        let path = self.path("ManagementServer.ParameterKey");
        self.model.change(&path, key);
    }
}

fn check_key(key: &str) -> Result<(), Fault> {
    if key.chars().count() <= 32 {
        return Ok(());
    }
    Err(fault(FaultCode::INVALID_ARGUMENTS, "the ParameterKey is longer than 32 characters"))
}

fn refusal((code, text): (FaultCode, &'static str)) -> Fault {
    fault(code, text)
}

/// A transfer that is not done yet.
fn later() -> TransferResponse {
    TransferResponse {
        status: 1,
        start_time: UNKNOWN_TIME.into(),
        complete_time: UNKNOWN_TIME.into(),
    }
}

fn fault(code: FaultCode, text: &str) -> Fault {
    Fault { code, text: text.into(), parameters: Vec::new() }
}
