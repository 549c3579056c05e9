//! What a phone asks, in every vendor's form.

use crate::phone::Mac;
use crate::sip::{Message, NameAddress, SipError, Start, Uri};

/// The longest value that is copied into an answer, in bytes.
const MAX_COPIED: usize = 512;
/// The most Via headers that are copied.
const MAX_VIAS: usize = 8;

/// Who asks for a configuration, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PnpClaim {
    /// Its MAC address; AudioCodes phones do not tell it.
    pub mac: Option<Mac>,
    /// The vendor in the Event header; some say `OEM`, some nothing.
    pub vendor: Box<str>,
    /// The model in the Event header.
    pub model: Box<str>,
    /// The firmware in the Event header.
    pub version: Box<str>,
    /// The User-Agent header.
    pub agent: Box<str>,
}

/// A SUBSCRIBE for a configuration.
#[derive(Clone, Debug)]
pub struct PnpAsk<'a> {
    /// Who asks.
    pub claim: PnpClaim,
    message: Message<'a>,
}

/// Why a datagram is no such SUBSCRIBE. Nobody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It is no SIP message.
    #[error(transparent)]
    Sip(#[from] SipError),
    /// It is another request, or a response.
    #[error("this is no SUBSCRIBE")]
    OtherMethod,
    /// It is about something else than a configuration.
    #[error("the Event is not ua-profile")]
    OtherEvent,
    /// A header that the answer needs is missing, or larger than any phone's.
    #[error("a header that the answer needs is missing or too long")]
    Header,
    /// It names two phones.
    #[error("the request names different MAC addresses")]
    TwoPhones,
}

impl AskError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

impl<'a> PnpAsk<'a> {
    /// Whether a datagram looks like a SUBSCRIBE at all: a look at ten bytes,
    /// before anything is made of it.
    pub fn is_likely(datagram: &[u8]) -> bool {
        datagram.starts_with(b"SUBSCRIBE ") && datagram.len() >= 100
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, AskError> {
        let message = Message::parse(datagram)?;
        let Start::Request { method: "SUBSCRIBE", uri } = message.start else {
            return Err(AskError::OtherMethod);
        };
        let event = needed(&message, "Event")?;
        let (package, parameters) = event.split_once(';').unwrap_or((event, ""));
        if !package.trim().eq_ignore_ascii_case("ua-profile") {
            return Err(AskError::OtherEvent);
        }
        for name in ["Via", "Call-ID", "CSeq"] {
            needed(&message, name)?;
        }
        let from = NameAddress::parse(needed(&message, "From")?).ok_or(AskError::Header)?;
        let to = NameAddress::parse(needed(&message, "To")?).ok_or(AskError::Header)?;
        let mut mac = None;
        for user in [uri, from.uri, to.uri].iter().filter_map(|uri| Uri::parse(uri)) {
            match (mac, mac_in(user.user)) {
                (Some(one), Some(other)) if one != other => return Err(AskError::TwoPhones),
                (None, found) => mac = found,
                _ => {}
            }
        }
        let value = |name| parameter(parameters, name).chars().take(64).collect();
        let agent = message.header("User-Agent").unwrap_or_default();
        let claim = PnpClaim {
            mac,
            vendor: value("vendor"),
            model: value("model"),
            version: value("version"),
            agent: agent.chars().take(200).collect(),
        };
        Ok(Self { claim, message })
    }

    /// A header that is copied; empty if it is missing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.message.header(name).unwrap_or_default()
    }

    /// The Via headers, the topmost first.
    pub(super) fn vias(&self) -> impl Iterator<Item = &str> {
        self.message.headers("Via").filter(|via| via.len() <= MAX_COPIED).take(MAX_VIAS)
    }

    /// The URI of the Contact, if there is one.
    pub(super) fn contact(&self) -> Option<&str> {
        let value = self.message.header("Contact").filter(|value| value.len() <= MAX_COPIED)?;
        Some(NameAddress::parse(value)?.uri)
    }

