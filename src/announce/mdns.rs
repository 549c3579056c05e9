//! Firmware for Digium phones, announced by DNS-SD over multicast DNS
//! (`_digiumproxy._udp`, the service that the phones look for).
//!
//! What is announced is pure ([`services`]); [`Announcer`] hands it to the
//! responder of `mdns-sd`, which has a thread and sockets of its own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};

use crate::class::Class;
use crate::config::{MdnsConfig, MdnsFirmware};
use crate::http::{Target, TargetError};

/// What the phones look for.
const SERVICE_TYPE: &str = "_digiumproxy._udp.local.";
/// The longest string in a TXT record, in bytes (RFC 6763 §6.1).
const MAX_STRING: usize = 255;
/// How long the farewell of a service may take.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);

/// Why nothing can be announced, in one line that says what to change.
#[derive(Debug, thiserror::Error)]
pub enum MdnsError {
    /// There is firmware and no address for it.
    #[error(
        "mdns.firmware_url: set it to the folder where the firmware lies, as in http://192.0.2.1/"
    )]
    NoUrl,
    /// The address is none that the phones can use.
    #[error("mdns.firmware_url: {0}")]
    Url(#[from] TargetError),
    /// The address is not plain HTTP, or has no `/` at its end.
    #[error("mdns.firmware_url: begin with http:// and end with /")]
    UrlForm,
    /// A model is no Digium model's name.
    #[error("mdns.firmware: {0:?} is no model; write it as D65")]
    Model(Box<str>),
    /// A version is none: a phone that finds another than it was told would
    /// load it again and again.
    #[error("mdns.firmware: {0:?} is no version; write it as the phone does, as in 2_9_27")]
    Version(Box<str>),
    /// The file's name does not carry its version.
    #[error(
        "mdns.firmware: the name {file:?} does not carry the version {version}; a phone would load it again and again"
    )]
    OtherVersion {
        /// The file.
        file: Box<str>,
        /// The version that it is said to be.
        version: Box<str>,
    },
    /// A file's name is none.
    #[error("mdns.firmware: {0:?} is no path of a file below mdns.firmware_url")]
    File(Box<str>),
    /// A model has two versions.
    #[error("mdns.firmware: {0} is named twice; a model has one version")]
    Twice(Box<str>),
    /// The responder does not work.
    #[error("multicast DNS: {0}")]
    Responder(#[from] mdns_sd::Error),
}

impl MdnsError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Responder(_) => Class::Unavailable,
            _ => Class::Invalid,
        }
    }
}

/// One service: the firmware of one version, for one model or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The instance's name.
    pub name: String,
    /// The port of the file server.
    pub port: u16,
    /// The strings of the TXT record, in their order.
    pub text: Vec<(String, String)>,
}

/// The services for some firmware: one for each version, since a service
/// carries one version for all models that it names.
///
/// # Errors
/// [`MdnsError`].
pub fn services(url: Option<&str>, firmware: &[MdnsFirmware]) -> Result<Vec<Service>, MdnsError> {
    if firmware.is_empty() {
        return Ok(Vec::new());
    }
    let url = url.ok_or(MdnsError::NoUrl)?;
    let target = Target::parse(url)?;
    if target.tls || !url.ends_with('/') || url.len() > MAX_STRING - "firmwareUrl=".len() {
        return Err(MdnsError::UrlForm);
    }
    let mut models = BTreeMap::new();
    let mut versions: BTreeMap<&str, Vec<&MdnsFirmware>> = BTreeMap::new();
    for one in firmware {
        check(one)?;
        if models.insert(&*one.model, ()).is_some() {
            return Err(MdnsError::Twice(one.model.clone()));
        }
        versions.entry(&one.version).or_default().push(one);
    }
    Ok(versions
        .into_iter()
        .map(|(version, of_version)| {
            let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            let mut text = vec![
                // Means nothing here, but the phones skip a service without it.
                pair("sipUrl", &format!("http://{}", target.host)),
                pair("serviceType", "firmware"),
                pair("firmwareUrl", url),
                pair("firmwareVersion", version),
            ];
            text.extend(
                of_version.iter().map(|one| pair(&format!("{}File", one.model), &one.file)),
            );
            Service { name: format!("Provost firmware {version}"), port: target.port, text }
        })
        .collect())
}

fn check(firmware: &MdnsFirmware) -> Result<(), MdnsError> {
    let MdnsFirmware { model, version, file } = firmware;
    let is_model = (2..=16).contains(&model.len())
        && model.starts_with(|c: char| c.is_ascii_uppercase())
        && model.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_model {
        return Err(MdnsError::Model(model.clone()));
    }
    let is_version = (1..=64).contains(&version.len())
        && version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if !is_version {
        return Err(MdnsError::Version(version.clone()));
    }
    let is_path = (1..=200).contains(&file.len())
        && file.bytes().all(|byte| byte.is_ascii_graphic())
        && !file.starts_with('/')
        && file.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !is_path {
        return Err(MdnsError::File(file.clone()));
    }
    if !file.contains(&**version) {
        return Err(MdnsError::OtherVersion { file: file.clone(), version: version.clone() });
    }
    Ok(())
}

