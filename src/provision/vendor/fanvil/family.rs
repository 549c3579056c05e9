//! Fanvil's formats behind the seam that all vendors share.

use std::borrow::Cow;

use super::agent::{OUIS, claim};
use super::context::{Scope, safest};
use super::names::{firmware_check_name, is_firmware_check, own_ending};
use super::render::configuration;
use super::side::{boot_line, firmware_check, phone_book};
use super::{
    Agent, CommonFile, PHONE_BOOK, VersionForm, assemble_as, check_account, check_setting,
    common_file, common_file_named, encrypt, is_secret,
};
use crate::device::Secret;
use crate::phone::{Account, Vendor};
use crate::provision::{
    AgentClaim, Ciphers, Dialect, Draft, Family, Inputs, Kind, RenderError, Subject, Versioned,
    Wanted,
};

/// Fanvil's formats.
pub static FAMILY: Fanvil = Fanvil;

/// Fanvil and its OEM brands.
#[derive(Debug)]
pub struct Fanvil;

/// The longest name that is looked at.
const MAX_NAME: usize = 255;

impl Family for Fanvil {
    fn vendor(&self) -> Vendor {
        Vendor::Fanvil
    }

    fn ouis(&self) -> &'static [[u8; 3]] {
        OUIS
    }

    fn agent(&self, user_agent: &str) -> Option<AgentClaim> {
        let Agent { model, firmware, mac } = claim(user_agent)?;
        Some(AgentClaim { model, firmware, mac })
    }

    fn takes(&self, name: &str) -> bool {
        let module = name.split_once('/').map(|(module, _)| module);
        module.is_some_and(|module| module.starts_with(|c: char| c.is_ascii_uppercase()))
    }

    fn check_setting(&self, name: &str, value: &str) -> Result<(), RenderError> {
        check_setting(name, value)
    }

    fn check_account(
        &self,
        account: &Account,
        password: Option<&Secret>,
    ) -> Result<(), RenderError> {
        check_account(account, password)
    }

    fn is_secret(&self, name: &str) -> bool {
        is_secret(name)
    }

    fn resolve(&self, name: &str, subject: &Subject<'_>) -> Option<Wanted> {
        if name.is_empty() || name.len() > MAX_NAME {
            return None;
        }
        if let Some(mac) = subject.mac {
            if let Some(ending) = own_ending(name, mac) {
                let kind = if ending == "boot" { Kind::Side } else { Kind::Own };
                return Some(Wanted { kind, name: format!("{mac}.{ending}").into() });
            }
            if let Some(own) = own_name(subject, |known| known == name) {
                return Some(own);
            }
        }
        let image = |like: &dyn Fn(&str) -> bool| {
            let file = subject.directives.firmware_file.as_deref().filter(|file| like(file))?;
            Some(Wanted { kind: Kind::Image, name: file.into() })
        };
        image(&|file| file == name)
            .or_else(|| common(name, subject))
            .or_else(|| beside(name, subject))
            .or_else(|| {
                let any_case = |known: &str| known.eq_ignore_ascii_case(name);
                own_name(subject, any_case).or_else(|| image(&any_case))
            })
    }

    fn files(&self, subject: &Subject<'_>) -> Vec<Wanted> {
        let named = |kind, name: &str| Wanted { kind, name: name.into() };
        let mut files = Vec::new();
        if let Some(name) = common_file(subject.model).and_then(|file| file.names.first()) {
            files.push(named(Kind::Common, name));
        }
        if let Some(mac) = subject.mac {
            files.push(named(Kind::Own, &format!("{mac}.cfg")));
            files.extend(subject.names.iter().map(|name| named(Kind::Own, name)));
        }
        if has_firmware(subject) {
            files.extend(firmware_check_name(subject.model).map(|name| named(Kind::Common, name)));
            let image = subject.directives.firmware_file.as_deref();
            files.extend(image.map(|name| named(Kind::Image, name)));
        }
        if subject.directives.phonebook {
            files.push(named(Kind::Common, PHONE_BOOK));
        }
        files
    }

    fn render(&self, wanted: &Wanted, inputs: &Inputs<'_>) -> Result<Draft, RenderError> {
        let plain = |body: String, media| Draft {
            body: body.into_bytes(),
            media,
            versioned: Versioned::Not,
            withheld: false,
        };
        match wanted.kind {
            Kind::Image => {
                let problem = format!("{} is an uploaded image and is not made", wanted.name);
                Err(RenderError::Incomplete(problem))
            }
            Kind::Side => boot(inputs),
            Kind::Common if &*wanted.name == PHONE_BOOK => {
                Ok(plain(phone_book(inputs.contacts), "text/xml"))
            }
            Kind::Common if is_firmware_check(&wanted.name) => {
                Ok(plain(firmware_check(inputs.firmware)?, "text/plain"))
            }
            Kind::Own | Kind::Common => {
                let form = form_of(wanted, &inputs.subject);
                let dialect = dialect_of(wanted, &inputs.subject);
                let made = configuration(inputs, scope_of(wanted, inputs), dialect, form)?;
                Ok(Draft {
                    body: made.body.into_bytes(),
                    media: if dialect == Dialect::Text { "text/plain" } else { "text/xml" },
                    versioned: Versioned::Fanvil(form, dialect),
                    withheld: made.withheld,
                })
            }
        }
    }

    fn version(&self, draft: &Draft, counter: u64) -> Result<String, RenderError> {
        match draft.versioned {
            Versioned::Fanvil(form, _) | Versioned::FanvilBoot(form) => Ok(form.text(counter)?),
            Versioned::Not => Ok(String::new()),
        }
    }

    fn finish(&self, draft: &Draft, version: &str) -> Result<Vec<u8>, RenderError> {
        let body = String::from_utf8_lossy(&draft.body);
        match draft.versioned {
            Versioned::Fanvil(_, dialect) => Ok(assemble_as(dialect, version, &body)?),
            Versioned::FanvilBoot(_) => {
                let line = body.lines().next().unwrap_or_default();
                Ok(format!("Version={version}\r\n{line}\r\n").into_bytes())
            }
            Versioned::Not => Ok(draft.body.clone()),
        }
    }

    fn key(&self, key: &str) -> Result<Secret, RenderError> {
        super::ConfigKey::parse(key)?;
        Ok(Secret::new(key.to_ascii_lowercase()))
    }

    /// The configuration files, and not what lies beside them.
    fn encrypts(&self, wanted: &Wanted) -> bool {
        match wanted.kind {
            Kind::Own => true,
            Kind::Common => &*wanted.name != PHONE_BOOK && !is_firmware_check(&wanted.name),
            Kind::Side | Kind::Image => false,
        }
    }

    fn encrypt(
        &self,
        ciphers: &Ciphers,
        key: &Secret,
        plain: Vec<u8>,
    ) -> Result<Vec<u8>, RenderError> {
        let key = super::ConfigKey::parse(key.expose())?;
        Ok(encrypt(ciphers.fanvil, &key, &plain))
    }

    /// The folder: the phone asks there for its common file, then for its own. A
    /// form with `$mac` in it would be a custom name, and only that be fetched.
    fn address<'a>(&self, folder: &'a str, _subject: &Subject<'_>) -> Cow<'a, str> {
        Cow::Borrowed(folder)
    }
}

