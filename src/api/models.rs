//! `/models`: what models of devices can take, as learned and as operators say.
//!
//! A model is named by three texts of the devices' own making, each of which may
//! hold anything or nothing: so they stand in the query, and not in the path.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::extract::{IfMatch, Json, Query};
use super::paging::Page;
use super::problem::{ApiError, Problem, bad_value};
use super::sorted::{Asked, Columns, Key, page};
use super::state::{Shared, State as Inner};
use crate::access::Principal;
use crate::device::{Ability, Lesson, ModelKey, ModelRecord, ModelWishes, Proof};
use crate::store::{Batch, Change, Record};
use crate::time::Timestamp;

/// The most models that there are, and that an import may bring.
const MAX_MODELS: usize = 10_000;

/// Which model.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ModelQuery {
    /// The OUI.
    oui: String,
    /// The product class; empty if it has none.
    #[serde(default)]
    product_class: String,
    /// The software version; in what operators say, none is any.
    #[serde(default)]
    software_version: String,
}

impl ModelQuery {
    fn key(&self) -> Result<ModelKey, ApiError> {
        key_of(&self.oui, &self.product_class, &self.software_version)
    }
}

/// Which models, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ModelsQuery {
    /// Only this OUI.
    oui: Option<String>,
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// What `next` said.
    after: Option<String>,
    /// By what they are sorted, with `-` before it for the greatest first.
    sort: Option<String>,
}

/// A model by its name, and what is known of it.
type Named = (String, Known);

/// What models can be sorted by.
const COLUMNS: Columns<Named> = &[
    ("oui", |(_, (key, ..))| Key::from(&*key.oui)),
    ("product_class", |(_, (key, ..))| Key::from(&*key.product_class)),
    ("software_version", |(_, (key, ..))| Key::from(&*key.software_version)),
];

/// What a device of a model can take. What is left out is as learned.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Abilities {
    /// Names in one GetParameterValues.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_batch: Option<u16>,
    /// Values in one SetParameterValues.
    #[serde(skip_serializing_if = "Option::is_none")]
    write_batch: Option<u16>,
    /// Names in one GetParameterAttributes or SetParameterAttributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute_batch: Option<u16>,
    /// Whether messages begin with the XML declaration.
    #[serde(skip_serializing_if = "Option::is_none")]
    xml_declaration: Option<bool>,
    /// Whether booleans are written `true` and `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    boolean_words: Option<bool>,
    /// Whether NextLevel is written `true` and `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_level_words: Option<bool>,
    /// Whether GetParameterNames lists a whole tree in one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    names_in_one: Option<bool>,
    /// Whether objects are named with their trailing dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    dotted_objects: Option<bool>,
    /// Whether times are written with their zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    zoned_times: Option<bool>,
    /// The root object with its dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// Whether `Writable` is true to what can be set.
    #[serde(skip_serializing_if = "Option::is_none")]
    honest_writable: Option<bool>,
    /// Whether values that are no secrets read back masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    masked_values: Option<bool>,
    /// Whether rows keep their instance numbers over a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    steady_instances: Option<bool>,
    /// Seconds that a device may be silent in a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<u16>,
    /// The methods that GetRPCMethods named.
    #[serde(skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<String>>,
    /// Methods that were answered by fault 9000.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_methods: Option<Vec<String>>,
    /// The longest value that is sent, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_value: Option<u32>,
    /// The largest SetParameterValues that is sent, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_message: Option<u32>,
}

impl Abilities {
    fn of<'a>(abilities: impl IntoIterator<Item = &'a Ability>) -> Self {
        let mut all = Map::new();
        for ability in abilities {
            if let Ok(Value::Object(one)) = serde_json::to_value(ability) {
                all.extend(one);
            }
        }
        serde_json::from_value(Value::Object(all)).unwrap_or_default()
    }

    fn checked(&self) -> Result<Vec<Ability>, ApiError> {
        let Ok(Value::Object(all)) = serde_json::to_value(self) else { return Ok(Vec::new()) };
        all.into_iter().map(|(name, value)| ability(&name, value)).collect()
    }
}

