//! Who is asking: a vote of what a request tells.
//!
//! A phone tells its address by the token of its folder, by its certificate, in
//! the name of the file, in its User-Agent, or in several of these. A token and a
//! certificate prove it; the others only say it. What contradicts leads nowhere:
//! no honest phone asks for another's file.

use super::directives::Directives;
use super::family::{AgentClaim, Kind, Subject, family};
use crate::phone::{Mac, Vendor};

/// The longest text that is searched for addresses, in bytes.
const MAX_TEXT: usize = 1024;
/// The most addresses that are looked at in one text.
const MAX_MACS: usize = 4;

/// What a request tells of who is asking.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// The phone in the token of the path; its signature is right.
    pub token: Option<Mac>,
    /// The phone in the client certificate, which is good.
    pub certificate: Option<Mac>,
    /// The path below the folder: `0c383e07e16c.cfg`, `yealink/00155d.cfg`.
    pub name: &'a str,
    /// The User-Agent; may be empty.
    pub agent: &'a str,
}

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Nothing tells a phone.
    None,
    /// The phone says so, as anybody could.
    Word,
    /// A certificate or a token proves it.
    Proven,
}

/// Who is asking, as far as a request tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The phone.
    pub mac: Option<Mac>,
    /// How sure that is.
    pub proof: Proof,
    /// Whose phone it is by the User-Agent.
    pub agent_vendor: Option<Vendor>,
    /// Whose phone it is by the address block.
    pub oui_vendor: Option<Vendor>,
    /// What the User-Agent says of model and firmware.
    pub claim: AgentClaim,
}

/// What contradicts in a request. For the log; whoever asks is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.why())]
pub enum Contradiction {
    /// User-Agent against token, certificate or name.
    Agent,
    /// Certificate against token.
    Certificate,
    /// Certificate against name.
    Name,
    /// Two addresses in one name.
    TwoNames,
    /// The User-Agent of one vendor, an address of another's.
    Vendor,
}

impl Contradiction {
    /// What contradicts, in words.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Agent => "the User-Agent names another phone",
            Self::Certificate => "the certificate is another phone's than the token",
            Self::Name => "the certificate is another phone's than the name",
            Self::TwoNames => "the name holds two addresses",
            Self::Vendor => "the User-Agent is of another vendor than the address",
        }
    }
}

impl Identity {
    /// Whether a phone of this vendor may send such a User-Agent. What an
    /// AstLinux template describes may be of any make.
    pub fn fits(&self, vendor: Vendor) -> bool {
        vendor == Vendor::AstLinux || self.agent_vendor.is_none_or(|agent| agent == vendor)
    }

    /// Whose phone it is, as far as anything tells: of whom nothing speaks for a
    /// vendor is not given a file that all its phones share.
    pub fn vendor(&self) -> Option<Vendor> {
        self.agent_vendor.or(self.oui_vendor)
    }
}

/// Weighs what a request tells.
///
/// # Errors
/// [`Contradiction`].
pub fn identify(evidence: &Evidence<'_>) -> Result<Identity, Contradiction> {
    let (agent_vendor, claim) = of_agent(evidence.agent);
    let said = claim.mac;
    if let (Some(token), Some(certificate)) = (evidence.token, evidence.certificate)
        && token != certificate
    {
        return Err(Contradiction::Certificate);
    }
    let proven = evidence.token.or(evidence.certificate);
    // A name below a phone's own folder is the family's business: an ID may look
    // like an address.
    let named = if evidence.token.is_some() { None } else { in_name(evidence.name, &claim)? };
    if let (Some(certificate), Some(named)) = (evidence.certificate, named)
        && certificate != named
    {
        return Err(Contradiction::Name);
    }
    let mac = proven.or(named).or(said);
    if said.is_some_and(|said| mac != Some(said)) {
        return Err(Contradiction::Agent);
    }
    let oui_vendor = mac.and_then(|mac| by_oui(mac.oui()));
    if let (Some(agent), Some(oui)) = (agent_vendor, oui_vendor)
        && agent != oui
    {
        return Err(Contradiction::Vendor);
    }
    let proof = match (proven, mac) {
        (Some(_), _) => Proof::Proven,
        (None, Some(_)) => Proof::Word,
        (None, None) => Proof::None,
    };
    Ok(Identity { mac, proof, agent_vendor, oui_vendor, claim })
}

