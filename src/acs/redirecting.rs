//! Sending a device to another server for one session (TR-069 §3.4.2).

use std::net::IpAddr;

use tracing::info;

use super::driver::Caller;
use crate::device::{Action, FaultRecord, Outcome, Redirection, Task, TaskId, TaskState};
use crate::http::{Host, Target};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// A redirect that is due now.
pub(super) struct Due {
    /// Where the task stands among the tasks; it has changed.
    pub(super) position: usize,
    /// Its key.
    pub(super) task: TaskId,
    /// Where the device is sent; `None` if it is not, because that would lead
    /// it back here.
    pub(super) to: Option<Redirection>,
}

/// Ends the oldest redirect that waits for this Inform: a device never says
/// whether it followed, so that nothing more can be waited for. It is to be made
/// durable before the answer leaves.
pub(super) fn due(tasks: &mut [Task], caller: &Caller, now: Timestamp) -> Option<Due> {
    let position = tasks.iter().position(|task| {
        matches!(task.action, Action::Redirect(_))
            && task.state == TaskState::Queued
            && now < task.expires_at
    })?;
    let task = tasks.get_mut(position)?;
    let Action::Redirect(to) = &task.action else { return None };
    let to = to.clone();
    task.revision += 1;
    let leads_back = leads_back(&to.url, caller);
    let outcome = if leads_back {
        let text = "not sent: by this address the device has just reached this server".into();
        Outcome::Failed(FaultRecord { code: 0, text, parameters: Vec::new() })
    } else {
        let note = format!("its Inform was answered by {} to {}", to.status, to.url);
        task.notes.push(note.into());
        Outcome::Accepted
    };
    task.state = TaskState::Ended { at: now, outcome };
    Some(Due { position, task: task.id, to: (!leads_back).then_some(to) })
}

/// Where the device is sent, after the redirect was made durable; it may have
/// been withdrawn meanwhile.
pub(super) async fn sent(
    store: &dyn Store,
    due: Option<Due>,
) -> Result<Option<Redirection>, StoreError> {
    let Some(Due { task, to: Some(to), .. }) = due else { return Ok(None) };
    let Some(task) = store.task(task).await? else { return Ok(None) };
    let stands = matches!(task.state, TaskState::Ended { outcome: Outcome::Accepted, .. });
    if stands {
        info!(device.id = %task.device, task.id = %task.id, "sent to another server");
    }
    Ok(stands.then_some(to))
}

/// Whether a URL is the very address at which this device reached us.
fn leads_back(url: &str, caller: &Caller) -> bool {
    let Ok(target) = Target::parse(url) else { return true };
    let same_host = match &target.host {
        Host::Address(address) => *address == caller.local.ip(),
        Host::Name(_) => false,
    };
    let named = caller.host.as_deref().is_some_and(|host| match &target.host {
        Host::Name(name) => name.eq_ignore_ascii_case(host),
        Host::Address(address) => {
            host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|own| own == *address)
        }
    });
    target.port == caller.local.port() && (same_host || named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Principal;

    #[test]
    fn a_device_is_not_sent_round_in_a_circle() {
        let caller = Caller {
            principal: Principal::Anyone,
            address: "192.0.2.7".parse().unwrap(),
            local: "192.0.2.1:7547".parse().unwrap(),
            host: Some("acs.example.net".into()),
            rival: None,
        };
        for (url, back) in [
            ("http://acs.example.net:7547/", true),
            ("http://ACS.example.net:7547/other/path", true),
            ("https://192.0.2.1:7547/", true),
            ("ftp://other.example.net/", true),
            ("http://acs.example.net:7548/", false),
            ("http://acs.example.net/", false),
            ("http://other.example.net:7547/", false),
        ] {
            assert_eq!(leads_back(url, &caller), back, "{url}");
        }
    }
}
