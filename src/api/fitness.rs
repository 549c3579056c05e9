//! Whether what is to be queued fits what is known of the device: its own tree,
//! what its model taught, the data models.

use serde::Serialize;
use utoipa::ToSchema;

use super::problem::ApiError;
use super::state::State;
use crate::device::{Action, Device, ModelKey};
use crate::param::ParamPath;
use crate::schema::{Asked, Known, Misfit};

/// How many problems one answer tells.
const MAX_TOLD: usize = 20;

/// What is wrong with one path or value of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct FieldMisfit {
    /// The field of the request: `values[0].name`.
    pub(super) field: String,
    /// The path that it is about.
    pub(super) path: String,
    /// A stable word: `unknown-path`, `read-only`, `out-of-range` and the like.
    pub(super) code: &'static str,
    /// What is wrong, in words; never with the value.
    pub(super) problem: String,
    /// The nearest path or word that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nearest: Option<String>,
}

impl FieldMisfit {
    /// What is wrong with a field of a request that names a path.
    pub(super) fn new(field: String, path: &ParamPath, misfit: &Misfit) -> Self {
        Self {
            field,
            path: path.to_string(),
            code: misfit.code(),
            problem: misfit.to_string(),
            nearest: misfit.nearest().map(str::to_owned),
        }
    }
}

/// Refuses what the device cannot take, with all that is wrong at once.
pub(super) async fn check(state: &State, device: &Device, action: &Action) -> Result<(), ApiError> {
    let asked = asked(action);
    if asked.is_empty() {
        return Ok(());
    }
    let tree = state.store().tree(&device.id).await?.unwrap_or_default();
    let learned = state.store().fleet().learned_parameters(&ModelKey::of(device)).await?;
    let known = Known::of_device(&device.root, &tree).with_learned(learned.as_ref());
    let mut found = Vec::new();
    for (field, path, asked) in &asked {
        if let Err(misfit) = known.check(path, *asked) {
            let part = match (field.ends_with(']'), misfit.is_of_path()) {
                (true, false) => ".value",
                (true, true) if matches!(asked, Asked::Value(_)) => ".name",
                _ => "",
            };
            found.push(FieldMisfit::new(format!("{field}{part}"), path, &misfit));
            if found.len() >= MAX_TOLD {
                break;
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(ApiError::Misfits(found)) }
}

/// What an action asks of which path, with the field of the request.
fn asked(action: &Action) -> Vec<(String, ParamPath, Asked<'_>)> {
    let numbered = |names: &[ParamPath], asked: Asked<'static>| {
        let names = names.iter().enumerate();
        names.map(|(at, path)| (format!("names[{at}]"), path.clone(), asked)).collect()
    };
    match action {
        Action::Get(names) => numbered(names, Asked::Read),
        Action::GetAttributes(names) => numbered(names, Asked::Attributes),
        Action::Set(values) => {
            let values = values.iter().enumerate();
            values
                .map(|(at, (path, value))| {
                    (format!("values[{at}]"), path.clone(), Asked::Value(&value.text))
                })
                .collect()
        }
        Action::SetAttributes(wishes) => wishes
            .iter()
            .enumerate()
            .map(|(at, wish)| (format!("attributes[{at}]"), wish.path.clone(), Asked::Attributes))
            .collect(),
        Action::AddObject { table, values } => {
            let mut asked = vec![("path".to_owned(), table.clone(), Asked::AddRow)];
            let row = table.split_alias().map_or_else(|| table.clone(), |(table, _)| table);
            for (at, (name, value)) in values.iter().enumerate() {
                if let Ok(path) = ParamPath::parse(&format!("{row}{{i}}.{name}")) {
                    asked.push((format!("values[{at}]"), path, Asked::Value(&value.text)));
                }
            }
            asked
        }
        Action::DeleteObject(path) => vec![("path".to_owned(), path.clone(), Asked::DeleteRow)],
        _ => Vec::new(),
    }
}
