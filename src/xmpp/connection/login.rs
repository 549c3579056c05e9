//! From the stream header to an address: TLS, SASL, resource binding
//! (RFC 6120 §5 to §7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Ids, Security, Settings, unexpected, word};
use crate::xmpp::element::Element;
use crate::xmpp::error::XmppError;
use crate::xmpp::jid::Jid;
use crate::xmpp::ns;
use crate::xmpp::request::{condition, iq};
use crate::xmpp::scram::{Scram, ScramError, ScramHash};

/// What is waited for.
enum Phase {
    /// The server's stream header.
    Header,
    /// Its features.
    Features,
    /// Its word that TLS begins.
    Proceed,
    /// Its challenge or verdict; with SCRAM, its proof must be in it.
    Challenge(Scram),
    /// Its verdict, after its proof was seen.
    Proven,
    /// Its verdict over a password that was shown to it.
    Shown,
    /// An address, asked for by this id; whether by a resource of our own.
    Bound { id: Box<str>, own: bool },
}

/// What is to be done.
pub(super) enum Step {
    /// Nothing until more comes.
    Wait,
    /// Turn to TLS.
    Secure,
    /// Begin the stream anew.
    Restart,
    /// There is an address.
    Done(Jid),
}

/// A stream that is coming about.
pub(super) struct Login {
    phase: Phase,
    /// Whether nobody else can read it.
    secured: bool,
    authenticated: bool,
}

impl Login {
    pub(super) const fn new(secured: bool) -> Self {
        Self { phase: Phase::Header, secured, authenticated: false }
    }

    /// Takes the server's stream header.
    pub(super) fn opened(&mut self, header: &Element) -> Result<(), XmppError> {
        if !matches!(self.phase, Phase::Header) {
            return Err(unexpected(header));
        }
        let version = header.attribute("version").unwrap_or_default();
        let is_one = version.split('.').next() == Some("1");
        if !header.is("stream", ns::STREAM) || !is_one {
            return Err(XmppError::NotXmpp);
        }
        self.phase = Phase::Features;
        Ok(())
    }

    /// Takes what stands in the stream.
    pub(super) fn take(
        &mut self,
        stanza: &Element,
        settings: &Settings,
        ids: &mut Ids,
        out: &mut String,
    ) -> Result<Step, XmppError> {
        match std::mem::replace(&mut self.phase, Phase::Header) {
            Phase::Features if stanza.is("features", ns::STREAM) => {
                self.features(stanza, settings, ids, out)
            }
            Phase::Proceed if stanza.is("proceed", ns::TLS) => Ok(Step::Secure),
            Phase::Proceed if stanza.is("failure", ns::TLS) => Err(XmppError::NoTls),
            Phase::Challenge(_) | Phase::Proven | Phase::Shown
                if stanza.is("failure", ns::SASL) =>
            {
                Err(XmppError::Credentials(failure(stanza)))
            }
            Phase::Challenge(scram) if stanza.is("challenge", ns::SASL) => {
                self.challenged(scram, stanza, out)
            }
            Phase::Challenge(scram) if stanza.is("success", ns::SASL) => {
                scram.verify(&decoded(stanza)?)?;
                Ok(self.restart())
            }
            Phase::Proven | Phase::Shown if stanza.is("success", ns::SASL) => Ok(self.restart()),
            Phase::Bound { id, own } => self.bound(stanza, id, own, ids, out),
            _ => Err(unexpected(stanza)),
        }
    }

