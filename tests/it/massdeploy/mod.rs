//! AstLinux mass deployment, by the real binary. The numbers in the tests' names
//! are those of the cases in `docs/ASTLINUX.md`.

mod cases;
mod hostile;
mod import;
mod options;
mod strict;
mod survives;
mod whole;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A system with templates, in a folder of its own; commands run in `/mnt/kd`.
pub(super) struct Box {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Run {
    /// Asserts the exit code and both outputs.
    pub(super) fn is(&self, code: i32, out: &str, err: &str) {
        assert_eq!((self.code, &*self.out, &*self.err), (code, out, err));
    }
}

/// What is printed when all went well, with a dot for each phone.
pub(super) fn done(phones: usize) -> String {
    format!("Generating Phone Provisioning files:\n{}Done\n", ".".repeat(phones))
}

const RC: &str = "### system\nINTIF=\"eth1\"\nINTIP=\"192.168.7.1\"\nINT2IF='eth2'\nINT2IP='10.9.8.1'\n\
                  INT3IF=\"\"\nEXTIF=\"lo\"\n";

impl Box {
    /// With these templates (name, text).
    pub(super) fn new(templates: &[(&str, &str)]) -> Self {
        let system = Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() };
        for (name, text) in templates {
            system.write(&format!("phoneprov/templates/{name}.conf"), text);
        }
        std::fs::create_dir_all(system.kd().join("phoneprov")).unwrap();
        std::fs::write(system.folder.path().join("rc.conf"), RC).unwrap();
        system
    }

    /// Sets a variable of the environment.
    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    /// `/mnt/kd`
    pub(super) fn kd(&self) -> PathBuf {
        self.folder.path().join("root/mnt/kd")
    }

    /// The folder that holds the system's root.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file below `/mnt/kd`.
    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.kd().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file below `/mnt/kd`.
    pub(super) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.kd().join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Whether there is a file below `/mnt/kd`.
    pub(super) fn has(&self, path: &str) -> bool {
        self.kd().join(path).exists()
    }

    /// A generated file without the comment that it begins with, which must name
    /// the file.
    pub(super) fn body(&self, path: &str) -> String {
        let text = self.read(path);
        let (head, body) = text.split_at(text.find("\n\n").unwrap() + 1);
        assert!(head.lines().all(|line| line.starts_with(';')), "{text}");
        assert!(head.ends_with(&format!("\n; #include /mnt/kd/{path}\n")), "{text}");
        body[1..].to_owned()
    }

    /// The dialplan's body.
    pub(super) fn dialplan(&self) -> String {
        self.body("asterisk/includes/astlinux-phoneprov-exten.conf")
    }

    /// The SIP file's body, without the empty line that it begins with.
    pub(super) fn sip(&self) -> String {
        let body = self.body("asterisk/includes/astlinux-phoneprov-sip.conf");
        body.strip_prefix('\n').unwrap().to_owned()
    }

    /// Runs a command of `provost`.
    pub(super) fn run(&self, command: &str, line: &str) -> Run {
        self.run_words(command, &line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a command of `provost`, its arguments one by one.
    pub(super) fn run_words(&self, command: &str, words: &[&str]) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_provost"));
        child.arg(command).arg("--root").arg(self.folder.path().join("root"));
        child.arg("--rc").arg(self.folder.path().join("rc.conf")).args(words);
        child.current_dir(self.kd());
        for (name, value) in &self.variables {
            child.env(name, value);
        }
        let output = child.output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Writes the mass-deployment file and deploys it.
    pub(super) fn deploy(&self, mass: &str, line: &str) -> Run {
        self.write("mass.conf", mass);
        self.run("massdeploy", &format!("{line} mass.conf"))
    }

    /// The rows of a table; `None` if there is no such table.
    pub(super) fn rows_of(&self, table: &str) -> Option<Vec<String>> {
        let path = self.kd().join("asterisk-odbc.sqlite3");
        path.exists().then_some(())?;
        let database = rusqlite::Connection::open(path).unwrap();
        let mut select = database
            .prepare(&format!(
                "SELECT id || '|' || ext || '|' || cid_name || '|' || cid_num || '|' || account || \
                 '|' || line || '|' || mac_addr || '|' || template || '|' || model || '|' || \
                 vendor || '|' || sip_driver FROM {table} ORDER BY id"
            ))
            .ok()?;
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        Some(rows.map(Result::unwrap).collect())
    }

    /// The rows of the table that Asterisk reads.
    pub(super) fn rows(&self) -> Option<Vec<String>> {
        self.rows_of("phoneprov")
    }

    /// Every file and folder below the root, with what is in it.
    pub(super) fn tree(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        fn walk(folder: &Path, into: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, into);
                    into.insert(path, None);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    into.insert(path, Some(bytes));
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(&self.folder.path().join("root"), &mut found);
        found
    }
}

/// A template of one line a context.
pub(super) const DESK: &str = "menu_name=Desk Phone\n[general]\nvendor=desk\nmodel=d9\n\
    [dialplan]\nexten => @EXT@,1,Dial(SIP/@ACCOUNT@)\n\
    [sip]\n\\[@ACCOUNT@]\nsecret=@PASSWORD@\n[phoneprov]\nuser=@ACCOUNT@\npass=@PASSWORD@\n";
