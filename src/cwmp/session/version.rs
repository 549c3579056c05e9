//! Which version of the protocol a session speaks (TR-069 §3.6.2 and its
//! negotiation by the headers of version 1.4).

use std::fmt;

use crate::cwmp::envelope::Namespace;

/// A version of the protocol that Provost speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Amendment 1.
    V1_0,
    /// Amendment 2: autonomous transfers.
    V1_1,
    /// Amendment 3: software modules, scheduled downloads.
    V1_2,
    /// Amendment 4: the SessionTimeout header.
    V1_3,
    /// Amendments 5 and 6: negotiation, lightweight notifications.
    V1_4,
}

impl Version {
    /// All versions, lowest first.
    const ALL: [Self; 5] = [Self::V1_0, Self::V1_1, Self::V1_2, Self::V1_3, Self::V1_4];

    /// The text of the headers: `1.4`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
            Self::V1_4 => "1.4",
        }
    }

    /// The version that an Inform without SupportedCWMPVersions means.
    ///
    /// The URIs of 1.3 and 1.4 are not defined, but are met in the field (Q4).
    pub(super) fn of_inform(namespace: &Namespace, has_session_timeout: bool) -> Self {
        match namespace.as_str() {
            "urn:dslforum-org:cwmp-1-1" => Self::V1_1,
            "urn:dslforum-org:cwmp-1-2" if has_session_timeout => Self::V1_3,
            "urn:dslforum-org:cwmp-1-2" => Self::V1_2,
            "urn:dslforum-org:cwmp-1-3" => Self::V1_3,
            "urn:dslforum-org:cwmp-1-4" => Self::V1_4,
            _ => Self::V1_0,
        }
    }

    /// The highest version of a `SupportedCWMPVersions` header that Provost
    /// speaks: `Ok(None)` if the header names no version at all, `Err` if it
    /// names only others.
    pub(super) fn choose(header: &str) -> Result<Option<Self>, NoCommonVersion> {
        let mut named = false;
        let mut best = None;
        for item in header.split(',').map(str::trim) {
            named |= is_version(item);
            best = best.max(Self::ALL.into_iter().find(|version| version.text() == item));
        }
        if best.is_none() && named { Err(NoCommonVersion) } else { Ok(best) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The device speaks no version that Provost speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoCommonVersion;

/// Whether a text has the form of a version: digits, a dot, digits.
fn is_version(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_chosen() {
        assert_eq!(Version::choose("1.0,1.1,1.2,1.3,1.4"), Ok(Some(Version::V1_4)));
        assert_eq!(Version::choose(" 1.2 , 1.0 "), Ok(Some(Version::V1_2)));
        assert_eq!(Version::choose("1.5,1.1"), Ok(Some(Version::V1_1)));
        assert_eq!(Version::choose("2.0"), Err(NoCommonVersion));
        assert_eq!(Version::choose(""), Ok(None));
        assert_eq!(Version::choose("latest"), Ok(None));
    }

    #[test]
    fn without_the_header_the_namespace_tells() {
        let of = |uri: &str, timeout| {
            Version::of_inform(&Namespace::parse(uri).unwrap(), timeout).text()
        };
        assert_eq!(of("urn:dslforum-org:cwmp-1-0", true), "1.0");
        assert_eq!(of("urn:dslforum-org:cwmp-1-1", false), "1.1");
        assert_eq!(of("urn:dslforum-org:cwmp-1-2", false), "1.2");
        assert_eq!(of("urn:dslforum-org:cwmp-1-2", true), "1.3");
        assert_eq!(of("urn:dslforum-org:cwmp-1-4", false), "1.4");
        assert_eq!(of("urn:dslforum-org:cwmp-1-9", false), "1.0");
    }
}
