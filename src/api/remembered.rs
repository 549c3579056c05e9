//! `/devices/{id}/history` and `/devices/{id}/diff`: which values changed, when
//! and by whom.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::known;
use super::extract::{DeviceKey, Query};
use super::mask;
use super::paging;
use super::problem::{ApiError, Problem, bad_value};
use super::state::Shared;
use super::within::Eyes;
use crate::access::Principal;
use crate::device::{Cause, ChangeSet, ValueChange};
use crate::param::{is_match, is_wildcard};
use crate::time::Timestamp;

/// One value that changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangeView {
    #[schema(value_type = String)]
    at: Timestamp,
    /// The parameter, or the row of a table with its last dot.
    path: Box<str>,
    /// What it was; `***` if it is a secret, empty for a row, null if the row
    /// was not there.
    before: Option<String>,
    /// What it is since; null if it is gone.
    after: Option<String>,
    /// `device` (or whoever sits in front of it), `task`, `server`,
    /// `bootstrap` or `firmware`.
    cause: &'static str,
    /// Who asked for the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
}

impl ChangeView {
    fn new(at: Timestamp, change: ValueChange) -> Self {
        let shown =
            |text: Option<Box<str>>| text.map(|text| mask::value(&change.path, &text).into_owned());
        let (before, after) = (shown(change.before), shown(change.after));
        let (cause, task) = match change.cause {
            Cause::Device => ("device", None),
            Cause::Task(id, by) => ("task", Some((id.to_string(), by))),
            Cause::Server => ("server", None),
            Cause::Bootstrap => ("bootstrap", None),
            Cause::Firmware => ("firmware", None),
        };
        let (task, by) = task.unzip();
        Self { at, path: change.path, before, after, cause, by, task }
    }
}

/// What changed on a device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changes {
    /// Newest first.
    items: Vec<ChangeView>,
    /// The oldest change that is still remembered; null if none is.
    #[schema(value_type = Option<String>)]
    remembered_since: Option<Timestamp>,
}

/// Which changes are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Only names that begin so: `Device.WiFi.`; `*` stands for all rows.
    #[serde(default)]
    path: String,
    /// Only changes at or after this time (RFC 3339).
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// Only changes before this time (RFC 3339).
    #[param(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
}

/// Lists which values changed on a device, when and by whom, newest first
#[utoipa::path(get, path = "/api/v1/devices/{id}/history", tag = "devices",
    operation_id = "history",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"),
        HistoryQuery),
    responses((status = 200, body = Changes), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<HistoryQuery>,
) -> Result<axum::Json<Changes>, ApiError> {
    let limit = paging::limit(query.limit)?;
    known(&state, &id).await?;
    let sets = state.store().fleet().value_changes(&id, usize::MAX).await?;
    let remembered_since = sets.last().map(|set| set.at);
    let meant = |change: &ValueChange| names(&query.path, &change.path);
    let items = sets
        .into_iter()
        .filter(|set| query.since.is_none_or(|since| set.at >= since))
        .filter(|set| query.until.is_none_or(|until| set.at < until))
        .flat_map(|set| set.changes.into_iter().map(move |change| (set.at, change)))
        .filter(|(_, change)| meant(change))
        .take(limit);
    let mut items: Vec<_> = items.map(|(at, change)| ChangeView::new(at, change)).collect();
    let mut names = Eyes::of(&state, &principal).names();
    for by in items.iter_mut().filter_map(|item| item.by.as_mut()) {
        *by = names.told(state.store(), by).await?;
    }
    Ok(axum::Json(Changes { items, remembered_since }))
}

/// Whether a path is one of those that are asked for.
fn names(asked: &str, path: &str) -> bool {
    if is_wildcard(asked) { is_match(asked, path) } else { path.starts_with(asked) }
}

/// One value that is not at one time what it is at another.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct DifferenceView {
    /// The parameter, or the row of a table with its last dot.
    path: Box<str>,
    /// What it was at the first time; null if the row was not there.
    from: Option<String>,
    /// What it was at the second; null if it was gone.
    to: Option<String>,
    /// How often it changed between the two.
    changes: usize,
}

/// What differs between two times.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DiffView {
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    /// In the order of their paths.
    items: Vec<DifferenceView>,
    /// Whether the history reaches back to the first time; if not, what changed
    /// earlier is not in it.
    complete: bool,
}

