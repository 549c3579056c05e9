//! Phones in another order than that of their addresses.

use super::Filter;
use super::view::PhoneView;
use crate::access::Principal;
use crate::api::paging::{MAX_LIMIT, MAX_SCAN, Page};
use crate::api::problem::ApiError;
use crate::api::sorted::{Columns, Key, Sorting, too_many};
use crate::api::state::State as Inner;
use crate::api::within::Eyes;
use crate::phone::Mac;
use crate::time::Timestamp;

/// When a phone last fetched a file: the one column that is looked up.
const LAST_SEEN: &str = "last_seen";

/// A phone as far as it is sorted by it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) mac: String,
    vendor: &'static str,
    model: Box<str>,
    site: Box<str>,
    enabled: bool,
    last_seen: Option<Timestamp>,
}

/// What phones can be sorted by.
pub(super) const COLUMNS: Columns<Line> = &[
    ("mac", |line| Key::from(&*line.mac)),
    ("vendor", |line| line.vendor.into()),
    ("model", |line| Key::from(&*line.model)),
    ("site", |line| Key::from(&*line.site)),
    ("enabled", |line| line.enabled.into()),
    (LAST_SEEN, |line| line.last_seen.into()),
];

/// All phones that are meant and seen, if there are not too many phones to be looked
/// at for it.
pub(super) async fn lines(
    state: &Inner,
    eyes: &mut Eyes<'_>,
    filter: &Filter,
    sorting: &Sorting<Line>,
) -> Result<Vec<Line>, ApiError> {
    let (mut lines, mut after, mut looked_at): (Vec<Line>, Option<Mac>, _) = (Vec::new(), None, 0);
    loop {
        let phones = state.store().phones(after, MAX_LIMIT).await?;
        let Some(last) = phones.last() else { return Ok(lines) };
        after = Some(last.mac);
        looked_at += phones.len();
        if looked_at > MAX_SCAN {
            return Err(too_many("phones", "MAC"));
        }
        for phone in phones {
            if !filter.matches(&phone) || !eyes.site(&phone.site).await? {
                continue;
            }
            let seen = match sorting.is_by(LAST_SEEN) {
                true => state.store().seen(phone.mac).await?,
                false => None,
            };
            lines.push(Line {
                mac: phone.mac.to_string(),
                vendor: phone.vendor.word(),
                model: phone.model,
                site: phone.site,
                enabled: phone.enabled,
                last_seen: seen.map(|seen| seen.at),
            });
        }
    }
}

/// The phones of a page. One that was forgotten meanwhile, or has moved out of
/// sight, is left out.
pub(super) async fn views(
    state: &Inner,
    principal: &Principal,
    eyes: &mut Eyes<'_>,
    page: Page<Line>,
) -> Result<Page<PhoneView>, ApiError> {
    let mut items = Vec::with_capacity(page.items.len());
    for line in page.items {
        let Ok(mac) = line.mac.parse() else { continue };
        if let Some(phone) = state.store().phone(mac).await?
            && eyes.site(&phone.site).await?
        {
            items.push(PhoneView::load(state, principal, phone).await?);
        }
    }
    Ok(Page { items, next: page.next })
}
