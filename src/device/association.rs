//! Which devices stand behind which gateway (TR-069 Annex F and Annex J).

use serde::{Deserialize, Serialize};

use super::DeviceId;
use crate::time::Timestamp;

/// How a device belongs to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kinship {
    /// A device in the gateway's network, with a session of its own
    /// (`ManageableDevice`, `GatewayInfo`).
    Associated,
    /// A device that is managed through the gateway's data model
    /// (`EmbeddedDevice`).
    Embedded,
    /// A device for which the gateway opens sessions (`VirtualDevice`).
    Virtual,
}

/// Which side says so. Neither is trusted alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Teller {
    /// The gateway lists the member.
    Gateway,
    /// The member names its gateway.
    Member,
}

/// One side's word that a member stands behind a gateway. Each side's is a
/// record of its own, which only its own session writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// The gateway.
    pub gateway: DeviceId,
    /// The device behind it.
    pub member: DeviceId,
    /// Who says so.
    pub teller: Teller,
    /// How they belong together.
    pub kinship: Kinship,
    /// Since when it is said.
    pub since: Timestamp,
}
