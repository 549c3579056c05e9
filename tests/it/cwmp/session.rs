//! The order of a session, driven from outside as the device's door does it.

use std::time::Duration;

use proptest::prelude::*;
use provost::cwmp::*;
use provost::time::Timestamp;

use super::samples;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn envelope(id: &str, message: Message) -> Envelope {
    Envelope { id: Some(id.into()), namespace: Namespace::v1_0(), ..samples::envelope(message) }
}

fn inform() -> Envelope {
    let inform = Box::new(samples::inform());
    envelope("cpe-1", Message::CpeRequest(CpeRequest::Inform(inform)))
}

fn request(request: CpeRequest) -> Input {
    Input::Message(envelope("cpe-2", Message::CpeRequest(request)))
}

fn response(id: &str, response: CpeResponse) -> Input {
    Input::Message(envelope(id, Message::CpeResponse(response)))
}

fn transfer_complete() -> Input {
    request(CpeRequest::TransferComplete(samples::transfer_complete()))
}

fn reboot() -> AcsRequest {
    AcsRequest::Reboot(Reboot { command_key: "k".into() })
}

fn new() -> Session {
    Session::new(60, NOW)
}

fn greeting(session: Session, inform: Envelope) -> Greeting {
    match session.handle(Input::Message(inform), NOW) {
        Output::Inform { turn, .. } => turn,
        other => panic!("{other:?}"),
    }
}

/// A session whose Inform is acknowledged.
fn draining() -> Session {
    greeting(new(), inform()).acknowledge().0
}

fn ready(session: Session) -> Turn {
    match session.handle(Input::Empty, NOW) {
        Output::Ready(turn) => turn,
        other => panic!("{other:?}"),
    }
}

/// A session that waits for the answer to a Reboot.
fn awaiting() -> Session {
    ready(draining()).request(reboot()).0
}

fn asked(session: Session, input: Input) -> Asked {
    match session.handle(input, NOW) {
        Output::Request { turn, .. } => turn,
        other => panic!("{other:?}"),
    }
}

fn end(session: Session, input: Input) -> (Ending, Option<Box<str>>, Session) {
    match session.handle(input, NOW) {
        Output::End { why, lost, session } => (why, lost, session),
        other => panic!("{other:?}"),
    }
}

