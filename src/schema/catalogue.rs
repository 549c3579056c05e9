//! All data models: those that are compiled in, and those that the operator
//! gave; which of them goes for a path.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock};

use super::model::{ModelObject, ModelParameter, ParameterModel, Place};
use super::secrets;
use crate::param::Tree;

/// The models that are compiled in. Those of a root come first.
const EMBEDDED: [&str; 8] = [
    include_str!("../../datamodels/tr-181-2-19.txt"),
    include_str!("../../datamodels/tr-181-1-7.txt"),
    include_str!("../../datamodels/tr-098-1-8.txt"),
    include_str!("../../datamodels/tr-104-2-0.txt"),
    include_str!("../../datamodels/tr-104-1-1.txt"),
    include_str!("../../datamodels/tr-135-1-4.txt"),
    include_str!("../../datamodels/tr-140-1-3.txt"),
    include_str!("../../datamodels/tr-196-2-1.txt"),
];

static MODELS: LazyLock<Vec<ParameterModel>> = LazyLock::new(|| {
    // That none is left out is shown by a test.
    EMBEDDED.iter().filter_map(|text| ParameterModel::parse(*text, false).ok()).collect()
});

/// The models that the operator gave; they stay for as long as the process runs.
static GIVEN: RwLock<Vec<&'static ParameterModel>> = RwLock::new(Vec::new());

/// Whether there are any, so that nobody waits for the lock if there are none.
static ANY_GIVEN: AtomicBool = AtomicBool::new(false);

/// The most models that are taken from an operator.
const MAX_GIVEN: usize = 256;

/// Which data model a device's root object is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootModel {
    /// `Device:2`, TR-181 issue 2.
    Device2,
    /// `Device:1`, TR-106 and TR-181 issue 1.
    Device1,
    /// `InternetGatewayDevice:1`, TR-098.
    Gateway,
}

impl RootModel {
    /// The model of a device by its root object and by what it says of itself;
    /// `None` if the root is none that is known.
    pub fn of(root: &str, tree: Option<&Tree>) -> Option<Self> {
        match root {
            "InternetGatewayDevice." => Some(Self::Gateway),
            "Device." => {
                let says = |name: &str| tree.and_then(|tree| tree.text(name));
                let summary = says("Device.DeviceSummary").unwrap_or_default();
                let version = says("Device.RootDataModelVersion").unwrap_or_default();
                let is_first = summary.trim_start().starts_with("Device:1.")
                    || version.trim_start().starts_with("1.");
                Some(if is_first { Self::Device1 } else { Self::Device2 })
            }
            _ => None,
        }
    }

    /// The name of the model that is at hand for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device2 => "Device:2.19",
            Self::Device1 => "Device:1.14",
            Self::Gateway => "InternetGatewayDevice:1.14",
        }
    }
}

/// All models, the operator's first.
pub fn models() -> impl Iterator<Item = &'static ParameterModel> {
    given().into_iter().chain(MODELS.iter())
}

/// The models that are compiled in.
pub(super) fn embedded() -> &'static [ParameterModel] {
    &MODELS
}

/// Whether the operator gave any models.
pub(super) fn any_given() -> bool {
    ANY_GIVEN.load(Ordering::Acquire)
}

/// The models that the operator gave.
pub(super) fn given() -> Vec<&'static ParameterModel> {
    if !any_given() {
        return Vec::new();
    }
    // The list is valid between any two statements.
    GIVEN.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Adds models of the operator; one of a name that was given before takes the
/// other's place. They stay in memory until the process ends: this is for its
/// start. Gives back how many there are then; those beyond 256 are not taken.
pub fn add_models(models: Vec<ParameterModel>) -> usize {
    let mut given = GIVEN.write().unwrap_or_else(PoisonError::into_inner);
    for model in models {
        match given.iter().position(|known| known.name() == model.name()) {
            Some(at) if given[at].text() == model.text() => {}
            Some(at) => given[at] = Box::leak(Box::new(model)),
            None if given.len() < MAX_GIVEN => given.push(Box::leak(Box::new(model))),
            None => {}
        }
    }
    secrets::know_given(&given);
    ANY_GIVEN.store(!given.is_empty(), Ordering::Release);
    given.len()
}

