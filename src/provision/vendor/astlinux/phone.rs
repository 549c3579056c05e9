//! A phone and its template together: what is written for it.

use super::context::Context;
use super::entry::{Entry, LINES};
use super::general::{Case, Key};
use super::mode::Mode;
use super::original;
use super::template::{Body, Template};
use super::variables::{self, COUNT, UNNUMBERED, Values};
use crate::class::Class;

/// The largest file of one phone, in bytes.
const MAX_FILE: usize = 4 << 20;
/// Where the dialplan and SIP files go.
const INCLUDES: &str = "/mnt/kd/asterisk/includes";

/// What every phone of a deployment is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The value of `@SIP_SERVER_IPV4@`.
    pub ipv4: Box<str>,
    /// The folder of the phones' files; AstLinux serves it as `/phoneprov/`.
    pub base: Box<str>,
}

impl Server {
    /// The base folder unless another is said.
    pub const BASE: &str = "/mnt/kd/phoneprov";

    /// A server with this address and the usual base folder.
    pub fn new(ipv4: impl Into<Box<str>>) -> Self {
        Self { ipv4: ipv4.into(), base: Self::BASE.into() }
    }
}

/// What cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The file would be larger than any phone takes.
    #[error("the [{}] context becomes larger than {MAX_FILE} bytes; shorten the template", .0.name())]
    TooLarge(Context),
    /// The file would lie outside of the base folder.
    #[error("the file {0} does not lie below the base folder; correct prov_path or prov_file")]
    Outside(Box<str>),
}

impl RenderError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::TooLarge(_) => Class::TooLarge,
            Self::Outside(_) => Class::Invalid,
        }
    }
}

/// A phone's own file.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneFile {
    /// The path below the base folder, `yealink/001565224412.cfg`. Its parts are
    /// neither empty nor `.` or `..`.
    pub path: Box<str>,
    /// The bytes; they hold passwords.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for PhoneFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A row of the table `phoneprov`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlRow<'a> {
    /// The extension.
    pub ext: &'a str,
    /// The caller's name.
    pub cid_name: &'a str,
    /// The caller's number.
    pub cid_num: &'a str,
    /// The SIP account.
    pub account: &'a str,
    /// The line, from 1.
    pub line: u8,
    /// The MAC address as it was typed.
    pub mac_addr: &'a str,
    /// The template's name.
    pub template: &'a str,
    /// The model.
    pub model: &'a str,
    /// The vendor.
    pub vendor: &'a str,
    /// `sip` or `pjsip`.
    pub sip_driver: &'a str,
}

/// A phone with everything that is put into its template.
#[derive(Debug)]
pub struct Phone<'a> {
    template: &'a Template,
    entry: &'a Entry,
    server: &'a Server,
    mac: String,
    accounts: [String; LINES],
    /// `None` for `sip`, the usual one.
    sip_driver: Option<String>,
}

impl<'a> Phone<'a> {
    /// Joins a phone with its template.
    pub fn new(template: &'a Template, entry: &'a Entry, server: &'a Server) -> Self {
        let mac: String = entry.mac.chars().filter(|c| *c != ':').collect();
        let mac = Case::of(template.general.mac_case, mac);
        let mut phone =
            Self { template, entry, server, mac, accounts: Default::default(), sip_driver: None };
        let general = &template.general;
        let affix = |key| {
            let affix = general.value(key, &phone.general_values()).unwrap_or_default();
            Case::of(general.account_case, affix)
        };
        let (prefix, suffix) = (affix(Key::AccountPrefix), affix(Key::AccountSuffix));
        let accounts = entry.lines.each_ref().map(|line| match &line.account {
            Some(account) => account.to_string(),
            None => format!("{prefix}{}{suffix}", line.ext),
        });
        let driver = general.value(Key::SipDriver, &phone.general_values());
        phone.sip_driver = driver.map(|word| word.to_ascii_lowercase());
        phone.accounts = accounts;
        phone
    }

