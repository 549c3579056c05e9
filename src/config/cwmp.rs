//! `[cwmp]`: the device's door.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{ConfigError, IdentityRule};

/// Who may open a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// One onboarding credential for first contact; each device is then given
    /// credentials of its own.
    #[default]
    Shared,
    /// Only devices whose credentials are known beforehand.
    Device,
    /// Anybody: for a lab. Every start warns.
    Open,
}

/// Whether devices are asked for a certificate at the door over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CertificateMode {
    /// They are not.
    Off,
    /// They may show one; one that is not good ends the handshake.
    Optional,
    /// Without one there is no handshake.
    Required,
}

/// What the certificates of a trust store say of who shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CertificateIdentity {
    /// Each names one device, by `OUI-SerialNumber` or
    /// `OUI-ProductClass-SerialNumber`: no other credentials are needed.
    Device,
    /// They are a model's or a vendor's, alike on many devices: no identity.
    Model,
}

/// One `[[cwmp.trust]]`: the authorities of one vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// Its name in the log.
    pub name: String,
    /// The authorities' certificates in PEM.
    pub ca: PathBuf,
    /// Revocation lists, in PEM or DER. If there are any, every authority that
    /// signs, those in `ca` too, needs its list among them.
    #[serde(default)]
    pub crl: Vec<PathBuf>,
    /// What its certificates say of who shows them.
    pub identity: CertificateIdentity,
    /// The OUIs of which it may speak, six hex digits each; all if empty.
    #[serde(default)]
    pub ouis: Vec<String>,
}

/// `[cwmp]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CwmpConfig {
    /// Where plain HTTP is served.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
    /// Where TLS is served.
    #[serde(with = "super::northbound::optional_listen")]
    pub tls_listen: Option<SocketAddr>,
    /// Who may open a session.
    pub auth: AuthMode,
    /// Whether Basic is taken over plain HTTP as well.
    pub basic_over_http: bool,
    /// Whether devices are given credentials of their own after first contact.
    /// Unset: in `shared` mode only. In `device` mode they have their own, and
    /// come back with them after a factory reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub give_credentials: Option<bool>,
    /// Seconds that a session may be silent before it is given up, at least 30.
    pub session_timeout: u32,
    /// Seconds between Informs that devices are asked for; 0 leaves it alone.
    pub inform_interval: u32,
    /// How many names go into one GetParameterValues at first.
    pub read_batch: u16,
    /// How many values go into one SetParameterValues at first.
    pub write_batch: u16,
    /// The largest body taken from a device, in bytes.
    pub max_body: u64,
    /// Live sessions at once; beyond it devices are told to come again later.
    pub max_sessions: usize,
    /// New devices in one minute; beyond it unknown devices are told to come
    /// again later.
    pub new_devices_per_minute: u32,
    /// Informs of one device in a minute, after 300 at once; beyond it the device
    /// is told to come again later. 0 for no limit.
    pub informs_per_minute: u32,
    /// Networks to which connection requests may go besides the address that
    /// the device itself called from.
    pub connection_request_allow: Vec<IpNet>,
    /// Whether a device that asks for Basic at a connection request is shown
    /// its password in clear text.
    pub connection_request_basic: bool,
    /// Seconds after which a transfer without a TransferComplete is given up.
    pub transfer_timeout: u32,
    /// Whether a device that asks for a file (RequestDownload) gets the newest
    /// stored one that fits.
    pub request_download: bool,
    /// Where the browser of a subscriber who kicked a device is sent next
    /// (Kicked, deprecated): an http or https URL, or empty for nowhere.
    pub kicked_next_url: String,
    /// Whether devices are asked for a certificate at the door over TLS. Unset:
    /// they may show one if there is a trust store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<CertificateMode>,
    /// Whose certificates are good at the door over TLS. The first store that an
    /// authority stands in counts. Files are read again on SIGHUP.
    pub trust: Vec<TrustConfig>,
    /// `[[cwmp.identity]]`: who devices are whose own word on it is no good.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identity: Vec<IdentityRule>,
}

impl Default for CwmpConfig {
    fn default() -> Self {
        Self {
            listen: Some((Ipv4Addr::UNSPECIFIED, 7547).into()),
            tls_listen: Some((Ipv4Addr::UNSPECIFIED, 7548).into()),
            auth: AuthMode::default(),
            basic_over_http: false,
            give_credentials: None,
            session_timeout: 60,
            inform_interval: 0,
            read_batch: 128,
            write_batch: 64,
            max_body: 64 << 20,
            max_sessions: 20_000,
            new_devices_per_minute: 60_000,
            informs_per_minute: 30,
            connection_request_allow: Vec::new(),
            connection_request_basic: false,
            transfer_timeout: 3600,
            request_download: false,
            kicked_next_url: String::new(),
            certificates: None,
            trust: Vec::new(),
            identity: Vec::new(),
        }
    }
}

impl CwmpConfig {
    /// Whether devices are given credentials of their own.
    pub fn gives_credentials(&self) -> bool {
        self.give_credentials.unwrap_or(self.auth == AuthMode::Shared)
    }

    /// Whether devices are asked for a certificate.
    pub const fn asks_for_certificates(&self) -> CertificateMode {
        match self.certificates {
            Some(mode) => mode,
            None if self.trust.is_empty() => CertificateMode::Off,
            None => CertificateMode::Optional,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fail = |key, value: u64, problem| {
            Err(ConfigError::OutOfRange { key, value: value.to_string(), problem })
        };
        if self.session_timeout < 30 {
            return fail(
                "cwmp.session_timeout",
                self.session_timeout.into(),
                "at least 30 seconds (TR-069 §3.4.4)",
            );
        }
        if self.max_body < 32 << 10 {
            return fail("cwmp.max_body", self.max_body, "at least 32768 bytes (TR-069 §3.4.6)");
        }
        if self.read_batch == 0 {
            return fail("cwmp.read_batch", 0, "at least 1");
        }
        if self.write_batch == 0 {
            return fail("cwmp.write_batch", 0, "at least 1");
        }
        let url = &self.kicked_next_url;
        let sound = url.starts_with("http://") || url.starts_with("https://");
        if !url.is_empty() && (!sound || url.len() > 1024 || url.contains(char::is_control)) {
            return Err(ConfigError::OutOfRange {
                key: "cwmp.kicked_next_url",
                value: url.clone(),
                problem: "an http or https URL of at most 1024 bytes",
            });
        }
        self.identity.iter().try_for_each(IdentityRule::check)?;
        self.check_trust()
    }

    fn check_trust(&self) -> Result<(), ConfigError> {
        let fail = |key, value: &str, problem| {
            Err(ConfigError::OutOfRange { key, value: value.to_owned(), problem })
        };
        if self.trust.is_empty() && self.asks_for_certificates() != CertificateMode::Off {
            return fail("cwmp.certificates", "", "there is no [[cwmp.trust]] to judge them by");
        }
        for (position, store) in self.trust.iter().enumerate() {
            let before = self.trust.iter().take(position);
            if store.name.trim().is_empty() || before.into_iter().any(|one| one.name == store.name)
            {
                return fail("cwmp.trust.name", &store.name, "each needs a name of its own");
            }
            let is_oui =
                |oui: &String| oui.len() == 6 && oui.bytes().all(|byte| byte.is_ascii_hexdigit());
            if let Some(bad) = store.ouis.iter().find(|oui| !is_oui(oui)) {
                return fail("cwmp.trust.ouis", bad, "an OUI is six hex digits, as in 00D09E");
            }
        }
        Ok(())
    }
}
