//! What a device says about the devices around it, recorded as claims.

use tracing::warn;

use super::driver::Driver;
use crate::device::{Association, DeviceId, MAX_CLAIMS, Teller, changed_claims, claims};
use crate::store::{Change, Record};
use crate::time::Timestamp;

/// A device's own words come first in its list: so many are read that no own
/// word is overlooked.
const MAX_OWN: usize = MAX_CLAIMS + 1;

impl Driver {
    /// Puts what is new or gone among the device's claims into the pending batch.
    /// Asked only after sessions that touched the tree.
    pub(super) async fn collect_claims(&mut self, now: Timestamp) {
        let Some(tree) = &self.work.tree else { return };
        let device = &self.work.device;
        let said = claims(&device.id, &device.root, tree, now);
        let known = match self.shared.store.associations(&device.id, MAX_OWN).await {
            Ok(known) => known,
            Err(error) => {
                warn!(device.id = %device.id, %error, "the devices around it were not recorded");
                return;
            }
        };
        let known = known.into_iter().filter(|one| is_own_word(one, &device.id)).collect();
        let (fresh, gone) = changed_claims(known, said);
        for one in gone {
            self.work.pending.push(Change::ForgetAssociation(Box::new(one)));
        }
        for one in fresh {
            self.work.pending.put(Record::Association(Box::new(one)));
        }
    }
}

/// Whether it is this device that says so.
fn is_own_word(one: &Association, own: &DeviceId) -> bool {
    match one.teller {
        Teller::Gateway => one.gateway == *own,
        Teller::Member => one.member == *own,
    }
}
