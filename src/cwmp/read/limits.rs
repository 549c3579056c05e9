//! What one message may cost.

/// Bounds of one message. Beyond them the message is refused, except where a
/// text is merely cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes of the whole body.
    pub bytes: usize,
    /// Elements inside each other.
    pub depth: u32,
    /// Elements in all.
    pub elements: u32,
    /// Bytes of one tag with its attributes.
    pub tag_bytes: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Bytes of one value.
    pub value_bytes: usize,
    /// Bytes of one structural text (a key, a name, a URL); longer ones are cut.
    pub text_bytes: usize,
    /// Members of one list: parameters, names.
    pub items: usize,
    /// Events of an Inform; the standard says 64. More are left out.
    pub events: usize,
    /// Parameter faults of one fault; more are left out.
    pub parameter_faults: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 32,
            elements: 4_000_000,
            tag_bytes: 16 << 10,
            attributes: 64,
            value_bytes: 1 << 20,
            text_bytes: 4 << 10,
            items: 500_000,
            events: 64,
            parameter_faults: 1024,
        }
    }
}
