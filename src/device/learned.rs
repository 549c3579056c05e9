//! What a device can take, learned from how it behaved.

use serde::{Deserialize, Serialize};

/// Lessons about one device. Quirks are data, never `if vendor ==`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// How many names go into one GetParameterValues (Q30, Q41); halved on
    /// 9002, 9004 or silence.
    pub read_batch: u16,
    /// How many values go into one SetParameterValues (Q41).
    pub write_batch: u16,
    /// Whether messages begin with the XML declaration (Q28; off: Q55).
    pub xml_declaration: bool,
    /// Sessions in a row that ended in silence right after an InformResponse (Q55).
    pub silent_after_inform: u8,
    /// Whether GetParameterNames with NextLevel = 0 at the root works (Q30).
    pub names_in_one: bool,
    /// The methods that GetRPCMethods named; empty if never asked.
    pub methods: Vec<Box<str>>,
}

impl Learned {
    /// What is assumed of a device that was never met: batches as configured,
    /// everything by the standard.
    pub const fn assumed(read_batch: u16, write_batch: u16) -> Self {
        Self {
            read_batch,
            write_batch,
            xml_declaration: true,
            silent_after_inform: 0,
            names_in_one: true,
            methods: Vec::new(),
        }
    }
}
