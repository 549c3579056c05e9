//! Whole streams, told line by line, on a clock of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::xmpp::scram::ScramError;

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' id='a' from='example.net' version='1.0'>";
const TLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
const BIND: &str =
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

/// A connection on a clock of its own.
struct Rig {
    connection: Connection,
    now: Timestamp,
    sent: String,
}

fn settings(jid: &str, security: Security, plain: bool) -> Settings {
    let password = Secret::new("pencil");
    Settings { jid: jid.parse().unwrap(), password, security, plain, wakeable: false }
}

fn mechanisms(names: &str) -> String {
    let list: String =
        names.split(' ').map(|name| format!("<mechanism>{name}</mechanism>")).collect();
    format!("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{list}</mechanisms>")
}

fn features(inside: &str) -> String {
    format!("{HEADER}<stream:features>{inside}</stream:features>")
}

fn say(kind: &str, text: &str) -> String {
    let text = STANDARD.encode(text);
    format!("<{kind} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</{kind}>")
}

/// What stands between two marks.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} in {text}")).0
}

impl Rig {
    fn new(settings: Settings) -> Self {
        let now = Timestamp::from_millis(1_000_000);
        let connection = Connection::new(settings, &[7; 32], now).unwrap();
        let mut rig = Self { connection, now, sent: String::new() };
        rig.send();
        rig
    }

    /// One that shows its password, as far as an address.
    fn online() -> Self {
        Self::online_as(settings("acs@example.net/r", Security::Given, true))
    }

    fn online_as(settings: Settings) -> Self {
        let mut rig = Self::new(settings);
        rig.hear(&features(&mechanisms("PLAIN")));
        rig.hear(SUCCESS);
        rig.hear(&format!("{HEADER}{BIND}"));
        let id = between(&rig.sent, " id=\"", "\"").to_owned();
        let events = rig.hear(&format!(
            "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <jid>acs@example.net/r</jid></bind></iq>"
        ));
        assert_eq!(events, [Event::Online("acs@example.net/r".parse().unwrap())]);
        rig
    }

    fn send(&mut self) {
        self.sent = String::from_utf8(self.connection.take_output()).unwrap();
    }

    /// The server says something; what is sent in answer stands in `sent`.
    fn hear(&mut self, text: &str) -> Vec<Event> {
        self.connection.receive(text.as_bytes(), self.now);
        self.send();
        self.connection.take_events()
    }

    /// Time goes on until something is due, and that is done.
    fn wait(&mut self) -> Vec<Event> {
        self.now = self.connection.due().unwrap();
        self.connection.tick(self.now);
        self.send();
        self.connection.take_events()
    }

    /// Asks a device; its ticket, and the id of the stanza.
    fn ask(&mut self, to: &str) -> (u64, String) {
        let password = Secret::new("p<w");
        let to = to.parse().unwrap();
        let ticket = self.connection.ask(&to, "u", &password, self.now).unwrap();
        self.send();
        (ticket, between(&self.sent, " id=\"", "\"").to_owned())
    }
}

fn ended(error: XmppError) -> Vec<Event> {
    vec![Event::Ended(error)]
}

