//! `--strict-compat`: what the original does, its mistakes included.

use super::{Box, DESK, done};

const BEGUN: &str = "Generating Phone Provisioning files:\n";

fn deploy(system: &Box, mass: &str, options: &str) -> super::Run {
    system.deploy(mass, &format!("--strict-compat {options}"))
}

#[test]
fn case_07_templates_that_share_a_file_need_force() {
    let system = Box::new(&[("desk", DESK), ("other", &DESK.replace("=desk", "=other"))]);
    let mass = "desk 00:15:65:00:00:01 21 s\nother 00:15:65:00:00:02 22 s\n";
    let run = deploy(&system, mass, "");
    let told = "phoneprov-build: File \"/mnt/kd/asterisk/includes/astlinux-phoneprov-exten.conf\" exists.\n";
    assert_eq!((run.code, &*run.err), (2, told));
    deploy(&system, mass, "-f").is(0, &done(2), "");
    assert_eq!(system.dialplan().lines().count(), 2);
}

#[test]
fn case_08_what_was_written_before_a_failure_stays() {
    let system = Box::new(&[("desk", DESK)]);
    let mass = "desk 00:15:65:00:00:01 21 s\ndesk 00:15:65:00:00:02 22\n";
    let run = deploy(&system, mass, "");
    assert_eq!((run.code, &*run.err), (3, "phoneprov-build: no password defined.\n"));
    assert!(
        run.out.starts_with(&format!("{BEGUN}.phoneprov-massdeployment: Use -a ")),
        "{}",
        run.out
    );
    assert_eq!(system.dialplan(), "exten => 21,1,Dial(SIP/21)\n");
    assert!(system.has("phoneprov/desk/001565000001.cfg"));
    assert_eq!(system.rows(), None);
    assert_eq!(system.rows_of("phoneprov_build").unwrap().len(), 1);
}

#[test]
fn case_09_and_29_lines_are_rewritten_and_overwritten() {
    let system = Box::new(&[("desk", DESK)]);
    let mass = "desk   00:15:65:00:00:01\t10  \ndesk 00:15:65:00:00:01 101 keepme account\n";
    deploy(&system, mass, "-A");
    let text = system.read("mass.conf");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|line| line.starts_with("desk 00:15:65:00:00:01 10 ") && line.len() == 42)
    );
}

#[test]
fn case_14_a_part_drops_the_table() {
    let system = Box::new(&[("desk", DESK)]);
    deploy(&system, "desk 00:15:65:00:00:01 21 s\n", "").is(0, &done(1), "");
    assert_eq!(system.rows().unwrap().len(), 1);
    let error = "Error: no such table: phoneprov_build\n";
    deploy(&system, "desk 00:15:65:00:00:02 22 s\n", "-p").is(0, &done(1), error);
    assert_eq!(system.dialplan().lines().count(), 2);
    assert_eq!(system.rows(), None);
}

#[test]
fn case_23_a_quote_costs_the_row() {
    let system = Box::new(&[("desk", DESK)]);
    let mass = "desk 00:15:65:00:00:01 21/Pat_O'Brien s\ndesk 00:15:65:00:00:02 22 s\n";
    let run = deploy(&system, mass, "");
    assert_eq!((run.code, &*run.out), (0, &*done(2)));
    assert!(run.err.starts_with("Error: ") && run.err.contains("quote"), "{}", run.err);
    assert_eq!(system.rows().unwrap().len(), 1);
    assert!(system.has("phoneprov/desk/001565000001.cfg"));
}

#[test]
fn special_characters_are_those_of_sed() {
    let system = Box::new(&[("desk", DESK)]);
    let file = "phoneprov/desk/001565000001.cfg";
    for (password, expected) in [
        ("a&b", "user=21\npass=a@PASSWORD@b\n"),
        ("a\\b", "user=21\npass=ab\n"),
        ("x@ACCOUNT@", "user=21\npass=x21\n"),
    ] {
        let mass = format!("desk 00:15:65:00:00:01 21 {password}\n");
        deploy(&system, &mass, "-f").is(0, &done(1), "");
        assert_eq!(system.read(file), expected);
    }
    let run = deploy(&system, "desk 00:15:65:00:00:01 21 a|b\n", "-f");
    assert_eq!((run.code, &*run.out), (0, &*done(1)));
    assert!(run.err.contains('|'), "{}", run.err);
    assert_eq!((system.read(file).as_str(), system.sip().as_str()), ("", "\n"));
}

#[test]
fn a_carriage_return_is_part_of_the_value() {
    let system = Box::new(&[("desk", DESK)]);
    deploy(&system, "desk 00:15:65:00:00:01 21 s\r\n", "").is(0, &done(1), "");
    assert_eq!(system.read("phoneprov/desk/001565000001.cfg"), "user=21\npass=s\r\n");
}

#[test]
fn case_28_files_left_unchanged_is_not_true() {
    let system = Box::new(&[("desk", DESK)]);
    system.write("phoneprov/desk/001565000002.cfg", "old\n");
    let mass = "desk 00:15:65:00:00:01 21 s\ndesk 00:15:65:00:00:02 22 s\n";
    let run = deploy(&system, mass, "");
    assert_eq!(run.code, 2);
    assert!(run.out.ends_with("Files left unchanged.\n"), "{}", run.out);
    assert!(system.has("phoneprov/desk/001565000001.cfg"));
    assert_eq!(system.dialplan(), "exten => 21,1,Dial(SIP/21)\n");
    assert_eq!(system.read("phoneprov/desk/001565000002.cfg"), "old\n");
}

#[test]
fn case_30_the_second_of_two_neighbours_is_lost() {
    let system =
        Box::new(&[("t", "[general]\n[phoneprov]\none\n[phoneprov]\ntwo\n[phoneprov]\nthree\n")]);
    deploy(&system, "t 00:15:65:00:00:01 21 s\n", "").is(0, &done(1), "");
    assert_eq!(system.read("phoneprov/t/001565000001.cfg"), "one\nthree\n");
}

#[test]
fn one_phone_goes_into_the_table_that_is_being_built() {
    let system = Box::new(&[("desk", DESK)]);
    system.run("phoneprov-build", "--strict-compat desk 00:00:00:00:00:00 init").is(0, "", "");
    system.run("phoneprov-build", "--strict-compat desk 00:15:65:00:00:01 21 s").is(0, "", "");
    assert_eq!(system.rows(), None);
    assert_eq!(system.rows_of("phoneprov_build").unwrap().len(), 1);
    assert_eq!(system.dialplan(), "exten => 21,1,Dial(SIP/21)\n");
}
