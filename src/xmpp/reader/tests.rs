//! The reader: what it takes, what it refuses, and its limits.

use super::*;
use crate::xmpp::ns;

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' id='a>b' version='1.0'>";

/// All frames, the bytes given `step` at a time.
fn frames(text: &[u8], step: usize) -> Result<Vec<Frame>, XmlProblem> {
    let (mut reader, mut frames) = (StreamReader::default(), Vec::new());
    for part in text.chunks(step) {
        reader.feed(part);
        while let Some(frame) = reader.read_frame()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

/// The only stanza in a stream.
fn stanza(text: &str) -> Result<Element, XmlProblem> {
    let mut frames = frames(format!("{HEADER}{text}").as_bytes(), 1000)?;
    match frames.pop() {
        Some(Frame::Stanza(element)) if frames.len() == 1 => Ok(element),
        other => panic!("{other:?} after {frames:?}"),
    }
}

#[test]
fn a_stream_is_cut_into_its_parts_however_it_comes() {
    let text = format!(
        "{HEADER}\n <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
         </stream:features> \n\n<iq id='1' type='result' from=\"a/&gt;\"/><message><body>a &lt;\
         <b/> &amp;&#x263a;<![CDATA[<]]>]]></body></message></stream:stream>"
    );
    let whole = frames(text.as_bytes(), text.len()).unwrap();
    assert_eq!(whole.len(), 5);
    let Frame::Open(header) = &whole[0] else { panic!("{:?}", whole[0]) };
    assert!(header.is("stream", ns::STREAM));
    assert_eq!(header.attribute("id"), Some("a>b"));
    let Frame::Stanza(features) = &whole[1] else { panic!("{:?}", whole[1]) };
    assert!(features.is("features", ns::STREAM) && features.child("starttls", ns::TLS).is_some());
    let Frame::Stanza(iq) = &whole[2] else { panic!("{:?}", whole[2]) };
    assert!(iq.is("iq", ns::CLIENT));
    assert_eq!(iq.attribute("from"), Some("a/>"));
    let Frame::Stanza(message) = &whole[3] else { panic!("{:?}", whole[3]) };
    assert_eq!(&*message.child("body", ns::CLIENT).unwrap().text, "a < &☺<]]>");
    assert_eq!(whole[4], Frame::Close);
    for step in 1..20 {
        assert_eq!(frames(text.as_bytes(), step).unwrap(), whole);
    }
}

#[test]
fn namespaces_are_those_in_force() {
    let element = stanza(
        "<a:x xmlns:a='u:a' xmlns='u:d' y='1' a:y='2'><b/><a:c xmlns:a='u:b'/><a:d/>\
         <e xmlns=''/><stream:f/></a:x>",
    )
    .unwrap();
    assert!(element.is("x", "u:a"));
    assert_eq!((element.attribute("y"), element.attribute("a:y")), (Some("1"), Some("2")));
    let spaces: Vec<&str> = element.children.iter().map(|child| &*child.namespace).collect();
    assert_eq!(spaces, ["u:d", "u:b", "u:a", "", ns::STREAM]);
}

#[test]
fn what_xmpp_forbids_ends_the_stream() {
    for (text, word) in [
        ("<!-- a -->", "a comment"),
        ("<a><!-- a --></a>", "a comment"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>", "a declaration"),
        ("<a><!ELEMENT b></a>", "a declaration"),
        ("<![CDATA[a]]>", "a declaration"),
        ("<?xml version='1.0'?>", "a processing instruction"),
        ("<a><?php b?></a>", "a processing instruction"),
        ("<a>&b;</a>", "an entity of its own"),
        ("<a b='&c;'/>", "an entity of its own"),
        ("<a>&#0;</a>", "an entity of its own"),
    ] {
        let error = frames(format!("{HEADER}{text}").as_bytes(), 7).unwrap_err();
        assert_eq!(error.to_string(), format!("{word}, which XMPP forbids"), "{text}");
    }
    let doctype = frames(b"<?xml version='1.0'?><!DOCTYPE a><a>", 7).unwrap_err();
    assert_eq!(doctype, XmlProblem::Forbidden("a declaration"));
}

#[test]
fn what_is_no_xml_is_told_as_such() {
    for text in [
        "text",
        "<>",
        "<<a/>",
        "<a></b>",
        "<a><b></a></b>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<a b=1/>",
        "<a b/>",
        "<nobody:a/>",
        "<1/>",
        "<a:/>",
        "<a>\u{1}</a>",
        "<a b='\u{1}'/>",
    ] {
        let error = frames(format!("{HEADER}{text}").as_bytes(), 3).unwrap_err();
        assert!(matches!(error, XmlProblem::Malformed(_)), "{text}: {error}");
    }
    for text in [&b"<a>\xff</a>"[..], b"<\xc3\x28/>"] {
        let error = frames(&[HEADER.as_bytes(), text].concat(), 3).unwrap_err();
        assert!(matches!(error, XmlProblem::Malformed(_)), "{error}");
    }
    for text in ["</a>", "<a/>", " x"] {
        assert!(frames(text.as_bytes(), 3).is_err(), "{text}");
    }
}

#[test]
fn nothing_is_held_beyond_the_limits() {
    let large = format!("<a>{}</a>", "x".repeat(MAX_STANZA - 7));
    assert!(stanza(&large).is_ok());
    let larger = format!("{HEADER}<a>{}</a>", "x".repeat(MAX_STANZA - 6));
    assert_eq!(frames(larger.as_bytes(), 1 << 20), Err(XmlProblem::TooLarge));
    assert_eq!(frames(larger.as_bytes(), 500), Err(XmlProblem::TooLarge));
    let endless = format!("{HEADER}<a b='{}", "x".repeat(MAX_STANZA + 1));
    assert_eq!(frames(endless.as_bytes(), 500), Err(XmlProblem::TooLarge));

    let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(stanza(&deep(16)).is_ok());
    assert!(matches!(stanza(&deep(17)), Err(XmlProblem::TooMuch(_))));
    let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count));
    assert!(stanza(&wide(511)).is_ok());
    assert!(matches!(stanza(&wide(512)), Err(XmlProblem::TooMuch(_))));
    let many: String = (0..33).map(|n| format!(" a{n}='1'")).collect();
    assert!(matches!(stanza(&format!("<a{many}/>")), Err(XmlProblem::TooMuch(_))));
    let many: String = (0..33).map(|n| format!(" xmlns:a{n}='u'")).collect();
    assert!(matches!(stanza(&format!("<a{many}/>")), Err(XmlProblem::TooMuch(_))));
}

#[test]
fn blanks_that_keep_a_stream_alive_do_not_pile_up() {
    let mut reader = StreamReader::default();
    reader.feed(HEADER.as_bytes());
    assert!(matches!(reader.read_frame(), Ok(Some(Frame::Open(_)))));
    for _ in 0..100 {
        reader.feed(&[b' '; 10_000]);
        assert_eq!(reader.read_frame(), Ok(None));
    }
    assert!(reader.bytes.len() <= 10_000);
    reader.feed(b"<a/>");
    assert!(matches!(reader.read_frame(), Ok(Some(Frame::Stanza(_)))));
}
