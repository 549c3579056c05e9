//! Bodies that mean harm, and bodies that were damaged on the way. The numbers
//! are those of the list of hostile inputs.

use proptest::prelude::*;
use provost::class::Class;
use provost::cwmp::*;

use super::survives::survives;
use super::{fixture, fixtures, samples};

fn problem(body: &[u8]) -> Problem {
    read(body, None, Side::Cpe, &ReadLimits::default()).unwrap_err().problem
}

/// An envelope with this in its body.
fn around(body: &str) -> Vec<u8> {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:cwmp=\"urn:dslforum-org:cwmp-1-0\"><s:Body>{body}</s:Body></s:Envelope>"
    )
    .into_bytes()
}

fn values(parameters: &str) -> Vec<u8> {
    around(&format!(
        "<cwmp:GetParameterValuesResponse><ParameterList>{parameters}</ParameterList>\
         </cwmp:GetParameterValuesResponse>"
    ))
}

#[test]
fn a01_a02_a03_a04_a05_document_types_are_refused() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let quadratic = format!("<!DOCTYPE x [<!ENTITY a \"{}\">]>", "a".repeat(100_000));
    let file = "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>";
    let outside = "<!DOCTYPE x [<!ENTITY % d SYSTEM \"http://192.0.2.1/x.dtd\">%d;]>";
    let external = "<!DOCTYPE Envelope SYSTEM \"http://192.0.2.1/x.dtd\">";
    for doctype in [laughs, &quadratic, file, outside, external, "<!doctype x>"] {
        let mut body = doctype.as_bytes().to_vec();
        body.extend(
            fixture("q08-no-type")
                .strip_prefix(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
                .unwrap(),
        );
        assert_eq!(problem(&body), Problem::Doctype, "{doctype:.40}");
    }
}

#[test]
fn entities_without_a_document_type_are_not_expanded() {
    let body = values("<P><Name>Device.A</Name><Value>&xxe;</Value></P>");
    let parsed = read(&body, None, Side::Cpe, &ReadLimits::default()).unwrap();
    let Message::CpeResponse(CpeResponse::GetParameterValues(list)) = parsed.envelope.message
    else {
        panic!("no values")
    };
    assert_eq!(&*list[0].value.text, "&xxe;");
}

#[test]
fn a06_depth_is_limited() {
    let deep = around(&format!("<cwmp:X>{}", "<a>".repeat(10_000)));
    assert_eq!(problem(&deep), Problem::TooMuch("elements inside each other"));
}

#[test]
fn a07_attributes_are_limited() {
    let many: String = (0..65).map(|n| format!(" a{n}=\"\"")).collect();
    assert_eq!(problem(&around(&format!("<cwmp:X{many}/>"))), Problem::TooMuch("attributes"));
    let more = " a=\"\"".repeat(100_000);
    assert_eq!(problem(&around(&format!("<cwmp:X{more}/>"))), Problem::TooMuch("bytes in a tag"));
}

#[test]
fn a08_a18_sizes_and_counts_are_limited() {
    let tight = ReadLimits {
        bytes: 100_000,
        elements: 200,
        value_bytes: 1000,
        items: 20,
        ..ReadLimits::default()
    };
    let refused = |body: &[u8]| {
        let error = read(body, None, Side::Cpe, &tight).unwrap_err();
        assert_eq!(error.class(), Class::TooLarge);
        error.problem
    };
    assert_eq!(refused(&[b' '; 100_001]), Problem::TooMuch("bytes"));
    let one = "<P><Name>Device.A</Name><Value>1</Value></P>";
    assert_eq!(refused(&values(&one.repeat(21))), Problem::TooMuch("members in a list"));
    assert_eq!(
        refused(&around(&format!("<cwmp:X>{}</cwmp:X>", "<a/>".repeat(200)))),
        Problem::TooMuch("elements")
    );
    let long = "x".repeat(1001);
    let body = values(&format!("<P><Name>Device.A</Name><Value>{long}</Value></P>"));
    assert_eq!(refused(&body), Problem::TooMuch("bytes in a value"));
}

#[test]
fn a11_charsets_that_lie_are_handled() {
    let body = fixture("inform");
    for label in ["utf-16", "utf-7", "ebcdic-cp-us", "latin-1", "shift_jis", "\0", ""] {
        let parsed = read(&body, Some(label), Side::Cpe, &ReadLimits::default());
        assert!(parsed.is_ok(), "{label}");
    }
    let wide: Vec<u8> =
        std::str::from_utf8(&body).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read(&wide, None, Side::Cpe, &ReadLimits::default()).is_ok());
}

