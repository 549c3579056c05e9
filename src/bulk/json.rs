//! JSON: `{"Report": [{"CollectionTime": …, …}, …]}`.
//!
//! `NameValuePair` has full names as keys, `ObjectHierarchy` an object inside an
//! object for each part of a name; both are read alike, since a name is what the
//! keys on the way to a value make, joined by dots. The text is walked once and
//! nothing of it is kept but what a report takes: no tree is made of it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::gather::Gathering;
use super::{BulkError, BulkLimits, BulkReport};

/// The member that holds the reports.
const REPORT: &str = "Report";

/// The member that says when a report was collected.
const TIME: &str = "CollectionTime";

/// Reads a document.
pub(super) fn read(text: &str, limits: &BulkLimits) -> Result<Vec<BulkReport>, BulkError> {
    let mut reports = Vec::new();
    let failed = |error: serde_json::Error| BulkError::Json(error.to_string().into());
    let mut document = serde_json::Deserializer::from_str(text);
    Top { reports: &mut reports, limits }.deserialize(&mut document).map_err(failed)?;
    document.end().map_err(failed)?;
    Ok(reports)
}

/// The document, or the list of reports in it.
struct Top<'a> {
    reports: &'a mut Vec<BulkReport>,
    limits: &'a BulkLimits,
}

impl Top<'_> {
    fn take(&mut self, gathered: Gathering<'_>) {
        if self.reports.len() < self.limits.reports {
            self.reports.extend(gathered.done());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of reports")
    }

    /// The document. One without `Report` is a report itself, as some write it.
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut bare = Gathering::new(self.limits);
        while let Some(key) = map.next_key::<String>()? {
            if key.eq_ignore_ascii_case(REPORT) {
                map.next_value_seed(List { top: &mut self })?;
            } else {
                member(&mut bare, &mut key.clone(), 0, &key, self.limits, &mut map)?;
            }
        }
        if self.reports.is_empty() {
            self.take(bare);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, list: A) -> Result<(), A::Error> {
        reports(&mut self, list)
    }
}

/// What `Report` holds: a list, or one report without a list around it.
struct List<'a, 't> {
    top: &'a mut Top<'t>,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of reports")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        reports(self.top, list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let limits = self.top.limits;
        let mut gathering = Gathering::new(limits);
        members(&mut gathering, &mut String::new(), 0, limits, map)?;
        self.top.take(gathering);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a list of reports.
fn reports<'de, A: SeqAccess<'de>>(top: &mut Top<'_>, mut list: A) -> Result<(), A::Error> {
    loop {
        let limits = top.limits;
        let mut gathering = Gathering::new(limits);
        let mut path = String::new();
        let seed = Member { gathering: &mut gathering, path: &mut path, depth: 0, limits };
        if list.next_element_seed(seed)?.is_none() {
            return Ok(());
        }
        top.take(gathering);
    }
}

/// Reads the members of an object.
fn members<'de, A: MapAccess<'de>>(
    gathering: &mut Gathering<'_>,
    path: &mut String,
    depth: usize,
    limits: &BulkLimits,
    mut map: A,
) -> Result<(), A::Error> {
    let before = path.len();
    while let Some(key) = map.next_key::<String>()? {
        if before > 0 {
            path.push('.');
        }
        path.push_str(key.trim_matches('.'));
        member(gathering, path, depth, &key, limits, &mut map)?;
        path.truncate(before);
    }
    Ok(())
}

/// Reads the value of one key; `path` ends with it.
fn member<'de, A: MapAccess<'de>>(
    gathering: &mut Gathering<'_>,
    path: &mut String,
    depth: usize,
    key: &str,
    limits: &BulkLimits,
    map: &mut A,
) -> Result<(), A::Error> {
    if depth == 0 && key.eq_ignore_ascii_case(TIME) {
        return map.next_value_seed(Time { gathering });
    }
    if depth >= limits.depth || path.len() > limits.name_bytes {
        map.next_value::<IgnoredAny>()?;
        gathering.leave_out();
        return Ok(());
    }
    map.next_value_seed(Member { gathering, path, depth: depth + 1, limits })
}

/// A value, or an object of values.
struct Member<'a, 'l> {
    gathering: &'a mut Gathering<'l>,
    path: &'a mut String,
    depth: usize,
    limits: &'a BulkLimits,
}

impl Member<'_, '_> {
    fn put(self, text: &str) {
        self.gathering.take(self.path, text);
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        members(self.gathering, self.path, self.depth, self.limits, map)
    }

    /// No layout has lists of values: what a member of one is called is not known.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {
            self.gathering.leave_out();
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.put(text);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(&value.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.put(&value.to_string());
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put("");
        Ok(())
    }
}

/// A time, as a number or as text; of any other form it says nothing.
struct Time<'a, 'l> {
    gathering: &'a mut Gathering<'l>,
}

impl<'de> DeserializeSeed<'de> for Time<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Time<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.gathering.collected(text);
        Ok(())
    }

    fn visit_u64<E>(self, seconds: u64) -> Result<(), E> {
        self.gathering.collected(&seconds.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, seconds: f64) -> Result<(), E> {
        // Whole seconds are all that is kept.
        self.gathering.collected(&format!("{seconds:.0}"));
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
