//! A message in plain words: names and counts, no values.

use crate::cwmp::{
    AcsRequest, AcsResponse, CpeRequest, CpeResponse, Envelope, Fault, FaultCode, Inform, Message,
    ParameterValue,
};
use crate::param::ParamPath;

/// Whether the message is one of the standard.
pub(super) const fn is_known(message: &Message) -> bool {
    !matches!(
        message,
        Message::CpeRequest(CpeRequest::Unknown(_))
            | Message::AcsResponse(AcsResponse::Unknown(_))
            | Message::AcsRequest(AcsRequest::Unknown(_))
            | Message::CpeResponse(CpeResponse::Unknown(_))
    )
}

/// A message and its envelope in one line.
pub(super) fn about(envelope: &Envelope) -> String {
    let name = envelope.message.element();
    let more = match &envelope.message {
        Message::CpeRequest(request) => cpe_request(request),
        Message::AcsResponse(response) => acs_response(response),
        Message::AcsRequest(request) => acs_request(request),
        Message::CpeResponse(response) => cpe_response(response),
        Message::Fault(one) => fault(one),
    };
    let id = envelope.id.as_deref().map_or_else(|| "no id".to_owned(), |id| format!("id {id}"));
    printable(&format!("{name}{more}; {id}, {}", envelope.namespace))
}

