//! Names and folders. They are text: no folder of a disk stands behind them.

/// The longest path, in bytes.
const MAX_PATH: usize = 1024;
/// The deepest path, in folders.
const MAX_DEPTH: usize = 32;

/// The path that a name leads to from a folder: from the root if it begins with
/// `/`; `.` and `..` are resolved in the text, and never lead above the root.
/// `None` if the name is none that can be had here.
pub(super) fn join(folder: &str, name: &str) -> Option<String> {
    if name.len() > MAX_PATH || name.contains(|c: char| c.is_control() || c == '\\') {
        return None;
    }
    let folder = if name.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let path = format!("/{}", parts.join("/"));
    (parts.len() <= MAX_DEPTH && path.len() <= MAX_PATH).then_some(path)
}

/// A path as it stands in the answer to PWD (RFC 959, appendix II).
pub(super) fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_in_the_text() {
        for (folder, name, path) in [
            ("/", "a.cfg", "/a.cfg"),
            ("/p", "token/a.cfg", "/p/token/a.cfg"),
            ("/p/token", "/a.cfg", "/a.cfg"),
            ("/p/token", "..", "/p"),
            ("/p", "../../../etc/passwd", "/etc/passwd"),
            ("/p", "./..//q/", "/q"),
            ("/p", "/", "/"),
            ("/", "..a", "/..a"),
        ] {
            assert_eq!(join(folder, name).as_deref(), Some(path), "{folder} {name}");
        }
        for name in ["a\\b", "a\0", "a\n", &"a".repeat(1025), &"a/".repeat(33)] {
            assert_eq!(join("/", name), None, "{name}");
        }
        assert_eq!(quoted("/a\"b"), "\"/a\"\"b\"");
    }

    proptest::proptest! {
        #[test]
        fn no_name_leads_up(folder in "(/[a-z.]{1,3}){0,4}", name in "[a-z./]{0,30}") {
            if let Some(path) = join(&folder, &name) {
                proptest::prop_assert!(path.starts_with('/'));
                proptest::prop_assert!(path.split('/').all(|part| part != ".." && part != "."));
                proptest::prop_assert_eq!(join("/", &path), Some(path.clone()));
            }
        }
    }
}
