//! What DHCP tells a Digium phone, and what it tells DHCP.

use std::fmt;

use super::firmware::FirmwareVersion;
use crate::class::Class;
use crate::device::Secret;

/// The longest value that is looked at, in bytes.
const LONGEST: usize = 1024;
/// Where DPMA and Switchvox listen unless they say it.
const SIP_PORT: u16 = 5060;

/// What option 66 tells a Digium phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Option66 {
    /// Where to fetch files.
    Folder(Place),
    /// To go to a DPMA or Switchvox by SIP, and to fetch nothing.
    Dpma(Directive66),
}

/// A text tells a Digium phone nothing that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Option66Error {
    /// It is empty, too long, or has blanks, control characters or a login
    /// without a password.
    #[error("option 66 is empty, or no URL")]
    NoUrl,
    /// The protocol is none that the phone knows.
    #[error("Digium phones fetch by HTTP, HTTPS, FTP and FTPS, and never by TFTP")]
    Scheme,
    /// There is no host in it, or no sound one.
    #[error("the URL in option 66 names no host")]
    NoHost,
}

impl Option66Error {
    /// What it means to whoever asked.
    pub const fn class(self) -> Class {
        Class::Invalid
    }
}

impl Option66 {
    /// Reads the option, without the NUL that some servers put at its end.
    ///
    /// # Errors
    /// [`Option66Error`].
    pub fn parse(text: &str) -> Result<Self, Option66Error> {
        if Directive66::is_one(text) {
            return Directive66::parse(text).map(Self::Dpma).ok_or(Option66Error::NoHost);
        }
        Place::parse(text).map(Self::Folder)
    }

    /// The folder that files are fetched from, if it is one; ends with `/`. It
    /// shows the password, if there is one.
    pub fn folder(&self) -> Option<String> {
        match self {
            Self::Folder(place) => {
                let text = place.text();
                let slash = if text.ends_with('/') { "" } else { "/" };
                Some(format!("{text}{slash}"))
            }
            Self::Dpma(_) => None,
        }
    }
}

/// A place of files: `[http|https|ftp|ftps://][user:password@]host[:port][/path]`.
/// Without a protocol HTTP is meant; TFTP is none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// How.
    pub scheme: Scheme,
    /// User and password.
    pub login: Option<(Box<str>, Secret)>,
    /// The host; an IPv6 address stands in brackets.
    pub host: Box<str>,
    /// The port; that of the protocol if `None`.
    pub port: Option<u16>,
    /// The path; begins with `/`, or is empty.
    pub path: Box<str>,
}

/// How files are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// Plain FTP.
    Ftp,
    /// FTP over TLS.
    Ftps,
}

impl Scheme {
    /// The word before `://`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ftp => "ftp",
            Self::Ftps => "ftps",
        }
    }
}

impl Place {
    /// Reads a place, without the NUL that some servers put at its end.
    ///
    /// # Errors
    /// [`Option66Error`]; a `sip:proxy` is no place.
    pub fn parse(text: &str) -> Result<Self, Option66Error> {
        let text = text.trim_end_matches('\0').trim();
        let breaks = |c: char| c.is_control() || c.is_whitespace();
        let sound = (1..=LONGEST).contains(&text.len()) && !text.contains(breaks);
        if !sound || Directive66::is_one(text) {
            return Err(Option66Error::NoUrl);
        }
        let (scheme, rest) = match text.split_once("://") {
            None => (Scheme::Http, text),
            Some((word, rest)) => {
                let all = [Scheme::Http, Scheme::Https, Scheme::Ftp, Scheme::Ftps];
                let its = |scheme: &Scheme| scheme.word().eq_ignore_ascii_case(word);
                (all.into_iter().find(its).ok_or(Option66Error::Scheme)?, rest)
            }
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (login, place) = match authority.rsplit_once('@') {
            None => (None, authority),
            Some((login, place)) => {
                let (user, password) = login.split_once(':').ok_or(Option66Error::NoUrl)?;
                (Some((user.into(), Secret::new(password))), place)
            }
        };
        let (host, port) = host_and_port(place).ok_or(Option66Error::NoHost)?;
        Ok(Self { scheme, login, host: host.into(), port, path: path.into() })
    }

    /// The place as it is told. It shows the password, if there is one.
    pub fn text(&self) -> String {
        let login = self.login.as_ref();
        let login = login.map(|(user, password)| format!("{user}:{}@", password.expose()));
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let login = login.unwrap_or_default();
        format!("{}://{login}{}{port}{}", self.scheme.word(), self.host, self.path)
    }
}

/// The other thing that option 66 and `config_server_url` may say:
/// `sip:proxy@host[:port][;transport=udp]`, which hands the phone over to a DPMA
/// or Switchvox system. Provost reads it, and sends it only where `allow_dpma`
/// says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive66 {
    /// The host.
    pub host: Box<str>,
    /// The port.
    pub port: u16,
    /// How it speaks SIP: `udp`, `tcp` or `tls`.
    pub transport: &'static str,
}

