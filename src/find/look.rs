//! Looking at one device: what is needed of it is loaded, and no more, the
//! cheapest first.

use super::order::Place;
use super::{Filter, Found, Order, Query};
use crate::access::Reach;
use crate::device::{Device, Labels};
use crate::expr::Subject;
use crate::param::{Extent, Tree};
use crate::store::{Store, StoreError, phone_of};
use crate::time::Timestamp;

/// A filter taken apart: what is asked first because it costs least.
#[derive(Debug)]
pub(super) struct Looker {
    reach: Reach,
    /// What the hot record answers.
    hot: Vec<Filter>,
    /// What the labels answer as well.
    labelled: Vec<Filter>,
    /// What asks for more.
    deep: Vec<Filter>,
    /// What those that ask for more read of a tree.
    reads: Extent,
    /// That, and what is needed of a tree besides: it is read once.
    parameters: Extent,
    needs_phone: bool,
    now: Timestamp,
}

/// What is loaded of a device.
#[derive(Default)]
pub(super) struct Loaded {
    labels: Option<Labels>,
    /// Whether the tree was asked for, and what came of it.
    tree: Option<Option<Tree>>,
}

impl Looker {
    /// For what a query asks, what is needed of each device, and its place in the
    /// order.
    pub(super) fn of_query(query: &Query, now: Timestamp) -> Self {
        let mut looker = Self::new(&query.filter, &query.reach, now);
        looker.parameters = looker.reads.with(&query.parameters);
        if let Some(order) = &query.order {
            looker.parameters = looker.parameters.with(&order.field.parameters());
        }
        looker
    }

    pub(super) fn new(filter: &Filter, reach: &Reach, now: Timestamp) -> Self {
        let mut looker = Self {
            reach: reach.clone(),
            hot: Vec::new(),
            labelled: Vec::new(),
            deep: Vec::new(),
            reads: Extent::Nothing,
            parameters: Extent::Nothing,
            needs_phone: false,
            now,
        };
        looker.take(filter);
        looker.parameters = looker.reads.clone();
        looker
    }

    fn take(&mut self, filter: &Filter) {
        match filter {
            Filter::All => {}
            Filter::And(parts) => parts.iter().for_each(|part| self.take(part)),
            part if part.needs_tree() || part.needs_phone() => {
                self.reads = self.reads.with(&part.parameters());
                self.needs_phone |= part.needs_phone();
                self.deep.push(part.clone());
            }
            part if part.needs_labels() => self.labelled.push(part.clone()),
            part => self.hot.push(part.clone()),
        }
    }

    /// Whether every device is meant.
    pub(super) const fn takes_all(&self) -> bool {
        self.hot.is_empty() && self.labelled.is_empty() && self.deep.is_empty()
    }

    /// Whether parameters are looked at, which costs far more than all else.
    pub(super) const fn needs_tree(&self) -> bool {
        !self.reads.is_nothing()
    }

    /// Whether a device is seen and meant; what was loaded for it.
    pub(super) async fn look(
        &self,
        store: &dyn Store,
        device: &Device,
    ) -> Result<Option<Loaded>, StoreError> {
        let mut loaded = Loaded::default();
        let nothing = Labels::default();
        let subject = Subject { device, labels: &nothing, tree: None, phone: None, now: self.now };
        if !self.hot.iter().all(|part| part.matches(&subject)) {
            return Ok(None);
        }
        let is_deep = !self.deep.is_empty();
        if is_deep || !self.labelled.is_empty() || !self.reach.is_whole() {
            let labels = store.labels(&device.id).await?.unwrap_or_default();
            let fits = self.reach.sees(&labels.tenant, &labels.site) && {
                let subject = Subject { labels: &labels, ..subject };
                self.labelled.iter().all(|part| part.matches(&subject))
            };
            if !fits {
                return Ok(None);
            }
            loaded.labels = Some(labels);
        }
        if is_deep {
            if self.needs_tree() {
                loaded.load_tree(store, device, &self.parameters).await?;
            }
            let labels = loaded.labels.as_ref().unwrap_or(&nothing);
            let phone = match self.needs_phone {
                true => phone_of(store, device, labels).await?,
                false => None,
            };
            // It may stand at a site of the tenant that is not seen.
            let phone = phone.filter(|phone| self.reach.sees(&labels.tenant, &phone.site));
            let subject = Subject {
                labels,
                tree: loaded.tree.as_ref().and_then(Option::as_ref),
                phone: phone.as_ref(),
                ..subject
            };
            if !self.deep.iter().all(|part| part.matches(&subject)) {
                return Ok(None);
            }
        }
        Ok(Some(loaded))
    }

    /// The place of a device in an order.
    pub(super) async fn place(
        &self,
        store: &dyn Store,
        order: &Order,
        device: &Device,
        loaded: &mut Loaded,
    ) -> Result<Place, StoreError> {
        if order.field.needs_labels() {
            loaded.load_labels(store, device).await?;
        }
        if order.field.needs_tree() {
            loaded.load_tree(store, device, &self.parameters).await?;
        }
        let nothing = Labels::default();
        Ok(order.place(&Subject {
            device,
            labels: loaded.labels.as_ref().unwrap_or(&nothing),
            tree: loaded.tree.as_ref().and_then(Option::as_ref),
            phone: None,
            now: self.now,
        }))
    }
}

impl Loaded {
    async fn load_labels(&mut self, store: &dyn Store, device: &Device) -> Result<(), StoreError> {
        if self.labels.is_none() {
            self.labels = Some(store.labels(&device.id).await?.unwrap_or_default());
        }
        Ok(())
    }

    async fn load_tree(
        &mut self,
        store: &dyn Store,
        device: &Device,
        parameters: &Extent,
    ) -> Result<(), StoreError> {
        if self.tree.is_none() {
            self.tree = Some(store.tree_within(&device.id, parameters).await?);
        }
        Ok(())
    }

    /// The device as it is told.
    pub(super) async fn found(
        mut self,
        looker: &Looker,
        query: &Query,
        store: &dyn Store,
        device: Device,
    ) -> Result<Found, StoreError> {
        self.load_labels(store, &device).await?;
        let with_tree = !query.parameters.is_nothing();
        if with_tree {
            self.load_tree(store, &device, &looker.parameters).await?;
        }
        let tree = self.tree.flatten().filter(|_| with_tree);
        Ok(Found { device, labels: self.labels.unwrap_or_default(), tree })
    }
}
