//! Which right it takes to ask something of a device.

use super::Right;
use crate::device::Action;
use crate::param::ParamPath;

/// The right that a task needs: reading and waking are the least, what takes a
/// subscriber's service away or puts other software on the device the most. Whoever
/// makes tasks asks here, whatever dialect they came in.
///
/// What lies below `ManagementServer.` decides whose the device is: who helps
/// subscribers does not touch it.
pub fn right_of(action: &Action) -> Right {
    match action {
        Action::Get(_)
        | Action::Refresh(_)
        | Action::GetRpcMethods
        | Action::GetAttributes(_)
        | Action::GetQueuedTransfers
        | Action::GetAllQueuedTransfers
        | Action::GetOptions(_)
        | Action::ScheduleInform(_)
        | Action::Diagnose(_) => Right::TasksAsk,
        Action::Set(values) => changing(values.iter().map(|(path, _)| path)),
        Action::SetAttributes(wishes) => changing(wishes.iter().map(|wish| &wish.path)),
        Action::AddObject { table: path, .. } | Action::DeleteObject(path) => changing([path]),
        // The file is made of what is stored of the phone, and a state of profiles,
        // intents or a backup: who may change those is asked where they are changed.
        Action::Reboot | Action::Provision(_) | Action::CancelTransfer(_) | Action::Converge(_) => {
            Right::TasksChange
        }
        Action::FactoryReset
        | Action::Download(_)
        | Action::ScheduleDownload(..)
        | Action::Upload(_)
        | Action::ChangeDuState(_)
        | Action::SetVouchers(_)
        | Action::Redirect(_) => Right::TasksDisrupt,
    }
}

fn changing<'a>(paths: impl IntoIterator<Item = &'a ParamPath>) -> Right {
    match paths.into_iter().any(is_managing) {
        true => Right::TasksDisrupt,
        false => Right::TasksChange,
    }
}

/// Whether a path is, or holds, what lies below `ManagementServer.`: the root does.
fn is_managing(path: &ParamPath) -> bool {
    let below = path.as_str().strip_prefix(path.root()).unwrap_or_default();
    let first = below.trim_start_matches('.').split('.').next().unwrap_or_default();
    first.is_empty() || first.eq_ignore_ascii_case("ManagementServer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::Value;

    fn set(names: &[&str]) -> Action {
        let path = |name: &&str| ParamPath::parse(name).unwrap();
        let value = Value::string("1");
        Action::Set(names.iter().map(|name| (path(name), value.clone())).collect())
    }

    #[test]
    fn the_more_it_may_harm_the_more_right_it_takes() {
        assert_eq!(right_of(&Action::Get(Vec::new())), Right::TasksAsk);
        assert_eq!(right_of(&Action::ScheduleInform(5)), Right::TasksAsk);
        assert_eq!(right_of(&Action::Reboot), Right::TasksChange);
        assert_eq!(right_of(&set(&["Device.WiFi.SSID.1.SSID"])), Right::TasksChange);
        assert_eq!(right_of(&Action::FactoryReset), Right::TasksDisrupt);
    }

    #[test]
    fn whose_the_device_is_is_not_changed_with_the_right_to_change_values() {
        for names in [
            &["Device.ManagementServer.URL"][..],
            &["Device.WiFi.SSID.1.SSID", "Device.ManagementServer.Password"],
            &["InternetGatewayDevice.ManagementServer.PeriodicInformInterval"],
        ] {
            assert_eq!(right_of(&set(names)), Right::TasksDisrupt, "{names:?}");
        }
        let elsewhere = set(&["Device.ManagementServers.X", "Device.X.ManagementServer.URL"]);
        assert_eq!(right_of(&elsewhere), Right::TasksChange);
    }
}
