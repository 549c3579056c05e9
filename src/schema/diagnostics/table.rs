//! The facts: TR-181 issue 2.19, TR-098 issue 1.8, TR-181 issue 1.7 (Device:1).

use super::Unit::{self, Bytes, Microseconds, Milliseconds, Plain};
use super::{DiagnosticInput, DiagnosticObject, InputForm, ResultTable};
use crate::device::DiagnosticKind::{
    Download, NsLookup, Ping, TraceRoute, UdpEcho, Upload, WifiNeighbours,
};

const DEVICE: &str = "Device.";
const GATEWAY: &str = "InternetGatewayDevice.";
const ANY: u32 = u32::MAX;

const fn needed(name: &'static str, form: InputForm) -> DiagnosticInput {
    DiagnosticInput { name, form, required: true, default: None }
}

const fn free(name: &'static str, form: InputForm) -> DiagnosticInput {
    DiagnosticInput { name, form, required: false, default: None }
}

const fn usual(name: &'static str, form: InputForm, default: &'static str) -> DiagnosticInput {
    DiagnosticInput { name, form, required: false, default: Some(default) }
}

const INTERFACE: DiagnosticInput = free("Interface", InputForm::Interface);
const VERSION: DiagnosticInput =
    free("ProtocolVersion", InputForm::OneOf(&["Any", "IPv4", "IPv6"]));
const DSCP: DiagnosticInput = usual("DSCP", InputForm::Number(0, 63), "0");
const PRIORITY: DiagnosticInput = usual("EthernetPriority", InputForm::Number(0, 7), "0");
const HOST: DiagnosticInput = needed("Host", InputForm::Host);
const TIMEOUT: DiagnosticInput = usual("Timeout", InputForm::Number(1, ANY), "5000");
const PINGS: DiagnosticInput = usual("NumberOfRepetitions", InputForm::Number(1, ANY), "4");
const TRIES: DiagnosticInput = usual("NumberOfTries", InputForm::Number(1, 3), "3");
const HOPS: DiagnosticInput = usual("MaxHopCount", InputForm::Number(1, 64), "30");
const BLOCK: DiagnosticInput = usual("DataBlockSize", InputForm::Number(1, 65_535), "64");
const CONNECTIONS: DiagnosticInput = free("NumberOfConnections", InputForm::Number(1, ANY));
const PER_CONNECTION: DiagnosticInput = free("EnablePerConnectionResults", InputForm::Flag);
const DURATION: DiagnosticInput = free("TimeBasedTestDuration", InputForm::Number(0, 999));
const INTERVAL: DiagnosticInput =
    free("TimeBasedTestMeasurementInterval", InputForm::Number(0, 999));
const OFFSET: DiagnosticInput = free("TimeBasedTestMeasurementOffset", InputForm::Number(0, 255));
const LOOKUP: &[DiagnosticInput] = &[
    INTERFACE,
    needed("HostName", InputForm::Host),
    usual("DNSServer", InputForm::OptionalHost, ""),
    usual("Timeout", InputForm::Number(0, ANY), "5000"),
    usual("NumberOfRepetitions", InputForm::Number(0, ANY), "1"),
];

const PING_RESULTS: &[(&str, Unit)] = &[
    ("SuccessCount", Plain),
    ("FailureCount", Plain),
    ("AverageResponseTime", Milliseconds),
    ("MinimumResponseTime", Milliseconds),
    ("MaximumResponseTime", Milliseconds),
];
const LOOKUP_RESULTS: &[(&str, Unit)] =
    &[("SuccessCount", Plain), ("ResultNumberOfEntries", Plain)];
const TIMES: [(&str, Unit); 5] = [
    ("ROMTime", Plain),
    ("BOMTime", Plain),
    ("EOMTime", Plain),
    ("TCPOpenRequestTime", Plain),
    ("TCPOpenResponseTime", Plain),
];
const DOWNLOAD_RESULTS: &[(&str, Unit)] = &[
    TIMES[0],
    TIMES[1],
    TIMES[2],
    ("TestBytesReceived", Bytes),
    ("TotalBytesReceived", Bytes),
    TIMES[3],
    TIMES[4],
];
const UPLOAD_RESULTS: &[(&str, Unit)] =
    &[TIMES[0], TIMES[1], TIMES[2], ("TotalBytesSent", Bytes), TIMES[3], TIMES[4]];

