//! A simulated device without a socket or a clock.
//!
//! Whoever runs it asks [`Cpe::next`] what to do, carries the messages of a
//! session (`talk`), fetches files, waits, and tells it what happened. How RPCs
//! are answered is in `rpc`, which events are still to be told in `events`,
//! which files are still to be fetched in `transfers`.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::net::SocketAddr;
use std::time::Duration;

use super::attributes::Attributes;
use super::blueprint::Blueprint;
use super::diagnostics::Diagnostics;
use super::events::Events;
use super::licences::Licences;
use super::model::{Model, Parameter};
use super::modules::Modules;
use super::own::Own;
use super::personality::{Habit, Personality};
use super::talk::{SessionFailure, Talk};
use super::transfers::{Fetch, FetchFailure, Taken, Transfers};
use crate::cwmp::FaultCode;
use crate::device::{DeviceIdentity, EventCode, Secret};
use crate::param::ParamPath;
use crate::time::Timestamp;

/// Parameters whose change from inside is told with `4 VALUE CHANGE` without
/// anybody having asked for it (`forceEnabled` in the data models).
const ALWAYS_NOTIFIED: [&str; 2] = ["DeviceInfo.SoftwareVersion", "DeviceInfo.ProvisioningCode"];

/// What there is to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Open a session: connect to [`Cpe::acs_url`], then [`Cpe::open_session`].
    Session,
    /// Fetch this file, then [`Cpe::transfer_done`].
    Fetch(Fetch),
    /// Restart: forget connections and cookies, then [`Cpe::restarted`].
    Restart,
    /// Nothing before this time, unless something happens; `None` is never.
    Wait(Option<Timestamp>),
}

/// Something that happened to a device, for whoever watches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimEvent {
    /// A session is over.
    SessionEnded {
        /// What its Inform told.
        events: Vec<EventCode>,
        /// How many requests of the ACS were answered.
        answered: u32,
        /// Why it failed; `None` if it ended well.
        failure: Option<SessionFailure>,
    },
    /// SetParameterValues was carried out.
    Applied {
        /// The parameters whose value differs now.
        paths: Vec<ParamPath>,
    },
    /// AddObject was carried out.
    RowAdded {
        /// The new row.
        row: ParamPath,
    },
    /// DeleteObject was carried out.
    RowDeleted {
        /// The row that is gone.
        row: ParamPath,
    },
    /// The device restarted.
    Restarted {
        /// Whether it went back to what the factory left in it.
        factory_reset: bool,
    },
    /// A firmware image was fetched and is in force.
    Upgraded {
        /// The version now running.
        version: Box<str>,
        /// SHA-256 of the image in lower-case hex.
        sha256: Box<str>,
    },
    /// Another file was fetched and taken.
    FileTaken {
        /// Its `FileType`.
        file_type: Box<str>,
        /// SHA-256 of the file in lower-case hex.
        sha256: Box<str>,
    },
    /// A file was sent.
    FileSent {
        /// Its `FileType`.
        file_type: Box<str>,
    },
    /// A file could not be fetched, used or sent.
    TransferFailed {
        /// The CommandKey of the Download.
        command_key: Box<str>,
        /// What TransferComplete will tell.
        code: FaultCode,
    },
    /// A connection request was let in.
    ConnectionRequested,
}

/// What is to happen once the session is over.
#[derive(Clone, Debug, Default)]
pub(super) struct Restart {
    /// The CommandKeys of the Reboots that asked for it.
    pub(super) keys: Vec<Box<str>>,
    /// Whether FactoryReset asked for it.
    pub(super) factory_reset: bool,
    /// The firmware that runs afterwards: CommandKey, version, SHA-256.
    pub(super) upgrade: Option<(Box<str>, Box<str>, Box<str>)>,
}

/// A simulated device.
#[derive(Clone, Debug)]
pub struct Cpe {
    pub(super) blueprint: Blueprint,
    pub(super) model: Model,
    pub(super) forced: Vec<ParamPath>,
    pub(super) events: Events,
    pub(super) transfers: Transfers,
    pub(super) diagnostics: Diagnostics,
    pub(super) attributes: Attributes,
    pub(super) modules: Modules,
    pub(super) licences: Licences,
    pub(super) own: Own,
    pub(super) restart: Option<Restart>,
    pub(super) talk: Talk,
    /// A new ACS URL was set: the next session is the first with that ACS.
    pub(super) moved: bool,
    pub(super) retry_count: u32,
    pub(super) retry_at: Option<Timestamp>,
    /// From when the periodic interval counts.
    pub(super) periodic_from: Timestamp,
    pub(super) booted_at: Timestamp,
    pub(super) message_ids: u64,
    pub(super) happened: Vec<SimEvent>,
}

