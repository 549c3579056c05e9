//! Vectors of the standards, both sides against each other, and properties.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

const TRANSACTION: Transaction = Transaction([7; 16]);

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// What a device sends from the port at which it expects connection requests.
fn binding(username: &str, password: &[u8]) -> Vec<u8> {
    Writer::new(Kind::Request, TRANSACTION)
        .connection_request_binding()
        .username(username)
        .sign(password, Padding::To64)
}

/// RFC 5769 §2.1.
const SAMPLE_REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420\
     636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a683676592020200008001\
     49aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";

/// RFC 5769 §2.2.
const SAMPLE_RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f\
     7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c9\
     6";

const SAMPLE_PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

#[test]
fn t23_the_samples_of_rfc_5769_are_read() {
    let bytes = hex::decode(SAMPLE_REQUEST).unwrap();
    let request = Message::parse(&bytes).unwrap();
    assert_eq!(request.kind, Kind::Request);
    assert!(request.transaction.has_cookie());
    assert_eq!(request.username(), Some("evtj:h6vY"));
    assert_eq!(request.verify(SAMPLE_PASSWORD), Some(Padding::None));
    assert_eq!(request.verify(b"another"), None);
    // PRIORITY must be understood, and is not.
    assert_eq!(classify(&request, at("192.0.2.1:9")), Asked::Refused(420, vec![0x0024]));

    let bytes = hex::decode(SAMPLE_RESPONSE).unwrap();
    let response = Message::parse(&bytes).unwrap();
    assert_eq!(response.mapped_address(), Some(at("192.0.2.1:32853")));
    assert_eq!(response.verify(SAMPLE_PASSWORD), Some(Padding::None));
}

#[test]
fn t23_a_binding_as_tr_069_writes_it() {
    let bytes = binding("00D09E-1", b"secret");
    // Annex G: the fixed value of 20 bytes; the name padded with blanks.
    assert_eq!(&bytes[..4], &[0, 1, 0, 24 + 12 + 24]);
    assert_eq!(&bytes[20..44], b"\xC0\x01\x00\x14dslforum.org/TR-111 ");
    assert_eq!(&bytes[44..56], b"\x00\x06\x00\x0800D09E-1");
    let request = Message::parse(&bytes).unwrap();
    assert!(request.is_connection_request_binding());
    assert_eq!(request.username(), Some("00D09E-1"));
    assert_eq!(request.verify(b"secret"), Some(Padding::To64));
    assert_eq!(request.verify(b"Secret"), None);
    let changed = Writer::new(Kind::Request, TRANSACTION).binding_change().finish();
    assert_eq!(Message::parse(&changed).unwrap().attributes, [Attribute::BindingChange]);
    assert_eq!(changed[20..], [0xC0, 2, 0, 0]);
}

#[test]
fn t23_names_are_read_with_every_padding() {
    for name in ["abc ", "abc\0", "abc"] {
        let bytes = Writer::new(Kind::Request, TRANSACTION).attribute(6, name.as_bytes()).finish();
        assert_eq!(Message::parse(&bytes).unwrap().username(), Some("abc"));
    }
    let bytes = Writer::new(Kind::Request, TRANSACTION).attribute(6, b"\xFF\xFF").finish();
    assert_eq!(Message::parse(&bytes).unwrap().username(), None);
}

#[test]
fn t23_an_unsigned_binding_is_refused_and_a_signed_one_answered() {
    let (client, server) = (at("203.0.113.7:41000"), at("198.51.100.1:3478"));
    let bare = Writer::new(Kind::Request, TRANSACTION).connection_request_binding().finish();
    let request = Message::parse(&bare).unwrap();
    assert_eq!(classify(&request, client), Asked::Refused(401, Vec::new()));
    let refused = refusal(TRANSACTION, 401, &[], client, bare.len()).unwrap();
    let error = Message::parse(&refused.datagram).unwrap();
    assert_eq!((error.kind, error.error_code()), (Kind::Error, Some(401)));

    let bytes = binding("00D09E-1", b"secret");
    let request = Message::parse(&bytes).unwrap();
    assert_eq!(classify(&request, client), Asked::Signed("00D09E-1".into()));
    let signed = Some((b"secret".as_slice(), Padding::To64));
    let answer = answer(&request, client, Some(server), signed, bytes.len()).unwrap();
    let response = Message::parse(&answer.datagram).unwrap();
    assert_eq!(response.kind, Kind::Response);
    assert_eq!(response.transaction, TRANSACTION);
    assert_eq!(response.mapped_address(), Some(client));
    assert!(response.attributes.contains(&Attribute::SourceAddress(server)));
    assert!(!response.attributes.iter().any(|a| matches!(a, Attribute::XorMappedAddress(_))));
    assert_eq!(response.verify(b"secret"), Some(Padding::To64));
}

