//! Messages in plain words: names, counts and outcomes, no values.

use super::{
    AcsRequest, AcsResponse, CpeRequest, CpeResponse, Fault, FaultCode, Inform, Message,
    ParameterValue, Side, mask,
};
use crate::param::ParamPath;

/// Names that are told one by one; of more, the count is told as well.
const NAMES: usize = 5;

/// The longest sentence, in letters.
const SENTENCE: usize = 600;

/// A message as one sentence of the story of a session: `the device informs: 1
/// BOOT (retry 0), 12 parameters`, `we ask GetParameterValues of …`, `it answers
/// fault 9005 …`.
///
/// Without values, credentials and tokens, safe for a terminal, and at most 600
/// letters long.
pub fn tell(message: &Message, from: Side) -> String {
    let sentence = match message {
        Message::CpeRequest(CpeRequest::Inform(inform)) => informs(inform),
        Message::CpeRequest(request) => {
            format!("the device tells {}{}", request.method(), details(message))
        }
        Message::AcsResponse(AcsResponse::Inform) => "we acknowledge".to_owned(),
        Message::AcsResponse(response) => {
            format!("we answer {}{}", response.element(), details(message))
        }
        Message::AcsRequest(request) => {
            format!("we ask {}{}{}", request.method(), details(message), about(request))
        }
        Message::CpeResponse(response) => {
            format!("it answers {}{}", response.element(), details(message))
        }
        Message::Fault(one) => fault_told(one, from),
    };
    printable(&mask::text(&sentence)).chars().take(SENTENCE).collect()
}

/// What a message says beyond its name, to be put behind it; in counts and
/// names. Texts of the device stand in it as they came.
pub fn details(message: &Message) -> String {
    match message {
        Message::CpeRequest(request) => cpe_request(request),
        Message::AcsResponse(response) => acs_response(response),
        Message::AcsRequest(request) => acs_request(request),
        Message::CpeResponse(response) => cpe_response(response),
        Message::Fault(one) => fault(one),
    }
}

/// A text that cannot command a terminal: control characters, and those that
/// change the direction of what follows, become a replacement character.
pub fn printable(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn informs(inform: &Inform) -> String {
    let events: Vec<String> = inform.events.iter().map(|event| event.code.to_string()).collect();
    let events = if events.is_empty() { "no event".to_owned() } else { events.join(", ") };
    let count = inform.parameters.len();
    format!("the device informs: {events} (retry {}), {count} parameters", inform.retry_count)
}

/// The names that a request is about, where its details give only their count.
fn about(request: &AcsRequest) -> String {
    match request {
        AcsRequest::SetParameterValues(one) => listed(one.values.iter().map(|value| &value.name)),
        AcsRequest::GetParameterValues(one) => listed(one.names.iter()),
        AcsRequest::GetParameterAttributes(one) => listed(one.names.iter()),
        AcsRequest::SetParameterAttributes(one) => {
            listed(one.changes.iter().map(|change| &change.name))
        }
        _ => String::new(),
    }
}

fn listed<'a>(mut names: impl ExactSizeIterator<Item = &'a ParamPath>) -> String {
    let count = names.len();
    if count < 2 {
        return String::new();
    }
    let first: Vec<&str> = names.by_ref().take(NAMES).map(ParamPath::as_str).collect();
    let more = if count > NAMES { ", …" } else { "" };
    format!(": {}{more}", first.join(", "))
}

fn fault_told(fault: &Fault, from: Side) -> String {
    let who = match from {
        Side::Cpe => "it answers",
        Side::Acs => "we answer",
    };
    let mut sentence = format!("{who} fault {}", fault.code);
    if !fault.text.is_empty() {
        sentence.push_str(&format!(": {}", fault.text));
    }
    for one in fault.parameters.iter().take(NAMES) {
        sentence.push_str(&format!("; {} {}", one.code, one.name));
    }
    if fault.parameters.len() > NAMES {
        sentence.push_str(&format!("; {} parameters in all", fault.parameters.len()));
    }
    sentence
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cwmp::{GetParameterValues, ParameterFault, SetParameterValues};
    use crate::param::Value;

    fn path(text: &str) -> ParamPath {
        ParamPath::parse(text).unwrap()
    }

    #[test]
    fn requests_name_a_few_parameters_and_no_value() {
        let names: Vec<ParamPath> = (1..=7).map(|n| path(&format!("Device.A.{n}"))).collect();
        let ask = |names: &[ParamPath]| {
            let request = GetParameterValues { names: names.to_vec() };
            tell(&Message::AcsRequest(AcsRequest::GetParameterValues(request)), Side::Acs)
        };
        assert_eq!(ask(&names[..1]), "we ask GetParameterValues of Device.A.1");
        assert_eq!(
            ask(&names),
            "we ask GetParameterValues, 7 names: Device.A.1, Device.A.2, Device.A.3, Device.A.4, Device.A.5, …"
        );
        let value = |name| ParameterValue { name: path(name), value: Value::string("canary") };
        let request = SetParameterValues {
            values: vec![value("Device.A.1"), value("Device.B.Password")],
            parameter_key: "k".into(),
        };
        let told = tell(&Message::AcsRequest(AcsRequest::SetParameterValues(request)), Side::Acs);
        assert_eq!(told, "we ask SetParameterValues, 2 parameters: Device.A.1, Device.B.Password");
    }

    #[test]
    fn faults_tell_who_and_which_parameter() {
        let fault = Fault {
            code: FaultCode(9003),
            text: "no: http://u:canary@h/\u{1b}[2J".into(),
            parameters: vec![ParameterFault {
                name: "Device.A".into(),
                code: FaultCode(9008),
                text: "canary".into(),
            }],
        };
        let told = tell(&Message::Fault(fault.clone()), Side::Cpe);
        assert_eq!(told, "it answers fault 9003: no: http://***@h/\u{fffd}[2J; 9008 Device.A");
        assert!(tell(&Message::Fault(fault), Side::Acs).starts_with("we answer fault 9003"));
    }
}