impl Cpe {
    /// A device that is switched on for the first time: it has `0 BOOTSTRAP` and
    /// `1 BOOT` to tell.
    pub fn new(blueprint: Blueprint, now: Timestamp) -> Self {
        let mut cpe = Self::in_service(blueprint, now);
        cpe.events.raise(EventCode::Bootstrap, "");
        cpe.events.raise(EventCode::Boot, "");
        cpe
    }

    /// A device that has been in contact before and has nothing to tell.
    pub fn in_service(blueprint: Blueprint, now: Timestamp) -> Self {
        Self {
            model: blueprint.build(),
            forced: blueprint.forced_inform(),
            blueprint,
            events: Events::default(),
            transfers: Transfers::default(),
            diagnostics: Diagnostics::default(),
            attributes: Attributes::default(),
            modules: Modules::default(),
            licences: Licences::default(),
            own: Own::default(),
            restart: None,
            talk: Talk::Idle,
            moved: false,
            retry_count: 0,
            retry_at: None,
            periodic_from: now,
            booted_at: now,
            message_ids: 0,
            happened: Vec::new(),
        }
    }

    /// Who it is.
    pub const fn identity(&self) -> &DeviceIdentity {
        self.blueprint.identity()
    }

    /// Its data model.
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Lets it stray from the standard in other ways from now on.
    pub fn take_on(&mut self, personality: &'static Personality) {
        self.blueprint = self.blueprint.clone().with_personality(personality);
    }

    /// Where its next session goes.
    pub fn acs_url(&self) -> &str {
        self.own("ManagementServer.URL")
    }

    /// What it shows at the ACS in its next session; `None` if it has no user
    /// name.
    pub fn login(&self) -> Option<(Box<str>, Secret)> {
        self.pair("ManagementServer.Username", "ManagementServer.Password")
    }

    /// What a connection request must show; `None` if no user name was set.
    pub fn connection_request_login(&self) -> Option<(Box<str>, Secret)> {
        self.pair(
            "ManagementServer.ConnectionRequestUsername",
            "ManagementServer.ConnectionRequestPassword",
        )
    }

    /// The firmware version that it runs.
    pub fn software_version(&self) -> &str {
        self.own("DeviceInfo.SoftwareVersion")
    }

    /// Tells it where it listens for connection requests. Another place than
    /// before is told with `4 VALUE CHANGE` (`forceDefaultEnabled`).
    pub fn set_connection_request_url(&mut self, url: &str) {
        let path = self.path("ManagementServer.ConnectionRequestURL");
        let known = !self.model.text(&path).is_empty();
        if self.model.change(&path, url) && known {
            self.raise(EventCode::ValueChange, "");
        }
    }

    /// Changes a value from inside the device. Returns whether it differs now;
    /// a parameter that is notified actively raises `4 VALUE CHANGE`.
    pub fn change(&mut self, path: &str, text: &str) -> bool {
        let changed = self.model.change(path, text);
        let own = path.strip_prefix(self.blueprint.root()).unwrap_or(path);
        let notified = changed && self.attributes.changed(path);
        if changed && (notified || ALWAYS_NOTIFIED.contains(&own)) {
            self.raise(EventCode::ValueChange, "");
        }
        changed
    }

    /// Gives it a parameter that its blueprint does not have; lost by a factory
    /// reset.
    pub fn fit(&mut self, path: &str, parameter: Parameter) {
        self.model.define(path, parameter);
    }

    /// Tells it how the STUN server sees it: where UDP connection requests
    /// arrive, and whether there is a NAT. A change is told with
    /// `4 VALUE CHANGE`, as an ACS that uses STUN asks for (TR-069 §G.2.2.1).
    pub fn stun_bound(&mut self, address: SocketAddr, nat: bool) {
        let address = address.to_string();
        let nat = if nat { "true" } else { "false" };
        let mut changed = false;
        for (name, text) in [("UDPConnectionRequestAddress", &*address), ("NATDetected", nat)] {
            let path = self.path(&format!("ManagementServer.{name}"));
            changed |= self.model.change(&path, text);
        }
        if changed {
            self.raise(EventCode::ValueChange, "");
        }
    }

    /// A connection request was let in.
    pub fn connection_requested(&mut self) {
        self.happened.push(SimEvent::ConnectionRequested);
        self.raise(EventCode::ConnectionRequest, "");
    }

    /// Makes it tell an event at once, such as `2 PERIODIC` before its time.
    pub fn raise(&mut self, code: EventCode, command_key: &str) {
        self.events.raise(code, command_key);
        self.retry_at = None;
    }

    /// What happened since this was last asked.
    pub fn take_happenings(&mut self) -> Vec<SimEvent> {
        std::mem::take(&mut self.happened)
    }