#[test]
fn t23_a_client_with_a_cookie_is_told_in_both_forms() {
    let mut transaction = [9; 16];
    transaction[..4].copy_from_slice(&[0x21, 0x12, 0xA4, 0x42]);
    for client in ["203.0.113.7:41000", "[2001:db8::7]:41000"] {
        let client = at(client);
        let bytes = Writer::new(Kind::Request, Transaction(transaction))
            .attribute(0x8022, &[b'x'; 100])
            .finish();
        let request = Message::parse(&bytes).unwrap();
        let answer =
            answer(&request, client, Some(at("198.51.100.1:3478")), None, bytes.len()).unwrap();
        let response = Message::parse(&answer.datagram).unwrap();
        assert!(response.attributes.contains(&Attribute::XorMappedAddress(client)));
        assert!(response.attributes.contains(&Attribute::MappedAddress(client)));
    }
}

#[test]
fn d09_nobody_else_is_answered_and_no_change_is_promised() {
    let client = at("203.0.113.7:41000");
    let ask = |writer: Writer| {
        let bytes = writer.finish();
        classify(&Message::parse(&bytes).unwrap(), client)
    };
    let blank = || Writer::new(Kind::Request, TRANSACTION);
    assert_eq!(ask(blank().response_address(at("192.0.2.1:53"))), Asked::Refused(400, Vec::new()));
    assert_eq!(ask(blank().response_address(at("203.0.113.7:0"))), Asked::Refused(400, Vec::new()));
    assert_eq!(ask(blank().response_address(at("203.0.113.7:99"))), Asked::Plain);
    assert_eq!(ask(blank().change_request(false, false)), Asked::Plain);
    for (address, port) in [(true, false), (false, true), (true, true)] {
        assert_eq!(ask(blank().change_request(address, port)), Asked::Refused(420, vec![3]));
    }
    assert_eq!(ask(Writer::new(Kind::Response, TRANSACTION)), Asked::Nothing);
    assert_eq!(ask(Writer::new(Kind::Other(2), TRANSACTION)), Asked::Nothing);
    // The answer for the other port goes there, and says for whom.
    let bytes = blank().response_address(at("203.0.113.7:99")).attribute(0xC003, &[0; 40]).finish();
    let request = Message::parse(&bytes).unwrap();
    let answer =
        answer(&request, client, Some(at("198.51.100.1:3478")), None, bytes.len()).unwrap();
    assert_eq!(answer.to, at("203.0.113.7:99"));
    let response = Message::parse(&answer.datagram).unwrap();
    assert!(response.attributes.contains(&Attribute::ReflectedFrom(client)));
}

#[test]
fn d09_a_bare_request_gets_no_more_than_it_sent() {
    let (client, server) = (at("203.0.113.7:41000"), at("198.51.100.1:3478"));
    let bytes = Writer::new(Kind::Request, TRANSACTION).finish();
    let request = Message::parse(&bytes).unwrap();
    assert_eq!(answer(&request, client, Some(server), None, bytes.len()), None);
    assert_eq!(refusal(TRANSACTION, 401, &[], client, bytes.len()), None);
    let bytes = Writer::new(Kind::Request, TRANSACTION).response_address(client).finish();
    let request = Message::parse(&bytes).unwrap();
    let told = answer(&request, client, Some(server), None, bytes.len()).unwrap();
    assert_eq!(told.datagram.len(), bytes.len());
    assert_eq!(Message::parse(&told.datagram).unwrap().mapped_address(), Some(client));
}

#[test]
fn malformed_messages_are_errors() {
    for (bytes, error) in [
        ("", StunError::Header),
        ("0001000001020304050607080910111213141516", StunError::Length),
        ("c00100000102030405060708091011121314151617", StunError::Header),
        ("00010004010203040506070809101112131415160001", StunError::Length),
        ("0001000401020304050607080910111213141516000100ff", StunError::Attributes),
        ("000100040102030405060708091011121314151600010000", StunError::Value(1)),
        ("000100080102030405060708091011121314151600030002ffff0000", StunError::Value(3)),
        ("000100080102030405060708091011121314151600090004000007ff", StunError::Value(9)),
    ] {
        let mut bytes = hex::decode(bytes).unwrap();
        if error != StunError::Header && error != StunError::Length {
            // The header says the truth.
            let length = u16::try_from(bytes.len() - 20).unwrap();
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
        }
        if error == StunError::Length {
            bytes[3] = 0xF0;
        }
        assert_eq!(Message::parse(&bytes), Err(error));
    }
    let many = (0..33).fold(Writer::new(Kind::Request, TRANSACTION), |w, _| w.binding_change());
    assert_eq!(Message::parse(&many.finish()), Err(StunError::Attributes));
    assert_eq!(Message::parse(&[0; 1501]), Err(StunError::TooLong));
}

