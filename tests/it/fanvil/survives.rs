//! What must hold for any bytes whatever; the fuzz targets run the same.

use provost::device::Secret;
use provost::phone::{Settings, Vendor};
use provost::provision::fanvil::Text;
use provost::provision::{
    Dialect, Directives, Folders, Inputs, Kind, Subject, Templates, Wanted, family,
};

/// A file is read or refused, and what was read can be written as text, which
/// reads back the same; as XML it is written the same or refused.
pub(crate) fn file(bytes: &[u8]) {
    let Ok(text) = Text::read_any(bytes) else { return };
    let written = text.write().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(Text::read_any(&written).as_ref(), Ok(&text));
    for dialect in [Dialect::Xml, Dialect::SysConf] {
        let Ok(written) = text.write_as(dialect) else { continue };
        let again = Text::read_any(&written)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&written)));
        assert_eq!(again.version, text.version);
        assert_eq!(again.settings().count(), text.settings().count(), "{dialect:?}");
    }
}

/// A template is refused, fails, or its rows become a file that reads back.
pub(crate) fn template(source: &str) {
    let own = [("fanvil/own.rows".to_owned(), source.to_owned())];
    let Ok(templates) = Templates::with(own) else { return };
    let password = Secret::new("adm<in>");
    let (settings, folders) = (Settings::new(), Folders::default());
    for dialect in [Dialect::Text, Dialect::Xml, Dialect::SysConf] {
        let directives = Directives {
            dialect: Some(dialect),
            admin_password: Some(password.clone()),
            ..Directives::default()
        };
        let inputs = Inputs {
            subject: Subject {
                mac: "0c383e07e16c".parse().ok(),
                model: "X6",
                names: &[],
                template: "",
                directives: &directives,
            },
            site: "hq",
            settings: &settings,
            own: &settings,
            lines: &[],
            keys: &[],
            contacts: &[],
            folders: &folders,
            firmware: None,
            acs: None,
            secrets: false,
            templates: &templates,
        };
        let fanvil = family(Vendor::Fanvil);
        let wanted = Wanted { kind: Kind::Own, name: "0c383e07e16c.cfg".into() };
        let Ok(draft) = fanvil.render(&wanted, &inputs) else { continue };
        let file = fanvil.finish(&draft, "2.0000000001").unwrap_or_else(|error| panic!("{error}"));
        let read = Text::read_any(&file);
        assert!(read.is_ok(), "{read:?}: {}", String::from_utf8_lossy(&file));
    }
}
