//! `/files`: firmware and other files, kept by content.

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Query, plain_text};
use super::paging::{self, Page};
use super::problem::{ApiError, Problem, bad_value};
use super::sorted::{Columns, Key, Sorting, too_many};
use super::state::{Shared, State as Inner};
use super::within::Eyes;
use crate::access::Principal;
use crate::device::DeviceId;
use crate::files::{FilesError, Stored};
use crate::store::{Batch, Change, FileRecord, FileShare, Record};
use crate::time::Timestamp;

/// `FileType` of a firmware image (TR-069 §A.3.2.8).
pub(super) const FIRMWARE: &str = "1 Firmware Upgrade Image";

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FileView {
    /// SHA-256 of the content in lower-case hex: the key.
    sha256: Box<str>,
    name: Box<str>,
    size: u64,
    /// `FileType` as the standard spells it.
    #[serde(rename = "type")]
    kind: Box<str>,
    /// The software version that it brings.
    version: Option<Box<str>>,
    #[schema(value_type = String)]
    uploaded_at: Timestamp,
    /// Who sent it; null if an operator brought it.
    from: Option<OriginView>,
    /// The tenants that brought it; none if the installation did.
    tenants: Vec<String>,
}

/// The device that sent a file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OriginView {
    device: String,
    /// The task that asked for it.
    task: String,
}

impl From<FileRecord> for FileView {
    fn from(file: FileRecord) -> Self {
        let tenants = file.tenants().filter(|tenant| !tenant.is_empty());
        Self {
            tenants: tenants.map(str::to_owned).collect(),
            sha256: file.sha256,
            name: file.name,
            size: file.size,
            kind: file.file_type,
            version: file.version,
            uploaded_at: file.uploaded_at,
            from: file.from.map(|(device, task)| OriginView {
                device: device.to_string(),
                task: task.to_string(),
            }),
        }
    }
}

/// What is told of an upload.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// The file's name, without a path.
    name: String,
    /// `FileType` as the standard spells it; `1 Firmware Upgrade Image` if not
    /// given.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The software version that a device must report after a download.
    version: Option<String>,
    /// What the content must hash to; another content is refused.
    sha256: Option<String>,
    /// The tenant that is to have it; the token's own if not given.
    tenant: Option<String>,
}

impl UploadQuery {
    fn check(&self) -> Result<(), ApiError> {
        check_name(&self.name)?;
        check_type(self.kind.as_deref().unwrap_or(FIRMWARE))?;
        plain_text("version", self.version.as_deref().unwrap_or_default(), 64)?;
        let is_hash =
            |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !self.sha256.as_ref().is_none_or(is_hash) {
            return Err(bad_value("sha256", "64 hex digits"));
        }
        Ok(())
    }
}

/// Refuses what is no name of a file.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    plain_text("name", name, 255)?;
    let name = name.trim();
    if name.is_empty() || name.contains(['/', '\\']) || matches!(name, "." | "..") {
        return Err(bad_value("name", "a file name without a path"));
    }
    Ok(())
}

/// Refuses what is no `FileType` of the standard (TR-069 §A.3.2.8).
pub(super) fn check_type(kind: &str) -> Result<(), ApiError> {
    plain_text("type", kind, 64)?;
    let number = kind.split(' ').next().unwrap_or_default();
    if !number.starts_with(|first: char| first.is_ascii_digit() || first == 'X') {
        return Err(bad_value("type", "as the standard spells it: `1 Firmware Upgrade Image`"));
    }
    Ok(())
}

/// Uploads a file; the body is its content
#[utoipa::path(post, path = "/api/v1/files", tag = "files", params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = FileView), (status = 413, body = Problem)))]
pub(super) async fn upload(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<UploadQuery>,
    body: Body,
) -> Result<(StatusCode, axum::Json<FileView>), ApiError> {
    query.check()?;
    let tenant = Eyes::of(&state, &principal).owner(query.tenant.as_deref())?;
    let stored = receive(&state, body).await?;
    if let Some(expected) = &query.sha256
        && !expected.eq_ignore_ascii_case(&stored.sha256)
    {
        // Unless the same content was uploaded before, and rightly so.
        if state.store().file(&stored.sha256).await?.is_none() {
            state.deps.shelf.remove(&stored.sha256).await?;
        }
        return Err(bad_value("sha256", format!("the content hashes to {}", stored.sha256)));
    }
    let share = FileShare {
        tenant,
        name: query.name.trim().into(),
        file_type: query.kind.as_deref().unwrap_or(FIRMWARE).into(),
        version: query.version.map(Into::into),
        uploaded_at: state.deps.clock.now(),
    };
    let known = state.store().file(&stored.sha256).await?;
    let record = FileRecord::with(known, stored.sha256, stored.size, share);
    state.store().commit(Record::File(record.clone()).into()).await?;
    tracing::info!(file.sha256 = %record.sha256, file.size = record.size, "file uploaded");
    let no_such = || ApiError::NoSuch { what: "file", name: record.sha256.to_string() };
    let seen = Eyes::of(&state, &principal).file(record.clone()).await?.ok_or_else(no_such)?;
    Ok((StatusCode::CREATED, axum::Json(seen.into())))
}

