//! The SOAP envelope (TR-069 §3.4.1) and the namespaces of CWMP.

use std::fmt;

use super::message::Message;

/// The namespace that a device uses for CWMP, echoed for the whole session (Q3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Namespace(Box<str>);

impl Namespace {
    /// `urn:dslforum-org:cwmp-1-0`, the fallback (Q4).
    pub fn v1_0() -> Self {
        Self("urn:dslforum-org:cwmp-1-0".into())
    }

    /// `urn:dslforum-org:cwmp-1-2`, of the protocol versions 1.2, 1.3 and 1.4.
    pub fn v1_2() -> Self {
        Self("urn:dslforum-org:cwmp-1-2".into())
    }

    /// Takes a URI if it is one of CWMP, whatever its minor version (Q4).
    pub fn parse(uri: &str) -> Option<Self> {
        let minor = uri.strip_prefix("urn:dslforum-org:cwmp-1-")?;
        let sound =
            !minor.is_empty() && minor.len() <= 3 && minor.bytes().all(|b| b.is_ascii_digit());
        sound.then(|| Self(uri.into()))
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One message in its envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The `cwmp:ID` header, opaque; `None` if there was none (Q1).
    pub id: Option<Box<str>>,
    /// The namespace of the RPC element.
    pub namespace: Namespace,
    /// `cwmp:HoldRequests`, false if absent.
    pub hold_requests: bool,
    /// `cwmp:SessionTimeout` in seconds, only with an Inform.
    pub session_timeout: Option<u32>,
    /// `cwmp:SupportedCWMPVersions`, only with an Inform.
    pub supported_versions: Option<Box<str>>,
    /// `cwmp:UseCWMPVersion`, only with an InformResponse.
    pub use_version: Option<Box<str>>,
    /// The body.
    pub message: Message,
}
