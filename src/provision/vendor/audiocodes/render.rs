//! Accounts, keys, directives and settings into a phone's own file.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cfg::write;
use super::names::own_name;
use super::parameters::{UNCHECKED, check, cut, is_secret, unwritable};
use crate::device::Secret;
use crate::phone::{Account, Key, KeyKind, Transport};
use crate::provision::{Inputs, RenderError};

/// What stands before the number of an included file.
const INCLUDE: &str = "include/";
/// Where an account's server stands unless it says a port of its own.
const SIP_PORT: u16 = 5060;
/// The longest URL of a file that these phones take, in bytes; a longer one is
/// better left out than the whole file refused.
const LONGEST_URL: usize = 128;
/// The longest free text, in characters.
const FREE_TEXT: usize = 128;

/// What a template is given.
#[derive(Debug, Serialize)]
struct Context<'a> {
    model: &'a str,
    mac: String,
    site: &'a str,
    lines: Vec<LineContext<'a>>,
    unused: Vec<u8>,
    keys: Vec<KeyContext<'a>>,
    ntp_server: Option<&'a str>,
    time_zone: Option<&'a str>,
    language: Option<&'a str>,
    admin_password: Option<&'a str>,
    vlan: Option<u16>,
    interval: Option<u16>,
    firmware_url: Option<String>,
    https_url: Option<String>,
    acs: Option<AcsContext<'a>>,
}

/// An account.
#[derive(Debug, Serialize)]
struct LineContext<'a> {
    index: u8,
    user: &'a str,
    auth_user: &'a str,
    password: Option<&'a str>,
    display_name: String,
    label: String,
    server: &'a str,
    port: u16,
    transport: &'static str,
    proxy: &'a str,
    proxy_port: u16,
    voicemail: &'a str,
}

/// A key.
#[derive(Debug, Serialize)]
struct KeyContext<'a> {
    index: u16,
    kind: &'static str,
    number: &'a str,
    label: String,
    line: u8,
}

/// The CWMP server to move to.
#[derive(Debug, Serialize)]
struct AcsContext<'a> {
    url: &'a str,
    username: &'a str,
    password: Option<&'a str>,
}

/// Checks a setting, `include/1` included.
pub(super) fn check_setting(name: &str, value: &str) -> Result<(), RenderError> {
    match name.strip_prefix(INCLUDE) {
        Some(number) => included(name, number, value),
        None => check(name, value, ""),
    }
}

fn included(name: &str, number: &str, value: &str) -> Result<(), RenderError> {
    if number.parse::<u8>().is_err() {
        let wanted = "write include/NUMBER for a linked file";
        return Err(RenderError::SettingName { name: cut(name), wanted });
    }
    if value.is_empty() || value.contains(char::is_whitespace) || unwritable(value).is_some() {
        let problem = "takes the name or the URL of a file, without blanks".to_owned();
        return Err(RenderError::SettingValue { name: cut(name), problem });
    }
    Ok(())
}

/// Checks an account.
pub(super) fn check_account(
    account: &Account,
    password: Option<&Secret>,
) -> Result<(), RenderError> {
    let line = account.line;
    if line == 0 {
        return Err(RenderError::Line(0));
    }
    let (proxy, _) = host_and_port(&account.outbound_proxy, line)?;
    let word = |what: &str, value: &str, most: usize| {
        let problem = if value.chars().count() > most {
            Some("is longer than these phones take")
        } else {
            unwritable(value)
        };
        problem.map_or(Ok(()), |problem| {
            Err(RenderError::Word { what: format!("the {what} of line {line}"), problem })
        })
    };
    word("user", &account.user, 128)?;
    word("user for authentication", &account.auth_user, 128)?;
    word("password", password.map(Secret::expose).unwrap_or_default(), 256)?;
    word("server", &account.server, 128)?;
    word("outbound proxy", proxy, 128)?;
    word("voice mail number", &account.voicemail, 64)
}

