//! What must hold for any bytes whatever; the fuzz target runs the same.

use provost::provision::audiocodes::{
    Line, Options, Urls, check_setting, read, resolve_linked, write,
};

/// A file is read or refused. What was read and can be written reads back the
/// same; and files that include one another end.
pub(crate) fn file(bytes: &[u8]) {
    let _ = resolve_linked("own.cfg", &|_| Some(bytes.to_vec()));
    let mac = "00908f602aac".parse().unwrap_or_else(|error| panic!("{error}"));
    let one = Some(bytes);
    for options in [
        Options { o160: one, ..Options::default() },
        Options { o66: one, o67: one, ..Options::default() },
        Options { o43: one, ..Options::default() },
    ] {
        let _ = Urls::from_options(&options, "440HD", mac);
    }
    let Ok(lines) = read(bytes) else { return };
    let includes = lines.iter().filter_map(|line| match line {
        Line::Include(name) => Some(*name),
        Line::Set { .. } => None,
    });
    let settings = lines.iter().filter_map(|line| match line {
        Line::Include(_) => None,
        Line::Set { path, value } => Some((*path, *value)),
    });
    for (path, value) in settings.clone() {
        let _ = check_setting(path, value, "440HD");
    }
    let Ok(text) = write(includes.clone(), settings.clone()) else { return };
    let again = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let expected: Vec<Line<'_>> = includes
        .map(Line::Include)
        .chain(settings.map(|(path, value)| Line::Set { path, value }))
        .collect();
    assert_eq!(again, expected, "{text}");
}
