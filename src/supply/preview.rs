//! Files for the eyes of operators, and where phones find theirs.

use std::net::IpAddr;

use super::deps::Supply;
use super::dossier::{About, Dossier};
use super::error::SupplyError;
use super::ledger::{Locked, locked};
use super::make::{gate, told};
use crate::phone::{Allow, DoorKind, Mac, Phone, Seen, Site, Vendor};
use crate::provision::{self, Directives, Folders, Kind, RenderError, Subject, Wanted, family};

/// A file that a phone has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: Box<str>,
    /// What kind of file.
    pub kind: Kind,
    /// Where the phone fetches it; holds the phone's token.
    pub url: String,
}

/// A file as a phone would get it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Its name.
    pub name: Box<str>,
    /// What kind of file.
    pub kind: Kind,
    /// Its bytes before encryption, with the version in it.
    pub bytes: Vec<u8>,
    /// The media type of these bytes.
    pub media: &'static str,
    /// The version that it has, or would get: nothing is raised or stored.
    pub version: Box<str>,
    /// Whether it goes out encrypted.
    pub encrypted: bool,
    /// Whether secrets are left out because of the door.
    pub withheld: bool,
    /// Every secret that may stand in it, the longest first, so that they can be
    /// masked: passwords, secret settings, the tokens of URLs.
    pub secrets: Vec<String>,
}

impl Supply {
    /// The files that a phone will ask for, in its order.
    ///
    /// # Errors
    /// [`SupplyError::UnknownPhone`], [`SupplyError::Store`].
    pub async fn files(&self, mac: Mac) -> Result<Vec<Listed>, SupplyError> {
        let dossier = self.known(mac).await?;
        let folder = match &dossier.phone {
            Some(phone) => self.folders(phone)?.this,
            None => String::new(),
        };
        let files = dossier.family.files(&dossier.subject()).into_iter();
        Ok(files
            .map(|Wanted { kind, name }| Listed { url: format!("{folder}{name}"), name, kind })
            .collect())
    }

    /// A file as a phone would get it now by a door; its own if no name is
    /// given. Nothing is raised, stored or logged. An image has no preview.
    ///
    /// # Errors
    /// [`SupplyError`].
    pub async fn preview(
        &self,
        mac: Mac,
        name: Option<&str>,
        door: DoorKind,
    ) -> Result<Preview, SupplyError> {
        let phone = self.deps.store.phone(mac).await?;
        self.preview_of(phone.ok_or(SupplyError::UnknownPhone(mac))?, name, door).await
    }

    /// A file as a phone would get it if it were so: what is stored of it does
    /// not count. Else as [`Supply::preview`].
    ///
    /// # Errors
    /// [`SupplyError`].
    pub async fn preview_of(
        &self,
        phone: Phone,
        name: Option<&str>,
        door: DoorKind,
    ) -> Result<Preview, SupplyError> {
        let mac = phone.mac;
        let dossier = self.dossier_of(phone).await?;
        let wanted = match name {
            Some(name) => dossier.family.resolve(name, &dossier.subject()),
            None => own_file(&dossier),
        };
        let wanted = wanted.filter(|wanted| wanted.kind != Kind::Image);
        let cut = || name.unwrap_or("of its own").chars().take(64).collect();
        let wanted = wanted.ok_or_else(|| SupplyError::NoSuchFile { mac, name: cut() })?;
        let secrets = Self::may_tell(&dossier, &wanted, door);
        let draft = dossier.draft(&wanted, door, secrets, &self.templates())?;
        let fingerprint = provision::fingerprint(&self.fingerprint_key, &draft.body);
        let gate = gate(&dossier, &wanted);
        let previous = self.deps.store.file_version(&gate).await?;
        let counter = provision::advance(&gate, previous.as_ref(), fingerprint).counter;
        let version = dossier.family.version(&draft, counter)?;
        Ok(Preview {
            bytes: dossier.family.finish(&draft, &version)?,
            media: draft.media,
            version: told(&version, counter),
            encrypted: dossier.key(&wanted).is_some(),
            withheld: draft.withheld,
            secrets: dossier.secrets(),
            kind: wanted.kind,
            name: wanted.name,
        })
    }

    /// The directives that hold for a phone.
    ///
    /// # Errors
    /// [`SupplyError::Store`].
    pub async fn directives(&self, phone: Phone) -> Result<Directives, SupplyError> {
        Ok(self.dossier_of(phone).await?.directives)
    }

    /// Tells of every fetch that ends from now on, those included that are not
    /// worth a record; slow readers miss some and are told.
    pub fn watch_fetches(&self) -> tokio::sync::broadcast::Receiver<(Mac, Seen)> {
        self.ledger.watch()
    }

