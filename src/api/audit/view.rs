//! An entry of the audit as it is shown, and which entries are asked for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::access::{AuditDraft, AuditEntry, Principal};
use crate::api::problem::{ApiError, bad_value};
use crate::ledger::Names;
use crate::store::Store;
use crate::time::Timestamp;

/// An entry of the audit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(in crate::api) struct EntryView {
    /// Its number, from 0, one more each time.
    pub(super) number: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(super) at: Timestamp,
    /// Who, by name; `server` for what the server did by itself.
    pub(super) actor: Box<str>,
    /// The id of the token; empty for the one in `admin.token`.
    pub(super) token: Box<str>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    /// The request; the same for all changes of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<String>,
    /// What was done, as a word: `labels.change`, `task.create`.
    pub(super) action: Box<str>,
    /// The kind of what it was done to.
    pub(super) kind: Box<str>,
    /// Its key.
    pub(super) key: Box<str>,
    /// Whose it is; empty for nobody's.
    pub(super) tenant: Box<str>,
    /// Where it stands; may be empty.
    pub(super) site: Box<str>,
    /// What was done, in words.
    pub(super) sentence: Box<str>,
    /// What differs, as it was; absent if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub(super) before: Option<Map<String, Value>>,
    /// What differs, as it is; absent if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub(super) after: Option<Map<String, Value>>,
    /// SHA-256 over the hash of the entry before, the number and the body, in hex.
    pub(super) hash: String,
}

impl From<AuditEntry> for EntryView {
    fn from(entry: AuditEntry) -> Self {
        let AuditDraft {
            at,
            actor,
            token,
            address,
            request,
            action,
            kind,
            key,
            tenant,
            site,
            sentence,
            before,
            after,
        } = entry.draft;
        Self {
            number: entry.number,
            at,
            actor,
            token,
            address: address.map(|address| address.to_string()),
            request: (request != 0)
                .then(|| uuid::Uuid::from_u128(request).hyphenated().to_string()),
            action,
            kind,
            key,
            tenant,
            site,
            sentence,
            before: before.map(|side| object(&side)),
            after: after.map(|side| object(&side)),
            hash: hex::encode(entry.hash),
        }
    }
}

/// A side as an object, which it nearly always is.
fn object(side: &str) -> Map<String, Value> {
    match serde_json::from_str(side) {
        Ok(Value::Object(members)) => members,
        Ok(other) => Map::from_iter([("value".to_owned(), other)]),
        Err(_) => Map::from_iter([("value".to_owned(), side.into())]),
    }
}

/// How the state of a campaign begins that somebody has stopped.
const STOPPED: &str = "stopped by ";

