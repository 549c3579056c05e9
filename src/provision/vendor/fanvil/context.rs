//! What templates are told: small, so that a file costs little.

use serde::Serialize;

use super::Generation;
use super::text::{TextError, is_value};
use crate::device::Secret;
use crate::phone::{Account, KeyKind, Mac, Transport};
use crate::provision::{AcsMode, Folders, Inputs, Line, RenderError};

/// The longest display name, in characters.
const DISPLAY_NAME: usize = 64;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The phone alone, besides a common file.
    Own,
    /// The phones of a model at a site.
    Common,
    /// The phone, and there is no other file.
    Whole,
}

/// The words of `fanvil/own.rows`.
#[derive(Debug, Serialize)]
pub(super) struct Context<'a> {
    scope: &'static str,
    generation: &'static str,
    model: &'a str,
    mac: Option<Mac>,
    site: &'a str,
    lines: Vec<LineWords<'a>>,
    keys: Vec<KeyWords<'a>>,
    directives: DirectiveWords<'a>,
    /// Where to look for files; none leaves it as it is.
    fetch_from: Option<Place<'a>>,
    firmware: Option<FirmwareWords<'a>>,
    phonebook: Option<String>,
    acs: Option<AcsWords<'a>>,
}

#[derive(Debug, Serialize)]
struct LineWords<'a> {
    number: u8,
    user: &'a str,
    auth_user: &'a str,
    password: Option<&'a str>,
    display_name: &'a str,
    server: &'a str,
    port: u16,
    transport: &'static str,
    proxy_host: &'a str,
    proxy_port: u16,
    voicemail: &'a str,
    label: &'a str,
}

#[derive(Debug, Serialize)]
struct KeyWords<'a> {
    position: u16,
    kind: KeyKind,
    value: &'a str,
    label: &'a str,
    line: u8,
    pickup: &'a str,
}

#[derive(Debug, Serialize)]
struct DirectiveWords<'a> {
    ntp_server: Option<&'a str>,
    time_zone: Option<&'a str>,
    time_zone_name: Option<&'a str>,
    language: Option<&'a str>,
    admin_password: Option<&'a str>,
    vlan: Option<u16>,
    interval: Option<u16>,
}

/// A folder, without the last `/`, and the number of its protocol.
#[derive(Debug, Serialize)]
struct Place<'a> {
    folder: &'a str,
    protocol: u8,
}

#[derive(Debug, Serialize)]
struct FirmwareWords<'a> {
    version: &'a str,
    name: &'a str,
    folder: &'a str,
    protocol: u8,
}

#[derive(Debug, Serialize)]
struct AcsWords<'a> {
    mode: &'static str,
    url: &'a str,
    username: &'a str,
    password: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// The words for a file; `withheld` says that secrets are left out of it.
    pub(super) fn new(
        inputs: &Inputs<'a>,
        scope: Scope,
        generation: Generation,
        withheld: bool,
    ) -> Result<Self, RenderError> {
        let (directives, folders) = (inputs.subject.directives, inputs.folders);
        let own = scope != Scope::Common;
        let lines = if own { inputs.lines } else { &[] };
        let keys = if own { inputs.keys } else { &[] };
        let time_zone = directives.time_zone.as_deref();
        let (time_zone, time_zone_name) = match time_zone.and_then(|zone| zone.split_once(' ')) {
            Some((number, name)) => (Some(number), Some(name)),
            None => (time_zone, None),
        };
        let secret = |secret: Option<&'a Secret>| secret.map(Secret::expose);
        let fetch_from = if withheld {
            place(&folders.https)
        } else if directives.interval.is_some() {
            place(safest(folders))
        } else {
            None
        };
        // Old phones speak a TLS that no server should speak any more.
        let images = match generation {
            Generation::Old if !folders.http.is_empty() => &*folders.http,
            _ => safest(folders),
        };
        Ok(Self {
            scope: match scope {
                Scope::Own => "own",
                Scope::Common => "common",
                Scope::Whole => "whole",
            },
            generation: generation.word(),
            model: inputs.subject.model,
            mac: inputs.subject.mac,
            site: inputs.site,
            lines: lines.iter().map(line_words).collect::<Result<_, _>>()?,
            keys: keys
                .iter()
                .map(|key| KeyWords {
                    position: key.position,
                    kind: key.kind,
                    value: &key.value,
                    label: &key.label,
                    line: key.line.max(1),
                    pickup: &key.pickup,
                })
                .collect(),
            directives: DirectiveWords {
                ntp_server: directives.ntp_server.as_deref(),
                time_zone,
                time_zone_name,
                language: directives.language.as_deref(),
                admin_password: secret(directives.admin_password.as_ref()),
                vlan: directives.vlan,
                interval: directives.interval,
            },
            fetch_from: fetch_from.filter(|_| own),
            firmware: inputs.firmware.filter(|_| own).and_then(|firmware| {
                let Place { folder, protocol } = place(images)?;
                let (version, name) = (&*firmware.version, &*firmware.name);
                Some(FirmwareWords { version, name, folder, protocol })
            }),
            phonebook: (own && directives.phonebook && !safest(folders).is_empty())
                .then(|| format!("{}{}", safest(folders), super::PHONE_BOOK)),
            acs: acs_words(inputs),
        })
    }
}

