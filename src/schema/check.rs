//! Whether something can be asked of a device, before it is.
//!
//! What the device itself told goes before all: a path that it has is known, a
//! type that it reports is its type. Then the data models. Below a segment that
//! begins with `X_` all is a vendor's own, and taken.

use super::Schema;
use super::catalogue::{self, RootModel};
use super::fitting;
use super::learned::LearnedParameters;
use super::misfit::Misfit;
use super::model::{ModelParameter, ParameterAccess, Status};
use super::nearest;
use crate::param::{Param, ParamPath, Tree, ValueType};

/// How many of a device's parameters are looked through for another row.
const MAX_LOOKS: usize = 2_000;

/// What is to be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Write this value.
    Value(&'a str),
    /// Read it, or all below it.
    Read,
    /// Read or write its attributes.
    Attributes,
    /// Add a row to the table.
    AddRow,
    /// Delete the row.
    DeleteRow,
}

/// What is known of the parameters of one device, or of devices with one root.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// With its dot; empty if any root may be meant.
    root: &'a str,
    model: Option<RootModel>,
    tree: Option<&'a Tree>,
    learned: Option<&'a LearnedParameters>,
}

/// Whether a value can be written to a path, where no device is at hand.
/// `root` is `Device.` or `InternetGatewayDevice.`; with an empty one the path
/// says itself what it is below.
///
/// # Errors
/// [`Misfit`]: what is wrong.
pub fn check_value(path: &ParamPath, text: &str, root: &str) -> Result<(), Misfit> {
    Known::of_root(root).check(path, Asked::Value(text))
}

impl<'a> Known<'a> {
    /// What is known of devices with a root.
    pub fn of_root(root: &'a str) -> Self {
        Self { root, model: RootModel::of(root, None), tree: None, learned: None }
    }

    /// What is known of a device: `root` as it reported it (empty if it did not
    /// yet), `tree` what it told of its parameters.
    pub fn of_device(root: &'a str, tree: &'a Tree) -> Self {
        Self { root, model: RootModel::of(root, Some(tree)), tree: Some(tree), learned: None }
    }

    /// With what devices of its model told of parameters of their own.
    #[must_use]
    pub const fn with_learned(self, learned: Option<&'a LearnedParameters>) -> Self {
        Self { learned, ..self }
    }

    /// The data model that goes for it; none if its root is none that is known.
    pub const fn model(&self) -> Option<RootModel> {
        self.model
    }

    /// The type to write a parameter with, if it is known.
    pub fn kind(&self, path: &ParamPath) -> Option<ValueType> {
        let told = self.told(path).and_then(|param| Some(param.value.as_ref()?.kind.clone()));
        told.or_else(|| self.learned_kind(path))
            .or_else(|| self.parameter(path).map(|found| found.kind().clone()))
            .or_else(|| Schema::core().kind(path.as_str()).cloned())
    }

    /// Whether something can be asked of it.
    ///
    /// # Errors
    /// [`Misfit`]: what is wrong.
    pub fn check(&self, path: &ParamPath, asked: Asked<'_>) -> Result<(), Misfit> {
        match asked {
            Asked::Value(text) => self.check_value(path, text),
            Asked::Read | Asked::Attributes => self.check_known(path),
            Asked::AddRow => {
                let table = path.split_alias().map(|(table, _)| table);
                self.check_rows(table.as_ref().unwrap_or(path), false)
            }
            Asked::DeleteRow => self.check_rows(path, true),
        }
    }

