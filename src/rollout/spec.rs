//! What an operator writes: whom a campaign is about, what it does, and how
//! carefully.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::MAX_NAME;
use super::span::Span;
use super::window::{Window, WindowSpec};
use crate::device::DeviceId;
use crate::expr::Rule;
use crate::param::ParamPath;

/// The most devices that are named one by one.
pub const MAX_DEVICES: usize = 100_000;

/// The most waves.
pub const MAX_WAVES: usize = 50;

/// The most devices that are at work at one time.
pub const MAX_CONCURRENCY: u32 = 10_000;

/// The most parameters that a campaign sets.
const MAX_VALUES: usize = 1000;

/// The longest value, in bytes.
const MAX_VALUE: usize = 64 << 10;

/// The longest URL and the like, in bytes.
const MAX_TEXT: usize = 1024;

/// What is wrong with a campaign's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct SpecError {
    /// The member, as in `waves.sizes`.
    pub at: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl SpecError {
    /// An error at a member.
    pub fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { at: at.into(), problem: problem.into() }
    }
}

/// A campaign as an operator writes it. Unknown members are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignSpec {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Why; may be empty.
    #[serde(default)]
    pub why: String,
    /// Which devices.
    pub target: Target,
    /// What is done on each.
    pub action: CampaignAction,
    /// In what portions.
    #[serde(default)]
    pub waves: Waves,
    /// How fast.
    #[serde(default)]
    pub pace: PaceSpec,
    /// When devices are asked; at any time if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowSpec>,
    /// Whether devices are woken.
    #[serde(default)]
    pub contact: Contact,
    /// How often a device is asked.
    #[serde(default)]
    pub attempts: Attempts,
    /// From the start; devices that were not asked until then are left as they
    /// are.
    #[serde(default = "month")]
    pub deadline: Span,
    /// When it halts.
    #[serde(default)]
    pub abort: Abort,
    /// What a device must show afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
}

const fn month() -> Span {
    Span::seconds(30 * 86_400)
}

/// Which devices: by a rule, or one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// A rule (CEL).
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Devices by their ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<DeviceId>>,
}

/// What is done on each device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CampaignAction {
    /// Another firmware: by the file's SHA-256, by its version, or both.
    Firmware {
        /// The stored file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// The version that devices report afterwards; the file's if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
    /// Values of parameters.
    Parameters {
        /// By path: the value as text, a number or a truth value.
        values: BTreeMap<String, serde_json::Value>,
    },
    /// A restart.
    Reboot {},
    /// A profile that matches the campaign's tag, `campaign:NAME`.
    Profile {
        /// The profile.
        profile: String,
    },
    /// To another ACS, for good.
    Migrate {
        /// Its URL.
        url: String,
        /// The user name there; left as it is if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// The password there; left as it is if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<String>,
        /// A device that does not inform here for so long is at home there.
        quiet: Span,
    },
}

impl CampaignAction {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Firmware { .. } => "firmware",
            Self::Parameters { .. } => "parameters",
            Self::Reboot {} => "reboot",
            Self::Profile { .. } => "profile",
            Self::Migrate { .. } => "migrate",
        }
    }

    /// Whether it can be taken back on a device.
    pub const fn can_be_undone(&self) -> bool {
        matches!(self, Self::Firmware { .. } | Self::Parameters { .. } | Self::Profile { .. })
    }
}

/// In what portions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waves {
    /// Devices of the first wave; no wave of its own if 0.
    #[serde(default)]
    pub canary: u32,
    /// Further waves: a number of devices, or a percentage that says how much of
    /// the fleet is reached when the wave is over. All that is left is the last.
    #[serde(default)]
    pub sizes: Vec<WaveSize>,
    /// Between the end of a wave and the next one.
    #[serde(default)]
    pub soak: Span,
}

/// The size of a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveSize {
    /// So many devices.
    Count(u32),
    /// As many as it takes to have reached this share of the fleet.
    UpTo(Share),
}

/// A share in hundredths of a percent, from 0.01 % to 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

impl Share {
    /// All.
    pub const WHOLE: Self = Self(10_000);

    /// So many percent, from 1 to 100.
    pub fn percent(percent: u16) -> Option<Self> {
        (1..=100).contains(&percent).then(|| Self(percent * 100))
    }

    /// The least whole number that is at least this share of `all`.
    pub fn of(self, all: u64) -> u64 {
        (u128::from(all) * u128::from(self.0)).div_ceil(10_000).try_into().unwrap_or(u64::MAX)
    }

