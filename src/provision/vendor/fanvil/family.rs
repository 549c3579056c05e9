//! Fanvil's formats behind the seam that all vendors share.

use std::borrow::Cow;

use super::render::{render_common, render_device};
use super::{Agent, CommonFile, Named, VersionForm, common_file, resolve};
use super::{assemble, check_account, check_setting, encrypt, is_secret};
use crate::device::Secret;
use crate::phone::{Account, Mac, Vendor};
use crate::provision::{
    AgentClaim, Ciphers, Dialect, Draft, Family, Inputs, Kind, RenderError, Subject, Versioned,
    Wanted,
};

/// Fanvil's formats.
pub static FAMILY: Fanvil = Fanvil;

/// Fanvil and its OEM brands.
#[derive(Debug)]
pub struct Fanvil;

impl Family for Fanvil {
    fn vendor(&self) -> Vendor {
        Vendor::Fanvil
    }

    fn ouis(&self) -> &'static [[u8; 3]] {
        &[[0x0c, 0x38, 0x3e], [0x00, 0xa8, 0x59]]
    }

    fn agent(&self, user_agent: &str) -> Option<AgentClaim> {
        let Agent { model, firmware, mac } = Agent::parse(user_agent);
        (!model.is_empty() && !firmware.is_empty()).then_some(AgentClaim { model, firmware, mac })
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
        // Without a phone only common files can be meant; no phone has the
        // broadcast address.
        let mac = subject.mac.or_else(|| Mac::try_from([0xff; 6]).ok())?;
        match resolve(name, mac, subject.model)? {
            Named::Device => {
                Some(Wanted { kind: Kind::Own, name: format!("{}.cfg", subject.mac?).into() })
            }
            Named::Common(file) => {
                let name = file.names.first().copied().unwrap_or(file.model);
                Some(Wanted { kind: Kind::Common, name: name.into() })
            }
        }
    }

    fn files(&self, subject: &Subject<'_>) -> Vec<Wanted> {
        let common = common_file(subject.model).and_then(|file| file.names.first());
        let common = common.map(|name| Wanted { kind: Kind::Common, name: (*name).into() });
        let own =
            subject.mac.map(|mac| Wanted { kind: Kind::Own, name: format!("{mac}.cfg").into() });
        common.into_iter().chain(own).collect()
    }

    fn render(&self, wanted: &Wanted, inputs: &Inputs<'_>) -> Result<Draft, RenderError> {
        let form = form_of(wanted, &inputs.subject);
        let body = match wanted.kind {
            Kind::Own => render_device(inputs.own, inputs.lines, inputs.secrets, form)?,
            Kind::Common | Kind::Side | Kind::Image => {
                render_common(inputs.settings, form, inputs.secrets)?
            }
        };
        let told = match wanted.kind {
            Kind::Own => inputs.own,
            _ => inputs.settings,
        };
        let withheld = !inputs.secrets
            && (told.keys().any(|name| is_secret(name)) || !inputs.lines.is_empty());
        Ok(Draft {
            body: body.into_bytes(),
            media: "text/plain",
            versioned: Versioned::Fanvil(form, Dialect::Text),
            withheld,
        })
    }

    fn version(&self, draft: &Draft, counter: u64) -> Result<String, RenderError> {
        match draft.versioned {
            Versioned::Fanvil(form, _) => Ok(form.text(counter)?),
            Versioned::Not => Ok(String::new()),
        }
    }

    fn finish(&self, draft: &Draft, version: &str) -> Result<Vec<u8>, RenderError> {
        match draft.versioned {
            Versioned::Fanvil(..) => Ok(assemble(version, &String::from_utf8_lossy(&draft.body))?),
            Versioned::Not => Ok(draft.body.clone()),
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

    fn address<'a>(&self, folder: &'a str, _subject: &Subject<'_>) -> Cow<'a, str> {
        Cow::Borrowed(folder)
    }
}

/// How the versions of a file are written.
fn form_of(wanted: &Wanted, subject: &Subject<'_>) -> VersionForm {
    let by_name = |file: &CommonFile| file.names.iter().any(|name| *name == &*wanted.name);
    match common_file(subject.model) {
        Some(file) if wanted.kind == Kind::Own || by_name(file) => file.form,
        _ => VersionForm::of_file(&wanted.name).unwrap_or(VersionForm::of_model(subject.model)),
    }
}
