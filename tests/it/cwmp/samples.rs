//! One sample of every message, with every member filled.

use provost::cwmp::*;
use provost::device::{DeviceIdentity, EventCode, Secret};
use provost::param::{ParamPath, Value, ValueType};

/// An envelope without headers but an ID.
pub(super) fn envelope(message: Message) -> Envelope {
    Envelope {
        id: Some("1".into()),
        namespace: Namespace::v1_2(),
        hold_requests: false,
        session_timeout: None,
        supported_versions: None,
        use_version: None,
        message,
    }
}

pub(super) fn path(text: &str) -> ParamPath {
    ParamPath::parse(text).unwrap()
}

fn value(name: &str, text: &str, kind: ValueType) -> ParameterValue {
    ParameterValue { name: path(name), value: Value::new(text, kind) }
}

pub(super) fn values() -> Vec<ParameterValue> {
    vec![
        value("Device.DeviceInfo.SoftwareVersion", "4.1.7", ValueType::String),
        value("Device.WiFi.SSID.1.SSID", " Café & <Bar>\r\n\t", ValueType::String),
        value("Device.Time.Enable", "1", ValueType::Boolean),
        value("Device.DeviceInfo.UpTime", "4294967295", ValueType::UnsignedInt),
        value("Device.X_ACME.Blob", "AAEC", ValueType::Base64),
        value("Device.X_ACME.Odd", "{}", ValueType::Other("json".into())),
    ]
}

pub(super) fn inform() -> Inform {
    Inform {
        device: DeviceIdentity::new("Acme", "00D09E", "HG-100", "HG1000000042").unwrap(),
        events: vec![
            InformEvent { code: EventCode::Boot, command_key: "".into() },
            InformEvent { code: EventCode::Method("Reboot".into()), command_key: "job-7".into() },
        ],
        current_time: "2026-11-20T21:05:00+01:00".into(),
        retry_count: 2,
        parameters: values(),
    }
}

fn identified(message: Message) -> Envelope {
    Envelope {
        session_timeout: Some(60),
        supported_versions: Some("1.0,1.1,1.2,1.3,1.4".into()),
        ..envelope(message)
    }
}

pub(super) fn transfer_complete() -> TransferComplete {
    TransferComplete {
        command_key: "fw-1".into(),
        fault_code: FaultCode(9018),
        fault_string: "bad checksum".into(),
        start_time: "2026-11-20T20:10:00Z".into(),
        complete_time: "2026-11-20T20:10:09Z".into(),
    }
}

fn cpe_requests() -> Vec<CpeRequest> {
    let result = OperationResult {
        uuid: "3f1d6c1e-2b7a-5c44-9f0e-0c2d5a7e9b10".into(),
        deployment_unit: "Device.SoftwareModules.DeploymentUnit.1.".into(),
        version: "1.0".into(),
        current_state: "Failed".into(),
        resolved: true,
        execution_units: "Device.SoftwareModules.ExecutionUnit.1.".into(),
        start_time: "2026-11-20T20:10:00Z".into(),
        complete_time: "2026-11-20T20:10:09Z".into(),
        fault_code: FaultCode(9022),
        fault_string: "Invalid UUID format".into(),
    };
    vec![
        CpeRequest::TransferComplete(transfer_complete()),
        CpeRequest::GetRpcMethods,
        CpeRequest::AutonomousTransferComplete(Box::new(AutonomousTransferComplete {
            announce_url: "http://a.example/".into(),
            transfer_url: "http://a.example/fw.bin".into(),
            is_download: true,
            file_type: "1 Firmware Upgrade Image".into(),
            file_size: 18_874_368,
            target_file_name: "fw.bin".into(),
            fault_code: FaultCode(0),
            fault_string: "".into(),
            start_time: "2026-11-19T02:00:00Z".into(),
            complete_time: "2026-11-19T02:00:41Z".into(),
        })),
        CpeRequest::RequestDownload(RequestDownload {
            file_type: "2 Web Content".into(),
            arguments: vec![("Version".into(), "7".into())],
        }),
        CpeRequest::Kicked(Kicked {
            command: "activate".into(),
            referer: "portal.example.net".into(),
            arg: "svc=tv&x=1".into(),
            next: "http://portal.example.net/done".into(),
        }),
        CpeRequest::DuStateChangeComplete(DuStateChangeComplete {
            results: vec![result.clone()],
            command_key: "du-5".into(),
        }),
        CpeRequest::AutonomousDuStateChangeComplete(AutonomousDuStateChangeComplete {
            results: vec![AutonomousResult { result, operation: "Install".into() }],
        }),
    ]
}

