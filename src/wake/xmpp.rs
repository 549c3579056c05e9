//! Waking devices through an XMPP server (TR-069 Annex K): Provost's own stream
//! to it, which is kept up, and the requests that go over it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::error::WakeError;
use super::ways::{XmppAsk, XmppStanding};
use crate::device::Secret;
use crate::link::{Link, LinkError, LinkTarget};
use crate::store::Vault;
use crate::xmpp::{Answer, Backoff, Event, Jid, XmppError};

/// The most requests that wait to be put on the stream.
const MAX_WAITING: usize = 256;

/// A little longer than a stream waits for the answer of a device.
const ASK_WITHIN: Duration = Duration::from_secs(35);

/// A stream that was up for so long was no failure, whatever ended it.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// A request for the task that keeps the stream.
struct Ask {
    to: Jid,
    username: Box<str>,
    password: Secret,
    outcome: oneshot::Sender<Result<(), WakeError>>,
}

/// The way through an XMPP server.
pub struct XmppWay {
    asks: mpsc::Sender<Ask>,
    /// The address while the stream is up, else why it is not.
    standing: watch::Receiver<Result<Jid, Arc<str>>>,
    /// The domains in which devices may be woken.
    domains: Vec<Box<str>>,
    /// Our own account, which is no device.
    own: Jid,
}

impl std::fmt::Debug for XmppWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "XmppWay({})", self.own)
    }
}

impl XmppWay {
    /// The way to a server, and the task that keeps the stream up until `stop`:
    /// it connects again whenever it ends, later and later, up to five minutes.
    ///
    /// Devices may be woken in the domain of the account and in `domains`.
    pub fn new(
        target: LinkTarget,
        domains: &[String],
        vault: Arc<Vault>,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (asks, waiting) = mpsc::channel(MAX_WAITING);
        let (teller, standing) = watch::channel(Err("it was not reached yet".into()));
        let own = target.settings.jid.bare();
        let domains = domains.iter().map(|domain| domain.to_lowercase().into());
        let domains = domains.chain([own.domain().into()]).collect();
        let keeper = Keeper {
            target,
            vault,
            waiting,
            teller,
            backoff: Backoff::default(),
            told: None,
            stop,
        };
        (Self { asks, standing, domains, own }, keeper.run())
    }

    /// The device's address, if a request may go to it.
    fn checked(&self, jid: &str) -> Result<Jid, WakeError> {
        let jid = Jid::parse(jid.trim())
            .map_err(|error| WakeError::Forbidden(format!("its XMPP address: {error}")))?;
        // Whoever reports somebody else's address is not to make us write there.
        if !self.domains.iter().any(|domain| **domain == *jid.domain()) {
            return Err(WakeError::Forbidden(format!(
                "the device wants to be woken at {jid}, which is not in the domain of xmpp.jid nor \
                 in xmpp.domains"
            )));
        }
        if jid.local().is_none() || jid.bare() == self.own {
            return Err(WakeError::Forbidden(format!("{jid} is no device")));
        }
        Ok(jid)
    }
}

#[async_trait]
impl XmppAsk for XmppWay {
    async fn ask(&self, jid: &str, username: &str, password: &Secret) -> Result<(), WakeError> {
        let to = self.checked(jid)?;
        if let Err(why) = &*self.standing.borrow() {
            return Err(WakeError::NotReady(why.to_string()));
        }
        let (outcome, told) = oneshot::channel();
        let ask = Ask { to, username: username.into(), password: password.clone(), outcome };
        self.asks.try_send(ask).map_err(|_| {
            WakeError::NotReady("too many requests wait for the XMPP server".to_owned())
        })?;
        match tokio::time::timeout(ASK_WITHIN, told).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(WakeError::NotReady("the XMPP stream ended".to_owned())),
        }
    }

    fn standing(&self) -> XmppStanding {
        match &*self.standing.borrow() {
            Ok(jid) => XmppStanding { address: jid.clone(), problem: None },
            Err(why) => XmppStanding { address: self.own.clone(), problem: Some(why.to_string()) },
        }
    }
}

/// The task that keeps the stream up.
struct Keeper {
    target: LinkTarget,
    vault: Arc<Vault>,
    waiting: mpsc::Receiver<Ask>,
    teller: watch::Sender<Result<Jid, Arc<str>>>,
    backoff: Backoff,
    /// What was last told of, so that the log does not fill with one failure.
    told: Option<Arc<str>>,
    stop: CancellationToken,
}

