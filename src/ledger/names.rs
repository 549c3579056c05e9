//! Who did something, as it is told to somebody: names of people, tokens, profiles
//! and campaigns that are not seen stand in no answer.

use std::collections::HashMap;

use crate::access::Reach;
use crate::store::{Store, StoreError};

/// What is told in place of somebody who is not of the reader's tenant.
pub const INSTALLATION: &str = "the installation";

/// What is told of somebody of the tenant to whoever sees some of its sites.
const TENANT: &str = "the tenant";

/// What is told of somebody of whom nothing is known any more.
const SOMEBODY: &str = "somebody";

/// Whoever is nobody's: the server, and devices themselves; and what was told already.
const NOBODYS: [&str; 10] = [
    "",
    "server",
    "provost",
    "provost (STUN)",
    "the device",
    "profiles",
    "automatic",
    INSTALLATION,
    TENANT,
    SOMEBODY,
];

/// The holder of the first token.
const ADMIN: &str = "admin";

/// The most names that are remembered.
const MOST: usize = 1000;

/// Names with somebody's eyes. What was looked up is remembered for the time of one
/// answer.
#[derive(Debug)]
pub struct Names {
    reach: Reach,
    known: HashMap<Box<str>, Box<str>>,
}

/// How much of somebody is seen; what is more comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sight {
    /// Nobody has that name.
    Unknown,
    /// It is somebody else's.
    Beyond,
    /// It is of the tenant, and beyond the reader's sites.
    Tenant,
    /// The reader sees it.
    Seen,
}

impl Names {
    /// As whoever sees this far may read them.
    pub fn of(reach: &Reach) -> Self {
        Self { reach: reach.clone(), known: HashMap::new() }
    }

    /// The name as it may be told.
    ///
    /// # Errors
    /// What the store says.
    pub async fn told(&mut self, store: &dyn Store, by: &str) -> Result<Box<str>, StoreError> {
        if self.reach.is_whole() || NOBODYS.contains(&by) {
            return Ok(by.into());
        }
        if let Some(known) = self.known.get(by) {
            return Ok(known.clone());
        }
        let told = match self.sight_of(store, by).await? {
            Sight::Seen => by,
            Sight::Tenant => TENANT,
            Sight::Beyond => INSTALLATION,
            Sight::Unknown => SOMEBODY,
        };
        if self.known.len() < MOST {
            self.known.insert(by.into(), told.into());
        }
        Ok(told.into())
    }

    /// The same of whoever came with a token, by its id: two may have one name.
    ///
    /// # Errors
    /// What the store says.
    pub async fn told_of(
        &mut self,
        store: &dyn Store,
        by: &str,
        token: &str,
    ) -> Result<Box<str>, StoreError> {
        if self.reach.is_whole() || token.is_empty() {
            return self.told(store, by).await;
        }
        match store.office().token(token).await? {
            Some(token) if self.sight(&token.reach) == Sight::Beyond => Ok(INSTALLATION.into()),
            _ => self.told(store, by).await,
        }
    }

    async fn sight_of(&self, store: &dyn Store, by: &str) -> Result<Sight, StoreError> {
        let (fleet, office) = (store.fleet(), store.office());
        let mut seen = match office.user(by).await? {
            Some(user) => self.sight(&user.reach),
            // Such a name is of that tenant for everybody, whether it is there or not.
            None => match by.rsplit_once('@') {
                Some((_, tenant)) => self.sight_of_owner(Some(tenant.into())),
                None => Sight::Unknown,
            },
        };
        for token in office.tokens().await? {
            if token.user.is_none() && *token.name == *by {
                seen = seen.max(self.sight(&token.reach));
            }
        }
        if seen != Sight::Unknown {
            return Ok(seen);
        }
        if let Some(name) = by.strip_prefix("profile ") {
            let profile = fleet.profile(name).await?;
            return Ok(self.sight_of_owner(profile.map(|profile| profile.tenant)));
        }
        if let Some(name) = by.strip_prefix("campaign ") {
            let campaign = fleet.campaign(name).await?;
            return Ok(self.sight_of_owner(campaign.map(|campaign| campaign.tenant)));
        }
        Ok(if by == ADMIN { Sight::Beyond } else { Sight::Unknown })
    }

    fn sight(&self, reach: &Reach) -> Sight {
        if self.reach.covers(reach) {
            Sight::Seen
        } else if reach.tenant.is_some() && reach.tenant == self.reach.tenant {
            Sight::Tenant
        } else {
            Sight::Beyond
        }
    }

    /// Of what belongs to a tenant as a whole, or to the installation.
    fn sight_of_owner(&self, tenant: Option<Box<str>>) -> Sight {
        match tenant {
            None => Sight::Unknown,
            Some(tenant) if tenant.is_empty() => Sight::Beyond,
            Some(tenant) => self.sight(&Reach::of_tenant(&tenant)),
        }
    }
}
