//! Rights and roles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A word that names no right or no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word} is none of {known}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// All that there are, with commas between.
    pub known: String,
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $word:literal from $role:ident;)+) => {
        /// One kind of action. The word is what stands in tokens and in answers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Right {
            $($(#[$doc])* $name,)+
        }

        impl Right {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The least role that has it.
            pub const fn least_role(self) -> Role {
                match self { $(Self::$name => Role::$role,)+ }
            }
        }
    };
}

rights! {
    /// See devices, their parameters, history, sessions, drift.
    DevicesRead = "devices:read" from Viewer;
    /// Attach tags, tenant, site and subscriber; keep backups.
    DevicesLabel = "devices:label" from Agent;
    /// Make devices known beforehand, take in or refuse unknown ones.
    DevicesAdmit = "devices:admit" from Operator;
    /// Forget devices.
    DevicesForget = "devices:forget" from Operator;
    /// See tasks and what became of them.
    TasksRead = "tasks:read" from Viewer;
    /// Wake devices, read from them, run diagnostics.
    TasksAsk = "tasks:ask" from Agent;
    /// Change values, rows and attributes; restart; withdraw tasks.
    TasksChange = "tasks:change" from Agent;
    /// Factory resets, firmware, raw RPCs, changes over a filter.
    TasksDisrupt = "tasks:disrupt" from Operator;
    /// See messages of sessions.
    TracesRead = "traces:read" from Agent;
    /// Begin and end the tracing of devices.
    TracesWrite = "traces:write" from Agent;
    /// See uploaded files, and fetch them.
    FilesRead = "files:read" from Viewer;
    /// Bring and remove files.
    FilesWrite = "files:write" from Operator;
    /// See phones, their files and fetches.
    PhonesRead = "phones:read" from Viewer;
    /// Change phones, have them fetch anew.
    PhonesWrite = "phones:write" from Agent;
    /// See the addresses of provisioning files, which open them.
    PhonesUrls = "phones:urls" from Operator;
    /// See sites and layers of settings.
    SitesRead = "sites:read" from Viewer;
    /// Change sites and layers of settings.
    SitesWrite = "sites:write" from Operator;
    /// See models, quirks and data models.
    ModelsRead = "models:read" from Viewer;
    /// Change what is said of models.
    ModelsWrite = "models:write" from Operator;
    /// See profiles, plans, campaigns.
    FleetRead = "fleet:read" from Viewer;
    /// Change profiles, make and apply plans, run campaigns.
    FleetWrite = "fleet:write" from Operator;
    /// See events and be told of them.
    EventsRead = "events:read" from Viewer;
    /// Have events sent elsewhere.
    WebhooksWrite = "webhooks:write" from Operator;
    /// Read the audit.
    AuditRead = "audit:read" from Admin;
    /// See and change tokens and users.
    TokensWrite = "tokens:write" from Admin;
    /// See tenants.
    TenantsRead = "tenants:read" from Viewer;
    /// Change tenants.
    TenantsWrite = "tenants:write" from Admin;
    /// See how the server is.
    SystemRead = "system:read" from Viewer;
    /// Read the counters.
    MetricsRead = "metrics:read" from Viewer;
    /// Backups, keys, reloading.
    SystemWrite = "system:write" from Admin;
    /// One's own token: who am I, the document of the interface.
    Own = "own" from Viewer;
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Right {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.iter().find(|right| right.word() == word).copied().ok_or_else(|| UnknownWord {
            word: word.to_owned(),
            known: Self::ALL.iter().map(|right| right.word()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// A set of rights that is called by one name. Each role has all rights of those
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees everything that is not secret, and changes nothing.
    Viewer,
    /// Helps subscribers: one device or phone at a time.
    Agent,
    /// Runs the fleet.
    Operator,
    /// Decides who may do what.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Agent, Self::Operator, Self::Admin];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Agent => "agent",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|role| role.word() == word).ok_or_else(|| UnknownWord {
            word: word.to_owned(),
            known: Self::ALL.map(Self::word).join(", "),
        })
    }
}

/// Rights and roles are stored by their words, never by their places in a list: a
/// right that comes in between must not turn stored ones into others.
macro_rules! by_word {
    ($($name:ident)+) => { $(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                word.parse().map_err(serde::de::Error::custom)
            }
        }
    )+ };
}

by_word!(Right Role);

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u64);

impl Rights {
    /// All that a role has.
    pub fn of(role: Role) -> Self {
        Right::ALL.iter().filter(|right| right.least_role() <= role).copied().collect()
    }

    /// Those that are named, of what a role has; all of them if none are named.
    pub fn given(role: Role, named: Option<&[Right]>) -> Self {
        let all = Self::of(role);
        named.map_or(all, |named| all.and(named.iter().copied().collect()))
    }

    /// Whether a right is among them.
    pub const fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u64) != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those of the other set that are missing here.
    #[must_use]
    pub const fn missing(self, other: Self) -> Self {
        Self(other.0 & !self.0)
    }

    /// Every one of them.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.iter().copied().filter(move |right| self.has(*right))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |bits, right| bits | 1 << right as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(word: &impl Serialize) -> Vec<u8> {
        postcard::to_stdvec(word).unwrap()
    }

    #[test]
    fn words_read_back_and_a_set_holds_them_all() {
        assert!(Right::ALL.len() <= 64);
        for right in Right::ALL {
            assert_eq!(right.word().parse(), Ok(*right));
            assert_eq!(stored(right), stored(&right.word()), "by its word, not by its place");
        }
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(role));
            assert_eq!(postcard::from_bytes(&stored(&role)), Ok(role));
        }
        assert!("root".parse::<Role>().unwrap_err().to_string().contains("viewer, agent"));
        assert_eq!(Rights::of(Role::Admin).iter().count(), Right::ALL.len());
    }

    #[test]
    fn each_role_has_the_rights_of_those_before_it_and_more() {
        for pair in Role::ALL.windows(2) {
            let (less, more) = (Rights::of(pair[0]), Rights::of(pair[1]));
            assert_eq!(less.and(more), less);
            assert_ne!(less, more);
        }
    }
}