/// Whose address block it is.
pub fn by_oui(oui: [u8; 3]) -> Option<Vendor> {
    Vendor::ALL.into_iter().find(|vendor| family(*vendor).ouis().contains(&oui))
}

/// Whose User-Agent it is, and what it says. The address is looked for in any
/// make's.
fn of_agent(agent: &str) -> (Option<Vendor>, AgentClaim) {
    let agent = cut(agent);
    let claims = Vendor::ALL.map(|vendor| family(vendor).agent(agent).map(|claim| (vendor, claim)));
    let starts = |vendor: Vendor| {
        let head = agent.as_bytes().get(..vendor.word().len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(vendor.word().as_bytes()))
    };
    // Fanvil's is tried last: OEM brands put any name in front of it.
    let rank = |vendor: Vendor| (!starts(vendor), vendor == Vendor::Fanvil);
    let best = claims.into_iter().flatten().min_by_key(|(vendor, _)| rank(*vendor));
    let (vendor, mut claim) = match best {
        Some((vendor, claim)) => (Some(vendor), claim),
        None => (None, AgentClaim::default()),
    };
    claim.mac = claim.mac.or_else(|| macs(agent).next());
    (vendor, claim)
}

/// The address in a name, unless it is the name of a file that phones share
/// (`f0C005600000.cfg` looks like an address).
fn in_name(name: &str, claim: &AgentClaim) -> Result<Option<Mac>, Contradiction> {
    let mut found = macs(cut(name));
    let Some(first) = found.next() else { return Ok(None) };
    let directives = Directives::default();
    let (names, template) = (&[][..], "");
    let model = &*claim.model;
    let subject = Subject { mac: None, model, names, template, directives: &directives };
    let last = name.rsplit('/').next().unwrap_or(name);
    let is_common = |vendor| {
        let wanted = family(vendor).resolve(last, &subject);
        wanted.is_some_and(|wanted| wanted.kind == Kind::Common)
    };
    if Vendor::ALL.into_iter().any(is_common) {
        return Ok(None);
    }
    if found.any(|other| other != first) { Err(Contradiction::TwoNames) } else { Ok(Some(first)) }
}

/// The addresses in a text: twelve hex digits together, or six pairs with one
/// and the same `:`, `-` or `.` between them, with no hex digit beside them.
/// What begins with three zero bytes names files of several makes
/// (`y000000000044.cfg`) and no phone.
pub fn macs(text: &str) -> impl Iterator<Item = Mac> + '_ {
    let bytes = text.as_bytes();
    let hex_at = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            if !hex_at(start) || (start > 0 && hex_at(start - 1)) {
                at += 1;
                continue;
            }
            for length in [12, 17] {
                let Some(word) = text.get(start..start + length) else { continue };
                if hex_at(start + length) || !is_regular(word.as_bytes()) {
                    continue;
                }
                if let Some(mac) = word.parse::<Mac>().ok().filter(|mac| mac.oui() != [0; 3]) {
                    at = start + length;
                    return Some(mac);
                }
            }
            at += 1;
        }
        None
    })
    .take(MAX_MACS)
}

/// Digits only, or one separator after each pair.
fn is_regular(word: &[u8]) -> bool {
    match word.get(2) {
        Some(separator @ (b':' | b'-' | b'.')) => word
            .chunks(3)
            .all(|chunk| chunk.get(2).is_none_or(|byte| byte == separator) && chunk.len() >= 2),
        _ => word.len() == 12 && word.iter().all(u8::is_ascii_hexdigit),
    }
}

/// At most so much of a text as is searched.
fn cut(text: &str) -> &str {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
