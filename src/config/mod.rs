//! The settings: one struct a section, unknown keys refused.
//!
//! Everything has a default, so that no file is needed. A TOML file overrides
//! the defaults, `--set section.key=value` overrides the file. Reading the file
//! is the door's business (`cli`); this room takes text and gives a [`Config`].

mod admission;
mod campaigns;
mod cwmp;
mod datamodels;
mod events;
mod files;
mod fleet;
mod ftp;
mod history;
mod identity;
mod limits;
mod live;
mod log;
mod mdns;
mod metrics;
mod northbound;
mod phones;
mod pnp;
mod reports;
mod store;
mod stun;
mod tftp;
mod tls;
mod webhooks;
mod xmpp;

pub use admission::{AdmissionAction, AdmissionConfig, AdmissionRuleConfig};
pub use campaigns::CampaignsConfig;
pub use cwmp::{AuthMode, CertificateIdentity, CertificateMode, CwmpConfig, TrustConfig};
pub use datamodels::DatamodelsConfig;
pub use events::EventsConfig;
pub use files::FilesConfig;
pub use fleet::FleetConfig;
pub use ftp::{FtpConfig, PortRange};
pub use history::HistoryConfig;
pub use identity::IdentityRule;
pub use limits::LimitsConfig;
pub use live::Live;
pub use log::{LogConfig, LogFormat};
pub use mdns::{MdnsConfig, MdnsFirmware};
pub use metrics::MetricsConfig;
pub use northbound::NorthboundConfig;
pub use phones::PhonesConfig;
pub use pnp::{PnpConfig, PnpParties};
pub use reports::{BulkConfig, LightweightConfig};
pub use store::{Engine, StoreConfig};
pub use stun::{StunConfig, UdpVariant};
pub use tftp::TftpConfig;
pub use tls::TlsConfig;
pub use webhooks::WebhooksConfig;
pub use xmpp::{XmppConfig, XmppTls};

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::class::Class;

/// All settings of a server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `[cwmp]`: the device's door.
    pub cwmp: CwmpConfig,
    /// `[admission]`: devices that nobody knows.
    pub admission: AdmissionConfig,
    /// `[fleet]`: what is wanted of devices.
    pub fleet: FleetConfig,
    /// `[campaigns]`: changes over many devices.
    pub campaigns: CampaignsConfig,
    /// `[datamodels]`: what is known of parameters.
    pub datamodels: DatamodelsConfig,
    /// `[events]`: who is told of what happens.
    pub events: EventsConfig,
    /// `[webhooks]`: where events are sent.
    pub webhooks: WebhooksConfig,
    /// `[bulk]`: bulk data over HTTP.
    pub bulk: BulkConfig,
    /// `[lightweight]`: lightweight notifications over UDP.
    pub lightweight: LightweightConfig,
    /// `[files]`: the file and phone door.
    pub files: FilesConfig,
    /// `[ftp]`: the FTP doors.
    pub ftp: FtpConfig,
    /// `[tftp]`: the TFTP door.
    pub tftp: TftpConfig,
    /// `[pnp]`: SIP PnP.
    pub pnp: PnpConfig,
    /// `[mdns]`: what is announced by multicast DNS.
    pub mdns: MdnsConfig,
    /// `[northbound]`: the operator's door.
    pub northbound: NorthboundConfig,
    /// `[metrics]`: a listener of its own for Prometheus.
    pub metrics: MetricsConfig,
    /// `[stun]`: the STUN server.
    pub stun: StunConfig,
    /// `[store]`: what survives.
    pub store: StoreConfig,
    /// `[history]`: for how long what happened is kept.
    pub history: HistoryConfig,
    /// `[tls]`: certificates.
    pub tls: TlsConfig,
    /// `[xmpp]`: waking devices through an XMPP server.
    pub xmpp: XmppConfig,
    /// `[limits]`: what one source may cost.
    pub limits: LimitsConfig,
    /// `[phones]`: provisioning.
    pub phones: PhonesConfig,
    /// `[log]`: logging.
    pub log: LogConfig,
}

