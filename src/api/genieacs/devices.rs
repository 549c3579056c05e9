//! `/devices`: searches, and changes of what stands beside a device.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Response;

use super::super::labels::first_wrong;
use super::super::state::{Shared, State as Inner};
use super::super::stream::{Cut, Gone, Pieces, streamed};
use super::device_document::{Needs, document};
use super::ids;
use super::node::Node;
use super::query::{self, Collection};
use super::reply::{self, Refusal};
use super::shape::Asked;
use crate::access::Principal;
use crate::device::{DeviceId, LabelsChange};
use crate::find::{self, Filter, Found, Matches};
use crate::store::{Batch, Change, Record, StoreError};

/// Devices that are looked at in one step.
const CHUNK: usize = 200;

/// Devices of which the order is kept at once.
const MAX_SORTED: usize = 100_000;

/// Devices that are remembered from counting them.
const MAX_REMEMBERED: usize = 10_000;

/// How often a change of labels is tried again when somebody was quicker.
const ATTEMPTS: u32 = 5;

/// A search that is under way.
struct Search {
    state: Shared,
    principal: Principal,
    asked: Asked,
    filter: Filter,
    /// Whether the filter alone decides.
    exact: bool,
    /// The order, if it is one that needs no documents.
    order: Option<find::Order>,
}

/// Which devices an answer holds.
enum Members {
    /// Those that are found, as they come.
    Found,
    /// These.
    These(Vec<DeviceId>),
}

/// `GET /devices`.
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    method: Method,
    uri: Uri,
) -> Result<Response, Refusal> {
    let asked = Asked::read(&uri, Collection::Devices)?;
    let (filter, exact) = match query::filter(&asked.condition) {
        (filter, exact) if filter.check().is_ok() => (filter, exact),
        // Too much for a filter, as a long list of ids is: each device is looked at.
        _ => (Filter::All, false),
    };
    let order = query::order(&asked.order).filter(|_| exact);
    let search = Search { state, principal, asked, filter, exact, order };
    let (total, members) = search.count().await?;
    if method == Method::HEAD {
        return Ok(reply::listed(total, Body::empty()));
    }
    let body = streamed(async move |mut pieces| {
        let end = search.send(members, &mut pieces).await;
        pieces.end(end).await;
    });
    Ok(reply::listed(total, body))
}

impl Search {
    /// How many devices there are, and which the answer holds.
    async fn count(&self) -> Result<(u64, Members), Refusal> {
        if self.exact && (self.asked.order.is_empty() || self.order.is_some()) {
            let finder = &self.state.deps.finder;
            let total = finder.count(&self.filter, &self.principal.reach).await?;
            return Ok((total, Members::Found));
        }
        let mut paths: Vec<&str> = Vec::new();
        self.asked.condition.paths(&mut |path| paths.push(path));
        paths.extend(self.asked.order.iter().map(|key| &*key.path));
        let needs = Needs::of(paths.into_iter());
        let is_sorted = !self.asked.order.is_empty();
        let mut total = 0_u64;
        let mut kept: Vec<(Vec<Node>, DeviceId)> = Vec::new();
        let mut matches = self.matches(&needs, CHUNK);
        while let Some(chunk) = matches.next().await? {
            for found in chunk {
                let document = document(&found, &needs);
                if !self.exact && !query::fits(&self.asked.condition, &document) {
                    continue;
                }
                total += 1;
                if is_sorted && kept.len() >= MAX_SORTED {
                    return Err(Refusal::bad(format!(
                        "Error: more than {MAX_SORTED} devices are to be sorted; ask for fewer of them by a query"
                    )));
                }
                if is_sorted || kept.len() <= MAX_REMEMBERED {
                    kept.push((self.asked.keys_of(&document), found.device.id));
                }
            }
        }
        if !is_sorted && kept.len() > MAX_REMEMBERED {
            return Ok((total, Members::Found));
        }
        kept.sort_by(|(one, a), (two, b)| self.asked.compare(one, two).then_with(|| a.cmp(b)));
        let window = kept.into_iter().skip(self.asked.skip).take(self.asked.limit);
        Ok((total, Members::These(window.map(|(_, id)| id).collect())))
    }

    /// What the filter finds, so many at once.
    fn matches(&self, needs: &Needs, chunk: usize) -> Matches {
        self.state.deps.finder.stream(find::Query {
            filter: self.filter.clone(),
            reach: self.principal.reach.as_ref().clone(),
            order: self.order.clone(),
            after: None,
            limit: chunk,
            parameters: needs.parameters(),
        })
    }

