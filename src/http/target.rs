//! A strict reader of `http` and `https` URLs, for the addresses to which
//! Provost itself connects. Hostile input: device-supplied URLs pass here.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The longest URL that is taken, in bytes.
const MAX_URL: usize = 2048;

/// Where to connect and what to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether over TLS (`https`).
    pub tls: bool,
    /// The host.
    pub host: Host,
    /// The port; 80 or 443 if the URL names none.
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub path: Box<str>,
}

/// A host in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name, in lower case, of letters, digits, `-`, `_` and dots; its last
    /// label is not numeric, so no spelling of an address passes as a name.
    Name(Box<str>),
}

/// Why a text is no URL that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Longer than 2048 bytes, or a blank, control or non-ASCII character in it.
    #[error("the URL is too long or holds characters that a URL cannot")]
    Characters,
    /// Neither `http://` nor `https://`.
    #[error("the URL does not begin with http:// or https://")]
    Scheme,
    /// User and password in the URL.
    #[error("the URL carries a user name")]
    UserInfo,
    /// The host is missing or malformed, or an address in an odd spelling.
    #[error("the URL's host is missing or malformed")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the URL's port is no number from 1 to 65535")]
    Port,
    /// A fragment, which a server never sees.
    #[error("the URL carries a fragment")]
    Fragment,
}

impl TargetError {
    /// What it means to whoever asked.
    pub const fn class(self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

impl Target {
    /// Reads `http(s)://host[:port][/path][?query]`.
    ///
    /// # Errors
    /// [`TargetError`] for everything else; addresses in octal, hexadecimal,
    /// decimal or shortened form are no hosts.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        if url.len() > MAX_URL || !url.bytes().all(is_url_byte) {
            return Err(TargetError::Characters);
        }
        let (scheme, rest) = url.split_once("://").ok_or(TargetError::Scheme)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(TargetError::Scheme),
        };
        if rest.contains('#') {
            return Err(TargetError::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(TargetError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") if tls => 443,
            None | Some("") => 80,
            Some(digits) => parse_port(digits)?,
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { tls, host: parse_host(host)?, port, path: format!("{slash}{path}").into() })
    }

    /// The value of the `Host` header: the port only if it is not the scheme's.
    pub fn host_header(&self) -> String {
        let default = if self.tls { 443 } else { 80 };
        if self.port == default {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.host_header(), self.path)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// RFC 3986 §2: unreserved, reserved and `%`.
const fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'/'
                | b'?'
                | b'#'
                | b'['
                | b']'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b'%'
                | b'|'
        )
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), TargetError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (_, after) = rest.split_once(']').ok_or(TargetError::Host)?;
        let host = authority.strip_suffix(after).ok_or(TargetError::Host)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(TargetError::Host),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

fn parse_port(digits: &str) -> Result<u16, TargetError> {
    if digits.len() > 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TargetError::Port);
    }
    digits.parse().ok().filter(|port| *port != 0).ok_or(TargetError::Port)
}

fn parse_host(host: &str) -> Result<Host, TargetError> {
    if let Some(inside) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address: Ipv6Addr = inside.parse().map_err(|_| TargetError::Host)?;
        return Ok(Host::Address(address.into()));
    }
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let label_sound = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let numeric_end = name.rsplit('.').next().is_none_or(|last| {
        last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit())
    });
    if name.len() > 253 || numeric_end || !name.split('.').all(label_sound) {
        return Err(TargetError::Host);
    }
    Ok(Host::Name(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_read_and_write_back() {
        for (url, back) in [
            ("http://192.0.2.1", "http://192.0.2.1/"),
            ("HTTP://192.0.2.1:7547/x?y=1", "http://192.0.2.1:7547/x?y=1"),
            ("https://acs.Example.net.:443/a", "https://acs.example.net/a"),
            ("http://[2001:db8::1]:80?q", "http://[2001:db8::1]/?q"),
            ("http://host:/", "http://host/"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(target.to_string(), back);
            assert_eq!(Target::parse(back).unwrap(), target);
        }
    }

    #[test]
    fn what_is_not_plainly_a_url_is_refused() {
        use TargetError as E;
        for (url, error) in [
            ("", E::Scheme),
            ("192.0.2.1:7547", E::Scheme),
            ("file:///etc/passwd", E::Scheme),
            ("gopher://192.0.2.1/", E::Scheme),
            ("http://user:pass@192.0.2.1/", E::UserInfo),
            ("http://192.0.2.1\r\nX: y/", E::Characters),
            ("http://192.0.2.1/a b", E::Characters),
            ("http://192.0.2.1/\u{0}", E::Characters),
            ("http://münchen/", E::Characters),
            ("http:///x", E::Host),
            ("http://:80/", E::Host),
            ("http://2130706433/", E::Host),
            ("http://0x7f000001/", E::Host),
            ("http://0177.0.0.1/", E::Host),
            ("http://127.1/", E::Host),
            ("http://127.0.0.0x1/", E::Host),
            ("http://a..b/", E::Host),
            ("http://%31.0.0.1/", E::Host),
            ("http://[::1/", E::Host),
            ("http://[::1]x/", E::Host),
            ("http://[fe80::1%25eth0]/", E::Host),
            ("http://192.0.2.1:0/", E::Port),
            ("http://192.0.2.1:65536/", E::Port),
            ("http://192.0.2.1:+80/", E::Port),
            ("http://192.0.2.1/#x", E::Fragment),
        ] {
            assert_eq!(Target::parse(url), Err(error), "{url:?}");
        }
        assert_eq!(Target::parse(&format!("http://h/{}", "x".repeat(3000))), Err(E::Characters));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_every_url_reads_back(text in "(http://)?[ -~]{0,40}") {
            if let Ok(target) = Target::parse(&text) {
                proptest::prop_assert_eq!(Target::parse(&target.to_string()), Ok(target));
            }
        }
    }
}
