//! `/devices/{id}/explain`: who wants what of a device, what it has, and what
//! stands between.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::super::devices::known;
use super::super::extract::{DeviceKey, Query};
use super::super::mask::{self, MASK};
use super::super::problem::{ApiError, Problem};
use super::super::state::{Shared, State as Inner};
use super::drift::ComplianceView;
use super::view::SourceView;
use crate::device::{Compliance, DeviceId};
use crate::expr::Rule;
use crate::fleet::{Known, Standing, standing};
use crate::param::{ParamPath, Tree, is_match, is_wildcard};
use crate::profile::{ProfileRecord, ProfileSet, Resolved, Said};
use crate::time::Timestamp;

/// Values that one answer explains at most.
const MAX_ITEMS: usize = 2000;

/// What is explained.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ExplainQuery {
    /// Only this parameter, or all below this object.
    path: Option<String>,
}

/// What is wanted of a device, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ExplainView {
    #[schema(value_type = String)]
    device: DeviceId,
    /// `satisfied`, `differs`, `unknown`, `blocked`, or `nothing` when nothing is
    /// wanted.
    state: &'static str,
    /// When its whole tree was last read.
    #[schema(value_type = Option<String>)]
    tree_read_at: Option<Timestamp>,
    /// What is wanted, by path.
    items: Vec<ItemView>,
    /// Whether there are more than an answer explains.
    is_cut: bool,
    /// All profiles, and whether they mean this device.
    profiles: Vec<MatchView>,
    /// Parameters that rules or values ask for and that were never read.
    unread: Vec<String>,
    /// What could not be told.
    problems: Vec<String>,
    /// What is on record between the device and what is wanted; null if nothing.
    compliance: Option<ComplianceView>,
}

/// One value, or the rows of one table.
#[derive(Debug, Serialize, ToSchema)]
struct ItemView {
    /// The path, or the table.
    path: String,
    /// `satisfied`; `differs`; `unknown` if it has to be read first; `blocked` if
    /// the device cannot have it, or it is not tried.
    state: &'static str,
    /// What is wanted; secrets are masked.
    wanted: String,
    /// What the device has, as last read; null if it has none or never told.
    found: Option<String>,
    /// When that was read.
    #[schema(value_type = Option<String>)]
    read_at: Option<Timestamp>,
    /// Since when it is known to differ.
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// Why it is blocked; empty if it is not.
    why: String,
    /// When a blocked one is tried again.
    #[schema(value_type = Option<String>)]
    retry_at: Option<Timestamp>,
    /// Everybody who says something, from the weakest to the strongest; the last
    /// counts.
    said: Vec<SaidView>,
}

/// What one profile says.
#[derive(Debug, Serialize, ToSchema)]
struct SaidView {
    value: String,
    /// Whether a stronger one overrides it.
    overridden: bool,
    #[serde(flatten)]
    source: SourceView,
}

/// Whether a profile means a device.
#[derive(Debug, Serialize, ToSchema)]
struct MatchView {
    name: Box<str>,
    version: u32,
    matches: bool,
    /// Why not; empty if it does.
    reason: String,
}

/// Explains what is wanted of a device: who wants it, and how far it is
///
/// From what is known; nothing is sent.
#[utoipa::path(get, path = "/api/v1/devices/{id}/explain", tag = "fleet",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"), ExplainQuery),
    responses((status = 200, body = ExplainView), (status = 404, body = Problem)))]
pub(in crate::api) async fn explain(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<ExplainQuery>,
) -> Result<axum::Json<ExplainView>, ApiError> {
    let sight = Sight::of(&state, &id).await?;
    let compliance = state.store().fleet().compliance(&id).await?;
    let now = state.deps.clock.now();
    let mut items = sight.items(compliance.as_ref(), query.path.as_deref(), now);
    let is_cut = items.len() > MAX_ITEMS;
    let worst = ["blocked", "differs", "unknown", "satisfied"]
        .into_iter()
        .find(|state| items.iter().any(|item| item.state == *state));
    items.truncate(MAX_ITEMS);
    let records = state.store().fleet().profiles().await?;
    let resolved = &sight.standing.resolved;
    Ok(axum::Json(ExplainView {
        state: worst.unwrap_or("nothing"),
        tree_read_at: sight.known.device.tree_read_at,
        items,
        is_cut,
        profiles: records.iter().map(|record| sight.matching(record, now)).collect(),
        unread: resolved.unread.iter().map(ToString::to_string).collect(),
        problems: resolved.problems.iter().map(ToString::to_string).collect(),
        compliance: compliance.map(ComplianceView::from),
        device: id,
    }))
}

/// A device as its profiles see it.
struct Sight {
    known: Known,
    standing: Standing,
    said: Vec<Said>,
}

impl Sight {
    async fn of(state: &Inner, id: &DeviceId) -> Result<Self, ApiError> {
        let device = known(state, id).await?;
        let fleet = &state.deps.fleet;
        let known = fleet.known_of(device).await?;
        let set = fleet.profiles().current().await?;
        let now = state.deps.clock.now();
        let said = set.explain(&known.subject(now));
        Ok(Self { standing: standing(&set, &known, now), said, known })
    }

