//! The system that is generated for: its paths, variables and addresses.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use super::options::{Asked, Options};
use super::stop::{Failure, Stop};
use crate::provision::astlinux::{MAX_TEMPLATE, Mode, Server, Template};

/// The SQLite database that Asterisk reads.
const DATABASE: &str = "/mnt/kd/asterisk-odbc.sqlite3";
/// What is run instead of Asterisk's own reload.
const RELOAD_SCRIPT: &str = "/mnt/kd/phoneprov-reload.script";
/// The largest file of system variables, in bytes.
const MAX_RC: u64 = 4 << 20;

/// Paths, variables and addresses.
#[derive(Debug)]
pub(super) struct System {
    root: Option<PathBuf>,
    variables: HashMap<String, String>,
}

impl System {
    /// Reads the system variables: those of the file, and over them the
    /// `PHONEPROV_…` of the environment.
    ///
    /// # Errors
    /// [`Stop::Mass`] if the file cannot be read.
    pub(super) fn new(options: &Options) -> Result<Self, Failure> {
        let mut variables = HashMap::new();
        if let Some(path) = &options.rc {
            let told = |error| Stop::Mass(format!("{}: {error}", path.display()));
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).map_err(told)?;
            file.take(MAX_RC).read_to_end(&mut bytes).map_err(told)?;
            variables = assignments(&String::from_utf8_lossy(&bytes));
        }
        let own = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, value)| name.starts_with("PHONEPROV_") && !value.is_empty());
        variables.extend(own);
        Ok(Self { root: options.root.clone(), variables })
    }

    /// A variable that is set and not empty.
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The folder of the phones' files and of the templates.
    pub(super) fn base(&self) -> &str {
        self.variable("PHONEPROV_BASE_DIR").unwrap_or(Server::BASE)
    }

    /// The real place of a path: below the root, if there is one.
    ///
    /// # Errors
    /// [`Stop::Build`] for a path that would lead out of the root.
    pub(super) fn place(&self, path: &str) -> Result<PathBuf, Failure> {
        let Some(root) = &self.root else { return Ok(path.into()) };
        if Path::new(path).components().any(|part| part == Component::ParentDir) {
            return Err(Stop::Build(format!("{path}: leads out of --root")).into());
        }
        Ok(match path.strip_prefix('/') {
            Some(below) => root.join(below.trim_start_matches('/')),
            None => path.into(),
        })
    }

    /// The folder that nothing may leave, if there is one.
    pub(super) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The database's place.
    pub(super) fn database(&self) -> Result<PathBuf, Failure> {
        self.place(DATABASE)
    }

    /// The place of what is run instead of Asterisk's own reload.
    pub(super) fn reload_script(&self) -> Result<PathBuf, Failure> {
        self.place(RELOAD_SCRIPT)
    }

    /// Reads a template.
    ///
    /// # Errors
    /// [`Stop::Build`] in the original's words.
    pub(super) fn template(&self, name: &str, mode: Mode) -> Result<Template, Failure> {
        let path = format!("{}/templates/{name}.conf", self.base());
        let above = Path::new(name).components().any(|part| part == Component::ParentDir);
        let missing = || Stop::Build(format!("Template file \"{path}\" not found."));
        if mode == Mode::Right && above {
            return Err(missing().into());
        }
        let file = std::fs::File::open(self.place(&path)?).map_err(|_| missing())?;
        let mut text = Vec::new();
        file.take(MAX_TEMPLATE as u64 + 1)
            .read_to_end(&mut text)
            .map_err(|error| Stop::Build(format!("{path}: {error}")))?;
        let template = Template::parse_as(&text, mode);
        template.map_err(|error| Stop::Build(error.to_string()).into())
    }

    /// What the phones are told: the address of the interface that they are
    /// connected to. `$PHONEPROV_GW_IP` goes before any interface; the variables
    /// that say an interface's address before the interface itself.
    ///
    /// # Errors
    /// [`Stop::Usage`] for a name that is none; [`Stop::Build`] for an interface
    /// without address.
    pub(super) fn server(&self, options: &Options) -> Result<Server, Failure> {
        let named = options.interface.as_deref().filter(|name| !name.is_empty());
        let name = named.or_else(|| self.variable("PHONEPROV_GW_IF")).unwrap_or("INTIF");
        let (interface, address) = match name {
            "INTIF" => (self.variable("INTIF"), self.variable("INTIP")),
            "INT2IF" => (self.variable("INT2IF"), self.variable("INT2IP")),
            "INT3IF" => (self.variable("INT3IF"), self.variable("INT3IP")),
            "INT4IF" => (self.variable("INT4IF"), self.variable("INT4IP")),
            "EXTIF" => (self.variable("EXTIF"), self.variable("EXTIP")),
            other if is_device(other) => (Some(other), None),
            _ => return Err(Stop::Usage(Asked::Build).into()),
        };
        let server = |address: &str| Server { ipv4: address.into(), base: self.base().into() };
        if let Some(address) = self.variable("PHONEPROV_GW_IP") {
            return Ok(server(address));
        }
        let known = interface.and(address).map(str::to_owned);
        let address = known.or_else(|| address_of(interface?));
        let Some(address) = address else {
            let interface = interface.unwrap_or_default();
            return Err(Stop::Build(format!("Invalid Interface: {interface}")).into());
        };
        Ok(server(&address))
    }
}

