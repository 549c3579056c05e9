//! How a device, or another in its place, is brought back to what was kept.

use std::collections::{BTreeMap, BTreeSet};

use super::backup::is_kept;
use crate::device::{
    Desired, Device, DeviceBackup, OtherRows, Source, Wanted, WantedRow, WantedTable, WantedValue,
};
use crate::param::{ParamPath, Tree, Value};

/// Parameters that tell rows apart in most tables, in the order in which they
/// are tried.
const TELLING: [&str; 8] =
    ["Name", "Alias", "SSID", "MACAddress", "Chaddr", "ExternalPort", "DestIPAddress", "IPAddress"];

/// What a backup makes of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// What it is to be brought to.
    pub desired: Desired,
    /// What cannot be brought back, each with the reason.
    pub left_out: Vec<(Box<str>, Box<str>)>,
}

/// Why a backup cannot be restored to a device at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It speaks another data model.
    #[error("the backup is of the data model {backup}, and the device speaks {device}")]
    OtherModel {
        /// The root object of the backup.
        backup: Box<str>,
        /// That of the device.
        device: Box<str>,
    },
    /// Nothing is known of the device yet.
    #[error("the device's parameters were never read; refresh them first")]
    NotRead,
}

/// What of the backup is restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Rows that came since are removed from the tables that the backup holds
    /// rows of.
    pub exact: bool,
}

/// What a device is to be brought to, so that it is as the backup has it.
///
/// Rows that are still there, on the very device, are written where they are;
/// others are found by what tells them apart, or made anew. A value that names a
/// row which is made anew names the new one.
///
/// # Errors
/// [`RestoreError`] when the two do not fit.
pub fn restore(
    backup: &DeviceBackup,
    device: &Device,
    tree: &Tree,
    extent: Extent,
) -> Result<Restored, RestoreError> {
    if tree.is_empty() {
        return Err(RestoreError::NotRead);
    }
    if backup.root != device.root {
        let (backup, device) = (backup.root.clone(), device.root.clone());
        return Err(RestoreError::OtherModel { backup, device });
    }
    let mut restored = Restored::default();
    let source = restored.desired.place_of(Source {
        layer: "backup".into(),
        name: uuid::Uuid::from_u128(backup.id).hyphenated().to_string().into(),
        version: 0,
    });
    let rows = Rows::of(backup, backup.device == device.id, tree);
    let mut in_rows: BTreeMap<&str, Vec<(Box<str>, Wanted)>> = BTreeMap::new();
    for (path, value) in &backup.values {
        let Some(value) = value else { continue };
        let Ok(name) = ParamPath::parse(path) else { continue };
        if !is_kept(&name) {
            continue;
        }
        let wanted = rows.wanted(value);
        if let Some(row) = rows.above(path) {
            let leaf = path.get(row.len()..).unwrap_or_default();
            in_rows.entry(row).or_default().push((leaf.into(), wanted));
            continue;
        }
        match tree.get(path).map(|known| known.writable) {
            None => {
                restored.left_out.push((path.clone(), "the device has no such parameter".into()))
            }
            Some(Some(false)) => {
                restored.left_out.push((path.clone(), "the device calls it read-only".into()));
            }
            Some(_) => {
                restored.desired.values.push(WantedValue { path: name, value: wanted, source })
            }
        }
    }
    rows.tables(in_rows, extent, source, &mut restored);
    Ok(restored)
}

/// The rows of a backup that have to be found or made on the device.
struct Rows<'a> {
    /// By their path in the backup, with the names by which they are referred to.
    names: BTreeMap<&'a str, Box<str>>,
}

impl<'a> Rows<'a> {
    /// On the very device, rows that are still there need not be looked for.
    fn of(backup: &'a DeviceBackup, is_same: bool, tree: &Tree) -> Self {
        let is_there = |row: &str| tree.under(row).next().is_some();
        let mut names: BTreeMap<&str, Box<str>> = BTreeMap::new();
        for (path, value) in &backup.values {
            // A row inside one that is made anew is made anew as well.
            let inside = || names.keys().any(|row| path.starts_with(row));
            if value.is_none() && (!is_same || !is_there(path) || inside()) {
                names.insert(path, format!("row{}", names.len()).into());
            }
        }
        Self { names }
    }