    /// Whether `part` of `all` is this share or more.
    pub fn is_reached(self, part: u64, all: u64) -> bool {
        u128::from(part) * 10_000 >= u128::from(all) * u128::from(self.0)
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a share is a percentage from 0.01% to 100%, as in 5% or 2.5%";
        let number = text.trim().strip_suffix('%').ok_or(FORM)?.trim();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || whole.len() > 3 || part.len() > 2 {
            return Err(FORM);
        }
        let hundredths = format!("{whole}{part:0<2}").parse::<u32>().map_err(|_| FORM)?;
        let hundredths = u16::try_from(hundredths).map_err(|_| FORM)?;
        if (1..=10_000).contains(&hundredths) { Ok(Self(hundredths)) } else { Err(FORM) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(f, "{whole}%"),
            part if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            part => write!(f, "{whole}.{part:02}%"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for WaveSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u32(*count),
            Self::UpTo(share) => serializer.collect_str(share),
        }
    }
}

impl<'de> Deserialize<'de> for WaveSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Count(u32),
            Text(String),
        }
        match Either::deserialize(deserializer) {
            Ok(Either::Count(count)) => Ok(Self::Count(count)),
            Ok(Either::Text(text)) => {
                text.parse().map(Self::UpTo).map_err(serde::de::Error::custom)
            }
            Err(_) => Err(serde::de::Error::custom(
                "a wave is a number of devices, or a percentage in quotes, as in \"25%\"",
            )),
        }
    }
}

/// How fast. What is not given comes from the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaceSpec {
    /// Devices asked in a minute, at most.
    #[serde(default)]
    pub per_minute: u32,
    /// Devices at work at one time, at most.
    #[serde(default)]
    pub concurrency: u32,
}

/// Whether devices are woken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contact {
    /// By a connection request.
    #[default]
    Wake,
    /// They are waited for.
    Wait,
}

/// How often a device is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attempts {
    /// At most so often.
    pub most: u32,
    /// How long a device may take to come.
    pub patience: Span,
    /// Between two attempts.
    pub pause: Span,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { most: 2, patience: Span::seconds(86_400), pause: Span::seconds(900) }
    }
}

/// When it halts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Abort {
    /// When this share, or more, of a wave's finished devices has failed.
    pub failures: Share,
    /// Not before so many have finished; the end of a wave is judged with fewer.
    pub minimum: u32,
    /// What becomes of devices that were changed, when it halts.
    pub rollback: Rollback,
}

impl Default for Abort {
    fn default() -> Self {
        Self { failures: Share(500), minimum: 10, rollback: Rollback::Manual }
    }
}

/// What becomes of devices that were changed, when a campaign halts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rollback {
    /// They stay until an operator says otherwise.
    #[default]
    Manual,
    /// They are brought back to what they were before.
    Automatic,
}

/// What a device must show afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// It informs again within this time.
    pub within: Span,
}

impl CampaignSpec {
    /// Reads a campaign's text (JSON) and checks it. A pace that is not given is
    /// `pace`.
    ///
    /// # Errors
    /// [`SpecError`] names the member and says what would be right.
    pub fn parse(json: &str, pace: PaceSpec) -> Result<Self, SpecError> {
        let mut spec: Self = serde_json::from_str(json)
            .map_err(|error| SpecError::new("campaign", error.to_string()))?;
        if spec.pace.per_minute == 0 {
            spec.pace.per_minute = pace.per_minute;
        }
        if spec.pace.concurrency == 0 {
            spec.pace.concurrency = pace.concurrency;
        }
        if matches!(spec.action, CampaignAction::Firmware { .. }) && spec.health.is_none() {
            spec.health = Some(Health { within: Span::seconds(3600) });
        }
        spec.check()?;
        Ok(spec)
    }

    /// Its text, as it is stored.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// When devices are asked; `None` is always.
    ///
    /// # Errors
    /// [`SpecError`] if the time zone is not known here.
    pub fn window(&self) -> Result<Option<Window>, SpecError> {
        self.window.as_ref().map(Window::new).transpose()
    }

    /// The tag that marks the devices whose turn has come.
    pub fn tag(&self) -> String {
        format!("campaign:{}", self.name)
    }

    fn check(&self) -> Result<(), SpecError> {
        check_name(&self.name)?;
        plain("why", &self.why, 500)?;
        self.check_target()?;
        self.check_action()?;
        self.check_care()?;
        self.window().map(drop)
    }

    fn check_target(&self) -> Result<(), SpecError> {
        match (&self.target.rule, &self.target.devices) {
            (Some(rule), None) => {
                let rule = Rule::parse(rule);
                let rule =
                    rule.map_err(|error| SpecError::new("target.match", error.to_string()))?;
                if rule.text().is_empty() {
                    let problem =
                        "an empty rule would mean every device; say `true` if that is meant";
                    return Err(SpecError::new("target.match", problem));
                }
                Ok(())
            }
            (None, Some(devices)) if (1..=MAX_DEVICES).contains(&devices.len()) => Ok(()),
            (None, Some(_)) => {
                Err(SpecError::new("target.devices", format!("from 1 to {MAX_DEVICES}")))
            }
            _ => Err(SpecError::new("target", "give either `match` or `devices`")),
        }
    }

