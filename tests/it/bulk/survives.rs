//! What must hold for any bytes whatever that come as a bulk data report or as a
//! lightweight notification; the fuzz targets run the same.

use provost::bulk::{BulkLimits, read};
use provost::cwmp::LightweightDatagram;
use provost::device::Secret;

/// Whatever is read lies within the limits, whatever the headers say.
pub(crate) fn bulk_report(body: &[u8]) {
    let limits = BulkLimits::default();
    for (content_type, format) in [
        (None, None),
        (Some("application/json; charset=UTF-8"), Some("\"ObjectHierarchy\"")),
        (Some("text/csv; charset=utf-16le; header=absent"), None),
        (Some("text/csv; header=present"), Some("ParameterPerRow")),
        (Some("text/csv"), Some("ParameterPerColumn")),
    ] {
        let Ok(reports) = read(content_type, format, body, &limits) else { continue };
        assert!((1..=limits.reports).contains(&reports.len()));
        for report in reports {
            assert!(report.values.len() <= limits.values);
            let mut bytes = 0;
            for (name, value) in &report.values {
                assert!((1..=limits.name_bytes).contains(&name.len()));
                assert!(value.len() <= limits.value_bytes);
                bytes += name.len() + value.len();
            }
            assert!(bytes <= limits.report_bytes);
        }
    }
}

/// Whatever is read of a datagram is bounded, and unsigned ones are not believed.
pub(crate) fn lightweight(datagram: &[u8]) {
    let Ok(split) = LightweightDatagram::split(datagram) else { return };
    assert!(!split.is_signed_with(&Secret::new("nobody signs with this")));
    if let Ok(read) = split.read() {
        assert!(!read.serial_number.is_empty() && read.serial_number.len() <= 256);
        assert!((1..=256).contains(&read.parameters.len()));
        assert!(read.parameters.iter().all(|(name, _)| (1..=256).contains(&name.len())));
    }
}
