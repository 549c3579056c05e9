//! `/devices/{id}/explain`: who wants what of a device, what it has, and what
//! stands between.

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::super::devices::known;
use super::super::extract::{DeviceKey, Query};
use super::super::mask::{self, MASK};
use super::super::problem::{ApiError, Problem};
use super::super::state::{Shared, State as Inner};
use super::super::within::{Eyes, Veil};
use super::drift::ComplianceView;
use super::view::{SourceView, told};
use crate::access::Principal;
use crate::device::{Compliance, DeviceId, Drift};
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
    /// All profiles that are seen, and whether they mean this device.
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
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<ExplainQuery>,
) -> Result<axum::Json<ExplainView>, ApiError> {
    let veil = Eyes::of(&state, &principal).veil().await?;
    let sight = Sight::of(&state, &id).await?;
    let compliance = state.store().fleet().compliance(&id).await?;
    let now = state.deps.clock.now();
    let mut items = sight.items(compliance.as_ref(), query.path.as_deref(), now, &veil);
    let is_cut = items.len() > MAX_ITEMS;
    let worst = ["blocked", "differs", "unknown", "satisfied"]
        .into_iter()
        .find(|state| items.iter().any(|item| item.state == *state));
    items.truncate(MAX_ITEMS);
    let mut records = state.store().fleet().profiles().await?;
    records.retain(|record| veil.shows_record(record));
    let resolved = &sight.standing.resolved;
    Ok(axum::Json(ExplainView {
        state: worst.unwrap_or("nothing"),
        tree_read_at: sight.known.device.tree_read_at,
        items,
        is_cut,
        profiles: records.iter().map(|record| sight.matching(record, now)).collect(),
        unread: resolved.unread.iter().map(ToString::to_string).collect(),
        problems: told(&resolved.problems, &veil),
        compliance: compliance.map(|compliance| ComplianceView::new(compliance, &veil)),
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
        veil: &Veil,
    ) -> Vec<ItemView> {
        let meant = |said: &&Said| path.is_none_or(|path| is_at(&said.path, path));
        let mut said: Vec<&Said> = self.said.iter().filter(meant).collect();
        // Stable: who is stronger stays behind.
        said.sort_by(|a, b| a.path.cmp(&b.path));
        said.chunk_by(|a, b| a.path == b.path)
            .map(|said| self.item(said, compliance, now, veil))
            .collect()
    }

    fn item(
        &self,
        said: &[&Said],
        compliance: Option<&Compliance>,
        now: Timestamp,
        veil: &Veil,
    ) -> ItemView {
        let counts = said.iter().rev().find(|said| !said.overridden).or(said.last());
        let path = counts.map(|said| &*said.path).unwrap_or_default();
        let place = Place::of(path, self);
        let drift = compliance.and_then(|compliance| {
            let is_here =
                |drift: &&Drift| place.is_hit(&drift.path, &drift.wanted, &self.known.tree);
            compliance.drifts.iter().find(is_here).map(|drift| (compliance, drift))
        });
        let wanted = counts.map(|said| &*said.value).unwrap_or_default();
        let (mut state, mut why) = self.state(&place, wanted);
        let mut retry_at = None;
        if let Some((compliance, drift)) = drift.filter(|_| state == "differs") {
            let waits = compliance.attempts > 0 && compliance.retry_at.is_none_or(|at| at > now);
            if !drift.held.is_empty() || waits {
                let text = if drift.held.is_empty() { &compliance.why } else { &drift.held };
                (state, why) = ("blocked", mask::url(text).into_owned());
                retry_at = compliance.retry_at;
            }
        }
        let is_secret = said.iter().any(|said| said.secret);
        let (found, read_at) = self.found(&place, is_secret);
        ItemView {
            path: path.to_owned(),
            state,
            wanted: counts.map(|said| shown(said)).unwrap_or_default(),
            found,
            read_at,
            since: drift.map(|(_, drift)| drift.since),
            why,
            retry_at,
            said: said
                .iter()
                .map(|said| SaidView {
                    value: shown(said),
                    overridden: said.overridden,
                    source: SourceView::veiled(&said.source, veil),
                })
                .collect(),
        }
    }

    /// How far the device is with one thing, from what is known.
    fn state(&self, place: &Place, wanted: &str) -> (&'static str, String) {
        let Standing { resolved, assessment } = &self.standing;
        let differs = |differs: bool| if differs { "differs" } else { "satisfied" };
        match place {
            Place::Firmware => {
                let runs = &self.known.device.software_version;
                let target = resolved.firmware.as_ref();
                (differs(target.is_some_and(|target| target.version != *runs)), String::new())
            }
            Place::Tag(tag) => {
                let has = self.known.labels.tags.contains(&**tag);
                (differs(has != (wanted == "set")), String::new())
            }
            place => {
                let tree = &self.known.tree;
                let here = |path: &str| place.is_hit(path, "", tree);
                if let Some((_, why)) = assessment.impossible.iter().find(|(path, _)| here(path)) {
                    return ("blocked", mask::url(why).into_owned());
                }
                let is_different = assessment
                    .differences
                    .iter()
                    .any(|difference| place.is_hit(&difference.path, &difference.wanted, tree));
                let is_unknown = assessment.unknown.iter().any(|path| here(path.as_str()));
                match (is_different, is_unknown) {
                    (true, _) => ("differs", String::new()),
                    (false, true) => ("unknown", String::new()),
                    (false, false) => ("satisfied", String::new()),
                }
            }
        }
    }

    /// What the device has, and when that was read.
    fn found(&self, place: &Place, is_secret: bool) -> (Option<String>, Option<Timestamp>) {
        let path = match place {
            Place::Value(path) | Place::Row { path: Some(path), .. } => path,
            Place::Firmware => {
                let device = &self.known.device;
                return (Some(device.software_version.to_string()), Some(device.last_inform));
            }
            _ => return (None, None),
        };
        let param = self.known.tree.get(path);
        let value = param.and_then(|param| param.value.as_ref()).map(|value| {
            let hidden = is_secret && !value.text.is_empty();
            if hidden { MASK.to_owned() } else { mask::value(path, &value.text).into_owned() }
        });
        (value, param.map(|param| param.read_at))
    }

    /// The row of a table with these values of its keys, `NAME=VALUE,…`.
    fn row(&self, table: &str, name: &str) -> Option<String> {
        let wanted = self.standing.resolved.desired.tables.iter();
        let keys = &wanted.into_iter().find(|wanted| *wanted.table == *table)?.keys;
        let tree = &self.known.tree;
        let rows = tree.under(table).filter_map(|(path, _)| {
            let number = path.as_str().get(table.len()..)?.split('.').next()?;
            number.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{table}{number}."))
        });
        let mut last = String::new();
        for row in rows {
            if row == last {
                continue;
            }
            let value = |key: &str| tree.text(&format!("{row}{key}")).unwrap_or_default();
            let told: Vec<String> =
                keys.iter().map(|key| format!("{key}={}", value(key))).collect();
            if told.join(",") == name {
                return Some(row);
            }
            last = row;
        }
        None
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
        if !record.tenant.is_empty() && record.tenant != self.known.labels.tenant {
            return format!("it is for devices of the tenant {}", record.tenant);
        }
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

/// What a path of [`ProfileSet::explain`] is about.
#[derive(Debug)]
enum Place {
    /// A parameter; rows may be named by alias, or all of them by `*`.
    Value(String),
    /// An attribute of a parameter: which, and how a difference of it begins.
    Attribute(String, &'static str),
    /// A parameter of a row: its table, and its path if the row is there.
    Row { table: String, path: Option<String> },
    /// Rows of a table that nobody wants.
    Others(String),
    /// How old what is known may become.
    Refresh,
    /// The firmware.
    Firmware,
    /// A tag.
    Tag(String),
}

impl Place {
    fn of(path: &str, sight: &Sight) -> Self {
        if path == "firmware" {
            return Self::Firmware;
        }
        if let Some(tag) = path.strip_prefix("tag ") {
            return Self::Tag(tag.to_owned());
        }
        if let Some((row, member)) = path.rsplit_once("].")
            && let Some((table, name)) = row.split_once(".[").or_else(|| row.split_once('['))
            && name.contains('=')
        {
            let table = format!("{}.", table.trim_end_matches('.'));
            let path = sight.row(&table, name).map(|row| format!("{row}{member}"));
            return Self::Row { table, path };
        }
        match path.rsplit_once('#') {
            Some((base, "notification")) => Self::Attribute(base.to_owned(), "notification"),
            Some((base, "access")) => Self::Attribute(base.to_owned(), "access"),
            Some((base, "others")) => Self::Others(base.to_owned()),
            Some((_, "refresh")) => Self::Refresh,
            _ => Self::Value(path.to_owned()),
        }
    }

    /// Whether a difference, or a path that is not known or cannot be had, is
    /// about this.
    fn is_hit(&self, path: &str, wanted: &str, tree: &Tree) -> bool {
        let is_attribute =
            || ["notification ", "access list "].iter().any(|word| wanted.starts_with(word));
        match self {
            Self::Value(own) => {
                (is_at(path, own) || stands_for(tree, own, path)) && !is_attribute()
            }
            Self::Attribute(own, word) => path == own && is_attribute() && wanted.contains(word),
            Self::Row { path: Some(own), .. } => path == own,
            Self::Row { table, path: None } => path == table || *path == format!("{table}{{i}}."),
            Self::Others(table) => {
                path.starts_with(table.as_str()) && path.ends_with('.') && wanted.is_empty()
            }
            Self::Refresh | Self::Firmware | Self::Tag(_) => false,
        }
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