fn acs_responses() -> Vec<AcsResponse> {
    vec![
        AcsResponse::TransferComplete,
        AcsResponse::GetRpcMethods(methods()),
        AcsResponse::AutonomousTransferComplete,
        AcsResponse::RequestDownload,
        AcsResponse::Kicked(KickedResponse { next_url: "http://portal.example.net/?a&b".into() }),
        AcsResponse::DuStateChangeComplete,
        AcsResponse::AutonomousDuStateChangeComplete,
    ]
}

fn methods() -> GetRpcMethodsResponse {
    GetRpcMethodsResponse { methods: vec!["Inform".into(), "GetRPCMethods".into()] }
}

pub(super) fn acs_requests() -> Vec<AcsRequest> {
    let names = vec![path("Device.DeviceInfo."), path("Device.Time.Enable")];
    let mut all = vec![
        AcsRequest::GetRpcMethods,
        AcsRequest::SetParameterValues(SetParameterValues {
            values: values(),
            parameter_key: "cfg-32".into(),
        }),
        AcsRequest::GetParameterValues(GetParameterValues { names: names.clone() }),
        AcsRequest::GetParameterNames(GetParameterNames {
            path: Some(path("Device.")),
            next_level: false,
        }),
        AcsRequest::AddObject(AddObject {
            table: path("Device.WiFi.SSID."),
            parameter_key: "".into(),
        }),
        AcsRequest::DeleteObject(DeleteObject {
            instance: path("Device.WiFi.SSID.2."),
            parameter_key: "k".into(),
        }),
        AcsRequest::Reboot(Reboot { command_key: "job-7".into() }),
        AcsRequest::FactoryReset,
        AcsRequest::SetParameterAttributes(SetParameterAttributes {
            changes: vec![
                AttributeChange {
                    name: path("Device.Time."),
                    notification: Some(2),
                    access_list: None,
                },
                AttributeChange {
                    name: path("Device.Time.Enable"),
                    notification: None,
                    access_list: Some(vec!["Subscriber".into()]),
                },
            ],
        }),
        AcsRequest::GetParameterAttributes(GetParameterAttributes { names }),
        AcsRequest::ScheduleInform(ScheduleInform {
            delay_seconds: 30,
            command_key: "later".into(),
        }),
        AcsRequest::GetQueuedTransfers,
        AcsRequest::GetAllQueuedTransfers,
        AcsRequest::SetVouchers(SetVouchers { vouchers: vec!["PFZvdWNoZXIvPg==".into()] }),
        AcsRequest::GetOptions(GetOptions { option_name: "vpn".into() }),
    ];
    all.extend(transfer_requests());
    all
}

fn transfer_requests() -> Vec<AcsRequest> {
    let uuid = "3f1d6c1e-2b7a-5c44-9f0e-0c2d5a7e9b10";
    vec![
        AcsRequest::Download(Box::new(Download {
            command_key: "fw-1".into(),
            file_type: "1 Firmware Upgrade Image".into(),
            url: "https://files.example.net/fw.bin?a=1&b=2".into(),
            username: "cpe".into(),
            password: Secret::new("s3cret"),
            file_size: 18_874_368,
            target_file_name: "fw.bin".into(),
            delay_seconds: 5,
        })),
        AcsRequest::Upload(Box::new(Upload {
            command_key: "log-9".into(),
            file_type: "4 Vendor Log File 1".into(),
            url: "https://files.example.net/up".into(),
            username: "up".into(),
            password: Secret::new("s3cret"),
            delay_seconds: 0,
        })),
        AcsRequest::ScheduleDownload(Box::new(ScheduleDownload {
            command_key: "fw-night".into(),
            file_type: "1 Firmware Upgrade Image".into(),
            url: "https://files.example.net/fw.bin".into(),
            username: "".into(),
            password: Secret::new(""),
            file_size: 1,
            target_file_name: "".into(),
            windows: vec![TimeWindow {
                start: 14_400,
                end: 21_600,
                mode: "4 Confirmation Needed".into(),
                user_message: "New software?".into(),
                max_retries: -1,
            }],
        })),
        AcsRequest::CancelTransfer(CancelTransfer { command_key: "fw-night".into() }),
        AcsRequest::ChangeDuState(ChangeDuState {
            operations: vec![
                Operation::Install {
                    url: "http://files.example.net/app.tar".into(),
                    uuid: Some(uuid.into()),
                    username: Some("u".into()),
                    password: Some(Secret::new("p")),
                    execution_environment: Some("Device.SoftwareModules.ExecEnv.1.".into()),
                },
                Operation::Update {
                    uuid: Some(uuid.into()),
                    version: Some("1.0".into()),
                    url: Some("http://files.example.net/app-1.1.tar".into()),
                    username: None,
                    password: None,
                },
                Operation::Uninstall {
                    uuid: uuid.into(),
                    version: Some("1.1".into()),
                    execution_environment: None,
                },
            ],
            command_key: "du-5".into(),
        }),
    ]
}

