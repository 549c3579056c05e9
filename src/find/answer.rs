//! Answering a query: along an index that gives its order, or by looking at each
//! device that an index names, or at all.

use std::collections::BinaryHeap;
use std::ops::Bound;
use std::time::Duration;

use super::look::Looker;
use super::order::{Place, cursor, cursor_of_id, key_of_time, read_cursor, read_id, time_of_key};
use super::plan::{Choice, Leaf, Plan, span_of, times_of};
use super::walk::{CHUNK, Walk, choose, has_all};
use super::{
    Field, Filter, FilterError, FindError, Finder, Found, MAX_LOOKS, MAX_PAGE, MAX_SORTED, Order,
    Page, Query,
};
use crate::access::Reach;
use crate::device::DeviceId;
use crate::store::{StoreError, TermSpan};
use crate::term::{Index, Term};
use crate::time::Timestamp;

/// How many devices one page looks at if their parameters are looked at.
const MAX_DEEP_LOOKS: usize = 2_000;

/// A set of so many devices is put in order by hand rather than found along the
/// index that gives the order.
const SMALL: usize = if cfg!(test) { 4 } else { 2_000 };

/// How long a search waits for the order of the last Informs after a start.
const WAIT: Duration = Duration::from_millis(500);

/// What a query comes to.
pub(super) enum Answer {
    /// A page.
    Page(Page),
    /// The first places of an order that no index gives.
    Sorted(Vec<Place>),
}

/// What gives an order.
enum Along {
    /// An index.
    Index(Index, TermSpan),
    /// The order of the last Informs.
    Informed(Bound<Timestamp>, Bound<Timestamp>),
    /// Ids, the greatest first.
    IdsBack,
}

impl Finder {
    /// Answers a query; what is put in order by hand, up to so many.
    pub(super) async fn answer(&self, query: &Query, most: usize) -> Result<Answer, FindError> {
        query.filter.check()?;
        let order = match &query.order {
            None | Some(Order { field: Field::Id, descending: false }) => {
                return self.by_id(query).await.map(Answer::Page);
            }
            Some(order) => order,
        };
        order.check()?;
        let after = query.after.as_deref().map(read_cursor).transpose()?;
        let choice = self.choice(&query.filter, &query.reach).await?;
        let is_small = choice.as_ref().is_some_and(|choice| choice.size <= SMALL);
        if !is_small && let Some(along) = self.along(order, &query.filter).await {
            let terms = choice.map(terms_of).unwrap_or_default();
            return self.ordered(query, order, &along, &terms, after).await.map(Answer::Page);
        }
        let walk = self.walk_of(choice, None).await?;
        self.sorted(query, order, walk, after, most).await.map(Answer::Sorted)
    }

    /// The smallest set of devices to look at; `None` if that is all.
    async fn choice(&self, filter: &Filter, reach: &Reach) -> Result<Option<Choice>, StoreError> {
        let indexes = self.store.indexes();
        match Plan::of(filter, reach).filter(|_| indexes.indexing().terms) {
            Some(plan) => choose(indexes, plan).await,
            None => Ok(None),
        }
    }

    /// A walk through all devices that may be meant, in the order of ids.
    pub(super) async fn walk(
        &self,
        filter: &Filter,
        reach: &Reach,
        after: Option<DeviceId>,
    ) -> Result<Walk, StoreError> {
        let choice = self.choice(filter, reach).await?;
        self.walk_of(choice, after).await
    }

    async fn walk_of(
        &self,
        choice: Option<Choice>,
        after: Option<DeviceId>,
    ) -> Result<Walk, StoreError> {
        match choice {
            Some(choice) => Walk::chosen(self.store.indexes(), choice, after).await,
            None => Ok(Walk::all(after)),
        }
    }