    /// Sends the list, piece by piece, for as long as anybody reads.
    async fn send(&self, members: Members, pieces: &mut Pieces) -> Result<(), Cut> {
        let needs = self.needs();
        pieces.write(b"[\n").await?;
        let mut out = Out { pieces, documents: 0 };
        match members {
            Members::Found => self.send_found(&needs, &mut out).await?,
            Members::These(ids) => {
                for id in ids {
                    let Some(found) = self.again(&id, &needs).await? else { continue };
                    out.add(&self.asked.shaped(document(&found, &needs))).await?;
                }
            }
        }
        Ok(pieces.write(b"\n]").await?)
    }

    /// What is needed of each device to show it and to judge it.
    fn needs(&self) -> Needs {
        let Some(projection) = &self.asked.projection else { return Needs::All };
        let mut paths: Vec<&str> = projection.paths.iter().map(|path| &**path).collect();
        if !self.exact {
            self.asked.condition.paths(&mut |path| paths.push(path));
        }
        Needs::of(paths.into_iter())
    }

    async fn send_found(&self, needs: &Needs, out: &mut Out<'_>) -> Result<(), Cut> {
        let (mut skip, mut left) = (self.asked.skip, self.asked.limit);
        let window = skip.saturating_add(left);
        let mut matches = self.matches(needs, CHUNK.min(window));
        while let Some(chunk) = matches.next().await? {
            for found in chunk {
                // Nothing is made of what is passed over.
                if self.exact && skip > 0 {
                    skip -= 1;
                    continue;
                }
                let document = document(&found, needs);
                if !self.exact && !query::fits(&self.asked.condition, &document) {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                left -= 1;
                out.add(&self.asked.shaped(document)).await?;
                if left == 0 {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A device that was found a moment ago.
    async fn again(&self, id: &DeviceId, needs: &Needs) -> Result<Option<Found>, StoreError> {
        let store = self.state.store();
        let Some(device) = store.device(id).await? else { return Ok(None) };
        let labels = store.labels(id).await?.unwrap_or_default();
        if !self.principal.sees(&labels.tenant, &labels.site) {
            return Ok(None);
        }
        let tree = store.tree_within(id, &needs.parameters()).await?;
        Ok(Some(Found { device, labels, tree }))
    }
}

/// A list on its way out.
struct Out<'a> {
    pieces: &'a mut Pieces,
    documents: u64,
}

impl Out<'_> {
    /// Adds a document.
    ///
    /// # Errors
    /// [`Gone`] when nobody reads any more.
    async fn add(&mut self, document: &Node) -> Result<(), Gone> {
        let before = if self.documents > 0 { ",\n" } else { "" };
        self.documents += 1;
        // A document is made of what JSON can say.
        let text = serde_json::to_string(document).unwrap_or_default();
        self.pieces.write(format!("{before}{text}").as_bytes()).await
    }
}

/// `POST /devices/<id>/tags/<tag>`.
pub(super) async fn add_tag(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let tag = ids::name(uri.path(), 3)?;
    let change = LabelsChange { add_tags: vec![tag], ..LabelsChange::default() };
    relabel(&state, &principal, uri.path(), change).await
}

/// `DELETE /devices/<id>/tags/<tag>`.
pub(super) async fn remove_tag(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let tag = ids::name(uri.path(), 3)?;
    let change = LabelsChange { remove_tags: vec![tag], ..LabelsChange::default() };
    relabel(&state, &principal, uri.path(), change).await
}

async fn relabel(
    state: &Inner,
    principal: &Principal,
    path: &str,
    change: LabelsChange,
) -> Result<Response, Refusal> {
    let id = ids::device(state, principal, ids::segment(path, 1)).await?.id;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let stored = state.store().labels(&id).await?.unwrap_or_default();
        let mut labels = stored.clone();
        change.clone().apply(&mut labels).map_err(first_wrong)?;
        if labels.says_the_same(&stored) {
            return Ok(reply::empty());
        }
        labels.revision = labels.revision.saturating_add(1);
        match state.store().commit(Record::Labels(id.clone(), labels).into()).await {
            Ok(()) => return Ok(reply::empty()),
            Err(StoreError::Conflict(_)) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// `DELETE /devices/<id>`; also of what is not there.
pub(super) async fn forget(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let device = match ids::device(&state, &principal, ids::segment(uri.path(), 1)).await {
        Ok(device) => device,
        Err(Refusal::NoDevice) => return Ok(reply::empty()),
        Err(refusal) => return Err(refusal),
    };
    let mut batch = Batch::new();
    batch.push(Change::ForgetDevice(device.id));
    state.store().commit(batch).await?;
    Ok(reply::empty())
}
