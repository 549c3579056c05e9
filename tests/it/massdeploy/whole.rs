//! A run that fails leaves everything as it was, and one that succeeds leaves
//! nothing else behind.

use std::os::unix::fs::PermissionsExt as _;

use super::{Box, DESK, done};

const FIRST: &str = "desk 00:15:65:00:00:01 21 s1\ndesk 00:15:65:00:00:02 22 s2\n";
const SECOND: &str =
    "desk 00:15:65:00:00:01 31 t1\ndesk 00:15:65:00:00:03 33 t3\ntrap 00:15:65:00:00:04 34 t4\n";

/// After a first run, `spoil` makes the second one fail; everything must be as
/// before it.
fn second_fails(trap: &str, spoil: impl Fn(&Box), told: &str) {
    let system = Box::new(&[("desk", DESK), ("trap", trap)]);
    system.deploy(FIRST, "").is(0, &done(2), "");
    spoil(&system);
    system.write("mass.conf", SECOND);
    let before = system.tree();
    let run = system.run("massdeploy", "-f mass.conf");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains(told), "{}", run.err);
    assert_eq!(system.tree(), before);
}

#[test]
fn a_template_that_is_none() {
    second_fails("[phoneprov]\n", |_| {}, "No [general]");
}

#[test]
fn a_file_in_the_place_of_a_folder() {
    let trap = "[general]\nprov_path=/mnt/kd/blocked/below\n[phoneprov]\nx\n";
    second_fails(trap, |system| system.write("blocked", ""), "blocked/below");
}

#[test]
fn a_folder_in_the_place_of_a_file() {
    // All files before it are in their new place by then.
    let trap = "[general]\nvendor=new/folders\nprov_file=@EXT@\n[phoneprov]\nx\n[pjsip]\ny\n";
    let spoil = |system: &Box| system.write("phoneprov/new/folders/34/x", "");
    second_fails(trap, spoil, "34");
}

#[test]
fn a_name_that_no_file_can_have() {
    let trap = format!(
        "[general]\nprov_path=/mnt/kd/fresh\nprov_file={}\n[phoneprov]\nx\n",
        "x".repeat(300)
    );
    second_fails(&trap, |_| {}, "name too long");
}

#[test]
fn a_database_that_is_none() {
    let trap = "[general]\n[phoneprov]\nx\n";
    let spoil = |system: &Box| system.write("asterisk-odbc.sqlite3", &"no database ".repeat(100));
    second_fails(trap, spoil, "not a database");
}

#[test]
fn a_phone_that_takes_the_file_of_all() {
    let trap = "[general]\nprov_path=/mnt/kd/asterisk/includes\nprov_file=astlinux-phoneprov-sip.conf\n[phoneprov]\nx\n";
    second_fails(trap, |_| {}, "line 3");
}

#[test]
fn a_first_run_that_fails_leaves_no_folders() {
    let system = Box::new(&[("desk", DESK)]);
    system.write("asterisk", "a file");
    system.write("mass.conf", FIRST);
    let before = system.tree();
    assert_eq!(system.run("massdeploy", "mass.conf").code, 1);
    assert_eq!(system.tree(), before);
}

#[test]
fn nothing_is_left_beside_the_files() {
    let system = Box::new(&[("desk", DESK)]);
    // What a run that was cut off left behind.
    system.write("phoneprov/desk/.001565000001.cfg.new~", "half");
    system.write("phoneprov/desk/001565000001.cfg", "old");
    for mass in [FIRST, &FIRST.replace("s1", "t1"), FIRST] {
        system.deploy(mass, "-f").is(0, &done(2), "");
        let left: Vec<_> = system
            .tree()
            .into_keys()
            .filter(|path| path.to_string_lossy().ends_with('~'))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    assert_eq!(system.read("phoneprov/desk/001565000001.cfg"), "user=21\npass=s1\n");
}

#[test]
fn a_files_mode_and_a_link_to_it_stay() {
    let system = Box::new(&[("desk", DESK)]);
    system.write("real.cfg", "old");
    let real = system.kd().join("real.cfg");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::create_dir_all(system.kd().join("phoneprov/desk")).unwrap();
    std::os::unix::fs::symlink(&real, system.kd().join("phoneprov/desk/001565000001.cfg")).unwrap();
    system.deploy(FIRST, "-f").is(0, &done(2), "");
    assert_eq!(system.read("real.cfg"), "user=21\npass=s1\n");
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(system.kd().join("phoneprov/desk/001565000001.cfg").is_symlink());
}

#[test]
fn a_file_that_stays_the_same_is_left_alone() {
    let system = Box::new(&[("desk", DESK)]);
    system.deploy(FIRST, "").is(0, &done(2), "");
    let modified = |name: &str| {
        system.kd().join("phoneprov/desk").join(name).metadata().unwrap().modified().unwrap()
    };
    let before = (modified("001565000001.cfg"), modified("001565000002.cfg"));
    system.deploy(&FIRST.replace("s2", "t2"), "-f").is(0, &done(2), "");
    assert_eq!(modified("001565000001.cfg"), before.0);
    assert_ne!(modified("001565000002.cfg"), before.1);
}

#[test]
fn hundreds_of_phones_are_as_whole_as_two() {
    let system = Box::new(&[("desk", DESK)]);
    let mass = |secret: &str| -> String {
        (1..=300)
            .map(|n| format!("desk 00:15:65:00:{:02x}:{:02x} {n} {secret}{n}\n", n / 256, n % 256))
            .collect()
    };
    system.deploy(&mass("a"), "").is(0, &done(300), "");
    assert_eq!((system.rows().unwrap().len(), system.dialplan().lines().count()), (300, 300));
    system.deploy(&mass("b"), "-f").is(0, &done(300), "");
    assert_eq!(system.read("phoneprov/desk/00156500012c.cfg"), "user=300\npass=b300\n");
    // The last file cannot be put in its place, after all others were.
    std::fs::remove_file(system.kd().join("phoneprov/desk/00156500012c.cfg")).unwrap();
    system.write("phoneprov/desk/00156500012c.cfg/x", "");
    system.write("mass.conf", &mass("c"));
    let before = system.tree();
    assert_eq!(system.run("massdeploy", "-f mass.conf").code, 1);
    assert!(system.tree() == before, "something has changed");
}

#[test]
fn two_runs_do_not_meet() {
    let system = Box::new(&[("desk", DESK)]);
    let folder = std::fs::File::open(system.kd().join("phoneprov")).unwrap();
    rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let run = system.deploy(FIRST, "");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("another run is under way"), "{}", run.err);
    drop(folder);
    system.deploy(FIRST, "").is(0, &done(2), "");
}
