//! The kinds of news.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        /// A kind of news. The word is the event's type in the stream.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum NewsKind {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl NewsKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

kinds! {
    /// A device was seen for the first time.
    DeviceNew = "device.new";
    /// A device that had been away is back.
    DeviceOnline = "device.online";
    /// A device has not come for longer than it should.
    DeviceOffline = "device.offline";
    /// A device booted.
    DeviceBoot = "device.boot";
    /// A device came for the first time or after a factory reset.
    DeviceBootstrap = "device.bootstrap";
    /// Values of a device changed.
    ValueChange = "value.change";
    /// The software of a device changed.
    SoftwareChange = "software.change";
    /// A task or another operation is over.
    TaskOutcome = "task.outcome";
    /// A campaign went into another state.
    CampaignState = "campaign.state";
    /// A device answered with a fault.
    Fault = "fault";
    /// A device has strayed from what is wanted of it, or is as wanted again.
    Drift = "drift";
    /// Something that an operator should look at.
    Alarm = "alarm";
}

impl fmt::Display for NewsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for NewsKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.iter().find(|kind| kind.word() == word).copied().ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|kind| kind.word()).collect();
            format!("one of {}", known.join(", "))
        })
    }
}
