//! Who may name whom.
//!
//! A room may use rooms on lower floors only: never a higher one, never a
//! neighbour. The table below is the house; the test reads the sources and
//! fails on any other arrow, so that a wrong `use` is found by name.

#![allow(clippy::unwrap_used, reason = "a test ends with a panic when a source cannot be read")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Room → floor. The words on floor 1 stand in an order of their own: each may
/// use those before it.
const FLOORS: &[(&str, u32)] = &[
    ("class", 1),
    ("time", 2),
    ("metrics", 2),
    ("param", 3),
    ("device", 4),
    ("phone", 5),
    ("access", 20),
    ("cwmp", 20),
    ("bulk", 20),
    ("schema", 20),
    ("sip", 20),
    ("stun", 20),
    ("term", 20),
    ("xmpp", 20),
    ("config", 20),
    ("news", 21),
    ("expr", 22),
    ("intent", 22),
    ("profile", 25),
    ("rollout", 25),
    ("log", 20),
    ("plan", 30),
    ("store", 30),
    ("files", 30),
    ("http", 30),
    ("link", 35),
    ("provision", 40),
    ("wake", 40),
    ("simulate", 40),
    ("trace", 40),
    ("ledger", 40),
    ("fleet", 42),
    ("find", 42),
    ("herald", 42),
    ("keyring", 42),
    ("campaign", 45),
    ("dhcp", 45),
    ("gate", 45),
    ("supply", 45),
    ("acs", 50),
    ("collect", 50),
    ("announce", 50),
    ("fetch", 50),
    ("api", 50),
    ("server", 60),
    ("cli", 70),
];

/// The rooms that open no socket, read no clock and no file.
const PURE: &[&str] = &[
    "param",
    "device",
    "phone",
    "access",
    "news",
    "bulk",
    "cwmp",
    "schema",
    "sip",
    "stun",
    "term",
    "xmpp",
    "expr",
    "intent",
    "profile",
    "rollout",
    "plan",
    "provision",
    "dhcp",
];

/// `log.rs` is told by its own section of the settings what to log, and how.
const GRANTED: &[(&str, &str)] = &[("log", "config")];

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            into.push(path);
        }
    }
}

/// The room that a source file belongs to.
fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix(src()).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The rooms named after each `crate::` in code, tests and comments left out.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // A module of tests may use anything; it stands at the end of its file.
    let code_only = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    for (number, line) in code_only.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for tail in code.split("crate::").skip(1) {
            if let Some(list) = tail.strip_prefix('{') {
                let list = list.split('}').next().unwrap_or_default();
                let names =
                    list.split(',').map(|name| name.trim().split("::").next().unwrap_or_default());
                found.extend(names.map(|name| (number + 1, name.to_owned())));
            } else {
                let name: String =
                    tail.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                found.push((number + 1, name));
            }
        }
    }
    found
}

#[test]
fn rooms_name_lower_floors_only() {
    let floors: BTreeMap<&str, u32> = FLOORS.iter().copied().collect();
    let mut files = Vec::new();
    sources(&src(), &mut files);
    let mut wrong = Vec::new();
    for path in files {
        let room = room_of(&path);
        // `lib.rs` declares the rooms, `main.rs` calls the command line, and a
        // file named `tests.rs` may use anything.
        if room == "lib" || room == "main" || path.ends_with("tests.rs") {
            continue;
        }
        let Some(&floor) = floors.get(room.as_str()) else {
            wrong.push(format!(
                "{}: the room `{room}` has no floor in tests/floors.rs",
                path.display()
            ));
            continue;
        };
        for (line, name) in named(&std::fs::read_to_string(&path).unwrap()) {
            let granted = GRANTED.contains(&(room.as_str(), name.as_str()));
            let sound = name == room
                || granted
                || floors.get(name.as_str()).is_some_and(|&other| other < floor);
            if !sound {
                wrong.push(format!("{}:{line}: `{room}` names `{name}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the house does not allow:\n{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_deny_clock_files_and_sockets() {
    for room in PURE {
        let text = std::fs::read_to_string(src().join(room).join("mod.rs")).unwrap();
        assert!(
            text.contains("#![deny(clippy::disallowed_methods, clippy::disallowed_types)]"),
            "src/{room}/mod.rs does not deny the clock, files and sockets"
        );
    }
}

#[test]
fn every_source_says_what_lives_in_it() {
    let mut files = Vec::new();
    sources(&src(), &mut files);
    let silent: Vec<_> = files
        .iter()
        .filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "files that do not open with `//!`: {silent:?}");
}
