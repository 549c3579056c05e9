//! What Digium phones say and hear in DHCP (options 60 and 66).

use crate::class::Class;

/// The longest option.
const MAX: usize = 255;

/// What option 66 tells a Digium phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Option66 {
    /// A folder to fetch from: `[http|https|ftp|ftps://][user:pass@]host[:port][/path]`;
    /// HTTP if no scheme is said. Ends with `/`.
    Folder(Box<str>),
    /// `sip:proxy@host:port`: the phone goes to DPMA or Switchvox by SIP. Provost
    /// understands it and never says it.
    Dpma(Box<str>),
}

/// A text tells a Digium phone nothing that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Option66Error {
    /// It is empty, too long, or has blanks or control characters.
    #[error("option 66 is empty, or no URL")]
    NoUrl,
    /// The scheme is none that the phone knows.
    #[error("Digium phones fetch by HTTP, HTTPS, FTP and FTPS, and never by TFTP")]
    Scheme,
    /// There is no host in it.
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
    /// Reads the value of the option, trailing NULs removed.
    ///
    /// # Errors
    /// [`Option66Error`].
    pub fn parse(text: &str) -> Result<Self, Option66Error> {
        let text = text.trim_matches(['\0', ' ']);
        let sound = (1..=MAX).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
        if !sound {
            return Err(Option66Error::NoUrl);
        }
        if is_dpma(text) {
            return Ok(Self::Dpma(text.into()));
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text),
        };
        if !["http", "https", "ftp", "ftps"].contains(&&*scheme) {
            return Err(Option66Error::Scheme);
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if host.is_empty() || host.starts_with(':') {
            return Err(Option66Error::NoHost);
        }
        let slash = if rest.ends_with('/') { "" } else { "/" };
        Ok(Self::Folder(format!("{scheme}://{rest}{slash}").into()))
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&str> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Dpma(_) => None,
        }
    }
}

/// Whether a value sends a phone to DPMA or Switchvox instead of a file.
pub fn is_dpma(text: &str) -> bool {
    let text = text.trim_start();
    text.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("sip:proxy@"))
        || text.eq_ignore_ascii_case("sip:proxy")
}

/// What a Digium phone says of itself in option 60: `digium_D65_2_9_27`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Option60 {
    /// The model: `D65`.
    pub model: Box<str>,
    /// The firmware with underscores: `2_9_27`.
    pub firmware: Box<str>,
}

impl Option60 {
    /// Reads the value of the option; `None` if it is no Digium phone's.
    pub fn parse(text: &str) -> Option<Self> {
        let (model, firmware) =
            text.trim_end_matches('\0').strip_prefix("digium_")?.split_once('_')?;
        let digits = model.strip_prefix('D')?;
        let sound = digits.len() == 2
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (1..=64).contains(&firmware.len())
            && firmware.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
        sound.then(|| Self { model: model.into(), firmware: firmware.into() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_option_66_is_a_folder() {
        for (text, folder) in [
            ("pbx.example.net", "http://pbx.example.net/"),
            ("192.0.2.1:8080/phones", "http://192.0.2.1:8080/phones/"),
            ("https://user:pass@pbx/p/t/", "https://user:pass@pbx/p/t/"),
            ("FTPS://pbx\0", "ftps://pbx/"),
        ] {
            assert_eq!(Option66::parse(text).unwrap().folder(), Some(folder), "{text}");
        }
    }

    #[test]
    fn what_is_no_folder_is_told_apart() {
        for (text, error) in [
            ("", Option66Error::NoUrl),
            ("a b", Option66Error::NoUrl),
            ("tftp://192.0.2.1/", Option66Error::Scheme),
            ("http:///x", Option66Error::NoHost),
            ("http://user@:80/", Option66Error::NoHost),
        ] {
            assert_eq!(Option66::parse(text), Err(error), "{text}");
        }
        let directive = "sip:proxy@192.0.2.1:5060;transport=udp";
        assert_eq!(Option66::parse(directive).unwrap(), Option66::Dpma(directive.into()));
        assert!(is_dpma("SIP:PROXY@x") && !is_dpma("http://sip:proxy@host/"));
    }

    #[test]
    fn option_60_says_model_and_firmware() {
        for (text, model, firmware) in [
            ("digium_D40_1_0_5_46476", "D40", "1_0_5_46476"),
            ("digium_D70_1_1_0_0_48178", "D70", "1_1_0_0_48178"),
        ] {
            let read = Option60::parse(text).unwrap();
            assert_eq!((&*read.model, &*read.firmware), (model, firmware));
        }
        for text in ["digium_D4_1", "digium_D40", "digium_X40_1", "Digium_D40_1", "digium_D40_1.0"]
        {
            assert_eq!(Option60::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in ".{0,300}") {
            let _ = (Option66::parse(&text), Option60::parse(&text));
        }
    }
}
