//! `/files`: our files by their names.
//!
//! Ours are kept by content. What this dialect knows of a name besides stands in a
//! document; a file that came another way is found by the name of its record.

use std::collections::{BTreeMap, BTreeSet};

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::super::extract::plain_text;
use super::super::files::{FIRMWARE, check_name, check_type, receive};
use super::super::problem::bad_value;
use super::super::state::{Shared, State as Inner};
use super::ids;
use super::node::{Members, Node};
use super::query::Collection;
use super::reply::{self, Refusal};
use super::shape::Asked;
use super::work::answer;
use crate::access::Principal;
use crate::store::{
    Batch, Change, Document, FileRecord, FileShare, OfficeKey, OfficeRecord, Record, StoreError,
};
use crate::time::Timestamp;

/// The collection of what is known of names.
const COLLECTION: &str = "files";

/// Files that are read in one step.
const CHUNK: usize = 500;

/// What clients read of how the original stores files, in bytes.
const CHUNK_SIZE: u64 = 261_120;

/// What is known of a name besides the file's record.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Told {
    sha256: Box<str>,
    /// The headers that came with the file: `fileType`, `oui`, …
    metadata: BTreeMap<Box<str>, Box<str>>,
}

/// All names with what is told of them, and when.
async fn names(state: &Inner) -> Result<Vec<(Box<str>, Told, Timestamp)>, StoreError> {
    let documents = state.store().office().documents(COLLECTION).await?;
    let told = documents.into_iter().filter_map(|document| {
        let told = serde_json::from_str(&document.body).ok()?;
        Some((document.id, told, document.at))
    });
    Ok(told.collect())
}

/// All files that are meant for a tenant's devices, the installation's among them.
async fn records(state: &Inner, tenant: &str) -> Result<Vec<FileRecord>, StoreError> {
    let mut all = Vec::new();
    let mut after: Option<Box<str>> = None;
    loop {
        let chunk = state.store().files(after.as_deref(), CHUNK).await?;
        let is_last = chunk.len() < CHUNK;
        after = chunk.last().map(|file| file.sha256.clone());
        all.extend(chunk.into_iter().filter_map(|file| file.meant_for(tenant)));
        if is_last {
            return Ok(all);
        }
    }
}

/// The file of a name for a tenant's device: as this dialect was told, else the newest
/// whose record has it.
pub(super) async fn named(
    state: &Inner,
    name: &str,
    tenant: &str,
) -> Result<Option<FileRecord>, StoreError> {
    if let Some(told) = told(state, name).await?
        && let Some(record) = state.store().file(&told.sha256).await?
        && let Some(record) = record.meant_for(tenant)
    {
        return Ok(Some(FileRecord { name: name.into(), ..record }));
    }
    let all = records(state, tenant).await?.into_iter().filter(|file| *file.name == *name);
    Ok(all.max_by_key(|file| file.uploaded_at))
}

async fn told(state: &Inner, name: &str) -> Result<Option<Told>, StoreError> {
    let document = state.store().office().document(COLLECTION, name).await?;
    Ok(document.and_then(|document| serde_json::from_str(&document.body).ok()))
}

/// A file type as the standard spells it.
pub(super) fn checked_type(kind: &str) -> Result<&str, Refusal> {
    check_type(kind).map(|()| kind).map_err(Refusal::from)
}

/// `GET /files`.
pub(super) async fn list(State(state): State<Shared>, uri: Uri) -> Result<Response, Refusal> {
    let asked = Asked::read(&uri, Collection::Plain)?;
    let records: BTreeMap<Box<str>, FileRecord> =
        records(&state, "").await?.into_iter().map(|file| (file.sha256.clone(), file)).collect();
    let names = names(&state).await?;
    let told: BTreeSet<&str> = names.iter().map(|(_, told, _)| &*told.sha256).collect();
    let mut documents: Vec<Node> = names
        .iter()
        .filter_map(|(name, told, at)| {
            let file = records.get(&told.sha256)?;
            let metadata = told.metadata.iter();
            let metadata = metadata.map(|(name, text)| (name.clone(), Node::text(text.clone())));
            Some(document(name, file.size, *at, metadata.collect()))
        })
        .collect();
    for file in records.values().filter(|file| !told.contains(&*file.sha256)) {
        let kind = Node::text(file.file_type.clone());
        let mut metadata = Members::from([("fileType".into(), kind)]);
        let version = file.version.clone();
        metadata.extend(version.map(|version| ("version".into(), Node::Text(version))));
        documents.push(document(&file.name, file.size, file.uploaded_at, metadata));
    }
    answer(&asked, documents.into_iter())
}