const LOOKUP_TABLE: ResultTable = ResultTable {
    name: "Result.",
    counter: "ResultNumberOfEntries",
    columns: &[
        ("Status", Plain),
        ("AnswerType", Plain),
        ("HostNameReturned", Plain),
        ("IPAddresses", Plain),
        ("DNSServerIP", Plain),
        ("ResponseTime", Milliseconds),
    ],
};
const fn hops(counter: &'static str) -> ResultTable {
    ResultTable {
        name: "RouteHops.",
        counter,
        columns: &[
            ("HopHost", Plain),
            ("HopHostAddress", Plain),
            ("HopErrorCode", Plain),
            ("HopRTTimes", Milliseconds),
        ],
    }
}
const fn increments(columns: &'static [(&'static str, Unit)]) -> ResultTable {
    ResultTable { name: "IncrementalResult.", counter: "IncrementalResultNumberOfEntries", columns }
}
const fn connections(columns: &'static [(&'static str, Unit)]) -> ResultTable {
    ResultTable {
        name: "PerConnectionResult.",
        counter: "PerConnectionResultNumberOfEntries",
        columns,
    }
}

/// Newest data model first, for each diagnostic.
pub(super) const OBJECTS: &[DiagnosticObject] = &[
    DiagnosticObject {
        kind: Ping,
        root: DEVICE,
        object: "IP.Diagnostics.IPPing.",
        inputs: &[INTERFACE, VERSION, HOST, PINGS, TIMEOUT, BLOCK, DSCP],
        results: &[
            ("IPAddressUsed", Plain),
            ("SuccessCount", Plain),
            ("FailureCount", Plain),
            ("AverageResponseTime", Milliseconds),
            ("MinimumResponseTime", Milliseconds),
            ("MaximumResponseTime", Milliseconds),
            ("AverageResponseTimeDetailed", Microseconds),
            ("MinimumResponseTimeDetailed", Microseconds),
            ("MaximumResponseTimeDetailed", Microseconds),
        ],
        tables: &[],
    },
    DiagnosticObject {
        kind: Ping,
        root: DEVICE,
        object: "LAN.IPPingDiagnostics.",
        inputs: &[HOST, PINGS, TIMEOUT, BLOCK, DSCP],
        results: PING_RESULTS,
        tables: &[],
    },
    DiagnosticObject {
        kind: Ping,
        root: GATEWAY,
        object: "IPPingDiagnostics.",
        inputs: &[INTERFACE, HOST, PINGS, TIMEOUT, BLOCK, DSCP],
        results: PING_RESULTS,
        tables: &[],
    },
    DiagnosticObject {
        kind: TraceRoute,
        root: DEVICE,
        object: "IP.Diagnostics.TraceRoute.",
        inputs: &[INTERFACE, VERSION, HOST, TRIES, TIMEOUT, BLOCK, DSCP, HOPS],
        results: &[
            ("IPAddressUsed", Plain),
            ("ResponseTime", Milliseconds),
            ("RouteHopsNumberOfEntries", Plain),
        ],
        tables: &[ResultTable {
            name: "RouteHops.",
            counter: "RouteHopsNumberOfEntries",
            columns: &[
                ("Host", Plain),
                ("HostAddress", Plain),
                ("ErrorCode", Plain),
                ("RTTimes", Milliseconds),
            ],
        }],
    },
    DiagnosticObject {
        kind: TraceRoute,
        root: DEVICE,
        object: "LAN.TraceRouteDiagnostics.",
        inputs: &[HOST, TIMEOUT, BLOCK, HOPS, DSCP],
        results: &[("ResponseTime", Milliseconds), ("NumberOfRouteHops", Plain)],
        tables: &[ResultTable {
            name: "RouteHops.",
            counter: "NumberOfRouteHops",
            columns: &[("HopHost", Plain)],
        }],
    },
    DiagnosticObject {
        kind: TraceRoute,
        root: GATEWAY,
        object: "TraceRouteDiagnostics.",
        inputs: &[INTERFACE, HOST, TRIES, TIMEOUT, BLOCK, DSCP, HOPS],
        results: &[("ResponseTime", Milliseconds), ("RouteHopsNumberOfEntries", Plain)],
        tables: &[hops("RouteHopsNumberOfEntries")],
    },
    DiagnosticObject {
        kind: Download,
        root: DEVICE,
        object: "IP.Diagnostics.DownloadDiagnostics.",
        inputs: &[
            INTERFACE,
            needed("DownloadURL", InputForm::Url),
            DSCP,
            PRIORITY,
            DURATION,
            INTERVAL,
            OFFSET,
            VERSION,
            CONNECTIONS,
            PER_CONNECTION,
        ],
        results: &[
            ("IPAddressUsed", Plain),
            TIMES[0],
            TIMES[1],
            TIMES[2],
            ("TestBytesReceived", Bytes),
            ("TotalBytesReceived", Bytes),
            ("TotalBytesSent", Bytes),
            ("TestBytesReceivedUnderFullLoading", Bytes),
            ("TotalBytesReceivedUnderFullLoading", Bytes),
            ("TotalBytesSentUnderFullLoading", Bytes),
            ("PeriodOfFullLoading", Microseconds),
            TIMES[3],
            TIMES[4],
            ("PerConnectionResultNumberOfEntries", Plain),
            ("IncrementalResultNumberOfEntries", Plain),
        ],
        tables: &[
            connections(&[
                TIMES[0],
                TIMES[1],
                TIMES[2],
                ("TestBytesReceived", Bytes),
                ("TotalBytesReceived", Bytes),
                ("TotalBytesSent", Bytes),
                TIMES[3],
                TIMES[4],
            ]),
            increments(&[
                ("TestBytesReceived", Bytes),
                ("TotalBytesReceived", Bytes),
                ("TotalBytesSent", Bytes),
                ("StartTime", Plain),
                ("EndTime", Plain),
            ]),
        ],
    },
    DiagnosticObject {
        kind: Download,
        root: DEVICE,
        object: "DownloadDiagnostics.",
        inputs: &[INTERFACE, needed("DownloadURL", InputForm::Url), DSCP, PRIORITY],
        results: DOWNLOAD_RESULTS,
        tables: &[],
    },
    DiagnosticObject {
        kind: Download,
        root: GATEWAY,
        object: "DownloadDiagnostics.",
        inputs: &[INTERFACE, needed("DownloadURL", InputForm::Url), DSCP, PRIORITY],
        results: DOWNLOAD_RESULTS,
        tables: &[],
    },
    DiagnosticObject {
        kind: Upload,
        root: DEVICE,
        object: "IP.Diagnostics.UploadDiagnostics.",
        inputs: &[
            INTERFACE,
            needed("UploadURL", InputForm::Url),
            DSCP,
            PRIORITY,
            usual("TestFileLength", InputForm::Bytes { long: true }, "10000000"),
            DURATION,
            INTERVAL,
            OFFSET,
            VERSION,
            CONNECTIONS,
            PER_CONNECTION,
        ],
        results: &[
            ("IPAddressUsed", Plain),
            TIMES[0],
            TIMES[1],
            TIMES[2],
            ("TestBytesSent", Bytes),
            ("TotalBytesReceived", Bytes),
            ("TotalBytesSent", Bytes),
            ("TestBytesSentUnderFullLoading", Bytes),
            ("TotalBytesReceivedUnderFullLoading", Bytes),
            ("TotalBytesSentUnderFullLoading", Bytes),
            ("PeriodOfFullLoading", Microseconds),
            TIMES[3],
            TIMES[4],
            ("PerConnectionResultNumberOfEntries", Plain),
            ("IncrementalResultNumberOfEntries", Plain),
        ],
        tables: &[
            connections(&[
                TIMES[0],
                TIMES[1],
                TIMES[2],
                ("TestBytesSent", Bytes),
                ("TotalBytesReceived", Bytes),
                ("TotalBytesSent", Bytes),
                TIMES[3],
                TIMES[4],
            ]),
            increments(&[
                ("TestBytesSent", Bytes),
                ("TotalBytesReceived", Bytes),
                ("TotalBytesSent", Bytes),
                ("StartTime", Plain),
                ("EndTime", Plain),
            ]),
        ],
    },
    DiagnosticObject {
        kind: Upload,
        root: DEVICE,
        object: "UploadDiagnostics.",
        inputs: OLD_UPLOAD,
        results: UPLOAD_RESULTS,
        tables: &[],
    },
    DiagnosticObject {
        kind: Upload,
        root: GATEWAY,
        object: "UploadDiagnostics.",
        inputs: OLD_UPLOAD,
        results: UPLOAD_RESULTS,
        tables: &[],
    },
    DiagnosticObject {
        kind: UdpEcho,
        root: DEVICE,
        object: "IP.Diagnostics.UDPEchoDiagnostics.",
        inputs: &[
            INTERFACE,
            HOST,
            usual("Port", InputForm::Number(1, 65_535), "7"),
            PINGS,
            TIMEOUT,
            BLOCK,
            DSCP,
            usual("InterTransmissionTime", InputForm::Number(1, 65_535), "1000"),
            VERSION,
            free("EnableIndividualPacketResults", InputForm::Flag),
        ],
        results: &[
            ("IPAddressUsed", Plain),
            ("SuccessCount", Plain),
            ("FailureCount", Plain),
            ("AverageResponseTime", Microseconds),
            ("MinimumResponseTime", Microseconds),
            ("MaximumResponseTime", Microseconds),
            ("IndividualPacketResultNumberOfEntries", Plain),
        ],
        tables: &[ResultTable {
            name: "IndividualPacketResult.",
            counter: "IndividualPacketResultNumberOfEntries",
            columns: &[
                ("PacketSuccess", Plain),
                ("PacketSendTime", Plain),
                ("PacketReceiveTime", Plain),
                ("TestGenSN", Plain),
                ("TestRespSN", Plain),
                ("TestRespRcvTimeStamp", Microseconds),
                ("TestRespReplyTimeStamp", Microseconds),
                ("TestRespReplyFailureCount", Plain),
            ],
        }],
    },
    DiagnosticObject {
        kind: NsLookup,
        root: DEVICE,
        object: "DNS.Diagnostics.NSLookupDiagnostics.",
        inputs: LOOKUP,
        results: LOOKUP_RESULTS,
        tables: &[LOOKUP_TABLE],
    },
    DiagnosticObject {
        kind: NsLookup,
        root: DEVICE,
        object: "NSLookupDiagnostics.",
        inputs: LOOKUP,
        results: LOOKUP_RESULTS,
        tables: &[LOOKUP_TABLE],
    },
    DiagnosticObject {
        kind: NsLookup,
        root: GATEWAY,
        object: "NSLookupDiagnostics.",
        inputs: LOOKUP,
        results: LOOKUP_RESULTS,
        tables: &[LOOKUP_TABLE],
    },
    DiagnosticObject {
        kind: WifiNeighbours,
        root: DEVICE,
        object: "WiFi.NeighboringWiFiDiagnostic.",
        inputs: &[],
        results: &[("ResultNumberOfEntries", Plain)],
        tables: &[ResultTable {
            name: "Result.",
            counter: "ResultNumberOfEntries",
            columns: &[
                ("Radio", Plain),
                ("SSID", Plain),
                ("BSSID", Plain),
                ("Mode", Plain),
                ("Channel", Plain),
                ("SignalStrength", Plain),
                ("SecurityModeEnabled", Plain),
                ("EncryptionMode", Plain),
                ("OperatingFrequencyBand", Plain),
                ("SupportedStandards", Plain),
                ("OperatingStandards", Plain),
                ("OperatingChannelBandwidth", Plain),
                ("BeaconPeriod", Milliseconds),
                ("Noise", Plain),
                ("BasicDataTransferRates", Plain),
                ("SupportedDataTransferRates", Plain),
                ("DTIMPeriod", Plain),
            ],
        }],
    },
];

