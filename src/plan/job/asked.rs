//! RPCs that end with their answer: methods, options, vouchers, the queue of
//! transfers.

use super::{Job, MAX_NOTES, Work};
use crate::cwmp::{
    AcsRequest, AnyQueuedTransfer, CancelTransfer, CpeResponse, FaultCode, GetOptions, OptionState,
    QueuedTransfer, SetVouchers,
};
use crate::device::{Ability, Action, Outcome, Task, TaskId};
use crate::plan::context::{Answer, Context, record_fault};

/// The device can no longer cancel a transfer (TR-069 §A.5.1).
const TOO_LATE: FaultCode = FaultCode(9021);

impl Job {
    /// The request of an RPC that ends with its answer.
    pub(super) fn asked_request(&self) -> Result<AcsRequest, String> {
        Ok(match &self.task.action {
            Action::GetRpcMethods => AcsRequest::GetRpcMethods,
            Action::GetQueuedTransfers => AcsRequest::GetQueuedTransfers,
            Action::GetAllQueuedTransfers => AcsRequest::GetAllQueuedTransfers,
            Action::CancelTransfer(other) => AcsRequest::CancelTransfer(CancelTransfer {
                command_key: other.command_key().into(),
            }),
            Action::SetVouchers(vouchers) => {
                AcsRequest::SetVouchers(SetVouchers { vouchers: vouchers.clone() })
            }
            Action::GetOptions(name) => {
                AcsRequest::GetOptions(GetOptions { option_name: name.clone() })
            }
            _ => return Err("it does not end with its answer".to_owned()),
        })
    }

    pub(super) fn after_asked(&mut self, answer: Answer, context: &mut Context<'_>) {
        self.work = Work::Rest;
        let outcome = match (answer, &self.task.action) {
            (Ok(CpeResponse::GetRpcMethods(response)), _) => {
                let methods: Vec<Box<str>> = response.methods.into_iter().take(MAX_NOTES).collect();
                for method in &methods {
                    self.note(method.clone());
                }
                context.teach(Ability::Methods(methods), "GetRPCMethods named them");
                Outcome::Applied
            }
            (Ok(CpeResponse::GetQueuedTransfers(transfers)), _) => {
                for QueuedTransfer { command_key, state } in transfers {
                    self.result(&transfer_name(&command_key), state_word(state));
                }
                Outcome::Applied
            }
            (Ok(CpeResponse::GetAllQueuedTransfers(transfers)), _) => {
                for transfer in transfers {
                    self.result(&transfer_name(&transfer.command_key), &in_words(&transfer));
                }
                Outcome::Applied
            }
            (Ok(CpeResponse::CancelTransfer), Action::CancelTransfer(other)) => {
                self.cancelled = Some(*other);
                Outcome::Applied
            }
            (Err(fault), Action::CancelTransfer(_)) if fault.code == TOO_LATE => {
                let mut record = record_fault(&fault);
                record.text = format!("too late to cancel it: {}", record.text).into();
                Outcome::Failed(record)
            }
            // There is nothing to read back: a device has no list of vouchers.
            (Ok(CpeResponse::SetVouchers), _) => Outcome::Accepted,
            (Ok(CpeResponse::GetOptions(options)), _) => {
                for option in options {
                    self.result(&option.option_name, &option_in_words(&option));
                }
                Outcome::Applied
            }
            (other, _) => return self.fail(other, context),
        };
        self.end(outcome, context);
    }
}

/// A transfer by the task that asked for it, or by its CommandKey, or as the
/// device's own.
fn transfer_name(command_key: &str) -> String {
    match TaskId::of_command_key(command_key) {
        Some(task) => task.to_string(),
        None if command_key.trim().is_empty() => "the device's own".to_owned(),
        None => command_key.to_owned(),
    }
}

const fn state_word(state: u32) -> &'static str {
    match state {
        1 => "not started",
        2 => "in progress",
        3 => "completed",
        _ => "in a state that the standard does not have",
    }
}

fn in_words(transfer: &AnyQueuedTransfer) -> String {
    let way = if transfer.is_download { "fetches" } else { "sends" };
    let mut text = format!("{way} {}", transfer.file_type);
    if !transfer.target_file_name.is_empty() {
        text = format!("{text} as {}", transfer.target_file_name);
    }
    if transfer.file_size > 0 {
        text = format!("{text}, {} bytes", transfer.file_size);
    }
    format!("{text}: {}", state_word(transfer.state))
}

fn option_in_words(option: &OptionState) -> String {
    let state = match option.state {
        0 => "disabled, not set up",
        1 => "enabled, not set up",
        2 => "disabled, set up",
        3 => "enabled, set up",
        _ => "in a state that the standard does not have",
    };
    let mut text = format!("{state}; voucher {}", option.voucher_serial);
    match (option.mode, &option.expiration_date) {
        (1, Some(end)) => text = format!("{text}; from {} until {end}", option.start_date),
        (2, _) => text = format!("{text}; from {}", option.start_date),
        _ => {}
    }
    if option.is_transferable == 1 {
        text.push_str("; transferable");
    }
    text
}

/// The transfer that a task asked for was withdrawn from the device: the task
/// is over. `None` if it no longer waits for it.
pub fn cancel_transfer(mut task: Task, by: TaskId, now: crate::time::Timestamp) -> Option<Task> {
    if !crate::plan::evidence::waits_for_transfer(&task) {
        return None;
    }
    task.revision += 1;
    task.notes.push(format!("the device cancelled the transfer, as task {by} asked").into());
    task.state = crate::device::TaskState::Ended { at: now, outcome: Outcome::Cancelled };
    Some(task)
}
