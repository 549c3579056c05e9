//! What is given away: nobody gives more than they have.

use std::fmt;

use super::{Principal, Reach, Right, Rights, Role, TokenRecord, UserRecord};
use crate::time::Timestamp;

/// What a token or a user gives to whoever holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant<'a> {
    /// The role.
    pub role: Role,
    /// What of that may be done.
    pub rights: Rights,
    /// Whose things are seen.
    pub reach: &'a Reach,
}

/// By what a grant goes beyond what its maker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// This role is above the maker's.
    Role(Role),
    /// The maker lacks this right.
    Right(Right),
    /// The maker does not see all that would be seen.
    Reach,
    /// The maker's own token ends before.
    Expiry(Timestamp),
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "the role {role}"),
            Self::Right(right) => write!(f, "the right {right}"),
            Self::Reach => f.write_str("what this token does not see"),
            Self::Expiry(at) => write!(f, "time beyond {at}, when this token ends"),
        }
    }
}

impl<'a> From<&'a TokenRecord> for Grant<'a> {
    fn from(token: &'a TokenRecord) -> Self {
        let rights = Rights::given(token.role, token.rights.as_deref());
        Self { role: token.role, rights, reach: &token.reach }
    }
}

impl<'a> From<&'a UserRecord> for Grant<'a> {
    fn from(user: &'a UserRecord) -> Self {
        Self { role: user.role, rights: Rights::of(user.role), reach: &user.reach }
    }
}

impl Principal {
    /// Whether all that is given is the principal's own.
    ///
    /// # Errors
    /// [`Excess`]: the first thing that is not.
    pub fn covers(&self, grant: Grant<'_>) -> Result<(), Excess> {
        if !self.reach.covers(grant.reach) {
            return Err(Excess::Reach);
        }
        if grant.role > self.role {
            return Err(Excess::Role(grant.role));
        }
        match self.rights.missing(grant.rights).iter().next() {
            Some(right) => Err(Excess::Right(right)),
            None => Ok(()),
        }
    }

    /// Whether a time ends no later than the principal's own token.
    ///
    /// # Errors
    /// [`Excess::Expiry`] if it does.
    pub fn outlives(&self, expires_at: Option<Timestamp>) -> Result<(), Excess> {
        match self.expires_at {
            Some(own) if expires_at.is_none_or(|at| at > own) => Err(Excess::Expiry(own)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn reaches() -> impl Strategy<Value = Reach> {
        let tenant = prop::option::of(prop::sample::select(vec!["a", "b"]));
        let sites = prop::collection::btree_set(prop::sample::select(vec!["x", "y", "z"]), 0..3);
        (tenant, sites).prop_map(|(tenant, sites)| Reach {
            tenant: tenant.map(Into::into),
            sites: sites.into_iter().map(Into::into).collect::<BTreeSet<Box<str>>>(),
        })
    }

    fn roles() -> impl Strategy<Value = Role> {
        prop::sample::select(Role::ALL.to_vec())
    }

    fn tokens() -> impl Strategy<Value = TokenRecord> {
        let rights = prop::collection::vec(prop::sample::select(Right::ALL.to_vec()), 0..20);
        let expiry = prop::option::of(-5..5_i64);
        (roles(), prop::option::of(rights), reaches(), expiry, any::<bool>(), any::<bool>())
            .prop_map(|(role, rights, reach, expiry, of_user, revoked)| TokenRecord {
                id: "00ff".into(),
                revision: 1,
                name: "t".into(),
                user: of_user.then(|| "u".into()),
                hash: [0; 32],
                role,
                rights,
                reach,
                created_at: NOW,
                created_by: "m".into(),
                expires_at: expiry.map(|hours| Timestamp::from_millis(NOW.as_millis() + hours)),
                revoked_at: revoked.then_some(NOW),
            })
    }

    fn users() -> impl Strategy<Value = UserRecord> {
        (roles(), reaches(), any::<bool>()).prop_map(|(role, reach, disabled)| UserRecord {
            name: "u".into(),
            revision: 1,
            full_name: "".into(),
            email: "".into(),
            role,
            reach,
            disabled,
            created_at: NOW,
        })
    }

    const THINGS: [(&str, &str); 7] =
        [("", ""), ("a", ""), ("a", "x"), ("b", "y"), ("b", ""), ("", "z"), ("c", "x")];

    proptest! {
        /// Each role has the rights of those before it, whatever is named besides.
        #[test]
        fn more_role_is_never_less(one in roles(), two in roles(), named in prop::collection::vec(prop::sample::select(Right::ALL.to_vec()), 0..20)) {
            let (less, more) = (one.min(two), one.max(two));
            for named in [None, Some(named.as_slice())] {
                let (less, more) = (Rights::given(less, named), Rights::given(more, named));
                prop_assert_eq!(more.missing(less), Rights::default());
            }
        }

        /// A principal never has more than the token says, nor more than the user.
        #[test]
        fn a_token_gives_what_it_says_and_never_more_than_its_user_has(token in tokens(), user in users()) {
            let user = token.user.is_some().then_some(&user);
            let Some(principal) = Principal::of(&token, user, NOW) else { return Ok(()) };
            prop_assert!(token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > NOW));
            prop_assert!(principal.role <= token.role);
            let grant = Grant::from(&token);
            prop_assert_eq!(grant.rights.missing(principal.rights), Rights::default());
            if let Some(user) = user {
                prop_assert!(!user.disabled && principal.role <= user.role);
                prop_assert_eq!(Rights::of(user.role).missing(principal.rights), Rights::default());
            }
            for (tenant, site) in THINGS {
                let by_user = user.is_none_or(|user| user.reach.sees(tenant, site));
                prop_assert_eq!(principal.sees(tenant, site), token.reach.sees(tenant, site) && by_user);
            }
        }

        /// Whatever is covered can do and see nothing that its maker cannot: so no
        /// chain of makers ends with more than the first of them had (E11).
        #[test]
        fn e11_what_is_made_is_never_more_than_its_maker(maker in tokens(), made in tokens(), user in users()) {
            let Some(maker) = Principal::of(&maker, maker.user.is_some().then_some(&user), NOW) else { return Ok(()) };
            if maker.covers(Grant::from(&made)).is_err() || maker.outlives(made.expires_at).is_err() {
                return Ok(());
            }
            let of_nobody = TokenRecord { user: None, ..made };
            let Some(made) = Principal::of(&of_nobody, None, NOW) else { return Ok(()) };
            prop_assert!(made.role <= maker.role);
            prop_assert_eq!(maker.rights.missing(made.rights), Rights::default());
            for (tenant, site) in THINGS {
                prop_assert!(!made.sees(tenant, site) || maker.sees(tenant, site));
            }
            if let Some(end) = maker.expires_at {
                prop_assert!(made.expires_at.is_some_and(|at| at <= end));
            }
        }

        /// Everybody covers what they have themselves.
        #[test]
        fn one_s_own_is_covered(token in tokens()) {
            let token = TokenRecord { user: None, ..token };
            if let Some(principal) = Principal::of(&token, None, NOW) {
                prop_assert_eq!(principal.covers(Grant::from(&token)), Ok(()));
                prop_assert_eq!(principal.outlives(token.expires_at), Ok(()));
            }
        }
    }
}
