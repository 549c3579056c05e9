//! Reading the settings again while the server runs.
//!
//! What can change at once is [`LIVE`]; whatever else differs is told as needing a
//! restart. Settings are taken whole or not at all; certificates, trust stores,
//! revocation lists and templates are files of their own, each for itself.

use ipnet::IpNet;
use tracing::{error, info, warn};

use super::error::ServerError;
use super::house::Server;
use crate::api::{ReloadResult, Reloaded};
use crate::config::{
    CampaignsConfig, Config, EventsConfig, FleetConfig, HistoryConfig, Live, WebhooksConfig,
};
use crate::gate::AdmissionRules;
use crate::metrics::RELOADS;

/// The settings that are in force as soon as they are read again; a section stands
/// for all its keys.
pub const LIVE: &[&str] = &[
    "admission.rules",
    "admission.unknown",
    "campaigns",
    "cwmp.connection_request_allow",
    "events",
    "fleet",
    "history",
    "log.level",
    "northbound.hosts",
    "northbound.max_body",
    "northbound.max_wait",
    "webhooks.allow",
    "webhooks.dead_letters",
    "webhooks.first_retry",
    "webhooks.give_up_after",
    "webhooks.most",
    "webhooks.most_per_tenant",
    "webhooks.slowest_retry",
    "webhooks.timeout",
];

/// The settings that can change, as the rooms hold them.
#[derive(Clone)]
pub(super) struct LiveSettings {
    pub(super) config: Live<Config>,
    pub(super) fleet: Live<FleetConfig>,
    pub(super) history: Live<HistoryConfig>,
    pub(super) campaigns: Live<CampaignsConfig>,
    pub(super) admission: Live<AdmissionRules>,
    pub(super) allow: Live<Vec<IpNet>>,
    pub(super) events: Live<EventsConfig>,
    pub(super) webhooks: Live<WebhooksConfig>,
}

impl LiveSettings {
    /// Those of a start.
    pub(super) fn of(config: &Config) -> Result<Self, ServerError> {
        Ok(Self {
            fleet: config.fleet.clone().into(),
            history: config.history.clone().into(),
            campaigns: config.campaigns.clone().into(),
            admission: AdmissionRules::read(&config.admission)?.into(),
            allow: config.cwmp.connection_request_allow.clone().into(),
            events: config.events.clone().into(),
            webhooks: config.webhooks.clone().into(),
            config: config.clone().into(),
        })
    }

    /// Puts in force what can be; the keys that are and those that are not.
    ///
    /// # Errors
    /// [`ServerError`] for what cannot be used; nothing was changed then.
    fn take(&self, new: &Config) -> Result<Reloaded, ServerError> {
        let running: &Config = &self.config;
        let next = taken_over(running, new);
        let applied = differing(running, &next);
        let needs_restart = differing(&next, new);
        // Whatever may be refused comes before whatever cannot be.
        let rules = AdmissionRules::read(&next.admission)?;
        if next.log != running.log {
            crate::log::change(&next.log)?;
        }
        if next.admission != running.admission {
            self.admission.set(rules);
        }
        if next.fleet != running.fleet {
            self.fleet.set(next.fleet.clone());
        }
        if next.history != running.history {
            self.history.set(next.history.clone());
        }
        if next.campaigns != running.campaigns {
            self.campaigns.set(next.campaigns.clone());
        }
        if *self.allow != next.cwmp.connection_request_allow {
            self.allow.set(next.cwmp.connection_request_allow.clone());
        }
        if next.events != running.events {
            self.events.set(next.events.clone());
        }
        if next.webhooks != running.webhooks {
            self.webhooks.set(next.webhooks.clone());
        }
        if !applied.is_empty() {
            self.config.set(next);
        }
        Ok(Reloaded { applied, needs_restart, problems: Vec::new() })
    }
}

impl Server {
    /// Takes settings that were read again, and reads the certificates and the
    /// operator's templates again. `new` may be why they could not be read. Each
    /// key that changed, and each file that cannot be used, is logged.
    pub fn reload(&self, new: Result<Config, String>) -> ReloadResult {
        let taken = new.and_then(|new| self.live.take(&new).map_err(|error| error.to_string()));
        let mut told = match taken {
            Ok(told) => told,
            Err(problem) => {
                RELOADS.one_of("refused");
                error!(%problem, "the settings cannot be used; nothing was changed");
                return Err(problem);
            }
        };
        RELOADS.one_of("applied");
        for key in &told.applied {
            info!(key, "the setting is in force");
        }
        for key in &told.needs_restart {
            warn!(key, "the setting changed and needs a restart");
        }
        match self.reload_tls() {
            Ok(()) => info!("the certificates were read again"),
            Err(error) => {
                error!(%error, "the old certificates stay");
                told.problems.push(error.to_string());
            }
        }
        match self.reload_templates() {
            Ok(()) => info!("the templates were read again"),
            Err(error) => {
                error!(%error, "the old templates stay");
                told.problems.push(error.to_string());
            }
        }
        Ok(told)
    }
}

