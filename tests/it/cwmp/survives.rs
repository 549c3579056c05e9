//! What must hold for any bytes whatever; the fuzz target runs the same.

use provost::cwmp::{ReadLimits, Side, WriteStyle, read, write};

/// The reader gives an answer, and what it took can be written and read again.
/// After that nothing changes any more: the writer may have replaced a name
/// that is none, but only once.
pub(crate) fn survives(body: &[u8]) {
    let (limits, style) = (ReadLimits::default(), WriteStyle::default());
    for side in [Side::Cpe, Side::Acs] {
        let Ok(parsed) = read(body, None, side, &limits) else { continue };
        let written = write(&parsed.envelope, &style);
        let again = read(&written, None, side, &limits)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&written)));
        assert_eq!(write(&again.envelope, &style), written);
    }
}
