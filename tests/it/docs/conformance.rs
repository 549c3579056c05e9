//! The table of `docs/CONFORMANCE.md`: it has a row for all that there is to
//! conform to, and each row names tests that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What must have a row, by section.
#[allow(clippy::too_many_lines, reason = "a list")]
fn wanted() -> Vec<(&'static str, Vec<String>)> {
    let texts = |list: &str| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines = |list: &str| {
        list.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let numbered = |letter: &str, from: u32, to: u32| {
        (from..=to).map(|number| format!("{letter}{number}")).collect::<Vec<_>>()
    };
    let mut faults = numbered("", 8000, 8006);
    faults.extend(numbered("", 9000, 9032));
    faults.extend(texts("8800-8899 9800-9899"));
    vec![
        (
            "RPCs that Provost calls",
            texts(
                "GetRPCMethods SetParameterValues GetParameterValues GetParameterNames \
                 SetParameterAttributes GetParameterAttributes AddObject DeleteObject Download \
                 Reboot GetQueuedTransfers ScheduleInform SetVouchers GetOptions Upload \
                 FactoryReset GetAllQueuedTransfers ScheduleDownload CancelTransfer ChangeDUState",
            ),
        ),
        (
            "RPCs that devices call",
            texts(
                "Inform TransferComplete AutonomousTransferComplete GetRPCMethods RequestDownload \
                 Kicked DUStateChangeComplete AutonomousDUStateChangeComplete",
            ),
        ),
        (
            "Events",
            lines(
                "0 BOOTSTRAP
                 1 BOOT
                 2 PERIODIC
                 3 SCHEDULED
                 4 VALUE CHANGE
                 5 KICKED
                 6 CONNECTION REQUEST
                 7 TRANSFER COMPLETE
                 8 DIAGNOSTICS COMPLETE
                 9 REQUEST DOWNLOAD
                 10 AUTONOMOUS TRANSFER COMPLETE
                 11 DU STATE CHANGE COMPLETE
                 12 AUTONOMOUS DU STATE CHANGE COMPLETE
                 13 WAKEUP
                 14 HEARTBEAT
                 M Reboot
                 M ScheduleInform
                 M Download
                 M ScheduleDownload
                 M Upload
                 M ChangeDUState
                 M and X of vendors",
            ),
        ),
        ("Faults", faults),
        (
            "Headers",
            texts(
                "ID HoldRequests SessionTimeout SupportedCWMPVersions UseCWMPVersion \
                 NoMoreRequests SOAPAction Content-Type Cookie Content-Encoding Expect \
                 Transfer-Encoding Location Retry-After",
            ),
        ),
        ("Connection requests", texts("HTTP UDP XMPP")),
        ("Quirks", numbered("Q", 1, 59)),
        ("Experience", numbered("E", 1, 17)),
        ("Cases", numbered("T", 1, 25)),
        ("IR-181", numbered("IR-181.", 1, 16)),
        (
            "BBF.069",
            texts(
                "ACS_URL_Behavior Add_Delete BooleanParameterConfiguration CWMP_Faults \
                 DHCP_URL_Discovery DHCPv4 DHCPv6 Diagnostics Download Events_Informs \
                 GetParameterAttributes GetParameterNames GetParameterValues GetRPCMethods \
                 HTTP_Redirect HTTP_SOAP Optional_RPCs PeriodicInform Reboot Secure_CWMP Session \
                 SetParameterAttributes SetParameterValues",
            ),
        ),
        ("OD-128", texts("1.1 1.2")),
        ("Hostile messages", numbered("A", 1, 25)),
        ("Hostile identities", numbered("B", 1, 14)),
        ("Devices that lie", numbered("C", 1, 12)),
        ("Provost as a client", numbered("D", 1, 10)),
    ]
}

/// One row: the line, its key and the tests that it names.
struct Row {
    line: usize,
    key: String,
    tests: Vec<String>,
}

/// The rows by section.
fn rows(text: &str) -> BTreeMap<String, Vec<Row>> {
    let mut sections: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let mut section = String::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
        }
        let Some(cells) = line.strip_prefix("| ") else { continue };
        let cells: Vec<&str> = cells.trim_end_matches('|').split(" | ").map(str::trim).collect();
        let Some((key, shown_by)) = cells.first().zip(cells.last()) else { continue };
        if *key == "what" || key.starts_with("---") {
            continue;
        }
        let named = shown_by.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let key = key.trim_matches('`').to_owned();
        sections.entry(section.clone()).or_default().push(Row {
            line: number + 1,
            key,
            tests: named,
        });
    }
    sections
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            into.push(path);
        }
    }
}

/// The names of all tests: functions behind an attribute that makes one.
fn tests() -> BTreeSet<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&top.join("src"), &mut files);
    sources(&top.join("tests"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let mut marked = false;
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let line = line.trim();
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                marked = true;
            } else if let Some((_, name)) = line.split_once("fn ")
                && marked
            {
                let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                found.insert(name.split(end).next().unwrap_or_default().to_owned());
                marked = false;
            }
        }
    }
    found
}

#[test]
fn every_row_names_tests_that_exist_and_nothing_lacks_a_row() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFORMANCE.md");
    let rows = rows(&std::fs::read_to_string(page).unwrap());
    let tests = tests();
    let mut wrong = Vec::new();
    for (section, rows) in &rows {
        for row in rows {
            if row.tests.is_empty() {
                wrong.push(format!("line {}: {section}, {}: no test", row.line, row.key));
            }
            for test in row.tests.iter().filter(|test| !tests.contains(*test)) {
                wrong.push(format!("line {}: there is no test `{test}`", row.line));
            }
        }
    }
    for (section, keys) in wanted() {
        let known: BTreeSet<&str> =
            rows.get(section).into_iter().flatten().map(|row| row.key.as_str()).collect();
        for key in keys.iter().filter(|key| !known.contains(key.as_str())) {
            wrong.push(format!("{section}: no row for {key}"));
        }
    }
    assert!(wrong.is_empty(), "docs/CONFORMANCE.md:\n{}", wrong.join("\n"));
}