fn acs_words<'a>(inputs: &Inputs<'a>) -> Option<AcsWords<'a>> {
    let mode = match inputs.subject.directives.acs {
        Some(AcsMode::Off) => {
            return Some(AcsWords { mode: "off", url: "", username: "", password: None });
        }
        Some(AcsMode::Ctc) => "ctc",
        Some(AcsMode::Common) | None => "common",
    };
    let login = inputs.acs?;
    Some(AcsWords {
        mode,
        url: &login.url,
        username: &login.username,
        password: login.password.as_ref().map(Secret::expose),
    })
}

fn line_words<'a>(line: &Line<'a>) -> Result<LineWords<'a>, RenderError> {
    let account = line.account;
    check_words(account, line.password)?;
    let (proxy_host, proxy_port) = proxy(account)?;
    let display_name = &*account.display_name;
    let cut = display_name.char_indices().nth(DISPLAY_NAME).map(|(at, _)| at);
    Ok(LineWords {
        number: account.line,
        user: &account.user,
        auth_user: if account.auth_user.is_empty() { &account.user } else { &account.auth_user },
        password: line.password.map(Secret::expose),
        display_name: cut.and_then(|at| display_name.get(..at)).unwrap_or(display_name),
        server: &account.server,
        port: account.port,
        transport: match account.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        },
        proxy_host,
        proxy_port,
        voicemail: &account.voicemail,
        label: &account.label,
    })
}

/// What must not be changed on its way is refused if it could not stand in a
/// row; names that people read are cleaned by the template's form instead.
pub(super) fn check_words(account: &Account, password: Option<&Secret>) -> Result<(), RenderError> {
    let words = [
        ("Phone Number", &*account.user),
        ("Register User", &*account.auth_user),
        ("Register Addr", &*account.server),
        ("Proxy Addr", &*account.outbound_proxy),
        ("MWI Num", &*account.voicemail),
        ("Register Pswd", password.map_or("", Secret::expose)),
    ];
    match words.into_iter().find(|(_, value)| !is_value(value)) {
        Some((key, _)) => Err(TextError::Value(format!("SIP{} {key}", account.line)).into()),
        None => proxy(account).map(drop),
    }
}

/// An outbound proxy's host and port.
fn proxy(account: &Account) -> Result<(&str, u16), RenderError> {
    let text = &*account.outbound_proxy;
    let fails = || RenderError::Word {
        what: format!("the outbound proxy of line {}", account.line),
        problem: "write HOST or HOST:PORT",
    };
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            // More than one colon: an IPv6 address as it is.
            Some((_, rest)) if rest.contains(':') => (text, None),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Ok(5060), |port| port.parse().map_err(|_| fails()))?;
    Ok((host, port))
}

/// The folder that is best: over TLS if there is one.
pub(super) fn safest(folders: &Folders) -> &str {
    if folders.https.is_empty() { &folders.http } else { &folders.https }
}

/// The vendor's numbers: 4 is HTTP, 5 is HTTPS.
fn place(folder: &str) -> Option<Place<'_>> {
    let protocol = if folder.starts_with("https:") { 5 } else { 4 };
    (!folder.is_empty()).then(|| Place { folder: folder.trim_end_matches('/'), protocol })
}
