//! The supply as the doors see it.

use std::sync::Arc;

use async_trait::async_trait;

use super::admit::Refusal;
use super::deps::Supply;
use super::error::SupplyError;
use super::ledger::Fetch;
use super::make::Served;
use super::route::{Route, Way};
use crate::files::{Ask, Content, Found, Login, NotFound, Source, Ticket};
use crate::metrics::{PHONE_FILES, PHONE_REFUSALS};
use crate::phone::{Allow, Ended, Fetched, Mac, Site, Vendor};
use crate::provision::{Firmware, Kind, Wanted};

/// A file, and for whom.
pub(super) struct Granted {
    pub(super) what: What,
    pub(super) mac: Option<Mac>,
    pub(super) firmware: Box<str>,
    /// As [`Fetch::closes`].
    pub(super) closes: Option<u32>,
}

/// Bytes or an image.
pub(super) enum What {
    /// Made.
    Made(Arc<Served>),
    /// An image on disk.
    Image(Wanted, Firmware),
}

impl What {
    /// Whether it is a phone's own file.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Made(file) if file.wanted.kind == Kind::Own)
    }
}

#[async_trait]
impl Source for Supply {
    async fn logins(&self, ask: &Ask<'_>) -> Result<Vec<Login>, NotFound> {
        let Some(route) = Route::read(ask.path) else { return Ok(Vec::new()) };
        if ask.certificate.is_some() {
            return Ok(Vec::new());
        }
        let found = match route.way {
            Way::Phone(_) => Ok(Vec::new()),
            Way::Site(token) => match self.deps.site_links.check(token) {
                Some(name) => self.deps.store.site(&name).await.map(|site| {
                    site.filter(|site| Allow::any(&site.access.allow, ask.source))
                        .into_iter()
                        .collect()
                }),
                None => Ok(Vec::new()),
            },
            // Of all sites that serve this source, so that the question says
            // nothing of which phone is at which.
            Way::Open => self.book.open_sites().await.map(|sites| {
                let serves = |site: &&Site| {
                    !site.access.logins.is_empty() && Allow::any(&site.access.allow, ask.source)
                };
                sites.iter().filter(serves).cloned().collect::<Vec<_>>()
            }),
        };
        let open = |site: &Site| {
            let logins = site.access.logins.iter();
            logins
                .map(|login| {
                    let password = self.open_secret(&login.password)?;
                    Ok(Login { user: login.user.clone(), password })
                })
                .collect::<Result<Vec<_>, Refusal>>()
        };
        let logins = found.map_err(Refusal::from).and_then(|sites| {
            let logins = sites.iter().map(open).collect::<Result<Vec<_>, _>>()?;
            Ok(logins.into_iter().flatten().collect())
        });
        let logins: Vec<Login> = logins.map_err(|refusal| self.refuse(ask, None, refusal))?;
        // Where a password can be tried each try counts.
        if !logins.is_empty() && !self.throttle.takes(ask.source, self.deps.clock.now()) {
            PHONE_REFUSALS.one_of("throttled");
            return Err(NotFound::TooMany);
        }
        Ok(logins)
    }

    async fn open(&self, ask: &Ask<'_>) -> Result<Found, NotFound> {
        let now = self.deps.clock.now();
        if !self.throttle.takes(ask.source, now) {
            PHONE_REFUSALS.one_of("throttled");
            tracing::debug!(peer.address = %ask.source, "too many requests for phone files");
            return Err(NotFound::TooMany);
        }
        let granted = match self.admit(ask, now).await {
            Ok(granted) => granted,
            Err((mac, refusal)) => return Err(self.refuse(ask, mac, refusal)),
        };
        let mac = granted.mac;
        let mut fetch = Fetch {
            mac,
            kind: Kind::Image,
            counted: "image",
            vendor: None,
            file: "".into(),
            version: "".into(),
            at: now,
            address: ask.source,
            door: ask.door,
            firmware: granted.firmware,
            closes: granted.closes,
        };
        let (content, media, tag) = match granted.what {
            What::Made(file) => {
                fetch.kind = file.wanted.kind;
                fetch.vendor = Some(file.vendor);
                fetch.counted = word(file.wanted.kind, file.encrypted);
                fetch.file = file.wanted.name.clone();
                fetch.version = file.version.clone();
                (Content::Bytes(file.bytes.clone()), file.media, file.tag.clone())
            }
            What::Image(wanted, firmware) => {
                fetch.file = wanted.name;
                fetch.version = firmware.version;
                let opened = self.deps.shelf.read(&firmware.sha256).await;
                let (file, size) =
                    opened.map_err(|error| self.refuse(ask, mac, Refusal::from(error)))?;
                let tag = format!("\"{}\"", firmware.sha256);
                (Content::File(file, size), "application/octet-stream", tag.into())
            }
        };
        let name = fetch.file.clone();
        Ok(Found { name, content, media, tag, ticket: Ticket(Some(Box::new(fetch))) })
    }

