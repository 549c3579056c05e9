//! The 200 and the NOTIFY.

use std::net::SocketAddr;

use super::ask::PnpAsk;
use crate::config::PnpParties;
use crate::sip::{NameAddress, Uri, Writer};

/// Whose own examples show the NOTIFY with From and To as in the SUBSCRIBE.
/// RFC 3261 §12.2.1.1 wants them exchanged, as everybody else gets them.
const AS_ASKED: &[&str] = &["snom", "grandstream", "yealink", "audiocodes"];

/// What an answer is written with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'a> {
    /// Where the request came from.
    pub(super) phone: SocketAddr,
    /// The address that the phone reaches us at.
    pub(super) local: SocketAddr,
    /// Random letters and digits: our tag, and the branch of the NOTIFY.
    pub(super) tag: &'a str,
    /// In which order the parties stand.
    pub(super) parties: PnpParties,
}

/// Where the NOTIFY goes: to the Contact if its host is where the request came
/// from, so that nobody has it sent to a third.
pub(super) fn notify_address(ask: &PnpAsk<'_>, phone: SocketAddr) -> SocketAddr {
    let contact = ask.contact().and_then(Uri::parse).and_then(|uri| uri.socket_address());
    contact.filter(|contact| contact.ip() == phone.ip().to_canonical()).unwrap_or(phone)
}

/// The response to the SUBSCRIBE.
pub(super) fn accepted(ask: &PnpAsk<'_>, sides: Sides<'_>) -> Vec<u8> {
    let mut writer = Writer::response(200, "OK");
    for via in ask.vias() {
        writer = writer.header("Via", via);
    }
    writer
        .header("From", ask.header("From"))
        .header("To", &tagged(ask.header("To"), sides.tag))
        .header("Call-ID", ask.header("Call-ID"))
        .header("CSeq", ask.header("CSeq"))
        .header("Contact", &format!("<sip:{}>", sides.local))
        .header("Expires", "0")
        .end(None)
}

/// The NOTIFY that carries the URL.
pub(super) fn notify(ask: &PnpAsk<'_>, sides: Sides<'_>, url: &str) -> Vec<u8> {
    let vendor = vendor(ask);
    let to = notify_address(ask, sides.phone);
    let contact = ask
        .contact()
        .filter(|uri| Uri::parse(uri).and_then(|uri| uri.socket_address()) == Some(to));
    let own = format!("sip:{to}");
    let as_asked = match sides.parties {
        PnpParties::Vendor => vendor.is_some(),
        PnpParties::Exchanged => false,
        PnpParties::AsAsked => true,
    };
    let (asked_from, asked_to) = (ask.header("From"), tagged(ask.header("To"), sides.tag));
    let (from, to) = if as_asked { (asked_from, &*asked_to) } else { (&*asked_to, asked_from) };
    let url = if vendor == Some("grandstream") { folder(url) } else { url };
    Writer::request("NOTIFY", contact.unwrap_or(&own))
        .header("Via", &format!("SIP/2.0/UDP {};branch=z9hG4bK{};rport", sides.local, sides.tag))
        .header("Max-Forwards", "70")
        .header("From", from)
        .header("To", to)
        .header("Call-ID", ask.header("Call-ID"))
        .header("CSeq", "1 NOTIFY")
        .header("Contact", &format!("<sip:{}>", sides.local))
        .header("Event", ask.header("Event"))
        .header("Subscription-State", "terminated;reason=timeout")
        .end(Some(("application/url", url.as_bytes())))
}

