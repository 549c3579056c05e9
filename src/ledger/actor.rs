//! Who asks for what is being done.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Whoever asked for the changes that are made while a request is answered.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The name.
    pub name: Arc<str>,
    /// The id of the token; empty for the one in `admin.token`.
    pub token: Arc<str>,
    /// From where.
    pub address: Option<IpAddr>,
    /// The request's id.
    pub request: u128,
    /// How many entries of the audit it has made.
    entries: Arc<AtomicU32>,
}

impl Actor {
    /// Somebody with a request.
    pub fn new(name: Arc<str>, token: Arc<str>, address: Option<IpAddr>, request: u128) -> Self {
        Self { name, token, address, request, entries: Arc::default() }
    }

    /// The server itself.
    pub(super) fn server() -> Self {
        Self::new("server".into(), "".into(), None, 0)
    }

    /// Notes an entry of the audit.
    pub(super) fn count(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }
}

tokio::task_local! {
    static ACTING: Actor;
}

/// Does something in the name of an actor: every commit meanwhile is entered in
/// the audit. What is spawned meanwhile acts for nobody, unless it is wrapped
/// again.
pub fn acting<F: Future>(actor: Actor, work: F) -> impl Future<Output = F::Output> {
    ACTING.scope(actor, work)
}

/// The same actor for what is spawned: it goes on in that one's name.
pub fn still_acting<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let actor = current();
    async move {
        match actor {
            Some(actor) => ACTING.scope(actor, work).await,
            None => work.await,
        }
    }
}

/// Who acts at present.
pub(super) fn current() -> Option<Actor> {
    ACTING.try_with(Clone::clone).ok()
}

/// Whether anybody acts at present.
pub(super) fn is_acting() -> bool {
    ACTING.try_with(|_| ()).is_ok()
}

/// How many entries an actor's request has made so far.
pub fn entries_made(actor: &Actor) -> u32 {
    actor.entries.load(Ordering::Relaxed)
}