fn document(name: &str, size: u64, at: Timestamp, metadata: Members) -> Node {
    Node::object([
        ("_id", Node::text(name)),
        ("chunkSize", Node::whole(CHUNK_SIZE)),
        ("filename", Node::text(name)),
        ("length", Node::whole(size)),
        ("metadata", Node::Object(metadata)),
        ("uploadDate", Node::Time(at)),
    ])
}

/// `PUT /files/<name>`: the body is the file, headers tell what it is.
pub(super) async fn put(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let name = ids::name(uri.path(), 1)?;
    check_name(&name)?;
    let metadata = metadata(&headers)?;
    let stored = receive(&state, body).await?;
    let at = state.deps.clock.now();
    let before = told(&state, &name).await?;
    let mut batch = Batch::new();
    let known = state.store().file(&stored.sha256).await?;
    // The same content under another name stays what it is.
    if known.as_ref().is_none_or(|known| known.brought_by("").is_none()) {
        let share = FileShare {
            tenant: "".into(),
            name: name.as_str().into(),
            file_type: metadata.get("fileType").cloned().unwrap_or_else(|| FIRMWARE.into()),
            version: metadata.get("version").cloned(),
            uploaded_at: at,
        };
        let sha256 = stored.sha256.clone();
        batch.put(Record::File(FileRecord::with(known, sha256, stored.size, share)));
    }
    let told = Told { sha256: stored.sha256.clone(), metadata };
    let text = serde_json::to_string(&told).unwrap_or_default();
    batch.put(Record::Office(OfficeRecord::Document(Box::new(Document {
        collection: COLLECTION.into(),
        id: name.as_str().into(),
        body: text.into(),
        at,
    }))));
    let replaced = before.map(|before| before.sha256).filter(|sha256| *sha256 != told.sha256);
    let gone = match replaced {
        Some(sha256) if is_alone(&state, &name, &sha256).await? => Some(sha256),
        _ => None,
    };
    if let Some(sha256) = &gone {
        batch.push(Change::ForgetFile(sha256.clone()));
    }
    state.store().commit(batch).await?;
    if let Some(sha256) = gone {
        state.deps.shelf.remove(&sha256).await.map_err(super::super::problem::ApiError::from)?;
    }
    tracing::info!(file.name = %name, file.sha256 = %told.sha256, by = %principal.name, "file uploaded");
    Ok(StatusCode::CREATED.into_response())
}

/// The headers that tell what a file is.
fn metadata(headers: &HeaderMap) -> Result<BTreeMap<Box<str>, Box<str>>, Refusal> {
    let mut metadata = BTreeMap::new();
    for name in ["fileType", "oui", "productClass", "version"] {
        let Some(value) = headers.get(name) else { continue };
        let text = value.to_str().map_err(|_| bad_value(name, "plain text"))?.trim();
        plain_text(name, text, 64)?;
        if text.is_empty() {
            continue;
        }
        if name == "fileType" {
            check_type(text)?;
        }
        metadata.insert(name.into(), text.into());
    }
    Ok(metadata)
}

/// Whether a content belongs to this name and to no other.
async fn is_alone(state: &Inner, name: &str, sha256: &str) -> Result<bool, StoreError> {
    let record = state.store().file(sha256).await?;
    // What tenants have as well is theirs still.
    let only = record.filter(|record| record.shares.is_empty());
    let own = only.and_then(|record| record.brought_by(""));
    if own.is_none_or(|record| *record.name != *name) {
        return Ok(false);
    }
    let names = names(state).await?;
    Ok(!names.iter().any(|(other, told, _)| **other != *name && *told.sha256 == *sha256))
}

/// `DELETE /files/<name>`.
pub(super) async fn remove(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let name = ids::name(uri.path(), 1)?;
    let told = told(&state, &name).await?;
    let sha256 = match &told {
        Some(told) => Some(told.sha256.clone()),
        None => named(&state, &name, "").await?.map(|file| file.sha256),
    };
    let sha256 = sha256.ok_or(Refusal::Nothing)?;
    let mut batch = Batch::new();
    if told.is_some() {
        let key = OfficeKey::Document(COLLECTION.into(), name.as_str().into());
        batch.push(Change::ForgetOffice(key));
    }
    let is_alone = is_alone(&state, &name, &sha256).await?;
    if is_alone {
        batch.push(Change::ForgetFile(sha256.clone()));
    }
    state.store().commit(batch).await?;
    if is_alone {
        state.deps.shelf.remove(&sha256).await.map_err(super::super::problem::ApiError::from)?;
    }
    tracing::info!(file.name = %name, by = %principal.name, "file removed");
    Ok(reply::empty())
}