/// A lesson: what, its value, when, and which exchange taught it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LessonView {
    /// The ability.
    pub(super) ability: String,
    /// Its value.
    pub(super) value: Value,
    #[schema(value_type = String)]
    pub(super) at: Timestamp,
    /// The exchange that taught it.
    pub(super) words: String,
}

/// What was learned of a model and goes for it, and what an operator says of it, by
/// ability.
pub(super) fn lessons_of(
    record: Option<&ModelRecord>,
    wishes: Option<&ModelWishes>,
) -> (Vec<LessonView>, Map<String, Value>) {
    let learned = record.into_iter().flat_map(ModelRecord::taken).map(LessonView::from).collect();
    let wishes = Abilities::of(wishes.into_iter().flat_map(|wishes| &wishes.abilities));
    match serde_json::to_value(wishes) {
        Ok(Value::Object(wished)) => (learned, wished),
        _ => (learned, Map::new()),
    }
}

impl From<&Lesson> for LessonView {
    fn from(lesson: &Lesson) -> Self {
        let value = match serde_json::to_value(&lesson.ability) {
            Ok(Value::Object(one)) => one.into_iter().next().map(|(_, value)| value),
            _ => None,
        };
        Self {
            ability: lesson.ability.name().to_owned(),
            value: value.unwrap_or_default(),
            at: lesson.at,
            words: lesson.words.to_string(),
        }
    }
}

/// A model of device with one firmware.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelView {
    oui: Box<str>,
    product_class: Box<str>,
    software_version: Box<str>,
    /// What was learned and goes for every device of the model.
    learned: Vec<LessonView>,
    /// What single devices taught: the model takes it when a second one agrees.
    heard: Vec<LessonView>,
    /// What an operator said: it goes before everything.
    wishes: Abilities,
    /// The revision of what the operator said; 0 if he said nothing.
    revision: u32,
}

impl ModelView {
    fn new(key: &ModelKey, record: Option<&ModelRecord>, wishes: Option<&ModelWishes>) -> Self {
        let lessons = record.into_iter().flat_map(|record| &record.lessons);
        Self {
            oui: key.oui.clone(),
            product_class: key.product_class.clone(),
            software_version: key.software_version.clone(),
            learned: record
                .into_iter()
                .flat_map(ModelRecord::taken)
                .map(LessonView::from)
                .collect(),
            heard: lessons
                .flat_map(|lesson| &lesson.heard)
                .map(|heard| LessonView::from(&heard.lesson))
                .collect(),
            wishes: Abilities::of(wishes.into_iter().flat_map(|wishes| &wishes.abilities)),
            revision: wishes.map_or(0, |wishes| wishes.revision),
        }
    }
}

impl ModelView {
    /// What is common knowledge of a model: not what a single device said, which may
    /// be anybody's.
    fn seen_by(mut self, principal: &Principal) -> Self {
        if !principal.reach.is_whole() {
            self.heard.clear();
        }
        self
    }
}

/// What is known of models, to be taken elsewhere: no serial number, no address
/// and no value stands in it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Exported {
    models: Vec<ExportedModel>,
}

/// One model of an export.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportedModel {
    oui: String,
    #[serde(default)]
    product_class: String,
    #[serde(default)]
    software_version: String,
    #[serde(default)]
    learned: Vec<LessonView>,
    #[serde(default)]
    wishes: Abilities,
}

/// What an import took.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Imported {
    /// Models with at least one lesson or wish.
    models: usize,
}

