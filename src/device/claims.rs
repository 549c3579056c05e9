//! What a device's tree says about the devices around it (TR-069 Annex F and
//! Annex J).
//!
//! Both sides can lie, and whoever is named cannot help it. So these are claims:
//! they are shown, and nothing is allowed because of them.

use std::collections::BTreeMap;

use super::{Association, DeviceId, DeviceIdentity, Kinship, Teller};
use crate::param::{ParamPath, Tree};
use crate::time::Timestamp;

/// The most members that are believed to be claimed by one gateway.
pub const MAX_CLAIMS: usize = 256;

/// The longest id of another device that is taken, in bytes.
const MAX_ID: usize = 256;

/// The most rows of a table that are looked at.
const MAX_ROWS: usize = 4 * MAX_CLAIMS;

/// Whether a parameter bears on who stands behind whom.
pub fn bears_on_claims(path: &ParamPath) -> bool {
    let below = path.as_str().strip_prefix(path.root()).unwrap_or_default();
    ["GatewayInfo.", "ManagementServer.ManageableDevice.", "ManagementServer.VirtualDevice."]
        .iter()
        .chain(&["ManagementServer.EmbeddedDevice."])
        .any(|object| below.starts_with(object))
}

/// What a device claims: the members that it lists as a gateway, and the gateway
/// that it names as a member. Ordered, each pair once, at most [`MAX_CLAIMS`]
/// members; a device is never its own gateway.
///
/// An embedded device has no identity of its own in CWMP: its id is made of
/// `ControllerID` and `ProxiedDeviceID`, without an OUI.
pub fn claims(own: &DeviceId, root: &str, tree: &Tree, since: Timestamp) -> Vec<Association> {
    let mut members: BTreeMap<DeviceId, Kinship> = BTreeMap::new();
    for (table, kinship) in [
        ("ManageableDevice.", Kinship::Associated),
        ("VirtualDevice.", Kinship::Virtual),
        ("EmbeddedDevice.", Kinship::Embedded),
    ] {
        let below = format!("{root}ManagementServer.{table}");
        for row in rows(tree, &below).into_values() {
            let id = match kinship {
                Kinship::Embedded => row.id("", "ControllerID", "ProxiedDeviceID"),
                Kinship::Associated | Kinship::Virtual => {
                    row.id("ManufacturerOUI", "ProductClass", "SerialNumber")
                }
            };
            if let Some(id) = id.filter(|id| id != own)
                && members.len() < MAX_CLAIMS
            {
                members.entry(id).or_insert(kinship);
            }
        }
    }
    let mut found: Vec<Association> = members
        .into_iter()
        .map(|(member, kinship)| Association {
            gateway: own.clone(),
            member,
            teller: Teller::Gateway,
            kinship,
            since,
        })
        .collect();
    let below = format!("{root}GatewayInfo.");
    let mut named = Row::default();
    for (path, _) in tree.under(&below).take(MAX_ROWS) {
        let name = path.as_str().strip_prefix(&below).unwrap_or_default();
        named.put(name, tree.text(path.as_str()));
    }
    let gateway = named.id("ManufacturerOUI", "ProductClass", "SerialNumber");
    found.extend(gateway.filter(|gateway| gateway != own).map(|gateway| Association {
        gateway,
        member: own.clone(),
        teller: Teller::Member,
        kinship: Kinship::Associated,
        since,
    }));
    found
}

/// What changes when a device's claims are now these and were those: the new or
/// different ones, and those that are no longer made. One that is still made
/// keeps its date.
pub fn changed_claims(
    before: Vec<Association>,
    now: Vec<Association>,
) -> (Vec<Association>, Vec<Association>) {
    let key = |one: &Association| (one.gateway.clone(), one.member.clone());
    let mut gone: BTreeMap<_, _> = before.into_iter().map(|one| (key(&one), one)).collect();
    let fresh = now
        .into_iter()
        .filter(|one| gone.remove(&key(one)).is_none_or(|known| known.kinship != one.kinship));
    let fresh = fresh.collect();
    (fresh, gone.into_values().collect())
}

/// The values of one row by their names.
#[derive(Default)]
struct Row<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Row<'a> {
    fn put(&mut self, name: &'a str, text: Option<&'a str>) {
        if let Some(text) = text {
            self.0.insert(name, text);
        }
    }

    /// The id that three of the values make; `None` without a serial number.
    fn id(&self, oui: &str, class: &str, serial: &str) -> Option<DeviceId> {
        let text = |name: &str| self.0.get(name).copied().unwrap_or_default();
        let identity = DeviceIdentity::new("", text(oui), text(class), text(serial)).ok()?;
        Some(identity.id()).filter(|id| id.as_str().len() <= MAX_ID)
    }
}

