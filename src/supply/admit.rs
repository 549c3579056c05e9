//! Who may have which file.
//!
//! A phone's own token proves who asks. By a site's folder or by name alone
//! nothing is proven but by a certificate, so there an ask for a phone reads
//! the same records whether the phone exists, is locked, disabled or elsewhere,
//! and whatever is wrong ends in one and the same refusal.

use super::cache::{AtHand, Origin, Shared};
use super::deps::Supply;
use super::dossier::{About, Dossier};
use super::error::SupplyError;
use super::ledger::{Locked, locked};
use super::make::{TRIES, is_zeroes};
use super::route::{Route, Way};
use super::source::{Granted, What};
use crate::files::Ask;
use crate::phone::{Allow, Mac, Phone, Site, Vendor};
use crate::provision::{Claim, Evidence, Identity, Kind, Proof, Wanted, identify, macs};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Why nobody gets a file.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It leads nowhere; why is for the log.
    Nowhere(&'static str),
    /// Too many addresses were tried from there.
    TooMany,
    /// Something of ours failed.
    Fault(SupplyError),
}

impl<E: Into<SupplyError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

/// A refusal, and the phone that it is about if there is such a phone.
type Refused = (Option<Mac>, Refusal);

/// What is said of a phone that was forgotten.
const GONE: &str = "the phone is no longer known";

/// For whom a file is made.
enum Whom<'a> {
    /// Whoever holds this claim, which is still to be held against the phone.
    Claims(&'a Claim, &'a Identity),
    /// A phone that may have it.
    Phone(Mac),
    /// Somebody at a site who did not say which phone he is.
    Anybody(&'a Identity, &'a str),
}

impl Supply {
    /// Decides on an ask, and makes the file.
    pub(super) async fn admit(&self, ask: &Ask<'_>, now: Timestamp) -> Result<Granted, Refused> {
        let nowhere = |why| (None, Refusal::Nowhere(why));
        let route = Route::read(ask.path).ok_or(nowhere("no such path"))?;
        let claim = match route.way {
            // Before anything is looked up, so that a guess costs the same whether
            // such a phone exists or not.
            Way::Phone(token) => Some(
                self.deps.phone_links.check(token).ok_or(nowhere("the token is none of ours"))?,
            ),
            Way::Site(_) | Way::Open => None,
        };
        let evidence = Evidence {
            token: claim.map(|claim| claim.mac),
            certificate: ask.certificate,
            name: &route.name,
            agent: ask.agent,
        };
        let identity = identify(&evidence).map_err(|contradiction| {
            let why = contradiction.why();
            (claim.map(|claim| claim.mac), Refusal::Nowhere(why))
        })?;
        match claim {
            Some(claim) => self.by_token(ask, &route, claim, &identity).await,
            None => self.by_word(ask, &route, identity, now).await,
        }
    }

    /// `/p/<token>/…`.
    async fn by_token(
        &self,
        ask: &Ask<'_>,
        route: &Route<'_>,
        claim: Claim,
        identity: &Identity,
    ) -> Result<Granted, Refused> {
        let mac = claim.mac;
        let firmware = identity.claim.firmware.clone();
        // A phone that has its file needs no other way to it.
        let granted = |what: What, locks: Option<u32>| {
            let closes = locks.filter(|_| what.is_own());
            Granted { what, mac: Some(mac), firmware, closes }
        };
        if let Some(AtHand { vendor, locks, file }) =
            self.cache.claimed(&claim, &route.name, ask.door.is_plain())
            && identity.fits(vendor)
        {
            return Ok(granted(What::Made(file), locks));
        }
        match self.made(ask, route, &Whom::Claims(&claim, identity)).await {
            Ok((what, locks)) => Ok(granted(what, locks)),
            Err(refusal @ Refusal::Nowhere(GONE)) => Err((None, refusal)),
            Err(refusal) => Err((Some(mac), refusal)),
        }
    }

    /// `/s/<token>/…`, and by name alone.
    async fn by_word(
        &self,
        ask: &Ask<'_>,
        route: &Route<'_>,
        identity: Identity,
        now: Timestamp,
    ) -> Result<Granted, Refused> {
        let unknown = |refusal: Refusal| (None, refusal);
        let named_site = match route.way {
            Way::Site(token) => {
                let site = self.deps.site_links.check(token);
                Some(site.ok_or(unknown(Refusal::Nowhere("the token is none of ours")))?)
            }
            Way::Phone(_) | Way::Open => None,
        };
        let mac = match identity.mac {
            Some(mac) => Some(mac),
            None => self.by_own_name(route).await.map_err(|error| unknown(error.into()))?,
        };
        if let Some(mac) = mac
            && identity.proof != Proof::Proven
            && !self.walks.admits(ask.source, mac, now)
        {
            return Err(unknown(Refusal::TooMany));
        }
        let outcome = self.word_of(ask, route, &identity, mac, named_site.as_deref(), now).await;
        if let (Some(mac), Err((_, Refusal::Nowhere(_)))) = (mac, &outcome)
            && self.walks.missed(ask.source, mac, now)
        {
            tracing::warn!(
                peer.address = %ask.source,
                phone.oui = hex::encode(mac.oui()),
                "somebody walks the addresses of this block: many different ones were asked for by name in vain; they are held off for ten minutes"
            );
        }
        outcome
    }

