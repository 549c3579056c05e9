//! Choosing the members of a campaign.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tracing::info;

use super::fleet::{device_within, file_of, firmwares, is_about, is_known};
use super::{CampaignError, Campaigns};
use crate::device::{Device, DeviceId};
use crate::expr::{Rule, Subject};
use crate::param::ParamPath;
use crate::rollout::{
    Before, CampaignAction, CampaignRecord, CampaignSpec, CampaignState, Counts, Member,
    MemberState, SpecError, Tally, at_most, ends_not_before, lot, text_of, wave_sizes,
};
use crate::schema::check_value;
use crate::store::{Batch, Record, phone_of};
use crate::time::Timestamp;

/// Devices looked at in one go.
const PAGE: usize = 500;

/// Members in one commit.
const AT_ONCE: usize = 200;

/// Campaigns that one tenant can have, so that none fills the server with them.
const MOST_OF_A_TENANT: usize = 100;

/// What a campaign would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Its text, with what was not said filled in.
    pub spec: String,
    /// Devices of each wave.
    pub waves: Vec<u32>,
    /// Devices in all.
    pub devices: u32,
    /// Devices that it can harm at most before it halts by itself.
    pub at_most: u64,
    /// Devices of which it is not known what they have now.
    pub unknown: u32,
    /// Devices that could not be brought back to what they were.
    pub cannot_undo: u32,
    /// Devices for which the rule cannot be decided; they are left out.
    pub undecided: u32,
    /// When the last device is asked at the earliest, if it began now.
    pub ends_not_before: Option<Timestamp>,
    /// Whether somebody has to approve it.
    pub needs_approval: bool,
}

/// What was found out about a target, in one pass.
#[derive(Default)]
struct Survey {
    lots: Vec<u128>,
    unknown: u32,
    cannot_undo: u32,
    undecided: u32,
}

impl Campaigns {
    /// What a campaign of a tenant would be, or of the installation if that is empty;
    /// nothing is recorded.
    ///
    /// # Errors
    /// [`CampaignError`], as [`Campaigns::create`].
    pub async fn preview(&self, text: &str, tenant: &str) -> Result<Preview, CampaignError> {
        let spec = self.complete(text, tenant).await?;
        let now = self.deps.clock.now();
        let survey = self.survey((tenant, &spec), now).await?;
        self.told(&spec, &survey, now)
    }

    /// Makes a draft: its members are chosen, and nothing is asked of them. One of a
    /// tenant is about the devices of that tenant alone; the installation's, if that
    /// is empty, about all.
    ///
    /// # Errors
    /// [`CampaignError::Spec`] names what is wrong with the text,
    /// [`CampaignError::NoDevices`], [`CampaignError::Exists`],
    /// [`CampaignError::Taken`], [`CampaignError::TooMany`]; what the store says.
    pub async fn create(
        &self,
        text: &str,
        by: &str,
        tenant: &str,
    ) -> Result<CampaignRecord, CampaignError> {
        let spec = self.complete(text, tenant).await?;
        let now = self.deps.clock.now();
        let mut record = CampaignRecord {
            name: spec.name.as_str().into(),
            revision: 1,
            text: spec.text().into(),
            at: now,
            by: by.into(),
            why: spec.why.as_str().into(),
            state: CampaignState::Gathering,
            started_at: None,
            approved: None,
            waves: Vec::new(),
            tally: Tally::default(),
            unknown: 0,
            cannot_undo: 0,
            history: Vec::new(),
            tenant: tenant.into(),
        };
        {
            let _one = self.at_work.lock().await;
            self.check_room(&record).await?;
            record.note(now, by, "made");
            self.put(&record).await?;
        }
        match self.gather(record.clone(), &spec).await {
            Ok(record) => Ok(record),
            Err(error) => {
                // A draft without members is of no use to anybody.
                self.forget_all(&record).await?;
                Err(error)
            }
        }
    }