/// The running settings with all of the new ones that can be in force at once.
fn taken_over(running: &Config, new: &Config) -> Config {
    let mut next = running.clone();
    next.admission.rules.clone_from(&new.admission.rules);
    next.admission.unknown = new.admission.unknown;
    next.campaigns = new.campaigns.clone();
    next.cwmp.connection_request_allow.clone_from(&new.cwmp.connection_request_allow);
    next.events = new.events.clone();
    next.fleet = new.fleet.clone();
    next.history = new.history.clone();
    next.log.level.clone_from(&new.log.level);
    next.northbound.hosts.clone_from(&new.northbound.hosts);
    next.northbound.max_body = new.northbound.max_body;
    next.northbound.max_wait = new.northbound.max_wait;
    // Authorities are read at the start.
    let ca = next.webhooks.ca.take();
    next.webhooks = WebhooksConfig { ca, ..new.webhooks.clone() };
    next
}

/// The keys, `section.key`, in which two settings differ.
fn differing(one: &Config, other: &Config) -> Vec<String> {
    if one == other {
        return Vec::new();
    }
    let table = |config: &Config| toml::Table::try_from(config).unwrap_or_default();
    let (left, right) = (table(one), table(other));
    let mut keys: Vec<String> = left
        .keys()
        .filter_map(|section| Some((section, left[section].as_table()?, right.get(section)?)))
        .flat_map(|(section, left, right)| {
            let right = right.as_table().cloned().unwrap_or_default();
            let names: std::collections::BTreeSet<String> =
                left.keys().chain(right.keys()).cloned().collect();
            let changed = names.into_iter().filter(|key| left.get(key) != right.get(key));
            changed.map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
        })
        .collect();
    // It is never written anywhere, not even to be compared.
    if one.xmpp.password.as_ref().map(|secret| secret.expose().to_owned())
        != other.xmpp.password.as_ref().map(|secret| secret.expose().to_owned())
    {
        keys.push("xmpp.password".to_owned());
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sets: &[&str]) -> Config {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        Config::read("p.toml", "", &sets).unwrap()
    }

    #[test]
    fn each_live_setting_is_taken_over_and_no_other() {
        let live = [
            ("admission.unknown=deny", "admission.rules=[{match = 'true', action = 'deny'}]"),
            ("campaigns.per_minute=7", "campaigns.concurrency=8"),
            ("cwmp.connection_request_allow=['10.0.0.0/8']", "fleet.enabled=false"),
            ("fleet.look_again=77", "history.keep_days=3"),
            ("log.level=debug", "northbound.hosts=['acs.example.net']"),
            ("northbound.max_body=5000", "northbound.max_wait=5"),
            ("events.heartbeat=7", "events.offline_after_intervals=5"),
            ("webhooks.allow=['10.0.0.0/8']", "webhooks.dead_letters=7"),
            ("webhooks.first_retry=2", "webhooks.give_up_after=3"),
            ("webhooks.most=4", "webhooks.most_per_tenant=3"),
            ("webhooks.slowest_retry=60", "webhooks.timeout=5"),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for set in live.iter().flat_map(|(one, other)| [one, other]) {
            let key = set.split('=').next().unwrap();
            let settings = LiveSettings::of(&Config::default()).unwrap();
            let next = taken_over(&settings.config, &read(&[set]));
            assert_eq!(differing(&settings.config, &next), [key], "{set}");
            assert_eq!(differing(&next, &read(&[set])), Vec::<String>::new(), "{set}");
            let known =
                LIVE.iter().find(|live| key == **live || key.starts_with(&format!("{live}.")));
            seen.insert(*known.unwrap_or_else(|| panic!("{key} is not in LIVE")));
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), LIVE);
        for set in [
            "cwmp.listen=127.0.0.1:1",
            "northbound.listen=127.0.0.1:1",
            "northbound.tls_listen=127.0.0.1:1",
            "store.cache=1000000",
            "limits.connections=7",
            "log.format=json",
            "admission.cap=3",
            "tls.names=['a']",
            "metrics.listen=127.0.0.1:1",
            "webhooks.ca=hooks.pem",
        ] {
            let (running, new) = (Config::default(), read(&[set]));
            let next = taken_over(&running, &new);
            assert_eq!(next, running, "{set}");
            assert_eq!(differing(&next, &new), [set.split('=').next().unwrap()]);
        }
    }

    #[test]
    fn rules_that_cannot_be_read_change_nothing() {
        let settings = LiveSettings::of(&Config::default()).unwrap();
        let mut bad = read(&["fleet.enabled=false"]);
        bad.admission.rules = vec![crate::config::AdmissionRuleConfig {
            matches: "this is no rule (".to_owned(),
            action: crate::config::AdmissionAction::Deny,
        }];
        let error = settings.take(&bad).unwrap_err().to_string();
        assert!(error.contains("admission.rules[1]"), "{error}");
        assert!(settings.fleet.enabled && settings.config.fleet.enabled);
        bad.admission.rules.clear();
        assert_eq!(settings.take(&bad).unwrap().applied, ["fleet.enabled"]);
        assert!(!settings.fleet.enabled && !settings.config.fleet.enabled);
        assert_eq!(settings.take(&bad).unwrap(), Reloaded::default(), "nothing new");
    }

    #[test]
    fn a_changed_password_is_told_by_its_key_alone() {
        let with = |password: &str| {
            let sets = ["xmpp.server=localhost", "xmpp.jid=a@b", "xmpp.tls=off", password];
            read(&sets)
        };
        let keys = differing(&with("xmpp.password=one"), &with("xmpp.password=two"));
        assert_eq!(keys, ["xmpp.password"]);
    }
}