#[test]
fn a_stream_comes_about_over_tls_and_scram() {
    let mut rig = Rig::new(settings("acs@example.net/r1", Security::StartTls, false));
    assert_eq!(
        rig.sent,
        "<?xml version=\"1.0\"?><stream:stream to=\"example.net\" version=\"1.0\" \
         xml:lang=\"en\" xmlns=\"jabber:client\" \
         xmlns:stream=\"http://etherx.jabber.org/streams\">",
        "who connects is not told in clear text"
    );
    rig.hear(&features(&format!("{TLS}{}", mechanisms("PLAIN SCRAM-SHA-1"))));
    assert_eq!(rig.sent, "<starttls xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>");
    // What is smuggled in behind the word that TLS begins is not looked at.
    let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    assert_eq!(rig.hear(&format!("{proceed}{}", features(BIND))), [Event::Secure]);
    assert_eq!(rig.hear("<smuggled/>"), []);
    rig.connection.secured();
    rig.send();
    assert!(rig.sent.contains(" from=\"acs@example.net\""), "{}", rig.sent);
    rig.hear(&features(&mechanisms("PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-256-PLUS")));
    assert!(rig.sent.contains("mechanism=\"SCRAM-SHA-256\""), "{}", rig.sent);
    let first = String::from_utf8(STANDARD.decode(between(&rig.sent, ">", "<")).unwrap()).unwrap();
    let nonce = first.strip_prefix("n,,n=acs,r=").unwrap();
    let challenge = format!("r={nonce}server,s=QSXCR+Q6sek8bf92,i=4096");
    rig.hear(&say("challenge", &challenge));
    let last = String::from_utf8(STANDARD.decode(between(&rig.sent, ">", "<")).unwrap()).unwrap();
    assert!(last.starts_with(&format!("c=biws,r={nonce}server,p=")), "{last}");
    // The server proves itself as RFC 5802 §3 has it.
    let key = |bytes: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), text.as_bytes())
    };
    let mut salted = [0; 32];
    let (salt, rounds) = (STANDARD.decode("QSXCR+Q6sek8bf92").unwrap(), 4096.try_into().unwrap());
    ring::pbkdf2::derive(ring::pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, b"pencil", &mut salted);
    let signed = format!("n=acs,r={nonce},{challenge},c=biws,r={nonce}server");
    let proof = key(key(&salted, "Server Key").as_ref(), &signed);
    let events = rig.hear(&say("success", &format!("v={}", STANDARD.encode(proof))));
    assert_eq!(events, []);
    assert!(rig.sent.starts_with("<?xml"), "the stream begins anew: {}", rig.sent);
    rig.hear(&format!("{HEADER}{BIND}"));
    assert!(rig.sent.contains("<resource>r1</resource>"), "{}", rig.sent);
    let id = between(&rig.sent, " id=\"", "\"").to_owned();
    let events = rig.hear(&format!(
        "<message/><iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <jid>acs@example.net/r1</jid></bind></iq>"
    ));
    assert_eq!(events, [Event::Online("acs@example.net/r1".parse().unwrap())]);
}

#[test]
fn nothing_is_shown_to_a_server_that_is_not_safe() {
    let plain = "PLAIN DIGEST-MD5";
    for (security, allow, offered, error) in [
        (Security::StartTls, true, mechanisms(plain), XmppError::NoTls),
        (Security::Given, false, mechanisms(plain), XmppError::NoMechanism(plain.into())),
        (Security::Clear, true, mechanisms(plain), XmppError::NoMechanism(plain.into())),
        (Security::Given, true, String::new(), XmppError::NoMechanism("".into())),
    ] {
        let mut rig = Rig::new(settings("acs@example.net", security, allow));
        assert_eq!(rig.hear(&features(&offered)), ended(error));
        assert!(!rig.sent.contains("auth"), "{}", rig.sent);
    }
    let mut rig = Rig::new(settings("acs@example.net", Security::StartTls, true));
    rig.hear(&features(TLS));
    let refused = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    assert_eq!(rig.hear(refused), ended(XmppError::NoTls));
}

#[test]
fn a_server_that_does_not_know_the_password_is_left() {
    for (said, error) in [
        (say("success", ""), XmppError::Scram(ScramError::Unproven)),
        (say("success", "v=AAAA"), XmppError::Scram(ScramError::Unproven)),
        (say("challenge", "r=other,s=QQ==,i=4096"), XmppError::Scram(ScramError::Nonce)),
        (say("challenge", ""), XmppError::Scram(ScramError::Malformed)),
        (
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>".into(),
            XmppError::Credentials("not-authorized".into()),
        ),
        ("<proceed xmlns='u'/>".into(), XmppError::Unexpected("proceed".into())),
    ] {
        let mut rig = Rig::new(settings("acs@example.net", Security::Clear, false));
        rig.hear(&features(&mechanisms("SCRAM-SHA-1")));
        assert_eq!(rig.hear(&said), ended(error), "{said}");
    }
}

#[test]
fn what_is_no_xmpp_server_is_told_as_such() {
    let old = HEADER.replace("version='1.0'>", ">");
    let other = HEADER.replace("etherx.jabber.org", "example.net");
    for (text, error) in [
        (old.as_str(), XmppError::NotXmpp),
        (&other, XmppError::NotXmpp),
        (
            "</stream:stream>",
            XmppError::Xml(crate::xmpp::XmlProblem::Malformed("an end without a start".into())),
        ),
        (
            "<stream:stream xmlns='a' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><iq/>",
            XmppError::Unexpected("iq".into()),
        ),
    ] {
        let mut rig = Rig::new(settings("acs@example.net", Security::Given, false));
        assert_eq!(rig.hear(text), ended(error), "{text}");
    }
    let mut rig = Rig::new(settings("acs@example.net", Security::Given, false));
    assert!(matches!(
        rig.hear("HTTP/1.1 400 Bad Request\r\n")[..],
        [Event::Ended(XmppError::Xml(_))]
    ));
    let bad =
        Settings { password: Secret::new("pässword"), ..settings("a@b", Security::Given, true) };
    let error = Connection::new(bad, &[0; 32], Timestamp::from_millis(0)).unwrap_err();
    assert_eq!(error, XmppError::Password);
}

