//! What must hold for any bytes whatever that reach a door; the fuzz targets
//! run the same.

use provost::announce::pnp::PnpAsk;
use provost::fetch::ftp::Command;
use provost::fetch::tftp::Packet;
use provost::sip::{Message, NameAddress, Uri};

/// A request that is taken is bounded, and its name leads nowhere else.
pub(crate) fn tftp(datagram: &[u8]) {
    if let Ok(Packet::Read(request)) = Packet::parse(datagram) {
        assert!(datagram.len() <= 512 && (1..=400).contains(&request.name.len()));
        assert!(request.options.len() <= 16);
        assert!(request.name.split('/').all(|part| part != ".." && part != "."));
        assert!(!request.name.contains(|c: char| c.is_control() || c == '\\'));
    }
}

/// Whatever is read of a message lies within it.
pub(crate) fn sip(datagram: &[u8]) {
    let Ok(message) = Message::parse(datagram) else {
        assert!(PnpAsk::parse(datagram).is_err());
        return;
    };
    assert!(message.body.len() < datagram.len());
    let _ = message.sequence();
    for name in ["From", "To", "Contact"] {
        for value in message.headers(name) {
            assert!(!value.contains('\n'));
            if let Some(address) = NameAddress::parse(value) {
                let _ = (address.tag(), Uri::parse(address.uri).map(|uri| uri.socket_address()));
            }
        }
    }
    if let Ok(ask) = PnpAsk::parse(datagram) {
        assert!(ask.claim.agent.chars().count() <= 200 && ask.claim.model.chars().count() <= 64);
    }
}

/// A command that is read holds no control characters, and shows no password.
pub(crate) fn ftp(line: &[u8]) {
    match Command::parse(line) {
        Ok(Command::Password(_)) => {
            assert_eq!(format!("{:?}", Command::parse(line)), "Ok(Password(***))");
        }
        Ok(Command::Retrieve(name) | Command::Size(name) | Command::ChangeFolder(name)) => {
            assert!(!name.is_empty() && !name.contains(char::is_control));
        }
        _ => {}
    }
}
