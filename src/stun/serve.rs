//! What a server with one address says to a Binding Request: never more bytes
//! than it was asked with, so that nobody is flooded through it.

use std::net::SocketAddr;

use super::attribute::Attribute;
use super::integrity::{ATTRIBUTE, Padding};
use super::message::{Kind, Message, Transaction};
use super::write::Writer;
use super::{address, number};

/// What a request deserves, before its user is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is no Binding Request: there is nothing to say.
    Nothing,
    /// It is to be refused with this code.
    Refused(u16, Vec<u16>),
    /// Anybody may have the answer.
    Plain,
    /// MESSAGE-INTEGRITY is to be checked with this user's password; the
    /// answer is signed with it.
    Signed(Box<str>),
}

/// An answer, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The datagram.
    pub datagram: Vec<u8>,
    /// The client, or another port of its address.
    pub to: SocketAddr,
}

/// Judges a request that came from `client`, without knowing its user.
///
/// A request that announces where UDP connection requests are expected must be
/// signed (TR-069 §G.2.1.2): 401. What one address cannot do is refused with
/// 420, an answer to anybody else with 400.
pub fn classify(request: &Message<'_>, client: SocketAddr) -> Asked {
    if request.kind != Kind::Request {
        return Asked::Nothing;
    }
    let unknown: Vec<u16> =
        request.attributes.iter().filter_map(Attribute::is_alarming).take(8).collect();
    if !unknown.is_empty() {
        return Asked::Refused(420, unknown);
    }
    for attribute in &request.attributes {
        match attribute {
            Attribute::ChangeRequest { address: true, .. }
            | Attribute::ChangeRequest { port: true, .. } => {
                return Asked::Refused(420, vec![number::CHANGE_REQUEST]);
            }
            Attribute::ResponseAddress(to)
                if to.ip().to_canonical() != client.ip().to_canonical() || to.port() == 0 =>
            {
                return Asked::Refused(400, Vec::new());
            }
            _ => {}
        }
    }
    match (request.is_signed(), request.username()) {
        (true, Some(username)) => Asked::Signed(username.into()),
        // RFC 3489 §8.1.
        (true, None) => Asked::Refused(432, Vec::new()),
        (false, _) if request.is_connection_request_binding() => Asked::Refused(401, Vec::new()),
        (false, _) => Asked::Plain,
    }
}

/// The answer of a server at `server`, if it knows under which of its addresses
/// it was asked; `signed` if MESSAGE-INTEGRITY was right. `None` if no answer fits
/// into `most` bytes: the request's own, unless the server is generous.
pub fn answer(
    request: &Message<'_>,
    client: SocketAddr,
    server: Option<SocketAddr>,
    signed: Option<(&[u8], Padding)>,
    most: usize,
) -> Option<Answer> {
    let elsewhere = request.attributes.iter().find_map(|attribute| match attribute {
        Attribute::ResponseAddress(to) => Some(*to),
        _ => None,
    });
    let reserved = if signed.is_some() { ATTRIBUTE } else { 0 };
    let fits =
        |writer: &Writer, at: SocketAddr| writer.len() + 4 + address::length(at) + reserved <= most;
    let mut writer = Writer::new(Kind::Response, request.transaction);
    if !fits(&writer, client) {
        return None;
    }
    if request.transaction.has_cookie() {
        writer = writer.xor_mapped_address(client);
        if fits(&writer, client) {
            writer = writer.mapped_address(client);
        }
    } else {
        writer = writer.mapped_address(client);
    }
    // There is no other address: it names itself, and refuses to change.
    for add in [Writer::source_address, Writer::changed_address] {
        if let Some(server) = server.filter(|server| fits(&writer, *server)) {
            writer = add(writer, server);
        }
    }
    if elsewhere.is_some() && fits(&writer, client) {
        writer = writer.reflected_from(client);
    }
    let datagram = match signed {
        Some((password, padding)) => writer.sign(password, padding),
        None => writer.finish(),
    };
    Some(Answer { datagram, to: elsewhere.unwrap_or(client) })
}

/// A refusal; `None` if not even that fits into `most` bytes.
pub fn refusal(
    transaction: Transaction,
    code: u16,
    unknown: &[u16],
    client: SocketAddr,
    most: usize,
) -> Option<Answer> {
    let reason = match code {
        400 => "Bad Request",
        401 => "Unauthorized",
        420 => "Unknown Attribute",
        430 => "Stale Credentials",
        431 => "Integrity Check Failure",
        432 => "Missing Username",
        _ => "Refused",
    };
    let bare = || Writer::new(Kind::Error, transaction);
    let list = |writer: Writer| {
        if unknown.is_empty() { writer } else { writer.unknown_attributes(unknown) }
    };
    let forms = [
        list(bare().error_code(code, reason)),
        list(bare().error_code(code, "")),
        bare().error_code(code, ""),
    ];
    let datagram = forms.into_iter().find(|writer| writer.len() <= most)?.finish();
    Some(Answer { datagram, to: client })
}