    /// Whether a name is free, and its tenant may have one more.
    async fn check_room(&self, record: &CampaignRecord) -> Result<(), CampaignError> {
        let fleet = self.deps.store.fleet();
        let (name, tenant) = (&record.name, &record.tenant);
        match fleet.campaign(name).await? {
            Some(stored) if tenant.is_empty() || stored.tenant == *tenant => {
                return Err(CampaignError::Exists(name.clone()));
            }
            // Neither whose it is, nor that it could be removed.
            Some(_) => return Err(CampaignError::Taken(name.clone())),
            None if tenant.is_empty() => return Ok(()),
            None => {}
        }
        let own = fleet.campaigns().await?.into_iter().filter(|one| one.tenant == *tenant);
        match own.count() < MOST_OF_A_TENANT {
            true => Ok(()),
            false => Err(CampaignError::TooMany(MOST_OF_A_TENANT)),
        }
    }

    /// Chooses the members of a campaign again: the server ended while it did.
    pub(super) async fn gather_again(&self, record: CampaignRecord) -> Result<(), CampaignError> {
        self.forget_members(&record.name).await?;
        let gathered = match self.read(&record.text) {
            Ok(spec) => self.gather(record.clone(), &spec).await.map(drop),
            Err(error) => Err(error),
        };
        match gathered {
            Err(CampaignError::NoDevices | CampaignError::Spec(_)) => {
                self.forget_all(&record).await
            }
            other => other,
        }
    }

    /// The text, with the firmware that it names found.
    async fn complete(&self, text: &str, tenant: &str) -> Result<CampaignSpec, CampaignError> {
        let mut spec = self.read(text)?;
        let wrong = |at: &str, problem: String| CampaignError::Spec(SpecError::new(at, problem));
        match &mut spec.action {
            CampaignAction::Firmware { file, version } => {
                let found = match (&*file, &*version) {
                    (Some(sha256), _) => {
                        let sha256 = sha256.to_ascii_lowercase();
                        file_of(&self.deps, tenant, &sha256).await?.ok_or_else(|| {
                            let problem = "no such file is stored; see `provost file list`";
                            wrong("action.firmware.file", problem.to_owned())
                        })?
                    }
                    (None, version) => {
                        let version = version.as_deref().unwrap_or_default();
                        let mut found = firmwares(&self.deps, tenant, version).await?;
                        match (found.pop(), found.is_empty()) {
                            (Some(one), true) => one,
                            (None, _) => {
                                let problem = format!(
                                    "no firmware of version {version} is stored; upload it with `provost file add`"
                                );
                                return Err(wrong("action.firmware.version", problem));
                            }
                            (Some(_), false) => {
                                let problem = format!(
                                    "several files are of version {version}; name one by `file`"
                                );
                                return Err(wrong("action.firmware.version", problem));
                            }
                        }
                    }
                };
                if version.is_none() {
                    *version = found.version.as_deref().map(str::to_owned);
                }
                if version.as_deref().is_none_or(str::is_empty) {
                    let problem = "the file does not tell its version: say which one devices report afterwards, so that it can be read back";
                    return Err(wrong("action.firmware.version", problem.to_owned()));
                }
                *file = Some(found.sha256.into());
            }
            CampaignAction::Profile { profile } => {
                let profile = profile.clone();
                self.check_profile((tenant, &spec), &profile).await?;
            }
            CampaignAction::Parameters { values } => check_values(values)?,
            CampaignAction::Reboot {} | CampaignAction::Migrate { .. } => {}
        }
        Ok(spec)
    }

    /// A profile that does not ask for the tag would be in force everywhere, or
    /// nowhere.
    async fn check_profile(
        &self,
        (tenant, spec): (&str, &CampaignSpec),
        name: &str,
    ) -> Result<(), CampaignError> {
        let at = "action.profile.profile";
        let profile = self.deps.store.fleet().profile(name).await?;
        let own = profile.filter(|one| tenant.is_empty() || *one.tenant == *tenant);
        let Some(profile) = own else {
            return Err(SpecError::new(at, format!("there is no profile {name}")).into());
        };
        let tag = spec.tag();
        if !profile.enabled || !profile.text.contains(&tag) {
            let problem = format!(
                "profile {name} has to be in force and to match devices with the tag {tag}, which the campaign gives them wave by wave"
            );
            return Err(SpecError::new(at, problem).into());
        }
        Ok(())
    }

