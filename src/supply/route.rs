//! What a path says: by which way, and which name.

/// The longest path that is looked at, in bytes.
const MAX_PATH: usize = 512;
/// The most segments of a path.
const MAX_SEGMENTS: usize = 8;

/// By which way a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way<'a> {
    /// `/p/<token>/…`: a phone's own folder.
    Phone(&'a str),
    /// `/s/<token>/…`: the folder of all phones of a site.
    Site(&'a str),
    /// By name alone.
    Open,
}

/// A path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route<'a> {
    pub(super) way: Way<'a>,
    /// What follows, without a `/` at either end.
    pub(super) name: String,
}

impl<'a> Route<'a> {
    /// Takes a path apart; empty segments do not count. `None` for what no phone
    /// asks for: control characters, backslashes, `.` and `..`.
    pub(super) fn read(path: &'a str) -> Option<Self> {
        let odd = |c: char| c.is_control() || c == '\\';
        if path.len() > MAX_PATH || path.contains(odd) {
            return None;
        }
        let mut segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if segments.len() > MAX_SEGMENTS || segments.iter().any(|part| matches!(*part, "." | ".."))
        {
            return None;
        }
        let way = match *segments.as_slice() {
            ["p", token, _, ..] => Way::Phone(token),
            ["s", token, _, ..] => Way::Site(token),
            ["p" | "s" | "f", ..] | [] => return None,
            _ => Way::Open,
        };
        let used = match way {
            Way::Phone(_) | Way::Site(_) => 2,
            // AstLinux serves the files of its mass deployments below this one.
            Way::Open => usize::from(segments.len() > 1 && segments.first() == Some(&"phoneprov")),
        };
        segments.drain(..used);
        Some(Self { way, name: segments.join("/") })
    }

    /// The names that may be meant: all that follows, then its last segment.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let last = self.name.rsplit_once('/').map(|(_, last)| last);
        std::iter::once(&*self.name).chain(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<(Way<'_>, String)> {
        Route::read(path).map(|route| (route.way, route.name))
    }

    #[test]
    fn a_path_is_taken_apart() {
        for (path, way, name) in [
            ("/p/abc/x.cfg", Way::Phone("abc"), "x.cfg"),
            ("p//abc//x.cfg", Way::Phone("abc"), "x.cfg"),
            ("/p/abc/yealink/x.cfg", Way::Phone("abc"), "yealink/x.cfg"),
            ("/s/abc/x.cfg", Way::Site("abc"), "x.cfg"),
            ("/x.cfg", Way::Open, "x.cfg"),
            ("x.cfg", Way::Open, "x.cfg"),
            ("/phoneprov/yealink/x.cfg", Way::Open, "yealink/x.cfg"),
            ("/phoneprov", Way::Open, "phoneprov"),
            ("/cisco/x.cfg", Way::Open, "cisco/x.cfg"),
        ] {
            assert_eq!(read(path), Some((way, name.to_owned())), "{path}");
        }
        let long = "x".repeat(600);
        for path in
            ["", "/", "/p/abc", "/s/abc/", "/p", "/f/x/y", "/../x", "a/./b", "a\\b", "x\0", &long]
        {
            assert_eq!(read(path), None, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_leaves_its_folder(path in "[a-p/.\\\\ ]{0,40}") {
            if let Some(route) = Route::read(&path) {
                proptest::prop_assert!(!route.name.is_empty());
                proptest::prop_assert!(route.name.split('/').all(|s| !matches!(s, "" | "." | "..")));
            }
        }
    }
}
