//! Phones into a file, as an import takes them.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::{Filter, table};
use crate::access::{Principal, Right};
use crate::api::extract::Query;
use crate::api::lasting::Lasting;
use crate::api::mask::{self, MASK};
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::settings::Meant;
use crate::api::state::{Shared, State as Inner};
use crate::api::stream::{Cut, FileFormat, Objects, Pieces, streamed};
use crate::api::within::{Eyes, may_show};
use crate::phone::{Mac, Phone};
use crate::store::{StoreError, Vault};

/// Phones that are read at once.
const AT_ONCE: usize = 500;

/// Which phones, and how they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ExportQuery {
    /// `csv`, `json` or `ndjson`, which no import takes; `json` if not given.
    #[serde(default)]
    #[param(inline)]
    format: FileFormat,
    /// `show` writes passwords and keys in clear; else `***` stands for them.
    secrets: Option<String>,
    /// As when listing phones.
    q: Option<String>,
    vendor: Option<String>,
    site: Option<String>,
    model: Option<String>,
}

/// Writes phones into a file, as an import takes them, however many
///
/// An answer that breaks off was not whole.
#[utoipa::path(get, path = "/api/v1/phones/export", tag = "phones", params(ExportQuery),
    responses((status = 200, content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"),
        (String = "application/x-ndjson"))),
        (status = 400, body = Problem)))]
pub(in crate::api) async fn export(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    let secrets = shows_secrets(&principal, query.secrets.as_deref())?;
    let filter = Filter::new(query.q, query.vendor, query.site, query.model)?;
    let format = query.format;
    let right = if secrets { Right::PhonesUrls } else { Right::PhonesRead };
    let lasting = Lasting::of(&state, principal.clone(), &headers, right)?;
    let body = streamed(async move |mut pieces| {
        let (state, principal, filter) = (&*state, &principal, &filter);
        let mut writing = Writing { state, principal, filter, secrets, lasting };
        let end = match format {
            FileFormat::Csv => writing.table(&mut pieces).await,
            FileFormat::Json | FileFormat::Ndjson => writing.objects(&mut pieces, format).await,
        };
        pieces.end(end).await;
    });
    Ok(format.answer("phones", body))
}

/// An export that is being written, as long as the token that asked opens as much.
struct Writing<'e> {
    state: &'e Inner,
    principal: &'e Principal,
    filter: &'e Filter,
    secrets: bool,
    lasting: Lasting,
}

impl<'e> Writing<'e> {
    fn phones(&self) -> Chunks<'e> {
        let eyes = Eyes::of(self.state, self.principal);
        Chunks { state: self.state, eyes, filter: self.filter, after: None }
    }

    async fn next(&mut self, phones: &mut Chunks<'e>) -> Result<Option<Vec<Phone>>, ApiError> {
        self.lasting.goes_on().await?;
        phones.next().await
    }

    fn vault(&self) -> &'e Vault {
        &self.state.deps.vault
    }

    /// Phones are read twice: which columns they need is told first.
    async fn table(&mut self, pieces: &mut Pieces) -> Result<(), Cut> {
        let (mut needs, mut phones) = (table::Needs::default(), self.phones());
        while let Some(chunk) = self.next(&mut phones).await? {
            chunk.iter().for_each(|phone| needs.add(phone));
        }
        let columns = needs.columns();
        pieces.write(&table::heading(&columns)).await?;
        let (mut written, mut phones) = (0_u64, self.phones());
        while let Some(chunk) = self.next(&mut phones).await? {
            for phone in &chunk {
                if !needs.cover(phone) {
                    return Err(changed().into());
                }
                pieces.write(&table::line(&columns, phone, self.vault(), self.secrets)?).await?;
            }
            written = written.saturating_add(chunk.len() as u64);
        }
        self.tell(written);
        Ok(())
    }

    async fn objects(&mut self, pieces: &mut Pieces, format: FileFormat) -> Result<(), Cut> {
        let (mut objects, mut phones) = (Objects::of(pieces, format), self.phones());
        while let Some(chunk) = self.next(&mut phones).await? {
            for phone in &chunk {
                objects.item(&as_json(phone, self.vault(), self.secrets)?).await?;
            }
        }
        self.tell(objects.end().await?);
        Ok(())
    }

    fn tell(&self, phones: u64) {
        if self.secrets {
            tracing::warn!(phones, "phones were exported with their secrets");
        }
    }
}

/// A phone got what has no column after the heading was written.
fn changed() -> StoreError {
    StoreError::Io(std::io::Error::other("a phone was changed while it was exported"))
}

/// The phones that are meant and seen, some at a time.
struct Chunks<'e> {
    state: &'e Inner,
    eyes: Eyes<'e>,
    filter: &'e Filter,
    after: Option<Mac>,
}

impl Chunks<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Phone>>, ApiError> {
        let mut phones = self.state.store().phones(self.after, AT_ONCE).await?;
        let Some(last) = phones.last() else { return Ok(None) };
        self.after = Some(last.mac);
        phones.retain(|phone| self.filter.matches(phone));
        let mut seen = Vec::with_capacity(phones.len());
        for phone in phones {
            if self.eyes.site(&phone.site).await? {
                seen.push(phone);
            }
        }
        // Reading is done in this task: others have their turn.
        tokio::task::yield_now().await;
        Ok(Some(seen))
    }
}

/// Whether secrets are asked for: never unless in words, and by somebody who might
/// fetch the files themselves.
pub(super) fn shows_secrets(principal: &Principal, word: Option<&str>) -> Result<bool, ApiError> {
    match word {
        None | Some("hide") => Ok(false),
        Some("show") => may_show(principal, Right::PhonesUrls).map(|()| true),
        Some(_) => Err(bad_value("secrets", "hide or show")),
    }
}

fn as_json(phone: &Phone, vault: &Vault, secrets: bool) -> Result<Value, StoreError> {
    let opened = |sealed| match secrets {
        true => vault.unseal(sealed).map(|secret| secret.expose().to_owned()),
        false => Ok(MASK.to_owned()),
    };
    let accounts = phone.accounts.iter().map(|account| {
        Ok(json!({
            "line": account.line,
            "user": account.user,
            "auth_user": account.auth_user,
            "password": opened(&account.password)?,
            "display_name": account.display_name,
            "server": account.server,
            "port": account.port,
            "transport": account.transport,
            "outbound_proxy": account.outbound_proxy,
            "voicemail": account.voicemail,
            "label": account.label,
        }))
    });
    let accounts = accounts.collect::<Result<Vec<Value>, StoreError>>()?;
    let keys: Vec<Value> = phone
        .keys
        .iter()
        .map(|key| {
            let value = if secrets { (&*key.value).into() } else { mask::url(&key.value) };
            json!({"position": key.position, "kind": key.kind, "value": value,
                "label": key.label, "line": key.line, "pickup": key.pickup})
        })
        .collect();
    let settings = match secrets {
        true => json!(phone.settings),
        false => json!(Meant::Vendor(phone.vendor).all_shown(&phone.settings)),
    };
    Ok(json!({
        "mac": phone.mac,
        "vendor": phone.vendor.word(),
        "model": phone.model,
        "site": phone.site,
        "enabled": phone.enabled,
        "template": phone.template,
        "names": phone.names,
        "config_key": phone.config_key.as_ref().map(opened).transpose()?,
        "accounts": accounts,
        "keys": keys,
        "settings": settings,
    }))
}