/// A path with `{i}` in place of numbers, aliases and wildcards.
pub(super) fn generic(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (position, segment) in path.split('.').enumerate() {
        if position > 0 {
            out.push('.');
        }
        let instance = segment.starts_with('[')
            || segment == "*"
            || (!segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()));
        out.push_str(if instance { "{i}" } else { segment });
    }
    out
}

/// The models in the order in which they are asked about a root.
fn asked(root: &str, wanted: Option<RootModel>) -> impl Iterator<Item = &'static ParameterModel> {
    let of_device = wanted.or_else(|| RootModel::of(root, None));
    let order: &'static [usize] = match of_device {
        Some(RootModel::Device2) => &[0, 3, 4, 5, 6, 7],
        Some(RootModel::Device1) => &[1, 4, 3, 5, 6, 7],
        Some(RootModel::Gateway) => &[2, 4, 3, 5, 6, 7],
        None => &[],
    };
    given().into_iter().chain(order.iter().filter_map(|at| MODELS.get(*at)))
}

/// The path as a model writes it, if it can be one of it.
fn within<'p>(model: &ParameterModel, generic: &'p str) -> Option<&'p str> {
    match model.place() {
        Place::Root(root) => generic.starts_with(&**root).then_some(generic),
        Place::Services => {
            let (_, below) = generic.split_once('.')?;
            below.strip_prefix("Services.")
        }
    }
}

/// Where to look: the models that are asked, with the path as each writes it.
pub(super) fn places(
    generic: &str,
    wanted: Option<RootModel>,
) -> impl Iterator<Item = (&'static ParameterModel, &str)> {
    let root = generic.find('.').map_or(generic, |dot| generic.get(..=dot).unwrap_or_default());
    asked(root, wanted).filter_map(move |model| Some((model, within(model, generic)?)))
}

/// The parameter of a path with `{i}` for rows.
pub(super) fn parameter(
    generic: &str,
    wanted: Option<RootModel>,
) -> Option<ModelParameter<'static>> {
    places(generic, wanted).find_map(|(model, path)| {
        let dot = path.rfind('.');
        let (object, name) = match dot {
            Some(dot) => path.split_at_checked(dot + 1)?,
            // Beside the tables of a service.
            None => (".", path),
        };
        model.object(object)?.parameter(name)
    })
}

/// The object of a path with `{i}` for rows, and a dot at its end.
pub(super) fn object(generic: &str, wanted: Option<RootModel>) -> Option<ModelObject<'static>> {
    places(generic, wanted).find_map(|(model, path)| model.object(path))
}

