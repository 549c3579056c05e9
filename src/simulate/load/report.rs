//! What a run brought: sessions, latencies, errors by kind, and what it cost
//! the server.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::{Given, Histogram, LoadPlan, Usage};

/// The outcome of a run.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// The kind of session.
    pub kind: &'static str,
    /// Sessions that ended well.
    pub sessions: u64,
    /// Sessions that failed.
    pub failed: u64,
    /// From the first to the last, in seconds.
    pub seconds: f64,
    /// Sessions a second that ended well.
    pub sessions_per_second: f64,
    /// The rate that was asked for; absent in a closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Sessions at a time.
    pub concurrency: usize,
    /// Latencies of the sessions that ended well.
    pub latency: Latency,
    /// How many failed, by kind.
    pub errors: BTreeMap<&'static str, u64>,
    /// What it cost the server, if it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerCost>,
    /// The credentials that devices were given, by device number; never shown.
    #[serde(skip)]
    pub given: BTreeMap<u64, Given>,
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// The mean.
    pub mean: f64,
    /// Half are not slower.
    pub p50: f64,
    /// Nine of ten are not slower.
    pub p90: f64,
    /// 99 of 100 are not slower.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// What the run cost the server's process.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ServerCost {
    /// CPU time, user and system, in seconds.
    pub cpu_seconds: f64,
    /// CPU time for each session that ended well, in microseconds.
    pub cpu_micros_per_session: f64,
    /// Resident memory before, in bytes.
    pub resident_before: u64,
    /// Resident memory after, in bytes.
    pub resident_after: u64,
    /// The most that it ever was, in bytes.
    pub resident_peak: u64,
}

impl LoadReport {
    pub(super) fn new(
        plan: &LoadPlan,
        latency: &Histogram,
        errors: BTreeMap<&'static str, u64>,
        given: BTreeMap<u64, Given>,
        elapsed: Duration,
        server: Option<(Usage, Usage)>,
    ) -> Self {
        let sessions = latency.count();
        let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
        let seconds = elapsed.as_secs_f64();
        Self {
            kind: plan.kind.word(),
            sessions,
            failed: errors.values().sum(),
            seconds,
            sessions_per_second: ratio(sessions, seconds),
            rate: plan.rate,
            concurrency: plan.concurrency,
            latency: Latency {
                mean: millis(latency.mean()),
                p50: millis(latency.percentile(500)),
                p90: millis(latency.percentile(900)),
                p99: millis(latency.percentile(990)),
                max: millis(latency.max()),
            },
            errors,
            server: server.map(|(before, after)| ServerCost::between(before, after, sessions)),
            given,
        }
    }

    /// Writes it for people.
    ///
    /// # Errors
    /// What the writer says.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Latency { mean, p50, p90, p99, max } = self.latency;
        writeln!(out, "kind       {}", self.kind)?;
        writeln!(
            out,
            "sessions   {} in {:.1} s, {} failed",
            self.sessions, self.seconds, self.failed
        )?;
        write!(out, "rate       {:.1} sessions/s", self.sessions_per_second)?;
        match self.rate {
            Some(rate) => writeln!(out, " of {rate} asked for")?,
            None => writeln!(out, ", {} at a time", self.concurrency)?,
        }
        writeln!(
            out,
            "latency    p50 {p50:.2} ms, p90 {p90:.2} ms, p99 {p99:.2} ms, max {max:.2} ms, mean {mean:.2} ms"
        )?;
        for (word, count) in &self.errors {
            writeln!(out, "error      {count} × {word}")?;
        }
        if let Some(cost) = &self.server {
            writeln!(
                out,
                "server     {:.2} s CPU, {:.1} µs a session",
                cost.cpu_seconds, cost.cpu_micros_per_session
            )?;
            let megabytes = |bytes: u64| bytes >> 20;
            writeln!(
                out,
                "memory     {} MiB before, {} MiB after, {} MiB at most",
                megabytes(cost.resident_before),
                megabytes(cost.resident_after),
                megabytes(cost.resident_peak)
            )?;
        }
        Ok(())
    }
}

impl ServerCost {
    fn between(before: Usage, after: Usage, sessions: u64) -> Self {
        let cpu_seconds = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        let per_session = if sessions == 0 { 0.0 } else { 1e6 / ratio(sessions, cpu_seconds) };
        Self {
            cpu_seconds,
            cpu_micros_per_session: if per_session.is_finite() { per_session } else { 0.0 },
            resident_before: before.resident,
            resident_after: after.resident,
            resident_peak: after.peak,
        }
    }
}

/// So many in so many seconds; 0 in no time.
#[allow(clippy::cast_precision_loss, reason = "2^52 sessions are out of reach")]
fn ratio(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_by_session() {
        let usage =
            |millis, resident| Usage { cpu: Duration::from_millis(millis), resident, peak: 9 };
        let cost = ServerCost::between(usage(1000, 5), usage(1200, 7), 2000);
        assert!((cost.cpu_micros_per_session - 100.0).abs() < 1e-6);
        assert_eq!((cost.resident_before, cost.resident_after, cost.resident_peak), (5, 7, 9));
        for (after, sessions) in [(1000, 10), (1200, 0)] {
            let cost = ServerCost::between(usage(1000, 5), usage(after, 7), sessions);
            assert!(cost.cpu_micros_per_session.abs() < 1e-6);
        }
    }
}
