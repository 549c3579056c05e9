//! Lines to commands.

use crate::device::Secret;

/// A command of a client. Those that do nothing here have no name of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// USER.
    User(&'a str),
    /// PASS.
    Password(Secret),
    /// ACCT, ALLO: superfluous.
    Superfluous,
    /// TYPE A, I or L 8.
    Type,
    /// MODE S, STRU F: what is in force anyway.
    AsIs,
    /// TYPE, MODE or STRU of another kind.
    OtherForm,
    /// PASV.
    Passive,
    /// EPSV, without a protocol or with that of the connection.
    ExtendedPassive(Option<u8>),
    /// EPSV ALL: no PASV from now on.
    ExtendedPassiveOnly,
    /// PORT, EPRT.
    Active,
    /// RETR.
    Retrieve(&'a str),
    /// SIZE.
    Size(&'a str),
    /// REST.
    Restart(u64),
    /// PWD, XPWD.
    WorkingFolder,
    /// CWD, XCWD.
    ChangeFolder(&'a str),
    /// CDUP, XCUP.
    ParentFolder,
    /// NOOP.
    Nothing,
    /// SYST.
    System,
    /// FEAT.
    Features,
    /// OPTS UTF8 ON.
    Utf8,
    /// HELP.
    Help,
    /// STAT without a name.
    Status,
    /// QUIT.
    Quit,
    /// LIST, NLST, MLSD, MLST, STAT with a name.
    List,
    /// STOR, STOU, APPE, DELE, RMD, MKD, RNFR, RNTO, SITE.
    Write,
    /// ABOR.
    Abort,
    /// AUTH TLS.
    Tls,
    /// AUTH of another kind.
    OtherSecurity,
    /// PBSZ.
    ProtectionBuffer,
    /// PROT.
    Protection(Protection),
    /// CCC.
    ClearControl,
}

/// How data connections are protected (RFC 2228 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// `C`: not at all.
    Clear,
    /// `P`: by TLS.
    Private,
    /// `S` or `E`, which TLS does not have.
    Other,
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The command is unknown.
    #[error("the command is unknown")]
    Unknown,
    /// The parameter is missing, or none that the command takes.
    #[error("the parameter is missing or wrong")]
    Parameter,
}

impl CommandError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

impl<'a> Command<'a> {
    /// Reads a line, with or without its end.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn parse(line: &'a [u8]) -> Result<Self, CommandError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Telnet's interrupts stand before an ABOR (RFC 959 §4.1.3).
        let telnet = line.iter().take_while(|byte| **byte >= 0xf0).count();
        let line = std::str::from_utf8(line.get(telnet..).unwrap_or_default())
            .map_err(|_| CommandError::Parameter)?;
        if line.contains(|c: char| c.is_control()) {
            return Err(CommandError::Parameter);
        }
        let (verb, parameter) = line.split_once(' ').unwrap_or((line, ""));
        if verb.len() > 4 {
            return Err(CommandError::Unknown);
        }
        Self::read(&verb.to_ascii_uppercase(), parameter)
    }

    fn read(verb: &str, parameter: &'a str) -> Result<Self, CommandError> {
        let needed = || match parameter {
            "" => Err(CommandError::Parameter),
            some => Ok(some),
        };
        let word = parameter.trim().to_ascii_uppercase();
        Ok(match verb {
            "USER" => Self::User(needed()?),
            // May be empty, and blanks may be part of it.
            "PASS" => Self::Password(Secret::new(parameter)),
            "ACCT" | "ALLO" => Self::Superfluous,
            "TYPE" => match &*word {
                "A" | "A N" | "I" | "L 8" => Self::Type,
                _ => Self::OtherForm,
            },
            "MODE" if word == "S" => Self::AsIs,
            "STRU" if word == "F" => Self::AsIs,
            "MODE" | "STRU" => Self::OtherForm,
            "PASV" => Self::Passive,
            "EPSV" => match &*word {
                "" => Self::ExtendedPassive(None),
                "ALL" => Self::ExtendedPassiveOnly,
                protocol => {
                    let protocol = protocol.parse().map_err(|_| CommandError::Parameter)?;
                    Self::ExtendedPassive(Some(protocol))
                }
            },
            "PORT" | "EPRT" => Self::Active,
            "RETR" => Self::Retrieve(needed()?),
            "SIZE" => Self::Size(needed()?),
            "REST" => Self::Restart(word.parse().map_err(|_| CommandError::Parameter)?),
            "PWD" | "XPWD" => Self::WorkingFolder,
            "CWD" | "XCWD" => Self::ChangeFolder(needed()?),
            "CDUP" | "XCUP" => Self::ParentFolder,
            "NOOP" => Self::Nothing,
            "SYST" => Self::System,
            "FEAT" => Self::Features,
            "OPTS" if word.starts_with("UTF8") || word.starts_with("UTF-8") => Self::Utf8,
            "OPTS" => return Err(CommandError::Parameter),
            "HELP" => Self::Help,
            "STAT" if word.is_empty() => Self::Status,
            "LIST" | "NLST" | "MLSD" | "MLST" | "STAT" => Self::List,
            "QUIT" => Self::Quit,
            "STOR" | "STOU" | "APPE" | "DELE" | "RMD" | "XRMD" | "MKD" | "XMKD" | "RNFR"
            | "RNTO" | "SITE" => Self::Write,
            "ABOR" => Self::Abort,
            "AUTH" => match &*word {
                "TLS" | "TLS-C" => Self::Tls,
                _ => Self::OtherSecurity,
            },
            "PBSZ" => Self::ProtectionBuffer,
            "PROT" => Self::Protection(match &*word {
                "C" => Protection::Clear,
                "P" => Protection::Private,
                "S" | "E" => Protection::Other,
                _ => return Err(CommandError::Parameter),
            }),
            "CCC" => Self::ClearControl,
            _ => return Err(CommandError::Unknown),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_any_case_are_read() {
        for (line, command) in [
            (&b"user phone\r\n"[..], Command::User("phone")),
            (b"PASS  pa ss ", Command::Password(Secret::new(" pa ss "))),
            (b"PASS", Command::Password(Secret::new(""))),
            (b"RETR a b.cfg\n", Command::Retrieve("a b.cfg")),
            (b"type i", Command::Type),
            (b"TYPE A N", Command::Type),
            (b"TYPE E", Command::OtherForm),
            (b"MODE B", Command::OtherForm),
            (b"Epsv 2", Command::ExtendedPassive(Some(2))),
            (b"EPSV all", Command::ExtendedPassiveOnly),
            (b"REST 18446744073709551615", Command::Restart(u64::MAX)),
            (b"\xff\xf4\xff\xf2ABOR", Command::Abort),
            (b"PROT p", Command::Protection(Protection::Private)),
            (b"opts utf8 on", Command::Utf8),
            (b"LIST -la", Command::List),
            (b"STAT", Command::Status),
        ] {
            assert_eq!(Command::parse(line), Ok(command), "{line:?}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for (line, error) in [
            (&b""[..], CommandError::Unknown),
            (b"\r\n", CommandError::Unknown),
            (b"GET / HTTP/1.1", CommandError::Unknown),
            (b"RETRIEVE a", CommandError::Unknown),
            (b" RETR a", CommandError::Unknown),
            (b"USER", CommandError::Parameter),
            (b"USER ", CommandError::Parameter),
            (b"RETR a\0b", CommandError::Parameter),
            (b"RETR a\rQUIT", CommandError::Parameter),
            (b"RETR \xfe", CommandError::Parameter),
            (b"REST -1", CommandError::Parameter),
            (b"REST 18446744073709551616", CommandError::Parameter),
            (b"EPSV x", CommandError::Parameter),
            (b"PROT", CommandError::Parameter),
        ] {
            assert_eq!(Command::parse(line), Err(error), "{line:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!("{:?}", Command::parse(b"PASS canary").unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(line in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Command::parse(&line);
        }

        #[test]
        fn no_parameter_makes_it_panic(verb in "[A-Za-z]{3,4}", parameter in "\\PC{0,40}") {
            let _ = Command::parse(format!("{verb} {parameter}\r\n").as_bytes());
        }
    }
}
