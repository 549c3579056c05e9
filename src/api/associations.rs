//! `/devices/{id}/associations`: which devices stand behind which gateway, as
//! they say themselves.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::devices::known;
use super::extract::DeviceKey;
use super::problem::{ApiError, Problem};
use super::state::Shared;
use super::within::Eyes;
use crate::access::Principal;
use crate::device::{Association, DeviceId, Kinship, MAX_CLAIMS, Teller};
use crate::time::Timestamp;

/// The most words that are read; a device's own come first.
const MAX_WORDS: usize = 16 * MAX_CLAIMS;

/// The most relations that are shown on each side.
const MAX_SHOWN: usize = MAX_CLAIMS;

/// The devices around one device.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct AssociationsView {
    /// The gateways that this device stands behind, or is said to; one, unless
    /// somebody is wrong.
    gateways: Vec<RelationView>,
    /// The devices that stand behind this one, or are said to.
    members: Vec<RelationView>,
}

/// One device around another.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RelationView {
    /// The other device; of an embedded one `-ControllerID-ProxiedDeviceID`.
    #[schema(value_type = String)]
    device: DeviceId,
    /// Whether the server knows the other device.
    known: bool,
    /// `associated` (in the gateway's network), `embedded` (managed through its
    /// data model) or `virtual` (the gateway opens its sessions).
    kinship: &'static str,
    /// `confirmed` if both say so; else `claimed by the gateway` or `claimed by
    /// the member`, which is no more than that.
    standing: &'static str,
    /// Since when it is said.
    #[schema(value_type = String)]
    since: Timestamp,
}

/// Shows the gateway of a device and the devices behind it, as they say
#[utoipa::path(get, path = "/api/v1/devices/{id}/associations", tag = "devices",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = AssociationsView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<AssociationsView>, ApiError> {
    known(&state, &id).await?;
    let words = state.store().associations(&id, MAX_WORDS).await?;
    let eyes = Eyes::of(&state, &principal);
    let mut seen: BTreeMap<DeviceId, bool> = BTreeMap::new();
    let mut told = Vec::with_capacity(words.len());
    for word in words {
        let (teller, other) = sides(&id, &word);
        if !seen.contains_key(other) {
            seen.insert(other.clone(), eyes.device(other).await?);
        }
        // What a device of others says of this one is not told, nor that it is here.
        if eyes.see_all() || teller == Side::Own || seen.get(other) == Some(&true) {
            told.push(word);
        }
    }
    let mut view = view(&id, told);
    for relation in view.gateways.iter_mut().chain(&mut view.members) {
        relation.known = seen.get(&relation.device) == Some(&true);
    }
    Ok(axum::Json(view))
}

/// Who of the two says a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Own,
    Other,
}

/// Who says a word about a device, it or the other one; and the other one.
fn sides<'a>(own: &DeviceId, word: &'a Association) -> (Side, &'a DeviceId) {
    let is_gateway = word.gateway == *own;
    let other = if is_gateway { &word.member } else { &word.gateway };
    let by_own = is_gateway == (word.teller == Teller::Gateway);
    (if by_own { Side::Own } else { Side::Other }, other)
}

/// The words of both sides put together.
fn view(own: &DeviceId, words: Vec<Association>) -> AssociationsView {
    let mut pairs: BTreeMap<(bool, DeviceId), Vec<Association>> = BTreeMap::new();
    for word in words {
        let is_gateway = word.gateway == *own;
        let other = if is_gateway { word.member.clone() } else { word.gateway.clone() };
        pairs.entry((is_gateway, other)).or_default().push(word);
    }
    let mut view = AssociationsView::default();
    for ((is_gateway, device), words) in pairs {
        let by = |teller| words.iter().find(|word| word.teller == teller);
        let (gateway, member) = (by(Teller::Gateway), by(Teller::Member));
        // The member knows no more than that it has a gateway.
        let Some(word) = gateway.or(member) else { continue };
        let standing = match (gateway, member) {
            (Some(_), Some(_)) => "confirmed",
            (Some(_), None) => "claimed by the gateway",
            _ => "claimed by the member",
        };
        let kinship = match word.kinship {
            Kinship::Associated => "associated",
            Kinship::Embedded => "embedded",
            Kinship::Virtual => "virtual",
        };
        let relation = RelationView { device, known: false, kinship, standing, since: word.since };
        let side = if is_gateway { &mut view.members } else { &mut view.gateways };
        side.push(relation);
    }
    for side in [&mut view.gateways, &mut view.members] {
        // What both say comes first, so that a crowd of claims hides none of it.
        side.sort_by_key(|relation| relation.standing != "confirmed");
        side.truncate(MAX_SHOWN);
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(gateway: &str, member: &str, teller: Teller) -> Association {
        Association {
            gateway: DeviceId::parse(gateway).unwrap(),
            member: DeviceId::parse(member).unwrap(),
            teller,
            kinship: Kinship::Associated,
            since: Timestamp::from_millis(1),
        }
    }

    #[test]
    fn only_what_both_say_is_confirmed() {
        let own = DeviceId::parse("A-1").unwrap();
        let view = view(
            &own,
            vec![
                word("A-1", "B-1", Teller::Gateway),
                word("A-1", "B-2", Teller::Gateway),
                word("A-1", "B-2", Teller::Member),
                word("A-1", "B-3", Teller::Member),
                word("C-1", "A-1", Teller::Gateway),
                // Two that name each other as members confirm nothing.
                word("B-1", "A-1", Teller::Gateway),
            ],
        );
        let told = |side: &[RelationView]| {
            side.iter().map(|one| format!("{} {}", one.device, one.standing)).collect::<Vec<_>>()
        };
        assert_eq!(
            told(&view.members),
            ["B-2 confirmed", "B-1 claimed by the gateway", "B-3 claimed by the member"]
        );
        assert_eq!(
            told(&view.gateways),
            ["B-1 claimed by the gateway", "C-1 claimed by the gateway"]
        );
    }
}