    /// What gives an order, if anything does.
    async fn along(&self, order: &Order, filter: &Filter) -> Option<Along> {
        let indexes = self.store.indexes();
        match order.field {
            Field::Id => Some(Along::IdsBack),
            Field::LastInform => {
                if !indexes.indexing().informs {
                    // A moment after a start.
                    let _ = tokio::time::timeout(WAIT, indexes.indexed()).await;
                }
                let (from, to) = times_of(filter);
                indexes.indexing().informs.then_some(Along::Informed(from, to))
            }
            _ => {
                let index = order.index().filter(|_| indexes.indexing().terms)?;
                Some(Along::Index(index, span_of(filter, index)))
            }
        }
    }

    /// One page in the order of ids.
    async fn by_id(&self, query: &Query) -> Result<Page, FindError> {
        let looker = Looker::of_query(query, self.clock.now());
        let limit = query.limit.min(MAX_PAGE);
        let mut after = query.after.as_deref().map(read_id).transpose()?;
        let mut walk = self.walk(&query.filter, &query.reach, after.clone()).await?;
        let mut page = Page::default();
        let mut looked = 0;
        while let Some(step) = walk.next(&*self.store, CHUNK.min(limit.max(16))).await? {
            for device in step.devices {
                after = Some(device.id.clone());
                if let Some(loaded) = looker.look(&*self.store, &device).await? {
                    page.found.push(loaded.found(&looker, query, &*self.store, device).await?);
                    if page.found.len() == limit {
                        page.next = after.as_ref().map(cursor_of_id);
                        return Ok(page);
                    }
                }
            }
            after = step.last.or(after);
            looked += step.looked;
            if looked >= looks(&looker) {
                page.next = after.as_ref().map(cursor_of_id);
                return Ok(page);
            }
            tokio::task::yield_now().await;
        }
        Ok(page)
    }

    /// One page along what gives its order.
    async fn ordered(
        &self,
        query: &Query,
        order: &Order,
        along: &Along,
        terms: &[Term],
        mut after: Option<Place>,
    ) -> Result<Page, FindError> {
        let looker = Looker::of_query(query, self.clock.now());
        let limit = query.limit.min(MAX_PAGE);
        let mut page = Page::default();
        let mut looked = 0;
        loop {
            let chunk = CHUNK.min(limit.max(16));
            let places = self.places(along, order, after.as_ref(), chunk).await?;
            let is_last = places.len() < chunk;
            for place in places {
                looked += 1;
                let found = self.at(query, order, &looker, terms, &place).await?;
                after = Some(place);
                if let Some(found) = found {
                    page.found.push(found);
                    if page.found.len() == limit {
                        page.next = after.as_ref().map(cursor);
                        return Ok(page);
                    }
                }
            }
            if is_last {
                return Ok(page);
            }
            if looked >= looks(&looker) {
                page.next = after.as_ref().map(cursor);
                return Ok(page);
            }
            tokio::task::yield_now().await;
        }
    }

    /// The device at a place, if it is meant and its place is still that one.
    async fn at(
        &self,
        query: &Query,
        order: &Order,
        looker: &Looker,
        terms: &[Term],
        place: &Place,
    ) -> Result<Option<Found>, StoreError> {
        if !has_all(self.store.indexes(), terms, &place.id).await? {
            return Ok(None);
        }
        let Some(device) = self.store.device(&place.id).await? else { return Ok(None) };
        let Some(mut loaded) = looker.look(&*self.store, &device).await? else { return Ok(None) };
        if looker.place(&*self.store, order, &device, &mut loaded).await? != *place {
            return Ok(None);
        }
        loaded.found(looker, query, &*self.store, device).await.map(Some)
    }

