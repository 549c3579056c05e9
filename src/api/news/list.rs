//! `GET /events`: what happened, newest or oldest first.

use axum::Extension;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{bad_id, filter};
use crate::access::Principal;
use crate::api::extract::Query;
use crate::api::paging::{self, MAX_SCAN, Page};
use crate::api::problem::{ApiError, Problem};
use crate::api::state::{Shared, State as Inner};
use crate::news::{News, NewsFilter, NewsView};

/// News read in one go.
const READ: u64 = 500;

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum Order {
    /// The newest.
    #[default]
    Newest,
    /// The oldest that is kept.
    Oldest,
}

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct NewsQuery {
    /// Only these kinds, with commas between: `device.boot,device.offline`.
    kind: Option<String>,
    /// Only of this device.
    device: Option<String>,
    /// Only of this tenant.
    tenant: Option<String>,
    /// Only from this site.
    site: Option<String>,
    /// `newest` first, or `oldest`; `newest` if not given.
    #[serde(default)]
    #[param(inline)]
    order: Order,
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before, or the id of an event.
    after: Option<String>,
}

/// Lists what happened
#[utoipa::path(get, path = "/api/v1/events", tag = "events", operation_id = "list_news",
    params(NewsQuery),
    responses((status = 200, body = Page<NewsView>), (status = 400, body = Problem)))]
pub(in crate::api) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<NewsQuery>,
) -> Result<axum::Json<Page<NewsView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let wanted = filter(query.kind.as_deref(), query.device.as_deref(), query.tenant, query.site)?;
    let ids = state.deps.hub.ids();
    let after = match query.after.as_deref() {
        None => None,
        Some(id) => Some(ids.behind(id, &principal.reach).ok_or_else(|| bad_id("after"))?),
    };
    let mut reading = Reading {
        state: &state,
        principal: &principal,
        filter: wanted,
        limit,
        looked_at: 0,
        items: Vec::new(),
        last: None,
    };
    let is_cut = match query.order {
        Order::Newest => reading.newest(after).await?,
        Order::Oldest => reading.oldest(after).await?,
    };
    let next = reading.last.filter(|_| is_cut).map(|last| ids.of(last, &principal.reach));
    let view = |news: News| NewsView::new(ids.of(news.number, &principal.reach), news.draft);
    let items = reading.items.into_iter().map(view).collect();
    Ok(axum::Json(Page { items, next }))
}

/// A page that is being filled.
struct Reading<'a> {
    state: &'a Inner,
    principal: &'a Principal,
    filter: NewsFilter,
    limit: usize,
    looked_at: usize,
    items: Vec<News>,
    /// The number of the last news that was looked at.
    last: Option<u64>,
}

impl Reading<'_> {
    /// Whether there may be more.
    async fn oldest(&mut self, after: Option<u64>) -> Result<bool, ApiError> {
        let office = self.state.store().office();
        let mut from = after.unwrap_or(0);
        loop {
            let page = office.news(from, usize::try_from(READ).unwrap_or(usize::MAX)).await?;
            let Some(last) = page.last() else { return Ok(false) };
            from = last.number.saturating_add(1);
            for news in page {
                if self.take(news) {
                    return Ok(true);
                }
            }
        }
    }

    /// The same, backwards; `after` is the number behind the one after which it goes on.
    async fn newest(&mut self, after: Option<u64>) -> Result<bool, ApiError> {
        let office = self.state.store().office();
        let (first, end) = office.news_range().await?;
        let mut end = after.map_or(end, |after| after.saturating_sub(1).min(end));
        while end > first {
            let from = end.saturating_sub(READ).max(first);
            let count = usize::try_from(end - from).unwrap_or(usize::MAX);
            let page = office.news(from, count).await?;
            for news in page.into_iter().rev().filter(|news| news.number < end) {
                if self.take(news) {
                    return Ok(self.last.is_some_and(|last| last > first));
                }
            }
            end = from;
        }
        Ok(false)
    }

    /// Looks at one piece of news; whether that is enough.
    fn take(&mut self, news: News) -> bool {
        self.last = Some(news.number);
        self.looked_at += 1;
        if self.filter.takes(&self.principal.reach, &news.draft) {
            self.items.push(news);
        }
        self.items.len() >= self.limit || self.looked_at >= MAX_SCAN
    }
}
