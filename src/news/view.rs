//! News as it is told: the same JSON in the stream, in lists and to webhooks.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{NewsDraft, NewsKind, NewsValue};
use crate::time::Timestamp;

/// What happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewsView {
    /// Names it: the event's id in the stream.
    id: String,
    /// When.
    #[schema(value_type = String)]
    at: Timestamp,
    /// What kind it is.
    #[schema(value_type = String, example = "device.boot")]
    kind: NewsKind,
    /// The device it is about; null if it is about none.
    #[schema(value_type = Option<String>)]
    device: Option<Box<str>>,
    /// Whose it is; empty for nobody's.
    tenant: Box<str>,
    /// The site where it happened; may be empty.
    site: Box<str>,
    /// What happened, in words.
    text: Box<str>,
    /// What there is besides: `task`, `outcome`, `campaign`, `from` and the like.
    #[schema(value_type = BTreeMap<String, String>)]
    details: BTreeMap<Box<str>, Box<str>>,
    /// The first values that changed.
    values: Vec<NewsValue>,
}

impl NewsView {
    /// News under an id.
    pub fn new(id: String, draft: NewsDraft) -> Self {
        Self {
            id,
            at: draft.at,
            kind: draft.kind,
            device: draft.device.map(|id| id.as_str().into()),
            tenant: draft.tenant,
            site: draft.site,
            text: draft.text,
            details: draft.details,
            values: draft.values,
        }
    }

    /// The JSON, in one line.
    pub fn to_json(&self) -> String {
        // Texts and numbers: there is nothing that could not be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}
