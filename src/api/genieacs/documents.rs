//! `/presets`, `/objects`, `/provisions`, `/virtual_parameters`: kept as they came,
//! and listed.

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Map, Value};

use super::super::fleet::secrets;
use super::super::problem::ApiError;
use super::super::state::{Shared, State as Inner};
use super::body::Text;
use super::ids;
use super::new_work::object;
use super::node::Node;
use super::presets;
use super::query::Collection;
use super::reply::{self, Refusal};
use super::script;
use super::shape::Asked;
use super::work::answer;
use crate::access::Principal;
use crate::store::{Batch, Change, Document, OfficeKey, OfficeRecord, Record, StoreError};

/// Documents of one collection at most.
const MAX_DOCUMENTS: usize = 1000;

/// What is said of a script.
const STORED_ONLY: &str = "stored only: scripts are not run";

/// A collection of documents, by the first segment of a path.
fn collection(path: &str) -> &'static str {
    match ids::segment(path, 0) {
        "presets" => "presets",
        "objects" => "objects",
        "provisions" => "provisions",
        _ => "virtual_parameters",
    }
}

/// A list of presets or objects; secrets in them are masked.
pub(super) async fn list(State(state): State<Shared>, uri: Uri) -> Result<Response, Refusal> {
    let asked = Asked::read(&uri, Collection::Plain)?;
    let documents = state.store().office().documents(collection(uri.path())).await?;
    let shown = documents.into_iter().map(|document| {
        let read: Value = serde_json::from_str(&document.body).unwrap_or_default();
        let mut shown = secrets::shown(&read);
        if let Some(members) = shown.as_object_mut() {
            members.insert("_id".to_owned(), Value::String(document.id.into()));
        }
        Node::from(shown)
    });
    answer(&asked, shown)
}

/// A list of provisions or virtual parameters.
pub(super) async fn list_scripts(
    State(state): State<Shared>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let asked = Asked::read(&uri, Collection::Plain)?;
    let documents = state.store().office().documents(collection(uri.path())).await?;
    let shown = documents.into_iter().map(|document| {
        Node::object([("_id", Node::text(document.id)), ("script", Node::text(document.body))])
    });
    let response = answer(&asked, shown)?;
    Ok(reply::with_note(response, STORED_ONLY))
}

/// What is never there, or nobody's business.
pub(super) async fn nothing(uri: Uri) -> Result<Response, Refusal> {
    let asked = Asked::read(&uri, Collection::Plain)?;
    answer(&asked, std::iter::empty())
}

/// `PUT /provisions/<name>`, `PUT /virtual_parameters/<name>`.
pub(super) async fn put_script(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
    Text(body): Text,
) -> Result<Response, Refusal> {
    let name = ids::name(uri.path(), 1)?;
    script::check(&body).map_err(Refusal::bad)?;
    let collection = collection(uri.path());
    check_room(&state, collection, &name).await?;
    let mut batch = Batch::new();
    put_document(&state, &mut batch, collection, &name, body);
    state.store().commit(batch).await?;
    tracing::info!(collection, name, by = %principal.name, "document stored");
    Ok(reply::with_note(reply::empty(), STORED_ONLY))
}

/// `PUT /objects/<name>`, `PUT /presets/<name>`. What is masked in a body keeps what
/// is stored.
pub(super) async fn put(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
    Text(body): Text,
) -> Result<Response, Refusal> {
    let name = ids::name(uri.path(), 1)?;
    let collection = collection(uri.path());
    let members = object(&body)?;
    let _changing = state.changing_profiles.lock().await;
    check_room(&state, collection, &name).await?;
    let members = kept(members, read(&state, collection, &name).await?)?;
    let mut batch = Batch::new();
    let text = serde_json::to_string(&members).unwrap_or_default();
    put_document(&state, &mut batch, collection, &name, text);
    let note = match collection {
        "presets" => {
            let objects = presets::objects(&state).await?;
            Some(presets::derive(&state, &principal, &mut batch, &name, &members, &objects).await?)
        }
        _ => {
            let mut objects = presets::objects(&state).await?;
            objects.insert(name.clone(), members);
            presets::derive_users(&state, &principal, &mut batch, &name, &objects).await?
        }
    };
    state.store().commit(batch).await?;
    tracing::info!(collection, name, by = %principal.name, "document stored");
    let response = reply::empty();
    Ok(match note {
        Some(note) => reply::with_note(response, &note),
        None => response,
    })
}

/// A body with what it masks as it is stored.
fn kept(members: Map<String, Value>, stored: Option<Value>) -> Result<Map<String, Value>, Refusal> {
    let mut lost = Vec::new();
    let kept = secrets::kept(Value::Object(members), stored.as_ref(), &mut lost);
    if let Some(place) = lost.first() {
        return Err(Refusal::bad(format!("Error: {place}: nothing is stored that *** could keep")));
    }
    match kept {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

/// A document as it is stored.
pub(super) async fn read(
    state: &Inner,
    collection: &str,
    name: &str,
) -> Result<Option<Value>, StoreError> {
    let document = state.store().office().document(collection, name).await?;
    Ok(document.and_then(|document| serde_json::from_str(&document.body).ok()))
}

/// `DELETE` of any of them; also of what is not there.
pub(super) async fn remove(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let name = ids::name(uri.path(), 1)?;
    let collection = collection(uri.path());
    let _changing = state.changing_profiles.lock().await;
    if state.store().office().document(collection, &name).await?.is_none() {
        return Ok(reply::empty());
    }
    let mut batch = Batch::new();
    batch.push(Change::ForgetOffice(OfficeKey::Document(collection.into(), name.as_str().into())));
    match collection {
        "presets" => presets::forget(&state, &mut batch, &name).await?,
        "objects" => {
            let mut objects = presets::objects(&state).await?;
            objects.remove(&name);
            presets::derive_users(&state, &principal, &mut batch, &name, &objects).await?;
        }
        _ => {}
    }
    state.store().commit(batch).await?;
    tracing::info!(collection, name, by = %principal.name, "document removed");
    Ok(reply::empty())
}

async fn check_room(state: &Inner, collection: &'static str, name: &str) -> Result<(), Refusal> {
    let office = state.store().office();
    if office.document(collection, name).await?.is_none()
        && office.documents(collection).await?.len() >= MAX_DOCUMENTS
    {
        return Err(ApiError::TooMany { what: "documents", limit: MAX_DOCUMENTS }.into());
    }
    Ok(())
}

fn put_document(state: &Inner, batch: &mut Batch, collection: &str, name: &str, body: String) {
    let document = Document {
        collection: collection.into(),
        id: name.into(),
        body: body.into(),
        at: state.deps.clock.now(),
    };
    batch.put(Record::Office(OfficeRecord::Document(Box::new(document))));
}
