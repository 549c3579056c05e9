//! Phone, accounts and site into the body of a file.
//!
//! Settings are rows in the vendor's own words, `MODULE/Key` → value
//! (`AUTOUPDATE/Flash Interval` → `24`), so that whatever a firmware knows can
//! be set; what stands in them wins over what is made from accounts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::names::file_named;
use super::text::BodyWriter;
use super::{VersionForm, common_file};
use crate::device::Secret;
use crate::phone::{Account, Settings};
use crate::provision::{Line, RenderError};

/// Lines without an account are switched off up to this one, because a phone
/// keeps whatever a file does not name.
const LINES: u8 = 20;
/// The longest display name, in characters.
const DISPLAY_NAME: usize = 64;
/// The module of the lines.
const SIP: &str = "SIP";
/// Modules whose headers do not end in `CONFIG MODULE`.
const ODD_MODULES: [(&str, &str); 3] = [
    ("SIP Hotspot", "SIP Hotspot MODULE"),
    ("FIRMWARE CHECK", "FIRMWARE CHECK MODULE"),
    ("PHONE FEATURE", "PHONE FEATURE MODULE"),
];

/// Checks one setting before it is taken into the inventory.
///
/// # Errors
/// [`RenderError::SettingName`] or [`RenderError::Text`].
pub fn check_setting(name: &str, value: &str) -> Result<(), RenderError> {
    let mut draft = Draft::default();
    draft.set(name, value)?;
    draft.body(VersionForm::TenDigits).map(drop)
}

/// Checks one account before it is taken into the inventory.
///
/// # Errors
/// [`RenderError::Line`] or [`RenderError::Text`].
pub fn check_account(account: &Account, password: Option<&Secret>) -> Result<(), RenderError> {
    if account.line == 0 {
        return Err(RenderError::Line(0));
    }
    let mut draft = Draft::default();
    draft.line(&Line { account, password }, true);
    draft.body(VersionForm::TenDigits).map(drop)
}

/// The body of the common file of a model at a site.
///
/// Without `secrets`, settings whose keys name a password or a key are left
/// out.
///
/// # Errors
/// [`RenderError`] for a setting that cannot be written.
pub fn render_common(
    settings: &Settings,
    form: VersionForm,
    secrets: bool,
) -> Result<String, RenderError> {
    let mut draft = Draft::default();
    draft.set_all(settings, secrets)?;
    draft.body(form)
}

/// The body of a phone's own file: its accounts, then its settings.
///
/// Without `secrets`, passwords and settings whose keys name a password or a
/// key are left out.
///
/// # Errors
/// [`RenderError`] for an account or a setting that cannot be written.
pub fn render_device(
    settings: &Settings,
    lines: &[Line<'_>],
    secrets: bool,
    form: VersionForm,
) -> Result<String, RenderError> {
    let mut draft = Draft::default();
    let mut used = [false; 256];
    for line in lines {
        let number = line.account.line;
        match used.get_mut(usize::from(number)) {
            Some(used) if !*used && number > 0 => *used = true,
            _ => return Err(RenderError::Line(number)),
        }
        draft.line(line, secrets);
    }
    for number in settings.keys().filter_map(|name| line_of(name)) {
        used.get_mut(usize::from(number)).into_iter().for_each(|used| *used = true);
    }
    for number in 1..=LINES {
        if !used.get(usize::from(number)).is_some_and(|used| *used) {
            draft.make(number, "Enable Reg", Cow::Borrowed("0"));
        }
    }
    draft.set_all(settings, secrets)?;
    draft.body(form)
}

/// Whether a setting's key names something secret.
pub fn is_secret(name: &str) -> bool {
    let key = name.split_once('/').map_or(name, |(_, key)| key).to_ascii_lowercase();
    ["password", "passwd", "pswd", "pwd", "secret", "file key", "crypto key"]
        .iter()
        .any(|word| key.contains(word))
        || key.split(' ').any(|word| word == "pin")
}

impl VersionForm {
    /// The form of a model's firmware; ten digits if the model is unknown.
    pub fn of_model(model: &str) -> Self {
        common_file(model).map_or(Self::TenDigits, |file| file.form)
    }

    /// The form of the model that a common file of this name is for.
    pub fn of_file(name: &str) -> Option<Self> {
        file_named(name).map(|file| file.form)
    }
}

/// Rows by module, in the order in which they were first put.
#[derive(Default)]
struct Draft<'a> {
    modules: BTreeMap<&'a str, Vec<Entry<'a>>>,
    /// How many rows of the SIP module were made from accounts; only these can
    /// be met by a setting, since a setting's name stands once.
    made: usize,
}

/// A key and its value.
type Entry<'a> = (Cow<'a, str>, Cow<'a, str>);