#[test]
fn a_taken_resource_is_changed_for_another() {
    let mut rig = Rig::new(settings("acs@example.net/r", Security::Given, true));
    rig.hear(&features(&mechanisms("PLAIN")));
    rig.hear(SUCCESS);
    rig.hear(&format!("{HEADER}{BIND}"));
    let refuse = |id: &str, condition: &str| {
        format!(
            "<iq type='error' id='{id}'><error type='cancel'><{condition} \
             xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    };
    let id = between(&rig.sent, " id=\"", "\"").to_owned();
    assert_eq!(rig.hear(&refuse(&id, "conflict")), []);
    assert!(
        rig.sent.contains("<bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"/>"),
        "{}",
        rig.sent
    );
    let id = between(&rig.sent, " id=\"", "\"").to_owned();
    let events = rig.hear(&refuse(&id, "conflict"));
    assert_eq!(events, ended(XmppError::Bind("conflict".into())));
}

#[test]
fn each_answer_of_a_device_means_what_the_standard_says() {
    let to = "cpe42@example.net/cwmp";
    for (condition, answer) in [
        ("not-authorized", Answer::Refused("not-authorized".into())),
        ("forbidden", Answer::Refused("forbidden".into())),
        ("resource-constraint", Answer::Busy),
        ("recipient-unavailable", Answer::Offline("recipient-unavailable".into())),
        ("remote-server-not-found", Answer::Offline("remote-server-not-found".into())),
        ("item-not-found", Answer::Offline("item-not-found".into())),
        ("feature-not-implemented", Answer::Odd("feature-not-implemented".into())),
    ] {
        let mut rig = Rig::online();
        let (ticket, id) = rig.ask(to);
        let events = rig.hear(&format!(
            "<iq type='error' id='{id}' from='{to}'><connectionRequest xmlns='x'/><error \
             type='cancel'><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>a</text><{condition} \
             xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
        assert_eq!(events, [Event::Answered { ticket, answer }], "{condition}");
    }
    let mut rig = Rig::online();
    let (ticket, id) = rig.ask(to);
    assert_eq!(
        rig.sent,
        format!(
            "<iq type=\"get\" id=\"{id}\" to=\"{to}\"><connectionRequest \
             xmlns=\"urn:broadband-forum-org:cwmp:xmppConnReq-1-0\"><username>u</username>\
             <password>p&lt;w</password></connectionRequest></iq>"
        )
    );
    let events = rig.hear(&format!("<iq type='result' id='{id}' from='CPE42@example.net/cwmp'/>"));
    assert_eq!(events, [Event::Answered { ticket, answer: Answer::Woken }]);
}

#[test]
fn unavailable_is_told_apart_by_a_ping() {
    let to = "cpe42@example.net/cwmp";
    let unavailable = |id: &str| {
        format!(
            "<iq type='error' id='{id}' from='{to}'><error type='cancel'><service-unavailable \
             xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    };
    let offline = Answer::Offline("service-unavailable".into());
    for (there, answer) in [(true, Answer::Busy), (false, offline.clone())] {
        let mut rig = Rig::online();
        let (ticket, id) = rig.ask(to);
        assert_eq!(rig.hear(&unavailable(&id)), []);
        assert!(rig.sent.contains("<ping xmlns=\"urn:xmpp:ping\"/>"), "{}", rig.sent);
        let id = between(&rig.sent, " id=\"", "\"").to_owned();
        let pong = format!("<iq type='result' id='{id}' from='{to}'/>");
        let text = if there { pong } else { unavailable(&id) };
        assert_eq!(rig.hear(&text), [Event::Answered { ticket, answer }]);
    }
    let mut rig = Rig::online();
    let (ticket, id) = rig.ask(to);
    rig.hear(&unavailable(&id));
    assert_eq!(rig.wait(), [Event::Answered { ticket, answer: offline }]);
}

#[test]
fn nobody_answers_for_another() {
    let mut rig = Rig::online();
    let (ticket, id) = rig.ask("cpe42@example.net/cwmp");
    for from in ["from='cpe43@example.net/cwmp'", "from='cpe42@example.net'", "", "from='@'"] {
        assert_eq!(rig.hear(&format!("<iq type='result' id='{id}' {from}/>")), []);
    }
    assert_eq!(rig.hear("<iq type='result' id='1' from='cpe42@example.net/cwmp'/>"), []);
    let right = format!("<iq type='result' id='{id}' from='cpe42@example.net/cwmp'/>");
    assert_eq!(rig.hear(&right), [Event::Answered { ticket, answer: Answer::Woken }]);
    assert_eq!(rig.hear(&right), [], "once");
}

#[test]
fn requests_end_in_time_and_with_the_stream() {
    let mut rig = Rig::online();
    let (first, _) = rig.ask("a@example.net/r");
    let began = rig.now;
    assert_eq!(rig.wait(), [Event::Answered { ticket: first, answer: Answer::Silent }]);
    assert_eq!(rig.now.since(began), Duration::from_secs(30));
    let tickets: Vec<u64> = (0..1000).map(|_| rig.ask("a@example.net/r").0).collect();
    let to = "a@example.net/r".parse().unwrap();
    assert_eq!(rig.connection.ask(&to, "u", &Secret::new("p"), rig.now), None, "bounded");
    let events = rig.hear(
        "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    );
    assert_eq!(events.len(), tickets.len() + 1);
    assert_eq!(events.last(), Some(&Event::Ended(XmppError::Conflict)));
    let lost = |event: &&Event| matches!(event, Event::Answered { answer: Answer::Lost, .. });
    assert_eq!(events.iter().filter(lost).count(), tickets.len());
    assert_eq!(rig.connection.ask(&to, "u", &Secret::new("p"), rig.now), None);
}

#[test]
fn a_silent_server_is_asked_and_then_left() {
    let mut rig = Rig::online();
    assert_eq!(rig.wait(), []);
    assert!(
        rig.sent.contains("to=\"example.net\"><ping xmlns=\"urn:xmpp:ping\"/>"),
        "{}",
        rig.sent
    );
    // Anything at all will do, even a blank.
    assert_eq!(rig.hear(" "), []);
    assert_eq!(rig.wait(), []);
    assert!(rig.sent.contains("ping"));
    assert_eq!(rig.wait(), ended(XmppError::Silent));
    assert_eq!(rig.connection.due(), None);

    let mut rig = Rig::new(settings("acs@example.net", Security::Given, true));
    assert_eq!(rig.wait(), ended(XmppError::Silent), "no stream came about");
}

#[test]
fn whatever_is_asked_of_us_is_answered() {
    let mut rig = Rig::online();
    rig.hear(
        "<iq type='get' id='1' from='b@example.net/&quot;'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    assert_eq!(rig.sent, "<iq type=\"result\" id=\"1\" to=\"b@example.net/&quot;\"/>");
    for asked in ["<query xmlns='jabber:iq:version'/>", REQUEST] {
        assert_eq!(rig.hear(&format!("<iq type='get' id='2' from='b@c'>{asked}</iq>")), []);
        assert!(rig.sent.contains("<service-unavailable"), "{}", rig.sent);
    }
    for silent in [
        "<message><body>a</body></message>",
        "<presence type='subscribe' from='b@c'/>",
        "<iq type='get'/>",
        "<iq id='3'/>",
        "<iq type='result' id='3'/>",
        "<other xmlns='u'/>",
    ] {
        assert_eq!(rig.hear(silent), []);
        assert_eq!(rig.sent, "", "{silent}");
    }
}

const REQUEST: &str = "<connectionRequest xmlns='urn:broadband-forum-org:cwmp:xmppConnReq-1-0'>\
     <username>u</username><password>p</password></connectionRequest>";

#[test]
fn a_device_hears_a_request_and_answers_it() {
    let device =
        Settings { wakeable: true, ..settings("acs@example.net/r", Security::Given, true) };
    for (outcome, word) in [
        (Ok(()), "<iq type=\"result\" id=\"5\" to=\"acs@example.net/a\"/>"),
        (Err(Refusal::NotAuthorized), "<not-authorized"),
        (Err(Refusal::ServiceUnavailable), "<service-unavailable"),
    ] {
        let mut rig = Rig::online_as(device.clone());
        let events =
            rig.hear(&format!("<iq type='get' id='5' from='acs@example.net/a'>{REQUEST}</iq>"));
        let [Event::Asked(request)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((&*request.username, request.password.expose()), ("u", "p"));
        assert!(!format!("{request:?}").contains("\"p\""));
        rig.connection.answer(request, outcome);
        rig.send();
        assert!(rig.sent.contains(word), "{}", rig.sent);
    }
    // Without a part of it, it is none.
    let mut rig = Rig::online_as(device);
    let half = REQUEST.replace("<password>p</password>", "");
    assert_eq!(rig.hear(&format!("<iq type='get' id='5' from='a@b'>{half}</iq>")), []);
    assert!(rig.sent.contains("service-unavailable"), "{}", rig.sent);
}
