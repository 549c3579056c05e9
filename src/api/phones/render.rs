//! A phone's files as it gets them, and what a change would change in them.

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::change::{Applier, PhoneChange};
use super::export::shows_secrets;
use super::{known, no_such_phone};
use crate::access::Principal;
use crate::api::extract::{Json, PhoneKey, Query};
use crate::api::mask::{self, MASK};
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::settings::none_wrong;
use crate::api::state::{Shared, State as Inner};
use crate::api::unified;
use crate::api::within::Eyes;
use crate::phone::{DoorKind, Mac, Phone};
use crate::provision::Kind;
use crate::supply::Preview;

/// What stands for a secret that is on one side of a difference only.
const CHANGED: &str = "*** (another)";

/// Which file, and how it is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct RenderQuery {
    /// The name of the file; the phone's own if not given.
    file: Option<String>,
    /// By which door it leaves: `https` (if not given), `http`, `tftp`, `ftp`,
    /// `ftps` or `cwmp`. Secrets are left out where the site does not let them
    /// leave.
    door: Option<String>,
    /// `show` shows passwords and tokens in clear; else `***` stands for them.
    secrets: Option<String>,
}

/// Which file of which two phones is compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct CompareQuery {
    /// The other phone.
    against: String,
    /// As when rendering.
    file: Option<String>,
    door: Option<String>,
    secrets: Option<String>,
}

/// The files of a phone.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Files {
    /// In the order in which the phone asks for them.
    items: Vec<FileOfPhone>,
}

/// A file of a phone.
#[derive(Debug, Serialize, ToSchema)]
struct FileOfPhone {
    name: Box<str>,
    /// `own`, `common`, `side` or `image`.
    kind: &'static str,
}

/// A file as a phone would get it now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Rendered {
    file: Box<str>,
    /// `own`, `common` or `side`.
    kind: &'static str,
    door: &'static str,
    /// The version that it has, or would get.
    version: Box<str>,
    media: &'static str,
    /// Whether it goes out encrypted; `text` is what is encrypted.
    encrypted: bool,
    /// Whether secrets are left out because of the door.
    withheld: bool,
    text: String,
}

/// What differs between two renderings.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Difference {
    file: Box<str>,
    door: &'static str,
    /// Whether nothing differs.
    same: bool,
    /// A unified diff; empty if nothing differs.
    diff: String,
}

/// Lists the files that a phone asks for
#[utoipa::path(get, path = "/api/v1/phones/{mac}/files", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling")),
    responses((status = 200, body = Files), (status = 404, body = Problem)))]
pub(in crate::api) async fn files(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
) -> Result<axum::Json<Files>, ApiError> {
    known(&state, mac).await?;
    let files = state.deps.supply.files(mac).await?.into_iter();
    let items = files.map(|file| FileOfPhone { kind: word(file.kind), name: file.name }).collect();
    Ok(axum::Json(Files { items }))
}

/// Shows a file as the phone would get it now
#[utoipa::path(get, path = "/api/v1/phones/{mac}/render", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling"),
        RenderQuery),
    responses((status = 200, body = Rendered), (status = 404, body = Problem)))]
pub(in crate::api) async fn render(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
    Query(query): Query<RenderQuery>,
) -> Result<axum::Json<Rendered>, ApiError> {
    let asked =
        Asked::read(&principal, query.file, query.door.as_deref(), query.secrets.as_deref())?;
    let phone = known(&state, mac).await?;
    let preview = asked.preview(&state, phone).await?;
    let text = asked.text(&preview, &[]);
    Ok(axum::Json(Rendered {
        file: preview.name,
        kind: word(preview.kind),
        door: asked.door.word(),
        version: preview.version,
        media: preview.media,
        encrypted: preview.encrypted,
        withheld: preview.withheld,
        text,
    }))
}

/// Shows what a change would change in a file; nothing is stored
#[utoipa::path(post, path = "/api/v1/phones/{mac}/diff", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling"),
        RenderQuery),
    request_body = PhoneChange,
    responses((status = 200, body = Difference), (status = 404, body = Problem)))]