    async fn ended(&self, ticket: Ticket, ended: Ended) {
        let fetch = ticket.0.and_then(|fetch| fetch.downcast::<Fetch>().ok());
        if let Some(fetch) = fetch {
            if matches!(ended, Ended::Whole) {
                PHONE_FILES.one_at(fetch.vendor.map_or("other", Vendor::word), fetch.counted);
            }
            self.ledger.ended(*fetch, ended).await;
        }
    }
}

impl Supply {
    /// What a door is told of a refusal. The reason goes to the log, and for a
    /// known phone into its fetch log.
    fn refuse(&self, ask: &Ask<'_>, known: Option<Mac>, refusal: Refusal) -> NotFound {
        PHONE_REFUSALS.one_of(match &refusal {
            Refusal::Nowhere(_) => "nowhere",
            Refusal::TooMany => "throttled",
            Refusal::Fault(_) => "fault",
        });
        let (source, now) = (ask.source, self.deps.clock.now());
        let why = match refusal {
            Refusal::Nowhere(why) => why.to_owned(),
            // Who has shown no token must not learn by another answer that
            // there is such a phone.
            Refusal::Fault(SupplyError::Render(error)) if !by_token(ask) => error.to_string(),
            Refusal::TooMany => {
                tracing::debug!(peer.address = %source, "a block of addresses is held off");
                return NotFound::TooMany;
            }
            Refusal::Fault(error) => {
                tracing::error!(
                    phone.mac = known.map(tracing::field::display),
                    peer.address = %source,
                    %error,
                    "no file for the phone"
                );
                return NotFound::Unavailable;
            }
        };
        tracing::debug!(
            peer.address = %source,
            phone.mac = known.map(tracing::field::display),
            door = ask.door.word(),
            reason = %why,
            "a request led nowhere"
        );
        if let Some(count) = self.throttle.missed(source, now) {
            tracing::warn!(
                peer.address = %source,
                requests = count,
                "many requests that lead nowhere: somebody may be trying addresses"
            );
        }
        if let Some(mac) = known.filter(|mac| self.ledger.takes_refusal(*mac, now)) {
            let file = Route::read(ask.path).map(|route| route.name).unwrap_or_default();
            let fetched = Fetched {
                at: now,
                address: source,
                door: ask.door,
                file: file.chars().take(64).collect::<String>().into(),
                version: "".into(),
                ended: Ended::Refused(why.into()),
            };
            let ledger = Arc::clone(&self.ledger);
            // Behind the answer, so that it takes no longer than any other.
            tokio::spawn(async move { ledger.refused(mac, fetched).await });
        }
        NotFound::Nowhere
    }
}

/// As which a file is counted.
const fn word(kind: Kind, encrypted: bool) -> &'static str {
    match (kind, encrypted) {
        (Kind::Own, false) => "own",
        (Kind::Own, true) => "own_encrypted",
        (Kind::Common, false) => "common",
        (Kind::Common, true) => "common_encrypted",
        (Kind::Side, false) => "side",
        (Kind::Side, true) => "side_encrypted",
        (Kind::Image, _) => "image",
    }
}

/// Whether the path has a phone's own token, whose signature was right if the
/// file was found at all.
fn by_token(ask: &Ask<'_>) -> bool {
    Route::read(ask.path).is_some_and(|route| matches!(route.way, Way::Phone(_)))
}
