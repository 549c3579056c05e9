//! Options, variables, messages and exit codes.

use std::os::unix::fs::PermissionsExt as _;

use super::{Box, DESK, done};

const BEGUN: &str = "Generating Phone Provisioning files:\n";

#[test]
fn case_08_a_missing_password_is_told() {
    let system = Box::new(&[("desk", DESK)]);
    let before = system.tree();
    let mass =
        "desk 00:15:65:00:00:01 21 s\ndesk 00:15:65:00:00:02 22\ndesk 00:15:65:00:00:03 23 s\n";
    let run = system.deploy(mass, "");
    let hint = "phoneprov-massdeployment: Use -a or --auto-pass option to automatically\n\
                \x20                         generate any missing password(s).\n";
    let told =
        "phoneprov-build: no password defined.\nphoneprov-massdeployment: mass.conf: line 2\n";
    run.is(3, &format!("{BEGUN}.{hint}"), told);
    std::fs::remove_file(system.kd().join("mass.conf")).unwrap();
    assert_eq!(system.tree(), before, "nothing was written");
}

#[test]
fn case_09_missing_passwords_are_added() {
    let system = Box::new(&[("desk", DESK)]);
    let mass = "# all phones\ndesk\t00:15:65:00:00:01  21/Ann  \ndesk 00:15:65:00:00:02 22 keep acc\r\n\
                desk 00:15:65:00:00:03 *9;23/B\r\n#desk 00:15:65:00:00:04 24\ndesk 00:15:65:00:00:05";
    let run = system.deploy(mass, "-A");
    run.is(0, "Auto-generating password(s):\nMissing password(s) were added to input file.\n", "");
    let text = system.read("mass.conf");
    let passwords: Vec<_> = text
        .lines()
        .filter(|line| line.contains(":01 ") || line.contains(":03 "))
        .map(|line| line.split_whitespace().nth(3).unwrap().to_owned())
        .collect();
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
    assert!(passwords.iter().all(|word| word.len() == 16 && word.chars().all(base64)));
    assert_ne!(passwords[0], passwords[1]);
    let expected = mass
        .replace("21/Ann", &format!("21/Ann {}", passwords[0]))
        .replace("23/B", &format!("23/B {}", passwords[1]));
    assert_eq!(text, expected, "nothing else has changed");
    system.run("massdeploy", "-A mass.conf").is(
        0,
        "Auto-generating password(s):\nNo missing password(s), input file left unchanged.\n",
        "",
    );
    assert_eq!(system.read("mass.conf"), expected);
    assert!(!system.has("phoneprov/desk"), "and nothing was built");
}

#[test]
fn case_10_passwords_are_added_and_used() {
    let system = Box::new(&[("desk", DESK)]);
    let run = system.deploy("desk 00:15:65:00:00:01 21\n", "--auto-pass --force-overwrite");
    let told = "Auto-generating password(s):\nMissing password(s) were added to input file.\n";
    run.is(0, &format!("{told}{}", done(1)), "");
    let text = system.read("mass.conf");
    let password = text.trim_end().rsplit(' ').next().unwrap();
    let file = system.read("phoneprov/desk/001565000001.cfg");
    assert_eq!(file, format!("user=21\npass={password}\n"));
}

#[test]
fn case_29_only_lines_without_password_change() {
    let system = Box::new(&[("desk", DESK)]);
    let kept = "desk 00:15:65:00:00:01 101 keepme account\n";
    system.deploy(&format!("desk 00:15:65:00:00:01 10\n{kept}"), "-A");
    let text = system.read("mass.conf");
    assert!(text.ends_with(kept) && text.lines().count() == 2, "{text}");
}

#[test]
fn case_11_an_address_that_is_none() {
    let system = Box::new(&[("desk", DESK)]);
    for mac in ["001565000001", "00-15-65-00-00-01", "00:15:65:00:00", "00:15:65:00:00:001"] {
        let told = format!("phoneprov-build: Invalid MAC address: {mac}\n");
        let line = "phoneprov-massdeployment: mass.conf: line 1\n";
        system.deploy(&format!("desk {mac} 21 s\n"), "").is(1, BEGUN, &format!("{told}{line}"));
        system.run("phoneprov-build", &format!("desk {mac} 21 s")).is(1, "", &told);
    }
    system.run("phoneprov-build", "desk zz:zz:zz:zz:zz:zz 21 s").is(0, "", "");
    assert!(system.has("phoneprov/desk/zzzzzzzzzzzz.cfg"));
}