/// Lists models of which something is known
#[utoipa::path(get, path = "/api/v1/models", tag = "models", params(ModelsQuery),
    responses((status = 200, body = Page<ModelView>)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<ModelsQuery>,
) -> Result<axum::Json<Page<ModelView>>, ApiError> {
    let oui = query.oui.map(|oui| oui.to_ascii_uppercase());
    let is_meant = |(_, (key, ..)): &Named| oui.as_ref().is_none_or(|oui| **oui == *key.oui);
    let all = all_of(&state).await?.into_iter().filter(is_meant);
    let (after, sort) = (query.after.as_deref(), query.sort.as_deref());
    let asked = Asked { limit: query.limit, after, sort };
    let page = page(all, |(text, _)| text, COLUMNS, &asked)?;
    let view = |(_, (key, record, wishes)): Named| {
        ModelView::new(&key, record.as_ref(), wishes.as_ref()).seen_by(&principal)
    };
    Ok(axum::Json(Page { items: page.items.into_iter().map(view).collect(), next: page.next }))
}

/// Shows a model
#[utoipa::path(get, path = "/api/v1/model", tag = "models", params(ModelQuery),
    responses((status = 200, body = ModelView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<ModelQuery>,
) -> Result<axum::Json<ModelView>, ApiError> {
    let key = query.key()?;
    let record = state.store().model(&key).await?;
    let wishes = state.store().model_wishes(&key).await?;
    if record.is_none() && wishes.is_none() {
        return Err(no_such(&key));
    }
    let view = ModelView::new(&key, record.as_ref(), wishes.as_ref());
    Ok(axum::Json(view.seen_by(&principal)))
}

/// Says what a model can take, before everything that is learned
#[utoipa::path(put, path = "/api/v1/model/wishes", tag = "models",
    params(ModelQuery,
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = Abilities,
    responses((status = 200, body = ModelView), (status = 201, body = ModelView),
        (status = 409, body = Problem)))]
pub(super) async fn put_wishes(
    State(state): State<Shared>,
    Query(query): Query<ModelQuery>,
    if_match: IfMatch,
    Json(wanted): Json<Abilities>,
) -> Result<(StatusCode, axum::Json<ModelView>), ApiError> {
    let key = query.key()?;
    let before = state.store().model_wishes(&key).await?;
    let revision = before.as_ref().map_or(0, |before| before.revision);
    if_match.check(revision)?;
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let revision = revision.saturating_add(1);
    let wishes = ModelWishes { key: key.clone(), revision, abilities: wanted.checked()? };
    state.store().commit(Record::ModelWishes(Box::new(wishes.clone())).into()).await?;
    let record = state.store().model(&key).await?;
    Ok((status, axum::Json(ModelView::new(&key, record.as_ref(), Some(&wishes)))))
}

/// Forgets what an operator said of a model
#[utoipa::path(delete, path = "/api/v1/model/wishes", tag = "models", params(ModelQuery),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget_wishes(
    State(state): State<Shared>,
    Query(query): Query<ModelQuery>,
) -> Result<StatusCode, ApiError> {
    let key = query.key()?;
    if state.store().model_wishes(&key).await?.is_none() {
        return Err(no_such(&key));
    }
    forget(&state, Change::ForgetModelWishes(key)).await
}

/// Forgets what was learned of a model
///
/// What its devices taught, and the model never took, they keep.
#[utoipa::path(delete, path = "/api/v1/model/lessons", tag = "models", params(ModelQuery),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget_lessons(
    State(state): State<Shared>,
    Query(query): Query<ModelQuery>,
) -> Result<StatusCode, ApiError> {
    let key = query.key()?;
    if state.store().model(&key).await?.is_none() {
        return Err(no_such(&key));
    }
    forget(&state, Change::ForgetModel(key)).await
}

/// Exports what is known of all models, without a trace of any device
#[utoipa::path(get, path = "/api/v1/models/export", tag = "models",
    responses((status = 200, body = Exported)))]
pub(super) async fn export(State(state): State<Shared>) -> Result<axum::Json<Exported>, ApiError> {
    let models = all_of(&state).await?.into_values().filter_map(|(key, record, wishes)| {
        let shown = ModelView::new(&key, record.as_ref(), wishes.as_ref());
        (!shown.learned.is_empty() || wishes.is_some()).then(|| ExportedModel {
            oui: shown.oui.into(),
            product_class: shown.product_class.into(),
            software_version: shown.software_version.into(),
            learned: shown.learned,
            wishes: shown.wishes,
        })
    });
    Ok(axum::Json(Exported { models: models.collect() }))
}

