//! The contexts of a template that become files, and the heads of those files.

use super::general::Key;

/// A context of a template that becomes a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// `[dialplan]`
    Dialplan,
    /// `[dialplan2]`
    Dialplan2,
    /// `[dialplan3]`
    Dialplan3,
    /// `[dialplan4]`
    Dialplan4,
    /// `[dialplan5]`
    Dialplan5,
    /// `[dialplan6]`
    Dialplan6,
    /// `[sip]`
    Sip,
    /// `[pjsip]`
    Pjsip,
    /// `[phoneprov]`: a file for each phone.
    Phoneprov,
}

impl Context {
    /// Those whose entries of all phones are gathered in one file, in the order
    /// in which they are written.
    pub const GATHERED: [Self; 8] = [
        Self::Dialplan,
        Self::Dialplan2,
        Self::Dialplan3,
        Self::Dialplan4,
        Self::Dialplan5,
        Self::Dialplan6,
        Self::Sip,
        Self::Pjsip,
    ];

    /// How many there are.
    pub(super) const COUNT: usize = 9;

    /// Its name, as it stands between the brackets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialplan => "dialplan",
            Self::Dialplan2 => "dialplan2",
            Self::Dialplan3 => "dialplan3",
            Self::Dialplan4 => "dialplan4",
            Self::Dialplan5 => "dialplan5",
            Self::Dialplan6 => "dialplan6",
            Self::Sip => "sip",
            Self::Pjsip => "pjsip",
            Self::Phoneprov => "phoneprov",
        }
    }

    /// The context that a header names.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        let all = Self::GATHERED.into_iter().chain([Self::Phoneprov]);
        all.into_iter().find(|context| context.name().as_bytes() == name)
    }

    /// Whether it is one of the six dialplans.
    pub const fn is_dialplan(self) -> bool {
        !matches!(self, Self::Sip | Self::Pjsip | Self::Phoneprov)
    }

    /// The keys of the folder and of the file's name, and the default name; a
    /// phone's own file has none that is the same for all.
    pub(super) const fn file(self) -> (Key, Key, &'static str) {
        match self {
            Self::Dialplan => (Key::DialplanPath, Key::File1, "astlinux-phoneprov-exten.conf"),
            Self::Dialplan2 => (Key::DialplanPath, Key::File2, "astlinux-phoneprov-exten2.conf"),
            Self::Dialplan3 => (Key::DialplanPath, Key::File3, "astlinux-phoneprov-exten3.conf"),
            Self::Dialplan4 => (Key::DialplanPath, Key::File4, "astlinux-phoneprov-exten4.conf"),
            Self::Dialplan5 => (Key::DialplanPath, Key::File5, "astlinux-phoneprov-exten5.conf"),
            Self::Dialplan6 => (Key::DialplanPath, Key::File6, "astlinux-phoneprov-exten6.conf"),
            Self::Sip => (Key::SipPath, Key::SipFile, "astlinux-phoneprov-sip.conf"),
            Self::Pjsip => (Key::PjsipPath, Key::PjsipFile, "astlinux-phoneprov-pjsip.conf"),
            Self::Phoneprov => (Key::ProvPath, Key::ProvFile, ""),
        }
    }

    /// The key of the Asterisk context that a dialplan's file opens with.
    pub(super) const fn asterisk_context(self) -> Option<Key> {
        match self {
            Self::Dialplan => Some(Key::Context1),
            Self::Dialplan2 => Some(Key::Context2),
            Self::Dialplan3 => Some(Key::Context3),
            Self::Dialplan4 => Some(Key::Context4),
            Self::Dialplan5 => Some(Key::Context5),
            Self::Dialplan6 => Some(Key::Context6),
            Self::Sip | Self::Pjsip | Self::Phoneprov => None,
        }
    }

    /// How a gathered file begins: a comment that names the file, and empty lines.
    pub fn head(self, path: &str) -> Vec<u8> {
        let (what, included_by, end) = match self {
            Self::Sip => ("SIP accounts", "sip.conf", "\n\n"),
            Self::Pjsip => ("PJSIP accounts", "pjsip.conf", "\n\n"),
            _ => ("Dialplan entries", "extensions.conf", "\n"),
        };
        format!(
            ";\n; {what} of the IP phones, made from phone templates.\n\
             ; What is changed here is lost when they are made again.\n;\n\
             ; For Asterisk to read them, {included_by} needs this line:\n\
             ; #include {path}\n{end}"
        )
        .into_bytes()
    }
}