    /// The innermost of these rows in which a path stands.
    fn above(&self, path: &str) -> Option<&'a str> {
        let mut end = path.strip_suffix('.').unwrap_or(path).len();
        while let Some(dot) = path.get(..end).and_then(|head| head.rfind('.')) {
            if let Some((row, _)) = path.get(..=dot).and_then(|row| self.names.get_key_value(row)) {
                return Some(row);
            }
            end = dot;
        }
        None
    }

    /// A value, or the row that it names.
    fn wanted(&self, value: &Value) -> Wanted {
        let text = &*value.text;
        let dotted = if text.ends_with('.') { text.to_owned() } else { format!("{text}.") };
        match self.names.get(dotted.as_str()) {
            Some(name) => Wanted::Row(name.clone()),
            None => Wanted::Value(value.clone()),
        }
    }

    /// The tables with their rows.
    fn tables(
        &self,
        mut values: BTreeMap<&'a str, Vec<(Box<str>, Wanted)>>,
        extent: Extent,
        source: u16,
        restored: &mut Restored,
    ) {
        let mut tables: BTreeMap<Box<str>, Vec<WantedRow>> = BTreeMap::new();
        for (row, name) in &self.names {
            let values = values.remove(row).unwrap_or_default();
            if values.is_empty() {
                let why = "nothing is known of the row by which it could be told from others";
                restored.left_out.push(((*row).into(), why.into()));
                continue;
            }
            let table = row.trim_end_matches('.').rsplit_once('.').map_or("", |(table, _)| table);
            let table = match self.above(row) {
                Some(outer) => {
                    let outer_name = self.names.get(outer).map_or("", |name| name);
                    format!("@{outer_name}.{}.", table.get(outer.len()..).unwrap_or_default())
                }
                None => format!("{table}."),
            };
            tables.entry(table.into()).or_default().push(WantedRow { name: name.clone(), values });
        }
        for (table, rows) in tables {
            let keys = keys_of(&rows);
            let others = if extent.exact { OtherRows::Remove } else { OtherRows::Keep };
            restored.desired.tables.push(WantedTable { table, keys, rows, others, source });
        }
    }
}