    /// Its template.
    pub const fn template(&self) -> &'a Template {
        self.template
    }

    /// The phone's row.
    pub const fn entry(&self) -> &'a Entry {
        self.entry
    }

    /// Its model.
    pub(super) fn model(&self) -> &'a str {
        self.template.general.model.as_deref().unwrap_or(&self.entry.template)
    }

    fn vendor(&self) -> &'a str {
        self.template.general.vendor.as_deref().unwrap_or_else(|| self.model())
    }

    /// The values that are put into `[general]`: an account only if one was given.
    fn general_values(&self) -> Values<'_> {
        let given = self.entry.lines[0].account.as_deref().unwrap_or_default();
        self.values_with(given)
    }

    fn values(&self) -> Values<'_> {
        self.values_with(&self.accounts[0])
    }

    fn values_with<'b>(&'b self, account: &'b str) -> Values<'b> {
        let mut values = [""; COUNT];
        let first = &self.entry.lines[0];
        values[..UNNUMBERED].copy_from_slice(&[
            &self.entry.template,
            self.model(),
            self.vendor(),
            &self.entry.mac,
            &self.mac,
            last(&self.mac, 4),
            last(&self.mac, 6),
            &first.ext,
            &first.cid_name,
            &first.cid_num,
            first.password.expose(),
            account,
            account,
            &self.server.ipv4,
        ]);
        let numbered = values[UNNUMBERED..].chunks_exact_mut((COUNT - UNNUMBERED) / LINES);
        for ((slots, line), account) in numbered.zip(&self.entry.lines).zip(&self.accounts) {
            slots.copy_from_slice(&[
                &line.ext,
                &line.cid_name,
                &line.cid_num,
                line.password.expose(),
                account,
                account,
            ]);
        }
        values
    }

    /// Where a context of the template goes, an absolute path as a rule.
    pub fn path(&self, context: Context) -> String {
        let (folder, file, usual) = context.file();
        let (general, values) = (&self.template.general, self.general_values());
        let folder = general.value(folder, &values).unwrap_or_else(|| match context {
            Context::Phoneprov => format!("{}/{}", self.server.base, self.vendor()),
            _ => INCLUDES.to_owned(),
        });
        let file = general.value(file, &values).unwrap_or_else(|| match context {
            Context::Phoneprov => format!("{}.cfg", self.mac),
            _ => usual.to_owned(),
        });
        format!("{folder}/{file}")
    }

    /// The Asterisk context that a dialplan's entries stand in, if the template
    /// says one.
    pub fn asterisk_context(&self, context: Context) -> Option<String> {
        self.template.general.value(context.asterisk_context()?, &self.general_values())
    }

    /// Appends what the phone has to say in a context: for dialplans its lines,
    /// for SIP and PJSIP its lines and an empty one, for `[phoneprov]` its file.
    /// Nothing if the template has no such context.
    ///
    /// # Errors
    /// [`RenderError::TooLarge`], and nothing is appended.
    pub fn render(&self, context: Context, out: &mut Vec<u8>) -> Result<(), RenderError> {
        let Some(body) = &self.template.bodies[context as usize] else { return Ok(()) };
        let (values, extension) = (self.values(), &*self.entry.lines[0].ext);
        match body {
            Body::Blocks(blocks) => {
                let mine = || blocks.iter().filter(|block| block.is_for(extension));
                let length = mine().map(|block| block.length(&values)).sum::<usize>();
                if length > MAX_FILE {
                    return Err(RenderError::TooLarge(context));
                }
                out.reserve(length + 1);
                for block in mine() {
                    variables::fill(block.pieces(), &values, out);
                }
            }
            Body::Raw(body) => {
                let text = body.render(&values, extension, MAX_FILE);
                out.extend_from_slice(&text.ok_or(RenderError::TooLarge(context))?);
            }
        }
        if matches!(context, Context::Sip | Context::Pjsip) {
            out.push(b'\n');
        }
        Ok(())
    }

    /// Whether the original would end with empty files, because a value breaks
    /// its `sed`; never in [`Mode::Right`].
    pub fn is_broken(&self) -> bool {
        self.template.mode == Mode::Original
            && self.values().iter().any(|value| original::breaks(value))
    }

    /// Whether the phone's lines are rows of the table.
    pub fn has_rows(&self) -> bool {
        let word = self.template.general.value(Key::SqlEnable, &self.general_values());
        word.is_none_or(|word| word.eq_ignore_ascii_case("yes"))
    }

    /// Its rows of the table.
    pub fn rows(&self) -> impl Iterator<Item = SqlRow<'_>> {
        self.entry.own_lines().map(|(number, line)| SqlRow {
            ext: &line.ext,
            cid_name: &line.cid_name,
            cid_num: &line.cid_num,
            account: &self.accounts[usize::from(number) - 1],
            line: number,
            mac_addr: &self.entry.mac,
            template: &self.entry.template,
            model: self.model(),
            vendor: self.vendor(),
            sip_driver: self.sip_driver.as_deref().unwrap_or("sip"),
        })
    }

    /// The account of a line, counted from 0.
    pub(super) fn account(&self, at: usize) -> &str {
        self.accounts.get(at).map_or("", String::as_str)
    }
}

impl Template {
    /// Whether a gathered context goes to the same file for every phone.
    pub fn is_shared(&self, context: Context) -> bool {
        let (folder, file, _) = context.file();
        self.general.is_constant(folder) && self.general.is_constant(file)
    }
}

/// Renders a phone's own file; `None` if the template has no `[phoneprov]`.
///
/// # Errors
/// [`RenderError`] if it became too large, or its path does not lie below the base.
pub fn render_phone(
    template: &Template,
    entry: &Entry,
    server: &Server,
) -> Result<Option<PhoneFile>, RenderError> {
    if !template.has(Context::Phoneprov) {
        return Ok(None);
    }
    let phone = Phone::new(template, entry, server);
    let path = phone.path(Context::Phoneprov);
    let Some(below) = below(&path, &server.base) else {
        return Err(RenderError::Outside(path.into()));
    };
    let mut body = Vec::new();
    phone.render(Context::Phoneprov, &mut body)?;
    Ok(Some(PhoneFile { path: below, body }))
}

/// The path below a folder, without empty parts; `None` if it lies elsewhere.
fn below(path: &str, base: &str) -> Option<Box<str>> {
    fn parts(path: &str) -> impl Iterator<Item = &str> {
        path.split('/').filter(|part| !matches!(*part, "" | "."))
    }
    if path.starts_with('/') != base.starts_with('/') || parts(path).any(|part| part == "..") {
        return None;
    }
    let mut inside = parts(path);
    for part in parts(base) {
        if inside.next() != Some(part) {
            return None;
        }
    }
    let rest = inside.collect::<Vec<_>>().join("/");
    (!rest.is_empty()).then(|| rest.into())
}

/// The last characters of a text.
fn last(text: &str, count: usize) -> &str {
    let begin = text.char_indices().rev().take(count).last().map_or(0, |(at, _)| at);
    &text[begin..]
}
