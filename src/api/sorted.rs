//! `sort=…` for lists that are read whole: their items are few, and are put in order
//! anew for each page. A cursor holds what the last item is sorted by, so that pages
//! stay right while items come and go.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::paging::{self, GIVE_BACK, MAX_SCAN, Page};
use super::problem::{ApiError, bad_value};
use crate::expr::nearest;
use crate::time::Timestamp;

/// What an item is sorted by. What is not there comes first; texts are compared in
/// any case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Key {
    Nothing,
    Truth(bool),
    Number(i64),
    Text(String),
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::Nothing } else { Self::Text(text.to_lowercase()) }
    }
}

impl From<bool> for Key {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Key {
    fn from(time: Timestamp) -> Self {
        Self::Number(time.as_millis())
    }
}

impl<K: Into<Self>> From<Option<K>> for Key {
    fn from(key: Option<K>) -> Self {
        key.map_or(Self::Nothing, Into::into)
    }
}

/// What the items of a list can be sorted by, each with what stands in it.
pub(super) type Columns<T> = &'static [(&'static str, fn(&T) -> Key)];

/// The order that was asked for.
#[derive(Debug)]
pub(super) struct Sorting<T: 'static> {
    /// As it was asked for.
    text: String,
    key: fn(&T) -> Key,
    descending: bool,
}

/// Where a page ended: what a cursor holds.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    sort: String,
    key: Key,
    id: String,
}

impl<T: 'static> Sorting<T> {
    /// Reads `sort=…`: a column, with `-` before it for the greatest first; `None` if
    /// no order was asked for.
    ///
    /// # Errors
    /// [`ApiError::BadValue`] for what the list cannot be sorted by, with what it can.
    pub(super) fn read(text: Option<&str>, columns: Columns<T>) -> Result<Option<Self>, ApiError> {
        let Some(text) = text else { return Ok(None) };
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        if let Some((_, key)) = columns.iter().find(|(known, _)| *known == name) {
            return Ok(Some(Self { text: text.to_owned(), key: *key, descending }));
        }
        let names = columns.iter().map(|(known, _)| *known);
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("by {}", names.collect::<Vec<_>>().join(", ")),
        };
        Err(bad_value("sort", format!("this list is not sorted by that; {hint}")))
    }

    /// Whether the list is sorted by this column.
    pub(super) fn is_by(&self, name: &str) -> bool {
        self.text.strip_prefix('-').unwrap_or(&self.text) == name
    }

    fn compare(&self, (a, a_id): (&Key, &str), (b, b_id): (&Key, &str)) -> Ordering {
        let keys = a.cmp(b);
        if self.descending { keys.reverse() } else { keys }.then_with(|| a_id.cmp(b_id))
    }

    /// All items in order, each with what it is sorted by.
    fn in_order(
        &self,
        items: impl IntoIterator<Item = T>,
        id: impl Fn(&T) -> &str,
    ) -> Vec<(Key, T)> {
        let mut keyed: Vec<(Key, T)> =
            items.into_iter().map(|item| ((self.key)(&item), item)).collect();
        keyed.sort_by(|(a, one), (b, other)| self.compare((a, id(one)), (b, id(other))));
        keyed
    }

    /// All items in order, for lists without pages.
    pub(super) fn all(
        &self,
        items: impl IntoIterator<Item = T>,
        id: impl Fn(&T) -> &str,
    ) -> Vec<T> {
        self.in_order(items, id).into_iter().map(|(_, item)| item).collect()
    }

    /// The page that begins behind a cursor.
    ///
    /// # Errors
    /// [`ApiError::BadValue`] for a cursor of another order.
    pub(super) fn page(
        &self,
        items: impl IntoIterator<Item = T>,
        id: impl Fn(&T) -> &str,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<T>, ApiError> {
        let wrong = || bad_value("after", GIVE_BACK);
        let after = match paging::key_after::<String>(after)? {
            None => None,
            Some(text) => {
                let place: Place = serde_json::from_str(&text).map_err(|_| wrong())?;
                if place.sort != self.text {
                    return Err(wrong());
                }
                Some(place)
            }
        };
        let mut rest = self.in_order(items, &id);
        if let Some(Place { key, id: last, .. }) = &after {
            let is_behind =
                |(own, item): &(Key, T)| self.compare((own, id(item)), (key, last)).is_gt();
            rest.retain(is_behind);
        }
        let is_cut = rest.len() > limit;
        rest.truncate(limit);
        let next = rest.last().filter(|_| is_cut).map(|(key, item)| {
            let (sort, key, id) = (self.text.clone(), key.clone(), id(item).to_owned());
            let place = Place { sort, key, id };
            paging::cursor(serde_json::to_string(&place).unwrap_or_default())
        });
        Ok(Page { items: rest.into_iter().map(|(_, item)| item).collect(), next })
    }
}

/// One page of items that lie in the order of their ids, in this order or in the one
/// that was asked for.
///
/// # Errors
/// [`ApiError::BadValue`] for a limit, a cursor or an order that cannot be.
pub(super) fn page<T: 'static>(
    items: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> &str,
    columns: Columns<T>,
    asked: &Asked<'_>,
) -> Result<Page<T>, ApiError> {
    let limit = paging::limit(asked.limit)?;
    if let Some(sorting) = Sorting::read(asked.sort, columns)? {
        return sorting.page(items, id, limit, asked.after);
    }
    let after: Option<String> = paging::key_after(asked.after)?;
    let is_behind = |item: &T| after.as_deref().is_none_or(|after| id(item) > after);
    let behind = items.into_iter().filter(is_behind);
    let mut items: Vec<T> = behind.take(limit.saturating_add(1)).collect();
    let is_cut = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| is_cut).map(|last| paging::cursor(id(last)));
    Ok(Page { items, next })
}