    /// The next places of an order.
    async fn places(
        &self,
        along: &Along,
        order: &Order,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, FindError> {
        let indexes = self.store.indexes();
        match along {
            Along::Index(index, span) => {
                let after = after.map(|place| (&*place.key, &place.id));
                let entries = indexes.entries(*index, span, after, order.descending, limit).await?;
                Ok(entries.into_iter().map(|(key, id)| Place { key, id }).collect())
            }
            Along::Informed(from, to) => {
                let after = match after {
                    None => None,
                    Some(place) => Some((
                        time_of_key(&place.key).ok_or_else(super::order::unknown_cursor)?,
                        &place.id,
                    )),
                };
                let informed = indexes.informed((*from, *to), after, order.descending, limit);
                let informed = informed.unwrap_or_default().into_iter();
                Ok(informed.map(|(id, at)| Place { key: key_of_time(at), id }).collect())
            }
            Along::IdsBack => {
                let ids = indexes.ids_back(after.map(|place| &place.id), limit).await?;
                let place = |id: DeviceId| Place { key: id.as_str().as_bytes().into(), id };
                Ok(ids.into_iter().map(place).collect())
            }
        }
    }

    /// The first places of an order that no index gives.
    async fn sorted(
        &self,
        query: &Query,
        order: &Order,
        mut walk: Walk,
        from: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Place>, FindError> {
        let looker = Looker::of_query(query, self.clock.now());
        let is_deep = looker.needs_tree() || order.field.needs_tree();
        let most = if is_deep { MAX_SORTED / 10 } else { MAX_SORTED };
        let mut best = Best { places: BinaryHeap::new(), limit, descending: order.descending };
        let mut looked = 0;
        while let Some(step) = walk.next(&*self.store, CHUNK).await? {
            looked += step.looked;
            if looked > most {
                return Err(FilterError(format!(
                    "no index gives this order, and more than {most} devices would have to be put in it: narrow the filter by something that is indexed, or order by another field"
                ))
                .into());
            }
            for device in &step.devices {
                let Some(mut loaded) = looker.look(&*self.store, device).await? else { continue };
                let place = looker.place(&*self.store, order, device, &mut loaded).await?;
                best.offer(place, from.as_ref());
            }
            tokio::task::yield_now().await;
        }
        Ok(best.into_sorted())
    }

    /// The devices of these places, as far as they are still meant.
    pub(super) async fn load(
        &self,
        query: &Query,
        places: &[Place],
    ) -> Result<Vec<Found>, FindError> {
        let looker = Looker::of_query(query, self.clock.now());
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            let Some(device) = self.store.device(&place.id).await? else { continue };
            if let Some(loaded) = looker.look(&*self.store, &device).await? {
                found.push(loaded.found(&looker, query, &*self.store, device).await?);
            }
        }
        Ok(found)
    }
}

/// How many devices one page looks at.
const fn looks(looker: &Looker) -> usize {
    match (looker.needs_tree(), cfg!(test)) {
        (_, true) => 40,
        (true, _) => MAX_DEEP_LOOKS,
        (false, _) => MAX_LOOKS,
    }
}

/// The terms that each device of a choice has.
fn terms_of(choice: Choice) -> Vec<Term> {
    let mut terms = choice.checks;
    if let [Leaf::Term(term)] = choice.leaves.as_slice() {
        terms.push(term.clone());
    }
    terms
}

/// The first places of an order among all that were offered.
struct Best {
    places: BinaryHeap<Ranked>,
    limit: usize,
    descending: bool,
}

/// A place that comes the later the greater it is.
#[derive(PartialEq, Eq)]
struct Ranked(Place, bool);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = self.0.cmp(&other.0);
        if self.1 { order.reverse() } else { order }
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Best {
    fn offer(&mut self, place: Place, from: Option<&Place>) {
        let is_behind =
            from.is_none_or(|from| if self.descending { place < *from } else { place > *from });
        if !is_behind {
            return;
        }
        self.places.push(Ranked(place, self.descending));
        if self.places.len() > self.limit {
            self.places.pop();
        }
    }

    fn into_sorted(self) -> Vec<Place> {
        self.places.into_sorted_vec().into_iter().map(|ranked| ranked.0).collect()
    }
}