/// Every text that names somebody who did something, in a side of an entry.
fn signers(side: &mut Value) -> Vec<&mut String> {
    let members = match side {
        Value::Object(members) => members,
        Value::Array(items) => return items.iter_mut().flat_map(signers).collect(),
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    for (key, value) in members.iter_mut() {
        let is_name = key == "by" || key.ends_with("_by");
        let is_signed = value.as_str().is_some_and(|text| is_name || text.starts_with(STOPPED));
        if !is_signed {
            found.extend(signers(value));
        } else if let Value::String(text) = value {
            found.push(text);
        }
    }
    found
}

/// A name, and what stands before and after it.
fn parts(text: &str) -> (&str, &str, &str) {
    let Some(rest) = text.strip_prefix(STOPPED) else { return ("", text, "") };
    let (name, after) = rest.split_at(rest.find(": ").unwrap_or(rest.len()));
    (STOPPED, name, after)
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct EntryFilter {
    /// Who, by name.
    pub(super) actor: Option<String>,
    /// The id of the token.
    pub(super) token: Option<String>,
    /// A word, `task.create`, or what stands before its dot, `task`.
    pub(super) action: Option<String>,
    /// The kind of what it was done to.
    pub(super) kind: Option<String>,
    /// The key of what it was done to.
    pub(super) key: Option<String>,
    /// Whose it is.
    pub(super) tenant: Option<String>,
    /// The request.
    pub(super) request: Option<String>,
    /// Nothing older (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    pub(super) since: Option<Timestamp>,
    /// Nothing newer (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    pub(super) until: Option<Timestamp>,
}

/// The same, read, for somebody.
pub(super) struct Wanted<'q> {
    filter: &'q EntryFilter,
    request: Option<u128>,
    principal: Principal,
    names: Names,
}

impl<'q> Wanted<'q> {
    /// # Errors
    /// [`ApiError::BadValue`] for a request that is no id.
    pub(super) fn new(filter: &'q EntryFilter, principal: &Principal) -> Result<Self, ApiError> {
        let request = filter.request.as_deref().map(uuid::Uuid::parse_str).transpose();
        let request = request.map_err(|_| bad_value("request", "a request's id is a UUID"))?;
        let request = request.map(|id| id.as_u128());
        let names = Names::of(&principal.reach);
        Ok(Self { filter, request, principal: principal.clone(), names })
    }

    /// Nothing older is wanted.
    pub(super) const fn since(&self) -> Option<Timestamp> {
        self.filter.since
    }

    /// An entry as it may be seen, if it is wanted.
    pub(super) async fn seen(
        &mut self,
        store: &dyn Store,
        mut entry: AuditEntry,
    ) -> Result<Option<AuditEntry>, ApiError> {
        if !self.takes(&entry.draft) {
            return Ok(None);
        }
        self.sign(store, &mut entry).await?;
        let is = |wanted: &Option<String>, text: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == text)
        };
        let EntryFilter { actor, token, .. } = self.filter;
        let is_by = is(actor, &entry.draft.actor) && is(token, &entry.draft.token);
        Ok(is_by.then_some(entry))
    }

    /// Puts the names in an entry as they may be told. What it was stored as, over
    /// which its hash is, is left out then.
    async fn sign(&mut self, store: &dyn Store, entry: &mut AuditEntry) -> Result<(), ApiError> {
        if self.principal.reach.is_whole() {
            return Ok(());
        }
        let draft = &mut entry.draft;
        let told = self.names.told_of(store, &draft.actor, &draft.token).await?;
        let mut is_other = told != draft.actor;
        if is_other {
            // A sentence begins with who did it.
            if let Some(rest) = draft.sentence.strip_prefix(&*draft.actor) {
                draft.sentence = format!("{told}{rest}").into();
            }
            (draft.actor, draft.token, draft.address) = (told, "".into(), None);
        }
        for side in [&mut draft.before, &mut draft.after].into_iter().flatten() {
            let Ok(mut value) = serde_json::from_str::<Value>(side) else { continue };
            let mut signed = false;
            for text in signers(&mut value) {
                let (before, name, after) = parts(text);
                let told = self.names.told(store, name).await?;
                let told = format!("{before}{told}{after}");
                signed |= told != *text;
                *text = told;
            }
            if signed {
                *side = value.to_string().into();
            }
            is_other |= signed;
        }
        if is_other {
            entry.body.clear();
        }
        Ok(())
    }

    /// Whether an entry is wanted and may be seen, whoever made it.
    fn takes(&self, draft: &AuditDraft) -> bool {
        let EntryFilter { action, kind, key, tenant, since, until, .. } = self.filter;
        let is = |wanted: &Option<String>, text: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == text)
        };
        let acts = action.as_deref().is_none_or(|wanted| {
            let rest = draft.action.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        self.principal.sees(&draft.tenant, &draft.site)
            && acts
            && is(kind, &draft.kind)
            && is(key, &draft.key)
            && is(tenant, &draft.tenant)
            && self.request.is_none_or(|request| request == draft.request)
            && since.is_none_or(|since| draft.at >= since)
            && until.is_none_or(|until| draft.at <= until)
    }
}
