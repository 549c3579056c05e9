//! Phone, accounts and layers into the body of a file.
//!
//! A template turns accounts, keys and directives into rows in the vendor's own
//! words, `MODULE/Key` → value (`AUTOUPDATE/Flash Interval` → `24`). Settings are
//! such rows themselves, so that whatever a firmware knows can be set; they never
//! pass a template, and win over what it wrote.

use std::borrow::Cow;

use super::context::{Context, Scope, check_words};
use super::names::file_named;
use super::rows::{Rows, line_of};
use super::sections::{Entry, Section, header, take_apart};
use super::text::{TextError, body};
use super::{Generation, VersionForm, common_file, is_secret};
use crate::device::Secret;
use crate::phone::{Account, Settings};
use crate::provision::{DIRECTIVE_PREFIX, Dialect, Inputs, Line, RenderError};

/// Lines without an account are switched off up to this one, because a phone
/// keeps whatever a file does not name.
const LINES: u8 = 20;
/// The vendor's template.
const TEMPLATE: &str = "fanvil/own.rows";

/// A body and what became of its secrets.
#[derive(Debug)]
pub(super) struct Made {
    /// The body, without the version.
    pub(super) body: String,
    /// Whether a secret was left out.
    pub(super) withheld: bool,
}

/// Makes the body of a configuration file.
pub(super) fn configuration(
    inputs: &Inputs<'_>,
    scope: Scope,
    dialect: Dialect,
    form: VersionForm,
) -> Result<Made, RenderError> {
    let generation = Generation::from(form);
    let settings = match scope {
        Scope::Own => inputs.own,
        Scope::Common | Scope::Whole => inputs.settings,
    };
    let withheld = !inputs.secrets && would_tell(inputs, scope, settings);
    let context = Context::new(inputs, scope, generation, withheld)?;
    let template = template_name(inputs.subject.template);
    let text = inputs.templates.render(&template, context)?;
    let mut rows = Rows::new(generation, inputs.secrets);
    rows.read(&template, &text)?;
    if scope != Scope::Common {
        unused_lines(&mut rows, inputs.lines, settings)?;
    }
    rows.set_all(settings)?;
    let withheld = withheld || rows.withheld();
    Ok(Made { body: body(&rows.sections(), dialect, form)?, withheld })
}

/// Whether secrets would stand in the file if they might.
fn would_tell(inputs: &Inputs<'_>, scope: Scope, settings: &Settings) -> bool {
    (scope != Scope::Common && !inputs.lines.is_empty())
        || inputs.subject.directives.admin_password.is_some()
        || inputs.acs.is_some_and(|acs| acs.password.is_some())
        || settings.keys().any(|name| is_secret(name) && !name.starts_with(DIRECTIVE_PREFIX))
}

/// Switches off what has neither an account nor a setting, and checks that no
/// line is used twice.
fn unused_lines<'a>(
    rows: &mut Rows<'a>,
    lines: &[Line<'_>],
    settings: &Settings,
) -> Result<(), RenderError> {
    let mut used = [false; 256];
    for number in lines.iter().map(|line| line.account.line) {
        match used.get_mut(usize::from(number)) {
            Some(used) if !*used && number > 0 => *used = true,
            _ => return Err(RenderError::Line(number)),
        }
    }
    for number in settings.keys().filter_map(|name| line_of(name)) {
        used.get_mut(usize::from(number)).into_iter().for_each(|used| *used = true);
    }
    for number in 1..=LINES {
        if !used.get(usize::from(number)).is_some_and(|used| *used) {
            rows.make_line(number, "Enable Reg", "0");
        }
    }
    Ok(())
}

/// The template's full name: a phone's `image-server` is `fanvil/image-server.rows`.
fn template_name(own: &str) -> Cow<'_, str> {
    match own {
        "" => Cow::Borrowed(TEMPLATE),
        full if full.contains('/') => Cow::Borrowed(full),
        short => format!("fanvil/{short}.rows").into(),
    }
}

/// Checks one setting before it is taken into the inventory.
///
/// # Errors
/// [`RenderError::SettingName`] or [`RenderError::Text`].
pub fn check_setting(name: &str, value: &str) -> Result<(), RenderError> {
    let (module, list, key) = take_apart(name).ok_or_else(|| RenderError::SettingName {
        name: name.chars().take(64).collect(),
        wanted: "write MODULE/Key, as in AUTOUPDATE/Flash Interval",
    })?;
    let entry = Entry {
        list: list.map(Cow::Borrowed),
        key: Cow::Borrowed(key),
        value: Cow::Borrowed(value),
    };
    let section = Section { header: header(module), entries: vec![entry] };
    body(&[section], Dialect::Text, VersionForm::TenDigits)?;
    Ok(())
}

/// Checks one account before it is taken into the inventory.
///
/// # Errors
/// [`RenderError::Line`], [`RenderError::Text`] or [`RenderError::Word`].
pub fn check_account(account: &Account, password: Option<&Secret>) -> Result<(), RenderError> {
    /// Longer texts are no names, numbers or passwords, and might not fit a row.
    const LONGEST: usize = 1024;
    if account.line == 0 {
        return Err(RenderError::Line(0));
    }
    let texts = [
        ("Phone Number", account.user.len()),
        ("Register User", account.auth_user.len()),
        ("Register Addr", account.server.len()),
        ("Proxy Addr", account.outbound_proxy.len()),
        ("MWI Num", account.voicemail.len()),
        ("Register Pswd", password.map_or(0, |password| password.expose().len())),
    ];
    if let Some((key, _)) = texts.iter().find(|(_, length)| *length > LONGEST) {
        return Err(TextError::Value(format!("SIP{} {key}", account.line)).into());
    }
    check_words(account, password)
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

#[cfg(test)]
mod tests;
