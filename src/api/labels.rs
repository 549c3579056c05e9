//! Labels as the northbound spells them: a change, a view, conditions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::present;
use super::problem::{ApiError, bad_value};
use crate::device::{LabelFault, Labels, LabelsChange};

/// A change of labels. A member that is absent leaves what it is about as it is;
/// `null` takes it away.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelsBody {
    /// The tags from now on, in place of those before.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) tags: Option<Option<Vec<String>>>,
    /// Tags to set besides.
    #[serde(default)]
    pub(super) add_tags: Vec<String>,
    /// Tags to take away.
    #[serde(default)]
    pub(super) remove_tags: Vec<String>,
    /// The tenant; empty for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) tenant: Option<Option<String>>,
    /// The site; empty for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) site: Option<Option<String>>,
    /// Fields of the subscriber by name; `null` or empty forgets one, `***` keeps a
    /// secret. `null` in place of the fields forgets all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub(super) subscriber: Option<Option<BTreeMap<String, Option<String>>>>,
}

impl LabelsBody {
    /// The change that this asks for.
    pub(super) fn change(self) -> LabelsChange {
        let fields = self.subscriber.as_ref().and_then(Option::as_ref);
        LabelsChange {
            tags: self.tags.map(Option::unwrap_or_default),
            add_tags: self.add_tags,
            remove_tags: self.remove_tags,
            tenant: self.tenant.map(Option::unwrap_or_default),
            site: self.site.map(Option::unwrap_or_default),
            clear_subscriber: matches!(self.subscriber, Some(None)),
            subscriber: fields
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()))
                .collect(),
        }
    }

    /// What is to be in place of what is stored, of which secrets alone may be
    /// kept: what is absent is taken away.
    pub(super) fn whole(self, stored: Option<&Labels>) -> Result<Labels, Vec<LabelFault>> {
        let mut change = self.change();
        change.tags.get_or_insert_default();
        change.tenant.get_or_insert_default();
        change.site.get_or_insert_default();
        let mut labels = stored.cloned().unwrap_or_default();
        labels.subscriber.retain(|name, _| change.subscriber.contains_key(&**name));
        change.apply(&mut labels)?;
        Ok(labels)
    }
}

/// The first of what is wrong, for one request.
pub(super) fn first_wrong(faults: Vec<LabelFault>) -> ApiError {
    match faults.into_iter().next() {
        Some(LabelFault { field, problem }) => bad_value(field, problem),
        None => bad_value("labels", "not sound"),
    }
}

/// Labels as they are shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct LabelsView {
    #[schema(value_type = Vec<String>)]
    tags: BTreeSet<Box<str>>,
    tenant: Box<str>,
    site: Box<str>,
    /// What is known of the subscriber; `***` stands for each secret.
    #[schema(value_type = BTreeMap<String, String>)]
    subscriber: BTreeMap<Box<str>, Box<str>>,
}

impl LabelsView {
    /// Labels with their secrets masked.
    pub(super) fn masked(labels: Labels) -> Self {
        let subscriber = labels.shown_subscriber();
        Self { subscriber, ..Self::open(labels) }
    }

    /// Labels with their secrets in clear.
    pub(super) fn open(labels: Labels) -> Self {
        let Labels { tags, tenant, site, subscriber, .. } = labels;
        Self { tags, tenant, site, subscriber }
    }
}

/// Conditions on labels; all must hold.
#[derive(Debug, Default)]
pub(super) struct LabelsFilter {
    pub(super) tag: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) site: Option<String>,
    /// A value, or `NAME=VALUE`.
    pub(super) subscriber: Option<String>,
}

impl LabelsFilter {
    /// Whether all hold.
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        let same = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| *wanted == *text)
        };
        let subscriber = |wanted: &String| match wanted.split_once('=') {
            Some((name, value)) => labels.has_subscriber(Some(name), value),
            None => labels.has_subscriber(None, wanted),
        };
        self.tag.as_ref().is_none_or(|tag| labels.tags.contains(tag.as_str()))
            && same(&self.tenant, &labels.tenant)
            && same(&self.site, &labels.site)
            && self.subscriber.as_ref().is_none_or(subscriber)
    }
}