/// The phone's file under a name that an operator gave it.
fn own_name(subject: &Subject<'_>, like: impl Fn(&str) -> bool) -> Option<Wanted> {
    subject.mac?;
    let known = subject.names.iter().find(|known| like(known))?;
    Some(Wanted { kind: Kind::Own, name: known.clone() })
}

/// The common file of a model.
fn common(name: &str, subject: &Subject<'_>) -> Option<Wanted> {
    let file = common_file_named(name, subject.model)?;
    let name = file.names.first().copied().unwrap_or(file.model);
    Some(Wanted { kind: Kind::Common, name: name.into() })
}

/// The small files that phones of a site share, if there is anything in them.
fn beside(name: &str, subject: &Subject<'_>) -> Option<Wanted> {
    let kind = Kind::Common;
    if subject.directives.phonebook && name.eq_ignore_ascii_case(PHONE_BOOK) {
        return Some(Wanted { kind, name: PHONE_BOOK.into() });
    }
    (has_firmware(subject) && is_firmware_check(name))
        .then(|| Wanted { kind, name: name.to_ascii_lowercase().into() })
}

const fn has_firmware(subject: &Subject<'_>) -> bool {
    subject.directives.firmware_file.is_some()
}

/// What stands in a configuration file: a custom name and a model of which no
/// common file is known mean that it is all the phone gets.
fn scope_of(wanted: &Wanted, inputs: &Inputs<'_>) -> Scope {
    if wanted.kind == Kind::Common {
        return Scope::Common;
    }
    let custom = inputs.subject.names.contains(&wanted.name);
    if custom || common_file(inputs.subject.model).is_none() { Scope::Whole } else { Scope::Own }
}

/// How a file is written: text, which all firmware reads, unless the operator or
/// the name's ending says otherwise.
fn dialect_of(wanted: &Wanted, subject: &Subject<'_>) -> Dialect {
    let chosen = subject.directives.dialect.unwrap_or(Dialect::Text);
    match wanted.name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("txt") => Dialect::Text,
        // V62 to V67 since 2.12 pass over <sysConf> without a word, so the
        // older XML is the one to assume.
        Some("xml") if chosen == Dialect::Text => Dialect::Xml,
        _ => chosen,
    }
}

/// A boot file, whose version follows the phone's own file.
fn boot(inputs: &Inputs<'_>) -> Result<Draft, RenderError> {
    let own = match inputs.subject.mac {
        Some(mac) => format!("{mac}.cfg"),
        None => return Err(RenderError::Incomplete("a boot file is for one phone".to_owned())),
    };
    let wanted = Wanted { kind: Kind::Own, name: own.as_str().into() };
    let form = form_of(&wanted, &inputs.subject);
    let made = configuration(inputs, scope_of(&wanted, inputs), Dialect::Text, form)?;
    let folder =
        if inputs.folders.this.is_empty() { safest(inputs.folders) } else { &inputs.folders.this };
    let body = boot_line(folder, &own) + &made.body;
    Ok(Draft {
        body: body.into_bytes(),
        media: "text/plain",
        versioned: Versioned::FanvilBoot(form),
        withheld: false,
    })
}

/// How the versions of a file are written.
fn form_of(wanted: &Wanted, subject: &Subject<'_>) -> VersionForm {
    let by_name = |file: &CommonFile| file.names.contains(&&*wanted.name);
    match common_file(subject.model) {
        Some(file) if wanted.kind == Kind::Own || by_name(file) => file.form,
        _ => VersionForm::of_file(&wanted.name).unwrap_or(VersionForm::of_model(subject.model)),
    }
}

#[cfg(test)]
mod tests;