    /// Decides on the word of whoever asks.
    async fn word_of(
        &self,
        ask: &Ask<'_>,
        route: &Route<'_>,
        identity: &Identity,
        mac: Option<Mac>,
        named_site: Option<&str>,
        now: Timestamp,
    ) -> Result<Granted, Refused> {
        let fault = |error: StoreError| (None, Refusal::from(error));
        let store = &self.deps.store;
        // The same three reads for every address.
        let (mut phone, mut log) = (None, None);
        if let Some(mac) = mac {
            phone = store.phone(mac).await.map_err(fault)?;
            log = store.fetch_log(mac).await.map_err(fault)?;
        }
        let of_phone = phone.as_ref().map(|phone| phone.site.clone()).unwrap_or_default();
        let site = match (named_site, mac) {
            (Some(name), _) => store.site(name).await.map_err(fault)?,
            (None, Some(_)) => store.site(&of_phone).await.map_err(fault)?,
            (None, None) => None,
        };
        let firmware = identity.claim.firmware.clone();
        let known = phone.as_ref().map(|phone| phone.mac);
        let mut why = "there is no such phone";
        if let (Some(phone), Some(site)) = (phone, &site) {
            let lock = locked(log.as_ref(), phone.unlocks, ask.source, now);
            match self.may_have(ask, &phone, site, identity, named_site.is_some(), lock) {
                Ok(()) => {
                    let locks = site.access.lock && identity.proof != Proof::Proven;
                    let unlocks = phone.unlocks;
                    let mac = phone.mac;
                    let at_hand = self.cache.find(mac, &route.name, ask.door.is_plain());
                    let what = match at_hand {
                        Some(file) => What::Made(file),
                        None => {
                            let made = self.made(ask, route, &Whom::Phone(mac)).await;
                            made.map_err(|refusal| (known, refusal))?.0
                        }
                    };
                    let closes = (locks && what.is_own()).then_some(unlocks);
                    let first = closes.filter(|_| lock == Locked::Open);
                    if first.is_some() && !self.ledger.is_first(mac, ask.source, now) {
                        let why = "another address is at its first fetch";
                        return Err((known, Refusal::Nowhere(why)));
                    }
                    return Ok(Granted { what, mac: known, firmware, closes });
                }
                Err(reason) => why = reason,
            }
        }
        let refused = |why| Err((known, Refusal::Nowhere(why)));
        // Whoever names a phone in the path wants that phone's file and no other.
        if mac.is_some() && (known.is_some() || macs(&route.name).next().is_some()) {
            return refused(why);
        }
        let site = match (named_site, site) {
            (Some(_), site) => site,
            (None, _) => {
                let sites = self.book.open_sites().await.map_err(fault)?;
                sites.iter().find(|site| Allow::any(&site.access.allow, ask.source)).cloned()
            }
        };
        let Some(site) = site else { return refused("no site serves this source by name") };
        if let Err(why) = may_come(ask, &site, identity) {
            return refused(why);
        }
        let made = self.made(ask, route, &Whom::Anybody(identity, &site.name)).await;
        let (what, _) = made.map_err(|refusal| (None, refusal))?;
        Ok(Granted { what, mac: None, firmware, closes: None })
    }

