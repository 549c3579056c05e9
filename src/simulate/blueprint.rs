//! What a simulated device is built from: who it is, which data model it has,
//! and what the factory left in it. A factory reset builds it anew.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::sync::Arc;

use super::model::{Check, Model, Parameter};
use super::personality::{Personality, REFERENCE};
use super::{diagnostics, gateway, phone_model, relations, tree};
use crate::device::{DeviceIdentity, IdError, Secret};
use crate::param::{ParamPath, Value, ValueType};
use crate::phone::Mac;
use crate::schema::RecordedTree;

/// The manufacturer that all simulated devices name.
const MANUFACTURER: &str = "Provost Simulation";

/// The OUI of simulated gateways.
const GATEWAY_OUI: &str = "00D09E";

/// Parameters without which no device can be managed: a recording that lacks
/// them is completed.
const NEEDED: [&str; 10] = [
    "DeviceInfo.SoftwareVersion",
    "ManagementServer.URL",
    "ManagementServer.Username",
    "ManagementServer.Password",
    "ManagementServer.PeriodicInformEnable",
    "ManagementServer.PeriodicInformInterval",
    "ManagementServer.ParameterKey",
    "ManagementServer.ConnectionRequestURL",
    "ManagementServer.ConnectionRequestUsername",
    "ManagementServer.ConnectionRequestPassword",
];

/// Parameters that belong to the one device, and not to its recording.
const OWN: [&str; 10] = [
    "DeviceInfo.SerialNumber",
    "ManagementServer.URL",
    "ManagementServer.Username",
    "ManagementServer.Password",
    "ManagementServer.PeriodicInformEnable",
    "ManagementServer.PeriodicInformInterval",
    "ManagementServer.ParameterKey",
    "ManagementServer.ConnectionRequestURL",
    "ManagementServer.ConnectionRequestUsername",
    "ManagementServer.ConnectionRequestPassword",
];

/// The kinds of simulated device.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A Device:2 gateway with this many parameters.
    Device2 { parameters: usize },
    /// An InternetGatewayDevice:1 phone with this many TR-104 lines.
    InternetGateway { mac: Mac, lines: usize },
    /// What another device was recorded to have.
    Recorded(Arc<RecordedTree>),
}

/// A device as it leaves the factory.
#[derive(Clone, Debug)]
pub struct Blueprint {
    kind: Kind,
    identity: DeviceIdentity,
    acs_url: Box<str>,
    username: Box<str>,
    password: Secret,
    connection_request: (Box<str>, Secret),
    /// Its address at an XMPP server, and who may wake it there.
    xmpp: Option<(Box<str>, Box<str>)>,
    inform_interval: u32,
    personality: &'static Personality,
    /// Whether it runs the diagnostics of its data model.
    diagnostics: bool,
    stun: bool,
    /// The devices that it knows in its network, and the gateway that it knows.
    members: Vec<DeviceIdentity>,
    gateway: Option<DeviceIdentity>,
    /// Whether it has alias-based addressing, automatic instances and wildcards.
    aliases: bool,
}

impl Blueprint {
    /// A Device:2 gateway with exactly `parameters` parameters, or with the
    /// [least that it can have](Self::least_parameters) if that is more.
    ///
    /// # Errors
    /// [`IdError`] when the serial number is unusable.
    pub fn device2(serial: &str, parameters: usize) -> Result<Self, IdError> {
        let identity = DeviceIdentity::new(MANUFACTURER, GATEWAY_OUI, "SimGateway", serial)?;
        Ok(Self::new(Kind::Device2 { parameters }, identity))
    }

    /// An InternetGatewayDevice:1 phone with `lines` TR-104 lines (at most 32).
    ///
    /// # Errors
    /// [`IdError`] when the serial number is unusable.
    pub fn internet_gateway(serial: &str, mac: Mac, lines: usize) -> Result<Self, IdError> {
        let oui = hex::encode_upper(mac.bytes().get(..3).unwrap_or_default());
        let identity = DeviceIdentity::new(MANUFACTURER, &oui, "SimPhone", serial)?;
        Ok(Self::new(Kind::InternetGateway { mac, lines: lines.min(32) }, identity))
    }

    /// A device with the data model of a recording, and who that was.
    ///
    /// # Errors
    /// [`IdError`] when the recording names nobody.
    pub fn recorded(recorded: Arc<RecordedTree>) -> Result<Self, IdError> {
        let device = &recorded.device;
        let identity = DeviceIdentity::new(
            &device.manufacturer,
            &device.oui,
            &device.product_class,
            &device.serial_number,
        )?;
        Ok(Self::new(Kind::Recorded(recorded), identity))
    }

    /// Gives it another serial number.
    ///
    /// # Errors
    /// [`IdError`] when it is unusable.
    pub fn with_serial_number(mut self, serial: &str) -> Result<Self, IdError> {
        let id = &self.identity;
        self.identity = DeviceIdentity::new(&id.manufacturer, &id.oui, &id.product_class, serial)?;
        Ok(self)
    }