fn fault_code(envelope: &Envelope) -> u32 {
    match &envelope.message {
        Message::Fault(fault) => fault.code.0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_from_inform_to_end() {
    let (session, reply) = greeting(new(), inform()).acknowledge();
    assert_eq!(reply.id.as_deref(), Some("cpe-1"));
    assert_eq!(reply.message, Message::AcsResponse(AcsResponse::Inform));

    let (session, asked) = ready(session).request(reboot());
    assert_eq!(asked.id.as_deref(), Some("acs-1"));
    assert_eq!(session.outstanding(), Some("Reboot"));

    let output = session.handle(response("acs-1", CpeResponse::Reboot), NOW);
    let Output::Answer { method, answer, turn } = output else { panic!("{output:?}") };
    assert_eq!((&*method, answer), ("Reboot", Ok(CpeResponse::Reboot)));

    // The next request rides in the answer to the response (Q52).
    let (session, asked) = turn.request(AcsRequest::FactoryReset);
    assert_eq!(asked.id.as_deref(), Some("acs-2"));
    let output = session.handle(response("acs-2", CpeResponse::FactoryReset), NOW);
    let Output::Answer { turn, .. } = output else { panic!("{output:?}") };
    assert!(turn.finish().is_ended());
}

#[test]
fn a_fault_is_an_answer() {
    let fault = samples::set_fault();
    let input = Input::Message(envelope("acs-1", Message::Fault(fault.clone())));
    let output = awaiting().handle(input, NOW);
    let Output::Answer { answer, .. } = output else { panic!("{output:?}") };
    assert_eq!(answer, Err(fault));
}

#[test]
fn q01_an_answer_without_an_id_is_taken() {
    for id in [None, Some(""), Some("1"), Some("cpe-9")] {
        let message = Message::CpeResponse(CpeResponse::Reboot);
        let input = Input::Message(Envelope { id: id.map(Box::from), ..envelope("", message) });
        let output = awaiting().handle(input, NOW);
        assert!(matches!(output, Output::Answer { answer: Ok(_), .. }), "{id:?}");
    }
}

#[test]
fn q03_the_namespace_is_echoed_to_the_end() {
    let uri = "urn:dslforum-org:cwmp-1-3";
    let namespace = Namespace::parse(uri).unwrap();
    let (session, reply) = greeting(new(), Envelope { namespace, ..inform() }).acknowledge();
    assert_eq!(reply.namespace.as_str(), uri);
    // The device changes its mind meanwhile; the server does not.
    let (session, reply) = asked(session, transfer_complete()).answer();
    assert_eq!(reply.namespace.as_str(), uri);
    assert_eq!(ready(session).request(reboot()).1.namespace.as_str(), uri);
}

#[test]
fn versions_are_negotiated_only_when_offered() {
    let offered = |versions: Option<&str>| Envelope {
        supported_versions: versions.map(Box::from),
        ..inform()
    };
    let greet = |versions| greeting(new(), offered(versions));
    assert_eq!(greet(Some("1.0,1.1")).version(), Version::V1_1);
    assert_eq!(greet(Some("1.0,1.1")).acknowledge().1.use_version.as_deref(), Some("1.1"));
    assert_eq!(greet(Some("1.4,1.9")).acknowledge().1.use_version.as_deref(), Some("1.4"));
    assert_eq!(greet(None).acknowledge().1.use_version, None);

    let output = new().handle(Input::Message(offered(Some("2.0, 3.1"))), NOW);
    let Output::Refused { reply, session, .. } = output else { panic!("{output:?}") };
    assert_eq!((fault_code(&reply), reply.id.as_deref()), (8006, Some("cpe-1")));
    assert!(matches!(session, Session::AwaitInform(_)));
}

#[test]
fn t06_a_refused_inform_may_come_again() {
    let (session, reply) = greeting(new(), inform()).refuse(FaultCode::ACS_RETRY_REQUEST);
    assert_eq!(fault_code(&reply), 8005);
    let _ = greeting(session.clone(), inform());
    assert_eq!(end(session, Input::Empty).0, Ending::NoSession);
}

#[test]
fn the_device_may_ask_before_it_is_asked() {
    let (session, reply) = asked(draining(), transfer_complete()).answer();
    assert_eq!(reply.message, Message::AcsResponse(AcsResponse::TransferComplete));
    assert_eq!(reply.id.as_deref(), Some("cpe-2"));
    let (session, reply) = asked(session, request(CpeRequest::GetRpcMethods)).answer();
    let Message::AcsResponse(AcsResponse::GetRpcMethods(list)) = reply.message else {
        panic!("{reply:?}")
    };
    assert!(list.methods.iter().any(|name| &**name == "TransferComplete"));
    let _ = ready(session);
}

#[test]
fn q39_the_answer_is_named_after_the_request() {
    for (side, name, sample) in samples::all() {
        let Message::CpeRequest(request) = sample.message else { continue };
        if let CpeRequest::Inform(_) = request {
            continue;
        }
        assert_eq!(side, Side::Cpe);
        let expected = format!("{}Response", request.method());
        let (_, reply) = asked(draining(), self::request(request)).answer();
        assert_eq!(reply.message.element(), expected, "{name}");
    }
}

#[test]
fn q53_an_unknown_method_gets_8000_and_the_session_goes_on() {
    let unknown = request(CpeRequest::Unknown("X_ACME_Announce".into()));
    let (session, reply) = asked(draining(), unknown).answer();
    assert_eq!(fault_code(&reply), 8000);
    let _ = ready(session);
}

#[test]
fn a_request_may_be_refused_and_the_session_goes_on() {
    let (session, reply) =
        asked(draining(), transfer_complete()).refuse(FaultCode::ACS_INTERNAL_ERROR, "no room");
    assert_eq!(fault_code(&reply), 8002);
    let _ = ready(session);
}

#[test]
fn a_request_in_place_of_an_answer_is_not_lost() {
    let (session, reply) = asked(awaiting(), transfer_complete()).answer();
    assert_eq!(reply.message, Message::AcsResponse(AcsResponse::TransferComplete));
    assert_eq!(session.outstanding(), Some("Reboot"));
    let output = session.handle(response("acs-1", CpeResponse::Reboot), NOW);
    assert!(matches!(output, Output::Answer { answer: Ok(CpeResponse::Reboot), .. }));
}

#[test]
fn a_transfer_that_completes_after_the_end_is_still_heard() {
    let session = ready(draining()).finish();
    let (session, _) = asked(session, transfer_complete()).answer();
    assert!(ready(session).finish().is_ended());
}

#[test]
fn q20_the_end_may_be_repeated() {
    let session = ready(draining()).finish();
    let (why, lost, session) = end(session, Input::Empty);
    assert_eq!((why, lost), (Ending::Again, None));
    assert_eq!(end(session, Input::Empty).0, Ending::Again);
}

#[test]
fn q45_an_empty_message_without_an_inform_ends() {
    assert_eq!(end(new(), Input::Empty).0, Ending::NoSession);
    assert_eq!(end(new(), transfer_complete()).0, Ending::NoSession);
    assert_eq!(end(new(), response("1", CpeResponse::Reboot)).0, Ending::NoSession);
}

#[test]
fn q49_an_inform_begins_anew_and_tells_what_was_lost() {
    for (session, expected) in
        [(draining(), None), (awaiting(), Some("Reboot")), (ready(draining()).finish(), None)]
    {
        let output = session.handle(Input::Message(inform()), NOW);
        let Output::Inform { lost, turn, .. } = output else { panic!("{output:?}") };
        assert_eq!(lost.as_deref(), expected);
        // IDs begin anew as well.
        let (session, _) = turn.acknowledge();
        assert_eq!(ready(session).request(reboot()).1.id.as_deref(), Some("acs-1"));
    }
}

#[test]
fn q56_an_empty_answer_is_method_not_supported() {
    let output = awaiting().handle(Input::Empty, NOW);
    let Output::Answer { method, answer, turn } = output else { panic!("{output:?}") };
    assert_eq!(&*method, "Reboot");
    assert_eq!(answer.unwrap_err().code, FaultCode::METHOD_NOT_SUPPORTED);
    let _ = turn.request(AcsRequest::FactoryReset);
}

#[test]
fn b12_answers_that_nobody_asked_for_end_the_session() {
    assert_eq!(end(draining(), response("x", CpeResponse::Reboot)).0, Ending::Unasked);
    let fault = || Input::Message(envelope("x", Message::Fault(samples::set_fault())));
    assert_eq!(end(draining(), fault()).0, Ending::Unasked);
    assert_eq!(end(ready(draining()).finish(), fault()).0, Ending::Unasked);
}

#[test]
fn answers_to_something_else_are_not_credited() {
    let other = response("acs-1", CpeResponse::FactoryReset);
    let (why, lost, session) = end(awaiting(), other);
    assert_eq!((why, lost.as_deref()), (Ending::WrongAnswer, Some("Reboot")));
    // After a breach only an Inform helps.
    assert_eq!(end(session, transfer_complete()).0, Ending::NoSession);

    // The answer to the first of two requests, once more.
    let output = awaiting().handle(response("acs-1", CpeResponse::Reboot), NOW);
    let Output::Answer { turn, .. } = output else { panic!("{output:?}") };
    let (session, _) = turn.request(reboot());
    let (why, lost, _) = end(session, response("acs-1", CpeResponse::Reboot));
    assert_eq!((why, lost.as_deref()), (Ending::WrongAnswer, Some("Reboot")));
}

#[test]
fn what_only_a_server_writes_ends_the_session() {
    for message in
        [Message::AcsRequest(reboot()), Message::AcsResponse(AcsResponse::TransferComplete)]
    {
        let (why, lost, _) = end(awaiting(), Input::Message(envelope("1", message)));
        assert_eq!((why, lost.as_deref()), (Ending::NotFromADevice, Some("Reboot")));
    }
}

#[test]
fn silence_is_what_the_device_asks_for_within_bounds() {
    let silence = |configured, asked: Option<u32>| {
        let session = Session::new(configured, NOW);
        let inform = Envelope { session_timeout: asked, ..inform() };
        greeting(session, inform).acknowledge().0.silence().as_secs()
    };
    assert_eq!(silence(60, None), 60);
    assert_eq!(silence(60, Some(10)), 60);
    assert_eq!(silence(60, Some(300)), 300);
    assert_eq!(silence(60, Some(u32::MAX)), 600);
    assert_eq!(silence(900, Some(700)), 900);
}

#[test]
fn the_deadline_moves_with_every_message() {
    let session = new();
    assert_eq!(session.deadline(), NOW.after(Duration::from_secs(60)));
    let later = NOW.after(Duration::from_secs(50));
    let inform = Envelope { session_timeout: Some(120), ..inform() };
    let Output::Inform { turn, .. } = session.handle(Input::Message(inform), later) else {
        panic!("no Inform")
    };
    let (session, _) = turn.acknowledge();
    assert_eq!(session.deadline(), later.after(Duration::from_secs(120)));
    // The next session asks for nothing more than usual.
    let restarted = greeting(session, self::inform()).acknowledge().0;
    assert_eq!(restarted.silence().as_secs(), 60);
}

/// What a device may post, in order or out of it.
fn any_input() -> impl Strategy<Value = Option<Envelope>> {
    let messages: Vec<Envelope> = samples::all().into_iter().map(|one| one.2).collect();
    let id = prop::sample::select(vec![None, Some("acs-1"), Some("acs-2"), Some("7")]);
    let message = (prop::sample::select(messages), id)
        .prop_map(|(message, id)| Some(Envelope { id: id.map(Box::from), ..message }));
    let foreign = Envelope { supported_versions: Some("7.0".into()), ..inform() };
    prop_oneof![
        3 => Just(None),
        2 => Just(Some(inform())),
        1 => Just(Some(foreign)),
        6 => message,
    ]
}

proptest! {
    /// Whatever a device posts, each message has one outcome, nothing that was
    /// outstanding is forgotten, and the clock only moves on.
    #[test]
    fn any_order_of_messages_is_answered(
        posts in prop::collection::vec((any_input(), any::<bool>(), 0u32..50), 1..40),
    ) {
        let mut session = new();
        let mut now = NOW;
        for (post, ask, seconds) in posts {
            now = now.after(Duration::from_secs(seconds.into()));
            let outstanding = session.outstanding().map(Box::<str>::from);
            let input = post.map_or(Input::Empty, Input::Message);
            session = match session.handle(input, now) {
                Output::Inform { turn, lost, .. } => {
                    prop_assert_eq!(lost, outstanding);
                    turn.acknowledge().0
                }
                Output::Request { turn, .. } => {
                    let session = turn.answer().0;
                    prop_assert_eq!(session.outstanding(), outstanding.as_deref());
                    session
                }
                Output::Answer { method, turn, .. } => {
                    prop_assert_eq!(Some(method), outstanding);
                    if ask { turn.request(reboot()).0 } else { turn.finish() }
                }
                Output::Ready(turn) => {
                    prop_assert_eq!(outstanding, None);
                    if ask { turn.request(reboot()).0 } else { turn.finish() }
                }
                Output::Refused { session, lost, .. } => {
                    prop_assert_eq!(lost, outstanding);
                    session
                }
                Output::End { lost, session, .. } => {
                    prop_assert_eq!(lost, outstanding);
                    prop_assert_eq!(session.outstanding(), None);
                    session
                }
            };
            prop_assert_eq!(session.deadline(), now.after(session.silence()));
        }
    }
}

/// Each code has the standard's words, is written with the right SOAP code, and
/// reads back; those of vendors are kept as they are.
#[test]
fn every_fault_code_of_the_standard_has_its_words() {
    let standard = (8000..=8006).chain(9000..=9032);
    for code in standard.chain([8800, 8899, 9800, 9899, 123_456_789]) {
        let code = FaultCode(code);
        let of_vendor = !matches!(code.0, 8000..=8006 | 9000..=9032);
        assert_eq!(code.words().is_empty(), of_vendor, "{code}");
        let text = if of_vendor { "the vendor's own words" } else { code.words() };
        let fault = Fault { code, text: text.into(), parameters: Vec::new() };
        let envelope = envelope("1", Message::Fault(fault.clone()));
        let bytes = write(&envelope, &WriteStyle::default());
        let callers = matches!(code.0, 8003 | 9003 | 9005..=9008);
        let soap = if callers { "Client</faultcode>" } else { "Server</faultcode>" };
        assert!(String::from_utf8_lossy(&bytes).contains(soap), "{code}");
        for side in [Side::Cpe, Side::Acs] {
            let read = read(&bytes, None, side, &ReadLimits::default()).unwrap();
            assert_eq!(read.envelope.message, Message::Fault(fault.clone()), "{code}");
        }
    }
}

/// Every namespace with every offer of versions: the device's own namespace is
/// answered, a version is named only if versions were offered, and requests are
/// never held.
#[test]
fn t13_versions_and_namespaces_in_all_pairs() {
    for minor in 0..=4 {
        let namespace = Namespace::parse(&format!("urn:dslforum-org:cwmp-1-{minor}")).unwrap();
        for (offer, chosen) in [
            (None, None),
            (Some("1.0"), Some("1.0")),
            (Some("1.0,1.1,1.2"), Some("1.2")),
            (Some("1.0,1.1,1.2,1.3,1.4"), Some("1.4")),
            (Some("1.4,2.0"), Some("1.4")),
        ] {
            for session_timeout in [None, Some(90)] {
                let inform = Envelope {
                    namespace: namespace.clone(),
                    supported_versions: offer.map(Box::from),
                    session_timeout,
                    ..inform()
                };
                let (session, reply) = greeting(new(), inform).acknowledge();
                let (_, request) = ready(session).request(AcsRequest::GetRpcMethods);
                for written in [reply, request] {
                    assert_eq!(written.namespace, namespace);
                    assert!(!written.hold_requests, "never sent unasked");
                    let text = write(&written, &WriteStyle::default());
                    let text = String::from_utf8(text).unwrap();
                    assert!(!text.contains("HoldRequests") && !text.contains("NoMoreRequests"));
                    let named = matches!(written.message, Message::AcsResponse(_));
                    let expected = chosen.filter(|_| named);
                    assert_eq!(written.use_version.as_deref(), expected, "{namespace} {offer:?}");
                }
            }
        }
    }
}

/// The header of the first edition says nothing any more.
#[test]
fn t13_no_more_requests_is_passed_over() {
    let bytes = write(&inform(), &WriteStyle::default());
    let text = String::from_utf8(bytes).unwrap();
    let old = text.replace(
        "</soap-env:Header>",
        "<cwmp:NoMoreRequests soap-env:mustUnderstand=\"1\">1</cwmp:NoMoreRequests></soap-env:Header>",
    );
    assert_ne!(old, text);
    let parsed = read(old.as_bytes(), None, Side::Cpe, &ReadLimits::default()).unwrap();
    assert_eq!(parsed.envelope, inform());
}