#[test]
fn a12_characters_without_a_right_to_be_there_do_not_reach_an_identity() {
    let with = |serial: &str| {
        String::from_utf8(fixture("inform")).unwrap().replace(">A1<", &format!(">{serial}<"))
    };
    let taken = |serial: &str| {
        let parsed = read(with(serial).as_bytes(), None, Side::Cpe, &ReadLimits::default());
        let Message::CpeRequest(CpeRequest::Inform(inform)) = parsed.unwrap().envelope.message
        else {
            panic!("no Inform")
        };
        inform.device.id().to_string()
    };
    assert_eq!(taken("A&#0;1"), "00D09E-HG-A%EF%BF%BD1");
    assert_eq!(taken("A\u{202e}1"), "00D09E-HG-A%E2%80%AE1");
    assert_eq!(taken("<![CDATA[<script>]]>"), "00D09E-HG-%3Cscript%3E");
    assert!(matches!(problem(with("A&#9;1").as_bytes()), Problem::Identity(_)));
    assert!(matches!(problem(with(&"9".repeat(1000)).as_bytes()), Problem::Identity(_)));
    assert!(matches!(problem(with(" ").as_bytes()), Problem::Identity(_)));
}

#[test]
fn a13_one_rule_for_namespaces() {
    let of = |body: &str| {
        read(body.as_bytes(), None, Side::Cpe, &ReadLimits::default()).unwrap().envelope.namespace
    };
    let one = "<e:Envelope xmlns:e='e' xmlns:a='urn:dslforum-org:cwmp-1-0' \
               xmlns:b='urn:dslforum-org:cwmp-1-2'><e:Body><b:RebootResponse/></e:Body></e:Envelope>";
    assert_eq!(of(one), Namespace::v1_2());
    let redefined = "<e:Envelope xmlns:e='e' xmlns:c='urn:dslforum-org:cwmp-1-0'><e:Body>\
                     <c:RebootResponse xmlns:c='urn:dslforum-org:cwmp-1-1'/></e:Body></e:Envelope>";
    assert_eq!(of(redefined).as_str(), "urn:dslforum-org:cwmp-1-1");
    let unbound = "<e:Envelope xmlns:c='urn:dslforum-org:cwmp-1-1'><e:Body><x:RebootResponse/>\
                   </e:Body></e:Envelope>";
    assert_eq!(of(unbound).as_str(), "urn:dslforum-org:cwmp-1-1");
    let markup = "<e:Envelope xmlns:c='urn:dslforum-org:cwmp-1-0\"&gt;'><e:Body><c:RebootResponse/>\
                  </e:Body></e:Envelope>";
    assert_eq!(of(markup), Namespace::v1_0());
}

#[test]
fn a14_there_is_one_message_in_an_envelope() {
    let reboot = "<cwmp:RebootResponse/>";
    assert_eq!(
        problem(&around(&format!("{reboot}{reboot}"))),
        Problem::SecondMessage("RebootResponse".into())
    );
    let two = "<e:Envelope><e:Body><RebootResponse/></e:Body><e:Body/></e:Envelope>";
    assert_eq!(problem(two.as_bytes()), Problem::SecondMessage("Body".into()));
    for nested in ["<Inform/>", "<x><cwmp:Inform>", "<s:Body/>", "<s:Envelope>"] {
        let body = around(&format!("<cwmp:RebootResponse>{nested}</cwmp:RebootResponse>"));
        assert!(matches!(problem(&body), Problem::SecondMessage(_)), "{nested}");
    }
}

#[test]
fn a15_long_lists_of_faults_are_cut() {
    let one = "<SetParameterValuesFault><ParameterName>A</ParameterName>\
               <FaultCode>9007</FaultCode></SetParameterValuesFault>";
    let fault = format!(
        "<s:Fault><detail><cwmp:Fault><FaultCode>9003</FaultCode>{}</cwmp:Fault></detail></s:Fault>",
        one.repeat(5000)
    );
    let parsed = read(&around(&fault), None, Side::Cpe, &ReadLimits::default()).unwrap();
    let Message::Fault(fault) = parsed.envelope.message else { panic!("no fault") };
    assert_eq!(fault.parameters.len(), 1024);
    assert_eq!(parsed.warnings[0].what, Oddity::CutList);
}