/// Imports what is known of models elsewhere
///
/// A lesson takes the place of the one before on the same ability; wishes take
/// the place of all wishes on their model. It is taken whole or not at all.
#[utoipa::path(post, path = "/api/v1/models/import", tag = "models", request_body = Exported,
    responses((status = 200, body = Imported), (status = 422, body = Problem)))]
pub(super) async fn import(
    State(state): State<Shared>,
    Json(exported): Json<Exported>,
) -> Result<axum::Json<Imported>, ApiError> {
    if exported.models.len() > MAX_MODELS {
        return Err(ApiError::TooMany { what: "models", limit: MAX_MODELS });
    }
    let mut batch = Batch::new();
    let mut known: BTreeMap<ModelKey, (ModelRecord, bool)> = BTreeMap::new();
    let mut wished: BTreeMap<ModelKey, ModelWishes> = BTreeMap::new();
    for model in exported.models {
        let key = key_of(&model.oui, &model.product_class, &model.software_version)?;
        if !model.learned.is_empty() && !known.contains_key(&key) {
            let before = state.store().model(&key).await?;
            let record = before.unwrap_or_else(|| ModelRecord::new(key.clone()));
            known.insert(key.clone(), (record, false));
        }
        for lesson in model.learned {
            let ability = ability(&lesson.ability, lesson.value)?;
            let lesson = Lesson::new(ability, Proof::Answer, &lesson.words, lesson.at);
            if let Some((record, changed)) = known.get_mut(&key) {
                record.take(lesson);
                *changed = true;
            }
        }
        let abilities = model.wishes.checked()?;
        if !abilities.is_empty() {
            let before = state.store().model_wishes(&key).await?;
            let revision = before.map_or(0, |before| before.revision).saturating_add(1);
            wished.insert(key.clone(), ModelWishes { key, revision, abilities });
        }
    }
    let mut models: Vec<&ModelKey> = known.keys().chain(wished.keys()).collect();
    models.sort();
    models.dedup();
    let models = models.len();
    for (record, _) in known.into_values().filter(|(_, changed)| *changed) {
        batch.put(Record::Model(Box::new(record)));
    }
    for wishes in wished.into_values() {
        batch.put(Record::ModelWishes(Box::new(wishes)));
    }
    if !batch.is_empty() {
        state.store().commit(batch).await?;
    }
    Ok(axum::Json(Imported { models }))
}

type Known = (ModelKey, Option<ModelRecord>, Option<ModelWishes>);

/// All models by the text of their key.
pub(super) async fn all_of(state: &Inner) -> Result<BTreeMap<String, Known>, ApiError> {
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    for record in state.store().models(None, MAX_MODELS).await? {
        all.insert(record.key.to_string(), (record.key.clone(), Some(record), None));
    }
    for wishes in state.store().all_model_wishes().await? {
        let key = wishes.key.clone();
        all.entry(key.to_string()).or_insert((key, None, None)).2 = Some(wishes);
    }
    Ok(all)
}

fn key_of(oui: &str, product_class: &str, version: &str) -> Result<ModelKey, ApiError> {
    ModelKey::new(oui, product_class, version).map_err(|error| bad_value("oui", error))
}

fn ability(name: &str, value: Value) -> Result<Ability, ApiError> {
    let mut one = Map::new();
    one.insert(name.to_owned(), value);
    let ability: Ability =
        serde_json::from_value(Value::Object(one)).map_err(|error| bad_value(name, error))?;
    ability.check().map_err(|error| bad_value(error.name, error.problem))?;
    Ok(ability)
}

fn no_such(key: &ModelKey) -> ApiError {
    ApiError::NoSuch { what: "model", name: key.to_string() }
}

async fn forget(state: &Inner, change: Change) -> Result<StatusCode, ApiError> {
    let mut batch = Batch::new();
    batch.push(change);
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}