    /// What is wanted at or below a path.
    fn items(
        &self,
        compliance: Option<&Compliance>,
        path: Option<&str>,
        now: Timestamp,
    ) -> Vec<ItemView> {
        let meant = |said: &&Said| path.is_none_or(|path| is_at(&said.path, path));
        let mut said: Vec<&Said> = self.said.iter().filter(meant).collect();
        // Stable: who is stronger stays behind.
        said.sort_by(|a, b| a.path.cmp(&b.path));
        said.chunk_by(|a, b| a.path == b.path)
            .map(|said| self.item(said, compliance, now))
            .collect()
    }

    fn item(&self, said: &[&Said], compliance: Option<&Compliance>, now: Timestamp) -> ItemView {
        let counts = said.iter().rev().find(|said| !said.overridden).or(said.last());
        let path = counts.map(|said| &*said.path).unwrap_or_default();
        let here = |text: &str| is_at(text, path) || stands_for(&self.known.tree, path, text);
        let assessment = &self.standing.assessment;
        let drift = compliance.and_then(|compliance| {
            compliance
                .drifts
                .iter()
                .find(|drift| here(&drift.path))
                .map(|drift| (compliance, drift))
        });
        let impossible = assessment.impossible.iter().find(|(text, _)| here(text));
        let differs = assessment.differences.iter().any(|difference| here(&difference.path));
        let unknown = assessment.unknown.iter().any(|unknown| here(unknown.as_str()));
        let (mut state, mut why, mut retry_at) = match (impossible, unknown, differs) {
            (Some((_, why)), ..) => ("blocked", why.to_string(), None),
            (None, _, true) => ("differs", String::new(), None),
            (None, true, false) => ("unknown", String::new(), None),
            (None, false, false) => ("satisfied", String::new(), None),
        };
        if let Some((compliance, drift)) = drift.filter(|_| state == "differs") {
            let waits = compliance.attempts > 0 && compliance.retry_at.is_none_or(|at| at > now);
            if !drift.held.is_empty() || waits {
                let text = if drift.held.is_empty() { &compliance.why } else { &drift.held };
                (state, why, retry_at) =
                    ("blocked", mask::url(text).into_owned(), compliance.retry_at);
            }
        }
        let param = self.known.tree.get(path);
        let found = param.and_then(|param| param.value.as_ref());
        let is_secret = said.iter().any(|said| said.secret);
        ItemView {
            path: path.to_owned(),
            state,
            wanted: counts.map(|said| shown(said)).unwrap_or_default(),
            found: found.map(|value| {
                let hidden = is_secret && !value.text.is_empty();
                if hidden { MASK.to_owned() } else { mask::value(path, &value.text).into_owned() }
            }),
            read_at: param.map(|param| param.read_at),
            since: drift.map(|(_, drift)| drift.since),
            why,
            retry_at,
            said: said
                .iter()
                .map(|said| SaidView {
                    value: shown(said),
                    overridden: said.overridden,
                    source: (&said.source).into(),
                })
                .collect(),
        }
    }

    /// Whether a profile means the device, and why not.
    fn matching(&self, record: &ProfileRecord, now: Timestamp) -> MatchView {
        let reason =
            if record.enabled { self.reason(record, now) } else { "it is not in force".to_owned() };
        MatchView {
            name: record.name.clone(),
            version: record.version,
            matches: reason.is_empty(),
            reason,
        }
    }

    /// Why a profile does not mean the device; empty if it does.
    fn reason(&self, record: &ProfileRecord, now: Timestamp) -> String {
        let subject = self.known.subject(now);
        let text: Value = serde_json::from_str(&record.text).unwrap_or_default();
        let rule = text["match"].as_str().unwrap_or_default();
        match Rule::parse(rule).and_then(|rule| rule.matches(&subject)) {
            Err(error) => return format!("its rule cannot be told for this device: {error}"),
            Ok(false) => return format!("its rule is not true for this device: {rule}"),
            Ok(true) => {}
        }
        let (set, errors) = ProfileSet::compile(std::slice::from_ref(record));
        if let Some(error) = errors.first() {
            return format!("it cannot be read: {}", error.problem);
        }
        if set.explain(&subject).is_empty() && set.resolve(&subject) == Resolved::default() {
            return "it is for another layer, or says nothing of this device".to_owned();
        }
        String::new()
    }
}

/// What somebody says, as it may be shown.
fn shown(said: &Said) -> String {
    let hidden = said.secret && !said.value.is_empty();
    if hidden { MASK.to_owned() } else { mask::value_of(&said.path, &said.value) }
}

/// Whether a path is this one, or below this object.
fn is_at(path: &str, object: &str) -> bool {
    path == object || (object.ends_with('.') && path.starts_with(object))
}

/// Whether a path with an alias or `*` stands for another.
fn stands_for(tree: &Tree, pattern: &str, path: &str) -> bool {
    if !pattern.contains(['[', '*']) {
        return false;
    }
    ParamPath::parse(pattern).is_ok_and(|pattern| {
        let numbered = tree.by_number(&pattern);
        let text = numbered.as_str();
        if is_wildcard(text) { is_match(text, path) } else { is_at(path, text) }
    })
}