    fn new(kind: Kind, identity: DeviceIdentity) -> Self {
        let password = Secret::new("");
        let (acs_url, username) = (Box::default(), Box::default());
        let connection_request = (Box::default(), Secret::new(""));
        Self {
            kind,
            identity,
            acs_url,
            username,
            password,
            connection_request,
            xmpp: None,
            inform_interval: 300,
            personality: &REFERENCE,
            stun: false,
            diagnostics: false,
            members: Vec::new(),
            gateway: None,
            aliases: false,
        }
    }

    /// A device that knows STUN, and listens for connection requests by UDP once
    /// it is told to (TR-069 Annex G).
    #[must_use]
    pub const fn with_stun(mut self) -> Self {
        self.stun = true;
        self
    }

    /// In which ways it strays from the standard; in none if unset.
    #[must_use]
    pub const fn with_personality(mut self, personality: &'static Personality) -> Self {
        self.personality = personality;
        self
    }

    /// In which ways it strays from the standard.
    pub const fn personality(&self) -> &'static Personality {
        self.personality
    }

    /// Where it finds its ACS, and what it shows there; an empty user name means
    /// that it shows nothing.
    #[must_use]
    pub fn with_acs(mut self, url: &str, username: &str, password: Secret) -> Self {
        self.acs_url = url.into();
        self.username = username.into();
        self.password = password;
        self
    }

    /// What a connection request must show; nothing is let in without.
    #[must_use]
    pub fn with_connection_request(mut self, username: &str, password: Secret) -> Self {
        self.connection_request = (username.into(), password);
        self
    }

    /// Its address at an XMPP server, with a resource, and the addresses that may
    /// wake it there, separated by commas; empty for any.
    #[must_use]
    pub fn with_xmpp(mut self, jid: &str, allowed: &str) -> Self {
        self.xmpp = Some((jid.into(), allowed.into()));
        self
    }

    /// The seconds between two periodic Informs; 0 turns them off. 300 if unset.
    #[must_use]
    pub const fn with_inform_interval(mut self, seconds: u32) -> Self {
        self.inform_interval = seconds;
        self
    }

    /// Gives it the diagnostics of its data model, besides the parameters that
    /// it has without.
    #[must_use]
    pub const fn with_diagnostics(mut self) -> Self {
        self.diagnostics = true;
        self
    }

    /// Lets it list these devices in `ManagementServer.ManageableDevice.` (TR-069
    /// Annex F).
    #[must_use]
    pub fn with_members(mut self, members: Vec<DeviceIdentity>) -> Self {
        self.members = members;
        self
    }

    /// Lets it name this gateway in `GatewayInfo.` (TR-069 Annex F).
    #[must_use]
    pub fn behind(mut self, gateway: DeviceIdentity) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// Gives it alias-based addressing, AutoCreateInstances and instance
    /// wildcards (TR-069 §3.6.1).
    #[must_use]
    pub const fn with_aliases(mut self) -> Self {
        self.aliases = true;
        self
    }

    /// Who it is.
    pub const fn identity(&self) -> &DeviceIdentity {
        &self.identity
    }

    /// The fewest parameters that a Device:2 gateway has.
    pub fn least_parameters() -> usize {
        gateway::least_parameters()
    }

    /// Whether it has alias-based addressing.
    pub(super) const fn has_aliases(&self) -> bool {
        self.aliases
    }

    /// The root object with its dot.
    pub(super) fn root(&self) -> &'static str {
        match &self.kind {
            Kind::Recorded(recorded) => tree::root(recorded),
            Kind::Device2 { .. } => "Device.",
            Kind::InternetGateway { .. } => "InternetGatewayDevice.",
        }
    }

    /// The parameters that ride in every Inform (`forcedInform` in the data
    /// models).
    pub(super) fn forced_inform(&self) -> Vec<ParamPath> {
        let (root, own): (_, &[&str]) = match &self.kind {
            Kind::Recorded(_) => (self.root(), &["RootDataModelVersion", "DeviceSummary"]),
            Kind::Device2 { .. } => ("Device.", &["RootDataModelVersion"]),
            Kind::InternetGateway { .. } => (
                "InternetGatewayDevice.",
                &["DeviceSummary", "DeviceInfo.SpecVersion", phone_model::EXTERNAL_ADDRESS],
            ),
        };
        let common = [
            "DeviceInfo.HardwareVersion",
            "DeviceInfo.SoftwareVersion",
            "DeviceInfo.ProvisioningCode",
            "ManagementServer.ParameterKey",
            "ManagementServer.ConnectionRequestURL",
            "ManagementServer.AliasBasedAddressing",
        ];
        let names = own.iter().chain(&common);
        let paths = names.filter_map(|name| ParamPath::parse(&format!("{root}{name}")).ok());
        match &self.kind {
            Kind::Recorded(recorded) => paths
                .filter(|path| {
                    let own = path.as_str().strip_prefix(root).unwrap_or_default();
                    NEEDED.contains(&own) || tree::has(recorded, path)
                })
                .collect(),
            Kind::Device2 { .. } | Kind::InternetGateway { .. } => paths.collect(),
        }
    }

    /// The data model as the factory made it.
    pub(super) fn build(&self) -> Model {
        let mut model = Model::new();
        match &self.kind {
            Kind::Device2 { parameters } => {
                self.define_common(&mut model);
                gateway::define(&mut model, *parameters);
            }
            Kind::InternetGateway { mac, lines } => {
                self.define_common(&mut model);
                phone_model::define(&mut model, *mac, *lines);
            }
            Kind::Recorded(recorded) => {
                tree::define(&mut model, recorded);
                self.settle_in(&mut model);
            }
        }
        if self.diagnostics {
            diagnostics::define(&mut model, self.root());
        }
        relations::define(&mut model, self.root(), &self.members, self.gateway.as_ref());
        model
    }

    /// What a recording does not say, or says of another: who it is and where its
    /// ACS is. Nothing else is touched.
    fn settle_in(&self, model: &mut Model) {
        let mut common = Model::new();
        self.define_common(&mut common);
        let root = self.root();
        for name in NEEDED {
            let path = format!("{root}{name}");
            if model.value(&path).is_none()
                && let Some(parameter) = common.parameter(&path)
            {
                model.define(&path, parameter.clone());
            }
        }
        for name in OWN {
            let path = format!("{root}{name}");
            model.change(&path, common.text(&path));
        }
    }

    /// `DeviceInfo.` and `ManagementServer.`, alike below both roots.
    fn define_common(&self, model: &mut Model) {
        let root = self.root();
        let mut put = |name: &str, parameter| model.define(&format!("{root}{name}"), parameter);
        let id = &self.identity;
        for (name, text) in [
            ("Manufacturer", &*id.manufacturer),
            ("ManufacturerOUI", &id.oui),
            ("ProductClass", &id.product_class),
            ("SerialNumber", &id.serial_number),
            ("ModelName", &id.product_class),
            ("Description", "A simulated device"),
            ("HardwareVersion", "A1"),
            ("SoftwareVersion", "1.0.0"),
        ] {
            put(&format!("DeviceInfo.{name}"), Parameter::fixed(Value::string(text)));
        }
        let text = |text: &str, most| Parameter::writable(Value::string(text), Check::Length(most));
        let flag = |on| Parameter::writable(Value::boolean(on), Check::Any);
        put("DeviceInfo.ProvisioningCode", text("", 64));
        put("DeviceInfo.UpTime", Parameter::fixed(Value::unsigned(0)));
        put("ManagementServer.URL", text(&self.acs_url, 256));
        put("ManagementServer.Username", text(&self.username, 256));
        put("ManagementServer.Password", Parameter::secret(self.password.expose()));
        put("ManagementServer.PeriodicInformEnable", flag(self.inform_interval > 0));
        let interval = Value::unsigned(self.inform_interval.max(1));
        let range = Check::Range(1, i64::from(u32::MAX));
        put("ManagementServer.PeriodicInformInterval", Parameter::writable(interval, range));
        let epoch = Value::new("0001-01-01T00:00:00Z", ValueType::DateTime);
        put("ManagementServer.PeriodicInformTime", Parameter::writable(epoch, Check::Any));
        put("ManagementServer.ParameterKey", Parameter::fixed(Value::string("")));
        put("ManagementServer.ConnectionRequestURL", Parameter::fixed(Value::string("")));
        let (username, password) = &self.connection_request;
        put("ManagementServer.ConnectionRequestUsername", text(username, 256));
        let password = Parameter::secret(password.expose());
        put("ManagementServer.ConnectionRequestPassword", password);
        if let Some((jid, allowed)) = &self.xmpp {
            let fixed = |text: &str| Parameter::fixed(Value::string(text));
            put("ManagementServer.SupportedConnReqMethods", fixed("HTTP,XMPP"));
            put("ManagementServer.ConnReqXMPPConnection", fixed("Device.XMPP.Connection.1"));
            put("ManagementServer.ConnReqJabberID", fixed(jid));
            put("ManagementServer.ConnReqAllowedJabberIDs", text(allowed, 8192));
        }
        put("ManagementServer.UpgradesManaged", flag(true));
        if self.stun {
            for (name, parameter) in super::stun::parameters() {
                put(&format!("ManagementServer.{name}"), parameter);
            }
        }
        let aliases = Parameter::fixed(Value::boolean(self.aliases));
        put("ManagementServer.AliasBasedAddressing", aliases);
        if self.aliases {
            let modes = Check::OneOf(&["InstanceNumber", "InstanceAlias"]);
            let mode = Parameter::writable(Value::string("InstanceNumber"), modes);
            put("ManagementServer.InstanceMode", mode);
            put("ManagementServer.AutoCreateInstances", flag(false));
            let wildcards = Parameter::fixed(Value::boolean(true));
            put("ManagementServer.InstanceWildcardsSupported", wildcards);
        }
    }
}