/// Which of [`AS_ASKED`] it is, by the Event header or the User-Agent.
fn vendor(ask: &PnpAsk<'_>) -> Option<&'static str> {
    let said = [&*ask.claim.vendor, &*ask.claim.agent].map(str::to_ascii_lowercase);
    AS_ASKED.iter().copied().find(|name| said.iter().any(|said| said.contains(name)))
}

/// An address with our tag, unless it has one.
fn tagged(address: &str, tag: &str) -> String {
    match NameAddress::parse(address).and_then(|address| address.tag()) {
        Some(_) => address.to_owned(),
        None => format!("{address};tag={tag}"),
    }
}

/// A URL up to its last `/`: Grandstream phones add the file's name.
fn folder(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    match url.rfind('/') {
        Some(end) if end >= begin => url.get(..=end).unwrap_or(url),
        _ => url,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ask::tests::{EVENT, subscribe};
    use super::*;

    const URL: &str = "http://192.0.2.1:7567/p/token/$mac.cfg";

    fn written(text: &str, parties: PnpParties) -> (String, String) {
        let ask = PnpAsk::parse(text.as_bytes()).unwrap();
        let sides = Sides {
            phone: "192.0.2.7:5060".parse().unwrap(),
            local: "192.0.2.1:5060".parse().unwrap(),
            tag: "ours",
            parties,
        };
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(accepted(&ask, sides)), text(notify(&ask, sides, URL)))
    }

    #[test]
    fn the_answer_is_right_to_the_byte() {
        let (accepted, notify) =
            written(&subscribe("MAC%3a0c383e07e16c", EVENT), PnpParties::Vendor);
        assert_eq!(
            accepted,
            "SIP/2.0 200 OK\r\n\
             Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1;rport\r\n\
             From: <sip:MAC%3a0c383e07e16c@224.0.1.75>;tag=9\r\n\
             To: <sip:MAC%3a0c383e07e16c@224.0.1.75>;tag=ours\r\n\
             Call-ID: 1@192.0.2.7\r\n\
             CSeq: 1 SUBSCRIBE\r\n\
             Contact: <sip:192.0.2.1:5060>\r\n\
             Expires: 0\r\n\
             Content-Length: 0\r\n\r\n"
        );
        assert_eq!(
            notify,
            format!(
                "NOTIFY sip:192.0.2.7:5060 SIP/2.0\r\n\
                 Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport\r\n\
                 Max-Forwards: 70\r\n\
                 From: <sip:MAC%3a0c383e07e16c@224.0.1.75>;tag=ours\r\n\
                 To: <sip:MAC%3a0c383e07e16c@224.0.1.75>;tag=9\r\n\
                 Call-ID: 1@192.0.2.7\r\n\
                 CSeq: 1 NOTIFY\r\n\
                 Contact: <sip:192.0.2.1:5060>\r\n\
                 Event: {EVENT}\r\n\
                 Subscription-State: terminated;reason=timeout\r\n\
                 Content-Type: application/url\r\n\
                 Content-Length: 38\r\n\r\n{URL}"
            )
        );
    }

    #[test]
    fn vendors_get_what_their_examples_show() {
        for (vendor, as_asked, body) in [
            ("snom", true, URL),
            ("Yealink", true, URL),
            ("AUDIOCODES", true, URL),
            ("Grandstream", true, "http://192.0.2.1:7567/p/token/"),
            ("OEM", false, URL),
        ] {
            let text = subscribe("MAC0c383e07e16c", &EVENT.replace("Fanvil", vendor));
            let (_, notify) = written(&text, PnpParties::Vendor);
            let from_tag = if as_asked { ">;tag=9" } else { ">;tag=ours" };
            let from = notify.lines().find(|line| line.starts_with("From: ")).unwrap();
            assert!(from.ends_with(from_tag), "{vendor}: {from}");
            assert!(notify.ends_with(&format!("Content-Length: {}\r\n\r\n{body}", body.len())));
            let (_, exchanged) = written(&text, PnpParties::Exchanged);
            assert!(exchanged.contains("\r\nTo: <sip:MAC0c383e07e16c@224.0.1.75>;tag=9\r\n"));
            let (_, as_asked) = written(&text, PnpParties::AsAsked);
            assert!(as_asked.contains("\r\nFrom: <sip:MAC0c383e07e16c@224.0.1.75>;tag=9\r\n"));
        }
    }

    #[test]
    fn p08_a_forged_contact_is_not_followed() {
        let phone = "192.0.2.7:5071".parse().unwrap();
        for (contact, to) in [
            ("<sip:192.0.2.7:5062>", "192.0.2.7:5062"),
            ("<sip:1@192.0.2.7;transport=udp>", "192.0.2.7:5060"),
            ("<sip:198.51.100.1:80>", "192.0.2.7:5071"),
            ("<sip:victim.example.net>", "192.0.2.7:5071"),
            ("nonsense", "192.0.2.7:5071"),
        ] {
            let text = subscribe("MAC0c383e07e16c", EVENT).replace("<sip:192.0.2.7:5060>", contact);
            let ask = PnpAsk::parse(text.as_bytes()).unwrap();
            assert_eq!(notify_address(&ask, phone).to_string(), to, "{contact}");
        }
    }

    #[test]
    fn folders_end_where_the_last_name_begins() {
        assert_eq!(folder("http://a/b/c.cfg"), "http://a/b/");
        assert_eq!(folder("http://a/b/"), "http://a/b/");
        assert_eq!(folder("http://a"), "http://a");
    }
}