    /// Makes all files of a phone as it is to be, at a site as it is to be, so
    /// that what cannot be served is refused before it is stored.
    ///
    /// # Errors
    /// [`SupplyError::Render`] for the first file that cannot be made.
    pub async fn check(&self, phone: &Phone, site: &Site) -> Result<(), SupplyError> {
        let dossier = self.dossier(About::Phone(Box::new(phone.clone())), site.clone()).await?;
        let templates = self.templates();
        let mut files = dossier.family.files(&dossier.subject());
        files.extend(own_file(&dossier));
        files.dedup();
        for wanted in files.iter().filter(|wanted| wanted.kind != Kind::Image) {
            let draft = match dossier.draft(wanted, DoorKind::Https, true, &templates) {
                Err(SupplyError::Render(RenderError::Unfinished(_))) => continue,
                draft => draft?,
            };
            let version = dossier.family.version(&draft, 1)?;
            let plain = dossier.family.finish(&draft, &version)?;
            if let Some(key) = dossier.key(wanted) {
                dossier.family.encrypt(&self.ciphers, &self.open_secret(key)?, plain)?;
            }
        }
        Ok(())
    }

    /// The folders of a phone, with its token. `this` is the one that phones are
    /// told where they are told one.
    ///
    /// # Errors
    /// [`SupplyError::Store`] if its token cannot be opened.
    pub fn folders(&self, phone: &Phone) -> Result<Folders, SupplyError> {
        let own = self.open_secret(&phone.token)?;
        Ok(self.below(&self.deps.phone_links.path(phone.mac, &own)))
    }

    /// The folders that all phones of a site share, with the site's token, as
    /// [`Supply::folders`]: for DHCP options, which cannot carry a token for
    /// each phone.
    pub fn site_folders(&self, site: &Site) -> Folders {
        self.below(&self.deps.site_links.path(&site.name))
    }

    /// What DHCP, PnP or a person tells a phone to fetch from; `None` if the phone
    /// is unknown or disabled, or no door is open.
    ///
    /// # Errors
    /// [`SupplyError::Store`].
    pub async fn address_for(&self, mac: Mac) -> Result<Option<String>, SupplyError> {
        match self.deps.store.phone(mac).await? {
            Some(phone) => self.address_of(&phone),
            None => Ok(None),
        }
    }

    /// The same of a phone that is at hand.
    ///
    /// # Errors
    /// [`SupplyError::Store`] if its token cannot be opened.
    pub fn address_of(&self, phone: &Phone) -> Result<Option<String>, SupplyError> {
        let folder = if phone.enabled { self.folders(phone)?.this } else { String::new() };
        if folder.is_empty() {
            return Ok(None);
        }
        let directives = Directives::default();
        let subject = Subject {
            mac: Some(phone.mac),
            model: &phone.model,
            names: &phone.names,
            template: &phone.template,
            directives: &directives,
        };
        Ok(Some(family(phone.vendor).address(&folder, &subject).into_owned()))
    }

    /// What a phone is told that asks from an address, and proves nothing, where
    /// to fetch from (SIP PnP): as [`Supply::address_for`], but `None` where its
    /// site serves nobody, and once its first-fetch lock is closed. The address
    /// holds the phone's token, so whoever is told it may have the file.
    ///
    /// # Errors
    /// [`SupplyError::Store`].
    pub async fn address_from(
        &self,
        mac: Mac,
        source: IpAddr,
    ) -> Result<Option<String>, SupplyError> {
        let store = &self.deps.store;
        let Some(phone) = store.phone(mac).await? else { return Ok(None) };
        let site = store.site(&phone.site).await?.unwrap_or_default();
        let log = store.fetch_log(mac).await?;
        let lock = locked(log.as_ref(), phone.unlocks, source, self.deps.clock.now());
        let shut = site.access.lock && lock == Locked::Closed;
        if shut || !Allow::any(&site.access.allow, source) {
            return Ok(None);
        }
        self.address_for(mac).await
    }

    /// What DHCP tells all phones of a vendor at a site; empty if no door is open.
    pub fn site_address(&self, site: &Site, vendor: Vendor, model: &str) -> String {
        let folder = self.site_folders(site).this;
        let directives = Directives::default();
        let (names, template) = (&[][..], "");
        let subject = Subject { mac: None, model, names, template, directives: &directives };
        family(vendor).address(&folder, &subject).into_owned()
    }

    fn below(&self, path: &str) -> Folders {
        let bases = &self.deps.bases;
        let at = |base: &str| if base.is_empty() { String::new() } else { format!("{base}{path}") };
        let (http, https) = (at(&bases.http), at(&bases.https));
        let secure = (bases.prefer_https && !https.is_empty()) || http.is_empty();
        let this = if secure { https.clone() } else { http.clone() };
        Folders { http, https, this }
    }

    async fn known(&self, mac: Mac) -> Result<Dossier, SupplyError> {
        let phone = self.deps.store.phone(mac).await?;
        self.dossier_of(phone.ok_or(SupplyError::UnknownPhone(mac))?).await
    }
}

/// The file that is a phone's own.
fn own_file(dossier: &Dossier) -> Option<Wanted> {
    let subject = dossier.subject();
    let own = dossier.family.files(&subject).into_iter().find(|file| file.kind == Kind::Own);
    own.or_else(|| {
        let mac = subject.mac?;
        dossier.family.resolve(&format!("{mac}.cfg"), &subject)
    })
}