/// Makes the text of a phone's own file; whether secrets were left out.
pub(super) fn render_own(inputs: &Inputs<'_>) -> Result<(String, bool), RenderError> {
    let model = inputs.subject.model;
    let mut withheld = false;
    let context = context(inputs, &mut withheld)?;
    let template = match inputs.subject.template {
        "" => "audiocodes/own.rows".to_owned(),
        name if name.contains('/') => name.to_owned(),
        name => format!("audiocodes/{name}.rows"),
    };
    let rows = inputs.templates.render(&template, &context)?;
    let mut made: BTreeMap<Place<'_>, &str> = BTreeMap::new();
    for row in rows.lines().filter(|row| !row.trim().is_empty() && !row.starts_with(['#', ';'])) {
        let Some((name, value)) = row.split_once('=') else {
            let problem = "is a row of the template without `=`; write path=value".to_owned();
            return Err(RenderError::SettingValue { name: cut(row), problem });
        };
        check(name, value, model)?;
        made.insert(Place(name.strip_prefix(UNCHECKED).unwrap_or(name)), value);
    }
    let mut includes: BTreeMap<u8, &str> = BTreeMap::new();
    for (name, value) in inputs.settings {
        if let Some(number) = name.strip_prefix(INCLUDE) {
            included(name, number, value)?;
            includes.insert(number.parse().unwrap_or_default(), value);
        } else if is_secret(name) && !inputs.secrets {
            made.remove(&Place(name.strip_prefix(UNCHECKED).unwrap_or(name)));
        } else {
            check(name, value, model)?;
            made.insert(Place(name.strip_prefix(UNCHECKED).unwrap_or(name)), value);
        }
    }
    let settings = made.iter().map(|(place, value)| (place.0, *value));
    let text = write(includes.into_values(), settings).map_err(|error| {
        RenderError::SettingValue { name: own_of(inputs), problem: error.to_string() }
    })?;
    Ok((text, withheld))
}

fn own_of(inputs: &Inputs<'_>) -> String {
    inputs.subject.mac.map(own_name).unwrap_or_default()
}

fn context<'a>(inputs: &Inputs<'a>, withheld: &mut bool) -> Result<Context<'a>, RenderError> {
    let directives = inputs.subject.directives;
    // Whoever opens the secrets leaves passwords out already, so who has lines
    // has passwords.
    let secret_setting = || inputs.settings.keys().any(|name| is_secret(name));
    *withheld = !inputs.secrets
        && (!inputs.lines.is_empty()
            || directives.admin_password.is_some()
            || inputs.acs.is_some()
            || secret_setting());
    let secret = |secret: Option<&'a Secret>| secret.filter(|_| inputs.secrets).map(Secret::expose);
    let mut lines: Vec<LineContext<'a>> = Vec::new();
    for line in inputs.lines {
        check_account(line.account, line.password)?;
        let its = line_context(line.account, secret(line.password))?;
        if lines.iter().any(|other| other.index == its.index) {
            return Err(RenderError::Line(line.account.line));
        }
        if lines.first().is_some_and(|first| first.place() != its.place()) {
            return Err(RenderError::Word {
                what: format!("the server of line {}", line.account.line),
                problem: "an AudioCodes phone has one server, port, transport and outbound proxy \
                          for all its lines",
            });
        }
        lines.push(its);
    }
    let admin_password = secret(directives.admin_password.as_ref());
    let acs = inputs.acs.map(|acs| AcsContext {
        url: &acs.url,
        username: &acs.username,
        password: secret(acs.password.as_ref()),
    });
    let https = Some(&inputs.folders.https).filter(|https| *withheld && !https.is_empty());
    let used: Vec<u8> = lines.iter().map(|line| line.index).collect();
    let keys = inputs.keys.iter().map(key_context).collect::<Result<_, _>>()?;
    Ok(Context {
        model: inputs.subject.model,
        mac: inputs.subject.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        site: inputs.site,
        unused: (0..lines_of(inputs.subject.model)).filter(|line| !used.contains(line)).collect(),
        lines,
        keys,
        ntp_server: directives.ntp_server.as_deref(),
        time_zone: directives.time_zone.as_deref(),
        language: directives.language.as_deref(),
        admin_password,
        vlan: directives.vlan,
        interval: directives.interval,
        firmware_url: inputs
            .firmware
            .filter(|_| !inputs.folders.this.is_empty())
            .map(|firmware| format!("{}{}", inputs.folders.this, firmware.name)),
        https_url: https
            .map(|https| format!("{https}{}", own_of(inputs)))
            .filter(|url| url.len() <= LONGEST_URL),
        acs,
    })
}

