//! What of a report is kept.

use crate::device::{DeviceId, Report, ReportSource};
use crate::param::ParamPath;
use crate::schema::Schema;
use crate::time::Timestamp;

/// The most bytes of names and values in one report: an entry of a history is
/// one value of the store.
const MAX_BYTES: usize = 50_000;
/// What each pair takes besides its bytes, at most.
const PAIR: usize = 6;

/// What came, before it is looked at.
pub(super) struct Came {
    pub(super) source: ReportSource,
    pub(super) collected_at: Option<Timestamp>,
    pub(super) values: Vec<(Box<str>, Box<str>)>,
    pub(super) left_out: u32,
}

/// The report that is recorded: without secrets, and no larger than the store
/// takes. What is left out is counted.
pub(super) fn kept(device: &DeviceId, came: Came, now: Timestamp) -> Report {
    let Came { source, collected_at, values, mut left_out } = came;
    let mut bytes = 0;
    let mut kept = Vec::with_capacity(values.len());
    for (name, value) in values {
        let length = name.len() + value.len() + PAIR;
        if is_secret(&name) || bytes + length > MAX_BYTES {
            left_out = left_out.saturating_add(1);
            continue;
        }
        bytes += length;
        kept.push((name, value));
    }
    Report { device: device.clone(), at: now, source, collected_at, values: kept, left_out }
}

/// Whether a value of this name is a secret. A profile may give parameters names
/// of its own, with blanks.
fn is_secret(name: &str) -> bool {
    let name: String =
        name.chars().map(|c| if c.is_whitespace() || c.is_control() { '_' } else { c }).collect();
    // What cannot be judged is not shown.
    ParamPath::parse(&name).map_or(true, |path| Schema::core().is_secret(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(values: Vec<(Box<str>, Box<str>)>) -> Came {
        Came { source: ReportSource::BulkData, collected_at: None, values, left_out: 1 }
    }

    #[test]
    fn secrets_and_what_is_too_much_are_left_out() {
        let id = DeviceId::parse("00D09E-HG-1").unwrap();
        let now = Timestamp::from_millis(0);
        let names = ["Device.X", "Device.Users.User.1.Password", "my Wi-Fi KeyPassphrase", "Y"];
        let values = names.map(|name| (name.into(), "1".into())).into();
        let report = kept(&id, came(values), now);
        let names: Vec<&str> = report.values.iter().map(|(name, _)| &**name).collect();
        assert_eq!((names, report.left_out), (vec!["Device.X", "Y"], 3));

        let large = (0..100).map(|at| (format!("n{at}").into(), "x".repeat(1000).into()));
        let report = kept(&id, came(large.collect()), now);
        assert_eq!(report.values.len() + report.left_out as usize, 101);
        assert!(postcard::to_stdvec(&report).unwrap().len() < 60_000);
    }

    #[test]
    fn many_small_values_fit_as_well() {
        let id = DeviceId::parse("00D09E-HG-1").unwrap();
        let small = (0..10_000).map(|at| (format!("{at}").into(), "".into())).collect();
        let report = kept(&id, came(small), Timestamp::from_millis(0));
        assert!(postcard::to_stdvec(&report).unwrap().len() < 60_000);
    }
}