/// A file, if it is seen.
async fn known(
    state: &Inner,
    principal: &Principal,
    sha256: String,
) -> Result<FileRecord, ApiError> {
    let seen = match state.store().file(&sha256).await? {
        Some(file) => Eyes::of(state, principal).file(file).await?,
        None => None,
    };
    seen.ok_or(ApiError::NoSuch { what: "file", name: sha256 })
}

/// Writes the body to the shelf as it comes.
pub(super) async fn receive(state: &Inner, mut body: Body) -> Result<Stored, ApiError> {
    let limit = state.deps.config.files.max_upload;
    // What announces itself as too large is refused before a byte is written.
    if http_body::Body::size_hint(&body).lower() > limit {
        return Err(FilesError::TooLarge { limit }.into());
    }
    let patience = Duration::from_secs(state.deps.config.limits.idle.into());
    let mut upload = state.deps.shelf.begin(limit).await?;
    loop {
        let frame = tokio::time::timeout(patience, body.frame()).await;
        match frame.map_err(|_| ApiError::BodyStalled)? {
            None => return Ok(upload.finish().await?),
            Some(Err(_)) => return Err(ApiError::BodyStalled),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    upload.write(&bytes).await?;
                }
            }
        }
    }
}

/// Which files are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FileQuery {
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
    /// Only what this device sent; `operator` for what operators brought,
    /// `devices` for what any device sent.
    from: Option<String>,
    /// By what they are sorted, with `-` before it for the greatest first; by their
    /// SHA-256 if not given.
    sort: Option<String>,
}

/// What files can be sorted by.
const COLUMNS: Columns<FileRecord> = &[
    ("sha256", |file| Key::from(&*file.sha256)),
    ("name", |file| Key::from(&*file.name)),
    ("size", |file| file.size.into()),
    ("type", |file| Key::from(&*file.file_type)),
    ("version", |file| file.version.as_deref().into()),
    ("uploaded_at", |file| file.uploaded_at.into()),
];

/// Whose files are listed.
enum Origin {
    Anybody,
    Operator,
    Devices,
    Device(DeviceId),
}

impl Origin {
    fn read(text: Option<&str>) -> Result<Self, ApiError> {
        match text {
            None => Ok(Self::Anybody),
            Some("operator") => Ok(Self::Operator),
            Some("devices") => Ok(Self::Devices),
            Some(id) => DeviceId::parse(id)
                .map(Self::Device)
                .map_err(|_| bad_value("from", "a device id, `operator` or `devices`")),
        }
    }

    fn has(&self, file: &FileRecord) -> bool {
        match (self, &file.from) {
            (Self::Anybody, _) | (Self::Operator, None) | (Self::Devices, Some(_)) => true,
            (Self::Device(id), Some((device, _))) => id == device,
            (Self::Operator, Some(_)) | (Self::Devices | Self::Device(_), None) => false,
        }
    }
}

