//! What is written reads back the same, whatever is in it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use provost::cwmp::*;
use provost::device::{DeviceIdentity, EventCode, Secret};
use provost::param::{ParamPath, Value, ValueType};

use super::samples;

/// A structural text: any characters that XML allows, no blanks around it.
fn text() -> impl Strategy<Value = Box<str>> {
    vec(legal(), 0..12).prop_map(|chars| chars.into_iter().collect::<String>().trim().into())
}

/// A character that XML allows, often one that needs care.
fn legal() -> impl Strategy<Value = char> {
    let allowed = |c: &char| matches!(*c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    prop_oneof![
        prop::sample::select(vec!['&', '<', '>', '"', '\'', ']', ' ', '\t', '\r', '\n', 'ä']),
        any::<char>().prop_filter("allowed in XML", allowed),
    ]
}

fn any_text() -> impl Strategy<Value = Box<str>> {
    vec(legal(), 0..20).prop_map(|chars| chars.into_iter().collect::<String>().into())
}

fn secret() -> impl Strategy<Value = Secret> {
    text().prop_map(Secret::new)
}

fn name() -> impl Strategy<Value = ParamPath> {
    "[A-Za-z0-9_.\\[\\]*ä-]{1,30}".prop_map(|name| ParamPath::parse(&name).unwrap())
}

fn kind() -> impl Strategy<Value = ValueType> {
    use ValueType::*;
    prop_oneof![
        prop::sample::select(vec![
            String,
            Int,
            UnsignedInt,
            Long,
            UnsignedLong,
            Boolean,
            DateTime,
            Base64,
            HexBinary,
            Decimal,
        ]),
        "x[A-Za-z0-9_.-]{0,10}".prop_map(|name| Other(name.into())),
    ]
}

fn values() -> impl Strategy<Value = Vec<ParameterValue>> {
    let value = (any_text(), kind()).prop_map(|(text, kind)| Value::new(text, kind));
    vec((name(), value).prop_map(|(name, value)| ParameterValue { name, value }), 0..5)
}

fn inform() -> impl Strategy<Value = Inform> {
    let part = || "[ -~äöü]{0,20}";
    let code = prop_oneof![
        (0u8..15).prop_map(|n| EventCode::parse(&format!("{n} X"))),
        "M [A-Za-z]{1,10}".prop_map(|text| EventCode::parse(&text)),
        "X [A-F0-9]{6} [A-Za-z]{1,10}".prop_map(|text| EventCode::parse(&text)),
    ];
    let event = (code, text()).prop_map(|(code, command_key)| InformEvent { code, command_key });
    let device = (part(), part(), part(), "[!-~]{1,20}").prop_map(|(maker, oui, class, serial)| {
        DeviceIdentity::new(&maker, &oui, &class, &serial).unwrap()
    });
    (device, vec(event, 0..4), text(), any::<u32>(), values()).prop_map(
        |(device, mut events, current_time, retry_count, parameters)| {
            let mut seen = Vec::new();
            events.retain(|event| {
                let new = !seen.contains(event);
                seen.push(event.clone());
                new
            });
            Inform { device, events, current_time, retry_count, parameters }
        },
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    let one = (text(), any::<u32>(), text()).prop_map(|(name, code, text)| ParameterFault {
        name,
        code: FaultCode(code),
        text,
    });
    let words = text().prop_filter("a text of its own", |text| !text.is_empty());
    (any::<u32>(), words, vec(one, 0..4)).prop_map(|(code, text, parameters)| Fault {
        code: FaultCode(code),
        text,
        parameters,
    })
}

prop_compose! {
    fn result()(
        texts in prop::array::uniform8(text()),
        resolved in any::<bool>(),
        code in any::<u32>(),
    ) -> OperationResult {
        let [uuid, deployment_unit, version, current_state, execution_units, start_time,
            complete_time, fault_string] = texts;
        OperationResult {
            uuid, deployment_unit, version, current_state, resolved, execution_units, start_time,
            complete_time, fault_code: FaultCode(code), fault_string,
        }
    }
}

prop_compose! {
    fn autonomous_transfer()(
        texts in prop::array::uniform7(text()),
        is_download in any::<bool>(),
        file_size in any::<u64>(),
        code in any::<u32>(),
    ) -> AutonomousTransferComplete {
        let [announce_url, transfer_url, file_type, target_file_name, fault_string, start_time,
            complete_time] = texts;
        AutonomousTransferComplete {
            announce_url, transfer_url, is_download, file_type, file_size, target_file_name,
            fault_code: FaultCode(code), fault_string, start_time, complete_time,
        }
    }
}

fn cpe_request() -> impl Strategy<Value = CpeRequest> {
    let transfer = (text(), any::<u32>(), text(), text(), text()).prop_map(
        |(command_key, code, fault_string, start_time, complete_time)| TransferComplete {
            command_key,
            fault_code: FaultCode(code),
            fault_string,
            start_time,
            complete_time,
        },
    );
    let autonomous =
        (result(), text()).prop_map(|(result, operation)| AutonomousResult { result, operation });
    prop_oneof![
        inform().prop_map(|one| CpeRequest::Inform(Box::new(one))),
        transfer.prop_map(CpeRequest::TransferComplete),
        autonomous_transfer().prop_map(|one| CpeRequest::AutonomousTransferComplete(Box::new(one))),
        Just(CpeRequest::GetRpcMethods),
        (text(), vec((text(), text()), 0..3)).prop_map(|(file_type, arguments)| {
            CpeRequest::RequestDownload(RequestDownload { file_type, arguments })
        }),
        (text(), text(), text(), text()).prop_map(|(command, referer, arg, next)| {
            CpeRequest::Kicked(Kicked { command, referer, arg, next })
        }),
        (vec(result(), 0..3), text()).prop_map(|(results, command_key)| {
            CpeRequest::DuStateChangeComplete(DuStateChangeComplete { results, command_key })
        }),
        vec(autonomous, 0..3).prop_map(|results| {
            CpeRequest::AutonomousDuStateChangeComplete(AutonomousDuStateChangeComplete { results })
        }),
        "X_[A-Za-z0-9_]{1,20}".prop_map(|name| CpeRequest::Unknown(name.into())),
    ]
}

fn acs_response() -> impl Strategy<Value = AcsResponse> {
    prop_oneof![
        Just(AcsResponse::Inform),
        Just(AcsResponse::TransferComplete),
        methods().prop_map(AcsResponse::GetRpcMethods),
        Just(AcsResponse::AutonomousTransferComplete),
        Just(AcsResponse::RequestDownload),
        text().prop_map(|next_url| AcsResponse::Kicked(KickedResponse { next_url })),
        Just(AcsResponse::DuStateChangeComplete),
        Just(AcsResponse::AutonomousDuStateChangeComplete),
        "X_[A-Za-z0-9_]{1,20}Response".prop_map(|name| AcsResponse::Unknown(name.into())),
    ]
}

fn methods() -> impl Strategy<Value = GetRpcMethodsResponse> {
    vec(text(), 0..4).prop_map(|methods| GetRpcMethodsResponse { methods })
}

fn operation() -> impl Strategy<Value = Operation> {
    let maybe = || option::of(text());
    prop_oneof![
        (text(), maybe(), maybe(), option::of(secret()), maybe()).prop_map(
            |(url, uuid, username, password, execution_environment)| Operation::Install {
                url,
                uuid,
                username,
                password,
                execution_environment,
            }
        ),
        (maybe(), maybe(), maybe(), maybe(), option::of(secret())).prop_map(
            |(uuid, version, url, username, password)| Operation::Update {
                uuid,
                version,
                url,
                username,
                password,
            }
        ),
        (text(), maybe(), maybe()).prop_map(|(uuid, version, execution_environment)| {
            Operation::Uninstall { uuid, version, execution_environment }
        }),
    ]
}

prop_compose! {
    fn download()(
        texts in prop::array::uniform5(text()),
        password in secret(),
        file_size in any::<u64>(),
        delay_seconds in any::<u32>(),
    ) -> Download {
        let [command_key, file_type, url, username, target_file_name] = texts;
        Download {
            command_key, file_type, url, username, password, file_size, target_file_name,
            delay_seconds,
        }
    }
}

prop_compose! {
    fn upload()(
        texts in prop::array::uniform4(text()),
        password in secret(),
        delay_seconds in any::<u32>(),
    ) -> Upload {
        let [command_key, file_type, url, username] = texts;
        Upload { command_key, file_type, url, username, password, delay_seconds }
    }
}

prop_compose! {
    fn window()(
        start in any::<u32>(),
        end in any::<u32>(),
        mode in text(),
        user_message in text(),
        max_retries in any::<i32>(),
    ) -> TimeWindow {
        TimeWindow { start, end, mode, user_message, max_retries }
    }
}

fn scheduled() -> impl Strategy<Value = ScheduleDownload> {
    (download(), vec(window(), 0..3)).prop_map(|(one, windows)| ScheduleDownload {
        command_key: one.command_key,
        file_type: one.file_type,
        url: one.url,
        username: one.username,
        password: one.password,
        file_size: one.file_size,
        target_file_name: one.target_file_name,
        windows,
    })
}

fn acs_request() -> impl Strategy<Value = AcsRequest> {
    let change = (name(), option::of(any::<u32>()), option::of(vec(text(), 0..3))).prop_map(
        |(name, notification, access_list)| AttributeChange { name, notification, access_list },
    );
    let names = || vec(name(), 0..4);
    prop_oneof![
        prop::sample::select(samples::acs_requests()),
        (values(), text()).prop_map(|(values, parameter_key)| {
            AcsRequest::SetParameterValues(SetParameterValues { values, parameter_key })
        }),
        names().prop_map(|names| AcsRequest::GetParameterValues(GetParameterValues { names })),
        (option::of(name()), any::<bool>()).prop_map(|(path, next_level)| {
            AcsRequest::GetParameterNames(GetParameterNames { path, next_level })
        }),
        (name(), text()).prop_map(|(table, parameter_key)| {
            AcsRequest::AddObject(AddObject { table, parameter_key })
        }),
        (name(), text()).prop_map(|(instance, parameter_key)| {
            AcsRequest::DeleteObject(DeleteObject { instance, parameter_key })
        }),
        download().prop_map(|one| AcsRequest::Download(Box::new(one))),
        upload().prop_map(|one| AcsRequest::Upload(Box::new(one))),
        scheduled().prop_map(|one| AcsRequest::ScheduleDownload(Box::new(one))),
        text().prop_map(|command_key| AcsRequest::Reboot(Reboot { command_key })),
        vec(change, 0..4).prop_map(|changes| {
            AcsRequest::SetParameterAttributes(SetParameterAttributes { changes })
        }),
        names()
            .prop_map(|names| AcsRequest::GetParameterAttributes(GetParameterAttributes { names })),
        (any::<u32>(), text()).prop_map(|(delay_seconds, command_key)| {
            AcsRequest::ScheduleInform(ScheduleInform { delay_seconds, command_key })
        }),
        text().prop_map(|command_key| AcsRequest::CancelTransfer(CancelTransfer { command_key })),
        (vec(operation(), 0..3), text()).prop_map(|(operations, command_key)| {
            AcsRequest::ChangeDuState(ChangeDuState { operations, command_key })
        }),
        vec(text(), 0..3).prop_map(|vouchers| AcsRequest::SetVouchers(SetVouchers { vouchers })),
        text().prop_map(|option_name| AcsRequest::GetOptions(GetOptions { option_name })),
        "X_[A-Za-z0-9_]{1,20}".prop_map(|name| AcsRequest::Unknown(name.into())),
    ]
}

prop_compose! {
    fn option_state()(
        option_name in text(),
        numbers in prop::array::uniform4(any::<u32>()),
        start_date in text(),
        expiration_date in option::of(text()),
    ) -> OptionState {
        let [voucher_serial, state, mode, is_transferable] = numbers;
        OptionState {
            option_name, voucher_serial, state, mode, start_date, expiration_date, is_transferable,
        }
    }
}

prop_compose! {
    fn queued()(
        texts in prop::array::uniform3(text()),
        state in any::<u32>(),
        is_download in any::<bool>(),
        file_size in any::<u64>(),
    ) -> AnyQueuedTransfer {
        let [command_key, file_type, target_file_name] = texts;
        AnyQueuedTransfer { command_key, state, is_download, file_type, file_size, target_file_name }
    }
}

fn cpe_response() -> impl Strategy<Value = CpeResponse> {
    let info =
        (name(), any::<bool>()).prop_map(|(name, writable)| ParameterInfo { name, writable });
    let attributes =
        (name(), any::<u32>(), vec(text(), 0..3)).prop_map(|(name, notification, access_list)| {
            ParameterAttributes { name, notification, access_list }
        });
    let transfer = || {
        (any::<u32>(), text(), text()).prop_map(|(status, start_time, complete_time)| {
            TransferResponse { status, start_time, complete_time }
        })
    };
    let queue = (text(), any::<u32>())
        .prop_map(|(command_key, state)| QueuedTransfer { command_key, state });
    prop_oneof![
        prop::sample::select(samples::cpe_responses()),
        methods().prop_map(CpeResponse::GetRpcMethods),
        any::<u32>().prop_map(CpeResponse::SetParameterValues),
        values().prop_map(CpeResponse::GetParameterValues),
        vec(info, 0..4).prop_map(CpeResponse::GetParameterNames),
        (any::<u32>(), any::<u32>()).prop_map(|(instance, status)| {
            CpeResponse::AddObject(AddObjectResponse { instance, status })
        }),
        any::<u32>().prop_map(CpeResponse::DeleteObject),
        transfer().prop_map(CpeResponse::Download),
        transfer().prop_map(CpeResponse::Upload),
        vec(attributes, 0..4).prop_map(CpeResponse::GetParameterAttributes),
        vec(queue, 0..3).prop_map(CpeResponse::GetQueuedTransfers),
        vec(queued(), 0..3).prop_map(CpeResponse::GetAllQueuedTransfers),
        vec(option_state(), 0..3).prop_map(CpeResponse::GetOptions),
        "X_[A-Za-z0-9_]{1,20}Response".prop_map(|name| CpeResponse::Unknown(name.into())),
    ]
}

fn message() -> impl Strategy<Value = (Side, Message)> {
    prop_oneof![
        cpe_request().prop_map(|one| (Side::Cpe, Message::CpeRequest(one))),
        acs_response().prop_map(|one| (Side::Acs, Message::AcsResponse(one))),
        acs_request().prop_map(|one| (Side::Acs, Message::AcsRequest(one))),
        cpe_response().prop_map(|one| (Side::Cpe, Message::CpeResponse(one))),
        fault().prop_map(|one| (Side::Cpe, Message::Fault(one))),
        fault().prop_map(|one| (Side::Acs, Message::Fault(one))),
    ]
}

prop_compose! {
    fn envelope()(
        (side, message) in message(),
        id in option::of(text()),
        minor in 0u8..=9,
        hold_requests in any::<bool>(),
        session_timeout in option::of(any::<u32>()),
        versions in option::of(text()),
        use_version in option::of(text()),
    ) -> (Side, Envelope) {
        let uri = format!("urn:dslforum-org:cwmp-1-{minor}");
        let namespace = Namespace::parse(&uri).unwrap();
        (side, Envelope {
            id, namespace, hold_requests, session_timeout, supported_versions: versions,
            use_version, message,
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_written_reads_back((side, envelope) in envelope(), declaration in any::<bool>()) {
        let style = WriteStyle { xml_declaration: declaration, ..WriteStyle::default() };
        let written = write(&envelope, &style);
        let parsed = read(&written, None, side, &ReadLimits::default()).unwrap();
        prop_assert_eq!(&parsed.envelope, &envelope);
        // The same once more: nothing drifts.
        prop_assert_eq!(write(&parsed.envelope, &style), written);
    }
}
