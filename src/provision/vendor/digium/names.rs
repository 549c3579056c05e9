//! Which file a name means.

use crate::phone::Mac;
use crate::provision::{Kind, Subject, Wanted};

/// The file for phones that have none of their own. Other vendors' phones ask
/// for the same name, so whoever serves it must know whose phone it is.
pub(super) const ZEROES: &str = "000000000000.cfg";
/// The longest name that is looked at, in bytes.
const LONGEST: usize = 200;

/// The name of a phone's contacts.
pub(super) fn contacts_name(mac: Mac) -> String {
    format!("{mac}-contacts.xml")
}

/// The name of a phone's keys.
pub(super) fn blf_name(mac: Mac) -> String {
    format!("{mac}-blf.xml")
}

/// The files of a phone, its own first.
pub(super) fn files(subject: &Subject<'_>) -> Vec<Wanted> {
    let mut files = Vec::new();
    let mut file = |kind, name: String| files.push(Wanted { kind, name: name.into() });
    if let Some(mac) = subject.mac {
        file(Kind::Own, format!("{mac}.cfg"));
    }
    file(Kind::Common, ZEROES.to_owned());
    if let Some(mac) = subject.mac {
        file(Kind::Side, contacts_name(mac));
        file(Kind::Side, blf_name(mac));
    }
    if let Some(name) = &subject.directives.firmware_file {
        file(Kind::Image, name.to_string());
    }
    files
}

/// Which file a phone means by a name; case says nothing.
pub(super) fn resolve(name: &str, subject: &Subject<'_>) -> Option<Wanted> {
    if name.len() > LONGEST {
        return None;
    }
    let known = files(subject);
    let found = known.iter().find(|file| file.name.eq_ignore_ascii_case(name));
    let further = || {
        let its = subject.names.iter().any(|its| its.eq_ignore_ascii_case(name));
        known.iter().find(|file| its && file.kind == Kind::Own)
    };
    found.or_else(further).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::Directives;

    #[test]
    fn names_are_found_in_either_case() {
        let directives = Directives {
            firmware_file: Some("2_9_27_D65_firmware.eff".into()),
            ..Directives::default()
        };
        let names = ["lobby.cfg".into()];
        let mac = "000fd3a1b2c3".parse().ok();
        let subject =
            Subject { mac, model: "D65", names: &names, template: "", directives: &directives };
        let told = |name: &str| resolve(name, &subject).map(|wanted| wanted.kind);
        for (name, kind) in [
            ("000fd3a1b2c3.cfg", Kind::Own),
            ("000FD3A1B2C3.cfg", Kind::Own),
            ("Lobby.cfg", Kind::Own),
            ("000000000000.cfg", Kind::Common),
            ("000fd3a1b2c3-contacts.xml", Kind::Side),
            ("000fd3a1b2c3-blf.xml", Kind::Side),
            ("2_9_27_D65_firmware.eff", Kind::Image),
        ] {
            assert_eq!(told(name), Some(kind), "{name}");
        }
        for name in ["000fd3a1b2c4.cfg", "000fd3a1b2c3.xml", "2_9_28_D65_firmware.eff", "", ".."] {
            assert_eq!(told(name), None, "{name}");
        }
        let nobody = Subject { mac: None, ..subject };
        assert_eq!(resolve("000fd3a1b2c3.cfg", &nobody), None);
        assert_eq!(resolve(ZEROES, &nobody).map(|wanted| wanted.kind), Some(Kind::Common));
    }
}
