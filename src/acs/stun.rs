//! Telling devices behind NAT of the STUN server: once a reading of the whole
//! tree, as tasks that show in the device's list like any other.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::driver::Driver;
use crate::device::{Task, TaskId, TaskState};
use crate::plan::{Planner, StunSetup};
use crate::store::{Record, StoreError};
use crate::time::Timestamp;
use crate::wake::StunDoor;

/// How long the tasks wait for the device.
const WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// Who asked.
const BY: &str = "provost (STUN)";

/// The STUN server, as devices are told of it.
#[derive(Clone, Debug)]
pub struct StunOffer {
    /// The server.
    pub door: Arc<StunDoor>,
    /// The host to be told; empty for the one under which a device reached the
    /// ACS.
    pub public_host: Box<str>,
    /// Whether devices are told that are not seen to be behind a NAT.
    pub everywhere: bool,
}

impl Driver {
    /// After a survey: asks a device behind NAT to use the STUN server. What is
    /// asked is taken up in this session, as tasks that came up while it runs.
    pub(super) async fn offer_stun(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let surveyed = self.work.planner.as_ref().is_some_and(Planner::surveyed);
        if !surveyed || std::mem::replace(&mut self.work.stun_offered, true) {
            return Ok(());
        }
        let (Some(offer), Some(tree)) = (&self.shared.stun, &self.work.tree) else { return Ok(()) };
        let host = if offer.public_host.is_empty() {
            let reached = self.caller.host.as_deref();
            reached.map_or_else(|| self.caller.local.ip().to_string(), bare)
        } else {
            offer.public_host.to_string()
        };
        let device = &self.work.device;
        let setup = StunSetup {
            host: host.into(),
            port: offer.door.local_addr().port(),
            username: device.id.as_str().into(),
            password: offer.door.accounts().password(&device.id),
            everywhere: offer.everywhere,
        };
        let actions = setup.actions(&device.root, tree, self.caller.address);
        if actions.is_empty() {
            return Ok(());
        }
        info!(device.id = %device.id, "the device is told of the STUN server");
        for action in actions {
            let task = Task {
                id: TaskId(uuid::Uuid::now_v7().as_u128()),
                device: self.work.device.id.clone(),
                revision: 1,
                action,
                created_at: now,
                created_by: BY.into(),
                expires_at: now.after(WITHIN),
                state: TaskState::Queued,
                notes: Vec::new(),
                results: Vec::new(),
            };
            self.work.pending.put(Record::Task(Box::new(task)));
        }
        self.commit_pending().await?;
        Ok(())
    }
}

/// A host as a parameter holds it: without the brackets of IPv6 and without a
/// port.
fn bare(host: &str) -> String {
    match host.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default().to_owned(),
        None => host.split(':').next().unwrap_or_default().to_owned(),
    }
}