#[test]
fn a16_numbers_that_are_none_are_ignored() {
    for count in ["-1", "1.5", "99999999999999999999", "", "NaN", "0x10"] {
        let body = String::from_utf8(fixture("inform")).unwrap();
        let body = body
            .replace("<RetryCount>0<", &format!("<RetryCount>{count}<"))
            .replace("<MaxEnvelopes>1<", &format!("<MaxEnvelopes>{count}<"));
        let parsed = read(body.as_bytes(), None, Side::Cpe, &ReadLimits::default()).unwrap();
        let Message::CpeRequest(CpeRequest::Inform(inform)) = parsed.envelope.message else {
            panic!("no Inform")
        };
        assert_eq!(inform.retry_count, 0, "{count}");
        assert_eq!(parsed.warnings[0].what, Oddity::BadNumber, "{count}");
    }
}

#[test]
fn a18_names_that_are_none_are_left_out() {
    let long = "x".repeat(64 << 10);
    let names = ["", " ", "a b", "a\u{7f}", &long, "__proto__", "..", "."];
    let parameters: String =
        names.iter().map(|name| format!("<P><Name>{name}</Name><Value>1</Value></P>")).collect();
    let body = values(&parameters);
    let parsed = read(&body, None, Side::Cpe, &ReadLimits::default()).unwrap();
    let Message::CpeResponse(CpeResponse::GetParameterValues(list)) = parsed.envelope.message
    else {
        panic!("no values")
    };
    let taken: Vec<&str> = list.iter().map(|one| one.name.as_str()).collect();
    // Odd, but harmless: nothing evaluates a name.
    assert_eq!(taken, ["__proto__", "..", "."]);
    let bad = parsed.warnings.iter().find(|one| one.what == Oddity::BadName).unwrap();
    assert_eq!(bad.times, 5);
}

#[test]
fn a21_sections_comments_and_instructions_do_not_split_a_value() {
    let parsed = read(&fixture("a21-split-value"), None, Side::Cpe, &ReadLimits::default());
    let Message::CpeResponse(CpeResponse::GetParameterValues(list)) =
        parsed.unwrap().envelope.message
    else {
        panic!("no values")
    };
    assert_eq!(&*list[0].value.text, "a<b>&amp;cdA\t");
}

#[test]
fn what_is_no_envelope_is_named() {
    assert_eq!(problem(b""), Problem::NoDocument);
    assert_eq!(problem(b"hello"), Problem::NoDocument);
    assert_eq!(problem(b"<html></html>"), Problem::NotAnEnvelope("html".into()));
    assert_eq!(problem(b"<Envelope/>"), Problem::NoMessage);
    assert_eq!(problem(b"<Envelope><Body> </Body></Envelope>"), Problem::NoMessage);
    assert_eq!(problem(b"<Envelope><Body><RebootResponse>"), Problem::Truncated);
    assert!(matches!(problem(b"<Envelope><Body></Envelope>"), Problem::Xml(_)));
    assert_eq!(problem(&around("<cwmp:Inform/>")), Problem::Missing("DeviceId"));
}

#[test]
fn errors_name_the_place_in_the_body() {
    let body = b"\xef\xbb\xbf  <Envelope>\n<Body>\n</Bdy>";
    let error = read(body, None, Side::Cpe, &ReadLimits::default()).unwrap_err();
    assert_eq!(error.at, 23);
}

#[test]
fn every_message_survives_being_cut_anywhere() {
    for body in corpus() {
        for end in 0..body.len() {
            survives(&body[..end]);
        }
    }
}

#[test]
fn every_message_survives_any_byte_being_another() {
    for mut body in corpus() {
        for at in 0..body.len() {
            let right = body[at];
            let markup = b"<>&\"'/!\0"[at % 8];
            for wrong in [right ^ (1 << (at % 8)), markup] {
                body[at] = wrong;
                survives(&body);
            }
            body[at] = right;
        }
    }
}

/// All fixtures, and one of every message.
fn corpus() -> Vec<Vec<u8>> {
    let written = samples::all().into_iter().map(|one| write(&one.2, &WriteStyle::default()));
    fixtures().into_iter().chain(written).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Parts of messages put where they do not belong.
    #[test]
    fn patched_up_messages_survive(
        (one, other) in (0usize..1000, 0usize..1000),
        cuts in prop::array::uniform4(0usize..10_000),
        noise in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let corpus = CORPUS.get_or_init(corpus);
        let one = &corpus[one % corpus.len()];
        let other = &corpus[other % corpus.len()];
        let [head, tail, from, to] = cuts;
        let (from, to) = (from % other.len(), to % other.len());
        let mut body = one[..head % one.len()].to_vec();
        body.extend(&other[from.min(to)..from.max(to)]);
        body.extend(noise);
        body.extend(&one[tail % one.len()..]);
        survives(&body);
    }
}

static CORPUS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
