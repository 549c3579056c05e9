//! Streams that were cut, or of which a byte is another.

use super::survives::survives;

/// One stream each, as servers send them.
const STREAMS: &[&str] = &[
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' id='a' version='1.0'><stream:features>\
     <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><mechanisms \
     xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>\
     </stream:features><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
     version='1.0'><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
     </stream:error></stream:stream>",
    "<iq type='get' id='5' from='acs@example.net/a'><connectionRequest \
     xmlns='urn:broadband-forum-org:cwmp:xmppConnReq-1-0'><username>u</username><password>p&amp;\
     </password></connectionRequest></iq><iq id='6' type='get' from='b@c'><ping \
     xmlns='urn:xmpp:ping'/></iq><message><body><![CDATA[a]]></body></message>",
];

#[test]
fn every_stream_survives_being_cut_anywhere() {
    for stream in STREAMS {
        for end in 0..=stream.len() {
            survives(&stream.as_bytes()[..end]);
        }
    }
}

#[test]
fn every_stream_survives_any_byte_being_another() {
    for stream in STREAMS {
        let mut bytes = stream.as_bytes().to_vec();
        for at in 0..bytes.len() {
            let right = bytes[at];
            for wrong in [0, b'<', b'>', b'\'', b'&', b'/', 0xff, right ^ 1] {
                bytes[at] = wrong;
                survives(&bytes);
            }
            bytes[at] = right;
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        survives(&bytes);
    }

    #[test]
    fn any_text_is_survived(text in "(<[a-c:/]{1,4}( [a-b]='[^<']?')?/?>|&(lt|#9|b);|[ -~é]){0,40}") {
        survives(text.as_bytes());
    }
}
