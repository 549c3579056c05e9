//! What must hold for any bytes whatever that reach the STUN door; the fuzz
//! target runs the same.

use provost::stun::{Asked, Kind, MAX_MESSAGE, Message, answer, classify, refusal};

/// Whatever is answered is no larger than what was asked, and goes to who asked.
pub(crate) fn stun(datagram: &[u8]) {
    let (client, server) = (([203, 0, 113, 7], 41_000).into(), ([198, 51, 100, 1], 3478).into());
    let Ok(message) = Message::parse(datagram) else { return };
    assert!(datagram.len() <= MAX_MESSAGE && message.attributes.len() <= 32);
    let _ = (message.mapped_address(), message.error_code(), format!("{message:?}"));
    let signed = message.verify(b"secret").map(|padding| (b"secret".as_slice(), padding));
    let answer = match classify(&message, client) {
        Asked::Nothing => {
            assert_ne!(message.kind, Kind::Request);
            return;
        }
        Asked::Refused(code, unknown) => {
            refusal(message.transaction, code, &unknown, client, datagram.len())
        }
        Asked::Plain => answer(&message, client, Some(server), None, datagram.len()),
        Asked::Signed(_) => answer(&message, client, Some(server), signed, datagram.len()),
    };
    if let Some(answer) = answer {
        assert!(answer.datagram.len() <= datagram.len());
        assert_eq!(answer.to.ip(), client.ip());
        assert_eq!(Message::parse(&answer.datagram).unwrap().transaction, message.transaction);
    }
}