/// What is wrong with the settings, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is no TOML, or a key is unknown, or a value is of the wrong kind.
    #[error("{origin}: {problem}")]
    Unreadable {
        /// The file's name, or `--set …`.
        origin: String,
        /// What and where, as the parser says it, in one line.
        problem: String,
    },
    /// A value is out of its range.
    #[error("{key} = {value}: {problem}")]
    OutOfRange {
        /// The key, `section.key`.
        key: &'static str,
        /// The value that was given.
        value: String,
        /// What would be right.
        problem: &'static str,
    },
    /// A number is not within its range.
    #[error("{key} = {value}: from {least} to {most}")]
    NotWithin {
        /// The key, `section.key`.
        key: &'static str,
        /// The number that was given.
        value: u64,
        /// The least that it can be.
        least: u64,
        /// The most that it can be.
        most: u64,
    },
    /// A `--set` that is no `section.key=value`.
    #[error("--set {0}: write it as section.key=value, as in --set cwmp.listen=0.0.0.0:7547")]
    BadSet(String),
    /// The file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl ConfigError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Config {
    /// Reads a TOML text over the defaults, then the `--set` overrides over it.
    ///
    /// `origin` names the text in errors. In `sets` each entry is
    /// `section.key=value`; the value is read as TOML if it is any, else as a
    /// plain string, so that addresses need no quotes.
    ///
    /// # Errors
    /// [`ConfigError`], in one line that says what to change.
    pub fn read(origin: &str, text: &str, sets: &[String]) -> Result<Self, ConfigError> {
        let unreadable = |problem: &toml::de::Error| ConfigError::Unreadable {
            origin: origin.to_owned(),
            problem: one_line(problem, text),
        };
        let mut table: toml::Table = toml::from_str(text).map_err(|error| unreadable(&error))?;
        // Checked apart from the overrides, so that the error can name the line.
        let _: Self = toml::from_str(text).map_err(|error| unreadable(&error))?;
        for set in sets {
            apply_set(&mut table, set)?;
        }
        let config: Self =
            table.try_into().map_err(|error: toml::de::Error| ConfigError::Unreadable {
                origin: sets.iter().map(|set| masked(set)).collect::<Vec<_>>().join(" "),
                problem: error.message().replace('\n', " "),
            })?;
        config.check()?;
        Ok(config)
    }

    /// The settings as TOML, every key with its effective value.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Checks what the types cannot say.
    fn check(&self) -> Result<(), ConfigError> {
        self.cwmp.check()?;
        self.fleet.check()?;
        self.admission.check()?;
        self.files.check()?;
        self.bulk.check()?;
        self.tftp.check()?;
        self.xmpp.check()?;
        self.campaigns.check()?;
        self.northbound.check()?;
        self.metrics.check()?;
        self.events.check()?;
        self.webhooks.check()?;
        self.limits.check()
    }
}

