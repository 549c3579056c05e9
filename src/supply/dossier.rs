//! Everything that a phone's files are made of, gathered and opened.

use super::deps::Supply;
use super::error::SupplyError;
use crate::device::{Sealed, Secret};
use crate::phone::{DoorKind, Mac, Phone, Scope, Settings, Site, Vendor};
use crate::provision::{
    AcsLogin, AcsMode, DIRECTIVE_PREFIX, Directives, Family, Firmware, Folders, Inputs, Kind,
    LayerSettings, Line, Subject, Templates, Wanted, family, merge,
};
use crate::store::FileRecord;

/// Uploaded files that are looked through for one name, at once.
const PAGE: usize = 256;

/// Everything that files for one phone, or for phones of one model at a site, are
/// made of.
pub(super) struct Dossier {
    pub(super) family: &'static dyn Family,
    /// `None` for files that phones share.
    pub(super) phone: Option<Phone>,
    pub(super) site: Site,
    pub(super) model: Box<str>,
    /// All layers merged, without directives.
    settings: Settings,
    /// The layers of the site and the model alone, for common files.
    shared: Settings,
    /// What stands in the phone's own layer.
    own: Settings,
    pub(super) directives: Directives,
    shared_directives: Directives,
    firmware: Option<Firmware>,
    acs: Option<AcsLogin>,
    passwords: Vec<Secret>,
    folders: Folders,
    site_folders: Folders,
}

/// Whom a dossier is about.
pub(super) enum About {
    /// A phone.
    Phone(Box<Phone>),
    /// Phones of a model; the model may be empty.
    Model(Vendor, Box<str>),
}

impl Supply {
    /// Gathers what files are made of.
    ///
    /// # Errors
    /// [`SupplyError::Store`].
    pub(super) async fn dossier(&self, about: About, site: Site) -> Result<Dossier, SupplyError> {
        let (phone, vendor, model) = match about {
            About::Phone(phone) => {
                let (vendor, model) = (phone.vendor, phone.model.clone());
                (Some(*phone), vendor, model)
            }
            About::Model(vendor, model) => (None, vendor, model),
        };
        let family = family(vendor);
        let mut layers = [Settings::new(), Settings::new(), Settings::new()];
        let tenant = (!site.tenant.is_empty()).then(|| Scope::Tenant(site.tenant.clone()));
        let of_model = (!model.is_empty()).then(|| Scope::Model(vendor, model.clone()));
        let scopes = [Some(Scope::Global), tenant, of_model];
        for (slot, scope) in layers.iter_mut().zip(scopes) {
            let Some(scope) = scope else { continue };
            if let Some(layer) = self.deps.store.layer(&scope).await? {
                *slot = layer.settings;
            }
        }
        let [global, tenant, of_model] = &layers;
        let base = [(global, true), (tenant, true), (&site.settings, true), (of_model, false)];
        let base = base.map(|(settings, shared)| LayerSettings { settings, shared });
        let mut shared = merge(family, base);
        let (mut settings, mut own) = (shared.clone(), Settings::new());
        if let Some(phone) = &phone {
            let last = LayerSettings { settings: &phone.settings, shared: false };
            own = merge(family, [last]);
            settings.extend(own.clone());
            own.retain(|name, _| !name.starts_with(DIRECTIVE_PREFIX));
        }
        let shared_directives = Directives::take(&mut shared);
        let directives = Directives::take(&mut settings);
        let firmware = self.firmware(&directives, &site.tenant).await?;
        let moved = matches!(directives.acs, Some(AcsMode::Common | AcsMode::Ctc));
        let acs = phone.as_ref().filter(|_| moved).and_then(|phone| (self.deps.acs)(phone));
        let accounts = phone.iter().flat_map(|phone| &phone.accounts);
        let passwords = accounts.map(|account| self.open_secret(&account.password));
        let passwords = passwords.collect::<Result<_, _>>()?;
        let site_folders = self.site_folders(&site);
        let folders = match &phone {
            Some(phone) => self.folders(phone)?,
            None => site_folders.clone(),
        };
        Ok(Dossier {
            family,
            phone,
            site,
            model,
            settings,
            shared,
            own,
            directives,
            shared_directives,
            firmware,
            acs,
            passwords,
            folders,
            site_folders,
        })
    }

    /// The dossier of a phone and the site that it stands at.
    pub(super) async fn dossier_of(&self, phone: Phone) -> Result<Dossier, SupplyError> {
        let site = self.deps.store.site(&phone.site).await?.unwrap_or_default();
        self.dossier(About::Phone(Box::new(phone)), site).await
    }

    /// The image that the directives name, the latest upload of that name.
    async fn firmware(
        &self,
        directives: &Directives,
        tenant: &str,
    ) -> Result<Option<Firmware>, SupplyError> {
        let version = || directives.firmware_version.clone().unwrap_or_default();
        let Some(name) = &directives.firmware_file else { return Ok(None) };
        let found = self.uploaded(name, tenant).await?;
        let version = match (&directives.firmware_version, &found) {
            (None, Some(FileRecord { version: Some(version), .. })) => version.clone(),
            _ => version(),
        };
        let (sha256, size) = found.map(|file| (file.sha256, file.size)).unwrap_or_default();
        Ok(Some(Firmware { version, name: name.clone(), sha256, size }))
    }