/// Whether anything is known at or below an object path.
pub(super) fn is_object(generic: &str, wanted: Option<RootModel>) -> bool {
    places(generic, wanted)
        .any(|(model, path)| path.is_empty() || model.objects_under(path).next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::{ParamPath, Value};
    use crate::schema::model::{ModelDraft, NotifyRule, ParameterFacts};
    use crate::time::Timestamp;

    fn facts(path: &str) -> ParameterFacts {
        let found = parameter(&generic(path), None);
        found.unwrap_or_else(|| panic!("{path}")).facts().unwrap()
    }

    #[test]
    fn every_shipped_file_is_sound_and_in_its_canonical_form() {
        for text in EMBEDDED {
            let model = ParameterModel::parse(text, true).unwrap();
            let draft = ModelDraft::of(&model).unwrap();
            assert!(draft.write() == text, "{}", model.name());
            assert!(model.notice().any(|line| line.contains("Copyright (c)")), "{}", model.name());
            assert!(model.notice().any(|line| line.contains("Redistribution")), "{}", model.name());
        }
    }

    #[test]
    fn all_models_are_at_hand_whole_and_small() {
        let told: Vec<(&str, usize, usize)> = embedded()
            .iter()
            .map(|model| (model.name(), model.object_count(), model.parameter_count()))
            .collect();
        let expected = [
            ("Device:2.19", 873, 7343),
            ("Device:1.14", 120, 848),
            ("InternetGatewayDevice:1.14", 192, 1801),
            ("VoiceService:2.0", 113, 849),
            ("VoiceService:1.1", 43, 350),
            ("STBService:1.4", 99, 519),
            ("StorageService:1.3", 19, 126),
            ("FAPService:2.1", 245, 1734),
        ];
        assert_eq!(told, expected);
        let bytes: usize =
            embedded().iter().map(|model| model.text().len() + model.index_bytes()).sum();
        assert!(bytes < 2 << 20, "{bytes} bytes");
    }

    #[test]
    fn known_facts_are_told_as_the_standard_has_them() {
        let ssid = facts("Device.WiFi.SSID.3.SSID");
        assert_eq!(ssid.syntax.lengths[0].greatest, Some(32));
        assert_eq!(ssid.since.unwrap().to_string(), "2.0");
        let channel = facts("Device.WiFi.Radio.1.Channel");
        assert_eq!(channel.syntax.ranges[0].to_string(), "1..255");
        let version = facts("Device.DeviceInfo.SoftwareVersion");
        assert!(version.forced_inform);
        assert_eq!(version.notify, Some(NotifyRule::ForceEnabled));
        let mac = facts("Device.Ethernet.Interface.1.MACAddress");
        assert_eq!((&*mac.syntax.type_name, mac.syntax.patterns.len()), ("MACAddress", 2));
        assert!(facts("Device.WiFi.AccessPoint.1.WPS.PIN").secured);
        let interval = facts("InternetGatewayDevice.ManagementServer.PeriodicInformInterval");
        assert_eq!(interval.syntax.ranges[0].to_string(), "1..");
        let state = facts("Device.IP.Diagnostics.IPPing.DiagnosticsState");
        assert!(state.syntax.words.iter().any(|word| &**word == "Requested"));
        assert!(state.syntax.device_words.iter().any(|word| &**word == "Complete"));
        let rows = object("Device.NAT.PortMapping.{i}.", None).unwrap().facts().unwrap();
        assert!(rows.creatable);
        assert!(rows.keys.iter().any(|key| key.functional && key.parameters.len() > 2));
    }

    #[test]
    fn services_stand_below_both_roots() {
        for root in ["Device", "InternetGatewayDevice"] {
            let line = "Services.VoiceService.1.VoiceProfile.1.Line.2.SIP.AuthPassword";
            assert!(facts(&format!("{root}.{line}")).hidden);
            facts(&format!("{root}.Services.StorageServiceNumberOfEntries"));
            facts(&format!("{root}.Services.FAPService.1.CellConfig.LTE.RAN.RF.EARFCNDL"));
            assert!(is_object(&format!("{root}.Services.STBService.{{i}}."), None));
        }
    }

    #[test]
    fn a_device_says_which_model_its_root_is_of() {
        let said = |name: &str, text: &str| {
            let mut tree = Tree::new();
            let now = Timestamp::from_millis(1);
            tree.learn_value(&ParamPath::parse(name).unwrap(), Value::string(text), now);
            RootModel::of("Device.", Some(&tree))
        };
        assert_eq!(RootModel::of("Device.", None), Some(RootModel::Device2));
        assert_eq!(
            said("Device.DeviceSummary", "Device:1.4[](Baseline:1)"),
            Some(RootModel::Device1)
        );
        assert_eq!(said("Device.RootDataModelVersion", "2.15"), Some(RootModel::Device2));
        assert_eq!(RootModel::of("InternetGatewayDevice.", None), Some(RootModel::Gateway));
        assert_eq!(RootModel::of("Dev.", None), None);
        assert!(parameter("Device.LAN.AddressingType", Some(RootModel::Device1)).is_some());
        assert!(parameter("Device.LAN.AddressingType", Some(RootModel::Device2)).is_none());
    }

    #[test]
    fn models_of_the_operator_go_first_and_the_same_name_takes_the_place() {
        let text = |access: &str| {
            format!(
                "provost-datamodel\t1\nmodel\tX_ACME:1.0\nbelow\tDevice.\nDevice.X_ACME_Test.\tR\n\
                 \tLevel\t{access}\tunsignedInt\trange=1..5\n\tCode\tW\tstring\tsecured\n"
            )
        };
        let model = |access: &str| ParameterModel::parse(text(access), true).unwrap();
        assert!(add_models(vec![model("R")]) >= 1);
        let count = add_models(vec![model("W")]);
        assert_eq!(add_models(vec![model("W")]), count);
        let found = parameter("Device.X_ACME_Test.Level", None).unwrap();
        assert!(found.is_writable());
        let path = ParamPath::parse("Device.X_ACME_Test.Code").unwrap();
        assert!(crate::schema::Schema::core().is_secret(&path));
        let refused = crate::schema::check_value(
            &ParamPath::parse("Device.X_ACME_Test.Level").unwrap(),
            "6",
            "Device.",
        );
        assert_eq!(refused.unwrap_err().to_string(), "is out of 1..5");
    }
}
