//! The device against exchanges of an ACS that are written out by hand, in
//! memory and on a clock that stands still.

mod transfers;

use proptest::prelude::*;

use super::*;
use crate::cwmp::{self, CpeRequest, CpeResponse, Envelope, FaultCode, Message, ReadLimits, Side};
use crate::device::{EventCode, Secret};
use crate::param::ParamPath;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);

fn later(seconds: u64) -> Timestamp {
    NOW.after(std::time::Duration::from_secs(seconds))
}

fn gateway() -> Cpe {
    let blueprint = Blueprint::device2("GW0001", 120).unwrap();
    Cpe::new(blueprint.with_acs("http://127.0.0.1:7547/", "onboard", Secret::new("secret")), NOW)
}

/// A message of the ACS.
fn acs(id: &str, body: &str) -> Vec<u8> {
    format!(
        concat!(
            r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/""#,
            r#" xmlns:enc="http://schemas.xmlsoap.org/soap/encoding/""#,
            r#" xmlns:xsd="http://www.w3.org/2001/XMLSchema""#,
            r#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#,
            r#" xmlns:cwmp="urn:dslforum-org:cwmp-1-2"><soap:Header>"#,
            r#"<cwmp:ID soap:mustUnderstand="1">{}</cwmp:ID></soap:Header>"#,
            r#"<soap:Body>{}</soap:Body></soap:Envelope>"#
        ),
        id, body
    )
    .into_bytes()
}

const INFORM_RESPONSE: &str =
    "<cwmp:InformResponse><MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse>";

fn reply(status: u16, body: &[u8]) -> Reply<'_> {
    Reply { status, charset: None, body }
}

