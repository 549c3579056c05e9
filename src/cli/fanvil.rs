//! `provost fanvil`: encrypts, decrypts and shows Fanvil files.
//!
//! Works on files alone and needs no server. `-` is standard input or output.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::class::Class;
use crate::provision::fanvil::{
    CipherError, ConfigKey, Profile, Row, Text, TextError, decrypt, encrypt,
};

/// The largest file that is taken, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// Arguments of `provost fanvil`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Encrypt a configuration file.
    Encrypt(Crypt),
    /// Decrypt a configuration file.
    Decrypt(Crypt),
    /// Check a plain configuration file, text or XML, and list its modules.
    Show {
        /// The file; `-` is standard input.
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Crypt {
    /// The key, 64 hex digits. Other users of the machine can see it in the
    /// process list; `--key-file` hides it.
    #[arg(long, value_name = "HEX", required_unless_present = "key_file")]
    key: Option<String>,
    /// A file that holds the key.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_file: Option<PathBuf>,
    /// The encryption profile.
    #[arg(long, value_name = "NAME", default_value = Profile::default().name)]
    profile: String,
    /// The file to read; `-` is standard input.
    input: PathBuf,
    /// The file to write; `-` is standard output.
    output: PathBuf,
}

/// What `provost fanvil` could not do. Never tells a key.
#[derive(Debug, thiserror::Error)]
pub enum FanvilError {
    /// A key, a profile or an encrypted file is wrong.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// A file is no configuration file.
    #[error("{path}: {source}")]
    Text {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TextError,
    },
    /// A file is larger than any configuration.
    #[error("{path}: larger than {MAX_FILE} bytes, which no configuration file is")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FanvilError {
    /// What it means to whoever asked.
    pub fn class(&self) -> Class {
        match self {
            Self::Cipher(error) => error.class(),
            Self::Text { source, .. } => source.class(),
            Self::TooLarge { .. } => Class::TooLarge,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Class::NotFound,
            Self::Io { .. } => Class::Internal,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// [`FanvilError`]; nothing is written then.
pub fn run(args: Args) -> Result<(), FanvilError> {
    execute(&args.command, &mut io::stdin().lock(), &mut io::stdout().lock())
}

fn execute(
    command: &Command,
    stdin: &mut impl Read,
    stdout: &mut impl Write,
) -> Result<(), FanvilError> {
    match command {
        Command::Encrypt(crypt) => {
            let (key, profile) = crypt.key_and_profile(stdin)?;
            let plain = read(&crypt.input, stdin)?;
            write(&crypt.output, stdout, &encrypt(profile, &key, &plain))
        }
        Command::Decrypt(crypt) => {
            let (key, profile) = crypt.key_and_profile(stdin)?;
            let plain = decrypt(profile, &key, &read(&crypt.input, stdin)?)?;
            write(&crypt.output, stdout, &plain)
        }
        Command::Show { file } => {
            let text = Text::read_any(&read(file, stdin)?)
                .map_err(|source| FanvilError::Text { path: file.clone(), source })?;
            write(Path::new("-"), stdout, summary(&text).as_bytes())
        }
    }
}

impl Crypt {
    fn key_and_profile(&self, stdin: &mut impl Read) -> Result<(ConfigKey, Profile), FanvilError> {
        let profile = Profile::named(&self.profile)?;
        let key = match (&self.key, &self.key_file) {
            (Some(key), _) => ConfigKey::parse(key)?,
            (None, Some(file)) => ConfigKey::parse(&String::from_utf8_lossy(&read(file, stdin)?))?,
            (None, None) => ConfigKey::parse("")?,
        };
        Ok((key, profile))
    }
}

/// The version, and the modules with how much is in them; no values, since
/// many of them are secret.
fn summary(text: &Text) -> String {
    let mut out = format!("version {}\n", text.version);
    for module in &text.modules {
        let entries = module.rows.iter().filter(|row| matches!(row, Row::Entry(..))).count();
        out.push_str(&format!("{:<32} {entries} settings\n", module.name));
    }
    out
}

fn read(path: &Path, stdin: &mut impl Read) -> Result<Vec<u8>, FanvilError> {
    let fail = |source| FanvilError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        stdin.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fail)?;
    } else {
        let file = std::fs::File::open(path).map_err(fail)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fail)?;
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(FanvilError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

/// Writes a file that only its owner may read: plain files hold passwords.
fn write(path: &Path, stdout: &mut impl Write, bytes: &[u8]) -> Result<(), FanvilError> {
    let written = if path == Path::new("-") {
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    } else {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).and_then(|mut file| file.write_all(bytes))
    };
    written.map_err(|source| FanvilError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn execute_line(line: &[&str], stdin: &[u8]) -> Result<Vec<u8>, FanvilError> {
        let line = <Line as clap::Parser>::try_parse_from([&["fanvil"], line].concat()).unwrap();
        let mut out = Vec::new();
        execute(&line.args.command, &mut &*stdin, &mut out)?;
        Ok(out)
    }

    #[test]
    fn what_was_encrypted_decrypts_and_shows() {
        let plain = b"<<VOIP CONFIG FILE>>Version:2.0003\n<SIP CONFIG MODULE>\nA:secret\n\
                      <<END OF FILE>>\n";
        let sealed = execute_line(&["encrypt", "--key", KEY, "-", "-"], plain).unwrap();
        assert_ne!(sealed, plain);
        let opened = execute_line(&["decrypt", "--key", KEY, "-", "-"], &sealed).unwrap();
        assert_eq!(opened, plain);
        let shown = String::from_utf8(execute_line(&["show", "-"], &opened).unwrap()).unwrap();
        assert_eq!(shown, format!("version 2.0003\n{:<32} 1 settings\n", "SIP CONFIG MODULE"));
    }

    #[test]
    fn files_of_either_xml_are_shown_too() {
        for file in [
            "<VOIP_CONFIG_FILE><version>2.0003</version><SIP_CONFIG_MODULE><A>1</A>\
             </SIP_CONFIG_MODULE></VOIP_CONFIG_FILE>",
            "<sysConf><Version>2.0003</Version><sip><A>1</A></sip></sysConf>",
        ] {
            let shown = execute_line(&["show", "-"], file.as_bytes()).unwrap();
            let expected = format!("version 2.0003\n{:<32} 1 settings\n", "SIP CONFIG MODULE");
            assert_eq!(String::from_utf8(shown).unwrap(), expected);
        }
    }

    #[test]
    fn the_key_may_lie_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (key, out) = (folder.path().join("key"), folder.path().join("out"));
        std::fs::write(&key, format!("{KEY}\n")).unwrap();
        let (key, out) = (key.to_str().unwrap(), out.to_str().unwrap());
        execute_line(&["encrypt", "--key-file", key, "-", out], b"text").unwrap();
        let by_key = execute_line(&["encrypt", "--key", KEY, "-", "-"], b"text").unwrap();
        assert_eq!(std::fs::read(out).unwrap(), by_key);
    }

    #[test]
    fn mistakes_are_told_in_one_line_without_the_key() {
        for (line, words) in [
            (vec!["encrypt", "--key", &KEY[1..], "-", "-"], "63 characters"),
            (vec!["encrypt", "--key", &KEY.replace("1f", "1x"), "-", "-"], "character 64"),
            (vec!["encrypt", "--key", KEY, "--profile", "rot13", "-", "-"], "aes-256-ecb-pkcs7"),
            (vec!["decrypt", "--key", KEY, "-", "-"], "multiple of 16"),
            (vec!["show", "/nonexistent/file"], "/nonexistent/file"),
            (vec!["show", "-"], "does not begin"),
        ] {
            let error = execute_line(&line, b"text").unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert!(!error.contains('\n') && !error.contains(&KEY[4..32]), "{error}");
        }
    }
}