#[test]
fn case_13_templates_that_are_missing_or_none() {
    let system =
        Box::new(&[("bad", "menu_name=Bad\n# [general]\n[phoneprov]\nx\n"), ("desk", DESK)]);
    let line = "phoneprov-massdeployment: mass.conf: line 2\n";
    let missing = |name: &str| {
        format!(
            "phoneprov-build: Template file \"/mnt/kd/phoneprov/templates/{name}.conf\" not found.\n"
        )
    };
    let none = "phoneprov-build: No [general] context defined, invalid template file.\n";
    for (word, told) in [("none", missing("none")), ("bad", none.to_owned()), (" #", missing("#"))]
    {
        let mass = format!("desk 00:15:65:00:00:01 21 s\n{word} 00:15:65:00:00:02 22 s\n");
        system.deploy(&mass, "").is(1, BEGUN, &format!("{told}{line}"));
    }
    system.run("phoneprov-build", "../templates/desk 00:15:65:00:00:01 21 s").is(
        1,
        "",
        &missing("../templates/desk"),
    );
    assert!(!system.has("phoneprov/desk"));
}

#[test]
fn case_19_the_address_is_that_of_an_interface() {
    let mut system = Box::new(&[("ip", "[general]\n[phoneprov]\n@SIP_SERVER_IPV4@\n")]);
    let mass = "ip 00:15:65:00:00:01 21 s\n";
    let address = |system: &Box| system.read("phoneprov/ip/001565000001.cfg");
    for (options, told) in [
        ("-f", "192.168.7.1\n"),
        ("-f -i INT2IF", "10.9.8.1\n"),
        ("-f --if-name=EXTIF", "127.0.0.1\n"),
    ] {
        system.deploy(mass, options).is(0, &done(1), "");
        assert_eq!(address(&system), told);
    }
    system.deploy(mass, "-f -i INT3IF").is(1, BEGUN, "phoneprov-build: Invalid Interface: \n");
    let run = system.deploy(mass, "-f -i eth77");
    assert_eq!((run.code, &*run.out), (1, BEGUN));
    assert!(run.err.ends_with("phoneprov-build: Invalid Interface: eth77\n"), "{}", run.err);
    let run = system.deploy(mass, "-f -i wlan0");
    assert_eq!((run.code, &*run.err), (1, ""));
    assert!(run.out.starts_with(&format!("{BEGUN}\nUsage: phoneprov-build ")), "{}", run.out);
    // Variables of the environment go before those of the file.
    system.set("PHONEPROV_GW_IF", "INT2IF");
    system.deploy(mass, "-f").is(0, &done(1), "");
    assert_eq!(address(&system), "10.9.8.1\n");
    system.set("PHONEPROV_GW_IP", "172.16.0.9");
    system.deploy(mass, "-f -i INT3IF").is(0, &done(1), "");
    assert_eq!(address(&system), "172.16.0.9\n");
}

#[test]
fn another_base_folder() {
    let mut system = Box::new(&[]);
    system.write("elsewhere/templates/desk.conf", DESK);
    system.set("PHONEPROV_BASE_DIR", "/mnt/kd/elsewhere");
    system.deploy("desk 00:15:65:00:00:01 21 s\n", "").is(0, &done(1), "");
    assert!(system.has("elsewhere/desk/001565000001.cfg"));
}

#[test]
fn case_22_wrong_usage() {
    let system = Box::new(&[("desk", DESK)]);
    system.write("empty.conf", "# nothing\n\n  \t\n");
    system.write("short.conf", "desk 00:15:65:00:00:01\n");
    for (command, line, error) in [
        ("massdeploy", "", ""),
        ("massdeploy", "-h", ""),
        ("massdeploy", "--help file", ""),
        ("massdeploy", "--bogus x", "phoneprov-massdeployment: unrecognized option '--bogus'\n"),
        ("massdeploy", "-x file", "phoneprov-massdeployment: invalid option -- 'x'\n"),
        ("phoneprov-build", "", ""),
        ("phoneprov-build", "-h", ""),
        ("phoneprov-build", "desk", ""),
        ("phoneprov-build", "desk 00:15:65:00:00:01", ""),
        ("phoneprov-build", "-p x", "phoneprov-build: invalid option -- 'p'\n"),
    ] {
        let run = system.run(command, line);
        assert_eq!((run.code, &*run.err), (1, error), "{command} {line}");
        let name = if command == "massdeploy" { "phoneprov-massdeployment" } else { command };
        let begin = format!("\nUsage: {name} [options...] ");
        assert!(run.out.starts_with(&begin) && run.out.ends_with("\n\n"), "{}", run.out);
        for option in ["-f, --force-overwrite", "-i, --if-name", "--strict-compat"] {
            assert!(run.out.contains(option), "{}", run.out);
        }
        assert_eq!(run.out.contains("-a, --auto-pass"), command == "massdeploy");
    }
    system.run("massdeploy", "none.conf").is(
        1,
        "",
        "phoneprov-massdeployment: file not found: none.conf\n",
    );
    system.run("massdeploy", "empty.conf").is(0, &done(0), "");
    assert_eq!((system.rows(), system.has("asterisk")), (None, false));
    let run = system.run("massdeploy", "short.conf");
    assert_eq!((run.code, &*run.err), (1, "phoneprov-massdeployment: short.conf: line 1\n"));
    assert!(run.out.starts_with(&format!("{BEGUN}\nUsage: phoneprov-build ")), "{}", run.out);
    assert!(!system.has("asterisk"));
}

