//! What real devices do wrong, one test a quirk: the number is that of the list
//! of field quirks, and what is odd lies in the fixture of the same name.

use provost::cwmp::*;
use provost::device::EventCode;
use provost::param::ValueType;
use provost::time::Timestamp;

use super::fixture;
use super::samples::envelope;

fn parsed(name: &str) -> Parsed {
    read(&fixture(name), None, Side::Cpe, &ReadLimits::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn oddities(parsed: &Parsed) -> Vec<Oddity> {
    parsed.warnings.iter().map(|warning| warning.what).collect()
}

fn inform(parsed: &Parsed) -> &Inform {
    match &parsed.envelope.message {
        Message::CpeRequest(CpeRequest::Inform(inform)) => inform,
        other => panic!("no Inform: {other:?}"),
    }
}

fn values(parsed: &Parsed) -> &[ParameterValue] {
    match &parsed.envelope.message {
        Message::CpeResponse(CpeResponse::GetParameterValues(values)) => values,
        other => panic!("no values: {other:?}"),
    }
}

#[test]
fn an_inform_as_it_should_be_has_no_oddities() {
    let parsed = parsed("inform");
    assert_eq!(parsed.warnings, []);
    assert_eq!(parsed.envelope.id.as_deref(), Some("42"));
    assert_eq!(inform(&parsed).device.id().as_str(), "00D09E-HG-A1");
}

#[test]
fn q01_the_id_may_be_missing() {
    for name in ["q01-no-header", "q01-header-without-id"] {
        let parsed = parsed(name);
        assert_eq!(parsed.envelope.id, None);
        // The answer carries none either.
        let reply = Envelope {
            id: parsed.envelope.id,
            ..envelope(Message::AcsResponse(AcsResponse::Inform))
        };
        let reply = String::from_utf8(write(&reply, &WriteStyle::default())).unwrap();
        assert!(!reply.contains("cwmp:ID"), "{reply}");
    }
}

#[test]
fn q02_blanks_around_structural_texts_are_dropped() {
    let parsed = parsed("q02-blanks");
    assert_eq!(parsed.envelope.id.as_deref(), Some(""));
    assert_eq!(parsed.envelope.session_timeout, Some(90));
    let inform = inform(&parsed);
    assert_eq!(inform.device.id().as_str(), "00D09E-HG-A1");
    assert_eq!(&*inform.device.manufacturer, "");
    assert_eq!(inform.events, [InformEvent { code: EventCode::Boot, command_key: "".into() }]);
    let parameter = &inform.parameters[0];
    assert_eq!(parameter.name.as_str(), "Device.WiFi.SSID.1.SSID");
    assert_eq!(&*parameter.value.text, " two  blanks ");
}

#[test]
fn q04_any_cwmp_namespace_is_kept_and_others_count_as_1_0() {
    let known = parsed("q04-cwmp-1-4");
    assert_eq!(known.envelope.namespace.as_str(), "urn:dslforum-org:cwmp-1-4");
    assert_eq!(known.warnings, []);
    let unknown = parsed("q04-unknown-namespace");
    assert_eq!(unknown.envelope.namespace, Namespace::v1_0());
    assert_eq!(oddities(&unknown), [Oddity::Namespace]);
}

#[test]
fn q05_prefixes_mean_nothing() {
    let parsed = parsed("q05-prefixes");
    assert_eq!(parsed.warnings, []);
    assert_eq!(parsed.envelope.id.as_deref(), Some("7"));
    assert_eq!(parsed.envelope.namespace, Namespace::v1_0());
    assert_eq!(values(&parsed)[0].value.kind, ValueType::UnsignedInt);
}

#[test]
fn q06_single_quotes_and_a_wrong_encoding_uri() {
    let parsed = parsed("q06-single-quotes");
    assert_eq!(parsed.envelope.message, Message::CpeResponse(CpeResponse::SetParameterValues(1)));
    assert_eq!(parsed.warnings, []);
}

#[test]
fn q07_the_innermost_namespace_counts() {
    let parsed = parsed("q07-namespace-on-message");
    assert_eq!(parsed.envelope.namespace, Namespace::v1_2());
    assert_eq!(parsed.envelope.message, Message::CpeResponse(CpeResponse::Reboot));
}

#[test]
fn q08_a_value_without_a_type_is_a_string() {
    let parsed = parsed("q08-no-type");
    assert!(values(&parsed).iter().all(|one| one.value.kind == ValueType::String));
    assert_eq!(oddities(&parsed), [Oddity::NoType]);
    assert_eq!(parsed.warnings[0].times, 2);
}

#[test]
fn q09_a_parameter_without_a_value_is_empty() {
    let parsed = parsed("q09-no-value");
    assert_eq!(&*values(&parsed)[0].value.text, "");
    assert_eq!(&*values(&parsed)[1].value.text, "-1");
    assert_eq!(oddities(&parsed), [Oddity::NoValue]);
}

#[test]
fn q10_an_unknown_type_is_kept_for_writing_back() {
    let parsed = parsed("q10-unknown-type");
    let value = &values(&parsed)[0].value;
    assert_eq!((&*value.text, value.kind.name()), ("{\"a\":1}", "json"));
    let written = write(&parsed.envelope, &WriteStyle::default());
    assert!(String::from_utf8(written).unwrap().contains("<Value xsi:type=\"xsd:json\">"));
}

#[test]
fn q11_booleans_are_written_as_digits() {
    let request =
        AcsRequest::GetParameterNames(GetParameterNames { path: None, next_level: false });
    let written = write(&envelope(Message::AcsRequest(request)), &WriteStyle::default());
    assert!(String::from_utf8(written).unwrap().contains("<NextLevel>0</NextLevel>"));
}

#[test]
fn q12_fractions_of_seconds_are_understood() {
    let parsed = parsed("q12-fraction");
    let time = Timestamp::parse(&inform(&parsed).current_time);
    assert_eq!(time.map(Timestamp::as_millis), Some(774_224_067));
}

#[test]
fn q13_times_are_kept_as_texts() {
    let parsed = parsed("q13-no-clock");
    let Message::CpeRequest(CpeRequest::TransferComplete(done)) = &parsed.envelope.message else {
        panic!("{parsed:?}")
    };
    assert_eq!(&*done.start_time, "0001-01-01T00:00:00Z");
    assert_eq!(&*done.complete_time, "yesterday, about noon");
    assert_eq!(Timestamp::parse(&done.start_time), None);
    assert_eq!(parsed.warnings, []);
}

#[test]
fn q14_array_types_are_not_looked_at() {
    let parsed = parsed("q14-array-types");
    assert_eq!(inform(&parsed).events.len(), 1);
    assert_eq!(inform(&parsed).parameters.len(), 2);
    assert_eq!(parsed.warnings, []);
}

#[test]
fn q15_events_may_be_missing_or_repeated() {
    let none = parsed("q15-no-events");
    assert_eq!(inform(&none).events, []);
    assert_eq!(oddities(&none), [Oddity::NoEvents]);
    let repeated = parsed("q15-repeated-events");
    let keys: Vec<&str> = inform(&repeated).events.iter().map(|one| &*one.command_key).collect();
    assert_eq!(keys, ["", "a", "b"]);
    assert_eq!(oddities(&repeated), [Oddity::RepeatedEvent]);
}

#[test]
fn q26_the_charset_of_the_header_counts() {
    let body = fixture("q26-latin-1");
    let parsed = read(&body, Some("ISO-8859-1"), Side::Cpe, &ReadLimits::default()).unwrap();
    assert_eq!(&*inform(&parsed).device.manufacturer, "Café");
    assert_eq!(parsed.warnings, []);
    let guessed = read(&body, None, Side::Cpe, &ReadLimits::default()).unwrap();
    assert_eq!(&*inform(&guessed).device.manufacturer, "Caf\u{fffd}");
    assert_eq!(oddities(&guessed), [Oddity::BrokenBytes]);
}

#[test]
fn q27_broken_characters_do_not_cost_the_session() {
    let parsed = parsed("q27-broken-characters");
    assert_eq!(&*values(&parsed)[0].value.text, "a\u{fffd}b\u{fffd}\u{fffd}");
    assert_eq!(oddities(&parsed), [Oddity::BrokenBytes, Oddity::IllegalCharacters]);
}

#[test]
fn q28_and_q55_the_declaration_is_a_choice() {
    let message = envelope(Message::AcsResponse(AcsResponse::Inform));
    let begins = |xml_declaration| {
        write(&message, &WriteStyle { xml_declaration, ..WriteStyle::default() })
            .starts_with(b"<?xml version=")
    };
    assert!(WriteStyle::default().xml_declaration);
    assert_eq!((begins(true), begins(false)), (true, false));
}

#[test]
fn q34_null_is_a_text_like_any_other() {
    assert_eq!(&*inform(&parsed("q34-null-key")).parameters[0].value.text, "(null)");
}

#[test]
fn q35_the_oui_is_made_upper_case() {
    let parsed = parsed("q35-lower-case-oui");
    assert_eq!(inform(&parsed).device.id().as_str(), "3C9066-HG-A1");
    assert_eq!(oddities(&parsed), [Oddity::OddOui]);
}

#[test]
fn q36_odd_identities_are_taken_and_encoded() {
    let parsed = parsed("q36-odd-identity");
    let id = inform(&parsed).device.id();
    assert_eq!(id.as_str(), "001122334455667788990011-10.0.0.1%3A2");
    assert_eq!(oddities(&parsed), [Oddity::OddOui]);
}

#[test]
fn q42_a_fault_is_known_by_its_code_alone() {
    let parsed = parsed("q42-fault");
    let Message::Fault(fault) = &parsed.envelope.message else { panic!("{parsed:?}") };
    assert_eq!(fault.code, FaultCode::INVALID_ARGUMENTS);
    assert_eq!(&*fault.text, "Invalid arguments");
    assert_eq!(fault.parameters, []);
    assert_eq!(parsed.warnings, []);
}

#[test]
fn q53_an_unknown_method_is_named() {
    assert_eq!(
        parsed("q53-unknown-method").envelope.message,
        Message::CpeRequest(CpeRequest::Unknown("X_ACME_Announce".into()))
    );
}

#[test]
fn q59_padding_on_both_sides_is_skipped() {
    let padded = parsed("q59-padding");
    assert_eq!(padded.envelope, parsed("inform").envelope);
    assert_eq!(padded.warnings, []);
}

#[test]
fn numbers_out_of_range_take_their_default() {
    let parsed = parsed("e-missing-members");
    assert_eq!(
        parsed.envelope.message,
        Message::CpeResponse(CpeResponse::AddObject(AddObjectResponse { instance: 0, status: 0 }))
    );
    assert_eq!(oddities(&parsed), [Oddity::BadNumber]);
    assert_eq!(parsed.warnings[0].times, 2);
}

#[test]
fn stray_ampersands_stay_as_they_are() {
    let parsed = parsed("e-stray-ampersand");
    assert_eq!(&*values(&parsed)[0].value.text, "Tom & Jerry &nbsp; & Co");
    assert_eq!(oddities(&parsed), [Oddity::StrayAmpersand]);
}