pub(in crate::api) async fn diff(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
    Query(query): Query<RenderQuery>,
    Json(change): Json<PhoneChange>,
) -> Result<axum::Json<Difference>, ApiError> {
    let asked =
        Asked::read(&principal, query.file, query.door.as_deref(), query.secrets.as_deref())?;
    let phone = known(&state, mac).await?;
    let mut changed = phone.clone();
    let mut applier = Applier::new(&state.deps.vault);
    applier.apply(change, &mut changed);
    none_wrong(applier.wrong)?;
    let is_there = state.store().site(&changed.site).await?.is_some();
    if !is_there || !Eyes::of(&state, &principal).site(&changed.site).await? {
        return Err(bad_value("site", "there is no such site"));
    }
    asked.difference(&state, phone, changed, ("now", "changed")).await
}

/// Compares a file of two phones
#[utoipa::path(get, path = "/api/v1/phones/{mac}/diff", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling"),
        CompareQuery),
    responses((status = 200, body = Difference), (status = 404, body = Problem)))]
pub(in crate::api) async fn compare(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
    Query(query): Query<CompareQuery>,
) -> Result<axum::Json<Difference>, ApiError> {
    let asked =
        Asked::read(&principal, query.file, query.door.as_deref(), query.secrets.as_deref())?;
    let other: Mac = query.against.parse().map_err(|error| bad_value("against", error))?;
    let (one, two) = (known(&state, mac).await?, known(&state, other).await?);
    if !Eyes::of(&state, &principal).site(&two.site).await? {
        return Err(no_such_phone(other));
    }
    let names = (mac.to_string(), other.to_string());
    asked.difference(&state, one, two, (&names.0, &names.1)).await
}

/// What is asked for, read.
struct Asked {
    file: Option<String>,
    door: DoorKind,
    secrets: bool,
}

impl Asked {
    fn read(
        principal: &Principal,
        file: Option<String>,
        door: Option<&str>,
        secrets: Option<&str>,
    ) -> Result<Self, ApiError> {
        const DOORS: [DoorKind; 6] = [
            DoorKind::Http,
            DoorKind::Https,
            DoorKind::Tftp,
            DoorKind::Ftp,
            DoorKind::Ftps,
            DoorKind::Cwmp,
        ];
        let door = match door {
            None => DoorKind::Https,
            Some(word) => DOORS
                .into_iter()
                .find(|door| door.word() == word)
                .ok_or_else(|| bad_value("door", "http, https, tftp, ftp, ftps or cwmp"))?,
        };
        Ok(Self { file, door, secrets: shows_secrets(principal, secrets)? })
    }

    async fn preview(&self, state: &Inner, phone: Phone) -> Result<Preview, ApiError> {
        let name = self.file.as_deref();
        if self.secrets {
            tracing::warn!(phone.mac = %phone.mac, "a file of the phone is shown with its secrets");
        }
        Ok(state.deps.supply.preview_of(phone, name, self.door).await?)
    }

    /// The text of a preview. Secrets that the other side has not are marked.
    fn text(&self, preview: &Preview, other: &[String]) -> String {
        let text = String::from_utf8_lossy(&preview.bytes).into_owned();
        if self.secrets {
            return text;
        }
        let stands_for = |secret: &String| match other.is_empty() || other.contains(secret) {
            true => MASK,
            false => CHANGED,
        };
        mask::url(&mask::secrets(&text, &preview.secrets, stands_for)).into_owned()
    }

    async fn difference(
        &self,
        state: &Inner,
        before: Phone,
        after: Phone,
        names: (&str, &str),
    ) -> Result<axum::Json<Difference>, ApiError> {
        let before = self.preview(state, before).await?;
        let after = self.preview(state, after).await?;
        let same = before.bytes == after.bytes;
        let named = |who: &str, preview: &Preview| format!("{} ({who})", preview.name);
        let names = (named(names.0, &before), named(names.1, &after));
        let texts = (self.text(&before, &after.secrets), self.text(&after, &before.secrets));
        Ok(axum::Json(Difference {
            diff: unified::diff(&texts.0, &texts.1, (&names.0, &names.1)),
            file: after.name,
            door: self.door.word(),
            same,
        }))
    }
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Own => "own",
        Kind::Common => "common",
        Kind::Side => "side",
        Kind::Image => "image",
    }
}
