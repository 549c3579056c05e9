//! The phones of a mass deployment as `provost phone import` takes them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::options::Options;
use super::stop::{Failure, Stop};
use super::system::System;
use crate::provision::astlinux::{self, ImportError, Imported, Mode, Template};

/// A JSON array with a phone a line. Passwords are in it.
///
/// # Errors
/// What is wrong with the first line that cannot be taken over.
pub(super) fn list(system: &System, options: &Options, text: &[u8]) -> Result<String, Failure> {
    let server = system.server(options)?;
    let mut templates: BTreeMap<Box<str>, Template> = BTreeMap::new();
    for row in astlinux::rows(text, Mode::Right)? {
        let name = row.words[0].unwrap_or_default();
        if !templates.contains_key(name) {
            templates.insert(name.into(), system.template(name, Mode::Right)?);
        }
    }
    let told = |error: ImportError| Stop::Mass(error.to_string());
    let phones = astlinux::import(text, &templates, &server).map_err(told)?;
    let phones: Vec<String> =
        phones.iter().map(|phone| as_json(phone, &server.ipv4).to_string()).collect();
    Ok(format!("[\n{}\n]\n", phones.join(",\n")))
}

fn as_json(phone: &Imported, server: &str) -> Value {
    let accounts = phone.lines.iter().map(|line| {
        json!({
            "line": line.number,
            "user": line.ext,
            "auth_user": line.account,
            "password": line.password.expose(),
            "display_name": line.cid_name,
            "server": server,
        })
    });
    json!({
        "mac": phone.mac,
        "vendor": "astlinux",
        "model": phone.model,
        "template": phone.template,
        "names": phone.file.iter().map(|file| &file.path).collect::<Vec<_>>(),
        "accounts": accounts.collect::<Vec<_>>(),
        "settings": phone.settings,
    })
}
