//! `[xmpp]`: the XMPP server through which devices are woken.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::device::Secret;

/// How the stream to the XMPP server is kept from being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum XmppTls {
    /// It turns to TLS before anything is shown (port 5222).
    #[default]
    Starttls,
    /// It is in TLS from the first byte on (port 5223).
    Direct,
    /// Not at all: for a server on this machine only.
    Off,
}

/// `[xmpp]`. Without `server`, nobody is woken by XMPP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct XmppConfig {
    /// The server, `host` or `host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Provost's own address there, `acs@example.net`. With a resource, that one
    /// is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jid: Option<String>,
    /// A file that holds the password and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// The password itself; a file is better. It is never shown.
    #[serde(skip_serializing, deserialize_with = "secret")]
    pub password: Option<Secret>,
    /// The authorities, in PEM, that the server's certificate may come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// How the stream is secured.
    pub tls: XmppTls,
    /// Whether the password may be shown to a server, in TLS, that offers no
    /// SCRAM.
    pub plain: bool,
    /// Domains, besides the one of `jid`, in which devices may be woken.
    pub domains: Vec<String>,
}

impl XmppConfig {
    /// The server's host and port; `None` if it is not configured, or malformed.
    pub fn address(&self) -> Option<(&str, u16)> {
        let standard = if self.tls == XmppTls::Direct { 5223 } else { 5222 };
        let text = self.server.as_deref()?;
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address without a port stands in brackets.
            Some((host, port)) if !text.ends_with(']') => (host, port.parse().ok()?),
            _ => (text, standard),
        };
        (!host.is_empty() && port != 0).then_some((host, port))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fail = |key, value: Option<&str>, problem| {
            let value = value.unwrap_or("unset").to_owned();
            Err(ConfigError::OutOfRange { key, value, problem })
        };
        if self.server.is_none() {
            return Ok(());
        }
        let server = self.server.as_deref();
        let Some((host, _)) = self.address() else {
            return fail("xmpp.server", server, "write it as host or host:port");
        };
        if self.jid.is_none() {
            return fail(
                "xmpp.jid",
                None,
                "Provost's own address is needed, as in acs@example.net",
            );
        }
        if self.password.is_some() == self.password_file.is_some() {
            return fail("xmpp.password_file", None, "either this or xmpp.password is needed");
        }
        if self.tls != XmppTls::Off && self.ca.is_none() {
            return fail(
                "xmpp.ca",
                None,
                "the file with the authorities of the server's certificate is needed, as in \
                 /etc/ssl/certs/ca-certificates.crt",
            );
        }
        if self.tls == XmppTls::Off && !is_loopback(host) {
            return fail("xmpp.tls", Some("off"), "only for a server on this machine");
        }
        Ok(())
    }
}

/// Whether a host is this machine, as far as its text says.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Some(Secret::new(String::deserialize(deserializer)?)))
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(text: &str) -> Result<XmppConfig, String> {
        Config::read("p.toml", &format!("[xmpp]\n{text}"), &[])
            .map(|config| config.xmpp)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_missing_is_told() {
        let whole = "server = 'xmpp.example.net'\njid = 'acs@example.net'\npassword = 'p'\n";
        assert_eq!(read("").unwrap(), XmppConfig::default());
        let config = read(&format!("{whole}ca = 'ca.pem'")).unwrap();
        assert_eq!(config.address(), Some(("xmpp.example.net", 5222)));
        for (text, word) in [
            (whole, "xmpp.ca"),
            ("server = 'a'", "xmpp.jid"),
            ("server = 'a:0'\njid = 'a@b'", "xmpp.server"),
            ("server = 'a:b'\njid = 'a@b'", "xmpp.server"),
            ("server = 'a'\njid = 'a@b'", "xmpp.password_file"),
            (
                "server = 'a'\njid = 'a@b'\npassword = 'p'\npassword_file = 'f'",
                "xmpp.password_file",
            ),
            (&format!("{whole}tls = 'off'"), "xmpp.tls"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        for server in ["localhost", "127.0.0.1:5222", "[::1]", "[::1]:5333"] {
            let text = format!("server = '{server}'\njid = 'a@b'\npassword = 'p'\ntls = 'off'");
            assert!(read(&text).unwrap().address().is_some(), "{server}");
        }
    }

    #[test]
    fn the_password_is_never_shown() {
        let sets =
            ["xmpp.server=localhost", "xmpp.jid=a@b", "xmpp.tls=off", "xmpp.password=canary"];
        let config = Config::read("", "", &sets.map(str::to_owned)).unwrap();
        assert_eq!(config.xmpp.password.as_ref().map(Secret::expose), Some("canary"));
        assert!(!config.to_toml().contains("canary") && !format!("{config:?}").contains("canary"));
    }
}
