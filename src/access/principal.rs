//! Whoever holds a token.

use std::sync::Arc;

use super::{Reach, Right, Rights, Role, TokenRecord, UserRecord};
use crate::time::Timestamp;

/// Who asks, and what they may do. Made for each request from what is stored, so
/// that a token that was revoked opens nothing from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name that stands in records of what was asked.
    pub name: Arc<str>,
    /// The id of the token; empty for the one in `admin.token`.
    pub token: Arc<str>,
    /// The role.
    pub role: Role,
    /// What may be done.
    pub rights: Rights,
    /// Whose things are seen.
    pub reach: Arc<Reach>,
    /// When the token ends; never if `None`.
    pub expires_at: Option<Timestamp>,
}

impl Principal {
    /// The holder of the first token, who may do everything.
    pub fn admin() -> Self {
        Self {
            name: "admin".into(),
            token: "".into(),
            role: Role::Admin,
            rights: Rights::of(Role::Admin),
            reach: Arc::new(Reach::WHOLE),
            expires_at: None,
        }
    }

    /// The holder of a token of a user or of a machine; `None` if it opens
    /// nothing now.
    pub fn of(token: &TokenRecord, user: Option<&UserRecord>, now: Timestamp) -> Option<Self> {
        let over = token.revoked_at.is_some() || token.expires_at.is_some_and(|end| end <= now);
        if over || token.user.is_some() != user.is_some() {
            return None;
        }
        let (mut role, mut reach) = (token.role, token.reach.clone());
        if let Some(user) = user {
            if user.disabled {
                return None;
            }
            role = role.min(user.role);
            reach = reach.and(&user.reach)?;
        }
        Some(Self {
            name: user.map_or(&token.name, |user| &user.name).as_ref().into(),
            token: token.id.as_ref().into(),
            role,
            rights: Rights::given(role, token.rights.as_deref()),
            reach: Arc::new(reach),
            expires_at: token.expires_at,
        })
    }

    /// Whether something may be done at all, be it to whatever.
    pub const fn may(&self, right: Right) -> bool {
        self.rights.has(right)
    }

    /// Whether what belongs to this tenant and stands at this site is seen.
    pub fn sees(&self, tenant: &str, site: &str) -> bool {
        self.reach.sees(tenant, site)
    }
}