/// Which part of a list is wanted, and in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// Items at most, from 1 to 1000; 100 if not given
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// What `next` of the page before said
    after: Option<String>,
    /// By what they are sorted, with `-` before it for the greatest first
    sort: Option<String>,
}

impl Part {
    /// As it was asked for.
    pub(super) fn asked(&self) -> Asked<'_> {
        let (after, sort) = (self.after.as_deref(), self.sort.as_deref());
        Asked { limit: self.limit, after, sort }
    }
}

/// In which order a list is wanted that has no pages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Sort {
    /// By what they are sorted, with `-` before it for the greatest first
    sort: Option<String>,
}

impl Sort {
    /// The items in the order that was asked for.
    ///
    /// # Errors
    /// [`ApiError::BadValue`] for what the list cannot be sorted by.
    pub(super) fn of<T: 'static>(
        &self,
        items: Vec<T>,
        id: impl Fn(&T) -> &str,
        columns: Columns<T>,
    ) -> Result<Vec<T>, ApiError> {
        match Sorting::read(self.sort.as_deref(), columns)? {
            Some(sorting) => Ok(sorting.all(items, id)),
            None => Ok(items),
        }
    }
}

/// The same as [`Part`] for lists with conditions of their own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked<'q> {
    pub(super) limit: Option<usize>,
    pub(super) after: Option<&'q str>,
    pub(super) sort: Option<&'q str>,
}

/// Refuses to sort a list that is too long for it.
pub(super) fn too_many(what: &str, by: &str) -> ApiError {
    let problem =
        format!("there are more than {MAX_SCAN} {what}; ask without `sort`, for the order by {by}");
    bad_value("sort", problem)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Thing {
        id: String,
        name: &'static str,
        size: Option<u64>,
    }

    const COLUMNS: Columns<Thing> = &[
        ("id", |thing| Key::from(&*thing.id)),
        ("name", |thing| thing.name.into()),
        ("size", |thing| thing.size.into()),
    ];

    fn things() -> impl Strategy<Value = Vec<Thing>> {
        let name = prop::sample::select(vec!["", "b", "B", "a", "ä"]);
        let one = (name, prop::option::of(0_u64..4));
        prop::collection::vec(one, 0..30).prop_map(|all| {
            let things = all.into_iter().enumerate();
            things.map(|(id, (name, size))| Thing { id: format!("{id:02}"), name, size }).collect()
        })
    }

    fn pages(things: &[Thing], sort: Option<&str>, limit: usize) -> Vec<Thing> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let asked = Asked { limit: Some(limit), after: after.as_deref(), sort };
            let page = page(things.iter().cloned(), |thing| &thing.id, COLUMNS, &asked).unwrap();
            assert!(page.items.len() <= limit);
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return all,
            }
        }
    }

    proptest! {
        #[test]
        fn pages_tell_every_item_once_and_in_order(things in things(), limit in 1_usize..9) {
            prop_assert_eq!(&pages(&things, None, limit), &things);
            for (sort, column) in [("id", 0), ("-id", 0), ("name", 1), ("-name", 1), ("-size", 2)] {
                let told = pages(&things, Some(sort), limit);
                prop_assert_eq!(told.len(), things.len());
                for pair in told.windows(2) {
                    let key = COLUMNS[column].1;
                    let (before, behind) = (key(&pair[0]), key(&pair[1]));
                    let order = if sort.starts_with('-') { behind.cmp(&before) } else { before.cmp(&behind) };
                    prop_assert!(order.then(pair[0].id.cmp(&pair[1].id)).is_lt(), "{sort}: {told:?}");
                }
            }
        }
    }

    #[test]
    fn an_item_that_goes_or_comes_moves_no_other() {
        let thing = |id: &str, size| Thing { id: id.to_owned(), name: "", size: Some(size) };
        let mut things = vec![thing("a", 1), thing("b", 2), thing("c", 3), thing("d", 4)];
        let asked = Asked { limit: Some(2), after: None, sort: Some("-size") };
        let first = page(things.clone(), |thing| &thing.id, COLUMNS, &asked).unwrap();
        assert_eq!(first.items, [thing("d", 4), thing("c", 3)]);
        // The last one that was told is gone, and a greater one has come.
        things.remove(2);
        things.push(thing("e", 9));
        let asked = Asked { after: first.next.as_deref(), ..asked };
        let second = page(things, |thing| &thing.id, COLUMNS, &asked).unwrap();
        assert_eq!((second.items, second.next), (vec![thing("b", 2), thing("a", 1)], None));
    }

    #[test]
    fn what_is_no_order_is_told_what_is_one() {
        let refused = |sort, after: Option<&str>| {
            let asked = Asked { limit: Some(1), after, sort: Some(sort) };
            let things = [1, 2].map(|id| Thing { id: id.to_string(), name: "", size: None });
            page(things, |thing| &thing.id, COLUMNS, &asked).map(|page| page.next)
        };
        let told = refused("nam", None).unwrap_err().to_string();
        assert!(told.contains("did you mean `name`?"), "{told}");
        let told = refused("colour", None).unwrap_err().to_string();
        assert!(told.contains("by id, name, size"), "{told}");
        let next = refused("size", None).unwrap();
        assert!(refused("-size", next.as_deref()).is_err(), "a cursor is for its own order");
        assert!(refused("size", Some(&paging::cursor("1"))).is_err());
    }
}