    async fn gather(
        &self,
        mut record: CampaignRecord,
        spec: &CampaignSpec,
    ) -> Result<CampaignRecord, CampaignError> {
        let survey = self.survey((&*record.tenant, spec), record.at).await?;
        let mut wave = Waves::new(spec, &survey.lots)?;
        let mut members = Vec::new();
        let mut walk = Walk::new(spec)?;
        while let Some(devices) = walk.next(self, &record.tenant, record.at).await? {
            for (device, decided) in devices {
                if decided != Some(true) {
                    continue;
                }
                let wave = wave.of(lot(&record.name, record.at, &device.id));
                members.push(Member {
                    campaign: record.name.clone(),
                    device: device.id,
                    wave,
                    asks: 0,
                    attempts: 0,
                    tried: false,
                    before: Before::Nothing,
                    state: MemberState::Waiting,
                });
                if members.len() >= AT_ONCE {
                    self.put_members(&mut members).await?;
                }
            }
        }
        self.put_members(&mut members).await?;
        record.waves = wave.counts();
        record.unknown = survey.unknown;
        record.cannot_undo = survey.cannot_undo;
        record.state = CampaignState::Draft;
        record.revision = record.revision.saturating_add(1);
        self.put(&record).await?;
        info!(campaign.name = %record.name, campaign.devices = record.devices(), "a campaign was made");
        Ok(record)
    }

    async fn put_members(&self, members: &mut Vec<Member>) -> Result<(), CampaignError> {
        let mut batch = Batch::new();
        for member in members.drain(..) {
            batch.put(Record::Member(Box::new(member)));
        }
        if !batch.is_empty() {
            self.deps.store.commit(batch).await?;
        }
        Ok(())
    }

    async fn survey(
        &self,
        (tenant, spec): (&str, &CampaignSpec),
        at: Timestamp,
    ) -> Result<Survey, CampaignError> {
        let mut survey = Survey::default();
        let mut versions = HashMap::new();
        let mut walk = Walk::new(spec)?;
        while let Some(devices) = walk.next(self, tenant, at).await? {
            for (device, decided) in devices {
                match decided {
                    None => survey.undecided += 1,
                    Some(false) => {}
                    Some(true) => {
                        survey.lots.push(lot(&spec.name, at, &device.id));
                        let whose = (tenant, spec);
                        let (known, back) =
                            is_known(&self.deps, whose, &device, &mut versions).await?;
                        survey.unknown += u32::from(!known);
                        survey.cannot_undo += u32::from(!back);
                    }
                }
            }
        }
        if survey.lots.is_empty() {
            return Err(CampaignError::NoDevices);
        }
        survey.lots.sort_unstable();
        Ok(survey)
    }

    fn told(
        &self,
        spec: &CampaignSpec,
        survey: &Survey,
        now: Timestamp,
    ) -> Result<Preview, CampaignError> {
        let devices = u32::try_from(survey.lots.len()).unwrap_or(u32::MAX);
        Ok(Preview {
            spec: spec.text(),
            waves: wave_sizes(spec, devices),
            devices,
            at_most: at_most(spec, devices),
            unknown: survey.unknown,
            cannot_undo: survey.cannot_undo,
            undecided: survey.undecided,
            ends_not_before: ends_not_before(spec, spec.window()?.as_ref(), devices, now),
            needs_approval: devices > self.deps.config.approval_above,
        })
    }
}

/// Refuses what no device could take.
fn check_values(values: &BTreeMap<String, serde_json::Value>) -> Result<(), SpecError> {
    for (path, value) in values {
        let at = || format!("action.parameters.values.{path}");
        let parsed = ParamPath::parse(path);
        let parsed = parsed.map_err(|error| SpecError::new(at(), error.to_string()))?;
        let text = text_of(value).unwrap_or_default();
        check_value(&parsed, &text, "")
            .map_err(|misfit| SpecError::new(at(), misfit.to_string()))?;
    }
    Ok(())
}

/// Deals devices out to waves by their lots.
struct Waves {
    /// The highest lot of each wave.
    ends: Vec<u128>,
    sizes: Vec<u32>,
    filled: Vec<u32>,
}