    /// The port to which the response goes (RFC 3261 §18.2.2, RFC 3581 §4);
    /// `None` is the one that the request came from.
    pub(super) fn response_port(&self) -> Option<u16> {
        let via = self.vias().next()?;
        let mut parts = via.split(';');
        let sent_by = parts.next()?.split_whitespace().last()?;
        let has_rport = parts.any(|part| {
            part.split('=').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("rport"))
        });
        if has_rport {
            return None;
        }
        let port = match sent_by.rsplit_once(':') {
            // The colons of an IPv6 address are no port's.
            Some((_, port)) if !port.contains(']') => port.parse().ok()?,
            _ => 5060,
        };
        (port != 0).then_some(port)
    }
}

fn needed<'m>(message: &'m Message<'_>, name: &str) -> Result<&'m str, AskError> {
    let sound = |value: &&str| !value.is_empty() && value.len() <= MAX_COPIED;
    message.header(name).filter(sound).ok_or(AskError::Header)
}

/// A parameter of an Event header, quotes taken off; empty if it is missing.
fn parameter<'a>(parameters: &'a str, name: &str) -> &'a str {
    let mut rest = parameters;
    while !rest.is_empty() {
        let (key, tail) = rest.split_once('=').unwrap_or((rest, ""));
        // A parameter without a value stands before this one.
        let key = key.rsplit(';').next().unwrap_or_default().trim();
        let tail = tail.trim_start();
        let (value, tail) = match tail.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => tail.split_at(tail.find(';').unwrap_or(tail.len())),
        };
        if key.eq_ignore_ascii_case(name) {
            return value.trim();
        }
        rest = tail.trim_start().strip_prefix(';').unwrap_or_default();
    }
    ""
}

