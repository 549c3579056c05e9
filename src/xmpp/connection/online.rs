//! A stream that has come about: requests under way, pings, time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Event, Ids};
use crate::time::Timestamp;
use crate::xmpp::element::Element;
use crate::xmpp::jid::Jid;
use crate::xmpp::ns;
use crate::xmpp::request::{Answer, ConnectionRequest, condition, failed, iq, meaning};

/// How long a device may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The most requests under way.
const MAX_UNDER_WAY: usize = 1000;

/// After how much silence the server is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(60);

/// How long it may take to say anything then.
const PONG_WITHIN: Duration = Duration::from_secs(30);

/// A request under way.
struct UnderWay {
    ticket: u64,
    to: Jid,
    deadline: Timestamp,
    /// The answer was `service-unavailable`, and a ping was sent to learn whether
    /// a device is there at all.
    pinged: bool,
}

pub(super) struct Online {
    tickets: u64,
    /// By the id of the stanza that is to be answered.
    under_way: BTreeMap<Box<str>, UnderWay>,
    heard_at: Timestamp,
    pinged_at: Option<Timestamp>,
}

impl Online {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { tickets: 0, under_way: BTreeMap::new(), heard_at: now, pinged_at: None }
    }

    /// Something came from the server.
    pub(super) const fn heard(&mut self, now: Timestamp) {
        self.heard_at = now;
        self.pinged_at = None;
    }

    pub(super) fn ask(
        &mut self,
        to: &Jid,
        payload: Element,
        ids: &mut Ids,
        out: &mut String,
        now: Timestamp,
    ) -> Option<u64> {
        if self.under_way.len() >= MAX_UNDER_WAY {
            return None;
        }
        self.tickets = self.tickets.wrapping_add(1);
        let (id, ticket) = (ids.next(), self.tickets);
        iq("get", &id, &to.to_string()).holding(payload).write(out);
        let deadline = now.after(ANSWER_WITHIN);
        let under_way = UnderWay { ticket, to: to.clone(), deadline, pinged: false };
        self.under_way.insert(id.into(), under_way);
        Some(ticket)
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn due(&self) -> Timestamp {
        let alive = match self.pinged_at {
            Some(at) => at.after(PONG_WITHIN),
            None => self.heard_at.after(PING_AFTER),
        };
        // Later requests end later, but their ids stand in no order.
        self.under_way.values().map(|one| one.deadline).min().map_or(alive, |at| at.min(alive))
    }

    /// Gives up what took too long. Whether the server is silent altogether.
    pub(super) fn tick(
        &mut self,
        domain: &str,
        ids: &mut Ids,
        out: &mut String,
        events: &mut Vec<Event>,
        now: Timestamp,
    ) -> bool {
        self.under_way.retain(|_, one| {
            let in_time = now < one.deadline;
            if !in_time {
                // A device that is there would have answered the ping.
                let answer = if one.pinged {
                    Answer::Offline("service-unavailable".into())
                } else {
                    Answer::Silent
                };
                events.push(Event::Answered { ticket: one.ticket, answer });
            }
            in_time
        });
        match self.pinged_at {
            Some(at) => now >= at.after(PONG_WITHIN),
            None if now >= self.heard_at.after(PING_AFTER) => {
                self.pinged_at = Some(now);
                ping(&ids.next(), domain).write(out);
                false
            }
            None => false,
        }
    }

    /// Takes a stanza.
    pub(super) fn take(
        &mut self,
        stanza: &Element,
        wakeable: bool,
        ids: &mut Ids,
        out: &mut String,
        events: &mut Vec<Event>,
    ) {
        if !stanza.is("iq", ns::CLIENT) {
            // Messages and presence of others are nothing to us.
            return;
        }
        let Some(id) = stanza.attribute("id") else { return };
        match stanza.attribute("type") {
            Some("result" | "error") => self.answered(id, stanza, ids, out, events),
            Some("get" | "set") => asked(id, stanza, wakeable, out, events),
            _ => {}
        }
    }

    fn answered(
        &mut self,
        id: &str,
        stanza: &Element,
        ids: &mut Ids,
        out: &mut String,
        events: &mut Vec<Event>,
    ) {
        let from = stanza.attribute("from").and_then(|from| Jid::parse(from).ok());
        // An answer counts from the one who was asked only.
        if !self.under_way.get(id).is_some_and(|one| Some(&one.to) == from.as_ref()) {
            return;
        }
        let Some(mut one) = self.under_way.remove(id) else { return };
        let refused = (stanza.attribute("type") == Some("error")).then(|| condition(stanza));
        let answer = match refused {
            // Whatever answers a ping is a device that is there.
            _ if one.pinged && refused.as_deref() != Some("service-unavailable") => {
                Some(Answer::Busy)
            }
            None => Some(Answer::Woken),
            Some(condition) if one.pinged => Some(Answer::Offline(condition)),
            Some(condition) => meaning(&condition),
        };
        match answer {
            Some(answer) => events.push(Event::Answered { ticket: one.ticket, answer }),
            None => {
                let id = ids.next();
                ping(&id, &one.to.to_string()).write(out);
                one.pinged = true;
                self.under_way.insert(id.into(), one);
            }
        }
    }

    /// The stream is over.
    pub(super) fn abandon(self, events: &mut Vec<Event>) {
        let lost = |one: UnderWay| Event::Answered { ticket: one.ticket, answer: Answer::Lost };
        events.extend(self.under_way.into_values().map(lost));
    }
}

/// Answers what others ask (RFC 6120 §8.2.3: everything must be answered).
fn asked(id: &str, stanza: &Element, wakeable: bool, out: &mut String, events: &mut Vec<Event>) {
    let from = stanza.attribute("from").unwrap_or_default();
    if stanza.child("ping", ns::PING).is_some() {
        iq("result", id, from).write(out);
        return;
    }
    match ConnectionRequest::read(stanza) {
        Some(request) if wakeable => events.push(Event::Asked(request)),
        _ => failed(id, from, "cancel", "service-unavailable").write(out),
    }
}

/// XEP-0199.
fn ping(id: &str, to: &str) -> Element {
    iq("get", id, to).holding(Element::new("ping", ns::PING))
}
