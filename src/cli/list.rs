//! Lists over as many pages as asked for.

use serde_json::{Value, json};

use super::CliError;
use super::client::{Client, encode};

/// The largest page that the server gives.
const PAGE: usize = 1000;

/// How much of a list is wanted.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Listing {
    /// Items at most
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// All items, however many
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl Listing {
    /// All items, however many.
    pub(super) const ALL: Self = Self { limit: 0, all: true };
}

/// Reads a list with filters, page after page, into one answer of the same
/// shape.
pub(super) async fn pages(
    client: &Client,
    path: &str,
    filters: &[(&str, Option<String>)],
    listing: Listing,
) -> Result<Value, CliError> {
    let mut query = String::new();
    for (key, value) in filters {
        if let Some(value) = value {
            query.push_str(&format!("&{key}={}", encode(value)));
        }
    }
    let wanted = if listing.all { usize::MAX } else { listing.limit.max(1) };
    let mut items: Vec<Value> = Vec::new();
    let mut after = String::new();
    loop {
        let limit = wanted.saturating_sub(items.len()).min(PAGE);
        let mut page = client.get(&format!("{path}?limit={limit}{query}{after}")).await?;
        if let Some(more) = page["items"].as_array_mut() {
            items.append(more);
        }
        match page["next"].as_str() {
            Some(next) if items.len() < wanted => after = format!("&after={}", encode(next)),
            next => return Ok(json!({"items": items, "next": next})),
        }
    }
}
