//! Who goes on with a change: what the token that asked opens at present.
//!
//! A change takes its time, and a token does not last for ever: it is judged anew
//! for each page. A change does no more than its asker could ask for now, and no
//! more than it could when it was asked.

use super::ask::Asked;
use crate::access::{Principal, Reach, Right, Rights};
use crate::store::{BulkRecord, Store, StoreError};
use crate::time::Timestamp;

/// What may be done, and to whose devices.
pub(super) struct Asker {
    pub(super) rights: Rights,
    pub(super) reach: Reach,
}

impl Asker {
    /// As it was when the change was asked for.
    pub(super) fn at_first(bulk: &BulkRecord) -> Self {
        Self { rights: bulk.rights.iter().copied().collect(), reach: bulk.reach.clone() }
    }

    /// As it is now, or why the change goes no further.
    pub(super) async fn now(
        store: &dyn Store,
        bulk: &BulkRecord,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Result<Self, &'static str>, StoreError> {
        let first = Self::at_first(bulk);
        if bulk.token.is_empty() {
            return Ok(Ok(first));
        }
        let office = store.office();
        let Some(token) = office.token(&bulk.token).await? else {
            return Ok(Err("the token that asked is there no longer"));
        };
        if token.revoked_at.is_some() {
            return Ok(Err("the token that asked was revoked"));
        }
        if token.expires_at.is_some_and(|end| end <= now) {
            return Ok(Err("the token that asked has expired"));
        }
        let user = match &token.user {
            Some(name) => office.user(name).await?,
            None => None,
        };
        Ok(match Principal::of(&token, user.as_ref(), now) {
            Some(principal) => first.narrowed(&principal, asked),
            None => Err("the token that asked opens nothing any more"),
        })
    }

    /// What of this a principal may still do and see.
    fn narrowed(self, principal: &Principal, asked: &Asked) -> Result<Self, &'static str> {
        let rights = self.rights.and(principal.rights);
        let may = |right| rights.has(right);
        if !may(Right::TasksDisrupt) || !asked.action().is_ok_and(|action| may(action.right())) {
            return Err("the token that asked may do this no longer");
        }
        let Some(reach) = self.reach.and(&principal.reach) else {
            return Err("the token that asked sees none of these devices any more");
        };
        Ok(Self { rights, reach })
    }
}