/// Which times are compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DiffQuery {
    /// The first time (RFC 3339).
    #[param(value_type = String)]
    from: Timestamp,
    /// The second; now if not given.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// Only names that begin so; `*` stands for all rows.
    #[serde(default)]
    path: String,
}

/// Compares a device at two times, from what is remembered of its values
#[utoipa::path(get, path = "/api/v1/devices/{id}/diff", tag = "devices",
    operation_id = "diff",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"),
        DiffQuery),
    responses((status = 200, body = DiffView), (status = 404, body = Problem)))]
pub(super) async fn diff(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<DiffQuery>,
) -> Result<axum::Json<DiffView>, ApiError> {
    let (from, to) = (query.from, query.to.unwrap_or_else(|| state.deps.clock.now()));
    if from > to {
        return Err(bad_value("from", "not after the second time"));
    }
    let device = known(&state, &id).await?;
    let sets = state.store().fleet().value_changes(&id, usize::MAX).await?;
    // Nothing was removed yet as long as there is room.
    let bound = usize::try_from(state.deps.config.store.changes_per_device).unwrap_or(usize::MAX);
    let all = sets.len() < bound && state.deps.config.history.keep_days == 0;
    let oldest = if all { Some(device.first_seen) } else { sets.last().map(|set| set.at) };
    let complete = oldest.is_some_and(|oldest| oldest <= from);
    let mut items = between(sets, from, to);
    items.retain(|item| names(&query.path, &item.path));
    Ok(axum::Json(DiffView { from, to, items, complete }))
}

/// What differs between two times; the sets are newest first.
fn between(sets: Vec<ChangeSet>, from: Timestamp, to: Timestamp) -> Vec<DifferenceView> {
    let mut by_path: BTreeMap<Box<str>, DifferenceView> = BTreeMap::new();
    let sets = sets.into_iter().rev().filter(|set| set.at > from && set.at <= to);
    for change in sets.flat_map(|set| set.changes) {
        let shown =
            |text: Option<Box<str>>| text.map(|text| mask::value(&change.path, &text).into_owned());
        let (before, after) = (shown(change.before), shown(change.after));
        let view = by_path.entry(change.path.clone()).or_insert_with(|| DifferenceView {
            path: change.path.clone(),
            from: before,
            to: None,
            changes: 0,
        });
        view.to = after;
        view.changes += 1;
    }
    // Of a secret it is known that it was written, and no more.
    let differs =
        |view: &DifferenceView| view.from != view.to || view.to.as_deref() == Some(mask::MASK);
    by_path.into_values().filter(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceId;

    fn set(at: i64, changes: &[(&str, Option<&str>, Option<&str>)]) -> ChangeSet {
        let changes = changes.iter().map(|(path, before, after)| ValueChange {
            path: (*path).into(),
            before: before.map(Box::from),
            after: after.map(Box::from),
            cause: Cause::Device,
        });
        ChangeSet {
            device: DeviceId::parse("00D09E-1").unwrap(),
            at: Timestamp::from_millis(at),
            changes: changes.collect(),
        }
    }

    #[test]
    fn changes_between_two_times_add_up() {
        let sets = vec![
            set(40, &[("D.Late", Some("a"), Some("b"))]),
            set(30, &[("D.X", Some("2"), Some("3")), ("D.Back", Some("2"), Some("1"))]),
            set(20, &[("D.X", Some("1"), Some("2")), ("D.Back", Some("1"), Some("2"))]),
            set(10, &[("D.X", Some("0"), Some("1")), ("D.T.1.", None, Some(""))]),
        ];
        let told = between(sets, Timestamp::from_millis(10), Timestamp::from_millis(30));
        let [x] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((&*x.path, x.from.as_deref(), x.to.as_deref()), ("D.X", Some("1"), Some("3")));
        assert_eq!(x.changes, 2);
    }

    #[test]
    fn that_a_secret_was_written_is_a_difference() {
        let path = "Device.Users.User.1.Password";
        let told = between(
            vec![set(2, &[(path, Some("***"), Some("***"))])],
            Timestamp::from_millis(1),
            Timestamp::from_millis(3),
        );
        assert_eq!(told.len(), 1);
    }
}
