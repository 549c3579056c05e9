//! The options of both commands, read as `getopt` reads them, and their usage.

use std::path::PathBuf;

use crate::provision::astlinux::Mode;

/// Which of the two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// `phoneprov-massdeployment`
    Deployment,
    /// `phoneprov-build`
    Build,
}

/// The options of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) auto_pass: bool,
    pub(super) only_pass: bool,
    pub(super) force: bool,
    pub(super) help: bool,
    pub(super) interface: Option<String>,
    pub(super) partial: bool,
    pub(super) auto_reload: bool,
    pub(super) only_reload: bool,
    pub(super) list_phones: bool,
    pub(super) mode: Mode,
    pub(super) root: Option<PathBuf>,
    pub(super) rc: Option<PathBuf>,
    /// What is no option.
    pub(super) operands: Vec<String>,
}

/// An option: its letter if it has one, its word, whether a value follows, and
/// whether `phoneprov-build` takes it as well.
struct Known {
    letter: Option<char>,
    word: &'static str,
    valued: bool,
    common: bool,
}

const fn known(letter: Option<char>, word: &'static str, valued: bool, common: bool) -> Known {
    Known { letter, word, valued, common }
}

const KNOWN: [Known; 12] = [
    known(Some('a'), "auto-pass", false, false),
    known(Some('A'), "only-pass", false, false),
    known(Some('f'), "force-overwrite", false, true),
    known(Some('h'), "help", false, true),
    known(Some('i'), "if-name", true, true),
    known(Some('p'), "partial", false, false),
    known(Some('r'), "auto-reload", false, false),
    known(Some('R'), "only-reload", false, false),
    known(None, "list-phones", false, false),
    known(None, "strict-compat", false, true),
    known(None, "root", true, true),
    known(None, "rc", true, true),
];

impl Options {
    /// Reads the words after the command's name. Options may stand anywhere
    /// before `--`; words may be shortened as long as they are clear.
    ///
    /// # Errors
    /// `getopt`'s words for the first one that is wrong.
    pub(super) fn parse(asked: Asked, words: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                options.operands.extend(words.by_ref().cloned());
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                let found = by_word(asked, name)?;
                let value = match (found.valued, value) {
                    (false, Some(_)) => {
                        return Err(format!("option '--{}' doesn't allow an argument", found.word));
                    }
                    (true, None) => Some(words.next().cloned().ok_or_else(|| {
                        format!("option '--{}' requires an argument", found.word)
                    })?),
                    (_, value) => value,
                };
                options.set(found.word, value);
            } else if word.len() > 1
                && let Some(letters) = word.strip_prefix('-')
            {
                let mut rest = letters.chars();
                while let Some(letter) = rest.next() {
                    let found = of(asked)
                        .find(|known| known.letter == Some(letter))
                        .ok_or_else(|| format!("invalid option -- '{letter}'"))?;
                    let value =
                        match (found.valued, rest.as_str()) {
                            (false, _) => None,
                            (true, "") => Some(words.next().cloned().ok_or_else(|| {
                                format!("option requires an argument -- '{letter}'")
                            })?),
                            (true, value) => Some(value.to_owned()),
                        };
                    options.set(found.word, value);
                    if found.valued {
                        break;
                    }
                }
            } else {
                options.operands.push(word.clone());
            }
        }
        Ok(options)
    }

    fn set(&mut self, word: &str, value: Option<String>) {
        match word {
            "auto-pass" => self.auto_pass = true,
            "only-pass" => self.only_pass = true,
            "force-overwrite" => self.force = true,
            "help" => self.help = true,
            "if-name" => self.interface = value,
            "partial" => self.partial = true,
            "auto-reload" => self.auto_reload = true,
            "only-reload" => self.only_reload = true,
            "list-phones" => self.list_phones = true,
            "strict-compat" => self.mode = Mode::Original,
            "root" => self.root = value.map(PathBuf::from),
            _ => self.rc = value.map(PathBuf::from),
        }
    }
}

fn of(asked: Asked) -> impl Iterator<Item = &'static Known> {
    KNOWN.iter().filter(move |known| known.common || asked == Asked::Deployment)
}

