//! Every kind of datagram and line, cut at every byte and with every byte
//! another.

use super::survives::{ftp, sip, tftp};

const PACKETS: &[&[u8]] = &[
    b"\0\x01p/token/0c383e07e16c.cfg\0octet\0blksize\x001468\0tsize\x000\0timeout\x005\0windowsize\x0016\0",
    b"\0\x01a.cfg\0netascii\0",
    b"\0\x02a.cfg\0octet\0",
    b"\0\x04\x12\x34",
    b"\0\x05\0\x08no\0",
];

const MESSAGES: &[&[u8]] = &[
    b"SUBSCRIBE sip:MAC%3a0c383e07e16c@224.0.1.75 SIP/2.0\r\n\
      Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1;rport\r\n\
      From: \"x <y>\" <sip:MAC%3a0c383e07e16c@224.0.1.75>;tag=9\r\n\
      To: <sip:MAC%3a0c383e07e16c@224.0.1.75>\r\nCall-ID: 1@192.0.2.7\r\n\
      CSeq: 1 SUBSCRIBE\r\nEvent: ua-profile;profile-type=\"device\";\r\n vendor=\"Fanvil\"\r\n\
      Contact: <sip:192.0.2.7:5060>\r\nUser-Agent: Fanvil X6\r\nContent-Length: 0\r\n\r\n",
    b"SIP/2.0 401 Unauthorized\nv: SIP/2.0/UDP [2001:db8::1]:5060\n\
      WWW-Authenticate: Digest realm=\"p\", nonce=\"n\"\nCSeq: 1 NOTIFY\nl: 3\n\nabc",
];

const LINES: &[&[u8]] = &[
    b"USER anonymous\r\n",
    b"PASS pa ss\r\n",
    b"RETR /p/token/a b.cfg\r\n",
    b"EPSV 1\r\n",
    b"REST 1234567890123456789\r\n",
    b"\xff\xf4\xff\xf2ABOR\r\n",
    b"OPTS UTF8 ON\r\n",
    b"PROT P\r\n",
    b"AUTH TLS\r\n",
    b"CWD ..\r\n",
    b"PORT 192,0,2,1,0,80\r\n",
];

fn maul(corpus: &[&[u8]], survives: fn(&[u8])) {
    for sound in corpus {
        for end in 0..=sound.len() {
            survives(&sound[..end]);
        }
        let mut bytes = sound.to_vec();
        for at in 0..bytes.len() {
            let right = bytes[at];
            for wrong in [0, b'\n', b' ', b'"', b'<', b'=', b';', b'/', 0xff, right ^ 1] {
                bytes[at] = wrong;
                survives(&bytes);
            }
            bytes[at] = right;
        }
    }
}

#[test]
fn every_packet_message_and_line_survives_cuts_and_damage() {
    maul(PACKETS, tftp);
    maul(MESSAGES, sip);
    maul(LINES, ftp);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
        tftp(&bytes);
        sip(&bytes);
        ftp(&bytes);
        let packet: Vec<u8> = [0, 1].into_iter().chain(bytes.iter().copied()).collect();
        tftp(&packet);
    }
}
