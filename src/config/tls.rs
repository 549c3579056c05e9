//! `[tls]`: certificates.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[tls]`. Unset, a certificate authority and a server certificate are made in
/// the data folder at first start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// The certificate chain in PEM, the server's own first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Its private key in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Further names and addresses for the certificate that Provost makes.
    pub names: Vec<String>,
    /// Authorities in PEM of which phones' certificates are good at the file
    /// door: a phone whose certificate names its MAC address needs no token. If
    /// none is named, no certificate is asked for. Read at start only.
    pub client_ca: Vec<PathBuf>,
}