    fn check_action(&self) -> Result<(), SpecError> {
        match &self.action {
            CampaignAction::Firmware { file: None, version: None } => {
                Err(SpecError::new("action.firmware", "give `file`, `version` or both"))
            }
            CampaignAction::Firmware { file, version } => {
                plain("action.firmware.file", file.as_deref().unwrap_or_default(), 64)?;
                plain("action.firmware.version", version.as_deref().unwrap_or_default(), 256)
            }
            CampaignAction::Parameters { values } => check_values(values),
            CampaignAction::Reboot {} => Ok(()),
            CampaignAction::Profile { profile } => plain("action.profile", profile, 256),
            CampaignAction::Migrate { url, username, password, quiet } => {
                plain("action.migrate.url", url, MAX_TEXT)?;
                for (at, text) in [("username", username), ("password", password)] {
                    let at = format!("action.migrate.{at}");
                    plain(&at, text.as_deref().unwrap_or_default(), 256)?;
                }
                if !url.starts_with("https://") && !url.starts_with("http://") {
                    let problem = "the URL of an ACS begins with https:// or http://";
                    return Err(SpecError::new("action.migrate.url", problem));
                }
                if quiet.is_zero() {
                    let problem = "longer than the devices' periodic interval";
                    return Err(SpecError::new("action.migrate.quiet", problem));
                }
                Ok(())
            }
        }
    }

    fn check_care(&self) -> Result<(), SpecError> {
        if self.waves.sizes.len() >= MAX_WAVES {
            return Err(SpecError::new("waves.sizes", format!("at most {}", MAX_WAVES - 1)));
        }
        let mut reached = None;
        for size in &self.waves.sizes {
            match size {
                WaveSize::Count(0) => {
                    return Err(SpecError::new("waves.sizes", "a wave has at least 1 device"));
                }
                WaveSize::Count(_) => {}
                WaveSize::UpTo(share) if Some(*share) > reached => reached = Some(*share),
                WaveSize::UpTo(_) => {
                    let problem = "a percentage says how much of the fleet is reached after the wave, so each is larger than the one before";
                    return Err(SpecError::new("waves.sizes", problem));
                }
            }
        }
        if self.pace.per_minute == 0 || self.pace.per_minute > 60_000 {
            return Err(SpecError::new("pace.per_minute", "from 1 to 60000"));
        }
        if self.pace.concurrency == 0 || self.pace.concurrency > MAX_CONCURRENCY {
            let problem = format!("from 1 to {MAX_CONCURRENCY}");
            return Err(SpecError::new("pace.concurrency", problem));
        }
        if !(1..=10).contains(&self.attempts.most) {
            return Err(SpecError::new("attempts.most", "from 1 to 10"));
        }
        for (at, span) in [
            ("attempts.patience", self.attempts.patience),
            ("deadline", self.deadline),
            ("health.within", self.health.map_or(Span::seconds(1), |health| health.within)),
        ] {
            if span.is_zero() {
                return Err(SpecError::new(at, "at least one second"));
            }
        }
        if self.abort.minimum == 0 {
            return Err(SpecError::new("abort.minimum", "at least 1"));
        }
        if self.abort.rollback == Rollback::Automatic && !self.action.can_be_undone() {
            let problem = format!("{} cannot be taken back; say \"manual\"", self.action.word());
            return Err(SpecError::new("abort.rollback", problem));
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), SpecError> {
    let sound = (1..=MAX_NAME).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if sound {
        return Ok(());
    }
    let problem =
        format!("1 to {MAX_NAME} letters, digits, `-`, `_` and `.`, not beginning with `.`");
    Err(SpecError::new("name", problem))
}

fn check_values(values: &BTreeMap<String, serde_json::Value>) -> Result<(), SpecError> {
    let at = |path: &str| format!("action.parameters.values.{path}");
    if values.is_empty() || values.len() > MAX_VALUES {
        let problem = format!("from 1 to {MAX_VALUES} parameters");
        return Err(SpecError::new("action.parameters.values", problem));
    }
    for (path, value) in values {
        let parsed = ParamPath::parse(path);
        let parsed = parsed.map_err(|error| SpecError::new(at(path), error.to_string()))?;
        if parsed.is_object() {
            return Err(SpecError::new(at(path), "names an object, and a parameter is needed"));
        }
        let text = text_of(value)
            .ok_or_else(|| SpecError::new(at(path), "a text, a whole number, or true or false"))?;
        if text.len() > MAX_VALUE || text.contains('\0') {
            return Err(SpecError::new(at(path), format!("at most {MAX_VALUE} bytes")));
        }
    }
    Ok(())
}

/// The text of a value that a campaign sets.
pub fn text_of(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Bool(on) => Some(u8::from(*on).to_string()),
        serde_json::Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

fn plain(at: &str, text: &str, longest: usize) -> Result<(), SpecError> {
    if text.len() > longest || text.chars().any(char::is_control) {
        let problem = format!("at most {longest} bytes, and no control characters");
        return Err(SpecError::new(at, problem));
    }
    Ok(())
}