    /// The latest upload of a name by the tenant or the installation. What devices
    /// sent is none: it must not pass for firmware because of its name.
    async fn uploaded(&self, name: &str, tenant: &str) -> Result<Option<FileRecord>, SupplyError> {
        let mut latest: Option<FileRecord> = None;
        let mut after: Option<Box<str>> = None;
        loop {
            let page = self.deps.store.files(after.as_deref(), PAGE).await?;
            after = page.last().map(|file| file.sha256.clone());
            let whole = page.len() < PAGE;
            let meant = page.into_iter().filter_map(|file| file.meant_for(tenant));
            for file in meant.filter(|file| *file.name == *name) {
                if latest.as_ref().is_none_or(|known| known.uploaded_at <= file.uploaded_at) {
                    latest = Some(file);
                }
            }
            if whole {
                return Ok(latest);
            }
        }
    }

    pub(super) fn open_secret(&self, sealed: &Sealed) -> Result<Secret, SupplyError> {
        Ok(self.deps.vault.unseal(sealed)?)
    }
}

impl Dossier {
    pub(super) fn mac(&self) -> Option<Mac> {
        self.phone.as_ref().map(|phone| phone.mac)
    }

    /// Whom its files are for.
    pub(super) fn subject(&self) -> Subject<'_> {
        let (names, template) = match &self.phone {
            Some(phone) => (&*phone.names, &*phone.template),
            None => (&[][..], ""),
        };
        let directives = &self.directives;
        Subject { mac: self.mac(), model: &self.model, names, template, directives }
    }

    /// The firmware that a phone is to run.
    pub(super) const fn image(&self) -> Option<&Firmware> {
        self.firmware.as_ref()
    }

    /// The key that a file is encrypted with.
    pub(super) fn key(&self, wanted: &Wanted) -> Option<&Sealed> {
        if !self.family.encrypts(wanted) {
            return None;
        }
        match (wanted.kind, &self.phone) {
            (Kind::Own | Kind::Side, Some(phone)) => phone.config_key.as_ref(),
            (Kind::Common, _) => self.site.common_key.as_ref(),
            _ => None,
        }
    }

    /// Renders a file for a door.
    ///
    /// # Errors
    /// As [`Family::render`].
    pub(super) fn draft(
        &self,
        wanted: &Wanted,
        door: DoorKind,
        secrets: bool,
        templates: &Templates,
    ) -> Result<crate::provision::Draft, SupplyError> {
        let common = wanted.kind == Kind::Common;
        let mut subject = self.subject();
        if common {
            // Made without a phone, so that all phones get the same.
            subject = Subject {
                mac: None,
                model: subject.model,
                names: &[],
                template: "",
                directives: &self.shared_directives,
            };
        }
        let phone = self.phone.as_ref().filter(|_| !common);
        let accounts = phone.map(|phone| &*phone.accounts).unwrap_or_default();
        let lines: Vec<Line<'_>> = accounts
            .iter()
            .zip(&self.passwords)
            .map(|(account, password)| Line { account, password: secrets.then_some(password) })
            .collect();
        let acs = self.acs.as_ref().filter(|_| !common);
        let without = acs.map(|acs| AcsLogin { password: None, ..acs.clone() });
        // A phone that gets no secrets here is told where it gets them. Where no
        // lock keeps others from asking in its name, that is not its own folder:
        // the token would be as good as the secrets.
        let own_folder = !common && (secrets || self.site.access.lock);
        let mut folders = if own_folder { &self.folders } else { &self.site_folders }.clone();
        folders.this = if matches!(door, DoorKind::Https | DoorKind::Ftps | DoorKind::Cwmp) {
            folders.https.clone()
        } else {
            folders.http.clone()
        };
        let inputs = Inputs {
            subject,
            site: &self.site.name,
            settings: if common { &self.shared } else { &self.settings },
            own: &self.own,
            lines: &lines,
            keys: phone.map(|phone| &*phone.keys).unwrap_or_default(),
            contacts: &self.site.contacts,
            folders: &folders,
            firmware: self.firmware.as_ref(),
            acs: if secrets { acs } else { without.as_ref() },
            secrets,
            templates,
        };
        Ok(self.family.render(wanted, &inputs)?)
    }

    /// Everything in a phone's files that is secret.
    pub(super) fn secrets(&self) -> Vec<String> {
        let named = [&self.settings, &self.shared, &self.own].into_iter().flatten();
        let named = named.filter(|(name, _)| self.family.is_secret(name));
        let passwords = self.passwords.iter().chain(&self.directives.admin_password);
        let acs = self.acs.as_ref().and_then(|acs| acs.password.as_ref());
        let token = |folder: &str| folder.rsplit('/').nth(1).unwrap_or_default().to_owned();
        let tokens = [&self.folders.http, &self.folders.https, &self.site_folders.http];
        let mut secrets: Vec<String> = named
            .map(|(_, value)| value.to_string())
            .chain(passwords.chain(acs).map(|secret| secret.expose().to_owned()))
            .chain(tokens.into_iter().map(|folder| token(folder)))
            .filter(|secret| !secret.is_empty())
            .collect();
        secrets.sort_unstable_by(|one, two| two.len().cmp(&one.len()).then(one.cmp(two)));
        secrets.dedup();
        secrets
    }
}
