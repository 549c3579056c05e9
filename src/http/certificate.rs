//! Which names a client certificate bears, and which phone it is for.
//!
//! Vendors put a phone's MAC address into the certificate that it comes with, as
//! its common name or as a DNS name. The certificate has been verified before;
//! only these two are looked at here (RFC 5280 §4.1.2.6, §4.2.1.6).

use rustls_pki_types::CertificateDer;

use crate::phone::Mac;

/// The most names that are looked at.
const MAX_NAMES: usize = 64;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
const OCTETS: u8 = 0x04;
/// `[3]`, constructed: the extensions of a certificate.
const EXTENSIONS: u8 = 0xa3;
/// `[0]`, constructed: the version of a certificate.
const VERSION: u8 = 0xa0;
/// `[2]`: a DNS name among the alternative names.
const DNS_NAME: u8 = 0x82;
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// The MAC address that a verified certificate names; `None` if it names none, or
/// two that differ.
pub(super) fn mac_of(chain: Option<&[CertificateDer<'_>]>) -> Option<Mac> {
    mac_in_certificate(chain?.first()?)
}

/// The MAC address in a certificate in DER, which is not verified here; `None` if
/// it names none, or two that differ.
pub fn mac_in_certificate(der: &[u8]) -> Option<Mac> {
    let mut names = Vec::new();
    collect(der, &mut names);
    let mut macs = names.into_iter().filter_map(mac_in);
    let first = macs.next()?;
    macs.all(|other| other == first).then_some(first)
}

/// The common names, then the DNS names of a certificate in DER, which is not
/// verified here.
pub(super) fn names_in_certificate(der: &[u8]) -> Vec<Box<str>> {
    let mut names = Vec::new();
    collect(der, &mut names);
    names.into_iter().filter_map(|name| std::str::from_utf8(name).ok()).map(Box::from).collect()
}

/// `0C383E07E16C`, `0c:38:3e:07:e1:6c`, `0c383e07e16c.phones.example`.
fn mac_in(name: &[u8]) -> Option<Mac> {
    let name = std::str::from_utf8(name).ok()?.trim();
    name.parse().ok().or_else(|| name.split_once('.')?.0.parse().ok())
}

/// Gathers common names and DNS names; stops at what is no DER.
fn collect<'a>(certificate: &'a [u8], names: &mut Vec<&'a [u8]>) -> Option<()> {
    let (whole, _) = of(SEQUENCE, certificate)?;
    let (mut fields, _) = of(SEQUENCE, whole)?;
    if fields.first() == Some(&VERSION) {
        fields = next(fields)?.2;
    }
    // Serial number, algorithm, issuer, validity.
    for _ in 0..4 {
        fields = next(fields)?.2;
    }
    let (mut subject, mut fields) = of(SEQUENCE, fields)?;
    while !subject.is_empty() && names.len() < MAX_NAMES {
        let (mut set, rest) = of(SET, subject)?;
        subject = rest;
        while !set.is_empty() && names.len() < MAX_NAMES {
            let (pair, rest) = of(SEQUENCE, set)?;
            set = rest;
            let (object, value) = of(OBJECT, pair)?;
            if object == COMMON_NAME {
                names.push(next(value)?.1);
            }
        }
    }
    while !fields.is_empty() {
        let (tag, content, rest) = next(fields)?;
        fields = rest;
        if tag == EXTENSIONS {
            alternative_names(of(SEQUENCE, content)?.0, names)?;
        }
    }
    Some(())
}

fn alternative_names<'a>(mut extensions: &'a [u8], names: &mut Vec<&'a [u8]>) -> Option<()> {
    while !extensions.is_empty() {
        let (extension, rest) = of(SEQUENCE, extensions)?;
        extensions = rest;
        let (object, mut value) = of(OBJECT, extension)?;
        if object != ALTERNATIVE_NAMES {
            continue;
        }
        // Whether it is critical may stand before it.
        if value.first() != Some(&OCTETS) {
            value = next(value)?.2;
        }
        let mut list = of(SEQUENCE, of(OCTETS, value)?.0)?.0;
        while !list.is_empty() && names.len() < MAX_NAMES {
            let (tag, name, rest) = next(list)?;
            list = rest;
            if tag == DNS_NAME {
                names.push(name);
            }
        }
    }
    Some(())
}

/// The content of an element that must have this tag, and what follows it.
fn of(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = next(bytes)?;
    (found == tag).then_some((content, rest))
}

/// The tag and content of the first element, and what follows it. Lengths of
/// more than three bytes are no certificate's.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn certificate(common: Option<&str>, alternative: &[&str]) -> Vec<u8> {
        let names: Vec<String> = alternative.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "0c383e000000");
        if let Some(common) = common {
            params.distinguished_name.push(DnType::CommonName, common);
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn mac(der: &[u8]) -> Option<String> {
        let chain = [CertificateDer::from(der)];
        mac_of(Some(&chain)).map(|mac| mac.to_string())
    }

    #[test]
    fn the_address_is_the_common_name_or_a_dns_name() {
        let own = "0c383e07e16c";
        for (common, alternative) in [
            (Some("0C383E07E16C"), vec![]),
            (Some("0c:38:3e:07:e1:6c"), vec!["phone.example"]),
            (Some("0c383e07e16c.phones.example"), vec![]),
            (Some("Fanvil X6"), vec!["0c383e07e16c"]),
            (None, vec!["www.example", "0c383e07e16c.phones.example"]),
            (Some("0c-38-3e-07-e1-6c"), vec!["0c383e07e16c"]),
        ] {
            assert_eq!(mac(&certificate(common, &alternative)).as_deref(), Some(own), "{common:?}");
        }
        for (common, alternative) in [
            (None, vec![]),
            (Some("Fanvil X6"), vec!["www.example"]),
            (Some("x0c383e07e16c"), vec![]),
            (Some("000000000000"), vec![]),
            (Some("0c383e07e16c"), vec!["0c383e07e16d"]),
        ] {
            assert_eq!(mac(&certificate(common, &alternative)), None, "{common:?}");
        }
        assert_eq!(mac_of(None), None);
        assert_eq!(mac_of(Some(&[])), None);
    }

    #[test]
    fn a_certificate_cut_anywhere_is_only_refused() {
        let whole = certificate(Some("0c383e07e16c"), &["0c383e07e16c"]);
        for end in 0..whole.len() {
            assert_eq!(mac(&whole[..end]), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_only_looked_at(bytes: Vec<u8>) {
            mac(&bytes);
        }

        #[test]
        fn an_altered_certificate_is_only_looked_at(at in 0usize..300, to: u8) {
            let mut bytes = certificate(Some("0c383e07e16c"), &["0c383e07e16c"]);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            mac(&bytes);
        }
    }
}