impl Directive66 {
    /// Whether a text means to be such a directive, well-formed or not.
    pub fn is_one(text: &str) -> bool {
        let text = text.trim_start();
        let start = |word: &str| {
            text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        start("sip:proxy") || start("sips:proxy")
    }

    /// Reads a directive; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('\0').trim();
        let rest = text.get("sip:".len()..).filter(|_| Self::is_one(text) && text.len() <= 255)?;
        let (user, rest) = rest.split_once('@')?;
        let login = user.split(':').next().unwrap_or_default();
        if !login.eq_ignore_ascii_case("proxy") {
            return None;
        }
        let mut parts = rest.split(';');
        let (host, port) = host_and_port(parts.next()?)?;
        let mut transport = "udp";
        for part in parts {
            let (name, value) = part.split_once('=')?;
            if name.eq_ignore_ascii_case("transport") {
                let known = ["udp", "tcp", "tls"];
                transport = known.into_iter().find(|its| its.eq_ignore_ascii_case(value))?;
            }
        }
        Some(Self { host: host.into(), port: port.unwrap_or(SIP_PORT), transport })
    }
}

impl fmt::Display for Directive66 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sip:proxy@{}:{};transport={}", self.host, self.port, self.transport)
    }
}

/// Option 60 of a Digium phone: `digium_<model>_<version>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Option60 {
    /// The model: `D65`.
    pub model: Box<str>,
    /// The firmware that runs.
    pub firmware: FirmwareVersion,
}

impl Option60 {
    /// Reads the option; `None` if another vendor's phone sent it.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim_end_matches('\0').strip_prefix("digium_")?;
        let (model, version) = rest.split_once('_')?;
        let digits = model.strip_prefix('D').filter(|digits| digits.len() == 2)?;
        let sound = digits.bytes().all(|b| b.is_ascii_digit());
        let firmware = FirmwareVersion::parse(version).filter(|_| sound)?;
        Some(Self { model: model.into(), firmware })
    }
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            let (host, rest) = text.split_at_checked(end)?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"._-[]:".contains(&b);
    if host.is_empty() || !host.bytes().all(sound) {
        return None;
    }
    match port {
        None => Some((host, None)),
        Some(port) => Some((host, Some(port.parse().ok().filter(|port| *port > 0)?))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_of_files() {
        for (text, made) in [
            ("pbx.example.net", "http://pbx.example.net"),
            ("192.0.2.7/phones", "http://192.0.2.7/phones"),
            ("https://h:7568/p/token/", "https://h:7568/p/token/"),
            ("ftp://u:p@ss@h/x", "ftp://u:p@ss@h/x"),
            ("FTPS://[2001:db8::1]:990/", "ftps://[2001:db8::1]:990/"),
            ("http://h\0", "http://h"),
        ] {
            assert_eq!(Place::parse(text).unwrap().text(), made, "{text}");
            let folder = format!("{}/", made.trim_end_matches('/'));
            assert_eq!(Option66::parse(text).unwrap().folder(), Some(folder));
        }
        for (text, error) in [
            ("", Option66Error::NoUrl),
            ("a b", Option66Error::NoUrl),
            ("user@h", Option66Error::NoUrl),
            ("tftp://h/", Option66Error::Scheme),
            ("gopher://h", Option66Error::Scheme),
            ("http://", Option66Error::NoHost),
            ("http:///x", Option66Error::NoHost),
            ("h:0", Option66Error::NoHost),
            ("h:99999", Option66Error::NoHost),
            ("[::1", Option66Error::NoHost),
            ("[::1]x", Option66Error::NoHost),
            ("sip:proxy@", Option66Error::NoHost),
        ] {
            assert_eq!(Option66::parse(text), Err(error), "{text}");
        }
        let directive = Option66::parse("sip:proxy@h:5060;transport=udp").unwrap();
        assert_eq!(directive.folder(), None);
        assert!(matches!(directive, Option66::Dpma(_)));
        let shown = format!("{:?}", Option66::parse("ftp://u:hunter2@h/").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn directives_are_understood() {
        for (text, made) in [
            ("sip:proxy@pbx:5060;transport=udp", "sip:proxy@pbx:5060;transport=udp"),
            ("sip:proxy@192.0.2.7", "sip:proxy@192.0.2.7:5060;transport=udp"),
            ("SIP:Proxy@pbx:5062;lr=1;transport=TLS", "sip:proxy@pbx:5062;transport=tls"),
        ] {
            let directive = Directive66::parse(text).unwrap();
            assert_eq!(directive.to_string(), made);
            assert_eq!(Directive66::parse(made), Some(directive));
            assert!(Directive66::is_one(text));
        }
        for text in
            ["sip:anna@pbx", "sip:proxy", "sip:proxy@", "http://h", "sip:proxy@h;transport=x"]
        {
            assert_eq!(Directive66::parse(text), None, "{text}");
        }
        assert!(Directive66::is_one(" sip:proxy") && !Directive66::is_one("https://h/sip:proxy@h"));
        assert!(!Directive66::is_one("sip:*97@pbx"), "a voice mail is none");
    }

    #[test]
    fn option_60_is_taken_apart() {
        for (text, model, firmware) in [
            ("digium_D40_1_0_5_46476", "D40", "1_0_5_46476"),
            ("digium_D70_1_1_0_0_48178", "D70", "1_1_0_0_48178"),
            ("digium_D65_2_9_27\0", "D65", "2_9_27"),
        ] {
            let option = Option60::parse(text).unwrap();
            assert_eq!((&*option.model, option.firmware.to_string().as_str()), (model, firmware));
        }
        for text in [
            "",
            "digium_",
            "digium_D65",
            "digium_D6_1_2",
            "digium_X65_1_2",
            "yealink",
            "digium_D65_2.9",
        ] {
            assert_eq!(Option60::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,60}") {
            let _ = (Option60::parse(&text), Directive66::parse(&text));
            let _ = Option66::parse(&text);
            if let Ok(place) = Place::parse(&text) {
                prop_assert_eq!(Place::parse(&place.text()), Ok(place));
            }
        }
    }
}
