//! Whether the data models know what a profile names, and would take the values
//! that it writes.
//!
//! No device is at hand, so that the models decide; what is a vendor's own is
//! taken. Values that are computed are checked when they
//! are; here only whether there is something to write them to.

use super::changes::Faults;
use crate::param::ParamPath;
use crate::profile::{Profile, TableForm, Wish};
use crate::schema::{Asked, Known, Misfit};

/// Rows inside rows at most.
const MAX_DEPTH: usize = 8;

/// Something that a profile names.
struct Named {
    /// Where it stands in the profile.
    place: String,
    path: ParamPath,
    asked: Wanted,
}

/// What a profile does with it.
enum Wanted {
    Value(String),
    /// A value that is not known yet.
    Computed,
    Read,
    Attributes,
    AddRow,
    DeleteRow,
}

impl Named {
    fn check(&self, known: Known<'_>) -> Result<(), Misfit> {
        let asked = match &self.asked {
            Wanted::Value(text) => Asked::Value(text),
            Wanted::Computed => Asked::Value(""),
            Wanted::Read => Asked::Read,
            Wanted::Attributes => Asked::Attributes,
            Wanted::AddRow => Asked::AddRow,
            Wanted::DeleteRow => Asked::DeleteRow,
        };
        match known.check(&self.path, asked) {
            // That of an empty text says nothing of the value that will be.
            Err(misfit) if matches!(self.asked, Wanted::Computed) && !misfit.is_of_path() => Ok(()),
            // Devices in the field are older than the newest model.
            Err(Misfit::Deleted(_)) => Ok(()),
            checked => checked,
        }
    }
}

/// Tells everything in a profile that the data models do not know or would not
/// take.
pub(super) fn check(name: &str, profile: &Profile, faults: &mut Faults) {
    for (place, problem) in misfits(profile) {
        faults.add(format!("{name}: {place}"), problem);
    }
}

fn misfits(profile: &Profile) -> Vec<(String, String)> {
    let told = |one: Named| {
        let misfit = one.check(Known::of_root(one.path.root())).err()?;
        Some((one.place, format!("{} {misfit}", one.path)))
    };
    all_of(profile).into_iter().filter_map(told).collect()
}

/// Everything that a profile names.
fn all_of(profile: &Profile) -> Vec<Named> {
    let parameters = profile.parameters.iter().map(|(path, wish)| Named {
        place: "parameters".to_owned(),
        path: path.clone(),
        asked: value(wish),
    });
    let attributes = profile.attributes.keys().map(|path| Named {
        place: "attributes".to_owned(),
        path: path.clone(),
        asked: Wanted::Attributes,
    });
    let refresh = profile.refresh.keys().map(|path| Named {
        place: "refresh".to_owned(),
        path: path.clone(),
        asked: Wanted::Read,
    });
    let mut named: Vec<Named> = parameters.chain(attributes).chain(refresh).collect();
    for (number, table) in profile.tables.iter().enumerate() {
        let Some(path) = full(&table.table, &profile.tables, MAX_DEPTH) else { continue };
        rows_of(&format!("tables[{number}]"), &path, table, &mut named);
    }
    named
}

fn rows_of(place: &str, path: &str, table: &TableForm, named: &mut Vec<Named>) {
    let mut add = |place: String, path: &str, asked: Wanted| {
        if let Ok(path) = ParamPath::parse(path) {
            named.push(Named { place, path, asked });
        }
    };
    if table.rows.iter().any(|row| !row.absent) {
        add(place.to_owned(), path, Wanted::AddRow);
    }
    if table.rows.iter().any(|row| row.absent) || (table.rows.is_empty() && table.others.is_some())
    {
        add(place.to_owned(), &format!("{path}{{i}}."), Wanted::DeleteRow);
    }
    for (number, row) in table.rows.iter().enumerate() {
        for (member, wish) in &row.values {
            let place = format!("{place}.rows[{number}]");
            // The keys of a row that goes are compared, and never written.
            let asked = if row.absent { Wanted::Read } else { value(wish) };
            add(place, &format!("{path}{{i}}.{member}"), asked);
        }
    }
}

/// The path of a table; one inside a row that is wanted itself begins with `@`
/// and the row's name. `None` if nobody wants that row.
fn full(table: &str, tables: &[TableForm], depth: usize) -> Option<String> {
    let Some(rest) = table.strip_prefix('@') else { return Some(table.to_owned()) };
    let (name, rest) = rest.split_once('.')?;
    let outer = tables.iter().find(|table| table.rows.iter().any(|row| *row.name == *name))?;
    let outer = full(&outer.table, tables, depth.checked_sub(1)?)?;
    Some(format!("{outer}{{i}}.{rest}"))
}

fn value(wish: &Wish) -> Wanted {
    match wish {
        Wish::Bool(truth) => Wanted::Value(truth.to_string()),
        Wish::Whole(number) => Wanted::Value(number.to_string()),
        Wish::Text { text, .. } => Wanted::Value(text.to_string()),
        Wish::Template { .. } | Wish::Row(_) => Wanted::Computed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misfits(text: &str) -> Vec<String> {
        let profile = Profile::parse(&format!("name = \"x\"\n{text}")).unwrap();
        let misfits = super::misfits(&profile).into_iter();
        misfits.map(|(place, problem)| format!("{place}: {problem}")).collect()
    }

    #[test]
    fn what_the_models_know_is_taken() {
        let sound = misfits(
            "[parameters]\n\
             \"Device.Time.Enable\" = true\n\
             \"Device.Time.NTPServer1\" = \"ntp.example.net\"\n\
             \"Device.WiFi.SSID.*.SSID\" = \"{{ subscriber.name }}\"\n\
             \"InternetGatewayDevice.ManagementServer.PeriodicInformInterval\" = 300\n\
             \"Device.X_EXAMPLE_Own.Thing\" = \"whatever\"\n\
             [refresh]\n\"Device.Hosts.\" = \"1h\"\n\
             [[tables]]\ntable = \"Device.NAT.PortMapping.\"\nkeys = [\"ExternalPort\"]\n\
             rows = [{ values = { ExternalPort = 80, Protocol = \"TCP\" } }]\n",
        );
        assert_eq!(sound, Vec::<String>::new());
    }

    #[test]
    fn what_they_do_not_know_or_would_not_take_is_told_with_its_place() {
        let told = misfits(
            "[parameters]\n\
             \"Device.Time.Enabel\" = true\n\
             \"Device.Time.Status\" = \"x\"\n\
             \"Device.Time.CurrentLocalTime\" = \"{{ now }}\"\n\
             \"Device.ManagementServer.PeriodicInformInterval\" = 0\n\
             [[tables]]\ntable = \"Device.NAT.PortMapping.\"\nkeys = [\"ExternalPort\"]\n\
             rows = [{ values = { ExternalPort = 99999 } }]\n",
        );
        for part in [
            "Device.Time.Enabel is not known; the nearest is Device.Time.Enable",
            "Device.Time.Status is read-only",
            "Device.Time.CurrentLocalTime is read-only",
            "PeriodicInformInterval is out of",
            "tables[0].rows[0]: Device.NAT.PortMapping.{i}.ExternalPort is out of",
        ] {
            assert!(told.iter().any(|told| told.contains(part)), "{part}: {told:#?}");
        }
        assert_eq!(told.len(), 5, "{told:#?}");
    }
}