#[test]
fn case_28_what_is_there_is_not_overwritten_unasked() {
    let system = Box::new(&[("desk", DESK)]);
    system.write("phoneprov/desk/001565000002.cfg", "old\n");
    let mass = "desk 00:15:65:00:00:01 21 s\ndesk 00:15:65:00:00:02 22 s\n";
    system.write("mass.conf", mass);
    let before = system.tree();
    let exists = |path: &str| format!("phoneprov-build: File \"/mnt/kd/{path}\" exists.\n");
    let hint = "phoneprov-massdeployment: Use -f or --force-overwrite option to overwrite.\n\
                Files left unchanged.\n";
    let told =
        exists("phoneprov/desk/001565000002.cfg") + "phoneprov-massdeployment: mass.conf: line 2\n";
    system.deploy(mass, "").is(2, &format!("{BEGUN}.{hint}"), &told);
    assert_eq!(system.tree(), before, "files were left unchanged indeed");
    system.deploy(mass, "-f").is(0, &done(2), "");
    assert_eq!(system.read("phoneprov/desk/001565000002.cfg"), "user=22\npass=s\n");
    // The gathered files are looked at first.
    let told = exists("asterisk/includes/astlinux-phoneprov-exten.conf")
        + "phoneprov-massdeployment: mass.conf: line 1\n";
    system.deploy(mass, "").is(2, &format!("{BEGUN}{hint}"), &told);
    // Two phones that write the same file: the later counts, if that is wanted.
    let same = "desk 00:15:65:00:00:09 28 s\ndesk 00:15:65:00:00:09 29 s\n";
    let fresh = Box::new(&[("desk", DESK)]);
    assert_eq!(fresh.deploy(same, "").code, 2);
    fresh.deploy(same, "-f").is(0, &done(2), "");
    assert_eq!(fresh.read("phoneprov/desk/001565000009.cfg"), "user=29\npass=s\n");
}

/// Puts a program that writes its arguments to `/mnt/kd/called`.
fn program(system: &Box, path: &std::path::Path, code: u8) {
    let called = system.kd().join("called");
    let text = format!("#!/bin/sh\necho \"${{0##*/}} $*\" >>{}\nexit {code}\n", called.display());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn asterisk_is_told_to_reload() {
    let mut system = Box::new(&[("desk", DESK)]);
    let programs = system.folder().join("bin");
    program(&system, &programs.join("asterisk"), 0);
    let search = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    system.set("PATH", &search);
    let reloading = "Auto-reloading Asterisk 'dialplan' and 'sip'.\n";
    let mass = "desk 00:15:65:00:00:01 21 s\n";
    system.deploy(mass, "-r").is(0, &format!("{}{reloading}", done(1)), "");
    let both = "asterisk -rx dialplan reload\nasterisk -rx sip reload\n";
    assert_eq!(system.read("called"), both);
    assert_eq!(system.deploy(mass, "-r").code, 2);
    assert_eq!(system.read("called"), both, "not after a failure");
    system.run("massdeploy", "-R").is(0, reloading, "");
    assert_eq!(system.read("called"), both.repeat(2));
    // The operator's script goes before Asterisk.
    let script = system.kd().join("phoneprov-reload.script");
    program(&system, &script, 0);
    system.run("massdeploy", "--only-reload").is(0, reloading, "");
    assert_eq!(system.read("called"), format!("{}phoneprov-reload.script \n", both.repeat(2)));
    program(&system, &script, 3);
    let run = system.run("massdeploy", "-R");
    assert_eq!((run.code, &*run.out), (1, reloading));
    assert!(run.err.contains("the reload failed"), "{}", run.err);
    system.run("massdeploy", "-R --strict-compat").is(
        0,
        reloading,
        &run.err.replace("phoneprov-massdeployment: the reload failed: ", ""),
    );
}

#[test]
fn nothing_leads_out_of_the_root() {
    let system = Box::new(&[
        ("up", "[general]\nprov_path=/mnt/kd/../../../out\n[phoneprov]\nx\n"),
        ("link", "[general]\nprov_path=/mnt/kd\nprov_file=link\n[phoneprov]\nx\n"),
    ]);
    let outside = system.folder().join("outside");
    std::fs::write(&outside, "old").unwrap();
    std::os::unix::fs::symlink(&outside, system.kd().join("link")).unwrap();
    for template in ["up", "link"] {
        let run = system.deploy(&format!("{template} 00:15:65:00:00:01 21 s\n"), "-f");
        assert_eq!(run.code, 1);
        assert!(run.err.contains("out of --root"), "{}", run.err);
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "old");
}