    /// Whether a phone may have files that it has not proven to be for it.
    fn may_have(
        &self,
        ask: &Ask<'_>,
        phone: &Phone,
        site: &Site,
        identity: &Identity,
        by_site: bool,
        lock: Locked,
    ) -> Result<(), &'static str> {
        let proven = identity.proof == Proof::Proven;
        if phone.site != site.name {
            return Err("the phone stands at another site");
        }
        if !phone.enabled {
            return Err("the phone is disabled");
        }
        if !identity.fits(phone.vendor) {
            return Err("the User-Agent is of another vendor");
        }
        if !by_site && !proven && !site.access.tokenless {
            return Err("the site gives nothing by name alone");
        }
        may_come(ask, site, identity)?;
        if site.access.lock && !proven && lock == Locked::Closed {
            return Err("its first-fetch lock is closed");
        }
        Ok(())
    }

    /// The phone that has this name for its own.
    async fn by_own_name(&self, route: &Route<'_>) -> Result<Option<Mac>, StoreError> {
        for name in route.names() {
            if let Some(mac) = self.book.named(name).await? {
                return Ok(Some(mac));
            }
        }
        Ok(None)
    }

    /// Makes a file and keeps it; with `unlocks` of the phone if its site locks. If
    /// what it is made of changes meanwhile, it is
    /// made again, so that an overtaken body never goes out under a version above
    /// that of the new one.
    async fn made(
        &self,
        ask: &Ask<'_>,
        route: &Route<'_>,
        whom: &Whom<'_>,
    ) -> Result<(What, Option<u32>), Refusal> {
        let plain = ask.door.is_plain();
        let mut tries = 0;
        loop {
            let epoch = self.cache.begin();
            let (dossier, wanted) = self.gathered(route, whom).await?;
            let claim = match whom {
                Whom::Claims(claim, _) => Some(**claim),
                Whom::Phone(_) | Whom::Anybody(..) => None,
            };
            let wanted = wanted.ok_or(Refusal::Nowhere("no file has such a name"))?;
            let locking = dossier.phone.as_ref().filter(|_| dossier.site.access.lock);
            let locks = locking.map(|phone| phone.unlocks);
            if wanted.kind == Kind::Image {
                return match dossier.image() {
                    Some(image) if !image.sha256.is_empty() => {
                        Ok((What::Image(wanted, image.clone()), locks))
                    }
                    Some(_) => Err(Refusal::Nowhere("the firmware is not uploaded")),
                    None => Err(Refusal::Nowhere("no firmware is set")),
                };
            }
            let (vendor, model) = (dossier.family.vendor(), &*dossier.model);
            let shared = (wanted.kind == Kind::Common).then(|| Shared {
                site: dossier.site.name.clone(),
                vendor,
                model: model.into(),
                name: wanted.name.clone(),
                plain,
                public: dossier.phone.is_none(),
            });
            let at_hand = shared.as_ref().and_then(|which| self.cache.shared(which));
            let file = match at_hand {
                Some(file) => file,
                None => self.make(&dossier, wanted, ask.door).await?.into(),
            };
            let (mac, site, name) = (dossier.mac(), &*dossier.site.name, &*route.name);
            let origin = Origin { mac, claim, site, vendor, name, plain, locks };
            if self.cache.keep(epoch, &origin, shared, &file) || tries == TRIES {
                return Ok((What::Made(file), locks));
            }
            tries += 1;
        }
    }

    /// What is to be made, and of what.
    async fn gathered(
        &self,
        route: &Route<'_>,
        whom: &Whom<'_>,
    ) -> Result<(Dossier, Option<Wanted>), Refusal> {
        let store = &self.deps.store;
        let phone = match whom {
            Whom::Anybody(identity, site) => {
                let site = store.site(site).await?.unwrap_or_default();
                return self.for_anybody(identity, route, site).await;
            }
            Whom::Phone(mac) => store.phone(*mac).await?.ok_or(Refusal::Nowhere(GONE))?,
            Whom::Claims(claim, identity) => {
                let phone = store.phone(claim.mac).await?.ok_or(Refusal::Nowhere(GONE))?;
                if !self.deps.phone_links.holds(claim, &self.open_secret(&phone.token)?) {
                    return Err(Refusal::Nowhere("the token was renewed"));
                }
                if !identity.fits(phone.vendor) {
                    return Err(Refusal::Nowhere("the User-Agent is of another vendor"));
                }
                phone
            }
        };
        if !phone.enabled {
            return Err(Refusal::Nowhere("the phone is disabled"));
        }
        let dossier = self.dossier_of(phone).await?;
        let wanted = resolve(&dossier, route);
        Ok((dossier, wanted))
    }

    /// A file that phones share, for somebody who did not say which phone he is.
    /// Whose it is, his User-Agent tells; else the name, vendor by vendor.
    async fn for_anybody(
        &self,
        identity: &Identity,
        route: &Route<'_>,
        site: Site,
    ) -> Result<(Dossier, Option<Wanted>), Refusal> {
        // The zeroes file is one vendor's, and its name says nothing of which.
        let speaks = |of: &Vendor| match identity.vendor() {
            Some(vendor) => vendor == *of,
            None => !is_zeroes(&route.name),
        };
        for vendor in Vendor::ALL.into_iter().filter(speaks) {
            let about = About::Model(vendor, identity.claim.model.clone());
            let dossier = self.dossier(about, site.clone()).await?;
            let wanted = resolve(&dossier, route)
                .filter(|file| matches!(file.kind, Kind::Common | Kind::Image));
            if wanted.is_some() {
                return Ok((dossier, wanted));
            }
        }
        Err(Refusal::Nowhere("no phones share a file of this name"))
    }
}

/// Whether whoever asks may come at all where he proves nothing.
fn may_come(ask: &Ask<'_>, site: &Site, identity: &Identity) -> Result<(), &'static str> {
    let access = &site.access;
    if !Allow::any(&access.allow, ask.source) {
        return Err("the site serves nobody there");
    }
    let logged_in =
        ask.login.is_some_and(|user| access.logins.iter().any(|login| *login.user == *user));
    if !access.logins.is_empty() && identity.proof != Proof::Proven && !logged_in {
        return Err("the login is another site's");
    }
    Ok(())
}

/// The file that a path means: all of the name first, then its last segment.
fn resolve(dossier: &Dossier, route: &Route<'_>) -> Option<Wanted> {
    let subject = dossier.subject();
    route.names().find_map(|name| dossier.family.resolve(name, &subject))
}