/// A text that cannot command a terminal: control characters, and those that
/// change the direction of what follows, become a replacement character.
pub(super) fn printable(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn cpe_request(request: &CpeRequest) -> String {
    match request {
        CpeRequest::Inform(one) => inform(one),
        CpeRequest::TransferComplete(one) => {
            format!(" for {}, {}", key(&one.command_key), outcome(one.fault_code))
        }
        CpeRequest::AutonomousTransferComplete(one) => {
            format!(" of {}, {}", one.file_type, outcome(one.fault_code))
        }
        CpeRequest::RequestDownload(one) => format!(" of {}", one.file_type),
        CpeRequest::Kicked(one) => format!(" by {}", one.referer),
        CpeRequest::DuStateChangeComplete(one) => {
            format!(" for {}, {} results", key(&one.command_key), one.results.len())
        }
        CpeRequest::AutonomousDuStateChangeComplete(one) => {
            format!(", {} results", one.results.len())
        }
        CpeRequest::GetRpcMethods => String::new(),
        CpeRequest::Unknown(_) => ", which is not of the standard".to_owned(),
    }
}

fn inform(inform: &Inform) -> String {
    let device = &inform.device;
    let events: Vec<String> = inform.events.iter().map(|event| event.code.to_string()).collect();
    let events = if events.is_empty() { "no event".to_owned() } else { events.join(", ") };
    let retries = match inform.retry_count {
        0 => String::new(),
        retries => format!(", {retries} retries"),
    };
    let parameters = inform.parameters.len();
    format!(
        " of {} ({}), {events}{retries}; {parameters} parameters",
        device.id(),
        device.manufacturer
    )
}

fn acs_response(response: &AcsResponse) -> String {
    match response {
        AcsResponse::GetRpcMethods(list) => format!(", {} methods", list.methods.len()),
        AcsResponse::Unknown(_) => ", which is not of the standard".to_owned(),
        AcsResponse::Inform
        | AcsResponse::TransferComplete
        | AcsResponse::AutonomousTransferComplete
        | AcsResponse::RequestDownload
        | AcsResponse::Kicked(_)
        | AcsResponse::DuStateChangeComplete
        | AcsResponse::AutonomousDuStateChangeComplete => String::new(),
    }
}

fn acs_request(request: &AcsRequest) -> String {
    match request {
        AcsRequest::SetParameterValues(one) => values(&one.values),
        AcsRequest::GetParameterValues(one) => names(&one.names),
        AcsRequest::GetParameterNames(one) => {
            let below = if one.next_level { "directly below" } else { "below" };
            format!(" {below} {}", one.path.as_ref().map_or("the root", ParamPath::as_str))
        }
        AcsRequest::AddObject(one) => format!(" to {}", one.table),
        AcsRequest::DeleteObject(one) => format!(" {}", one.instance),
        AcsRequest::Download(one) => format!(" of {} for {}", one.file_type, key(&one.command_key)),
        AcsRequest::Upload(one) => format!(" of {} for {}", one.file_type, key(&one.command_key)),
        AcsRequest::ScheduleDownload(one) => {
            format!(" of {} for {}", one.file_type, key(&one.command_key))
        }
        AcsRequest::Reboot(one) => format!(" for {}", key(&one.command_key)),
        AcsRequest::CancelTransfer(one) => format!(" for {}", key(&one.command_key)),
        AcsRequest::ScheduleInform(one) => format!(" in {} seconds", one.delay_seconds),
        AcsRequest::SetParameterAttributes(one) => format!(", {} parameters", one.changes.len()),
        AcsRequest::GetParameterAttributes(one) => names(&one.names),
        AcsRequest::ChangeDuState(one) => format!(", {} operations", one.operations.len()),
        AcsRequest::SetVouchers(one) => format!(", {} vouchers", one.vouchers.len()),
        AcsRequest::GetOptions(one) => format!(" {}", one.option_name),
        AcsRequest::Unknown(_) => ", which is not of the standard".to_owned(),
        AcsRequest::GetRpcMethods
        | AcsRequest::FactoryReset
        | AcsRequest::GetQueuedTransfers
        | AcsRequest::GetAllQueuedTransfers => String::new(),
    }
}

fn cpe_response(response: &CpeResponse) -> String {
    match response {
        CpeResponse::GetRpcMethods(list) => format!(", {} methods", list.methods.len()),
        CpeResponse::SetParameterValues(status) | CpeResponse::DeleteObject(status) => {
            when(*status).to_owned()
        }
        CpeResponse::GetParameterValues(list) => values(list),
        CpeResponse::GetParameterNames(list) => format!(", {} names", list.len()),
        CpeResponse::AddObject(one) => format!(", instance {}{}", one.instance, when(one.status)),
        CpeResponse::Download(one) | CpeResponse::Upload(one) => when(one.status).to_owned(),
        CpeResponse::GetParameterAttributes(list) => format!(", {} parameters", list.len()),
        CpeResponse::GetQueuedTransfers(list) => format!(", {} transfers", list.len()),
        CpeResponse::GetAllQueuedTransfers(list) => format!(", {} transfers", list.len()),
        CpeResponse::GetOptions(list) => format!(", {} options", list.len()),
        CpeResponse::Unknown(_) => ", which is not of the standard".to_owned(),
        CpeResponse::Reboot
        | CpeResponse::FactoryReset
        | CpeResponse::SetParameterAttributes
        | CpeResponse::ScheduleInform
        | CpeResponse::ScheduleDownload
        | CpeResponse::CancelTransfer
        | CpeResponse::ChangeDuState
        | CpeResponse::SetVouchers => String::new(),
    }
}

fn fault(fault: &Fault) -> String {
    let about = match fault.parameters.len() {
        0 => String::new(),
        parameters => format!(", {parameters} parameters"),
    };
    format!(" {}: {}{about}", fault.code, fault.text)
}

fn values(values: &[ParameterValue]) -> String {
    match values {
        [one] => format!(" of {}", one.name),
        more => format!(", {} parameters", more.len()),
    }
}

fn names(names: &[ParamPath]) -> String {
    match names {
        [one] => format!(" of {one}"),
        more => format!(", {} names", more.len()),
    }
}

fn key(command_key: &str) -> String {
    if command_key.is_empty() { "no key".to_owned() } else { format!("key {command_key}") }
}

fn outcome(code: FaultCode) -> String {
    match (code.0, code.words()) {
        (0, _) => "success".to_owned(),
        (number, "") => format!("fault {number}"),
        (number, words) => format!("fault {number} ({words})"),
    }
}

const fn when(status: u32) -> &'static str {
    match status {
        0 => ", applied",
        1 => ", to be applied later",
        _ => ", with an unknown status",
    }
}