const OLD_UPLOAD: &[DiagnosticInput] = &[
    INTERFACE,
    needed("UploadURL", InputForm::Url),
    DSCP,
    PRIORITY,
    usual("TestFileLength", InputForm::Bytes { long: false }, "10000000"),
];

/// What a state that begins with `Error` means.
pub(super) fn error_words(state: &str) -> &'static str {
    match state.strip_prefix("Error_").unwrap_or(state) {
        "CannotResolveHostName" => "the device cannot resolve the host name",
        "NoRouteToHost" => "the device has no route to the host",
        "MaxHopCountExceeded" => "the host is further away than the hops that were allowed",
        "InitConnectionFailed" => "the device cannot connect to the server",
        "NoResponse" => "the server does not answer",
        "TransferFailed" => "the transfer broke off",
        "PasswordRequestFailed" => "the server does not ask for a password as expected",
        "LoginFailed" => "the server does not let the device in",
        "NoTransferMode" => "the server has no binary transfer",
        "NoPASV" => "the server has no passive mode",
        "NoCWD" => "the server does not let the device into the directory",
        "NoSTOR" => "the server does not let the device store a file",
        "NoTransferComplete" => "the server never said that the transfer is complete",
        "IncorrectSize" => "the server gave another size than it sent",
        "Timeout" => "the time for the test ran out",
        "DNSServerNotResolved" => "the device cannot find the name server",
        "Internal" => "the device failed inside",
        "Other" | "Error" => "the device failed and does not say why",
        _ => "the device ended the diagnostic in a state that no data model has",
    }
}