/// The MAC address in the user part of a URI: `MAC%3a0c383e07e16c` (snom,
/// Grandstream, Gigaset, ATCOM), `MAC0c383e07e16c` (Yealink),
/// `MAC=0c383e07e16c` (PLANET).
fn mac_in(user: &str) -> Option<Mac> {
    let (prefix, rest) = user.split_at_checked(3)?;
    if !prefix.eq_ignore_ascii_case("mac") {
        return None;
    }
    let separator = rest.strip_prefix([':', '=', '-', '_']).or_else(|| {
        let (escape, rest) = rest.split_at_checked(3)?;
        ["%3a", "%3d"].iter().any(|known| escape.eq_ignore_ascii_case(known)).then_some(rest)
    });
    separator.unwrap_or(rest).parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A SUBSCRIBE as a vendor sends it.
    pub(in super::super) fn subscribe(user: &str, event: &str) -> String {
        let at = if user.is_empty() { String::new() } else { format!("{user}@") };
        format!(
            "SUBSCRIBE sip:{at}224.0.1.75 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1;rport\r\n\
             From: <sip:{at}224.0.1.75>;tag=9\r\nTo: <sip:{at}224.0.1.75>\r\n\
             Call-ID: 1@192.0.2.7\r\nCSeq: 1 SUBSCRIBE\r\nEvent: {event}\r\nExpires: 0\r\n\
             Accept: application/url\r\nContact: <sip:192.0.2.7:5060>\r\n\
             User-Agent: Fanvil X6 2.12.1\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    }

    pub(in super::super) const EVENT: &str = "ua-profile;profile-type=\"device\";vendor=\"Fanvil\";model=\"VOIP PHONE\";version=\"2.12.1\"";

    #[test]
    fn every_vendors_form_names_the_phone() {
        let mac = "0c383e07e16c".parse().unwrap();
        for user in [
            "MAC%3a0c383e07e16c",
            "MAC%3A0C383E07E16C",
            "MAC0C383E07E16C",
            "MAC=0c383e07e16c",
            "mac:0c383e07e16c",
        ] {
            let text = subscribe(user, EVENT);
            assert!(PnpAsk::is_likely(text.as_bytes()));
            let ask = PnpAsk::parse(text.as_bytes()).unwrap();
            let claim = PnpClaim {
                mac: Some(mac),
                vendor: "Fanvil".into(),
                model: "VOIP PHONE".into(),
                version: "2.12.1".into(),
                agent: "Fanvil X6 2.12.1".into(),
            };
            assert_eq!(ask.claim, claim, "{user}");
            assert_eq!(ask.contact(), Some("sip:192.0.2.7:5060"));
            assert_eq!(ask.response_port(), None);
        }
        for user in
            ["", "00000001", "MAC", "MAC%3a", "MAC%3a0c383e07e16", "MAC000000000000", "mäc1"]
        {
            let text = subscribe(user, EVENT);
            assert_eq!(PnpAsk::parse(text.as_bytes()).unwrap().claim.mac, None, "{user}");
        }
    }

    #[test]
    fn audiocodes_tells_no_mac_and_no_vendor() {
        let event = "ua-profile; profile-type=\"application\"; model=440HD; x; version=3.4";
        let text = subscribe("", event)
            .replace("From: <sip:224.0.1.75>", "From: <sip:00000001@192.0.2.7:5060>");
        let ask = PnpAsk::parse(text.as_bytes()).unwrap();
        assert_eq!(ask.claim.mac, None);
        assert_eq!((&*ask.claim.vendor, &*ask.claim.model), ("", "440HD"));
        assert_eq!(&*ask.claim.version, "3.4");
    }

    #[test]
    fn the_response_goes_where_via_says() {
        for (via, port) in [
            ("SIP/2.0/UDP 192.0.2.7:5062;branch=1", Some(5062)),
            ("SIP/2.0/UDP 192.0.2.7;branch=1", Some(5060)),
            ("SIP/2.0/UDP 192.0.2.7:5062;rport=;branch=1", None),
            ("SIP/2.0/UDP [2001:db8::7];branch=1", Some(5060)),
            ("SIP/2.0/UDP 192.0.2.7:0", None),
            ("SIP/2.0/UDP 192.0.2.7:99999", None),
        ] {
            let text = subscribe("MAC1", EVENT)
                .replace("SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1;rport", via);
            assert_eq!(PnpAsk::parse(text.as_bytes()).unwrap().response_port(), port, "{via}");
        }
    }

    #[test]
    fn what_is_none_is_told_apart() {
        let sound = subscribe("MAC%3a0c383e07e16c", EVENT);
        let read = |text: String| PnpAsk::parse(text.as_bytes()).map(|ask| ask.claim);
        assert_eq!(read(sound.replace("SUBSCRIBE sip", "NOTIFY sip")), Err(AskError::OtherMethod));
        assert_eq!(read(sound.replace("ua-profile", "presence")), Err(AskError::OtherEvent));
        let other = sound.replace("To: <sip:MAC%3a0c383e07e16c", "To: <sip:MAC%3a0c383e07e16d");
        assert_eq!(read(other), Err(AskError::TwoPhones));
        for missing in ["Via", "From", "To", "Call-ID", "CSeq", "Event"] {
            let without = sound.replace(&format!("\r\n{missing}:"), "\r\nX:");
            assert_eq!(read(without), Err(AskError::Header), "{missing}");
            let long = format!("\r\n{missing}: {}", "x".repeat(600));
            let long = sound.replace(&format!("\r\n{missing}:"), &long);
            assert_eq!(read(long), Err(AskError::Header), "{missing}");
        }
        assert_eq!(read("x".to_owned()), Err(AskError::Sip(SipError::StartLine)));
    }

    #[test]
    fn a_request_cut_anywhere_is_refused() {
        let text = subscribe("MAC%3a0c383e07e16c", EVENT);
        for end in 0..text.len() {
            assert!(PnpAsk::parse(&text.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_event_makes_it_panic(event in "ua-profile[;=\" a-zä]{0,40}", name in "[a-z]{0,3}") {
            let _ = parameter(&event, &name);
            let _ = PnpAsk::parse(subscribe("MAC1", &event).as_bytes());
        }

        #[test]
        fn no_damage_makes_it_panic(at: u16, byte: u8) {
            let mut bytes = subscribe("MAC%3a0c383e07e16c", EVENT).into_bytes();
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
            if let Ok(ask) = PnpAsk::parse(&bytes) {
                let _ = (ask.contact(), ask.response_port());
            }
        }
    }
}
