//! Where a simulated device is woken through an XMPP server (TR-069 Annex K): a
//! stream of its own, on which it answers connection requests.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::listener::{Login, lock};
use crate::link::{Link, LinkTarget};
use crate::xmpp::{Backoff, ConnectionRequest, Event, Jid, Refusal};

/// The device's stream to its XMPP server.
pub(super) struct XmppSide {
    pub(super) target: LinkTarget,
    /// What a request must show.
    pub(super) login: Login,
    /// Who may ask; empty: anybody.
    pub(super) allowed: Vec<Jid>,
    /// Rung once for each request that was let in and answered.
    pub(super) bell: mpsc::Sender<()>,
    /// Told each time a stream has come about.
    pub(super) online: mpsc::Sender<()>,
    pub(super) stop: CancellationToken,
}

impl XmppSide {
    /// Keeps a stream up until the device stops.
    pub(super) async fn run(self) {
        let stop = self.stop.clone();
        tokio::select! {
            () = self.keep() => {}
            () = stop.cancelled() => {}
        }
    }

    async fn keep(&self) {
        let mut backoff = Backoff::default();
        loop {
            let mut random = [0; 32];
            let halves = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
            for (to, from) in
                random.iter_mut().zip(halves.0.as_bytes().iter().chain(halves.1.as_bytes()))
            {
                *to = *from;
            }
            if let Ok(link) = Link::open(&self.target, &random).await {
                backoff.succeeded();
                // Nobody may watch.
                let _ = self.online.try_send(());
                self.serve(link).await;
            }
            let [high, low, ..] = random;
            tokio::time::sleep(backoff.failed(u16::from_be_bytes([high, low]))).await;
        }
    }

    /// Answers requests until the stream ends.
    async fn serve(&self, mut link: Link) {
        loop {
            match link.next().await {
                Event::Asked(request) => {
                    let verdict = self.judge(&request);
                    link.connection().answer(&request, verdict);
                    // The answer goes before the session (TR-069 Annex K).
                    if link.flush().await.is_ok() && verdict.is_ok() {
                        let _ = self.bell.send(()).await;
                    }
                }
                Event::Ended(_) => return,
                Event::Online(_) | Event::Secure | Event::Answered { .. } => {}
            }
        }
    }

    fn judge(&self, request: &ConnectionRequest) -> Result<(), Refusal> {
        let from = Jid::parse(&request.from).map_err(|_| Refusal::ServiceUnavailable)?;
        if !self.allowed.is_empty() && !self.allowed.iter().any(|one| one.covers(&from)) {
            return Err(Refusal::ServiceUnavailable);
        }
        match &*lock(&self.login) {
            Some((username, password))
                if *username == request.username && *password == request.password =>
            {
                Ok(())
            }
            _ => Err(Refusal::NotAuthorized),
        }
    }
}