impl Keeper {
    async fn run(mut self) {
        let stop = self.stop.clone();
        while !stop.is_cancelled() {
            let random: [u8; 32] = self.vault.random();
            let opened = tokio::select! {
                opened = Link::open(&self.target, &random) => opened,
                () = stop.cancelled() => return,
            };
            let error = match opened {
                Ok(link) => match self.keep(link).await {
                    Some(error) => error.into(),
                    None => return,
                },
                Err(error) => error,
            };
            let wait = self.failed(&error);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Carries requests while the stream is up. Why it ended; `None` if it was
    /// to be stopped.
    async fn keep(&mut self, mut link: Link) -> Option<XmppError> {
        let began = Instant::now();
        info!(xmpp.jid = %link.jid(), "the XMPP server is reached; devices can be woken through it");
        self.told = None;
        self.teller.send_modify(|standing| *standing = Ok(link.jid().clone()));
        let mut under_way = std::collections::HashMap::new();
        let ended = loop {
            tokio::select! {
                event = link.next() => match event {
                    Event::Answered { ticket, answer } => {
                        if let Some(outcome) = under_way.remove(&ticket) {
                            // Whoever asked may have gone.
                            let _: Result<(), _> = oneshot::Sender::send(outcome, verdict(answer));
                        }
                    }
                    Event::Ended(error) => break Some(error),
                    Event::Online(_) | Event::Secure | Event::Asked(_) => {}
                },
                Some(ask) = self.waiting.recv() => {
                    let now = link.now();
                    match link.connection().ask(&ask.to, &ask.username, &ask.password, now) {
                        Some(ticket) => {
                            under_way.insert(ticket, ask.outcome);
                        }
                        None => {
                            let busy = "too many requests wait for devices' answers".to_owned();
                            let _ = ask.outcome.send(Err(WakeError::NotReady(busy)));
                        }
                    }
                }
                () = self.stop.cancelled() => break None,
            }
        };
        if began.elapsed() >= SETTLED_AFTER {
            self.backoff.succeeded();
        }
        if ended.is_none() {
            link.close().await;
        }
        ended
    }

    /// Takes note of a failure; how long to wait before the next attempt.
    fn failed(&mut self, error: &LinkError) -> Duration {
        if matches!(error, LinkError::Stream(XmppError::Conflict)) {
            // Two that want the same resource would push each other out for ever.
            self.target.settings.jid = self.target.settings.jid.bare();
        }
        let why: Arc<str> = error.to_string().into();
        self.teller.send_modify(|standing| *standing = Err(Arc::clone(&why)));
        while let Ok(ask) = self.waiting.try_recv() {
            // Whoever asked may have gone.
            let _ = ask.outcome.send(Err(WakeError::NotReady(why.to_string())));
        }
        let [high, low] = self.vault.random();
        let wait = self.backoff.failed(u16::from_be_bytes([high, low]));
        if self.told.as_ref() != Some(&why) {
            warn!(xmpp.problem = %why, "no device can be woken through the XMPP server; it is tried again");
            self.told = Some(why);
        }
        wait
    }
}

/// What an answer means for whoever asked.
fn verdict(answer: Answer) -> Result<(), WakeError> {
    Err(match answer {
        Answer::Woken => return Ok(()),
        Answer::Refused(_) => {
            WakeError::Refused("the device does not take the credentials that it was given")
        }
        Answer::Busy => WakeError::Busy,
        Answer::Offline(word) => WakeError::Offline(format!(
            "the XMPP server reaches no such device, or the device does not answer us ({word})"
        )),
        Answer::Odd(word) => {
            WakeError::Offline(format!("the device answered {word} to a connection request"))
        }
        Answer::Silent => WakeError::Offline("no answer through the XMPP server".to_owned()),
        Answer::Lost => WakeError::NotReady("the XMPP stream ended before the answer".to_owned()),
    })
}

/// Words for a device that lets itself be woken by certain addresses only, of
/// which ours is none; `allowed` is its `ConnReqAllowedJabberIDs`.
pub(super) fn shut_out(allowed: &str, own: &Jid) -> Option<String> {
    let named: Vec<Jid> =
        allowed.split(',').take(32).filter_map(|one| Jid::parse(one.trim()).ok()).collect();
    if named.is_empty() || named.iter().any(|one| one.covers(own)) {
        return None;
    }
    let list: Vec<String> = named.iter().map(Jid::to_string).collect();
    Some(format!(
        "the device allows only {} to wake it, and this server is {own}; set its \
         ManagementServer.ConnReqAllowedJabberIDs",
        list.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_allows_others_only_is_told_of() {
        let own = Jid::parse("acs@example.net/r").unwrap();
        for open in ["", " ", "?@", "acs@example.net", "b@c, ACS@example.net", "acs@example.net/r"]
        {
            assert_eq!(shut_out(open, &own), None, "{open}");
        }
        let words = shut_out("b@c/d, acs@example.net/other", &own).unwrap();
        assert!(
            words.starts_with("the device allows only b@c/d, acs@example.net/other to"),
            "{words}"
        );
    }
}