/// What the device posts.
fn posted(action: Action) -> Envelope {
    let Action::Post(bytes) = action else { panic!("no envelope: {action:?}") };
    cwmp::read(&bytes, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope
}

fn inform_of(action: Action) -> cwmp::Inform {
    match posted(action).message {
        Message::CpeRequest(CpeRequest::Inform(inform)) => *inform,
        other => panic!("no Inform: {other:?}"),
    }
}

fn events_of(inform: &cwmp::Inform) -> Vec<String> {
    let texts = inform.events.iter().map(|e| format!("{} {}", e.code, e.command_key));
    texts.map(|text| text.trim_end().to_owned()).collect()
}

/// Opens a session up to the empty POST.
fn open(cpe: &mut Cpe, now: Timestamp) -> cwmp::Inform {
    assert_eq!(cpe.next(now), Next::Session);
    let envelope = posted(cpe.open_session(now));
    let id = envelope.id.unwrap();
    let Message::CpeRequest(CpeRequest::Inform(inform)) = envelope.message else { panic!() };
    let answer = acs(&id, INFORM_RESPONSE);
    assert_eq!(cpe.handle_reply(reply(200, &answer), now), Action::PostEmpty);
    *inform
}

/// One request of the ACS and the answer to it.
fn ask(cpe: &mut Cpe, body: &str) -> Result<CpeResponse, cwmp::Fault> {
    let request = acs("req-7", body);
    let envelope = posted(cpe.handle_reply(reply(200, &request), NOW));
    assert_eq!(envelope.id.as_deref(), Some("req-7"));
    match envelope.message {
        Message::CpeResponse(response) => Ok(response),
        Message::Fault(fault) => Err(fault),
        other => panic!("no answer: {other:?}"),
    }
}

fn end(cpe: &mut Cpe, now: Timestamp) {
    assert_eq!(cpe.handle_reply(reply(204, b""), now), Action::Close { failure: None });
}

fn set(values: &[(&str, &str, &str)]) -> String {
    let values: String = values
        .iter()
        .map(|(name, kind, value)| {
            format!(
                "<ParameterValueStruct><Name>{name}</Name><Value xsi:type=\"xsd:{kind}\">{value}\
                 </Value></ParameterValueStruct>"
            )
        })
        .collect();
    format!(
        "<cwmp:SetParameterValues><ParameterList>{values}</ParameterList><ParameterKey>k1\
         </ParameterKey></cwmp:SetParameterValues>"
    )
}

fn get(names: &[&str]) -> String {
    let names: String = names.iter().map(|name| format!("<string>{name}</string>")).collect();
    format!(
        "<cwmp:GetParameterValues><ParameterNames>{names}</ParameterNames></cwmp:GetParameterValues>"
    )
}

fn download(key: &str, url: &str, size: usize) -> String {
    format!(
        "<cwmp:Download><CommandKey>{key}</CommandKey><FileType>1 Firmware Upgrade Image</FileType>\
         <URL>{url}</URL><Username>u</Username><Password>p</Password><FileSize>{size}</FileSize>\
         <TargetFileName></TargetFileName><DelaySeconds>0</DelaySeconds><SuccessURL></SuccessURL>\
         <FailureURL></FailureURL></cwmp:Download>"
    )
}

#[test]
fn the_first_contact_carries_what_the_standard_forces() {
    let mut cpe = gateway();
    let inform = open(&mut cpe, NOW);
    assert_eq!(events_of(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
    assert_eq!(inform.device.id().as_str(), "00D09E-SimGateway-GW0001");
    assert_eq!(&*inform.current_time, "2026-11-20T20:05:00Z");
    let names: Vec<&str> = inform.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Device.RootDataModelVersion",
            "Device.DeviceInfo.HardwareVersion",
            "Device.DeviceInfo.SoftwareVersion",
            "Device.DeviceInfo.ProvisioningCode",
            "Device.ManagementServer.ParameterKey",
            "Device.ManagementServer.ConnectionRequestURL",
            "Device.ManagementServer.AliasBasedAddressing",
        ]
    );
    end(&mut cpe, NOW);
    assert_eq!(
        cpe.take_happenings(),
        [SimEvent::SessionEnded {
            events: vec![EventCode::Bootstrap, EventCode::Boot],
            answered: 0,
            failure: None,
        }]
    );
    // All is told: nothing before the periodic Inform.
    assert_eq!(cpe.next(NOW), Next::Wait(Some(later(300))));
}

#[test]
fn a_phone_informs_by_its_own_model() {
    let mac = "0c383e07e16c".parse().unwrap();
    let mut phone = Cpe::new(Blueprint::internet_gateway("P1", mac, 4).unwrap(), NOW);
    let inform = inform_of(phone.open_session(NOW));
    assert_eq!(inform.device.id().as_str(), "0C383E-SimPhone-P1");
    let wan = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.";
    let address = inform.parameters.iter().find(|p| p.name.as_str().starts_with(wan)).unwrap();
    assert_eq!(&*address.value.text, "192.0.2.20");
    let lines = "InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.Line.";
    let path = ParamPath::parse(lines).unwrap();
    assert_eq!(phone.model().names(Some(&path), true).unwrap().len(), 4);
}

#[test]
fn values_are_set_and_read_back() {
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    let ssid = "Device.WiFi.SSID.1.SSID";
    let key = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    let answer = ask(&mut cpe, &set(&[(ssid, "string", "home"), (key, "string", "12345678")]));
    assert_eq!(answer, Ok(CpeResponse::SetParameterValues(0)));
    let Ok(CpeResponse::GetParameterValues(values)) =
        ask(&mut cpe, &get(&[ssid, key, "Device.ManagementServer.ParameterKey"]))
    else {
        panic!()
    };
    let texts: Vec<&str> = values.iter().map(|v| &*v.value.text).collect();
    assert_eq!(texts, ["home", "", "k1"], "a secret reads back empty");
    assert_eq!(cpe.model().text(key), "12345678");
    let paths = vec![ParamPath::parse(ssid).unwrap(), ParamPath::parse(key).unwrap()];
    assert_eq!(cpe.take_happenings(), [SimEvent::Applied { paths }]);
}

#[test]
fn each_bad_value_is_named_and_nothing_is_set() {
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    let before = cpe.model().clone();
    let fault = ask(
        &mut cpe,
        &set(&[
            ("Device.WiFi.SSID.1.SSID", "string", "home"),
            ("Device.WiFi.SSID.9.SSID", "string", "home"),
            ("Device.WiFi.Radio.1.Channel", "string", "11"),
            ("Device.WiFi.Radio.2.Channel", "unsignedInt", "500"),
            ("Device.DeviceInfo.SerialNumber", "string", "x"),
        ]),
    )
    .unwrap_err();
    assert_eq!(fault.code, FaultCode::INVALID_ARGUMENTS);
    let codes: Vec<u32> = fault.parameters.iter().map(|fault| fault.code.0).collect();
    assert_eq!(codes, [9005, 9006, 9007, 9008]);
    assert_eq!(cpe.model(), &before);

    let twice =
        [("Device.WiFi.SSID.1.SSID", "string", "a"), ("Device.WiFi.SSID.1.SSID", "string", "b")];
    let fault = ask(&mut cpe, &set(&twice)).unwrap_err();
    assert_eq!((fault.code.0, fault.parameters.len()), (9003, 0));
    assert_eq!(cpe.model(), &before);
}

#[test]
fn faults_of_the_other_methods() {
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    let names = |path: &str, next: u8| {
        format!(
            "<cwmp:GetParameterNames><ParameterPath>{path}</ParameterPath><NextLevel>{next}\
             </NextLevel></cwmp:GetParameterNames>"
        )
    };
    let row = |method: &str, path: &str| {
        format!(
            "<cwmp:{method}><ObjectName>{path}</ObjectName><ParameterKey></ParameterKey></cwmp:{method}>"
        )
    };
    for (request, code) in [
        (get(&["Device.WiFi.SSID.1.SSID", "Device.Nothing"]), 9005),
        (names("Device.Nothing.", 0), 9005),
        (names("Device.WiFi.SSID.1.SSID", 1), 9003),
        (row("AddObject", "Device.Nothing."), 9005),
        (row("AddObject", "Device.Hosts.Host."), 9003),
        (row("DeleteObject", "Device.NAT.PortMapping.77."), 9005),
        (row("DeleteObject", "Device.WiFi.SSID.1."), 9003),
        (download("k", "ftp://192.0.2.1/f", 0), 9013),
        (download("k", "http://u:p@192.0.2.1/f", 0), 9003),
        (download(&"k".repeat(33), "http://192.0.2.1/f", 0), 9003),
        ("<cwmp:X_00D09E_Dance/>".to_owned(), 9000),
    ] {
        assert_eq!(ask(&mut cpe, &request).map_err(|fault| fault.code.0), Err(code), "{request}");
    }
    end(&mut cpe, NOW);
}

#[test]
fn a_reboot_is_told_with_its_key() {
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    let request = "<cwmp:Reboot><CommandKey>rb-1</CommandKey></cwmp:Reboot>";
    assert_eq!(ask(&mut cpe, request), Ok(CpeResponse::Reboot));
    end(&mut cpe, NOW);
    assert_eq!(cpe.next(NOW), Next::Restart);
    cpe.restarted(later(5));
    assert_eq!(events_of(&open(&mut cpe, later(5))), ["1 BOOT", "M Reboot rb-1"]);
}

#[test]
fn a_factory_reset_loses_what_was_set() {
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    let name = "Device.ManagementServer.Username";
    ask(&mut cpe, &set(&[(name, "string", "own"), ("Device.WiFi.SSID.1.SSID", "string", "x")]))
        .unwrap();
    assert_eq!(cpe.login().unwrap().0.as_ref(), "own");
    assert_eq!(ask(&mut cpe, "<cwmp:FactoryReset/>"), Ok(CpeResponse::FactoryReset));
    end(&mut cpe, NOW);
    cpe.restarted(NOW);
    assert_eq!(cpe.login().unwrap().0.as_ref(), "onboard");
    assert_eq!(cpe.model().text("Device.WiFi.SSID.1.SSID"), "Simulated-2.4GHz");
    assert_eq!(events_of(&open(&mut cpe, NOW)), ["0 BOOTSTRAP", "1 BOOT"]);
}

#[test]
fn a_new_acs_is_met_with_bootstrap() {
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    ask(&mut cpe, &set(&[("Device.ManagementServer.URL", "string", "http://192.0.2.9/")])).unwrap();
    end(&mut cpe, NOW);
    assert_eq!(cpe.acs_url(), "http://192.0.2.9/");
    assert_eq!(events_of(&open(&mut cpe, NOW)), ["0 BOOTSTRAP"]);
}

#[test]
fn the_periodic_inform_follows_its_interval() {
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    let interval = "Device.ManagementServer.PeriodicInformInterval";
    ask(&mut cpe, &set(&[(interval, "unsignedInt", "60")])).unwrap();
    end(&mut cpe, NOW);
    assert_eq!(cpe.next(later(59)), Next::Wait(Some(later(60))));
    assert_eq!(events_of(&open(&mut cpe, later(60))), ["2 PERIODIC"]);
    end(&mut cpe, later(60));
    assert_eq!(cpe.next(later(60)), Next::Wait(Some(later(120))));
}

#[test]
fn a_failed_session_is_retried_later_each_time() {
    let blueprint = Blueprint::device2("GW0001", 120).unwrap().with_inform_interval(0);
    let mut cpe = Cpe::new(blueprint, NOW);
    let mut at = NOW;
    for attempt in 0..12_u32 {
        assert_eq!(cpe.next(at), Next::Session);
        assert_eq!(inform_of(cpe.open_session(at)).retry_count, attempt);
        let action = cpe.handle_reply(reply(503, b""), at);
        assert_eq!(action, Action::Close { failure: Some(SessionFailure::Status(503)) });
        let Next::Wait(Some(until)) = cpe.next(at) else { panic!() };
        let least = 5_000 << attempt.min(9);
        let wait = until.since(at).as_millis();
        assert!((least..2 * least).contains(&wait), "attempt {attempt}: {wait} ms");
        at = until;
    }
}

#[test]
fn a_connection_request_does_not_wait_for_a_retry() {
    let mut cpe = gateway();
    cpe.open_session(NOW);
    cpe.session_lost(SessionFailure::Connection("refused".into()), NOW);
    assert!(matches!(cpe.next(NOW), Next::Wait(_)));
    cpe.connection_requested();
    let inform = open(&mut cpe, NOW);
    assert_eq!(events_of(&inform), ["0 BOOTSTRAP", "1 BOOT", "6 CONNECTION REQUEST"]);
}

#[test]
fn another_place_to_listen_at_is_told() {
    let mut cpe = gateway();
    cpe.set_connection_request_url("http://127.0.0.1:1/a");
    assert_eq!(events_of(&open(&mut cpe, NOW)), ["0 BOOTSTRAP", "1 BOOT"]);
    end(&mut cpe, NOW);
    cpe.set_connection_request_url("http://127.0.0.1:1/a");
    assert!(matches!(cpe.next(NOW), Next::Wait(_)));
    cpe.set_connection_request_url("http://127.0.0.1:2/b");
    assert_eq!(events_of(&open(&mut cpe, NOW)), ["4 VALUE CHANGE"]);
}

#[test]
fn t06_fault_8005_repeats_the_very_same_inform() {
    let mut cpe = gateway();
    let Action::Post(first) = cpe.open_session(NOW) else { panic!() };
    let fault = concat!(
        "<soap:Fault><faultcode>Server</faultcode><faultstring>CWMP fault</faultstring><detail>",
        "<cwmp:Fault><FaultCode>8005</FaultCode><FaultString>Retry</FaultString></cwmp:Fault>",
        "</detail></soap:Fault>"
    );
    let fault = acs("1", fault);
    for _ in 0..3 {
        assert_eq!(cpe.handle_reply(reply(200, &fault), NOW), Action::Post(first.clone()));
    }
    let end = Action::Close { failure: Some(SessionFailure::Fault(FaultCode(8005))) };
    assert_eq!(cpe.handle_reply(reply(200, &fault), NOW), end);
}

#[test]
fn an_acs_that_breaks_the_order_is_told_apart() {
    let failed = |answer: &[u8]| {
        let mut cpe = gateway();
        cpe.open_session(NOW);
        match cpe.handle_reply(reply(200, answer), NOW) {
            Action::Close { failure: Some(failure) } => failure.word(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(failed(b""), "out of order");
    assert_eq!(failed(b"<html/>"), "unreadable");
    assert_eq!(failed(&acs("2", INFORM_RESPONSE)), "out of order");
    assert_eq!(failed(&acs("1", "<cwmp:GetRPCMethods/>")), "out of order");
    assert_eq!(failed(&acs("1", "<cwmp:TransferCompleteResponse/>")), "out of order");
    let other =
        String::from_utf8(acs("1", INFORM_RESPONSE)).unwrap().replace("cwmp-1-2", "cwmp-1-0");
    assert_eq!(failed(other.as_bytes()), "out of order");
}

#[test]
fn requests_cut_anywhere_do_no_harm() {
    let requests = [
        set(&[("Device.WiFi.SSID.1.SSID", "string", "home")]),
        get(&["Device."]),
        download("k", "http://127.0.0.1/f", 5),
        "<cwmp:Reboot><CommandKey>rb</CommandKey></cwmp:Reboot>".to_owned(),
    ];
    for request in requests {
        let whole = acs("1", &request);
        for cut in 1..whole.len() {
            let mut cpe = gateway();
            let before = cpe.model().clone();
            open(&mut cpe, NOW);
            let action = cpe.handle_reply(reply(200, &whole[..cut]), NOW);
            assert!(matches!(action, Action::Close { failure: Some(_) }), "{cut}");
            assert_eq!(
                cpe.model().text("Device.WiFi.SSID.1.SSID"),
                before.text("Device.WiFi.SSID.1.SSID")
            );
        }
    }
}

fn path(text: &str) -> ParamPath {
    ParamPath::parse(text).unwrap()
}

#[test]
fn row_numbers_are_never_used_again() {
    let mut model = Blueprint::device2("1", 120).unwrap().build();
    let table = path("Device.NAT.PortMapping.");
    let before = model.parameter_count();
    assert_eq!(model.add_object(&table), Ok(2));
    assert_eq!(model.text("Device.NAT.PortMappingNumberOfEntries"), "2");
    model.delete_object(&path("Device.NAT.PortMapping.2.")).unwrap();
    assert_eq!(model.text("Device.NAT.PortMappingNumberOfEntries"), "1");
    assert_eq!(model.parameter_count(), before);
    assert_eq!(model.add_object(&table), Ok(3));
    let full = (0..200).find_map(|_| model.add_object(&table).err()).unwrap();
    assert_eq!(full.code, FaultCode::RESOURCES_EXCEEDED);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is deleted and added, no number comes twice.
    #[test]
    fn rows_come_and_go(steps in prop::collection::vec((any::<bool>(), 0..12_usize), 0..60)) {
        let mut model = Blueprint::device2("1", 0).unwrap().build();
        let table = path("Device.NAT.PortMapping.");
        let mut rows = vec![1];
        let mut highest = 1;
        for (add, which) in steps {
            if add {
                let number = model.add_object(&table).unwrap();
                prop_assert!(number > highest);
                highest = number;
                rows.push(number);
            } else if !rows.is_empty() {
                let number = rows.remove(which % rows.len());
                model.delete_object(&path(&format!("{table}{number}."))).unwrap();
            }
            let count = model.text("Device.NAT.PortMappingNumberOfEntries");
            prop_assert_eq!(count, rows.len().to_string());
        }
    }

    /// What GetParameterNames names, GetParameterValues has, level by level and
    /// all at once.
    #[test]
    fn names_and_values_agree(parameters in 0..400_usize) {
        let model = Blueprint::device2("1", parameters).unwrap().build();
        let all = model.names(None, false).unwrap();
        let values = model.values(&[path("Device.")]).unwrap();
        let leaves = all.iter().filter(|info| !info.name.is_object());
        prop_assert!(leaves.map(|info| &info.name).eq(values.iter().map(|value| &value.name)));
        prop_assert_eq!(values.len(), model.parameter_count());

        let mut open = vec![path("Device.")];
        let mut walked = open.clone();
        while let Some(object) = open.pop() {
            for info in model.names(Some(&object), true).unwrap() {
                if info.name.is_object() {
                    open.push(info.name.clone());
                }
                walked.push(info.name);
            }
        }
        walked.sort();
        prop_assert!(walked.iter().eq(all.iter().map(|info| &info.name)));
    }

    /// All or nothing: after a fault the model is what it was.
    #[test]
    fn a_refused_set_changes_nothing(
        wanted in prop::collection::vec((0..300_usize, 0..4_usize, "[0-9a-z]{0,40}"), 1..8)
    ) {
        let mut model = Blueprint::device2("1", 150).unwrap().build();
        let known = model.values(&[path("Device.")]).unwrap();
        let kinds = ["string", "unsignedInt", "boolean", "int"];
        let values: Vec<cwmp::ParameterValue> = wanted
            .into_iter()
            .map(|(which, kind, text)| {
                let name = known.get(which).map_or(path("Device.Nothing"), |value| value.name.clone());
                let kind = crate::param::ValueType::from_name(kinds[kind]);
                cwmp::ParameterValue { name, value: crate::param::Value::new(text, kind) }
            })
            .collect();
        let before = model.clone();
        match model.set(&values) {
            Err(_) => prop_assert_eq!(model, before),
            Ok(_) => for value in &values {
                prop_assert_eq!(model.text(value.name.as_str()), &*value.value.text);
            },
        }
    }

    /// Any bytes in place of an answer, at any moment.
    #[test]
    fn no_answer_panics(status in 100..600_u16, body in prop::collection::vec(any::<u8>(), 0..300), at in 0..2) {
        let mut cpe = gateway();
        if at == 0 { cpe.open_session(NOW); } else { open(&mut cpe, NOW); }
        cpe.handle_reply(reply(status, &body), NOW);
    }
}