impl<'a> Draft<'a> {
    fn line(&mut self, line: &Line<'a>, secrets: bool) {
        let Account { line: number, user, auth_user, display_name, server, port, .. } =
            line.account;
        let auth_user = if auth_user.is_empty() { user } else { auth_user };
        let mut put = |key: &str, value: Cow<'a, str>| self.make(*number, key, value);
        put("Phone Number", Cow::Borrowed(user));
        put("Display Name", one_line(display_name).into());
        put("Register Addr", Cow::Borrowed(server));
        put("Register Port", port.to_string().into());
        put("Register User", Cow::Borrowed(auth_user));
        if let Some(password) = line.password.filter(|_| secrets) {
            put("Register Pswd", Cow::Borrowed(password.expose()));
        }
        put("Enable Reg", Cow::Borrowed("1"));
    }

    /// Puts a row of a line, made from an account.
    fn make(&mut self, line: u8, key: &str, value: Cow<'a, str>) {
        let rows = self.modules.entry(SIP).or_default();
        rows.push((format!("SIP{line} {key}").into(), value));
        self.made = rows.len();
    }

    fn set_all(&mut self, settings: &'a Settings, secrets: bool) -> Result<(), RenderError> {
        for (name, value) in settings {
            if secrets || !is_secret(name) {
                self.set(name, value)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &'a str, value: &'a str) -> Result<(), RenderError> {
        let bad = || RenderError::SettingName {
            name: name.chars().take(64).collect(),
            wanted: "write MODULE/Key, as in AUTOUPDATE/Flash Interval",
        };
        let (module, key) = name.split_once('/').ok_or_else(bad)?;
        if module.is_empty() || key.is_empty() {
            return Err(bad());
        }
        let made = if module == SIP { self.made } else { 0 };
        let rows = self.modules.entry(module).or_default();
        let met = rows.iter_mut().take(made).find(|(known, _)| known.eq_ignore_ascii_case(key));
        match met {
            Some((_, known)) => *known = Cow::Borrowed(value),
            None => rows.push((Cow::Borrowed(key), Cow::Borrowed(value))),
        }
        Ok(())
    }

    /// Modules by name, in each the plain rows before the lists.
    fn body(self, form: VersionForm) -> Result<String, RenderError> {
        let mut body = BodyWriter::new(form);
        for (module, mut rows) in self.modules {
            body.module(&header(module))?;
            // A stable sort: within a list the order stays as it was.
            rows.sort_by_cached_key(|(key, _)| list_of(key));
            let mut list = None;
            for (key, value) in rows {
                let its = list_of(&key);
                if let Some(marker) = its.filter(|_| its != list) {
                    body.list(marker)?;
                }
                list = its;
                body.entry(&key, &value)?;
            }
        }
        Ok(body.end())
    }
}

/// The words between the brackets of a module's header.
fn header(module: &str) -> Cow<'_, str> {
    let odd = ODD_MODULES.iter().find(|(short, _)| short.eq_ignore_ascii_case(module));
    match odd {
        Some((_, header)) => Cow::Borrowed(header),
        None if module.ends_with(" MODULE") => Cow::Borrowed(module),
        None => format!("{module} CONFIG MODULE").into(),
    }
}

/// The marker of the sub-list that a key belongs to.
fn list_of(key: &str) -> Option<&'static str> {
    const NUMBERED: [(&str, &str); 4] = [
        ("Fkey", "--Function Key--"),
        ("Account", "--MMI Account--"),
        ("P", "--Port Config--"),
        ("SIP", "--SIP Line List--"),
    ];
    const NAMED: [(&str, &str); 3] = [
        ("DHCP Option", "--Net Option--"),
        ("DHCPv6 Option", "--Net Option--"),
        ("PNP ", "--Sip Pnp List--"),
    ];
    let digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let numbered = NUMBERED.iter().find(|(start, _)| key.strip_prefix(start).is_some_and(digit));
    let named = || NAMED.iter().find(|(start, _)| key.starts_with(start));
    numbered.or_else(named).map(|(_, marker)| *marker)
}

/// The line that a setting `…/SIP<number> …` says something about.
fn line_of(name: &str) -> Option<u8> {
    let (_, key) = name.split_once('/')?;
    let start = key.get(..3).filter(|start| start.eq_ignore_ascii_case(SIP))?;
    let (number, _) = key.strip_prefix(start)?.split_once(' ')?;
    number.parse().ok()
}

/// A display name is free text: what would end the line becomes a blank.
fn one_line(text: &str) -> String {
    let blank = |c: char| match c {
        '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().take(DISPLAY_NAME).map(blank).collect()
}

#[cfg(test)]
mod tests;