/// The rows of a table by their instance number or alias.
fn rows<'a>(tree: &'a Tree, table: &'a str) -> BTreeMap<&'a str, Row<'a>> {
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    for (path, param) in tree.under(table) {
        let rest = path.as_str().strip_prefix(table).unwrap_or_default();
        let Some((instance, name)) = rest.split_once('.') else { continue };
        if rows.len() >= MAX_ROWS && !rows.contains_key(instance) {
            break;
        }
        let text = param.value.as_ref().map(|value| &*value.text);
        rows.entry(instance).or_default().put(name, text);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::Value;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn tree(values: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::new();
        for (name, text) in values {
            tree.learn_value(&ParamPath::parse(name).unwrap(), Value::string(*text), NOW);
        }
        tree
    }

    fn words(tree: &Tree, root: &str) -> Vec<String> {
        let own = DeviceId::parse("00D09E-G-1").unwrap();
        let word = |one: Association| {
            format!("{:?} {} {:?} {}", one.teller, one.gateway, one.kinship, one.member)
        };
        claims(&own, root, tree, NOW).into_iter().map(word).collect()
    }

    #[test]
    fn both_trees_are_read() {
        for root in ["Device.", "InternetGatewayDevice."] {
            let name = |name: &str| format!("{root}{name}");
            let values = [
                (name("ManagementServer.ManageableDevice.2.ManufacturerOUI"), "00d09f"),
                (name("ManagementServer.ManageableDevice.2.ProductClass"), "STB"),
                (name("ManagementServer.ManageableDevice.2.SerialNumber"), " 7\n"),
                (name("ManagementServer.ManageableDevice.3.SerialNumber"), ""),
                (name("ManagementServer.ManageableDevice.NumberOfEntries"), "2"),
                (name("ManagementServer.VirtualDevice.1.ManufacturerOUI"), "00D09F"),
                (name("ManagementServer.VirtualDevice.1.SerialNumber"), "8"),
                (name("ManagementServer.EmbeddedDevice.1.ControllerID"), "ZigBee"),
                (name("ManagementServer.EmbeddedDevice.1.ProxiedDeviceID"), "0x12"),
                (name("GatewayInfo.ManufacturerOUI"), "00D09A"),
                (name("GatewayInfo.SerialNumber"), "up"),
            ];
            let values: Vec<_> = values.iter().map(|(name, text)| (name.as_str(), *text)).collect();
            assert_eq!(
                words(&tree(&values), root),
                [
                    "Gateway 00D09E-G-1 Embedded -ZigBee-0x12",
                    "Gateway 00D09E-G-1 Virtual 00D09F-8",
                    "Gateway 00D09E-G-1 Associated 00D09F-STB-7",
                    "Member 00D09A-up Associated 00D09E-G-1",
                ]
            );
            for (name, _) in values {
                assert!(bears_on_claims(&ParamPath::parse(name).unwrap()), "{name}");
            }
        }
        let plain = ParamPath::parse("Device.DeviceInfo.UpTime").unwrap();
        assert!(!bears_on_claims(&plain));
    }

    #[test]
    fn claims_are_capped_and_nobody_claims_itself() {
        let mut values: Vec<(String, String)> = (0..5000)
            .map(|row| {
                let name = format!("Device.ManagementServer.ManageableDevice.{row}.SerialNumber");
                (name, format!("S{row}"))
            })
            .collect();
        let long = "x".repeat(250).replace('x', "-");
        values.push(("Device.ManagementServer.VirtualDevice.1.SerialNumber".into(), long));
        let of = |name: &str, text: &str| (format!("Device.GatewayInfo.{name}"), text.to_owned());
        values.extend([
            of("ManufacturerOUI", "00D09E"),
            of("ProductClass", "G"),
            of("SerialNumber", "1"),
        ]);
        let values: Vec<_> = values.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        let words = words(&tree(&values), "Device.");
        assert_eq!(words.len(), MAX_CLAIMS);
        assert!(words.iter().all(|word| word.starts_with("Gateway") && !word.contains("%2D")));
    }

    #[test]
    fn only_differences_are_told() {
        let own = DeviceId::parse("00D09E-G-1").unwrap();
        let at = |rows: &[&str], since| {
            let rows: Vec<_> = rows
                .iter()
                .map(|row| {
                    (format!("Device.ManagementServer.ManageableDevice.{row}.SerialNumber"), *row)
                })
                .collect();
            let rows: Vec<_> = rows.iter().map(|(name, text)| (name.as_str(), *text)).collect();
            claims(&own, "Device.", &tree(&rows), since)
        };
        let later = NOW.after(std::time::Duration::from_secs(9));
        let (fresh, gone) = changed_claims(at(&["1", "2"], NOW), at(&["2", "3"], later));
        let members = |list: &[Association]| {
            list.iter().map(|one| one.member.to_string()).collect::<Vec<_>>()
        };
        assert_eq!((members(&fresh), members(&gone)), (vec!["-3".into()], vec!["-1".into()]));
        assert_eq!(changed_claims(at(&["1"], NOW), at(&["1"], later)), (vec![], vec![]));
    }
}