impl LineContext<'_> {
    /// What all lines of a phone must have in common.
    fn place(&self) -> (&str, u16, &str, &str, u16) {
        (self.server, self.port, self.transport, self.proxy, self.proxy_port)
    }
}

fn line_context<'a>(
    account: &'a Account,
    password: Option<&'a str>,
) -> Result<LineContext<'a>, RenderError> {
    let (proxy, proxy_port) = host_and_port(&account.outbound_proxy, account.line)?;
    let or = |text: &'a str, other: &'a str| if text.is_empty() { other } else { text };
    let display_name = or(&account.display_name, &account.user);
    Ok(LineContext {
        index: account.line.checked_sub(1).ok_or(RenderError::Line(0))?,
        user: &account.user,
        auth_user: or(&account.auth_user, &account.user),
        password,
        display_name: free_text(display_name),
        label: free_text(or(&account.label, display_name)),
        server: &account.server,
        port: account.port,
        transport: match account.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        },
        proxy,
        proxy_port,
        voicemail: &account.voicemail,
    })
}

fn key_context(key: &Key) -> Result<KeyContext<'_>, RenderError> {
    let what = || format!("key {}", key.position);
    let bad = |problem| Err(RenderError::Word { what: what(), problem });
    let kind = match key.kind {
        KeyKind::Line => "SIP_Account",
        KeyKind::SpeedDial => "Speed_Dial",
        KeyKind::Blf | KeyKind::Park => "Speed_Dial_BLF",
        KeyKind::Dtmf | KeyKind::Url => {
            return bad(
                "AudioCodes phones have keys for lines, speed dial, lamp fields and parking",
            );
        }
    };
    if let Some(problem) = unwritable(&key.value) {
        return bad(problem);
    }
    let Some(index) = key.position.checked_sub(1) else {
        return bad("keys are counted from 1");
    };
    let label = free_text(if key.label.is_empty() { &key.value } else { &key.label });
    Ok(KeyContext { index, kind, number: &key.value, label, line: key.line.saturating_sub(1) })
}

/// How many lines a model has; those of most models, if it is not known.
fn lines_of(model: &str) -> u8 {
    let eight = ["445HD", "450HD", "C450HD"];
    if eight.iter().any(|its| its.eq_ignore_ascii_case(model)) { 8 } else { 6 }
}

/// `host` or `host:port`; an IPv6 address stands in brackets.
fn host_and_port(text: &str, line: u8) -> Result<(&str, u16), RenderError> {
    let in_brackets = text.rfind(']').unwrap_or_default();
    match text.rfind(':').filter(|at| *at > in_brackets) {
        None => Ok((text, SIP_PORT)),
        Some(at) => {
            let port = text.get(at + 1..).and_then(|port| port.parse().ok());
            let port = port.ok_or_else(|| RenderError::Word {
                what: format!("the outbound proxy of line {line}"),
                problem: "write HOST or HOST:PORT",
            })?;
            Ok((text.get(..at).unwrap_or_default(), port))
        }
    }
}

/// Free text: what would end the value becomes something harmless.
fn free_text(text: &str) -> String {
    let harmless = |c: char| match c {
        ';' => ',',
        '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    text.trim().chars().take(FREE_TEXT).map(harmless).collect::<String>().trim().to_owned()
}

/// A path that sorts as people count: `system/type` first, then by segments,
/// numbers by their value.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a>(&'a str);

impl<'a> Ord for Place<'a> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let segments = |path: &'a str| {
            path.split('/').map(|word| (word.parse::<u64>().unwrap_or_default(), word))
        };
        let later = |path: &str| path != "system/type";
        let by_segments = || segments(self.0).cmp(segments(other.0));
        later(self.0).cmp(&later(other.0)).then_with(by_segments)
    }
}

impl PartialOrd for Place<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