/// Lists files
#[utoipa::path(get, path = "/api/v1/files", tag = "files", params(FileQuery),
    responses((status = 200, body = Page<FileView>)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<FileQuery>,
) -> Result<axum::Json<Page<FileView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let eyes = Eyes::of(&state, &principal);
    let origin = Origin::read(query.from.as_deref())?;
    if let Some(sorting) = Sorting::read(query.sort.as_deref(), COLUMNS)? {
        let all = all_of(&state, &eyes, &origin).await?;
        let page = sorting.page(all, |file| &file.sha256, limit, query.after.as_deref())?;
        let items = page.items.into_iter().map(FileView::from).collect();
        return Ok(axum::Json(Page { items, next: page.next }));
    }
    let after: Option<String> = eyes.after(query.after.as_deref())?;
    let mut last: Option<Box<str>> = after.map(Into::into);
    let (mut items, mut looked_at, mut shown) = (Vec::new(), 0, None);
    loop {
        let page = state.store().files(last.as_deref(), limit + 1).await?;
        let whole = page.len() <= limit;
        for file in page {
            // What a filter leaves out is read as well: no request reads without end.
            if looked_at == paging::MAX_SCAN {
                let is_shown = shown == last;
                let next = last.as_deref().map(|key| eyes.cursor(key, is_shown));
                return Ok(axum::Json(Page { items, next }));
            }
            looked_at += 1;
            last = Some(file.sha256.clone());
            let Some(file) = eyes.file(file).await?.filter(|file| origin.has(file)) else {
                continue;
            };
            if items.len() == limit {
                let next = shown.as_deref().map(paging::cursor);
                return Ok(axum::Json(Page { items, next }));
            }
            shown.clone_from(&last);
            items.push(FileView::from(file));
        }
        if whole {
            return Ok(axum::Json(Page { items, next: None }));
        }
    }
}

/// All files that are meant and seen, if they are not too many to be sorted.
async fn all_of(
    state: &Inner,
    eyes: &Eyes<'_>,
    origin: &Origin,
) -> Result<Vec<FileRecord>, ApiError> {
    let (mut all, mut last, mut looked_at): (Vec<_>, Option<Box<str>>, _) = (Vec::new(), None, 0);
    loop {
        let page = state.store().files(last.as_deref(), paging::MAX_LIMIT).await?;
        let Some(end) = page.last() else { return Ok(all) };
        last = Some(end.sha256.clone());
        looked_at += page.len();
        if looked_at > paging::MAX_SCAN {
            return Err(too_many("files", "SHA-256"));
        }
        for file in page {
            all.extend(eyes.file(file).await?.filter(|file| origin.has(file)));
        }
    }
}

/// Sends a file's content
#[utoipa::path(get, path = "/api/v1/files/{sha256}/content", tag = "files",
    params(("sha256" = String, Path, description = "The file")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, body = Problem)))]
pub(super) async fn content(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(sha256): Path<String>,
) -> Result<Response, ApiError> {
    let file = known(&state, &principal, sha256).await?;
    let (content, size) = state.deps.shelf.read(&file.sha256).await?;
    // A page that is shown the link must not be able to run what a device sent.
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::new(crate::http::Body::file(content, size))).into_response())
}

/// Shows a file's record
#[utoipa::path(get, path = "/api/v1/files/{sha256}", tag = "files",
    params(("sha256" = String, Path, description = "The file")),
    responses((status = 200, body = FileView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(sha256): Path<String>,
) -> Result<axum::Json<FileView>, ApiError> {
    Ok(axum::Json(known(&state, &principal, sha256).await?.into()))
}

/// What is left of a file for others when a principal that does not see all removes
/// it; `None` if nobody has it then.
fn rest_of(file: FileRecord, eyes: &Eyes<'_>, tenant: Option<&str>) -> Option<FileRecord> {
    match tenant.filter(|tenant| eyes.tenants(tenant)) {
        Some(tenant) if file.tenants().any(|one| one == tenant) => file.without(tenant),
        // One of its devices sent it.
        _ => file.handed_on(),
    }
}

/// Removes a file; downloads that are still to come will fail
#[utoipa::path(delete, path = "/api/v1/files/{sha256}", tag = "files",
    params(("sha256" = String, Path, description = "The file")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(sha256): Path<String>,
) -> Result<StatusCode, ApiError> {
    known(&state, &principal, sha256.clone()).await?;
    let eyes = Eyes::of(&state, &principal);
    if !eyes.see_all() {
        // Others keep what they have.
        let stored = state.store().file(&sha256).await?;
        if let Some(stored) = &stored
            && !eyes.removes(stored).await?
        {
            let problem = "this token is for some sites, and removes nothing that is for all";
            return Err(ApiError::BeyondReach { field: "sha256", problem });
        }
        let tenant = principal.reach.tenant.as_deref();
        if let Some(rest) = stored.and_then(|stored| rest_of(stored, &eyes, tenant)) {
            state.store().commit(Record::File(rest).into()).await?;
            return Ok(StatusCode::NO_CONTENT);
        }
    }
    let mut batch = Batch::new();
    batch.push(Change::ForgetFile(sha256.as_str().into()));
    // The record first: a file without a record is waste, a record without a
    // file is a lie.
    state.store().commit(batch).await?;
    state.deps.shelf.remove(&sha256).await?;
    Ok(StatusCode::NO_CONTENT)
}
