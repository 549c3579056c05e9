//! The table of `docs/SECURITY.md`: each line of the lists has its tests, and they
//! are there.

use std::path::Path;

fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn each_line_of_the_lists_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    sources(&root.join("src"), &mut text);
    sources(&root.join("tests"), &mut text);
    let page = std::fs::read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let lines = (1..=16).map(|n| format!("E{n}")).chain((1..=5).map(|n| format!("F{n}")));
    for line in lines {
        let row = page.lines().find(|row| row.starts_with(&format!("| {line} |")));
        let row = row.unwrap_or_else(|| panic!("{line} has no row"));
        let tests = row.rsplit('|').nth(1).unwrap_or_default();
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{line} names no test");
        for name in names {
            assert!(text.contains(&format!("fn {name}(")), "{line}: there is no test {name}");
        }
    }
}