impl Waves {
    fn new(spec: &CampaignSpec, lots: &[u128]) -> Result<Self, CampaignError> {
        let fleet = u32::try_from(lots.len())
            .map_err(|_| CampaignError::Spec(SpecError::new("target", "too many devices")))?;
        let sizes = wave_sizes(spec, fleet);
        let mut reached = 0_usize;
        let ends = sizes.iter().map(|size| {
            reached += usize::try_from(*size).unwrap_or(usize::MAX);
            lots.get(reached.saturating_sub(1)).copied().unwrap_or(u128::MAX)
        });
        let ends = ends.collect();
        Ok(Self { ends, filled: vec![0; sizes.len()], sizes })
    }

    /// The wave of a lot. A device that was not there when lots were counted gets
    /// into no wave that is full, so that none is larger than was said, but for
    /// the last.
    fn of(&mut self, lot: u128) -> u32 {
        let last = self.sizes.len().saturating_sub(1);
        let mut wave = self.ends.partition_point(|end| *end < lot).min(last);
        while wave < last && self.filled.get(wave) >= self.sizes.get(wave) {
            wave += 1;
        }
        if let Some(filled) = self.filled.get_mut(wave) {
            *filled = filled.saturating_add(1);
        }
        u32::try_from(wave).unwrap_or(u32::MAX)
    }

    fn counts(&self) -> Vec<Counts> {
        self.filled.iter().map(|&waiting| Counts { waiting, ..Counts::default() }).collect()
    }
}

/// A walk over the devices that a target may mean.
enum Walk {
    Rule { rule: Rule, after: Option<DeviceId>, over: bool },
    List(std::vec::IntoIter<DeviceId>),
}

/// Devices, each with whether it is meant; `None` if that cannot be told.
type Judged = Vec<(Device, Option<bool>)>;

impl Walk {
    fn new(spec: &CampaignSpec) -> Result<Self, CampaignError> {
        if let Some(devices) = &spec.target.devices {
            let once: BTreeSet<&DeviceId> = devices.iter().collect();
            let list: Vec<DeviceId> = once.into_iter().cloned().collect();
            return Ok(Self::List(list.into_iter()));
        }
        let rule = Rule::parse(spec.target.rule.as_deref().unwrap_or_default())
            .map_err(|error| SpecError::new("target.match", error.to_string()))?;
        Ok(Self::Rule { rule, after: None, over: false })
    }

    /// The next devices; `None` when all were seen. What is not the tenant's is as if
    /// it were not there.
    async fn next(
        &mut self,
        campaigns: &Campaigns,
        tenant: &str,
        now: Timestamp,
    ) -> Result<Option<Judged>, CampaignError> {
        let store = &campaigns.deps.store;
        // Reading is done in this task: others have their turn.
        tokio::task::yield_now().await;
        match self {
            Self::List(list) => {
                let mut devices = Vec::new();
                for id in list.by_ref().take(PAGE) {
                    let Some(device) = device_within(&campaigns.deps, tenant, &id).await? else {
                        let problem = format!("device {id} is not known");
                        return Err(SpecError::new("target.devices", problem).into());
                    };
                    devices.push((device, Some(true)));
                }
                Ok((!devices.is_empty()).then_some(devices))
            }
            Self::Rule { over: true, .. } => Ok(None),
            Self::Rule { rule, after, over } => {
                let page = store.devices(after.as_ref(), PAGE).await?;
                *over = page.len() < PAGE;
                *after = page.last().map(|device| device.id.clone());
                let mut judged = Vec::with_capacity(page.len());
                for device in page {
                    let decided = campaigns.is_meant((tenant, rule), &device, now).await?;
                    judged.push((device, decided));
                }
                Ok(Some(judged))
            }
        }
    }
}

impl Campaigns {
    async fn is_meant(
        &self,
        (tenant, rule): (&str, &Rule),
        device: &Device,
        now: Timestamp,
    ) -> Result<Option<bool>, CampaignError> {
        let store = &self.deps.store;
        let labels = store.labels(&device.id).await?.unwrap_or_default();
        if !is_about(tenant, &labels) {
            return Ok(Some(false));
        }
        let tree = if rule.needs_tree() { store.tree(&device.id).await? } else { None };
        let phone = match rule.needs_phone() {
            true => phone_of(&**store, device, &labels).await?,
            false => None,
        };
        let subject =
            Subject { device, labels: &labels, tree: tree.as_ref(), phone: phone.as_ref(), now };
        Ok(rule.matches(&subject).ok())
    }
}