    /// What there is to do now. Asked again after each thing was done.
    pub fn next(&mut self, now: Timestamp) -> Next {
        if !matches!(self.talk, Talk::Idle) {
            return Next::Wait(None);
        }
        if self.restart.is_some() {
            return Next::Restart;
        }
        if let Some(mut fetch) = self.transfers.start(now) {
            if let Some(file_type) = &fetch.sends {
                fetch.content = self.file_of_its_own(file_type).into();
            }
            return Next::Fetch(fetch);
        }
        self.end_diagnostics(now);
        self.do_what_is_due(now);
        let periodic = self.periodic_at();
        if periodic.is_some_and(|at| at <= now) {
            self.periodic_from = now;
            self.raise(EventCode::Periodic, "");
        }
        let retry_at = self.retry_at.filter(|at| *at > now);
        if !self.events.is_empty() && retry_at.is_none() {
            return Next::Session;
        }
        let times = [
            periodic.filter(|at| *at > now),
            retry_at,
            self.transfers.due(),
            self.diagnostics.due(),
            self.own.due(),
        ];
        Next::Wait(times.into_iter().flatten().min())
    }

    /// The file of [`Next::Fetch`] is here, or is not.
    pub fn transfer_done(&mut self, result: Result<&[u8], FetchFailure>, now: Timestamp) {
        let Some(done) = self.transfers.finish(result, now) else { return };
        let key = done.command_key;
        match done.taken {
            Ok(Taken::Firmware { version, sha256 }) => {
                // The transfer counts as complete when the image runs.
                let restart = self.restart.get_or_insert_default();
                restart.upgrade = Some((key, version, sha256));
                return;
            }
            Ok(Taken::Sent { file_type }) => self.happened.push(SimEvent::FileSent { file_type }),
            Ok(Taken::Other { file_type, sha256 }) => {
                self.happened.push(SimEvent::FileTaken { file_type, sha256 });
            }
            Err(code) => {
                self.happened.push(SimEvent::TransferFailed { command_key: key.clone(), code });
            }
        }
        self.raise_transfer(done.method, &key);
    }

    /// The restart of [`Next::Restart`] is over.
    pub fn restarted(&mut self, now: Timestamp) {
        let Restart { keys, factory_reset, upgrade } = self.restart.take().unwrap_or_default();
        self.booted_at = now;
        self.periodic_from = now;
        self.retry_count = 0;
        self.events.restarted();
        self.diagnostics = Diagnostics::default();
        if factory_reset {
            self.back_to_factory();
        }
        self.raise(EventCode::Boot, "");
        for key in keys.iter().filter(|_| !factory_reset) {
            self.raise(EventCode::Method("Reboot".into()), key);
        }
        self.happened.push(SimEvent::Restarted { factory_reset });
        if let Some((key, version, sha256)) = upgrade {
            let path = self.path("DeviceInfo.SoftwareVersion");
            self.change(&path, &version);
            let forgets = self.blueprint.personality().does(Habit::NoTransferComplete);
            if !factory_reset && !forgets {
                let method = self.transfers.complete(&key, now).unwrap_or("Download");
                self.raise_transfer(method, &key);
            }
            self.happened.push(SimEvent::Upgraded { version, sha256 });
        }
    }

    /// All that was set is lost; the firmware and the place where it listens stay.
    fn back_to_factory(&mut self) {
        let keep = ["DeviceInfo.SoftwareVersion", "ManagementServer.ConnectionRequestURL"];
        let kept = keep.map(|name| (self.path(name), self.own(name).to_owned()));
        self.model = self.blueprint.build();
        for (path, text) in kept {
            self.model.change(&path, &text);
        }
        self.events.forget();
        self.transfers = Transfers::default();
        self.attributes = Attributes::default();
        self.modules = Modules::default();
        self.own = Own::default();
        self.raise(EventCode::Bootstrap, "");
    }

    fn raise_transfer(&mut self, method: &str, command_key: &str) {
        self.raise(EventCode::TransferComplete, "");
        self.raise(EventCode::Method(method.into()), command_key);
    }

    /// When the next periodic Inform is due; `None` if it is turned off.
    fn periodic_at(&self) -> Option<Timestamp> {
        let path = self.path("ManagementServer.PeriodicInformEnable");
        if self.model.value(&path)?.as_bool() != Some(true) {
            return None;
        }
        let seconds = self.own("ManagementServer.PeriodicInformInterval").parse().ok()?;
        Some(self.periodic_from.after(Duration::from_secs(seconds)))
    }

    /// The full path of a name below the root.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.blueprint.root())
    }

    /// The text at a name below the root, secrets included.
    pub(super) fn own(&self, name: &str) -> &str {
        self.model.text(&self.path(name))
    }

    fn pair(&self, username: &str, password: &str) -> Option<(Box<str>, Secret)> {
        let username = self.own(username);
        (!username.is_empty()).then(|| (username.into(), Secret::new(self.own(password))))
    }
}