#[test]
fn d09_a_message_changed_anywhere_is_not_taken_for_the_devices() {
    let bytes = binding("00D09E-1", b"secret");
    for cut in 0..bytes.len() {
        assert!(Message::parse(&bytes[..cut]).is_err());
    }
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[position] ^= 1 << bit;
            let verified = Message::parse(&changed).ok().and_then(|m| m.verify(b"secret"));
            assert_eq!(verified, None, "byte {position}, bit {bit}");
        }
    }
}

#[test]
fn what_stands_behind_the_signature_is_left_out() {
    let mut bytes = binding("00D09E-1", b"secret");
    bytes.extend_from_slice(b"\x00\x02\x00\x08\x00\x01\x00\x35\xC0\x00\x02\x01");
    bytes[3] += 12;
    let request = Message::parse(&bytes).unwrap();
    assert_eq!(request.verify(b"secret"), Some(Padding::To64));
    assert!(!request.attributes.iter().any(|a| matches!(a, Attribute::ResponseAddress(_))));
}

#[test]
fn debug_shows_no_mac() {
    let bytes = binding("00D09E-1", b"secret");
    let shown = format!("{:?}", Message::parse(&bytes).unwrap().attributes);
    assert_eq!(shown, "[ConnectionRequestBinding, Username(\"00D09E-1\"), MessageIntegrity]");
}

fn address() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        any::<([u8; 4], u16)>().prop_map(SocketAddr::from),
        any::<([u8; 16], u16)>()
            .prop_map(SocketAddr::from)
            .prop_filter("written as IPv4", |at| at.ip().to_canonical() == at.ip()),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        transaction in any::<[u8; 16]>(),
        (first, second) in (address(), address()),
        name in "[ -~]{0,40}",
        code in 100_u16..700,
        password in prop::collection::vec(any::<u8>(), 0..70),
        modern in any::<bool>(),
        number in 0x8030_u16..0xC000,
        value in prop::collection::vec(any::<u8>(), 0..70),
    ) {
        let padding = if modern { Padding::None } else { Padding::To64 };
        let bytes = Writer::new(Kind::Response, Transaction(transaction))
            .mapped_address(first)
            .xor_mapped_address(second)
            .source_address(first)
            .changed_address(second)
            .reflected_from(first)
            .response_address(second)
            .change_request(modern, !modern)
            .username(&name)
            .error_code(code, &name)
            .unknown_attributes(&[number])
            .connection_request_binding()
            .binding_change()
            .attribute(number, &value)
            .sign(&password, padding);
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!(message.transaction, Transaction(transaction));
        prop_assert_eq!(message.username(), Some(name.trim_end_matches(' ')));
        prop_assert_eq!(message.error_code(), Some(code));
        prop_assert_eq!(message.mapped_address(), Some(second));
        prop_assert!(message.is_connection_request_binding());
        prop_assert!(message.attributes.contains(&Attribute::Other(number, &value)));
        prop_assert!(message.attributes.contains(&Attribute::UnknownAttributes(vec![number; 2])));
        let changing = Attribute::ChangeRequest { address: modern, port: !modern };
        prop_assert!(message.attributes.contains(&changing));
        // A text that fills its last 64 bytes has both forms in one.
        prop_assert!(message.verify(&password).is_some());
    }

    #[test]
    fn d09_no_answer_is_larger_than_its_request(
        size in 0_usize..200, signed in any::<bool>(), cookie in any::<bool>(),
        (client, server) in (address(), address()),
    ) {
        let mut transaction = [1; 16];
        if cookie {
            transaction[..4].copy_from_slice(&[0x21, 0x12, 0xA4, 0x42]);
        }
        let bytes = Writer::new(Kind::Request, Transaction(transaction))
            .attribute(0x8022, &vec![0; size])
            .finish();
        let request = Message::parse(&bytes).unwrap();
        let key = signed.then_some((b"secret".as_slice(), Padding::To64));
        if let Some(answer) = answer(&request, client, Some(server), key, bytes.len()) {
            prop_assert!(answer.datagram.len() <= bytes.len());
            prop_assert_eq!(Message::parse(&answer.datagram).unwrap().mapped_address(), Some(client));
        }
        for code in [400, 401, 420, 431, 432, 500] {
            if let Some(refused) = refusal(Transaction(transaction), code, &[3, 4], client, bytes.len()) {
                prop_assert!(refused.datagram.len() <= bytes.len());
            }
        }
    }
}