fn by_word(asked: Asked, name: &str) -> Result<&'static Known, String> {
    if let Some(exact) = of(asked).find(|known| known.word == name) {
        return Ok(exact);
    }
    let mut alike = of(asked).filter(|known| !name.is_empty() && known.word.starts_with(name));
    match (alike.next(), alike.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(format!("option '--{name}' is ambiguous")),
        (None, _) => Err(format!("unrecognized option '--{name}'")),
    }
}

/// The usage text, with an empty line before and after.
pub(super) fn usage(asked: Asked) -> String {
    const FORCE: &str = "  -f, --force-overwrite   Replace files that are there\n";
    const HELP: &str = "  -h, --help              Print this text\n";
    const INTERFACE: &str = "  -i, --if-name           The phones' interface: INTIF, INT2IF, INT3IF, INT4IF, EXTIF, ethN, brN\n\
                             \x20                                         Without it, what the variable PHONEPROV_GW_IF says\n";
    const OWN: &str = "      --root DIR          Put all absolute paths below DIR\n\
                       \x20     --rc FILE           Read the system variables from FILE\n\
                       \x20     --strict-compat     Do as AstLinux's scripts do, mistakes included\n\n";
    match asked {
        Asked::Deployment => format!(
            "\nUsage: phoneprov-massdeployment [options...] in_file\n\nOptions:\n\
             \x20 -a, --auto-pass         Make passwords where they are missing\n\
             \x20 -A, --only-pass         Make passwords, and do nothing else\n\
             {FORCE}{HELP}{INTERFACE}\
             \x20 -p, --partial           Add the phones of in_file to the \"dialplan\" and \"sip\" files that are there\n\
             \x20 -r, --auto-reload       Have Asterisk reload \"dialplan\" and \"sip\" if all went well\n\
             \x20 -R, --only-reload       Have Asterisk reload, and do nothing else\n\
             \x20     --list-phones       Print the phones for `provost phone import`, and do nothing else\n{OWN}"
        ),
        Asked::Build => format!(
            "\nUsage: phoneprov-build [options...] template mac_addr \
             extension[/CID_Name][;ext2[/cid2];...] password [ account ]\n\nOptions:\n\
             {FORCE}{HELP}{INTERFACE}{OWN}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(asked: Asked, line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(asked, &words)
    }

    #[test]
    fn options_are_read_as_getopt_reads_them() {
        let same = parse(Asked::Deployment, "-a -f -i INT2IF -r file").unwrap();
        assert_eq!(same.operands, ["file"]);
        assert!(same.auto_pass && same.force && same.auto_reload && !same.partial);
        for line in [
            "-afriINT2IF file",
            "file -far --if-name=INT2IF",
            "--auto-p --force --if INT2IF -r -- file",
        ] {
            assert_eq!(parse(Asked::Deployment, line).unwrap(), same, "{line}");
        }
        let other = parse(Asked::Build, "--strict-compat --root /r --rc c t m 1 -- -p").unwrap();
        assert_eq!((other.mode, other.operands.len()), (Mode::Original, 4));
        assert_eq!(parse(Asked::Build, "-").unwrap().operands, ["-"]);
    }

    #[test]
    fn wrong_options_are_told_in_getopts_words() {
        for (asked, line, told) in [
            (Asked::Deployment, "--bogus x", "unrecognized option '--bogus'"),
            (Asked::Deployment, "-fz", "invalid option -- 'z'"),
            (Asked::Deployment, "-i", "option requires an argument -- 'i'"),
            (Asked::Deployment, "--if-name", "option '--if-name' requires an argument"),
            (Asked::Deployment, "--help=x", "option '--help' doesn't allow an argument"),
            (Asked::Deployment, "--auto", "option '--auto' is ambiguous"),
            (Asked::Build, "-p", "invalid option -- 'p'"),
            (Asked::Build, "--partial", "unrecognized option '--partial'"),
        ] {
            assert_eq!(parse(asked, line), Err(told.to_owned()), "{line}");
        }
    }
}
