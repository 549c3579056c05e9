//! What must hold for any bytes whatever; the fuzz targets run the same.

use provost::phone::{Settings, Vendor};
use provost::provision::digium::{Name, Option60, Option66, read};
use provost::provision::{
    Directives, Folders, Inputs, Kind, RenderError, Subject, Templates, Wanted, family,
};

/// Renders a phone's own file of these settings and templates.
fn render(settings: &Settings, templates: &Templates) -> Result<String, RenderError> {
    let (directives, folders) = (Directives::default(), Folders::default());
    let inputs = Inputs {
        subject: Subject {
            mac: "000fd3a1b2c3".parse().ok(),
            model: "D65",
            names: &[],
            template: "",
            directives: &directives,
        },
        site: "hq",
        settings,
        own: settings,
        lines: &[],
        keys: &[],
        contacts: &[],
        folders: &folders,
        firmware: None,
        acs: None,
        secrets: true,
        templates,
    };
    let wanted = Wanted { kind: Kind::Own, name: "000fd3a1b2c3.cfg".into() };
    let draft = family(Vendor::Digium).render(&wanted, &inputs)?;
    Ok(String::from_utf8(draft.body).unwrap_or_else(|error| panic!("{error}")))
}

/// A setting, its name before the first line break: refused, or a document in
/// which it adds no account.
pub(crate) fn setting(text: &str) {
    let _ = (Option60::parse(text), Option66::parse(text));
    let (name, value) = text.split_once('\n').unwrap_or((text, ""));
    let _ = Name::parse(name);
    let settings = Settings::from([(name.into(), value.into())]);
    let Ok(text) = render(&settings, &Templates::default()) else { return };
    let tags = read(&text, "config").unwrap_or_else(|error| panic!("{error}: {text}"));
    let accounts = tags.iter().filter(|tag| tag.name == "account").count();
    assert_eq!(accounts, usize::from(name.starts_with("account/")), "{text}");
}

/// A template is refused, fails, or what comes out is a document.
pub(crate) fn template(source: &str) {
    let own = [("digium/own.xml".to_owned(), source.to_owned())];
    let Ok(templates) = Templates::with(own) else { return };
    let Ok(text) = render(&Settings::new(), &templates) else { return };
    assert!(read(&text, "config").is_ok(), "{text}");
}