/// What is announced, until it is stopped.
pub struct Announcer {
    daemon: ServiceDaemon,
    names: Vec<String>,
}

impl std::fmt::Debug for Announcer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Announcer({:?})", self.names)
    }
}

impl Announcer {
    /// Announces the services of the settings on their interfaces.
    ///
    /// # Errors
    /// [`MdnsError`].
    pub fn start(config: &MdnsConfig) -> Result<Self, MdnsError> {
        let services = services(config.firmware_url.as_deref(), &config.firmware)?;
        let daemon = ServiceDaemon::new()?;
        if !config.interfaces.is_empty() {
            daemon.disable_interface(IfKind::All)?;
            let chosen: Vec<IfKind> =
                config.interfaces.iter().copied().map(|address: IpAddr| address.into()).collect();
            daemon.enable_interface(chosen)?;
        }
        let host = format!("{}.local.", config.hostname.as_deref().unwrap_or("provost"));
        let mut names = Vec::new();
        for Service { name, port, text } in services {
            let info = ServiceInfo::new(SERVICE_TYPE, &name, &host, "", port, &*text)?;
            let info = info.enable_addr_auto();
            names.push(info.get_fullname().to_owned());
            daemon.register(info)?;
        }
        Ok(Self { daemon, names })
    }

    /// Takes the services back, so that no phone comes for them any more.
    pub async fn stop(self) {
        // The responder is a thread, and is waited for as one.
        let stopped = tokio::task::spawn_blocking(move || {
            for name in &self.names {
                if let Ok(farewell) = self.daemon.unregister(name) {
                    let _ = farewell.recv_timeout(FAREWELL_WITHIN);
                }
            }
            if let Ok(ended) = self.daemon.shutdown() {
                let _ = ended.recv_timeout(FAREWELL_WITHIN);
            }
        });
        let _ = stopped.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firmware(model: &str, version: &str, file: &str) -> MdnsFirmware {
        MdnsFirmware { model: model.into(), version: version.into(), file: file.into() }
    }

    #[test]
    fn each_version_is_a_service_with_the_keys_that_phones_read() {
        let list = [
            firmware("D40", "2_0_2_0_78957", "fw/2_0_2_0_78957_D40_firmware.eff"),
            firmware("D65", "2_9_27", "2_9_27_D65_firmware.eff"),
            firmware("D80", "2_9_27", "2_9_27_D80_firmware.eff"),
        ];
        let services = services(Some("http://192.0.2.1:7567/fw/"), &list).unwrap();
        let text: Vec<String> = services
            .iter()
            .map(|service| {
                let text = service.text.iter().map(|(key, value)| format!("  {key}={value}\n"));
                format!("{} at {}\n{}", service.name, service.port, text.collect::<String>())
            })
            .collect();
        assert_eq!(
            text.concat(),
            "Provost firmware 2_0_2_0_78957 at 7567\n  \
               sipUrl=http://192.0.2.1\n  \
               serviceType=firmware\n  \
               firmwareUrl=http://192.0.2.1:7567/fw/\n  \
               firmwareVersion=2_0_2_0_78957\n  \
               D40File=fw/2_0_2_0_78957_D40_firmware.eff\n\
             Provost firmware 2_9_27 at 7567\n  \
               sipUrl=http://192.0.2.1\n  \
               serviceType=firmware\n  \
               firmwareUrl=http://192.0.2.1:7567/fw/\n  \
               firmwareVersion=2_9_27\n  \
               D65File=2_9_27_D65_firmware.eff\n  \
               D80File=2_9_27_D80_firmware.eff\n"
        );
        assert_eq!(super::services(None, &[]).unwrap(), []);
    }

    #[test]
    fn what_would_make_phones_load_for_ever_is_refused() {
        let url = Some("http://192.0.2.1/");
        let sound = firmware("D65", "2_9_27", "2_9_27_D65_firmware.eff");
        let other = firmware("D65", "2_9_26", "2_9_26_D65_firmware.eff");
        for (url, list, words) in [
            (None, vec![sound.clone()], "firmware_url"),
            (Some("https://192.0.2.1/"), vec![sound.clone()], "begin with http://"),
            (Some("http://192.0.2.1"), vec![sound.clone()], "end with /"),
            (Some("192.0.2.1/"), vec![sound.clone()], "http://"),
            (url, vec![sound.clone(), other], "D65 is named twice"),
            (url, vec![firmware("d65", "2_9_27", "2_9_27.eff")], "no model"),
            (url, vec![firmware("D65", "2.9.27", "2.9.27.eff")], "no version"),
            (url, vec![firmware("D65", "2_9_27", "2_9_26_D65.eff")], "does not carry"),
            (url, vec![firmware("D65", "2_9_27", "../2_9_27.eff")], "no path"),
            (url, vec![firmware("D65", "2_9_27", "2_9_27 .eff")], "no path"),
        ] {
            let error = services(url, &list).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.class(), Class::Invalid);
        }
    }
}