pub(super) fn transfer_response() -> TransferResponse {
    TransferResponse {
        status: 1,
        start_time: "0001-01-01T00:00:00Z".into(),
        complete_time: "0001-01-01T00:00:00Z".into(),
    }
}

pub(super) fn cpe_responses() -> Vec<CpeResponse> {
    vec![
        CpeResponse::GetRpcMethods(methods()),
        CpeResponse::SetParameterValues(1),
        CpeResponse::GetParameterValues(values()),
        CpeResponse::GetParameterNames(vec![
            ParameterInfo { name: path("Device.Time."), writable: false },
            ParameterInfo { name: path("Device.Time.Enable"), writable: true },
        ]),
        CpeResponse::AddObject(AddObjectResponse { instance: 3, status: 0 }),
        CpeResponse::DeleteObject(0),
        CpeResponse::Download(transfer_response()),
        CpeResponse::Reboot,
        CpeResponse::FactoryReset,
        CpeResponse::SetParameterAttributes,
        CpeResponse::GetParameterAttributes(vec![ParameterAttributes {
            name: path("Device.DeviceInfo.SoftwareVersion"),
            notification: 2,
            access_list: vec!["Subscriber".into()],
        }]),
        CpeResponse::Upload(transfer_response()),
        CpeResponse::ScheduleInform,
        CpeResponse::ScheduleDownload,
        CpeResponse::CancelTransfer,
        CpeResponse::GetQueuedTransfers(vec![QueuedTransfer {
            command_key: "log-9".into(),
            state: 2,
        }]),
        CpeResponse::GetAllQueuedTransfers(vec![AnyQueuedTransfer {
            command_key: "".into(),
            state: 1,
            is_download: true,
            file_type: "1 Firmware Upgrade Image".into(),
            file_size: 7,
            target_file_name: "fw.bin".into(),
        }]),
        CpeResponse::ChangeDuState,
        CpeResponse::SetVouchers,
        CpeResponse::GetOptions(vec![OptionState {
            option_name: "vpn".into(),
            voucher_serial: 12,
            state: 3,
            mode: 1,
            start_date: "2026-01-01T00:00:00Z".into(),
            expiration_date: Some("2027-01-01T00:00:00Z".into()),
            is_transferable: 1,
        }]),
    ]
}

pub(super) fn set_fault() -> Fault {
    Fault {
        code: FaultCode::INVALID_ARGUMENTS,
        text: "Invalid arguments".into(),
        parameters: vec![ParameterFault {
            name: "Device.Time.NTPServer1".into(),
            code: FaultCode::INVALID_PARAMETER_VALUE,
            text: "no host name".into(),
        }],
    }
}

/// Every message: who writes it, a file name, and the envelope.
pub(super) fn all() -> Vec<(Side, String, Envelope)> {
    let cpe_fault = Message::Fault(set_fault());
    let acs_fault = Message::Fault(Fault {
        code: FaultCode::ACS_RETRY_REQUEST,
        text: "Retry request".into(),
        parameters: vec![],
    });
    let informed = identified(Message::CpeRequest(CpeRequest::Inform(Box::new(inform()))));
    let acknowledged = Envelope {
        use_version: Some("1.4".into()),
        ..envelope(Message::AcsResponse(AcsResponse::Inform))
    };
    let mut all = vec![
        (Side::Cpe, informed),
        (Side::Acs, acknowledged),
        (Side::Cpe, envelope(cpe_fault)),
        (Side::Acs, envelope(acs_fault)),
    ];
    all.extend(cpe_requests().into_iter().map(|m| (Side::Cpe, envelope(Message::CpeRequest(m)))));
    all.extend(acs_responses().into_iter().map(|m| (Side::Acs, envelope(Message::AcsResponse(m)))));
    all.extend(acs_requests().into_iter().map(|m| (Side::Acs, envelope(Message::AcsRequest(m)))));
    all.extend(cpe_responses().into_iter().map(|m| (Side::Cpe, envelope(Message::CpeResponse(m)))));
    let named = |(side, envelope): (Side, Envelope)| {
        let from = if side == Side::Cpe { "cpe" } else { "acs" };
        (side, format!("{from}-{}", envelope.message.element()), envelope)
    };
    all.into_iter().map(named).collect()
}