/// The parameters by which rows are told apart: one that does so alone, else all
/// that every row has.
fn keys_of(rows: &[WantedRow]) -> Vec<Box<str>> {
    let text = |row: &WantedRow, name: &str| {
        let value = row.values.iter().find(|(known, _)| **known == *name);
        value.and_then(|(_, wanted)| match wanted {
            Wanted::Value(value) if !value.text.is_empty() => Some(value.text.clone()),
            Wanted::Value(_) | Wanted::Row(_) => None,
        })
    };
    let alone = TELLING.into_iter().find(|name| {
        let told: Vec<_> = rows.iter().filter_map(|row| text(row, name)).collect();
        told.len() == rows.len() && told.iter().collect::<BTreeSet<_>>().len() == rows.len()
    });
    if let Some(name) = alone {
        return vec![name.into()];
    }
    let Some((first, others)) = rows.split_first() else { return Vec::new() };
    let everywhere =
        |name: &str| others.iter().all(|row| row.values.iter().any(|(known, _)| **known == *name));
    let names = first.values.iter().map(|(name, _)| name).filter(|name| !name.contains('.'));
    names.filter(|name| everywhere(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceIdentity;
    use crate::plan::backup;
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn device(serial: &str) -> Device {
        let identity = DeviceIdentity::new("m", "00D09E", "HG", serial).unwrap();
        Device {
            root: "Device.".into(),
            software_version: "1".into(),
            tree_read_at: Some(NOW),
            sessions: 1,
            ..Device::new(identity, NOW)
        }
    }

    fn path(text: &str) -> ParamPath {
        ParamPath::parse(text).unwrap()
    }

    /// A device with one fixed radio and these port mappings.
    fn tree(ssid: &str, ports: &[(u32, &str)]) -> Tree {
        let mut tree = Tree::new();
        let mut put = |name: &str, writable: bool, text: Option<&str>| {
            tree.learn_name(&path(name), writable, NOW);
            if let Some(text) = text {
                let _ = tree.learn_value(&path(name), Value::string(text), NOW);
            }
        };
        put("Device.WiFi.SSID.1.", false, None);
        put("Device.WiFi.SSID.1.SSID", true, Some(ssid));
        put("Device.WiFi.SSID.1.BSSID", false, Some("02:00:00:00:00:01"));
        put("Device.WiFi.AccessPoint.1.Security.KeyPassphrase", true, Some(""));
        put("Device.ManagementServer.URL", true, Some("http://acs"));
        put("Device.NAT.PortMapping.", true, None);
        for (row, port) in ports {
            put(&format!("Device.NAT.PortMapping.{row}."), true, None);
            put(&format!("Device.NAT.PortMapping.{row}.ExternalPort"), true, Some(port));
            put(&format!("Device.NAT.PortMapping.{row}.InternalClient"), true, Some("10.0.0.2"));
        }
        tree
    }

    fn kept(device: &Device, tree: &Tree) -> DeviceBackup {
        backup(7, device, tree, ("anna", "test"), NOW)
    }

    #[test]
    fn what_is_kept_is_configuration_without_secrets() {
        let backup = kept(&device("1"), &tree("home", &[(3, "80")]));
        let names: Vec<&str> = backup.values.iter().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            [
                "Device.NAT.PortMapping.3.",
                "Device.NAT.PortMapping.3.ExternalPort",
                "Device.NAT.PortMapping.3.InternalClient",
                "Device.WiFi.SSID.1.SSID",
            ]
        );
    }

    #[test]
    fn rows_that_are_still_there_are_written_where_they_are() {
        let (device, then) = (device("1"), tree("home", &[(3, "80")]));
        let now = tree("strange", &[(3, "81")]);
        let restored = restore(&kept(&device, &then), &device, &now, Extent::default()).unwrap();
        let names: Vec<&str> =
            restored.desired.values.iter().map(|wanted| wanted.path.as_str()).collect();
        assert!(names.contains(&"Device.NAT.PortMapping.3.ExternalPort"), "{names:?}");
        assert!(names.contains(&"Device.WiFi.SSID.1.SSID"), "{names:?}");
        assert!(restored.desired.tables.is_empty() && restored.left_out.is_empty());
    }

    #[test]
    fn a_replacement_gets_the_rows_anew() {
        let backup = kept(&device("1"), &tree("home", &[(3, "80"), (4, "443")]));
        let restored =
            restore(&backup, &device("2"), &tree("x", &[(1, "22")]), Extent { exact: true })
                .unwrap();
        let [table] = restored.desired.tables.as_slice() else { panic!("{restored:?}") };
        assert_eq!(&*table.table, "Device.NAT.PortMapping.");
        assert_eq!(table.keys, ["ExternalPort".into()]);
        assert_eq!((table.rows.len(), table.others), (2, OtherRows::Remove));
        assert_eq!(restored.desired.values.len(), 1);
    }

    #[test]
    fn a_row_inside_a_row_and_a_value_that_names_a_row_follow_it() {
        let (old, new) = (device("1"), device("2"));
        let mut then = tree("home", &[]);
        for (name, text) in [
            ("Device.IP.Interface.5.", None),
            ("Device.IP.Interface.5.Name", Some("wan")),
            ("Device.IP.Interface.5.IPv4Address.2.", None),
            ("Device.IP.Interface.5.IPv4Address.2.IPAddress", Some("192.0.2.1")),
            ("Device.Routing.Uplink", Some("Device.IP.Interface.5")),
        ] {
            then.learn_name(&path(name), true, NOW);
            if let Some(text) = text {
                let _ = then.learn_value(&path(name), Value::string(text), NOW);
            }
        }
        let mut now = tree("home", &[]);
        now.learn_name(&path("Device.Routing.Uplink"), true, NOW);
        let restored = restore(&kept(&old, &then), &new, &now, Extent::default()).unwrap();
        let tables: Vec<&str> = restored.desired.tables.iter().map(|table| &*table.table).collect();
        assert_eq!(tables, ["@row0.IPv4Address.", "Device.IP.Interface."]);
        let uplink = restored.desired.values.iter().find(|wanted| wanted.path.leaf() == "Uplink");
        assert_eq!(uplink.unwrap().value, Wanted::Row("row0".into()));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let backup = kept(&device("1"), &tree("home", &[]));
        let other = Device { root: "InternetGatewayDevice.".into(), ..device("2") };
        let tree = tree("x", &[]);
        let error = restore(&backup, &other, &tree, Extent::default()).unwrap_err();
        assert!(matches!(error, RestoreError::OtherModel { .. }), "{error}");
        let error = restore(&backup, &device("2"), &Tree::new(), Extent::default()).unwrap_err();
        assert_eq!(error, RestoreError::NotRead);
        let mut bare = Tree::new();
        bare.learn_name(&path("Device.X"), true, NOW);
        let restored = restore(&backup, &device("2"), &bare, Extent::default()).unwrap();
        assert_eq!(restored.left_out.len(), 1, "{restored:?}");
    }
}
