//! What follows from the results of a diagnostic by arithmetic (TR-143 §4).

use super::Unit;
use crate::device::DiagnosticKind;
use crate::time::Timestamp;

/// A figure that the device did not tell, but that follows from what it told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its name. It begins with `Derived.`, which no data model has.
    pub name: &'static str,
    /// The figure.
    pub value: u64,
    /// Its unit.
    pub unit: Unit,
}

/// The figures of a diagnostic. `result` gives the text of a parameter by its
/// name below the object, inputs included. What cannot be told (times unknown,
/// out of order, or too far apart to be true) is left out.
///
/// - Throughput is the test's bytes between the begin and the end of the
///   transfer (TR-143 §4.1, §4.2); an upload's bytes are `TestBytesSent`, or the
///   length of the file where the data model has no such parameter.
/// - With several connections, the throughput under full loading.
/// - How long the connection took to open, and the server to begin.
/// - Lost packets in thousandths, of a ping or an echo.
pub fn figures<'a>(kind: DiagnosticKind, result: impl Fn(&str) -> Option<&'a str>) -> Vec<Figure> {
    let number = |name: &str| result(name)?.trim().parse::<u64>().ok();
    let span = |from: &str, to: &str| {
        let (from, to) = (micros(result(from)?)?, micros(result(to)?)?);
        u64::try_from(to.checked_sub(from)?).ok()
    };
    let mut found = Vec::new();
    let mut tell = |name, value: Option<u64>, unit| {
        found.extend(value.map(|value| Figure { name, value, unit }));
    };
    match kind {
        DiagnosticKind::Download | DiagnosticKind::Upload => {
            let (bytes, loaded) = if kind == DiagnosticKind::Download {
                (number("TestBytesReceived"), number("TestBytesReceivedUnderFullLoading"))
            } else {
                let bytes = number("TestBytesSent").filter(|bytes| *bytes > 0);
                (
                    bytes.or_else(|| number("TestFileLength")),
                    number("TestBytesSentUnderFullLoading"),
                )
            };
            let duration = span("BOMTime", "EOMTime");
            let throughput = bytes.zip(duration).and_then(|(bytes, micros)| rate(bytes, micros));
            tell("Derived.Throughput", throughput, Unit::BitsPerSecond);
            let loaded = loaded.zip(number("PeriodOfFullLoading"));
            let loaded = loaded.and_then(|(bytes, micros)| rate(bytes, micros));
            tell("Derived.ThroughputUnderFullLoading", loaded, Unit::BitsPerSecond);
            tell("Derived.TransferTime", duration, Unit::Microseconds);
            let opening = span("TCPOpenRequestTime", "TCPOpenResponseTime");
            tell("Derived.ConnectionTime", opening, Unit::Microseconds);
            tell("Derived.RequestTime", span("ROMTime", "BOMTime"), Unit::Microseconds);
        }
        DiagnosticKind::Ping | DiagnosticKind::UdpEcho => {
            let lost = number("SuccessCount").zip(number("FailureCount"));
            let lost = lost.and_then(|(came, lost)| {
                lost.checked_mul(1000)?.checked_div(came.checked_add(lost)?)
            });
            tell("Derived.LossPerMille", lost, Unit::Plain);
        }
        DiagnosticKind::TraceRoute | DiagnosticKind::NsLookup | DiagnosticKind::WifiNeighbours => {}
    }
    found
}

/// Bits per second; `None` without bytes or time.
fn rate(bytes: u64, micros: u64) -> Option<u64> {
    let bits = u128::from(bytes).checked_mul(8_000_000)?;
    u64::try_from(bits.checked_div(micros.into())?).ok().filter(|rate| *rate > 0)
}

/// Microseconds since 1970. TR-143 wants times to the microsecond
/// (`2026-11-20T20:05:00.123456Z`); `0001-01-01…` says that it is not known.
fn micros(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.starts_with("0001-") {
        return None;
    }
    let Some((whole, rest)) = text.split_once('.') else {
        return Timestamp::parse(text)?.as_millis().checked_mul(1000);
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, zone) = rest.split_at_checked(digits)?;
    let second = Timestamp::parse(&format!("{whole}{zone}"))?.as_secs();
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    second.checked_mul(1_000_000)?.checked_add(fraction.parse().ok()?)
}
