//! News as events of a stream (WHATWG HTML, server-sent events): an id, a type
//! and a line of JSON.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::ids::{self, EventIds};
use crate::access::Reach;
use crate::news::{News, NewsDraft, NewsView};

/// A piece of news, and its event, written once for all who see everything and
/// once for all others.
pub struct Told {
    /// Its number.
    pub number: u64,
    /// What it says.
    pub draft: NewsDraft,
    ids: Arc<EventIds>,
    whole: OnceLock<Bytes>,
    hidden: OnceLock<Bytes>,
}

impl Told {
    /// News that is to be told.
    pub fn new(news: News, ids: &Arc<EventIds>) -> Self {
        Self {
            number: news.number,
            draft: news.draft,
            ids: ids.clone(),
            whole: OnceLock::new(),
            hidden: OnceLock::new(),
        }
    }

    /// The event, for whoever sees this far.
    pub fn frame(&self, reach: &Reach) -> Bytes {
        let frame = if reach.is_whole() {
            self.whole.get_or_init(|| self.write(ids::plain(self.number)))
        } else {
            self.hidden.get_or_init(|| self.write(self.ids.hidden(self.number)))
        };
        frame.clone()
    }

    fn write(&self, id: String) -> Bytes {
        let kind = self.draft.kind.word();
        let json = NewsView::new(id.clone(), self.draft.clone()).to_json();
        Bytes::from(format!("id: {id}\nevent: {kind}\ndata: {json}\n\n"))
    }
}

/// The event that tells of news that is no longer kept, or of an id that was never
/// given: from the first to the last of them, as far as that may be told.
pub fn gap_frame(first: u64, last: u64, ids: &EventIds, reach: &Reach) -> Bytes {
    let (first, last) = (ids.of(first, reach), ids.of(last, reach));
    Bytes::from(format!(
        "id: {last}\nevent: gap\ndata: {{\"kind\":\"gap\",\"first\":\"{first}\",\"last\":\"{last}\"}}\n\n"
    ))
}