/// Checks numbers, each against the least and the most that it can be.
fn within(
    numbers: impl IntoIterator<Item = (&'static str, u64, RangeInclusive<u64>)>,
) -> Result<(), ConfigError> {
    match numbers.into_iter().find(|(_, value, range)| !range.contains(value)) {
        Some((key, value, range)) => {
            let (least, most) = range.into_inner();
            Err(ConfigError::NotWithin { key, value, least, most })
        }
        None => Ok(()),
    }
}

/// An override as it may stand in an error: without a password.
fn masked(set: &str) -> String {
    match set.split_once('=') {
        Some((key, _)) if key.contains("password") => format!("--set {key}=***"),
        _ => format!("--set {set}"),
    }
}

/// Puts one `section.key=value` into the table.
fn apply_set(table: &mut toml::Table, set: &str) -> Result<(), ConfigError> {
    let bad = || ConfigError::BadSet(set.to_owned());
    let (key, value) = set.split_once('=').ok_or_else(bad)?;
    let (section, key) = key.trim().split_once('.').ok_or_else(bad)?;
    if section.is_empty() || key.is_empty() {
        return Err(bad());
    }
    let value = format!("v = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("v"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let entry = table.entry(section).or_insert_with(|| toml::Table::new().into());
    entry.as_table_mut().ok_or_else(bad)?.insert(key.to_owned(), value);
    Ok(())
}

/// A parser's error with the line it is about, in one line.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', " ");
    match error.span() {
        Some(span) => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            format!("line {line}: {message}")
        }
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_read_back_from_their_own_text() {
        let defaults = Config::default();
        assert_eq!(Config::read("defaults", &defaults.to_toml(), &[]).unwrap(), defaults);
        assert_eq!(Config::read("nothing", "", &[]).unwrap(), defaults);
    }

    #[test]
    fn an_unknown_key_is_refused_in_every_section() {
        let table: toml::Table = toml::from_str(&Config::default().to_toml()).unwrap();
        for section in table.keys() {
            let text = format!("\n[{section}]\ninvented = 1\n");
            let error = Config::read("p.toml", &text, &[]).unwrap_err().to_string();
            assert!(error.contains("p.toml: line 3") && error.contains("invented"), "{error}");
            assert!(!error.contains('\n'));
            let error = Config::read("p.toml", "", &[format!("{section}.invented=1")]).unwrap_err();
            assert!(error.to_string().contains("invented"), "{error}");
        }
        assert!(Config::read("p.toml", "[invented]", &[]).is_err());
    }

    #[test]
    fn a_trust_store_is_read_checked_and_shown() {
        let text = "[[cwmp.trust]]\nname = 'acme'\nca = 'acme.pem'\nidentity = 'device'\n\
                    ouis = ['00D09E']\n";
        let read = |text: &str| Config::read("p.toml", text, &[]);
        let config = read(text).unwrap();
        assert_eq!(config.cwmp.asks_for_certificates(), CertificateMode::Optional);
        assert_eq!(read(&config.to_toml()).unwrap(), config);
        let off = read(&format!("[cwmp]\ncertificates = 'off'\n{text}")).unwrap();
        assert_eq!(off.cwmp.asks_for_certificates(), CertificateMode::Off);
        assert_eq!(Config::default().cwmp.asks_for_certificates(), CertificateMode::Off);
        for (bad, said) in [
            ("[cwmp]\ncertificates = 'required'\n".to_owned(), "cwmp.certificates"),
            (format!("{text}{text}"), "cwmp.trust.name"),
            (text.replace("acme'\nca", " '\nca"), "cwmp.trust.name"),
            (text.replace("00D09E", "00D09"), "cwmp.trust.ouis"),
            (text.replace("identity = 'device'", ""), "identity"),
            (text.replace("'device'", "'anything'"), "anything"),
            (format!("{text}invented = 1\n"), "invented"),
        ] {
            let error = read(&bad).unwrap_err().to_string();
            assert!(error.contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn what_others_can_reach_without_tls_or_token_must_be_meant() {
        let sets = |sets: &[&str]| {
            let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
            Config::read("p.toml", "", &sets).map_err(|error| error.to_string())
        };
        let error = sets(&["northbound.listen=0.0.0.0:7557"]).unwrap_err();
        assert!(error.contains("northbound.tls_listen"), "{error}");
        assert!(sets(&["northbound.listen=0.0.0.0:1", "northbound.plain_to_network=true"]).is_ok());
        assert!(sets(&["northbound.listen=[::1]:7557"]).is_ok());
        assert!(sets(&["northbound.tls_listen=0.0.0.0:7558"]).is_ok());
        let error = sets(&["metrics.listen=0.0.0.0:9547"]).unwrap_err();
        assert!(error.contains("metrics.open_to_network"), "{error}");
        assert!(sets(&["metrics.listen=0.0.0.0:9547", "metrics.open_to_network=true"]).is_ok());
        assert!(sets(&["metrics.listen=127.0.0.1:9547"]).is_ok());
    }

    #[test]
    fn a_number_out_of_its_range_is_refused_with_the_range() {
        for (set, told) in [
            ("northbound.max_wait=3601", "from 0 to 3600"),
            ("northbound.max_body=999", "from 1000 to 1073741824"),
            ("northbound.idempotency_hours=0", "from 1 to 8760"),
            ("northbound.bulk_per_second=0", "from 1 to 100000"),
            ("events.listeners=0", "from 1 to 100000"),
            ("events.listeners_per_token=0", "from 1 to 100000"),
            ("events.heartbeat=61", "from 1 to 60"),
            ("events.offline_after_intervals=0", "from 1 to 1000"),
            ("events.offline_after_least=604801", "from 0 to 604800"),
            ("events.unknown_interval=0", "from 1 to 31536000"),
            ("webhooks.timeout=0", "from 1 to 60"),
            ("webhooks.slowest_retry=86401", "from 1 to 86400"),
            ("webhooks.most=10001", "from 0 to 10000"),
            ("webhooks.most_per_tenant=10001", "from 0 to 10000"),
            ("campaigns.concurrency=0", "from 1 to 10000"),
        ] {
            let error = Config::read("p.toml", "", &[set.to_owned()]).unwrap_err().to_string();
            let (key, value) = set.split_once('=').unwrap();
            assert_eq!(error, format!("{key} = {value}: {told}"));
        }
    }

    #[test]
    fn set_overrides_the_file() {
        let sets = ["cwmp.listen=127.0.0.1:0".to_owned(), "cwmp.auth=open".to_owned()];
        let config = Config::read("p.toml", "[cwmp]\nlisten = '0.0.0.0:1'", &sets).unwrap();
        assert_eq!(config.cwmp.listen.map(|at| at.to_string()), Some("127.0.0.1:0".to_owned()));
        assert_eq!(config.cwmp.auth, AuthMode::Open);
        for bad in ["cwmp", "listen=1", ".x=1", "cwmp.=1"] {
            assert!(matches!(Config::read("", "", &[bad.to_owned()]), Err(ConfigError::BadSet(_))));
        }
        let error = Config::read("", "", &["cwmp.listen=nowhere".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("cwmp.listen=nowhere"), "{error}");
    }
}
