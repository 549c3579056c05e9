//! What must hold for any bytes whatever; the fuzz target runs the same.

use provost::device::Secret;
use provost::time::Timestamp;
use provost::xmpp::{
    Connection, Event, Frame, Jid, MAX_STANZA, Scram, ScramHash, Security, Settings, StreamReader,
    XmlProblem,
};

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' id='a' version='1.0'>";

/// The bytes as a stream, as what comes in each state of one, as a challenge and
/// as an address.
pub(crate) fn survives(bytes: &[u8]) {
    let whole = frames(bytes, bytes.len().max(1));
    // However they come, they mean the same.
    if bytes.len() <= MAX_STANZA {
        assert_eq!(whole, frames(bytes, 7));
        assert_eq!(whole, frames(bytes, 1));
    }
    for frame in whole.0 {
        if let Frame::Stanza(element) = frame {
            let mut text = HEADER.to_owned();
            element.write(&mut text);
            // What is escaped takes more room than it took.
            if text.len() < MAX_STANZA {
                let (again, error) = frames(text.as_bytes(), 1 << 20);
                assert_eq!(error, None, "{text}");
                assert_eq!(again.last(), Some(&Frame::Stanza(element)), "{text}");
            }
        }
    }
    for wakeable in [false, true] {
        connection(Security::StartTls, wakeable, bytes);
        connection(Security::Given, wakeable, bytes);
    }
    online(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(jid) = Jid::parse(text) {
            assert_eq!(Jid::parse(&jid.to_string()), Ok(jid));
        }
        // What may be counted for long is for the tests of the room.
        if !text.contains("i=") || text.contains("i=4096") {
            for hash in [ScramHash::Sha1, ScramHash::Sha256] {
                let mut scram = Scram::new(hash, "acs", Secret::new("pencil"), "abc");
                let _ = scram.answer(text);
                assert!(scram.verify(text).is_err());
            }
        }
    }
}

/// All frames up to the first error, the bytes given `step` at a time.
fn frames(bytes: &[u8], step: usize) -> (Vec<Frame>, Option<XmlProblem>) {
    let (mut reader, mut frames) = (StreamReader::default(), Vec::new());
    for part in bytes.chunks(step) {
        reader.feed(part);
        loop {
            match reader.read_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(problem) => return (frames, Some(problem)),
            }
        }
    }
    (frames, None)
}

fn settings(security: Security, wakeable: bool) -> Settings {
    let jid = Jid::parse("acs@example.net/r").unwrap_or_else(|error| panic!("{error}"));
    Settings { jid, password: Secret::new("pencil"), security, plain: true, wakeable }
}

/// Anything at all from the first byte on.
fn connection(security: Security, wakeable: bool, bytes: &[u8]) {
    let now = Timestamp::from_millis(0);
    let made = Connection::new(settings(security, wakeable), &[7; 32], now);
    let mut connection = made.unwrap_or_else(|error| panic!("{error}"));
    connection.receive(bytes, now);
    for event in connection.take_events() {
        assert!(!matches!(event, Event::Answered { .. }), "nothing was asked");
    }
    let sent = connection.take_output();
    assert!(security == Security::Given || !contains(&sent, b"<auth"), "nothing in clear text");
    connection.secured();
    connection.receive(bytes, now);
    let events = connection.take_events();
    assert!(events.iter().filter(|event| matches!(event, Event::Ended(_))).count() <= 1);
}

/// Anything at all on a stream that has come about, with a request under way.
fn online(bytes: &[u8]) {
    let now = Timestamp::from_millis(0);
    let made = Connection::new(settings(Security::Given, true), &[7; 32], now);
    let mut connection = made.unwrap_or_else(|error| panic!("{error}"));
    let features = |inside| format!("{HEADER}<stream:features>{inside}</stream:features>");
    connection.receive(
        features(
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>\
             </mechanisms>",
        )
        .as_bytes(),
        now,
    );
    connection.receive(b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", now);
    let _ = connection.take_output();
    connection
        .receive(features("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>").as_bytes(), now);
    let sent = String::from_utf8(connection.take_output()).unwrap_or_default();
    let id = sent.split(" id=\"").nth(1).and_then(|rest| rest.split('"').next());
    let bound = format!(
        "<iq type='result' id='{}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <jid>acs@example.net/r</jid></bind></iq>",
        id.unwrap_or_default()
    );
    connection.receive(bound.as_bytes(), now);
    assert!(matches!(connection.take_events()[..], [Event::Online(_)]), "{sent}");
    let to = Jid::parse("cpe@example.net/r").unwrap_or_else(|error| panic!("{error}"));
    assert!(connection.ask(&to, "u", &Secret::new("p"), now).is_some());
    let _ = connection.take_output();
    connection.receive(bytes, now);
    for event in connection.take_events() {
        if let Event::Asked(request) = event {
            connection.answer(&request, Ok(()));
        }
    }
    // What we say is a stream itself.
    let sent = [HEADER.as_bytes(), &connection.take_output()].concat();
    let (_, problem) = frames(&sent, 1 << 20);
    assert_eq!(problem, None, "{}", String::from_utf8_lossy(&sent));
    connection.close();
    assert!(connection.due().is_none());
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