    /// What the device told of a parameter, or of the same in another row.
    fn told(&self, path: &ParamPath) -> Option<&'a Param> {
        let tree = self.tree?;
        tree.alike(path).or_else(|| {
            let generic = catalogue::generic(path.as_str());
            let (before, _) = generic.split_once("{i}")?;
            let rows = tree.under(before).take(MAX_LOOKS);
            let mut read = rows.filter(|(_, param)| param.value.is_some());
            let found = read.find(|(name, _)| catalogue::generic(name.as_str()) == generic);
            let name = found.map(|(name, _)| name.clone())?;
            tree.get(name.as_str())
        })
    }

    fn has_below(&self, path: &str) -> bool {
        self.tree.is_some_and(|tree| tree.under(path).next().is_some())
    }

    fn parameter(&self, path: &ParamPath) -> Option<ModelParameter<'static>> {
        let generic = catalogue::generic(path.as_str());
        catalogue::parameter(&generic, self.model.filter(|_| path.root() == self.root))
    }

    fn learned_kind(&self, path: &ParamPath) -> Option<ValueType> {
        let found = self.learned?.find(&catalogue::generic(path.as_str()))?;
        (!found.kind.is_empty()).then(|| ValueType::from_name(&found.kind))
    }

    fn check_value(&self, path: &ParamPath, text: &str) -> Result<(), Misfit> {
        if path.is_object() {
            return Err(Misfit::IsObject);
        }
        let told = self.told(path);
        let found = self.parameter(path);
        let is_writable = told.and_then(|param| param.writable);
        match (is_writable, &found) {
            (Some(false), _) => return Err(Misfit::ReadOnly),
            (None, Some(found)) if !found.is_writable() => return Err(Misfit::ReadOnly),
            _ => {}
        }
        let own_kind = told.and_then(|param| Some(&param.value.as_ref()?.kind));
        let Some(found) = found else {
            if told.is_none() && !self.is_taken(path) {
                let model = self.model.filter(|_| path.root() == self.root);
                let as_object = format!("{}.", catalogue::generic(path.as_str()));
                let is_object =
                    catalogue::is_object(&as_object, model) || self.has_below(&format!("{path}."));
                return Err(if is_object { Misfit::IsObject } else { self.unknown(path) });
            }
            let learned = self.learned_kind(path);
            let kind = own_kind.or(learned.as_ref()).or_else(|| Schema::core().kind(path.as_str()));
            return fitting::is_of_type(text, kind.unwrap_or(&ValueType::String));
        };
        // What it has now it can have again, whatever a model says.
        if self.tree.and_then(|tree| tree.text(path.as_str())) == Some(text) {
            return Ok(());
        }
        match own_kind {
            // It has another type than its model: what the model says of the
            // value is about something else.
            Some(own) if own != found.kind() => fitting::is_of_type(text, own),
            _ => self.check_facts(&found, told.is_some(), text),
        }
    }

    fn check_facts(
        &self,
        found: &ModelParameter<'_>,
        is_told: bool,
        text: &str,
    ) -> Result<(), Misfit> {
        // A line that cannot be read says nothing; a test sees to it that there
        // is none.
        let Ok(facts) = found.facts() else { return Ok(()) };
        if facts.status == Status::Deleted && !is_told {
            return Err(Misfit::Deleted(found.object().model().name().into()));
        }
        if facts.access == ParameterAccess::ReadOnly && !is_told {
            return Err(Misfit::ReadOnly);
        }
        let of_items = found.item_kind();
        fitting::fits(text, &facts.syntax.type_name, of_items, &facts.syntax)
    }

    /// Whether a path is one that exists.
    fn check_known(&self, path: &ParamPath) -> Result<(), Misfit> {
        let generic = catalogue::generic(path.as_str());
        let model = self.model.filter(|_| path.root() == self.root);
        if self.is_taken(path) || self.told(path).is_some() || self.is_told_row(path) {
            return Ok(());
        }
        if path.is_object() {
            if catalogue::is_object(&generic, model) || self.has_below(path.as_str()) {
                return Ok(());
            }
            let parameter = generic.strip_suffix('.').unwrap_or(&generic);
            if catalogue::parameter(parameter, model).is_some() {
                return Err(Misfit::IsParameter);
            }
        } else {
            if let Some(found) = catalogue::parameter(&generic, model) {
                let status = found.facts().map(|facts| facts.status).unwrap_or_default();
                return if status == Status::Deleted {
                    Err(Misfit::Deleted(found.object().model().name().into()))
                } else {
                    Ok(())
                };
            }
            if catalogue::is_object(&format!("{generic}."), model) {
                return Err(Misfit::IsObject);
            }
        }
        Err(self.unknown(path))
    }

    /// Whether rows can be added to a table, or a row deleted from it.
    fn check_rows(&self, path: &ParamPath, is_row: bool) -> Result<(), Misfit> {
        if !path.is_object() {
            return Err(Misfit::IsParameter);
        }
        let told = self.tree.and_then(|tree| tree.get(path.as_str())).and_then(|it| it.writable);
        match told {
            Some(true) => return Ok(()),
            Some(false) => return Err(Misfit::RowsFixed),
            None if self.is_taken(path) => return Ok(()),
            None => {}
        }
        let generic = catalogue::generic(path.as_str());
        let model = self.model.filter(|_| path.root() == self.root);
        if is_row && !generic.ends_with("{i}.") {
            return Err(Misfit::NoRow);
        }
        let row = if is_row { generic.clone() } else { format!("{generic}{{i}}.") };
        if let Some(found) = catalogue::object(&row, model) {
            let Ok(facts) = found.facts() else { return Ok(()) };
            return match facts.status {
                Status::Deleted => Err(Misfit::Deleted(found.model().name().into())),
                _ if facts.creatable => Ok(()),
                _ => Err(Misfit::RowsFixed),
            };
        }
        if self.has_below(path.as_str()) {
            return Ok(());
        }
        if catalogue::is_object(&generic, model) {
            return Err(Misfit::NoTable);
        }
        Err(self.unknown(path))
    }

    /// Whether a path is a vendor's own, or the device is of a model that nobody
    /// knows: then there is nothing to hold against it.
    fn is_taken(&self, path: &ParamPath) -> bool {
        let vendors_own = path.as_str().split('.').any(|segment| segment.starts_with("X_"));
        let own_root = !self.root.is_empty() && path.root() == self.root && self.model.is_none();
        vendors_own || own_root
    }

    /// Whether a name with wildcards, or a row, is one that the device has.
    fn is_told_row(&self, path: &ParamPath) -> bool {
        let Some(tree) = self.tree.filter(|_| path.has_wildcard()) else { return false };
        tree.iter().any(|(name, _)| crate::param::is_match(path.as_str(), name.as_str()))
    }

    fn unknown(&self, path: &ParamPath) -> Misfit {
        let is_of_root = self.root.is_empty() || path.root() == self.root;
        let known_root = RootModel::of(path.root(), None).is_some();
        if !is_of_root && known_root {
            return Misfit::OtherRoot(self.root.into());
        }
        let whole = match (known_root, self.root.is_empty()) {
            (false, false) => nearest::path(path.as_str(), self.model),
            _ => nearest::path(path.as_str(), self.model.filter(|_| is_of_root)),
        };
        Misfit::Unknown { nearest: whole.map(Box::from) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::param::Value;
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn path(text: &str) -> ParamPath {
        ParamPath::parse(text).unwrap()
    }

    fn said(name: &str, text: &str) -> String {
        match check_value(&path(name), text, "") {
            Ok(()) => "taken".to_owned(),
            Err(misfit) => misfit.to_string(),
        }
    }

    fn asked(name: &str, asked: Asked<'_>) -> Option<&'static str> {
        Known::of_root("Device.").check(&path(name), asked).err().map(|misfit| misfit.code())
    }

    #[test]
    fn values_are_held_against_all_that_is_known() {
        for (name, text, expected) in [
            ("Device.WiFi.SSID.1.SSID", "home", "taken"),
            ("Device.WiFi.SSID.1.Enable", "yes", "is no boolean"),
            ("Device.WiFi.Radio.1.Channel", "0", "is out of 1..255"),
            ("Device.WiFi.SSID.1.BSSID", "02:00:00:00:00:01", "is read-only"),
            ("Device.WiFi.SSID.1", "x", "is an object"),
            ("Device.WiFi.SSID.1.", "x", "is an object"),
            ("Device.ManagementServer.PeriodicInformInterval", "0", "is out of 1.."),
            ("Device.ManagementServer.PeriodicInformTime", "soon", "is no dateTime"),
            ("Device.DNS.Client.Server.1.DNSServer", "192.0.2.300", "is no IPAddress"),
            ("Device.X_ACME.Anything", "at all", "taken"),
            (
                "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.BeaconType",
                "WPA3",
                "is none of",
            ),
        ] {
            let said = said(name, text);
            assert!(said.starts_with(expected), "{name} = {text}: {said}");
        }
        let long = "x".repeat(33);
        assert!(said("Device.WiFi.SSID.1.SSID", &long).contains("33 characters; allowed is ..32"));
    }

    #[test]
    fn an_unknown_path_is_told_with_the_nearest_name() {
        for (wrong, nearest) in [
            ("Device.WiFi.SSID.1.SSDI", "Device.WiFi.SSID.{i}.SSID"),
            ("Device.WiFi.SSID.SSID", "Device.WiFi.SSID.{i}.SSID"),
            ("Device.Wifi.Ssid.1.Ssid", "Device.WiFi.SSID.{i}.SSID"),
            ("Device.WiFi.SSID.1.2.SSID", "Device.WiFi.SSID.{i}.SSID"),
            ("Devcie.DeviceInfo.ProvisioningCode", "Device.DeviceInfo.ProvisioningCode"),
            (
                "Device.WiFi.AccessPoint.1.KeyPassphrase",
                "Device.WiFi.AccessPoint.{i}.Security.KeyPassphrase",
            ),
            (
                "Device.ManagementServer.PeriodicInformInterval_",
                "Device.ManagementServer.PeriodicInformInterval",
            ),
            (
                "InternetGatewayDevice.LANDevice.1.WLANConfiguraton.1.SSID",
                "InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.SSID",
            ),
        ] {
            let misfit = check_value(&path(wrong), "x", "").unwrap_err();
            assert_eq!(misfit.nearest(), Some(nearest), "{wrong}: {misfit}");
        }
        let nothing = check_value(&path("Device.Qqqqqqqq.Zzzzzzzz"), "x", "").unwrap_err();
        assert_eq!((nothing.code(), nothing.nearest()), ("unknown-path", None));
    }

    #[test]
    fn rows_are_added_and_deleted_where_the_model_has_them() {
        assert_eq!(asked("Device.NAT.PortMapping.", Asked::AddRow), None);
        assert_eq!(asked("Device.NAT.PortMapping.[web].", Asked::AddRow), None);
        assert_eq!(asked("Device.NAT.PortMapping.3.", Asked::DeleteRow), None);
        assert_eq!(asked("Device.NAT.PortMapping.", Asked::DeleteRow), Some("no-row"));
        assert_eq!(asked("Device.Ethernet.Interface.", Asked::AddRow), Some("rows-fixed"));
        assert_eq!(asked("Device.DeviceInfo.", Asked::AddRow), Some("no-table"));
        assert_eq!(asked("Device.NAT.PortMaping.", Asked::AddRow), Some("unknown-path"));
        assert_eq!(asked("Device.X_ACME_Table.", Asked::AddRow), None);
    }

    #[test]
    fn what_is_read_must_exist_and_be_named_as_what_it_is() {
        for fine in [
            "Device.",
            "Device.WiFi.",
            "Device.WiFi.SSID.",
            "Device.WiFi.SSID.1.",
            "Device.WiFi.SSID.*.SSID",
            "Device.WiFi.SSID.[lan].SSID",
            "Device.Services.VoiceService.1.",
        ] {
            assert_eq!(asked(fine, Asked::Read), None, "{fine}");
        }
        assert_eq!(asked("Device.WiFi", Asked::Read), Some("is-object"));
        assert_eq!(asked("Device.DeviceInfo.UpTime.", Asked::Attributes), Some("is-parameter"));
        assert_eq!(asked("InternetGatewayDevice.DeviceInfo.", Asked::Read), None);
        assert_eq!(asked("InternetGatewayDevice.Nowhere", Asked::Read), Some("other-root"));
    }

    #[test]
    fn what_the_device_told_goes_before_the_models() {
        let mut tree = Tree::new();
        tree.learn_value(&path("Device.Own.Level"), Value::unsigned(1), NOW);
        tree.learn_name(&path("Device.Own.Level"), true, NOW);
        tree.learn_value(&path("Device.WiFi.Radio.1.Channel"), Value::string("auto"), NOW);
        tree.learn_value(&path("Device.WiFi.SSID.1.BSSID"), Value::string(""), NOW);
        tree.learn_name(&path("Device.WiFi.SSID.1.BSSID"), true, NOW);
        tree.learn_value(&path("Device.WiFi.SSID.1.SSID"), Value::string("a"), NOW);
        tree.learn_name(&path("Device.WiFi.SSID.1.SSID"), false, NOW);
        tree.learn_value(&path("Device.Time.Status"), Value::string("Odd"), NOW);
        let known = Known::of_device("Device.", &tree);
        let check = |name: &str, text: &str| {
            known.check(&path(name), Asked::Value(text)).err().map(|misfit| misfit.code())
        };
        assert_eq!(check("Device.Own.Level", "2"), None, "it has it");
        assert_eq!(check("Device.Own.Level", "two"), Some("wrong-type"));
        assert_eq!(check("Device.WiFi.Radio.1.Channel", "auto"), None, "it calls it a string");
        assert_eq!(check("Device.WiFi.Radio.2.Channel", "auto+"), None, "and in other rows too");
        assert_eq!(check("Device.WiFi.SSID.2.BSSID", ""), None, "it calls it writable");
        assert_eq!(check("Device.WiFi.SSID.1.SSID", "b"), Some("read-only"));
        assert_eq!(known.kind(&path("Device.Own.Level")), Some(ValueType::UnsignedInt));
        assert_eq!(known.kind(&path("Device.WiFi.SSID.1.Enable")), Some(ValueType::Boolean));
        assert_eq!(check("Device.Other.Level", "2"), Some("unknown-path"));
    }

    #[test]
    fn a_device_of_a_root_that_nobody_knows_is_believed() {
        let tree = Tree::new();
        let known = Known::of_device("Odd.", &tree);
        assert_eq!(known.check(&path("Odd.Thing"), Asked::Value("x")), Ok(()));
        assert!(known.check(&path("Device.Nothing"), Asked::Value("x")).is_err());
    }

    proptest! {
        #[test]
        fn no_path_and_no_value_make_it_panic(
            name in "(Device|InternetGatewayDevice|X)(\\.[A-Za-z{}*0-9\\[\\]äX_]{0,12}){0,6}\\.?",
            text in ".{0,20}",
        ) {
            let Ok(path) = ParamPath::parse(&name) else { return Ok(()) };
            let tree = Tree::new();
            for known in [Known::of_root(""), Known::of_device("Device.", &tree)] {
                for asked in [Asked::Value(&text), Asked::Read, Asked::AddRow, Asked::DeleteRow] {
                    if let Err(misfit) = known.check(&path, asked) {
                        prop_assert!(!misfit.to_string().contains('\n'));
                    }
                }
            }
        }

        #[test]
        fn whatever_the_models_hold_is_known_to_the_check(at in 0_usize..7000) {
            let object = catalogue::embedded()[0].objects().nth(at % 873).unwrap();
            for parameter in object.parameters() {
                let name = format!("{}{}", object.path(), parameter.name()).replace("{i}", "1");
                let found = Known::of_root("Device.").check(&path(&name), Asked::Read);
                prop_assert!(matches!(found, Ok(()) | Err(Misfit::Deleted(_))), "{}", name);
            }
        }
    }
}