    fn features(
        &mut self,
        features: &Element,
        settings: &Settings,
        ids: &mut Ids,
        out: &mut String,
    ) -> Result<Step, XmppError> {
        if self.authenticated {
            if features.child("bind", ns::BIND).is_none() {
                return Err(XmppError::Bind("it offers none".into()));
            }
            self.bind(settings.jid.resource(), ids, out);
            return Ok(Step::Wait);
        }
        if settings.security == Security::StartTls && !self.secured {
            features.child("starttls", ns::TLS).ok_or(XmppError::NoTls)?;
            Element::new("starttls", ns::TLS).write(out);
            self.phase = Phase::Proceed;
            return Ok(Step::Wait);
        }
        let offered: Vec<&str> = features
            .child("mechanisms", ns::SASL)
            .map(|list| list.children.iter().map(|one| one.text.trim()).collect())
            .unwrap_or_default();
        let username = settings.jid.local().unwrap_or_default();
        for hash in [ScramHash::Sha256, ScramHash::Sha1] {
            if offered.contains(&hash.mechanism()) {
                let scram = Scram::new(hash, username, settings.password.clone(), &ids.next());
                authenticate(hash.mechanism(), &scram.first(), out);
                self.phase = Phase::Challenge(scram);
                return Ok(Step::Wait);
            }
        }
        if offered.contains(&"PLAIN") && settings.plain && self.secured {
            let shown = format!("\0{username}\0{}", settings.password.expose());
            authenticate("PLAIN", &shown, out);
            self.phase = Phase::Shown;
            return Ok(Step::Wait);
        }
        Err(XmppError::NoMechanism(word(&offered.join(" "))))
    }

    fn challenged(
        &mut self,
        mut scram: Scram,
        stanza: &Element,
        out: &mut String,
    ) -> Result<Step, XmppError> {
        let text = decoded(stanza)?;
        // The proof may come as one more challenge, answered by nothing.
        if scram.verify(&text).is_ok() {
            Element::new("response", ns::SASL).write(out);
            self.phase = Phase::Proven;
            return Ok(Step::Wait);
        }
        let answer = scram.answer(&text)?;
        Element::new("response", ns::SASL).saying(&STANDARD.encode(answer)).write(out);
        self.phase = Phase::Challenge(scram);
        Ok(Step::Wait)
    }

    const fn restart(&mut self) -> Step {
        self.authenticated = true;
        Step::Restart
    }

    fn bind(&mut self, resource: Option<&str>, ids: &mut Ids, out: &mut String) {
        let id = ids.next();
        let mut bind = Element::new("bind", ns::BIND);
        if let Some(resource) = resource {
            bind = bind.holding(Element::new("resource", ns::BIND).saying(resource));
        }
        iq("set", &id, "").holding(bind).write(out);
        self.phase = Phase::Bound { id: id.into(), own: resource.is_some() };
    }

    fn bound(
        &mut self,
        stanza: &Element,
        id: Box<str>,
        own: bool,
        ids: &mut Ids,
        out: &mut String,
    ) -> Result<Step, XmppError> {
        if !stanza.is("iq", ns::CLIENT) || stanza.attribute("id") != Some(&id) {
            // Others may speak before the server has answered.
            self.phase = Phase::Bound { id, own };
            return Ok(Step::Wait);
        }
        if stanza.attribute("type") != Some("result") {
            let condition = condition(stanza);
            if own && *condition == *"conflict" {
                // Any other resource will do.
                self.bind(None, ids, out);
                return Ok(Step::Wait);
            }
            return Err(XmppError::Bind(condition));
        }
        let told = stanza.child("bind", ns::BIND).and_then(|bind| bind.child("jid", ns::BIND));
        let jid = told.and_then(|jid| Jid::parse(jid.text.trim()).ok());
        jid.map(Step::Done).ok_or_else(|| XmppError::Bind("what it gives is none".into()))
    }
}

/// The first word of an authentication.
fn authenticate(mechanism: &str, first: &str, out: &mut String) {
    Element::new("auth", ns::SASL)
        .with("mechanism", mechanism)
        .saying(&STANDARD.encode(first))
        .write(out);
}

/// What a challenge says.
fn decoded(stanza: &Element) -> Result<String, XmppError> {
    let bytes = STANDARD.decode(stanza.text.trim()).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or(XmppError::Scram(ScramError::Malformed))
}

/// What a SASL failure names.
fn failure(stanza: &Element) -> Box<str> {
    let named = stanza.children.iter().find(|child| *child.name != *"text");
    named.map_or("no reason given".into(), |child| word(&child.name))
}
