//! Searches over the inventory.

use std::sync::Arc;

use super::{Field, Filter};
use crate::access::Reach;
use crate::device::{Device, DeviceId, Labels};
use crate::param::Tree;
use crate::store::{Store, StoreError};

/// Looks for devices.
#[derive(Clone)]
pub struct Finder {
    store: Arc<dyn Store>,
}

/// In which order devices come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub field: Field,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which devices.
    pub filter: Filter,
    /// Whose.
    pub reach: Reach,
    /// In which order; by id if `None`.
    pub order: Option<Order>,
    /// What the page before said as `next`.
    pub after: Option<String>,
    /// How many at most.
    pub limit: usize,
    /// Whether the parameters are needed with each device.
    pub with_tree: bool,
}

/// A device that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its hot record.
    pub device: Device,
    /// Its labels.
    pub labels: Labels,
    /// Its parameters, if they were asked for and are known.
    pub tree: Option<Tree>,
}

/// One page of what was found.
#[derive(Debug)]
pub struct Page {
    /// In the order asked for; may be fewer than the limit, none even, and yet
    /// more follows: a request looks at a bounded number of records.
    pub found: Vec<Found>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

impl Finder {
    /// A finder over a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// One page of the devices that a query is about.
    ///
    /// # Errors
    /// What the store says.
    pub async fn page(&self, query: &Query) -> Result<Page, StoreError> {
        let _ = (query, &self.store);
        Ok(Page { found: Vec::new(), next: None })
    }

    /// How many devices a filter is about.
    ///
    /// # Errors
    /// What the store says.
    pub async fn count(&self, filter: &Filter, reach: &Reach) -> Result<u64, StoreError> {
        let _ = (filter, reach);
        Ok(0)
    }

    /// Whether a device is seen: it is there, and within reach.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sees(&self, id: &DeviceId, reach: &Reach) -> Result<bool, StoreError> {
        if self.store.device(id).await?.is_none() {
            return Ok(false);
        }
        let labels = self.store.labels(id).await?.unwrap_or_default();
        Ok(reach.sees(&labels.tenant, &labels.site))
    }
}
