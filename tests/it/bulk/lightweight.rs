//! Lightweight notifications as datagrams.

use provost::cwmp::{LightweightDatagram, LightweightError};
use provost::device::Secret;
use provost::time::Timestamp;

const BODY: &str = "<?xml version=\"1.0\"?>\n<lwn:Notification xmlns:lwn=\"urn:broadband-forum-org:cwmp:lwnotif-1-0\">\
<lwn:TS>1795204800</lwn:TS><lwn:UN>00D09E-HG-1</lwn:UN><lwn:CN>a1b2c3</lwn:CN><lwn:OUI>00D09E</lwn:OUI>\
<lwn:ProductClass>HG</lwn:ProductClass><lwn:SerialNumber>1</lwn:SerialNumber>\
<lwn:Param><lwn:Name>Device.WiFi.Radio.1.Channel</lwn:Name><lwn:Value>11</lwn:Value></lwn:Param>\
<lwn:Param><lwn:Name>Device.Hosts.HostNumberOfEntries</lwn:Name><lwn:Value> 2</lwn:Value></lwn:Param>\
</lwn:Notification>";

/// A datagram with a signature that has the right form.
pub(super) const SOUND: &str = "POST /HTTPS/1.1\r\nHOST: 127.0.0.1\r\nContent-Type: test/xml; charset=utf-8\r\n\
Content-Lenght: 12\r\nSignature: 0123456789abcdef0123456789ABCDEF01234567\r\n\r\n\
<Notification xmlns=\"urn:broadband-forum-org:cwmp:lwnotif-1-0\"><TS>1</TS><UN>u</UN><CN>c</CN><OUI>00D09E</OUI>\
<ProductClass/><SerialNumber>1</SerialNumber><Param><Name>a</Name><Value>&lt;b></Value></Param></Notification>";

/// HMAC-SHA1 in hex.
pub(crate) fn sign(body: &str, password: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hex::encode(ring::hmac::sign(&key, body.as_bytes()))
}

fn datagram(head: &str, body: &str) -> Vec<u8> {
    format!("{head}\r\n\r\n{body}").into_bytes()
}

#[test]
fn t19_a_signed_notification_is_read() {
    let password = Secret::new("secret");
    let signature = sign(BODY, "secret");
    for head in [
        format!("POST / HTTP/1.1\r\nHost: a\r\nSignature: {signature}\r\nContent-Length: 9"),
        // As icwmp writes it.
        format!("POST /HTTPS/1.1\r\nContent-Lenght: 600\r\nSignature: {signature}"),
        format!("anything\r\nsignature:\"{}\"", signature.to_uppercase()),
        format!("x\nSIGNATURE : {signature}"),
    ] {
        let bytes = datagram(&head, BODY);
        let split = LightweightDatagram::split(&bytes).unwrap();
        assert!(split.is_signed_with(&password), "{head}");
        assert!(!split.is_signed_with(&Secret::new("other")), "{head}");
        let read = split.read().unwrap();
        assert_eq!(read.made_at, Some(Timestamp::from_millis(1_795_204_800_000)));
        assert_eq!((&*read.username, &*read.cnonce), ("00D09E-HG-1", "a1b2c3"));
        assert_eq!((&*read.oui, &*read.product_class, &*read.serial_number), ("00D09E", "HG", "1"));
        let values: Vec<_> = read.parameters.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(
            values,
            [("Device.WiFi.Radio.1.Channel", "11"), ("Device.Hosts.HostNumberOfEntries", " 2")]
        );
    }
}

#[test]
fn t19_members_may_be_qualified_or_not() {
    let password = Secret::new("p");
    for body in [
        BODY.to_owned(),
        BODY.replace("lwn:", ""),
        BODY.replace("lwn:", "x:"),
        BODY.replace("<lwn:TS", "<TS").replace("</lwn:TS", "</TS"),
    ] {
        // Line ends that a sender added below are not signed.
        for below in ["", "\r\n", "\n\0\0"] {
            let head = format!("P\r\nSignature: {}", sign(&body, "p"));
            let bytes = datagram(&head, &format!("{body}{below}"));
            let split = LightweightDatagram::split(&bytes).unwrap();
            assert!(split.is_signed_with(&password), "{body}{below:?}");
            assert_eq!(split.read().unwrap().parameters.len(), 2, "{body}");
        }
    }
}

#[test]
fn t19_a_changed_body_is_not_signed() {
    let password = Secret::new("p");
    let head = format!("P\r\nSignature: {}", sign(BODY, "p"));
    let changed = datagram(&head, &BODY.replace(">11<", ">12<"));
    assert!(!LightweightDatagram::split(&changed).unwrap().is_signed_with(&password));
}

#[test]
fn what_is_no_notification_is_refused() {
    for (bytes, problem) in [
        ("", LightweightError::NoBody),
        ("POST / HTTP/1.1\r\nSignature: 00\r\n\r\n", LightweightError::NoBody),
        ("\r\n\r\nx", LightweightError::NoSignature),
        ("P\r\nHost: a\r\n\r\nx", LightweightError::NoSignature),
        ("P\r\nSignature: 00\r\n\r\nx", LightweightError::NoSignature),
    ] {
        assert_eq!(LightweightDatagram::split(bytes.as_bytes()).unwrap_err(), problem, "{bytes:?}");
    }
    let long = format!("{}\r\n\r\nx", "Signature: 00\r\n".repeat(1000));
    assert!(LightweightDatagram::split(long.as_bytes()).is_err());
    let head = format!("P\r\nSignature: {}", "00".repeat(20));
    for body in [
        "x",
        "<a/>",
        "<Notification/>",
        "<Notification><SerialNumber>1</SerialNumber></Notification>",
        "<Notification><Param><Name>a</Name></Param></Notification>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><Notification/>",
        "<Notification><SerialNumber>1</SerialNumber><Param><Name>a</Name>",
    ] {
        let bytes = datagram(&head, body);
        assert!(LightweightDatagram::split(&bytes).unwrap().read().is_err(), "{body}");
    }
}

#[test]
fn values_beyond_the_limit_are_counted() {
    let parameter = "<Param><Name>a</Name><Value>1</Value></Param>".repeat(300);
    let body = format!("<Notification><SerialNumber>1</SerialNumber>{parameter}</Notification>");
    let bytes = datagram(&format!("P\r\nSignature: {}", "00".repeat(20)), &body);
    let read = LightweightDatagram::split(&bytes).unwrap().read().unwrap();
    assert_eq!((read.parameters.len(), read.left_out), (256, 44));
}