/// `eth*N` and `br*N`.
fn is_device(name: &str) -> bool {
    (name.starts_with("eth") || name.starts_with("br"))
        && name.ends_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// The first IPv4 address of an interface, as `ip` tells it. What it says of an
/// interface that is none goes to standard error.
fn address_of(interface: &str) -> Option<String> {
    let mut ip = Command::new("ip");
    ip.args(["-4", "-o", "addr", "show", "dev", interface]);
    let output = ip.stdin(Stdio::null()).stderr(Stdio::inherit()).output().ok()?;
    first_address(&String::from_utf8_lossy(&output.stdout))
}

fn first_address(told: &str) -> Option<String> {
    let mut words = told.split_whitespace();
    words.find(|word| *word == "inet")?;
    let address = words.next()?.split('/').next()?;
    address.parse::<std::net::Ipv4Addr>().ok().map(|address| address.to_string())
}

/// The assignments of a file of system variables, `NAME="value"`; the last
/// counts. Nothing in it is executed: values are taken as they stand, without
/// `$…`.
fn assignments(text: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, next) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = line.trim_start();
        let assignment = trimmed.strip_prefix("export ").unwrap_or(trimmed).trim_start();
        rest = next;
        let Some((name, value)) = assignment.split_once('=') else { continue };
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(sound) {
            continue;
        }
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                // A quoted value may go over several lines.
                quoted(&value[1..], next, quote, &mut rest)
            }
            _ => value.split([' ', '\t', ';', '#', '\r']).next().unwrap_or_default().to_owned(),
        };
        found.insert(name.to_owned(), value);
    }
    found
}

/// A value up to its closing quote, which may stand on a later line. Without one
/// the value ends with its line.
fn quoted<'a>(first: &'a str, later: &'a str, quote: char, rest: &mut &'a str) -> String {
    if let Some((value, _)) = first.split_once(quote) {
        return value.to_owned();
    }
    let Some((value, after)) = later.split_once(quote) else {
        return first.trim_end_matches('\r').to_owned();
    };
    *rest = after.split_once('\n').map_or("", |(_, next)| next);
    format!("{first}\n{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_and_nothing_is_run() {
        let text = "# INTIF=\"no\"\nINTIF=\"eth1\"\nexport INT2IF='eth2' # words\n  A=b;c\nA=d # e\n\
                    LIST=\"one\ntwo\" X=y\nrm -rf /\nfoo bar=baz\nE=$(date)\nEMPTY=\nB=\"open\nC=c\r\n";
        let found = assignments(text);
        let value = |name: &str| found.get(name).map(String::as_str);
        assert_eq!(value("INTIF"), Some("eth1"));
        assert_eq!(value("INT2IF"), Some("eth2"));
        assert_eq!(value("A"), Some("d"));
        assert_eq!(value("LIST"), Some("one\ntwo"));
        assert_eq!(value("E"), Some("$(date)"));
        assert_eq!(value("EMPTY"), Some(""));
        assert_eq!((value("B"), value("C")), (Some("open"), Some("c")));
        assert_eq!(found.len(), 8, "{found:?}");
    }

    #[test]
    fn an_interfaces_address_is_read_from_what_ip_tells() {
        let told = "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever";
        assert_eq!(first_address(told), Some("127.0.0.1".to_owned()));
        let told = "7: ppp0    inet 10.0.0.2 peer 10.0.0.1/32 scope global ppp0";
        assert_eq!(first_address(told), Some("10.0.0.2".to_owned()));
        assert_eq!(first_address("inet"), None);
        assert_eq!(first_address("7: x    inet ../8"), None);
    }

    #[test]
    fn absolute_paths_lie_below_the_root() {
        let system =
            |root: Option<&str>| System { root: root.map(Into::into), variables: HashMap::new() };
        assert_eq!(system(None).place("/a/../b").unwrap(), Path::new("/a/../b"));
        assert_eq!(system(Some("/r")).place("//a/b").unwrap(), Path::new("/r/a/b"));
        assert!(system(Some("/r")).place("/a/../../b").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_file_of_variables_makes_it_panic(text in "([A-Z_=\"' \n$#]|é){0,40}") {
            assignments(&text);
        }
    }
}
