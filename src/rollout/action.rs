//! What a campaign asks of one device, and what brings it back.

use super::member::Before;
use super::spec::{CampaignAction, CampaignSpec, text_of};
use crate::device::{Action, Desired, Device, DownloadFile, Source, Wanted, WantedValue};
use crate::param::{ParamPath, Tree, Value, ValueType};
use crate::schema::{Asked as Wish, Known, Schema};

/// What a device is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// This task, and what the device has before it.
    Task(Box<Action>, Before),
    /// To be what profiles make it, once it has the campaign's tag or has lost it.
    Tag,
    /// Nothing: it is as it should be.
    Nothing,
    /// It cannot be asked; why.
    Impossible(Box<str>),
}

/// What a campaign asks of a device. `file` is the firmware that the campaign
/// names.
pub fn ask(
    spec: &CampaignSpec,
    device: &Device,
    tree: &Tree,
    file: Option<&DownloadFile>,
) -> Asked {
    match &spec.action {
        CampaignAction::Firmware { .. } => {
            let Some(file) = file else {
                return Asked::Impossible("the firmware is no longer stored".into());
            };
            if file.version.as_ref() == Some(&device.software_version) {
                return Asked::Nothing;
            }
            let before = Before::Version(device.software_version.clone());
            Asked::Task(Box::new(Action::Download(file.clone())), before)
        }
        CampaignAction::Parameters { values } => {
            let fits = |path: &String| path.starts_with(&*device.root) && !device.root.is_empty();
            if let Some(path) = values.keys().find(|path| !fits(path)) {
                let why = format!("its data model is {} and has no {path}", device.root);
                return Asked::Impossible(why.into());
            }
            let known = Known::of_device(&device.root, tree);
            let mut wanted = Vec::with_capacity(values.len());
            for (path, value) in values {
                let (Ok(path), Some(text)) = (ParamPath::parse(path), text_of(value)) else {
                    continue;
                };
                if let Err(misfit) = known.check(&path, Wish::Value(&text)) {
                    return Asked::Impossible(format!("{path} {misfit}").into());
                }
                let kind = known.kind(&path).unwrap_or_else(|| kind_of(value));
                wanted.push((path, Value::new(text, kind)));
            }
            let before = wanted.iter().map(|(path, _)| {
                let known = tree.value(path.as_str()).filter(|_| !Schema::core().is_secret(path));
                (Box::from(path.as_str()), known.cloned())
            });
            let before = Before::Values(before.collect());
            Asked::Task(Box::new(converge(spec, wanted)), before)
        }
        CampaignAction::Reboot {} => Asked::Task(Box::new(Action::Reboot), Before::Nothing),
        CampaignAction::Profile { .. } => Asked::Tag,
        CampaignAction::Migrate { url, username, password, .. } => {
            if device.root.is_empty() {
                return Asked::Impossible("its data model is not known".into());
            }
            let settings = [
                ("URL", Some(url)),
                ("Username", username.as_ref()),
                ("Password", password.as_ref()),
            ];
            let values = settings.into_iter().filter_map(|(name, text)| {
                let path = format!("{}ManagementServer.{name}", device.root);
                Some((ParamPath::parse(&path).ok()?, Value::string(text?.as_str())))
            });
            Asked::Task(Box::new(Action::Set(values.collect())), Before::Nothing)
        }
    }
}

/// What brings a device back to what it had `before`. `file` is a stored firmware
/// of the version before, if there is one.
pub fn undo(
    spec: &CampaignSpec,
    device: &Device,
    before: &Before,
    file: Option<DownloadFile>,
) -> Asked {
    match (&spec.action, before) {
        (CampaignAction::Profile { .. }, _) => Asked::Tag,
        (_, Before::Version(version)) if *version == device.software_version => Asked::Nothing,
        (_, Before::Version(version)) => match file {
            Some(file) => Asked::Task(Box::new(Action::Download(file)), Before::Nothing),
            None => {
                let why = format!("no file of version {version} is stored, which it ran before");
                Asked::Impossible(why.into())
            }
        },
        (_, Before::Values(values)) => {
            let known = values
                .iter()
                .filter_map(|(path, value)| Some((ParamPath::parse(path).ok()?, value.clone()?)));
            let known: Vec<_> = known.collect();
            if known.len() < values.len() {
                return Asked::Impossible(
                    "not all of the values that it had before are known".into(),
                );
            }
            Asked::Task(Box::new(converge(spec, known)), Before::Nothing)
        }
        (_, Before::Nothing) => Asked::Impossible("there is nothing to bring it back to".into()),
    }
}

fn converge(spec: &CampaignSpec, values: Vec<(ParamPath, Value)>) -> Action {
    let source = Source { layer: "campaign".into(), name: spec.name.as_str().into(), version: 0 };
    let wanted = |(path, value)| WantedValue { path, value: Wanted::Value(value), source: 0 };
    Action::Converge(Box::new(Desired {
        values: values.into_iter().map(wanted).collect(),
        sources: vec![source],
        ..Desired::default()
    }))
}

/// The type that a value has by the way it is written, where nobody knows more.
const fn kind_of(value: &serde_json::Value) -> ValueType {
    match value {
        serde_json::Value::Bool(_) => ValueType::Boolean,
        serde_json::Value::Number(_) => ValueType::UnsignedInt,
        _ => ValueType::String,
    }
}
